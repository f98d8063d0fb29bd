/*
 * Reads bytes as the store's document of a function: refused, or sealed and written it is read as the same again.
 */
#include "config/function.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { ARENA_MAX = 1 << 26, DOC_MAX = 1 << 26 };

static void write_doc(const struct hg_function *function, struct hg_buf *out)
{
    struct hg_json json = hg_json_to(out);

    function_write(&json, function);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct hg_arena *arena = hg_arena_new(ARENA_MAX);
    struct hg_function *draft, *sealed, *again;
    struct hg_buf first, second;

    hg_buf_init(&first, DOC_MAX);
    hg_buf_init(&second, DOC_MAX);
    if (function_read(arena, hg_str_n((const char *)bytes, size), &draft) == HG_OK) {
        sealed = function_seal(draft);
        write_doc(sealed, &first);
        hg_assert(function_read(arena, hg_buf_str(&first), &again) == HG_OK);
        write_doc(again, &second);
        hg_assert(hg_str_eq(hg_buf_str(&first), hg_buf_str(&second)));
        hg_assert(function_is_same(sealed, again));
        function_unref(sealed);
    }
    hg_buf_fini(&first);
    hg_buf_fini(&second);
    hg_arena_free(arena);
    return 0;
}
