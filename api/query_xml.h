/*
 * The AWS query protocol's output: XML.
 */
#ifndef HG_API_QUERY_XML_H
#define HG_API_QUERY_XML_H

#include "api/call.h"

/* A service of the query protocol, by the Version of its calls. */
struct query_service {
    const char *version; /* "2010-05-08" */
    const char *space;   /* of its answers */
};
extern const struct query_service query_iam, query_sts, query_cloudwatch;

/* Elements; names are literals of the program, texts are escaped. */
void xml_open(struct hg_buf *out, const char *name);
void xml_close(struct hg_buf *out, const char *name);
void xml_text(struct hg_buf *out, const char *name, struct hg_str text);
void xml_u64(struct hg_buf *out, const char *name, uint64_t value);
void xml_bool(struct hg_buf *out, const char *name, bool value);
void xml_time(struct hg_buf *out, const char *name, int64_t wall_ms); /* to the second */
void xml_escape(struct hg_buf *out, struct hg_str text);

/* <OpResponse><OpResult> … </OpResult><ResponseMetadata>…</OpResponse>; operations without output have no result element. */
void query_begin(struct hg_buf *out, const struct query_service *service, const char *operation,
                 bool has_result);
void query_end(struct hg_buf *out, const char *operation, bool has_result, const char *request_id);
/* <ErrorResponse>; Type is Sender below 500, else Receiver. */
void query_write_error(struct hg_buf *out, const struct query_service *service, int status,
                       const char *code, const char *message, const char *request_id);

/* Sends what out (which lives as long as the request) holds. */
void query_respond(struct hg_call *call, int status, const struct hg_buf *out);
void query_fail(struct hg_call *call, const struct query_service *service, int status,
                const char *code, const char *format, ...) hg_printf_like(5, 6);

#endif
