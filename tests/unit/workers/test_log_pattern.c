/*
 * The language of filter patterns: what each form matches, and what is none.
 */
#include "tests/unit/unit.h"

#include "workers/log_pattern.h"

static bool matches(const char *pattern, const char *message)
{
    struct hg_error err = {""};
    struct hg_log_pattern *compiled = log_pattern_new(hg_str_of(pattern), &err);
    bool is_match;

    if (!compiled)
        fail_msg("%s: %s", pattern, err.text);
    is_match = log_pattern_matches(compiled, hg_str_of(message));
    log_pattern_free(compiled);
    return is_match;
}

struct row {
    const char *pattern, *message;
    bool is_match;
};

static void check(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (matches(rows[i].pattern, rows[i].message) != rows[i].is_match)
            fail_msg("%s on %s: expected %d", rows[i].pattern, rows[i].message, rows[i].is_match);
    }
}

static void terms(void **state)
{
    static const struct row rows[] = {
        {"", "anything", true},
        {"  ", "anything", true},
        {"ERROR", "[ERROR 400] bad\n", true},
        {"ERROR", "[error 400] bad\n", false},
        {"ERROR ARGUMENTS", "ERROR with ARGUMENTS", true},
        {"ERROR ARGUMENTS", "ERROR alone", false},
        {"\"INTERNAL SERVER\"", "an INTERNAL SERVER ERROR", true},
        {"\"INTERNAL SERVER\"", "INTERNAL  SERVER", false},
        {"\"say \\\"x\\\"\"", "they say \"x\" now", true},
        {"?ERROR ?WARN", "a WARN", true},
        {"?ERROR ?WARN", "an ERROR", true},
        {"?ERROR ?WARN", "an INFO", false},
        {"ERROR -EXITING", "ERROR here", true},
        {"ERROR -EXITING", "ERROR EXITING", false},
        {"-EXITING", "on", true},
        {"-\"two words\"", "two words", false},
        /* Beside other terms optional ones have no effect. */
        {"?ERROR ?400 REQUEST", "a REQUEST", true},
        {"?ERROR REQUEST", "an ERROR", false},
        {"%AUTHORIZED%", "UNAUTHORIZED", true},
        {"%^ERR\\d+%", "ERR42", true},
        {"%^ERR\\d+%", "an ERR42", false},
        {"?%a{3}% ?b", "baa", true},
        {"REPORT RequestId", "REPORT RequestId: 1\tDuration: 3 ms", true},
    };

    (void)state;
    check(rows, HG_COUNT(rows));
}

static void json(void **state)
{
    static const char event[] =
        "{\"eventType\":\"UpdateTrail\",\"sourceIPAddress\":\"111.111.111.111\",\"n\":3,\"f\":-1.5e3,"
        "\"arrayKey\":[\"value\",\"another value\"],\"objectList\":[{\"name\":\"a\",\"id\":1},"
        "{\"name\":\"b\",\"id\":2}],\"SomeObject\":null,\"ThisFlag\":true,\"Off\":false,"
        "\"a.b\":\"dotted\",\"q\":\"say \\\"x\\\" \\u00e9\",\"deep\":{\"er\":[[1,[2]]]}}\n";
    static const struct {
        const char *pattern;
        bool is_match;
    } rows[] = {
        {"{ $.eventType = \"UpdateTrail\" }", true},
        {"{ $.eventType = UpdateTrail }", true},
        {"{$.eventType=UpdateTrail}", true},
        {"{ $.eventType = \"Update*\" }", true},
        {"{ $.eventType = \"*Trail\" }", true},
        {"{ $.eventType = \"U*T*l\" }", true},
        {"{ $.eventType = \"U*x\" }", false},
        {"{ $.eventType = %Tr[a-z]il$% }", true},
        {"{ $.eventType != \"UpdateTrail\" }", false},
        {"{ $.eventType != \"Other\" }", true},
        {"{ $.absent != \"Other\" }", false},
        {"{ $.sourceIPAddress != 123.123.* }", true},
        {"{ $.sourceIPAddress = 111.111.* }", true},
        {"{ $.n = 3 }", true},
        {"{ $.n = 3.0 }", true},
        {"{ $.n != 4 }", true},
        {"{ $.n > 2 }", true},
        {"{ $.n >= 3 }", true},
        {"{ $.n < 3 }", false},
        {"{ $.n <= 3 }", true},
        {"{ $.f < -1499 }", true},
        {"{ $.f = -1500 }", true},
        {"{ $.f = -1.5e3 }", true},
        {"{ $.eventType > 1 }", false},
        {"{ $.arrayKey[0] = \"value\" }", true},
        {"{ $.arrayKey[1] = \"value\" }", false},
        {"{ $.arrayKey[*] = \"another value\" }", true},
        {"{ $.arrayKey[7] NOT EXISTS }", true},
        {"{ $.objectList[1].id = 2 }", true},
        {"{ $.objectList[*].name = b }", true},
        {"{ $.SomeObject IS NULL }", true},
        {"{ $.absent IS NULL }", false},
        {"{ $.ThisFlag IS TRUE }", true},
        {"{ $.Off IS TRUE }", false},
        {"{ $.Off IS FALSE }", true},
        {"{ $.absent NOT EXISTS }", true},
        {"{ $.n NOT EXISTS }", false},
        {"{ $['a.b'] = dotted }", true},
        {"{ $.['a.b'] = \"dotted\" }", true},
        {"{ $.q = \"say \\\"x\\\" \u00e9\" }", true},
        {"{ $.deep.er[0][1][0] = 2 }", true},
        {"{ ($.n = 1 || $.n = 3) && $.ThisFlag IS TRUE }", true},
        {"{ $.n = 3 || $.n = 4 && $.n = 5 }", true},
        {"{ ($.n = 3 || $.n = 4) && $.n = 5 }", false},
        {"{ ((($.n = 3))) }", true},
    };

    (void)state;
    for (size_t i = 0; i < HG_COUNT(rows); i++) {
        if (matches(rows[i].pattern, event) != rows[i].is_match)
            fail_msg("%s: expected %d", rows[i].pattern, rows[i].is_match);
    }
    assert_false(matches("{ $.a NOT EXISTS }", "START RequestId: 1"));
    assert_false(matches("{ $.a = 1 }", "{\"a\":1"));
    assert_false(matches("{ $.a = 1 }", "prefix {\"a\":1}"));
    assert_true(matches("{ $[0] = 1 }", "[1,2]"));
}

static void fields(void **state)
{
    static const char event[] =
        "127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] \"GET /index.html HTTP/1.0\" 404 1534\n";
    static const struct {
        const char *pattern;
        bool is_match;
    } rows[] = {
        {"[ip, user, username, timestamp, request, status_code, bytes]", true},
        {"[ip, user, username, timestamp, request, status_code]", false},
        {"[ip, user, username, timestamp, request, status_code, bytes, more]", false},
        {"[ip, user, username, timestamp, request = *.html*, status_code = 4*, bytes]", true},
        {"[ip, user, username, timestamp, request, status_code = 5*, bytes]", false},
        {"[ip, ..., bytes > 1000]", true},
        {"[..., status_code, bytes < 1000]", false},
        {"[...]", true},
        {"[ip=127.0.0.1, ...]", true},
        {"[ip!=127.0.0.1, ...]", false},
        {"[ip=%127\\.0\\.0\\.[0-9]%, ...]", true},
        {"[..., status=404 || status=410, bytes]", true},
        {"[..., status>=400 && status<500, bytes]", true},
        {"[..., (status=1 || status=404) && status!=405, bytes]", true},
        {"[ip, user, username = frank, timestamp = \"10/Oct/2000:13:25:15 -0700\", ...]", true},
        {"[a, b, c, d, e, f, g, ...]", true},
        {"[a, b, c, d, e, f, g, ..., h]", false},
    };

    (void)state;
    for (size_t i = 0; i < HG_COUNT(rows); i++) {
        if (matches(rows[i].pattern, event) != rows[i].is_match)
            fail_msg("%s: expected %d", rows[i].pattern, rows[i].is_match);
    }
    assert_true(matches("[w1=ERROR]", "ERROR"));
    assert_false(matches("[w1=ERROR]", ""));
    assert_true(matches("[a, b]", "\"one thing\" [and another]"));
}

static void what_is_no_pattern(void **state)
{
    static const char *const texts[] = {
        "\"open",
        "%open",
        "%(%",
        "ERROR {",
        "?",
        "-",
        "{",
        "{}",
        "{ $.a }",
        "{ a = 1 }",
        "{ $.a = }",
        "{ $.a > x }",
        "{ $.a = 1 ",
        "{ $.a = 1 } x",
        "{ $.a[x] = 1 }",
        "{ $.a[1 = 1 }",
        "{ $.a IS }",
        "{ $.a NOT }",
        "{ ($.a = 1 }",
        "{ $.a = 1 && }",
        "{ $. = 1 }",
        "[",
        "[]",
        "[a",
        "[a,]",
        "[a] b",
        "[..., a, ...]",
        "[a = ]",
        "[a, b=1 && c=2]",
        "[a > x]",
    };

    (void)state;
    for (size_t i = 0; i < HG_COUNT(texts); i++) {
        struct hg_error err = {""};
        struct hg_log_pattern *pattern = log_pattern_new(hg_str_of(texts[i]), &err);

        if (pattern)
            fail_msg("%s is taken for a pattern", texts[i]);
        assert_true(hg_str_starts(hg_str_of(err.text), HG_STR("Invalid filter pattern")));
    }
}

static void limits(void **state)
{
    char text[2000];
    struct hg_error err = {""};

    (void)state;
    memset(text, '(', sizeof(text));
    text[0] = '{';
    assert_null(log_pattern_new(hg_str_n(text, 1000), &err));
    memset(text, 'a', sizeof(text));
    assert_null(log_pattern_new(hg_str_n(text, 1025), &err));
    /* As many terms as there is room for, all of them empty. */
    memset(text, '"', sizeof(text));
    text[1024] = '\0';
    assert_true(matches(text, "anything"));
    memset(text, 'a', sizeof(text));
    /* A regular expression that would run for ever gives up. */
    text[60] = '\0';
    assert_false(matches("%^(a+)+$b%", text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(terms),  cmocka_unit_test(json),
        cmocka_unit_test(fields), cmocka_unit_test(what_is_no_pattern),
        cmocka_unit_test(limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
