/*
 * Looking up and changing events. An id does not say its function, and a key
 * for each id would be one more write for every event: so all functions are
 * asked, in one pipeline, unless the id was seen lately.
 */
#include "queue/redis_engine.h"

#include "core/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE_MAX = 1000, REDRIVE_TRIES = 5 };

static void note_recent(struct redis_engine *engine, struct hg_str id,
                        struct redis_function *function)
{
    size_t at = hg_str_hash(id) % HG_REDIS_RECENT;

    if (id.n != HG_UUID_LEN)
        return;
    memcpy(engine->recent[at].id, id.p, HG_UUID_LEN);
    engine->recent[at].function = function;
}

static struct redis_function *recent_of(const struct redis_engine *engine, const char *id)
{
    size_t at = hg_str_hash(hg_str_of(id)) % HG_REDIS_RECENT;

    return strcmp(engine->recent[at].id, id) == 0 ? engine->recent[at].function : NULL;
}

/* One script's run on one function, for a question asked of many. */
struct probe {
    struct hg_redis_op op;
    struct redis_function *function;
    struct question *question;
};

/* find, change and pages: first the functions are named, then each is asked. */
struct question {
    struct redis_request request;
    char id[HG_UUID_LEN + 1];
    void (*ask)(struct question *question, struct hg_redis_command *command);
    void (*take)(struct question *question, struct redis_function *function,
                 const struct redisReply *reply);
    void (*end)(struct question *question); /* all have answered */
    enum redis_script script;
    struct probe *probes;
    size_t left;
    bool has_answer, has_failed, asked_all;
    char why[HG_EVENT_WHY_MAX];

    /* A redrive. */
    unsigned tries;
    struct hg_buf old_life;

    /* A page. */
    int64_t before_ms;
    char before_id[HG_UUID_LEN + 1];
    char indexes[8];
    unsigned max;
    struct entry *entries;
    size_t count;
};

/* Of a page: newest first. */
struct entry {
    int64_t accepted_ms;
    char id[HG_UUID_LEN + 1];
    bool is_leased;
    struct redis_function *function;
    struct hg_event *event;
    struct hg_redis_op op;
    struct question *question;
};

static void drop(struct redis_request *request)
{
    struct question *question = hg_container_of(request, struct question, request);

    for (size_t i = 0; i < question->count; i++)
        hg_event_free(question->entries[i].event);
    free(question->entries);
    free(question->probes);
    hg_buf_fini(&question->old_life);
}

static struct hg_find_op *find_op(const struct question *question)
{
    return hg_container_of(question->request.queue_op, struct hg_find_op, base);
}

static void finish(struct question *question, enum hg_rc rc, const char *why)
{
    queue_op_end(question->request.queue_op, rc, why ? "%s" : NULL, why);
    redis_request_free(&question->request);
}

/* Asking. */

static void on_probe(struct hg_redis_op *op)
{
    struct probe *probe = hg_container_of(op, struct probe, op);
    struct question *question = probe->question;

    if (op->rc == HG_OK) {
        question->take(question, probe->function, op->reply);
    } else {
        question->has_failed = true;
        (void)snprintf(question->why, sizeof(question->why), "%s", op->why);
    }
    if (--question->left == 0)
        question->end(question);
}

static void ask(struct question *question, struct probe *probe, struct redis_function *function)
{
    struct redis_engine *engine = question->request.engine;
    struct hg_redis_command *command = redis_command(engine, question->script, function);

    question->ask(question, command);
    probe->op.done = on_probe;
    probe->function = function;
    probe->question = question;
    hg_redis_submit(engine->redis, command, &probe->op);
}

static void ask_one(struct question *question, struct redis_function *function)
{
    question->probes = hg_realloc(question->probes, sizeof(*question->probes));
    memset(question->probes, 0, sizeof(*question->probes));
    question->left = 1;
    ask(question, question->probes, function);
}

static void on_functions(struct redis_request *request)
{
    struct question *question = hg_container_of(request, struct question, request);
    struct redis_engine *engine = request->engine;
    size_t at = 0;

    if (request->op.rc != HG_OK) {
        redis_end_failed(request);
        return;
    }
    redis_learn_functions(engine, request->op.reply);
    question->left = engine->by_name.count;
    question->asked_all = true;
    question->has_failed = false;
    if (!question->left) {
        question->end(question);
        return;
    }
    free(question->probes);
    question->probes = hg_calloc(question->left, sizeof(*question->probes));
    HG_LIST_EACH(link, &engine->functions)
    ask(question, &question->probes[at++], hg_container_of(link, struct redis_function, link));
}

static void ask_all(struct question *question)
{
    struct redis_engine *engine = question->request.engine;
    struct hg_redis_command *command = hg_redis_command("SMEMBERS");
    char key[HG_REDIS_TAG_MAX + 16];

    (void)snprintf(key, sizeof(key), "%s:functions", engine->tag);
    hg_redis_key(command, hg_str_of(key));
    redis_submit(&question->request, command);
}

static struct question *new_question(struct redis_engine *engine, struct hg_queue_op *op,
                                     enum redis_script script, const char *id)
{
    struct question *question = redis_request_new(engine, sizeof(*question), op, on_functions);

    question->request.drop = drop;
    question->script = script;
    hg_buf_init(&question->old_life, 1 << 20);
    if (id)
        (void)snprintf(question->id, sizeof(question->id), "%s", id);
    return question;
}

static void ask_id(struct question *question, struct hg_redis_command *command)
{
    hg_redis_arg_cstr(command, question->id);
}

/* Begins with the function where the id was seen, if any. */
static void begin_by_id(struct question *question)
{
    struct redis_function *function = recent_of(question->request.engine, question->id);

    if (function)
        ask_one(question, function);
    else
        ask_all(question);
}

/* False when the question goes on, or has ended with an error: nobody had an answer. */
static bool is_answered(struct question *question)
{
    if (question->has_answer)
        return true;
    if (!question->asked_all)
        ask_all(question);
    else if (question->has_failed)
        finish(question, HG_E_BUSY, question->why);
    else
        finish(question, HG_E_NOT_FOUND, "there is no such event");
    return false;
}

/* By id. */

static void take_found(struct question *question, struct redis_function *function,
                       const struct redisReply *reply)
{
    struct redis_engine *engine = question->request.engine;
    struct hg_find_op *op = find_op(question);
    struct hg_event *event;

    if (hg_redis_is_nil(reply) || question->has_answer)
        return;
    event = redis_decode(engine, hg_redis_str(hg_redis_at(reply, 0)));
    if (!event)
        return;
    question->has_answer = true;
    note_recent(engine, hg_str_of(event->id), function);
    event->payload =
        hg_blob_new(hg_redis_str(hg_redis_at(reply, 1)).p, hg_redis_str(hg_redis_at(reply, 1)).n);
    if (!hg_redis_is_nil(hg_redis_at(reply, 2)))
        event->result = hg_blob_new(hg_redis_str(hg_redis_at(reply, 2)).p,
                                    hg_redis_str(hg_redis_at(reply, 2)).n);
    event->deliveries += (unsigned)hg_redis_int(hg_redis_at(reply, 3));
    if (hg_redis_int(hg_redis_at(reply, 4)))
        event->state = HG_EVENT_RUNNING;
    hg_list_push_back(&op->events, &event->link);
}

static void end_find(struct question *question)
{
    if (is_answered(question))
        finish(question, HG_OK, NULL);
}

/* A page. */

static int compare(int64_t accepted_ms, const char *id, const struct entry *entry)
{
    if (accepted_ms != entry->accepted_ms)
        return accepted_ms > entry->accepted_ms ? -1 : 1;
    return -strcmp(id, entry->id);
}

static void ask_page(struct question *question, struct hg_redis_command *command)
{
    const struct hg_find_op *op = find_op(question);
    int64_t skew_ms = question->request.engine->skew_ms;

    if (op->since_ms)
        hg_redis_arg_i64(command, op->since_ms + skew_ms);
    else
        hg_redis_arg_cstr(command, "-inf");
    if (question->before_id[0])
        hg_redis_arg_i64(command, question->before_ms);
    else
        hg_redis_arg_cstr(command, "+inf");
    hg_redis_arg_cstr(command, question->before_id);
    hg_redis_arg_i64(command, question->max);
    hg_redis_arg_cstr(command, question->indexes);
}

/* Keeps the newest of all; an id that moved between two indexes meanwhile once. */
static void insert(struct question *question, struct redis_function *function, struct hg_str id,
                   int64_t accepted_ms, bool is_leased)
{
    char text[HG_UUID_LEN + 1];
    size_t low = 0, high = question->count;
    struct entry *entry;

    memcpy(text, id.p, HG_UUID_LEN);
    text[HG_UUID_LEN] = '\0';
    while (low < high) {
        size_t middle = (low + high) / 2;

        if (compare(accepted_ms, text, &question->entries[middle]) < 0)
            high = middle;
        else
            low = middle + 1;
    }
    if (low > 0 && strcmp(question->entries[low - 1].id, text) == 0)
        return;
    if (low == question->max)
        return;
    if (question->count == question->max)
        question->count--;
    entry = &question->entries[low];
    memmove(entry + 1, entry, (question->count - low) * sizeof(*entry));
    memset(entry, 0, sizeof(*entry));
    question->count++;
    memcpy(entry->id, text, sizeof(text));
    entry->accepted_ms = accepted_ms;
    entry->is_leased = is_leased;
    entry->function = function;
}

static void take_ids(struct question *question, struct redis_function *function,
                     const struct redisReply *reply)
{
    for (size_t i = 0; i + 2 < hg_redis_count(reply); i += 3) {
        struct hg_str id = hg_redis_str(hg_redis_at(reply, i));

        if (id.n == HG_UUID_LEN)
            insert(question, function, id, hg_redis_int(hg_redis_at(reply, i + 1)),
                   hg_str_is(hg_redis_str(hg_redis_at(reply, i + 2)), "l"));
    }
}

static void end_page(struct question *question)
{
    struct hg_find_op *op = find_op(question);

    if (question->has_failed) {
        finish(question, HG_E_BUSY, question->why);
        return;
    }
    op->cursor[0] = '\0';
    if (question->count == question->max) {
        const struct entry *last = &question->entries[question->count - 1];

        (void)snprintf(op->cursor, sizeof(op->cursor), "%lld:%s", (long long)last->accepted_ms,
                       last->id);
    }
    for (size_t i = 0; i < question->count; i++) {
        if (question->entries[i].event)
            hg_list_push_back(&op->events, &question->entries[i].event->link);
        question->entries[i].event = NULL;
    }
    finish(question, HG_OK, NULL);
}

static void on_entry(struct hg_redis_op *op)
{
    struct entry *entry = hg_container_of(op, struct entry, op);
    struct question *question = entry->question;
    struct hg_str life = hg_redis_str(hg_redis_at(op->reply, 0));

    if (op->rc != HG_OK) {
        question->has_failed = true;
        (void)snprintf(question->why, sizeof(question->why), "%s", op->why);
    } else if (life.n) {
        /* Gone meanwhile otherwise. */
        entry->event = redis_decode(question->request.engine, life);
        note_recent(question->request.engine, hg_str_of(entry->id), entry->function);
    }
    if (entry->event) {
        entry->event->deliveries += (unsigned)hg_redis_int(hg_redis_at(op->reply, 1));
        if (entry->is_leased)
            entry->event->state = HG_EVENT_RUNNING;
    }
    if (--question->left == 0)
        end_page(question);
}

static void fetch_entries(struct question *question)
{
    if (question->has_failed || question->count == 0) {
        end_page(question);
        return;
    }
    question->left = question->count;
    for (size_t i = 0; i < question->count; i++) {
        struct entry *entry = &question->entries[i];
        struct hg_redis_command *command = hg_redis_command("HMGET");
        char key[HG_REDIS_TAG_MAX + HG_UUID_LEN + 8];

        (void)snprintf(key, sizeof(key), "%s:e:%s", entry->function->tag, entry->id);
        hg_redis_key(command, hg_str_of(key));
        hg_redis_arg_cstr(command, "l");
        hg_redis_arg_cstr(command, "n");
        entry->op.done = on_entry;
        entry->question = question;
        hg_redis_submit(question->request.engine->redis, command, &entry->op);
    }
}

static bool read_cursor(struct question *question, const char *cursor)
{
    struct hg_str rest = hg_str_of(cursor), part;

    if (!cursor[0])
        return true;
    if (!hg_str_next(&rest, ':', &part) || !hg_str_i64(part, 0, INT64_MAX, &question->before_ms) ||
        !hg_uuid_is_valid(rest))
        return false;
    memcpy(question->before_id, rest.p, HG_UUID_LEN);
    return true;
}

static void find_page(struct redis_engine *engine, struct hg_find_op *op)
{
    static const struct {
        enum hg_event_state state;
        char index;
    } indexes[] = {{HG_EVENT_QUEUED, 'q'},
                   {HG_EVENT_RETRYING, 'r'},
                   {HG_EVENT_RUNNING, 'l'},
                   {HG_EVENT_DELIVERED, 'f'},
                   {HG_EVENT_DEAD, 'x'}};
    struct question *question = new_question(engine, &op->base, REDIS_PAGE, NULL);
    size_t count = 0;

    question->ask = ask_page;
    question->take = take_ids;
    question->end = fetch_entries;
    question->max = HG_MIN(HG_MAX(op->max, 1U), (unsigned)PAGE_MAX);
    question->entries = hg_calloc(question->max + 1, sizeof(*question->entries));
    for (size_t i = 0; i < HG_COUNT(indexes); i++) {
        if (!op->states || op->states & 1U << indexes[i].state)
            question->indexes[count++] = indexes[i].index;
    }
    if (!read_cursor(question, op->cursor)) {
        finish(question, HG_E_INVALID, "the cursor is not one of this queue");
    } else if (op->function) {
        question->asked_all = true;
        ask_one(question, redis_function_of(engine, hg_str_of(op->function)));
    } else {
        ask_all(question);
    }
}

void redis_find(struct hg_queue *queue, struct hg_find_op *op)
{
    struct redis_engine *engine = queue->engine;
    struct question *question;

    if (!redis_is_there(engine, &op->base))
        return;
    if (!op->id) {
        if (op->function && strlen(op->function) > HG_EVENT_FUNCTION_MAX)
            queue_op_end(&op->base, HG_OK, NULL);
        else
            find_page(engine, op);
        return;
    }
    question = new_question(engine, &op->base, REDIS_FIND, op->id);
    question->ask = ask_id;
    question->take = take_found;
    question->end = end_find;
    begin_by_id(question);
}

/* Purge. */

static void take_purged(struct question *question, struct redis_function *function,
                        const struct redisReply *reply)
{
    (void)function;
    if (hg_redis_is_nil(reply))
        return;
    question->has_answer = true;
    if (hg_redis_int(reply) == 0)
        (void)snprintf(question->why, sizeof(question->why), "it is being run");
}

static void end_purge(struct question *question)
{
    if (!is_answered(question))
        return;
    if (question->why[0] && !question->has_failed)
        finish(question, HG_E_CONFLICT, question->why);
    else
        finish(question, HG_OK, NULL);
}

/* Redrive: read, reset, and stored if it did not change meanwhile. */

static void on_redriven(struct redis_request *request)
{
    struct question *question = hg_container_of(request, struct question, request);
    struct redis_function *function = request->function;

    if (request->op.rc != HG_OK) {
        redis_end_failed(request);
    } else if (hg_redis_int(request->op.reply) == 1) {
        redis_note_ready(redis_lane_of(function, hg_str_n("", 0)));
        finish(question, HG_OK, NULL);
    } else if (++question->tries < REDRIVE_TRIES) {
        question->has_answer = false;
        ask_one(question, function);
    } else {
        finish(question, HG_E_CONFLICT, "it keeps changing");
    }
}

static void store_redriven(struct question *question, struct hg_event *event)
{
    struct redis_engine *engine = question->request.engine;
    struct hg_redis_command *command =
        redis_command(engine, REDIS_REDRIVE, question->request.function);
    struct hg_buf life;

    hg_event_reset(event, hg_steady_ms());
    redis_encode(engine, event, &life);
    hg_redis_arg_cstr(command, question->id);
    hg_redis_arg(command, hg_buf_str(&question->old_life));
    hg_redis_arg(command, hg_buf_str(&life));
    hg_redis_arg_i64(command, event->accepted_ms + engine->skew_ms);
    hg_buf_fini(&life);
    hg_redis_command_replicate(command);
    question->request.finish = on_redriven;
    redis_submit(&question->request, command);
}

static void take_old(struct question *question, struct redis_function *function,
                     const struct redisReply *reply)
{
    if (hg_redis_is_nil(reply))
        return;
    question->has_answer = true;
    question->request.function = function;
    hg_buf_clear(&question->old_life, 0);
    (void)hg_buf_append_str(&question->old_life, hg_redis_str(hg_redis_at(reply, 0)));
}

static void end_redrive(struct question *question)
{
    struct hg_event *event;

    if (!is_answered(question))
        return;
    event = redis_decode(question->request.engine, hg_buf_str(&question->old_life));
    if (!event)
        finish(question, HG_E_CONFLICT, "another version wrote it");
    else if (event->state != HG_EVENT_DELIVERED && event->state != HG_EVENT_DEAD)
        finish(question, HG_E_CONFLICT, "it has not ended yet");
    else
        store_redriven(question, event);
    hg_event_free(event);
}

void redis_change(struct hg_queue *queue, struct hg_change_op *op)
{
    struct redis_engine *engine = queue->engine;
    bool is_purge = op->change == HG_CHANGE_PURGE;
    struct question *question;

    if (!redis_is_there(engine, &op->base))
        return;
    question = new_question(engine, &op->base, is_purge ? REDIS_PURGE : REDIS_FIND, op->id);
    question->ask = ask_id;
    question->take = is_purge ? take_purged : take_old;
    question->end = is_purge ? end_purge : end_redrive;
    begin_by_id(question);
}
