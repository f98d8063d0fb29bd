/*
 * The events of AWS::Serverless::Function: those of APIs become routes, the others are listed
 * as not served yet.
 */
#include "config/template/implicit.h"
#include "config/template/notices.h"
#include "config/template/sam_auth.h"
#include "config/template/sam_parts.h"
#include "config/template/transform_integ.h"

/* One event of one function. */
struct event {
    const struct hg_resource *function;
    const struct hg_node_member *member;
    const struct hg_node *properties; /* a map or NULL */
    const struct hg_node *raw;        /* the same before evaluation */
    struct hg_str who;                /* "Fn: event Web" */
    struct hg_str invalid;            /* how the translator begins a complaint */
};

static const struct {
    const char *type, *required;
} other_events[] = {
#define HG_EVENT(type, required) {type, required},
#include "config/template/events.def"
#undef HG_EVENT
};

/* ARN of the function, or of the alias that it publishes. */
static struct hg_str target_of(struct hg_transform *t, const struct hg_resource *function)
{
    struct hg_str alias = node_text(resource_get(function, "AutoPublishAlias"));

    if (alias.n)
        return eval_ref(t->eval, implicit_alias_id(t, function->id, alias), function->raw);
    return eval_attribute(t->eval, function->id, HG_STR("Arn"), function->raw);
}

/* The place of a property, or of the event when it has none. */
static const struct hg_node *place_of(const struct event *event, const char *property)
{
    const struct hg_node *node = node_get(event->properties, property);

    return node ? node : event->member->value;
}

/* A property that is there but could not be evaluated was told already. */
static void say_missing(struct hg_transform *t, const struct event *event, const char *property)
{
    if (!node_get(event->raw, property))
        problem_at(t, event->member->value, "%.*s Event is missing '%s'.",
                   HG_STR_ARG(event->invalid), property);
}

static bool read_method(struct hg_transform *t, const struct event *event, struct hg_str *method)
{
    const struct hg_node *node = node_get(event->properties, "Method");
    struct hg_str text = node_text(node);

    if (hg_str_is_nocase(text, "x-amazon-apigateway-any-method"))
        text = HG_STR("ANY");
    if (api_method(text, method))
        return true;
    if (node)
        problem_at(t, node, "%.*s: Method %.*s is not one of " HG_METHODS_TEXT,
                   HG_STR_ARG(event->who), HG_STR_ARG(text));
    else
        say_missing(t, event, "Method");
    return false;
}

/* The API that the event names, or the implicit one; NULL when no route is to be made. */
static struct hg_api_draft *find_api(struct hg_transform *t, const struct event *event,
                                     const char *property, const char *implicit)
{
    const struct hg_node *node = node_get(event->properties, property);
    struct hg_api_draft *draft;

    if (!node) {
        const struct hg_resource *resource = transform_resource(t, hg_str_of(implicit));

        return resource && !node_get(event->raw, property)
                   ? api_find(t, eval_ref(t->eval, resource->id, resource->raw))
                   : NULL;
    }
    draft = api_find(t, node_text(node));
    if (!draft)
        notice_add(t, HG_NOTICE_WARNING, node->line,
                   "%.*s: %s %.*s is no API of this template; no route is made",
                   HG_STR_ARG(event->who), property, HG_STR_ARG(node_text(node)));
    return draft;
}

static bool adds_rest_routes(const struct hg_api_draft *draft)
{
    bool ok;

    if (!hg_str_is(draft->resource->type, "AWS::Serverless::Api"))
        return false;
    return !draft->has_definition ||
           node_bool(resource_get(draft->resource, "MergeDefinitions"), &ok);
}

/* Metadata: {Headgate: {InvocationType: Event}} of the function, or a map of them by event. */
static void fix_type(struct hg_transform *t, const struct event *event,
                     struct hg_integ_model *integration)
{
    const struct hg_node *type =
        node_get(resource_metadata(event->function, "Headgate"), "InvocationType");

    if (node_is_map(type))
        type = node_get_str(type, event->member->key);
    integ_fix_type(t, integration, type, event->who);
}

static struct hg_integ_model *make_integration(struct hg_transform *t, const struct event *event,
                                               enum hg_api_kind kind)
{
    struct hg_integ_model *integration =
        integ_lambda(t, kind, target_of(t, event->function), event->member->line);
    const struct hg_node *timeout = node_get(event->properties, "TimeoutInMillis");
    const struct hg_node *mode = node_get(event->properties, "ResponseTransferMode");

    fix_type(t, event, integration);
    integration->timeout_ms = (unsigned)read_int(t, timeout, "TimeoutInMillis", 50,
                                                 kind == HG_API_HTTP ? 30000 : 300000, 0);
    if (hg_str_is(node_text(mode), "RESPONSE_STREAM")) {
        integration->wants_stream = true;
        integration->unsupported = HG_STR("response streaming is not served yet");
    } else if (mode && !hg_str_is(node_text(mode), "BUFFERED")) {
        problem_at(t, mode, "%.*s: ResponseTransferMode must be BUFFERED or RESPONSE_STREAM",
                   HG_STR_ARG(event->who));
    }
    return integration;
}

static struct hg_integ_model *read_integration(struct hg_transform *t, const struct event *event,
                                               const struct hg_api_draft *draft)
{
    struct hg_integ_model *integration = make_integration(t, event, draft->api.kind);
    const struct hg_node *version = node_get(event->properties, "PayloadFormatVersion");

    if (draft->api.kind != HG_API_HTTP)
        return integration;
    integration->payload_version = read_text(t, version, "PayloadFormatVersion", HG_STR("2.0"));
    if (!hg_str_is(integration->payload_version, "1.0") &&
        !hg_str_is(integration->payload_version, "2.0"))
        problem_at(t, version, "%.*s: PayloadFormatVersion must be \"1.0\" or \"2.0\"",
                   HG_STR_ARG(event->who));
    return integration;
}

/* What an event says of its route, new or taken over. */
static void finish_route(struct hg_transform *t, const struct event *event,
                         struct hg_api_draft *draft, struct hg_route *route)
{
    const struct hg_node *auth = node_get(event->properties, "Auth");

    integ_report(t, route->integration, api_route_text(t, route));
    if (node_is_map(auth))
        properties_check(t, auth,
                         draft->api.kind == HG_API_REST ? "event Api Auth" : "event HttpApi Auth",
                         event->who);
    sam_auth_apply(t, draft, route, auth, event->invalid);
}

static void add_route(struct hg_transform *t, const struct event *event, struct hg_api_draft *draft,
                      struct hg_str method, struct hg_str path)
{
    struct hg_route route = {.method = method, .path = path, .line = event->member->line};
    struct hg_route *added;

    route.integration = read_integration(t, event, draft);
    added = api_add_route(t, draft, &route, place_of(event, "Path"));
    if (added)
        finish_route(t, event, draft, added);
}

/* A route of the definition without integration gets the function: it is the event's then. */
static void take_route(struct hg_transform *t, const struct event *event,
                       struct hg_api_draft *draft, struct hg_route *route)
{
    struct hg_route *last = &draft->routes[draft->definition_route_count - 1], taken = *route;

    taken.integration = read_integration(t, event, draft);
    *route = *last;
    *last = taken;
    draft->definition_route_count--;
    finish_route(t, event, draft, last);
}

static void translate_rest(struct hg_transform *t, const struct event *event)
{
    const struct hg_node *path = node_get(event->properties, "Path");
    struct hg_api_draft *draft = find_api(t, event, "RestApiId", HG_IMPLICIT_REST_API);
    struct hg_str method, trimmed = node_text(path);
    bool has_method = read_method(t, event, &method);

    properties_check(t, event->properties, "event Api", event->who);
    if (!node_is_scalar(path)) {
        say_missing(t, event, "Path");
        return;
    }
    if (!draft || !has_method)
        return;
    while (trimmed.n > 1 && trimmed.p[trimmed.n - 1] == '/')
        trimmed.n--;
    if (draft->has_definition && api_find_route(draft, method, trimmed))
        return;
    if (adds_rest_routes(draft))
        add_route(t, event, draft, method, path->text);
    else
        notice_add(t, HG_NOTICE_WARNING, event->member->line,
                   "%.*s: %.*s has its own definition, which has no %.*s %.*s; no "
                   "route is made",
                   HG_STR_ARG(event->who), HG_STR_ARG(draft->resource->id), HG_STR_ARG(method),
                   HG_STR_ARG(path->text));
}

static void translate_http(struct hg_transform *t, const struct event *event)
{
    const struct hg_node *path = node_get(event->properties, "Path"),
                         *method_node = node_get(event->properties, "Method");
    struct hg_api_draft *draft = find_api(t, event, "ApiId", HG_IMPLICIT_HTTP_API);
    struct hg_str method = HG_STR(""), text = node_text(path);
    struct hg_route *known;
    bool is_sam;

    if (event->properties)
        properties_check(t, event->properties, "event HttpApi", event->who);
    if (!path != !method_node) {
        say_missing(t, event, path ? "Method" : "Path");
        return;
    }
    if (!path || hg_str_is(text, HG_DEFAULT_ROUTE) || hg_str_is(text, "/" HG_DEFAULT_ROUTE))
        text = HG_STR("");
    else if (!read_method(t, event, &method))
        return;
    if (!draft)
        return;
    is_sam = hg_str_is(draft->resource->type, "AWS::Serverless::HttpApi");
    known = draft->has_definition ? api_find_route(draft, method, text) : NULL;
    if (known && is_sam && integ_is_missing(known->integration))
        take_route(t, event, draft, known);
    if (known)
        return;
    if (is_sam)
        add_route(t, event, draft, method, text);
    else
        notice_add(t, HG_NOTICE_WARNING, event->member->line,
                   "%.*s: %.*s is not an AWS::Serverless::HttpApi; no route is made",
                   HG_STR_ARG(event->who), HG_STR_ARG(draft->resource->id));
}

static void translate_other(struct hg_transform *t, const struct event *event, const char *type,
                            const char *required)
{
    struct hg_str rest = hg_str_of(required), name;

    while (hg_str_next(&rest, ' ', &name)) {
        if (!node_get_str(event->raw, name))
            problem_at(t, event->member->value, "%.*s Missing required property '%.*s'.",
                       HG_STR_ARG(event->invalid), HG_STR_ARG(name));
    }
    notice_add(t, HG_NOTICE_NOT_SERVED, event->member->line, "%.*s (%s)", HG_STR_ARG(event->who),
               type);
}

static void translate_event(struct hg_transform *t, const struct event *event)
{
    const struct hg_node *type_node = node_get(event->member->value, "Type");
    struct hg_str type = node_text(type_node);

    if (!type.n) {
        problem_at(t, event->member->value, "%.*s: Type is missing", HG_STR_ARG(event->who));
        return;
    }
    if (hg_str_is(type, "Api")) {
        translate_rest(t, event);
        return;
    }
    if (hg_str_is(type, "HttpApi")) {
        translate_http(t, event);
        return;
    }
    for (size_t i = 0; i < HG_COUNT(other_events); i++) {
        if (hg_str_is(type, other_events[i].type)) {
            translate_other(t, event, other_events[i].type, other_events[i].required);
            return;
        }
    }
    notice_add(t, HG_NOTICE_UNKNOWN, type_node->line, "%.*s: unknown event type %.*s",
               HG_STR_ARG(event->who), HG_STR_ARG(type));
}

static void translate(struct hg_transform *t, const struct hg_resource *function)
{
    const struct hg_node *events = resource_get(function, "Events");
    const struct hg_node *raw_events =
        transform_choose(t, node_path(function->raw, "Properties.Events"));

    if (events && !node_is_map(events))
        problem_at(t, events, "%.*s: Events must be a map", HG_STR_ARG(function->id));
    for (size_t i = 0; node_is_map(events) && i < events->count; i++) {
        const struct hg_node_member *member = &events->members[i];
        const struct hg_node *properties = node_get(member->value, "Properties");
        struct event event = {.function = function, .member = member};

        event.properties = node_is_map(properties) ? properties : NULL;
        event.raw = transform_choose(t, node_get_str(raw_events, member->key));
        event.raw = transform_choose(t, node_get(event.raw, "Properties"));
        event.who = transform_textf(t, "%.*s: event %.*s", HG_STR_ARG(function->id),
                                    HG_STR_ARG(member->key));
        event.invalid = transform_textf(
            t, "Resource with id [%.*s] is invalid. Event with id [%.*s%.*s] is invalid.",
            HG_STR_ARG(function->id), HG_STR_ARG(function->id), HG_STR_ARG(member->key));
        translate_event(t, &event);
    }
}

void sam_events_translate(struct hg_transform *t)
{
    transform_each(t, "AWS::Serverless::Function", translate);
}
