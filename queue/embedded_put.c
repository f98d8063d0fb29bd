/*
 * Puts, and the memory of idempotency keys.
 */
#include "queue/embedded.h"

#include "core/clock.h"
#include "core/crypto.h"

#include <lmdb.h>
#include <stdio.h>

struct dedup_key {
    unsigned char bytes[EMBEDDED_HASH_BYTES];
};

struct dedup_end_key {
    unsigned char bytes[8 + EMBEDDED_HASH_BYTES];
};

#define VAL_OF(key) ((MDB_val){sizeof((key).bytes), (key).bytes})

static struct dedup_key dedup_key(const struct hg_event *event)
{
    char text[HG_EVENT_FUNCTION_MAX + HG_EVENT_DEDUP_MAX + 2];
    int length = snprintf(text, sizeof(text), "%s%c%s", event->function, 0, event->dedup);
    unsigned char hash[HG_SHA256_LEN];
    struct dedup_key key;

    hg_sha256(hg_str_n(text, (size_t)length), hash);
    memcpy(key.bytes, hash, sizeof(key.bytes));
    return key;
}

static struct dedup_end_key end_key(int64_t until_ms, const void *hash)
{
    struct dedup_end_key key;

    embedded_put_be64(key.bytes, (uint64_t)until_ms);
    memcpy(key.bytes + 8, hash, EMBEDDED_HASH_BYTES);
    return key;
}

static int write_dedup(struct embedded *e, struct dedup_key *key, const char *id)
{
    struct embedded_dedup row = {.until_ms = hg_steady_ms() + e->queue->options.dedup_window_ms};
    struct dedup_end_key end = end_key(row.until_ms, key->bytes);
    MDB_val k = VAL_OF(*key), v = {sizeof(row), &row}, end_k = VAL_OF(end), nothing = {0, NULL};
    int err;

    embedded_id_bytes(id, row.id);
    err = mdb_put(e->txn, e->tables[TABLE_DEDUP], &k, &v, 0);
    return err ? err : mdb_put(e->txn, e->tables[TABLE_DEDUP_END], &end_k, &nothing, 0);
}

/* Whether the key was accepted within the window; first_id then gets the first one's id. */
static int look_up_dedup(struct embedded *e, struct dedup_key *key, bool *is_known, char *first_id)
{
    MDB_val k = VAL_OF(*key), v;
    struct embedded_dedup row;
    int err = mdb_get(e->txn, e->tables[TABLE_DEDUP], &k, &v);

    *is_known = false;
    if (err)
        return err == MDB_NOTFOUND ? 0 : err;
    if (v.mv_size != sizeof(row))
        return MDB_CORRUPTED;
    memcpy(&row, v.mv_data, sizeof(row));
    if (row.until_ms <= hg_steady_ms()) {
        struct dedup_end_key end = end_key(row.until_ms, key->bytes);

        k = VAL_OF(end);
        err = mdb_del(e->txn, e->tables[TABLE_DEDUP_END], &k, NULL);
        return err == MDB_NOTFOUND ? 0 : err;
    }
    embedded_id_text(row.id, first_id);
    *is_known = true;
    return 0;
}

int embedded_put_op(struct embedded *e, struct hg_put_op *op)
{
    struct hg_event *event = op->event;
    struct dedup_key key;
    uint64_t seq;
    int err = embedded_find_seq(e, event->id, &seq);

    op->was_known = err == 0;
    if (err != MDB_NOTFOUND)
        return err;
    if (event->dedup[0]) {
        key = dedup_key(event);
        /* The transaction may fail yet: why keeps the id until embedded_put_end. */
        err = look_up_dedup(e, &key, &op->was_known, op->base.why);
        if (err || op->was_known)
            return err;
        err = write_dedup(e, &key, event->id);
        if (err)
            return err;
    }
    if (event->state != HG_EVENT_RETRYING)
        event->state = HG_EVENT_QUEUED;
    return embedded_store_event(e, event);
}

void embedded_put_end(struct hg_put_op *op)
{
    if (op->was_known && op->base.why[0])
        memcpy(op->event->id, op->base.why, HG_UUID_LEN + 1);
}

int embedded_sweep_dedup(struct embedded *e, unsigned max)
{
    MDB_cursor *cursor;
    MDB_val k, v;
    int err = mdb_cursor_open(e->txn, e->tables[TABLE_DEDUP_END], &cursor);

    if (err)
        return err;
    err = mdb_cursor_get(cursor, &k, &v, MDB_FIRST);
    while (!err && max-- > 0) {
        struct dedup_key key;
        MDB_val hash = VAL_OF(key);

        if (k.mv_size != 8 + EMBEDDED_HASH_BYTES)
            err = MDB_CORRUPTED;
        else if ((int64_t)embedded_get_be64(k.mv_data) > hg_steady_ms())
            break;
        if (err)
            break;
        memcpy(key.bytes, (const char *)k.mv_data + 8, sizeof(key.bytes));
        err = mdb_del(e->txn, e->tables[TABLE_DEDUP], &hash, NULL);
        if (!err || err == MDB_NOTFOUND)
            err = mdb_cursor_del(cursor, 0);
        if (!err)
            err = mdb_cursor_get(cursor, &k, &v, MDB_FIRST);
    }
    mdb_cursor_close(cursor);
    return err == MDB_NOTFOUND ? 0 : err;
}
