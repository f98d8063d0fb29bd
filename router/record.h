/*
 * What destinations are told of an event: the invocation record (async.md
 * §4.1) and the attributes of a dead-letter message (§5). Pure.
 */
#ifndef HG_ROUTER_RECORD_H
#define HG_ROUTER_RECORD_H

#include "queue/event.h"

enum {
    HG_RECORD_MAX = HG_EVENT_PAYLOAD_MAX + 6 * HG_EVENT_RESULT_MAX + 4096, /* a text escaped */
    HG_ERROR_CODE_MAX = 8,
    HG_ERROR_MESSAGE_MAX = 1025,
};

/* Appends the record of an event that has ended. arn is the function's, unqualified. */
void record_write(const struct hg_event *event, struct hg_str arn, int64_t wall_ms,
                  struct hg_buf *out);

/* ErrorCode and ErrorMessage of the event's dead-letter message, terminated. */
void record_error(const struct hg_event *event, char code[HG_ERROR_CODE_MAX],
                  char message[HG_ERROR_MESSAGE_MAX]);

/*
 * What an error document says, as "type: message", cut to size bytes at a character's border and terminated; the
 * document itself when it is none.
 */
void record_error_text(struct hg_str document, char *out, size_t size);

#endif
