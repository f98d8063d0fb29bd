/*
 * Allowances for an HTTP/2 client's frames: bytes and times made by hand.
 */
#include "http/http2_guard.h"
#include "tests/unit/unit.h"

enum { SECOND_US = 1000000, START_US = 5 * SECOND_US, MAX_HEADERS = 1000 };

static struct hg_h2_guard guard;
static int64_t now_us;

static int set_up(void **state)
{
    static const char magic[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

    (void)state;
    now_us = START_US;
    guard_init(&guard, MAX_HEADERS, now_us);
    return guard_scan(&guard, magic, sizeof(magic) - 1, now_us) == HG_ABUSE_NONE ? 0 : -1;
}

static enum hg_abuse frame_on(unsigned id, unsigned type, unsigned flags, unsigned length)
{
    static const char payload[1 << 16];
    char head[9] = {(char)(length >> 16), (char)(length >> 8), (char)length,
                    (char)type,           (char)flags,         (char)(id >> 24),
                    (char)(id >> 16),     (char)(id >> 8),     (char)id};
    enum hg_abuse found = guard_scan(&guard, head, sizeof(head), now_us);

    assert_int_equal(guard_scan(&guard, payload, length, now_us), HG_ABUSE_NONE);
    return found;
}

static enum hg_abuse frame(unsigned type, unsigned flags, unsigned length)
{
    return frame_on(1, type, flags, length);
}

/* How many such frames pass until one does not. */
static int passes(unsigned type, unsigned flags, unsigned length, enum hg_abuse expected)
{
    enum hg_abuse found = HG_ABUSE_NONE;
    int count = 0;

    while (count < 100000 && (found = frame(type, flags, length)) == HG_ABUSE_NONE)
        count++;
    assert_int_equal(found, expected);
    return count;
}

static void test_bursts(void **state)
{
    static const struct {
        unsigned type, flags, length;
        enum hg_abuse kind;
        int burst;
    } rows[] = {
        {0x3, 0, 4, HG_ABUSE_RESETS, 200},    {0x6, 0, 8, HG_ABUSE_PINGS, 1000},
        {0x4, 0, 6, HG_ABUSE_SETTINGS, 50},   {0x2, 0, 5, HG_ABUSE_PRIORITIES, 500},
        {0x10, 0, 4, HG_ABUSE_PRIORITIES, 0}, {0x8, 0, 4, HG_ABUSE_WINDOWS, 1000},
        {0x0, 0, 0, HG_ABUSE_EMPTY, 100},     {0xfa, 0, 3, HG_ABUSE_EMPTY, 0},
    };

    (void)state;
    for (size_t i = 0; i < HG_COUNT(rows); i++)
        assert_int_equal(passes(rows[i].type, rows[i].flags, rows[i].length, rows[i].kind),
                         rows[i].burst);
}

static void test_allowances_grow_back(void **state)
{
    (void)state;
    assert_int_equal(passes(0x3, 0, 4, HG_ABUSE_RESETS), 200);
    now_us += SECOND_US / 20 - 1;
    assert_int_equal(passes(0x3, 0, 4, HG_ABUSE_RESETS), 0);
    now_us += 1;
    assert_int_equal(passes(0x3, 0, 4, HG_ABUSE_RESETS), 1);
    now_us += SECOND_US;
    assert_int_equal(passes(0x3, 0, 4, HG_ABUSE_RESETS), 20);
    now_us += 3600LL * SECOND_US;
    assert_int_equal(passes(0x3, 0, 4, HG_ABUSE_RESETS), 200);
}

static void test_credit(void **state)
{
    (void)state;
    assert_int_equal(passes(0x8, 0, 4, HG_ABUSE_WINDOWS), 1000);
    guard_credit(&guard, HG_ABUSE_WINDOWS, 3, now_us);
    assert_int_equal(passes(0x8, 0, 4, HG_ABUSE_WINDOWS), 3);
    /* Never more than a full allowance. */
    guard_credit(&guard, HG_ABUSE_WINDOWS, 5000, now_us);
    assert_int_equal(passes(0x8, 0, 4, HG_ABUSE_WINDOWS), 1000);
}

static void test_replies_and_real_data_are_free(void **state)
{
    (void)state;
    for (int i = 0; i < 5000; i++) {
        assert_int_equal(frame(0x4, 0x1, 0), HG_ABUSE_NONE); /* SETTINGS ACK */
        assert_int_equal(frame(0x6, 0x1, 8), HG_ABUSE_NONE); /* PING ACK */
        unsigned id = 2 * (unsigned)i + 1;

        assert_int_equal(frame_on(id, 0x1, 0x4, 20), HG_ABUSE_NONE); /* a request */
        assert_int_equal(frame_on(id, 0x0, 0, 1), HG_ABUSE_NONE);    /* DATA */
        assert_int_equal(frame_on(id, 0x0, 0x1, 0), HG_ABUSE_NONE);  /* empty DATA that ends it */
    }
}

static void test_continuations(void **state)
{
    (void)state;
    assert_int_equal(frame(0x1, 0, 10), HG_ABUSE_NONE);
    assert_int_equal(passes(0x9, 0, 1, HG_ABUSE_CONTINUATIONS), 8);
    (void)set_up(NULL);
    for (int block = 0; block < 100; block++) {
        assert_int_equal(frame(0x1, 0, 10), HG_ABUSE_NONE);
        for (int i = 0; i < 7; i++)
            assert_int_equal(frame(0x9, 0, 0), HG_ABUSE_NONE);
        assert_int_equal(frame(0x9, 0x4, 0), HG_ABUSE_NONE);
    }
}

static void test_block_size(void **state)
{
    (void)state;
    assert_int_equal(frame(0x1, 0, 4 * MAX_HEADERS), HG_ABUSE_NONE);
    assert_int_equal(frame(0x9, 0x4, 1), HG_ABUSE_HEADER_BLOCK);
    (void)set_up(NULL);
    assert_int_equal(frame(0x1, 0x4, 4 * MAX_HEADERS + 1), HG_ABUSE_HEADER_BLOCK);
}

static void test_byte_by_byte(void **state)
{
    static const char bytes[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
                                "\0\0\0\4\0\0\0\0\0"          /* SETTINGS */
                                "\0\0\2\1\5\0\0\0\1ab"        /* HEADERS */
                                "\0\0\4\3\0\0\0\0\1\0\0\0\0"; /* RST_STREAM */

    (void)state;
    guard_init(&guard, MAX_HEADERS, now_us);
    for (size_t i = 0; i < sizeof(bytes) - 1; i++)
        assert_int_equal(guard_scan(&guard, bytes + i, 1, now_us), HG_ABUSE_NONE);
    assert_int_equal(passes(0x3, 0, 4, HG_ABUSE_RESETS), 199);
    assert_int_equal(passes(0x4, 0, 0, HG_ABUSE_SETTINGS), 49);
}

static void test_since_when_a_head_is_incomplete(void **state)
{
    static const char headers[] = "\0\0\3\1\0\0\0\0\1abc";
    static const char data[] = "\0\0\3\0\0\0\0\0\1abc";

    (void)state;
    assert_int_equal(guard_head_since(&guard), 0);
    /* A part of a frame's head, the rest, a part of the payload, the rest: HEADERS without END_HEADERS. */
    assert_int_equal(guard_scan(&guard, headers, 4, now_us), HG_ABUSE_NONE);
    assert_int_equal(guard_head_since(&guard), START_US);
    now_us += SECOND_US;
    assert_int_equal(guard_scan(&guard, headers + 4, 6, now_us), HG_ABUSE_NONE);
    assert_int_equal(guard_scan(&guard, headers + 10, 2, now_us), HG_ABUSE_NONE);
    assert_int_equal(guard_head_since(&guard), START_US);
    assert_int_equal(frame(0x9, 0, 1), HG_ABUSE_NONE);
    assert_int_equal(guard_head_since(&guard), START_US);
    assert_int_equal(frame(0x9, 0x4, 1), HG_ABUSE_NONE);
    assert_int_equal(guard_head_since(&guard), 0);
    /* The payload of DATA has a time limit of its own. */
    assert_int_equal(guard_scan(&guard, data, 10, now_us), HG_ABUSE_NONE);
    assert_int_equal(guard_head_since(&guard), 0);
    /* The end of one frame and the start of the next: the time starts with the next. */
    assert_int_equal(guard_scan(&guard, data + 10, 2, now_us), HG_ABUSE_NONE);
    assert_int_equal(guard_scan(&guard, headers, 3, now_us), HG_ABUSE_NONE);
    assert_int_equal(guard_head_since(&guard), START_US + SECOND_US);

    /* The client's preface itself. */
    guard_init(&guard, MAX_HEADERS, now_us);
    assert_int_equal(guard_head_since(&guard), now_us);
}

static void test_frames_on_ended_streams(void **state)
{
    (void)state;
    /* Ended with HEADERS, with DATA, with trailers, by reset. */
    assert_int_equal(frame_on(1, 0x1, 0x5, 5), HG_ABUSE_NONE);
    assert_int_equal(frame_on(3, 0x1, 0x4, 5), HG_ABUSE_NONE);
    assert_int_equal(frame_on(3, 0x0, 0x0, 5), HG_ABUSE_NONE);
    assert_int_equal(frame_on(3, 0x0, 0x1, 5), HG_ABUSE_NONE);
    assert_int_equal(frame_on(5, 0x1, 0x4, 5), HG_ABUSE_NONE);
    assert_int_equal(frame_on(5, 0x1, 0x5, 5), HG_ABUSE_NONE);
    assert_int_equal(frame_on(7, 0x1, 0x4, 5), HG_ABUSE_NONE);
    assert_int_equal(frame_on(7, 0x3, 0, 4), HG_ABUSE_NONE);
    for (unsigned id = 1; id <= 7; id += 2) {
        assert_int_equal(frame_on(id, 0x8, 0, 4), HG_ABUSE_NONE); /* WINDOW_UPDATE may come late */
        assert_int_equal(frame_on(id, 0x0, 0x0, 5), HG_ABUSE_ENDED_STREAM);
        assert_int_equal(frame_on(id, 0x1, 0x4, 5), HG_ABUSE_ENDED_STREAM);
    }
    assert_true(guard_has_seen(&guard, 5));
    assert_false(guard_has_seen(&guard, 9));
    guard_note_ended(&guard, 9);
    assert_int_equal(frame_on(9, 0x0, 0x1, 5), HG_ABUSE_ENDED_STREAM);
}

static void test_bad_priority(void **state)
{
    static const char on_itself[] = "\0\0\5\2\0\0\0\0\7\200\0\0\7\1";
    static const char of_stream_0[] = "\0\0\5\2\0\0\0\0\0";
    static const char on_another[] = "\0\0\5\2\0\0\0\0\7\0\0\0\5\7";
    size_t last = sizeof(on_itself) - 2;

    (void)state;
    assert_int_equal(guard_scan(&guard, of_stream_0, sizeof(of_stream_0) - 1, now_us),
                     HG_ABUSE_BAD_PRIORITY);
    (void)set_up(NULL);
    assert_int_equal(guard_scan(&guard, on_another, sizeof(on_another) - 1, now_us), HG_ABUSE_NONE);
    assert_int_equal(guard_scan(&guard, on_itself, last + 1, now_us), HG_ABUSE_BAD_PRIORITY);
    (void)set_up(NULL);
    for (size_t i = 0; i < last; i++)
        assert_int_equal(guard_scan(&guard, on_itself + i, 1, now_us), HG_ABUSE_NONE);
    assert_int_equal(guard_scan(&guard, on_itself + last, 1, now_us), HG_ABUSE_BAD_PRIORITY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_bursts, set_up),
        cmocka_unit_test_setup(test_allowances_grow_back, set_up),
        cmocka_unit_test_setup(test_credit, set_up),
        cmocka_unit_test_setup(test_replies_and_real_data_are_free, set_up),
        cmocka_unit_test_setup(test_continuations, set_up),
        cmocka_unit_test_setup(test_block_size, set_up),
        cmocka_unit_test_setup(test_byte_by_byte, set_up),
        cmocka_unit_test_setup(test_frames_on_ended_streams, set_up),
        cmocka_unit_test_setup(test_bad_priority, set_up),
        cmocka_unit_test_setup(test_since_when_a_head_is_incomplete, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
