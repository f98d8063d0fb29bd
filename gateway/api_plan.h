/*
 * What gateway_prepare makes of an API: everything that a request needs,
 * worked out once. Lives in the snapshot's arena, read by all loops; only the
 * token buckets change.
 */
#ifndef HG_GATEWAY_API_PLAN_H
#define HG_GATEWAY_API_PLAN_H

#include "gateway/route.h"
#include "gateway/throttle.h"

struct hg_integ;
struct hg_phrase;                /* phrase.h */
struct hg_gateway_response_plan; /* gateway_response.h */

struct hg_route_plan {
    const struct hg_route *route;
    struct hg_pattern pattern; /* empty for $default */
    struct hg_integ *integ;    /* what answers; integ.h */
    struct hg_str path_json;   /* the path template as a JSON string */
    struct hg_str key_json;    /* HTTP API: the route key as a JSON string */
    bool is_options;           /* an explicit OPTIONS route: answers preflights itself */
};

struct hg_stage_plan {
    const struct hg_stage *stage;
    struct hg_str name_json;
    struct hg_str variables_json; /* a JSON object; p is NULL without variables */
    struct hg_phrase *access_log; /* NULL: the default line */
    struct hg_bucket *buckets;    /* one for each of api->routes; NULL without a throttle */
};

/* CORS of an HTTP API as header values. */
struct hg_cors_plan {
    struct hg_str methods, headers, exposed, max_age; /* n is 0: not sent */
    bool allows_any;
};

struct hg_api_plan {
    struct hg_route_table *table;
    const struct hg_route_plan *default_route; /* $default, or NULL */
    struct hg_route_plan
        *routes; /* one for each of api->routes, also those that are not in the table */
    struct hg_stage_plan *stages;               /* one for each of api->stages */
    struct hg_stage_plan *default_stage;        /* $default, or NULL */
    struct hg_cors_plan *cors;                  /* NULL without */
    struct hg_gateway_response_plan *responses; /* REST */
    struct hg_str account_json, id_json;
};

static inline const struct hg_api_plan *api_plan_of(const struct hg_api *api)
{
    return api->compiled;
}

#endif
