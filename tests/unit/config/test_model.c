/*
 * Snapshot look-ups, and the registry under readers and a writer.
 */
#include "config/model.h"
#include "tests/unit/unit.h"

#include <pthread.h>

static struct hg_function *add_function(struct hg_stack *stack, const char *name,
                                        const char *version)
{
    struct hg_function *function = hg_arena_must(stack->arena, sizeof(*function));

    function->name = hg_str_of(name);
    function->version = hg_str_of(version);
    stack->functions[stack->function_count++] = function;
    if (strcmp(version, "$LATEST") == 0)
        (void)hg_map_set(&stack->functions_by_name, function->name, function);
    return function;
}

/* orders: $LATEST, 1, 2; alias live → 1, alias split → 1 or 2. function: $LATEST. */
static struct hg_snapshot *make_snapshot(const struct hg_function **latest,
                                         const struct hg_function **one,
                                         const struct hg_function **two)
{
    struct hg_stack *stack = stack_new(HG_STR("eu-west-1"), HG_STR("123456789012"));
    struct hg_snapshot *snapshot;
    const struct hg_function *first, *second;

    stack->functions = hg_arena_must(stack->arena, 4 * sizeof(struct hg_function *));
    (void)add_function(stack, "orders", "$LATEST");
    first = add_function(stack, "orders", "1");
    second = add_function(stack, "orders", "2");
    (void)add_function(stack, "function", "$LATEST");
    stack->aliases = hg_arena_must(stack->arena, 2 * sizeof(*stack->aliases));
    stack->aliases[0] = (struct hg_alias){
        .function_name = HG_STR("orders"), .name = HG_STR("live"), .function = first};
    stack->aliases[1] = (struct hg_alias){.function_name = HG_STR("orders"),
                                          .name = HG_STR("split"),
                                          .function = first,
                                          .weighted = second,
                                          .weight = 0.25};
    stack->alias_count = 2;
    snapshot = snapshot_of_stack(stack);
    *latest = snapshot_family(snapshot, HG_STR("orders"))->latest;
    *one = snapshot_family(snapshot, HG_STR("orders"))->versions[0];
    *two = snapshot_family(snapshot, HG_STR("orders"))->versions[1];
    return snapshot;
}

static void test_find_function(void **state)
{
    const struct hg_function *latest, *one, *two;
    struct hg_snapshot *snapshot = make_snapshot(&latest, &one, &two);
    const struct {
        const char *name, *qualifier;
        const struct hg_function *expected;
    } cases[] = {
        {"orders", "", latest},
        {"orders", "$LATEST", latest},
        {"orders", "2", two},
        {"orders", "3", NULL},
        {"orders", "live", one},
        {"orders:live", "", one},
        {"orders:live", "live", one},
        {"orders:live", "2", NULL},
        {"orders:$LATEST", "", latest},
        {"orders:", "", latest},
        {"Orders", "", NULL},
        {"function:orders", "", latest},
        {"function:orders:2", "", two},
        {"123456789012:function:orders", "", latest},
        {"123456789012:function:orders:1", "", one},
        {"999999999999:function:orders", "", NULL},
        {"eu-west-1:123456789012:function:orders", "", latest},
        {"us-east-1:123456789012:function:orders", "", NULL},
        {"arn:aws:lambda:eu-west-1:123456789012:function:orders", "", latest},
        {"arn:aws:lambda:eu-west-1:123456789012:function:orders", "live", one},
        {"arn:aws-cn:lambda:eu-west-1:123456789012:function:orders:2", "", two},
        {"arn:aws:sqs:eu-west-1:123456789012:function:orders", "", NULL},
        {"arn:aws:lambda:eu-west-1:123456789012:function:orders:2:3", "", NULL},
        {"arn:aws:lambda:orders", "", NULL},
        {"", "", NULL},
        {":", "", NULL},
        {"orders:1:2", "", NULL},
    };

    (void)state;
    for (size_t i = 0; i < HG_COUNT(cases); i++) {
        const struct hg_function *found = snapshot_find_function(snapshot, hg_str_of(cases[i].name),
                                                                 hg_str_of(cases[i].qualifier));

        if (found != cases[i].expected)
            fail_msg("%s / %s", cases[i].name, cases[i].qualifier);
    }
    assert_non_null(snapshot_find_function(snapshot, HG_STR("function"), HG_STR("")));
    snapshot_unref(snapshot);
}

static void test_weighted_alias(void **state)
{
    const struct hg_function *latest, *one, *two;
    struct hg_snapshot *snapshot = make_snapshot(&latest, &one, &two);
    unsigned twos = 0;

    (void)state;
    for (int i = 0; i < 10000; i++)
        twos += snapshot_find_function(snapshot, HG_STR("orders"), HG_STR("split")) == two;
    /* 2500 expected, standard deviation 43: ten of them either way never happen. */
    assert_in_range(twos, 2070, 2930);
    snapshot_unref(snapshot);
}

static void test_kv_get(void **state)
{
    struct hg_kv items[] = {{HG_STR("a"), HG_STR("1")}, {HG_STR("b"), HG_STR("")}};
    struct hg_kv_list list = {items, 2};

    (void)state;
    assert_str(kv_get(&list, HG_STR("a")), "1");
    assert_non_null(kv_get(&list, HG_STR("b")).p);
    assert_null(kv_get(&list, HG_STR("c")).p);
}

struct readers {
    struct hg_registry *registry;
    _Atomic bool is_over;
};

static void *read_until_over(void *arg)
{
    struct readers *readers = arg;
    struct hg_snapshot *mine = registry_current(readers->registry);
    uint64_t version = 0;

    while (!atomic_load(&readers->is_over)) {
        struct hg_snapshot *again = registry_current(readers->registry);

        hg_assert(hg_str_is(again->region, "eu-west-1"));
        snapshot_unref(again);
        if (registry_version(readers->registry) != version) {
            version = registry_version(readers->registry);
            snapshot_unref(mine);
            mine = registry_current(readers->registry);
        }
        hg_assert(hg_str_is(mine->account, "123456789012"));
    }
    snapshot_unref(mine);
    return NULL;
}

static void test_registry(void **state)
{
    struct readers readers = {.registry = registry_new(snapshot_of_stack(
                                  stack_new(HG_STR("eu-west-1"), HG_STR("123456789012"))))};
    struct hg_snapshot *first = registry_current(readers.registry);
    pthread_t threads[3];

    (void)state;
    assert_int_equal(first->counted.refs, 2);
    for (size_t i = 0; i < HG_COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_until_over, &readers), 0);
    for (int i = 0; i < 2000; i++)
        registry_publish(readers.registry,
                         snapshot_of_stack(stack_new(HG_STR("eu-west-1"), HG_STR("123456789012"))));
    atomic_store(&readers.is_over, true);
    for (size_t i = 0; i < HG_COUNT(threads); i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(registry_version(readers.registry), 2001);
    assert_int_equal(first->counted.refs, 1);
    snapshot_unref(first);
    registry_free(readers.registry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find_function),
        cmocka_unit_test(test_weighted_alias),
        cmocka_unit_test(test_kv_get),
        cmocka_unit_test(test_registry),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
