/* core/map: many keys, removal that keeps runs whole. */
#include "core/map.h"
#include "tests/unit/unit.h"

#include <stdio.h>

enum { KEYS = 2000 };
static char keys[KEYS][16];

static void test_set_get_remove(void **state)
{
    struct hg_map map;
    size_t seen = 0;

    (void)state;
    hg_map_init(&map);
    assert_null(hg_map_get(&map, HG_STR("x")));
    assert_null(hg_map_remove(&map, HG_STR("x")));
    for (int i = 0; i < KEYS; i++) {
        (void)snprintf(keys[i], sizeof(keys[i]), "k%d", i);
        assert_null(hg_map_set(&map, hg_str_of(keys[i]), keys[i]));
    }
    for (int i = 0; i < KEYS; i += 3)
        assert_ptr_equal(hg_map_remove(&map, hg_str_of(keys[i])), keys[i]);
    for (int i = 0; i < KEYS; i++)
        assert_ptr_equal(hg_map_get(&map, hg_str_of(keys[i])), i % 3 ? keys[i] : NULL);
    for (size_t at = 0; hg_map_next(&map, &at);)
        seen++;
    assert_int_equal(seen, map.count);
    assert_ptr_equal(hg_map_set(&map, HG_STR("k1"), keys[2]), keys[1]);
    hg_map_fini(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_set_get_remove)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
