/*
 * What a group is besides its lines: group.json, its tags, and which files there are.
 */
#include "core/clock.h"
#include "core/id.h"
#include "core/json_scan.h"
#include "core/json_write.h"
#include "core/log.h"
#include "workers/files.h"
#include "workers/log_group.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { META_MAX = 262144, OLD_FILES_MAX = 5 };

static void write_meta(const struct hg_log_group *group, struct hg_buf *out)
{
    struct hg_json json = hg_json_to(out);

    hg_json_begin_object(&json);
    hg_json_field_cstr(&json, "name", group->name);
    hg_json_field_i64(&json, "created", group->created_ms);
    /* As text: a number of JSON is not sure to keep 64 bits. */
    hg_json_key_lit(&json, "id");
    hg_buf_printf(out, "\"%llu\"", (unsigned long long)group->id);
    json.wants_comma = true;
    hg_json_field_i64(&json, "retentionInDays", group->retention_days);
    if (group->kms_key)
        hg_json_field_cstr(&json, "kmsKeyId", group->kms_key);
    hg_json_field_cstr(&json, "logGroupClass", group->log_class);
    hg_json_key_lit(&json, "tags");
    hg_json_begin_object(&json);
    for (size_t i = 0; i < group->tag_count; i++) {
        hg_json_key(&json, hg_str_of(group->tags[i].key));
        hg_json_cstr(&json, group->tags[i].value);
    }
    hg_json_end_object(&json);
    hg_json_end_object(&json);
}

int log_group_save(const struct hg_log_group *group)
{
    char path[HG_PATH_MAX + 32], next[HG_PATH_MAX + 32];
    struct hg_buf text;
    int rc;

    (void)files_path(path, sizeof(path), "%s/group.json", group->dir);
    (void)files_path(next, sizeof(next), "%s/group.next", group->dir);
    hg_buf_init(&text, META_MAX);
    write_meta(group, &text);
    rc = files_write(next, hg_buf_str(&text).p, text.len, 0600);
    if (rc == 0)
        rc = rename(next, path);
    hg_buf_fini(&text);
    return rc;
}

int log_group_make(struct hg_log_group *group)
{
    if (!group->is_loaded) {
        group->is_loaded = true;
        group->id = hg_random_u64();
        group->created_ms = hg_wall_ms();
        if (!group->log_class)
            group->log_class = hg_strdup("STANDARD");
    }
    if (files_make_dirs(group->dir, 0700) != 0)
        return -1;
    return log_group_save(group);
}

static struct hg_log_tag *find_tag(struct hg_log_group *group, struct hg_str key)
{
    for (size_t i = 0; i < group->tag_count; i++) {
        if (hg_str_is(key, group->tags[i].key))
            return &group->tags[i];
    }
    return NULL;
}

bool log_group_set_tag(struct hg_log_group *group, struct hg_str key, struct hg_str value)
{
    struct hg_log_tag *tag = find_tag(group, key);

    if (!tag) {
        if (group->tag_count == HG_LOG_TAGS_MAX)
            return false;
        tag = &group->tags[group->tag_count++];
        *tag = (struct hg_log_tag){.key = hg_strndup(key.p, key.n)};
    }
    free(tag->value);
    tag->value = hg_strndup(value.p ? value.p : "", value.n);
    return true;
}

void log_group_remove_tag(struct hg_log_group *group, struct hg_str key)
{
    struct hg_log_tag *tag = find_tag(group, key);

    if (!tag)
        return;
    free(tag->key);
    free(tag->value);
    *tag = group->tags[--group->tag_count];
}

/* A text of group.json, malloc'd; NULL when it is none. */
static char *copy_text(struct hg_json_value value)
{
    struct hg_buf text;
    char *copy = NULL;

    if (value.kind != HG_JSON_STRING)
        return NULL;
    hg_buf_init(&text, META_MAX);
    if (hg_json_unescape(value, &text))
        copy = hg_strndup(hg_buf_str(&text).p, text.len);
    hg_buf_fini(&text);
    return copy;
}

static void read_tags(struct hg_log_group *group, struct hg_json_value tags)
{
    struct hg_json_walk walk;
    struct hg_json_value value;
    struct hg_str key;

    if (tags.kind != HG_JSON_OBJECT)
        return;
    walk = hg_json_walk(tags);
    while (hg_json_next_member(&walk, &key, &value)) {
        /* A raw key with its quotes around it is a string. */
        char *name =
            copy_text((struct hg_json_value){HG_JSON_STRING, hg_str_n(key.p - 1, key.n + 2)});
        char *text = copy_text(value);

        if (name && text)
            (void)log_group_set_tag(group, hg_str_of(name), hg_str_of(text));
        free(name);
        free(text);
    }
}

static void read_meta(struct hg_log_group *group, struct hg_str text)
{
    struct hg_json_value document = hg_json_parse(text, NULL), id;
    int64_t number;

    if (document.kind != HG_JSON_OBJECT)
        return;
    if (hg_str_i64(hg_json_member(document, "created").raw, 0, INT64_MAX, &number))
        group->created_ms = number;
    if (hg_str_i64(hg_json_member(document, "retentionInDays").raw, 0, 3653, &number))
        group->retention_days = (int)number;
    id = hg_json_member(document, "id");
    if (id.kind == HG_JSON_STRING)
        (void)hg_str_u64(hg_json_plain(id), UINT64_MAX, &group->id);
    group->kms_key = copy_text(hg_json_member(document, "kmsKeyId"));
    group->log_class = copy_text(hg_json_member(document, "logGroupClass"));
    read_tags(group, hg_json_member(document, "tags"));
}

static int by_base(const void *a, const void *b)
{
    const struct hg_log_file *left = a, *right = b;

    return left->base < right->base ? -1 : left->base > right->base;
}

/* Only the newest are kept; more can be there after a crash in the middle of a change of files. */
static void add_file(struct hg_log_group *group, uint64_t base, uint64_t size)
{
    char path[HG_PATH_MAX + 32];
    uint64_t oldest;

    group->files[group->file_count++] = (struct hg_log_file){base, size};
    qsort(group->files, group->file_count, sizeof(group->files[0]), by_base);
    if (group->file_count <= HG_LOG_FILES_KEPT)
        return;
    oldest = group->files[0].base;
    (void)files_path(path, sizeof(path), "%s/%020llu.log", group->dir, (unsigned long long)oldest);
    (void)unlink(path);
    group->file_count--;
    memmove(group->files, group->files + 1, group->file_count * sizeof(group->files[0]));
}

static void find_files(struct hg_log_group *group)
{
    DIR *dir = opendir(group->dir);

    for (struct dirent *entry = dir ? readdir(dir) : NULL; entry; entry = readdir(dir)) {
        struct hg_str name = hg_str_of(entry->d_name);
        struct stat st;
        uint64_t base;

        if (name.n == 24 && hg_str_ends(name, HG_STR(".log")) &&
            hg_str_u64(hg_str_n(name.p, 20), UINT64_MAX / 2, &base) &&
            fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISREG(st.st_mode))
            add_file(group, base, (uint64_t)st.st_size);
    }
    if (dir)
        (void)closedir(dir);
}

/* current.log.5 … current.log.1, current.log: the oldest first. */
static void take_old_layout(struct hg_log_group *group)
{
    for (int age = OLD_FILES_MAX; age >= 0; age--) {
        char from[HG_PATH_MAX + 32], to[HG_PATH_MAX + 32];
        uint64_t base = log_group_end(group);
        struct stat st;

        if (age)
            (void)files_path(from, sizeof(from), "%s/current.log.%d", group->dir, age);
        else
            (void)files_path(from, sizeof(from), "%s/current.log", group->dir);
        (void)files_path(to, sizeof(to), "%s/%020llu.log", group->dir, (unsigned long long)base);
        if (stat(from, &st) == 0 && st.st_size > 0 && rename(from, to) == 0)
            add_file(group, base, (uint64_t)st.st_size);
    }
}

/* A line that a crash has cut off gets its end. */
static void mend_end(struct hg_log_group *group)
{
    struct hg_log_file *last = group->file_count ? &group->files[group->file_count - 1] : NULL;
    char path[HG_PATH_MAX + 32], end = '\n';
    int fd;

    if (!last || !last->size)
        return;
    (void)files_path(path, sizeof(path), "%s/%020llu.log", group->dir,
                     (unsigned long long)last->base);
    fd = open(path, O_RDWR | O_APPEND | O_CLOEXEC);
    if (fd < 0)
        return;
    if (pread(fd, &end, 1, (off_t)last->size - 1) == 1 && end != '\n' && write(fd, "\n", 1) == 1)
        last->size++;
    (void)close(fd);
}

void log_group_load(struct hg_log_group *group)
{
    char path[HG_PATH_MAX + 32], *text;
    ssize_t length = -1;
    struct stat st;
    int fd;

    if (group->is_loaded)
        return;
    group->is_loaded = true;
    (void)files_path(path, sizeof(path), "%s/group.json", group->dir);
    text = hg_malloc(META_MAX);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        length = read(fd, text, META_MAX);
        if (length > 0)
            read_meta(group, hg_str_n(text, (size_t)length));
        (void)close(fd);
    }
    free(text);
    if (!group->log_class)
        group->log_class = hg_strdup("STANDARD");
    find_files(group);
    take_old_layout(group);
    mend_end(group);
    if (group->id)
        return;
    /* Of the former layout, or its file is lost: it is as old as its folder. */
    group->id = hg_random_u64() | 1;
    group->created_ms =
        stat(group->dir, &st) == 0 ? (int64_t)st.st_mtim.tv_sec * 1000 : hg_wall_ms();
    if (log_group_save(group) != 0)
        hg_warn("log_group_not_saved", "group=%s error=%s", group->name, strerror(errno));
}
