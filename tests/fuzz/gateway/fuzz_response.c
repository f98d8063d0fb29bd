/*
 * What functions return, under all contracts. What is accepted must be fit for the wire.
 */
#include "gateway/remap.h"
#include "gateway/response.h"

static void check(const struct hg_answer *answer)
{
    size_t bytes = 0;

    hg_assert(answer->status >= HG_ANSWER_STATUS_MIN && answer->status <= HG_ANSWER_STATUS_MAX);
    hg_assert(answer->header_count <= HG_ANSWER_HEADERS_MAX &&
              answer->header_count < answer->header_room);
    for (size_t i = 0; i < answer->header_count; i++) {
        hg_assert(header_name_is_valid(answer->headers[i].name));
        hg_assert(header_value_is_valid(answer->headers[i].value));
        bytes += answer->headers[i].name.n + answer->headers[i].value.n;
    }
    hg_assert(bytes <= HG_ANSWER_HEADER_BYTES_MAX);
    for (size_t i = 0; i < answer->body.n; i++)
        bytes += (unsigned char)answer->body.p[i];
    hg_assert(bytes < SIZE_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct hg_str document = hg_str_n((const char *)bytes, size);

    for (int contract = HG_CONTRACT_REST; contract <= HG_CONTRACT_HTTP_V2; contract++) {
        for (int may_decode = 0; may_decode < 2; may_decode++) {
            struct hg_arena *arena = hg_arena_new(HG_REQUEST_ARENA_MAX);
            struct hg_answer answer;

            if (response_parse(document, (enum hg_contract)contract, may_decode, arena, &answer) ==
                HG_VERDICT_OK) {
                check(&answer);
                hg_blob_unref(answer.holder);
            }
            hg_arena_free(arena);
        }
    }
    return 0;
}
