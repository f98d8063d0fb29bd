/*
 * The archive is cut out of a call's body; all else stays as it was sent.
 */
#include "api/lambda_code_parts.h"
#include "tests/unit/unit.h"

/* Cuts, and compares what is left and what the archive holds (NULL: there is none). */
static void expect(const char *body, const char *parent, const char *rest, const char *zip)
{
    struct hg_buf text, bytes;
    bool has_zip;

    hg_buf_init(&text, 4096);
    hg_buf_init(&bytes, 4096);
    hg_buf_append_cstr(&text, body);
    assert_true(code_cut_zip(&text, parent, &bytes, &has_zip));
    assert_str(hg_buf_str(&text), rest);
    assert_int_equal(has_zip, zip != NULL);
    assert_str(hg_buf_str(&bytes), zip ? zip : "");
    hg_buf_fini(&text);
    hg_buf_fini(&bytes);
}

static void test_cut(void **state)
{
    (void)state;
    expect("{\"ZipFile\":\"aGVsbG8=\",\"Publish\":true}", NULL,
           "{\"ZipFile\":\"\",\"Publish\":true}", "hello");
    expect("{\"Role\":\"r\",\"Code\": { \"ZipFile\" : \"aGVsbG8=\" } }", "Code",
           "{\"Role\":\"r\",\"Code\": { \"ZipFile\" : \"\" } }", "hello");
    expect("{\"ZipFile\":\"\"}", NULL, "{\"ZipFile\":\"\"}", "");
    /* Slashes may be escaped: \/ is "/" in base64. */
    expect("{\"ZipFile\":\"Pz8\\/\"}", NULL, "{\"ZipFile\":\"\"}", "???");
}

static void test_nothing_to_cut(void **state)
{
    static const char *const bodies[] = {
        "",
        "{}",
        "[\"ZipFile\",\"aGVsbG8=\"]",
        "{\"ZipFile\":5}",
        "{\"Code\":{\"ZipFile\":\"aGVsbG8=\"}}",
        "{\"ZipFile\":\"aGVsbG8=\"",
        "no JSON",
    };

    (void)state;
    for (size_t i = 0; i < HG_COUNT(bodies); i++)
        expect(bodies[i], NULL, bodies[i], NULL);
    expect("{\"ZipFile\":\"aGVsbG8=\"}", "Code", "{\"ZipFile\":\"aGVsbG8=\"}", NULL);
    expect("{\"Code\":\"aGVsbG8=\"}", "Code", "{\"Code\":\"aGVsbG8=\"}", NULL);
}

static void test_no_base64(void **state)
{
    static const char *const bodies[] = {
        "{\"ZipFile\":\"aGVsbG8\"}",
        "{\"ZipFile\":\"aGVs bG8=\"}",
        "{\"ZipFile\":\"????\"}",
        "{\"ZipFile\":\"\\u0000\"}",
    };

    (void)state;
    for (size_t i = 0; i < HG_COUNT(bodies); i++) {
        struct hg_buf text, bytes;
        bool has_zip;

        hg_buf_init(&text, 4096);
        hg_buf_init(&bytes, 4096);
        hg_buf_append_cstr(&text, bodies[i]);
        assert_false(code_cut_zip(&text, NULL, &bytes, &has_zip));
        hg_buf_fini(&text);
        hg_buf_fini(&bytes);
    }
}

/* A request by its method and path, and how large its body may be. */
static void expect_limit(const char *method, const char *path, size_t limit)
{
    struct hg_request req = {.method = hg_str_of(method), .path = hg_str_of(path)};

    assert_int_equal(code_body_max(&req, 1000), limit);
    assert_int_equal(code_large_body(&req).p != NULL, limit > 1000);
}

static void test_limits(void **state)
{
    (void)state;
    expect_limit("POST", "/2015-03-31/functions", 70167211);
    expect_limit("POST", "/2015-03-31/functions/", 70167211);
    expect_limit("PUT", "/2015-03-31/functions/f/code", 70167211);
    expect_limit("POST", "/2018-10-31/layers/l/versions", 70167211);
    expect_limit("GET", "/2015-03-31/functions", 1000);
    expect_limit("POST", "/2015-03-31/functions/f/invocations", 1000);
    expect_limit("PUT", "/2015-03-31/functions/f/configuration", 1000);
    expect_limit("POST", "/2015-03-31/functions/functions/invocations", 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_nothing_to_cut),
        cmocka_unit_test(test_no_base64),
        cmocka_unit_test(test_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
