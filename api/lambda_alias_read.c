/*
 * GetAlias, ListAliases.
 */
#include "api/change_answer.h"
#include "api/lambda_alias.h"

#include <stdio.h>
#include <stdlib.h>

enum { PAGE_MAX = 50, WEIGHT_DIGITS_MAX = 17, WEIGHT_TEXT_MAX = 32 };

/* The shortest text that reads back as the same number. */
static void write_weight(struct hg_json *json, double weight)
{
    char text[WEIGHT_TEXT_MAX];

    for (int digits = 1; digits <= WEIGHT_DIGITS_MAX; digits++) {
        (void)snprintf(text, sizeof(text), "%.*g", digits, weight);
        if (strtod(text, NULL) >= weight && strtod(text, NULL) <= weight)
            break;
    }
    hg_json_raw(json, hg_str_of(text));
}

void alias_write(struct hg_json *json, const struct hg_snapshot *snapshot,
                 const struct hg_alias *alias)
{
    struct hg_buf arn;

    hg_buf_init(&arn, 1024);
    hg_buf_printf(&arn, "arn:aws:lambda:%.*s:%.*s:function:%.*s:%.*s", HG_STR_ARG(snapshot->region),
                  HG_STR_ARG(snapshot->account), HG_STR_ARG(alias->function_name),
                  HG_STR_ARG(alias->name));
    hg_json_begin_object(json);
    hg_json_field_str(json, "AliasArn", hg_buf_str(&arn));
    hg_json_field_str(json, "Name", alias->name);
    hg_json_field_str(json, "FunctionVersion", alias->function->version);
    hg_json_field_str(json, "Description", alias->description);
    if (alias->weighted) {
        hg_json_key_lit(json, "RoutingConfig");
        hg_json_begin_object(json);
        hg_json_key_lit(json, "AdditionalVersionWeights");
        hg_json_begin_object(json);
        hg_json_key(json, alias->weighted->version);
        write_weight(json, alias->weight);
        hg_json_end_object(json);
        hg_json_end_object(json);
    }
    hg_json_field_str(json, "RevisionId", alias->revision_id);
    hg_json_end_object(json);
    hg_buf_fini(&arn);
}

/* The function that the call names, whatever its qualifier. NULL when answered. */
static const struct hg_family *find_family(struct hg_call *call, const struct hg_snapshot *snapshot)
{
    struct hg_function_ref ref;

    if (!lambda_parse_name(call, snapshot, &ref))
        return NULL;
    ref.qualifier = HG_STR("");
    return lambda_find(call, snapshot, &ref, false) ? snapshot_family(snapshot, ref.name) : NULL;
}

static void respond_alias(struct hg_call *call, const struct hg_snapshot *snapshot,
                          const struct hg_family *family, struct hg_str name)
{
    const struct hg_alias *alias = family_alias(family, name);
    struct hg_buf *buf = call_buffer(call);
    struct hg_json json = hg_json_to(buf);

    if (!alias) {
        struct hg_str arn = lambda_arn(call->req->arena, snapshot, family->name, name);

        call_fail(call, HG_API_NOT_FOUND, "Cannot find alias arn: %.*s", HG_STR_ARG(arn));
        return;
    }
    alias_write(&json, snapshot, alias);
    call_respond_json(call, 200, buf);
}

void lambda_get_alias(struct hg_call *call)
{
    const cJSON *input = call_input(call);
    struct hg_snapshot *snapshot;
    const struct hg_family *family;

    if (!input)
        return;
    snapshot = registry_current(call->api->options.registry);
    family = find_family(call, snapshot);
    if (family)
        respond_alias(call, snapshot, family, input_str(input, "Name"));
    snapshot_unref(snapshot);
}

/* Whether an invocation of the alias may run this version; p NULL: any. */
static bool leads_to(const struct hg_alias *alias, struct hg_str version)
{
    return !version.p || hg_str_eq(alias->function->version, version) ||
           (alias->weighted && hg_str_eq(alias->weighted->version, version));
}

static void respond_aliases(struct hg_call *call, const struct hg_snapshot *snapshot,
                            const struct hg_family *family, const cJSON *input)
{
    struct hg_str version = input_str(input, "FunctionVersion"),
                  marker = input_str(input, "Marker");
    int64_t room = HG_MIN(input_i64(input, "MaxItems", PAGE_MAX), PAGE_MAX);
    const struct hg_alias *last = NULL;
    struct hg_buf *buf = call_buffer(call);
    struct hg_json json = hg_json_to(buf);

    hg_json_begin_object(&json);
    hg_json_key_lit(&json, "Aliases");
    hg_json_begin_array(&json);
    for (size_t i = 0; i < family->alias_count; i++) {
        const struct hg_alias *alias = &family->aliases[i];

        if (!leads_to(alias, version) || (marker.n && hg_str_cmp(alias->name, marker) <= 0))
            continue;
        if (room-- == 0)
            break;
        alias_write(&json, snapshot, alias);
        last = alias;
    }
    hg_json_end_array(&json);
    /* The room went below zero at the first one that found none. */
    if (room < 0 && last)
        hg_json_field_str(&json, "NextMarker", last->name);
    hg_json_end_object(&json);
    call_respond_json(call, 200, buf);
}

void lambda_list_aliases(struct hg_call *call)
{
    const cJSON *input = call_input(call);
    struct hg_snapshot *snapshot;
    const struct hg_family *family;

    if (!input)
        return;
    snapshot = registry_current(call->api->options.registry);
    family = find_family(call, snapshot);
    if (family)
        respond_aliases(call, snapshot, family, input);
    snapshot_unref(snapshot);
}
