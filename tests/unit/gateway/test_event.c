/*
 * Events against documents written by hand (apigw-proxy-integration.md §1–3).
 */
#include "tests/unit/gateway/world.h"

#include "gateway/event.h"

#include <cjson/cJSON.h>

enum { PORT = 443 };

static const char trace[] = "Root=1-65f00000-0123456789abcdef01234567";

struct scene {
    struct world world;
    struct hg_api *api;
    struct hg_stage *stage;
    struct hg_route *route;
    struct ask ask;
    struct hg_context ctx;
    struct hg_buf event;
};

static void set_up(struct scene *scene, enum hg_api_kind kind, const char *stage,
                   const char *method, const char *path)
{
    world_init(&scene->world);
    scene->api =
        world_api(&scene->world, kind, kind == HG_API_REST ? "k3v9example" : "h7t2example");
    scene->stage = world_stage(&scene->world, scene->api, stage);
    scene->route = world_route(&scene->world, scene->api, method, path);
    hg_buf_init(&scene->event, HG_INVOKE_REQUEST_MAX);
}

/*
 * The request as the gateway would have it after routing, with ids and time of the specification's
 * examples.
 */
static void arrive(struct scene *scene, const char *method, const char *target,
                   struct hg_str stage_path, struct hg_str path)
{
    struct hg_context *ctx = &scene->ctx;

    world_prepare(&scene->world);
    ask_init(&scene->ask, &scene->world, method, target);
    scene->ask.peer.local_port = PORT;
    scene->ask.peer.is_tls = true;
    context_init(ctx, &scene->ask.req, scene->world.snapshot);
    ctx->api = scene->api;
    ctx->plan = api_plan_of(scene->api);
    ctx->stage = &ctx->plan->stages[0];
    ctx->route = &ctx->plan->routes[0];
    ctx->stage_path = stage_path;
    ctx->path = path;
    ctx->wall_ms = 1710231330123;
    memcpy(ctx->request_id, "7d3c1a52-5b1e-4c0e-9a43-0e6a8f4b2c11", sizeof(ctx->request_id));
    memcpy(ctx->extended_id, "Kx1aBcDeFiEFhZg=", sizeof(ctx->extended_id));
}

static void assert_event(struct scene *scene, bool is_v2, const char *expected_text)
{
    cJSON *expected, *actual;

    context_note_headers(&scene->ctx);
    assert_true(is_v2 ? event_v2_write(&scene->ctx, &scene->event)
                      : event_v1_write(&scene->ctx, &scene->event));
    expected = cJSON_Parse(expected_text);
    assert_non_null(expected);
    actual = cJSON_ParseWithLength(hg_buf_str(&scene->event).p, scene->event.len);
    if (!actual || !cJSON_Compare(expected, actual, true))
        fail_msg("%.*s", HG_STR_ARG(hg_buf_str(&scene->event)));
    cJSON_Delete(expected);
    cJSON_Delete(actual);
}

static void tear_down(struct scene *scene)
{
    hg_buf_fini(&scene->event);
    hg_arena_free(scene->ask.req.arena);
    world_fini(&scene->world);
}

#define IDENTITY_START \
    "\"identity\":{\"accessKey\":null,\"accountId\":null,\"caller\":null,\"cognitoAuthenticationProvider\":null," \
    "\"cognitoAuthenticationType\":null,\"cognitoIdentityId\":null,\"cognitoIdentityPoolId\":null," \
    "\"principalOrgId\":null,\"sourceIp\":\"198.51.100.24\",\"user\":null,\"userArn\":null,"

/* The complete example of §1.3. */
static void rest_example(void **state)
{
    static const char expected[] =
        "{\"resource\":\"/shop/{proxy+}\",\"path\":\"/shop/cart/items%2F7/\",\"httpMethod\":\"POST\",\"headers\":{"
        "\"Accept\":\"*/*\",\"Content-Type\":\"application/json\","
        "\"Host\":\"k3v9example.execute-api.eu-west-1.amazonaws.com\",\"User-Agent\":\"curl/8.5.0\","
        "\"X-Amzn-Trace-Id\":\"Root=1-65f00000-0123456789abcdef01234567\",\"X-Forwarded-For\":\"198.51.100.24\","
        "\"X-Forwarded-Port\":\"443\",\"X-Forwarded-Proto\":\"https\",\"x-TaG\":\"b\"},\"multiValueHeaders\":{"
        "\"Accept\":[\"*/*\"],\"Content-Type\":[\"application/json\"],"
        "\"Host\":[\"k3v9example.execute-api.eu-west-1.amazonaws.com\"],\"User-Agent\":[\"curl/8.5.0\"],"
        "\"X-Amzn-Trace-Id\":[\"Root=1-65f00000-0123456789abcdef01234567\"],\"X-Forwarded-For\":[\"198.51.100.24\"],"
        "\"X-Forwarded-Port\":[\"443\"],\"X-Forwarded-Proto\":[\"https\"],\"x-TaG\":[\"a\",\"b\"]},"
        "\"queryStringParameters\":{\"size\":\"20\",\"q\":\"foo bar\"},"
        "\"multiValueQueryStringParameters\":{\"size\":[\"10\",\"20\"],\"q\":[\"foo bar\"]},"
        "\"pathParameters\":{\"proxy\":\"cart/items%2F7\"},\"stageVariables\":null,\"requestContext\":{"
        "\"accountId\":\"111122223333\",\"apiId\":\"k3v9example\",\"deploymentId\":\"d1p0ab\","
        "\"domainName\":\"k3v9example.execute-api.eu-west-1.amazonaws.com\",\"domainPrefix\":\"k3v9example\","
        "\"extendedRequestId\":\"Kx1aBcDeFiEFhZg=\",\"httpMethod\":\"POST\"," IDENTITY_START
        "\"userAgent\":\"curl/8.5.0\"},\"path\":\"/live/shop/cart/items%2F7/\",\"protocol\":\"HTTP/1.1\","
        "\"requestId\":\"7d3c1a52-5b1e-4c0e-9a43-0e6a8f4b2c11\",\"requestTime\":\"12/Mar/2024:08:15:30 +0000\","
        "\"requestTimeEpoch\":1710231330123,\"resourceId\":\"r3s0rc\",\"resourcePath\":\"/shop/{proxy+}\","
        "\"stage\":\"live\"},\"body\":\"{\\\"sku\\\":7}\",\"isBase64Encoded\":false}";
    struct scene scene;

    (void)state;
    set_up(&scene, HG_API_REST, "live", "POST", "/shop/{proxy+}");
    arrive(&scene, "POST", "/live/shop/cart/items%2F7/?size=10&size=20&q=foo%20bar",
           HG_STR("/live/shop/cart/items%2F7/"), HG_STR("/shop/cart/items%2F7/"));
    ask_header(&scene.ask, "Host", "k3v9example.execute-api.eu-west-1.amazonaws.com");
    ask_header(&scene.ask, "Content-Length", "9");
    ask_header(&scene.ask, "accept", "*/*");
    ask_header(&scene.ask, "content-type", "application/json");
    ask_header(&scene.ask, "user-agent", "curl/8.5.0");
    ask_header(&scene.ask, "Connection", "keep-alive");
    ask_header(&scene.ask, "x-TaG", "a");
    ask_header(&scene.ask, "x-TaG", "b");
    ask_header(&scene.ask, "x-amzn-trace-id", trace);
    scene.ask.req.body = HG_STR("{\"sku\":7}");
    assert_event(&scene, false, expected);
    tear_down(&scene);
}

static void rest_nothing_is_null(void **state)
{
    static const char expected[] =
        "{\"resource\":\"/x\",\"path\":\"/x\",\"httpMethod\":\"GET\",\"headers\":{"
        "\"Host\":\"127.0.0.1:8080\",\"X-Amzn-Trace-Id\":\"Root=1-65f00000-0123456789abcdef01234567;Parent=53995c3f42cd8ad8"
        ";Sampled=1\",\"X-Forwarded-For\":\"203.0.113.9, 198.51.100.24\",\"X-Forwarded-Port\":\"8080\","
        "\"X-Forwarded-Proto\":\"http\"},\"multiValueHeaders\":{\"Host\":[\"127.0.0.1:8080\"],\"X-Amzn-Trace-Id\":["
        "\"Root=1-65f00000-0123456789abcdef01234567;Parent=53995c3f42cd8ad8;Sampled=1\"],"
        "\"X-Forwarded-For\":[\"203.0.113.9, 198.51.100.24\"],\"X-Forwarded-Port\":[\"8080\"],"
        "\"X-Forwarded-Proto\":[\"http\"]},\"queryStringParameters\":null,\"multiValueQueryStringParameters\":null,"
        "\"pathParameters\":null,\"stageVariables\":{\"color\":\"blue\"},\"requestContext\":{"
        "\"accountId\":\"111122223333\",\"apiId\":\"k3v9example\",\"deploymentId\":\"d1p0ab\","
        "\"domainName\":\"127.0.0.1\",\"domainPrefix\":\"127\",\"extendedRequestId\":\"Kx1aBcDeFiEFhZg=\","
        "\"httpMethod\":\"GET\"," IDENTITY_START "\"userAgent\":null},\"operationName\":\"GetX\","
        "\"path\":\"/v1/x\",\"protocol\":\"HTTP/1.1\",\"requestId\":\"7d3c1a52-5b1e-4c0e-9a43-0e6a8f4b2c11\","
        "\"requestTime\":\"12/Mar/2024:08:15:30 +0000\",\"requestTimeEpoch\":1710231330123,"
        "\"resourceId\":\"r3s0rc\",\"resourcePath\":\"/x\",\"stage\":\"v1\"},\"body\":null,\"isBase64Encoded\":false}";
    struct scene scene;

    (void)state;
    set_up(&scene, HG_API_REST, "v1", "GET", "/x");
    scene.route->operation_name = HG_STR("GetX");
    world_put(&scene.world, &scene.stage->variables, "color", "blue");
    arrive(&scene, "GET", "/v1/x", HG_STR("/v1/x"), HG_STR("/x"));
    scene.ask.peer.local_port = 8080;
    scene.ask.peer.is_tls = false;
    ask_header(&scene.ask, "Host", "127.0.0.1:8080");
    ask_header(&scene.ask, "X-Forwarded-For", "203.0.113.9");
    ask_header(&scene.ask, "X-Forwarded-Proto", "gopher");
    ask_header(&scene.ask, "X-Amzn-Trace-Id",
               "Self=1-67891234-12456789abcdef012345678;Root=1-65f00000-0123456789abcdef01234567;"
               "Parent=53995c3f42cd8ad8;Sampled=1");
    for (size_t i = 0; i < 10; i++) {
        static const char *const dropped[] = {
            "Content-MD5",       "Expect",  "Max-Forwards", "Proxy-Authenticate", "Server", "TE",
            "Transfer-Encoding", "Trailer", "Upgrade",      "WWW-Authenticate"};
        ask_header(&scene.ask, dropped[i], "x");
    }
    assert_event(&scene, false, expected);
    tear_down(&scene);
}

static void rest_binary_body(void **state)
{
    static struct hg_str types[] = {{"image/png", 9}};
    struct scene scene;
    struct hg_str event;

    (void)state;
    set_up(&scene, HG_API_REST, "v1", "POST", "/x");
    scene.api->binary_types = types;
    scene.api->binary_type_count = 1;
    arrive(&scene, "POST", "/v1/x", HG_STR("/v1/x"), HG_STR("/x"));
    ask_header(&scene.ask, "Content-Type", "image/png; q=1");
    scene.ask.req.body = hg_str_n("\0\1\377", 3);
    context_note_headers(&scene.ctx);
    assert_true(event_v1_write(&scene.ctx, &scene.event));
    event = hg_buf_str(&scene.event);
    assert_true(hg_str_ends(event, HG_STR("\"body\":\"AAH/\",\"isBase64Encoded\":true}")));

    /* The same bytes as text: what is not UTF-8 is replaced. */
    scene.ask.headers[0].value = HG_STR("image/jpeg");
    hg_buf_clear(&scene.event, 0);
    context_note_headers(&scene.ctx);
    assert_true(event_v1_write(&scene.ctx, &scene.event));
    event = hg_buf_str(&scene.event);
    assert_true(hg_str_ends(
        event, HG_STR("\"body\":\"\\u0000\\u0001\xef\xbf\xbd\",\"isBase64Encoded\":false}")));
    tear_down(&scene);
}

/* The complete example of §2. */
static void http_v1_example(void **state)
{
    static const char expected[] =
        "{\"version\":\"1.0\",\"resource\":\"/pets/{id}\",\"path\":\"/pets/42\",\"httpMethod\":\"GET\",\"headers\":{"
        "\"Content-Length\":\"0\",\"Host\":\"h7t2example.execute-api.eu-west-1.amazonaws.com\","
        "\"User-Agent\":\"curl/8.5.0\",\"X-Amzn-Trace-Id\":\"Root=1-65f00000-0123456789abcdef01234567\","
        "\"X-Forwarded-For\":\"198.51.100.24\",\"X-Forwarded-Port\":\"443\",\"X-Forwarded-Proto\":\"https\","
        "\"accept\":\"*/*\"},\"multiValueHeaders\":{\"Content-Length\":[\"0\"],"
        "\"Host\":[\"h7t2example.execute-api.eu-west-1.amazonaws.com\"],\"User-Agent\":[\"curl/8.5.0\"],"
        "\"X-Amzn-Trace-Id\":[\"Root=1-65f00000-0123456789abcdef01234567\"],\"X-Forwarded-For\":[\"198.51.100.24\"],"
        "\"X-Forwarded-Port\":[\"443\"],\"X-Forwarded-Proto\":[\"https\"],\"accept\":[\"*/*\"]},"
        "\"queryStringParameters\":{\"v\":\"2\"},\"multiValueQueryStringParameters\":{\"v\":[\"1\",\"2\"]},"
        "\"requestContext\":{\"accountId\":\"111122223333\",\"apiId\":\"h7t2example\","
        "\"domainName\":\"h7t2example.execute-api.eu-west-1.amazonaws.com\",\"domainPrefix\":\"h7t2example\","
        "\"extendedRequestId\":\"Kx1aBcDeFiEFhZg=\",\"httpMethod\":\"GET\"," IDENTITY_START
        "\"cognitoAmr\":null,\"userAgent\":\"curl/8.5.0\"},\"path\":\"/pets/42\",\"protocol\":\"HTTP/1.1\","
        "\"requestId\":\"Kx1aBcDeFiEFhZg=\",\"requestTime\":\"12/Mar/2024:08:15:30 +0000\","
        "\"requestTimeEpoch\":1710231330123,\"resourceId\":\"GET /pets/{id}\",\"resourcePath\":\"/pets/{id}\","
        "\"stage\":\"$default\"},\"pathParameters\":{\"id\":\"42\"},\"stageVariables\":null,\"body\":null,"
        "\"isBase64Encoded\":false}";
    struct scene scene;

    (void)state;
    set_up(&scene, HG_API_HTTP, "$default", "GET", "/pets/{id}");
    arrive(&scene, "GET", "/pets/42?v=1&v=2", HG_STR("/pets/42"), HG_STR("/pets/42"));
    ask_header(&scene.ask, "host", "h7t2example.execute-api.eu-west-1.amazonaws.com");
    ask_header(&scene.ask, "User-Agent", "curl/8.5.0");
    ask_header(&scene.ask, "Accept", "*/*");
    ask_header(&scene.ask, "X-Amzn-Trace-Id", trace);
    assert_event(&scene, false, expected);
    tear_down(&scene);
}

/* The example of §3, with the raw path as received (routing §6.3). */
static void http_v2_example(void **state)
{
    static const char expected[] =
        "{\"version\":\"2.0\",\"routeKey\":\"PUT /pets/{id}\",\"rawPath\":\"/prod/pets/a%20b\","
        "\"rawQueryString\":\"tag=x&tag=y&q=foo%20bar&e\",\"cookies\":[\"sid=31d4d96e\",\"theme=dark\",\"c=3\"],"
        "\"headers\":{\"accept\":\"*/*\",\"content-length\":\"11\",\"content-type\":\"application/json\","
        "\"host\":\"h7t2example.execute-api.eu-west-1.amazonaws.com\",\"user-agent\":\"curl/8.5.0\","
        "\"x-amzn-trace-id\":\"Root=1-65f00000-0123456789abcdef01234567\",\"x-dup\":\"1,2\","
        "\"x-forwarded-for\":\"198.51.100.24\",\"x-forwarded-port\":\"443\",\"x-forwarded-proto\":\"https\"},"
        "\"queryStringParameters\":{\"tag\":\"x,y\",\"q\":\"foo bar\",\"e\":\"\"},\"requestContext\":{"
        "\"accountId\":\"111122223333\",\"apiId\":\"h7t2example\","
        "\"domainName\":\"h7t2example.execute-api.eu-west-1.amazonaws.com\",\"domainPrefix\":\"h7t2example\","
        "\"http\":{\"method\":\"PUT\",\"path\":\"/prod/pets/a%20b\",\"protocol\":\"HTTP/1.1\","
        "\"sourceIp\":\"198.51.100.24\",\"userAgent\":\"curl/8.5.0\"},\"requestId\":\"Kx1aBcDeFiEFhZg=\","
        "\"routeKey\":\"PUT /pets/{id}\",\"stage\":\"prod\",\"time\":\"12/Mar/2024:08:15:30 +0000\","
        "\"timeEpoch\":1710231330123},\"pathParameters\":{\"id\":\"a b\"},\"stageVariables\":{\"color\":\"blue\"},"
        "\"body\":\"{\\\"age\\\": 3}\\n\",\"isBase64Encoded\":false}";
    struct scene scene;

    (void)state;
    set_up(&scene, HG_API_HTTP, "prod", "PUT", "/pets/{id}");
    world_put(&scene.world, &scene.stage->variables, "color", "blue");
    arrive(&scene, "PUT", "/prod/pets/a%20b?tag=x&tag=y&q=foo%20bar&e", HG_STR("/prod/pets/a%20b"),
           HG_STR("/pets/a%20b"));
    ask_header(&scene.ask, "Host", "h7t2example.execute-api.eu-west-1.amazonaws.com");
    ask_header(&scene.ask, "User-Agent", "curl/8.5.0");
    ask_header(&scene.ask, "Accept", "*/*");
    ask_header(&scene.ask, "X-Dup", "1");
    ask_header(&scene.ask, "Cookie", "sid=31d4d96e; theme=dark");
    ask_header(&scene.ask, "cookie", "c=3");
    ask_header(&scene.ask, "x-dup", "2");
    ask_header(&scene.ask, "Content-Type", "application/json");
    ask_header(&scene.ask, "Transfer-Encoding", "chunked");
    ask_header(&scene.ask, "X-Amzn-Trace-Id", trace);
    scene.ask.req.body = HG_STR("{\"age\": 3}\n");
    assert_event(&scene, true, expected);
    tear_down(&scene);
}

static void http_v2_absent_parts(void **state)
{
    static const char expected[] =
        "{\"version\":\"2.0\",\"routeKey\":\"$default\",\"rawPath\":\"/any\",\"rawQueryString\":\"\",\"headers\":{"
        "\"content-length\":\"0\",\"host\":\"h\",\"x-amzn-trace-id\":\"Root=1-65f00000-0123456789abcdef01234567\","
        "\"x-forwarded-for\":\"198.51.100.24\",\"x-forwarded-port\":\"443\",\"x-forwarded-proto\":\"https\"},"
        "\"requestContext\":{\"accountId\":\"111122223333\",\"apiId\":\"h7t2example\",\"domainName\":\"h\","
        "\"domainPrefix\":\"h\",\"http\":{\"method\":\"GET\",\"path\":\"/any\",\"protocol\":\"HTTP/1.1\","
        "\"sourceIp\":\"198.51.100.24\",\"userAgent\":\"\"},\"requestId\":\"Kx1aBcDeFiEFhZg=\","
        "\"routeKey\":\"$default\",\"stage\":\"$default\",\"time\":\"12/Mar/2024:08:15:30 +0000\","
        "\"timeEpoch\":1710231330123},\"isBase64Encoded\":false}";
    struct scene scene;

    (void)state;
    set_up(&scene, HG_API_HTTP, "$default", "ANY", "");
    arrive(&scene, "GET", "/any", HG_STR("/any"), HG_STR("/any"));
    ask_header(&scene.ask, "Host", "h");
    ask_header(&scene.ask, "X-Amzn-Trace-Id", trace);
    assert_event(&scene, true, expected);
    tear_down(&scene);
}

static void http_body_encodings(void **state)
{
    static const struct {
        const char *type, *encoding;
        bool is_base64;
    } rows[] = {
        {"text/plain", NULL, false},
        {"text/html; charset=utf-8", NULL, false},
        {"application/json", NULL, false},
        {"application/problem+json", NULL, false},
        {"application/javascript", NULL, false},
        {"application/xml", NULL, false},
        {NULL, NULL, false},
        {"image/png", NULL, true},
        {"application/octet-stream", NULL, true},
        {"multipart/form-data; boundary=x", NULL, true},
        {"application/x-www-form-urlencoded", NULL, true},
        {"text/plain", "gzip", true},
        {"text/plain", "identity", false},
    };

    (void)state;
    for (size_t i = 0; i < HG_COUNT(rows); i++) {
        struct scene scene;

        set_up(&scene, HG_API_HTTP, "$default", "POST", "/x");
        arrive(&scene, "POST", "/x", HG_STR("/x"), HG_STR("/x"));
        if (rows[i].type)
            ask_header(&scene.ask, "Content-Type", rows[i].type);
        if (rows[i].encoding)
            ask_header(&scene.ask, "Content-Encoding", rows[i].encoding);
        scene.ask.req.body = HG_STR("zzz");
        context_note_headers(&scene.ctx);
        assert_true(event_v2_write(&scene.ctx, &scene.event));
        assert_true(hg_str_ends(hg_buf_str(&scene.event),
                                rows[i].is_base64
                                    ? HG_STR("\"body\":\"enp6\",\"isBase64Encoded\":true}")
                                    : HG_STR("\"body\":\"zzz\",\"isBase64Encoded\":false}")));
        tear_down(&scene);
    }
}

/* §1.6: a query is decoded as a form. */
static void queries_are_decoded(void **state)
{
    static const struct {
        const char *query, *name, *value;
    } rows[] = {
        {"dateTimeOffset=2023-06-12T18:05:10.123456+00:00", "dateTimeOffset",
         "2023-06-12T18:05:10.123456 00:00"},
        {"plus=test+alias@gmail.com", "plus", "test alias@gmail.com"},
        {"email=test%2Balias@gmail.com", "email", "test+alias@gmail.com"},
        {"zhash=abort/", "zhash", "abort/"},
        {"a", "a", ""},
        {"a=", "a", ""},
        {"a[]=1&a[]=2", "a[]", "2"},
        {"q=%C3%A4", "q", "\xc3\xa4"},
        {"k%20y=1", "k y", "1"},
        {"a=b=c", "a", "b=c"},
        {"x=1;y=2", "y", "2"},
        {"a=%zz", "a", "%zz"},
        {"&&a=1&", "a", "1"},
    };
    struct hg_arena *arena = hg_arena_new(1 << 20);

    (void)state;
    for (size_t i = 0; i < HG_COUNT(rows); i++) {
        struct hg_pairs pairs;
        bool is_found = false;

        assert_true(pairs_of_query(&pairs, arena, hg_str_of(rows[i].query), HG_API_REST));
        for (size_t p = 0; p < pairs.count; p++) {
            if (!pairs.items[p].is_first || !hg_str_is(pairs.items[p].name, rows[i].name))
                continue;
            assert_str(pairs.items[pairs.items[p].last].value, rows[i].value);
            is_found = true;
        }
        assert_true(is_found);
    }
    hg_arena_free(arena);
}

/* Many names take another way of grouping than few; the result is the same. */
static void many_pairs_are_grouped_in_order(void **state)
{
    enum { NAMES = 50, ROUNDS = 3 };
    struct hg_arena *arena = hg_arena_new(1 << 20);
    struct hg_pairs pairs;

    (void)state;
    assert_true(pairs_init(&pairs, arena, NAMES * ROUNDS));
    for (int round = 0; round < ROUNDS; round++) {
        for (int name = 0; name < NAMES; name++)
            pairs_add(&pairs, hg_str_of(hg_arena_printf(arena, round == 1 ? "N%d" : "n%d", name)),
                      hg_str_of(hg_arena_printf(arena, "%d", round)));
    }
    assert_true(pairs_group(&pairs, arena, true));
    for (size_t i = 0; i < NAMES * ROUNDS; i++) {
        assert_int_equal(pairs.items[i].is_first, i < NAMES);
        assert_int_equal(pairs.items[i].next, i < (ROUNDS - 1) * NAMES ? i + NAMES : HG_PAIR_NONE);
        if (i < NAMES)
            assert_int_equal(pairs.items[i].last, i + (ROUNDS - 1) * NAMES);
    }
    hg_arena_free(arena);
}

static void an_event_that_does_not_fit(void **state)
{
    struct scene scene;

    (void)state;
    set_up(&scene, HG_API_REST, "v1", "POST", "/x");
    arrive(&scene, "POST", "/v1/x", HG_STR("/v1/x"), HG_STR("/x"));
    scene.event.max = 1000;
    assert_false(event_v1_write(&scene.ctx, &scene.event));
    tear_down(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rest_example),
        cmocka_unit_test(rest_nothing_is_null),
        cmocka_unit_test(rest_binary_body),
        cmocka_unit_test(http_v1_example),
        cmocka_unit_test(http_v2_example),
        cmocka_unit_test(http_v2_absent_parts),
        cmocka_unit_test(http_body_encodings),
        cmocka_unit_test(queries_are_decoded),
        cmocka_unit_test(many_pairs_are_grouped_in_order),
        cmocka_unit_test(an_event_that_does_not_fit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
