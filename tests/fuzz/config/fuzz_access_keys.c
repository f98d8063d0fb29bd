/*
 * A file of key pairs: each pair that is taken is whole.
 */
#include "config/access_keys.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct hg_arena *arena = hg_arena_new(8 << 20);
    struct hg_access_keys keys = {NULL, 0};
    struct hg_error err = {""};

    if (size <= HG_ACCESS_KEY_FILE_MAX) {
        if (access_keys_read(&keys, arena, hg_str_n((const char *)bytes, size), &err) == HG_OK)
            hg_assert(keys.count);
        for (size_t i = 0; i < keys.count; i++)
            hg_assert(keys.items[i].id.n && keys.items[i].secret.n);
    }
    hg_arena_free(arena);
    return 0;
}
