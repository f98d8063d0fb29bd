/* Records as bytes: what is written is read again; what is torn, foreign or newer is not believed. */
#include "queue/kafka_record.h"
#include "tests/unit/unit.h"

static const struct hg_kafka_record sample = {
    .kind = HG_KAFKA_RECORD_EVENT,
    .hop = 7,
    .written_ms = 1767322800123,
    .place = {HG_KAFKA_DELAY_FIRST, 3, 4711},
    .life = {"life", 4},
    .payload = {"{\"a\":1}", 7},
    .result = {"", 0},
    .has_payload = true,
};

static void write_sample(struct hg_buf *out)
{
    hg_buf_init(out, 4096);
    assert_true(kafka_record_write(&sample, out));
}

static void test_round_trip(void **state)
{
    struct hg_kafka_record read;
    struct hg_buf bytes;

    (void)state;
    write_sample(&bytes);
    assert_int_equal(bytes.len, 44 + 4 + 7);
    assert_int_equal(kafka_record_read(hg_buf_str(&bytes), &read, NULL), HG_OK);
    assert_int_equal(read.kind, HG_KAFKA_RECORD_EVENT);
    assert_int_equal(read.hop, 7);
    assert_int_equal(read.written_ms, 1767322800123);
    assert_int_equal(read.place.topic, HG_KAFKA_DELAY_FIRST);
    assert_int_equal(read.place.partition, 3);
    assert_int_equal(read.place.offset, 4711);
    assert_true(hg_str_is(read.life, "life"));
    assert_true(hg_str_is(read.payload, "{\"a\":1}"));
    assert_true(read.has_payload);
    assert_false(read.has_result);
    assert_int_equal(read.result.n, 0);
    hg_buf_fini(&bytes);
}

/* The stored form is a promise to other nodes and later versions. */
static void test_layout(void **state)
{
    static const unsigned char head[44] = {
        'H',  'G',  1,    1,    1,    1,    0, 0,             /* version, kind, payload, topic */
        7,    0,    0,    0,                                  /* hop */
        0xfb, 0xcf, 0xa5, 0x7c, 0x9b, 0x01, 0, 0,             /* 1767322800123 */
        3,    0,    0,    0,                                  /* partition */
        0x67, 0x12, 0,    0,    0,    0,    0, 0,             /* offset 4711 */
        4,    0,    0,    0,    7,    0,    0, 0, 0, 0, 0, 0, /* lengths */
    };
    struct hg_buf bytes;

    (void)state;
    write_sample(&bytes);
    assert_memory_equal(hg_buf_str(&bytes).p, head, sizeof(head));
    assert_memory_equal(hg_buf_str(&bytes).p + sizeof(head), "life{\"a\":1}", 11);
    hg_buf_fini(&bytes);
}

static void test_torn_and_foreign(void **state)
{
    struct hg_kafka_record read;
    struct hg_buf bytes;
    char *p;

    (void)state;
    write_sample(&bytes);
    for (size_t n = 0; n < bytes.len; n++)
        assert_int_equal(kafka_record_read(hg_str_n(hg_buf_str(&bytes).p, n), &read, NULL),
                         HG_E_INVALID);
    p = bytes.base + bytes.off;
    p[3] = 9; /* no such kind */
    assert_int_equal(kafka_record_read(hg_buf_str(&bytes), &read, NULL), HG_E_INVALID);
    p[3] = 1;
    p[5] = HG_KAFKA_TOPIC_COUNT;
    assert_int_equal(kafka_record_read(hg_buf_str(&bytes), &read, NULL), HG_E_INVALID);
    p[5] = 1;
    p[0] = 'h';
    assert_int_equal(kafka_record_read(hg_buf_str(&bytes), &read, NULL), HG_E_INVALID);
    hg_buf_fini(&bytes);
}

static void test_newer_version(void **state)
{
    struct hg_kafka_record read;
    struct hg_error err = {""};
    struct hg_buf bytes;

    (void)state;
    write_sample(&bytes);
    bytes.base[bytes.off + 2] = 2;
    assert_int_equal(kafka_record_read(hg_buf_str(&bytes), &read, &err), HG_E_UNSUPPORTED);
    assert_non_null(strstr(err.text, "newer"));
    hg_buf_fini(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_layout),
        cmocka_unit_test(test_torn_and_foreign),
        cmocka_unit_test(test_newer_version),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
