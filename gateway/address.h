/*
 * Which API and stage a request means: by Host, by path, or by there being
 * only one.
 */
#ifndef HG_GATEWAY_ADDRESS_H
#define HG_GATEWAY_ADDRESS_H

#include "gateway/api_plan.h"

struct hg_address {
    const struct hg_api *api;    /* NULL: none */
    struct hg_stage_plan *stage; /* NULL: none of the API's */
    struct hg_str stage_path;    /* from the stage on; slashes in front of it are one */
    struct hg_str path;          /* behind the stage; "/" when there is nothing */
    bool is_function_url;        /* also when api is NULL */
};

enum { HG_URL_ID_MAX = 64 };

/* host as sent, with or without port. The plans of all APIs must be there. */
void address_find(const struct hg_snapshot *snapshot, struct hg_str host, struct hg_str path,
                  struct hg_address *address);

/*
 * Whether the address is one that can only be the gateway's: {api}.execute-api.…,
 * /_aws/execute-api/…, {url}.lambda-url.…, /_aws/lambda-url/….
 */
bool address_is_explicit(struct hg_str host, struct hg_str path);

/* Whether a plain path (/{stage}/… or, for $default, /…) means this stage. */
bool address_is_plain(const struct hg_stack *stack, const struct hg_api *api,
                      const struct hg_stage *stage);

#endif
