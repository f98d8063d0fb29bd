/*
 * A connection without a socket, for tests of protocols: the test says which
 * bytes come, how much the "kernel" takes, and what time it is. Stands in for
 * conn.c, conn_out.c and account.c, so it is linked instead of them.
 */
#ifndef HG_TESTS_FAKE_CONN_H
#define HG_TESTS_FAKE_CONN_H

#include "http/conn.h"

struct fake_piece;

struct fake_conn {
    struct hg_conn conn;
    struct hg_server_limits limits;
    int64_t now_us;
    int64_t deadline_us; /* INT64_MAX: none */
    bool wants_flush, is_reading;

    struct fake_piece *first, *last; /* queued output */
    struct hg_buf wire;              /* what the client can read */
    size_t room;                     /* what the kernel still takes */

    size_t buffered; /* bytes taken with conn_buffer_take */
    unsigned faults[HG_FAULT_COUNT];
    const char *last_detail;
    unsigned finished, aborted;
    uint64_t last_bytes_sent;
};

/* Zeroes it, opens it with the default limits and a kernel that takes everything. */
void fake_conn_init(struct fake_conn *fake);
/* Cuts it when it is still there. */
void fake_conn_fini(struct fake_conn *fake);

/* Bytes from the client, then the end of the turn. */
void fake_conn_receive(struct fake_conn *fake, const void *bytes, size_t length);
/* The end of a turn: flushes and writes as conn.c does. */
void fake_conn_turn(struct fake_conn *fake);
/* Lets time pass, with on_deadline when it has come, then ends the turn. */
void fake_conn_pass_ms(struct fake_conn *fake, int64_t ms);

static inline bool fake_conn_is_closed(const struct fake_conn *fake)
{
    return fake->conn.state == HG_CONN_DEAD;
}

#endif
