/*
 * What the engine's messages hold: bytes only, no broker. The same form in
 * every topic, so that each can be read without the others.
 */
#ifndef HG_QUEUE_KAFKA_RECORD_H
#define HG_QUEUE_KAFKA_RECORD_H

#include "core/buf.h"
#include "core/error.h"

/* The engine's topics, in the order of their names' table; stored in records: only ever add at the end. */
enum hg_kafka_topic_id {
    HG_KAFKA_EVENTS,      /* what waits to run */
    HG_KAFKA_DELAY_FIRST, /* what waits for a time or for room: one topic for each length of wait */
    HG_KAFKA_DELAY_LAST = HG_KAFKA_DELAY_FIRST + 6,
    HG_KAFKA_DEAD,   /* compacted: what is kept until somebody redrives or purges it */
    HG_KAFKA_STATUS, /* compacted: the newest life of each event, without its payload */
    HG_KAFKA_TOPIC_COUNT
};

/* Where a record is stored. */
struct hg_kafka_place {
    enum hg_kafka_topic_id topic;
    int32_t partition;
    int64_t offset;
};

enum hg_kafka_record_kind {
    HG_KAFKA_RECORD_EVENT = 1,  /* an event to be run: life, payload, result */
    HG_KAFKA_RECORD_LIFE = 2,   /* status: the life; result only of one that is finished */
    HG_KAFKA_RECORD_PURGED = 3, /* status: forget it, also where a copy of it still waits */
    HG_KAFKA_RECORD_MARK = 4,   /* status: tells a node that it has read up to here */
};

struct hg_kafka_record {
    enum hg_kafka_record_kind kind;
    /* Counts the copies that were written of an event: the highest one is its present, the others are past. */
    uint32_t hop;
    int64_t written_ms;          /* hg_steady_ms of the writer */
    struct hg_kafka_place place; /* LIFE: of the newest EVENT record */
    struct hg_str life;          /* hg_event_encode; empty unless EVENT or LIFE */
    struct hg_str payload, result;
    bool has_payload, has_result;
};

enum { HG_KAFKA_RECORD_HEAD = 44 };

/* False when out has no room. */
bool kafka_record_write(const struct hg_kafka_record *record, struct hg_buf *out);
/* The record's texts point into bytes. HG_E_UNSUPPORTED: a newer version's; HG_E_INVALID: not one, or a torn one. */
enum hg_rc kafka_record_read(struct hg_str bytes, struct hg_kafka_record *record,
                             struct hg_error *err) hg_must_use;

#endif
