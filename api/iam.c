/*
 * Takes a call of IAM to the catalog's thread, where its operation reads and
 * changes documents, and answers on the request's loop.
 */
#include "api/iam_parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { ARENA_MAX = 8 << 20, ANSWER_MAX = 16 << 20, MESSAGE_MAX = 4096, FORM_MAX = 1 << 20 };

static const struct iam_operation operations[] = {
#define IAM_OPERATION(symbol, name, has_result) {name, has_result, symbol},
#include "api/iam.def"
#undef IAM_OPERATION
};

static void free_op(struct iam_op *op)
{
    hg_buf_fini(&op->out);
    hg_arena_free(op->arena);
    free(op);
}

bool iam_fail(struct iam_op *op, int status, const char *code, const char *format, ...)
{
    char message[MESSAGE_MAX];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    hg_buf_clear(&op->out, SIZE_MAX);
    query_write_error(&op->out, &query_iam, status, code, message, op->request_id);
    op->status = status;
    return false;
}

bool iam_fail_store(struct iam_op *op, const struct hg_error *err)
{
    return iam_fail(op, 500, "ServiceFailure", "The change was not stored: %s", err->text);
}

static enum hg_rc work(struct hg_change *base, struct hg_edit *edit)
{
    struct iam_op *op = hg_container_of(base, struct iam_op, base);

    op->edit = edit;
    query_begin(&op->out, &query_iam, op->operation->name, op->operation->has_result);
    if (!op->operation->run(op))
        return HG_E_INVALID;
    query_end(&op->out, op->operation->name, op->operation->has_result, op->request_id);
    if (op->out.is_overflown) {
        (void)iam_fail(op, 500, "ServiceFailure", "the answer is too long; ask for fewer items");
        return HG_E_INVALID;
    }
    return HG_OK;
}

static void on_abort(struct hg_request *req)
{
    ((struct iam_op *)req->user)->call = NULL;
}

static void on_done(struct hg_change *base)
{
    struct iam_op *op = hg_container_of(base, struct iam_op, base);
    struct hg_call *call = op->call;

    if (call) {
        struct hg_buf *out = call_buffer(call);

        if (base->rc != HG_OK && op->status == 200)
            (void)iam_fail_store(op, &base->err);
        hg_buf_take(out, &op->out);
        call->req->on_abort = NULL;
        query_respond(call, op->status, out);
    }
    free_op(op);
}

static const struct iam_operation *find(struct hg_str name)
{
    for (size_t i = 0; i < HG_COUNT(operations); i++)
        if (hg_str_is(name, operations[i].name))
            return &operations[i];
    return NULL;
}

void iam_run(struct hg_call *call)
{
    struct hg_request *req = call->req;
    struct hg_str text = req->body.n ? req->body : req->query;
    struct iam_op *op = hg_calloc(1, sizeof(*op));
    struct hg_str action;

    op->arena = hg_arena_new(ARENA_MAX);
    hg_buf_init(&op->out, ANSWER_MAX);
    op->status = 200;
    op->call = call;
    /* A copy: the client may leave before the operation runs. */
    if (text.n > FORM_MAX || !form_parse(op->arena, hg_arena_str(op->arena, text), &op->form)) {
        query_fail(call, &query_iam, 413, "RequestEntityTooLarge", "more than %d bytes", FORM_MAX);
        free_op(op);
        return;
    }
    action = form_get(&op->form, "Action");
    op->operation = find(action);
    if (!op->operation) {
        query_fail(call, &query_iam, 400, "InvalidAction",
                   "Could not find operation %.*s for version 2010-05-08",
                   (int)HG_MIN(action.n, (size_t)128), action.p ? action.p : "");
        free_op(op);
        return;
    }
    access_identify(call, &op->caller);
    (void)snprintf(op->account, sizeof(op->account), "%s",
                   access_account(call->api->options.access));
    memcpy(op->request_id, call->request_id, sizeof(op->request_id));
    req->user = op;
    req->on_abort = on_abort;
    op->base.work = work;
    op->base.done = on_done;
    catalog_submit(call->api->options.catalog, req->loop, &op->base);
}

bool iam_get_user(struct iam_op *op)
{
    struct hg_str name = iam_param(op, "UserName");

    if (name.p)
        return iam_fail(op, 404, "NoSuchEntity", "The user with name %.*s cannot be found.",
                        (int)HG_MIN(name.n, (size_t)128), name.p);
    xml_open(&op->out, "User");
    xml_text(&op->out, "Path", HG_STR("/"));
    xml_text(&op->out, "UserName", HG_STR("root"));
    xml_text(&op->out, "UserId", hg_str_of(op->account));
    hg_buf_printf(&op->out, "<Arn>arn:aws:iam::%s:root</Arn>", op->account);
    xml_time(&op->out, "CreateDate", 0);
    xml_close(&op->out, "User");
    return true;
}

bool iam_list_account_aliases(struct iam_op *op)
{
    hg_buf_append_cstr(&op->out, "<AccountAliases/><IsTruncated>false</IsTruncated>");
    return true;
}
