/*
 * PutFunctionConcurrency, GetFunctionConcurrency, DeleteFunctionConcurrency (function-api.md §9).
 */
#include "api/change_answer.h"
#include "api/lambda_account.h"

static const char functions_only[] =
    "This operation is permitted on Lambda functions only. Aliases and versions do not support this "
    "operation. Please specify either a function name or an unqualified function ARN.";

/* The function of an unqualified name, to alter; NULL when refused. */
static struct hg_family *find_family(struct hg_api_change *change, struct hg_edit *edit)
{
    if (change->ref.qualifier.n) {
        (void)change_refuse(change, HG_API_INVALID_PARAMETER, "%s", functions_only);
        return NULL;
    }
    return change_family(change, edit);
}

static void write_reserved(struct hg_buf *buf, int64_t reserved)
{
    struct hg_json json = hg_json_to(buf);

    hg_json_begin_object(&json);
    if (reserved >= 0)
        hg_json_field_i64(&json, "ReservedConcurrentExecutions", reserved);
    hg_json_end_object(&json);
}

/* The account must keep some of its concurrency for functions without a reservation. */
static enum hg_rc check(struct hg_api_change *change, const struct hg_snapshot *snapshot,
                        const struct hg_family *family, int64_t reserved, int64_t limit)
{
    int64_t provisioned = account_provisioned(family), claim = account_claim(family);
    struct account_use use;

    if (reserved < provisioned)
        return change_refuse(change, HG_API_INVALID_PARAMETER_PLAIN,
                             " ReservedConcurrentExecutions  %lld should not be lower than "
                             "function's total provisioned concurrency [%lld].",
                             (long long)reserved, (long long)provisioned);
    account_add_up(snapshot, &use);
    if (reserved > claim && limit - (use.claimed - claim + reserved) < ACCOUNT_UNRESERVED_MIN)
        return change_refuse(change, HG_API_INVALID_PARAMETER_PLAIN,
                             "Specified ReservedConcurrentExecutions for function decreases "
                             "account's UnreservedConcurrentExecution below its minimum value of "
                             "[%d].",
                             ACCOUNT_UNRESERVED_MIN);
    return HG_OK;
}

static enum hg_rc put(struct hg_api_change *change, struct hg_edit *edit)
{
    int64_t reserved = input_i64(change->input, "ReservedConcurrentExecutions", 0);
    int64_t limit = *(const int64_t *)change->user;
    struct hg_family *family = find_family(change, edit);
    struct hg_buf buf;
    enum hg_rc rc;

    if (!family)
        return HG_E_INVALID;
    rc = check(change, edit_snapshot(edit), family, reserved, limit);
    if (rc != HG_OK)
        return rc;
    family_set_reserved(family, (int)reserved);
    hg_buf_init(&buf, HG_REQUEST_HEADERS_MAX);
    write_reserved(&buf, reserved);
    rc = change_answer(change, 200, &buf);
    hg_buf_fini(&buf);
    return rc;
}

void lambda_put_function_concurrency(struct hg_call *call)
{
    struct hg_api_change *change = change_begin(call, true);
    int64_t *limit;

    if (!change)
        return;
    limit = hg_arena_must(change->arena, sizeof(*limit));
    *limit = account_limit(call->api->options.max_concurrency);
    change->user = limit;
    change_send(change, put, change_respond_answer);
}

static enum hg_rc delete_reserved(struct hg_api_change *change, struct hg_edit *edit)
{
    struct hg_family *family = find_family(change, edit);

    if (!family)
        return HG_E_INVALID;
    if (family->latest->reserved_concurrency >= 0)
        family_set_reserved(family, -1);
    return change_answer(change, 204, NULL);
}

void lambda_delete_function_concurrency(struct hg_call *call)
{
    change_submit(call, true, delete_reserved, change_respond_answer);
}

static void respond_reserved(struct hg_call *call, const struct hg_snapshot *snapshot,
                             const struct hg_function_ref *ref)
{
    const struct hg_function *function;
    struct hg_buf *buf;

    if (ref->qualifier.n) {
        call_fail(call, HG_API_INVALID_PARAMETER, "%s", functions_only);
        return;
    }
    function = lambda_find(call, snapshot, ref, false);
    if (!function)
        return;
    buf = call_buffer(call);
    write_reserved(buf, function->reserved_concurrency);
    call_respond_json(call, 200, buf);
}

void lambda_get_function_concurrency(struct hg_call *call)
{
    lambda_look(call, respond_reserved);
}
