/*
 * Settings of stages and gateway responses, as all kinds of APIs spell them.
 */
#include "config/template/notices.h"
#include "config/template/transform_api.h"

#include <stdlib.h>

/* The 21 names that the service knows. */
static const char *const response_types[] = {
    "REQUEST_TOO_LARGE",
    "RESOURCE_NOT_FOUND",
    "AUTHORIZER_CONFIGURATION_ERROR",
    "MISSING_AUTHENTICATION_TOKEN",
    "BAD_REQUEST_BODY",
    "INVALID_SIGNATURE",
    "INVALID_API_KEY",
    "BAD_REQUEST_PARAMETERS",
    "AUTHORIZER_FAILURE",
    "UNAUTHORIZED",
    "INTEGRATION_TIMEOUT",
    "ACCESS_DENIED",
    "DEFAULT_4XX",
    "DEFAULT_5XX",
    "WAF_FILTERED",
    "QUOTA_EXCEEDED",
    "THROTTLED",
    "API_CONFIGURATION_ERROR",
    "UNSUPPORTED_MEDIA_TYPE",
    "INTEGRATION_FAILURE",
    "EXPIRED_TOKEN",
};

void stage_read_access_log(struct hg_transform *t, struct hg_stage *stage,
                           const struct hg_node *setting, const char *what)
{
    if (!setting)
        return;
    if (!node_is_map(setting))
        problem_at(t, setting, "%s must be a map with DestinationArn and Format", what);
    else
        stage->access_log_format = read_text(t, node_get(setting, "Format"), what, HG_STR(""));
}

static bool read_number(struct hg_transform *t, const struct hg_node *node, const char *what,
                        double *value)
{
    char *end, *text;

    if (!node)
        return false;
    text = hg_arena_strdup(t->scratch, node_is_scalar(node) ? node->text : HG_STR(""));
    *value = strtod(text, &end);
    if (end != text && *end == '\0' && *value >= 0 && *value <= 1e9)
        return true;
    problem_at(t, node, "%s: throttling limits must be numbers that are not negative%s%s", what,
               *text ? ", not " : "", text);
    return false;
}

static void read_throttle(struct hg_transform *t, struct hg_stage *stage,
                          const struct hg_node *setting, const char *what)
{
    double rate = 0, burst = 0;
    bool has_rate = read_number(t, node_get(setting, "ThrottlingRateLimit"), what, &rate);
    bool has_burst = read_number(t, node_get(setting, "ThrottlingBurstLimit"), what, &burst);

    if (!has_rate && !has_burst)
        return;
    stage->has_throttle = true;
    stage->throttle_rate =
        has_rate ? rate : 10000; /* the account's limits stand in for the one not given */
    stage->throttle_burst = has_burst ? burst : 5000;
}

void stage_read_method_settings(struct hg_transform *t, struct hg_stage *stage,
                                const struct hg_node *settings, const char *what)
{
    if (settings && !node_is_list(settings))
        problem_at(t, settings, "%s must be a list", what);
    for (size_t i = 0; node_is_list(settings) && i < settings->count; i++) {
        const struct hg_node *setting = settings->items[i];
        struct hg_str path = node_text(node_get(setting, "ResourcePath")),
                      method = node_text(node_get(setting, "HttpMethod"));
        bool is_for_all = (hg_str_is(path, "/*") || hg_str_is(path, "*")) && hg_str_is(method, "*");

        if (is_for_all)
            read_throttle(t, stage, setting, what);
        else if (node_get(setting, "ThrottlingRateLimit") ||
                 node_get(setting, "ThrottlingBurstLimit"))
            notice_add(t, HG_NOTICE_NOT_SERVED, setting->line,
                       "%s: throttling of single methods (%.*s %.*s)", what, HG_STR_ARG(method),
                       HG_STR_ARG(path));
        if (hg_str_is(node_text(node_get(setting, "CachingEnabled")), "true"))
            notice_add(t, HG_NOTICE_NOT_SERVED, setting->line, "%s: caching", what);
    }
}

void stage_read_route_settings(struct hg_transform *t, struct hg_stage *stage,
                               const struct hg_node *settings, const char *what)
{
    if (node_is_map(settings))
        read_throttle(t, stage, settings, what);
    else if (settings)
        problem_at(t, settings, "%s must be a map", what);
}

void api_add_gateway_response(struct hg_transform *t, struct hg_api_draft *draft,
                              const struct hg_gateway_response *response, const struct hg_node *at)
{
    bool is_known = false;

    for (size_t i = 0; i < HG_COUNT(response_types); i++)
        is_known |= hg_str_is(response->type, response_types[i]);
    if (!is_known) {
        problem_at(t, at, "%.*s is not a type of gateway response", HG_STR_ARG(response->type));
        return;
    }
    for (size_t i = 0; i < draft->api.gateway_response_count; i++) {
        if (hg_str_eq(draft->api.gateway_responses[i].type, response->type)) {
            draft->api.gateway_responses[i] = *response;
            return;
        }
    }
    draft->api.gateway_responses =
        transform_grow(t->arena, draft->api.gateway_responses, draft->api.gateway_response_count,
                       sizeof(*response));
    draft->api.gateway_responses[draft->api.gateway_response_count++] = *response;
}
