/*
 * What the index says of events: rows, pages by acceptance, those that ended, idempotency keys. Everything of one turn of the loop is
 * one transaction (kafka_index_disk.c).
 */
#include "queue/kafka_index_parts.h"

#include <endian.h>
#include <string.h>

static void put_be64(unsigned char *to, int64_t value)
{
    uint64_t big = htobe64((uint64_t)value);

    memcpy(to, &big, sizeof(big));
}

static int64_t get_be64(const unsigned char *from)
{
    uint64_t big;

    memcpy(&big, from, sizeof(big));
    return (int64_t)be64toh(big);
}

/* function \0 state accepted id */
static size_t page_key(unsigned char key[KEY_MAX], struct hg_str function,
                       enum hg_event_state state, int64_t accepted_ms, const char *id)
{
    size_t n = function.n, id_length = strlen(id);

    hg_assert(n <= HG_EVENT_FUNCTION_MAX && id_length <= HG_UUID_LEN);
    if (n)
        memcpy(key, function.p, n);
    key[n++] = '\0';
    key[n++] = (unsigned char)state;
    put_be64(key + n, accepted_ms);
    n += sizeof(uint64_t);
    memcpy(key + n, id, id_length);
    return n + id_length;
}

static size_t ended_key(unsigned char key[KEY_MAX], int64_t finished_ms, const char *id)
{
    struct hg_str text = hg_str_of(id);

    put_be64(key, finished_ms);
    memcpy(key + sizeof(uint64_t), text.p, text.n);
    return sizeof(uint64_t) + text.n;
}

static size_t dedup_key(unsigned char key[KEY_MAX + HG_EVENT_DEDUP_MAX], struct hg_str function,
                        struct hg_str dedup)
{
    memcpy(key, function.p, function.n);
    key[function.n] = '\0';
    memcpy(key + function.n + 1, dedup.p, dedup.n);
    return function.n + 1 + dedup.n;
}

static bool read_first(struct kafka_index *index, const void *key, size_t length,
                       struct first *first)
{
    MDB_val value;

    if (!kafka_disk_get(index, DEDUP, key, length, &value) || value.mv_size != sizeof(*first))
        return false;
    memcpy(first, value.mv_data, sizeof(*first));
    return true;
}

static bool read_row(MDB_val value, struct row *row, struct hg_str *function, struct hg_str *dedup,
                     struct hg_str *life)
{
    const char *at = value.mv_data;
    size_t texts;

    if (value.mv_size < sizeof(*row))
        return false;
    memcpy(row, at, sizeof(*row));
    texts = (size_t)row->function_length + row->dedup_length;
    if (value.mv_size < sizeof(*row) + texts)
        return false;
    *function = hg_str_n(at + sizeof(*row), row->function_length);
    *dedup = hg_str_n(function->p + function->n, row->dedup_length);
    *life = hg_str_n(dedup->p + dedup->n, value.mv_size - sizeof(*row) - texts);
    return true;
}

/* Everything of the row but its idempotency key, which outlives a change. */
static void remove_row(struct kafka_index *index, const char *id, bool with_dedup)
{
    unsigned char key[KEY_MAX + HG_EVENT_DEDUP_MAX];
    char function_copy[UINT8_MAX], dedup_copy[UINT8_MAX];
    struct hg_str function, dedup, life;
    struct first first;
    struct row row;
    MDB_val value;
    size_t bytes;

    if (!kafka_disk_get(index, BY_ID, id, strlen(id), &value) ||
        !read_row(value, &row, &function, &dedup, &life))
        return;
    bytes = value.mv_size + row.result_bytes;
    memcpy(function_copy, function.p, function.n);
    memcpy(dedup_copy, dedup.p, dedup.n);
    function.p = function_copy;
    dedup.p = dedup_copy;
    kafka_disk_del(index, BY_ID, id, strlen(id));
    if (row.rank != KAFKA_PURGED) {
        index->head.counts[row.state]--;
        kafka_disk_del(index, PAGES, key, page_key(key, function, row.state, row.accepted_ms, id));
        kafka_disk_del(index, PAGES, key,
                       page_key(key, hg_str_n("", 0), row.state, row.accepted_ms, id));
    }
    if (row.rank != KAFKA_LIVING && row.state != HG_EVENT_DEAD) {
        index->head.ended_bytes -= bytes;
        kafka_disk_del(index, ENDED, key, ended_key(key, row.finished_ms, id));
    }
    if (!with_dedup || dedup.n == 0)
        return;
    bytes = dedup_key(key, function, dedup);
    if (read_first(index, key, bytes, &first) && strncmp(first.id, id, HG_UUID_LEN) == 0)
        kafka_disk_del(index, DEDUP, key, bytes);
}

static void add_row(struct kafka_index *index, const char *id, const struct row *row,
                    struct hg_str function, struct hg_str dedup, struct hg_str life)
{
    unsigned char key[KEY_MAX];
    struct hg_buf bytes;

    hg_buf_init(&bytes, sizeof(*row) + function.n + dedup.n + life.n);
    hg_buf_append(&bytes, row, sizeof(*row));
    hg_buf_append_str(&bytes, function);
    hg_buf_append_str(&bytes, dedup);
    hg_buf_append_str(&bytes, life);
    kafka_disk_put(index, BY_ID, id, strlen(id), kafka_disk_val(hg_buf_str(&bytes).p, bytes.len));
    if (row->rank != KAFKA_PURGED) {
        index->head.counts[row->state]++;
        kafka_disk_put(index, PAGES, key, page_key(key, function, row->state, row->accepted_ms, id),
                       kafka_disk_val("", 0));
        kafka_disk_put(index, PAGES, key,
                       page_key(key, hg_str_n("", 0), row->state, row->accepted_ms, id),
                       kafka_disk_val("", 0));
    }
    if (row->rank != KAFKA_LIVING && row->state != HG_EVENT_DEAD) {
        index->head.ended_bytes += bytes.len + row->result_bytes;
        kafka_disk_put(index, ENDED, key, ended_key(key, row->finished_ms, id),
                       kafka_disk_val("", 0));
    }
    hg_buf_fini(&bytes);
}

bool kafka_index_find(struct kafka_index *index, const char *id, struct kafka_index_entry *entry)
{
    struct hg_str function, dedup;
    struct row row;
    MDB_val value;

    if (!kafka_disk_get(index, BY_ID, id, strlen(id), &value) ||
        !read_row(value, &row, &function, &dedup, &entry->life))
        return false;
    entry->hop = row.hop;
    entry->redrives = row.redrives;
    entry->rank = (enum kafka_index_rank)row.rank;
    entry->state = (enum hg_event_state)row.state;
    entry->accepted_ms = row.accepted_ms;
    entry->finished_ms = row.finished_ms;
    entry->has_result = row.has_result != 0;
    entry->body = (struct hg_kafka_place){(enum hg_kafka_topic_id)row.body_topic,
                                          row.body_partition, row.body_offset};
    entry->status =
        (struct hg_kafka_place){HG_KAFKA_STATUS, row.status_partition, row.status_offset};
    return true;
}

/*
 * Of two lives of an event the further one stays, whatever the order in which they come to be known: the one that was redriven
 * more often; one that has ended, since only a redrive goes on from there and other copies are left over from a node that died;
 * the one with more hops. A purge is the end of all copies that there were.
 */
static bool is_news(const struct kafka_index_entry *known, const struct row *row)
{
    if (known->rank == KAFKA_PURGED || row->rank == KAFKA_PURGED)
        return row->hop > known->hop || (row->hop == known->hop && row->rank > known->rank);
    if (row->redrives != known->redrives)
        return row->redrives > known->redrives;
    if (row->rank != known->rank)
        return row->rank > known->rank;
    if (row->hop != known->hop)
        return row->hop > known->hop;
    return row->status_offset >= 0 && known->status.offset < 0;
}

bool kafka_index_is_past(struct kafka_index *index, const char *id, uint32_t redrives, uint32_t hop)
{
    struct kafka_index_entry known;

    if (!kafka_index_find(index, id, &known))
        return false;
    if (known.rank == KAFKA_PURGED)
        return hop <= known.hop;
    if (redrives != known.redrives)
        return redrives < known.redrives;
    return known.rank == KAFKA_ENDED || hop < known.hop;
}

/* Of a key's events within the window the one with the lowest offset stays; of a later life the offset is not known any more. */
static void note_first(struct kafka_index *index, const struct hg_event *event, int64_t offset)
{
    unsigned char key[KEY_MAX + HG_EVENT_DEDUP_MAX];
    size_t length = dedup_key(key, hg_str_of(event->function), hg_str_of(event->dedup));
    struct first known, first = {.accepted_ms = event->accepted_ms, .offset = offset};

    if (read_first(index, key, length, &known) &&
        known.accepted_ms + index->dedup_window_ms > event->accepted_ms &&
        (known.offset <= offset || strncmp(known.id, event->id, HG_UUID_LEN) == 0))
        return;
    memcpy(first.id, event->id, strnlen(event->id, HG_UUID_LEN));
    kafka_disk_put(index, DEDUP, key, length, kafka_disk_val(&first, sizeof(first)));
}

void kafka_index_apply(struct kafka_index *index, const struct hg_event *event, uint32_t hop,
                       const struct hg_kafka_place *body, const struct hg_kafka_place *status,
                       struct hg_str life)
{
    bool is_over = event->state == HG_EVENT_DELIVERED || event->state == HG_EVENT_DEAD;
    struct hg_str function = hg_str_of(event->function), dedup = hg_str_of(event->dedup);
    struct kafka_index_entry known;
    struct row row = {
        .hop = hop,
        .redrives = event->redrives,
        .rank = is_over ? KAFKA_ENDED : KAFKA_LIVING,
        .state = (uint8_t)event->state,
        .has_result = is_over && event->result,
        .result_bytes = is_over ? (uint32_t)hg_blob_str(event->result).n : 0,
        .body_topic = (uint8_t)body->topic,
        .body_partition = body->partition,
        .body_offset = body->offset,
        .status_partition = status->partition,
        .status_offset = status->offset,
        .accepted_ms = event->accepted_ms,
        .finished_ms = event->finished_ms,
        .function_length = (uint8_t)function.n,
        .dedup_length = (uint8_t)dedup.n,
    };

    if (kafka_index_find(index, event->id, &known)) {
        if (!is_news(&known, &row))
            return;
        remove_row(index, event->id, false);
    }
    add_row(index, event->id, &row, function, dedup, life);
    if (dedup.n && event->redrives == 0)
        note_first(index, event, hop == 0 && body->topic == HG_KAFKA_EVENTS ? body->offset : 0);
    kafka_disk_note_change(index);
}

void kafka_index_purge(struct kafka_index *index, const char *id, uint32_t hop, int64_t now_ms)
{
    struct kafka_index_entry known;
    struct row row = {.hop = hop,
                      .rank = KAFKA_PURGED,
                      .state = HG_EVENT_DELIVERED,
                      .finished_ms = now_ms,
                      .accepted_ms = now_ms,
                      .status_offset = -1};

    if (kafka_index_find(index, id, &known)) {
        if (!is_news(&known, &row))
            return;
        remove_row(index, id, true);
    }
    add_row(index, id, &row, hg_str_n("", 0), hg_str_n("", 0), hg_str_n("", 0));
    kafka_disk_note_change(index);
}

void kafka_index_forget(struct kafka_index *index, const char *id)
{
    struct kafka_index_entry known;

    if (!kafka_index_find(index, id, &known) || known.rank == KAFKA_LIVING)
        return;
    remove_row(index, id, true);
    kafka_disk_note_change(index);
}

bool kafka_index_find_first(struct kafka_index *index, const struct hg_event *event, int64_t offset,
                            char id[HG_UUID_LEN + 1])
{
    unsigned char key[KEY_MAX + HG_EVENT_DEDUP_MAX];
    size_t length = dedup_key(key, hg_str_of(event->function), hg_str_of(event->dedup));
    struct first first;

    if (!read_first(index, key, length, &first) ||
        first.accepted_ms + index->dedup_window_ms <= event->accepted_ms ||
        strncmp(first.id, event->id, HG_UUID_LEN) == 0 || (offset >= 0 && first.offset >= offset))
        return false;
    memcpy(id, first.id, HG_UUID_LEN);
    id[HG_UUID_LEN] = '\0';
    return true;
}

static size_t position_key(char key[32], int32_t partition)
{
    return (size_t)snprintf(key, 32, "position %d", partition);
}

int64_t kafka_index_position(struct kafka_index *index, int32_t partition)
{
    char key[32];
    MDB_val value;

    return kafka_disk_get(index, META, key, position_key(key, partition), &value) &&
                   value.mv_size == 8
               ? get_be64(value.mv_data)
               : 0;
}

void kafka_index_set_position(struct kafka_index *index, int32_t partition, int64_t next)
{
    unsigned char bytes[8];
    char key[32];

    put_be64(bytes, next);
    kafka_disk_put(index, META, key, position_key(key, partition),
                   kafka_disk_val(bytes, sizeof(bytes)));
}

/* The entry before (towards older) or after (towards newer) key; false at the table's end. */
static bool step(struct kafka_index *index, enum table table, const unsigned char *from,
                 size_t length, bool is_backwards, MDB_val *found)
{
    MDB_val key = kafka_disk_val(from, length), value;
    MDB_txn *txn = kafka_disk_begin(index);
    MDB_cursor *cursor;
    int code;

    if (!txn || mdb_cursor_open(txn, index->tables[table], &cursor))
        return false;
    code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    if (is_backwards)
        code = mdb_cursor_get(cursor, &key, &value, code == MDB_NOTFOUND ? MDB_LAST : MDB_PREV);
    else if (code == 0 && key.mv_size == length && memcmp(key.mv_data, from, length) == 0)
        code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    mdb_cursor_close(cursor);
    *found = key;
    return code == 0;
}

static bool take_id(MDB_val key, size_t from, char id[HG_UUID_LEN + 1])
{
    if (key.mv_size < from || key.mv_size - from > HG_UUID_LEN)
        return false;
    memcpy(id, (char *)key.mv_data + from, key.mv_size - from);
    id[key.mv_size - from] = '\0';
    return true;
}

bool kafka_index_before(struct kafka_index *index, const char *function, enum hg_event_state state,
                        int64_t *accepted_ms, char id[HG_UUID_LEN + 1])
{
    unsigned char key[KEY_MAX];
    size_t prefix = strlen(function) + 2;
    MDB_val found;
    size_t length;

    if (strlen(function) > HG_EVENT_FUNCTION_MAX)
        return false;
    length = page_key(key, hg_str_of(function), state, id[0] ? *accepted_ms : INT64_MAX, id);
    if (!step(index, PAGES, key, length, true, &found) || found.mv_size < prefix + 8 ||
        memcmp(found.mv_data, key, prefix) != 0)
        return false;
    *accepted_ms = get_be64((unsigned char *)found.mv_data + prefix);
    return take_id(found, prefix + 8, id);
}

int64_t kafka_index_oldest(struct kafka_index *index)
{
    static const enum hg_event_state living[] = {HG_EVENT_QUEUED, HG_EVENT_RETRYING};
    int64_t oldest = 0, accepted_ms;
    unsigned char key[KEY_MAX];
    MDB_val found;

    for (size_t i = 0; i < HG_COUNT(living); i++) {
        size_t length = page_key(key, hg_str_n("", 0), living[i], 0, "");

        if (!step(index, PAGES, key, length, false, &found) || found.mv_size < 10 ||
            memcmp(found.mv_data, key, 2) != 0)
            continue;
        accepted_ms = get_be64((unsigned char *)found.mv_data + 2);
        oldest = oldest ? HG_MIN(oldest, accepted_ms) : accepted_ms;
    }
    return oldest;
}

bool kafka_index_next_ended(struct kafka_index *index, int64_t *finished_ms,
                            char id[HG_UUID_LEN + 1])
{
    unsigned char key[KEY_MAX];
    MDB_val found;

    if (!step(index, ENDED, key, ended_key(key, *finished_ms, id), false, &found) ||
        found.mv_size < 8)
        return false;
    *finished_ms = get_be64(found.mv_data);
    return take_id(found, 8, id);
}

const uint64_t *kafka_index_counts(const struct kafka_index *index)
{
    return index->head.counts;
}

uint64_t kafka_index_ended_bytes(const struct kafka_index *index)
{
    return index->head.ended_bytes;
}
