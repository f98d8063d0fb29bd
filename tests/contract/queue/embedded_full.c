/*
 * No room: new events are refused with a reason, what was accepted goes on,
 * and so do puts once there is room again.
 *   embedded_full embedded: DATA_DIR [small]
 * small: the data directory's disk is small enough to be filled.
 */
#include "core/clock.h"
#include "tests/contract/queue/harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PAYLOAD = 4096, TOO_MANY = 100000 };

/* Puts until one is refused; returns how many were accepted. */
static size_t put_until_refused(const char *function)
{
    for (size_t count = 0; count < TOO_MANY; count++) {
        struct hg_event *event =
            hg_event_new(hg_str_of(function), HG_STR(""), pattern_blob(PAYLOAD, (unsigned)count));
        enum hg_rc rc;

        event->tries = (unsigned)count;
        rc = put(event);
        hg_event_free(event);
        if (rc != HG_OK) {
            assert_int_equal(rc, HG_E_BUSY);
            return count;
        }
    }
    fail_msg("nothing was ever refused");
    return 0;
}

static bool is_up(void *arg)
{
    char why[HG_EVENT_WHY_MAX];

    (void)arg;
    return queue_is_up(world.queue, why);
}

static void assert_down(const char *word)
{
    char why[HG_EVENT_WHY_MAX];
    struct hg_event *event = new_event("refused", "{}");

    assert_false(queue_is_up(world.queue, why));
    assert_non_null(strstr(why, word));
    assert_int_equal(put(event), HG_E_BUSY);
    hg_event_free(event);
}

/* Each accepted one comes once and can be settled: the first half with a retry in between. */
static void settle_all_of(const char *function, size_t count)
{
    bool *seen = calloc(count, sizeof(*seen));
    struct hg_list events;

    hg_list_init(&events);
    for (size_t got = 0; got < count; got++) {
        struct hg_event *event = lease_one(function, "");

        assert_true(event->tries < count);
        assert_false(seen[event->tries]);
        seen[event->tries] = true;
        assert_pattern(event->payload, PAYLOAD, event->tries);
        if (got < count / 2) {
            char id[HG_UUID_LEN + 1];

            memcpy(id, event->id, sizeof(id));
            event->due_ms = 0;
            event->result = hg_blob_new("{}", 2);
            settle_ok(event, HG_REQUEUE);
            event = lease_one(function, "");
            assert_string_equal(event->id, id);
        }
        settle_ok(event, HG_FINISH);
    }
    assert_int_equal(lease_once(function, "", 1, &events), 0);
    free(seen);
}

static void test_store_full(void **state)
{
    const char *function = fresh_function("full");
    size_t count;

    (void)state;
    world.options.store_max = 16 << 20;
    world_open();
    count = put_until_refused(function);
    assert_true(count > 1000);
    assert_down("maximum");
    world_close();

    /* Also across a restart. */
    world_open();
    settle_all_of(function, count);
    wait_until(is_up, NULL, "room in the store");
    assert_true(put_until_refused(function) > 500);
    world_close();
}

static void fill_disk(const char *path)
{
    static const char block[65536];
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    while (write(fd, block, sizeof(block)) > 0)
        ;
    while (write(fd, block, 512) > 0)
        ;
    (void)close(fd);
}

static void test_disk_full(void **state)
{
    const char *function = fresh_function("disk");
    char filler[4096];
    size_t count;

    (void)state;
    (void)snprintf(filler, sizeof(filler), "%s/filler", world.options.data_dir);
    world.options.store_max = (uint64_t)1 << 30;
    world_open();
    for (count = 0; count < 200; count++) {
        struct hg_event *event =
            hg_event_new(hg_str_of(function), HG_STR(""), pattern_blob(PAYLOAD, (unsigned)count));

        event->tries = (unsigned)count;
        assert_int_equal(put(event), HG_OK);
        hg_event_free(event);
    }
    fill_disk(filler);
    /* It can be opened all the same. */
    world_close();
    world_open();
    for (;; count++) {
        struct hg_event *event =
            hg_event_new(hg_str_of(function), HG_STR(""), pattern_blob(PAYLOAD, (unsigned)count));
        enum hg_rc rc;

        event->tries = (unsigned)count;
        rc = put(event);
        hg_event_free(event);
        if (rc != HG_OK)
            break;
    }
    assert_down("disk");
    world_close();
    world_open();
    settle_all_of(function, count);
    assert_int_equal(unlink(filler), 0);
    wait_until(is_up, NULL, "room on the disk");
    put_ok(function, "{}", NULL);
    drain(function, 1);
    world_close();
}

/* The program's descriptors of the store's file, and what stood there before they were spoilt. */
static struct {
    int fds[8], kept[8];
    size_t count;
} spoilt;

/* Every write to the store fails from here on. */
static void spoil_descriptors(void)
{
    char link[64], target[4096];
    int readable = open("/dev/null", O_RDONLY);

    spoilt.count = 0;
    for (int fd = 3; fd < 256; fd++) {
        ssize_t length;

        (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        length = readlink(link, target, sizeof(target) - 1);
        if (length < 8 || memcmp(target + length - 8, "data.mdb", 8) != 0)
            continue;
        assert_true(spoilt.count < HG_COUNT(spoilt.fds));
        spoilt.fds[spoilt.count] = fd;
        spoilt.kept[spoilt.count++] = fcntl(fd, F_DUPFD, 512);
        assert_int_equal(dup2(readable, fd), fd);
    }
    assert_true(spoilt.count > 0);
    (void)close(readable);
}

static void mend_descriptors(void)
{
    for (size_t i = 0; i < spoilt.count; i++) {
        assert_int_equal(dup2(spoilt.kept[i], spoilt.fds[i]), spoilt.fds[i]);
        (void)close(spoilt.kept[i]);
    }
}

/* Nothing is reported as stored that is not, however often it is tried; afterwards all goes on. */
static void test_disk_fails(void **state)
{
    const char *function = fresh_function("fails");
    struct hg_event *leased;
    char id[HG_UUID_LEN + 1];

    (void)state;
    world.options.store_max = (uint64_t)1 << 30;
    world_open();
    put_ok(function, "{}", id);
    leased = lease_one(function, "");
    spoil_descriptors();
    for (int i = 0; i < 3; i++) {
        struct hg_event *event = new_event(function, "{}");
        enum hg_rc rc = put(event);

        assert_true(rc == HG_E_IO || rc == HG_E_BUSY);
        assert_int_equal(settle(leased, HG_FINISH), HG_E_IO);
        hg_event_free(event);
    }
    assert_down("cannot be written");
    hg_event_free(find_state(id, HG_EVENT_RUNNING));
    mend_descriptors();
    wait_until(is_up, NULL, "the disk to be noticed");
    settle_ok(leased, HG_FINISH);
    put_ok(function, "{}", NULL);
    drain(function, 1);
    world_close();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest store[] = {cmocka_unit_test(test_store_full),
                                       cmocka_unit_test(test_disk_fails)},
                            disk[] = {cmocka_unit_test(test_disk_full)};
    bool is_small = argc > 3 && strcmp(argv[3], "small") == 0;
    int failed;

    world_init(HG_MIN(argc, 3), argv);
    failed = is_small ? cmocka_run_group_tests(disk, NULL, NULL)
                      : cmocka_run_group_tests(store, NULL, NULL);
    world_fini();
    return failed ? 1 : 0;
}
