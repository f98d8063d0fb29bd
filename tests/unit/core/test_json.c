/* core/json_write and core/json_scan against RFC 8259. */
#include "core/json_scan.h"
#include "core/json_write.h"
#include "tests/unit/unit.h"

#include <stdio.h>

static void test_writer_escapes(void **state)
{
    struct hg_buf out;
    struct hg_json json;

    (void)state;
    hg_buf_init(&out, 1000);
    json = hg_json_to(&out);
    hg_json_begin_object(&json);
    hg_json_field_str(&json, "a", HG_STR("q\"\\\n\x01\xc3\xa9\xff"));
    hg_json_key(&json, HG_STR("k\"y"));
    hg_json_begin_array(&json);
    hg_json_i64(&json, -5);
    hg_json_bool(&json, true);
    hg_json_cstr(&json, NULL);
    hg_json_begin_object(&json);
    hg_json_end_object(&json);
    hg_json_end_array(&json);
    hg_json_field_null(&json, "n");
    hg_json_end_object(&json);
    assert_str(
        hg_buf_str(&out),
        "{\"a\":\"q\\\"\\\\\\n\\u0001\xc3\xa9\xef\xbf\xbd\",\"k\\\"y\":[-5,true,null,{}],\"n\":null}");
    hg_buf_fini(&out);
}

static void test_good_documents(void **state)
{
    static const char *const good[] = {
        "0",
        "-0",
        "1.5e+10",
        "\"\"",
        "null",
        " true ",
        "[]",
        "{}",
        "[1,[2,{\"a\":[]}]]",
        "{\"a\":1,\"a\":2}",
        "\"\\ud83d\\ude00\"",
        "\"\xf0\x9f\x98\x80\"",
        "\t[\n1\r]\n",
    };

    (void)state;
    for (size_t i = 0; i < HG_COUNT(good); i++)
        assert_int_not_equal(hg_json_parse(hg_str_of(good[i]), NULL).kind, HG_JSON_BAD);
}

static void test_bad_documents(void **state)
{
    static const char *const bad[] = {
        "",
        " ",
        "01",
        "1.",
        ".5",
        "+1",
        "1e",
        "nul",
        "True",
        "'a'",
        "\"",
        "\"\\x\"",
        "\"\\u12g4\"",
        "\"\n\"",
        "[1,]",
        "[1 2]",
        "[",
        "]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{a:1}",
        "{\"a\":1]",
        "1 2",
        "\"\xff\"",
        "\"\xc0\xaf\"",
        "\"\xed\xa0\x80\"",
        "--1",
        "{,}",
        "[,1]",
        "{\"a\":1 \"b\":2}",
    };

    (void)state;
    for (size_t i = 0; i < HG_COUNT(bad); i++) {
        struct hg_json_fault fault = {0};

        if (hg_json_parse(hg_str_of(bad[i]), &fault).kind != HG_JSON_BAD)
            fail_msg("accepted: %s", bad[i]);
        assert_non_null(fault.text);
    }
}

/* What ends a string or spoils it, at every place among bytes that do neither. */
static void test_long_strings(void **state)
{
    static const struct {
        const char *bytes;
        bool is_good;
    } rows[] = {{"\\\"", true}, {"\\u0041", true}, {"\xc3\xa9", true}, {"\x7f", true},
                {" ", true},    {"\x1f", false},   {"\n", false},      {"\xff", false},
                {"\"", false},  {"\\x", false}};

    (void)state;
    for (size_t i = 0; i < HG_COUNT(rows); i++)
        for (size_t before = 0; before < 20; before++)
            for (size_t after = 0; after < 20; after++) {
                struct hg_json_value value;
                char text[64];
                int length = snprintf(text, sizeof(text), "\"%.*s%s%.*s\"", (int)before,
                                      "!~abcdefghij#[]^_`0z", rows[i].bytes, (int)after,
                                      "}{zyxwvutsrqp|=<>?@A");

                value = hg_json_parse(hg_str_n(text, (size_t)length), NULL);
                assert_int_equal(value.kind, rows[i].is_good ? HG_JSON_STRING : HG_JSON_BAD);
                if (rows[i].is_good)
                    assert_int_equal(value.raw.n, length);
            }
}

static void test_depth_is_limited(void **state)
{
    char text[2 * (HG_JSON_DEPTH_MAX + 1)];

    (void)state;
    memset(text, '[', HG_JSON_DEPTH_MAX + 1);
    memset(text + HG_JSON_DEPTH_MAX + 1, ']', HG_JSON_DEPTH_MAX + 1);
    assert_int_equal(hg_json_parse(hg_str_n(text, sizeof(text)), NULL).kind, HG_JSON_BAD);
    assert_int_equal(hg_json_parse(hg_str_n(text + 1, sizeof(text) - 2), NULL).kind, HG_JSON_ARRAY);
}

static void test_fault_has_a_place(void **state)
{
    struct hg_json_fault fault;

    (void)state;
    (void)hg_json_parse(HG_STR("{\n  \"a\": x}"), &fault);
    assert_int_equal(fault.line, 2);
    assert_int_equal(fault.column, 8);
    assert_int_equal(fault.offset, 9);
}

static void test_walk_and_member(void **state)
{
    struct hg_json_value doc = hg_json_parse(
        HG_STR(
            " { \"s\" : \"a\\u00e9\\n\" , \"l\":[ 1, {\"x\":2} ,\"]\"], \"k\\u0065y\":true, \"s2\":\"p\" } "),
        NULL);
    struct hg_json_value value;
    struct hg_json_walk walk;
    struct hg_buf out;
    struct hg_str key;
    int members = 0;

    (void)state;
    hg_buf_init(&out, 100);
    assert_int_equal(doc.kind, HG_JSON_OBJECT);
    walk = hg_json_walk(doc);
    while (hg_json_next_member(&walk, &key, &value))
        members++;
    assert_int_equal(members, 4);
    assert_true(hg_json_unescape(hg_json_member(doc, "s"), &out));
    assert_str(hg_buf_str(&out), "a\xc3\xa9\n");
    assert_null(hg_json_plain(hg_json_member(doc, "s")).p);
    assert_str(hg_json_plain(hg_json_member(doc, "s2")), "p");
    assert_int_equal(hg_json_member(doc, "key").kind, HG_JSON_TRUE);
    assert_int_equal(hg_json_member(doc, "none").kind, HG_JSON_BAD);
    walk = hg_json_walk(hg_json_member(doc, "l"));
    assert_true(hg_json_next_element(&walk, &value));
    assert_str(value.raw, "1");
    assert_true(hg_json_next_element(&walk, &value));
    assert_str(value.raw, "{\"x\":2}");
    assert_true(hg_json_next_element(&walk, &value));
    assert_str(value.raw, "\"]\"");
    assert_false(hg_json_next_element(&walk, &value));
    hg_buf_clear(&out, 0);
    hg_json_compact(doc, &out);
    assert_str(hg_buf_str(&out),
               "{\"s\":\"a\\u00e9\\n\",\"l\":[1,{\"x\":2},\"]\"],\"k\\u0065y\":true,\"s2\":\"p\"}");
    hg_buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_long_strings),     cmocka_unit_test(test_writer_escapes),
        cmocka_unit_test(test_good_documents),   cmocka_unit_test(test_bad_documents),
        cmocka_unit_test(test_depth_is_limited), cmocka_unit_test(test_fault_has_a_place),
        cmocka_unit_test(test_walk_and_member),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
