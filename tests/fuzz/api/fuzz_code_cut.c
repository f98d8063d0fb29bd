/*
 * Bodies of calls that bring code.
 */
#include "api/lambda_code_parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const char *const parents[] = {NULL, "Code"};

    for (size_t i = 0; i < HG_COUNT(parents); i++) {
        struct hg_buf body, zip;
        bool has_zip;

        hg_buf_init(&body, size + 1);
        hg_buf_init(&zip, size + 1);
        (void)hg_buf_append(&body, bytes, size);
        if (code_cut_zip(&body, parents[i], &zip, &has_zip))
            hg_assert(has_zip ? body.len <= size : body.len == size && !zip.len);
        hg_buf_fini(&body);
        hg_buf_fini(&zip);
    }
    return 0;
}
