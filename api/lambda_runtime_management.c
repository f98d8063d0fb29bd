/*
 * PutRuntimeManagementConfig, GetRuntimeManagementConfig: kept for each version. There is one version of each runtime, the
 * machine's, so that it is the only one that can be asked for.
 */
#include "api/change_answer.h"
#include "api/lambda_function.h"
#include "core/json_scan.h"

static const char kind[] = "runtime-management";

/* The policy's qualifier of a version: "" for $LATEST. */
static struct hg_str qualifier_of(struct hg_str given)
{
    return hg_str_is(given, "$LATEST") ? HG_STR("") : given;
}

static void write_config(struct hg_buf *buf, struct hg_str mode, struct hg_str function_arn,
                         struct hg_str runtime_arn)
{
    struct hg_json json = hg_json_to(buf);

    hg_json_begin_object(&json);
    hg_json_field_str(&json, "UpdateRuntimeOn", mode);
    hg_json_field_str(&json, "FunctionArn", function_arn);
    if (hg_str_is(mode, "Manual"))
        hg_json_field_str(&json, "RuntimeVersionArn", runtime_arn);
    hg_json_end_object(&json);
}

/* Mode and runtime version must go together. */
static enum hg_rc check(struct hg_api_change *change, struct hg_str mode, struct hg_str asked,
                        struct hg_str current, const struct hg_function *function)
{
    if (!hg_str_is(mode, "Manual")) {
        if (!asked.p)
            return HG_OK;
        return change_refuse(change, HG_API_INVALID_PARAMETER,
                             "RuntimeVersionArn can be given only when UpdateRuntimeOn is Manual.");
    }
    if (!asked.p)
        return change_refuse(change, HG_API_INVALID_PARAMETER,
                             "RuntimeVersionArn must be given when UpdateRuntimeOn is Manual.");
    if (hg_str_eq(asked, current))
        return HG_OK;
    return change_refuse(change, HG_API_INVALID_PARAMETER,
                         "Runtime version %.*s is not available: the only version of %.*s here is "
                         "%.*s.",
                         HG_STR_ARG(asked), HG_STR_ARG(function->runtime), HG_STR_ARG(current));
}

static enum hg_rc put(struct hg_api_change *change, struct hg_edit *edit)
{
    struct hg_str mode = input_str(change->input, "UpdateRuntimeOn"),
                  qualifier = qualifier_of(change->ref.qualifier), current;
    struct hg_family *family = change_family(change, edit);
    const struct hg_function *function;
    struct hg_attached attached = {.kind = hg_str_of(kind), .qualifier = qualifier};
    struct hg_buf buf;
    enum hg_rc rc;

    function = family ? change_version(change, edit, family, qualifier) : NULL;
    if (!function)
        return HG_E_INVALID;
    current = lambda_runtime_arn(change->arena, edit_snapshot(edit)->region, function->runtime);
    rc = check(change, mode, input_str(change->input, "RuntimeVersionArn"), current, function);
    if (rc != HG_OK)
        return rc;
    attached.json = hg_str_of(
        hg_arena_printf(change->arena, "{\"UpdateRuntimeOn\":\"%.*s\"}", HG_STR_ARG(mode)));
    family_put_attached(family, &attached);
    hg_buf_init(&buf, HG_REQUEST_HEADERS_MAX);
    write_config(&buf, mode, change_arn(change, edit, change->ref.qualifier), current);
    rc = change_answer(change, 200, &buf);
    hg_buf_fini(&buf);
    return rc;
}

void lambda_put_runtime_management(struct hg_call *call)
{
    change_submit(call, true, put, change_respond_answer);
}

/* "Auto" until another one was put. */
static struct hg_str mode_of(const struct hg_family *family, struct hg_str qualifier)
{
    const struct hg_attached *attached = family_attached(family, hg_str_of(kind), qualifier);
    struct hg_str mode = {NULL, 0};

    if (attached)
        mode =
            hg_json_plain(hg_json_member(hg_json_parse(attached->json, NULL), "UpdateRuntimeOn"));
    return mode.p ? mode : HG_STR("Auto");
}

static void respond_config(struct hg_call *call, const struct hg_snapshot *snapshot,
                           const struct hg_function_ref *ref)
{
    const struct hg_family *family = snapshot_family(snapshot, ref->name);
    struct hg_str qualifier = qualifier_of(ref->qualifier),
                  arn = lambda_arn(call->req->arena, snapshot, ref->name, ref->qualifier);
    const struct hg_function *function = family ? family_version(family, qualifier) : NULL;
    struct hg_buf *buf;

    if (!function) {
        call_fail(call, HG_API_NOT_FOUND, "Function not found: %.*s", HG_STR_ARG(arn));
        return;
    }
    buf = call_buffer(call);
    write_config(buf, mode_of(family, qualifier), arn,
                 lambda_runtime_arn(call->req->arena, snapshot->region, function->runtime));
    call_respond_json(call, 200, buf);
}

void lambda_get_runtime_management(struct hg_call *call)
{
    lambda_look(call, respond_config);
}
