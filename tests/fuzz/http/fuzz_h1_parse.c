/*
 * A request head in two pieces. Whatever comes, it is parsed like the whole,
 * slices stay inside the input, and framing never says two things at once.
 */
#include "http/h1_framing.h"

enum { ROOM = 16, MAX_BYTES = 4096 };

static void check_slice(struct hg_str slice, struct hg_str text)
{
    hg_assert(slice.n == 0 || (slice.p >= text.p && slice.p + slice.n <= text.p + text.n));
}

static void check_head(const struct h1_head *head, struct hg_str text)
{
    struct h1_framing framing;
    const char *detail;

    hg_assert(head->length <= text.n && head->length <= MAX_BYTES && head->header_count <= ROOM);
    check_slice(head->method, text);
    check_slice(head->target, text);
    for (size_t i = 0; i < head->header_count; i++) {
        check_slice(head->headers[i].name, text);
        check_slice(head->headers[i].value, text);
        hg_assert(h1_is_token(head->headers[i].name) && h1_is_field_value(head->headers[i].value));
    }
    if (h1_read_framing(head, &framing, &detail) == HG_FAULT_COUNT)
        hg_assert(!(framing.has_length && framing.is_chunked) && framing.path.n > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct hg_header headers[ROOM];
    struct h1_head whole = {.headers = headers, .header_room = ROOM, .max_bytes = MAX_BYTES},
                   split = whole;
    struct hg_str text = hg_str_n((const char *)bytes, size);
    size_t cut = size ? bytes[size - 1] % size : 0;
    enum h1_result result = h1_parse_head(&split, text.p, cut);

    if (result == H1_MORE)
        result = h1_parse_head(&split, text.p, text.n);
    /* A split head is looked at again only when a line has ended: its fault may be found later, never another verdict. */
    hg_assert(h1_parse_head(&whole, text.p, text.n) == result ||
              (result == H1_MORE && whole.detail));
    if (result == H1_DONE)
        check_head(&whole, text);
    return 0;
}
