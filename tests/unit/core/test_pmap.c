/*
 * The persistent map: copies that differ, references that add up.
 */
#include "core/pmap.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

struct item {
    struct hg_counted counted;
    char name[16];
    int value;
};

static unsigned alive;

static struct hg_str key_of(const struct hg_counted *entry)
{
    return hg_str_of(hg_container_of(entry, const struct item, counted)->name);
}

static void free_item(struct hg_counted *entry)
{
    alive--;
    free(hg_container_of(entry, struct item, counted));
}

static const struct hg_pmap_type type = {.key = key_of, .free = free_item};

static void put(struct hg_pmap *map, int number, int value)
{
    struct item *item = hg_calloc(1, sizeof(*item));

    atomic_init(&item->counted.refs, 1);
    (void)snprintf(item->name, sizeof(item->name), "item-%d", number);
    item->value = value;
    alive++;
    hg_pmap_put(map, &item->counted);
}

/* -1: not there. */
static int get(const struct hg_pmap *map, int number)
{
    char name[16];
    const struct hg_counted *entry;

    (void)snprintf(name, sizeof(name), "item-%d", number);
    entry = hg_pmap_get(map, hg_str_of(name));
    return entry ? hg_container_of(entry, const struct item, counted)->value : -1;
}

static bool take(struct hg_pmap *map, int number)
{
    char name[16];

    (void)snprintf(name, sizeof(name), "item-%d", number);
    return hg_pmap_remove(map, hg_str_of(name));
}

static void an_empty_map(void **state)
{
    struct hg_pmap map, copy;
    struct hg_pmap_at at = {0};

    (void)state;
    hg_pmap_init(&map, &type);
    assert_int_equal(get(&map, 1), -1);
    assert_false(take(&map, 1));
    assert_null(hg_pmap_next(&map, &at));
    hg_pmap_copy(&copy, &map);
    put(&copy, 1, 7);
    assert_int_equal(get(&map, 1), -1);
    assert_int_equal(get(&copy, 1), 7);
    hg_pmap_fini(&copy);
    hg_pmap_fini(&map);
    assert_int_equal(alive, 0);
}

static void what_is_put_is_found(void **state)
{
    struct hg_pmap map;

    (void)state;
    hg_pmap_init(&map, &type);
    for (int i = 0; i < 5000; i++)
        put(&map, i, i * 2);
    assert_int_equal(map.count, 5000);
    for (int i = 0; i < 5000; i++)
        assert_int_equal(get(&map, i), i * 2);
    assert_int_equal(get(&map, 5000), -1);
    put(&map, 17, 1);
    assert_int_equal(map.count, 5000);
    assert_int_equal(get(&map, 17), 1);
    assert_int_equal(alive, 5000);
    for (int i = 0; i < 5000; i += 2)
        assert_true(take(&map, i));
    assert_int_equal(map.count, 2500);
    assert_int_equal(alive, 2500);
    for (int i = 0; i < 5000; i++)
        assert_int_equal(get(&map, i), i % 2 == 0 ? -1 : i == 17 ? 1 : i * 2);
    hg_pmap_fini(&map);
    assert_int_equal(alive, 0);
}

static void copies_go_their_own_ways(void **state)
{
    struct hg_pmap first, second, third;

    (void)state;
    hg_pmap_init(&first, &type);
    for (int i = 0; i < 1000; i++)
        put(&first, i, 1);
    hg_pmap_copy(&second, &first);
    put(&second, 3, 2);
    put(&second, 1000, 2);
    assert_true(take(&second, 4));
    hg_pmap_copy(&third, &second);
    assert_true(take(&third, 3));
    assert_int_equal(get(&first, 3), 1);
    assert_int_equal(get(&second, 3), 2);
    assert_int_equal(get(&third, 3), -1);
    assert_int_equal(get(&first, 4), 1);
    assert_int_equal(get(&second, 4), -1);
    assert_int_equal(get(&first, 1000), -1);
    assert_int_equal(first.count, 1000);
    assert_int_equal(second.count, 1000);
    assert_int_equal(third.count, 999);
    /* All of the first, and what the second made. */
    assert_int_equal(alive, 1002);
    hg_pmap_fini(&first);
    assert_int_equal(alive, 1000);
    assert_int_equal(get(&second, 5), 1);
    hg_pmap_fini(&second);
    assert_int_equal(alive, 999);
    assert_int_equal(get(&third, 5), 1);
    hg_pmap_fini(&third);
    assert_int_equal(alive, 0);
}

static void a_walk_meets_each_once(void **state)
{
    struct hg_pmap map;
    struct hg_pmap_at at = {0};
    const struct hg_counted *entry;
    int sum = 0;

    (void)state;
    hg_pmap_init(&map, &type);
    for (int i = 1; i <= 100; i++)
        put(&map, i, i);
    while ((entry = hg_pmap_next(&map, &at)))
        sum += hg_container_of(entry, const struct item, counted)->value;
    assert_int_equal(sum, 5050);
    hg_pmap_fini(&map);
}

struct found {
    int before, after, count;
};

static void note(struct hg_counted *before, struct hg_counted *after, void *arg)
{
    struct found *found = arg;

    found->count++;
    found->before += before ? hg_container_of(before, struct item, counted)->value : 0;
    found->after += after ? hg_container_of(after, struct item, counted)->value : 0;
}

static void a_difference_names_what_changed(void **state)
{
    struct hg_pmap nothing = {0}, map, copy;
    struct found found = {0};

    (void)state;
    hg_pmap_init(&map, &type);
    for (int i = 1; i <= 1000; i++)
        put(&map, i, 1);
    hg_pmap_diff(&nothing, &map, note, &found);
    assert_int_equal(found.count, 1000);
    assert_int_equal(found.before, 0);
    assert_int_equal(found.after, 1000);
    hg_pmap_copy(&copy, &map);
    found = (struct found){0};
    hg_pmap_diff(&map, &copy, note, &found);
    assert_int_equal(found.count, 0);
    put(&copy, 7, 30);     /* changed */
    put(&copy, 5000, 500); /* new */
    (void)take(&copy, 8);  /* gone */
    hg_pmap_diff(&map, &copy, note, &found);
    assert_int_equal(found.count, 3);
    assert_int_equal(found.before, 2);
    assert_int_equal(found.after, 530);
    hg_pmap_fini(&map);
    hg_pmap_fini(&copy);
    assert_int_equal(alive, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_map),
        cmocka_unit_test(what_is_put_is_found),
        cmocka_unit_test(copies_go_their_own_ways),
        cmocka_unit_test(a_walk_meets_each_once),
        cmocka_unit_test(a_difference_names_what_changed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
