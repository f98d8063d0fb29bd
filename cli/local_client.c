/*
 * libevent's HTTP client, driven until one answer is there.
 */
#include "cli/local_client.h"

#include "core/crypto.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TIMEOUT_S = 960, ANSWER_MAX = 16 << 20 };

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
