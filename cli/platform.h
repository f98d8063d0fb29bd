/*
 * The running whole: listeners, gateway, workers, management port. Control
 * thread only.
 */
#ifndef HG_CLI_PLATFORM_H
#define HG_CLI_PLATFORM_H

#include "api/access.h"
#include "api/api.h"
#include "cli/data_dir.h"
#include "config/settings.h"
#include "http/aws.h"
#include "http/tls.h"

enum { PLATFORM_URLS_MAX = 16, PLATFORM_URL_LEN = 80 };

struct hg_platform {
    const struct hg_settings *settings;
    struct hg_data_dir data_dir;
    struct hg_loops *loops;
    struct hg_server *server;
    struct hg_tls *tls;
    struct hg_workers *workers;
    struct hg_minutes *minutes;
    struct hg_catalog *catalog;
    struct hg_registry *registry; /* the catalog's */
    struct hg_event_configs *configs;
    struct hg_queue *queue;
    struct hg_router *router;
    struct hg_gateway *gateway;
    struct hg_access *access;
    struct access_session function_keys; /* for calls of functions to the management port */
    struct aws_endpoint_setting *endpoints;
    struct hg_api_server *api;
    struct hg_mail published;         /* of the catalog's thread to the control loop */
    _Atomic bool is_published_posted; /* one such mail at a time */
    char urls[PLATFORM_URLS_MAX][PLATFORM_URL_LEN]; /* of the public listeners, cleartext first */
    size_t url_count;
    char api_address[64];
    char management_url[PLATFORM_URL_LEN];
    struct event *signals[3];
    unsigned draining;      /* server and router, as long as they are at it */
    int64_t drain_until_us; /* what runs then is cut short */
};

/* Opens the data directory, binds every listener. Nothing is served before platform_serve. */
enum hg_rc platform_open(struct hg_platform *platform, const struct hg_settings *settings,
                         struct hg_error *err) hg_must_use;

/* Makes workers, gateway and management port for what the stack and the store hold. has_template: the stack is one's. */
enum hg_rc platform_deploy(struct hg_platform *platform, struct hg_stack *stack, bool has_template,
                           struct hg_error *err) hg_must_use;

/* Serves until SIGTERM or SIGINT, then drains. SIGHUP reads the certificates again. */
void platform_serve(struct hg_platform *platform);

/* Frees what was made, however far it came. */
void platform_close(struct hg_platform *platform);

#endif
