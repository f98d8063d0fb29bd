/*
 * Amazon's event stream framing (application/vnd.amazon.eventstream; invoke-api.md §5.1), as it is written.
 */
#ifndef HG_API_EVENT_STREAM_H
#define HG_API_EVENT_STREAM_H

#include "core/buf.h"

enum {
    HG_EVENT_PAYLOAD_PER_FRAME_MAX = 65536, /* of what is cut into frames */
    HG_EVENT_FRAME_PAYLOAD_MAX = 16777216,  /* what SDKs take in one frame */
};

/* Appends one frame of :message-type event. payload must not be longer than HG_EVENT_FRAME_PAYLOAD_MAX. */
void event_stream_write(struct hg_buf *out, const char *event_type, const char *content_type,
                        struct hg_str payload);
/* The same of :message-type exception: the end of a stream that went wrong. */
void event_stream_write_exception(struct hg_buf *out, const char *exception_type,
                                  const char *content_type, struct hg_str payload);
/* Appends as many frames as the payload takes; none for an empty one. */
void event_stream_write_all(struct hg_buf *out, const char *event_type, const char *content_type,
                            struct hg_str payload);

#endif
