/*
 * PutFunctionRecursionConfig, GetFunctionRecursionConfig: whether a function may call itself in a loop; the router ends such loops
 * otherwise.
 */
#include "api/change_answer.h"

static void write_config(struct hg_buf *buf, bool may_recurse)
{
    struct hg_json json = hg_json_to(buf);

    hg_json_begin_object(&json);
    hg_json_field_cstr(&json, "RecursiveLoop", may_recurse ? "Allow" : "Terminate");
    hg_json_end_object(&json);
}

static enum hg_rc put(struct hg_api_change *change, struct hg_edit *edit)
{
    bool may_recurse = hg_str_is(input_str(change->input, "RecursiveLoop"), "Allow");
    struct hg_family *family = change_family(change, edit);
    struct hg_buf buf;
    enum hg_rc rc;

    if (!family)
        return HG_E_INVALID;
    family_set_recursion(family, may_recurse);
    hg_buf_init(&buf, HG_REQUEST_HEADERS_MAX);
    write_config(&buf, may_recurse);
    rc = change_answer(change, 200, &buf);
    hg_buf_fini(&buf);
    return rc;
}

void lambda_put_recursion_config(struct hg_call *call)
{
    change_submit(call, true, put, change_respond_answer);
}

static void respond_config(struct hg_call *call, const struct hg_snapshot *snapshot,
                           const struct hg_function_ref *ref)
{
    const struct hg_function *function = lambda_find(call, snapshot, ref, false);
    struct hg_buf *buf;

    if (!function)
        return;
    buf = call_buffer(call);
    write_config(buf, function->may_recurse);
    call_respond_json(call, 200, buf);
}

void lambda_get_recursion_config(struct hg_call *call)
{
    lambda_look(call, respond_config);
}
