/*
 * Which groups there are, and how their folders are called.
 */
#include "workers/log_store.h"

#include "core/clock.h"
#include "core/crypto.h"
#include "core/id.h"
#include "core/json_scan.h"
#include "core/log.h"
#include "workers/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    PLAIN_FOLDER_MAX = 200, /* longer names end in a hash */
    CUT_FOLDER = 180,
    INDEX_SLICE = 8 << 20, /* bytes read before others have their turn */
    INDEX_MAX = 64 << 20,  /* memory of all indexes together, about */
    EXPIRE_INTERVAL_MS = 600000,
    LATE_MS =
        10000, /* lines that are older than a reset and come within this time after it are dropped */
};

struct hg_log_store {
    char *data_dir, *dir;
    struct hg_map groups; /* struct hg_log_group by name */
    struct hg_map links;  /* struct link by function name: those not in /aws/lambda/<name> */
    struct hg_log_group **sorted;
    bool is_sorted;
    uint64_t uses;
    int64_t expired_ms, reset_ms;
};

struct link {
    char *function_name, *group;
};

void log_folder_name(struct hg_str group, char out[HG_LOG_FOLDER_MAX])
{
    size_t at = 0, count = group.n > PLAIN_FOLDER_MAX ? CUT_FOLDER : group.n;

    if (group.n == 0 || group.p[0] != '/')
        out[at++] = '=';
    for (size_t i = 0; i < count; i++)
        out[at++] = group.p[i] == '/' ? '+' : group.p[i];
    if (count < group.n) {
        unsigned char digest[HG_SHA256_LEN];

        hg_sha256(group, digest);
        at += (size_t)snprintf(out + at, HG_LOG_FOLDER_MAX - at,
                               "~%02x%02x%02x%02x%02x%02x%02x%02x", digest[0], digest[1], digest[2],
                               digest[3], digest[4], digest[5], digest[6], digest[7]);
    }
    out[at] = '\0';
}

static struct hg_log_group *add_group(struct hg_log_store *store, struct hg_str name)
{
    char folder[HG_LOG_FOLDER_MAX], dir[HG_PATH_MAX];
    struct hg_log_group *group;

    log_folder_name(name, folder);
    (void)files_path(dir, sizeof(dir), "%s/%s", store->dir, folder);
    group = log_group_new(name, dir);
    (void)hg_map_set(&store->groups, hg_str_of(group->name), group);
    store->is_sorted = false;
    return group;
}

/* A long name stands in the group's own file only. */
static void add_long_name(struct hg_log_store *store, const char *folder)
{
    char path[HG_PATH_MAX + 300], text[8192];
    struct hg_json_value document;
    struct hg_str name;
    ssize_t length;
    int fd;

    (void)files_path(path, sizeof(path), "%s/%s/group.json", store->dir, folder);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    length = read(fd, text, sizeof(text));
    (void)close(fd);
    document = hg_json_parse(hg_str_n(text, length > 0 ? (size_t)length : 0), NULL);
    if (document.kind != HG_JSON_OBJECT)
        return;
    name = hg_json_plain(hg_json_member(document, "name"));
    if (name.n)
        (void)add_group(store, name);
}

static void add_folder(struct hg_log_store *store, const char *folder)
{
    char name[HG_LOG_FOLDER_MAX];
    size_t length = strlen(folder), at = 0;

    if (strchr(folder, '~')) {
        add_long_name(store, folder);
        return;
    }
    for (size_t i = folder[0] == '=' ? 1 : 0; i < length && at + 1 < sizeof(name); i++)
        name[at++] = folder[i] == '+' ? '/' : folder[i];
    if (at)
        (void)add_group(store, hg_str_n(name, at));
}

static void set_link(struct hg_log_store *store, struct hg_str function_name, struct hg_str group)
{
    struct link *link = hg_map_get(&store->links, function_name);

    if (link) {
        free(link->group);
    } else {
        link = hg_calloc(1, sizeof(*link));
        link->function_name = hg_strndup(function_name.p, function_name.n);
        (void)hg_map_set(&store->links, hg_str_of(link->function_name), link);
    }
    link->group = hg_strndup(group.p, group.n);
}

static void drop_link(struct hg_log_store *store, struct hg_str function_name)
{
    struct link *link = hg_map_remove(&store->links, function_name);

    if (!link)
        return;
    free(link->function_name);
    free(link->group);
    free(link);
}

/* Up to the former layout a function's logs lay in a folder with its name. */
static void migrate(struct hg_log_store *store, const char *folder)
{
    char from[HG_PATH_MAX + 300], to[HG_PATH_MAX + 300], current[HG_PATH_MAX + 400];
    char name[300], target[HG_LOG_FOLDER_MAX];
    int length = snprintf(name, sizeof(name), "/aws/lambda/%s", folder);

    if (length < 0 || (size_t)length >= sizeof(name))
        return;
    (void)files_path(from, sizeof(from), "%s/%s", store->dir, folder);
    (void)files_path(current, sizeof(current), "%s/current.log", from);
    log_folder_name(hg_str_of(name), target);
    (void)files_path(to, sizeof(to), "%s/%s", store->dir, target);
    if (access(current, F_OK) == 0 && rename(from, to) == 0)
        (void)add_group(store, hg_str_of(name));
}

static void read_entry(struct hg_log_store *store, const char *entry)
{
    char path[HG_PATH_MAX + 300];

    if (entry[0] == '+' || entry[0] == '=') {
        add_folder(store, entry);
    } else if (entry[0] == '%') {
        /* Where it leads is learnt from the next line: until then any group is another one. */
        set_link(store, hg_str_of(entry + 1), HG_STR(""));
    } else if (entry[0] == '.') {
        (void)files_path(path, sizeof(path), "%s/%s", store->dir, entry);
        if (entry[1] && entry[1] != '.')
            files_remove_tree(path);
    } else {
        migrate(store, entry);
    }
}

/* All names first: migrating makes new ones in the folder. */
static void read_folder(struct hg_log_store *store)
{
    DIR *dir = opendir(store->dir);
    size_t count = 0, room = 0;
    char **names = NULL;

    for (struct dirent *entry = dir ? readdir(dir) : NULL; entry; entry = readdir(dir)) {
        if (count == room) {
            room = room ? 2 * room : 64;
            names = hg_realloc(names, room * sizeof(*names));
        }
        names[count++] = hg_strdup(entry->d_name);
    }
    if (dir)
        (void)closedir(dir);
    for (size_t i = 0; i < count; i++) {
        read_entry(store, names[i]);
        free(names[i]);
    }
    free(names);
}

struct hg_log_store *log_store_new(const char *data_dir)
{
    struct hg_log_store *store = hg_calloc(1, sizeof(*store));
    char path[HG_PATH_MAX];

    (void)files_path(path, sizeof(path), "%s/logs", data_dir);
    store->data_dir = hg_strdup(data_dir);
    store->dir = hg_strdup(path);
    hg_map_init(&store->groups);
    hg_map_init(&store->links);
    read_folder(store);
    return store;
}

static void forget_all(struct hg_log_store *store)
{
    const struct hg_map_entry *entry;

    for (size_t at = 0; (entry = hg_map_next(&store->groups, &at));)
        log_group_free(entry->value);
    hg_map_fini(&store->groups);
    for (size_t at = 0; (entry = hg_map_next(&store->links, &at));) {
        struct link *link = entry->value;

        free(link->function_name);
        free(link->group);
        free(link);
    }
    hg_map_fini(&store->links);
    free(store->sorted);
    store->sorted = NULL;
    store->is_sorted = false;
}

void log_store_free(struct hg_log_store *store)
{
    if (!store)
        return;
    forget_all(store);
    free(store->data_dir);
    free(store->dir);
    free(store);
}

struct hg_log_group *log_store_find(struct hg_log_store *store, struct hg_str name)
{
    struct hg_log_group *group = hg_map_get(&store->groups, name);

    if (group)
        log_group_load(group);
    return group;
}

enum hg_rc log_store_make(struct hg_log_store *store, struct hg_str name,
                          struct hg_log_group **group)
{
    *group = log_store_find(store, name);
    if (*group)
        return HG_E_CONFLICT;
    *group = add_group(store, name);
    if (log_group_make(*group) == 0)
        return HG_OK;
    (void)hg_map_remove(&store->groups, name);
    log_group_free(*group);
    *group = NULL;
    return HG_E_IO;
}

enum hg_rc log_store_remove(struct hg_log_store *store, struct hg_str name)
{
    struct hg_log_group *group = hg_map_get(&store->groups, name);
    char path[HG_PATH_MAX + 64];

    if (!group)
        return HG_E_NOT_FOUND;
    /* In one step it is gone; what a crash leaves of it is removed at the next start. */
    (void)files_path(path, sizeof(path), "%s/.removed-%016llx", store->dir,
                     (unsigned long long)hg_random_u64());
    if (rename(group->dir, path) == 0)
        files_remove_tree(path);
    (void)hg_map_remove(&store->groups, name);
    log_group_free(group);
    store->is_sorted = false;
    return HG_OK;
}

static int by_name(const void *a, const void *b)
{
    const struct hg_log_group *const *left = a, *const *right = b;

    return strcmp((*left)->name, (*right)->name);
}

struct hg_log_group *const *log_store_list(struct hg_log_store *store, size_t *count)
{
    const struct hg_map_entry *entry;
    size_t filled = 0;

    *count = store->groups.count;
    if (store->is_sorted)
        return store->sorted;
    store->sorted =
        hg_realloc(store->sorted, (store->groups.count + 1) * sizeof(struct hg_log_group *));
    for (size_t at = 0; (entry = hg_map_next(&store->groups, &at));)
        store->sorted[filled++] = entry->value;
    qsort(store->sorted, filled, sizeof(struct hg_log_group *), by_name);
    store->is_sorted = true;
    return store->sorted;
}

/* ---- writing ---- */

bool log_group_is_default(struct hg_str group, struct hg_str function_name)
{
    struct hg_str prefix = HG_STR("/aws/lambda/");

    return group.n == prefix.n + function_name.n && hg_str_starts(group, prefix) &&
           hg_str_ends(group, function_name);
}

/* Keeps the link by which `headgate logs` finds the group of a function. */
static void keep_link(struct hg_log_store *store, struct hg_str group, struct hg_str function_name)
{
    struct link *known = store->links.count ? hg_map_get(&store->links, function_name) : NULL;
    bool is_default = log_group_is_default(group, function_name);
    char path[HG_PATH_MAX + 300], next[HG_PATH_MAX + 320], folder[HG_LOG_FOLDER_MAX];

    if (is_default ? !known : known && hg_str_is(group, known->group))
        return;
    (void)files_path(path, sizeof(path), "%s/%%%.*s", store->dir, HG_STR_ARG(function_name));
    if (is_default) {
        (void)unlink(path);
        drop_link(store, function_name);
        return;
    }
    log_folder_name(group, folder);
    (void)files_path(next, sizeof(next), "%s/.link-%.*s", store->dir, HG_STR_ARG(function_name));
    (void)unlink(next);
    if (symlink(folder, next) == 0 && rename(next, path) == 0)
        set_link(store, function_name, group);
}

static void expire(struct hg_log_store *store)
{
    const struct hg_map_entry *entry;
    int64_t now_ms = hg_wall_ms();

    if (now_ms - store->expired_ms < EXPIRE_INTERVAL_MS && now_ms >= store->expired_ms)
        return;
    store->expired_ms = now_ms;
    for (size_t at = 0; (entry = hg_map_next(&store->groups, &at));) {
        struct hg_log_group *group = entry->value;

        log_group_load(group);
        if (group->retention_days)
            log_group_expire(group, now_ms);
    }
}

/* Lines of what ran before a reset; they are not in order of time where several environments write. */
static struct hg_str skip_late(const struct hg_log_store *store, struct hg_str lines)
{
    struct hg_str rest = lines, text;
    struct hg_log_line line;

    if (!store->reset_ms || hg_wall_ms() - store->reset_ms > LATE_MS)
        return lines;
    while (hg_str_next(&rest, '\n', &text)) {
        if (log_line_parse(text, &line) && line.wall_ms > store->reset_ms)
            return lines;
        lines = rest;
    }
    return hg_str_n(NULL, 0);
}

enum hg_rc log_store_append(struct hg_log_store *store, struct hg_str name,
                            struct hg_str function_name, struct hg_str lines)
{
    struct hg_log_group *group;

    lines = skip_late(store, lines);
    if (lines.n == 0)
        return HG_OK;
    group = log_store_find(store, name);
    if (!group && log_store_make(store, name, &group) != HG_OK)
        return HG_E_IO;
    keep_link(store, name, function_name);
    expire(store);
    return log_group_append(group, lines) == 0 ? HG_OK : HG_E_IO;
}

/* ---- the memory of indexes ---- */

static void drop_unused(struct hg_log_store *store, const struct hg_log_group *but)
{
    for (;;) {
        struct hg_log_group *oldest = NULL;
        const struct hg_map_entry *entry;
        size_t sum = 0;

        for (size_t at = 0; (entry = hg_map_next(&store->groups, &at));) {
            struct hg_log_group *group = entry->value;

            if (!group->has_index)
                continue;
            sum += log_index_cost(group);
            if (group != but && (!oldest || group->used < oldest->used))
                oldest = group;
        }
        if (sum <= INDEX_MAX || !oldest)
            return;
        log_index_drop(oldest);
    }
}

bool log_store_index(struct hg_log_store *store, struct hg_log_group *group)
{
    size_t budget = INDEX_SLICE;
    bool had_index = group->has_index, is_complete;

    group->used = ++store->uses;
    is_complete = log_index_update(group, &budget);
    if (!had_index || budget == 0)
        drop_unused(store, group);
    return is_complete;
}

/* ---- reset ---- */

void log_store_reset(struct hg_log_store *store)
{
    char path[HG_PATH_MAX + 64];

    (void)files_path(path, sizeof(path), "%s/logs-removed-%016llx", store->data_dir,
                     (unsigned long long)hg_random_u64());
    if (rename(store->dir, path) != 0 && errno != ENOENT) {
        hg_error("logs_not_removed", "dir=%s error=%s", store->dir, strerror(errno));
        files_remove_tree(store->dir);
    }
    forget_all(store);
    store->reset_ms = hg_wall_ms();
}

bool log_store_next_trash(const char *data_dir, char *path, size_t room)
{
    DIR *dir = opendir(data_dir);
    bool is_found = false;

    for (struct dirent *entry = dir ? readdir(dir) : NULL; entry && !is_found;
         entry = readdir(dir)) {
        is_found = hg_str_starts(hg_str_of(entry->d_name), HG_STR("logs-removed-")) &&
                   files_path(path, room, "%s/%s", data_dir, entry->d_name);
    }
    if (dir)
        (void)closedir(dir);
    return is_found;
}
