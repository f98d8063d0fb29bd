/*
 * Both ends of an HTTP/2 connection in one test: an nghttp2 client, and a
 * server session on a fake connection whose requests the test answers.
 */
#ifndef HG_TESTS_H2_PEER_H
#define HG_TESTS_H2_PEER_H

#include "fake_conn.h"

#include <nghttp2/nghttp2.h>

enum { PEER_STREAMS = 512, PEER_FIELDS = 64 };

/* What the client got on a stream. */
struct peer_answer {
    int status;         /* of the final answer; 0: none yet */
    int interim_status; /* 1xx */
    char headers[1024]; /* "name: value\n" each */
    struct hg_buf body;
    bool is_ended; /* END_STREAM came */
    bool is_closed;
    uint32_t error_code;
};

struct peer {
    struct fake_conn fake;
    nghttp2_session *client;
    struct peer_answer answers[PEER_STREAMS]; /* by stream id / 2 */
    unsigned goaways, pings_acked;
    int32_t goaway_ids[4];
    uint32_t goaway_code;

    /* The handler. */
    bool answers_at_once; /* 200 with the request's body */
    struct hg_request *held[PEER_STREAMS];
    size_t held_count, seen_count, aborts, dones;
    uint64_t done_bytes;
};

struct peer_request {
    const char *method, *path; /* "GET", "/" */
    const char *authority;     /* "host.example"; "" leaves it out */
    const char *const *fields; /* name, value, …, NULL */
    const void *body;          /* NULL: none */
    size_t body_length;
    bool is_open; /* more body than body_length is to come: no END_STREAM */
};

/* Settings of the client; the manual variant gives no window back by itself. */
struct peer_options {
    uint32_t initial_window; /* 0: 65535 */
    bool is_manual;
};

void peer_init(struct peer *peer, const struct peer_options *options);
void peer_fini(struct peer *peer);

/* Moves bytes both ways until neither side has more to say. */
void peer_pump(struct peer *peer);
/* Submits; returns the stream's id. */
int32_t peer_request(struct peer *peer, const struct peer_request *request);
/* GET path and pump. */
int32_t peer_get(struct peer *peer, const char *path);
struct peer_answer *peer_answer(struct peer *peer, int32_t id);
/* Value of a header of the answer; static; "" when absent. */
const char *peer_header(struct peer *peer, int32_t id, const char *name);
/* Bytes past the client's session: what it would not send itself. */
void peer_send_raw(struct peer *peer, const void *bytes, size_t length);
void peer_send_frame(struct peer *peer, unsigned type, unsigned flags, int32_t id,
                     const void *payload, size_t length);
/* Answers held request number i with the text. */
void peer_respond(struct peer *peer, size_t i, int status, struct hg_str body);

#endif
