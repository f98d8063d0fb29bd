/*
 * A server on loopback whose loops are turned by the test itself, in one
 * thread: nothing happens but while a client waits for something.
 */
#ifndef HG_TESTS_SERVER_FIXTURE_H
#define HG_TESTS_SERVER_FIXTURE_H

#include "http/server.h"
#include "tests/unit/unit.h"

enum { BIG_BYTES = 8 << 20, TAKEN_BODY_MAX = 200000 };

/* What the handler saw; see server_fixture.c for what it answers on which path. */
struct seen {
    unsigned requests, done, aborted;
    uint64_t bytes_sent;     /* of the last done */
    struct hg_request *held; /* asked for /later and not answered yet */
};

extern struct hg_server *server;
extern struct seen seen;

/* What /taken took of its request's body; freed by server_stop. */
extern struct hg_buf taken;

/* limits: the default ones, to be changed before start. */
extern struct hg_server_limits limits;
void server_start(void);
void server_stop(void);

/* Runs a turn of every loop, waiting a little for fd (or nothing when < 0). */
void turn(int fd);
/* Turns until the condition holds; fails the test after some seconds. */
#define turn_until(condition) \
    do { \
        int turns_ = 0; \
        while (!(condition)) { \
            assert_true(turns_++ < 10000); \
            turn(-1); \
        } \
    } while (0)

int client_connect(void);
void client_send(int fd, const char *text);
void client_send_n(int fd, const char *bytes, size_t length);
/* Exactly what the server sends until nothing more is missing; Date lines are left out. */
void client_expect(int fd, const char *text);
/* The server closes, after no further byte. */
void client_expect_end(int fd);
/* Reads and drops length bytes. */
void client_skip(int fd, size_t length);
/* A whole exchange on a connection of its own: what comes back, until the server closes. */
void exchange(const char *request, const char *answer);

#endif
