/*
 * Claims: one holder for each name.
 */
#include "core/claims.h"
#include "tests/unit/unit.h"

static void test_one_holder(void **state)
{
    struct hg_claims *claims = hg_claims_new();

    (void)state;
    assert_false(hg_claims_has(claims, HG_STR("a")));
    assert_true(hg_claims_take(claims, HG_STR("a")));
    assert_true(hg_claims_has(claims, HG_STR("a")));
    assert_false(hg_claims_take(claims, HG_STR("a")));
    assert_true(hg_claims_take(claims, HG_STR("ab")));
    hg_claims_drop(claims, HG_STR("a"));
    assert_false(hg_claims_has(claims, HG_STR("a")));
    assert_true(hg_claims_has(claims, HG_STR("ab")));
    assert_true(hg_claims_take(claims, HG_STR("a")));
    hg_claims_free(claims);
}

static void test_name_is_copied(void **state)
{
    struct hg_claims *claims = hg_claims_new();
    char name[] = "abc";

    (void)state;
    assert_true(hg_claims_take(claims, hg_str_of(name)));
    name[0] = 'x';
    assert_true(hg_claims_has(claims, HG_STR("abc")));
    assert_false(hg_claims_has(claims, HG_STR("xbc")));
    hg_claims_drop(claims, HG_STR("abc"));
    hg_claims_free(claims);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_holder),
        cmocka_unit_test(test_name_is_copied),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
