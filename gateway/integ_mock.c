/*
 * MOCK: an answer from the definition alone (apigw-integrations.md §4). All
 * templates are fixed texts, so everything is put together when it is bound;
 * a request only chooses.
 */
#include "gateway/answer.h"
#include "gateway/integ.h"
#include "gateway/integ_fixed.h"
#include "gateway/mock_template.h"

enum {
    STATUS_MIN = 100,
    STATUS_MAX = 599,
    NO_RESPONSE = 255, /* no integration response takes that status */
};

struct mock {
    struct hg_fixed_templates requests;
    struct hg_fixed_response *responses;
    size_t response_count;
    unsigned char response_of[STATUS_MAX + 1]; /* status → place in responses */
    bool passes_unknown_types; /* of bodies for which there is no request template */
};

/* ---- binding ---- */

static enum hg_rc map_statuses(struct mock *mock, const struct hg_integ_model *model,
                               struct hg_error *err)
{
    unsigned char fallback = NO_RESPONSE;

    for (size_t i = model->response_count; i > 0; i--) {
        if (!model->responses[i - 1].selection_pattern.n)
            fallback = (unsigned char)(i - 1);
    }
    memset(mock->response_of, fallback, sizeof(mock->response_of));
    /* Last first: where several patterns match, the first one stays. */
    for (size_t i = model->response_count; i > 0; i--) {
        struct hg_str pattern = model->responses[i - 1].selection_pattern;

        if (pattern.n &&
            !mock_pattern_mark(pattern, mock->response_of, STATUS_MAX, (unsigned char)(i - 1)))
            return hg_error_set(err, HG_E_UNSUPPORTED,
                                "the selection pattern '%.*s' cannot be evaluated",
                                HG_STR_ARG(pattern));
    }
    return HG_OK;
}

static enum hg_rc bind_mock(struct hg_integ *in, struct hg_stack *stack, struct hg_error *err)
{
    const struct hg_integ_model *model = in->model;
    struct mock *mock = hg_arena_must(stack->arena, sizeof(*mock));
    enum hg_rc rc;

    in->state = mock;
    if (model->response_count >= NO_RESPONSE)
        return hg_error_set(err, HG_E_INVALID, "it has more than %d integration responses",
                            NO_RESPONSE - 1);
    mock->response_count = model->response_count;
    mock->responses =
        hg_arena_must(stack->arena, (model->response_count + 1) * sizeof(*mock->responses));
    rc = fixed_templates_bind(stack->arena, &model->request_templates, &mock->requests, err);
    for (size_t i = 0; rc == HG_OK && i < model->response_count; i++)
        rc = fixed_response_bind(stack->arena, &model->responses[i], &mock->responses[i], err);
    mock->passes_unknown_types = fixed_passes_unknown(model);
    return rc == HG_OK ? map_statuses(mock, model, err) : rc;
}

/* ---- answering ---- */

/*
 * The status that the request template for this content type gives. 0: none; -1: no template takes
 * the type.
 */
static int choose_status(const struct mock *mock, const struct hg_context *ctx)
{
    const struct hg_fixed_template *request = fixed_template_for_body(&mock->requests, ctx);

    if (request)
        return mock_template_status(request->text);
    return mock->passes_unknown_types ? mock_template_status(ctx->req->body) : -1;
}

static void begin(struct hg_integ *in, struct hg_context *ctx)
{
    const struct mock *mock = in->state;
    int status = choose_status(mock, ctx);

    ctx->integ_us = 0;
    if (status < 0) {
        answer_error(ctx, HG_GATEWAY_MEDIA_TYPE);
        return;
    }
    if (status < STATUS_MIN || mock->response_of[status] == NO_RESPONSE) {
        ctx->integ_error =
            status ? "No match for output mapping" : "The request template gives no statusCode";
        answer_error(ctx, HG_GATEWAY_CONFIGURATION);
        return;
    }
    ctx->integ_status = status;
    fixed_response_send(&mock->responses[mock->response_of[status]], ctx, HG_STR(""));
}

static void describe(const struct hg_integ *in, const struct hg_snapshot *snapshot,
                     struct hg_buf *out)
{
    (void)in;
    (void)snapshot;
    hg_buf_append_cstr(out, "MOCK");
}

const struct hg_integ_ops integ_mock_ops = {
    .type = "MOCK",
    .bind = bind_mock,
    .begin = begin,
    .describe = describe,
};
