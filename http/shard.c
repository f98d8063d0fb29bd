/*
 * The wheel is lazy: a deadline that moves away leaves its connection where it
 * is, to be looked at too early and put further on. So a busy connection costs
 * nothing per request, and no request has a timer of its own.
 */
#include "http/shard.h"

#include "http/conn_life.h"

#include "core/log.h"

#include <stdlib.h>

enum { TICK_US = SHARD_TICK_MS * 1000 };

static void on_tick(struct hg_timer *timer);

struct hg_shard *shard_new(struct hg_server *server, struct hg_loop *loop)
{
    struct hg_shard *shard = hg_calloc(1, sizeof(*shard));

    shard->server = server;
    shard->loop = loop;
    hg_list_init(&shard->conns);
    for (size_t i = 0; i < SHARD_WHEEL_SLOTS; i++)
        hg_list_init(&shard->wheel[i]);
    hg_timer_init(&shard->timer, loop, on_tick);
    shard_look_at_clock(shard);
    shard->tick = shard->now_us / TICK_US;
    return shard;
}

void shard_free(struct hg_shard *shard)
{
    if (!shard)
        return;
    /* Connections that were still on their way. */
    hg_mailbox_deliver(&shard->loop->mailbox);
    HG_LIST_EACH(link, &shard->conns)
    conn_close(hg_container_of(link, struct hg_conn, shard_link));
    while (!hg_list_empty(&shard->conns))
        hg_loop_turn(shard->loop, false);
    hg_timer_stop(&shard->timer);
    free(shard);
}

void shard_add(struct hg_shard *shard, struct hg_conn *conn)
{
    hg_list_push_back(&shard->conns, &conn->shard_link);
}

static void leave_wheel(struct hg_shard *shard, struct hg_conn *conn)
{
    if (hg_list_empty(&conn->wheel_link))
        return;
    hg_list_unlink(&conn->wheel_link);
    shard->on_wheel--;
}

void shard_remove(struct hg_shard *shard, struct hg_conn *conn)
{
    leave_wheel(shard, conn);
    hg_list_unlink(&conn->shard_link);
}

static int64_t first_deadline(const struct hg_conn *conn)
{
    return HG_MIN(conn->deadline_us, conn->write_deadline_us);
}

void shard_note_deadline(struct hg_shard *shard, struct hg_conn *conn)
{
    int64_t due = first_deadline(conn), tick;

    if (due == INT64_MAX)
        return;
    /* An empty wheel stands still; it goes on from now. */
    if (shard->on_wheel == 0)
        shard->tick = HG_MAX(shard->tick, shard->now_us / TICK_US - 1);
    tick = HG_MIN(HG_MAX(due / TICK_US + 1, shard->tick + 1), shard->tick + SHARD_WHEEL_SLOTS - 1);
    if (!hg_list_empty(&conn->wheel_link)) {
        if (conn->wheel_tick <= tick)
            return;
        leave_wheel(shard, conn);
    }
    conn->wheel_tick = tick;
    hg_list_push_back(&shard->wheel[tick % SHARD_WHEEL_SLOTS], &conn->wheel_link);
    if (shard->on_wheel++ == 0)
        hg_timer_start_ms(&shard->timer, SHARD_TICK_MS);
}

static void look_at_slot(struct hg_shard *shard, struct hg_list *slot)
{
    struct hg_list due;

    hg_list_init(&due);
    hg_list_move_all(slot, &due);
    for (struct hg_list *link = hg_list_pop_front(&due); link; link = hg_list_pop_front(&due)) {
        struct hg_conn *conn = hg_container_of(link, struct hg_conn, wheel_link);

        shard->on_wheel--;
        if (first_deadline(conn) <= shard->now_us)
            conn_deadline_passed(conn);
        shard_note_deadline(shard, conn);
    }
}

static void on_tick(struct hg_timer *timer)
{
    struct hg_shard *shard = hg_container_of(timer, struct hg_shard, timer);
    int64_t now_tick;

    shard_look_at_clock(shard);
    now_tick = shard->now_us / TICK_US;
    /* After a pause longer than the wheel every slot is due once. */
    if (now_tick - shard->tick > SHARD_WHEEL_SLOTS)
        shard->tick = now_tick - SHARD_WHEEL_SLOTS;
    while (shard->tick < now_tick) {
        shard->tick++;
        look_at_slot(shard, &shard->wheel[shard->tick % SHARD_WHEEL_SLOTS]);
    }
    if (shard->on_wheel)
        hg_timer_start_ms(timer, SHARD_TICK_MS);
}

struct hg_str shard_date(struct hg_shard *shard)
{
    int64_t second = shard->now_us / 1000000;

    if (second != shard->date_second) {
        shard->date_second = second;
        hg_time_http(hg_wall_ms(), shard->date);
    }
    return hg_str_of(shard->date);
}

void shard_log_fault(struct hg_shard *shard, const struct hg_peer *peer, enum hg_fault fault,
                     const char *detail)
{
    int64_t second = shard->now_us / 1000000;

    if (shard->fault_second[fault] == second) {
        shard->fault_unsaid[fault]++;
        return;
    }
    /* Only a lack of room is for the operator to act on. */
    hg_log_at(fault_may_retry(fault) ? HG_LOG_WARN : HG_LOG_INFO, fault_event(fault),
              "peer=%s port=%u status=%d reason=\"%s\" more=%u", peer->remote_ip,
              (unsigned)peer->local_port, fault_status(fault), detail, shard->fault_unsaid[fault]);
    shard->fault_second[fault] = second;
    shard->fault_unsaid[fault] = 0;
}

static void on_drain_mail(struct hg_mail *mail)
{
    struct hg_shard *shard = hg_container_of(mail, struct hg_shard, drain_mail);

    shard_look_at_clock(shard);
    shard->is_draining = true;
    HG_LIST_EACH(link, &shard->conns)
    conn_drain(hg_container_of(link, struct hg_conn, shard_link));
}

void shard_post_drain(struct hg_shard *shard)
{
    hg_mailbox_post(&shard->loop->mailbox, &shard->drain_mail, on_drain_mail);
}

static void on_cut_mail(struct hg_mail *mail)
{
    struct hg_shard *shard = hg_container_of(mail, struct hg_shard, cut_mail);

    HG_LIST_EACH(link, &shard->conns)
    conn_close(hg_container_of(link, struct hg_conn, shard_link));
}

void shard_post_cut(struct hg_shard *shard)
{
    hg_mailbox_post(&shard->loop->mailbox, &shard->cut_mail, on_cut_mail);
}
