/*
 * First the catalog, so that nothing new is made of what goes; then events, logs and metrics, side by side. On the request's loop. It goes
 * on when the client leaves: half a reset helps nobody.
 */
#include "api/reset.h"

#include "api/events.h"
#include "core/clock.h"
#include "workers/log_files.h"
#include "workers/minute.h"

#include <stdlib.h>

enum {
    ROUND_MAX = 256, /* purges under way at once */
    /* Events that were about to be handed out come back at once, for their functions are gone; those that run do not. */
    LEASED_TRIES = 5,
    LEASED_WAIT_MS = 5,
};

struct reset;

struct purge {
    struct hg_change_op op;
    struct reset *reset;
    char id[HG_UUID_LEN + 1];
};

struct reset {
    struct hg_change change;
    struct hg_call *call; /* NULL: the client has left */
    struct hg_api_options options;
    struct hg_loop *loop;
    int64_t start_us;
    unsigned parts;     /* that are not over yet */
    const char *failed; /* the first part that did not succeed; NULL: none */
    char why[HG_ERROR_MAX];
    struct hg_log_reset logs;
    struct hg_series_op metrics;
    struct hg_find_op find;
    struct purge purges[ROUND_MAX];
    unsigned purging, leased, tries;
    struct hg_timer again;
    uint64_t purged;
};

static void respond(struct reset *reset)
{
    struct hg_call *call = reset->call;
    struct hg_buf *buf = call_buffer(call);
    struct hg_json json = hg_json_to(buf);

    call->req->on_abort = NULL;
    if (reset->failed) {
        call_fail(call, HG_API_SERVICE, "%s: %s", reset->failed, reset->why);
        return;
    }
    hg_json_begin_object(&json);
    hg_json_field_bool(&json, "reset", true);
    hg_json_field_i64(&json, "events_purged", (int64_t)reset->purged);
    hg_json_field_i64(&json, "took_us", hg_mono_us() - reset->start_us);
    hg_json_end_object(&json);
    call_respond_json(call, 200, buf);
}

static void end_part(struct reset *reset)
{
    if (--reset->parts)
        return;
    if (reset->call)
        respond(reset);
    free(reset);
}

static void note_failure(struct reset *reset, const char *part, const char *why)
{
    if (reset->failed)
        return;
    reset->failed = part;
    (void)snprintf(reset->why, sizeof(reset->why), "%s", why);
}

static void on_logs_reset(struct hg_log_reset *logs)
{
    end_part(hg_container_of(logs, struct reset, logs));
}

static void on_metrics_reset(struct hg_series_op *metrics)
{
    struct reset *reset = hg_container_of(metrics, struct reset, metrics);

    if (metrics->rc != HG_OK)
        note_failure(reset, "the metrics were not emptied", hg_rc_text(metrics->rc));
    end_part(reset);
}

static void reset_metrics(struct reset *reset)
{
    struct hg_minutes *minutes = workers_minutes(reset->options.workers);

    if (!minutes)
        return;
    reset->parts++;
    reset->metrics.done = on_metrics_reset;
    minutes_forget(minutes);
    series_submit_reset(minutes_store(minutes), reset->loop, &reset->metrics);
}

/* The last mail of an ending program comes when queue, logs and metrics are closed: true, and the part is over. */
static bool end_if_stopping(struct reset *reset)
{
    if (!reset->loop->is_stopping)
        return false;
    note_failure(reset, "not everything was reset", "Headgate is shutting down");
    end_part(reset);
    return true;
}

static void find_events(struct reset *reset);

static void on_time_to_try_again(struct hg_timer *timer)
{
    find_events(hg_container_of(timer, struct reset, again));
}

static void continue_purge(struct reset *reset)
{
    if (end_if_stopping(reset))
        return;
    if (reset->find.cursor[0]) {
        find_events(reset);
    } else if (reset->leased && reset->tries++ < LEASED_TRIES) {
        reset->leased = 0;
        hg_timer_start_ms(&reset->again, LEASED_WAIT_MS);
    } else {
        end_part(reset);
    }
}

static void on_purged(struct hg_queue_op *base)
{
    struct reset *reset = hg_container_of(base, struct purge, op.base)->reset;

    if (base->rc == HG_OK)
        reset->purged++;
    else if (base->rc == HG_E_CONFLICT)
        reset->leased++;
    else if (base->rc != HG_E_NOT_FOUND)
        note_failure(reset, "the events were not purged", base->why);
    if (--reset->purging == 0)
        continue_purge(reset);
}

static void on_found(struct hg_queue_op *base)
{
    struct reset *reset = hg_container_of(base, struct reset, find.base);
    unsigned count = 0;

    if (base->rc != HG_OK)
        note_failure(reset, "the events were not purged", base->why);
    HG_LIST_EACH(link, &reset->find.events)
    {
        struct purge *purge = &reset->purges[count++];

        *purge = (struct purge){.reset = reset, .op = {.change = HG_CHANGE_PURGE}};
        memcpy(purge->id, hg_container_of(link, struct hg_event, link)->id, sizeof(purge->id));
        purge->op.id = purge->id;
        purge->op.base.done = on_purged;
    }
    events_free_list(&reset->find.events);
    if (base->rc != HG_OK) {
        end_part(reset);
        return;
    }
    if (end_if_stopping(reset))
        return;
    reset->purging = count;
    if (!count)
        continue_purge(reset);
    for (unsigned i = 0; i < count; i++)
        queue_change(reset->options.queue, &reset->purges[i].op);
}

static void find_events(struct reset *reset)
{
    char cursor[sizeof(reset->find.cursor)];

    memcpy(cursor, reset->find.cursor, sizeof(cursor));
    reset->find = (struct hg_find_op){.max = ROUND_MAX, .base = {.done = on_found}};
    memcpy(reset->find.cursor, cursor, sizeof(cursor));
    queue_find(reset->options.queue, &reset->find);
}

static enum hg_rc reset_catalog(struct hg_change *change, struct hg_edit *edit)
{
    return edit_reset(edit, &change->err);
}

static void on_catalog_reset(struct hg_change *change)
{
    struct reset *reset = hg_container_of(change, struct reset, change);

    reset->parts = 1;
    if (change->rc != HG_OK) {
        note_failure(reset, "nothing was reset",
                     change->err.text[0] ? change->err.text : hg_rc_text(change->rc));
        end_part(reset);
        return;
    }
    if (end_if_stopping(reset))
        return;
    reset->parts = 2;
    reset->logs.done = on_logs_reset;
    reset_metrics(reset);
    logs_reset(workers_log_files(reset->options.workers), reset->loop, &reset->logs);
    find_events(reset);
}

static void on_abort(struct hg_request *req)
{
    ((struct reset *)req->user)->call = NULL;
}

void page_reset(struct hg_call *call)
{
    struct reset *reset;

    if (!call->api->options.allows_reset) {
        call_fail(call, HG_API_ACCESS_DENIED,
                  "reset is not allowed here: start headgate serve with --allow-reset");
        return;
    }
    reset = hg_calloc(1, sizeof(*reset));
    reset->call = call;
    reset->options = call->api->options;
    reset->loop = call->req->loop;
    reset->start_us = hg_mono_us();
    hg_timer_init(&reset->again, reset->loop, on_time_to_try_again);
    reset->change.work = reset_catalog;
    reset->change.done = on_catalog_reset;
    call->req->user = reset;
    call->req->on_abort = on_abort;
    catalog_submit(reset->options.catalog, reset->loop, &reset->change);
}
