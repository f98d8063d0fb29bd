/*
 * The least that a Runtime API can cost: hands one event after the other to a
 * runtime over a socket pair, as fast as it answers, and prints the times.
 *
 *   bare_loop EVENTS COMMAND [ARGUMENT…]     (the environment is passed on)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char event[] =
    "{\"version\":\"2.0\",\"routeKey\":\"GET /hello\",\"rawPath\":\"/hello\"}";
static const char accepted[] =
    "HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n"
    "{\"status\":\"OK\"}\n";

static double now_us(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

/* Reads until a request for the next event is there. Requests of the trivial handlers come whole, in at most a few reads. */
static void read_poll(int fd)
{
    static char bytes[65536];
    size_t length = 0;

    for (;;) {
        ssize_t got = read(fd, bytes + length, sizeof(bytes) - 1 - length);
        const char *poll;

        if (got <= 0)
            die("the runtime went away");
        length += (size_t)got;
        bytes[length] = '\0';
        poll = strstr(bytes, "GET /2018-06-01/runtime/invocation/next");
        if (poll && strstr(poll, "\r\n\r\n"))
            return;
    }
}

static void write_all(int fd, const char *bytes, size_t length)
{
    while (length) {
        ssize_t put = write(fd, bytes, length);

        if (put <= 0)
            die("write");
        bytes += put;
        length -= (size_t)put;
    }
}

static int start(char **command)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
        die("socketpair");
    if (fork() == 0) {
        char number[16];

        (void)close(pair[0]);
        (void)snprintf(number, sizeof(number), "%d", pair[1]);
        (void)setenv("HEADGATE_RUNTIME_FD", number, 1);
        (void)setenv("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9", 1);
        (void)execv(command[0], command);
        die(command[0]);
    }
    (void)close(pair[1]);
    return pair[0];
}

int main(int argc, char **argv)
{
    size_t count = argc > 2 ? strtoul(argv[1], NULL, 10) : 0;
    double *times, began, total;
    char answer[1024];
    int fd;

    if (count == 0) {
        (void)fprintf(stderr, "usage: bare_loop EVENTS COMMAND [ARGUMENT...]\n");
        return 2;
    }
    times = calloc(count, sizeof(*times));
    fd = start(argv + 2);
    read_poll(fd);
    total = now_us();
    for (size_t i = 0; i < count; i++) {
        int length = snprintf(
            answer, sizeof(answer),
            "%sHTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            "Lambda-Runtime-Aws-Request-Id: 00000000-0000-4000-8000-%012zu\r\n"
            "Lambda-Runtime-Deadline-Ms: 4102444800000\r\n"
            "Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:us-east-1:000000000000:function:f\r\n"
            "Content-Length: %zu\r\n\r\n%s",
            i ? accepted : "", i, sizeof(event) - 1, event);

        began = now_us();
        write_all(fd, answer, (size_t)length);
        read_poll(fd);
        times[i] = now_us() - began;
    }
    total = now_us() - total;
    (void)close(fd);
    qsort(times, count, sizeof(*times), compare);
    (void)printf("events_per_s=%.0f p50_us=%.1f p99_us=%.1f\n", (double)count / total * 1e6,
                 times[count / 2], times[count * 99 / 100]);
    free(times);
    (void)wait(NULL);
    return 0;
}
