/*
 * What a function returned, checked against the contract of the API's kind
 * and made into an HTTP answer. Works on bytes: knows no connection.
 */
#ifndef HG_GATEWAY_RESPONSE_H
#define HG_GATEWAY_RESPONSE_H

#include "core/blob.h"
#include "http/request.h"

enum {
    HG_ANSWER_HEADERS_MAX = 512, /* of one answer */
    HG_ANSWER_HEADER_BYTES_MAX =
        32768,                  /* names and values; HTTP/2 peers take no more in one block */
    HG_ANSWER_STATUS_MIN = 200, /* 1xx would not end the exchange */
    HG_ANSWER_STATUS_MAX = 599,
};

enum hg_contract {
    HG_CONTRACT_REST,    /* apigw-proxy-integration.md §4 */
    HG_CONTRACT_HTTP_V1, /* §5.2 */
    HG_CONTRACT_HTTP_V2, /* §5.1 */
    HG_CONTRACT_URL,     /* function-api.md §12.2 */
};

enum hg_answer_verdict {
    HG_VERDICT_OK,
    HG_VERDICT_MALFORMED,
    HG_VERDICT_BAD_BASE64, /* isBase64Encoded, and it is not */
};

struct hg_answer {
    int status;
    struct hg_header *headers; /* in the arena, with room for those that the gateway adds */
    size_t header_count, header_room;
    struct hg_str body;     /* inside the document, or kept by holder */
    struct hg_blob *holder; /* a reference for the caller to drop; may be NULL */
};

/*
 * Reads document. may_decode: REST only, the client's Accept names a binary
 * media type. Names, values and body may point into document: it must outlive
 * the answer. With any verdict but OK nothing is owed.
 */
enum hg_answer_verdict response_parse(struct hg_str document, enum hg_contract contract,
                                      bool may_decode, struct hg_arena *arena,
                                      struct hg_answer *answer);

#endif
