/*
 * A request whose signature is looked at: lines "query", "Authorization", date and payload marker, then the body. What is found lies inside
 * the input or the arena, and nothing made of noise is ever a good signature.
 */
#include "core/sigv4_check.h"

static void look(struct hg_str query, struct hg_str authorization, struct hg_str date,
                 struct hg_str payload, struct hg_str body)
{
    const struct hg_sigv4_header headers[] = {
        {HG_STR("host"), HG_STR("h")},
        {HG_STR("X-Amz-Date"), date},
        {HG_STR("X-Amz-Content-Sha256"), payload},
        {HG_STR("Authorization"), authorization},
    };
    const struct hg_sigv4_received received = {
        .method = HG_STR("GET"),
        .path = HG_STR("/a/%2F/../b"),
        .query = query,
        .headers = headers,
        .header_count = authorization.n ? HG_COUNT(headers) : HG_COUNT(headers) - 1,
        .body = body,
    };
    struct hg_arena *arena = hg_arena_new(1 << 20);
    struct hg_sigv4_claim claim;
    char why[HG_SIGV4_WHY_MAX];
    enum hg_sigv4_fault fault = hg_sigv4_read(&received, arena, &claim, why);

    hg_assert(strlen(why) < sizeof(why));
    if (fault == HG_SIGV4_GOOD) {
        hg_assert(claim.access_key.n && claim.signed_headers.n && claim.stamp[16] == '\0');
        hg_assert(hg_sigv4_check(&received, &claim, HG_STR("secret"), claim.time_ms, why) !=
                  HG_SIGV4_GOOD);
    }
    hg_arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct hg_str rest = hg_str_n((const char *)bytes, size), lines[4] = {{NULL, 0}};

    for (size_t i = 0; i < HG_COUNT(lines); i++)
        (void)hg_str_next(&rest, '\n', &lines[i]);
    look(lines[0], lines[1], lines[2], lines[3], rest.p ? rest : HG_STR(""));
    return 0;
}
