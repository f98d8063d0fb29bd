/*
 * Families, layers and mappings: sorted lists, copies that outlive the original, versions that aliases follow.
 */
#include "config/family.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

static struct hg_function draft_of(const char *version, const char *handler)
{
    return (struct hg_function){.name = HG_STR("f"),
                                .arn = HG_STR("arn"),
                                .version = hg_str_of(version),
                                .handler = hg_str_of(handler),
                                .reserved_concurrency = -1};
}

static struct hg_family *make(void)
{
    struct hg_family *family = family_new(HG_STR("f"), HG_ORIGIN_API);
    struct hg_function draft = draft_of("$LATEST", "latest");

    family_set_latest(family, &draft);
    return family;
}

static void add(struct hg_family *family, const char *version)
{
    struct hg_function draft = draft_of(version, version);

    family_add_version(family, &draft);
}

static enum hg_rc point(struct hg_family *family, const char *alias, const char *version,
                        const char *weighted)
{
    const struct hg_alias one = {.name = hg_str_of(alias)};

    return family_put_alias(family, &one, hg_str_of(version), hg_str_of(weighted));
}

static void test_versions_are_in_order(void **state)
{
    static const char *const added[] = {"10", "2", "1", "9", "100"}, *const expected[] = {"1", "2",
                                                                                          "9", "10",
                                                                                          "100"};
    struct hg_family *family = make();

    (void)state;
    for (size_t i = 0; i < HG_COUNT(added); i++)
        add(family, added[i]);
    assert_int_equal(family->version_count, 5);
    for (size_t i = 0; i < HG_COUNT(expected); i++)
        assert_str(family->versions[i]->version, expected[i]);
    assert_int_equal(family->last_version, 100);
    assert_str(family_version(family, HG_STR("9"))->handler, "9");
    assert_null(family_version(family, HG_STR("3")));
    assert_ptr_equal(family_version(family, HG_STR("")), family->latest);
    assert_ptr_equal(family_version(family, HG_STR("$LATEST")), family->latest);
    assert_true(family_remove_version(family, HG_STR("100")));
    assert_false(family_remove_version(family, HG_STR("100")));
    assert_int_equal(family->last_version, 100); /* never given again */
    family_unref(family);
}

static void test_aliases_follow(void **state)
{
    struct hg_family *family = make();
    struct hg_function draft = draft_of("$LATEST", "new");

    (void)state;
    add(family, "1");
    add(family, "2");
    assert_int_equal(point(family, "live", "1", "2"), HG_OK);
    assert_int_equal(point(family, "dev", "$LATEST", ""), HG_OK);
    assert_int_equal(point(family, "bad", "3", ""), HG_E_NOT_FOUND);
    assert_int_equal(point(family, "bad", "1", "3"), HG_E_NOT_FOUND);
    assert_int_equal(family->alias_count, 2);
    family_set_latest(family, &draft);
    assert_str(family_alias(family, HG_STR("dev"))->function->handler, "new");
    family_set_reserved(family, 3);
    family_set_recursion(family, true);
    assert_ptr_equal(family_alias(family, HG_STR("live"))->function, family->versions[0]);
    assert_ptr_equal(family_alias(family, HG_STR("live"))->weighted, family->versions[1]);
    assert_int_equal(family_alias(family, HG_STR("live"))->weighted->reserved_concurrency, 3);
    assert_true(family_alias(family, HG_STR("dev"))->function->may_recurse);
    family_unref(family);
}

static void test_lists_are_sorted_and_replaced(void **state)
{
    static const char *const names[] = {"m", "a", "z", "m"};
    struct hg_family *family = make();

    (void)state;
    add(family, "1");
    for (size_t i = 0; i < HG_COUNT(names); i++) {
        struct hg_url url = {.id = hg_str_of(i == 3 ? "new" : "old"),
                             .qualifier = hg_str_of(names[i])};
        struct hg_attached attached = {HG_STR("k"), hg_str_of(names[i]), HG_STR("{}")};

        assert_int_equal(point(family, names[i], "1", ""), HG_OK);
        family_put_url(family, &url);
        family_put_attached(family, &attached);
    }
    family_put_attached(family, &(struct hg_attached){HG_STR("j"), HG_STR("z"), HG_STR("1")});
    family_put_provisioned(family, &(struct hg_provisioned){HG_STR("b"), 2, 0});
    family_put_provisioned(family, &(struct hg_provisioned){HG_STR("a"), 1, 0});
    family_put_provisioned(family, &(struct hg_provisioned){HG_STR("b"), 3, 0});
    assert_int_equal(family->alias_count, 3);
    assert_str(family->aliases[0].name, "a");
    assert_str(family->aliases[2].name, "z");
    assert_int_equal(family->url_count, 3);
    assert_str(family_url(family, HG_STR("m"))->id, "new");
    assert_int_equal(family->attached_count, 4);
    assert_str(family->attached[0].kind, "j");
    assert_str(family_attached(family, HG_STR("j"), HG_STR("z"))->json, "1");
    assert_null(family_attached(family, HG_STR("j"), HG_STR("m")));
    assert_int_equal(family->provisioned_count, 2);
    assert_int_equal(family_provisioned(family, HG_STR("b"))->requested, 3);
    assert_true(family_remove_url(family, HG_STR("a")));
    assert_false(family_remove_url(family, HG_STR("a")));
    assert_str(family->urls[0].qualifier, "m");
    assert_true(family_remove_provisioned(family, HG_STR("a")));
    assert_true(family_remove_provisioned(family, HG_STR("b")));
    assert_null(family->provisioned);
    family_unref(family);
}

static void test_a_copy_outlives_the_original(void **state)
{
    struct hg_statement statements[] = {{HG_STR("s"), HG_STR("{\"Sid\":\"s\"}")}};
    struct hg_str origins[] = {HG_STR("https://a")};
    struct hg_family *family = make(), *copy;
    char buffer[] = "text of the caller";

    (void)state;
    add(family, "1");
    assert_int_equal(point(family, "live", "1", ""), HG_OK);
    family_put_policy(family,
                      &(struct hg_policy){HG_STR("live"), hg_str_of(buffer), statements, 1});
    family_put_url(family,
                   &(struct hg_url){.id = HG_STR("u"),
                                    .cors = {.allow_origins = origins, .allow_origin_count = 1}});
    buffer[0] = 'T';
    copy = family_copy(family);
    assert_ptr_equal(copy->versions[0], family->versions[0]);
    assert_ptr_equal(copy->latest, family->latest);
    assert_true(family_remove_policy(copy, HG_STR("live")));
    assert_int_equal(family->policy_count, 1);
    family_unref(copy);
    copy = family_copy(family);
    family_unref(family);
    assert_str(family_policy(copy, HG_STR("live"))->revision_id, "text of the caller");
    assert_str(family_policy(copy, HG_STR("live"))->statements[0].json, "{\"Sid\":\"s\"}");
    assert_str(family_url(copy, HG_STR(""))->cors.allow_origins[0], "https://a");
    assert_ptr_equal(copy->aliases[0].function, copy->versions[0]);
    assert_str(copy->name, "f");
    assert_ptr_equal(family_ref(copy), copy);
    family_unref(copy);
    family_unref(copy);
    family_unref(NULL);
}

static void test_tags_in_every_version(void **state)
{
    struct hg_kv tags[] = {{HG_STR("a"), HG_STR("1")}};
    struct hg_family *family = make();

    (void)state;
    add(family, "1");
    family_set_tags(family, &(struct hg_kv_list){tags, 1});
    assert_str(kv_get(&family->versions[0]->tags, HG_STR("a")), "1");
    family_set_tags(family, &(struct hg_kv_list){NULL, 0});
    assert_int_equal(family->latest->tags.count, 0);
    family_unref(family);
}

static void test_layers(void **state)
{
    struct hg_layer *layer = layer_new(HG_STR("l"), HG_ORIGIN_API), *copy;

    (void)state;
    layer_put_version(layer, &(struct hg_layer_version){.number = 1, .arn = HG_STR("l:1")});
    layer_put_version(layer, &(struct hg_layer_version){.number = 5, .arn = HG_STR("l:5")});
    layer_put_version(layer, &(struct hg_layer_version){.number = 1, .arn = HG_STR("again")});
    copy = layer_copy(layer);
    layer_unref(layer);
    assert_int_equal(copy->version_count, 2);
    assert_int_equal(copy->last_version, 5);
    assert_str(layer_version(copy, 1)->arn, "again");
    assert_null(layer_version(copy, 2));
    assert_true(layer_remove_version(copy, 1));
    assert_false(layer_remove_version(copy, 1));
    assert_true(layer_remove_version(copy, 5));
    assert_null(layer_version(copy, 5));
    layer_unref(copy);
    layer_unref(NULL);
}

static void test_mappings(void **state)
{
    struct hg_mapping *mapping = mapping_new(HG_STR("u"), HG_ORIGIN_TEMPLATE), *copy;
    char reason[] = "why";

    (void)state;
    mapping->reason = hg_arena_str(mapping->arena, hg_str_of(reason));
    mapping->modified_ms = 5;
    copy = mapping_copy(mapping);
    mapping_unref(mapping);
    assert_str(copy->uuid, "u");
    assert_str(copy->reason, "why");
    assert_str(copy->source, "");
    assert_int_equal(copy->modified_ms, 5);
    assert_int_equal(copy->origin, HG_ORIGIN_TEMPLATE);
    mapping_unref(copy);
    mapping_unref(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_versions_are_in_order),
        cmocka_unit_test(test_aliases_follow),
        cmocka_unit_test(test_lists_are_sorted_and_replaced),
        cmocka_unit_test(test_a_copy_outlives_the_original),
        cmocka_unit_test(test_tags_in_every_version),
        cmocka_unit_test(test_layers),
        cmocka_unit_test(test_mappings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
