/*
 * A log group's folder with foreign bytes in one of its files (the first byte says in which): it is read as far as it makes sense, and
 * goes on working.
 */
#include "workers/files.h"
#include "workers/log_query.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static const char *const names[] = {"group.json", "streams.log", "00000000000000000000.log"};

static void use(struct hg_log_store *store)
{
    struct hg_log_group *group = log_store_find(store, HG_STR("g"));
    struct hg_log_query query = {
        .group = HG_STR("g"), .end_ms = INT64_MAX, .limit = 100, .max_bytes = 1 << 20};

    hg_assert(group);
    while (!log_query_work(&query, store)) {
    }
    log_query_fini(&query);
    hg_assert(log_index_make_stream(group, HG_STR("made"), 5) == 0);
    hg_assert(log_index_stream(group, HG_STR("made")));
    hg_assert(log_index_delete_stream(group, HG_STR("made")) == 0);
    hg_assert(!log_index_stream(group, HG_STR("made")));
    hg_assert(log_store_append(store, HG_STR("g"), HG_STR("f"), HG_STR("5 s text\n")) == HG_OK);
    hg_assert(log_group_save(group) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char dir[] = "/tmp/hg-fuzz-logs-XXXXXX", path[128];
    struct hg_log_store *store;

    if (size == 0)
        return 0;
    hg_assert(mkdtemp(dir));
    (void)snprintf(path, sizeof(path), "%s/logs/=g", dir);
    hg_assert(files_make_dirs(path, 0700) == 0);
    (void)snprintf(path, sizeof(path), "%s/logs/=g/%s", dir, names[bytes[0] % HG_COUNT(names)]);
    hg_assert(files_write(path, bytes + 1, size - 1, 0600) == 0);
    for (int i = 0; i < 2; i++) {
        store = log_store_new(dir);
        use(store);
        log_store_free(store);
    }
    files_remove_tree(dir);
    return 0;
}
