/*
 * libevent's HTTP client, driven until one answer is there. Calls are signed when there are keys.
 */
#include "cli/local_client.h"

#include "config/access_keys.h"
#include "core/clock.h"
#include "core/crypto.h"
#include "http/aws_keys.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TIMEOUT_S = 960, ANSWER_MAX = 16 << 20, KEYS_ARENA_MAX = 4 << 20 };

struct exchange {
    struct event_base *base;
    struct hg_local_answer *answer;
    bool is_answered;
};

static void read_header(struct evhttp_request *request, const char *name, char *out, size_t size)
{
    const char *value = evhttp_find_header(evhttp_request_get_input_headers(request), name);

    (void)snprintf(out, size, "%s", value ? value : "");
}

static void on_answer(struct evhttp_request *request, void *arg)
{
    struct exchange *exchange = arg;
    struct evbuffer *input;
    const char *tail;
    size_t length;

    if (request && evhttp_request_get_response_code(request) > 0) {
        exchange->is_answered = true;
        exchange->answer->status = evhttp_request_get_response_code(request);
        read_header(request, "x-amzn-RequestId", exchange->answer->request_id,
                    sizeof(exchange->answer->request_id));
        read_header(request, "X-Amz-Function-Error", exchange->answer->function_error,
                    sizeof(exchange->answer->function_error));
        tail = evhttp_find_header(evhttp_request_get_input_headers(request), "X-Amz-Log-Result");
        if (tail)
            (void)hg_base64_decode(&exchange->answer->log_tail, hg_str_of(tail));
        input = evhttp_request_get_input_buffer(request);
        length = evbuffer_get_length(input);
        (void)hg_buf_append(&exchange->answer->body, evbuffer_pullup(input, -1), length);
    }
    (void)event_base_loopbreak(exchange->base);
}

const char *local_default_address(void)
{
    const char *address = getenv("HEADGATE_API");

    return address && *address ? address : "127.0.0.1:4566";
}

static enum evhttp_cmd_type command_of(const char *method)
{
    if (strcmp(method, "GET") == 0)
        return EVHTTP_REQ_GET;
    return strcmp(method, "DELETE") == 0 ? EVHTTP_REQ_DELETE : EVHTTP_REQ_POST;
}

/* The key pair to sign with: that of the server's settings in the environment, else those of AWS's own tools. */
static bool find_keys(struct hg_arena *arena, struct aws_keys *session,
                      struct hg_sigv4_credentials *keys)
{
    const char *given = getenv("HEADGATE_ACCESS_KEY"), *file = getenv("HEADGATE_ACCESS_KEY_FILE");
    struct hg_str list = hg_str_of(given), first;
    struct hg_access_keys found = {NULL, 0};
    struct hg_access_key key;
    char why[AWS_KEYS_WHY_MAX];
    struct hg_error err;

    if (given && hg_str_next(&list, ',', &first) &&
        access_key_split(hg_str_trim(first), &key, &err) == HG_OK) {
        *keys = (struct hg_sigv4_credentials){.access_key = key.id, .secret_key = key.secret};
        return true;
    }
    if (file && *file && access_keys_load(&found, arena, file, &err) == HG_OK) {
        *keys = (struct hg_sigv4_credentials){.access_key = found.items[0].id,
                                              .secret_key = found.items[0].secret};
        return true;
    }
    if (!aws_keys_find(session, why))
        return false;
    *keys = aws_keys_credentials(session);
    return true;
}

/* A server without access keys does not look at signatures, so they are always sent when there is a key pair. */
static void sign(const struct hg_local_request *request, struct evkeyvalq *headers)
{
    const struct hg_sigv4_header host = {HG_STR("host"), hg_str_of(request->address)};
    struct hg_str rest = hg_str_of(request->path);
    struct hg_sigv4_request input = {.method = hg_str_of(request->method),
                                     .headers = &host,
                                     .header_count = 1,
                                     .body = request->body,
                                     .region = HG_STR("us-east-1"),
                                     .service = HG_STR("lambda"),
                                     .time_ms = hg_wall_ms()};
    struct hg_arena *arena = hg_arena_new(KEYS_ARENA_MAX);
    struct aws_keys *session = hg_arena_must(arena, sizeof(*session));
    struct hg_sigv4_credentials keys;
    struct hg_sigv4_signed made;

    (void)hg_str_next(&rest, '?', &input.path);
    input.query = rest.p ? rest : HG_STR("");
    if (find_keys(arena, session, &keys)) {
        if (hg_sigv4_sign(&input, &keys, &made)) {
            (void)evhttp_add_header(headers, "X-Amz-Date", made.date);
            (void)evhttp_add_header(headers, "Authorization",
                                    hg_arena_strdup(arena, hg_buf_str(&made.authorization)));
            if (keys.session_token.n)
                (void)evhttp_add_header(headers, "X-Amz-Security-Token",
                                        hg_arena_strdup(arena, keys.session_token));
        }
        hg_sigv4_signed_fini(&made);
    }
    hg_arena_free(arena);
}

enum hg_rc local_send(const struct hg_local_request *request, struct hg_local_answer *answer,
                      struct hg_error *err)
{
    struct exchange exchange = {.base = event_base_new(), .answer = answer};
    const char *colon = strrchr(request->address, ':');
    struct evhttp_connection *connection;
    struct evhttp_request *message;
    char host[128];

    *answer = (struct hg_local_answer){.status = 0};
    hg_buf_init(&answer->body, ANSWER_MAX);
    hg_buf_init(&answer->log_tail, ANSWER_MAX);
    if (!colon) {
        event_base_free(exchange.base);
        return hg_error_set(err, HG_E_INVALID, "'%s' is not HOST:PORT", request->address);
    }
    (void)snprintf(host, sizeof(host), "%.*s", (int)(colon - request->address), request->address);
    connection = evhttp_connection_base_new(exchange.base, NULL, host,
                                            (unsigned short)strtoul(colon + 1, NULL, 10));
    evhttp_connection_set_timeout(connection, TIMEOUT_S);
    message = evhttp_request_new(on_answer, &exchange);
    (void)evhttp_add_header(evhttp_request_get_output_headers(message), "Host", request->address);
    for (size_t i = 0; i < request->header_count; i++)
        (void)evhttp_add_header(evhttp_request_get_output_headers(message),
                                request->headers[i].name, request->headers[i].value);
    sign(request, evhttp_request_get_output_headers(message));
    if (request->body.n)
        (void)evbuffer_add(evhttp_request_get_output_buffer(message), request->body.p,
                           request->body.n);
    if (evhttp_make_request(connection, message, command_of(request->method), request->path) == 0)
        (void)event_base_dispatch(exchange.base);
    evhttp_connection_free(connection);
    event_base_free(exchange.base);
    if (!exchange.is_answered)
        return hg_error_set(
            err, HG_E_IO,
            "no server answers on %s; start one with `headgate serve TEMPLATE` or name "
            "its management address with --api",
            request->address);
    return HG_OK;
}

void local_answer_fini(struct hg_local_answer *answer)
{
    hg_buf_fini(&answer->body);
    hg_buf_fini(&answer->log_tail);
}
