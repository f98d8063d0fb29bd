/*
 * Records as bytes: a head of fixed length, numbers little-endian, then life,
 * payload and result. Pure; whatever a broker returns is looked at before it
 * is believed.
 */
#include "queue/kafka_record.h"

#include <endian.h>
#include <string.h>

enum { FORMAT_VERSION = 1, HAS_PAYLOAD = 1, HAS_RESULT = 2 };

/* Field by field at these offsets: the layout is the format, never the compiler's. */
enum {
    AT_MAGIC = 0, /* "HG" */
    AT_VERSION = 2,
    AT_KIND = 3,
    AT_FLAGS = 4,
    AT_TOPIC = 5,
    AT_HOP = 8,
    AT_WRITTEN = 12,
    AT_PARTITION = 20,
    AT_OFFSET = 24,
    AT_LIFE = 32,
    AT_PAYLOAD = 36,
    AT_RESULT = 40,
};

static void put_u32(unsigned char *to, uint32_t value)
{
    value = htole32(value);
    memcpy(to, &value, sizeof(value));
}

static void put_u64(unsigned char *to, uint64_t value)
{
    value = htole64(value);
    memcpy(to, &value, sizeof(value));
}

static uint32_t get_u32(const unsigned char *from)
{
    uint32_t value;

    memcpy(&value, from, sizeof(value));
    return le32toh(value);
}

static uint64_t get_u64(const unsigned char *from)
{
    uint64_t value;

    memcpy(&value, from, sizeof(value));
    return le64toh(value);
}

bool kafka_record_write(const struct hg_kafka_record *record, struct hg_buf *out)
{
    unsigned char head[HG_KAFKA_RECORD_HEAD] = {'H', 'G', FORMAT_VERSION,
                                                (unsigned char)record->kind};

    head[AT_FLAGS] = (unsigned char)((record->has_payload ? HAS_PAYLOAD : 0) |
                                     (record->has_result ? HAS_RESULT : 0));
    head[AT_TOPIC] = (unsigned char)record->place.topic;
    put_u32(head + AT_HOP, record->hop);
    put_u64(head + AT_WRITTEN, (uint64_t)record->written_ms);
    put_u32(head + AT_PARTITION, (uint32_t)record->place.partition);
    put_u64(head + AT_OFFSET, (uint64_t)record->place.offset);
    put_u32(head + AT_LIFE, (uint32_t)record->life.n);
    put_u32(head + AT_PAYLOAD, (uint32_t)record->payload.n);
    put_u32(head + AT_RESULT, (uint32_t)record->result.n);
    return hg_buf_append(out, head, sizeof(head)) && hg_buf_append_str(out, record->life) &&
           hg_buf_append_str(out, record->payload) && hg_buf_append_str(out, record->result);
}

static bool is_kind(unsigned char kind)
{
    return kind >= HG_KAFKA_RECORD_EVENT && kind <= HG_KAFKA_RECORD_MARK;
}

enum hg_rc kafka_record_read(struct hg_str bytes, struct hg_kafka_record *record,
                             struct hg_error *err)
{
    const unsigned char *head = (const unsigned char *)bytes.p;
    uint64_t life, payload, result;

    memset(record, 0, sizeof(*record));
    if (bytes.n < HG_KAFKA_RECORD_HEAD || head[AT_MAGIC] != 'H' || head[AT_MAGIC + 1] != 'G')
        return hg_error_set(err, HG_E_INVALID, "not a record of Headgate's");
    if (head[AT_VERSION] != FORMAT_VERSION)
        return hg_error_set(err, HG_E_UNSUPPORTED,
                            "a record of format %u, which a newer version wrote; this one knows %d",
                            head[AT_VERSION], FORMAT_VERSION);
    life = get_u32(head + AT_LIFE);
    payload = get_u32(head + AT_PAYLOAD);
    result = get_u32(head + AT_RESULT);
    if (!is_kind(head[AT_KIND]) || head[AT_TOPIC] >= HG_KAFKA_TOPIC_COUNT ||
        life + payload + result != bytes.n - HG_KAFKA_RECORD_HEAD)
        return hg_error_set(err, HG_E_INVALID, "a damaged record");
    record->kind = (enum hg_kafka_record_kind)head[AT_KIND];
    record->hop = get_u32(head + AT_HOP);
    record->written_ms = (int64_t)get_u64(head + AT_WRITTEN);
    record->place.topic = (enum hg_kafka_topic_id)head[AT_TOPIC];
    record->place.partition = (int32_t)get_u32(head + AT_PARTITION);
    record->place.offset = (int64_t)get_u64(head + AT_OFFSET);
    record->has_payload = (head[AT_FLAGS] & HAS_PAYLOAD) != 0;
    record->has_result = (head[AT_FLAGS] & HAS_RESULT) != 0;
    record->life = hg_str_n(bytes.p + HG_KAFKA_RECORD_HEAD, life);
    record->payload = hg_str_n(record->life.p + life, payload);
    record->result = hg_str_n(record->payload.p + payload, result);
    return HG_OK;
}
