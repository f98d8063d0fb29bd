/*
 * Which call goes when: so many to one host at a time, the others wait in
 * order, and each ends by its deadline. What happens on the wire is
 * client_curl.c's.
 */
#include "http/client_core.h"
#include "http/client_url.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { PARALLEL_MAX = 16, WAITING_MAX = 1024 };

static void on_end_task(struct hg_task *task);

struct hg_http_client *http_client_new(const struct hg_http_client_options *options,
                                       struct hg_error *err)
{
    struct hg_http_client *client = hg_calloc(1, sizeof(*client));

    client->loop = options->loop;
    client->parallel_max = options->parallel_max ? options->parallel_max : PARALLEL_MAX;
    client->waiting_max = options->waiting_max ? options->waiting_max : WAITING_MAX;
    hg_map_init(&client->hosts);
    hg_list_init(&client->ending);
    hg_task_init(&client->end_task, on_end_task);
    if (!http_curl_open(client, options->ca_file, err)) {
        free(client);
        return NULL;
    }
    return client;
}

void http_client_free(struct hg_http_client *client)
{
    if (!client)
        return;
    hg_assert(!client->hosts.count && hg_list_empty(&client->ending));
    hg_task_cancel(&client->end_task);
    http_curl_close(client);
    hg_map_fini(&client->hosts);
    free(client);
}

static struct http_host *host_of(struct hg_http_client *client, const struct hg_http_url *url)
{
    char name[sizeof(((struct http_host *)0)->name)];
    struct http_host *host;

    (void)snprintf(name, sizeof(name), "%s://%.*s:%u", url->is_tls ? "https" : "http",
                   HG_STR_ARG(url->host), url->port);
    host = hg_map_get(&client->hosts, hg_str_of(name));
    if (host)
        return host;
    host = hg_calloc(1, sizeof(*host));
    memcpy(host->name, name, sizeof(name));
    hg_list_init(&host->waiting);
    (void)hg_map_set(&client->hosts, hg_str_of(host->name), host);
    return host;
}

static void drop_idle_host(struct hg_http_client *client, struct http_host *host)
{
    if (host->running || host->waiting_count)
        return;
    (void)hg_map_remove(&client->hosts, hg_str_of(host->name));
    free(host);
}

static void end_later(struct hg_http_call *call, enum hg_rc rc)
{
    call->rc = rc;
    hg_list_push_back(&call->client->ending, &call->link);
    hg_loop_defer(call->client->loop, &call->client->end_task);
}

static void on_end_task(struct hg_task *task)
{
    struct hg_http_client *client = hg_container_of(task, struct hg_http_client, end_task);
    struct hg_list *link;

    while ((link = hg_list_pop_front(&client->ending))) {
        struct hg_http_call *call = hg_container_of(link, struct hg_http_call, link);

        call->client = NULL;
        call->done(call);
    }
}

static void start(struct hg_http_call *call)
{
    if (http_curl_start(call)) {
        call->host->running++;
        return;
    }
    hg_timer_stop(&call->deadline);
    call->host = NULL;
    end_later(call, HG_E_INVALID);
}

static void start_waiting(struct hg_http_client *client, struct http_host *host)
{
    while (host->waiting_count && host->running < client->parallel_max) {
        host->waiting_count--;
        start(hg_container_of(hg_list_pop_front(&host->waiting), struct hg_http_call, link));
    }
}

/* Takes the call out of its host's care, with what it holds. */
static void leave_host(struct hg_http_call *call)
{
    struct http_host *host = call->host;

    hg_timer_stop(&call->deadline);
    call->host = NULL;
    if (call->transfer) {
        http_curl_stop(call);
        host->running--;
    } else {
        hg_list_unlink(&call->link);
        host->waiting_count--;
    }
    start_waiting(call->client, host);
    drop_idle_host(call->client, host);
}

void http_call_ended(struct hg_http_call *call, enum hg_rc rc)
{
    struct hg_http_client *client = call->client;
    struct http_host *host = call->host;

    hg_timer_stop(&call->deadline);
    host->running--;
    call->host = NULL;
    call->client = NULL;
    call->rc = rc;
    start_waiting(client, host);
    drop_idle_host(client, host);
    call->done(call);
}

static void on_deadline(struct hg_timer *timer)
{
    struct hg_http_call *call = hg_container_of(timer, struct hg_http_call, deadline);
    bool was_sent = call->transfer != NULL;

    leave_host(call);
    call->client = NULL;
    call->rc = HG_E_DEADLINE;
    (void)snprintf(call->why, sizeof(call->why), "%s within %" PRId64 " ms",
                   was_sent ? "no complete answer" : "no free connection", call->timeout_ms);
    call->done(call);
}

void http_call_submit(struct hg_http_client *client, struct hg_http_call *call)
{
    struct hg_http_url url;
    const char *fault = http_url_split(hg_str_of(call->url), &url);
    struct http_host *host;

    hg_assert(!call->client);
    http_call_fini(call);
    hg_buf_init(&call->head, HG_HTTP_ANSWER_HEAD_MAX);
    hg_buf_init(&call->answer, call->answer_max ? call->answer_max : HG_HTTP_ANSWER_MAX);
    if (!call->timeout_ms)
        call->timeout_ms = HG_HTTP_CALL_TIMEOUT_MS;
    if (!call->connect_timeout_ms)
        call->connect_timeout_ms = HG_HTTP_CONNECT_TIMEOUT_MS;
    call->rc = HG_OK;
    call->why[0] = '\0';
    call->status = 0;
    call->client = client;
    call->host = NULL;
    call->transfer = NULL;
    hg_list_init(&call->link);
    hg_timer_init(&call->deadline, client->loop, on_deadline);
    if (fault) {
        (void)snprintf(call->why, sizeof(call->why), "the URL cannot be used: %s", fault);
        end_later(call, HG_E_INVALID);
        return;
    }
    host = host_of(client, &url);
    if (host->waiting_count >= client->waiting_max) {
        (void)snprintf(call->why, sizeof(call->why), "%u calls wait for this host already",
                       client->waiting_max);
        end_later(call, HG_E_BUSY);
        return;
    }
    hg_timer_start_ms(&call->deadline, call->timeout_ms);
    call->host = host;
    hg_list_push_back(&host->waiting, &call->link);
    host->waiting_count++;
    start_waiting(client, host);
    drop_idle_host(client, host);
}

void http_call_cancel(struct hg_http_call *call)
{
    if (!call->client)
        return;
    if (call->host)
        leave_host(call);
    else
        hg_list_unlink(&call->link);
    call->client = NULL;
}

struct hg_str http_call_header(const struct hg_http_call *call, const char *name)
{
    struct hg_str rest = hg_buf_str(&call->head), line;

    while (hg_str_next(&rest, '\n', &line)) {
        ptrdiff_t colon = hg_str_find(line, ':');

        if (colon > 0 && hg_str_is_nocase(hg_str_n(line.p, (size_t)colon), name))
            return hg_str_trim_ws(hg_str_skip(line, (size_t)colon + 1));
    }
    return hg_str_n(NULL, 0);
}

void http_call_fini(struct hg_http_call *call)
{
    hg_assert(!call->client);
    hg_buf_fini(&call->head);
    hg_buf_fini(&call->answer);
}
