/* core/str, core/uri, core/utf8, core/crypto, core/clock, core/id: text in, text out. */
#include "core/clock.h"
#include "core/crypto.h"
#include "core/duration.h"
#include "core/id.h"
#include "core/uri.h"
#include "core/utf8.h"
#include "tests/unit/unit.h"

static void test_next_splits(void **state)
{
    struct hg_str rest = HG_STR("a,,b"), part;

    (void)state;
    assert_true(hg_str_next(&rest, ',', &part));
    assert_str(part, "a");
    assert_true(hg_str_next(&rest, ',', &part));
    assert_str(part, "");
    assert_true(hg_str_next(&rest, ',', &part));
    assert_str(part, "b");
    assert_false(hg_str_next(&rest, ',', &part));
    rest = HG_STR("");
    assert_false(hg_str_next(&rest, ',', &part));
}

static void test_numbers(void **state)
{
    uint64_t u;
    int64_t i;

    (void)state;
    assert_true(hg_str_u64(HG_STR("18446744073709551615"), UINT64_MAX, &u));
    assert_true(u == UINT64_MAX);
    assert_false(hg_str_u64(HG_STR("18446744073709551616"), UINT64_MAX, &u));
    assert_false(hg_str_u64(HG_STR(""), 9, &u));
    assert_false(hg_str_u64(HG_STR("10"), 9, &u));
    assert_false(hg_str_u64(HG_STR("+1"), 9, &u));
    assert_true(hg_str_i64(HG_STR("-12"), -12, 12, &i));
    assert_int_equal(i, -12);
    assert_false(hg_str_i64(HG_STR("-13"), -12, 12, &i));
    assert_false(hg_str_i64(HG_STR("-"), -12, 12, &i));
}

static void test_uri(void **state)
{
    struct hg_buf out;

    (void)state;
    hg_buf_init(&out, 100);
    hg_uri_decode(&out, HG_STR("a%20b+c%2Bd%zz%2"));
    assert_str(hg_buf_str(&out), "a b+c+d%zz%2");
    hg_buf_clear(&out, 100);
    hg_uri_decode_form(&out, HG_STR("a+b%2B%41"));
    assert_str(hg_buf_str(&out), "a b+A");
    hg_buf_clear(&out, 100);
    hg_uri_encode(&out, HG_STR("a b/\xc3\xa9~"));
    assert_str(hg_buf_str(&out), "a%20b%2F%C3%A9~");
    hg_buf_fini(&out);
}

static void test_utf8(void **state)
{
    struct hg_buf out;

    (void)state;
    assert_true(hg_utf8_is_valid(HG_STR("plain ascii that is longer than eight \xc3\xa9")));
    assert_false(hg_utf8_is_valid(HG_STR("\xf4\x90\x80\x80")));
    assert_false(hg_utf8_is_valid(HG_STR("abc\xe2\x82")));
    hg_buf_init(&out, 100);
    hg_utf8_append_clean(&out, HG_STR("a\xff\xc3\xa9"));
    assert_str(hg_buf_str(&out), "a\xef\xbf\xbd\xc3\xa9");
    hg_buf_fini(&out);
}

static void test_base64(void **state)
{
    static const char *const bad[] = {"A",        "AA",        "AAA",          "A===",  "AA=A",
                                      "====",     "AA==AAAA",  "A A=",         "AAA\n", " AAA",
                                      "    AAAA", "AAAA    ",  "AAAA\n\n\n\n", "-AAA",  "AAA-",
                                      "AA_A",     "AA\xc3\xa9"};
    struct hg_buf out;

    (void)state;
    hg_buf_init(&out, 100);
    assert_true(hg_base64_encode(&out, HG_STR("\x00\x01\xff"
                                              "f")));
    assert_str(hg_buf_str(&out), "AAH/Zg==");
    hg_buf_clear(&out, 100);
    assert_true(hg_base64_decode(&out, HG_STR("AAH/Zg==")));
    assert_int_equal(out.len, 4);
    assert_memory_equal(out.base,
                        "\x00\x01\xff"
                        "f",
                        4);
    for (size_t i = 0; i < HG_COUNT(bad); i++)
        assert_false(hg_base64_decode(&out, hg_str_of(bad[i])));
    assert_true(hg_base64_decode(&out, HG_STR("")));
    hg_buf_fini(&out);
}

static void test_times(void **state)
{
    char text[HG_TIME_TEXT_MAX];

    (void)state;
    assert_string_equal(hg_time_iso(1767323045678, text), "2026-01-02T03:04:05.678Z");
    assert_string_equal(hg_time_lambda(1767323045678, text), "2026-01-02T03:04:05.678+0000");
    assert_string_equal(hg_time_clf(1767323045678, text), "02/Jan/2026:03:04:05 +0000");
    assert_string_equal(hg_time_http(1767323045678, text), "Fri, 02 Jan 2026 03:04:05 GMT");
}

static void test_durations(void **state)
{
    static const char *const bad[] = {
        "", "s", "1.5s", "-1s", "1 s", "10x", "99999999999999999999s", "366d"};
    int64_t ms;

    (void)state;
    assert_true(hg_duration_parse(HG_STR("500ms"), &ms));
    assert_int_equal(ms, 500);
    assert_true(hg_duration_parse(HG_STR("10m"), &ms));
    assert_int_equal(ms, 600000);
    assert_true(hg_duration_parse(HG_STR("2h"), &ms));
    assert_int_equal(ms, 7200000);
    assert_true(hg_duration_parse(HG_STR("30"), &ms));
    assert_int_equal(ms, 30000);
    for (size_t i = 0; i < HG_COUNT(bad); i++)
        assert_false(hg_duration_parse(hg_str_of(bad[i]), &ms));
}

static void test_ids(void **state)
{
    char uuid[HG_UUID_LEN + 1], other[HG_UUID_LEN + 1], id[11], again[11],
        extended[HG_EXTENDED_ID_LEN + 1];

    (void)state;
    hg_uuid(uuid);
    hg_uuid(other);
    assert_true(hg_uuid_is_valid(hg_str_of(uuid)));
    assert_int_equal(uuid[14], '4');
    assert_string_not_equal(uuid, other);
    assert_false(hg_uuid_is_valid(HG_STR("7d3c1a52-5b1e-4c0e-9a43-0e6a8f4b2c1g")));
    hg_stable_id(HG_STR("local:Api"), id, 10);
    hg_stable_id(HG_STR("local:Api"), again, 10);
    assert_string_equal(id, again);
    hg_extended_id(extended);
    assert_int_equal(strlen(extended), 16);
    assert_int_equal(extended[15], '=');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_next_splits), cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_uri),         cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_base64),      cmocka_unit_test(test_times),
        cmocka_unit_test(test_durations),   cmocka_unit_test(test_ids),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
