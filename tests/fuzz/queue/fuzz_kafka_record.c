/*
 * A message of any topic, whoever wrote it: refused, or a record whose own
 * bytes are the message again.
 */
#include "queue/kafka_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct hg_str text = hg_str_n((const char *)bytes, size);
    struct hg_kafka_record record, again;
    struct hg_buf out;

    if (kafka_record_read(text, &record, NULL) != HG_OK)
        return 0;
    hg_buf_init(&out, size);
    hg_assert(kafka_record_write(&record, &out));
    hg_assert(kafka_record_read(hg_buf_str(&out), &again, NULL) == HG_OK);
    hg_assert(again.hop == record.hop && again.place.offset == record.place.offset);
    hg_assert(hg_str_eq(again.life, record.life) && hg_str_eq(again.payload, record.payload) &&
              hg_str_eq(again.result, record.result));
    hg_buf_fini(&out);
    return 0;
}
