/*
 * The public data plane: from an HTTP request to the integration of its route
 * and back. Its handler is given to the listeners of http/server.h.
 */
#ifndef HG_GATEWAY_GATEWAY_H
#define HG_GATEWAY_GATEWAY_H

#include "config/model.h"
#include "http/server.h"
#include "router/router.h"
#include "workers/pool.h"

enum hg_access_log { HG_ACCESS_LOG_OFF, HG_ACCESS_LOG_STDOUT, HG_ACCESS_LOG_FILE };

struct hg_gateway_options {
    enum hg_access_log access_log;
    const char *access_log_file;
    /* API Gateway's account throttle (there 10000 per second, burst 5000); rate 0 switches it off. */
    double account_rate, account_burst;
    struct hg_router *router; /* takes the events of asynchronous integrations */
};

struct hg_gateway;
struct hg_gateway *gateway_new(struct hg_loops *loops, struct hg_registry *registry,
                               struct hg_workers *workers, const struct hg_gateway_options *options,
                               struct hg_error *err);
void gateway_free(struct hg_gateway *gateway);

/*
 * Compiles the route tables of a stack before it is published, so that no request pays for it.
 * Reports every conflict or unservable route as notices in the stack. Control loop.
 */
enum hg_rc gateway_prepare(struct hg_stack *stack, struct hg_error *err) hg_must_use;

/*
 * hg_http_handler for public listeners; also called by the management port for execute-api
 * addresses. arg is the gateway.
 */
void gateway_on_request(struct hg_request *req, void *arg);
/*
 * Whether the address (Host or path) is one of the gateway's own: {api}.execute-api.…,
 * /_aws/execute-api/….
 */
bool gateway_owns(const struct hg_request *req);

/*
 * What a 413 says for a body over the limit: HTTP APIs have words of their own; for all else p is NULL
 * and the server's own hold. Static. On the request's loop.
 */
struct hg_str gateway_oversize_body(const struct hg_request *req, struct hg_gateway *gateway);

/*
 * One line per route: "GET  http://127.0.0.1:8080/hello -> HelloFunction (python3.13)". Text for
 * `serve` and `routes`.
 */
void gateway_list_routes(const struct hg_snapshot *snapshot, const char *base_url,
                         struct hg_buf *out);
/* The same as JSON, for /_headgate/routes. */
void gateway_render_routes(const struct hg_snapshot *snapshot, struct hg_json *json);

#endif
