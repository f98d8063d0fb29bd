/*
 * The kinds of integrations, and which of them a route gets.
 */
#include "gateway/integ.h"

static const struct hg_integ_ops *const served[] = {
    [HG_INTEG_LAMBDA_PROXY] = &integ_lambda_ops,
    [HG_INTEG_LAMBDA] = &integ_lambda_custom_ops,
    [HG_INTEG_MOCK] = &integ_mock_ops,
};

static const char *const type_names[] = {
    [HG_INTEG_LAMBDA_PROXY] = "AWS_PROXY",
    [HG_INTEG_LAMBDA] = "AWS (Lambda)",
    [HG_INTEG_HTTP_PROXY] = "HTTP_PROXY",
    [HG_INTEG_HTTP] = "HTTP",
    [HG_INTEG_AWS] = "AWS",
    [HG_INTEG_MOCK] = "MOCK",
};

/* What keeps a route from being served whatever its integration is. */
static enum hg_rc check_route(const struct hg_route *route, struct hg_error *err)
{
    const struct hg_integ_model *model = route->integration;

    if (model && model->unsupported.n)
        return hg_error_set(err, HG_E_UNSUPPORTED, "%.*s", HG_STR_ARG(model->unsupported));
    if (route->authorization.n && !hg_str_is(route->authorization, "NONE"))
        return hg_error_set(err, HG_E_UNSUPPORTED, "authorization %.*s is not served yet",
                            HG_STR_ARG(route->authorization));
    if (route->is_api_key_required)
        return hg_error_set(err, HG_E_UNSUPPORTED, "API keys are not served yet");
    if (!model)
        return hg_error_set(err, HG_E_INVALID, "it has no integration");
    if (model->type >= HG_COUNT(served) || !served[model->type])
        return hg_error_set(err, HG_E_UNSUPPORTED, "%s integrations are not served yet",
                            type_names[model->type]);
    if (model->subtype.n)
        return hg_error_set(err, HG_E_UNSUPPORTED, "the service integration %.*s is not served yet",
                            HG_STR_ARG(model->subtype));
    if (model->wants_stream)
        return hg_error_set(err, HG_E_UNSUPPORTED, "streamed responses are not served yet");
    return HG_OK;
}

struct hg_integ *integ_new(struct hg_stack *stack, const struct hg_api *api,
                           const struct hg_route *route)
{
    struct hg_integ *in = hg_arena_must(stack->arena, sizeof(*in));
    struct hg_error err = {.text = ""};
    enum hg_rc rc;

    in->model = route->integration;
    in->api = api;
    rc = check_route(route, &err);
    if (rc == HG_OK) {
        in->ops = served[in->model->type];
        rc = in->ops->bind(in, stack, &err);
    }
    if (rc != HG_OK) {
        in->ops = rc == HG_E_UNSUPPORTED ? &integ_unsupported_ops : &integ_broken_ops;
        in->problem = hg_arena_str(stack->arena, hg_str_of(err.text));
    }
    return in;
}
