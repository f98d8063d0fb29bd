/*
 * Changes by the management API on their way to the catalog and back. Begins and ends on the request's loop.
 */
#include "api/change.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { ARENA_MAX = 64 << 20, MESSAGE_MAX = 512 << 10 };

static void free_change(struct hg_api_change *change)
{
    cJSON_Delete(change->input);
    function_unref(change->function);
    snapshot_unref(change->snapshot);
    hg_arena_free(change->arena);
    free(change);
}

static void on_abort(struct hg_request *req)
{
    struct hg_api_change *change = req->user;

    change->call = NULL;
}

/* Copies the reference, which points into the input or the request. False when answered. */
static bool read_name(struct hg_api_change *change)
{
    struct hg_call *call = change->call;
    struct hg_snapshot *snapshot = registry_current(call->api->options.registry);
    struct hg_function_ref ref;
    bool is_good = lambda_read_name(call, snapshot, input_str(change->input, "FunctionName"),
                                    input_str(change->input, "Qualifier"), &ref);

    if (is_good) {
        change->ref.name = hg_arena_str(change->arena, ref.name);
        change->ref.qualifier = hg_arena_str(change->arena, ref.qualifier);
    }
    snapshot_unref(snapshot);
    return is_good;
}

bool change_name_function(struct hg_api_change *change)
{
    if (read_name(change))
        return true;
    change->call->req->on_abort = NULL;
    free_change(change);
    return false;
}

struct hg_api_change *change_begin(struct hg_call *call, bool names_function)
{
    cJSON *input = call_take_input(call);
    struct hg_api_change *change;

    if (!input)
        return NULL;
    change = hg_calloc(1, sizeof(*change));
    change->call = call;
    change->home = call->req->loop;
    change->catalog = call->api->options.catalog;
    change->input = input;
    change->arena = hg_arena_new(ARENA_MAX);
    for (size_t i = 0; i < HG_CALL_PARAMS_MAX; i++)
        if (call->params[i].p)
            change->params[i] = hg_arena_str(change->arena, call->params[i]);
    call->req->user = change;
    call->req->on_abort = on_abort;
    return names_function && !change_name_function(change) ? NULL : change;
}

static void answer_refusal(struct hg_api_change *change)
{
    if (change->message)
        call_fail(change->call, change->error, "%s", change->message);
    else
        call_deny(change->call);
}

static void on_changed(struct hg_change *base)
{
    struct hg_api_change *change = hg_container_of(base, struct hg_api_change, base);
    struct hg_call *call = change->call;

    if (call) {
        call->req->on_abort = NULL;
        if (base->rc == HG_OK) {
            change->snapshot = registry_current(call->api->options.registry);
            change->respond(change);
        } else if (base->rc == HG_E_INVALID) {
            answer_refusal(change);
        } else {
            call_fail(call, HG_API_SERVICE, "The change was not stored: %s",
                      base->err.text[0] ? base->err.text : hg_rc_text(base->rc));
        }
    }
    free_change(change);
}

static enum hg_rc run_work(struct hg_change *base, struct hg_edit *edit)
{
    struct hg_api_change *change = hg_container_of(base, struct hg_api_change, base);

    return change->work(change, edit);
}

void change_send(struct hg_api_change *change,
                 enum hg_rc (*work)(struct hg_api_change *change, struct hg_edit *edit),
                 void (*respond)(struct hg_api_change *change))
{
    change->work = work;
    change->respond = respond;
    change->base.work = run_work;
    change->base.done = on_changed;
    catalog_submit(change->catalog, change->home, &change->base);
}

void change_submit(struct hg_call *call, bool names_function,
                   enum hg_rc (*work)(struct hg_api_change *change, struct hg_edit *edit),
                   void (*respond)(struct hg_api_change *change))
{
    struct hg_api_change *change = change_begin(call, names_function);

    if (change)
        change_send(change, work, respond);
}

static const char *format_message(struct hg_arena *arena, const char *format, va_list args)
    hg_printf_like(2, 0);

static const char *format_message(struct hg_arena *arena, const char *format, va_list args)
{
    struct hg_buf text;
    const char *message;

    hg_buf_init(&text, MESSAGE_MAX);
    hg_buf_vprintf(&text, format, args);
    message = hg_arena_strdup(arena, hg_buf_str(&text));
    hg_buf_fini(&text);
    return message;
}

enum hg_rc change_refuse(struct hg_api_change *change, enum hg_api_error error, const char *format,
                         ...)
{
    va_list args;

    va_start(args, format);
    change->error = error;
    change->message = format_message(change->arena, format, args);
    va_end(args);
    return HG_E_INVALID;
}

void change_abandon(struct hg_api_change *change, enum hg_api_error error, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    change->error = error;
    change->message = format_message(change->arena, format, args);
    va_end(args);
    if (change->call) {
        change->call->req->on_abort = NULL;
        answer_refusal(change);
    }
    free_change(change);
}

void change_end(struct hg_api_change *change)
{
    if (change->call)
        change->call->req->on_abort = NULL;
    free_change(change);
}
