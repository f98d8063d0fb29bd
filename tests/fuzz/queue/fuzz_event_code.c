/*
 * Bytes of a store as an event: refused, or an event whose own bytes give the
 * same event again.
 */
#include "queue/event.h"

#include "core/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct hg_event *event = hg_event_decode(hg_str_n((const char *)bytes, size), NULL), *again;
    struct hg_buf first, second;

    if (!event)
        return 0;
    hg_buf_init(&first, 16384);
    hg_buf_init(&second, 16384);
    hg_assert(hg_event_encode(event, &first));
    again = hg_event_decode(hg_buf_str(&first), NULL);
    hg_assert(again != NULL);
    hg_assert(hg_event_encode(again, &second));
    hg_assert(hg_str_eq(hg_buf_str(&first), hg_buf_str(&second)));
    hg_event_free(event);
    hg_event_free(again);
    hg_buf_fini(&first);
    hg_buf_fini(&second);
    return 0;
}
