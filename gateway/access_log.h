/*
 * One line per request, in the stage's format or a readable one. Lines are
 * collected per loop and written by a helper thread, many at a time.
 */
#ifndef HG_GATEWAY_ACCESS_LOG_H
#define HG_GATEWAY_ACCESS_LOG_H

#include "gateway/context.h"
#include "gateway/gateway.h"

enum {
    HG_ACCESS_LINE_MAX = 8192, /* bytes of a line; what is longer is cut */
};

struct hg_access_sink;

/* NULL with a sentence when the file cannot be opened. Not for HG_ACCESS_LOG_OFF. */
struct hg_access_sink *access_log_new(struct hg_loops *loops,
                                      const struct hg_gateway_options *options,
                                      struct hg_error *err);
/* Adds the line of a request that is done. On the request's loop. */
void access_log_add(struct hg_access_sink *log, struct hg_context *ctx);
/* Writes what is left. Loops must be stopped, but not freed. NULL is fine. */
void access_log_free(struct hg_access_sink *log);

/* Appends the line, ended by a line feed. */
void access_line_write(struct hg_context *ctx, struct hg_buf *out);

#endif
