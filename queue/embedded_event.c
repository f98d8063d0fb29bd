/*
 * An event's rows: its head, its payload and result in parts, its id, and its
 * place among those that wait, are finished, or are dead.
 */
#include "queue/embedded.h"

#include "core/clock.h"

#include <lmdb.h>
#include <stdlib.h>

/*
 * A part shares a page with others, or fills one of its own: none needs pages
 * in a row, which are hard to find in a file that has been in use for long.
 */
enum {
    SHARED_PART_MAX = 2020,
    PAGE_PART_MAX = 4080,
    ROW_BYTES = 512, /* about what an event takes besides payload and result */
};

struct seq_key {
    unsigned char bytes[8];
};

struct part_key {
    unsigned char bytes[10];
};

struct done_key {
    unsigned char bytes[16];
};

struct waiting_key {
    unsigned char bytes[24];
};

#define VAL_OF(key) ((MDB_val){sizeof((key).bytes), (key).bytes})

static struct seq_key seq_key(uint64_t seq)
{
    struct seq_key key = {{0}};

    embedded_put_be64(key.bytes, seq);
    return key;
}

static struct part_key part_key(uint64_t seq, size_t part)
{
    struct part_key key = {{0}};

    embedded_put_be64(key.bytes, seq);
    key.bytes[8] = (unsigned char)(part >> 8);
    key.bytes[9] = (unsigned char)part;
    return key;
}

static uint32_t result_length(const struct embedded_head *head)
{
    return head->result_bytes == EMBEDDED_NO_RESULT ? 0 : head->result_bytes;
}

static uint64_t weight(const struct embedded_head *head)
{
    return ROW_BYTES + (uint64_t)head->payload_bytes + result_length(head);
}

static size_t part_length(size_t left)
{
    return left <= SHARED_PART_MAX ? left : HG_MIN(left, (size_t)PAGE_PART_MAX);
}

static int write_bytes(struct embedded *e, enum embedded_table table, uint64_t seq,
                       struct hg_str bytes, unsigned flags)
{
    int err = 0;

    for (size_t part = 0; bytes.n && !err; part++) {
        struct part_key key = part_key(seq, part);
        MDB_val k = VAL_OF(key), v = {part_length(bytes.n), (void *)(uintptr_t)bytes.p};

        bytes = hg_str_skip(bytes, v.mv_size);
        err = mdb_put(e->txn, e->tables[table], &k, &v, flags);
    }
    return err;
}

static int erase_bytes(struct embedded *e, enum embedded_table table, uint64_t seq, size_t length)
{
    int err = 0;

    for (size_t part = 0; length && !err; part++) {
        struct part_key key = part_key(seq, part);
        MDB_val k = VAL_OF(key);

        length -= part_length(length);
        err = mdb_del(e->txn, e->tables[table], &k, NULL);
    }
    return err;
}

int embedded_load_bytes(struct embedded *e, enum embedded_table table, uint64_t seq, size_t length,
                        struct hg_blob **out)
{
    struct part_key key = part_key(seq, 0);
    MDB_val k = VAL_OF(key), v = {0};
    struct hg_buf bytes;
    MDB_cursor *cursor;
    int err;

    if (length <= PAGE_PART_MAX) {
        err = length ? mdb_get(embedded_txn(e), e->tables[table], &k, &v) : 0;
        if (!err && v.mv_size != length)
            err = MDB_CORRUPTED;
        if (!err)
            *out = hg_blob_new(v.mv_data, length);
        return err;
    }
    err = mdb_cursor_open(embedded_txn(e), e->tables[table], &cursor);
    if (err)
        return err;
    hg_buf_init(&bytes, length);
    err = mdb_cursor_get(cursor, &k, &v, MDB_SET_KEY);
    while (!err && embedded_get_be64(k.mv_data) == seq &&
           hg_buf_append(&bytes, v.mv_data, v.mv_size) && bytes.len < length)
        err = mdb_cursor_get(cursor, &k, &v, MDB_NEXT);
    mdb_cursor_close(cursor);
    if (!err && bytes.len != length)
        err = MDB_CORRUPTED;
    if (!err)
        *out = hg_blob_take(&bytes);
    hg_buf_fini(&bytes);
    return err;
}

static struct waiting_key waiting_key(const struct embedded_head *head, uint64_t seq)
{
    struct waiting_key key = {{0}};

    embedded_put_be64(key.bytes, head->lane);
    embedded_put_be64(key.bytes + 8, (uint64_t)head->at_ms);
    embedded_put_be64(key.bytes + 16, seq);
    return key;
}

static struct done_key done_key(const struct embedded_head *head, uint64_t seq)
{
    struct done_key key = {{0}};

    embedded_put_be64(key.bytes, (uint64_t)head->at_ms);
    embedded_put_be64(key.bytes + 8, seq);
    return key;
}

/* Adds the row that says where the event stands, or removes it. */
static int place(struct embedded *e, const struct embedded_head *head, uint64_t seq, bool is_there)
{
    struct waiting_key waiting = waiting_key(head, seq);
    struct done_key done = done_key(head, seq);
    struct seq_key dead = seq_key(seq);
    enum embedded_table table = TABLE_WAITING;
    MDB_val key = VAL_OF(waiting), nothing = {0, NULL};

    if (head->state == HG_EVENT_DELIVERED) {
        table = TABLE_DONE;
        key = VAL_OF(done);
        e->state.history_bytes += is_there ? weight(head) : 0 - weight(head);
    } else if (head->state == HG_EVENT_DEAD) {
        table = TABLE_DEAD;
        key = VAL_OF(dead);
    }
    e->state.counts[head->state] += is_there ? 1 : UINT64_MAX;
    return is_there ? mdb_put(e->txn, e->tables[table], &key, &nothing, 0)
                    : mdb_del(e->txn, e->tables[table], &key, NULL);
}

static void note_arrival(struct embedded *e, struct embedded_lane *lane, int64_t due_ms,
                         uint64_t seq)
{
    if (e->arrival_count == e->arrival_room) {
        e->arrival_room = e->arrival_room ? e->arrival_room * 2 : 64;
        e->arrivals = hg_realloc(e->arrivals, e->arrival_room * sizeof(*e->arrivals));
    }
    e->arrivals[e->arrival_count++] = (struct embedded_arrival){lane, due_ms, seq};
}

static int write_head(struct embedded *e, uint64_t seq, const struct embedded_head *head,
                      const struct hg_event *event, unsigned flags)
{
    struct seq_key key = seq_key(seq);
    MDB_val k = VAL_OF(key), v;

    hg_buf_clear(&e->scratch, e->scratch.max);
    (void)hg_buf_append(&e->scratch, head, sizeof(*head));
    hg_assert(hg_event_encode(event, &e->scratch));
    v = (MDB_val){e->scratch.len, e->scratch.base};
    return mdb_put(e->txn, e->tables[TABLE_HEAD], &k, &v, flags);
}

/* The fixed part as the event now is, and its row among those of its state. */
static int settle_in(struct embedded *e, uint64_t seq, struct hg_event *event,
                     struct embedded_head *head)
{
    bool is_living = event->state == HG_EVENT_QUEUED || event->state == HG_EVENT_RETRYING;
    struct embedded_lane *lane = NULL;
    int err = 0;

    head->accepted_ms = event->accepted_ms;
    head->state = event->state;
    head->function_hash = embedded_function_hash(event->function);
    head->at_ms = HG_MAX(is_living ? event->due_ms : event->finished_ms, 0);
    head->lane = 0;
    if (is_living) {
        lane = embedded_lane(e, event->function, hg_event_channel(event));
        head->lane = lane->key;
        err = embedded_lane_store(e, lane);
    }
    if (!err)
        err = place(e, head, seq, true);
    if (!err && lane)
        note_arrival(e, lane, head->at_ms, seq);
    return err;
}

int embedded_store_event(struct embedded *e, struct hg_event *event)
{
    struct hg_str payload = hg_blob_str(event->payload), result = hg_blob_str(event->result);
    struct embedded_head head = {
        .payload_bytes = (uint32_t)payload.n,
        .result_bytes = event->result ? (uint32_t)result.n : EMBEDDED_NO_RESULT,
    };
    uint64_t seq = e->next_seq++;
    struct seq_key value = seq_key(seq);
    unsigned char id[EMBEDDED_ID_BYTES];
    MDB_val k = {sizeof(id), id}, v = VAL_OF(value);
    int err = settle_in(e, seq, event, &head);

    if (!err)
        err = write_head(e, seq, &head, event, MDB_APPEND);
    if (!err)
        err = write_bytes(e, TABLE_PAYLOAD, seq, payload, MDB_APPEND);
    if (!err)
        err = write_bytes(e, TABLE_RESULT, seq, result, 0);
    if (err)
        return err;
    /* Ids are mostly made in order. */
    embedded_id_bytes(event->id, id);
    err = mdb_put(e->txn, e->tables[TABLE_ID], &k, &v, MDB_APPEND);
    return err == MDB_KEYEXIST ? mdb_put(e->txn, e->tables[TABLE_ID], &k, &v, 0) : err;
}

int embedded_rewrite_event(struct embedded *e, uint64_t seq, const struct embedded_head *former,
                           struct hg_event *event, bool result_changed)
{
    struct embedded_head head = *former;
    int err = place(e, former, seq, false);

    if (!err && result_changed) {
        head.result_bytes =
            event->result ? (uint32_t)hg_blob_str(event->result).n : EMBEDDED_NO_RESULT;
        err = erase_bytes(e, TABLE_RESULT, seq, result_length(former));
        if (!err)
            err = write_bytes(e, TABLE_RESULT, seq, hg_blob_str(event->result), 0);
    }
    if (!err)
        err = settle_in(e, seq, event, &head);
    return err ? err : write_head(e, seq, &head, event, 0);
}

int embedded_erase_event(struct embedded *e, uint64_t seq, const struct embedded_head *head,
                         const char *id)
{
    unsigned char bytes[EMBEDDED_ID_BYTES];
    struct seq_key key = seq_key(seq);
    MDB_val k = VAL_OF(key), i = {sizeof(bytes), bytes};
    int err = place(e, head, seq, false);

    if (!err)
        err = mdb_del(e->txn, e->tables[TABLE_HEAD], &k, NULL);
    if (!err)
        err = erase_bytes(e, TABLE_PAYLOAD, seq, head->payload_bytes);
    if (!err)
        err = erase_bytes(e, TABLE_RESULT, seq, result_length(head));
    if (err || !id)
        return err;
    embedded_id_bytes(id, bytes);
    return mdb_del(e->txn, e->tables[TABLE_ID], &i, NULL);
}

int embedded_find_seq(struct embedded *e, const char *id, uint64_t *seq)
{
    unsigned char bytes[EMBEDDED_ID_BYTES];
    MDB_val k = {sizeof(bytes), bytes}, v;
    int err;

    embedded_id_bytes(id, bytes);
    err = mdb_get(embedded_txn(e), e->tables[TABLE_ID], &k, &v);
    if (!err && v.mv_size != sizeof(*seq))
        return MDB_CORRUPTED;
    if (!err)
        *seq = embedded_get_be64(v.mv_data);
    return err;
}

int embedded_load_head(struct embedded *e, uint64_t seq, struct embedded_head *head,
                       struct hg_str *code)
{
    struct seq_key key = seq_key(seq);
    MDB_val k = VAL_OF(key), v;
    int err = mdb_get(embedded_txn(e), e->tables[TABLE_HEAD], &k, &v);

    if (err)
        return err;
    if (v.mv_size < sizeof(*head))
        return MDB_CORRUPTED;
    memcpy(head, v.mv_data, sizeof(*head));
    *code = hg_str_n((const char *)v.mv_data + sizeof(*head), v.mv_size - sizeof(*head));
    return head->state < HG_EVENT_STATE_COUNT ? 0 : MDB_CORRUPTED;
}

int embedded_load_event(struct embedded *e, uint64_t seq, bool with_bytes, struct hg_event **out,
                        struct embedded_head *head, struct hg_error *why)
{
    struct hg_str code;
    int err = embedded_load_head(e, seq, head, &code);

    *out = NULL;
    if (err)
        return err;
    *out = hg_event_decode(code, why);
    if (!*out || !with_bytes)
        return 0;
    err = embedded_load_bytes(e, TABLE_PAYLOAD, seq, head->payload_bytes, &(*out)->payload);
    if (!err && head->result_bytes != EMBEDDED_NO_RESULT)
        err = embedded_load_bytes(e, TABLE_RESULT, seq, head->result_bytes, &(*out)->result);
    if (err) {
        hg_event_free(*out);
        *out = NULL;
    }
    return err;
}
