/*
 * The index's environment: opened, committed once a turn of the loop, thrown away when it cannot be trusted. Nothing is flushed: after
 * a crash of the machine the index is built anew from the topic.
 */
#include "queue/kafka_index_parts.h"

#include "core/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const size_t map_bytes = (size_t)256 << 30; /* addresses, not memory nor disk */
static const char *const table_names[TABLE_COUNT] = {"events", "pages", "ended", "dedup", "meta"};

MDB_val kafka_disk_val(const void *bytes, size_t length)
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

MDB_txn *kafka_disk_begin(struct kafka_index *index)
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
    MDB_val key = kafka_disk_val("head", 4),
            value = kafka_disk_val(&index->head, sizeof(index->head));
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

bool kafka_disk_get(struct kafka_index *index, enum table table, const void *key, size_t length,
                    MDB_val *value)
{
    MDB_val wanted = kafka_disk_val(key, length);
    MDB_txn *txn = kafka_disk_begin(index);
    int code = txn ? mdb_get(txn, index->tables[table], &wanted, value) : MDB_NOTFOUND;

    if (code && code != MDB_NOTFOUND)
        fail(index, code);
    return code == 0;
}

void kafka_disk_put(struct kafka_index *index, enum table table, const void *key, size_t length,
                    MDB_val value)
{
    MDB_val wanted = kafka_disk_val(key, length);
    MDB_txn *txn = kafka_disk_begin(index);
    int code = txn ? mdb_put(txn, index->tables[table], &wanted, &value, 0) : 0;

    if (code)
        fail(index, code);
}

void kafka_disk_del(struct kafka_index *index, enum table table, const void *key, size_t length)
{
    MDB_val wanted = kafka_disk_val(key, length);
    MDB_txn *txn = kafka_disk_begin(index);
    int code = txn ? mdb_del(txn, index->tables[table], &wanted, NULL) : MDB_NOTFOUND;

    if (code && code != MDB_NOTFOUND)
        fail(index, code);
}

void kafka_disk_note_change(struct kafka_index *index)
{
    if (++index->changes >= COMMIT_EVERY)
        commit(index);
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
    MDB_val key = kafka_disk_val("head", 4), value;
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
    if (kafka_disk_begin(index))
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
    for (int i = 0; i < TABLE_COUNT && kafka_disk_begin(index); i++)
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
        if (kafka_disk_begin(index))
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
    if (kafka_disk_get(index, META, "head", 4, &value) && value.mv_size == sizeof(index->head))
        memcpy(&index->head, value.mv_data, sizeof(index->head));
    commit(index);
    return index->failed == 0;
}
