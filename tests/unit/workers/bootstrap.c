/*
 * A runtime for tests: the event's first word says what it does. Speaks over
 * the inherited socket; answers and the next poll go out in one write.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char next[] = "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: r\r\n\r\n";
static char in[1 << 23];
static size_t have;

static void die(const char *why)
{
    fprintf(stderr, "bootstrap: %s\n", why);
    exit(9);
}

static void send_all(const char *bytes, size_t length)
{
    while (length) {
        ssize_t wrote = write(3, bytes, length);

        if (wrote <= 0)
            exit(0);
        bytes += wrote;
        length -= (size_t)wrote;
    }
}

static void fill(void)
{
    ssize_t got = read(3, in + have, sizeof(in) - 1 - have);

    if (got <= 0)
        exit(0);
    have += (size_t)got;
    in[have] = '\0';
}

/* One reply: its head is at in, *head_length and *body_length say how long its parts are. */
static int receive(size_t *head_length, size_t *body_length)
{
    char *end, *field;

    while (!have || !(end = strstr(in, "\r\n\r\n")))
        fill();
    *head_length = (size_t)(end - in) + 4;
    field = strstr(in, "Content-Length: ");
    if (!field || field > end)
        die("no length");
    *body_length = strtoul(field + 16, NULL, 10);
    while (have < *head_length + *body_length)
        fill();
    return (int)strtol(in + 9, NULL, 10);
}

static void drop(size_t length)
{
    memmove(in, in + length, have - length);
    have -= length;
    in[have] = '\0';
}

static void pause_ms(long ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};

    while (nanosleep(&t, &t) != 0) {
    }
}

static void post(const char *path, const char *id, const char *body, size_t length, int polls)
{
    static char out[1 << 23];
    int at = snprintf(out, 400,
                      "POST /2018-06-01/runtime/invocation/%s/%s HTTP/1.1\r\nHost: r\r\n"
                      "Content-Length: %zu\r\n\r\n",
                      id, path, length);

    memcpy(out + at, body, length);
    at += (int)length;
    if (polls) {
        memcpy(out + at, next, sizeof(next) - 1);
        at += (int)sizeof(next) - 1;
    }
    send_all(out, (size_t)at);
}

/* Reads a reply that must have this status. */
static void expect(int status)
{
    size_t head, body;
    int got = receive(&head, &body);

    if (got != status) {
        fprintf(stderr, "bootstrap: %d instead of %d: %.*s\n", got, status, (int)(head + body), in);
        exit(9);
    }
    drop(head + body);
}

static int serve(void)
{
    size_t head, body;
    char id[64], event[128], *field;
    const char *answer = "\"done\"";
    static char big[6291557];
    static int count;
    char number[64];

    if (receive(&head, &body) != 200)
        die("next");
    field = strstr(in, "Lambda-Runtime-Aws-Request-Id: ");
    sscanf(field, "Lambda-Runtime-Aws-Request-Id: %63[^\r]", id);
    snprintf(event, sizeof(event), "%.*s", (int)(body < 120 ? body : 120), in + head);
    if (strncmp(event, "\"echo", 5) == 0) {
        memcpy(big, in + head, body);
        drop(head + body);
        post("response", id, big, body, 1);
        return 202;
    }
    drop(head + body);
    if (strncmp(event, "\"sleep ", 7) == 0) {
        pause_ms(strtol(event + 7, NULL, 10));
    } else if (strncmp(event, "\"pid", 4) == 0) {
        snprintf(number, sizeof(number), "%d", (int)getpid());
        answer = number;
    } else if (strncmp(event, "\"count", 6) == 0) {
        snprintf(number, sizeof(number), "%d", ++count);
        answer = number;
    } else if (strncmp(event, "\"print", 6) == 0) {
        printf("one\ntwo\n");
        fflush(stdout);
    } else if (strncmp(event, "\"exit ", 6) == 0) {
        exit((int)strtol(event + 6, NULL, 10));
    } else if (strncmp(event, "\"kill", 5) == 0) {
        raise(SIGKILL);
    } else if (strncmp(event, "\"error", 6) == 0) {
        post("error", id, "not json", 8, 1);
        return 202;
    } else if (strncmp(event, "\"huge", 5) == 0) {
        memset(big, 'x', sizeof(big));
        post("response", id, big, sizeof(big), 0);
        expect(413);
        send_all(next, sizeof(next) - 1);
        return 0;
    } else if (strncmp(event, "\"twice", 6) == 0) {
        post("response", id, answer, strlen(answer), 0);
        expect(202);
        post("response", id, answer, strlen(answer), 0);
        expect(403);
        send_all(next, sizeof(next) - 1);
        return 0;
    } else if (strncmp(event, "\"wrong", 6) == 0) {
        post("response", "00000000-0000-0000-0000-000000000000", answer, strlen(answer), 0);
        expect(400);
    } else if (strncmp(event, "\"eat", 4) == 0) {
        char *all = malloc(300 << 20);

        memset(all, 1, 300 << 20);
        pause_ms(10000);
    } else if (strncmp(event, "\"tmp", 4) == 0) {
        char path[4200];
        struct stat st;

        snprintf(path, sizeof(path), "%s/mark", getenv("TMPDIR"));
        answer = stat(path, &st) == 0 ? "\"kept\"" : "\"new\"";
        fclose(fopen(path, "w"));
        post("response", id, answer, strlen(answer), 0);
        expect(202);
        exit(1);
    }
    post("response", id, answer, strlen(answer), 1);
    return 202;
}

int main(void)
{
    const char *init = getenv("INIT");

    if (init && strncmp(init, "sleep ", 6) == 0)
        pause_ms(strtol(init + 6, NULL, 10));
    if (init && strcmp(init, "exit") == 0)
        exit(5);
    if (init && strcmp(init, "error") == 0) {
        static const char report[] =
            "POST /2018-06-01/runtime/init/error HTTP/1.1\r\nHost: r\r\nContent-Length: 15\r\n\r\n"
            "{\"no\":\"luck yet\"}";

        send_all(report, sizeof(report) - 3);
        expect(202);
        exit(1);
    }
    send_all(next, sizeof(next) - 1);
    for (;;) {
        int ack = serve();

        if (ack)
            expect(ack);
    }
}
