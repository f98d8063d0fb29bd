/*
 * A chunked body whole and in two pieces: the same verdict, the same bytes
 * used, the same data.
 */
#include "http/h1_chunked.h"

enum { ROOM = 64 };

struct outcome {
    enum h1_result result;
    size_t used, data;
    uint64_t sum; /* of the data, by position */
};

static void feed(struct h1_chunked *chunked, struct hg_str text, struct outcome *out)
{
    while (out->result == H1_MORE && text.n) {
        struct hg_str run;
        size_t used;

        out->result = h1_chunked_feed(chunked, text.p, text.n, &used, &run);
        hg_assert(used > 0 && used <= text.n && run.n <= used);
        for (size_t i = 0; i < run.n; i++)
            out->sum += ++out->data * (unsigned char)run.p[i];
        out->used += used;
        text = hg_str_skip(text, used);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct hg_str text = hg_str_n((const char *)bytes, size);
    size_t cut = size ? bytes[size - 1] % size : 0;
    struct outcome whole = {.result = H1_MORE}, split = whole;
    struct h1_chunked one, two;
    struct hg_header headers[4];
    char trailers[ROOM];

    h1_chunked_init(&one);
    h1_chunked_init(&two);
    one.trailer_room = trailers;
    one.trailer_max = two.trailer_max = ROOM;
    feed(&one, text, &whole);
    feed(&two, hg_str_n(text.p, cut), &split);
    feed(&two, hg_str_skip(text, cut), &split);
    hg_assert(whole.result == split.result && whole.used == split.used && whole.sum == split.sum);
    if (whole.result == H1_DONE)
        (void)h1_chunked_trailers(&one, headers, HG_COUNT(headers));
    return 0;
}
