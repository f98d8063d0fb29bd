/*
 * Texts of runtime-made and platform-made failures; signals are spelt as Go spells them.
 */
#include "workers/error_doc.h"

#include "core/json_write.h"
#include "workers/invoke.h"

#include <signal.h>
#include <stdio.h>

enum { DOC_MAX = 4096 };

static const struct {
    int number;
    const char *name;
} signal_names[] = {
    {SIGABRT, "aborted"},
    {SIGALRM, "alarm clock"},
    {SIGBUS, "bus error"},
    {SIGFPE, "floating point exception"},
    {SIGHUP, "hangup"},
    {SIGILL, "illegal instruction"},
    {SIGINT, "interrupt"},
    {SIGKILL, "killed"},
    {SIGPIPE, "broken pipe"},
    {SIGQUIT, "quit"},
    {SIGSEGV, "segmentation fault"},
    {SIGSYS, "bad system call"},
    {SIGTERM, "terminated"},
    {SIGTRAP, "trace/breakpoint trap"},
    {SIGUSR1, "user defined signal 1"},
    {SIGUSR2, "user defined signal 2"},
    {SIGXCPU, "CPU time limit exceeded"},
    {SIGXFSZ, "file size limit exceeded"},
};

char *exit_text(const struct hg_exit *how, char out[HG_EXIT_TEXT_MAX])
{
    const char *core = how->has_core ? " (core dumped)" : "";

    if (how->signal) {
        for (size_t i = 0; i < HG_COUNT(signal_names); i++) {
            if (signal_names[i].number == how->signal) {
                (void)snprintf(out, HG_EXIT_TEXT_MAX, "Runtime exited with error: signal: %s%s",
                               signal_names[i].name, core);
                return out;
            }
        }
        (void)snprintf(out, HG_EXIT_TEXT_MAX, "Runtime exited with error: signal: signal %d%s",
                       how->signal, core);
    } else if (how->status == 0) {
        (void)snprintf(out, HG_EXIT_TEXT_MAX, "Runtime exited without providing a reason");
    } else {
        (void)snprintf(out, HG_EXIT_TEXT_MAX, "Runtime exited with error: exit status %d",
                       how->status);
    }
    return out;
}

struct hg_blob *error_doc_new(const char *error_type, const char *request_id, const char *text)
{
    struct hg_buf buf;
    struct hg_json json;

    hg_buf_init(&buf, DOC_MAX);
    json = hg_json_to(&buf);
    hg_json_begin_object(&json);
    hg_json_field_cstr(&json, "errorType", error_type);
    hg_json_key_lit(&json, "errorMessage");
    hg_buf_append_byte(&buf, '"');
    if (request_id[0]) {
        hg_buf_append_cstr(&buf, "RequestId: ");
        hg_buf_append_cstr(&buf, request_id);
        hg_buf_append_byte(&buf, ' ');
    }
    hg_buf_append_cstr(&buf, "Error: ");
    hg_json_escape(&buf, hg_str_of(text));
    hg_buf_append_cstr(&buf, "\"}");
    return hg_blob_take(&buf);
}

struct hg_blob *error_doc_timeout(const char *request_id, unsigned timeout_s)
{
    char text[64];

    (void)snprintf(text, sizeof(text), "Task timed out after %u.00 seconds", timeout_s);
    return error_doc_new("Sandbox.Timedout", request_id, text);
}

struct hg_blob *error_doc_too_large(void)
{
    char text[160];
    int length = snprintf(
        text, sizeof(text),
        "{\"errorMessage\":\"Response payload size exceeded maximum allowed payload size (%d "
        "bytes).\",\"errorType\":\"Function.ResponseSizeTooLarge\"}",
        HG_INVOKE_RESPONSE_MAX);

    return hg_blob_new(text, (size_t)length);
}
