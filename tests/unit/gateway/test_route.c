/*
 * The vectors of apigw-routing.md §1.4 (REST) and §6.3 (HTTP APIs).
 */
#include "tests/unit/unit.h"

#include "gateway/route.h"

enum { ROUTES_MAX = 8 };

struct row {
    enum hg_api_kind kind;
    const char *routes[ROUTES_MAX]; /* "GET /path", ended by NULL */
    const char *method, *path;
    const char *winner; /* NULL: none */
};

static const char *find(struct hg_arena *arena, const struct row *row)
{
    struct hg_route_table *table = route_table_new(arena, row->kind);
    struct hg_error warning, err;

    for (size_t i = 0; i < ROUTES_MAX && row->routes[i]; i++) {
        const char *space = strchr(row->routes[i], ' ');
        struct hg_str method = hg_str_n(row->routes[i], (size_t)(space - row->routes[i]));
        struct hg_pattern *pattern = hg_arena_must(arena, sizeof(*pattern));

        assert_int_equal(pattern_parse(arena, hg_str_of(space + 1), pattern, &err), HG_OK);
        assert_int_equal(
            route_table_add(table, hg_str_is(method, "ANY") ? HG_METHOD_ANY : method_of(method),
                            pattern, row->routes[i], &warning, &err),
            HG_OK);
    }
    return route_table_find(table, method_of(hg_str_of(row->method)), hg_str_of(row->path));
}

static void check(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct hg_arena *arena = hg_arena_new(1 << 20);
        const char *winner = find(arena, &rows[i]);

        if (!winner != !rows[i].winner || (winner && strcmp(winner, rows[i].winner) != 0))
            fail_msg("%s %s: %s instead of %s", rows[i].method, rows[i].path,
                     winner ? winner : "none", rows[i].winner ? rows[i].winner : "none");
        hg_arena_free(arena);
    }
}

static void rest_prefers_literals_from_the_left(void **state)
{
    static const struct row rows[] = {
        {HG_API_REST,
         {"GET /{param1}/{param2}", "GET /{param}/bar"},
         "GET",
         "/foo/bar",
         "GET /{param}/bar"},
        {HG_API_REST,
         {"GET /foo/{proxy+}", "GET /{proxy+}"},
         "GET",
         "/foo/x/y",
         "GET /foo/{proxy+}"},
        {HG_API_REST,
         {"GET /{p1}/{p2}/baz", "GET /{p1}/bar/{p2}"},
         "GET",
         "/foo/bar/baz",
         "GET /{p1}/{p2}/baz"},
        {HG_API_REST,
         {"GET /foo/{p1}/baz", "GET /foo/{p1}/{p2}"},
         "GET",
         "/foo/bar/baz",
         "GET /foo/{p1}/baz"},
        {HG_API_REST,
         {"GET /foo/{p1}/baz", "GET /foo/{p1}/{p2}"},
         "GET",
         "/foo/bar/qux",
         "GET /foo/{p1}/{p2}"},
        {HG_API_REST,
         {"GET /pets/{id}", "GET /pets/latest"},
         "GET",
         "/pets/latest",
         "GET /pets/latest"},
        {HG_API_REST, {"GET /pets/{id}", "GET /{a}/dog"}, "GET", "/pets/dog", "GET /pets/{id}"},
        {HG_API_REST,
         {"GET /pets/{id}/toys", "GET /pets/latest"},
         "GET",
         "/pets/latest/toys",
         "GET /pets/{id}/toys"},
        {HG_API_REST, {"GET /a/{p+}", "GET /{x}/{y}"}, "GET", "/a/b", "GET /a/{p+}"},
    };

    (void)state;
    check(rows, HG_COUNT(rows));
}

static void rest_falls_back_over_the_whole_tree(void **state)
{
    static const struct row rows[] = {
        {HG_API_REST, {"GET /test", "OPTIONS /{proxy+}"}, "OPTIONS", "/test", "OPTIONS /{proxy+}"},
        {HG_API_REST, {"GET /test", "OPTIONS /{proxy+}"}, "GET", "/test", "GET /test"},
        {HG_API_REST, {"GET /test", "OPTIONS /{proxy+}"}, "POST", "/test", NULL},
        {HG_API_REST, {"ANY /exact", "GET /{proxy+}"}, "GET", "/exact", "ANY /exact"},
        {HG_API_REST,
         {"ANY /part1", "ANY /part1/hardcoded", "ANY /{param+}"},
         "GET",
         "/part1/random",
         "ANY /{param+}"},
        {HG_API_REST,
         {"ANY /part1", "ANY /part1/hardcoded", "ANY /{param+}"},
         "GET",
         "/part1",
         "ANY /part1"},
        {HG_API_REST, {"GET /a/{x}/c", "POST /a/b/c"}, "GET", "/a/b/c", "GET /a/{x}/c"},
        {HG_API_REST, {"GET /a/b/{r+}", "POST /a/{x}/c"}, "POST", "/a/b/c", "POST /a/{x}/c"},
    };

    (void)state;
    check(rows, HG_COUNT(rows));
}

static void rest_slashes_and_case(void **state)
{
    static const struct row rows[] = {
        {HG_API_REST, {"GET /a", "GET /{proxy+}"}, "GET", "/a/", "GET /a"},
        {HG_API_REST, {"GET /{proxy+}"}, "GET", "/", NULL},
        {HG_API_REST, {"GET /", "GET /{proxy+}"}, "GET", "/", "GET /"},
        {HG_API_REST, {"GET /{proxy+}"}, "GET", "/proxy-value//double-slash", "GET /{proxy+}"},
        {HG_API_REST, {"GET /foo/{proxy+}"}, "GET", "/foo", NULL},
        {HG_API_REST, {"GET /foo/{proxy+}"}, "GET", "/foo/", NULL},
        {HG_API_REST, {"GET /Case"}, "GET", "/case", NULL},
        {HG_API_REST, {"GET /pets"}, "GET", "/%70ets", NULL},
        {HG_API_REST, {"GET /a/{x}/b"}, "GET", "/a//b", NULL},
    };

    (void)state;
    check(rows, HG_COUNT(rows));
}

static void any_covers_seven_methods(void **state)
{
    static const char *const seven[] = {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"};
    struct row row = {HG_API_REST, {"ANY /x", "GET /only"}, NULL, "/x", "ANY /x"};

    (void)state;
    for (size_t i = 0; i < HG_COUNT(seven); i++) {
        row.method = seven[i];
        check(&row, 1);
    }
    row.winner = NULL;
    row.method = "TRACE";
    check(&row, 1);
    row.method = "get";
    check(&row, 1);
    row = (struct row){HG_API_REST, {"GET /only"}, "HEAD", "/only", NULL};
    check(&row, 1);
}

static void http_order(void **state)
{
#define PETS \
    { \
        "GET /pets/dog/1", "GET /pets/dog/{id}", "GET /pets/{proxy+}", "ANY /{proxy+}" \
    }
    static const struct row rows[] = {
        {HG_API_HTTP, PETS, "GET", "/pets/dog/1", "GET /pets/dog/1"},
        {HG_API_HTTP, PETS, "GET", "/pets/dog/2", "GET /pets/dog/{id}"},
        {HG_API_HTTP, PETS, "GET", "/pets/cat/1", "GET /pets/{proxy+}"},
        {HG_API_HTTP, PETS, "POST", "/test/5", "ANY /{proxy+}"},
        {HG_API_HTTP, PETS, "POST", "/pets/dog/1", "ANY /{proxy+}"},
        {HG_API_HTTP, PETS, "GET", "/", NULL}, /* $default is the caller's part */
        {HG_API_HTTP, {"POST /both", "ANY /both"}, "POST", "/both", "POST /both"},
        {HG_API_HTTP, {"POST /both", "ANY /both"}, "GET", "/both", "ANY /both"},
        {HG_API_HTTP, {"ANY /static", "GET /{all+}"}, "GET", "/static", "ANY /static"},
        /* Any full match before any greedy one, unlike REST. */
        {HG_API_HTTP, {"GET /a/{p+}", "GET /{x}/{y}"}, "GET", "/a/b", "GET /{x}/{y}"},
        {HG_API_HTTP,
         {"GET /a/{p+}", "GET /a/b/{p+}", "GET /{p+}"},
         "GET",
         "/a/b/c",
         "GET /a/b/{p+}"},
        {HG_API_HTTP,
         {"GET /Case/{a}/x", "GET /Case/{b}/y"},
         "GET",
         "/Case/1/y",
         "GET /Case/{b}/y"},
        {HG_API_HTTP, {"GET /hello"}, "GET", "/hello/", NULL},
        {HG_API_HTTP, {"GET /metrics/{proxy+}"}, "GET", "/metrics/", "GET /metrics/{proxy+}"},
        {HG_API_HTTP, {"GET /metrics/{proxy+}"}, "GET", "/metrics", NULL},
        {HG_API_HTTP, {"GET /hello"}, "HEAD", "/hello", NULL},
    };

    (void)state;
    check(rows, HG_COUNT(rows));
}

static void params_are_taken_from_the_path(void **state)
{
    struct hg_arena *arena = hg_arena_new(1 << 20);
    struct hg_pattern pattern;
    struct hg_param params[2];
    struct hg_error err;

    (void)state;
    assert_int_equal(pattern_parse(arena, HG_STR("/shop/{id}/x/{proxy+}"), &pattern, &err), HG_OK);
    assert_int_equal(pattern.param_count, 2);
    pattern_params(&pattern, HG_API_REST, HG_STR("/shop/a%2Fb/x/c/d//e/"), params);
    assert_str(params[0].name, "id");
    assert_str(params[0].value, "a%2Fb");
    assert_str(params[1].name, "proxy");
    assert_str(params[1].value, "c/d//e");
    assert_int_equal(pattern_parse(arena, HG_STR("/metrics/{proxy+}"), &pattern, &err), HG_OK);
    pattern_params(&pattern, HG_API_HTTP, HG_STR("/metrics/"), params);
    assert_str(params[0].value, "");
    hg_arena_free(arena);
}

static void bad_templates_are_refused(void **state)
{
    static const char *const bad[] = {"",     "pets", "/a{id}", "/{id}x",      "/{}",
                                      "/{+}", "/{a",  "/a}",    "/{a+}/below", "/{a{b}}"};
    struct hg_arena *arena = hg_arena_new(1 << 20);
    struct hg_pattern pattern;
    struct hg_error err;

    (void)state;
    for (size_t i = 0; i < HG_COUNT(bad); i++)
        assert_int_equal(pattern_parse(arena, hg_str_of(bad[i]), &pattern, &err), HG_E_INVALID);
    hg_arena_free(arena);
}

static void the_same_route_twice_is_a_conflict(void **state)
{
    struct hg_arena *arena = hg_arena_new(1 << 20);
    struct hg_route_table *table = route_table_new(arena, HG_API_REST);
    struct hg_pattern one, two, other;
    struct hg_error err, warning = {.text = ""};

    (void)state;
    assert_int_equal(pattern_parse(arena, HG_STR("/pets/{id}"), &one, &err), HG_OK);
    assert_int_equal(pattern_parse(arena, HG_STR("/pets/{name}"), &two, &err), HG_OK);
    assert_int_equal(pattern_parse(arena, HG_STR("/pets/{pet}/toys"), &other, &err), HG_OK);
    assert_int_equal(route_table_add(table, HG_METHOD_GET, &one, "1", &warning, &err), HG_OK);
    assert_string_equal(warning.text, "");
    assert_int_equal(route_table_add(table, HG_METHOD_GET, &two, "2", &warning, &err),
                     HG_E_CONFLICT);
    assert_int_equal(route_table_add(table, HG_METHOD_GET, &other, "3", &warning, &err), HG_OK);
    assert_non_null(strstr(warning.text, "A sibling ({id})"));
    hg_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rest_prefers_literals_from_the_left),
        cmocka_unit_test(rest_falls_back_over_the_whole_tree),
        cmocka_unit_test(rest_slashes_and_case),
        cmocka_unit_test(any_covers_seven_methods),
        cmocka_unit_test(http_order),
        cmocka_unit_test(params_are_taken_from_the_path),
        cmocka_unit_test(bad_templates_are_refused),
        cmocka_unit_test(the_same_route_twice_is_a_conflict),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
