/*
 * Requests from address to answer, with functions played by the test.
 */
#include "tests/unit/gateway/world.h"

#include "gateway/access_log.h"
#include "gateway/address.h"

#include <stdlib.h>
#include <unistd.h>

#define MISSING "{\"message\":\"Missing Authentication Token\"}"
#define FORBIDDEN "{\"message\":\"Forbidden\"}"
#define NOT_FOUND "{\"message\":\"Not Found\"}"
#define REST_FAULT "{\"message\":\"Internal server error\"}"
#define HTTP_FAULT "{\"message\":\"Internal Server Error\"}"

/* Asks once and compares; the function must not be called. */
static void expect(struct world *world, const char *method, const char *target, const char *host,
                   int status, const char *body, const char *error_type)
{
    struct ask ask;

    ask_init(&ask, world, method, target);
    if (host)
        ask_header(&ask, "Host", host);
    ask_send(&ask, world);
    assert_null(world_invocation);
    assert_answer(&ask, status, body, error_type);
    ask_end(&ask);
}

/*
 * Asks once and lets the function return; compares what the event says about resource or route, and
 * path.
 */
static void expect_event(struct world *world, const char *target, const char *host,
                         const char *part)
{
    struct ask ask;

    ask_init(&ask, world, "GET", target);
    if (host)
        ask_header(&ask, "Host", host);
    ask_send(&ask, world);
    assert_non_null(world_invocation);
    if (hg_str_find_str(hg_buf_str(&world_invocation->payload), hg_str_of(part)) < 0)
        fail_msg("%s: %.*s", target, HG_STR_ARG(hg_buf_str(&world_invocation->payload)));
    world_return("{\"statusCode\":200,\"body\":\"ok\"}");
    assert_answer(&ask, 200, "ok", "");
    ask_end(&ask);
}

static struct hg_api *one_rest_api(struct world *world)
{
    struct hg_api *api;

    world_init(world);
    api = world_api(world, HG_API_REST, "aaaaaaaaaa");
    (void)world_stage(world, api, "stage");
    return api;
}

static void rest_addresses_and_slashes(void **state)
{
    struct world world;
    struct hg_api *api = one_rest_api(&world);

    (void)state;
    (void)world_route(&world, api, "GET", "/{proxy+}");
    (void)world_route(&world, api, "GET", "/existing");
    world_open(&world, NULL);
    expect_event(&world, "//stage/proxy-value", NULL,
                 "\"path\":\"/stage/proxy-value\",\"protocol\"");
    expect_event(&world, "/stage//proxy-value", NULL,
                 "\"path\":\"/stage//proxy-value\",\"protocol\"");
    expect_event(&world, "/stage//proxy-value", NULL, "\"path\":\"/proxy-value\",\"httpMethod\"");
    expect_event(&world, "/stage//existing", NULL, "\"resource\":\"/existing\"");
    expect_event(&world, "/stage/proxy-value/?urlparam=test", NULL,
                 "\"pathParameters\":{\"proxy\":\"proxy-value\"}");
    expect_event(&world, "/stage/x", "AAAAAAAAAA.execute-api.eu-west-1.amazonaws.com",
                 "\"path\":\"/x\"");
    expect_event(&world, "/stage/x", "aaaaaaaaaa.execute-api.localhost:8080",
                 "\"domainPrefix\":\"aaaaaaaaaa\"");
    expect_event(&world, "/_aws/execute-api/aaaaaaaaaa/stage/x", NULL,
                 "\"path\":\"/stage/x\",\"protocol\"");
    expect(&world, "POST", "/stage/existing", NULL, 403, MISSING,
           "MissingAuthenticationTokenException");
    expect(&world, "GET", "/stage", NULL, 403, MISSING, "MissingAuthenticationTokenException");
    expect(&world, "GET", "/nostage/x", NULL, 403, FORBIDDEN, "ForbiddenException");
    expect(&world, "GET", "/", NULL, 403, FORBIDDEN, "ForbiddenException");
    expect(&world, "GET", "/stage/x", "bbbbbbbbbb.execute-api.localhost", 403, FORBIDDEN,
           "ForbiddenException");
    expect(&world, "GET", "/_aws/execute-api/bbbbbbbbbb/stage/x", NULL, 403, FORBIDDEN,
           "ForbiddenException");
    expect(&world, "GET", "/_aws/execute-api/", NULL, 403, FORBIDDEN, "ForbiddenException");
    expect(&world, "OPTIONS", "*", NULL, 403, FORBIDDEN, "ForbiddenException");
    world_fini(&world);
}

static void http_stages(void **state)
{
    struct world world;
    struct hg_api *api;

    (void)state;
    world_init(&world);
    api = world_api(&world, HG_API_HTTP, "hhhhhhhhhh");
    (void)world_stage(&world, api, "prod");
    (void)world_stage(&world, api, "$default");
    (void)world_route(&world, api, "GET", "/pets");
    world_open(&world, NULL);
    expect_event(&world, "/prod/pets", NULL, "\"rawPath\":\"/prod/pets\"");
    expect_event(&world, "/prod/pets", NULL, "\"stage\":\"prod\"");
    expect_event(&world, "/pets", NULL, "\"stage\":\"$default\"");
    expect_event(&world, "/_aws/execute-api/hhhhhhhhhh/pets", NULL, "\"rawPath\":\"/pets\"");
    expect_event(&world, "/_aws/execute-api/hhhhhhhhhh/$default/pets", NULL,
                 "\"rawPath\":\"/pets\"");
    expect(&world, "GET", "/prod", NULL, 404, NOT_FOUND, "");
    expect(&world, "POST", "/pets", NULL, 404, NOT_FOUND, "");
    expect(&world, "GET", "/pets/", NULL, 404, NOT_FOUND, "");
    expect(&world, "OPTIONS", "/pets", NULL, 404, NOT_FOUND, "");
    world_fini(&world);
}

static void several_apis(void **state)
{
    struct world world;
    struct hg_api *rest, *closed, *http;

    (void)state;
    world_init(&world);
    rest = world_api(&world, HG_API_REST, "rrrrrrrrrr");
    (void)world_stage(&world, rest, "v1");
    (void)world_stage(&world, rest, "both");
    (void)world_route(&world, rest, "GET", "/rest");
    closed = world_api(&world, HG_API_REST, "cccccccccc");
    (void)world_stage(&world, closed, "both");
    (void)world_stage(&world, closed, "open");
    (void)world_route(&world, closed, "GET", "/closed");
    closed->is_endpoint_disabled = true;
    http = world_api(&world, HG_API_HTTP, "hhhhhhhhhh");
    (void)world_stage(&world, http, "$default");
    (void)world_route(&world, http, "GET", "/http");
    world_open(&world, NULL);
    expect_event(&world, "/v1/rest", NULL, "\"apiId\":\"rrrrrrrrrr\"");
    expect_event(&world, "/http", NULL, "\"apiId\":\"hhhhhhhhhh\"");
    expect_event(&world, "/both/rest", "rrrrrrrrrr.execute-api.x", "\"apiId\":\"rrrrrrrrrr\"");
    /* The stage's name belongs to two: only $default is left to mean. */
    expect(&world, "GET", "/both/rest", NULL, 404, NOT_FOUND, "");
    expect(&world, "GET", "/both/closed", "cccccccccc.execute-api.x", 403, FORBIDDEN,
           "ForbiddenException");
    expect(&world, "GET", "/_aws/execute-api/cccccccccc/both/closed", NULL, 403, FORBIDDEN,
           "ForbiddenException");
    expect_event(&world, "/open/closed", NULL, "\"apiId\":\"cccccccccc\"");
    world_fini(&world);
}

static void an_oversize_body_by_kind_of_api(void **state)
{
    struct world world;
    struct hg_api *rest = one_rest_api(&world), *http;
    struct ask ask;

    (void)state;
    (void)world_route(&world, rest, "GET", "/x");
    http = world_api(&world, HG_API_HTTP, "hhhhhhhhhh");
    (void)world_stage(&world, http, "$default");
    world_open(&world, NULL);
    ask_init(&ask, &world, "POST", "/stage/x");
    assert_null(gateway_oversize_body(&ask.req, world.gateway).p);
    ask_end(&ask);
    ask_init(&ask, &world, "POST", "/x");
    assert_str(gateway_oversize_body(&ask.req, world.gateway),
               "{\"message\":\"Request Entity Too Large\"}");
    ask_end(&ask);
    world_fini(&world);
}

static void explicit_addresses_are_recognised(void **state)
{
    (void)state;
    assert_true(address_is_explicit(HG_STR("a.execute-api.eu-west-1.amazonaws.com"), HG_STR("/")));
    assert_true(address_is_explicit(HG_STR("a.Execute-API.localhost:80"), HG_STR("/")));
    assert_true(address_is_explicit(HG_STR("a.execute-api:80"), HG_STR("/")));
    assert_true(address_is_explicit(HG_STR("h"), HG_STR("/_aws/execute-api/x/y")));
    assert_false(address_is_explicit(HG_STR("a.execute-apis.x"), HG_STR("/")));
    assert_false(address_is_explicit(HG_STR(".execute-api.x"), HG_STR("/")));
    assert_false(address_is_explicit(HG_STR("execute-api.x"), HG_STR("/")));
    assert_false(address_is_explicit(HG_STR(""), HG_STR("/_aws/execute-api")));
}

static void rest_answers_carry_ids(void **state)
{
    struct world world;
    struct hg_api *api = one_rest_api(&world);
    struct ask ask;

    (void)state;
    (void)world_route(&world, api, "ANY", "/x");
    world_open(&world, NULL);
    ask_init(&ask, &world, "GET", "/stage/x");
    ask_header(&ask, "x-amzn-requestid", "7d3c1a52-5b1e-4c0e-9a43-0e6a8f4b2c11");
    ask_header(&ask, "X-Amzn-Trace-Id",
               "Root=1-65f00000-0123456789abcdef01234567;Parent=53995c3f42cd8ad8");
    ask_header(&ask, "X-HTTP-Method-Override", "PATCH");
    ask_send(&ask, &world);
    assert_string_equal(
        world_invocation->trace_id,
        "Root=1-65f00000-0123456789abcdef01234567;Parent=53995c3f42cd8ad8;Sampled=1");
    assert_string_equal(world_invocation->invoked_arn,
                        "arn:aws:lambda:eu-west-1:111122223333:function:Hello");
    assert_true(hg_str_find_str(hg_buf_str(&world_invocation->payload),
                                HG_STR("\"httpMethod\":\"PATCH\"")) > 0);
    world_return("{\"statusCode\":201,\"body\":\"b\",\"headers\":{\"Date\":\"now\"}}");
    assert_answer(&ask, 201, "b", "");
    assert_str(ask_answer_header(&ask, "x-amzn-RequestId", 0),
               "7d3c1a52-5b1e-4c0e-9a43-0e6a8f4b2c11");
    assert_int_equal(ask_answer_header(&ask, "x-amz-apigw-id", 0).n, 16);
    assert_str(ask_answer_header(&ask, "x-amzn-trace-id", 0),
               "Root=1-65f00000-0123456789abcdef01234567;Parent=53995c3f42cd8ad8");
    assert_str(ask_answer_header(&ask, "x-amzn-remapped-date", 0), "now");
    assert_null(ask_answer_header(&ask, "apigw-requestid", 0).p);
    ask_end(&ask);
    /* A request id that is no UUID is not taken. */
    ask_init(&ask, &world, "GET", "/stage/none");
    ask_header(&ask, "x-amzn-requestid", "mine");
    ask_send(&ask, &world);
    assert_int_equal(ask_answer_header(&ask, "x-amzn-RequestId", 0).n, HG_UUID_LEN);
    assert_null(ask_answer_header(&ask, "x-amzn-trace-id", 0).p);
    ask_end(&ask);
    world_fini(&world);
}

static void http_answers_carry_one_id(void **state)
{
    struct world world;
    struct hg_api *api;
    struct ask ask;

    (void)state;
    world_init(&world);
    api = world_api(&world, HG_API_HTTP, "hhhhhhhhhh");
    (void)world_stage(&world, api, "$default");
    (void)world_route(&world, api, "ANY", "");
    world_open(&world, NULL);
    ask_init(&ask, &world, "PROPFIND", "/anything");
    ask_send(&ask, &world);
    world_return("\"hello\"");
    assert_answer(&ask, 200, "hello", "");
    assert_str(ask_answer_header(&ask, "content-type", 0), "application/json");
    assert_int_equal(ask_answer_header(&ask, "apigw-requestid", 0).n, 16);
    assert_null(ask_answer_header(&ask, "x-amzn-requestid", 0).p);
    assert_null(ask_answer_header(&ask, "x-amzn-trace-id", 0).p);
    assert_null(ask_answer_header(&ask, "x-amz-apigw-id", 0).p);
    ask_end(&ask);
    world_fini(&world);
}

/* §4.4 of apigw-proxy-integration.md. */
static void failures(void **state)
{
    static const struct {
        enum hg_rc rc;
        enum hg_function_error error;
        const char *answer; /* instead of rc, when not NULL */
        int rest_status;
        const char *rest_body;
        int http_status;
        const char *http_body;
    } rows[] = {
        {HG_OK, HG_FUNCTION_ERROR, NULL, 502, REST_FAULT, 500, HTTP_FAULT},
        {HG_OK, HG_FUNCTION_TIMEOUT, NULL, 502, REST_FAULT, 500, HTTP_FAULT},
        {HG_OK, HG_FUNCTION_OK, "{\"statusCode\":\"x\"}", 502, REST_FAULT, 500, HTTP_FAULT},
        {HG_E_THROTTLED, HG_FUNCTION_OK, NULL, 500, REST_FAULT, 503,
         "{\"message\":\"Service Unavailable\"}"},
        {HG_E_TOO_LARGE, HG_FUNCTION_OK, NULL, 413, "{\"message\":\"Request Too Long\"}", 413,
         "{\"message\":\"Request Too Long\"}"},
        {HG_E_UNAVAILABLE, HG_FUNCTION_OK, NULL, 500, REST_FAULT, 500, HTTP_FAULT},
    };

    (void)state;
    for (size_t i = 0; i < HG_COUNT(rows) * 2; i++) {
        bool is_rest = i % 2 == 0;
        struct world world;
        struct hg_api *api;
        struct ask ask;

        world_init(&world);
        api = world_api(&world, is_rest ? HG_API_REST : HG_API_HTTP, "aaaaaaaaaa");
        (void)world_stage(&world, api, "s");
        (void)world_route(&world, api, "GET", "/x");
        world_open(&world, NULL);
        ask_init(&ask, &world, "GET", "/s/x");
        ask_send(&ask, &world);
        if (rows[i / 2].answer)
            world_return(rows[i / 2].answer);
        else
            world_fail(rows[i / 2].rc, rows[i / 2].error);
        assert_int_equal(ask.req.response.status,
                         is_rest ? rows[i / 2].rest_status : rows[i / 2].http_status);
        assert_str(ask.req.response.body, is_rest ? rows[i / 2].rest_body : rows[i / 2].http_body);
        assert_str(ask_answer_header(&ask, "content-type", 0), "application/json");
        ask_end(&ask);
        world_fini(&world);
    }
}

static void gateway_time_out(void **state)
{
    struct world world;
    struct hg_api *api = one_rest_api(&world);
    struct hg_route *route = world_route(&world, api, "GET", "/x");
    struct ask ask;

    (void)state;
    route->integration->timeout_ms = 50;
    world_open(&world, NULL);
    ask_init(&ask, &world, "GET", "/stage/x");
    ask_send(&ask, &world);
    while (!ask.is_answered)
        hg_loop_turn(world.loops->loops[0], true);
    assert_answer(&ask, 504, "{\"message\":\"Endpoint request timed out\"}",
                  "InternalServerErrorException");
    assert_int_equal(world_cancelled, 1);
    assert_null(world_invocation);
    ask_end(&ask);
    world_fini(&world);
}

static void a_client_that_leaves_cancels(void **state)
{
    struct world world;
    struct hg_api *api = one_rest_api(&world);
    struct ask ask;

    (void)state;
    (void)world_route(&world, api, "GET", "/x");
    world_open(&world, NULL);
    ask_init(&ask, &world, "GET", "/stage/x");
    ask_send(&ask, &world);
    assert_non_null(world_invocation);
    ask_end(&ask);
    assert_int_equal(world_cancelled, 1);
    assert_null(world_invocation);
    world_fini(&world);
}

static void an_event_over_six_megabytes(void **state)
{
    struct world world;
    struct hg_api *api = one_rest_api(&world);
    struct hg_buf body;
    struct ask ask;

    (void)state;
    (void)world_route(&world, api, "POST", "/x");
    world_open(&world, NULL);
    hg_buf_init(&body, HG_REQUEST_BODY_MAX);
    assert_non_null(hg_buf_reserve(&body, HG_INVOKE_REQUEST_MAX));
    memset(body.base, 'x', HG_INVOKE_REQUEST_MAX);
    ask_init(&ask, &world, "POST", "/stage/x");
    ask.req.body = hg_str_n(body.base, HG_INVOKE_REQUEST_MAX);
    ask_send(&ask, &world);
    assert_answer(&ask, 413, "{\"message\":\"Request Too Long\"}", "RequestTooLargeException");
    ask_end(&ask);
    hg_buf_fini(&body);
    world_fini(&world);
}

/* Which routes cannot be served, what they answer, and that start-up says so. */
static void routes_that_cannot_be_served(void **state)
{
    struct world world;
    struct hg_api *api = one_rest_api(&world);
    struct hg_route *route;

    (void)state;
    route = world_route(&world, api, "GET", "/http");
    route->integration->type = HG_INTEG_HTTP_PROXY;
    route->integration->line = 12;
    route = world_route(&world, api, "GET", "/auth");
    route->authorization = HG_STR("CUSTOM");
    route = world_route(&world, api, "GET", "/key");
    route->is_api_key_required = true;
    route = world_route(&world, api, "GET", "/said");
    route->integration->unsupported = HG_STR("this \"kind\" is missing");
    route = world_route(&world, api, "GET", "/method");
    route->integration->http_method = HG_STR("GET");
    route = world_route(&world, api, "GET", "/gone");
    route->integration->function_ref = HG_STR("Gone");
    route = world_route(&world, api, "GET", "/illegal");
    world_put(&world, &route->integration->request_parameters,
              "integration.request.header.Content-Length", "'1'");
    route = world_route(&world, api, "GET", "/later");
    world_put(&world, &route->integration->request_parameters,
              "integration.request.header.X-Amz-Invocation-Type", "'Later'");
    route = world_route(&world, api, "GET", "/nothing");
    route->integration = NULL;
    world_open(&world, NULL);
    assert_int_equal(world.stack->notice_count, 9);
    assert_int_equal(world.stack->notices[0].kind, HG_NOTICE_NOT_SERVED);
    assert_int_equal(world.stack->notices[0].line, 12);
    assert_str(world.stack->notices[0].text,
               "GET /http: HTTP_PROXY integrations are not served yet");
    expect(&world, "GET", "/stage/http", NULL, 501,
           "{\"message\":\"HTTP_PROXY integrations are not served yet\"}",
           "NotImplementedException");
    expect(&world, "GET", "/stage/auth", NULL, 501,
           "{\"message\":\"authorization CUSTOM is not served yet\"}", "NotImplementedException");
    expect(&world, "GET", "/stage/key", NULL, 501, "{\"message\":\"API keys are not served yet\"}",
           "NotImplementedException");
    expect(&world, "GET", "/stage/said", NULL, 501,
           "{\"message\":\"this \\\"kind\\\" is missing\"}", "NotImplementedException");
    expect(&world, "GET", "/stage/method", NULL, 500, REST_FAULT, "InternalServerErrorException");
    expect(&world, "GET", "/stage/gone", NULL, 500, REST_FAULT, "InternalServerErrorException");
    expect(&world, "GET", "/stage/illegal", NULL, 500, REST_FAULT, "InternalServerErrorException");
    expect(&world, "GET", "/stage/nothing", NULL, 500, REST_FAULT, "InternalServerErrorException");
    expect(&world, "GET", "/stage/later", NULL, 500, REST_FAULT, "InternalServerErrorException");
    world_fini(&world);
}

static void stage_variables_choose_the_function(void **state)
{
    struct world world;
    struct hg_api *api = one_rest_api(&world);
    struct hg_route *route = world_route(&world, api, "GET", "/x");
    struct ask ask;

    (void)state;
    (void)world_function(&world, "Other");
    (void)world_stage(&world, api, "bare");
    world_put(&world, &api->stages[0].variables, "fn", "Other");
    route->integration->function_ref =
        HG_STR("arn:aws:lambda:eu-west-1:111122223333:function:${stageVariables.fn}");
    world_open(&world, NULL);
    ask_init(&ask, &world, "GET", "/stage/x");
    ask_send(&ask, &world);
    assert_str(world_invocation->function->name, "Other");
    world_return("{}");
    ask_end(&ask);
    expect(&world, "GET", "/bare/x", NULL, 500, REST_FAULT, "InternalServerErrorException");
    world_fini(&world);
}

/* ---- gateway responses ---- */

static struct hg_gateway_response *customise(struct world *world, struct hg_api *api,
                                             const char *type, int status)
{
    struct hg_gateway_response *response;

    if (!api->gateway_responses)
        api->gateway_responses =
            hg_arena_must(world->stack->arena, 4 * sizeof(*api->gateway_responses));
    response = &api->gateway_responses[api->gateway_response_count++];
    response->type = hg_str_of(type);
    response->status = status;
    return response;
}

static void customised_gateway_responses(void **state)
{
    struct world world;
    struct hg_api *api = one_rest_api(&world);
    struct hg_gateway_response *response;
    struct ask ask;

    (void)state;
    (void)world_route(&world, api, "GET", "/x");
    world_put(&world, &api->stages[0].variables, "team", "blue");
    response = customise(&world, api, "MISSING_AUTHENTICATION_TOKEN", 404);
    world_put(&world, &response->parameters, "gatewayresponse.header.Access-Control-Allow-Origin",
              "'*'");
    world_put(&world, &response->parameters, "gatewayresponse.header.X-Team",
              "stageVariables.team");
    world_put(&world, &response->parameters, "gatewayresponse.header.X-Me",
              "method.request.header.X-Me");
    world_put(&world, &response->parameters, "gatewayresponse.header.X-None",
              "method.request.header.x-me");
    world_put(&world, &response->parameters, "gatewayresponse.header.X-Q",
              "method.request.querystring.q");
    world_put(&world, &response->templates, "text/html", "<p>$context.error.message</p>");
    world_put(
        &world, &response->templates, "application/json",
        "{\"m\":$context.error.messageString,\"t\":\"$context.error.responseType\",\"p\":\"$context.path\","
        "\"v\":\"$stageVariables.team\",\"none\":\"$context.authorizer.claims.sub\",\"$util\":1}");
    (void)customise(&world, api, "DEFAULT_5XX", 599);
    world_open(&world, NULL);

    ask_init(&ask, &world, "GET", "/stage/nope?q=a%20b");
    ask_header(&ask, "X-Me", "you");
    ask_send(&ask, &world);
    assert_answer(
        &ask, 404,
        "{\"m\":\"Missing Authentication Token\",\"t\":\"MISSING_AUTHENTICATION_TOKEN\",\"p\":\"/stage/nope\","
        "\"v\":\"blue\",\"none\":\"\",\"$util\":1}",
        "MissingAuthenticationTokenException");
    assert_str(ask_answer_header(&ask, "Access-Control-Allow-Origin", 0), "*");
    assert_str(ask_answer_header(&ask, "X-Team", 0), "blue");
    assert_str(ask_answer_header(&ask, "X-Me", 0), "you");
    assert_str(ask_answer_header(&ask, "X-Q", 0), "a b");
    assert_null(ask_answer_header(&ask, "X-None", 0).p);
    ask_end(&ask);

    ask_init(&ask, &world, "GET", "/stage/nope");
    ask_header(&ask, "Accept", "text/html, */*");
    ask_send(&ask, &world);
    assert_answer(&ask, 404, "<p>Missing Authentication Token</p>",
                  "MissingAuthenticationTokenException");
    assert_str(ask_answer_header(&ask, "content-type", 0), "text/html");
    ask_end(&ask);

    /* DEFAULT_5XX is the parent of every type of error that has no customisation of its own. */
    ask_init(&ask, &world, "GET", "/stage/x");
    ask_send(&ask, &world);
    world_return("[]");
    assert_answer(&ask, 599, REST_FAULT, "InternalServerErrorException");
    ask_end(&ask);
    world_fini(&world);
}

/* ---- MOCK ---- */

static struct hg_integ_model *mock_of(struct world *world, struct hg_route *route, size_t responses)
{
    struct hg_integ_model *model = route->integration;

    model->type = HG_INTEG_MOCK;
    model->responses =
        hg_arena_must(world->stack->arena, (responses + 1) * sizeof(*model->responses));
    model->response_count = responses;
    return model;
}

static void mock_answers(void **state)
{
    struct world world;
    struct hg_api *api = one_rest_api(&world);
    struct hg_integ_model *model = mock_of(&world, world_route(&world, api, "ANY", "/tea"), 2);
    struct ask ask;

    (void)state;
    world_put(&world, &model->request_templates, "application/json", "{\"statusCode\": 418}");
    world_put(&world, &model->request_templates, "text/plain", " {statusCode: 200} ");
    model->responses[0].status = 200;
    world_put(&world, &model->responses[0].templates, "application/json", "{\"ok\":true}");
    model->responses[1].status = 419;
    model->responses[1].selection_pattern = HG_STR("4\\d{2}");
    world_put(&world, &model->responses[1].parameters, "method.response.header.X-Pot", "'short'");
    world_put(&world, &model->responses[1].parameters, "method.response.header.X-Id",
              "context.requestId");
    world_put(&world, &model->responses[1].parameters, "method.response.header.X-Back",
              "integration.response.header.a");
    world_put(&world, &model->responses[1].parameters, "method.response.header.Server", "'me'");
    world_put(&world, &model->responses[1].templates, "application/json", "{\"pot\":\"tea\"}");
    world_put(&world, &model->responses[1].templates, "text/html", "<p>");
    world_open(&world, NULL);
    assert_int_equal(world.stack->notice_count, 0);

    ask_init(&ask, &world, "GET", "/stage/tea");
    ask_send(&ask, &world);
    assert_answer(&ask, 419, "{\"pot\":\"tea\"}", "");
    assert_str(ask_answer_header(&ask, "content-type", 0), "application/json");
    assert_str(ask_answer_header(&ask, "x-pot", 0), "short");
    assert_str(ask_answer_header(&ask, "x-amzn-remapped-server", 0), "me");
    assert_true(hg_str_eq(ask_answer_header(&ask, "x-id", 0),
                          ask_answer_header(&ask, "x-amzn-requestid", 0)));
    assert_null(ask_answer_header(&ask, "x-back", 0).p);
    assert_null(ask_answer_header(&ask, "x-amzn-trace-id", 0).p);
    assert_int_equal(ask_answer_header(&ask, "x-amz-apigw-id", 0).n, 16);
    ask_end(&ask);

    ask_init(&ask, &world, "GET", "/stage/tea");
    ask_header(&ask, "Accept", "text/html");
    ask_send(&ask, &world);
    assert_answer(&ask, 419, "<p>", "");
    assert_str(ask_answer_header(&ask, "content-type", 0), "text/html");
    ask_end(&ask);

    ask_init(&ask, &world, "POST", "/stage/tea");
    ask_header(&ask, "Content-Type", "text/plain; charset=utf-8");
    ask_send(&ask, &world);
    assert_answer(&ask, 200, "{\"ok\":true}", "");
    ask_end(&ask);

    /* A type without a template passes the body on, which then is the template's result. */
    ask_init(&ask, &world, "POST", "/stage/tea");
    ask_header(&ask, "Content-Type", "text/csv");
    ask.req.body = HG_STR("{\"statusCode\":404}");
    ask_send(&ask, &world);
    assert_answer(&ask, 419, "{\"pot\":\"tea\"}", "");
    ask_end(&ask);
    ask_init(&ask, &world, "POST", "/stage/tea");
    ask_header(&ask, "Content-Type", "text/csv");
    ask.req.body = HG_STR("a,b");
    ask_send(&ask, &world);
    assert_answer(&ask, 500, REST_FAULT, "InternalServerErrorException");
    ask_end(&ask);
    world_fini(&world);
}

static void mocks_that_fail(void **state)
{
    struct world world;
    struct hg_api *api = one_rest_api(&world);
    struct hg_integ_model *model;

    (void)state;
    model = mock_of(&world, world_route(&world, api, "GET", "/none"), 1);
    model->responses[0].status = 200;
    model = mock_of(&world, world_route(&world, api, "GET", "/unmatched"), 1);
    world_put(&world, &model->request_templates, "application/json", "{\"statusCode\":200}");
    model->responses[0].selection_pattern = HG_STR("5[\\d]+");
    model = mock_of(&world, world_route(&world, api, "GET", "/text"), 1);
    world_put(&world, &model->request_templates, "application/json", "{\"statusCode\":\"200\"}");
    model = mock_of(&world, world_route(&world, api, "GET", "/never"), 1);
    model->passthrough = HG_STR("NEVER");
    model = mock_of(&world, world_route(&world, api, "GET", "/engine"), 1);
    world_put(&world, &model->request_templates, "application/json", "{\"statusCode\":200}");
    world_put(&world, &model->responses[0].templates, "application/json",
              "{\"id\":\"$input.params('id')\"}");
    model->line = 7;
    world_open(&world, NULL);
    expect(&world, "GET", "/stage/none", NULL, 500, REST_FAULT, "InternalServerErrorException");
    expect(&world, "GET", "/stage/unmatched", NULL, 500, REST_FAULT,
           "InternalServerErrorException");
    expect(&world, "GET", "/stage/text", NULL, 500, REST_FAULT, "InternalServerErrorException");
    expect(&world, "GET", "/stage/never", NULL, 415, "{\"message\":\"Unsupported Media Type\"}",
           "BadRequestException");
    assert_int_equal(world.stack->notice_count, 1);
    assert_int_equal(world.stack->notices[0].line, 7);
    assert_true(hg_str_find_str(world.stack->notices[0].text, HG_STR("mapping template")) > 0);
    world_fini(&world);
}

/* ---- CORS ---- */

static void preflight(struct world *world, const char *origin, const char *target, struct ask *ask)
{
    ask_init(ask, world, "OPTIONS", target);
    ask_header(ask, "Origin", origin);
    ask_header(ask, "Access-Control-Request-Method", "POST");
    ask_send(ask, world);
}

static void cors_of_http_apis(void **state)
{
    static struct hg_str origins[] = {{"https://app.example", 19}, {"http://*", 8}};
    static struct hg_str methods[] = {{"GET", 3}, {"POST", 4}};
    static struct hg_str headers[] = {{"x-a", 3}, {"x-b", 3}};
    static struct hg_str exposed[] = {{"x-seen", 6}};
    struct world world;
    struct hg_api *api;
    struct ask ask;

    (void)state;
    world_init(&world);
    api = world_api(&world, HG_API_HTTP, "hhhhhhhhhh");
    (void)world_stage(&world, api, "$default");
    (void)world_route(&world, api, "ANY", "/x");
    (void)world_route(&world, api, "OPTIONS", "/own");
    api->cors = (struct hg_cors){.is_set = true,
                                 .allow_origins = origins,
                                 .allow_origin_count = 2,
                                 .allow_methods = methods,
                                 .allow_method_count = 2,
                                 .allow_headers = headers,
                                 .allow_header_count = 2,
                                 .expose_headers = exposed,
                                 .expose_header_count = 1,
                                 .max_age = 600,
                                 .allow_credentials = true};
    world_open(&world, NULL);

    preflight(&world, "https://app.example", "/no/such/route", &ask);
    assert_answer(&ask, 204, "", "");
    assert_str(ask_answer_header(&ask, "access-control-allow-origin", 0), "https://app.example");
    assert_str(ask_answer_header(&ask, "access-control-allow-methods", 0), "GET,POST");
    assert_str(ask_answer_header(&ask, "access-control-allow-headers", 0), "x-a,x-b");
    assert_str(ask_answer_header(&ask, "access-control-max-age", 0), "600");
    assert_str(ask_answer_header(&ask, "access-control-allow-credentials", 0), "true");
    assert_null(ask_answer_header(&ask, "content-type", 0).p);
    ask_end(&ask);

    preflight(&world, "https://evil.example", "/x", &ask);
    assert_answer(&ask, 204, "", "");
    assert_null(ask_answer_header(&ask, "access-control-allow-origin", 0).p);
    ask_end(&ask);

    preflight(&world, "http://localhost:3000", "/own", &ask);
    assert_false(ask.is_answered);
    world_return(
        "{\"statusCode\":200,\"headers\":{\"Access-Control-Allow-Origin\":\"*\",\"x\":\"y\"}}");
    assert_str(ask_answer_header(&ask, "access-control-allow-origin", 0), "http://localhost:3000");
    assert_null(ask_answer_header(&ask, "access-control-allow-origin", 1).p);
    assert_str(ask_answer_header(&ask, "access-control-expose-headers", 0), "x-seen");
    assert_str(ask_answer_header(&ask, "x", 0), "y");
    ask_end(&ask);

    ask_init(&ask, &world, "GET", "/x");
    ask_header(&ask, "Origin", "https://evil.example");
    ask_send(&ask, &world);
    world_return("{\"statusCode\":200,\"headers\":{\"Access-Control-Allow-Origin\":\"*\"}}");
    assert_null(ask_answer_header(&ask, "access-control-allow-origin", 0).p);
    ask_end(&ask);
    world_fini(&world);
}

/* ---- throttles ---- */

static void stage_throttle(void **state)
{
    struct world world;
    struct hg_api *api = one_rest_api(&world);
    struct hg_integ_model *model = mock_of(&world, world_route(&world, api, "GET", "/x"), 1);
    const char *const busy = "{\"message\":\"Too Many Requests\"}";

    (void)state;
    world_put(&world, &model->request_templates, "application/json", "{\"statusCode\":200}");
    model->responses[0].status = 200;
    api->stages[0].has_throttle = true;
    api->stages[0].throttle_rate = 0.001;
    api->stages[0].throttle_burst = 2;
    model = mock_of(&world, world_route(&world, api, "GET", "/y"), 1);
    world_put(&world, &model->request_templates, "application/json", "{\"statusCode\":200}");
    model->responses[0].status = 200;
    (void)world_stage(&world, api, "off");
    api->stages[1].has_throttle = true;
    (void)world_stage(&world, api, "free");
    api->stages[2].has_throttle = true;
    api->stages[2].throttle_rate = api->stages[2].throttle_burst = -1;
    world_open(&world, NULL);
    expect(&world, "GET", "/stage/x", NULL, 200, "", "");
    expect(&world, "GET", "/stage/x", NULL, 200, "", "");
    expect(&world, "GET", "/stage/x", NULL, 429, busy, "TooManyRequestsException");
    /* Each route has the stage's rate and burst for itself. */
    expect(&world, "GET", "/stage/y", NULL, 200, "", "");
    expect(&world, "GET", "/off/x", NULL, 429, busy, "TooManyRequestsException");
    expect(&world, "GET", "/free/x", NULL, 200, "", "");
    world_fini(&world);
}

static void a_bucket_refills(void **state)
{
    struct hg_bucket bucket;
    int64_t now = 1000000;

    (void)state;
    bucket_init(&bucket, 10, 3);
    for (int i = 0; i < 3; i++)
        assert_true(bucket_take(&bucket, now));
    assert_false(bucket_take(&bucket, now));
    assert_false(bucket_take(&bucket, now + 99999));
    assert_true(bucket_take(&bucket, now + 100000));
    assert_false(bucket_take(&bucket, now + 100000));
    now += 10000000;
    for (int i = 0; i < 3; i++)
        assert_true(bucket_take(&bucket, now));
    assert_false(bucket_take(&bucket, now));
    bucket_init(&bucket, 5, 0);
    assert_false(bucket_take(&bucket, now));
    bucket_init(&bucket, 0, 5);
    assert_false(bucket_take(&bucket, now));
    bucket_init(&bucket, 1e12, 1);
    assert_true(bucket_take(&bucket, now));
}

/* ---- snapshots, log and lists ---- */

static void a_request_keeps_its_snapshot(void **state)
{
    struct world world, next;
    struct hg_api *api = one_rest_api(&world);
    struct ask ask;

    (void)state;
    (void)world_route(&world, api, "GET", "/old");
    world_open(&world, NULL);
    ask_init(&ask, &world, "GET", "/stage/old");
    ask_send(&ask, &world);
    world_return("{\"body\":\"old\"}");
    api = one_rest_api(&next);
    (void)mock_of(&next, world_route(&next, api, "GET", "/new"), 0);
    world_prepare(&next);
    registry_publish(world.registry, snapshot_ref(next.snapshot));
    /* The next request sees the new one; the old one lives until its request is done. */
    expect(&world, "GET", "/stage/old", NULL, 403, MISSING, "MissingAuthenticationTokenException");
    expect(&world, "GET", "/stage/new", NULL, 500, REST_FAULT, "InternalServerErrorException");
    assert_answer(&ask, 200, "old", "");
    ask_end(&ask);
    world_fini(&next);
    world_fini(&world);
}

static void access_lines(void **state)
{
    struct world world;
    struct hg_api *api = one_rest_api(&world);
    struct hg_gateway_options options = {.access_log = HG_ACCESS_LOG_FILE};
    char path[] = "/tmp/headgate-access-XXXXXX", text[2048];
    int fd = mkstemp(path);
    struct ask ask;
    ssize_t length;

    (void)state;
    assert_true(fd >= 0);
    options.access_log_file = path;
    (void)world_route(&world, api, "GET", "/pets/{id}");
    (void)world_stage(&world, api, "plain");
    api->stages[0].access_log_format = HG_STR(
        "{\"id\":\"$context.requestId\",\"ip\":\"$context.identity.sourceIp\",\"status\":$context.status,"
        "\"path\":\"$context.resourcePath\",\"len\":\"$context.responseLength\","
        "\"none\":\"$context.authorizer.principalId\",\"int\":$context.integration.status/"
        "$context.integrationStatus,\"user\":\"$context.identity.user\",\"err\":$context.error.messageString}");
    world_open(&world, &options);
    ask_init(&ask, &world, "GET", "/stage/pets/7");
    ask_header(&ask, "x-amzn-requestid", "7d3c1a52-5b1e-4c0e-9a43-0e6a8f4b2c11");
    ask_send(&ask, &world);
    world_return("{\"statusCode\":201,\"body\":\"12345\"}");
    ask_end(&ask);
    ask_init(&ask, &world, "GET", "/stage/none?secret=1");
    ask_header(&ask, "x-amzn-requestid", "7d3c1a52-5b1e-4c0e-9a43-0e6a8f4b2c12");
    ask_send(&ask, &world);
    ask_end(&ask);
    ask_init(&ask, &world, "GET", "/plain/pets/7?secret=1");
    ask_header(&ask, "x-amzn-requestid", "7d3c1a52-5b1e-4c0e-9a43-0e6a8f4b2c13");
    ask.req.version = HG_HTTP_2;
    ask_send(&ask, &world);
    world_return("{\"statusCode\":202,\"body\":\"ok\"}");
    ask_end(&ask);
    world_fini(&world);
    length = pread(fd, text, sizeof(text) - 1, 0);
    assert_true(length > 0);
    text[length] = '\0';
    assert_non_null(strstr(
        text,
        "{\"id\":\"7d3c1a52-5b1e-4c0e-9a43-0e6a8f4b2c11\",\"ip\":\"198.51.100.24\",\"status\":201,"
        "\"path\":\"/pets/{id}\",\"len\":\"5\",\"none\":\"-\",\"int\":201/200,\"user\":\"-\",\"err\":-}\n"));
    assert_non_null(strstr(
        text,
        "{\"id\":\"7d3c1a52-5b1e-4c0e-9a43-0e6a8f4b2c12\",\"ip\":\"198.51.100.24\",\"status\":403,"
        "\"path\":\"-\",\"len\":\"42\",\"none\":\"-\",\"int\":-/-,\"user\":\"-\","
        "\"err\":\"Missing Authentication Token\"}\n"));
    assert_non_null(strstr(text, "\n198.51.100.24 \"GET /plain/pets/7 HTTP/2\" 202 2B "));
    assert_non_null(strstr(text, "ms Hello 7d3c1a52-5b1e-4c0e-9a43-0e6a8f4b2c13\n"));
    assert_null(strstr(text, "secret"));
    (void)close(fd);
    (void)unlink(path);
}

static void lists_of_routes(void **state)
{
    struct world world;
    struct hg_api *rest = one_rest_api(&world), *http;
    struct hg_buf text;

    (void)state;
    (void)world_route(&world, rest, "GET", "/hello");
    (void)mock_of(&world, world_route(&world, rest, "OPTIONS", "/hello"), 0);
    http = world_api(&world, HG_API_HTTP, "hhhhhhhhhh");
    (void)world_stage(&world, http, "$default");
    (void)world_stage(&world, http, "stage");
    (void)world_route(&world, http, "ANY", "");
    world_open(&world, NULL);
    hg_buf_init(&text, 1 << 16);
    gateway_list_routes(world.snapshot, "http://127.0.0.1:8080", &text);
    assert_str(
        hg_buf_str(&text),
        "GET     http://127.0.0.1:8080/_aws/execute-api/aaaaaaaaaa/stage/hello -> Hello (python3.13)\n"
        "OPTIONS http://127.0.0.1:8080/_aws/execute-api/aaaaaaaaaa/stage/hello -> MOCK\n"
        "ANY     http://127.0.0.1:8080/* -> Hello (python3.13)\n"
        "ANY     http://127.0.0.1:8080/_aws/execute-api/hhhhhhhhhh/stage/* -> Hello (python3.13)\n");
    hg_buf_fini(&text);
    world_fini(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rest_addresses_and_slashes),
        cmocka_unit_test(http_stages),
        cmocka_unit_test(several_apis),
        cmocka_unit_test(an_oversize_body_by_kind_of_api),
        cmocka_unit_test(explicit_addresses_are_recognised),
        cmocka_unit_test(rest_answers_carry_ids),
        cmocka_unit_test(http_answers_carry_one_id),
        cmocka_unit_test(failures),
        cmocka_unit_test(gateway_time_out),
        cmocka_unit_test(a_client_that_leaves_cancels),
        cmocka_unit_test(an_event_over_six_megabytes),
        cmocka_unit_test(routes_that_cannot_be_served),
        cmocka_unit_test(stage_variables_choose_the_function),
        cmocka_unit_test(customised_gateway_responses),
        cmocka_unit_test(mock_answers),
        cmocka_unit_test(mocks_that_fail),
        cmocka_unit_test(cors_of_http_apis),
        cmocka_unit_test(stage_throttle),
        cmocka_unit_test(a_bucket_refills),
        cmocka_unit_test(a_request_keeps_its_snapshot),
        cmocka_unit_test(access_lines),
        cmocka_unit_test(lists_of_routes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
