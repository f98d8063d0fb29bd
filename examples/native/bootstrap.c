/*
 * A custom runtime (provided.al2023) in plain C: one function, one process, one connection.
 *
 * Handler "hello" answers HTTP requests with a greeting, "echo" returns its event. It reads events and
 * writes results on a socket that it inherits (HEADGATE_RUNTIME_FD) or opens to AWS_LAMBDA_RUNTIME_API;
 * a result and the request for the next event leave in one write. It ends when the platform closes.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    EVENT_MAX = 6 * 1024 * 1024 + 64 * 1024, /* the largest payload and its headers */
    RESULT_HEAD_MAX = 512,
    REQUEST_ID_MAX = 128,
};

#define NEXT "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: runtime\r\n\r\n"

static const char hello_body[] =
    "{\"statusCode\":200,\"headers\":{\"Content-Type\":\"text/plain\"},\"body\":\"Hello from C\\n\"}";

struct runtime {
    int fd;
    char *buffer; /* what has been read and not yet used */
    size_t used;
};

struct answer {
    int status;
    char request_id[REQUEST_ID_MAX];
    const char *body; /* in the runtime's buffer */
    size_t body_size;
    size_t total_size;
};

static void fail(const char *what)
{
    fprintf(stderr, "bootstrap: %s: %s\n", what, errno ? strerror(errno) : "unexpected");
    exit(1);
}

static int connect_tcp(const char *address)
{
    char host[64];
    const char *colon = address ? strrchr(address, ':') : NULL;
    struct sockaddr_in peer = {.sin_family = AF_INET};
    int one = 1;
    int fd;

    errno = EINVAL;
    if (!colon || (size_t)(colon - address) >= sizeof(host))
        fail("AWS_LAMBDA_RUNTIME_API");
    memcpy(host, address, (size_t)(colon - address));
    host[colon - address] = '\0';
    peer.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
    if (inet_pton(AF_INET, host, &peer.sin_addr) != 1)
        fail("AWS_LAMBDA_RUNTIME_API");
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&peer, sizeof(peer)) < 0)
        fail("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    return fd;
}

static int open_connection(void)
{
    const char *inherited = getenv("HEADGATE_RUNTIME_FD");
    int fd;

    if (!inherited)
        return connect_tcp(getenv("AWS_LAMBDA_RUNTIME_API"));
    fd = (int)strtol(inherited, NULL, 10);
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
        fail("HEADGATE_RUNTIME_FD");
    unsetenv("HEADGATE_RUNTIME_FD");
    return fd;
}

static void send_all(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && (errno == EPIPE || errno == ECONNRESET))
            exit(0); /* the platform has closed: the ordinary end */
        if (sent < 0)
            fail("send");
        bytes += sent;
        size -= (size_t)sent;
    }
}

/* Reads more into the buffer; ends as send_all does. */
static void receive_more(struct runtime *rt)
{
    ssize_t got;

    if (rt->used == EVENT_MAX) {
        errno = EMSGSIZE;
        fail("answer");
    }
    do {
        got = recv(rt->fd, rt->buffer + rt->used, EVENT_MAX - rt->used, 0);
    } while (got < 0 && errno == EINTR);
    if (got < 0 && errno != ECONNRESET)
        fail("recv");
    if (got <= 0)
        exit(0);
    rt->used += (size_t)got;
}

/* The value of a header in the head [head, end), or NULL; *size is its length. */
static const char *find_header(const char *head, const char *end, const char *name, size_t *size)
{
    size_t name_size = strlen(name);
    const char *line = head;

    while (line < end) {
        const char *stop = memchr(line, '\r', (size_t)(end - line));

        if (!stop)
            stop = end;
        if ((size_t)(stop - line) > name_size && line[name_size] == ':' &&
            strncasecmp(line, name, name_size) == 0) {
            line += name_size + 1;
            while (line < stop && *line == ' ')
                line++;
            *size = (size_t)(stop - line);
            return line;
        }
        line = stop + 2;
    }
    return NULL;
}

/* Waits for one whole answer at the front of the buffer. */
static void receive_answer(struct runtime *rt, struct answer *answer)
{
    const char *head_end;
    const char *value;
    size_t size;
    size_t head_size;

    while (!(head_end = memmem(rt->buffer, rt->used, "\r\n\r\n", 4)))
        receive_more(rt);
    head_size = (size_t)(head_end - rt->buffer) + 4;
    errno = 0;
    if (head_size < sizeof("HTTP/1.1 200 "))
        fail("answer");
    answer->status = (int)strtol(rt->buffer + sizeof("HTTP/1.1 ") - 1, NULL, 10);
    value = find_header(rt->buffer, head_end, "Content-Length", &size);
    answer->body_size = value ? strtoul(value, NULL, 10) : 0;
    if (answer->body_size > EVENT_MAX - head_size)
        fail("answer is too large");
    value = find_header(rt->buffer, head_end, "Lambda-Runtime-Aws-Request-Id", &size);
    if (value && size >= sizeof(answer->request_id))
        fail("request id is too long");
    snprintf(answer->request_id, sizeof(answer->request_id), "%.*s", value ? (int)size : 0,
             value ? value : "");
    answer->total_size = head_size + answer->body_size;
    while (rt->used < answer->total_size)
        receive_more(rt);
    answer->body = rt->buffer + head_size;
}

static void drop_answer(struct runtime *rt, const struct answer *answer)
{
    rt->used -= answer->total_size;
    memmove(rt->buffer, rt->buffer + answer->total_size, rt->used);
}

/* Posts a result and asks for the next event, in one write. */
static void send_result(struct runtime *rt, char *out, const char *request_id, const char *body,
                        size_t size)
{
    int head = snprintf(out, RESULT_HEAD_MAX,
                        "POST /2018-06-01/runtime/invocation/%s/response HTTP/1.1\r\n"
                        "Host: runtime\r\nContent-Type: application/json\r\n"
                        "Content-Length: %zu\r\n\r\n",
                        request_id, size);

    memcpy(out + head, body, size);
    memcpy(out + head + size, NEXT, sizeof(NEXT) - 1);
    send_all(rt->fd, out, (size_t)head + size + sizeof(NEXT) - 1);
}

int main(void)
{
    const char *handler = getenv("_HANDLER");
    int is_echo = handler && strcmp(handler, "echo") == 0;
    struct runtime rt = {.fd = open_connection()};
    struct answer answer;
    char *out;

    rt.buffer = malloc(EVENT_MAX);
    out = malloc(RESULT_HEAD_MAX + EVENT_MAX + sizeof(NEXT));
    if (!rt.buffer || !out)
        fail("malloc");
    send_all(rt.fd, NEXT, sizeof(NEXT) - 1);
    for (;;) {
        receive_answer(&rt, &answer);
        errno = 0;
        if (answer.status != 200 || !answer.request_id[0])
            fail("no event");
        if (is_echo)
            send_result(&rt, out, answer.request_id, answer.body, answer.body_size);
        else
            send_result(&rt, out, answer.request_id, hello_body, sizeof(hello_body) - 1);
        drop_answer(&rt, &answer);
        receive_answer(&rt,
                       &answer); /* the platform's word on the result: 202, or 413 for too large */
        errno = 0;
        if (answer.status != 202 && answer.status != 413)
            fail("result refused");
        drop_answer(&rt, &answer);
    }
}
