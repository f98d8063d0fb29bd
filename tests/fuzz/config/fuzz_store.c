/*
 * Opens bytes as the store's file: it is refused, or what is in it is deployed.
 */
#include "config/catalog.h"

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

static void on_published(void *arg)
{
    (void)arg;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct hg_catalog_options options = {.data_dir = folder, .on_published = on_published};
    struct hg_error err = {""};
    struct hg_catalog *catalog;
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
    options.stack = stack_new(HG_STR("us-east-1"), HG_STR("000000000000"));
    options.has_template = size % 2 == 0;
    catalog = catalog_open(&options, &err);
    hg_assert(catalog || err.text[0] != '\0');
    catalog_close(catalog);
    return 0;
}
