/*
 * Steps of config/package.c in files of their own.
 */
#ifndef HG_CONFIG_PACKAGE_PARTS_H
#define HG_CONFIG_PACKAGE_PARTS_H

#include "config/package.h"

enum {
    HG_PACKAGE_ENTRIES_MAX =
        100 * 1000,             /* and as many folders that only names of entries bring about */
    HG_PACKAGE_NAME_MAX = 2048, /* with the data directory before it, still a path of PATH_MAX */
};

/* Checks every entry of an archive without writing anything; err names the entry at fault. */
enum hg_rc zip_check(const char *path, struct hg_error *err) hg_must_use;
/* The same, then unpacks into an empty folder; what was written stays when it fails. err calls the archive name. */
enum hg_rc zip_unpack(const char *path, const char *name, int dir_fd,
                      struct hg_error *err) hg_must_use;

/* Hash and size of a folder, as package.h describes them. What lies in the folder except (NULL for none) does not count. */
enum hg_rc tree_hash(struct hg_arena *arena, const char *dir, const char *except,
                     struct hg_package *package, struct hg_error *err) hg_must_use;
/* Copies files, folders and links, but not the folder except, into an empty folder. HG_E_TOO_LARGE above HG_PACKAGE_BYTES_MAX. */
enum hg_rc tree_copy(const char *dir, const char *except, int to_fd,
                     struct hg_error *err) hg_must_use;
/* Removes a folder with all that is in it; symbolic links are not followed. */
void tree_remove(const char *dir);

#endif
