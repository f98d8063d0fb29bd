/* core/buf and core/blob: growth, limits, moving memory. */
#include "core/blob.h"
#include "tests/unit/unit.h"

static void test_append_and_consume(void **state)
{
    struct hg_buf buf;

    (void)state;
    hg_buf_init(&buf, 1000);
    assert_true(hg_buf_append_cstr(&buf, "hello "));
    assert_true(hg_buf_printf(&buf, "%d", 42));
    assert_true(hg_buf_append_i64(&buf, INT64_MIN));
    assert_str(hg_buf_str(&buf), "hello 42-9223372036854775808");
    hg_buf_consume(&buf, 6);
    assert_str(hg_buf_str(&buf), "42-9223372036854775808");
    hg_buf_fini(&buf);
}

static void test_overflow_is_remembered(void **state)
{
    struct hg_buf buf;

    (void)state;
    hg_buf_init(&buf, 4);
    assert_true(hg_buf_append_cstr(&buf, "abc"));
    assert_false(hg_buf_append_cstr(&buf, "de"));
    assert_false(hg_buf_append_cstr(&buf, "d"));
    assert_true(buf.is_overflown);
    assert_str(hg_buf_str(&buf), "abc");
    hg_buf_clear(&buf, 1000);
    assert_true(hg_buf_append_cstr(&buf, "abcd"));
    hg_buf_fini(&buf);
}

static void test_consumed_room_is_used_again(void **state)
{
    struct hg_buf buf;
    char piece[100];

    (void)state;
    memset(piece, 'x', sizeof(piece));
    hg_buf_init(&buf, 256);
    for (int i = 0; i < 1000; i++) {
        assert_true(hg_buf_append(&buf, piece, sizeof(piece)));
        hg_buf_consume(&buf, sizeof(piece) - (i < 10));
    }
    assert_int_equal(buf.len, 10);
    assert_true(buf.cap <= 256);
    hg_buf_fini(&buf);
}

static void test_blob_takes_memory(void **state)
{
    struct hg_buf buf;
    struct hg_blob *blob;

    (void)state;
    hg_buf_init(&buf, 100);
    hg_buf_append_cstr(&buf, "xpayload");
    hg_buf_consume(&buf, 1);
    blob = hg_blob_take(&buf);
    assert_int_equal(buf.len, 0);
    assert_str(hg_blob_str(blob), "payload");
    (void)hg_blob_ref(blob);
    hg_blob_unref(blob);
    assert_str(hg_blob_str(blob), "payload");
    hg_blob_unref(blob);
    hg_blob_unref(NULL);
    hg_buf_fini(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_append_and_consume),
        cmocka_unit_test(test_overflow_is_remembered),
        cmocka_unit_test(test_consumed_room_is_used_again),
        cmocka_unit_test(test_blob_takes_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
