/*
 * A trace header of a stranger: counted or refused, always terminated, and a
 * chain ends whatever it began with.
 */
#include "router/lineage.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const struct hg_function function = {.arn = {"f", 1}};
    char trace[HG_LINEAGE_TRACE_MAX];
    size_t length = HG_MIN(size, sizeof(trace) - 1);
    unsigned runs = 0;

    memcpy(trace, bytes, length);
    trace[length] = '\0';
    while (lineage_enter(trace, &function)) {
        hg_assert(memchr(trace, '\0', sizeof(trace)) != NULL);
        hg_assert(++runs <= HG_LINEAGE_RUNS_MAX);
    }
    return 0;
}
