/*
 * Finds the kind of a code source and brings it into a folder. Folders below
 * <data_dir>/code are named by the hash of what they hold and come into being
 * by one rename, so they are whole or absent.
 */
#include "config/package_parts.h"

#include "core/crypto.h"
#include "core/id.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    HEX_LEN = HG_SHA256_LEN * 2,
    ARCHIVE_MAX = HG_PACKAGE_BYTES_MAX,
    EMPTY_ARCHIVE_LEN = 22, /* an end record and nothing before it */
};

/* A folder that is being filled, and the name it gets when it is whole. */
struct staging {
    char *code_dir, *work, *final;
    int fd;
};

static void to_hex(const unsigned char digest[HG_SHA256_LEN], char out[HEX_LEN + 1])
{
    for (size_t i = 0; i < HG_SHA256_LEN; i++)
        (void)snprintf(out + i * 2, 3, "%02x", digest[i]);
}

static struct hg_str to_base64(struct hg_arena *arena, const unsigned char digest[HG_SHA256_LEN])
{
    struct hg_buf buf;
    struct hg_str text;

    hg_buf_init(&buf, 64);
    (void)hg_base64_encode(&buf, hg_str_n((const char *)digest, HG_SHA256_LEN));
    text = hg_arena_str(arena, hg_buf_str(&buf));
    hg_buf_fini(&buf);
    return text;
}

static enum hg_rc make_dir(const char *path, struct hg_error *err)
{
    if (mkdir(path, 0755) == 0 || errno == EEXIST)
        return HG_OK;
    return hg_error_set(err, HG_E_IO, "cannot make the folder %s: %s", path, strerror(errno));
}

static enum hg_rc staging_begin(struct hg_arena *arena, const char *data_dir, const char *hex,
                                struct staging *staging, struct hg_error *err)
{
    char id[17];
    enum hg_rc rc;

    hg_hex_id(id, 16);
    staging->code_dir = hg_arena_printf(arena, "%s/code", data_dir);
    staging->work = hg_arena_printf(arena, "%s/.new-%s", staging->code_dir, id);
    staging->final = hg_arena_printf(arena, "%s/%s", staging->code_dir, hex);
    rc = make_dir(staging->code_dir, err);
    if (rc == HG_OK)
        rc = make_dir(staging->work, err);
    if (rc != HG_OK)
        return rc;
    staging->fd = open(staging->work, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (staging->fd < 0)
        return hg_error_set(err, HG_E_IO, "cannot open %s: %s", staging->work, strerror(errno));
    return HG_OK;
}

/* What was renamed in it stays renamed. */
static enum hg_rc sync_dir(const char *path, struct hg_error *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum hg_rc rc = HG_OK;

    if (fd < 0 || fsync(fd) != 0)
        rc = hg_error_set(err, HG_E_IO, "cannot write to %s: %s", path, strerror(errno));
    if (fd >= 0)
        (void)close(fd);
    return rc;
}

/* Gives the folder its name, or removes it when rc says that it is not whole. */
static enum hg_rc staging_end(struct staging *staging, enum hg_rc rc, struct hg_error *err)
{
    /* Without this, a power cut could leave a folder that looks whole and holds empty files. */
    if (rc == HG_OK && syncfs(staging->fd) != 0)
        rc = hg_error_set(err, HG_E_IO, "cannot write to %s: %s", staging->code_dir,
                          strerror(errno));
    (void)close(staging->fd);
    if (rc == HG_OK && rename(staging->work, staging->final) == 0)
        return sync_dir(staging->code_dir, err);
    /* Somebody else made the same folder meanwhile: as good. */
    if (rc == HG_OK && errno != EEXIST && errno != ENOTEMPTY)
        rc = hg_error_set(err, HG_E_IO, "cannot make %s: %s", staging->final, strerror(errno));
    tree_remove(staging->work);
    return rc;
}

static bool is_dir(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static enum hg_rc hash_file(const char *path, unsigned char digest[HG_SHA256_LEN], uint64_t *size,
                            struct hg_error *err)
{
    enum { PIECE = 1 << 16 };
    struct hg_sha256 *hash = hg_sha256_new();
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *piece = hg_malloc(PIECE);
    ssize_t got = 0;

    *size = 0;
    while (fd >= 0 && ((got = read(fd, piece, PIECE)) > 0 || (got < 0 && errno == EINTR))) {
        if (got < 0)
            continue;
        hg_sha256_update(hash, piece, (size_t)got);
        *size += (uint64_t)got;
    }
    hg_sha256_final(hash, digest);
    free(piece);
    if (fd < 0 || got < 0) {
        enum hg_rc rc = hg_error_set(err, HG_E_IO, "cannot read %s: %s", path, strerror(errno));

        if (fd >= 0)
            (void)close(fd);
        return rc;
    }
    (void)close(fd);
    return HG_OK;
}

static enum hg_rc open_archive(struct hg_arena *arena, const char *path, const char *data_dir,
                               bool is_check_only, struct hg_package *package, struct hg_error *err)
{
    unsigned char digest[HG_SHA256_LEN];
    struct staging staging;
    char hex[HEX_LEN + 1];
    const char *final;
    enum hg_rc rc = hash_file(path, digest, &package->size, err);

    if (rc != HG_OK)
        return rc;
    to_hex(digest, hex);
    package->sha256 = to_base64(arena, digest);
    package->zip = hg_arena_str(arena, hg_str_of(path));
    final = hg_arena_printf(arena, "%s/code/%s", data_dir ? data_dir : "", hex);
    package->dir = hg_str_of(final);
    if (data_dir && is_dir(final))
        return HG_OK;
    if (is_check_only) {
        package->dir = HG_STR("");
        return zip_check(path, err);
    }
    hg_assert(data_dir != NULL);
    rc = staging_begin(arena, data_dir, hex, &staging, err);
    return rc == HG_OK ? staging_end(&staging, zip_unpack(path, path, staging.fd, err), err) : rc;
}

static bool has_suffix(const char *path, const char *suffix)
{
    size_t n = strlen(path), m = strlen(suffix);

    return n > m && hg_str_is_nocase(hg_str_of(path + n - m), suffix);
}

enum hg_rc package_open(struct hg_arena *arena, const char *path, const char *data_dir,
                        bool is_check_only, struct hg_package *package, struct hg_error *err)
{
    char *real = realpath(path, NULL);
    enum hg_rc rc;
    struct stat st;

    *package = (struct hg_package){.dir = HG_STR(""), .zip = HG_STR(""), .sha256 = HG_STR("")};
    if (!real || stat(real, &st) != 0) {
        rc = errno == ENOENT || errno == ENOTDIR
                 ? hg_error_set(err, HG_E_NOT_FOUND, "there is no file or folder %s", path)
                 : hg_error_set(err, HG_E_IO, "cannot open %s: %s", path, strerror(errno));
    } else if (S_ISDIR(st.st_mode)) {
        package->dir = hg_arena_str(arena, hg_str_of(real));
        rc = tree_hash(arena, real, data_dir, package, err);
    } else if (!S_ISREG(st.st_mode) || !(has_suffix(real, ".zip") || has_suffix(real, ".jar"))) {
        rc =
            hg_error_set(err, HG_E_INVALID, "%s is neither a folder nor a .zip or .jar file", path);
    } else if (st.st_size > ARCHIVE_MAX) {
        rc = hg_error_set(err, HG_E_TOO_LARGE, "%s is larger than %d bytes", path, ARCHIVE_MAX);
    } else {
        rc = open_archive(arena, real, data_dir, is_check_only, package, err);
    }
    free(real);
    return rc;
}

static enum hg_rc write_file(int dir_fd, const char *name, struct hg_str text, struct hg_error *err)
{
    int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    enum hg_rc rc = HG_OK;

    while (fd >= 0 && text.n) {
        ssize_t n = write(fd, text.p, text.n);

        if (n < 0 && errno != EINTR)
            break;
        text = hg_str_skip(text, n > 0 ? (size_t)n : 0);
    }
    if (fd < 0 || text.n)
        rc = hg_error_set(err, HG_E_IO, "cannot write %s: %s", name, strerror(errno));
    if (fd >= 0 && close(fd) != 0 && rc == HG_OK)
        rc = hg_error_set(err, HG_E_IO, "cannot write %s: %s", name, strerror(errno));
    return rc;
}

enum hg_rc package_inline(struct hg_arena *arena, struct hg_str runtime, struct hg_str text,
                          const char *data_dir, bool is_check_only, struct hg_package *package,
                          struct hg_error *err)
{
    bool is_python = hg_str_starts(runtime, HG_STR("python"));
    const char *name = is_python ? "index.py" : "index.js";
    unsigned char digest[HG_SHA256_LEN];
    struct staging staging;
    struct hg_sha256 *hash;
    char hex[HEX_LEN + 1];
    enum hg_rc rc;

    if (!is_python && !hg_str_starts(runtime, HG_STR("nodejs")))
        return hg_error_set(err, HG_E_INVALID,
                            "code in the template is for python and nodejs runtimes only, not %.*s",
                            HG_STR_ARG(runtime));
    hg_sha256(text, digest);
    *package = (struct hg_package){
        .dir = HG_STR(""), .zip = HG_STR(""), .sha256 = to_base64(arena, digest), .size = text.n};
    if (is_check_only)
        return HG_OK;
    /* The same text under another name is another folder. */
    hash = hg_sha256_new();
    hg_sha256_update(hash, name, strlen(name) + 1);
    hg_sha256_update(hash, text.p, text.n);
    hg_sha256_final(hash, digest);
    to_hex(digest, hex);
    package->dir = hg_str_of(hg_arena_printf(arena, "%s/code/%s", data_dir, hex));
    if (is_dir(package->dir.p))
        return HG_OK;
    rc = staging_begin(arena, data_dir, hex, &staging, err);
    return rc == HG_OK ? staging_end(&staging, write_file(staging.fd, name, text, err), err) : rc;
}

static bool is_file(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/*
 * The archive first stands beside the folder that it is unpacked into, both under names that nobody looks for. The folder gets its
 * name last: where it is, the archive is too.
 */
static enum hg_rc unpack_bytes(struct hg_arena *arena, struct hg_str bytes, const char *zip,
                               struct staging *staging, struct hg_error *err)
{
    const char *work = hg_arena_printf(arena, "%s.zip", staging->work);
    enum hg_rc rc = write_file(AT_FDCWD, work, bytes, err);

    if (rc == HG_OK)
        rc = zip_unpack(work, "the archive", staging->fd, err);
    if (rc == HG_OK && rename(work, zip) != 0)
        rc = hg_error_set(err, HG_E_IO, "cannot make %s: %s", zip, strerror(errno));
    if (rc != HG_OK)
        (void)unlink(work);
    return rc;
}

enum hg_rc package_store_zip(struct hg_arena *arena, const char *data_dir, struct hg_str bytes,
                             struct hg_package *package, struct hg_error *err)
{
    unsigned char digest[HG_SHA256_LEN];
    struct staging staging;
    char hex[HEX_LEN + 1];
    enum hg_rc rc;

    if (bytes.n <= EMPTY_ARCHIVE_LEN)
        return hg_error_set(err, HG_E_INVALID, "the archive is empty");
    hg_sha256(bytes, digest);
    to_hex(digest, hex);
    package->sha256 = to_base64(arena, digest);
    package->size = bytes.n;
    package->dir = hg_str_of(hg_arena_printf(arena, "%s/code/%s", data_dir, hex));
    package->zip = hg_str_of(hg_arena_printf(arena, "%s/code/%s.zip", data_dir, hex));
    if (is_dir(package->dir.p) && is_file(package->zip.p))
        return HG_OK;
    rc = staging_begin(arena, data_dir, hex, &staging, err);
    if (rc != HG_OK)
        return rc;
    rc = unpack_bytes(arena, bytes, package->zip.p, &staging, err);
    return staging_end(&staging, rc, err);
}

enum hg_rc package_freeze(struct hg_arena *arena, const char *data_dir, struct hg_package *package,
                          struct hg_error *err)
{
    struct hg_str store = hg_str_of(hg_arena_printf(arena, "%s/code/", data_dir));
    struct hg_sha256 *hash;
    unsigned char digest[HG_SHA256_LEN];
    struct staging staging;
    char hex[HEX_LEN + 1];
    const char *from;
    enum hg_rc rc;

    if (!package->dir.n || hg_str_starts(package->dir, store))
        return HG_OK;
    from = hg_arena_strdup(arena, package->dir);
    hash = hg_sha256_new();
    hg_sha256_update(hash, from, package->dir.n + 1);
    hg_sha256_update(hash, package->sha256.p, package->sha256.n);
    hg_sha256_final(hash, digest);
    to_hex(digest, hex);
    package->dir = hg_str_of(hg_arena_printf(arena, "%s/code/%s", data_dir, hex));
    if (is_dir(package->dir.p))
        return HG_OK;
    rc = staging_begin(arena, data_dir, hex, &staging, err);
    return rc == HG_OK ? staging_end(&staging, tree_copy(from, data_dir, staging.fd, err), err)
                       : rc;
}

enum hg_rc package_restore(struct hg_arena *arena, const char *data_dir, struct hg_str dir,
                           struct hg_str zip, struct hg_error *err)
{
    const char *path = hg_arena_strdup(arena, zip);
    struct hg_package package;
    enum hg_rc rc = package_open(arena, path, data_dir, false, &package, err);

    if (rc == HG_OK && !hg_str_eq(package.dir, dir))
        rc = hg_error_set(err, HG_E_INVALID, "%s has another content than it had", path);
    return rc;
}
