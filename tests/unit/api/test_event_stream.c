/*
 * Event stream frames: the vectors of invoke-api.md §5.1.
 */
#include "api/event_stream.h"
#include "core/crypto.h"
#include "tests/unit/unit.h"

static void expect_hex(const struct hg_buf *frame, const char *wanted)
{
    struct hg_buf hex;

    hg_buf_init(&hex, 4096);
    assert_true(hg_hex_encode(&hex, frame->base + frame->off, frame->len));
    assert_str(hg_buf_str(&hex), wanted);
    hg_buf_fini(&hex);
}

static void test_vectors(void **state)
{
    struct hg_buf frame;

    (void)state;
    hg_buf_init(&frame, 1024);
    event_stream_write(&frame, "PayloadChunk", "application/octet-stream", HG_STR("hi"));
    expect_hex(&frame,
               "0000006c0000005ab25efdcf0b3a6576656e742d7479706507000c5061796c6f61644368756e6b"
               "0d3a636f6e74656e742d747970650700186170706c69636174696f6e2f6f637465742d73747265616d"
               "0d3a6d6573736167652d747970650700056576656e7468691162e469");
    hg_buf_clear(&frame, 1024);
    event_stream_write(&frame, "InvokeComplete", "application/json", HG_STR("{}"));
    expect_hex(&frame,
               "00000066000000541f56c8690b3a6576656e742d7479706507000e496e766f6b65436f6d706c657465"
               "0d3a636f6e74656e742d747970650700106170706c69636174696f6e2f6a736f6e"
               "0d3a6d6573736167652d747970650700056576656e747b7d7006d467");
    hg_buf_fini(&frame);
}

/* Frames behind one another have their own checksums. */
static void test_several(void **state)
{
    enum { WITHOUT_PAYLOAD = 106 };
    static char payload[HG_EVENT_PAYLOAD_PER_FRAME_MAX + 3];
    struct hg_buf frames, last;

    (void)state;
    hg_buf_init(&frames, 1 << 20);
    hg_buf_init(&last, 1024);
    event_stream_write_all(&frames, "PayloadChunk", "application/octet-stream",
                           hg_str_n(payload, sizeof(payload)));
    assert_int_equal(frames.len, 2 * WITHOUT_PAYLOAD + sizeof(payload));
    event_stream_write(&last, "PayloadChunk", "application/octet-stream", hg_str_n(payload, 3));
    assert_memory_equal(frames.base + frames.len - last.len, last.base, last.len);
    hg_buf_clear(&frames, 1024);
    event_stream_write_all(&frames, "PayloadChunk", "application/octet-stream", HG_STR(""));
    assert_int_equal(frames.len, 0);
    hg_buf_fini(&frames);
    hg_buf_fini(&last);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_vectors),
                                       cmocka_unit_test(test_several)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
