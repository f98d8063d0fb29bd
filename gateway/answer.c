/*
 * Common headers and errors.
 */
#include "gateway/answer.h"

#include "gateway/cors.h"
#include "gateway/gateway_response.h"

static const struct {
    int status;
    const char *body;
} http_errors[] = {
#define HG_GATEWAY_ERROR(symbol, type, rest_status, error_type, rest_text, http_status, http_text) \
    {http_status, "{\"message\":\"" http_text "\"}"},
#include "gateway/errors.def"
#undef HG_GATEWAY_ERROR
};

static bool is_http_api(const struct hg_context *ctx)
{
    return ctx->api && ctx->api->kind == HG_API_HTTP;
}

/*
 * Errors of a function URL (function-api.md §12.2): what the function or the way to it did wrong is 502, and everything that keeps
 * the caller out is 403.
 */
static void fill_url_error(struct hg_context *ctx, enum hg_gateway_error error)
{
    struct hg_response *response = &ctx->req->response;
    const char *type = NULL;

    response->status = 502;
    response->body = HG_STR("Internal Server Error");
    switch (error) {
    case HG_GATEWAY_FORBIDDEN:
    case HG_GATEWAY_NO_ROUTE:
        response->status = 403;
        type = "AccessDeniedException";
        response->body = HG_STR(
            "{\"Message\":\"Forbidden. For troubleshooting Function URL authorization issues, see: "
            "https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html\"}");
        break;
    case HG_GATEWAY_THROTTLED:
    case HG_GATEWAY_FUNCTION_THROTTLED:
        response->status = 429;
        type = "TooManyRequestsException";
        response->body = HG_STR("{\"Reason\":\"ConcurrentInvocationLimitExceeded\",\"Type\":"
                                "\"User\",\"message\":\"Rate Exceeded.\"}");
        req_add_header(ctx->req, HG_STR("Retry-After"), HG_STR("1"));
        break;
    case HG_GATEWAY_TOO_LONG:
        response->status = 413;
        type = "RequestEntityTooLargeException";
        response->body = HG_STR("{\"Message\":\"Request Entity Too Large\"}");
        break;
    default:
        break;
    }
    if (type)
        req_add_header(ctx->req, HG_STR("x-amzn-ErrorType"), hg_str_of(type));
    req_add_header(ctx->req, HG_STR("Content-Type"),
                   type ? HG_STR("application/json") : HG_STR("text/plain"));
}

void answer_send(struct hg_context *ctx)
{
    if (ctx->is_function_url) {
        if (ctx->api && ctx->plan && ctx->plan->cors && !cors_takes(ctx))
            cors_apply(ctx);
        req_add_header(ctx->req, HG_STR("x-amzn-RequestId"), context_request_id(ctx));
    } else if (is_http_api(ctx)) {
        if (ctx->plan->cors && !cors_takes(ctx))
            cors_apply(ctx);
        req_add_header(ctx->req, HG_STR("apigw-requestid"), context_extended_id(ctx));
    } else {
        req_add_header(ctx->req, HG_STR("x-amzn-RequestId"), context_request_id(ctx));
        req_add_header(ctx->req, HG_STR("x-amz-apigw-id"), context_extended_id(ctx));
    }
    req_respond(ctx->req);
}

void answer_error(struct hg_context *ctx, enum hg_gateway_error error)
{
    struct hg_response *response = &ctx->req->response;

    ctx->error = error;
    if (ctx->is_function_url) {
        fill_url_error(ctx, error);
    } else if (is_http_api(ctx)) {
        response->status = http_errors[error].status;
        response->body = context_error_body(ctx, hg_str_of(http_errors[error].body));
        req_add_header(ctx->req, HG_STR("Content-Type"), HG_STR("application/json"));
    } else {
        gateway_response_fill(ctx);
    }
    answer_send(ctx);
}

void answer_unsupported(struct hg_context *ctx, struct hg_str sentence)
{
    ctx->error_text = sentence;
    answer_error(ctx, HG_GATEWAY_UNSUPPORTED);
}
