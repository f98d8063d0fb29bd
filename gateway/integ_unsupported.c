/*
 * Routes that cannot be served: 501 and why, for what does not exist here yet;
 * 500 for what the real service would accept and then fail on.
 */
#include "gateway/answer.h"
#include "gateway/integ.h"

static void begin_unsupported(struct hg_integ *in, struct hg_context *ctx)
{
    ctx->integ_error = "not supported";
    answer_unsupported(ctx, in->problem);
}

static void begin_broken(struct hg_integ *in, struct hg_context *ctx)
{
    (void)in;
    ctx->integ_error = "configuration error";
    answer_error(ctx, HG_GATEWAY_CONFIGURATION);
}

static void describe(const struct hg_integ *in, const struct hg_snapshot *snapshot,
                     struct hg_buf *out)
{
    (void)snapshot;
    hg_buf_append_cstr(out, in->ops == &integ_unsupported_ops ? "501: " : "500: ");
    hg_buf_append_str(out, in->problem);
}

const struct hg_integ_ops integ_unsupported_ops = {
    .type = "UNSUPPORTED",
    .begin = begin_unsupported,
    .describe = describe,
};

const struct hg_integ_ops integ_broken_ops = {
    .type = "BROKEN",
    .begin = begin_broken,
    .describe = describe,
};
