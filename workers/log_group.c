/*
 * A group's files: appending, the change to the next file, reading lines from a position on.
 */
#include "workers/log_group.h"

#include "core/clock.h"
#include "workers/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    CHUNK = 262144,
    CHUNK_MAX = 8 << 20, /* room for the longest line: an event of 1 MiB, escaped */
    DAY_MS = 86400000,
};

struct hg_log_group *log_group_new(struct hg_str name, const char *dir)
{
    struct hg_log_group *group = hg_calloc(1, sizeof(*group));

    group->name = hg_strndup(name.p, name.n);
    group->dir = hg_strdup(dir);
    hg_map_init(&group->streams);
    return group;
}

void log_group_free(struct hg_log_group *group)
{
    if (!group)
        return;
    log_index_drop(group);
    for (size_t i = 0; i < group->tag_count; i++) {
        free(group->tags[i].key);
        free(group->tags[i].value);
    }
    free(group->kms_key);
    free(group->log_class);
    free(group->name);
    free(group->dir);
    free(group);
}

uint64_t log_group_end(const struct hg_log_group *group)
{
    const struct hg_log_file *last =
        group->file_count ? &group->files[group->file_count - 1] : NULL;

    return last ? last->base + last->size : 0;
}

uint64_t log_group_bytes(const struct hg_log_group *group)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < group->file_count; i++)
        sum += group->files[i].size;
    return sum;
}

static void make_path(const struct hg_log_group *group, uint64_t base, char out[HG_PATH_MAX + 32])
{
    (void)files_path(out, HG_PATH_MAX + 32, "%s/%020llu.log", group->dir, (unsigned long long)base);
}

static void remove_oldest(struct hg_log_group *group)
{
    char path[HG_PATH_MAX + 32];

    make_path(group, group->files[0].base, path);
    (void)unlink(path);
    group->file_count--;
    memmove(group->files, group->files + 1, group->file_count * sizeof(group->files[0]));
}

static void begin_file(struct hg_log_group *group)
{
    uint64_t base = log_group_end(group);

    while (group->file_count >= HG_LOG_FILES_KEPT)
        remove_oldest(group);
    group->files[group->file_count++] = (struct hg_log_file){.base = base};
    log_index_trim(group);
}

static int open_last(const struct hg_log_group *group)
{
    char path[HG_PATH_MAX + 32];

    make_path(group, group->files[group->file_count - 1].base, path);
    return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static int write_whole(int fd, struct hg_str bytes)
{
    while (bytes.n) {
        ssize_t wrote = write(fd, bytes.p, bytes.n);

        if (wrote < 0 && errno != EINTR)
            return -1;
        bytes = hg_str_skip(bytes, wrote > 0 ? (size_t)wrote : 0);
    }
    return 0;
}

/* Somebody else may have emptied or removed the file: then its size is what counts. */
static int append(struct hg_log_group *group, int fd, struct hg_str lines)
{
    struct hg_log_file *file = &group->files[group->file_count - 1];
    struct stat st;

    if (fstat(fd, &st) == 0 && file->size != (uint64_t)st.st_size) {
        file->size = (uint64_t)st.st_size;
        log_index_drop(group);
    }
    if (write_whole(fd, lines) == 0) {
        file->size += lines.n;
        return close(fd);
    }
    /* Half a batch is none: readers see whole lines only. */
    if (ftruncate(fd, (off_t)file->size) != 0) {
        (void)close(fd);
        return -1;
    }
    (void)close(fd);
    errno = ENOSPC;
    return -1;
}

int log_group_append(struct hg_log_group *group, struct hg_str lines)
{
    struct hg_log_file *last;
    int fd;

    if (group->file_count == 0)
        begin_file(group);
    last = &group->files[group->file_count - 1];
    if (last->size && last->size + lines.n > HG_LOG_FILE_MAX)
        begin_file(group);
    fd = open_last(group);
    if (fd < 0 && errno == ENOENT && log_group_make(group) == 0)
        fd = open_last(group);
    return fd < 0 ? -1 : append(group, fd, lines);
}

int64_t log_group_oldest_ms(const struct hg_log_group *group, int64_t now_ms)
{
    return group->retention_days ? now_ms - (int64_t)group->retention_days * DAY_MS : 0;
}

void log_group_expire(struct hg_log_group *group, int64_t now_ms)
{
    int64_t oldest_ms = log_group_oldest_ms(group, now_ms);
    char path[HG_PATH_MAX + 32];
    struct stat st;

    while (group->file_count) {
        make_path(group, group->files[0].base, path);
        /* The last write is younger than every event before it. */
        if (stat(path, &st) != 0 || (int64_t)st.st_mtim.tv_sec * 1000 >= oldest_ms)
            break;
        /* The last file's name says where the next one begins. */
        if (group->file_count == 1 && group->files[0].size == 0)
            break;
        if (group->file_count == 1)
            begin_file(group);
        remove_oldest(group);
        if (group->file_count == 1 && group->files[0].size == 0) {
            int fd = open_last(group);

            if (fd >= 0)
                (void)close(fd);
        }
    }
    log_index_trim(group);
}

/* ---- reading ---- */

static const struct hg_log_file *file_at(const struct hg_log_group *group, uint64_t at)
{
    for (size_t i = 0; i < group->file_count; i++) {
        const struct hg_log_file *file = &group->files[i];

        if (at < file->base + file->size)
            return file;
    }
    return NULL;
}

/* Reads from `at` on to the end of a line at least; the bytes are the caller's to free. */
static size_t read_lines(const struct hg_log_group *group, const struct hg_log_file *file,
                         uint64_t at, uint64_t end, char **bytes)
{
    uint64_t left = HG_MIN(end, file->base + file->size) - at;
    char path[HG_PATH_MAX + 32];
    size_t room = CHUNK, used = 0;
    int fd;

    *bytes = NULL;
    make_path(group, file->base, path);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    for (; room <= CHUNK_MAX && !used; room *= 2) {
        size_t want = (size_t)HG_MIN((uint64_t)room, left);
        ssize_t got;
        const char *last;

        *bytes = hg_realloc(*bytes, want ? want : 1);
        got = pread(fd, *bytes, want, (off_t)(at - file->base));
        if (got <= 0)
            break;
        last = memrchr(*bytes, '\n', (size_t)got);
        used = last ? (size_t)(last - *bytes) + 1 : 0;
        if ((uint64_t)got >= left)
            break;
    }
    (void)close(fd);
    return used;
}

static uint64_t give_lines(struct hg_str lines, uint64_t at, hg_log_line_fn fn, void *arg)
{
    struct hg_str text;
    struct hg_log_line line;

    while (hg_str_next(&lines, '\n', &text)) {
        if (log_line_parse(text, &line))
            fn(arg, at, text.n + 1, &line);
        at += text.n + 1;
    }
    return at;
}

void log_group_scan(const struct hg_log_group *group, uint64_t *at, uint64_t end, size_t max_bytes,
                    hg_log_line_fn fn, void *arg)
{
    size_t done = 0;

    while (*at < end && done < max_bytes) {
        const struct hg_log_file *file = file_at(group, *at);
        char *bytes;
        size_t used;

        if (!file) {
            *at = end;
            return;
        }
        *at = HG_MAX(*at, file->base);
        if (*at >= end)
            return;
        used = read_lines(group, file, *at, end, &bytes);
        if (used)
            *at = give_lines(hg_str_n(bytes, used), *at, fn, arg);
        else
            *at = HG_MIN(end, file->base + file->size);
        free(bytes);
        done += used + 1;
    }
}
