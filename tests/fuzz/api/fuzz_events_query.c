/*
 * The query of the events pages: whatever it holds, it is understood within
 * its bounds or refused with a sentence.
 */
#include "api/events_query.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct events_query query;
    struct hg_error err = {""};
    struct hg_str text = {(const char *)bytes, size};

    for (unsigned takes = 0; takes < 32; takes += 31) {
        if (!events_query_parse(text, takes, 1700000000000, &query, &err)) {
            hg_assert(err.text[0]);
            continue;
        }
        hg_assert(query.limit <= EVENTS_PAGE_MAX && query.since_ms >= 0);
        hg_assert(query.states < 1u << HG_EVENT_STATE_COUNT);
        hg_assert(memchr(query.function, '\0', sizeof(query.function)) != NULL);
        hg_assert(memchr(query.cursor, '\0', sizeof(query.cursor)) != NULL);
    }
    (void)events_is_id(text);
    return 0;
}
