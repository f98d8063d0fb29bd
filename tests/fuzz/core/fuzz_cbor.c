/*
 * CBOR: whatever the bytes are, items lie inside of them and reading comes to an end; texts and numbers that are written are read
 * as the same.
 */
#include "core/cbor.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct hg_str rest = hg_str_n((const char *)bytes, size), back;
    const char *end = rest.p + rest.n;
    struct hg_cbor_item item, again;
    struct hg_buf out;

    hg_buf_init(&out, 1 << 20);
    while (hg_cbor_next(&rest, &item)) {
        hg_assert(rest.p <= end && rest.p + rest.n == end);
        hg_buf_clear(&out, 1 << 20);
        if (item.kind == HG_CBOR_UINT)
            hg_cbor_put_u64(&out, item.number);
        else if (item.kind == HG_CBOR_TAG)
            hg_cbor_put_tag(&out, item.number);
        else if (item.kind == HG_CBOR_TEXT && !item.is_indefinite)
            hg_cbor_put_text(&out, item.text);
        else if (item.kind == HG_CBOR_REAL && item.real == item.real)
            hg_cbor_put_real(&out, item.real);
        else
            continue;
        back = hg_buf_str(&out);
        hg_assert(out.is_overflown || (hg_cbor_next(&back, &again) && back.n == 0));
        hg_assert(out.is_overflown || (again.kind == item.kind && again.number == item.number) ||
                  item.kind == HG_CBOR_REAL);
        hg_assert(out.is_overflown || hg_str_eq(again.text, item.text));
        hg_assert(item.kind != HG_CBOR_REAL || again.real == item.real);
    }
    hg_buf_fini(&out);
    return 0;
}
