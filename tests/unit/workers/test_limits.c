/*
 * Places for environments: what is kept for a function, what is shared, and what happens when the machine is short.
 */
#include "tests/unit/unit.h"

#include "workers/limits.h"

/* Takes as many as there are. */
static unsigned take_all(struct hg_limits *limits, struct hg_quota *quota, bool is_provisioned,
                         struct hg_limit **full)
{
    unsigned count = 0;

    while (limits_take(limits, quota, is_provisioned, full))
        count++;
    return count;
}

static void a_reservation_is_ceiling_and_guarantee(void **state)
{
    struct hg_limits limits;
    struct hg_quota reserved, other;
    struct hg_limit *full;

    (void)state;
    limits_init(&limits, 10);
    quota_init(&reserved);
    quota_init(&other);
    limits_set(&limits, &reserved, 3, 0);
    assert_int_equal(take_all(&limits, &other, false, &full), 7);
    assert_ptr_equal(full, &limits.shared);
    assert_string_equal(quota_reason(&other), "ConcurrentInvocationLimitExceeded");
    assert_int_equal(take_all(&limits, &reserved, false, &full), 3);
    assert_ptr_equal(full, &reserved.on_demand);
    assert_string_equal(quota_reason(&reserved),
                        "ReservedFunctionConcurrentInvocationLimitExceeded");
    assert_true(quota_is_full(&limits, &reserved));
}

static void provisioned_is_part_of_the_reservation(void **state)
{
    struct hg_limits limits;
    struct hg_quota quota;
    struct hg_limit *full, *places[4];

    (void)state;
    limits_init(&limits, 10);
    quota_init(&quota);
    limits_set(&limits, &quota, 4, 3);
    assert_int_equal(take_all(&limits, &quota, false, &full), 1);
    for (int i = 0; i < 3; i++) {
        places[i] = limits_take(&limits, &quota, true, &full);
        assert_ptr_equal(places[i], &quota.own);
    }
    limits_give(&quota, places[0], true);
    assert_int_equal(atomic_load(&quota.own.used), 3);
    assert_int_equal(atomic_load(&quota.on_demand.used), 1);
}

static void provisioned_without_a_reservation_has_no_ceiling(void **state)
{
    struct hg_limits limits;
    struct hg_quota quota;
    struct hg_limit *full;

    (void)state;
    limits_init(&limits, 10);
    quota_init(&quota);
    limits_set(&limits, &quota, -1, 4);
    assert_int_equal(atomic_load(&limits.shared.max), 6);
    for (int i = 0; i < 4; i++)
        assert_ptr_equal(limits_take(&limits, &quota, true, &full), &quota.own);
    assert_int_equal(take_all(&limits, &quota, false, &full), 6);
}

static void a_short_machine_keeps_claims_in_proportion(void **state)
{
    struct hg_limits limits;
    struct hg_quota a, b, other;
    struct hg_limit *full;

    (void)state;
    limits_init(&limits, 20);
    quota_init(&a);
    quota_init(&b);
    quota_init(&other);
    limits_set(&limits, &a, 600, 0);
    limits_set(&limits, &b, 300, 0);
    /* Of 20 places 2 stay shared; 18 are kept 2 to 1. */
    assert_int_equal(atomic_load(&a.own.max), 12);
    assert_int_equal(atomic_load(&b.own.max), 6);
    assert_int_equal(take_all(&limits, &other, false, &full), 2);
    assert_int_equal(take_all(&limits, &a, false, &full), 12);
    limits_set(&limits, &a, -1, 0);
    limits_set(&limits, &b, 5, 0);
    assert_int_equal(atomic_load(&b.own.max), 5);
    assert_int_equal(atomic_load(&limits.shared.max), 15);
    limits_set(&limits, &b, -1, 0);
    assert_int_equal(atomic_load(&limits.shared.max), 20);
    assert_int_equal(limits.claimed, 0);
}

static void places_follow_a_change_of_what_is_kept(void **state)
{
    struct hg_limits limits;
    struct hg_quota quota;
    struct hg_limit *full, *place;

    (void)state;
    limits_init(&limits, 10);
    quota_init(&quota);
    place = limits_take(&limits, &quota, false, &full);
    assert_ptr_equal(place, &limits.shared);
    assert_ptr_equal(limits_settle(&limits, &quota, place), &limits.shared);
    limits_set(&limits, &quota, 2, 0);
    place = limits_settle(&limits, &quota, place);
    assert_ptr_equal(place, &quota.own);
    assert_int_equal(atomic_load(&limits.shared.used), 0);
    limits_set(&limits, &quota, 0, 0);
    assert_true(quota_is_over(&quota));
    place = limits_settle(&limits, &quota, place);
    assert_ptr_equal(place, &limits.shared);
    limits_give(&quota, place, false);
    assert_int_equal(atomic_load(&limits.shared.used), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reservation_is_ceiling_and_guarantee),
        cmocka_unit_test(provisioned_is_part_of_the_reservation),
        cmocka_unit_test(provisioned_without_a_reservation_has_no_ceiling),
        cmocka_unit_test(a_short_machine_keeps_claims_in_proportion),
        cmocka_unit_test(places_follow_a_change_of_what_is_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
