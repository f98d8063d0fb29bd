/*
 * The management plane: Amazon-compatible REST handlers and Headgate's own pages on one port.
 */
#ifndef HG_API_API_H
#define HG_API_API_H

#include "config/catalog.h"
#include "config/event_config.h"
#include "gateway/gateway.h"
#include "router/router.h"

struct hg_access;
struct hg_api_server;

struct hg_api_options {
    struct hg_loops *loops;
    struct hg_registry *registry;
    struct hg_catalog *catalog;
    struct hg_workers *workers;
    struct hg_gateway *gateway;
    struct hg_event_configs *event_configs;
    struct hg_router *router;
    struct hg_queue *queue;
    struct hg_server *server;       /* for connection figures */
    unsigned max_concurrency;       /* what GetAccountSettings reports */
    const struct hg_access *access; /* api/access.h */
    bool allows_reset;
    const char *data_dir; /* absolute */
};

struct hg_api_server *api_server_new(const struct hg_api_options *options);
void api_server_free(struct hg_api_server *api);

/* Health answers 200 from now on; before: 503 "starting", and during the drain: 503 "draining". Any thread. */
enum hg_api_phase { HG_API_STARTING, HG_API_READY, HG_API_DRAINING };
void api_server_set_phase(struct hg_api_server *api, enum hg_api_phase phase);

/* hg_http_handler for the management listener; arg is the struct hg_api_server. */
void api_server_on_request(struct hg_request *req, void *arg);
/* Its on_large_body: what a 413 says to a call whose payload is beyond the server's own limit. */
struct hg_str api_server_on_large_body(const struct hg_request *req, void *arg);
/* Its body_max: calls that bring code may be larger than others, for which it is otherwise. */
size_t api_server_body_max(const struct hg_request *req, size_t otherwise);

#endif
