/*
 * Opens bytes as the store's file: it is refused, or its rows can be read and changed.
 */
#include "config/store.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static char folder[] = "/tmp/headgate-fuzz-XXXXXX", config[64], path[96];

static void remove_all(void)
{
    static const char *const endings[] = {"", "-wal", "-shm", "-journal"};
    char name[128];

    for (size_t i = 0; i < HG_COUNT(endings); i++) {
        (void)snprintf(name, sizeof(name), "%s%s", path, endings[i]);
        (void)unlink(name);
    }
}

static void remove_folder(void)
{
    remove_all();
    (void)rmdir(config);
    (void)rmdir(folder);
}

static void on_row(const struct hg_event_config *row, enum hg_origin origin, void *arg)
{
    (void)origin;
    *(size_t *)arg += strlen(row->function) + strlen(row->qualifier) + strlen(row->on_failure);
}

static void on_applied(struct hg_str name, const unsigned char *hash, void *arg)
{
    *(size_t *)arg += name.n + hash[HG_APPLIED_HASH_LEN - 1];
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct hg_event_config row = {.function = "f", .qualifier = "$LATEST"};
    struct hg_store *store = NULL;
    struct hg_error err = {""};
    size_t sum = 0;
    int fd;

    if (!config[0]) {
        hg_assert(mkdtemp(folder) != NULL);
        (void)snprintf(config, sizeof(config), "%s/config", folder);
        (void)snprintf(path, sizeof(path), "%s/store.db", config);
        hg_assert(mkdir(config, 0700) == 0);
        hg_assert(atexit(remove_folder) == 0);
    }
    remove_all();
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    hg_assert(fd >= 0 && write(fd, bytes, size) == (ssize_t)size && close(fd) == 0);
    if (store_open(folder, &store, &err) == HG_OK) {
        (void)!store_event_configs_read(store, on_row, &sum, &err);
        (void)!store_applied_read(store, "event-invoke-config", on_applied, &sum, &err);
        (void)!store_event_config_put(store, &row, HG_ORIGIN_API, &err);
    } else {
        hg_assert(err.text[0] != '\0');
    }
    store_close(store);
    return 0;
}
