/*
 * Archives, which nobody trusts: every entry's name, kind and size is checked,
 * files are written through descriptors that follow no links, and links come
 * last, when there is nothing left to write through them.
 */
#include "config/package_parts.h"

#include "core/crash_point.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zip.h>

enum { PIECE = 1 << 16, LINK_MAX_LENGTH = 1024 };

enum entry_kind { ENTRY_FILE, ENTRY_DIR, ENTRY_LINK };

struct entry {
    zip_uint64_t index;
    struct hg_str name; /* without a slash at the end */
    enum entry_kind kind;
    mode_t mode;
};

struct archive {
    zip_t *zip;
    const char *name; /* for sentences */
    uint64_t written;
    unsigned folders; /* made for the entries in them: a name may bring about a thousand */
    char *piece;
    struct hg_error *err;
};

static enum hg_rc refuse(struct archive *archive, const struct entry *entry, const char *why)
{
    return hg_error_set(archive->err, HG_E_INVALID, "%s: the entry '%.*s' %s", archive->name,
                        (int)HG_MIN(entry->name.n, 200), entry->name.p, why);
}

/* What another entry of the archive brought about is the archive's fault, all else the machine's. */
static enum hg_rc refuse_io(struct archive *archive, const struct entry *entry)
{
    if (errno == EEXIST || errno == ENOTDIR || errno == EISDIR || errno == ELOOP ||
        errno == ENAMETOOLONG)
        return refuse(archive, entry, "stands twice in the archive, or beside itself as a folder");
    if (errno == E2BIG)
        return hg_error_set(archive->err, HG_E_TOO_LARGE, "%s has more than %d folders",
                            archive->name, HG_PACKAGE_ENTRIES_MAX);
    return hg_error_set(archive->err, HG_E_IO, "%s: cannot write '%.*s': %s", archive->name,
                        (int)HG_MIN(entry->name.n, 200), entry->name.p, strerror(errno));
}

static enum hg_rc check_name(struct archive *archive, const struct entry *entry)
{
    struct hg_str rest = entry->name, part;

    if (!rest.n || rest.n > HG_PACKAGE_NAME_MAX)
        return refuse(archive, entry, "has an empty or very long name");
    if (rest.p[0] == '/')
        return refuse(archive, entry, "has an absolute name");
    while (hg_str_next(&rest, '/', &part)) {
        if (hg_str_is(part, "..") || hg_str_starts(part, HG_STR("..\\")) ||
            hg_str_find_str(part, HG_STR("\\..")) >= 0)
            return refuse(archive, entry, "leads out of the folder");
        if (part.n > 255)
            return refuse(archive, entry, "has a name with more than 255 bytes between slashes");
    }
    return HG_OK;
}

/* Kind and mode as a Unix zip tells them; other systems' archives have plain files only. */
static enum hg_rc read_kind(struct archive *archive, struct entry *entry, bool is_dir_name)
{
    zip_uint32_t attributes = 0;
    zip_uint8_t system = 0;
    mode_t mode;

    entry->kind = is_dir_name ? ENTRY_DIR : ENTRY_FILE;
    entry->mode = 0644;
    (void)zip_file_get_external_attributes(archive->zip, entry->index, 0, &system, &attributes);
    mode = attributes >> 16;
    if ((system != ZIP_OPSYS_UNIX && system != ZIP_OPSYS_OS_X) || !mode)
        return HG_OK;
    entry->mode = 0644 | (mode & 0111);
    if (S_ISLNK(mode))
        entry->kind = ENTRY_LINK;
    else if (S_ISDIR(mode))
        entry->kind = ENTRY_DIR;
    else if ((mode & S_IFMT) && !S_ISREG(mode))
        return refuse(archive, entry, "is neither file nor folder nor link");
    return HG_OK;
}

static enum hg_rc read_entry(struct archive *archive, zip_uint64_t index, struct entry *entry)
{
    const char *name = zip_get_name(archive->zip, index, 0);
    bool is_dir_name = false;
    enum hg_rc rc;

    *entry = (struct entry){.index = index, .name = hg_str_of(name)};
    if (!name)
        return hg_error_set(archive->err, HG_E_INVALID, "%s: entry %llu has no readable name",
                            archive->name, (unsigned long long)index);
    while (entry->name.n > 1 && entry->name.p[entry->name.n - 1] == '/') {
        entry->name.n--;
        is_dir_name = true;
    }
    rc = check_name(archive, entry);
    return rc == HG_OK ? read_kind(archive, entry, is_dir_name) : rc;
}

static zip_file_t *open_entry(struct archive *archive, const struct entry *entry, enum hg_rc *rc)
{
    zip_file_t *file = zip_fopen_index(archive->zip, entry->index, 0);

    *rc = HG_OK;
    if (!file)
        *rc = hg_error_set(archive->err, HG_E_INVALID, "%s: cannot read '%.*s': %s", archive->name,
                           (int)HG_MIN(entry->name.n, 200), entry->name.p,
                           zip_strerror(archive->zip));
    return file;
}

/*
 * Counts the bytes that really come out, not the ones an archive claims. out_fd
 * is -1 to read without writing.
 */
static enum hg_rc copy_entry(struct archive *archive, const struct entry *entry, int out_fd)
{
    enum hg_rc rc;
    zip_file_t *file = open_entry(archive, entry, &rc);
    zip_int64_t got = 0;

    while (rc == HG_OK && (got = zip_fread(file, archive->piece, PIECE)) > 0) {
        archive->written += (uint64_t)got;
        if (archive->written > HG_PACKAGE_BYTES_MAX)
            rc = hg_error_set(archive->err, HG_E_TOO_LARGE,
                              "%s is larger than %d bytes when unpacked", archive->name,
                              HG_PACKAGE_BYTES_MAX);
        else if (out_fd >= 0 && write(out_fd, archive->piece, (size_t)got) != (ssize_t)got)
            rc = refuse_io(archive, entry);
    }
    if (rc == HG_OK && got < 0)
        rc = refuse(archive, entry, "is damaged");
    if (file && zip_fclose(file) != 0 && rc == HG_OK)
        rc = refuse(archive, entry, "is damaged");
    return rc;
}

/*
 * Parents are real folders, so ".." at the front of a target climbs as the text
 * says; after a name it could climb out of wherever another link leads.
 */
static enum hg_rc check_target(struct archive *archive, const struct entry *entry,
                               struct hg_str target)
{
    struct hg_str rest = entry->name, part;
    size_t depth = 0;
    bool has_descended = false;

    while (hg_str_next(&rest, '/', &part))
        depth += part.n && !hg_str_is(part, ".");
    depth--;
    if (!target.n || target.p[0] == '/' || memchr(target.p, '\0', target.n))
        return refuse(archive, entry, "is a link with an empty or absolute target");
    while (hg_str_next(&target, '/', &part)) {
        if (!part.n || hg_str_is(part, "."))
            continue;
        if (!hg_str_is(part, ".."))
            has_descended = true;
        else if (has_descended || depth-- == 0)
            return refuse(archive, entry, "is a link that may lead out of the folder");
    }
    return HG_OK;
}

static enum hg_rc read_target(struct archive *archive, const struct entry *entry,
                              char target[LINK_MAX_LENGTH + 1])
{
    enum hg_rc rc;
    zip_file_t *file = open_entry(archive, entry, &rc);
    zip_int64_t got;

    if (!file)
        return rc;
    got = zip_fread(file, target, LINK_MAX_LENGTH + 1);
    (void)zip_fclose(file);
    if (got < 0 || got > LINK_MAX_LENGTH)
        return refuse(archive, entry, "is a link that is damaged or too long");
    target[got] = '\0';
    return check_target(archive, entry, hg_str_n(target, (size_t)got));
}

/* The folder `name` in dir_fd, made when it is not there; -1 with errno set. */
static int open_folder(struct archive *archive, int dir_fd, const char *name)
{
    if (mkdirat(dir_fd, name, 0755) == 0) {
        if (++archive->folders > HG_PACKAGE_ENTRIES_MAX) {
            errno = E2BIG;
            return -1;
        }
    } else if (errno != EEXIST) {
        return -1;
    }
    return openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Opens the folder that holds the entry, making folders on the way; *last is the name inside it. -1 with errno set. */
static int open_parent(struct archive *archive, int root_fd, struct hg_str name,
                       char last[NAME_MAX + 1])
{
    struct hg_str rest = name, part;
    int dir_fd = openat(root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), next, why;
    bool has_part = false;

    while (dir_fd >= 0 && hg_str_next(&rest, '/', &part)) {
        if (!part.n || hg_str_is(part, "."))
            continue;
        if (has_part) {
            next = open_folder(archive, dir_fd, last);
            why = errno;
            (void)close(dir_fd);
            errno = why;
            dir_fd = next;
        }
        memcpy(last, part.p, part.n);
        last[part.n] = '\0';
        has_part = true;
    }
    if (dir_fd >= 0 && !has_part) {
        (void)close(dir_fd);
        errno = EINVAL;
        return -1;
    }
    return dir_fd;
}

static enum hg_rc write_entry(struct archive *archive, const struct entry *entry, int dir_fd,
                              const char *last)
{
    enum hg_rc rc;
    int fd;

    if (entry->kind == ENTRY_LINK) {
        char target[LINK_MAX_LENGTH + 1];

        rc = read_target(archive, entry, target);
        return rc == HG_OK && symlinkat(target, dir_fd, last) != 0 ? refuse_io(archive, entry) : rc;
    }
    if (entry->kind == ENTRY_DIR)
        return mkdirat(dir_fd, last, 0755) == 0 || errno == EEXIST ? HG_OK
                                                                   : refuse_io(archive, entry);
    fd = openat(dir_fd, last, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, entry->mode);
    if (fd < 0)
        return refuse_io(archive, entry);
    rc = copy_entry(archive, entry, fd);
    if (close(fd) != 0 && rc == HG_OK)
        rc = refuse_io(archive, entry);
    return rc;
}

/* root_fd is -1 to check only. */
static enum hg_rc take_entry(struct archive *archive, const struct entry *entry, int root_fd)
{
    char last[NAME_MAX + 1], target[LINK_MAX_LENGTH + 1];
    enum hg_rc rc;
    int dir_fd;

    if (root_fd < 0) {
        if (entry->kind == ENTRY_LINK)
            return read_target(archive, entry, target);
        return entry->kind == ENTRY_FILE ? copy_entry(archive, entry, -1) : HG_OK;
    }
    dir_fd = open_parent(archive, root_fd, entry->name, last);
    if (dir_fd < 0 && errno == EINVAL)
        return entry->kind == ENTRY_DIR ? HG_OK : refuse(archive, entry, "has no name");
    if (dir_fd < 0)
        return refuse_io(archive, entry);
    rc = write_entry(archive, entry, dir_fd, last);
    (void)close(dir_fd);
    return rc;
}

static enum hg_rc take_all(struct archive *archive, int root_fd)
{
    zip_int64_t count = zip_get_num_entries(archive->zip, 0);
    enum hg_rc rc = HG_OK;

    if (count > HG_PACKAGE_ENTRIES_MAX)
        return hg_error_set(archive->err, HG_E_TOO_LARGE, "%s has more than %d entries",
                            archive->name, HG_PACKAGE_ENTRIES_MAX);
    for (int pass = 0; pass < 2; pass++)
        for (zip_int64_t i = 0; i < count && rc == HG_OK; i++) {
            struct entry entry;

            rc = read_entry(archive, (zip_uint64_t)i, &entry);
            if (rc == HG_OK && (entry.kind == ENTRY_LINK) == (pass == 1))
                rc = take_entry(archive, &entry, root_fd);
            if (root_fd >= 0)
                hg_crash_point("package-mid-unpack");
        }
    return rc;
}

static enum hg_rc take_archive(const char *path, const char *name, int root_fd,
                               struct hg_error *err)
{
    struct archive archive = {.name = name, .err = err};
    enum hg_rc rc;
    int code = 0;

    archive.zip = zip_open(path, ZIP_RDONLY, &code);
    if (!archive.zip) {
        zip_error_t why;

        zip_error_init_with_code(&why, code);
        rc = hg_error_set(err, HG_E_INVALID, "%s is not a usable zip file: %s", name,
                          zip_error_strerror(&why));
        zip_error_fini(&why);
        return rc;
    }
    archive.piece = hg_malloc(PIECE);
    rc = take_all(&archive, root_fd);
    free(archive.piece);
    zip_discard(archive.zip);
    return rc;
}

enum hg_rc zip_check(const char *path, struct hg_error *err)
{
    return take_archive(path, path, -1, err);
}

enum hg_rc zip_unpack(const char *path, const char *name, int dir_fd, struct hg_error *err)
{
    return take_archive(path, name, dir_fd, err);
}
