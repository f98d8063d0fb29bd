/*
 * Changes of what is deployed: made, refused, not stored; what a restart finds; reset.
 */
#include "tests/unit/config/catalog_case.h"

#include <stdio.h>
#include <stdlib.h>

/* Makes "f" with versions 1 and 2, aliases, and one of everything else. */
static enum hg_rc make_all(struct hg_edit *edit, void *arg, struct hg_error *err)
{
    struct hg_arena *arena = edit_arena(edit);
    struct hg_family *family = family_new(HG_STR("f"), HG_ORIGIN_API);
    struct hg_statement statements[] = {{HG_STR("s1"), HG_STR("{\"Sid\":\"s1\"}")},
                                        {HG_STR("s2"), HG_STR("{}")}};
    struct hg_str origins[] = {HG_STR("https://a"), HG_STR("*")};

    (void)arg, (void)err;
    family_set_latest(family, catalog_case_draft(arena, "f", "$LATEST", "latest"));
    family_add_version(family, catalog_case_draft(arena, "f", "1", "one"));
    family_add_version(family, catalog_case_draft(arena, "f", "2", "two"));
    assert_int_equal(family_put_alias(family,
                                      &(struct hg_alias){.name = HG_STR("live"),
                                                         .description = HG_STR("it's \"live\""),
                                                         .revision_id = HG_STR("r"),
                                                         .weight = 0.1},
                                      HG_STR("1"), HG_STR("2")),
                     HG_OK);
    assert_int_equal(family_put_alias(family, &(struct hg_alias){.name = HG_STR("beta")},
                                      HG_STR("$LATEST"), HG_STR("")),
                     HG_OK);
    family_put_policy(family, &(struct hg_policy){HG_STR("live"), HG_STR("p"), statements, 2});
    family_put_url(family, &(struct hg_url){.id = HG_STR("u1"),
                                            .qualifier = HG_STR("live"),
                                            .auth_type = HG_STR("NONE"),
                                            .invoke_mode = HG_STR("BUFFERED"),
                                            .cors = {.is_set = true,
                                                     .allow_origins = origins,
                                                     .allow_origin_count = 2,
                                                     .max_age = -1},
                                            .created_ms = 7});
    family_put_provisioned(family, &(struct hg_provisioned){HG_STR("2"), 3, 8});
    family_put_attached(
        family, &(struct hg_attached){HG_STR("recursion"), HG_STR(""), HG_STR("{\"a\":1}")});
    edit_add_family(edit, family);
    return HG_OK;
}

#define ALL_OF_F \
    "api handler=latest versions=1:one,2:two aliases=beta>$LATEST,live>1+2*0.1 policies=live:2 " \
    "urls=live:u1 provisioned=2:3 attached=recursion: last=2"

static void test_everything_outlives_a_restart(void **state)
{
    struct catalog_case *cc = *state;
    const struct hg_family *family;

    catalog_case_open(cc, false);
    assert_int_equal(catalog_case_change(cc, make_all, NULL), HG_OK);
    catalog_case_expect(cc, "f", ALL_OF_F);
    assert_int_equal(cc->published, 1);
    catalog_case_open(cc, false);
    catalog_case_expect(cc, "f", ALL_OF_F);
    family = catalog_case_family(cc, "f");
    assert_str(family_alias(family, HG_STR("live"))->description, "it's \"live\"");
    assert_str(family_alias(family, HG_STR("live"))->revision_id, "r");
    assert_ptr_equal(family_alias(family, HG_STR("live"))->function,
                     family_version(family, HG_STR("1")));
    assert_str(family_policy(family, HG_STR("live"))->statements[0].json, "{\"Sid\":\"s1\"}");
    assert_int_equal(family_url(family, HG_STR("live"))->created_ms, 7);
    assert_str(family_url(family, HG_STR("live"))->cors.allow_origins[1], "*");
    assert_int_equal(family_url(family, HG_STR("live"))->cors.max_age, -1);
    assert_str(family_attached(family, HG_STR("recursion"), HG_STR(""))->json, "{\"a\":1}");
}

static enum hg_rc alter(struct hg_edit *edit, void *arg, struct hg_error *err)
{
    struct hg_family *family = edit_family(edit, HG_STR("f"));
    struct hg_arena *arena = edit_arena(edit);

    (void)arg, (void)err;
    assert_ptr_equal(edit_family(edit, HG_STR("f")), family);
    assert_ptr_equal(snapshot_family(edit_snapshot(edit), HG_STR("f")), family);
    family_set_latest(family, catalog_case_draft(arena, "f", "$LATEST", "new"));
    assert_true(family_remove_alias(family, HG_STR("live")));
    assert_true(family_remove_version(family, HG_STR("1")));
    family_add_version(family, catalog_case_draft(arena, "f", "3", "three"));
    assert_true(family_remove_policy(family, HG_STR("live")));
    assert_true(family_remove_url(family, HG_STR("live")));
    assert_true(family_remove_provisioned(family, HG_STR("2")));
    assert_true(family_remove_attached(family, HG_STR("recursion"), HG_STR("")));
    return HG_OK;
}

static enum hg_rc remove_f(struct hg_edit *edit, void *arg, struct hg_error *err)
{
    (void)arg, (void)err;
    edit_remove_family(edit, HG_STR("f"));
    edit_remove_family(edit, HG_STR("none"));
    assert_null(snapshot_family(edit_snapshot(edit), HG_STR("f")));
    assert_null(edit_family(edit, HG_STR("f")));
    return HG_OK;
}

static void test_alterations(void **state)
{
    static const char altered[] =
        "api handler=new versions=2:two,3:three aliases=beta>$LATEST last=3";
    struct catalog_case *cc = *state;
    struct hg_snapshot *before;

    catalog_case_open(cc, false);
    assert_int_equal(catalog_case_change(cc, make_all, NULL), HG_OK);
    (void)catalog_case_family(cc, "f");
    before = snapshot_ref(cc->snapshot);
    assert_int_equal(catalog_case_change(cc, alter, NULL), HG_OK);
    catalog_case_expect(cc, "f", altered);
    /* Whoever has the former snapshot sees what was, and what did not change is shared. */
    assert_str(snapshot_family(before, HG_STR("f"))->latest->handler, "latest");
    assert_ptr_equal(family_version(snapshot_family(before, HG_STR("f")), HG_STR("2")),
                     family_version(catalog_case_family(cc, "f"), HG_STR("2")));
    snapshot_unref(before);
    catalog_case_open(cc, false);
    catalog_case_expect(cc, "f", altered);
    assert_int_equal(catalog_case_change(cc, remove_f, NULL), HG_OK);
    catalog_case_expect(cc, "f", "");
    assert_int_equal(catalog_case_sql(cc, "SELECT count(*) FROM resources"), 0);
    catalog_case_open(cc, false);
    catalog_case_expect(cc, "f", "");
}

static enum hg_rc remove_and_make(struct hg_edit *edit, void *arg, struct hg_error *err)
{
    (void)remove_f(edit, arg, err);
    return make_all(edit, arg, err);
}

static void test_removed_and_made_in_one_change(void **state)
{
    struct catalog_case *cc = *state;

    catalog_case_open(cc, false);
    assert_int_equal(catalog_case_change(cc, make_all, NULL), HG_OK);
    assert_int_equal(catalog_case_change(cc, alter, NULL), HG_OK);
    assert_int_equal(catalog_case_change(cc, remove_and_make, NULL), HG_OK);
    catalog_case_open(cc, false);
    catalog_case_expect(cc, "f", ALL_OF_F);
}

static enum hg_rc make_and_refuse(struct hg_edit *edit, void *arg, struct hg_error *err)
{
    (void)make_all(edit, arg, err);
    assert_int_equal(edit_document_put(edit, "note", HG_STR("n"), HG_STR("{}"), err), HG_OK);
    return hg_error_set(err, HG_E_INVALID, "no");
}

static enum hg_rc look_only(struct hg_edit *edit, void *arg, struct hg_error *err)
{
    (void)edit, (void)arg, (void)err;
    return HG_OK;
}

static void test_a_refused_change_has_no_effect(void **state)
{
    struct catalog_case *cc = *state;

    catalog_case_open(cc, false);
    assert_int_equal(catalog_case_change(cc, make_and_refuse, NULL), HG_E_INVALID);
    assert_string_equal(cc->err.text, "no");
    assert_int_equal(catalog_case_change(cc, look_only, NULL), HG_OK);
    assert_int_equal(cc->published, 0);
    catalog_case_expect(cc, "f", "");
    assert_int_equal(catalog_case_sql(cc, "SELECT count(*) FROM resources"), 0);
}

static void test_a_change_that_is_not_stored_has_no_effect(void **state)
{
    struct catalog_case *cc = *state;

    catalog_case_open(cc, false);
    assert_int_equal(catalog_case_change(cc, make_all, NULL), HG_OK);
    (void)catalog_case_sql(cc, "CREATE TRIGGER no BEFORE INSERT ON resources WHEN NEW.sub = '3' "
                               "BEGIN SELECT raise(ABORT, 'full'); END");
    assert_int_equal(catalog_case_change(cc, alter, NULL), HG_E_IO);
    assert_non_null(strstr(cc->err.text, cc->path));
    catalog_case_expect(cc, "f", ALL_OF_F);
    (void)catalog_case_sql(cc, "DROP TRIGGER no");
    assert_int_equal(catalog_case_change(cc, alter, NULL), HG_OK);
}

struct numbered {
    struct hg_change base;
    unsigned *done;
    char name[16];
    bool is_refused;
};

static enum hg_rc on_numbered_work(struct hg_change *base, struct hg_edit *edit)
{
    struct numbered *change = hg_container_of(base, struct numbered, base);
    struct hg_family *family = family_new(hg_str_of(change->name), HG_ORIGIN_API);

    family_set_latest(family, catalog_case_draft(edit_arena(edit), change->name, "$LATEST", "h"));
    edit_add_family(edit, family);
    return change->is_refused ? HG_E_CONFLICT : HG_OK;
}

static void on_numbered_done(struct hg_change *base)
{
    struct numbered *change = hg_container_of(base, struct numbered, base);

    assert_int_equal(base->rc, change->is_refused ? HG_E_CONFLICT : HG_OK);
    (*change->done)++;
}

/* They share transactions; one that is refused takes no other along. */
static void test_a_storm_of_changes(void **state)
{
    enum { CHANGES = 600 };
    struct numbered *changes = hg_calloc(CHANGES, sizeof(*changes));
    struct catalog_case *cc = *state;
    unsigned done = 0;

    catalog_case_open(cc, false);
    for (unsigned i = 0; i < CHANGES; i++) {
        changes[i].base.work = on_numbered_work;
        changes[i].base.done = on_numbered_done;
        changes[i].done = &done;
        changes[i].is_refused = i % 7 == 0;
        (void)snprintf(changes[i].name, sizeof(changes[i].name), "f%u", i);
        catalog_submit(cc->catalog, cc->loop, &changes[i].base);
    }
    while (done < CHANGES)
        hg_loop_turn(cc->loop, true);
    free(changes);
    catalog_case_expect(cc, "f0", "");
    catalog_case_expect(cc, "f599", "api handler=h");
    catalog_case_open(cc, false);
    catalog_case_expect(cc, "f7", "");
    catalog_case_expect(cc, "f8", "api handler=h");
    (void)catalog_case_family(cc, "f8");
    assert_int_equal(cc->snapshot->families.count, CHANGES - 86);
}

static bool tell_document(struct hg_str name, struct hg_str json, void *arg)
{
    hg_buf_printf(arg, "%.*s=%.*s ", HG_STR_ARG(name), HG_STR_ARG(json));
    return true;
}

static enum hg_rc use_documents(struct hg_edit *edit, void *arg, struct hg_error *err)
{
    struct hg_str json;

    assert_int_equal(edit_document_put(edit, "role", HG_STR("b"), HG_STR("2"), err), HG_OK);
    assert_int_equal(edit_document_put(edit, "role", HG_STR("a"), HG_STR("1"), err), HG_OK);
    assert_int_equal(edit_document_put(edit, "role", HG_STR("c"), HG_STR("3"), err), HG_OK);
    assert_int_equal(edit_document_put(edit, "policy", HG_STR("a"), HG_STR("4"), err), HG_OK);
    assert_int_equal(edit_document_delete(edit, "role", HG_STR("c"), err), HG_OK);
    assert_int_equal(edit_document_get(edit, "role", HG_STR("a"), &json, err), HG_OK);
    assert_str(json, "1");
    assert_int_equal(edit_document_get(edit, "role", HG_STR("z"), &json, err), HG_OK);
    assert_null(json.p);
    return edit_document_each(edit, "role", HG_STR(""), tell_document, arg, err);
}

static enum hg_rc read_documents(struct hg_edit *edit, void *arg, struct hg_error *err)
{
    return edit_document_each(edit, "role", HG_STR("a"), tell_document, arg, err);
}

static void test_documents(void **state)
{
    struct catalog_case *cc = *state;
    struct hg_buf text;

    hg_buf_init(&text, 1024);
    catalog_case_open(cc, false);
    assert_int_equal(catalog_case_change(cc, use_documents, &text), HG_OK);
    assert_str(hg_buf_str(&text), "a=1 b=2 ");
    assert_int_equal(cc->published, 0);
    catalog_case_open(cc, false);
    hg_buf_clear(&text, 0);
    assert_int_equal(catalog_case_change(cc, read_documents, &text), HG_OK);
    assert_str(hg_buf_str(&text), "b=2 ");
    hg_buf_fini(&text);
}

static enum hg_rc make_others(struct hg_edit *edit, void *arg, struct hg_error *err)
{
    struct hg_layer *layer = layer_new(HG_STR("l"), HG_ORIGIN_API);
    struct hg_mapping *mapping = mapping_new(HG_STR("uuid-1"), HG_ORIGIN_API);
    struct hg_statement statement = {HG_STR("s"), HG_STR("{}")};

    (void)arg, (void)err;
    layer_put_version(layer, &(struct hg_layer_version){.number = 1, .arn = HG_STR("l:1")});
    layer_put_version(
        layer, &(struct hg_layer_version){.number = 2,
                                          .arn = HG_STR("l:2"),
                                          .policy = {HG_STR(""), HG_STR("r"), &statement, 1}});
    edit_add_layer(edit, layer);
    mapping->function_name = HG_STR("f");
    mapping->settings = HG_STR("{\"BatchSize\":10}");
    mapping->is_enabled = true;
    edit_add_mapping(edit, mapping);
    return HG_OK;
}

static enum hg_rc alter_others(struct hg_edit *edit, void *arg, struct hg_error *err)
{
    struct hg_layer *layer = edit_layer(edit, HG_STR("l"));

    (void)arg, (void)err;
    assert_true(layer_remove_version(layer, 2));
    assert_false(layer_remove_version(layer, 2));
    edit_mapping(edit, HG_STR("uuid-1"))->is_enabled = false;
    return HG_OK;
}

static void test_layers_and_mappings(void **state)
{
    struct catalog_case *cc = *state;
    const struct hg_layer *layer;
    const struct hg_mapping *mapping;

    catalog_case_open(cc, false);
    assert_int_equal(catalog_case_change(cc, make_others, NULL), HG_OK);
    catalog_case_open(cc, false);
    (void)catalog_case_family(cc, "");
    layer = snapshot_layer(cc->snapshot, HG_STR("l"));
    assert_int_equal(layer->version_count, 2);
    assert_str(layer_version(layer, 2)->policy.statements[0].sid, "s");
    mapping = snapshot_mapping(cc->snapshot, HG_STR("uuid-1"));
    assert_str(mapping->settings, "{\"BatchSize\":10}");
    assert_true(mapping->is_enabled);
    assert_int_equal(catalog_case_change(cc, alter_others, NULL), HG_OK);
    catalog_case_open(cc, false);
    (void)catalog_case_family(cc, "");
    layer = snapshot_layer(cc->snapshot, HG_STR("l"));
    assert_int_equal(layer->version_count, 1);
    assert_int_equal(layer->last_version, 2); /* a number is never given twice */
    assert_false(snapshot_mapping(cc->snapshot, HG_STR("uuid-1"))->is_enabled);
}

static enum hg_rc reset(struct hg_edit *edit, void *arg, struct hg_error *err)
{
    (void)arg;
    return edit_reset(edit, err);
}

static void test_reset(void **state)
{
    struct catalog_case *cc = *state;
    struct hg_buf text;

    hg_buf_init(&text, 1024);
    (void)catalog_case_function(cc, "made", "$LATEST");
    catalog_case_open(cc, true);
    assert_int_equal(catalog_case_change(cc, make_all, NULL), HG_OK);
    assert_int_equal(catalog_case_change(cc, make_others, NULL), HG_OK);
    assert_int_equal(catalog_case_change(cc, use_documents, &text), HG_OK);
    assert_int_equal(catalog_case_change(cc, reset, NULL), HG_OK);
    catalog_case_expect(cc, "f", "");
    catalog_case_expect(cc, "made", "template handler=a");
    assert_int_equal(cc->snapshot->families.count, 1);
    assert_int_equal(cc->snapshot->layers.count, 0);
    assert_int_equal(cc->snapshot->mappings.count, 0);
    assert_int_equal(catalog_case_sql(cc, "SELECT count(*) FROM resources"), 2);
    assert_int_equal(catalog_case_change(cc, make_all, NULL), HG_OK);
    /* Without a template: what one made before stays. */
    catalog_case_open(cc, false);
    catalog_case_expect(cc, "f", ALL_OF_F);
    assert_int_equal(catalog_case_change(cc, reset, NULL), HG_OK);
    catalog_case_open(cc, false);
    catalog_case_expect(cc, "f", "");
    catalog_case_expect(cc, "made", "template handler=a");
    hg_buf_fini(&text);
}

static void expect_refusal(struct catalog_case *cc, const char *words)
{
    const struct hg_catalog_options options = {.data_dir = cc->c.folder,
                                               .stack = stack_ref(cc->stack)};

    assert_null(catalog_open(&options, &cc->err));
    if (!strstr(cc->err.text, words) || !strstr(cc->err.text, "move it away"))
        fail_msg("%s", cc->err.text);
}

static void test_damage_is_told(void **state)
{
    static const char *const damages[] = {
        "UPDATE resources SET doc = '{' WHERE sub = '1'",
        "UPDATE resources SET doc = '{\"x\":1}' WHERE sub = '1'",
        "UPDATE resources SET doc = '[]' WHERE kind = 'family'",
        "DELETE FROM resources WHERE sub = '$LATEST'",
        "DELETE FROM resources WHERE sub = '1'",
        "DELETE FROM resources WHERE kind = 'family'",
        "UPDATE resources SET name = 'g' WHERE sub = '1'",
        "UPDATE resources SET kind = 'unheard' WHERE sub = '1'",
    };
    struct catalog_case *cc = *state;

    for (size_t i = 0; i < HG_COUNT(damages); i++) {
        catalog_case_open(cc, false);
        assert_int_equal(catalog_case_change(cc, reset, NULL), HG_OK);
        assert_int_equal(catalog_case_change(cc, make_all, NULL), HG_OK);
        catalog_case_close(cc);
        (void)catalog_case_sql(cc, damages[i]);
        expect_refusal(cc, "is damaged");
        (void)catalog_case_sql(cc, "DELETE FROM resources");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, catalog_case_setup, catalog_case_teardown)
        TEST(test_everything_outlives_a_restart),
        TEST(test_alterations),
        TEST(test_removed_and_made_in_one_change),
        TEST(test_a_refused_change_has_no_effect),
        TEST(test_a_change_that_is_not_stored_has_no_effect),
        TEST(test_a_storm_of_changes),
        TEST(test_documents),
        TEST(test_layers_and_mappings),
        TEST(test_reset),
        TEST(test_damage_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
