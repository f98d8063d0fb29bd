/*
 * AWS::Serverless::LayerVersion and AWS::Lambda::LayerVersion.
 */
#include "config/template/notices.h"
#include "config/template/sam_parts.h"
#include "config/template/transform_function.h"
#include "core/json_write.h"

#include <stdlib.h>

enum { WORDS_TEXT_MAX = 4096 };

static int by_text(const void *a, const void *b)
{
    return hg_str_cmp(*(const struct hg_str *)a, *(const struct hg_str *)b);
}

/* CompatibleRuntimes or CompatibleArchitectures as a JSON array; "" when there is none. */
static struct hg_str read_words(struct hg_transform *t, const struct hg_resource *resource,
                                const char *property, bool is_sorted)
{
    size_t count;
    struct hg_str *words = read_strings(t, resource_get(resource, property),
                                        resource_what(t, resource, property), &count),
                  text;
    struct hg_buf buf;
    struct hg_json json = hg_json_to(&buf);

    if (count == 0)
        return HG_STR("");
    if (is_sorted)
        qsort(words, count, sizeof(*words), by_text);
    hg_buf_init(&buf, WORDS_TEXT_MAX);
    hg_json_begin_array(&json);
    for (size_t i = 0; i < count; i++)
        hg_json_str(&json, words[i]);
    hg_json_end_array(&json);
    text = buf.is_overflown ? HG_STR("") : transform_keep(t, hg_buf_str(&buf));
    hg_buf_fini(&buf);
    return text;
}

/* NAME of arn:aws:lambda:REGION:ACCOUNT:layer:NAME:1, which LayerName and the resource's id made. */
static struct hg_str name_of(struct hg_str arn)
{
    struct hg_str rest = arn, part = HG_STR("");

    for (int i = 0; i < 7; i++)
        (void)hg_str_next(&rest, ':', &part);
    return part;
}

static void add_layer(struct hg_transform *t, const struct hg_resource *resource,
                      struct hg_layer_version *version)
{
    struct hg_stack *stack = t->stack;

    version->number = 1;
    version->arn = transform_keep(t, eval_ref(t->eval, resource->id, resource->raw));
    version->description = read_text(t, resource_get(resource, "Description"),
                                     resource_what(t, resource, "Description"), HG_STR(""));
    version->license = read_text(t, resource_get(resource, "LicenseInfo"),
                                 resource_what(t, resource, "LicenseInfo"), HG_STR(""));
    version->runtimes = read_words(t, resource, "CompatibleRuntimes", false);
    version->architectures = read_words(t, resource, "CompatibleArchitectures", true);
    stack->layers =
        transform_grow(t->arena, stack->layers, stack->layer_count, sizeof(*stack->layers));
    stack->layers[stack->layer_count++] = (struct hg_stack_layer){name_of(version->arn), *version};
}

static void translate(struct hg_transform *t, const struct hg_resource *resource)
{
    const char *property =
        hg_str_is(resource->type, "AWS::Lambda::LayerVersion") ? "Content" : "ContentUri";
    const struct hg_node *content = resource_get(resource, property),
                         *asset = resource_metadata(resource, "aws:asset:path");
    const struct hg_node *method = resource_metadata(resource, "BuildMethod");
    struct hg_layer_version version = {.dir = HG_STR("")};

    if (node_is_scalar(content))
        (void)code_layer(t, content->text, content, resource_what(t, resource, property), &version);
    else if (node_is_scalar(asset))
        (void)code_layer(t, asset->text, asset,
                         resource_what(t, resource, "Metadata aws:asset:path"), &version);
    else if (!resource_has(resource, property))
        problem_on(t, resource,
                   "Resource with id [%.*s] is invalid. Missing required property '%s'.",
                   HG_STR_ARG(resource->id), property);
    else if (content)
        problem_at(
            t, content,
            "%.*s: %s is in S3; a layer must be on this machine: give the path of a folder or a zip file",
            HG_STR_ARG(resource->id), property);
    add_layer(t, resource, &version);
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
