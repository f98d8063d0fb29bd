/*
 * Wires the layers together and takes them apart again. The order matters:
 * sockets are bound before the template is read, because URLs in it name them.
 */
#include "cli/platform.h"

#include "core/clock.h"
#include "core/log.h"
#include "workers/minute.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static void on_public_request(struct hg_request *req, void *arg)
{
    gateway_on_request(req, ((struct hg_platform *)arg)->gateway);
}

static struct hg_str on_large_body(const struct hg_request *req, void *arg)
{
    return gateway_oversize_body(req, ((struct hg_platform *)arg)->gateway);
}

static void on_api_request(struct hg_request *req, void *arg)
{
    api_server_on_request(req, ((struct hg_platform *)arg)->api);
}

/* One descriptor per connection and several per environment: take all that the machine gives. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static unsigned loop_count(const struct hg_settings *settings)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    if (settings->threads)
        return settings->threads;
    return cores > 0 ? (unsigned)cores : 1;
}

static struct hg_str on_large_api_body(const struct hg_request *req, void *arg)
{
    return api_server_on_large_body(req, ((struct hg_platform *)arg)->api);
}

static size_t api_body_max(const struct hg_request *req, void *arg)
{
    return api_server_body_max(req, ((struct hg_platform *)arg)->settings->max_body_bytes);
}

static enum hg_rc open_tls(struct hg_platform *platform, struct hg_error *err)
{
    const struct hg_settings *settings = platform->settings;
    struct hg_tls_pair *pairs;
    size_t count = settings->tls_cert.count;

    if (!settings->tls_listen.count)
        return HG_OK;
    pairs = hg_calloc(count, sizeof(*pairs));
    for (size_t i = 0; i < count; i++)
        pairs[i] = (struct hg_tls_pair){settings->tls_cert.items[i], settings->tls_key.items[i]};
    platform->tls = tls_new(pairs, count, err);
    free(pairs);
    return platform->tls ? HG_OK : HG_E_INVALID;
}

static enum hg_rc listen_public(struct hg_platform *platform, const struct hg_str_list *addresses,
                                struct hg_tls *tls, struct hg_error *err)
{
    const struct hg_http_handler handler = {
        .on_request = on_public_request, .arg = platform, .on_large_body = on_large_body};

    for (size_t i = 0; i < addresses->count; i++) {
        char bound[64];
        enum hg_rc rc =
            server_listen(platform->server, addresses->items[i], tls, handler, bound, err);

        if (rc != HG_OK)
            return rc;
        if (platform->url_count < PLATFORM_URLS_MAX)
            (void)snprintf(platform->urls[platform->url_count++], PLATFORM_URL_LEN, "%s://%s",
                           tls ? "https" : "http", bound);
    }
    return HG_OK;
}

static enum hg_rc open_listeners(struct hg_platform *platform, struct hg_error *err)
{
    const struct hg_settings *settings = platform->settings;
    const struct hg_http_handler api_handler = {.on_request = on_api_request,
                                                .arg = platform,
                                                .on_large_body = on_large_api_body,
                                                .body_max = api_body_max};
    struct hg_server_limits limits = hg_server_limits_default;
    enum hg_rc rc;

    limits.max_connections = settings->max_connections;
    limits.max_body_bytes = settings->max_body_bytes;
    platform->server = server_new(platform->loops, &limits);
    rc = open_tls(platform, err);
    if (rc == HG_OK)
        rc = listen_public(platform, &settings->listen, NULL, err);
    if (rc == HG_OK)
        rc = listen_public(platform, &settings->tls_listen, platform->tls, err);
    if (rc == HG_OK)
        rc = server_listen(platform->server, settings->api, NULL, api_handler,
                           platform->api_address, err);
    if (rc == HG_OK)
        (void)snprintf(platform->management_url, PLATFORM_URL_LEN, "http://%s",
                       platform->api_address);
    return rc;
}

/* [SERVICE=]URL; their form was checked with the settings. */
static enum hg_rc set_endpoints(struct hg_platform *platform, struct hg_error *err)
{
    const struct hg_str_list *given = &platform->settings->aws_endpoints;

    platform->endpoints = hg_calloc(given->count + 1, sizeof(*platform->endpoints));
    for (size_t i = 0; i < given->count; i++) {
        struct aws_endpoint_setting *setting = &platform->endpoints[i];
        const char *fault;

        setting->url = hg_str_of(given->items[i]);
        if (!hg_str_starts(setting->url, HG_STR("http")))
            (void)hg_str_next(&setting->url, '=', &setting->service);
        fault = aws_endpoint_fault(setting->url);
        if (fault)
            return hg_error_set(err, HG_E_INVALID, "--aws-endpoint: %s", fault);
    }
    aws_endpoints_set(platform->endpoints, given->count);
    return HG_OK;
}

enum hg_rc platform_open(struct hg_platform *platform, const struct hg_settings *settings,
                         struct hg_error *err)
{
    enum hg_rc rc;

    *platform = (struct hg_platform){.settings = settings, .data_dir = {.lock_fd = -1}};
    raise_descriptor_limit();
    /* Without TZ the C library reads the zone's file at every conversion, of which unzipping has one for each entry. */
    (void)setenv("TZ", ":/etc/localtime", 0);
    tzset();
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN); /* a full quota is an error of that write */
    rc = set_endpoints(platform, err);
    if (rc == HG_OK)
        rc = data_dir_open(&platform->data_dir, settings->data_dir, err);
    if (rc != HG_OK)
        return rc;
    platform->loops = hg_loops_new(loop_count(settings));
    return open_listeners(platform, err);
}

static void make_access(struct hg_platform *platform)
{
    const struct hg_settings *settings = platform->settings;
    const struct hg_access_options options = {.keys = &settings->access_keys,
                                              .account = settings->account};
    struct access_identity functions = {.role = "headgate-function", .session = "function"};

    platform->access = access_new(&options);
    (void)snprintf(functions.account, sizeof(functions.account), "%s", settings->account);
    access_grant(platform->access, &functions, 0, &platform->function_keys);
}

static enum hg_rc open_minutes(struct hg_platform *platform, struct hg_error *err)
{
    char dir[PATH_MAX];

    (void)snprintf(dir, sizeof(dir), "%s/metrics", platform->data_dir.path);
    platform->minutes = minutes_open(platform->loops, dir, err);
    return platform->minutes ? HG_OK : HG_E_IO;
}

static enum hg_rc make_workers(struct hg_platform *platform, struct hg_error *err)
{
    const struct hg_settings *settings = platform->settings;
    struct hg_runtime_override *overrides =
        hg_calloc(settings->runtimes.count + 1, sizeof(*overrides));
    struct hg_workers_options options = {
        .data_dir = platform->data_dir.path,
        .region = settings->region,
        .account = settings->account,
        .registry = platform->registry,
        .max_concurrency = settings->max_concurrency,
        .max_queued = settings->max_queued,
        .queue_wait_ms = settings->queue_wait_ms,
        .idle_timeout_ms = settings->idle_timeout_ms,
        .init_timeout_ms = settings->init_timeout_ms,
        .overrides = overrides,
        .override_count = settings->runtimes.count,
        .has_no_isolation = settings->isolation == HG_ISOLATION_NONE,
        .logs_to_terminal = true,
        .api_endpoint = platform->management_url,
        .minutes = platform->minutes,
    };

    if (access_is_on(platform->access)) {
        options.access_key = platform->function_keys.access_key;
        options.secret_key = platform->function_keys.secret_key;
        options.session_token = platform->function_keys.token;
    }
    for (size_t i = 0; i < settings->runtimes.count; i++)
        overrides[i] = (struct hg_runtime_override){settings->runtimes.items[i].key.p,
                                                    settings->runtimes.items[i].value.p};
    platform->workers = workers_new(platform->loops, &options, err);
    free(overrides);
    return platform->workers ? HG_OK : HG_E_IO;
}

static enum hg_rc make_router(struct hg_platform *platform, struct hg_error *err)
{
    const struct hg_settings *settings = platform->settings;
    const struct hg_queue_options queue_options = {
        .uri = settings->queue,
        .data_dir = platform->data_dir.path,
        .durability = (enum hg_durability)settings->durability,
        .retention_ms = settings->event_retention_ms,
        .history_max = settings->event_history_bytes,
        .store_max = settings->store_max_bytes,
        .dedup_window_ms = settings->dedup_window_ms,
        .extra = settings->queue_options,
    };
    struct hg_router_options options = {
        .loops = platform->loops,
        .registry = platform->registry,
        .workers = platform->workers,
        .configs = platform->configs,
        .region = settings->region,
        .account = settings->account,
        .retry_scale = settings->retry_scale,
        .share = settings->async_share,
        .extra = settings->queue_options,
    };
    enum hg_rc rc = queue_open(&queue_options, &platform->queue, err);

    if (rc != HG_OK)
        return rc;
    options.queue = platform->queue;
    platform->router = router_new(&options, err);
    return platform->router ? HG_OK : HG_E_IO;
}

/* On the control loop: everyone else looks at the registry by itself. */
static void on_published_mail(struct hg_mail *mail)
{
    struct hg_platform *platform = hg_container_of(mail, struct hg_platform, published);
    struct hg_snapshot *snapshot;

    atomic_store(&platform->is_published_posted, false);
    if (!platform->workers)
        return;
    snapshot = registry_current(platform->registry);
    workers_apply(platform->workers, snapshot);
    snapshot_unref(snapshot);
}

/* On the catalog's thread. */
static void on_published(void *arg)
{
    struct hg_platform *platform = arg;

    if (!atomic_exchange(&platform->is_published_posted, true))
        hg_mailbox_post(&platform->loops->control->mailbox, &platform->published,
                        on_published_mail);
}

static enum hg_rc open_catalog(struct hg_platform *platform, struct hg_stack *stack,
                               bool has_template, struct hg_error *err)
{
    const struct hg_catalog_options options = {
        .data_dir = platform->data_dir.path,
        .stack = stack_ref(stack),
        .has_template = has_template,
        .prepare = gateway_prepare,
        .on_published = on_published,
        .arg = platform,
    };

    platform->catalog = catalog_open(&options, err);
    if (!platform->catalog)
        return HG_E_IO;
    platform->registry = catalog_registry(platform->catalog);
    platform->configs = event_configs_open(platform->registry, platform->catalog);
    return HG_OK;
}

enum hg_rc platform_deploy(struct hg_platform *platform, struct hg_stack *stack, bool has_template,
                           struct hg_error *err)
{
    const struct hg_settings *settings = platform->settings;
    struct hg_gateway_options gateway_options = {.account_rate = settings->account_rate,
                                                 .account_burst = settings->account_burst};
    struct hg_api_options api_options;
    enum hg_rc rc;

    rc = open_catalog(platform, stack, has_template, err);
    if (rc != HG_OK)
        return rc;
    make_access(platform);
    rc = open_minutes(platform, err);
    if (rc == HG_OK)
        rc = make_workers(platform, err);
    if (rc == HG_OK)
        rc = make_router(platform, err);
    if (rc != HG_OK)
        return rc;
    gateway_options.router = platform->router;
    if (strcmp(settings->access_log, "off") == 0) {
        gateway_options.access_log = HG_ACCESS_LOG_OFF;
    } else if (strcmp(settings->access_log, "-") == 0) {
        gateway_options.access_log = HG_ACCESS_LOG_STDOUT;
    } else {
        gateway_options.access_log = HG_ACCESS_LOG_FILE;
        gateway_options.access_log_file = settings->access_log;
    }
    platform->gateway =
        gateway_new(platform->loops, platform->registry, platform->workers, &gateway_options, err);
    if (!platform->gateway)
        return HG_E_IO;
    api_options = (struct hg_api_options){
        .loops = platform->loops,
        .registry = platform->registry,
        .catalog = platform->catalog,
        .workers = platform->workers,
        .gateway = platform->gateway,
        .event_configs = platform->configs,
        .router = platform->router,
        .queue = platform->queue,
        .server = platform->server,
        .max_concurrency = settings->max_concurrency,
        .data_dir = platform->data_dir.path,
        .access = platform->access,
        .allows_reset = settings->allows_reset,
    };
    platform->api = api_server_new(&api_options);
    return HG_OK;
}

static void on_workers_drained(void *arg)
{
    struct hg_platform *platform = arg;

    hg_loop_stop(platform->loops->control);
}

/* Of the server and of the router: both bring work to the workers. */
static void on_source_drained(void *arg)
{
    struct hg_platform *platform = arg;

    int64_t left_ms = (platform->drain_until_us - hg_mono_us()) / 1000;

    if (--platform->draining == 0)
        workers_drain(platform->workers, HG_MAX(left_ms, (int64_t)0), on_workers_drained, platform);
}

/* The second signal ends the wait. */
static void on_stop_signal(evutil_socket_t fd, short what, void *arg)
{
    struct hg_platform *platform = arg;

    (void)what;
    if (platform->loops->control->is_stopping)
        return;
    hg_info("stopping", "signal=%d drain_timeout_ms=%lld", (int)fd,
            (long long)platform->settings->drain_timeout_ms);
    api_server_set_phase(platform->api, HG_API_DRAINING);
    platform->draining = 2;
    platform->drain_until_us = hg_mono_us() + platform->settings->drain_timeout_ms * 1000;
    server_drain(platform->server, platform->settings->drain_timeout_ms, on_source_drained,
                 platform);
    router_drain(platform->router, platform->settings->drain_timeout_ms, on_source_drained,
                 platform);
    for (size_t i = 0; i < 2; i++)
        (void)event_del(platform->signals[i]);
    (void)signal(SIGTERM, SIG_DFL);
    (void)signal(SIGINT, SIG_DFL);
}

static void on_reload_signal(evutil_socket_t fd, short what, void *arg)
{
    struct hg_platform *platform = arg;
    struct hg_error err;

    (void)fd;
    (void)what;
    if (!platform->tls)
        hg_info("reload", "nothing to read again: no TLS listener");
    else if (tls_reload(platform->tls, &err) == HG_OK)
        hg_info("reload", "certificates were read again");
    else
        hg_error("reload_failed", "%s; the old certificates stay in use", err.text);
}

void platform_serve(struct hg_platform *platform)
{
    struct event_base *base = platform->loops->control->base;
    struct hg_snapshot *snapshot = registry_current(platform->registry);

    workers_apply(platform->workers, snapshot);
    snapshot_unref(snapshot);
    platform->signals[0] = evsignal_new(base, SIGTERM, on_stop_signal, platform);
    platform->signals[1] = evsignal_new(base, SIGINT, on_stop_signal, platform);
    platform->signals[2] = evsignal_new(base, SIGHUP, on_reload_signal, platform);
    for (size_t i = 0; i < HG_COUNT(platform->signals); i++)
        (void)event_add(platform->signals[i], NULL);
    hg_loops_start(platform->loops);
    router_start(platform->router);
    api_server_set_phase(platform->api, HG_API_READY);
    hg_loop_run(platform->loops->control);
    hg_loops_stop(platform->loops);
}

void platform_close(struct hg_platform *platform)
{
    for (size_t i = 0; i < HG_COUNT(platform->signals); i++)
        if (platform->signals[i])
            event_free(platform->signals[i]);
    api_server_free(platform->api);
    gateway_free(platform->gateway);
    server_free(platform->server);
    queue_close(platform->queue);
    router_free(platform->router);
    workers_free(platform->workers);
    platform->workers = NULL; /* mail of the catalog may still come */
    event_configs_close(platform->configs);
    catalog_close(platform->catalog);
    minutes_close(platform->minutes);
    access_free(platform->access);
    free(platform->endpoints);
    tls_free(platform->tls);
    hg_loops_free(platform->loops);
    data_dir_close(&platform->data_dir);
}
