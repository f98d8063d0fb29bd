/*
 * Redrive and purge: of one event, or of all that a query means. A call for
 * many does a bounded number and says where the next one continues, so that no
 * request runs for long and its caller can show progress.
 */
#include "api/events.h"

#include <stdlib.h>

enum {
    ROUND_MAX = 64, /* changes under way at once: one commit's worth */
    FAILURES_SHOWN = 20,
};

static const struct {
    const char *done; /* what became of an event */
    unsigned states;  /* that are meant when the query names none */
} changes[] = {
    [HG_CHANGE_REDRIVE] = {"redriven", 1u << HG_EVENT_DEAD},
    [HG_CHANGE_PURGE] = {"purged", 1u << HG_EVENT_DEAD | 1u << HG_EVENT_DELIVERED},
};

/* ---- one event ---- */

/* Lives until the queue has answered. */
struct single {
    struct hg_change_op op;
    struct hg_call *call; /* NULL: the client has left */
    char id[HG_UUID_LEN + 1];
};

static void on_single_changed(struct hg_queue_op *base)
{
    struct single *single = hg_container_of(base, struct single, op.base);
    struct hg_call *call = single->call;

    if (call) {
        call->req->on_abort = NULL;
        if (base->rc == HG_OK) {
            struct hg_buf *buf = call_buffer(call);
            struct hg_json json = hg_json_to(buf);

            hg_json_begin_object(&json);
            hg_json_field_cstr(&json, "request_id", single->id);
            hg_json_key(&json, hg_str_of(changes[single->op.change].done));
            hg_json_bool(&json, true);
            hg_json_end_object(&json);
            call_respond_json(call, 200, buf);
        } else if (base->rc == HG_E_NOT_FOUND) {
            call_fail(call, HG_API_NOT_FOUND, "there is no event %s, or it is no longer remembered",
                      single->id);
        } else {
            events_fail(call, base->rc, base->why);
        }
    }
    free(single);
}

static void on_single_abort(struct hg_request *req)
{
    ((struct single *)req->user)->call = NULL;
}

static void change_one(struct hg_call *call, enum hg_queue_change change)
{
    const char *id = events_read_id(call);
    struct events_query none;
    struct single *single;

    if (!id || !events_read_query(call, 0, &none))
        return;
    single = hg_calloc(1, sizeof(*single));
    memcpy(single->id, id, sizeof(single->id));
    single->call = call;
    single->op.id = single->id;
    single->op.change = change;
    single->op.base.done = on_single_changed;
    call->req->user = single;
    call->req->on_abort = on_single_abort;
    queue_change(call->api->options.queue, &single->op);
}

void page_event_redrive(struct hg_call *call)
{
    change_one(call, HG_CHANGE_REDRIVE);
}

void page_event_purge(struct hg_call *call)
{
    change_one(call, HG_CHANGE_PURGE);
}

/* ---- many events ---- */

struct batch;

/* One change of a round. */
struct member {
    struct hg_change_op op;
    struct batch *batch;
    char id[HG_UUID_LEN + 1];
};

struct failure {
    char id[HG_UUID_LEN + 1];
    char why[HG_EVENT_WHY_MAX];
};

/* Round after round: find some, change them, until the limit or the end. Lives until the last operation is over. */
struct batch {
    struct hg_find_op find;
    struct hg_call *call; /* NULL: the client has left; what runs is waited for */
    struct hg_queue *queue;
    struct events_query query;
    enum hg_queue_change change;
    struct member members[ROUND_MAX];
    unsigned pending; /* members under way */
    unsigned seen, done, failed;
    struct failure failures[FAILURES_SHOWN]; /* the first ones */
};

static void begin_round(struct batch *batch);

static void respond_batch(struct batch *batch)
{
    struct hg_call *call = batch->call;
    struct hg_buf *buf = call_buffer(call);
    struct hg_json json = hg_json_to(buf);
    bool has_more = batch->find.cursor[0] != '\0';

    hg_json_begin_object(&json);
    hg_json_key(&json, hg_str_of(changes[batch->change].done));
    hg_json_u64(&json, batch->done);
    hg_json_field_i64(&json, "failed", batch->failed);
    hg_json_key_lit(&json, "failures");
    hg_json_begin_array(&json);
    for (unsigned i = 0; i < HG_MIN(batch->failed, (unsigned)FAILURES_SHOWN); i++) {
        hg_json_begin_object(&json);
        hg_json_field_cstr(&json, "request_id", batch->failures[i].id);
        hg_json_field_cstr(&json, "why", batch->failures[i].why);
        hg_json_end_object(&json);
    }
    hg_json_end_array(&json);
    hg_json_field_bool(&json, "more", has_more);
    hg_json_field_cstr(&json, "cursor", has_more ? batch->find.cursor : NULL);
    hg_json_end_object(&json);
    call_respond_json(call, 200, buf);
}

static void finish_batch(struct batch *batch)
{
    if (batch->call) {
        batch->call->req->on_abort = NULL;
        /* What was done is told even if the rest could not be found. */
        if (batch->find.base.rc == HG_OK || batch->seen)
            respond_batch(batch);
        else
            events_fail(batch->call, batch->find.base.rc, batch->find.base.why);
    }
    free(batch);
}

static void continue_batch(struct batch *batch)
{
    if (batch->call && batch->find.cursor[0] && batch->seen < batch->query.limit)
        begin_round(batch);
    else
        finish_batch(batch);
}

static void note_failure(struct batch *batch, const struct member *member)
{
    const char *why = member->op.base.why;

    if (batch->failed < FAILURES_SHOWN) {
        struct failure *failure = &batch->failures[batch->failed];

        memcpy(failure->id, member->id, sizeof(failure->id));
        (void)snprintf(failure->why, sizeof(failure->why), "%s",
                       why[0] ? why : hg_rc_text(member->op.base.rc));
    }
    batch->failed++;
}

static void on_member_changed(struct hg_queue_op *base)
{
    struct member *member = hg_container_of(base, struct member, op.base);
    struct batch *batch = member->batch;

    if (base->rc == HG_OK)
        batch->done++;
    else if (base->rc != HG_E_NOT_FOUND) /* gone meanwhile: somebody else was faster */
        note_failure(batch, member);
    if (--batch->pending == 0)
        continue_batch(batch);
}

static void on_batch_found(struct hg_queue_op *base)
{
    struct batch *batch = hg_container_of(base, struct batch, find.base);
    unsigned count = 0;

    HG_LIST_EACH(link, &batch->find.events)
    {
        struct member *member = &batch->members[count++];

        memset(member, 0, sizeof(*member));
        memcpy(member->id, hg_container_of(link, struct hg_event, link)->id, sizeof(member->id));
        member->batch = batch;
        member->op.id = member->id;
        member->op.change = batch->change;
        member->op.base.done = on_member_changed;
    }
    events_free_list(&batch->find.events);
    if (base->rc != HG_OK || !batch->call)
        count = 0;
    batch->seen += count;
    batch->pending = count;
    if (base->rc != HG_OK)
        finish_batch(batch);
    else if (!count)
        continue_batch(batch);
    for (unsigned i = 0; i < count; i++)
        queue_change(batch->queue, &batch->members[i].op);
}

static void begin_round(struct batch *batch)
{
    struct events_query *query = &batch->query;
    char cursor[sizeof(batch->find.cursor)];

    memcpy(cursor, batch->find.cursor, sizeof(cursor));
    batch->find = (struct hg_find_op){
        .function = query->function[0] ? query->function : NULL,
        .states = query->states,
        .since_ms = query->since_ms,
        .max = HG_MIN(query->limit - batch->seen, (unsigned)ROUND_MAX),
    };
    batch->find.base.done = on_batch_found;
    memcpy(batch->find.cursor, cursor, sizeof(cursor));
    queue_find(batch->queue, &batch->find);
}

static void on_batch_abort(struct hg_request *req)
{
    ((struct batch *)req->user)->call = NULL;
}

static void change_many(struct hg_call *call, enum hg_queue_change change, unsigned takes)
{
    struct events_query query;
    struct batch *batch;

    takes |= EVENTS_TAKES_FUNCTION | EVENTS_TAKES_SINCE | EVENTS_TAKES_LIMIT | EVENTS_TAKES_CURSOR;
    if (!events_read_query(call, takes, &query))
        return;
    if (query.states & 1u << HG_EVENT_RUNNING) {
        call_fail(
            call, HG_API_INVALID_PARAMETER,
            "state: running events cannot be %s; allowed are queued, retrying, delivered, dead",
            changes[change].done);
        return;
    }
    batch = hg_calloc(1, sizeof(*batch));
    batch->query = query;
    if (!query.states)
        batch->query.states = changes[change].states;
    if (!query.limit)
        batch->query.limit = EVENTS_PAGE_MAX;
    memcpy(batch->find.cursor, query.cursor, sizeof(query.cursor));
    batch->call = call;
    batch->queue = call->api->options.queue;
    batch->change = change;
    call->req->user = batch;
    call->req->on_abort = on_batch_abort;
    begin_round(batch);
}

void page_events_redrive(struct hg_call *call)
{
    change_many(call, HG_CHANGE_REDRIVE, 0);
}

void page_events_purge(struct hg_call *call)
{
    change_many(call, HG_CHANGE_PURGE, EVENTS_TAKES_STATE);
}
