/*
 * Lanes in memory: where the next lease looks, and when to tell that
 * something is due. What waits is in the store; a lane takes one timer.
 */
#include "queue/embedded.h"

#include "core/clock.h"
#include "core/crypto.h"

#include <lmdb.h>
#include <stdlib.h>

enum {
    LANES_MANY = 4096,
    /* Timers stand still while the machine sleeps, due times do not: look again now and then. */
    LOOK_MS = 60000,
};

static void tell(struct embedded_lane *lane)
{
    lane->is_told = true;
    lane->wake_ms = INT64_MAX;
    hg_timer_stop(&lane->timer);
    queue_lane_ready(lane->engine->queue, lane->function, lane->channel);
}

/* Watched: something will be due at wake_ms. */
static void watch(struct embedded_lane *lane)
{
    int64_t wait_ms = lane->wake_ms - hg_steady_ms();

    if (wait_ms <= 0)
        tell(lane);
    else
        hg_timer_start_ms(&lane->timer, HG_MIN(wait_ms, (int64_t)LOOK_MS));
}

static void on_due(struct hg_timer *timer)
{
    watch(hg_container_of(timer, struct embedded_lane, timer));
}

void embedded_lane_arrived(struct embedded_lane *lane, int64_t due_ms, uint64_t seq)
{
    if (due_ms < lane->from_ms || (due_ms == lane->from_ms && seq < lane->from_seq)) {
        lane->from_ms = due_ms;
        lane->from_seq = seq;
    }
    if (lane->is_told || due_ms >= lane->wake_ms)
        return;
    lane->wake_ms = due_ms;
    watch(lane);
}

void embedded_lane_ran_dry(struct embedded_lane *lane, int64_t next_ms)
{
    lane->is_told = false;
    lane->wake_ms = next_ms;
    if (next_ms == INT64_MAX)
        hg_timer_stop(&lane->timer);
    else
        watch(lane);
}

static struct embedded_lane *new_lane(struct embedded *e, struct hg_str name)
{
    struct embedded_lane *lane = hg_calloc(1, sizeof(*lane) + name.n + 1);
    unsigned char hash[HG_SHA256_LEN];
    char *text = (char *)(lane + 1);

    memcpy(text, name.p, name.n);
    hg_sha256(name, hash);
    lane->key = embedded_get_be64(hash);
    lane->name = hg_str_n(text, name.n);
    lane->function = text;
    lane->channel = text + strlen(text) + 1;
    lane->wake_ms = INT64_MAX;
    lane->engine = e;
    hg_timer_init(&lane->timer, e->queue->loop, on_due);
    (void)hg_map_set(&e->lanes, lane->name, lane);
    return lane;
}

struct embedded_lane *embedded_lane(struct embedded *e, const char *function, const char *channel)
{
    char name[HG_EVENT_FUNCTION_MAX + HG_EVENT_TARGET_MAX + 2];
    size_t function_length = strlen(function), channel_length = strlen(channel);
    struct embedded_lane *lane;
    struct hg_str text = hg_str_n(name, function_length + 1 + channel_length);

    hg_assert(text.n < sizeof(name));
    memcpy(name, function, function_length + 1);
    memcpy(name + function_length + 1, channel, channel_length + 1);
    lane = hg_map_get(&e->lanes, text);
    return lane ? lane : new_lane(e, text);
}

int embedded_lane_store(struct embedded *e, struct embedded_lane *lane)
{
    unsigned char key[8];
    MDB_val k = {sizeof(key), key}, v = {lane->name.n, (void *)(uintptr_t)lane->name.p};
    int err;

    if (lane->is_stored)
        return 0;
    embedded_put_be64(key, lane->key);
    err = mdb_put(e->txn, e->tables[TABLE_LANE], &k, &v, 0);
    lane->is_stored = !err;
    return err;
}

/* When the lane's first event is due; MDB_NOTFOUND when nothing waits in it. */
static int first_due(struct embedded *e, uint64_t lane, int64_t *due_ms)
{
    unsigned char key[24] = {0};
    MDB_val k = {sizeof(key), key}, v;
    MDB_cursor *cursor;
    int err = mdb_cursor_open(e->txn, e->tables[TABLE_WAITING], &cursor);

    if (err)
        return err;
    embedded_put_be64(key, lane);
    err = mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE);
    if (!err && k.mv_size != sizeof(key))
        err = MDB_CORRUPTED;
    if (!err && embedded_get_be64(k.mv_data) != lane)
        err = MDB_NOTFOUND;
    if (!err)
        *due_ms = (int64_t)embedded_get_be64((const char *)k.mv_data + 8);
    mdb_cursor_close(cursor);
    return err;
}

/* The lane of a row of TABLE_LANE; NULL when that is none. */
static struct embedded_lane *lane_of_row(struct embedded *e, const MDB_val *row)
{
    char name[HG_EVENT_FUNCTION_MAX + HG_EVENT_TARGET_MAX + 2];
    struct embedded_lane *lane;
    size_t function_length;

    if (row->mv_size >= sizeof(name))
        return NULL;
    memcpy(name, row->mv_data, row->mv_size);
    name[row->mv_size] = '\0';
    function_length = strlen(name);
    if (!function_length || function_length >= row->mv_size ||
        function_length > HG_EVENT_FUNCTION_MAX)
        return NULL;
    lane = embedded_lane(e, name, name + function_length + 1);
    lane->is_stored = true;
    return lane;
}

int embedded_lanes_load(struct embedded *e)
{
    MDB_cursor *cursor;
    MDB_val k, v;
    int err = mdb_cursor_open(e->txn, e->tables[TABLE_LANE], &cursor);

    if (err)
        return err;
    for (err = mdb_cursor_get(cursor, &k, &v, MDB_FIRST); !err;
         err = mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) {
        struct embedded_lane *lane = NULL;
        int64_t due_ms = 0;

        err = k.mv_size == 8 ? first_due(e, embedded_get_be64(k.mv_data), &due_ms) : MDB_CORRUPTED;
        if (err == MDB_NOTFOUND) {
            err = mdb_cursor_del(cursor, 0);
        } else if (!err) {
            lane = lane_of_row(e, &v);
            err = lane ? 0 : MDB_CORRUPTED;
        }
        if (err)
            break;
        if (lane)
            embedded_lane_arrived(lane, due_ms, 0);
    }
    mdb_cursor_close(cursor);
    return err == MDB_NOTFOUND ? 0 : err;
}

static void free_lane(struct embedded_lane *lane)
{
    hg_timer_stop(&lane->timer);
    free(lane);
}

void embedded_lanes_free(struct embedded *e)
{
    const struct hg_map_entry *entry;

    for (size_t at = 0; (entry = hg_map_next(&e->lanes, &at));)
        free_lane(entry->value);
    hg_map_fini(&e->lanes);
}

void embedded_lanes_tidy(struct embedded *e)
{
    const struct hg_map_entry *entry;
    struct hg_map kept;

    if (e->lanes.count < LANES_MANY)
        return;
    hg_map_init(&kept);
    for (size_t at = 0; (entry = hg_map_next(&e->lanes, &at));) {
        struct embedded_lane *lane = entry->value;

        /* Whatever waits is leased, told, or has a timer. */
        if (lane->leased || lane->is_told || lane->wake_ms != INT64_MAX)
            (void)hg_map_set(&kept, lane->name, lane);
        else
            free_lane(lane);
    }
    hg_map_fini(&e->lanes);
    e->lanes = kept;
}
