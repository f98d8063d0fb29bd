#include "tests/unit/config/catalog_case.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

enum { FUNCTIONS_MAX = 64, TEXT_MAX = 4096 };

#define REGION HG_STR("us-east-1")
#define ACCOUNT HG_STR("000000000000")
#define ARN_START "arn:aws:lambda:us-east-1:000000000000:function:"

int catalog_case_setup(void **state)
{
    struct catalog_case *cc = hg_calloc(1, sizeof(*cc));

    case_init(&cc->c);
    (void)snprintf(cc->path, sizeof(cc->path), "%s/config/store.db", cc->c.folder);
    cc->loop = hg_loop_new(0);
    cc->stack = stack_new(REGION, ACCOUNT);
    *state = cc;
    return 0;
}

void catalog_case_close(struct catalog_case *cc)
{
    catalog_close(cc->catalog);
    cc->catalog = NULL;
    snapshot_unref(cc->snapshot);
    cc->snapshot = NULL;
    stack_unref(cc->stack);
    cc->stack = stack_new(REGION, ACCOUNT);
}

int catalog_case_teardown(void **state)
{
    struct catalog_case *cc = *state;

    catalog_case_close(cc);
    stack_unref(cc->stack);
    hg_loop_free(cc->loop);
    case_fini(&cc->c);
    free(cc);
    return 0;
}

struct hg_function *catalog_case_draft(struct hg_arena *arena, const char *name,
                                       const char *version, const char *handler)
{
    struct hg_function *draft = hg_arena_must(arena, sizeof(*draft));

    *draft = (struct hg_function){
        .name = hg_arena_str(arena, hg_str_of(name)),
        .arn = hg_str_of(hg_arena_printf(arena, ARN_START "%s", name)),
        .version = hg_arena_str(arena, hg_str_of(version)),
        .runtime = HG_STR("python3.13"),
        .handler = hg_arena_str(arena, hg_str_of(handler)),
        .code_dir = HG_STR("/tmp"),
        .code_sha256 = HG_STR("AAAA"),
        .log_format = HG_STR("Text"),
        .memory_mb = 128,
        .timeout_s = 3,
        .ephemeral_mb = 512,
        .reserved_concurrency = -1,
    };
    return draft;
}

struct hg_function *catalog_case_function(struct catalog_case *cc, const char *name,
                                          const char *version)
{
    struct hg_stack *stack = cc->stack;
    struct hg_function *function = catalog_case_draft(stack->arena, name, version, "a");

    if (!stack->functions)
        stack->functions = hg_arena_must(stack->arena, FUNCTIONS_MAX * sizeof(void *));
    assert_true(stack->function_count < FUNCTIONS_MAX);
    stack->functions[stack->function_count++] = function;
    if (strcmp(version, "$LATEST") == 0)
        (void)hg_map_set(&stack->functions_by_name, function->name, function);
    return function;
}

static void on_published(void *arg)
{
    ((struct catalog_case *)arg)->published++;
}

void catalog_case_open(struct catalog_case *cc, bool has_template)
{
    struct hg_catalog_options options = {.data_dir = cc->c.folder,
                                         .stack = stack_ref(cc->stack),
                                         .has_template = has_template,
                                         .on_published = on_published,
                                         .arg = cc};

    catalog_case_close(cc);
    cc->published = 0;
    cc->catalog = catalog_open(&options, &cc->err);
    if (!cc->catalog)
        fail_msg("%s", cc->err.text);
}

struct case_change {
    struct hg_change base;
    catalog_case_fn work;
    void *arg;
    bool is_done;
};

static enum hg_rc on_work(struct hg_change *base, struct hg_edit *edit)
{
    struct case_change *change = hg_container_of(base, struct case_change, base);

    return change->work(edit, change->arg, &base->err);
}

static void on_done(struct hg_change *base)
{
    hg_container_of(base, struct case_change, base)->is_done = true;
}

enum hg_rc catalog_case_change(struct catalog_case *cc, catalog_case_fn work, void *arg)
{
    struct case_change change = {
        .base = {.work = on_work, .done = on_done}, .work = work, .arg = arg};

    catalog_submit(cc->catalog, cc->loop, &change.base);
    while (!change.is_done)
        hg_loop_turn(cc->loop, true);
    cc->err = change.base.err;
    return change.base.rc;
}

const struct hg_family *catalog_case_family(struct catalog_case *cc, const char *name)
{
    snapshot_unref(cc->snapshot);
    cc->snapshot = registry_current(catalog_registry(cc->catalog));
    return snapshot_family(cc->snapshot, hg_str_of(name));
}

static void tell_versions(struct hg_buf *out, const struct hg_family *family)
{
    for (size_t i = 0; i < family->version_count; i++)
        hg_buf_printf(out, "%s%.*s:%.*s",
                      i ? "," : " versions=", HG_STR_ARG(family->versions[i]->version),
                      HG_STR_ARG(family->versions[i]->handler));
}

static void tell_aliases(struct hg_buf *out, const struct hg_family *family)
{
    for (size_t i = 0; i < family->alias_count; i++) {
        const struct hg_alias *alias = &family->aliases[i];

        hg_buf_printf(out, "%s%.*s>%.*s", i ? "," : " aliases=", HG_STR_ARG(alias->name),
                      HG_STR_ARG(alias->function->version));
        if (alias->weighted)
            hg_buf_printf(out, "+%.*s*%g", HG_STR_ARG(alias->weighted->version), alias->weight);
    }
}

static void tell_rest(struct hg_buf *out, const struct hg_family *family)
{
    for (size_t i = 0; i < family->policy_count; i++)
        hg_buf_printf(out, "%s%.*s:%zu",
                      i ? "," : " policies=", HG_STR_ARG(family->policies[i].qualifier),
                      family->policies[i].statement_count);
    for (size_t i = 0; i < family->url_count; i++)
        hg_buf_printf(out, "%s%.*s:%.*s", i ? "," : " urls=", HG_STR_ARG(family->urls[i].qualifier),
                      HG_STR_ARG(family->urls[i].id));
    for (size_t i = 0; i < family->provisioned_count; i++)
        hg_buf_printf(out, "%s%.*s:%u",
                      i ? "," : " provisioned=", HG_STR_ARG(family->provisioned[i].qualifier),
                      family->provisioned[i].requested);
    for (size_t i = 0; i < family->attached_count; i++)
        hg_buf_printf(out, "%s%.*s:%.*s",
                      i ? "," : " attached=", HG_STR_ARG(family->attached[i].kind),
                      HG_STR_ARG(family->attached[i].qualifier));
    if (family->last_version)
        hg_buf_printf(out, " last=%" PRIu64, family->last_version);
}

void catalog_case_expect(struct catalog_case *cc, const char *name, const char *expected)
{
    const struct hg_family *family = catalog_case_family(cc, name);
    struct hg_buf text;

    hg_buf_init(&text, TEXT_MAX);
    if (family) {
        hg_buf_printf(&text, "%s handler=%.*s",
                      family->origin == HG_ORIGIN_API ? "api" : "template",
                      HG_STR_ARG(family->latest->handler));
        tell_versions(&text, family);
        tell_aliases(&text, family);
        tell_rest(&text, family);
    }
    assert_str(hg_buf_str(&text), expected);
    hg_buf_fini(&text);
}

int catalog_case_sql(struct catalog_case *cc, const char *sql)
{
    sqlite3_stmt *statement;
    sqlite3 *db;
    int number = 0;

    assert_int_equal(sqlite3_open(cc->path, &db), SQLITE_OK);
    (void)sqlite3_busy_timeout(db,
                               5000); /* a refused change is answered before its transaction ends */
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    if (sqlite3_step(statement) == SQLITE_ROW)
        number = sqlite3_column_int(statement, 0);
    assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    return number;
}
