/*
 * InvokeWithResponseStream (invoke-api.md §5): the answer in event stream framing. The function's answer is there as a whole before the
 * first frame goes out. A function's error is no error of the call: it comes in the last frame.
 */
#include "api/event_stream.h"
#include "api/lambda_invoke.h"
#include "core/crypto.h"

enum { FRAMES_MAX = 16 << 20, COMPLETE_MAX = 60000 };

static void write_complete(struct hg_buf *out, const struct hg_invocation *inv)
{
    struct hg_str details = hg_blob_str(inv->answer);
    struct hg_json json;
    struct hg_buf document, tail;

    hg_buf_init(&document, HG_EVENT_PAYLOAD_PER_FRAME_MAX);
    json = hg_json_to(&document);
    hg_json_begin_object(&json);
    if (inv->wants_log_tail) {
        hg_buf_init(&tail, 2 * HG_LOG_TAIL_MAX);
        (void)hg_base64_encode(&tail, inv->log_tail);
        hg_json_field_str(&json, "LogResult", hg_buf_str(&tail));
        hg_buf_fini(&tail);
    }
    if (inv->error != HG_FUNCTION_OK) {
        hg_json_field_cstr(&json, "ErrorCode", "Unhandled");
        /* Escapes may make it up to six times as long, and a frame has room for one document. */
        details.n = HG_MIN(details.n, (size_t)(COMPLETE_MAX - 2 * HG_LOG_TAIL_MAX) / 6);
        hg_json_field_str(&json, "ErrorDetails", details);
    }
    hg_json_end_object(&json);
    event_stream_write(out, "InvokeComplete", "application/json", hg_buf_str(&document));
    hg_buf_fini(&document);
}

static void free_frames(void *ptr)
{
    hg_buf_fini(ptr);
}

static void respond_stream(struct hg_call *call, struct hg_invocation *inv)
{
    struct hg_request *req = call->req;
    struct hg_buf *frames = hg_arena_must(req->arena, sizeof(*frames));

    hg_buf_init(frames, FRAMES_MAX);
    hg_arena_defer(req->arena, free_frames, frames);
    if (inv->error == HG_FUNCTION_OK)
        event_stream_write_all(frames, "PayloadChunk", "application/octet-stream",
                               hg_blob_str(inv->answer));
    write_complete(frames, inv);
    req_add_header(req, HG_STR("x-amzn-RequestId"), hg_str_of(call->request_id));
    req_add_header(req, HG_STR("X-Amz-Executed-Version"),
                   hg_arena_str(req->arena, inv->function->version));
    req_add_header(req, HG_STR("X-Amzn-Remapped-Content-Type"),
                   hg_str_of(lambda_answer_type(call, inv)));
    req_add_header(req, HG_STR("X-Amzn-Trace-Id"),
                   hg_arena_str(req->arena, hg_str_of(inv->trace_id)));
    req_respond_with(req, 200, "application/vnd.amazon.eventstream", hg_buf_str(frames));
}

void lambda_invoke_stream(struct hg_call *call)
{
    struct invoke_wish wish;

    if (!lambda_read_wish(call, true, &wish))
        return;
    if (wish.type == HG_INVOKE_DRY_RUN)
        lambda_answer_dry_run(call, &wish);
    else
        lambda_run(call, &wish, respond_stream);
}
