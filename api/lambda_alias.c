/*
 * CreateAlias, UpdateAlias, DeleteAlias (function-api.md §7).
 */
#include "api/lambda_alias.h"

#include "api/change_answer.h"

/* Where an alias is to lead: its version and, as RoutingConfig has it, at most one beside it. */
struct routing {
    struct hg_str primary;
    struct hg_str version; /* "" for none */
    double weight;
    int count;
};

static struct routing read_routing(const cJSON *input, struct hg_str primary)
{
    const cJSON *weights = input_get(input_get(input, "RoutingConfig"), "AdditionalVersionWeights");
    struct routing routing = {.primary = primary, .version = HG_STR("")};

    if (!weights || !weights->child)
        return routing;
    routing.count = cJSON_GetArraySize(weights);
    routing.version = hg_str_of(weights->child->string);
    routing.weight = weights->child->valuedouble;
    return routing;
}

/* Both versions run under one role, and failed events of both go to one place. */
static enum hg_rc check_pair(struct hg_api_change *change, const struct hg_function *a,
                             const struct hg_function *b)
{
    if (!hg_str_eq(a->role, b->role))
        return change_refuse(change, HG_API_INVALID_PARAMETER,
                             "Function versions %.*s and %.*s must have the same execution role.",
                             HG_STR_ARG(a->version), HG_STR_ARG(b->version));
    if (!hg_str_eq(a->dead_letter, b->dead_letter))
        return change_refuse(
            change, HG_API_INVALID_PARAMETER,
            "Function versions %.*s and %.*s must have the same dead letter queue configuration.",
            HG_STR_ARG(a->version), HG_STR_ARG(b->version));
    return HG_OK;
}

static enum hg_rc check_versions(struct hg_api_change *change, struct hg_edit *edit,
                                 const struct hg_family *family, const struct routing *routing)
{
    const struct hg_function *function = change_version(change, edit, family, routing->primary),
                             *other;

    if (!function)
        return HG_E_INVALID;
    if (routing->count == 0)
        return HG_OK;
    if (routing->count > 1)
        return change_refuse(
            change, HG_API_INVALID_PARAMETER,
            "Number of items in AdditionalVersionWeights cannot be greater than 1");
    if (hg_str_eq(routing->version, function->version))
        return change_refuse(change, HG_API_INVALID_PARAMETER,
                             "Invalid function version %.*s. Function version %.*s is already "
                             "included in routing configuration.",
                             HG_STR_ARG(function->version), HG_STR_ARG(function->version));
    if (function == family->latest)
        return change_refuse(change, HG_API_INVALID_PARAMETER_PLAIN,
                             "$LATEST is not supported for an alias pointing to more than 1 "
                             "version");
    other = change_version(change, edit, family, routing->version);
    return other ? check_pair(change, function, other) : HG_E_INVALID;
}

/* Puts the alias and keeps the answer. */
static enum hg_rc put(struct hg_api_change *change, struct hg_edit *edit, struct hg_family *family,
                      struct hg_alias *alias, const struct routing *routing, int status)
{
    struct hg_buf buf;
    struct hg_json json = hg_json_to(&buf);
    enum hg_rc rc = check_versions(change, edit, family, routing);

    if (rc != HG_OK)
        return rc;
    alias->revision_id = change_revision(change);
    alias->weight = routing->weight;
    rc = family_put_alias(family, alias, routing->primary, routing->version);
    if (rc != HG_OK)
        return rc;
    hg_buf_init(&buf, HG_REQUEST_HEADERS_MAX);
    alias_write(&json, edit_snapshot(edit), family_alias(family, alias->name));
    rc = change_answer(change, status, &buf);
    hg_buf_fini(&buf);
    return rc;
}

static enum hg_rc create(struct hg_api_change *change, struct hg_edit *edit)
{
    struct hg_family *family = change_family(change, edit);
    struct hg_alias alias = {.name = input_str(change->input, "Name"),
                             .description = input_str(change->input, "Description")};
    struct routing routing =
        read_routing(change->input, input_str(change->input, "FunctionVersion"));

    if (!family)
        return HG_E_INVALID;
    if (family_alias(family, alias.name))
        return change_refuse(change, HG_API_CONFLICT, "Alias already exists: %.*s",
                             HG_STR_ARG(change_arn(change, edit, alias.name)));
    alias.function_name = family->name;
    return put(change, edit, family, &alias, &routing, 201);
}

void lambda_create_alias(struct hg_call *call)
{
    change_submit(call, true, create, change_respond_answer);
}

static enum hg_rc update(struct hg_api_change *change, struct hg_edit *edit)
{
    const cJSON *input = change->input;
    struct hg_family *family = change_family(change, edit);
    struct hg_str name = input_str(input, "Name"), version = input_str(input, "FunctionVersion"),
                  revision = input_str(input, "RevisionId");
    struct routing routing;
    struct hg_alias *old, alias;

    if (!family)
        return HG_E_INVALID;
    old = family_alias(family, name);
    if (!old)
        return change_refuse(change, HG_API_NOT_FOUND, "Alias not found: %.*s",
                             HG_STR_ARG(change_arn(change, edit, name)));
    if (revision.p && !hg_str_eq(revision, old->revision_id))
        return change_refuse(change, HG_API_PRECONDITION,
                             "The Revision Id provided does not match the latest Revision Id. Call "
                             "the GetFunction/GetAlias API to retrieve the latest Revision Id");
    alias = *old;
    if (input_has(input, "Description"))
        alias.description = input_str(input, "Description");
    if (!version.p)
        version = hg_arena_str(change->arena, old->function->version);
    routing = read_routing(input, version);
    if (!input_has(input, "RoutingConfig") && old->weighted) {
        routing.version = hg_arena_str(change->arena, old->weighted->version);
        routing.weight = old->weight;
        routing.count = 1;
    }
    return put(change, edit, family, &alias, &routing, 200);
}

void lambda_update_alias(struct hg_call *call)
{
    change_submit(call, true, update, change_respond_answer);
}

/* What was made for the alias goes with it. */
static void remove_dependents(struct hg_family *family, struct hg_str name)
{
    (void)family_remove_policy(family, name);
    (void)family_remove_url(family, name);
    (void)family_remove_provisioned(family, name);
    for (size_t i = family->attached_count; i-- > 0;)
        if (hg_str_eq(family->attached[i].qualifier, name))
            (void)family_remove_attached(family, family->attached[i].kind, name);
}

static enum hg_rc remove_alias(struct hg_api_change *change, struct hg_edit *edit)
{
    struct hg_family *family = change_family(change, edit);
    struct hg_str name = input_str(change->input, "Name");

    if (!family)
        return HG_E_INVALID;
    if (family_remove_alias(family, name))
        remove_dependents(family, name);
    return change_answer(change, 204, NULL);
}

void lambda_delete_alias(struct hg_call *call)
{
    change_submit(call, true, remove_alias, change_respond_answer);
}
