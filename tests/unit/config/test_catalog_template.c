/*
 * What a template does to what is deployed: the first time, unchanged, changed, gone; beside what the API did meanwhile.
 */
#include "tests/unit/config/catalog_case.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static enum hg_rc set_handler(struct hg_edit *edit, void *arg, struct hg_error *err)
{
    struct hg_family *family = edit_family(edit, HG_STR("f"));
    struct hg_function *draft = function_draft(edit_arena(edit), family->latest);

    (void)err;
    draft->handler = hg_str_of(arg);
    family_set_latest(family, draft);
    return HG_OK;
}

static enum hg_rc publish(struct hg_edit *edit, void *arg, struct hg_error *err)
{
    struct hg_family *family = edit_family(edit, HG_STR("f"));
    struct hg_function *draft = function_draft(edit_arena(edit), family->latest);

    (void)err;
    draft->version = hg_str_of(arg);
    family_add_version(family, draft);
    return HG_OK;
}

static enum hg_rc add_alias(struct hg_edit *edit, void *arg, struct hg_error *err)
{
    (void)err;
    return family_put_alias(edit_family(edit, HG_STR("f")),
                            &(struct hg_alias){.name = HG_STR("mine")}, hg_str_of(arg), HG_STR(""));
}

static enum hg_rc make(struct hg_edit *edit, void *arg, struct hg_error *err)
{
    struct hg_family *family = family_new(hg_str_of(arg), HG_ORIGIN_API);

    (void)err;
    family_set_latest(family, catalog_case_draft(edit_arena(edit), arg, "$LATEST", "api"));
    edit_add_family(edit, family);
    return HG_OK;
}

static enum hg_rc delete (struct hg_edit *edit, void *arg, struct hg_error *err) {
    (void)err; edit_remove_family(edit, hg_str_of(arg)); return HG_OK;
}

static void change(struct catalog_case *cc, catalog_case_fn work, const char *arg)
{
    assert_int_equal(catalog_case_change(cc, work, (void *)(uintptr_t)arg), HG_OK);
}

/* Opens with one function of the template, and its handler. */
static void open_with(struct catalog_case *cc, const char *handler)
{
    catalog_case_function(cc, "f", "$LATEST")->handler = hg_str_of(handler);
    catalog_case_open(cc, true);
}

static void test_unchanged_keeps_what_the_api_did(void **state)
{
    struct catalog_case *cc = *state;
    char revision[64];

    open_with(cc, "a");
    catalog_case_expect(cc, "f", "template handler=a");
    assert_str(catalog_case_family(cc, "f")->latest->state, "Active");
    assert_str(catalog_case_family(cc, "f")->latest->update_status, "Successful");
    change(cc, set_handler, "api");
    change(cc, publish, "1");
    change(cc, add_alias, "1");
    (void)snprintf(revision, sizeof(revision), "%.*s",
                   HG_STR_ARG(catalog_case_family(cc, "f")->latest->revision_id));
    open_with(cc, "a");
    catalog_case_expect(cc, "f", "template handler=api versions=1:api aliases=mine>1 last=1");
    assert_str(catalog_case_family(cc, "f")->latest->revision_id, revision);
}

static void test_changed_sets_latest_only(void **state)
{
    struct catalog_case *cc = *state;
    char revision[64];

    open_with(cc, "a");
    change(cc, set_handler, "api");
    change(cc, publish, "1");
    change(cc, add_alias, "1");
    (void)snprintf(revision, sizeof(revision), "%.*s",
                   HG_STR_ARG(catalog_case_family(cc, "f")->latest->revision_id));
    open_with(cc, "b");
    catalog_case_expect(cc, "f", "template handler=b versions=1:api aliases=mine>1 last=1");
    assert_false(hg_str_is(catalog_case_family(cc, "f")->latest->revision_id, revision));
    open_with(cc, "b");
    catalog_case_expect(cc, "f", "template handler=b versions=1:api aliases=mine>1 last=1");
}

static void test_gone_goes(void **state)
{
    struct catalog_case *cc = *state;

    open_with(cc, "a");
    change(cc, publish, "1");
    change(cc, make, "g");
    catalog_case_function(cc, "other", "$LATEST");
    catalog_case_open(cc, true);
    catalog_case_expect(cc, "f", "");
    catalog_case_expect(cc, "g", "api handler=api");
    catalog_case_expect(cc, "other", "template handler=a");
    assert_int_equal(catalog_case_sql(cc, "SELECT count(*) FROM resources WHERE name = 'f'"), 0);
    assert_int_equal(catalog_case_sql(cc, "SELECT count(*) FROM applied"), 1);
}

static void test_without_a_template_nothing_goes(void **state)
{
    struct catalog_case *cc = *state;

    open_with(cc, "a");
    catalog_case_open(cc, false);
    catalog_case_expect(cc, "f", "template handler=a");
    change(cc, set_handler, "api");
    open_with(cc, "a");
    catalog_case_expect(cc, "f", "template handler=api");
}

static void test_a_name_that_the_api_took(void **state)
{
    struct catalog_case *cc = *state;

    catalog_case_open(cc, false);
    change(cc, make, "f");
    change(cc, publish, "1");
    open_with(cc, "a");
    catalog_case_expect(cc, "f", "template handler=a versions=1:api last=1");
    catalog_case_open(cc, true);
    catalog_case_expect(cc, "f", "");
}

static void test_deleted_by_the_api(void **state)
{
    struct catalog_case *cc = *state;

    open_with(cc, "a");
    change(cc, delete, "f");
    catalog_case_open(cc, false);
    catalog_case_expect(cc, "f", "");
    open_with(cc, "a"); /* its routes need it */
    catalog_case_expect(cc, "f", "template handler=a");
    change(cc, delete, "f");
    change(cc, make, "f");
    open_with(cc, "a"); /* made anew, and the template says nothing new */
    catalog_case_expect(cc, "f", "api handler=api");
    catalog_case_open(cc, true);
    catalog_case_expect(cc, "f", "api handler=api");
}

static const char *code(struct catalog_case *cc)
{
    static char path[128];

    case_file(&cc->c, "code-in-place/app.py", "x");
    (void)snprintf(path, sizeof(path), "%s/code-in-place", cc->c.folder);
    return path;
}

/* As AutoPublishAlias: version 1 of the template is what it says now, and the alias names it. */
static void open_published(struct catalog_case *cc, const char *handler, const char *code_dir)
{
    struct hg_function *latest = catalog_case_function(cc, "f", "$LATEST"),
                       *version = catalog_case_function(cc, "f", "1");
    struct hg_stack *stack = cc->stack;

    latest->handler = version->handler = hg_str_of(handler);
    latest->code_dir = version->code_dir = hg_str_of(code_dir);
    stack->aliases = hg_arena_must(stack->arena, sizeof(*stack->aliases));
    stack->aliases[0] = (struct hg_alias){.function_name = latest->name,
                                          .name = HG_STR("live"),
                                          .description = HG_STR(""),
                                          .revision_id = HG_STR(""),
                                          .function = version};
    stack->alias_count = 1;
    catalog_case_open(cc, true);
}

static void test_publishing(void **state)
{
    struct catalog_case *cc = *state;

    open_published(cc, "a", code(cc));
    catalog_case_expect(cc, "f", "template handler=a versions=1:a aliases=live>1 last=1");
    open_published(cc, "a", code(cc));
    catalog_case_expect(cc, "f", "template handler=a versions=1:a aliases=live>1 last=1");
    open_published(cc, "b", code(cc));
    catalog_case_expect(cc, "f", "template handler=b versions=1:a,2:b aliases=live>2 last=2");
    open_published(cc, "b", code(cc));
    catalog_case_expect(cc, "f", "template handler=b versions=1:a,2:b aliases=live>2 last=2");
    /* Back to the first code: a new version, as the last published one differs. */
    open_published(cc, "a", code(cc));
    catalog_case_expect(cc, "f", "template handler=a versions=1:a,2:b,3:a aliases=live>3 last=3");
    /* The alias goes with the template, what was published stays. */
    open_with(cc, "a");
    catalog_case_expect(cc, "f", "template handler=a versions=1:a,2:b,3:a last=3");
}

static enum hg_rc move_alias(struct hg_edit *edit, void *arg, struct hg_error *err)
{
    (void)err;
    return family_put_alias(edit_family(edit, HG_STR("f")),
                            &(struct hg_alias){.name = HG_STR("live")}, hg_str_of(arg), HG_STR(""));
}

static void test_publishing_beside_the_api(void **state)
{
    struct catalog_case *cc = *state;

    open_published(cc, "a", code(cc));
    change(cc, set_handler, "api");
    change(cc, publish, "2");
    change(cc, move_alias, "2");
    open_published(cc, "a", code(cc));
    catalog_case_expect(cc, "f", "template handler=api versions=1:a,2:api aliases=live>2 last=2");
    open_published(cc, "b", code(cc));
    catalog_case_expect(cc, "f", "template handler=b versions=1:a,2:api,3:b aliases=live>3 last=3");
    change(cc, delete, "f");
    open_published(cc, "b", code(cc));
    catalog_case_expect(cc, "f", "template handler=b versions=1:b aliases=live>1 last=1");
}

/* A version's code does not follow the folder that it was published from. */
static void test_published_code_is_a_copy(void **state)
{
    struct catalog_case *cc = *state;
    char dir[128], path[512];
    const struct hg_function *version;
    struct stat st;

    case_file(&cc->c, "src/app.py", "one");
    case_file(&cc->c, "src/data/big", "data of the platform, which may lie there");
    (void)snprintf(dir, sizeof(dir), "%s/src", cc->c.folder);
    open_published(cc, "a", dir);
    version = family_version(catalog_case_family(cc, "f"), HG_STR("1"));
    assert_false(hg_str_is(version->code_dir, dir));
    assert_str(catalog_case_family(cc, "f")->latest->code_dir, dir);
    version = family_version(catalog_case_family(cc, "f"), HG_STR("1"));
    (void)snprintf(path, sizeof(path), "%.*s/app.py", HG_STR_ARG(version->code_dir));
    case_file(&cc->c, "src/app.py", "two and more");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, 3);
    /* And is not swept away while it is named. */
    open_published(cc, "a", dir);
    assert_int_equal(stat(path, &st), 0);
    open_with(cc, "a");
    assert_int_equal(stat(path, &st), 0);
    catalog_case_function(cc, "other", "$LATEST");
    catalog_case_open(cc, true);
    assert_int_not_equal(stat(path, &st), 0);
}

static void add_parts(struct catalog_case *cc, unsigned requested, const char *auth)
{
    struct hg_stack *stack = cc->stack;
    const struct hg_function *function = catalog_case_function(cc, "f", "$LATEST");

    stack->urls = hg_arena_must(stack->arena, sizeof(*stack->urls));
    stack->urls[0] = (struct hg_url){.id = HG_STR("u1"),
                                     .function = function,
                                     .qualifier = HG_STR(""),
                                     .auth_type = hg_str_of(auth),
                                     .invoke_mode = HG_STR("BUFFERED"),
                                     .cors = {.max_age = -1}};
    stack->url_count = 1;
    stack->provisioned = hg_arena_must(stack->arena, sizeof(*stack->provisioned));
    stack->provisioned[0] =
        (struct hg_stack_provisioned){function->name, HG_STR("live"), requested};
    stack->provisioned_count = 1;
    stack->layers = hg_arena_must(stack->arena, sizeof(*stack->layers));
    stack->layers[0] = (struct hg_stack_layer){HG_STR("l"), {.number = 1, .arn = HG_STR("l:1")}};
    stack->layer_count = 1;
    catalog_case_open(cc, true);
}

static enum hg_rc drop_parts(struct hg_edit *edit, void *arg, struct hg_error *err)
{
    struct hg_family *family = edit_family(edit, HG_STR("f"));

    (void)arg, (void)err;
    assert_true(family_remove_url(family, HG_STR("")));
    assert_true(family_remove_provisioned(family, HG_STR("live")));
    assert_true(layer_remove_version(edit_layer(edit, HG_STR("l")), 1));
    return HG_OK;
}

static void test_urls_provisioned_layers(void **state)
{
    struct catalog_case *cc = *state;

    add_parts(cc, 2, "NONE");
    catalog_case_expect(cc, "f", "template handler=a urls=:u1 provisioned=live:2");
    assert_int_equal(snapshot_layer(cc->snapshot, HG_STR("l"))->version_count, 1);
    assert_true(snapshot_layer(cc->snapshot, HG_STR("l"))->versions[0].created_ms > 0);
    change(cc, drop_parts, "");
    add_parts(cc, 2, "NONE");
    catalog_case_expect(cc, "f", "template handler=a");
    assert_int_equal(snapshot_layer(cc->snapshot, HG_STR("l"))->version_count, 0);
    add_parts(cc, 3, "AWS_IAM");
    catalog_case_expect(cc, "f", "template handler=a urls=:u1 provisioned=live:3");
    open_with(cc, "a");
    catalog_case_expect(cc, "f", "template handler=a");
    assert_int_equal(snapshot_layer(cc->snapshot, HG_STR("l"))->version_count, 0);
}

static enum hg_rc set_tags(struct hg_edit *edit, void *arg, struct hg_error *err)
{
    struct hg_kv tag = {HG_STR("k"), hg_str_of(arg)};

    (void)err;
    family_set_tags(edit_family(edit, HG_STR("f")), &(struct hg_kv_list){&tag, 1});
    return HG_OK;
}

static void test_family_wide_fields(void **state)
{
    struct catalog_case *cc = *state;
    const struct hg_family *family;

    open_published(cc, "a", code(cc));
    change(cc, set_tags, "v");
    family = catalog_case_family(cc, "f");
    assert_str(kv_get(&family->latest->tags, HG_STR("k")), "v");
    assert_str(kv_get(&family->versions[0]->tags, HG_STR("k")), "v");
    assert_ptr_equal(family->aliases[0].function, family->versions[0]);
    open_published(cc, "a", code(cc));
    family = catalog_case_family(cc, "f");
    assert_str(kv_get(&family->versions[0]->tags, HG_STR("k")), "v");
    catalog_case_function(cc, "f", "$LATEST")->reserved_concurrency = 5;
    catalog_case_open(cc, true);
    family = catalog_case_family(cc, "f");
    assert_int_equal(family->latest->tags.count, 0);
    assert_int_equal(family->versions[0]->tags.count, 0);
    assert_int_equal(family->versions[0]->reserved_concurrency, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, catalog_case_setup, catalog_case_teardown)
        TEST(test_unchanged_keeps_what_the_api_did),
        TEST(test_changed_sets_latest_only),
        TEST(test_gone_goes),
        TEST(test_without_a_template_nothing_goes),
        TEST(test_a_name_that_the_api_took),
        TEST(test_deleted_by_the_api),
        TEST(test_publishing),
        TEST(test_publishing_beside_the_api),
        TEST(test_published_code_is_a_copy),
        TEST(test_urls_provisioned_layers),
        TEST(test_family_wide_fields),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
