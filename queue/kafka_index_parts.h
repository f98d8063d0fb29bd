/*
 * What the files of the index share: its tables, and changing them. Used by queue/kafka_index*.c only.
 */
#ifndef HG_QUEUE_KAFKA_INDEX_PARTS_H
#define HG_QUEUE_KAFKA_INDEX_PARTS_H

#include "queue/kafka_index.h"

#include <lmdb.h>

#include <unistd.h>

enum {
    FORMAT_VERSION = 1,
    KEY_MAX = 256,
    BOOT_ID_LEN = 36,
    COMMIT_EVERY = 2000, /* changes: bounds the pages that wait in memory */
    RELEASE_EVERY = 64,  /* commits: mapped pages are given back to the page cache */
};

enum table { BY_ID, PAGES, ENDED, DEDUP, META, TABLE_COUNT };

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

MDB_val kafka_disk_val(const void *bytes, size_t length);
/* The transaction of this turn of the loop; NULL once the disk has refused. */
MDB_txn *kafka_disk_begin(struct kafka_index *index);
/* After each change of an event: commits when many have gathered. */
void kafka_disk_note_change(struct kafka_index *index);

bool kafka_disk_get(struct kafka_index *index, enum table table, const void *key, size_t length,
                    MDB_val *value);
void kafka_disk_put(struct kafka_index *index, enum table table, const void *key, size_t length,
                    MDB_val value);
void kafka_disk_del(struct kafka_index *index, enum table table, const void *key, size_t length);

#endif
