/*
 * The parts of the Redis engine that need no server: URI and options, what is
 * said of a server's persistence, and the shift of times between clocks.
 */
#include "queue/redis_engine.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

static enum hg_rc read_settings(const char *uri, const char *key, const char *value,
                                struct redis_settings *settings, struct hg_error *err)
{
    struct hg_kv kv = {hg_str_of(key), hg_str_of(value)};
    struct hg_queue_options options = {.uri = uri, .extra = {&kv, key ? 1 : 0}};

    err->text[0] = '\0';
    return redis_settings_read(&options, settings, err);
}

static void test_settings(void **state)
{
    struct redis_settings settings;
    struct hg_error err;

    (void)state;
    assert_int_equal(read_settings("redis://cache:7000/2", NULL, NULL, &settings, &err), HG_OK);
    assert_string_equal(settings.prefix, "headgate");
    assert_string_equal(settings.server.host, "cache");
    assert_int_equal(settings.server.db, 2);
    assert_int_equal(settings.lease_timeout_ms, 20000);
    assert_int_equal(settings.wait, 0);
    assert_int_equal(read_settings("rediss://h?prefix=a%20b", "redis.wait", "2", &settings, &err),
                     HG_E_INVALID);
    assert_int_equal(read_settings("rediss://h?prefix=team-a", "redis.wait", "2", &settings, &err),
                     HG_OK);
    assert_string_equal(settings.prefix, "team-a");
    assert_int_equal(settings.wait, 2);
    assert_int_equal(read_settings("redis://h", "redis.lease-timeout", "1500ms", &settings, &err),
                     HG_OK);
    assert_int_equal(settings.lease_timeout_ms, 1500);
    assert_int_equal(read_settings("redis://h", "kafka.acks", "1", &settings, &err), HG_OK);
}

static void test_bad_settings(void **state)
{
    static const struct {
        const char *uri, *key, *value;
    } cases[] = {
        {"redis://", NULL, NULL},
        {"redis://h?prefix=", NULL, NULL},
        {"redis://h?prefix={x}", NULL, NULL},
        {"redis://h?prefix=a&db=1", NULL, NULL},
        {"redis://h?x=1", NULL, NULL},
        {"redis://h", "redis.nothing", "1"},
        {"redis://h", "redis.wait", "-1"},
        {"redis://h", "redis.wait", "many"},
        {"redis://h", "redis.lease-timeout", "10ms"},
        {"redis://h", "redis.lease-timeout", "soon"},
        {"redis://h", "redis.timeout", ""},
    };
    struct redis_settings settings;
    struct hg_error err;

    (void)state;
    for (size_t i = 0; i < HG_COUNT(cases); i++) {
        assert_int_equal(read_settings(cases[i].uri, cases[i].key, cases[i].value, &settings, &err),
                         HG_E_INVALID);
        assert_true(err.text[0] != '\0');
    }
}

static void assert_warns(const struct redis_persistence *persistence, const char *word)
{
    struct hg_buf out;

    hg_buf_init(&out, 4096);
    redis_persistence_warn(persistence, &out);
    if (word)
        assert_true(hg_str_find_str(hg_buf_str(&out), hg_str_of(word)) >= 0);
    else
        assert_int_equal(out.len, 0);
    hg_buf_fini(&out);
}

static void test_persistence(void **state)
{
    struct redis_persistence safe = {"yes", "always", "", "0", "noeviction"}, p = safe;

    (void)state;
    assert_warns(&safe, NULL);
    p = (struct redis_persistence){"yes", "everysec", "", "0", "noeviction"};
    assert_warns(&p, "the last second");
    p = (struct redis_persistence){"yes", "no", "", "0", "noeviction"};
    assert_warns(&p, "appendfsync is no");
    p = (struct redis_persistence){"no", "always", "900 1", "0", "noeviction"};
    assert_warns(&p, "last snapshot (save \"900 1\")");
    p = (struct redis_persistence){"no", "always", "", "0", "noeviction"};
    assert_warns(&p, "all events are lost");
    p = (struct redis_persistence){"yes", "always", "", "1000000", "allkeys-lru"};
    assert_warns(&p, "maxmemory-policy is allkeys-lru");
    p = (struct redis_persistence){"", "", "", "", ""};
    assert_warns(&p, "does not tell");
}

static void test_times_are_shifted(void **state)
{
    struct hg_event *event = hg_event_new(HG_STR("f"), HG_STR(""), hg_blob_new("{}", 2));
    struct hg_event_attempt attempt = {.started_ms = 5000};

    (void)state;
    hg_event_note_attempt(event, &attempt);
    event->accepted_ms = 1000;
    event->due_ms = 2000;
    redis_shift_times(event, 300);
    assert_int_equal(event->accepted_ms, 1300);
    assert_int_equal(event->due_ms, 2300);
    assert_int_equal(event->finished_ms, 0); /* it lives */
    assert_int_equal(event->attempts[0].started_ms, 5300);
    event->finished_ms = 9000;
    redis_shift_times(event, -300);
    assert_int_equal(event->accepted_ms, 1000);
    assert_int_equal(event->finished_ms, 8700);
    hg_event_free(event);
}

/* Other scripts than those of a server that cannot allow it; each with a name of its own. */
static void test_scripts(void **state)
{
    struct hg_redis_script old[REDIS_SCRIPT_COUNT], new[REDIS_SCRIPT_COUNT];

    (void)state;
    redis_scripts_make(old, false);
    redis_scripts_make(new, true);
    for (size_t i = 0; i < REDIS_SCRIPT_COUNT; i++) {
        assert_int_equal(strlen(old[i].sha), 40);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(old[i].sha, old[k].sha);
    }
    assert_string_equal(old[REDIS_PUT].text, new[REDIS_PUT].text);
    assert_int_equal(strncmp(new[REDIS_SETTLE].text, "#!lua flags=allow-oom\n", 22), 0);
    assert_int_equal(strncmp(old[REDIS_SETTLE].text, "redis.call('SETRANGE'", 21), 0);
    redis_scripts_free(old);
    redis_scripts_free(new);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_settings),    cmocka_unit_test(test_bad_settings),
        cmocka_unit_test(test_persistence), cmocka_unit_test(test_times_are_shifted),
        cmocka_unit_test(test_scripts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
