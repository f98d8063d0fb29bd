/*
 * What this node knows of every event in the queue: the status topic, kept so
 * that it can be searched. An LMDB environment in the data folder; it may be
 * lost at any time, the topic brings it back. One thread.
 */
#ifndef HG_QUEUE_KAFKA_INDEX_H
#define HG_QUEUE_KAFKA_INDEX_H

#include "core/loop.h"
#include "queue/event.h"
#include "queue/kafka_record.h"

struct kafka_index;

/* How far an event is at its hop; more never becomes less. */
enum kafka_index_rank { KAFKA_LIVING, KAFKA_ENDED, KAFKA_PURGED };

struct kafka_index_entry {
    uint32_t hop, redrives;
    enum kafka_index_rank rank;
    enum hg_event_state state;
    int64_t accepted_ms, finished_ms;
    bool has_result;              /* in the status record */
    struct hg_kafka_place body;   /* of the EVENT record */
    struct hg_kafka_place status; /* of the status record; offset -1: not known yet */
    struct hg_str life;           /* valid until the index is used next */
};

/*
 * cluster: which Kafka it mirrors; one that mirrors another, or may have been torn by a crash of the machine, is thrown away.
 * HG_E_CONFLICT: another process uses it.
 */
enum hg_rc kafka_index_open(const char *dir, struct hg_loop *loop, int64_t dedup_window_ms,
                            struct kafka_index **out, struct hg_error *err);
void kafka_index_close(struct kafka_index *index);
/* The name of the node whose index it is, made when the folder was: the same after a restart. */
const char *kafka_index_node(const struct kafka_index *index);
/* Empties it unless it mirrors this. */
void kafka_index_bind(struct kafka_index *index, const char *cluster);

/* The disk refuses (full): nothing that was applied since the last commit is kept. why: static. */
bool kafka_index_has_failed(const struct kafka_index *index, const char **why);
/* Tries again; positions are then the last committed ones: read on from there. */
bool kafka_index_recover(struct kafka_index *index);

bool kafka_index_find(struct kafka_index *index, const char *id, struct kafka_index_entry *entry);
/* Whether a copy of the event is not its present any more: ended, purged, or gone on by another copy. */
bool kafka_index_is_past(struct kafka_index *index, const char *id, uint32_t redrives,
                         uint32_t hop);
/* event's life, if it is news; status.offset -1 when its status record is not stored yet. */
void kafka_index_apply(struct kafka_index *index, const struct hg_event *event, uint32_t hop,
                       const struct hg_kafka_place *body, const struct hg_kafka_place *status,
                       struct hg_str life);
void kafka_index_purge(struct kafka_index *index, const char *id, uint32_t hop, int64_t now_ms);
/* What is remembered of a finished event goes; a living one stays. */
void kafka_index_forget(struct kafka_index *index, const char *id);

/*
 * The event that was the first with this one's function and key, within the window: by its offset in events, where all of a
 * key are in one partition. False when that is this event itself; offset -1: of one that is not stored yet.
 */
bool kafka_index_find_first(struct kafka_index *index, const struct hg_event *event, int64_t offset,
                            char id[HG_UUID_LEN + 1]);

/* Where to read on in a partition of the status topic; 0 at first. */
int64_t kafka_index_position(struct kafka_index *index, int32_t partition);
void kafka_index_set_position(struct kafka_index *index, int32_t partition, int64_t next);

/*
 * Ids of a function ("": all) in one state, newest accepted first, beginning behind (accepted_ms, id); id "": at the newest.
 * False at the end.
 */
bool kafka_index_before(struct kafka_index *index, const char *function, enum hg_event_state state,
                        int64_t *accepted_ms, char id[HG_UUID_LEN + 1]);
/* Acceptance of the oldest living one; 0: none. */
int64_t kafka_index_oldest(struct kafka_index *index);
/* The one that ended first, behind (finished_ms, id). Purged ones are among them. */
bool kafka_index_next_ended(struct kafka_index *index, int64_t *finished_ms,
                            char id[HG_UUID_LEN + 1]);

const uint64_t *kafka_index_counts(const struct kafka_index *index); /* by hg_event_state */
/* Bytes of finished ones. */
uint64_t kafka_index_ended_bytes(const struct kafka_index *index);

#endif
