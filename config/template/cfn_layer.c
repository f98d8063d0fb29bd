/*
 * AWS::Serverless::LayerVersion and AWS::Lambda::LayerVersion.
 */
#include "config/template/notices.h"
#include "config/template/sam_parts.h"
#include "config/template/transform_function.h"

static void add_layer(struct hg_transform *t, const struct hg_resource *resource, struct hg_str dir)
{
    struct hg_layer_draft *layer = hg_arena_must(t->scratch, sizeof(*layer));

    layer->arn = transform_keep(t, eval_ref(t->eval, resource->id, resource->raw));
    layer->dir = dir;
    layer->next = t->layers;
    t->layers = layer;
}

static void translate(struct hg_transform *t, const struct hg_resource *resource)
{
    const char *property =
        hg_str_is(resource->type, "AWS::Lambda::LayerVersion") ? "Content" : "ContentUri";
    const struct hg_node *content = resource_get(resource, property),
                         *asset = resource_metadata(resource, "aws:asset:path");
    const struct hg_node *method = resource_metadata(resource, "BuildMethod");
    struct hg_str dir = HG_STR("");

    if (node_is_scalar(content))
        (void)code_layer(t, content->text, content, resource_what(t, resource, property), &dir);
    else if (node_is_scalar(asset))
        (void)code_layer(t, asset->text, asset,
                         resource_what(t, resource, "Metadata aws:asset:path"), &dir);
    else if (!resource_has(resource, property))
        problem_on(t, resource,
                   "Resource with id [%.*s] is invalid. Missing required property '%s'.",
                   HG_STR_ARG(resource->id), property);
    else if (content)
        problem_at(
            t, content,
            "%.*s: %s is in S3; a layer must be on this machine: give the path of a folder or a zip file",
            HG_STR_ARG(resource->id), property);
    add_layer(t, resource, dir);
    if (node_is_scalar(method) && !t->is_built)
        notice_add(
            t, HG_NOTICE_WARNING, method->line,
            "%.*s: BuildMethod %.*s: the layer is used as it is; run `sam build` to have it built",
            HG_STR_ARG(resource->id), HG_STR_ARG(method->text));
}

void layers_translate(struct hg_transform *t)
{
    transform_each(t, "AWS::Serverless::LayerVersion", translate);
    transform_each(t, "AWS::Lambda::LayerVersion", translate);
}
