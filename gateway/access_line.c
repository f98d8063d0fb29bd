/*
 * The text of an access log line.
 */
#include "gateway/access_log.h"
#include "gateway/integ.h"
#include "gateway/phrase.h"

static const char *version_text(enum hg_http_version version)
{
    switch (version) {
    case HG_HTTP_1_0:
        return "HTTP/1.0";
    case HG_HTTP_1_1:
        return "HTTP/1.1";
    case HG_HTTP_2:
        return "HTTP/2";
    }
    return "";
}

/* The function's name, or the kind of what answered; "-" when the gateway did. */
static struct hg_str target_name(const struct hg_context *ctx)
{
    const struct hg_function *function;

    if (!ctx->route)
        return HG_STR("-");
    function = integ_lambda_function(ctx->route->integ, ctx->snapshot);
    return function ? function->name : hg_str_of(ctx->route->integ->ops->type);
}

/*
 * Like 203.0.113.9 "GET /hello HTTP/2" 200 12B 3.4ms HelloFunction 7d3c1a52-…, without the query,
 * which may hold secrets.
 */
static void write_default(struct hg_context *ctx, struct hg_buf *out)
{
    const struct hg_request *req = ctx->req;
    int64_t tenths = ctx->total_us / 100;

    hg_buf_append_cstr(out, req->peer->remote_ip);
    hg_buf_append_cstr(out, " \"");
    hg_buf_append_str(out, req->method);
    hg_buf_append_byte(out, ' ');
    hg_buf_append_str(out, req->path);
    hg_buf_append_byte(out, ' ');
    hg_buf_append_cstr(out, version_text(req->version));
    hg_buf_append_cstr(out, "\" ");
    if (req->response.status)
        hg_buf_append_u64(out, (uint64_t)req->response.status);
    else
        hg_buf_append_byte(out, '-');
    hg_buf_append_byte(out, ' ');
    hg_buf_append_u64(out, req->response.body.n);
    hg_buf_append_cstr(out, "B ");
    hg_buf_append_i64(out, tenths / 10);
    hg_buf_append_byte(out, '.');
    hg_buf_append_i64(out, tenths % 10);
    hg_buf_append_cstr(out, "ms ");
    hg_buf_append_str(out, target_name(ctx));
    hg_buf_append_byte(out, ' ');
    hg_buf_append_str(out, context_request_id(ctx));
}

void access_line_write(struct hg_context *ctx, struct hg_buf *out)
{
    if (ctx->stage && ctx->stage->access_log)
        (void)phrase_render(ctx->stage->access_log, ctx, HG_STR("-"), out);
    else
        write_default(ctx, out);
    hg_buf_append_byte(out, '\n');
}
