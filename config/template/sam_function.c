/*
 * AWS::Serverless::Function, but for its events.
 */
#include "config/template/notices.h"
#include "config/template/sam_parts.h"
#include "config/template/transform_async.h"
#include "config/template/transform_function.h"

/* A mistake in the translator's own words. */
static void invalid(struct hg_transform *t, const struct hg_resource *resource,
                    const char *property, const char *message)
{
    const struct hg_node *at = property ? resource_get(resource, property) : NULL;

    problem_at(t, at ? at : resource->raw, "Resource with id [%.*s] is invalid. %s",
               HG_STR_ARG(resource->id), message);
}

/* False when the function cannot be run for its package type. */
static bool check_package_type(struct hg_transform *t, const struct hg_resource *resource)
{
    struct hg_str type = node_text(resource_get(resource, "PackageType"));

    if (type.n == 0 || hg_str_is(type, "Zip")) {
        if (!resource_has(resource, "Runtime") || !resource_has(resource, "Handler"))
            problem_on(
                t, resource,
                "Resource with id [%.*s] is invalid. Runtime and Handler needs to be present when "
                "PackageType is of type `Zip`",
                HG_STR_ARG(resource->id));
        if (resource_has(resource, "ImageUri") || resource_has(resource, "ImageConfig"))
            invalid(t, resource, "ImageUri",
                    "ImageUri or ImageConfig cannot be present when PackageType is of type `Zip`");
        return true;
    }
    if (!hg_str_is(type, "Image")) {
        invalid(t, resource, "PackageType", "PackageType needs to be `Zip` or `Image`");
        return false;
    }
    if (resource_has(resource, "Runtime") || resource_has(resource, "Handler") ||
        resource_has(resource, "Layers"))
        invalid(t, resource, "PackageType",
                "Runtime, Handler, Layers cannot be present when PackageType is of type `Image`");
    problem_at(
        t, resource_get(resource, "PackageType"),
        "%.*s: PackageType Image is not supported: container images are not run; use PackageType Zip with a folder or "
        "a zip file as CodeUri",
        HG_STR_ARG(resource->id));
    return false;
}

static bool is_alias_name(struct hg_str name)
{
    bool has_other = false;

    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool is_digit = c >= '0' && c <= '9';

        if (!is_digit && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && c != '-' && c != '_')
            return false;
        has_other |= !is_digit;
    }
    return has_other;
}

static void check_alias(struct hg_transform *t, const struct hg_resource *resource)
{
    const struct hg_node *alias = resource_get(resource, "AutoPublishAlias");

    if (alias && (!node_is_scalar(alias) || !is_alias_name(alias->text)))
        problem_at(
            t, alias,
            "Resource with id [%.*s] is invalid. AutoPublishAlias name ('%.*s') must contain only "
            "alphanumeric characters, hyphens, or underscores matching (?!^[0-9]+$)([a-zA-Z0-9-_]+) pattern.",
            HG_STR_ARG(resource->id), HG_STR_ARG(node_text(alias)));
    if (resource_has(resource, "AutoPublishAlias"))
        return;
    if (resource_has(resource, "ProvisionedConcurrencyConfig"))
        invalid(
            t, resource, "ProvisionedConcurrencyConfig",
            "To set ProvisionedConcurrencyConfig AutoPublishALias must be defined on the function");
    if (resource_has(resource, "DeploymentPreference"))
        invalid(t, resource, "DeploymentPreference",
                "'DeploymentPreference' requires AutoPublishAlias property to be specified.");
}

static void check_url(struct hg_transform *t, const struct hg_resource *resource)
{
    const struct hg_node *config = resource_get(resource, "FunctionUrlConfig");
    struct hg_str auth = node_text(node_get(config, "AuthType"));

    if (config && !hg_str_is(auth, "NONE") && !hg_str_is(auth, "AWS_IAM"))
        invalid(t, resource, "FunctionUrlConfig",
                "AuthType is required to configure function property "
                "`FunctionUrlConfig`. Please provide either AWS_IAM or NONE.");
}

static void set_code(struct hg_transform *t, const struct hg_resource *resource,
                     struct hg_function *function)
{
    const struct hg_node *text = resource_get(resource, "InlineCode"),
                         *uri = resource_get(resource, "CodeUri");

    if (resource_has(resource, "InlineCode")) {
        if (text)
            (void)code_from_text(t, function, node_text(text), text,
                                 resource_what(t, resource, "InlineCode"));
    } else if (node_is_map(uri)) {
        problem_at(
            t, uri,
            "%.*s: CodeUri names an object in S3; code must be on this machine: point CodeUri at a folder or "
            "a zip file",
            HG_STR_ARG(resource->id));
    } else if (!resource_has(resource, "CodeUri")) {
        (void)code_from_path(t, function, HG_STR("."), resource->raw,
                             resource_what(t, resource, "CodeUri"));
    } else if (uri) {
        (void)code_from_path(t, function, node_text(uri), uri,
                             resource_what(t, resource, "CodeUri"));
    }
}

static void translate(struct hg_transform *t, const struct hg_resource *resource)
{
    struct hg_function *function;

    check_alias(t, resource);
    check_url(t, resource);
    if (!check_package_type(t, resource)) {
        function_give_up(t, resource);
        return;
    }
    function = function_make(t, resource);
    function->dead_letter = sam_dead_letter(t, resource);
    if (!resource_has(resource, "Role"))
        function->role = transform_keep(
            t, eval_attribute(t->eval, transform_textf(t, "%.*sRole", HG_STR_ARG(resource->id)),
                              HG_STR("Arn"), resource->raw));
    function->tracing_mode = function_tracing_mode(t, resource_get(resource, "Tracing"),
                                                   resource_what(t, resource, "Tracing"));
    function->tags =
        read_pairs(t, resource_get(resource, "Tags"), resource_what(t, resource, "Tags"));
    function->tags.items = transform_grow(t->arena, function->tags.items, function->tags.count,
                                          sizeof(*function->tags.items));
    function->tags.items[function->tags.count++] =
        (struct hg_kv){HG_STR("lambda:createdBy"), HG_STR("SAM")};
    set_code(t, resource, function);
    function_check_build(t, resource);
}

void sam_functions_translate(struct hg_transform *t)
{
    transform_each(t, "AWS::Serverless::Function", translate);
}
