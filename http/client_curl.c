/*
 * The wire side of the HTTP client: libcurl's multi interface, driven by the
 * loop's timer and socket events. Nothing of libcurl runs outside a turn of
 * the loop but its name resolution, which has threads of its own.
 */
#include "http/client_core.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    KEPT_CONNECTIONS = 64,     /* idle ones, of all hosts */
    FIELD_MAX = 64 * 1024,     /* bytes of one header field that is sent */
    NAMES_KEPT_S = 60,         /* how long a resolved name is used again */
    CONNECTION_AGE_MAX_S = 60, /* idle; many servers close after 60 to 75 s */
};

/* One call on the wire; owned by the call. */
struct http_transfer {
    struct hg_http_call *call;
    CURL *easy;
    struct curl_slist *fields;
    bool is_head_too_large, is_answer_too_large;
    char fault[CURL_ERROR_SIZE];
};

/* A socket of libcurl's that the loop watches. */
struct watch {
    struct event event;
    struct hg_http_client *client;
    struct hg_grave grave;
};

static void collect_ended(struct hg_http_client *client);

static void on_socket_ready(evutil_socket_t fd, short what, void *arg)
{
    struct watch *watch = arg;
    struct hg_http_client *client = watch->client;
    int running,
        mask = (what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0);

    (void)curl_multi_socket_action(client->multi, fd, mask, &running);
    collect_ended(client);
}

static void free_watch(struct hg_grave *grave)
{
    free(hg_container_of(grave, struct watch, grave));
}

static int on_socket_wanted(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
    struct hg_http_client *client = arg;
    struct watch *watch = socket_arg;
    short wanted = EV_PERSIST;

    (void)easy;
    if (watch)
        (void)event_del(&watch->event);
    if (what == CURL_POLL_REMOVE) {
        if (watch)
            hg_loop_bury(client->loop, &watch->grave, free_watch);
        return 0;
    }
    if (!watch) {
        watch = hg_calloc(1, sizeof(*watch));
        watch->client = client;
        (void)curl_multi_assign(client->multi, fd, watch);
    }
    if (what & CURL_POLL_IN)
        wanted |= EV_READ;
    if (what & CURL_POLL_OUT)
        wanted |= EV_WRITE;
    (void)event_assign(&watch->event, client->loop->base, fd, wanted, on_socket_ready, watch);
    (void)event_add(&watch->event, NULL);
    return 0;
}

static void on_timer(struct hg_timer *timer)
{
    struct hg_http_client *client = hg_container_of(timer, struct hg_http_client, timer);
    int running;

    (void)curl_multi_socket_action(client->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    collect_ended(client);
}

static int on_timer_wanted(CURLM *multi, long timeout_ms, void *arg)
{
    struct hg_http_client *client = arg;

    (void)multi;
    if (timeout_ms < 0)
        hg_timer_stop(&client->timer);
    else
        hg_timer_start_ms(&client->timer, timeout_ms);
    return 0;
}

bool http_curl_open(struct hg_http_client *client, const char *ca_file, struct hg_error *err)
{
    if (!ca_file || !*ca_file)
        ca_file = getenv("AWS_CA_BUNDLE");
    if (!ca_file || !*ca_file)
        ca_file = getenv("SSL_CERT_FILE");
    if (ca_file && *ca_file && access(ca_file, R_OK) != 0) {
        (void)hg_error_set(err, HG_E_INVALID, "%s: the certificates to trust cannot be read: %s",
                           ca_file, strerror(errno));
        return false;
    }
    hg_assert(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
    client->ca_file = ca_file && *ca_file ? hg_strdup(ca_file) : NULL;
    client->multi = curl_multi_init();
    hg_assert(client->multi != NULL);
    hg_timer_init(&client->timer, client->loop, on_timer);
    (void)curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, on_socket_wanted);
    (void)curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client);
    (void)curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, on_timer_wanted);
    (void)curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client);
    (void)curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, (long)KEPT_CONNECTIONS);
    (void)curl_multi_setopt(client->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
    return true;
}

void http_curl_close(struct hg_http_client *client)
{
    (void)curl_multi_cleanup(client->multi);
    hg_timer_stop(&client->timer);
    free(client->ca_file);
    curl_global_cleanup();
}

static size_t on_field_came(char *bytes, size_t size, size_t count, void *arg)
{
    struct http_transfer *transfer = arg;
    struct hg_buf *head = &transfer->call->head;
    size_t length = size * count;

    /* Each status line begins anew: after 100 Continue, after a redirect. */
    if (hg_str_starts(hg_str_n(bytes, length), HG_STR("HTTP/"))) {
        hg_buf_clear(head, HG_HTTP_ANSWER_HEAD_MAX);
        hg_buf_clear(&transfer->call->answer, 0);
        return length;
    }
    transfer->is_head_too_large |= !hg_buf_append(head, bytes, length);
    return transfer->is_head_too_large ? 0 : length;
}

static size_t on_body_came(char *bytes, size_t size, size_t count, void *arg)
{
    struct http_transfer *transfer = arg;
    struct hg_buf *answer = &transfer->call->answer;
    size_t length = size * count;
    size_t room = answer->max - answer->len;

    (void)hg_buf_append(answer, bytes, HG_MIN(length, room));
    transfer->is_answer_too_large |= length > room;
    return length > room ? 0 : length;
}

static bool is_clean(struct hg_str text)
{
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] < 0x20 && text.p[i] != '\t')
            return false;
    return true;
}

static void add_field(struct http_transfer *transfer, const char *line)
{
    struct curl_slist *longer = curl_slist_append(transfer->fields, line);

    hg_assert(longer != NULL);
    transfer->fields = longer;
}

static bool add_header(struct http_transfer *transfer, const struct hg_header *header)
{
    struct hg_buf line;
    bool fits;

    if (!header->name.n || !is_clean(header->name) || !is_clean(header->value))
        return false;
    hg_buf_init(&line, FIELD_MAX);
    hg_buf_append_str(&line, header->name);
    /* libcurl's way to say an empty value; "name:" alone would take the field away. */
    hg_buf_append_cstr(&line, header->value.n ? ": " : ";");
    hg_buf_append_str(&line, header->value);
    hg_buf_append_byte(&line, '\0');
    fits = !line.is_overflown;
    if (fits)
        add_field(transfer, hg_buf_str(&line).p);
    hg_buf_fini(&line);
    return fits;
}

static bool has_header(const struct hg_http_call *call, const char *name)
{
    for (size_t i = 0; i < call->header_count; i++)
        if (hg_str_is_nocase(call->headers[i].name, name))
            return true;
    return false;
}

static bool add_headers(struct http_transfer *transfer)
{
    const struct hg_http_call *call = transfer->call;

    for (size_t i = 0; i < call->header_count; i++)
        if (!add_header(transfer, &call->headers[i]))
            return false;
    /* What libcurl would add by itself: a wait for 100 Continue, a form's type. */
    add_field(transfer, "Expect:");
    if (!has_header(call, "content-type"))
        add_field(transfer, "Content-Type:");
    return true;
}

static void set_request(struct http_transfer *transfer)
{
    const struct hg_http_call *call = transfer->call;
    CURL *easy = transfer->easy;
    bool is_bare = !call->body.n && (hg_str_is(hg_str_of(call->method), "GET") ||
                                     hg_str_is(hg_str_of(call->method), "DELETE") ||
                                     hg_str_is(hg_str_of(call->method), "OPTIONS"));

    (void)curl_easy_setopt(easy, CURLOPT_URL, call->url);
    (void)curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->fields);
    if (strcmp(call->method, "HEAD") == 0) {
        (void)curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    } else if (!is_bare) {
        (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDS, call->body.n ? call->body.p : "");
        (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.n);
    }
    (void)curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, call->method);
    if (call->redirects_max) {
        (void)curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
        (void)curl_easy_setopt(easy, CURLOPT_MAXREDIRS, (long)call->redirects_max);
        (void)curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    }
}

/* As libcurl would, but not to be inherited by the processes that are started meanwhile. */
static curl_socket_t on_socket_needed(void *arg, curlsocktype purpose, struct curl_sockaddr *to)
{
    (void)arg;
    (void)purpose;
    return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

/* No proxy leads to this machine itself. */
static bool is_loopback(const struct http_host *host)
{
    const char *name = strstr(host->name, "://") + 3;

    return hg_str_starts(hg_str_of(name), HG_STR("localhost:")) ||
           hg_str_starts(hg_str_of(name), HG_STR("[::1]:")) ||
           (hg_str_starts(hg_str_of(name), HG_STR("127.")) &&
            name[strspn(name, "0123456789.")] == ':');
}

static void set_connection(struct http_transfer *transfer)
{
    const struct hg_http_call *call = transfer->call;
    CURL *easy = transfer->easy;

    (void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_socket_needed);
    /* A call that ends while its name is being resolved must not wait for the resolver. */
    (void)curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    /* Calls that come while TLS is being set up wait to share an HTTP/2 connection. Without TLS there is nothing to
     * wait for, and libcurl would wait for the first answer. */
    if (hg_str_starts(hg_str_of(call->url), HG_STR("https:")))
        (void)curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)call->connect_timeout_ms);
    (void)curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, (long)NAMES_KEPT_S);
    (void)curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, (long)CONNECTION_AGE_MAX_S);
    (void)curl_easy_setopt(easy, CURLOPT_USERAGENT, "headgate/" HG_VERSION);
    if (is_loopback(call->host))
        (void)curl_easy_setopt(easy, CURLOPT_PROXY, "");
    if (call->client->ca_file)
        (void)curl_easy_setopt(easy, CURLOPT_CAINFO, call->client->ca_file);
}

static void set_answer(struct http_transfer *transfer)
{
    CURL *easy = transfer->easy;

    (void)curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
    (void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->fault);
    (void)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_field_came);
    (void)curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    (void)curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body_came);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
}

static void transfer_free(struct http_transfer *transfer)
{
    curl_easy_cleanup(transfer->easy);
    curl_slist_free_all(transfer->fields);
    free(transfer);
}

bool http_curl_start(struct hg_http_call *call)
{
    struct http_transfer *transfer = hg_calloc(1, sizeof(*transfer));

    transfer->call = call;
    transfer->easy = curl_easy_init();
    hg_assert(transfer->easy != NULL);
    if (!add_headers(transfer)) {
        (void)snprintf(call->why, sizeof(call->why),
                       "a header's name or value holds control bytes or is too long");
        transfer_free(transfer);
        return false;
    }
    set_request(transfer);
    set_connection(transfer);
    set_answer(transfer);
    call->transfer = transfer;
    hg_assert(curl_multi_add_handle(call->client->multi, transfer->easy) == CURLM_OK);
    return true;
}

void http_curl_stop(struct hg_http_call *call)
{
    struct http_transfer *transfer = call->transfer;

    call->transfer = NULL;
    (void)curl_multi_remove_handle(call->client->multi, transfer->easy);
    transfer_free(transfer);
}

static enum hg_rc rc_of(const struct http_transfer *transfer, CURLcode result)
{
    switch (result) {
    case CURLE_OK:
        return HG_OK;
    case CURLE_OPERATION_TIMEDOUT:
        return HG_E_DEADLINE;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
        return HG_E_INVALID;
    case CURLE_WRITE_ERROR:
        return transfer->is_head_too_large || transfer->is_answer_too_large ? HG_E_TOO_LARGE
                                                                            : HG_E_UNAVAILABLE;
    default:
        return HG_E_UNAVAILABLE;
    }
}

static void end_transfer(struct http_transfer *transfer, CURLcode result)
{
    struct hg_http_call *call = transfer->call;
    enum hg_rc rc = rc_of(transfer, result);
    long status = 0;

    (void)curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    call->status = (int)status;
    if (rc == HG_E_TOO_LARGE)
        (void)snprintf(call->why, sizeof(call->why), "the answer's %s has more than %zu bytes",
                       transfer->is_head_too_large ? "head" : "body",
                       transfer->is_head_too_large ? (size_t)HG_HTTP_ANSWER_HEAD_MAX
                                                   : call->answer.max);
    else if (rc != HG_OK)
        (void)snprintf(call->why, sizeof(call->why), "%s",
                       transfer->fault[0] ? transfer->fault : curl_easy_strerror(result));
    http_curl_stop(call);
    http_call_ended(call, rc);
}

/* Each done may submit and cancel others: the multi is asked anew for every one. */
static void collect_ended(struct hg_http_client *client)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(client->multi, &left))) {
        struct http_transfer *transfer = NULL;
        CURLcode result = message->data.result;

        if (message->msg != CURLMSG_DONE)
            continue;
        (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&transfer);
        end_transfer(transfer, result);
    }
}
