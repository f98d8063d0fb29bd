/*
 * The store's file: opened, recognised, written in transactions. Every
 * transaction leaves the counts and the clock behind, for the next start.
 */
#include "queue/embedded.h"

#include "core/clock.h"
#include "core/log.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    FORMAT_VERSION = 1,
    PAGE_BYTES = 4096,
    MAP_LEAST = 16 << 20,
    ROOM_BYTES = 4 << 20, /* a put batch of ordinary size */
    MAPPED_RESIDENT_MAX =
        48 << 20, /* pages of mapped files in memory, the program's own included */
};

static const char format_name[] = "headgate-events";

struct format {
    char name[16];
    uint32_t version;
};

static const char *const table_names[TABLE_COUNT] = {"meta", "head",  "payload",  "result",
                                                     "id",   "lane",  "waiting",  "done",
                                                     "dead", "dedup", "dedup_end"};

bool embedded_is_lack_of_room(int err)
{
    return err == MDB_MAP_FULL || err == ENOSPC || err == EDQUOT || err == EFBIG;
}

const char *embedded_error_text(int err)
{
    return err == MDB_MAP_FULL ? "the store has reached its maximum size" : mdb_strerror(err);
}

static bool is_damage(int err)
{
    return err == MDB_INVALID || err == MDB_CORRUPTED || err == MDB_PAGE_NOTFOUND ||
           err == MDB_VERSION_MISMATCH || err == MDB_PANIC || err == MDB_INCOMPATIBLE;
}

static enum hg_rc damaged(struct embedded *e, struct hg_error *err, const char *what)
{
    return hg_error_set(err, HG_E_CONFLICT,
                        "the event store %s is damaged (%s). Put a copy of it back, or move the "
                        "folder %s away to start with an empty one: the events in it are lost then",
                        e->file, what, e->folder);
}

static enum hg_rc open_failed(struct embedded *e, struct hg_error *err, int code)
{
    if (is_damage(code))
        return damaged(e, err, mdb_strerror(code));
    if (embedded_is_lack_of_room(code))
        return hg_error_set(err, HG_E_IO, "%s: %s: make room on the disk", e->file,
                            embedded_error_text(code));
    return hg_error_set(err, HG_E_IO, "%s: %s", e->file, mdb_strerror(code));
}

/* Also keeps a second process out: the data directory's own lock is its owner's affair. */
static enum hg_rc make_folder(struct embedded *e, struct hg_error *err)
{
    char path[4096];

    if ((mkdir(e->queue->options.data_dir, 0700) != 0 && errno != EEXIST) ||
        (mkdir(e->folder, 0700) != 0 && errno != EEXIST))
        return hg_error_set(err, HG_E_IO, "%s: %s", e->folder, strerror(errno));
    (void)snprintf(path, sizeof(path), "%s/lock", e->folder);
    e->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (e->lock_fd < 0)
        return hg_error_set(err, HG_E_IO, "%s: %s", path, strerror(errno));
    if (flock(e->lock_fd, LOCK_EX | LOCK_NB) != 0)
        return hg_error_set(err, HG_E_CONFLICT,
                            "the event store %s is in use by another process: stop that one, or "
                            "give this one another data directory",
                            e->folder);
    return HG_OK;
}

static void sync_folder(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    /* A file system that cannot flush folders has nothing to flush. */
    if (fd >= 0 && fsync(fd) != 0) {
    }
    if (fd >= 0)
        (void)close(fd);
}

static int open_env(struct embedded *e)
{
    unsigned flags = MDB_NOTLS | MDB_NOLOCK;
    int err = mdb_env_create(&e->env);

    if (e->queue->options.durability == HG_DURABLE_OS)
        flags |= MDB_NOSYNC;
    if (!err)
        err = mdb_env_set_maxdbs(e->env, TABLE_COUNT);
    if (!err)
        err = mdb_env_set_mapsize(e->env, e->map_bytes);
    return err ? err : mdb_env_open(e->env, e->folder, flags, 0600);
}

static enum hg_rc check_format(struct embedded *e, const MDB_val *value, struct hg_error *err)
{
    struct format format;

    if (value->mv_size != sizeof(format))
        return damaged(e, err, "no format is written in it");
    memcpy(&format, value->mv_data, sizeof(format));
    if (memcmp(format.name, format_name, sizeof(format_name)) != 0)
        return damaged(e, err, "it is of another program");
    if (format.version > FORMAT_VERSION)
        return hg_error_set(err, HG_E_CONFLICT,
                            "the event store %s has format %u, this program knows formats up to "
                            "%d: start it with the newer version that wrote it",
                            e->file, format.version, FORMAT_VERSION);
    return HG_OK;
}

/* An empty store is ours to fill; any other must say that it is ours. */
static enum hg_rc recognise(struct embedded *e, bool *is_new, struct hg_error *err)
{
    MDB_val key = {sizeof("format") - 1, (void *)(uintptr_t) "format"}, value;
    enum hg_rc rc = HG_OK;
    MDB_txn *txn;
    MDB_stat stat;
    MDB_dbi meta, names;
    int code = mdb_txn_begin(e->env, NULL, MDB_RDONLY, &txn);

    if (code)
        return open_failed(e, err, code);
    code = mdb_dbi_open(txn, NULL, 0, &names);
    if (!code)
        code = mdb_stat(txn, names, &stat);
    *is_new = !code && stat.ms_entries == 0;
    if (!code && !*is_new) {
        code = mdb_dbi_open(txn, table_names[TABLE_META], 0, &meta);
        if (!code)
            code = mdb_get(txn, meta, &key, &value);
        if (!code)
            rc = check_format(e, &value, err);
        else if (code == MDB_NOTFOUND)
            rc = damaged(e, err, "it is of another program");
    }
    mdb_txn_abort(txn);
    if (rc != HG_OK || code == MDB_NOTFOUND)
        return rc;
    return code ? open_failed(e, err, code) : HG_OK;
}

static int write_format(struct embedded *e)
{
    struct format format = {.version = FORMAT_VERSION};
    MDB_val key = {sizeof("format") - 1, (void *)(uintptr_t) "format"};
    MDB_val value = {sizeof(format), &format};

    memcpy(format.name, format_name, sizeof(format_name));
    return mdb_put(e->txn, e->tables[TABLE_META], &key, &value, 0);
}

static int write_state(struct embedded *e)
{
    MDB_val key = {sizeof("state") - 1, (void *)(uintptr_t) "state"};
    MDB_val value = {sizeof(e->state), &e->state};

    e->state.steady_ms = hg_steady_ms();
    e->state.boot_ms = hg_boot_ms();
    return mdb_put(e->txn, e->tables[TABLE_META], &key, &value, 0);
}

static void read_boot_id(char out[EMBEDDED_BOOT_ID_BYTES])
{
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? 0 : read(fd, out, EMBEDDED_BOOT_ID_BYTES - 1);

    memset(out + HG_MAX(got, 0), 0, EMBEDDED_BOOT_ID_BYTES - (size_t)HG_MAX(got, 0));
    if (fd >= 0)
        (void)close(fd);
}

/* What is stored as due was written in this clock: it goes on where it stood, whatever happened to the wall's. */
static void continue_clock(struct embedded *e)
{
    char boot_id[EMBEDDED_BOOT_ID_BYTES];
    const struct embedded_state *then = &e->state;
    int64_t passed_ms = hg_boot_ms() - then->boot_ms;

    read_boot_id(boot_id);
    if (then->steady_ms && boot_id[0] && passed_ms >= 0 &&
        memcmp(boot_id, then->boot_id, sizeof(boot_id)) == 0)
        hg_steady_set(then->steady_ms + passed_ms);
    else if (then->steady_ms > hg_steady_ms())
        hg_steady_set(then->steady_ms);
    memcpy(e->state.boot_id, boot_id, sizeof(boot_id));
}

static int read_state(struct embedded *e)
{
    MDB_val key = {sizeof("state") - 1, (void *)(uintptr_t) "state"}, value;
    int err = mdb_get(e->txn, e->tables[TABLE_META], &key, &value);

    if (err == MDB_NOTFOUND)
        return 0;
    if (!err && value.mv_size != sizeof(e->state))
        return MDB_CORRUPTED;
    if (!err)
        memcpy(&e->state, value.mv_data, sizeof(e->state));
    return err;
}

static int read_next_seq(struct embedded *e)
{
    MDB_val key, value;
    MDB_cursor *cursor;
    int err = mdb_cursor_open(e->txn, e->tables[TABLE_HEAD], &cursor);

    if (err)
        return err;
    err = mdb_cursor_get(cursor, &key, &value, MDB_LAST);
    mdb_cursor_close(cursor);
    e->next_seq = 1;
    if (err)
        return err == MDB_NOTFOUND ? 0 : err;
    if (key.mv_size != sizeof(uint64_t))
        return MDB_CORRUPTED;
    e->next_seq = embedded_get_be64(key.mv_data) + 1;
    return 0;
}

static int prepare(struct embedded *e, bool is_new)
{
    int err = mdb_txn_begin(e->env, NULL, 0, &e->txn);

    if (err)
        return err;
    for (int i = 0; i < TABLE_COUNT && !err; i++)
        err = mdb_dbi_open(e->txn, table_names[i], MDB_CREATE, &e->tables[i]);
    if (!err && is_new)
        err = write_format(e);
    if (!err)
        err = read_state(e);
    if (!err)
        err = read_next_seq(e);
    if (!err) {
        continue_clock(e);
        err = embedded_lanes_load(e);
    }
    if (!err)
        err = embedded_marks_recover(e);
    if (err) {
        mdb_txn_abort(e->txn);
        e->txn = NULL;
        return err;
    }
    err = embedded_commit(e);
    if (!err)
        embedded_marks_clear(e->marks);
    return err;
}

/* Where the file lies in memory: from an address inside it to the mapping's ends. */
static void find_map(struct embedded *e)
{
    uintptr_t inside, begin, end;
    char line[512];
    MDB_val key = {sizeof("format") - 1, (void *)(uintptr_t) "format"}, value;
    FILE *maps;

    e->map_base = NULL;
    if (!embedded_read(e))
        return;
    inside =
        mdb_get(e->reader, e->tables[TABLE_META], &key, &value) == 0 ? (uintptr_t)value.mv_data : 0;
    embedded_read_end(e);
    maps = fopen("/proc/self/maps", "re");
    while (maps && fgets(line, sizeof(line), maps)) {
        if (sscanf(line, "%lx-%lx", &begin, &end) == 2 && inside >= begin && inside < end) {
            e->map_base = (void *)begin;
            e->map_length = end - begin;
        }
    }
    if (maps)
        (void)fclose(maps);
}

void embedded_trim(struct embedded *e)
{
    char text[64];
    unsigned long size, resident, shared;
    ssize_t got = e->statm_fd < 0 ? 0 : pread(e->statm_fd, text, sizeof(text) - 1, 0);

    if (got <= 0 || !e->map_base)
        return;
    text[got] = '\0';
    if (sscanf(text, "%lu %lu %lu", &size, &resident, &shared) == 3 &&
        shared * PAGE_BYTES > MAPPED_RESIDENT_MAX)
        (void)madvise(e->map_base, e->map_length, MADV_DONTNEED);
}

/* The file of leases is made when the store has something in it. */
static bool is_emptied(struct embedded *e)
{
    char leases[4096];
    struct stat st;

    (void)snprintf(leases, sizeof(leases), "%s/leases", e->folder);
    return stat(e->file, &st) == 0 && st.st_size == 0 && access(leases, F_OK) == 0;
}

enum hg_rc embedded_store_open(struct embedded *e, struct hg_error *err)
{
    uint64_t wanted = HG_MAX(e->queue->options.store_max, (uint64_t)MAP_LEAST);
    bool is_new = false;
    enum hg_rc rc = make_folder(e, err);
    const char *fault;
    int code;

    if (rc != HG_OK)
        return rc;
    fault = is_emptied(e) ? "it has been emptied" : embedded_check_file(e->file);
    if (fault)
        return damaged(e, err, fault);
    e->map_bytes = (size_t)((wanted + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES);
    code = open_env(e);
    if (code)
        return open_failed(e, err, code);
    rc = recognise(e, &is_new, err);
    if (rc != HG_OK)
        return rc;
    e->marks = embedded_marks_open(e->folder);
    code = prepare(e, is_new);
    /* The reserve is there for settles: without it no event could leave a full store. */
    if (embedded_is_lack_of_room(code)) {
        e->is_map_full = code == MDB_MAP_FULL;
        embedded_reserve_give(e->folder);
        embedded_make_roomy(e, true);
        code = prepare(e, is_new);
    }
    if (!code)
        code = mdb_txn_begin(e->env, NULL, MDB_RDONLY, &e->reader);
    if (code)
        return open_failed(e, err, code);
    mdb_txn_reset(e->reader);
    sync_folder(e->folder);
    sync_folder(e->queue->options.data_dir);
    e->statm_fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    find_map(e);
    return HG_OK;
}

void embedded_store_close(struct embedded *e)
{
    if (e->reader)
        mdb_txn_abort(e->reader);
    if (e->env) {
        /* With durability "os" nothing has been flushed yet; a clean end leaves nothing to chance. */
        if (e->reader && mdb_env_sync(e->env, 1) != 0)
            hg_warn("queue_flush_failed", "file=%s", e->file);
        mdb_env_close(e->env);
    }
    embedded_marks_close(e->marks);
    if (e->statm_fd >= 0)
        (void)close(e->statm_fd);
    if (e->lock_fd >= 0)
        (void)close(e->lock_fd);
}

int embedded_begin(struct embedded *e)
{
    e->former_state = e->state;
    e->former_seq = e->next_seq;
    e->arrival_count = 0;
    return mdb_txn_begin(e->env, NULL, 0, &e->txn);
}

static void undo(struct embedded *e)
{
    const struct hg_map_entry *entry;

    e->state = e->former_state;
    e->next_seq = e->former_seq;
    e->arrival_count = 0;
    /* Which rows were new is not kept: to write one again does no harm. */
    for (size_t at = 0; (entry = hg_map_next(&e->lanes, &at));)
        ((struct embedded_lane *)entry->value)->is_stored = false;
}

int embedded_commit(struct embedded *e)
{
    int err = write_state(e);

    if (err) {
        embedded_abort(e);
        return err;
    }
    err = mdb_txn_commit(e->txn);
    e->txn = NULL;
    if (err)
        undo(e);
    return err;
}

void embedded_abort(struct embedded *e)
{
    mdb_txn_abort(e->txn);
    e->txn = NULL;
    undo(e);
}

MDB_txn *embedded_read(struct embedded *e)
{
    return mdb_txn_renew(e->reader) == 0 ? e->reader : NULL;
}

void embedded_read_end(struct embedded *e)
{
    mdb_txn_reset(e->reader);
}

MDB_txn *embedded_txn(struct embedded *e)
{
    return e->txn ? e->txn : e->reader;
}

void embedded_make_roomy(struct embedded *e, bool is_roomy)
{
    size_t extra = HG_MAX(e->map_bytes / 16, (size_t)MAP_LEAST);

    if (is_roomy == e->is_roomy ||
        mdb_env_set_mapsize(e->env, e->map_bytes + (is_roomy ? extra : 0)) != 0)
        return;
    e->is_roomy = is_roomy;
    if (e->reader)
        find_map(e);
}

/* Rows that fill pages, written or removed: in one transaction that is flushed like any other. */
static int try_room(struct embedded *e, bool is_there)
{
    static const unsigned char page[4000];
    char name[16] = "room";
    MDB_val key = {sizeof(name), name}, value = {sizeof(page), (void *)(uintptr_t)page};
    int err = embedded_begin(e);

    if (err)
        return err;
    for (size_t i = 0; i < ROOM_BYTES / sizeof(page) && !err; i++) {
        embedded_put_be64((unsigned char *)name + 8, i);
        err = is_there ? mdb_put(e->txn, e->tables[TABLE_META], &key, &value, 0)
                       : mdb_del(e->txn, e->tables[TABLE_META], &key, NULL);
    }
    if (!err)
        return embedded_commit(e);
    embedded_abort(e);
    return err;
}

bool embedded_has_room(struct embedded *e)
{
    /* What is removed again stays in the file as free pages. */
    return try_room(e, true) == 0 && try_room(e, false) == 0;
}

uint64_t embedded_file_bytes(struct embedded *e)
{
    MDB_envinfo about;

    return mdb_env_info(e->env, &about) == 0 ? (about.me_last_pgno + 1) * (uint64_t)PAGE_BYTES : 0;
}
