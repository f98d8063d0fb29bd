/*
 * Aliases as documents; names and ARNs of layers.
 */
#include "api/lambda_alias.h"
#include "api/lambda_layer.h"
#include "tests/unit/unit.h"

#include <stdio.h>

static void expect_alias(const struct hg_alias *alias, const char *json_text)
{
    struct hg_snapshot snapshot = {.region = HG_STR("eu-west-1"),
                                   .account = HG_STR("111122223333")};
    struct hg_buf buf;
    struct hg_json json = hg_json_to(&buf);

    hg_buf_init(&buf, 4096);
    alias_write(&json, &snapshot, alias);
    assert_str(hg_buf_str(&buf), json_text);
    hg_buf_fini(&buf);
}

static void test_an_alias(void **state)
{
    struct hg_function one = {.version = HG_STR("1")};
    struct hg_alias alias = {
        .function_name = HG_STR("orders"),
        .name = HG_STR("live"),
        .description = HG_STR("d"),
        .revision_id = HG_STR("r"),
        .function = &one,
    };

    (void)state;
    expect_alias(&alias,
                 "{\"AliasArn\":\"arn:aws:lambda:eu-west-1:111122223333:function:orders:live\","
                 "\"Name\":\"live\",\"FunctionVersion\":\"1\",\"Description\":\"d\","
                 "\"RevisionId\":\"r\"}");
}

static void test_weights_read_as_they_were_given(void **state)
{
    static const struct {
        double weight;
        const char *text;
    } cases[] = {{0, "0"},         {1, "1"},        {0.1, "0.1"}, {0.25, "0.25"},
                 {0.333, "0.333"}, {1e-9, "1e-09"}, {0.7, "0.7"}, {1.0 / 3, "0.3333333333333333"}};
    struct hg_function one = {.version = HG_STR("1")}, two = {.version = HG_STR("2")};
    struct hg_alias alias = {
        .function_name = HG_STR("f"),
        .name = HG_STR("a"),
        .function = &one,
        .weighted = &two,
    };
    char text[512];

    (void)state;
    for (size_t i = 0; i < HG_COUNT(cases); i++) {
        alias.weight = cases[i].weight;
        (void)snprintf(text, sizeof(text),
                       "{\"AliasArn\":\"arn:aws:lambda:eu-west-1:111122223333:function:f:a\","
                       "\"Name\":\"a\",\"FunctionVersion\":\"1\",\"Description\":\"\","
                       "\"RoutingConfig\":{\"AdditionalVersionWeights\":{\"2\":%s}},"
                       "\"RevisionId\":\"\"}",
                       cases[i].text);
        expect_alias(&alias, text);
    }
}

static void test_names_of_layers(void **state)
{
    struct layer_ref ref = layer_ref_parse(HG_STR("shared"));

    (void)state;
    assert_str(ref.name, "shared");
    assert_null(ref.account.p);
    assert_int_equal(ref.number, 0);
    ref = layer_ref_parse(HG_STR("arn:aws:lambda:eu-west-1:111122223333:layer:shared"));
    assert_str(ref.region, "eu-west-1");
    assert_str(ref.account, "111122223333");
    assert_str(ref.name, "shared");
    assert_int_equal(ref.number, 0);
    ref = layer_ref_parse(HG_STR("arn:aws-cn:lambda:eu-west-1:111122223333:layer:shared:12"));
    assert_str(ref.name, "shared");
    assert_int_equal(ref.number, 12);
    ref = layer_ref_parse(HG_STR("arn:aws:lambda:::awslayer:shared"));
    assert_str(ref.name, "");
    ref = layer_ref_parse(HG_STR("arn:"));
    assert_str(ref.name, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_alias),
        cmocka_unit_test(test_weights_read_as_they_were_given),
        cmocka_unit_test(test_names_of_layers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
