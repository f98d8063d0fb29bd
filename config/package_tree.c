/*
 * Walks over folders: a cheap hash of one, and its removal.
 */
#include "config/package_parts.h"

#include "core/crypto.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HASHED_FILES_MAX = 2000 }; /* a few milliseconds */

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static FTS *open_tree(const char *dir, int (*compare)(const FTSENT **a, const FTSENT **b))
{
    char *paths[] = {(char *)(uintptr_t)dir, NULL};

    return fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, compare);
}

static void add_file(struct hg_sha256 *hash, const FTSENT *entry, size_t root_length)
{
    const struct stat *st = entry->fts_statp;
    struct {
        uint64_t size, seconds, nanoseconds, mode;
    } facts = {(uint64_t)st->st_size, (uint64_t)st->st_mtim.tv_sec, (uint64_t)st->st_mtim.tv_nsec,
               st->st_mode};

    hg_sha256_update(hash, entry->fts_path + root_length,
                     strlen(entry->fts_path + root_length) + 1);
    hg_sha256_update(hash, &facts, sizeof(facts));
}

enum hg_rc tree_hash(struct hg_arena *arena, const char *dir, struct hg_package *package,
                     struct hg_error *err)
{
    struct hg_sha256 *hash = hg_sha256_new();
    FTS *tree = open_tree(dir, by_name);
    unsigned char digest[HG_SHA256_LEN];
    struct hg_buf text;
    FTSENT *entry;
    size_t files = 0;

    while (tree && files < HASHED_FILES_MAX && (entry = fts_read(tree))) {
        if (entry->fts_info != FTS_F && entry->fts_info != FTS_SL)
            continue;
        add_file(hash, entry, strlen(dir));
        package->size += (uint64_t)entry->fts_statp->st_size;
        files++;
    }
    hg_sha256_final(hash, digest);
    if (!tree)
        return hg_error_set(err, HG_E_IO, "cannot read the folder %s: %s", dir, strerror(errno));
    (void)fts_close(tree);
    hg_buf_init(&text, 64);
    (void)hg_base64_encode(&text, hg_str_n((const char *)digest, sizeof(digest)));
    package->sha256 = hg_arena_str(arena, hg_buf_str(&text));
    hg_buf_fini(&text);
    return HG_OK;
}

void tree_remove(const char *dir)
{
    FTS *tree = open_tree(dir, NULL);
    FTSENT *entry;

    /* What cannot be removed stays: it is never used, its name is random. */
    while (tree && (entry = fts_read(tree))) {
        if (entry->fts_info == FTS_DP)
            (void)rmdir(entry->fts_path);
        else if (entry->fts_info != FTS_D)
            (void)unlink(entry->fts_path);
    }
    if (tree)
        (void)fts_close(tree);
}
