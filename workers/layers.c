/*
 * Merging by hard links; across file systems by copies. The folder is built
 * beside its final place and renamed. Its name comes from the layers' paths and
 * their times of change, so a layer that is edited in place is merged anew.
 */
#include "workers/layers.h"

#include "core/crypto.h"
#include "core/id.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    DEPTH_MAX = 128,
    HASH_DIGITS = 16,
    COPY_BYTES = 1 << 30,
};

static int copy_file(int from_dir, int to_dir, const char *name, const struct stat *st)
{
    int from = openat(from_dir, name, O_RDONLY | O_CLOEXEC), to, rc = 0;
    off_t left = st->st_size;

    if (from < 0)
        return -1;
    to = openat(to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, st->st_mode & 0777);
    while (to >= 0 && rc == 0 && left > 0) {
        ssize_t sent = sendfile(to, from, NULL, (size_t)HG_MIN(left, (off_t)COPY_BYTES));

        if (sent <= 0)
            rc = -1;
        else
            left -= sent;
    }
    (void)close(from);
    return to < 0 || close(to) != 0 ? -1 : rc;
}

static int copy_link(int from_dir, int to_dir, const char *name)
{
    char target[HG_PATH_MAX];
    ssize_t length = readlinkat(from_dir, name, target, sizeof(target) - 1);

    if (length < 0)
        return -1;
    target[length] = '\0';
    return symlinkat(target, to_dir, name);
}

static int merge_dir(int from_dir, int to_dir, unsigned depth);

static int merge_subdir(int from_dir, int to_dir, const char *name, unsigned depth)
{
    int from, to, rc;

    if (mkdirat(to_dir, name, 0755) != 0) {
        struct stat there;

        if (errno != EEXIST || fstatat(to_dir, name, &there, AT_SYMLINK_NOFOLLOW) != 0)
            return -1;
        /* A folder takes the place of a file of an earlier layer. */
        if (!S_ISDIR(there.st_mode) &&
            (unlinkat(to_dir, name, 0) != 0 || mkdirat(to_dir, name, 0755) != 0))
            return -1;
    }
    from = openat(from_dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    to = openat(to_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    rc = from < 0 || to < 0 ? -1 : merge_dir(from, to, depth + 1);
    if (from >= 0 && rc == -1 && to < 0)
        (void)close(from);
    if (to >= 0)
        (void)close(to);
    return rc;
}

static int merge_entry(int from_dir, int to_dir, const char *name, unsigned depth)
{
    struct stat st;

    if (fstatat(from_dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return -1;
    if (S_ISDIR(st.st_mode))
        return merge_subdir(from_dir, to_dir, name, depth);
    if (unlinkat(to_dir, name, 0) != 0 && errno == EISDIR) {
        errno =
            ENOTEMPTY; /* a file over an earlier layer's folder: refused rather than guessed at */
        return -1;
    }
    if (S_ISLNK(st.st_mode))
        return copy_link(from_dir, to_dir, name);
    if (!S_ISREG(st.st_mode))
        return 0;
    if (linkat(from_dir, name, to_dir, name, 0) == 0)
        return 0;
    return copy_file(from_dir, to_dir, name, &st);
}

/* Takes from_dir. */
static int merge_dir(int from_dir, int to_dir, unsigned depth)
{
    DIR *dir = depth < DEPTH_MAX ? fdopendir(from_dir) : NULL;
    int rc = 0;

    if (!dir) {
        (void)close(from_dir);
        errno = ELOOP;
        return -1;
    }
    for (struct dirent *entry = readdir(dir); entry && rc == 0; entry = readdir(dir)) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            rc = merge_entry(dirfd(dir), to_dir, entry->d_name, depth);
    }
    (void)closedir(dir);
    return rc;
}

static enum hg_rc merge_all(const char *draft, const struct hg_str *dirs, size_t count,
                            struct hg_error *err)
{
    if (files_make_dirs(draft, 0755) != 0)
        return hg_error_set(err, HG_E_IO, "cannot make %s: %s", draft, strerror(errno));
    for (size_t i = 0; i < count; i++) {
        char path[HG_PATH_MAX];
        int from, to, rc = -1;

        (void)files_path(path, sizeof(path), "%.*s", HG_STR_ARG(dirs[i]));
        from = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        to = open(draft, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (from >= 0 && to >= 0)
            rc = merge_dir(from, to, 0);
        else if (from >= 0)
            (void)close(from);
        if (to >= 0)
            (void)close(to);
        if (rc != 0)
            return hg_error_set(err, HG_E_IO, "cannot merge layer %s: %s", path, strerror(errno));
    }
    return HG_OK;
}

static void final_path(const char *data_dir, const struct hg_str *dirs, size_t count,
                       char out[HG_PATH_MAX])
{
    struct hg_sha256 *hash = hg_sha256_new();
    unsigned char digest[HG_SHA256_LEN];
    char hex[HASH_DIGITS + 1];

    for (size_t i = 0; i < count; i++) {
        char path[HG_PATH_MAX];
        struct stat st = {0};

        (void)files_path(path, sizeof(path), "%.*s", HG_STR_ARG(dirs[i]));
        (void)stat(path, &st);
        hg_sha256_update(hash, path, strlen(path) + 1);
        hg_sha256_update(hash, &st.st_mtim.tv_sec, sizeof(st.st_mtim.tv_sec));
        hg_sha256_update(hash, &st.st_mtim.tv_nsec, sizeof(st.st_mtim.tv_nsec));
    }
    hg_sha256_final(hash, digest);
    for (size_t i = 0; i < HASH_DIGITS / 2; i++)
        (void)snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    (void)files_path(out, HG_PATH_MAX, "%s/layers/%s", data_dir, hex);
}

enum hg_rc layers_merge(const char *data_dir, const struct hg_str *dirs, size_t count,
                        char out[HG_PATH_MAX], struct hg_error *err)
{
    char draft[HG_PATH_MAX + 16], suffix[9];
    enum hg_rc rc;

    out[0] = '\0';
    if (count == 0)
        return HG_OK;
    if (count == 1) {
        (void)files_path(out, HG_PATH_MAX, "%.*s", HG_STR_ARG(dirs[0]));
        return files_is_dir(out)
                   ? HG_OK
                   : hg_error_set(err, HG_E_NOT_FOUND, "layer folder %s is not there", out);
    }
    final_path(data_dir, dirs, count, out);
    if (files_is_dir(out))
        return HG_OK;
    hg_hex_id(suffix, sizeof(suffix) - 1);
    (void)files_path(draft, sizeof(draft), "%s.%s", out, suffix);
    rc = merge_all(draft, dirs, count, err);
    if (rc == HG_OK && rename(draft, out) != 0 && !files_is_dir(out))
        rc = hg_error_set(err, HG_E_IO, "cannot make %s: %s", out, strerror(errno));
    if (rc != HG_OK || files_is_dir(draft))
        files_remove_tree(draft);
    return rc;
}
