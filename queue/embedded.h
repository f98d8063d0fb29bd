/*
 * The embedded engine's inside, shared by its files: an LMDB store under
 * <data-dir>/queue, written by one transaction for all operations that waited.
 * Queue's loop only. Codes named err are LMDB's or errno's; 0 is success.
 */
#ifndef HG_QUEUE_EMBEDDED_H
#define HG_QUEUE_EMBEDDED_H

#include "core/map.h"
#include "queue/backend.h"

struct MDB_env;
struct MDB_txn;
struct MDB_cursor;
struct MDB_val;

/*
 * seq is an event's place in the order of acceptance. Numbers in keys are big-endian, so that bytes sort as they do;
 * new events are always appended.
 */
enum embedded_table {
    TABLE_META,      /* "format", "state" */
    TABLE_HEAD,      /* seq → struct embedded_head, hg_event_encode's bytes */
    TABLE_PAYLOAD,   /* seq, part → bytes */
    TABLE_RESULT,    /* seq, part → bytes */
    TABLE_ID,        /* id → seq */
    TABLE_LANE,      /* lane → function\0channel */
    TABLE_WAITING,   /* lane, due_ms, seq → nothing: what is to be leased, leased ones included */
    TABLE_DONE,      /* finished_ms, seq → nothing */
    TABLE_DEAD,      /* seq → nothing */
    TABLE_DEDUP,     /* hash of function and key → struct embedded_dedup */
    TABLE_DEDUP_END, /* end of the window, hash → nothing */
    TABLE_COUNT
};

enum {
    EMBEDDED_ID_BYTES = 16,
    EMBEDDED_HASH_BYTES = 16,
    EMBEDDED_BOOT_ID_BYTES = 40,
};

#define EMBEDDED_NO_RESULT UINT32_MAX

/* What is looked at without decoding; in front of the event's bytes. */
struct embedded_head {
    int64_t accepted_ms;
    int64_t at_ms; /* due, or finished: its place in TABLE_WAITING or TABLE_DONE */
    uint64_t lane;
    uint32_t payload_bytes;
    uint32_t result_bytes; /* EMBEDDED_NO_RESULT: it has none */
    uint32_t function_hash;
    uint32_t state; /* enum hg_event_state, never running */
};

struct embedded_dedup {
    int64_t until_ms;
    unsigned char id[EMBEDDED_ID_BYTES];
};

/* What every transaction leaves behind: for the next start. */
struct embedded_state {
    int64_t steady_ms, boot_ms;
    char boot_id[EMBEDDED_BOOT_ID_BYTES];
    uint64_t counts[HG_EVENT_STATE_COUNT]; /* stored states */
    uint64_t history_bytes;                /* of finished events */
};

/* Those of one function that wait to run, or whose record waits for one target. */
struct embedded_lane {
    uint64_t key; /* hash of its name, 8 bytes */
    struct hg_str name;
    const char *function, *channel; /* inside name */
    /* Everything before (from_ms, from_seq) is leased or gone. */
    int64_t from_ms;
    uint64_t from_seq;
    struct hg_timer timer; /* runs while it is watched and something will be due */
    int64_t wake_ms;       /* when; INT64_MAX: nothing is known to wait */
    bool is_told;          /* its listener owes a lease; else it is watched */
    bool is_stored;        /* its row in TABLE_LANE */
    unsigned leased;
    struct embedded *engine;
};

/* An event in its router's hands. Lives until its settle is durable. */
struct embedded_lease {
    uint64_t seq;
    struct hg_str key; /* seq, for the map */
    struct embedded_lane *lane;
    struct embedded_head head; /* as stored */
    struct hg_blob *result;    /* as stored: need not be written again */
    size_t mark;
    bool is_unreadable; /* nobody has it: set aside until it is purged */
};

/* Something that waits in a lane once the transaction is durable. */
struct embedded_arrival {
    struct embedded_lane *lane;
    int64_t due_ms;
    uint64_t seq;
};

struct embedded {
    struct hg_queue *queue;
    char *folder, *file;
    int lock_fd;
    struct MDB_env *env;
    struct MDB_txn *txn;    /* the write transaction, while there is one */
    struct MDB_txn *reader; /* renewed for each use */
    unsigned tables[TABLE_COUNT];
    size_t map_bytes; /* for puts; settles may go a little beyond */
    bool is_roomy;    /* the map has its reserve now */
    bool is_full;     /* puts failed for lack of room */
    bool is_map_full; /* and it is the store's own maximum that was reached */
    bool is_faulty;   /* the last transaction failed for another reason */
    bool forgets;     /* room is so short that finished events are not remembered */

    uint64_t next_seq;
    struct embedded_state state;
    struct hg_buf scratch; /* an event's bytes on their way in */

    struct hg_map lanes;  /* by name */
    struct hg_map leases; /* by seq */
    uint64_t leased_states[HG_EVENT_STATE_COUNT];
    struct embedded_marks *marks;

    struct hg_list batch; /* put, settle and change operations of this turn */
    struct hg_list finds; /* pages, which may take several turns */
    struct hg_task turn;
    struct hg_timer again; /* finds go on */
    struct hg_timer tick;
    struct hg_timer sweeper; /* runs while there is something to forget */

    /* Of the running transaction: undone when it fails. */
    struct embedded_arrival *arrivals;
    size_t arrival_count, arrival_room;
    uint64_t former_seq;
    struct embedded_state former_state;

    uint64_t oldest_seq; /* no living event comes before it */
    void *map_base;      /* of the file in memory */
    size_t map_length;
    int statm_fd;
};

/* embedded_store.c: the file, its format, transactions. */
enum hg_rc embedded_store_open(struct embedded *e, struct hg_error *err);
void embedded_store_close(struct embedded *e);
int embedded_begin(struct embedded *e);
/* Both end the transaction; abort undoes what is in memory too. */
int embedded_commit(struct embedded *e);
void embedded_abort(struct embedded *e);
/* The read transaction at the newest state, until embedded_read_end; never beside a write transaction. NULL: the store is broken. */
struct MDB_txn *embedded_read(struct embedded *e);
void embedded_read_end(struct embedded *e);
/* The transaction that is open, for what both kinds do. */
struct MDB_txn *embedded_txn(struct embedded *e);
/* Room for settles beyond what puts may use, or no longer. Between transactions. */
void embedded_make_roomy(struct embedded *e, bool is_roomy);
/* Whether some megabytes can be stored now: they are. Between transactions. */
bool embedded_has_room(struct embedded *e);
bool embedded_is_lack_of_room(int err);
const char *embedded_error_text(int err);
/* Gives back the file's pages in memory when they are many: they count as the process's. Between transactions. */
void embedded_trim(struct embedded *e);
uint64_t embedded_file_bytes(struct embedded *e);

/* embedded_reserve.c: a file whose removal makes room when the disk is full. */
void embedded_reserve_make(const char *folder);
bool embedded_reserve_is_there(const char *folder);
void embedded_reserve_give(const char *folder);

/* embedded_check.c: what is wrong with the file, in a few words; NULL: nothing, or there is none. */
const char *embedded_check_file(const char *path);
/* The same of a file's bytes; is_map: they are a file in memory; whole_size: how long it says it is. */
const char *embedded_check_bytes(const unsigned char *bytes, size_t size, bool is_map,
                                 uint64_t *whole_size);

/* embedded_keys.c */
void embedded_put_be64(unsigned char *at, uint64_t value);
uint64_t embedded_get_be64(const void *at);
void embedded_id_bytes(const char *id, unsigned char out[EMBEDDED_ID_BYTES]);
void embedded_id_text(const unsigned char id[EMBEDDED_ID_BYTES], char out[HG_UUID_LEN + 1]);
uint32_t embedded_function_hash(const char *function);

/* embedded_event.c: an event's rows. In a transaction. */
/* Appends a living event under a new seq. */
int embedded_store_event(struct embedded *e, struct hg_event *event);
/* Writes the head anew. former: as stored; result_changed: event->result is written, else kept. */
int embedded_rewrite_event(struct embedded *e, uint64_t seq, const struct embedded_head *former,
                           struct hg_event *event, bool result_changed);
/* Removes all of its rows; id: NULL when nobody knows it. */
int embedded_erase_event(struct embedded *e, uint64_t seq, const struct embedded_head *head,
                         const char *id);
int embedded_find_seq(struct embedded *e, const char *id, uint64_t *seq);
/* head: the fixed part; code: the event's bytes, valid until the transaction writes or ends. */
int embedded_load_head(struct embedded *e, uint64_t seq, struct embedded_head *head,
                       struct hg_str *code);
int embedded_load_bytes(struct embedded *e, enum embedded_table table, uint64_t seq, size_t length,
                        struct hg_blob **out);
/* The event as a value, with payload and result when with_bytes. *out is NULL when its bytes are not understood (why says it). */
int embedded_load_event(struct embedded *e, uint64_t seq, bool with_bytes, struct hg_event **out,
                        struct embedded_head *head, struct hg_error *why);

/* embedded.c: the operation changes nothing and ends with rc and the sentence, whatever becomes of the others. Returns 0. */
int embedded_refuse(struct hg_queue_op *op, enum hg_rc rc, const char *why);

/* embedded_put.c, embedded_settle.c, embedded_change.c: one operation inside the transaction. An error is the transaction's. */
int embedded_put_op(struct embedded *e, struct hg_put_op *op);
/* Once it is durable: a known event gets its first id. */
void embedded_put_end(struct hg_put_op *op);
int embedded_sweep_dedup(struct embedded *e, unsigned max);
int embedded_settle_op(struct embedded *e, struct hg_settle_op *op);
int embedded_change_op(struct embedded *e, struct hg_change_op *op);

/* embedded_lanes.c */
struct embedded_lane *embedded_lane(struct embedded *e, const char *function, const char *channel);
int embedded_lane_store(struct embedded *e, struct embedded_lane *lane);
int embedded_lanes_load(struct embedded *e);
void embedded_lanes_free(struct embedded *e);
/* What happens in a lane: something waits from now on; a lease came back with less than it wanted, next due at. */
void embedded_lane_arrived(struct embedded_lane *lane, int64_t due_ms, uint64_t seq);
void embedded_lane_ran_dry(struct embedded_lane *lane, int64_t next_ms);
/* Forgets empty ones when there are many. */
void embedded_lanes_tidy(struct embedded *e);

/* embedded_lease.c */
void embedded_serve_lease(struct embedded *e, struct hg_lease_op *op);
struct embedded_lease *embedded_lease_of(struct embedded *e, uint64_t seq);
void embedded_lease_end(struct embedded *e, struct embedded_lease *lease);
void embedded_leases_free(struct embedded *e);

/* embedded_marks.c: which events are leased, where a killed process leaves it. */
struct embedded_marks *embedded_marks_open(const char *folder);
void embedded_marks_close(struct embedded_marks *marks);
size_t embedded_mark(struct embedded_marks *marks, const unsigned char id[EMBEDDED_ID_BYTES]);
void embedded_unmark(struct embedded_marks *marks, size_t mark);
/* Counts a delivery more for each event that was leased when the store was left. */
int embedded_marks_recover(struct embedded *e);
/* Once that is durable. */
void embedded_marks_clear(struct embedded_marks *marks);

/* embedded_find.c */
void embedded_find_op(struct embedded *e, struct hg_find_op *op);
/* Goes on with pages, some of the way. */
void embedded_finds_continue(struct embedded *e);
void embedded_finds_end(struct embedded *e);

/* embedded_sweep.c: forgets finished events, oldest first, at most max of them. In a transaction. */
int embedded_sweep(struct embedded *e, unsigned max, unsigned *swept);
/* Whether there is something to forget. Between transactions. */
bool embedded_wants_sweep(struct embedded *e);
/* Cheap: what is counted anyway. */
void embedded_gauge(struct embedded *e);
/* Looks for the oldest living event, some of the way. */
void embedded_gauge_oldest(struct embedded *e);

#endif
