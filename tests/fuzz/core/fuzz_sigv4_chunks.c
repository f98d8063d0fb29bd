/*
 * A body in signed chunks: what is taken out of it is shorter than it, and no noise is signed.
 */
#include "core/sigv4_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const struct hg_str body = hg_str_n((const char *)bytes, size);
    struct hg_sigv4_claim claim = {.day = HG_STR("20150830"),
                                   .region = HG_STR("us-east-1"),
                                   .service = HG_STR("s3"),
                                   .signature = HG_STR("00"),
                                   .stamp = "20150830T123600Z"};
    char why[HG_SIGV4_WHY_MAX];
    struct hg_buf out;

    hg_buf_init(&out, size + 1);
    if (hg_sigv4_unchunk(NULL, body, &out, why) == HG_SIGV4_GOOD)
        hg_assert(out.len + 80 < size);
    hg_buf_clear(&out, SIZE_MAX);
    hg_assert(hg_sigv4_unchunk(&claim, body, &out, why) != HG_SIGV4_GOOD);
    hg_buf_fini(&out);
    return 0;
}
