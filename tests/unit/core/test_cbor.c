/* core/cbor and core/gzip: the examples of RFC 8949 appendix A, bytes that are no item, sizes that lie. */
#include "core/cbor.h"
#include "core/gzip.h"
#include "tests/unit/unit.h"

#include <math.h>

static struct hg_cbor_item read_one(struct hg_str bytes)
{
    struct hg_cbor_item item;

    assert_true(hg_cbor_next(&bytes, &item));
    assert_int_equal(bytes.n, 0);
    return item;
}

static void test_numbers(void **state)
{
    (void)state;
    assert_true(read_one(HG_STR("\x00")).number == 0);
    assert_true(read_one(HG_STR("\x17")).number == 23);
    assert_true(read_one(HG_STR("\x18\x64")).number == 100);
    assert_true(read_one(HG_STR("\x1b\x00\x00\x00\xe8\xd4\xa5\x10\x00")).number == 1000000000000);
    assert_int_equal(read_one(HG_STR("\x38\x63")).kind, HG_CBOR_NEGATIVE);
    assert_true(read_one(HG_STR("\x38\x63")).number == 99); /* -100 */
    assert_true(read_one(HG_STR("\xf9\x3c\x00")).real == 1.0);
    assert_true(read_one(HG_STR("\xf9\x7b\xff")).real == 65504.0);
    assert_true(read_one(HG_STR("\xf9\x00\x01")).real == 5.960464477539063e-8);
    assert_true(read_one(HG_STR("\xf9\xc4\x00")).real == -4.0);
    assert_true(isinf(read_one(HG_STR("\xf9\x7c\x00")).real));
    assert_true(isnan(read_one(HG_STR("\xf9\x7e\x00")).real));
    assert_true(read_one(HG_STR("\xfa\x47\xc3\x50\x00")).real == 100000.0);
    assert_true(read_one(HG_STR("\xfb\x3f\xf1\x99\x99\x99\x99\x99\x9a")).real == 1.1);
    assert_int_equal(read_one(HG_STR("\xf4")).kind, HG_CBOR_FALSE);
    assert_int_equal(read_one(HG_STR("\xf5")).kind, HG_CBOR_TRUE);
    assert_int_equal(read_one(HG_STR("\xf6")).kind, HG_CBOR_NULL);
}

static void test_texts_and_containers(void **state)
{
    (void)state;
    assert_true(hg_str_is(read_one(HG_STR("\x64IETF")).text, "IETF"));
    assert_int_equal(read_one(HG_STR("\x44\x01\x02\x03\x04")).kind, HG_CBOR_BYTES);
    assert_true(read_one(HG_STR("\x7f")).is_indefinite);
    assert_true(read_one(HG_STR("\x83")).number == 3);
    assert_int_equal(read_one(HG_STR("\xbf")).kind, HG_CBOR_MAP);
    assert_int_equal(read_one(HG_STR("\xc1")).kind, HG_CBOR_TAG);
    assert_int_equal(read_one(HG_STR("\xff")).kind, HG_CBOR_BREAK);
}

static void test_refused(void **state)
{
    static const struct hg_str bad[] = {
        {"", 0},
        {"\x18", 1},
        {"\x1b\0\0\0\0\0\0\0", 8},
        {"\x1c", 1},
        {"\x62y", 2},
        {"\x3f", 1},
        {"\x1f", 1},
        {"\xdf", 1},
        {"\xf8", 1},
        {"\xf0", 1},
        {"\xfb\0\0", 3},
        {"\x7b\xff\xff\xff\xff\xff\xff\xff\xff"
         "x",
         10},
    };

    (void)state;
    for (size_t i = 0; i < HG_COUNT(bad); i++) {
        struct hg_str rest = bad[i];
        struct hg_cbor_item item;

        assert_false(hg_cbor_next(&rest, &item));
    }
}

static void test_write(void **state)
{
    struct hg_buf out;

    (void)state;
    hg_buf_init(&out, 256);
    hg_cbor_begin_map(&out);
    hg_cbor_put_text(&out, HG_STR("a"));
    hg_cbor_put_u64(&out, 1000000);
    hg_cbor_put_text(&out, HG_STR("b"));
    hg_cbor_begin_array(&out);
    hg_cbor_put_tag(&out, 1);
    hg_cbor_put_u64(&out, 23);
    hg_cbor_put_real(&out, 1.1);
    hg_cbor_put_bool(&out, true);
    hg_cbor_put_break(&out);
    hg_cbor_put_break(&out);
    assert_true(
        hg_str_eq(hg_buf_str(&out), HG_STR("\xbf\x61"
                                           "a\x1a\x00\x0f\x42\x40\x61"
                                           "b\x9f\xc1\x17"
                                           "\xfb\x3f\xf1\x99\x99\x99\x99\x99\x9a\xf5\xff\xff")));
    hg_buf_fini(&out);
}

static void test_gunzip(void **state)
{
    /* printf hello | gzip -n */
    static const char text[] = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xcb\x48\xcd\xc9\xc9\x07"
                               "\x00\x86\xa6\x10\x36\x05\x00\x00\x00";
    struct hg_str gzip = hg_str_n(text, sizeof(text) - 1);
    struct hg_buf out;

    (void)state;
    assert_int_equal(hg_crc32(HG_STR("hello")), 0x3610a686);
    hg_buf_init(&out, 64);
    assert_int_equal(hg_gunzip(&out, gzip), HG_OK);
    assert_true(hg_str_is(hg_buf_str(&out), "hello"));
    hg_buf_clear(&out, 0);
    assert_int_equal(hg_gunzip(&out, hg_str_n(text, gzip.n - 1)), HG_E_INVALID);
    assert_int_equal(hg_gunzip(&out, HG_STR("hello")), HG_E_INVALID);
    assert_int_equal(hg_gunzip(&out, HG_STR("")), HG_E_INVALID);
    hg_buf_fini(&out);
    hg_buf_init(&out, 4);
    assert_int_equal(hg_gunzip(&out, gzip), HG_E_TOO_LARGE);
    hg_buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers), cmocka_unit_test(test_texts_and_containers),
        cmocka_unit_test(test_refused), cmocka_unit_test(test_write),
        cmocka_unit_test(test_gunzip),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
