/*
 * The parts of the Redis client that need no server: URIs, slots,
 * redirections, bounds of replies, and what error replies mean.
 */
#include "tests/unit/unit.h"

#include "core/redis_client.h"

static void test_uri_parts(void **state)
{
    struct hg_redis_uri uri;

    (void)state;
    assert_int_equal(hg_redis_uri_parse(HG_STR("redis://cache"), &uri, NULL), HG_OK);
    assert_string_equal(uri.host, "cache");
    assert_int_equal(uri.port, 6379);
    assert_int_equal(uri.db, 0);
    assert_false(uri.uses_tls);
    assert_string_equal(uri.password, "");

    assert_int_equal(
        hg_redis_uri_parse(HG_STR("rediss://joe:p%40ss%3A@h.example:7001/12?prefix=a"), &uri, NULL),
        HG_OK);
    assert_true(uri.uses_tls);
    assert_string_equal(uri.user, "joe");
    assert_string_equal(uri.password, "p@ss:");
    assert_string_equal(uri.host, "h.example");
    assert_int_equal(uri.port, 7001);
    assert_int_equal(uri.db, 12);
    assert_str(uri.query, "prefix=a");

    assert_int_equal(hg_redis_uri_parse(HG_STR("redis://:secret@[::1]:6380/"), &uri, NULL), HG_OK);
    assert_string_equal(uri.user, "");
    assert_string_equal(uri.password, "secret");
    assert_string_equal(uri.host, "::1");
    assert_int_equal(uri.port, 6380);
}

static void test_uri_mistakes(void **state)
{
    static const char *const wrong[] = {
        "",
        "redis:/host",
        "http://host",
        "redis://",
        "redis://:6379",
        "redis://host:0",
        "redis://host:65536",
        "redis://host:x",
        "redis://host/x",
        "redis://host/1/2",
        "redis://user@host",
        "redis://user:@host",
        "redis://[::1",
        "redis://[::1]6379",
        "redis://a%00b",
    };
    struct hg_redis_uri uri;
    struct hg_error err;

    (void)state;
    for (size_t i = 0; i < HG_COUNT(wrong); i++) {
        err.text[0] = '\0';
        assert_int_equal(hg_redis_uri_parse(hg_str_of(wrong[i]), &uri, &err), HG_E_INVALID);
        assert_true(err.text[0] != '\0');
    }
}

/* From the specification of Redis Cluster, and CLUSTER KEYSLOT of a server. */
static void test_slots(void **state)
{
    (void)state;
    assert_int_equal(hg_redis_slot(HG_STR("123456789")), 0x31c3);
    assert_int_equal(hg_redis_slot(HG_STR("foo")), 12182);
    assert_int_equal(hg_redis_slot(HG_STR("hello")), 866);
    assert_int_equal(hg_redis_slot(HG_STR("somekey")), 11058);
    assert_int_equal(hg_redis_slot(HG_STR("foo{hash_tag}")), 2515);
    assert_int_equal(hg_redis_slot(HG_STR("{user1000}.following")),
                     hg_redis_slot(HG_STR("{user1000}.followers")));
    assert_int_equal(hg_redis_slot(HG_STR("foo{bar}{zap}")), hg_redis_slot(HG_STR("bar")));
    assert_int_equal(hg_redis_slot(HG_STR("foo{{bar}}zap")), hg_redis_slot(HG_STR("{bar")));
    assert_int_not_equal(hg_redis_slot(HG_STR("foo{}{bar}")), hg_redis_slot(HG_STR("bar")));
    assert_int_equal(hg_redis_slot(HG_STR("")), 0);
}

static void test_redirects(void **state)
{
    struct hg_redis_redirect to;

    (void)state;
    assert_true(hg_redis_redirect_parse(HG_STR("MOVED 3999 127.0.0.1:6381"), &to));
    assert_false(to.is_ask);
    assert_int_equal(to.slot, 3999);
    assert_string_equal(to.host, "127.0.0.1");
    assert_int_equal(to.port, 6381);
    assert_true(hg_redis_redirect_parse(HG_STR("ASK 16383 2001:db8::1:6379"), &to));
    assert_true(to.is_ask);
    assert_string_equal(to.host, "2001:db8::1");
    assert_true(hg_redis_redirect_parse(HG_STR("MOVED 0 :6381"), &to));
    assert_string_equal(to.host, "");
    assert_false(hg_redis_redirect_parse(HG_STR("MOVED 16384 a:1"), &to));
    assert_false(hg_redis_redirect_parse(HG_STR("MOVED 1 a"), &to));
    assert_false(hg_redis_redirect_parse(HG_STR("MOVED 1 a:0"), &to));
    assert_false(hg_redis_redirect_parse(HG_STR("MOVED 1"), &to));
    assert_false(hg_redis_redirect_parse(HG_STR("MOVED"), &to));
    assert_false(hg_redis_redirect_parse(HG_STR(""), &to));
}

static void test_faults(void **state)
{
    static const struct {
        const char *text;
        enum hg_redis_fault fault;
    } cases[] = {
        {"OOM command not allowed when used memory > 'maxmemory'.", HG_REDIS_FAULT_NOT_NOW},
        {"ERR Error running script (call to f_1): @user_script:1: -OOM command not allowed",
         HG_REDIS_FAULT_NOT_NOW},
        {"MISCONF Redis is configured to save RDB snapshots", HG_REDIS_FAULT_NOT_NOW},
        {"LOADING Redis is loading the dataset in memory", HG_REDIS_FAULT_NOT_NOW},
        {"TRYAGAIN Multiple keys request during rehashing of slot", HG_REDIS_FAULT_NOT_NOW},
        {"READONLY You can't write against a read only replica.", HG_REDIS_FAULT_READONLY},
        {"WRONGPASS invalid username-password pair", HG_REDIS_FAULT_DENIED},
        {"NOAUTH Authentication required.", HG_REDIS_FAULT_DENIED},
        {"ERR invalid password", HG_REDIS_FAULT_DENIED},
        {"NOSCRIPT No matching script. Please use EVAL.", HG_REDIS_FAULT_NO_SCRIPT},
        {"MOVED 1 a:1", HG_REDIS_FAULT_REDIRECT},
        {"ERR syntax error", HG_REDIS_FAULT_FINAL},
        {"WRONGTYPE Operation against a key", HG_REDIS_FAULT_FINAL},
        {"", HG_REDIS_FAULT_FINAL},
    };

    (void)state;
    for (size_t i = 0; i < HG_COUNT(cases); i++)
        assert_int_equal(hg_redis_fault_of(hg_str_of(cases[i].text)), cases[i].fault);
}

static void test_replies(void **state)
{
    struct redisReader *reader = hg_redis_reader_new();
    struct redisReply *reply;
    char why[HG_REDIS_WHY_MAX];
    struct hg_str bytes = HG_STR("*4\r\n$3\r\nabc\r\n:42\r\n$-1\r\n*1\r\n$2\r\n17\r\n");

    (void)state;
    /* Byte by byte: a reply comes when its last one has. */
    for (size_t i = 0; i < bytes.n; i++) {
        assert_true(hg_redis_reader_feed(reader, bytes.p + i, 1, 1000, why));
        assert_true(hg_redis_reader_next(reader, &reply, why));
        assert_int_equal(reply != NULL, i == bytes.n - 1);
    }
    assert_int_equal(hg_redis_count(reply), 4);
    assert_str(hg_redis_str(hg_redis_at(reply, 0)), "abc");
    assert_int_equal(hg_redis_int(hg_redis_at(reply, 0)), 0);
    assert_int_equal(hg_redis_int(hg_redis_at(reply, 1)), 42);
    assert_true(hg_redis_is_nil(hg_redis_at(reply, 2)));
    assert_int_equal(hg_redis_int(hg_redis_at(hg_redis_at(reply, 3), 0)), 17);
    assert_null(hg_redis_at(reply, 4));
    assert_int_equal(hg_redis_count(hg_redis_at(reply, 1)), 0);
    assert_int_equal(hg_redis_str(NULL).n, 0);
    hg_redis_reply_free(reply);
    hg_redis_reader_free(reader);
}

static bool is_refused(const char *bytes, size_t max)
{
    struct redisReader *reader = hg_redis_reader_new();
    struct redisReply *reply = NULL;
    char why[HG_REDIS_WHY_MAX] = "";
    bool is_good = hg_redis_reader_feed(reader, bytes, strlen(bytes), max, why) &&
                   hg_redis_reader_next(reader, &reply, why);

    hg_redis_reply_free(reply);
    hg_redis_reader_free(reader);
    assert_int_equal(is_good, why[0] == '\0');
    return !is_good;
}

static void test_hostile_replies(void **state)
{
    (void)state;
    assert_false(is_refused("$5\r\nab", 100));
    assert_true(is_refused("HTTP/1.1 400 Bad Request\r\n", 100));
    assert_true(is_refused("$5\r\nabcdefghij", 10));
    assert_true(is_refused("*1048577\r\n", 100));
    assert_true(is_refused("*-2\r\n", 100));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_uri_parts),       cmocka_unit_test(test_uri_mistakes),
        cmocka_unit_test(test_slots),           cmocka_unit_test(test_redirects),
        cmocka_unit_test(test_faults),          cmocka_unit_test(test_replies),
        cmocka_unit_test(test_hostile_replies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
