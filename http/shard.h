/*
 * What the connections of one server on one loop share: the read buffer, the
 * clock, the wheel of deadlines, the limits on log lines. The loop's thread only.
 */
#ifndef HG_HTTP_SHARD_H
#define HG_HTTP_SHARD_H

#include "http/conn.h"

#include "core/clock.h"

enum {
    SHARD_READ_BYTES = 65536,
    SHARD_WHEEL_SLOTS = 256,
    SHARD_TICK_MS = 250,
};

struct hg_shard {
    struct hg_server *server;
    struct hg_loop *loop;
    int64_t now_us; /* as of the last arrival, timer or flush */
    bool is_draining;
    struct hg_list conns;

    struct hg_list wheel[SHARD_WHEEL_SLOTS];
    int64_t tick; /* the last one that was looked at */
    size_t on_wheel;
    struct hg_timer timer;

    char date[HG_TIME_TEXT_MAX];
    int64_t date_second;

    int64_t fault_second[HG_FAULT_COUNT];
    unsigned fault_unsaid[HG_FAULT_COUNT];

    struct hg_mail drain_mail, cut_mail;
    char bytes[SHARD_READ_BYTES];
};

struct hg_shard *shard_new(struct hg_server *server, struct hg_loop *loop);
/* Closes what is left. The loop must be stopped. */
void shard_free(struct hg_shard *shard);

static inline void shard_look_at_clock(struct hg_shard *shard)
{
    shard->now_us = hg_mono_us();
}

void shard_add(struct hg_shard *shard, struct hg_conn *conn);
void shard_remove(struct hg_shard *shard, struct hg_conn *conn);

/* One of the connection's deadlines has changed: conn_deadline_passed runs when the first of them has come. */
void shard_note_deadline(struct hg_shard *shard, struct hg_conn *conn);

struct hg_str shard_date(struct hg_shard *shard);

/* Logs one line a second and kind at most, with the number of those left out. */
void shard_log_fault(struct hg_shard *shard, const struct hg_peer *peer, enum hg_fault fault,
                     const char *detail);

/* Any thread: mails that drain or cut every connection of the shard. */
void shard_post_drain(struct hg_shard *shard);
void shard_post_cut(struct hg_shard *shard);

#endif
