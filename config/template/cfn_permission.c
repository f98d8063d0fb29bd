/*
 * AWS::Lambda::Permission: a statement of a function's policy. It is shown by GetPolicy; calls are not held against it.
 */
#include "config/policy_doc.h"
#include "config/template/sam_parts.h"

/* A property that is a text; p NULL when it is not given. */
static struct hg_str text_of(const struct hg_resource *resource, const char *property)
{
    const struct hg_node *node = resource_get(resource, property);

    return node_is_scalar(node) ? node_text(node) : hg_str_n(NULL, 0);
}

static void translate(struct hg_transform *t, const struct hg_resource *resource)
{
    struct hg_stack *stack = t->stack;
    struct hg_str name;
    const struct hg_function *function;
    struct hg_function_parts parts;
    struct hg_stack_permission permission = {0};
    struct policy_terms terms = {
        .principal = text_of(resource, "Principal"),
        .action = text_of(resource, "Action"),
        .source_account = text_of(resource, "SourceAccount"),
        .source_arn = text_of(resource, "SourceArn"),
        .url_auth_type = text_of(resource, "FunctionUrlAuthType"),
        .org_id = text_of(resource, "PrincipalOrgID"),
        .event_token = text_of(resource, "EventSourceToken"),
    };

    if (resource->is_generated)
        return;
    name = text_of(resource, "FunctionName");
    function = name.n ? stack_find_function(stack, name, HG_STR("")) : NULL;
    /* What is not of this template, or no statement at all, has nobody who would ask for it. */
    if (!function || !terms.action.n || !policy_principal_is_valid(terms.principal) ||
        !function_parts(name, &parts))
        return;
    permission.function_name = function->name;
    permission.qualifier = parts.qualifier.n ? transform_keep(t, parts.qualifier) : HG_STR("");
    terms.is_via_url = hg_str_is_nocase(text_of(resource, "InvokedViaFunctionUrl"), "true");
    terms.sid = permission.statement.sid =
        transform_keep(t, eval_ref(t->eval, resource->id, resource->raw));
    terms.resource =
        transform_keepf(t, "%.*s%s%.*s", HG_STR_ARG(function->arn),
                        permission.qualifier.n ? ":" : "", HG_STR_ARG(permission.qualifier));
    permission.statement.json = policy_statement_json(t->arena, &terms);
    stack->permissions = transform_grow(t->arena, stack->permissions, stack->permission_count,
                                        sizeof(*stack->permissions));
    stack->permissions[stack->permission_count++] = permission;
}

void permissions_translate(struct hg_transform *t)
{
    transform_each(t, "AWS::Lambda::Permission", translate);
}
