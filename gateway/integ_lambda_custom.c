/*
 * AWS with a Lambda function, the custom integration (apigw-integrations.md
 * §6): the body, or a fixed text, is the payload as it is; what comes back is
 * mapped by the default integration response. What would have to be computed
 * was refused when the template was read.
 */
#include "core/json_scan.h"
#include "gateway/answer.h"
#include "gateway/integ_fixed.h"
#include "gateway/integ_lambda.h"

struct hg_lambda_custom {
    struct hg_fixed_templates requests;
    struct hg_fixed_response answer; /* of the default integration response */
    bool has_answer;
    bool passes_unknown_types; /* of bodies for which there is no request template */
};

static enum hg_rc bind_custom(struct hg_integ *in, struct hg_stack *stack, struct hg_error *err)
{
    const struct hg_integ_model *model = in->model;
    struct hg_lambda_custom *custom = hg_arena_must(stack->arena, sizeof(*custom));
    enum hg_rc rc = lambda_bind(in, stack, err);

    *custom = (struct hg_lambda_custom){.passes_unknown_types = fixed_passes_unknown(model)};
    ((struct hg_lambda *)in->state)->custom = custom;
    if (rc == HG_OK)
        rc = fixed_templates_bind(stack->arena, &model->request_templates, &custom->requests, err);
    for (size_t i = 0; rc == HG_OK && i < model->response_count && !custom->has_answer; i++) {
        if (model->responses[i].selection_pattern.n)
            continue;
        custom->has_answer = true;
        rc = fixed_response_bind(stack->arena, &model->responses[i], &custom->answer, err);
    }
    return rc;
}

bool custom_check_body(const struct hg_lambda_custom *custom, struct hg_context *ctx)
{
    const struct hg_fixed_template *request = fixed_template_for_body(&custom->requests, ctx);
    struct hg_str body = ctx->req->body;

    if (!request && !custom->passes_unknown_types) {
        answer_error(ctx, HG_GATEWAY_MEDIA_TYPE);
        return false;
    }
    if ((request && !request->is_body) || !body.n || hg_json_parse(body, NULL).kind != HG_JSON_BAD)
        return true;
    ctx->integ_error = "Could not parse request body into json";
    ctx->error_text = HG_STR("Could not parse request body into json");
    answer_error(ctx, HG_GATEWAY_BAD_EVENT);
    return false;
}

bool custom_write_payload(const struct hg_lambda_custom *custom, const struct hg_context *ctx,
                          struct hg_buf *out)
{
    const struct hg_fixed_template *request = fixed_template_for_body(&custom->requests, ctx);
    struct hg_str body = ctx->req->body;

    if (request && !request->is_body)
        return hg_buf_append_str(out, request->text);
    return hg_buf_append_str(out, body.n ? body : HG_STR("{}"));
}

void custom_answer(const struct hg_lambda_custom *custom, struct hg_context *ctx, int status,
                   struct hg_str body)
{
    ctx->integ_status = status;
    if (!custom->has_answer) {
        ctx->integ_error = "No match for output mapping and no default endpoint configured";
        answer_error(ctx, HG_GATEWAY_CONFIGURATION);
        return;
    }
    fixed_response_send(&custom->answer, ctx, body);
}

const struct hg_integ_ops integ_lambda_custom_ops = {
    .type = "AWS",
    .bind = bind_custom,
    .begin = lambda_begin,
    .end = lambda_end,
    .describe = lambda_describe,
};
