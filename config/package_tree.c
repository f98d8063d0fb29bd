/*
 * Walks over folders: a cheap hash of one, its copy, its size, and its removal.
 */
#include "config/package_parts.h"

#include "core/crypto.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    HASHED_FILES_MAX = 2000,  /* a few milliseconds */
    READ_BYTES_MAX = 8 << 20, /* ten milliseconds or so */
    PIECE = 1 << 16,
    COPY_BYTES = 1 << 30,
};

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static FTS *open_tree(const char *dir, int (*compare)(const FTSENT **a, const FTSENT **b))
{
    char *paths[] = {(char *)(uintptr_t)dir, NULL};

    return fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, compare);
}

static bool add_target(struct hg_sha256 *hash, const char *path)
{
    char target[PATH_MAX];
    ssize_t length = readlink(path, target, sizeof(target));

    if (length > 0)
        hg_sha256_update(hash, target, (size_t)length);
    return length > 0;
}

/* False when it cannot be read. */
static bool add_content(struct hg_sha256 *hash, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *piece = fd < 0 ? NULL : hg_malloc(PIECE);
    ssize_t got = -1;

    while (fd >= 0 && ((got = read(fd, piece, PIECE)) > 0 || (got < 0 && errno == EINTR)))
        if (got > 0)
            hg_sha256_update(hash, piece, (size_t)got);
    free(piece);
    if (fd >= 0)
        (void)close(fd);
    return got == 0;
}

static void add_file(struct hg_sha256 *hash, const FTSENT *entry, size_t root_length,
                     uint64_t bytes_before)
{
    const struct stat *st = entry->fts_statp;
    struct {
        uint64_t size, mode;
    } facts = {(uint64_t)st->st_size, st->st_mode};
    struct {
        uint64_t seconds, nanoseconds;
    } times = {(uint64_t)st->st_mtim.tv_sec, (uint64_t)st->st_mtim.tv_nsec};
    bool is_whole = false;

    hg_sha256_update(hash, entry->fts_path + root_length,
                     strlen(entry->fts_path + root_length) + 1);
    hg_sha256_update(hash, &facts, sizeof(facts));
    if (entry->fts_info == FTS_SL)
        is_whole = add_target(hash, entry->fts_accpath);
    else if (bytes_before + (uint64_t)st->st_size <= READ_BYTES_MAX)
        is_whole = add_content(hash, entry->fts_accpath);
    if (!is_whole)
        hg_sha256_update(hash, &times, sizeof(times));
}

/* Often the data directory stands in the folder of the template, which is the code's too. */
static bool is_skipped(FTS *tree, FTSENT *entry, const char *except)
{
    if (!except || entry->fts_info != FTS_D || strcmp(entry->fts_path, except) != 0)
        return false;
    (void)fts_set(tree, entry, FTS_SKIP);
    return true;
}

enum hg_rc tree_hash(struct hg_arena *arena, const char *dir, const char *except,
                     struct hg_package *package, struct hg_error *err)
{
    struct hg_sha256 *hash = hg_sha256_new();
    FTS *tree = open_tree(dir, by_name);
    unsigned char digest[HG_SHA256_LEN];
    struct hg_buf text;
    FTSENT *entry;
    size_t files = 0;

    while (tree && files < HASHED_FILES_MAX && (entry = fts_read(tree))) {
        if (is_skipped(tree, entry, except) ||
            (entry->fts_info != FTS_F && entry->fts_info != FTS_SL))
            continue;
        add_file(hash, entry, strlen(dir), package->size);
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

uint64_t package_unpacked_size(const char *dir)
{
    FTS *tree = open_tree(dir, NULL);
    uint64_t size = 0;
    FTSENT *entry;

    while (tree && (entry = fts_read(tree)))
        if (entry->fts_info == FTS_F)
            size += (uint64_t)entry->fts_statp->st_size;
    if (tree)
        (void)fts_close(tree);
    return size;
}

static int copy_bytes(int from, int to)
{
    for (;;) {
        ssize_t copied = copy_file_range(from, NULL, to, NULL, COPY_BYTES, 0);

        if (copied < 0 && (errno == EXDEV || errno == EINVAL || errno == ENOSYS))
            copied = sendfile(to, from, NULL, COPY_BYTES);
        if (copied <= 0)
            return (int)copied;
    }
}

static int copy_file(const FTSENT *entry, int to_fd, const char *name)
{
    int from = open(entry->fts_accpath, O_RDONLY | O_CLOEXEC), to, rc;

    if (from < 0)
        return -1;
    to = openat(to_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                0644 | (entry->fts_statp->st_mode & 0111));
    rc = to < 0 ? -1 : copy_bytes(from, to);
    (void)close(from);
    return to < 0 || close(to) != 0 ? -1 : rc;
}

static int copy_link(const FTSENT *entry, int to_fd, const char *name)
{
    char target[PATH_MAX];
    ssize_t length = readlink(entry->fts_accpath, target, sizeof(target) - 1);

    if (length < 0)
        return -1;
    target[length] = '\0';
    return symlinkat(target, to_fd, name);
}

/* Sockets, pipes and devices are no code. */
static int copy_entry(const FTSENT *entry, int to_fd, const char *name)
{
    switch (entry->fts_info) {
    case FTS_D:
        return mkdirat(to_fd, name, 0755);
    case FTS_F:
        return copy_file(entry, to_fd, name);
    case FTS_SL:
    case FTS_SLNONE:
        return copy_link(entry, to_fd, name);
    case FTS_DNR:
    case FTS_ERR:
    case FTS_NS:
        errno = entry->fts_errno;
        return -1;
    default:
        return 0;
    }
}

enum hg_rc tree_copy(const char *dir, const char *except, int to_fd, struct hg_error *err)
{
    FTS *tree = open_tree(dir, NULL);
    size_t root_length = strlen(dir);
    enum hg_rc rc = HG_OK;
    uint64_t size = 0;
    FTSENT *entry;

    if (!tree)
        return hg_error_set(err, HG_E_IO, "cannot read the folder %s: %s", dir, strerror(errno));
    while (rc == HG_OK && (entry = fts_read(tree))) {
        if (entry->fts_level == 0 || is_skipped(tree, entry, except))
            continue;
        size += entry->fts_info == FTS_F ? (uint64_t)entry->fts_statp->st_size : 0;
        if (size > HG_PACKAGE_BYTES_MAX)
            rc = hg_error_set(err, HG_E_TOO_LARGE, "%s is larger than %d bytes", dir,
                              HG_PACKAGE_BYTES_MAX);
        else if (copy_entry(entry, to_fd, entry->fts_path + root_length + 1) != 0)
            rc = hg_error_set(err, HG_E_IO, "cannot copy %s: %s", entry->fts_path, strerror(errno));
    }
    (void)fts_close(tree);
    return rc;
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
