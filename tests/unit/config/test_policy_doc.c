/*
 * Statements and policies: texts as the service writes them.
 */
#include "config/policy_doc.h"
#include "tests/unit/unit.h"

static struct hg_arena *arena;

static int open_arena(void **state)
{
    (void)state;
    arena = hg_arena_new(1 << 20);
    return 0;
}

static int close_arena(void **state)
{
    (void)state;
    hg_arena_free(arena);
    return 0;
}

static struct policy_terms terms_for(const char *principal)
{
    return (struct policy_terms){
        .sid = HG_STR("s3"),
        .principal = hg_str_of(principal),
        .action = HG_STR("lambda:InvokeFunction"),
        .resource = HG_STR("arn:aws:lambda:eu-west-1:111122223333:function:orders"),
    };
}

static const char *statement(const struct policy_terms *terms)
{
    return policy_statement_json(arena, terms).p;
}

static void test_a_service_with_conditions(void **state)
{
    struct policy_terms terms = terms_for("s3.amazonaws.com");

    (void)state;
    terms.source_account = HG_STR("111122223333");
    terms.source_arn = HG_STR("arn:aws:s3:::bucket");
    assert_string_equal(
        statement(&terms),
        "{\"Sid\":\"s3\",\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"s3.amazonaws.com\"},"
        "\"Action\":\"lambda:InvokeFunction\","
        "\"Resource\":\"arn:aws:lambda:eu-west-1:111122223333:function:orders\","
        "\"Condition\":{\"StringEquals\":{\"AWS:SourceAccount\":\"111122223333\"},"
        "\"ArnLike\":{\"AWS:SourceArn\":\"arn:aws:s3:::bucket\"}}}");
}

static void test_principals(void **state)
{
    static const struct {
        const char *principal, *json;
    } cases[] = {
        {"*", "\"Principal\":\"*\","},
        {"111122223333", "\"Principal\":{\"AWS\":\"arn:aws:iam::111122223333:root\"},"},
        {"arn:aws:iam::111122223333:user/u",
         "\"Principal\":{\"AWS\":\"arn:aws:iam::111122223333:user/u\"},"},
        {"events.amazonaws.com", "\"Principal\":{\"Service\":\"events.amazonaws.com\"},"},
    };

    (void)state;
    for (size_t i = 0; i < HG_COUNT(cases); i++) {
        struct policy_terms terms = terms_for(cases[i].principal);

        assert_true(policy_principal_is_valid(terms.principal));
        assert_non_null(strstr(statement(&terms), cases[i].json));
        assert_null(strstr(statement(&terms), "Condition"));
    }
}

static void test_principals_that_are_none(void **state)
{
    static const char *const wrong[] = {"",
                                        "invalid.nonaws.com",
                                        "s3",
                                        ".amazonaws.com",
                                        "*.amazonaws.com",
                                        "11112222333",
                                        "1111222233334",
                                        "arn:aws:s3:::bucket",
                                        "arn:aws:iam::x:root",
                                        "arn:aws:iam::111122223333:",
                                        "arn:aws:iam"};

    (void)state;
    for (size_t i = 0; i < HG_COUNT(wrong); i++)
        if (policy_principal_is_valid(hg_str_of(wrong[i])))
            fail_msg("'%s' passed", wrong[i]);
}

static void test_conditions_of_urls_tokens_and_organisations(void **state)
{
    struct policy_terms terms = terms_for("*");

    (void)state;
    terms.url_auth_type = HG_STR("NONE");
    terms.org_id = HG_STR("o-0123456789");
    terms.event_token = HG_STR("t\"k");
    terms.is_via_url = true;
    assert_non_null(strstr(statement(&terms),
                           "\"Condition\":{\"StringEquals\":{"
                           "\"lambda:FunctionUrlAuthType\":\"NONE\","
                           "\"aws:PrincipalOrgID\":\"o-0123456789\","
                           "\"lambda:EventSourceToken\":\"t\\\"k\"},"
                           "\"Bool\":{\"lambda:InvokedViaFunctionUrl\":\"true\"}}}"));
}

static void test_a_policy_grows_and_shrinks(void **state)
{
    struct hg_statement a = {HG_STR("a"), HG_STR("{\"Sid\":\"a\"}")},
                        b = {HG_STR("b"), HG_STR("{\"Sid\":\"b\"}")};
    struct hg_policy one = policy_with(arena, NULL, HG_STR("live"), &a, HG_STR("r1"));
    struct hg_policy two = policy_with(arena, &one, HG_STR("live"), &b, HG_STR("r2"));
    struct hg_policy rest = policy_without(arena, &two, HG_STR("a"), HG_STR("r3"));

    (void)state;
    assert_string_equal(
        policy_json(arena, &two).p,
        "{\"Version\":\"2012-10-17\",\"Id\":\"default\",\"Statement\":[{\"Sid\":\"a\"},{\"Sid\":\"b\"}]}");
    assert_string_equal(
        policy_json(arena, &rest).p,
        "{\"Version\":\"2012-10-17\",\"Id\":\"default\",\"Statement\":[{\"Sid\":\"b\"}]}");
    assert_string_equal(rest.qualifier.p, "live");
    assert_string_equal(rest.revision_id.p, "r3");
    assert_non_null(policy_find(&two, HG_STR("a")));
    assert_null(policy_find(&rest, HG_STR("a")));
    assert_int_equal(one.statement_count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_service_with_conditions, open_arena, close_arena),
        cmocka_unit_test_setup_teardown(test_principals, open_arena, close_arena),
        cmocka_unit_test_setup_teardown(test_principals_that_are_none, open_arena, close_arena),
        cmocka_unit_test_setup_teardown(test_conditions_of_urls_tokens_and_organisations,
                                        open_arena, close_arena),
        cmocka_unit_test_setup_teardown(test_a_policy_grows_and_shrinks, open_arena, close_arena),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
