#include "core/cbor.h"

#include <math.h>

enum {
    MAJOR_UINT,
    MAJOR_NEGATIVE,
    MAJOR_BYTES,
    MAJOR_TEXT,
    MAJOR_ARRAY,
    MAJOR_MAP,
    MAJOR_TAG,
    MAJOR_SIMPLE,
};
enum {
    IN_1_BYTE = 24,
    IN_8_BYTES = 27,
    INDEFINITE = 31,
    SIMPLE_FALSE = 20,
    SIMPLE_TRUE = 21,
    SIMPLE_NULL = 22,
    SIMPLE_UNDEFINED = 23,
    REAL_HALF = 25,
    REAL_SINGLE = 26,
    REAL_DOUBLE = 27,
};

/* The number behind an initial byte, most significant byte first. */
static bool take_number(struct hg_str *rest, unsigned info, uint64_t *number)
{
    size_t bytes;

    *number = info;
    if (info < IN_1_BYTE)
        return true;
    if (info > IN_8_BYTES)
        return false;
    bytes = (size_t)1 << (info - IN_1_BYTE);
    if (rest->n < bytes)
        return false;
    *number = 0;
    for (size_t i = 0; i < bytes; i++)
        *number = *number << 8 | (unsigned char)rest->p[i];
    *rest = hg_str_skip(*rest, bytes);
    return true;
}

static double half(uint64_t bits)
{
    int exponent = (int)(bits >> 10 & 31);
    double mantissa = (double)(bits & 1023), value;

    if (exponent == 0)
        value = ldexp(mantissa, -24);
    else if (exponent < 31)
        value = ldexp(mantissa + 1024, exponent - 25);
    else
        value = mantissa > 0 ? (double)NAN : (double)INFINITY;
    return bits & 0x8000 ? -value : value;
}

static bool take_simple(struct hg_str *rest, unsigned info, struct hg_cbor_item *item)
{
    uint32_t bits;
    float single;

    if (!take_number(rest, info, &item->number))
        return false;
    item->kind = HG_CBOR_REAL;
    switch (info) {
    case SIMPLE_FALSE:
        item->kind = HG_CBOR_FALSE;
        return true;
    case SIMPLE_TRUE:
        item->kind = HG_CBOR_TRUE;
        return true;
    case SIMPLE_NULL:
    case SIMPLE_UNDEFINED:
        item->kind = HG_CBOR_NULL;
        return true;
    case REAL_HALF:
        item->real = half(item->number);
        return true;
    case REAL_SINGLE:
        bits = (uint32_t)item->number;
        memcpy(&single, &bits, sizeof(single));
        item->real = (double)single;
        return true;
    case REAL_DOUBLE:
        memcpy(&item->real, &item->number, sizeof(item->real));
        return true;
    default:
        return false;
    }
}

static bool take_text(struct hg_str *rest, struct hg_cbor_item *item)
{
    if (item->number > rest->n)
        return false;
    item->text = hg_str_n(rest->p, (size_t)item->number);
    *rest = hg_str_skip(*rest, item->text.n);
    return true;
}

bool hg_cbor_next(struct hg_str *rest, struct hg_cbor_item *item)
{
    static const enum hg_cbor_kind kinds[] = {
        [MAJOR_UINT] = HG_CBOR_UINT,   [MAJOR_NEGATIVE] = HG_CBOR_NEGATIVE,
        [MAJOR_BYTES] = HG_CBOR_BYTES, [MAJOR_TEXT] = HG_CBOR_TEXT,
        [MAJOR_ARRAY] = HG_CBOR_ARRAY, [MAJOR_MAP] = HG_CBOR_MAP,
        [MAJOR_TAG] = HG_CBOR_TAG,
    };
    unsigned major, info;

    if (!rest->n)
        return false;
    *item = (struct hg_cbor_item){.text = hg_str_n("", 0)};
    major = (unsigned char)rest->p[0] >> 5;
    info = (unsigned char)rest->p[0] & 31;
    *rest = hg_str_skip(*rest, 1);
    if (info == INDEFINITE) {
        item->is_indefinite = true;
        item->kind = major == MAJOR_SIMPLE ? HG_CBOR_BREAK : kinds[major];
        return (major >= MAJOR_BYTES && major <= MAJOR_MAP) || major == MAJOR_SIMPLE;
    }
    if (major == MAJOR_SIMPLE)
        return take_simple(rest, info, item);
    item->kind = kinds[major];
    if (!take_number(rest, info, &item->number))
        return false;
    return (major != MAJOR_BYTES && major != MAJOR_TEXT) || take_text(rest, item);
}

static void put_head(struct hg_buf *out, unsigned major, uint64_t number)
{
    unsigned bytes = 0, info;

    if (number >= IN_1_BYTE)
        bytes = number <= UINT8_MAX ? 1 : number <= UINT16_MAX ? 2 : number <= UINT32_MAX ? 4 : 8;
    info = bytes ? IN_1_BYTE + (unsigned)__builtin_ctz(bytes) : (unsigned)number;
    hg_buf_append_byte(out, (char)(major << 5 | info));
    while (bytes--)
        hg_buf_append_byte(out, (char)(number >> (8 * bytes)));
}

void hg_cbor_put_u64(struct hg_buf *out, uint64_t number)
{
    put_head(out, MAJOR_UINT, number);
}

void hg_cbor_put_text(struct hg_buf *out, struct hg_str text)
{
    put_head(out, MAJOR_TEXT, text.n);
    hg_buf_append_str(out, text);
}

void hg_cbor_put_real(struct hg_buf *out, double real)
{
    uint64_t bits;

    memcpy(&bits, &real, sizeof(bits));
    hg_buf_append_byte(out, (char)(MAJOR_SIMPLE << 5 | REAL_DOUBLE));
    for (int shift = 56; shift >= 0; shift -= 8)
        hg_buf_append_byte(out, (char)(bits >> shift));
}

void hg_cbor_put_bool(struct hg_buf *out, bool value)
{
    put_head(out, MAJOR_SIMPLE, value ? SIMPLE_TRUE : SIMPLE_FALSE);
}

void hg_cbor_put_tag(struct hg_buf *out, uint64_t tag)
{
    put_head(out, MAJOR_TAG, tag);
}

void hg_cbor_begin_map(struct hg_buf *out)
{
    hg_buf_append_byte(out, (char)(MAJOR_MAP << 5 | INDEFINITE));
}

void hg_cbor_begin_array(struct hg_buf *out)
{
    hg_buf_append_byte(out, (char)(MAJOR_ARRAY << 5 | INDEFINITE));
}

void hg_cbor_put_break(struct hg_buf *out)
{
    hg_buf_append_byte(out, (char)(MAJOR_SIMPLE << 5 | INDEFINITE));
}
