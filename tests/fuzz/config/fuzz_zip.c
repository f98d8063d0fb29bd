/*
 * Stores bytes as an uploaded archive: refused and without a trace, or unpacked below its own folder and nowhere else.
 */
#include "config/package_parts.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { ARENA_MAX = 1 << 20 };

static char folder[] = "/tmp/headgate-fuzz-XXXXXX", data[64];

static void remove_folder(void)
{
    tree_remove(folder);
}

/* Names in a folder, without the two that every folder has. */
static unsigned count_names(const char *path)
{
    DIR *dir = opendir(path);
    unsigned count = 0;
    struct dirent *entry;

    while (dir && (entry = readdir(dir)))
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    if (dir)
        (void)closedir(dir);
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct hg_arena *arena = hg_arena_new(ARENA_MAX);
    struct hg_package package;
    struct hg_error err = {""};
    char code[80];
    enum hg_rc rc;

    if (!data[0]) {
        hg_assert(mkdtemp(folder) != NULL);
        hg_assert(atexit(remove_folder) == 0);
        (void)snprintf(data, sizeof(data), "%s/data", folder);
        hg_assert(mkdir(data, 0700) == 0);
    }
    (void)snprintf(code, sizeof(code), "%s/code", data);
    rc = package_store_zip(arena, data, hg_str_n((const char *)bytes, size), &package, &err);
    hg_assert(rc == HG_OK || err.text[0] != '\0');
    hg_assert(count_names(code) == (rc == HG_OK ? 2U : 0U));
    hg_assert(count_names(data) <= 1 && count_names(folder) == 1);
    tree_remove(code);
    hg_arena_free(arena);
    return 0;
}
