/*
 * Stores that are damaged, cut off, foreign or newer: refused with a sentence
 * that names the file, or used without ever ending the program.
 */
#include "core/clock.h"
#include "tests/contract/queue/harness.h"

#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE = 4096, EVENTS = 120 };

static char store[4096];
static struct hg_buf whole; /* the store's file as it should be */

static void read_store(struct hg_buf *out)
{
    FILE *file = fopen(store, "rb");
    struct stat st;
    char *room;

    assert_non_null(file);
    assert_int_equal(fstat(fileno(file), &st), 0);
    hg_buf_init(out, (size_t)st.st_size);
    room = hg_buf_reserve(out, (size_t)st.st_size);
    assert_int_equal(fread(room, 1, (size_t)st.st_size, file), st.st_size);
    hg_buf_commit(out, (size_t)st.st_size);
    (void)fclose(file);
}

static void write_store(const char *bytes, size_t length)
{
    FILE *file = fopen(store, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    (void)fclose(file);
}

/* Tries to open. When it refuses, the sentence must say what to do. */
static enum hg_rc try_open(void)
{
    struct hg_error err = {""};
    enum hg_rc rc = queue_open(&world.options, &world.queue, &err);

    if (rc != HG_OK) {
        assert_int_equal(rc, HG_E_CONFLICT);
        assert_non_null(strstr(err.text, store));
        assert_true(strstr(err.text, "move the folder") || strstr(err.text, "newer version"));
    }
    return rc;
}

/* Whatever can be asked of a store. */
static void use(void)
{
    struct hg_find_op page = {.max = 1000};
    struct hg_list events;
    struct hg_event *event;

    hg_list_init(&events);
    (void)find_page(&page);
    free_events(&page.events);
    (void)lease_once("damage", "", 1000, &events);
    while ((event = pop(&events))) {
        (void)settle(event, HG_FINISH);
        hg_event_free(event);
    }
    event = new_event("damage", "{}");
    (void)put(event);
    hg_event_free(event);
}

static int make_store(void **state)
{
    struct hg_event *events[EVENTS];

    (void)state;
    (void)snprintf(store, sizeof(store), "%s/queue/data.mdb", world.options.data_dir);
    world_open();
    for (size_t i = 0; i < EVENTS; i++)
        events[i] = hg_event_new(HG_STR("damage"), HG_STR(""), pattern_blob(i * 37, 5));
    put_all(events, EVENTS);
    drain("damage", EVENTS / 3);
    world_close();
    read_store(&whole);
    return 0;
}

static int free_store(void **state)
{
    (void)state;
    hg_buf_fini(&whole);
    return 0;
}

static void test_cut_off(void **state)
{
    (void)state;
    for (size_t pages = whole.len / PAGE - 1; pages > 0; pages -= HG_MAX(pages / 10, (size_t)1)) {
        write_store(whole.base, pages * PAGE - (pages % 3) * 100);
        if (try_open() == HG_OK) {
            /* Only pages that nothing needs were missing. */
            drain("damage", EVENTS - EVENTS / 3);
            world_close();
        }
    }
    write_store(whole.base, 0);
    assert_int_equal(try_open(), HG_E_CONFLICT);
    write_store(whole.base, 100);
    assert_int_equal(try_open(), HG_E_CONFLICT);
}

static void test_half_is_refused(void **state)
{
    (void)state;
    write_store(whole.base, whole.len / 2);
    assert_int_equal(try_open(), HG_E_CONFLICT);
}

static void test_garbage(void **state)
{
    struct hg_blob *noise = pattern_blob(whole.len, 77);

    (void)state;
    write_store(hg_blob_str(noise).p, whole.len);
    assert_int_equal(try_open(), HG_E_CONFLICT);
    write_store("this is no store\n", 17);
    assert_int_equal(try_open(), HG_E_CONFLICT);
    hg_blob_unref(noise);
}

/* Each page in turn: with noise, with zeros, or with noise in its middle. */
static void test_pages_written_over(void **state)
{
    struct hg_blob *noise = pattern_blob(PAGE, 99);
    char *copy = hg_malloc(whole.len);

    (void)state;
    for (size_t page = 0; page < whole.len / PAGE; page++) {
        char *at = copy + page * PAGE;

        memcpy(copy, whole.base, whole.len);
        if (page % 3 == 0)
            memcpy(at, hg_blob_str(noise).p, PAGE);
        else if (page % 3 == 1)
            memset(at, 0, PAGE);
        else
            memcpy(at + 2000, hg_blob_str(noise).p, 600);
        write_store(copy, whole.len);
        if (try_open() == HG_OK) {
            use();
            world_close();
        }
    }
    free(copy);
    hg_blob_unref(noise);
}

static void test_newer_format(void **state)
{
    char *copy = hg_malloc(whole.len), *at = copy;
    size_t found = 0;

    (void)state;
    memcpy(copy, whole.base, whole.len);
    /* The name takes 16 bytes, the version follows. */
    while ((at = memmem(at, whole.len - (size_t)(at - copy), "headgate-events\0\1", 17))) {
        at[16] = 9;
        found++;
    }
    assert_true(found > 0);
    write_store(copy, whole.len);
    assert_int_equal(try_open(), HG_E_CONFLICT);
    free(copy);
}

static void test_foreign_store(void **state)
{
    char folder[4096];
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi table;
    MDB_val key = {3, (void *)(uintptr_t) "key"}, value = {5, (void *)(uintptr_t) "value"};

    (void)state;
    (void)snprintf(folder, sizeof(folder), "%s/queue", world.options.data_dir);
    assert_int_equal(unlink(store), 0);
    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_open(env, folder, 0, 0600), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, NULL, 0, &table), 0);
    assert_int_equal(mdb_put(txn, table, &key, &value, 0), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
    assert_int_equal(try_open(), HG_E_CONFLICT);
}

static void test_second_opening(void **state)
{
    struct hg_queue *second;
    struct hg_error err = {""};

    (void)state;
    write_store(whole.base, whole.len);
    world_open();
    assert_int_equal(queue_open(&world.options, &second, &err), HG_E_CONFLICT);
    assert_non_null(strstr(err.text, "in use"));
    world_close();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut_off),        cmocka_unit_test(test_half_is_refused),
        cmocka_unit_test(test_garbage),        cmocka_unit_test(test_pages_written_over),
        cmocka_unit_test(test_newer_format),   cmocka_unit_test(test_foreign_store),
        cmocka_unit_test(test_second_opening),
    };
    int failed;

    world_init(argc, argv);
    failed = cmocka_run_group_tests(tests, make_store, free_store);
    world_fini();
    return failed ? 1 : 0;
}
