/*
 * AWS::Lambda::Function, Version, Alias and Url; the latter three also as SAM generates them.
 */
#include "config/template/notices.h"
#include "config/template/sam_parts.h"
#include "config/template/transform_async.h"
#include "config/template/transform_cors.h"
#include "config/template/transform_function.h"

#include <stdlib.h>

static void set_code(struct hg_transform *t, const struct hg_resource *resource,
                     struct hg_function *function)
{
    const struct hg_node *code = resource_get(resource, "Code"),
                         *asset = resource_metadata(resource, "aws:asset:path");
    const struct hg_node *text = node_get(code, "ZipFile");

    if (node_is_scalar(code))
        (void)code_from_path(t, function, code->text, code, resource_what(t, resource, "Code"));
    else if (text)
        (void)code_from_text(t, function, node_text(text), text,
                             resource_what(t, resource, "Code.ZipFile"));
    else if (node_is_scalar(asset))
        (void)code_from_path(t, function, asset->text, asset,
                             resource_what(t, resource, "Metadata aws:asset:path"));
    else if (node_get(code, "S3Bucket") || node_get(code, "S3Key"))
        problem_at(
            t, code,
            "%.*s: Code is in S3; code must be on this machine: give Code: the path of a folder or zip file, "
            "or ZipFile",
            HG_STR_ARG(resource->id));
    else if (!resource_has(resource, "Code") || code)
        problem_at(t, code ? code : resource->raw,
                   "%.*s: Code is missing: give ZipFile, or the path of a folder or zip file",
                   HG_STR_ARG(resource->id));
}

static void read_tag_list(struct hg_transform *t, const struct hg_node *tags,
                          struct hg_kv_list *list)
{
    for (size_t i = 0; node_is_list(tags) && i < tags->count; i++) {
        list->items = transform_grow(t->arena, list->items, list->count, sizeof(*list->items));
        list->items[list->count++] =
            (struct hg_kv){transform_keep(t, node_text(node_get(tags->items[i], "Key"))),
                           transform_keep(t, node_text(node_get(tags->items[i], "Value")))};
    }
}

static void translate_function(struct hg_transform *t, const struct hg_resource *resource)
{
    struct hg_function *function;

    if (hg_str_is(node_text(resource_get(resource, "PackageType")), "Image") ||
        node_path(resource->properties, "Code.ImageUri")) {
        problem_on(
            t, resource,
            "%.*s: PackageType Image is not supported: container images are not run; use PackageType Zip",
            HG_STR_ARG(resource->id));
        function_give_up(t, resource);
        return;
    }
    if (!resource_has(resource, "Runtime") || !resource_has(resource, "Handler"))
        problem_on(
            t, resource,
            "%.*s: Runtime and Handler are mandatory parameters for functions created with deployment "
            "packages.",
            HG_STR_ARG(resource->id));
    function = function_make(t, resource);
    function->dead_letter = cfn_dead_letter(t, resource);
    function->tracing_mode =
        function_tracing_mode(t, node_get(resource_get(resource, "TracingConfig"), "Mode"),
                              resource_what(t, resource, "TracingConfig.Mode"));
    read_tag_list(t, resource_get(resource, "Tags"), &function->tags);
    set_code(t, resource, function);
}

void lambda_functions_translate(struct hg_transform *t)
{
    transform_each(t, "AWS::Lambda::Function", translate_function);
}

/* The $LATEST of the function that a resource names; a problem when there is none. */
static const struct hg_function *
named_function(struct hg_transform *t, const struct hg_resource *resource, const char *property)
{
    const struct hg_node *node = resource_get(resource, property);
    const struct hg_function *function = stack_find_function(t->stack, node_text(node), HG_STR(""));

    if (!function && (node || !resource_has(resource, property)))
        problem_at(t, node ? node : resource->raw, "%.*s: %s: Function not found: %.*s",
                   HG_STR_ARG(resource->id), property, HG_STR_ARG(node_text(node)));
    return function;
}

static bool is_of_broken_function(const struct hg_transform *t, const struct hg_resource *resource)
{
    /*
     * A generated resource stands beside a function that may itself have failed, which was told
     * already.
     */
    return resource->is_generated && t->problems->count > 0;
}

static void read_provisioned(struct hg_transform *t, const struct hg_resource *resource,
                             struct hg_str function_name, struct hg_str qualifier)
{
    static const char key[] = "ProvisionedConcurrencyConfig";
    const struct hg_node *config = resource_get(resource, key), *wanted;
    struct hg_stack *stack = t->stack;
    int64_t count;

    if (!config)
        return;
    wanted = node_get(config, "ProvisionedConcurrentExecutions");
    if (!wanted) {
        problem_at(t, config, "%.*s: %s: ProvisionedConcurrentExecutions is missing",
                   HG_STR_ARG(resource->id), key);
        return;
    }
    count = read_int(t, wanted, resource_what(t, resource, key), 1, INT32_MAX, 1);
    stack->provisioned = transform_grow(t->arena, stack->provisioned, stack->provisioned_count,
                                        sizeof(*stack->provisioned));
    stack->provisioned[stack->provisioned_count++] = (struct hg_stack_provisioned){
        .function_name = function_name, .qualifier = qualifier, .requested = (unsigned)count};
}

static void translate_version(struct hg_transform *t, const struct hg_resource *resource)
{
    const struct hg_function *latest;
    struct hg_function *version;
    struct hg_str ref;

    if (is_of_broken_function(t, resource))
        return;
    latest = named_function(t, resource, "FunctionName");
    if (!latest)
        return;
    ref = eval_ref(t->eval, resource->id, resource->raw);
    version = hg_arena_must(t->arena, sizeof(*version));
    *version = *latest;
    version->arn = latest->arn;
    for (size_t at = ref.n; at > 0; at--) {
        if (ref.p[at - 1] == ':') {
            version->version = transform_keep(t, hg_str_skip(ref, at));
            break;
        }
    }
    t->stack->functions =
        transform_grow(t->arena, t->stack->functions, t->stack->function_count, sizeof(void *));
    t->stack->functions[t->stack->function_count++] = version;
    read_provisioned(t, resource, version->name, version->version);
}

static void set_routing(struct hg_transform *t, const struct hg_resource *resource,
                        struct hg_alias *alias)
{
    const struct hg_node *list =
        node_get(resource_get(resource, "RoutingConfig"), "AdditionalVersionWeights");
    const struct hg_node *first;
    char *end, *weight;

    if (!node_is_list(list) || list->count == 0)
        return;
    first = list->items[0];
    weight = hg_arena_strdup(t->scratch, node_text(node_get(first, "FunctionWeight")));
    alias->weight = strtod(weight, &end);
    alias->weighted = stack_find_function(t->stack, alias->function_name,
                                          node_text(node_get(first, "FunctionVersion")));
    if (list->count > 1 || end == weight || *end || !(alias->weight >= 0 && alias->weight <= 1) ||
        !alias->weighted)
        problem_at(
            t, list,
            "%.*s: RoutingConfig must name one version of the function and a weight from 0.0 to 1.0",
            HG_STR_ARG(resource->id));
}

static void translate_alias(struct hg_transform *t, const struct hg_resource *resource)
{
    struct hg_stack *stack = t->stack;
    const struct hg_node *version = resource_get(resource, "FunctionVersion");
    const struct hg_function *latest;
    struct hg_alias alias = {0};

    if (is_of_broken_function(t, resource))
        return;
    latest = named_function(t, resource, "FunctionName");
    if (!latest)
        return;
    alias.function_name = latest->name;
    alias.name = read_text(t, resource_get(resource, "Name"), resource_what(t, resource, "Name"),
                           HG_STR(""));
    alias.function = stack_find_function(stack, latest->name, node_text(version));
    if (!alias.name.n)
        problem_on(t, resource, "%.*s: Name is missing", HG_STR_ARG(resource->id));
    if (!alias.function && version)
        problem_at(t, version, "%.*s: FunctionVersion: Function not found: %.*s:%.*s",
                   HG_STR_ARG(resource->id), HG_STR_ARG(latest->arn),
                   HG_STR_ARG(node_text(version)));
    if (!alias.function)
        return;
    set_routing(t, resource, &alias);
    stack->aliases = transform_grow(t->arena, stack->aliases, stack->alias_count, sizeof(alias));
    stack->aliases[stack->alias_count++] = alias;
    read_provisioned(t, resource, alias.function_name, alias.name);
}

/* "http://127.0.0.1:8080/_aws/lambda-url/<id>/", or "https://<id>.lambda-url.…/" where no gateway runs. */
static struct hg_str url_id(struct hg_transform *t, const struct hg_resource *resource)
{
    static const struct hg_str by_path = {"/_aws/lambda-url/", 17};
    struct hg_str url = eval_attribute(t->eval, resource->id, HG_STR("FunctionUrl"), resource->raw);
    ptrdiff_t at = hg_str_find_str(url, by_path), end;

    if (at >= 0) {
        url = hg_str_skip(url, (size_t)at + by_path.n);
        end = hg_str_find(url, '/');
    } else {
        at = hg_str_find_str(url, HG_STR("//"));
        url = hg_str_skip(url, at < 0 ? 0 : (size_t)at + 2);
        end = hg_str_find(url, '.');
    }
    return transform_keep(t, end < 0 ? url : hg_str_n(url.p, (size_t)end));
}

static void translate_url(struct hg_transform *t, const struct hg_resource *resource)
{
    static const struct hg_cors_names *const names = &cors_names_pascal;
    struct hg_str qualifier = node_text(resource_get(resource, "Qualifier"));
    struct hg_stack *stack = t->stack;
    const struct hg_function *function;
    struct hg_url *url;

    if (is_of_broken_function(t, resource))
        return;
    function = named_function(t, resource, "TargetFunctionArn");
    if (function && qualifier.n)
        function = stack_find_function(stack, function->name, qualifier);
    if (!function)
        return;
    stack->urls = transform_grow(t->arena, stack->urls, stack->url_count, sizeof(*url));
    url = &stack->urls[stack->url_count++];
    *url = (struct hg_url){
        .id = url_id(t, resource), .function = function, .qualifier = transform_keep(t, qualifier)};
    url->auth_type = read_text(t, resource_get(resource, "AuthType"),
                               resource_what(t, resource, "AuthType"), HG_STR("NONE"));
    url->invoke_mode = read_text(t, resource_get(resource, "InvokeMode"),
                                 resource_what(t, resource, "InvokeMode"), HG_STR("BUFFERED"));
    url->cors =
        cors_read(t, resource_get(resource, "Cors"), names, resource_what(t, resource, "Cors"));
}

void lambda_versions_translate(struct hg_transform *t)
{
    transform_each(t, "AWS::Lambda::Version", translate_version);
    transform_each(t, "AWS::Lambda::Alias", translate_alias);
    transform_each(t, "AWS::Lambda::Url", translate_url);
}
