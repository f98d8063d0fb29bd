/*
 * Asynchronous invocation: EventInvokeConfig of SAM functions,
 * AWS::Lambda::EventInvokeConfig, dead-letter queues, and the targets that they
 * name.
 */
#include "config/template/transform_async.h"

#include "config/event_config.h"
#include "config/target.h"
#include "config/template/notices.h"
#include "config/template/sam_parts.h"

enum { QUALIFIER_MAX = sizeof(((struct hg_event_config *)0)->qualifier) - 1 };

/* Whether the value was made from what only other stacks could give: then it is not the template that is wrong. */
static bool is_from_elsewhere(const struct hg_node *raw)
{
    if (node_is_list(raw)) {
        for (size_t i = 0; i < raw->count; i++)
            if (is_from_elsewhere(raw->items[i]))
                return true;
        return raw->count == 2 && hg_str_starts(node_text(raw->items[1]), HG_STR("Outputs."));
    }
    for (size_t i = 0; node_is_map(raw) && i < raw->count; i++)
        if (hg_str_is(raw->members[i].key, "Fn::ImportValue") ||
            is_from_elsewhere(raw->members[i].value))
            return true;
    return false;
}

/* Ref of a queue gives its URL, Ref of a bus or bucket a name: the usual slips. */
static void say_not_arn(struct hg_transform *t, const struct target_place *place,
                        struct hg_str target)
{
    const struct hg_node *ref = node_get(place->raw, "Ref");

    if (node_is_scalar(ref))
        problem_at(t, place->node, "%s must be an ARN, not %.*s: use !GetAtt %.*s.Arn", place->what,
                   HG_STR_ARG(target), HG_STR_ARG(ref->text));
    else
        problem_at(
            t, place->node,
            "%s must be an ARN, or start with kafka://, redis://, rediss://, http://, https:// or "
            "file:///, not %.*s",
            place->what, HG_STR_ARG(target));
}

static bool is_queue_url(struct hg_str target)
{
    return hg_str_starts(target, HG_STR("http")) &&
           hg_str_find_str(target, HG_STR("://sqs.")) >= 0 &&
           hg_str_find_str(target, HG_STR("amazonaws.com")) >= 0;
}

static const char *kinds_text(struct hg_transform *t, const struct target_place *place)
{
    struct hg_str text = {0};

    for (size_t i = 0; i < place->kind_count; i++)
        text = transform_textf(t, "%.*s%s%s", HG_STR_ARG(text), i ? ", " : "",
                               target_kind_name(place->kinds[i]));
    return hg_arena_strdup(t->scratch, text);
}

static bool may_be(const struct target_place *place, enum hg_target_kind kind)
{
    if (kind == HG_TARGET_KIND_OWN)
        return true;
    for (size_t i = 0; i < place->kind_count; i++)
        if (place->kinds[i] == kind)
            return true;
    return false;
}

struct hg_str target_read(struct hg_transform *t, const struct target_place *place)
{
    struct hg_str target = node_text(place->node);
    enum hg_target_kind kind = target_kind(target);

    if (!node_is_scalar(place->node)) {
        problem_at(t, place->node, "%s must be a text", place->what);
    } else if (target.n > HG_DESTINATION_MAX) {
        problem_at(t, place->node, "%s is longer than %d bytes", place->what,
                   (int)HG_DESTINATION_MAX);
    } else if (kind == HG_TARGET_KIND_NONE && is_from_elsewhere(place->raw)) {
        notice_add(t, HG_NOTICE_WARNING, place->node->line,
                   "%s: %.*s comes from another stack and is not known here: nothing is sent there",
                   place->what, HG_STR_ARG(target));
    } else if (kind == HG_TARGET_KIND_NONE || is_queue_url(target)) {
        say_not_arn(t, place, target);
    } else if (place->type.n &&
               (!target_kind_name(kind) || !hg_str_is(place->type, target_kind_name(kind)))) {
        problem_at(t, place->node, "%s: Type %.*s does not fit %.*s%s", place->what,
                   HG_STR_ARG(place->type), HG_STR_ARG(target),
                   kind == HG_TARGET_KIND_OWN ? ", which needs no Type" : "");
    } else if (!may_be(place, kind)) {
        problem_at(t, place->node, "%s cannot be %.*s: it takes %s%s", place->what,
                   HG_STR_ARG(target), kinds_text(t, place),
                   kind == HG_TARGET_KIND_S3 ? "; S3 buckets take failures only" : "");
    } else if (target_fault(target)) {
        problem_at(t, place->node, "%s cannot be %.*s: %s", place->what, HG_STR_ARG(target),
                   target_fault(target));
    } else if (target_is_fifo(target)) {
        problem_at(t, place->node, "%s cannot be %.*s: FIFO queues and topics take no records",
                   place->what, HG_STR_ARG(target));
    } else {
        return transform_keep(t, target);
    }
    return HG_STR("");
}

static const enum hg_target_kind dead_letter_kinds[] = {HG_TARGET_KIND_SQS, HG_TARGET_KIND_SNS};

static const struct hg_node *raw_target(const struct hg_resource *resource, const char *property)
{
    return node_get(node_get(node_get(resource->raw, "Properties"), property), "TargetArn");
}

static struct hg_str read_dead_letter(struct hg_transform *t, const struct hg_resource *resource,
                                      const char *property, struct hg_str type)
{
    const char *name = hg_arena_printf(t->scratch, "%s.TargetArn", property);
    struct target_place place = {
        .node = node_get(resource_get(resource, property), "TargetArn"),
        .raw = raw_target(resource, property),
        .what = resource_what(t, resource, name),
        .type = type,
        .kinds = dead_letter_kinds,
        .kind_count = HG_COUNT(dead_letter_kinds),
    };

    if (!place.node || (node_is_scalar(place.node) && place.node->text.n == 0))
        return HG_STR("");
    return target_read(t, &place);
}

/* In the translator's own words. */
static void invalid(struct hg_transform *t, const struct hg_resource *resource,
                    const struct hg_node *at, const char *message)
{
    problem_at(t, at, "Resource with id [%.*s] is invalid. %s", HG_STR_ARG(resource->id), message);
}

struct hg_str sam_dead_letter(struct hg_transform *t, const struct hg_resource *resource)
{
    const struct hg_node *queue = resource_get(resource, "DeadLetterQueue");
    const struct hg_node *target = node_get(queue, "TargetArn");
    const struct hg_node *raw = raw_target(resource, "DeadLetterQueue");
    struct hg_str type = node_text(node_get(queue, "Type"));
    bool needs_type = target_kind(node_text(target)) != HG_TARGET_KIND_OWN;

    if (!queue)
        return HG_STR("");
    properties_check(t, queue, "DeadLetterQueue", resource->id);
    if (raw && !target)
        return HG_STR(""); /* it could not be evaluated, which was told */
    if (!target || (needs_type && type.n == 0)) {
        invalid(t, resource, queue,
                "'DeadLetterQueue' requires Type and TargetArn properties to be specified.");
    } else if (type.n && !hg_str_is(type, "SQS") && !hg_str_is(type, "SNS")) {
        invalid(t, resource, queue, "'DeadLetterQueue' requires Type of ['SNS', 'SQS']");
    } else {
        return read_dead_letter(t, resource, "DeadLetterQueue", type);
    }
    return HG_STR("");
}

struct hg_str cfn_dead_letter(struct hg_transform *t, const struct hg_resource *resource)
{
    properties_check(t, resource_get(resource, "DeadLetterConfig"), "DeadLetterConfig",
                     resource->id);
    return read_dead_letter(t, resource, "DeadLetterConfig", HG_STR(""));
}

/* One EventInvokeConfig, wherever it stands. */
struct invoke_config {
    const struct hg_resource *resource;
    const struct hg_node *map, *raw; /* evaluated, and as written */
    const char *prefix;              /* "EventInvokeConfig." or "" */
    bool is_sam;
    const struct hg_function *function;
    struct hg_str qualifier;
};

static const char *what_of(struct hg_transform *t, const struct invoke_config *config,
                           const char *name)
{
    return resource_what(t, config->resource,
                         hg_arena_printf(t->scratch, "%s%s", config->prefix, name));
}

/* "Type" as the translator sees it. False when it was told that it is wrong. */
static bool check_type(struct hg_transform *t, const struct invoke_config *config,
                       const struct hg_node *outcome, const struct hg_node *target)
{
    static const char *const types[] = {"SQS", "SNS", "EventBridge", "Lambda", "S3Bucket"};
    struct hg_str type = node_text(node_get(outcome, "Type"));

    if (type.n == 0 && target_kind(node_text(target)) == HG_TARGET_KIND_OWN)
        return true;
    for (size_t i = 0; i < HG_COUNT(types); i++)
        if (hg_str_is(type, types[i]))
            return true;
    problem_at(t, outcome,
               "Resource with id [%.*s] is invalid. 'Type: %.*s' must be one of ['SQS', 'SNS', "
               "'EventBridge', 'Lambda', 'S3Bucket']",
               HG_STR_ARG(config->resource->id), HG_STR_ARG(type.n ? type : HG_STR("None")));
    return false;
}

/* Without a Destination SAM makes a queue or topic; its ARN, or "" when it was told that none can be made. */
static struct hg_str made_target(struct hg_transform *t, const struct invoke_config *config,
                                 const struct hg_node *outcome, const char *name)
{
    struct hg_str type = node_text(node_get(outcome, "Type")), id;
    bool is_queue = hg_str_is(type, "SQS");

    if (!config->is_sam) {
        problem_at(t, outcome, "%s: Destination is missing",
                   what_of(t, config, hg_arena_printf(t->scratch, "DestinationConfig.%s", name)));
        return HG_STR("");
    }
    if (!is_queue && !hg_str_is(type, "SNS")) {
        invalid(t, config->resource, outcome,
                "Destination is required if Type is not ['SQS', 'SNS']");
        return HG_STR("");
    }
    id = transform_textf(t, "%.*sEventInvokeConfig%s%s", HG_STR_ARG(config->resource->id), name,
                         is_queue ? "Queue" : "Topic");
    return transform_keep(t, is_queue ? eval_attribute(t->eval, id, HG_STR("Arn"), outcome)
                                      : eval_ref(t->eval, id, outcome));
}

static void check_function_target(struct hg_transform *t, const struct invoke_config *config,
                                  const struct target_place *place, struct hg_str target)
{
    const struct hg_function *function = stack_find_function(t->stack, target, HG_STR(""));

    if (!function) {
        if (t->broken_functions.count == 0) /* else it may be one of those, which was told */
            problem_at(t, place->node,
                       "%s: The destination ARN %.*s is invalid: the template has no "
                       "such function",
                       place->what, HG_STR_ARG(target));
    } else if (config->function && hg_str_eq(function->name, config->function->name)) {
        problem_at(t, place->node,
                   "%s: You can't specify the function as a destination for itself.", place->what);
    }
}

static struct hg_str read_outcome(struct hg_transform *t, const struct invoke_config *config,
                                  const char *name, const enum hg_target_kind *kinds,
                                  size_t kind_count)
{
    const char *path = hg_arena_printf(t->scratch, "DestinationConfig.%s", name);
    const struct hg_node *outcome = node_path(config->map, path);
    const struct hg_node *raw = node_get(node_path(config->raw, path), "Destination");
    struct target_place place = {
        .node = node_get(outcome, "Destination"),
        .raw = raw,
        .what = what_of(t, config, hg_arena_printf(t->scratch, "%s.Destination", path)),
        .type = config->is_sam ? node_text(node_get(outcome, "Type")) : HG_STR(""),
        .kinds = kinds,
        .kind_count = kind_count,
    };
    struct hg_str target;

    if (!outcome || outcome->kind == HG_NODE_NULL)
        return HG_STR("");
    if (!node_is_map(outcome)) {
        problem_at(t, outcome, "%s must be a map", what_of(t, config, path));
        return HG_STR("");
    }
    properties_check(t, outcome, config->is_sam ? "destination" : "CloudFormation destination",
                     config->resource->id);
    if (config->is_sam && !check_type(t, config, outcome, place.node))
        return HG_STR("");
    if (!place.node)
        return raw ? HG_STR("") /* it could not be evaluated, which was told */
                   : made_target(t, config, outcome, name);
    target = target_read(t, &place);
    if (target_kind(target) == HG_TARGET_KIND_LAMBDA)
        check_function_target(t, config, &place, target);
    return target;
}

static void add_setting(struct hg_transform *t, const struct invoke_config *config,
                        const struct hg_event_setting *setting)
{
    struct hg_stack *stack = t->stack;

    for (size_t i = 0; i < stack->event_setting_count; i++) {
        const struct hg_event_setting *other = &stack->event_settings[i];

        if (hg_str_eq(other->function_name, setting->function_name) &&
            hg_str_eq(other->qualifier, setting->qualifier)) {
            problem_at(t, config->map,
                       "%.*s: %.*s:%.*s has an EventInvokeConfig already, at line %u",
                       HG_STR_ARG(config->resource->id), HG_STR_ARG(setting->function_name),
                       HG_STR_ARG(setting->qualifier), other->line);
            return;
        }
    }
    stack->event_settings = transform_grow(t->arena, stack->event_settings,
                                           stack->event_setting_count, sizeof(*setting));
    stack->event_settings[stack->event_setting_count++] = *setting;
}

static void read_config(struct hg_transform *t, const struct invoke_config *config, unsigned line)
{
    static const enum hg_target_kind kinds[] = {HG_TARGET_KIND_SQS, HG_TARGET_KIND_SNS,
                                                HG_TARGET_KIND_LAMBDA, HG_TARGET_KIND_EVENTBRIDGE,
                                                HG_TARGET_KIND_S3};
    const struct hg_node *retries = node_get(config->map, "MaximumRetryAttempts"),
                         *age = node_get(config->map, "MaximumEventAgeInSeconds"),
                         *destinations = node_get(config->map, "DestinationConfig");
    struct hg_event_setting setting = {.line = line, .qualifier = config->qualifier};

    properties_check(t, destinations, "DestinationConfig", config->resource->id);
    setting.max_age_s = (int)read_int(t, age, what_of(t, config, "MaximumEventAgeInSeconds"),
                                      HG_EVENT_AGE_MIN_S, HG_EVENT_AGE_DEFAULT_S, -1);
    setting.max_retries = (int)read_int(t, retries, what_of(t, config, "MaximumRetryAttempts"), 0,
                                        HG_EVENT_RETRIES_DEFAULT, -1);
    if (destinations && !node_is_map(destinations) && destinations->kind != HG_NODE_NULL)
        problem_at(t, destinations, "%s must be a map", what_of(t, config, "DestinationConfig"));
    /* The last of the kinds takes failures only. */
    setting.on_success = read_outcome(t, config, "OnSuccess", kinds, HG_COUNT(kinds) - 1);
    setting.on_failure = read_outcome(t, config, "OnFailure", kinds, HG_COUNT(kinds));
    if (!retries && !age && !destinations)
        problem_at(t, config->map,
                   "%.*s: EventInvokeConfig: You must specify at least one of error handling or "
                   "destination setting.",
                   HG_STR_ARG(config->resource->id));
    if (!config->function)
        return;
    setting.function_name = config->function->name;
    add_setting(t, config, &setting);
}

static void translate_sam(struct hg_transform *t, const struct hg_resource *resource)
{
    struct invoke_config config = {
        .resource = resource,
        .map = resource_get(resource, "EventInvokeConfig"),
        .raw = node_get(node_get(resource->raw, "Properties"), "EventInvokeConfig"),
        .prefix = "EventInvokeConfig.",
        .is_sam = true,
        .function = hg_map_get(&t->functions_by_id, resource->id),
        .qualifier = read_text(t, resource_get(resource, "AutoPublishAlias"), "AutoPublishAlias",
                               HG_STR("$LATEST")),
    };

    if (!config.map)
        return;
    if (!node_is_map(config.map)) {
        problem_at(t, config.map, "%.*s: EventInvokeConfig must be a map",
                   HG_STR_ARG(resource->id));
        return;
    }
    properties_check(t, config.map, "EventInvokeConfig", resource->id);
    read_config(t, &config, resource_line(resource, "EventInvokeConfig"));
}

/* The function that a resource is about; NULL when it was told that there is none, or is not known. */
static const struct hg_function *configured_function(struct hg_transform *t,
                                                     const struct hg_resource *resource,
                                                     struct hg_str qualifier)
{
    const struct hg_node *name = resource_get(resource, "FunctionName");
    const struct hg_function *function;

    if (!name) {
        if (!resource_has(resource, "FunctionName"))
            problem_on(t, resource, "%.*s: FunctionName is missing", HG_STR_ARG(resource->id));
        return NULL;
    }
    if (hg_map_get(&t->broken_functions, node_text(name)))
        return NULL;
    function = stack_find_function(t->stack, node_text(name), HG_STR(""));
    if (!function)
        problem_at(t, name, "%.*s: FunctionName: Function not found: %.*s",
                   HG_STR_ARG(resource->id), HG_STR_ARG(node_text(name)));
    else if (qualifier.n && !stack_find_function(t->stack, function->name, qualifier))
        problem_at(t, resource_get(resource, "Qualifier"),
                   "%.*s: Qualifier: Function not found: %.*s:%.*s", HG_STR_ARG(resource->id),
                   HG_STR_ARG(function->arn), HG_STR_ARG(qualifier));
    else
        return function;
    return NULL;
}

static void translate_cfn(struct hg_transform *t, const struct hg_resource *resource)
{
    const struct hg_node *qualifier = resource_get(resource, "Qualifier");
    struct invoke_config config = {
        .resource = resource,
        .map = resource->properties,
        .raw = node_get(resource->raw, "Properties"),
        .prefix = "",
        .qualifier =
            read_text(t, qualifier, resource_what(t, resource, "Qualifier"), HG_STR("$LATEST")),
    };

    if (resource->is_generated) /* it stands for what the function says itself */
        return;
    if (!qualifier && !resource_has(resource, "Qualifier"))
        problem_on(t, resource, "%.*s: Qualifier is missing: $LATEST, a version or an alias",
                   HG_STR_ARG(resource->id));
    if (config.qualifier.n > QUALIFIER_MAX) {
        problem_at(t, qualifier, "%.*s: Qualifier is longer than %d bytes",
                   HG_STR_ARG(resource->id), (int)QUALIFIER_MAX);
        return;
    }
    config.function = configured_function(t, resource, config.qualifier);
    read_config(t, &config, resource->line);
}

void event_settings_translate(struct hg_transform *t)
{
    transform_each(t, "AWS::Serverless::Function", translate_sam);
    transform_each(t, "AWS::Lambda::EventInvokeConfig", translate_cfn);
}
