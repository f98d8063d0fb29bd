/*
 * Integrations with the invocation type Event: what is stored, what is
 * answered, and who may leave when.
 */
#include "tests/unit/gateway/world.h"

#include "core/json_scan.h"

static struct hg_api *one_api(struct world *world, enum hg_api_kind kind)
{
    struct hg_api *api;

    world_init(world);
    api = world_api(world, kind, "abcdefghij");
    (void)world_stage(world, api, kind == HG_API_REST ? "stage" : "$default");
    return api;
}

static void ask_post(struct ask *ask, struct world *world, const char *target)
{
    ask_init(ask, world, "POST", target);
    ask_header(ask, "Host", "127.0.0.1:8080");
}

static void map_header(struct world *world, struct hg_route *route, const char *value)
{
    world_put(world, &route->integration->request_parameters,
              "integration.request.header.X-Amz-Invocation-Type", value);
}

static void rest_route_accepts(void **state)
{
    struct world world;
    struct hg_api *api = one_api(&world, HG_API_REST);
    struct hg_route *route = world_route(&world, api, "POST", "/x");
    struct hg_json_value payload, context;
    struct ask ask;
    char id[HG_UUID_LEN + 1];

    (void)state;
    map_header(&world, route, "'Event'");
    world_open(&world, NULL);
    ask_post(&ask, &world, "/stage/x?a=1");
    ask_header(&ask, "Idempotency-Key", "order-7");
    ask_send(&ask, &world);
    assert_false(ask.is_answered);
    assert_null(world_invocation);
    assert_non_null(world_publish);
    assert_string_equal(world_publish->event->function, "Hello");
    assert_string_equal(world_publish->event->qualifier, "");
    assert_string_equal(world_publish->event->dedup, "order-7");
    assert_memory_equal(world_publish->event->trace_id, "Root=1-", 7);
    memcpy(id, world_publish->event->id, sizeof(id));
    payload = hg_json_parse(hg_blob_str(world_publish->event->payload), NULL);
    assert_int_equal(payload.kind, HG_JSON_OBJECT);
    context = hg_json_member(payload, "requestContext");
    /* The function, the client and the queue speak of one id. */
    assert_str(hg_json_plain(hg_json_member(context, "requestId")), id);
    world_publish_done(HG_OK, "");
    assert_answer(&ask, 202, "", "");
    assert_str(ask_answer_header(&ask, "x-amzn-RequestId", 0), id);
    assert_null(ask_answer_header(&ask, "x-amzn-RequestId", 1).p);
    assert_non_null(ask_answer_header(&ask, "x-amz-apigw-id", 0).p);
    assert_null(ask_answer_header(&ask, "Content-Type", 0).p);
    ask_end(&ask);
    world_fini(&world);
}

static void http_route_accepts(void **state)
{
    struct world world;
    struct hg_api *api = one_api(&world, HG_API_HTTP);
    struct hg_route *fixed = world_route(&world, api, "POST", "/fixed");
    struct hg_route *named = world_route(&world, api, "POST", "/named");
    struct ask ask;
    char id[HG_UUID_LEN + 1];

    (void)state;
    fixed->integration->invocation_type = HG_STR("Event");
    fixed->integration->function_ref =
        HG_STR("arn:aws:lambda:eu-west-1:111122223333:function:Hello:$LATEST");
    world_put(&world, &named->integration->request_parameters, "InvocationType",
              "$request.header.x-how");
    world_open(&world, NULL);
    ask_post(&ask, &world, "/fixed");
    ask_send(&ask, &world);
    assert_non_null(world_publish);
    assert_string_equal(world_publish->event->qualifier, "$LATEST");
    memcpy(id, world_publish->event->id, sizeof(id));
    world_publish_done(HG_OK, "");
    assert_answer(&ask, 202, "", "");
    assert_str(ask_answer_header(&ask, "x-amzn-RequestId", 0), id);
    assert_non_null(ask_answer_header(&ask, "apigw-requestid", 0).p);
    ask_end(&ask);

    ask_post(&ask, &world, "/named");
    ask_header(&ask, "X-How", "Event");
    ask_send(&ask, &world);
    assert_non_null(world_publish);
    world_publish_done(HG_OK, "");
    assert_answer(&ask, 202, "", "");
    ask_end(&ask);

    ask_post(&ask, &world, "/named");
    ask_send(&ask, &world);
    assert_null(world_publish);
    assert_non_null(world_invocation);
    world_return("{\"statusCode\":200}");
    assert_answer(&ask, 200, "", "");
    ask_end(&ask);
    world_fini(&world);
}

static void the_client_may_say_it(void **state)
{
    struct world world;
    struct hg_api *api = one_api(&world, HG_API_REST);
    struct hg_route *route = world_route(&world, api, "POST", "/x");
    struct ask ask;

    (void)state;
    map_header(&world, route, "method.request.header.InvocationType");
    world_open(&world, NULL);
    ask_post(&ask, &world, "/stage/x");
    ask_header(&ask, "InvocationType", "DryRun");
    ask_send(&ask, &world);
    assert_answer(&ask, 204, "", "");
    ask_end(&ask);
    ask_post(&ask, &world, "/stage/x");
    ask_header(&ask, "InvocationType", "Whenever");
    ask_send(&ask, &world);
    assert_answer(&ask, 500, "{\"message\":\"Internal server error\"}",
                  "InternalServerErrorException");
    ask_end(&ask);
    ask_post(&ask, &world, "/stage/x");
    ask_send(&ask, &world);
    assert_non_null(world_invocation);
    world_return("{\"statusCode\":200}");
    assert_answer(&ask, 200, "", "");
    ask_end(&ask);
    world_fini(&world);
}

static void a_known_key_answers_the_first_id(void **state)
{
    static const char first[] = "0190c2a4-7e0e-7e0e-9d0e-0c9a8b7d6e5f";
    struct world world;
    struct hg_api *api = one_api(&world, HG_API_REST);
    struct hg_route *route = world_route(&world, api, "POST", "/x");
    struct ask ask;

    (void)state;
    map_header(&world, route, "'Event'");
    world_open(&world, NULL);
    ask_post(&ask, &world, "/stage/x");
    ask_header(&ask, "X-Headgate-Dedup-Id", "k");
    ask_send(&ask, &world);
    memcpy(world_publish->event->id, first, sizeof(first));
    world_publish->was_known = true;
    world_publish_done(HG_OK, "");
    assert_answer(&ask, 202, "", "");
    assert_str(ask_answer_header(&ask, "x-amzn-RequestId", 0), first);
    ask_end(&ask);

    ask_post(&ask, &world, "/stage/x");
    ask_header(&ask, "Idempotency-Key", "a b");
    ask_send(&ask, &world);
    assert_null(world_publish);
    assert_answer(
        &ask, 400,
        "{\"message\":\"Idempotency-Key: the key may only have visible ASCII characters, no blanks\"}",
        "BadRequestException");
    ask_end(&ask);
    world_fini(&world);
}

static void a_full_queue_is_503(void **state)
{
    struct world world;
    struct hg_api *rest = one_api(&world, HG_API_REST);
    struct hg_route *route = world_route(&world, rest, "POST", "/x");
    struct ask ask;

    (void)state;
    map_header(&world, route, "'Event'");
    world_open(&world, NULL);
    ask_post(&ask, &world, "/stage/x");
    ask_send(&ask, &world);
    world_publish_done(HG_E_BUSY, "disk full");
    assert_answer(&ask, 503, "{\"message\":\"Service Unavailable\"}",
                  "ServiceUnavailableException");
    assert_str(ask_answer_header(&ask, "Retry-After", 0), "1");
    ask_end(&ask);
    world_fini(&world);
}

static void a_client_that_leaves_takes_nothing_back(void **state)
{
    struct world world;
    struct hg_api *api = one_api(&world, HG_API_REST);
    struct hg_route *route = world_route(&world, api, "POST", "/x");
    struct ask ask;

    (void)state;
    map_header(&world, route, "'Event'");
    world_open(&world, NULL);
    ask_post(&ask, &world, "/stage/x");
    ask_send(&ask, &world);
    assert_non_null(world_publish);
    ask_end(&ask);
    assert_non_null(world_publish);
    world_publish_done(HG_OK, "");
    world_fini(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rest_route_accepts),
        cmocka_unit_test(http_route_accepts),
        cmocka_unit_test(the_client_may_say_it),
        cmocka_unit_test(a_known_key_answers_the_first_id),
        cmocka_unit_test(a_full_queue_is_503),
        cmocka_unit_test(a_client_that_leaves_takes_nothing_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
