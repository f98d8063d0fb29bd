/*
 * The index's tables and their changes. Everything of one turn of the loop is
 * one transaction; it is not flushed: after a crash of the machine the index
 * is built anew from the topic.
 */
#include "queue/kafka_index.h"

#include "core/log.h"

#include <lmdb.h>

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    FORMAT_VERSION = 1,
    KEY_MAX = 256,
    BOOT_ID_LEN = 36,
    COMMIT_EVERY = 2000, /* changes: bounds the pages that wait in memory */
    RELEASE_EVERY = 64,  /* commits: mapped pages are given back to the page cache */
};

static const size_t map_bytes = (size_t)256 << 30; /* addresses, not memory nor disk */

enum table { BY_ID, PAGES, ENDED, DEDUP, META, TABLE_COUNT };
static const char *const table_names[TABLE_COUNT] = {"events", "pages", "ended", "dedup", "meta"};

/* Lives in META under "head". */
struct head {
    uint32_t format;
    uint32_t is_clean;
    char boot[BOOT_ID_LEN];
    char cluster[160];
    uint64_t counts[HG_EVENT_STATE_COUNT];
    uint64_t ended_bytes;
};

/* The value in DEDUP. offset: of its first record in events; 0: long past. */
struct first {
    int64_t accepted_ms, offset;
    char id[HG_UUID_LEN];
};

/* In front of each value of BY_ID; function, dedup and life follow. */
struct row {
    uint32_t hop, redrives;
    uint8_t rank, state, has_result, body_topic;
    int32_t body_partition, status_partition;
    int64_t body_offset, status_offset;
    int64_t accepted_ms, finished_ms;
    uint32_t result_bytes; /* in the status record */
    uint8_t function_length, dedup_length;
};

struct kafka_index {
    char dir[4096];
    char node[HG_UUID_LEN + 1];
    int lock_fd;
    MDB_env *env;
    MDB_dbi tables[TABLE_COUNT];
    MDB_txn *txn; /* of this turn; NULL: none yet */
    unsigned changes, commits;
    struct head head;
    struct hg_loop *loop;
    int64_t dedup_window_ms;
    struct hg_task commit;
    int failed; /* LMDB's code; 0: fine */
};

static MDB_val val(const void *bytes, size_t length)
{
    return (MDB_val){.mv_size = length, .mv_data = (void *)(uintptr_t)bytes};
}

static void fail(struct kafka_index *index, int code)
{
    if (index->txn)
        mdb_txn_abort(index->txn);
    index->txn = NULL;
    index->failed = code;
}

static MDB_txn *begin(struct kafka_index *index)
{
    int code;

    if (index->txn || index->failed)
        return index->txn;
    code = mdb_txn_begin(index->env, NULL, 0, &index->txn);
    if (code) {
        index->txn = NULL;
        fail(index, code);
        return NULL;
    }
    hg_loop_defer(index->loop, &index->commit);
    return index->txn;
}

/* Pages that were touched count as the process's memory as long as they are mapped in. */
static void release_pages(struct kafka_index *index)
{
    MDB_envinfo info;
    MDB_stat stat;

    if (mdb_env_info(index->env, &info) || mdb_env_stat(index->env, &stat) || !info.me_mapaddr)
        return;
    (void)madvise(info.me_mapaddr, (info.me_last_pgno + 1) * stat.ms_psize, MADV_DONTNEED);
}

static void commit(struct kafka_index *index)
{
    MDB_val key = val("head", 4), value = val(&index->head, sizeof(index->head));
    int code;

    if (!index->txn)
        return;
    index->changes = 0;
    code = mdb_put(index->txn, index->tables[META], &key, &value, 0);
    if (code) {
        fail(index, code);
        return;
    }
    code = mdb_txn_commit(index->txn);
    index->txn = NULL;
    if (code)
        fail(index, code);
    else if (++index->commits % RELEASE_EVERY == 0)
        release_pages(index);
}

static void on_turn_end(struct hg_task *task)
{
    commit(hg_container_of(task, struct kafka_index, commit));
}

static bool get(struct kafka_index *index, enum table table, const void *key, size_t length,
                MDB_val *value)
{
    MDB_val wanted = val(key, length);
    MDB_txn *txn = begin(index);
    int code = txn ? mdb_get(txn, index->tables[table], &wanted, value) : MDB_NOTFOUND;

    if (code && code != MDB_NOTFOUND)
        fail(index, code);
    return code == 0;
}

static void put(struct kafka_index *index, enum table table, const void *key, size_t length,
                MDB_val value)
{
    MDB_val wanted = val(key, length);
    MDB_txn *txn = begin(index);
    int code = txn ? mdb_put(txn, index->tables[table], &wanted, &value, 0) : 0;

    if (code)
        fail(index, code);
}

static void del(struct kafka_index *index, enum table table, const void *key, size_t length)
{
    MDB_val wanted = val(key, length);
    MDB_txn *txn = begin(index);
    int code = txn ? mdb_del(txn, index->tables[table], &wanted, NULL) : MDB_NOTFOUND;

    if (code && code != MDB_NOTFOUND)
        fail(index, code);
}

static void note_change(struct kafka_index *index)
{
    if (++index->changes >= COMMIT_EVERY)
        commit(index);
}

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

    if (!get(index, DEDUP, key, length, &value) || value.mv_size != sizeof(*first))
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

    if (!get(index, BY_ID, id, strlen(id), &value) ||
        !read_row(value, &row, &function, &dedup, &life))
        return;
    bytes = value.mv_size + row.result_bytes;
    memcpy(function_copy, function.p, function.n);
    memcpy(dedup_copy, dedup.p, dedup.n);
    function.p = function_copy;
    dedup.p = dedup_copy;
    del(index, BY_ID, id, strlen(id));
    if (row.rank != KAFKA_PURGED) {
        index->head.counts[row.state]--;
        del(index, PAGES, key, page_key(key, function, row.state, row.accepted_ms, id));
        del(index, PAGES, key, page_key(key, hg_str_n("", 0), row.state, row.accepted_ms, id));
    }
    if (row.rank != KAFKA_LIVING && row.state != HG_EVENT_DEAD) {
        index->head.ended_bytes -= bytes;
        del(index, ENDED, key, ended_key(key, row.finished_ms, id));
    }
    if (!with_dedup || dedup.n == 0)
        return;
    bytes = dedup_key(key, function, dedup);
    if (read_first(index, key, bytes, &first) && strncmp(first.id, id, HG_UUID_LEN) == 0)
        del(index, DEDUP, key, bytes);
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
    put(index, BY_ID, id, strlen(id), val(hg_buf_str(&bytes).p, bytes.len));
    if (row->rank != KAFKA_PURGED) {
        index->head.counts[row->state]++;
        put(index, PAGES, key, page_key(key, function, row->state, row->accepted_ms, id),
            val("", 0));
        put(index, PAGES, key, page_key(key, hg_str_n("", 0), row->state, row->accepted_ms, id),
            val("", 0));
    }
    if (row->rank != KAFKA_LIVING && row->state != HG_EVENT_DEAD) {
        index->head.ended_bytes += bytes.len + row->result_bytes;
        put(index, ENDED, key, ended_key(key, row->finished_ms, id), val("", 0));
    }
    hg_buf_fini(&bytes);
}

bool kafka_index_find(struct kafka_index *index, const char *id, struct kafka_index_entry *entry)
{
    struct hg_str function, dedup;
    struct row row;
    MDB_val value;

    if (!get(index, BY_ID, id, strlen(id), &value) ||
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
    put(index, DEDUP, key, length, val(&first, sizeof(first)));
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
    note_change(index);
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
    note_change(index);
}

void kafka_index_forget(struct kafka_index *index, const char *id)
{
    struct kafka_index_entry known;

    if (!kafka_index_find(index, id, &known) || known.rank == KAFKA_LIVING)
        return;
    remove_row(index, id, true);
    note_change(index);
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

    return get(index, META, key, position_key(key, partition), &value) && value.mv_size == 8
               ? get_be64(value.mv_data)
               : 0;
}

void kafka_index_set_position(struct kafka_index *index, int32_t partition, int64_t next)
{
    unsigned char bytes[8];
    char key[32];

    put_be64(bytes, next);
    put(index, META, key, position_key(key, partition), val(bytes, sizeof(bytes)));
}

/* The entry before (towards older) or after (towards newer) key; false at the table's end. */
static bool step(struct kafka_index *index, enum table table, const unsigned char *from,
                 size_t length, bool is_backwards, MDB_val *found)
{
    MDB_val key = val(from, length), value;
    MDB_txn *txn = begin(index);
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

static void read_boot_id(char boot[BOOT_ID_LEN])
{
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);

    memset(boot, 0, BOOT_ID_LEN);
    if (fd < 0)
        return;
    (void)!read(fd, boot, BOOT_ID_LEN);
    (void)close(fd);
}

static int open_tables(struct kafka_index *index)
{
    MDB_txn *txn;
    MDB_val key = val("head", 4), value;
    int code = mdb_txn_begin(index->env, NULL, 0, &txn);

    if (code)
        return code;
    for (int i = 0; i < TABLE_COUNT && code == 0; i++)
        code = mdb_dbi_open(txn, table_names[i], MDB_CREATE, &index->tables[i]);
    memset(&index->head, 0, sizeof(index->head));
    if (code == 0 && mdb_get(txn, index->tables[META], &key, &value) == 0 &&
        value.mv_size == sizeof(index->head))
        memcpy(&index->head, value.mv_data, sizeof(index->head));
    if (code) {
        mdb_txn_abort(txn);
        return code;
    }
    return mdb_txn_commit(txn);
}

static int open_env(struct kafka_index *index)
{
    int code = mdb_env_create(&index->env);

    if (code)
        return code;
    (void)mdb_env_set_maxdbs(index->env, TABLE_COUNT);
    code = mdb_env_set_mapsize(index->env, map_bytes);
    if (code == 0)
        code = mdb_env_open(index->env, index->dir,
                            MDB_NOSYNC | MDB_NORDAHEAD | MDB_NOTLS | MDB_NOLOCK, 0600);
    return code ? code : open_tables(index);
}

static void throw_away(struct kafka_index *index)
{
    char path[4200];

    if (index->env)
        mdb_env_close(index->env);
    index->env = NULL;
    (void)snprintf(path, sizeof(path), "%s/data.mdb", index->dir);
    (void)unlink(path);
}

/* Opened as it is when it is whole; else anew. */
static int open_fresh_or_kept(struct kafka_index *index)
{
    char boot[BOOT_ID_LEN];
    int code = open_env(index);

    read_boot_id(boot);
    if (code == 0 && index->head.format == FORMAT_VERSION &&
        (index->head.is_clean || memcmp(index->head.boot, boot, BOOT_ID_LEN) == 0))
        goto mark;
    if (code == 0 && index->head.format)
        hg_info("kafka_index", "dir=%s is built anew from the status topic", index->dir);
    throw_away(index);
    code = open_env(index);
    if (code)
        return code;

mark:
    index->head.format = FORMAT_VERSION;
    index->head.is_clean = 0;
    memcpy(index->head.boot, boot, BOOT_ID_LEN);
    if (begin(index))
        commit(index);
    return index->failed ? index->failed : mdb_env_sync(index->env, 1);
}

/* Beside the tables, since these may be thrown away. */
static enum hg_rc read_node(struct kafka_index *index, struct hg_error *err)
{
    char path[4200];
    int fd;
    bool is_written;

    (void)snprintf(path, sizeof(path), "%s/node", index->dir);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return hg_error_set(err, HG_E_IO, "%s: %s", path, strerror(errno));
    is_written = read(fd, index->node, HG_UUID_LEN) == HG_UUID_LEN &&
                 hg_uuid_is_valid(hg_str_of(index->node));
    if (!is_written) {
        hg_uuid(index->node);
        is_written = pwrite(fd, index->node, HG_UUID_LEN, 0) == HG_UUID_LEN;
    }
    (void)close(fd);
    return is_written ? HG_OK : hg_error_set(err, HG_E_IO, "%s cannot be written", path);
}

enum hg_rc kafka_index_open(const char *dir, struct hg_loop *loop, int64_t dedup_window_ms,
                            struct kafka_index **out, struct hg_error *err)
{
    struct kafka_index *index = hg_calloc(1, sizeof(*index));
    char path[4200];
    enum hg_rc rc;
    int code;

    (void)snprintf(index->dir, sizeof(index->dir), "%s/kafka-index", dir);
    index->loop = loop;
    index->dedup_window_ms = dedup_window_ms;
    index->lock_fd = -1;
    hg_task_init(&index->commit, on_turn_end);
    if (mkdir(index->dir, 0700) != 0 && errno != EEXIST) {
        rc = hg_error_set(err, HG_E_IO, "%s: %s", index->dir, strerror(errno));
        goto fail;
    }
    (void)snprintf(path, sizeof(path), "%s/lock", index->dir);
    index->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (index->lock_fd < 0 || flock(index->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        rc = errno == EWOULDBLOCK
                 ? hg_error_set(err, HG_E_CONFLICT, "%s: another process uses it", index->dir)
                 : hg_error_set(err, HG_E_IO, "%s: %s", path, strerror(errno));
        goto fail;
    }
    rc = read_node(index, err);
    if (rc != HG_OK)
        goto fail;
    code = open_fresh_or_kept(index);
    if (code) {
        rc = hg_error_set(err, HG_E_IO, "%s: %s", index->dir, mdb_strerror(code));
        goto fail;
    }
    *out = index;
    return HG_OK;

fail:
    if (index->env)
        mdb_env_close(index->env);
    if (index->lock_fd >= 0)
        (void)close(index->lock_fd);
    hg_task_cancel(&index->commit);
    free(index);
    return rc;
}

void kafka_index_bind(struct kafka_index *index, const char *cluster)
{
    if (strncmp(index->head.cluster, cluster, sizeof(index->head.cluster) - 1) == 0)
        return;
    if (index->head.cluster[0])
        hg_warn("kafka_index", "dir=%s mirrors another Kafka: built anew", index->dir);
    for (int i = 0; i < TABLE_COUNT && begin(index); i++)
        (void)mdb_drop(index->txn, index->tables[i], 0);
    memset(index->head.counts, 0, sizeof(index->head.counts));
    index->head.ended_bytes = 0;
    (void)snprintf(index->head.cluster, sizeof(index->head.cluster), "%s", cluster);
    commit(index);
}

void kafka_index_close(struct kafka_index *index)
{
    if (!index)
        return;
    commit(index);
    if (!index->failed && mdb_env_sync(index->env, 1) == 0) {
        index->head.is_clean = 1;
        if (begin(index))
            commit(index);
        (void)mdb_env_sync(index->env, 1);
    }
    hg_task_cancel(&index->commit);
    if (index->txn)
        mdb_txn_abort(index->txn);
    mdb_env_close(index->env);
    (void)close(index->lock_fd);
    free(index);
}

const char *kafka_index_node(const struct kafka_index *index)
{
    return index->node;
}

bool kafka_index_has_failed(const struct kafka_index *index, const char **why)
{
    *why = index->failed ? mdb_strerror(index->failed) : "";
    return index->failed != 0;
}

bool kafka_index_recover(struct kafka_index *index)
{
    MDB_val value;

    index->failed = 0;
    /* The counts in memory may be those of a transaction that is gone. */
    if (get(index, META, "head", 4, &value) && value.mv_size == sizeof(index->head))
        memcpy(&index->head, value.mv_data, sizeof(index->head));
    commit(index);
    return index->failed == 0;
}
