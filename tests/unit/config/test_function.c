/*
 * Function versions: sealed copies, documents, sameness.
 */
#include "config/function.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

static struct hg_str dirs[] = {{"/l1", 3}, {"/l2", 3}}, arns[] = {{"arn:1", 5}, {"arn:2", 5}},
                     sizes[] = {{"10", 2}, {"20", 2}};
static struct hg_kv environment[] = {{{"A", 1}, {"1", 1}}, {{"B", 1}, {"\"\\\n\xc3\xa4", 5}}},
                    tags[] = {{{"k", 1}, {"", 0}}};

/* Every field has a value that is not its fallback. */
static struct hg_function full(void)
{
    return (struct hg_function){
        .name = HG_STR("f"),
        .logical_id = HG_STR("F"),
        .arn = HG_STR("arn:f"),
        .version = HG_STR("7"),
        .runtime = HG_STR("python3.13"),
        .handler = HG_STR("app.handler"),
        .role = HG_STR("role"),
        .description = HG_STR("it's \"it\""),
        .code_dir = HG_STR("/code"),
        .layer_dirs = dirs,
        .layer_arns = arns,
        .layer_count = 2,
        .environment = {environment, 2},
        .has_environment = true,
        .architecture = HG_STR("arm64"),
        .tracing_mode = HG_STR("Active"),
        .log_format = HG_STR("JSON"),
        .app_log_level = HG_STR("INFO"),
        .system_log_level = HG_STR("WARN"),
        .log_group = HG_STR("/aws/lambda/f"),
        .tags = {tags, 1},
        .memory_mb = 1024,
        .timeout_s = 900,
        .ephemeral_mb = 10240,
        .reserved_concurrency = 0,
        .dead_letter = HG_STR("dlq"),
        .may_recurse = true,
        .last_modified_ms = 1767322800123,
        .code_sha256 = HG_STR("sha"),
        .code_size = UINT64_C(18446744073709551615),
        .code_zip = HG_STR("/code.zip"),
        .layer_sizes = sizes,
        .revision_id = HG_STR("rev"),
        .snap_start = HG_STR("None"),
        .kms_key = HG_STR("kms"),
        .vpc = HG_STR("{\"SubnetIds\":[]}"),
        .state = HG_STR("Active"),
        .state_reason = HG_STR("r"),
        .state_reason_code = HG_STR("c"),
        .update_status = HG_STR("Successful"),
        .update_reason = HG_STR("ur"),
        .update_reason_code = HG_STR("uc"),
        .published_revision = HG_STR("pub"),
        .line = 12,
    };
}

static const char full_doc[] =
    "{\"n\":\"f\",\"id\":\"F\",\"arn\":\"arn:f\",\"v\":\"7\",\"run\":\"python3.13\","
    "\"h\":\"app.handler\",\"role\":\"role\",\"d\":\"it's \\\"it\\\"\",\"dir\":\"/code\","
    "\"ldir\":[\"/l1\",\"/l2\"],\"larn\":[\"arn:1\",\"arn:2\"],\"lsize\":[\"10\",\"20\"],"
    "\"env\":[\"A\",\"1\",\"B\",\"\\\"\\\\\\n\xc3\xa4\"],\"hasenv\":true,\"arch\":\"arm64\","
    "\"trace\":\"Active\",\"log\":\"JSON\",\"app\":\"INFO\",\"sys\":\"WARN\","
    "\"group\":\"/aws/lambda/f\",\"tags\":[\"k\",\"\"],\"mem\":1024,\"time\":900,\"tmp\":10240,"
    "\"reserved\":0,\"dlq\":\"dlq\",\"recurse\":true,\"at\":1767322800123,\"sha\":\"sha\","
    "\"size\":18446744073709551615,\"zip\":\"/code.zip\",\"rev\":\"rev\",\"snap\":\"None\","
    "\"kms\":\"kms\",\"vpc\":\"{\\\"SubnetIds\\\":[]}\",\"st\":\"Active\",\"str\":\"r\","
    "\"stc\":\"c\",\"up\":\"Successful\",\"upr\":\"ur\",\"upc\":\"uc\",\"pub\":\"pub\","
    "\"line\":12}";

static void expect_doc(const struct hg_function *function, const char *expected)
{
    struct hg_json json;
    struct hg_buf doc;

    hg_buf_init(&doc, 1 << 16);
    json = hg_json_to(&doc);
    function_write(&json, function);
    assert_str(hg_buf_str(&doc), expected);
    hg_buf_fini(&doc);
}

static void test_documents_have_everything(void **state)
{
    struct hg_arena *arena = hg_arena_new(1 << 20);
    const struct hg_function original = full();
    struct hg_function *read;

    (void)state;
    expect_doc(&original, full_doc);
    assert_int_equal(function_read(arena, hg_str_of(full_doc), &read), HG_OK);
    expect_doc(read, full_doc);
    hg_arena_free(arena);
}

static void test_fallbacks_are_left_out(void **state)
{
    static const char doc[] = "{\"n\":\"f\",\"arn\":\"a\",\"v\":\"1\"}";
    const struct hg_function plain = {.name = HG_STR("f"),
                                      .arn = HG_STR("a"),
                                      .version = HG_STR("1"),
                                      .reserved_concurrency = -1};
    struct hg_arena *arena = hg_arena_new(1 << 20);
    struct hg_function *read;

    (void)state;
    expect_doc(&plain, doc);
    assert_int_equal(function_read(arena, hg_str_of(doc), &read), HG_OK);
    assert_int_equal(read->reserved_concurrency, -1);
    assert_non_null(read->handler.p);
    assert_int_equal(read->handler.n, 0);
    assert_null(read->layer_dirs);
    assert_false(read->has_environment);
    hg_arena_free(arena);
}

static void test_what_is_no_document(void **state)
{
    static const char *const texts[] = {
        "",
        "null",
        "[]",
        "{",
        "{\"n\":\"f\",\"arn\":\"a\"}",                         /* no version */
        "{\"n\":1,\"arn\":\"a\",\"v\":\"1\"}",                 /* kind */
        "{\"arn\":\"a\",\"n\":\"f\",\"v\":\"1\"}",             /* order */
        "{\"n\":\"f\",\"arn\":\"a\",\"v\":\"1\",\"new\":1}",   /* unheard of */
        "{\"n\":\"f\",\"arn\":\"a\",\"v\":\"1\",\"mem\":-1}",  /* range */
        "{\"n\":\"f\",\"arn\":\"a\",\"v\":\"1\",\"mem\":1.5}", /* range */
        "{\"n\":\"f\",\"arn\":\"a\",\"v\":\"1\",\"mem\":4294967296}",
        "{\"n\":\"f\",\"arn\":\"a\",\"v\":\"1\",\"env\":[\"A\"]}", /* half a pair */
        "{\"n\":\"f\",\"arn\":\"a\",\"v\":\"1\",\"env\":[1,2]}",
        "{\"n\":\"f\",\"arn\":\"a\",\"v\":\"1\",\"larn\":[\"x\"]}", /* without folder */
        "{\"n\":\"f\",\"arn\":\"a\",\"v\":\"1\",\"ldir\":[\"x\"],\"larn\":[\"x\",\"y\"]}",
        "{\"n\":\"f\",\"n\":\"f\",\"arn\":\"a\",\"v\":\"1\"}",
    };
    struct hg_function *read;

    (void)state;
    for (size_t i = 0; i < HG_COUNT(texts); i++) {
        struct hg_arena *arena = hg_arena_new(1 << 20);

        if (function_read(arena, hg_str_of(texts[i]), &read) != HG_E_INVALID)
            fail_msg("%s", texts[i]);
        hg_arena_free(arena);
    }
}

static void test_sealed_copies_are_their_own(void **state)
{
    struct hg_arena *arena = hg_arena_new(1 << 20);
    struct hg_function *draft, *sealed;

    (void)state;
    assert_int_equal(function_read(arena, hg_str_of(full_doc), &draft), HG_OK);
    sealed = function_seal(draft);
    hg_arena_free(arena);
    expect_doc(sealed, full_doc);
    assert_int_equal(sealed->code_dir.p[sealed->code_dir.n], '\0');
    assert_ptr_equal(function_ref(sealed), sealed);
    function_unref(sealed);
    arena = hg_arena_new(1 << 20);
    draft = function_draft(arena, sealed);
    draft->handler = HG_STR("other");
    assert_str(sealed->handler, "app.handler");
    function_unref(sealed);
    hg_arena_free(arena);
    function_unref(NULL);
}

static void test_sealing_gives_empty_texts_a_place(void **state)
{
    struct hg_function *sealed = function_seal(&(struct hg_function){.name = HG_STR("f")});

    (void)state;
    assert_non_null(sealed->role.p);
    assert_int_equal(sealed->role.p[0], '\0');
    function_unref(sealed);
}

/* Changes one field of a copy; whether it is still the same code and configuration. */
#define EXPECT_SAME(expected, change) \
    do { \
        struct hg_function a = full(), b = full(); \
        change; \
        assert_int_equal(function_is_same(&a, &b), expected); \
    } while (0)

static void test_sameness(void **state)
{
    struct hg_kv other[] = {{HG_STR("A"), HG_STR("1")}, {HG_STR("B"), HG_STR("2")}};
    struct hg_str other_arns[] = {HG_STR("arn:1"), HG_STR("arn:3")};

    (void)state;
    EXPECT_SAME(true, (void)b);
    EXPECT_SAME(true, b.version = HG_STR("8"));
    EXPECT_SAME(true, b.revision_id = HG_STR("x"));
    EXPECT_SAME(true, b.last_modified_ms = 1);
    EXPECT_SAME(true, b.state = HG_STR("Pending"));
    EXPECT_SAME(true, b.update_status = HG_STR("InProgress"));
    EXPECT_SAME(true, b.arn = HG_STR("x"));
    EXPECT_SAME(true, b.code_dir = HG_STR("/copy"));
    EXPECT_SAME(true, b.reserved_concurrency = 4);
    EXPECT_SAME(true, b.may_recurse = false);
    EXPECT_SAME(true, b.tags.count = 0);
    EXPECT_SAME(false, b.code_sha256 = HG_STR("x"));
    EXPECT_SAME(false, b.handler = HG_STR("x"));
    EXPECT_SAME(false, b.runtime = HG_STR("x"));
    EXPECT_SAME(false, b.role = HG_STR("x"));
    EXPECT_SAME(false, b.description = HG_STR("x"));
    EXPECT_SAME(false, b.memory_mb = 128);
    EXPECT_SAME(false, b.timeout_s = 3);
    EXPECT_SAME(false, b.ephemeral_mb = 512);
    EXPECT_SAME(false, b.environment.count = 1);
    EXPECT_SAME(false, b.environment.items = other);
    EXPECT_SAME(false, b.has_environment = false);
    EXPECT_SAME(false, b.layer_count = 1);
    EXPECT_SAME(false, b.layer_arns = other_arns);
    EXPECT_SAME(false, b.dead_letter = HG_STR(""));
    EXPECT_SAME(false, b.tracing_mode = HG_STR("PassThrough"));
    EXPECT_SAME(false, b.log_format = HG_STR("Text"));
    EXPECT_SAME(false, b.log_group = HG_STR("x"));
    EXPECT_SAME(false, b.snap_start = HG_STR("PublishedVersions"));
    EXPECT_SAME(false, b.vpc = HG_STR(""));
    EXPECT_SAME(false, b.kms_key = HG_STR(""));
    EXPECT_SAME(false, b.architecture = HG_STR("x86_64"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_documents_have_everything),
        cmocka_unit_test(test_fallbacks_are_left_out),
        cmocka_unit_test(test_what_is_no_document),
        cmocka_unit_test(test_sealed_copies_are_their_own),
        cmocka_unit_test(test_sealing_gives_empty_texts_a_place),
        cmocka_unit_test(test_sameness),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
