/*
 * The error documents that the platform itself makes, word for word.
 */
#ifndef HG_WORKERS_ERROR_DOC_H
#define HG_WORKERS_ERROR_DOC_H

#include "core/blob.h"

/* How a process ended. */
struct hg_exit {
    int status; /* exit status; -1 when a signal ended it */
    int signal;
    bool has_core;
};

enum { HG_EXIT_TEXT_MAX = 128 };

/* "Runtime exited with error: exit status 3"; at most HG_EXIT_TEXT_MAX bytes, terminated. Returns out. */
char *exit_text(const struct hg_exit *how, char out[HG_EXIT_TEXT_MAX]);

/*
 * {"errorType":…,"errorMessage":"RequestId: … Error: text"}; without a request id ("") the message starts at
 * "Error: ".
 */
struct hg_blob *error_doc_new(const char *error_type, const char *request_id, const char *text);
struct hg_blob *error_doc_timeout(const char *request_id, unsigned timeout_s);
/* Function.ResponseSizeTooLarge, the one document without a request id and in the other order. */
struct hg_blob *error_doc_too_large(void);

#endif
