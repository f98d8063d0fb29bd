/*
 * PutProvisionedConcurrencyConfig, Get, List, Delete (function-api.md §9, invoke-api.md §7). What is configured is of the snapshot;
 * how far its environments have come is asked of the workers.
 */
#include "api/change_answer.h"
#include "api/lambda_account.h"
#include "core/clock.h"
#include "workers/pool.h"

#include <stdio.h>
#include <string.h>

enum { PAGE_MAX = 50 };

static const char no_config[] = "No Provisioned Concurrency Config found for this function";

/* ---- answers ---- */

/* To the second, as in no other operation. */
static void write_time(struct hg_json *json, int64_t wall_ms)
{
    char text[HG_TIME_TEXT_MAX], *dot = strchr(hg_time_lambda(wall_ms, text), '.');

    if (dot)
        memmove(dot, dot + 4, strlen(dot + 4) + 1);
    hg_json_field_cstr(json, "LastModified", text);
}

static const char *status_of(const struct hg_provisioned *config,
                             const struct hg_provision_state *state)
{
    if (state->ready >= config->requested)
        return "READY";
    return state->has_failed || state->is_beyond_machine ? "FAILED" : "IN_PROGRESS";
}

static void write_members(struct hg_json *json, const struct hg_provisioned *config,
                          const struct hg_provision_state *state, const char *status)
{
    hg_json_field_i64(json, "RequestedProvisionedConcurrentExecutions", config->requested);
    hg_json_field_i64(json, "AvailableProvisionedConcurrentExecutions", state->ready);
    hg_json_field_i64(json, "AllocatedProvisionedConcurrentExecutions", state->ready);
    hg_json_field_cstr(json, "Status", status);
    if (strcmp(status, "FAILED") == 0)
        hg_json_field_cstr(json, "StatusReason",
                           state->has_failed ? "FUNCTION_ERROR_INIT_FAILURE"
                                             : "More environments are requested than this server "
                                               "may have (--max-concurrency).");
    write_time(json, config->modified_ms);
}

/* ---- put ---- */

static const char *missing_text(const struct hg_family *family, struct hg_str qualifier)
{
    bool is_number = qualifier.n && qualifier.p[0] >= '0' && qualifier.p[0] <= '9';

    for (size_t i = 0; i < qualifier.n; i++)
        is_number = is_number && qualifier.p[i] >= '0' && qualifier.p[i] <= '9';
    return !family || is_number ? "Function not found" : "Cannot find alias arn";
}

/* Whether an invocation by that qualifier may run the version. */
static bool leads_to(const struct hg_family *family, struct hg_str qualifier,
                     const struct hg_function *version)
{
    const struct hg_alias *alias = family_alias(family, qualifier);

    return alias && (alias->function == version || alias->weighted == version);
}

static enum hg_rc check_version(struct hg_api_change *change, const struct hg_family *family,
                                const struct hg_function *version)
{
    for (size_t i = 0; i < family->provisioned_count; i++)
        if (leads_to(family, family->provisioned[i].qualifier, version))
            return change_refuse(change, HG_API_CONFLICT,
                                 "Version is pointed by a Provisioned Concurrency alias");
    return HG_OK;
}

static enum hg_rc check_alias(struct hg_api_change *change, const struct hg_family *family,
                              const struct hg_alias *alias)
{
    if (alias->function == family->latest)
        return change_refuse(
            change, HG_API_INVALID_PARAMETER,
            "Provisioned Concurrency Configs cannot be applied to unpublished function versions.");
    for (size_t i = 0; i < family->provisioned_count; i++) {
        struct hg_str other = family->provisioned[i].qualifier;
        bool is_there = hg_str_eq(other, alias->function->version) ||
                        leads_to(family, other, alias->function) ||
                        (alias->weighted && (hg_str_eq(other, alias->weighted->version) ||
                                             leads_to(family, other, alias->weighted)));

        if (is_there && !hg_str_eq(other, alias->name))
            return change_refuse(change, HG_API_CONFLICT,
                                 "Alias can't be used for Provisioned Concurrency configuration on "
                                 "an already Provisioned version");
    }
    return HG_OK;
}

static enum hg_rc check_target(struct hg_api_change *change, struct hg_edit *edit,
                               const struct hg_family *family)
{
    struct hg_str qualifier = change->ref.qualifier;
    const struct hg_function *version = family_version(family, qualifier);
    const struct hg_alias *alias = family_alias(family, qualifier);

    if (!alias && !version)
        return change_refuse(change, HG_API_NOT_FOUND, "%s: %.*s", missing_text(family, qualifier),
                             HG_STR_ARG(change_arn(change, edit, qualifier)));
    if (hg_str_is(alias ? alias->function->snap_start : version->snap_start, "PublishedVersions"))
        return change_refuse(
            change, HG_API_INVALID_PARAMETER,
            "Provisioned Concurrency is not supported for SnapStart enabled functions.");
    return alias ? check_alias(change, family, alias) : check_version(change, family, version);
}

/* before: what the qualifier has already. */
static enum hg_rc check_limits(struct hg_api_change *change, struct hg_edit *edit,
                               const struct hg_family *family, int64_t requested, int64_t before,
                               int64_t limit)
{
    struct account_use use;
    int64_t unreserved;

    if (family->latest->reserved_concurrency >= 0) {
        if (account_provisioned(family) - before + requested > family->latest->reserved_concurrency)
            return change_refuse(change, HG_API_INVALID_PARAMETER,
                                 "Requested Provisioned Concurrency should not be greater than the "
                                 "reservedConcurrentExecution for function");
        return HG_OK;
    }
    account_add_up(edit_snapshot(edit), &use);
    unreserved = limit - (use.claimed - before);
    if (requested > unreserved)
        return change_refuse(change, HG_API_INVALID_PARAMETER_PLAIN,
                             "Specified ConcurrentExecutions for function is greater than "
                             "account's unreserved concurrency [%lld].",
                             (long long)unreserved);
    if (requested > before && unreserved - requested < ACCOUNT_UNRESERVED_MIN)
        return change_refuse(change, HG_API_INVALID_PARAMETER_PLAIN,
                             "Specified ConcurrentExecutions for function decreases account's "
                             "UnreservedConcurrentExecution below its minimum value of [%d].",
                             ACCOUNT_UNRESERVED_MIN);
    return HG_OK;
}

static enum hg_rc put(struct hg_api_change *change, struct hg_edit *edit)
{
    int64_t requested = input_i64(change->input, "ProvisionedConcurrentExecutions", 0);
    struct hg_str qualifier = change->ref.qualifier;
    const struct hg_provisioned *old;
    struct hg_family *family;
    enum hg_rc rc;

    if (hg_str_is(qualifier, "$LATEST"))
        return change_refuse(
            change, HG_API_INVALID_PARAMETER,
            "Provisioned Concurrency Configs cannot be applied to unpublished function versions.");
    family = change_family(change, edit);
    rc = family ? check_target(change, edit, family) : HG_E_INVALID;
    if (rc != HG_OK)
        return rc;
    old = family_provisioned(family, qualifier);
    rc = check_limits(change, edit, family, requested, old ? old->requested : 0,
                      *(const int64_t *)change->user);
    if (rc != HG_OK)
        return rc;
    family_put_provisioned(family, &(struct hg_provisioned){.qualifier = qualifier,
                                                            .requested = (unsigned)requested,
                                                            .modified_ms = hg_wall_ms()});
    return HG_OK;
}

/* Its environments are only about to be started, even if enough are there. */
static void respond_put(struct hg_api_change *change)
{
    struct hg_call *call = change->call;
    const struct hg_family *family = snapshot_family(change->snapshot, change->ref.name);
    const struct hg_provisioned *config =
        family ? family_provisioned(family, change->ref.qualifier) : NULL;
    struct hg_provision_state state;
    struct hg_buf *buf;
    struct hg_json json;

    if (!config) { /* deleted since */
        call_fail(call, HG_API_PROVISIONED_NOT_FOUND, "%s", no_config);
        return;
    }
    workers_provisioned(call->api->options.workers, family, config, &state);
    buf = call_buffer(call);
    json = hg_json_to(buf);
    hg_json_begin_object(&json);
    write_members(&json, config, &state, "IN_PROGRESS");
    hg_json_end_object(&json);
    call_respond_json(call, 202, buf);
}

void lambda_put_provisioned_concurrency(struct hg_call *call)
{
    struct hg_api_change *change = change_begin(call, true);
    int64_t *limit;

    if (!change)
        return;
    limit = hg_arena_must(change->arena, sizeof(*limit));
    *limit = account_limit(call->api->options.max_concurrency);
    change->user = limit;
    change_send(change, put, respond_put);
}

/* ---- delete ---- */

static const char not_published[] =
    "The function resource provided must be an alias or a published version.";

static enum hg_rc delete_config(struct hg_api_change *change, struct hg_edit *edit)
{
    struct hg_str qualifier = change->ref.qualifier;
    struct hg_family *family;

    if (hg_str_is(qualifier, "$LATEST"))
        return change_refuse(change, HG_API_INVALID_PARAMETER, "%s", not_published);
    family = change_family(change, edit);
    if (!family)
        return HG_E_INVALID;
    if (!family_alias(family, qualifier) && !family_version(family, qualifier))
        return change_refuse(change, HG_API_NOT_FOUND, "%s: %.*s", missing_text(family, qualifier),
                             HG_STR_ARG(change_arn(change, edit, qualifier)));
    if (!family_remove_provisioned(family, qualifier))
        return change_refuse(change, HG_API_PROVISIONED_NOT_FOUND, "%s", no_config);
    return change_answer(change, 204, NULL);
}

void lambda_delete_provisioned_concurrency(struct hg_call *call)
{
    change_submit(call, true, delete_config, change_respond_answer);
}

/* ---- get and list ---- */

/* The function of the call, whatever its qualifier; NULL when answered. */
static const struct hg_family *find_family(struct hg_call *call, const struct hg_snapshot *snapshot,
                                           struct hg_function_ref *ref)
{
    struct hg_function_ref plain;

    if (!lambda_parse_name(call, snapshot, ref))
        return NULL;
    plain = (struct hg_function_ref){ref->name, HG_STR("")};
    return lambda_find(call, snapshot, &plain, false) ? snapshot_family(snapshot, ref->name) : NULL;
}

static void respond_config(struct hg_call *call, const struct hg_snapshot *snapshot,
                           const struct hg_family *family, struct hg_str qualifier)
{
    const struct hg_provisioned *config = family_provisioned(family, qualifier);
    struct hg_provision_state state;
    struct hg_buf *buf;
    struct hg_json json;

    if (!family_alias(family, qualifier) && !family_version(family, qualifier)) {
        struct hg_str arn = lambda_arn(call->req->arena, snapshot, family->name, qualifier);

        call_fail(call, HG_API_NOT_FOUND, "%s: %.*s", missing_text(family, qualifier),
                  HG_STR_ARG(arn));
        return;
    }
    if (!config) {
        call_fail(call, HG_API_PROVISIONED_NOT_FOUND, "%s", no_config);
        return;
    }
    workers_provisioned(call->api->options.workers, family, config, &state);
    buf = call_buffer(call);
    json = hg_json_to(buf);
    hg_json_begin_object(&json);
    write_members(&json, config, &state, status_of(config, &state));
    hg_json_end_object(&json);
    call_respond_json(call, 200, buf);
}

void lambda_get_provisioned_concurrency(struct hg_call *call)
{
    struct hg_snapshot *snapshot;
    const struct hg_family *family;
    struct hg_function_ref ref;

    if (!call_input(call))
        return;
    snapshot = registry_current(call->api->options.registry);
    family = find_family(call, snapshot, &ref);
    if (family && hg_str_is(ref.qualifier, "$LATEST"))
        call_fail(call, HG_API_INVALID_PARAMETER, "%s", not_published);
    else if (family)
        respond_config(call, snapshot, family, ref.qualifier);
    snapshot_unref(snapshot);
}

static void respond_list(struct hg_call *call, const struct hg_snapshot *snapshot,
                         const struct hg_family *family, const cJSON *input)
{
    struct hg_str marker = input_str(input, "Marker"), last = {NULL, 0};
    int64_t room = HG_MIN(input_i64(input, "MaxItems", PAGE_MAX), PAGE_MAX);
    struct hg_buf *buf = call_buffer(call);
    struct hg_json json = hg_json_to(buf);

    hg_json_begin_object(&json);
    hg_json_key_lit(&json, "ProvisionedConcurrencyConfigs");
    hg_json_begin_array(&json);
    for (size_t i = 0; i < family->provisioned_count; i++) {
        const struct hg_provisioned *config = &family->provisioned[i];
        struct hg_provision_state state;

        if (marker.n && hg_str_cmp(config->qualifier, marker) <= 0)
            continue;
        if (room-- == 0)
            break;
        workers_provisioned(call->api->options.workers, family, config, &state);
        hg_json_begin_object(&json);
        hg_json_field_str(&json, "FunctionArn",
                          lambda_arn(call->req->arena, snapshot, family->name, config->qualifier));
        write_members(&json, config, &state, status_of(config, &state));
        hg_json_end_object(&json);
        last = config->qualifier;
    }
    hg_json_end_array(&json);
    /* The room went below zero at the first one that found none. */
    if (room < 0 && last.p)
        hg_json_field_str(&json, "NextMarker", last);
    hg_json_end_object(&json);
    call_respond_json(call, 200, buf);
}

void lambda_list_provisioned_concurrency(struct hg_call *call)
{
    const cJSON *input = call_input(call);
    struct hg_snapshot *snapshot;
    const struct hg_family *family;
    struct hg_function_ref ref;

    if (!input)
        return;
    snapshot = registry_current(call->api->options.registry);
    family = find_family(call, snapshot, &ref);
    if (family)
        respond_list(call, snapshot, family, input);
    snapshot_unref(snapshot);
}
