/*
 * Leases: a lane's due events are read from the store and handed out. That
 * they are is known in memory alone; a start makes them due again.
 */
#include "queue/embedded.h"

#include "core/clock.h"
#include "core/crash_point.h"
#include "core/log.h"

#include <lmdb.h>
#include <stdlib.h>

enum { LEASE_BYTES_MAX = 32 << 20 }; /* payloads and results of one operation */

struct embedded_lease *embedded_lease_of(struct embedded *e, uint64_t seq)
{
    return hg_map_get(&e->leases, hg_str_n((const char *)&seq, sizeof(seq)));
}

static struct embedded_lease *new_lease(struct embedded *e, struct embedded_lane *lane,
                                        uint64_t seq, const struct embedded_head *head)
{
    struct embedded_lease *lease = hg_calloc(1, sizeof(*lease));

    lease->seq = seq;
    lease->key = hg_str_n((const char *)&lease->seq, sizeof(lease->seq));
    lease->lane = lane;
    lease->head = *head;
    lane->leased++;
    (void)hg_map_set(&e->leases, lease->key, lease);
    return lease;
}

void embedded_lease_end(struct embedded *e, struct embedded_lease *lease)
{
    (void)hg_map_remove(&e->leases, lease->key);
    lease->lane->leased--;
    if (!lease->is_unreadable) {
        e->leased_states[lease->head.state]--;
        embedded_unmark(e->marks, lease->mark);
    }
    hg_blob_unref(lease->result);
    free(lease);
}

void embedded_leases_free(struct embedded *e)
{
    const struct hg_map_entry *entry;

    for (size_t at = 0; (entry = hg_map_next(&e->leases, &at));) {
        struct embedded_lease *lease = entry->value;

        hg_blob_unref(lease->result);
        free(lease);
    }
    hg_map_fini(&e->leases);
}

/* Set aside, so that it holds up nobody and is reported once; it stays stored until somebody purges it. */
static void set_aside(struct embedded *e, struct embedded_lane *lane, uint64_t seq,
                      const struct embedded_head *head, const char *why)
{
    hg_error("event_unreadable", "store=%s place=%llu function=%s %s", e->file,
             (unsigned long long)seq, lane->function, why);
    new_lease(e, lane, seq, head)->is_unreadable = true;
}

static void hand_out(struct embedded *e, struct hg_lease_op *op, struct embedded_lane *lane,
                     uint64_t seq)
{
    struct embedded_head head = {0};
    struct embedded_lease *lease;
    struct hg_event *event;
    unsigned char id[EMBEDDED_ID_BYTES];
    struct hg_error why = {""};
    int err = embedded_load_event(e, seq, true, &event, &head, &why);

    if (err || !event) {
        set_aside(e, lane, seq, &head, err ? mdb_strerror(err) : why.text);
        return;
    }
    lease = new_lease(e, lane, seq, &head);
    lease->result = event->result ? hg_blob_ref(event->result) : NULL;
    embedded_id_bytes(event->id, id);
    lease->mark = embedded_mark(e->marks, id);
    e->leased_states[head.state]++;
    event->lease = lease;
    hg_list_push_back(&op->events, &event->link);
    op->got++;
}

/* Where the scan of a lane ended. */
enum scan_end { SCAN_FULL, SCAN_DRY, SCAN_HEAVY };

static enum scan_end scan(struct embedded *e, struct hg_lease_op *op, struct embedded_lane *lane,
                          MDB_cursor *cursor, int64_t *next_ms)
{
    int64_t now_ms = hg_steady_ms();
    unsigned char key[24];
    MDB_val k = {sizeof(key), key}, v;
    size_t bytes = 0;
    int err;

    embedded_put_be64(key, lane->key);
    embedded_put_be64(key + 8, (uint64_t)lane->from_ms);
    embedded_put_be64(key + 16, lane->from_seq);
    *next_ms = INT64_MAX;
    for (err = mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE); !err;
         err = mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) {
        int64_t due_ms;
        uint64_t seq;

        if (k.mv_size != sizeof(key) || embedded_get_be64(k.mv_data) != lane->key)
            return SCAN_DRY;
        due_ms = (int64_t)embedded_get_be64((const char *)k.mv_data + 8);
        seq = embedded_get_be64((const char *)k.mv_data + 16);
        if (!embedded_lease_of(e, seq)) {
            if (due_ms > now_ms) {
                *next_ms = due_ms;
                return SCAN_DRY;
            }
            if (op->got == op->max)
                return SCAN_FULL;
            if (bytes > LEASE_BYTES_MAX)
                return SCAN_HEAVY;
            hand_out(e, op, lane, seq);
            if (op->got) {
                const struct hg_event *event =
                    hg_container_of(op->events.prev, struct hg_event, link);

                bytes += hg_blob_str(event->payload).n + hg_blob_str(event->result).n;
            }
        }
        lane->from_ms = due_ms;
        lane->from_seq = seq + 1;
    }
    return SCAN_DRY;
}

void embedded_serve_lease(struct embedded *e, struct hg_lease_op *op)
{
    struct embedded_lane *lane = embedded_lane(e, op->function, op->channel);
    enum scan_end end;
    MDB_cursor *cursor;
    int64_t next_ms;

    if (!embedded_read(e) || mdb_cursor_open(e->reader, e->tables[TABLE_WAITING], &cursor) != 0) {
        embedded_read_end(e);
        queue_op_end(&op->base, HG_E_IO, "the event store cannot be read: restart the program");
        return;
    }
    end = scan(e, op, lane, cursor, &next_ms);
    mdb_cursor_close(cursor);
    embedded_read_end(e);
    /* Less than was asked for: from here on the lane is told again. */
    if (end == SCAN_HEAVY)
        embedded_lane_ran_dry(lane, 0);
    else if (op->got < op->max)
        embedded_lane_ran_dry(lane, next_ms);
    hg_crash_point("after-lease");
    queue_op_end(&op->base, HG_OK, NULL);
}
