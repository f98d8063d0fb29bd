/*
 * Reads bytes as the body of PutFunctionEventInvokeConfig: values in range, or one answer.
 */
#include "api/lambda_event_config.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static unsigned answers;

static void count_answer(struct hg_request *req)
{
    answers++;
    hg_assert(req->response.status >= 400 && req->response.body.n > 0);
}

static struct hg_snapshot *make_snapshot(void)
{
    struct hg_stack *stack = stack_new(HG_STR("us-east-1"), HG_STR("000000000000"));
    struct hg_function *function = hg_arena_must(stack->arena, sizeof(*function));

    function->name = HG_STR("f");
    function->version = HG_STR("$LATEST");
    stack->functions = hg_arena_must(stack->arena, sizeof(void *));
    stack->functions[stack->function_count++] = function;
    return snapshot_of_stack(stack);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const struct hg_stream_ops ops = {.respond = count_answer};
    struct hg_arena *arena = hg_arena_new(HG_REQUEST_ARENA_MAX);
    struct hg_snapshot *snapshot = make_snapshot();
    struct hg_request req = {
        .arena = arena, .stream_ops = &ops, .body = hg_str_n((const char *)bytes, size)};
    struct hg_call call = {.req = &req, .request_id = "id"};
    const struct hg_function_ref ref = {HG_STR("f"), HG_STR("$LATEST")};
    struct hg_event_config config = {.max_retries = 0};
    bool has_destinations;

    answers = 0;
    if (event_config_read(&call, snapshot, &ref, &config, &has_destinations)) {
        hg_assert(answers == 0 && config.max_retries <= HG_EVENT_RETRIES_DEFAULT &&
                  config.max_age_s <= HG_EVENT_AGE_DEFAULT_S);
        hg_assert(has_destinations || (!config.on_success[0] && !config.on_failure[0]));
    } else {
        hg_assert(answers == 1);
    }
    snapshot_unref(snapshot);
    hg_arena_free(arena);
    return 0;
}
