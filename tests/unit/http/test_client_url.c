/*
 * The parts of URLs, by RFC 3986, and what is refused.
 */
#include "tests/unit/unit.h"

#include "http/client_url.h"

static void test_parts(void **state)
{
    struct hg_http_url url;

    (void)state;
    assert_null(http_url_split(HG_STR("https://u:p@ss@example.org:8443/a%20b/c?x=1&y=?2"), &url));
    assert_true(url.is_tls);
    assert_int_equal(url.port, 8443);
    assert_str(url.user, "u:p@ss");
    assert_str(url.host, "example.org");
    assert_str(url.authority, "example.org:8443");
    assert_str(url.path, "/a%20b/c");
    assert_str(url.query, "x=1&y=?2");

    assert_null(http_url_split(HG_STR("http://[::1]:8080?q"), &url));
    assert_false(url.is_tls);
    assert_str(url.host, "[::1]");
    assert_str(url.authority, "[::1]:8080");
    assert_str(url.path, "");
    assert_str(url.query, "q");
    assert_int_equal(url.port, 8080);
}

/* Host leaves out the scheme's own port, also when the URL names it. */
static void test_own_ports(void **state)
{
    struct hg_http_url url;

    (void)state;
    assert_null(http_url_split(HG_STR("https://h:443/"), &url));
    assert_str(url.authority, "h");
    assert_null(http_url_split(HG_STR("http://h"), &url));
    assert_int_equal(url.port, 80);
    assert_str(url.authority, "h");
    assert_null(http_url_split(HG_STR("http://h:443"), &url));
    assert_str(url.authority, "h:443");
}

static void test_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "h",
        "ftp://h/",
        "http:/h",
        "http://",
        "http:///a",
        "http://@/",
        "http://u@/a",
        "http://h:/",
        "http://h:0/",
        "http://h:x",
        "http://h:65536/",
        "http://h#a",
        "http://h/ a",
        "http://h/\n",
        "http://[::1",
        "http://[]/",
        "http://a[::1]/",
        "http://h\\",
        "http://h%41",
        "http://h/\xc3\xa4",
        "HTTP://h/",
        "http://h;a",
    };
    char text[HG_HTTP_URL_MAX + 2];
    struct hg_http_url url;

    (void)state;
    for (size_t i = 0; i < HG_COUNT(bad); i++)
        if (!http_url_split(hg_str_of(bad[i]), &url))
            fail_msg("%s was taken", bad[i]);
    memset(text, 'a', sizeof(text));
    memcpy(text, "http://h/", 9);
    assert_null(http_url_split(hg_str_n(text, HG_HTTP_URL_MAX), &url));
    assert_non_null(http_url_split(hg_str_n(text, HG_HTTP_URL_MAX + 1), &url));
    memcpy(text, "http://aa", 9);
    assert_non_null(http_url_split(hg_str_n(text, 7 + HG_HTTP_HOST_MAX + 1), &url));
    assert_null(http_url_split(hg_str_n(text, 7 + HG_HTTP_HOST_MAX), &url));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_own_ports),
        cmocka_unit_test(test_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
