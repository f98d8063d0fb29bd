#include "config/template/implicit.h"

/* The resource that stands behind an event: {Fn}{Event}. */
static const struct {
    const char *event, *type;
} event_resources[] = {
    {"SQS", "AWS::Lambda::EventSourceMapping"},
    {"Kinesis", "AWS::Lambda::EventSourceMapping"},
    {"DynamoDB", "AWS::Lambda::EventSourceMapping"},
    {"MSK", "AWS::Lambda::EventSourceMapping"},
    {"SelfManagedKafka", "AWS::Lambda::EventSourceMapping"},
    {"MQ", "AWS::Lambda::EventSourceMapping"},
    {"DocumentDB", "AWS::Lambda::EventSourceMapping"},
    {"Schedule", "AWS::Events::Rule"},
    {"EventBridgeRule", "AWS::Events::Rule"},
    {"CloudWatchEvent", "AWS::Events::Rule"},
    {"ScheduleV2", "AWS::Scheduler::Schedule"},
    {"SNS", "AWS::SNS::Subscription"},
    {"CloudWatchLogs", "AWS::Logs::SubscriptionFilter"},
    {"IoTRule", "AWS::IoT::TopicRule"},
};

static struct hg_node *properties_of(const struct hg_resource *resource)
{
    return node_get(resource->raw, "Properties");
}

static void set_ref(struct hg_transform *t, struct hg_node *map, const char *name,
                    struct hg_str target)
{
    struct hg_node *ref = node_new_map(t->scratch, map);

    node_set(t->scratch, ref, HG_STR("Ref"), node_new_text(t->scratch, target, map));
    node_set(t->scratch, map, hg_str_of(name), ref);
}

static void set_text(struct hg_transform *t, struct hg_node *map, const char *name,
                     struct hg_str text)
{
    node_set(t->scratch, map, hg_str_of(name), node_new_text(t->scratch, text, map));
}

static void set_attribute(struct hg_transform *t, struct hg_node *map, const char *name,
                          struct hg_str target, const char *attribute)
{
    struct hg_node *call = node_new_map(t->scratch, map), *list = node_new_list(t->scratch, map);

    node_push(t->scratch, list, node_new_text(t->scratch, target, map));
    node_push(t->scratch, list, node_new_text(t->scratch, hg_str_of(attribute), map));
    node_set(t->scratch, call, HG_STR("Fn::GetAtt"), list);
    node_set(t->scratch, map, hg_str_of(name), call);
}

struct hg_str implicit_alias_id(struct hg_transform *t, struct hg_str function_id,
                                struct hg_str alias)
{
    char *clean = hg_arena_strdup(t->scratch, alias);

    for (char *c = clean; *c; c++) {
        if (*c == '-')
            *c = 'D';
        else if (*c == '_')
            *c = 'U';
    }
    return transform_textf(t, "%.*sAlias%s", HG_STR_ARG(function_id), clean);
}

struct hg_str implicit_stage_id(struct hg_transform *t, struct hg_str api_id, struct hg_str stage)
{
    if (hg_str_is(stage, "$default"))
        return transform_textf(t, "%.*sApiGatewayDefaultStage", HG_STR_ARG(api_id));
    return transform_textf(t, "%.*s%.*sStage", HG_STR_ARG(api_id), HG_STR_ARG(stage));
}

static struct hg_str resolved_text(struct hg_transform *t, const struct hg_node *raw)
{
    return raw ? node_text(eval_resolve(t->eval, raw)) : (struct hg_str){0};
}

/* {Fn}Version and {Fn}Alias{name}. */
static void generate_alias(struct hg_transform *t, const struct hg_resource *function)
{
    struct hg_str name = resolved_text(t, node_get(properties_of(function), "AutoPublishAlias"));
    struct hg_str version_id = transform_textf(t, "%.*sVersion", HG_STR_ARG(function->id));
    struct hg_node *properties, *provisioned;

    if (name.n == 0)
        return;
    properties = node_new_map(t->scratch, function->raw);
    set_ref(t, properties, "FunctionName", function->id);
    transform_generate(t, version_id, "AWS::Lambda::Version", properties, function);
    properties = node_new_map(t->scratch, function->raw);
    set_ref(t, properties, "FunctionName", function->id);
    set_attribute(t, properties, "FunctionVersion", version_id, "Version");
    set_text(t, properties, "Name", name);
    provisioned = node_get(properties_of(function), "ProvisionedConcurrencyConfig");
    if (provisioned)
        node_set(t->scratch, properties, HG_STR("ProvisionedConcurrencyConfig"), provisioned);
    transform_generate(t, implicit_alias_id(t, function->id, name), "AWS::Lambda::Alias",
                       properties, function);
}

static void generate_url(struct hg_transform *t, const struct hg_resource *function)
{
    struct hg_node *config = node_get(properties_of(function), "FunctionUrlConfig"), *properties,
                   *alias;

    if (!node_is_map(config))
        return;
    properties = node_new_map(t->scratch, config);
    for (size_t i = 0; i < config->count; i++)
        node_append(t->scratch, properties, &config->members[i]);
    set_ref(t, properties, "TargetFunctionArn", function->id);
    alias = node_get(properties_of(function), "AutoPublishAlias");
    if (alias)
        node_set(t->scratch, properties, HG_STR("Qualifier"), alias);
    transform_generate(t, transform_textf(t, "%.*sUrl", HG_STR_ARG(function->id)),
                       "AWS::Lambda::Url", properties, function);
}

/* {Fn}EventInvokeConfig, and the queues and topics that SAM makes for destinations without a target. */
static void generate_destinations(struct hg_transform *t, const struct hg_resource *function)
{
    static const char *const outcomes[] = {"OnSuccess", "OnFailure"};
    const struct hg_node *config =
        transform_choose(t, node_get(properties_of(function), "EventInvokeConfig"));
    const struct hg_node *destinations = transform_choose(t, node_get(config, "DestinationConfig"));

    if (config)
        transform_generate(t, transform_textf(t, "%.*sEventInvokeConfig", HG_STR_ARG(function->id)),
                           "AWS::Lambda::EventInvokeConfig", NULL, function);
    for (size_t i = 0; i < HG_COUNT(outcomes); i++) {
        const struct hg_node *outcome = transform_choose(t, node_get(destinations, outcomes[i]));
        struct hg_str type = resolved_text(t, node_get(outcome, "Type"));
        bool is_queue = hg_str_is(type, "SQS");

        if (node_get(outcome, "Destination") || (!is_queue && !hg_str_is(type, "SNS")))
            continue;
        transform_generate(t,
                           transform_textf(t, "%.*sEventInvokeConfig%s%s", HG_STR_ARG(function->id),
                                           outcomes[i], is_queue ? "Queue" : "Topic"),
                           is_queue ? "AWS::SQS::Queue" : "AWS::SNS::Topic", NULL, function);
    }
}

static void generate_for_event(struct hg_transform *t, const struct hg_resource *function,
                               const struct hg_node_member *event)
{
    const struct hg_node *value = transform_choose(t, event->value);
    struct hg_str type = node_text(node_get(value, "Type"));
    const struct hg_node *properties = transform_choose(t, node_get(value, "Properties"));
    struct hg_str id =
        transform_textf(t, "%.*s%.*s", HG_STR_ARG(function->id), HG_STR_ARG(event->key));

    if (hg_str_is(type, "Api") && !node_get(properties, "RestApiId"))
        transform_generate(t, HG_STR(HG_IMPLICIT_REST_API), "AWS::Serverless::Api", NULL, function);
    else if (hg_str_is(type, "HttpApi") && !node_get(properties, "ApiId"))
        transform_generate(t, HG_STR(HG_IMPLICIT_HTTP_API), "AWS::Serverless::HttpApi", NULL,
                           function);
    transform_generate(t, transform_textf(t, "%.*sPermission", HG_STR_ARG(id)),
                       "AWS::Lambda::Permission", NULL, function);
    for (size_t i = 0; i < HG_COUNT(event_resources); i++) {
        if (hg_str_is(type, event_resources[i].event))
            transform_generate(t, id, event_resources[i].type, NULL, function);
    }
}

static void generate_for_function(struct hg_transform *t, const struct hg_resource *function)
{
    const struct hg_node *events = transform_choose(t, node_get(properties_of(function), "Events"));

    if (!node_get(properties_of(function), "Role"))
        transform_generate(t, transform_textf(t, "%.*sRole", HG_STR_ARG(function->id)),
                           "AWS::IAM::Role", NULL, function);
    generate_alias(t, function);
    generate_url(t, function);
    generate_destinations(t, function);
    for (size_t i = 0; node_is_map(events) && i < events->count; i++)
        generate_for_event(t, function, &events->members[i]);
}

static void generate_for_rest_api(struct hg_transform *t, const struct hg_resource *api)
{
    struct hg_node *properties = properties_of(api);
    struct hg_str plan = node_text(node_path(properties, "Auth.UsagePlan.CreateUsagePlan"));
    bool is_shared = hg_str_is(plan, "SHARED");
    const char *prefix = is_shared ? "Serverless" : hg_arena_strdup(t->scratch, api->id);
    struct hg_str stage = resolved_text(t, node_get(properties, "StageName"));
    struct hg_node *stage_properties = node_new_map(t->scratch, api->raw);

    if (!stage.n && hg_str_is(api->id, HG_IMPLICIT_REST_API))
        stage = HG_STR("Prod");
    set_text(t, stage_properties, "StageName", stage);
    transform_generate(t, implicit_stage_id(t, api->id, stage), "AWS::ApiGateway::Stage",
                       stage_properties, api);
    transform_generate(t, transform_textf(t, "%.*sDeployment", HG_STR_ARG(api->id)),
                       "AWS::ApiGateway::Deployment", NULL, api);
    if (node_get(properties, "Domain"))
        transform_generate(t, transform_textf(t, "%.*sDomainName", HG_STR_ARG(api->id)),
                           "AWS::ApiGateway::DomainName", NULL, api);
    if (!is_shared && !hg_str_is(plan, "PER_API"))
        return;
    transform_generate(t, transform_textf(t, "%sUsagePlan", prefix), "AWS::ApiGateway::UsagePlan",
                       NULL, api);
    transform_generate(t, transform_textf(t, "%sUsagePlanKey", prefix),
                       "AWS::ApiGateway::UsagePlanKey", NULL, api);
    transform_generate(t, transform_textf(t, "%sApiKey", prefix), "AWS::ApiGateway::ApiKey", NULL,
                       api);
}

static void generate_for_http_api(struct hg_transform *t, const struct hg_resource *api)
{
    struct hg_str stage = resolved_text(t, node_get(properties_of(api), "StageName"));
    struct hg_node *properties = node_new_map(t->scratch, api->raw);

    if (!stage.n)
        stage = HG_STR("$default");
    set_text(t, properties, "StageName", stage);
    transform_generate(t, implicit_stage_id(t, api->id, stage), "AWS::ApiGatewayV2::Stage",
                       properties, api);
    if (node_get(properties_of(api), "Domain"))
        transform_generate(t, transform_textf(t, "%.*sDomainName", HG_STR_ARG(api->id)),
                           "AWS::ApiGatewayV2::DomainName", NULL, api);
}

void implicit_generate(struct hg_transform *t)
{
    /* Implicit APIs are appended while this runs and get their own stages. */
    for (size_t i = 0; i < t->resource_count; i++) {
        const struct hg_resource *resource = t->resources[i];

        if (resource->is_off)
            continue;
        if (hg_str_is(resource->type, "AWS::Serverless::Function"))
            generate_for_function(t, resource);
        else if (hg_str_is(resource->type, "AWS::Serverless::Api"))
            generate_for_rest_api(t, resource);
        else if (hg_str_is(resource->type, "AWS::Serverless::HttpApi"))
            generate_for_http_api(t, resource);
    }
}

static void declare_alias(struct hg_transform *t, const struct hg_resource *of, const char *suffix,
                          struct hg_str target)
{
    if (transform_resource(t, target))
        eval_declare_alias(t->eval, transform_textf(t, "%.*s.%s", HG_STR_ARG(of->id), suffix),
                           target);
}

static void declare_for_function(struct hg_transform *t, const struct hg_resource *function)
{
    static const char *const outcomes[] = {"OnSuccess", "OnFailure"};
    struct hg_str alias = resolved_text(t, node_get(properties_of(function), "AutoPublishAlias"));

    if (alias.n) {
        declare_alias(t, function, "Alias", implicit_alias_id(t, function->id, alias));
        declare_alias(t, function, "Version",
                      transform_textf(t, "%.*sVersion", HG_STR_ARG(function->id)));
    }
    for (size_t i = 0; i < HG_COUNT(outcomes); i++) {
        declare_alias(t, function, "DestinationQueue",
                      transform_textf(t, "%.*sEventInvokeConfig%sQueue", HG_STR_ARG(function->id),
                                      outcomes[i]));
        declare_alias(t, function, "DestinationTopic",
                      transform_textf(t, "%.*sEventInvokeConfig%sTopic", HG_STR_ARG(function->id),
                                      outcomes[i]));
    }
}

static void declare_for_api(struct hg_transform *t, const struct hg_resource *api,
                            const char *stage_fallback)
{
    static const char *const parts[] = {"Deployment", "DomainName", "UsagePlan", "UsagePlanKey",
                                        "ApiKey"};
    struct hg_str stage = resolved_text(t, node_get(properties_of(api), "StageName"));

    declare_alias(t, api, "Stage",
                  implicit_stage_id(t, api->id, stage.n ? stage : hg_str_of(stage_fallback)));
    for (size_t i = 0; i < HG_COUNT(parts); i++) {
        declare_alias(t, api, parts[i], transform_textf(t, "Serverless%s", parts[i]));
        declare_alias(t, api, parts[i],
                      transform_textf(t, "%.*s%s", HG_STR_ARG(api->id), parts[i]));
    }
}

void implicit_declare_aliases(struct hg_transform *t)
{
    for (size_t i = 0; i < t->resource_count; i++) {
        const struct hg_resource *resource = t->resources[i];

        if (resource->is_off)
            continue;
        if (hg_str_is(resource->type, "AWS::Serverless::Function"))
            declare_for_function(t, resource);
        else if (hg_str_is(resource->type, "AWS::Serverless::Api"))
            declare_for_api(t, resource, "Prod");
        else if (hg_str_is(resource->type, "AWS::Serverless::HttpApi"))
            declare_for_api(t, resource, "$default");
    }
}
