/*
 * A store's file from anywhere: judged without reading outside of it.
 */
#include "queue/embedded.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    /* A copy of exactly this size, so that one byte too far is noticed. */
    unsigned char *copy = malloc(size ? size : 1);
    uint64_t whole_size;

    if (size)
        memcpy(copy, bytes, size);
    (void)embedded_check_bytes(copy, size, false, &whole_size);
    free(copy);
    return 0;
}
