#include "config/package_sweep.h"

#include "config/package_parts.h"
#include "core/crypto.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define OLD_PREFIX ".old-"
#define NEW_PREFIX ".new-"

enum { HEX_LEN = HG_SHA256_LEN * 2 };

void sweep_init(struct hg_sweep *sweep, const char *data_dir)
{
    sweep->data_dir = data_dir;
    hg_map_init(&sweep->used);
}

void sweep_fini(struct hg_sweep *sweep)
{
    hg_map_fini(&sweep->used);
}

void sweep_keep(struct hg_sweep *sweep, struct hg_str path)
{
    struct hg_str data_dir = hg_str_of(sweep->data_dir);

    if (!hg_str_starts(path, data_dir))
        return;
    path = hg_str_skip(path, data_dir.n);
    if (!hg_str_starts(path, HG_STR("/code/")))
        return;
    path = hg_str_skip(path, strlen("/code/"));
    if (path.n)
        (void)hg_map_set(&sweep->used, path, sweep);
}

/* Names that Headgate gives: nothing else is touched. */
static bool is_ours(struct hg_str name)
{
    if (hg_str_starts(name, HG_STR(NEW_PREFIX)))
        return true;
    if (name.n != HEX_LEN && !(name.n == HEX_LEN + 4 && hg_str_ends(name, HG_STR(".zip"))))
        return false;
    for (size_t i = 0; i < HEX_LEN; i++)
        if (!((name.p[i] >= '0' && name.p[i] <= '9') || (name.p[i] >= 'a' && name.p[i] <= 'f')))
            return false;
    return true;
}

size_t sweep_rename(struct hg_sweep *sweep)
{
    char folder[PATH_MAX], from[PATH_MAX + NAME_MAX + 2], to[sizeof(from) + sizeof(OLD_PREFIX)];
    struct dirent *entry;
    size_t count = 0;
    DIR *dir;

    (void)snprintf(folder, sizeof(folder), "%s/code", sweep->data_dir);
    dir = opendir(folder);
    while (dir && (entry = readdir(dir))) {
        struct hg_str name = hg_str_of(entry->d_name);

        if (!is_ours(name) || hg_map_get(&sweep->used, name))
            continue;
        (void)snprintf(from, sizeof(from), "%s/%s", folder, entry->d_name);
        (void)snprintf(to, sizeof(to), "%s/" OLD_PREFIX "%s", folder, entry->d_name);
        /* When an earlier one stands in the way, this one waits for the next start. */
        count += rename(from, to) == 0;
    }
    if (dir)
        (void)closedir(dir);
    return count;
}

void sweep_remove(const char *data_dir)
{
    char folder[PATH_MAX], path[PATH_MAX + NAME_MAX + 2];
    struct dirent *entry;
    DIR *dir;

    (void)snprintf(folder, sizeof(folder), "%s/code", data_dir);
    dir = opendir(folder);
    while (dir && (entry = readdir(dir))) {
        if (!hg_str_starts(hg_str_of(entry->d_name), HG_STR(OLD_PREFIX)))
            continue;
        (void)snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        tree_remove(path);
    }
    if (dir)
        (void)closedir(dir);
}
