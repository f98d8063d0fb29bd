/* core/arena: limits, deferral, reset. */
#include "core/arena.h"
#include "tests/unit/unit.h"

static char order[8];
static size_t order_count;

static void note(void *ptr)
{
    order[order_count++] = *(char *)ptr;
}

static void test_limit_is_kept(void **state)
{
    struct hg_arena *arena = hg_arena_new(100);

    (void)state;
    assert_non_null(hg_arena_alloc(arena, 64));
    assert_null(hg_arena_alloc(arena, 64));
    assert_null(hg_arena_alloc(arena, SIZE_MAX));
    assert_non_null(hg_arena_alloc(arena, 16));
    hg_arena_free(arena);
}

static void test_pieces_are_aligned_and_apart(void **state)
{
    struct hg_arena *arena = hg_arena_new(1 << 20);
    char *first = hg_arena_alloc(arena, 3), *big = hg_arena_alloc(arena, 10000),
         *last = hg_arena_alloc(arena, 3);

    (void)state;
    memset(first, 'a', 3);
    memset(big, 'b', 10000);
    memset(last, 'c', 3);
    assert_int_equal((uintptr_t)first % 16, 0);
    assert_int_equal((uintptr_t)big % 16, 0);
    assert_int_equal((uintptr_t)last % 16, 0);
    assert_memory_equal(first, "aaa", 3);
    assert_int_equal(big[9999], 'b');
    hg_arena_free(arena);
}

static void test_deferred_runs_newest_first(void **state)
{
    struct hg_arena *arena = hg_arena_new(1 << 20);

    (void)state;
    order_count = 0;
    hg_arena_defer(arena, note, hg_arena_strdup(arena, HG_STR("1")));
    hg_arena_defer(arena, note, hg_arena_strdup(arena, HG_STR("2")));
    hg_arena_reset(arena);
    assert_int_equal(order_count, 2);
    assert_memory_equal(order, "21", 2);
    assert_int_equal(hg_arena_used(arena), 0);
    assert_string_equal(hg_arena_printf(arena, "%d-%s", 7, "x"), "7-x");
    hg_arena_free(arena);
    assert_int_equal(order_count, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limit_is_kept),
        cmocka_unit_test(test_pieces_are_aligned_and_apart),
        cmocka_unit_test(test_deferred_runs_newest_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
