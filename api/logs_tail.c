/*
 * StartLiveTail: a session sends what is logged from its start on, once a second, in event stream framing, until the client leaves,
 * its three hours are over or the server ends. Looking is done on the logs' thread, sending on the request's loop.
 */
#include "api/event_stream.h"
#include "api/logs.h"
#include "core/clock.h"

enum {
    SESSIONS_MAX = 15, /* the service's own limit for an account */
    GROUPS_MAX = 10,
    EVENTS_MAX = 500, /* of one update; of more, some are left out */
    LOOK_MS = 1000,
    LOOK_BYTES = 4 << 20,   /* of a group's lines at one look; what is more is passed over */
    UPDATE_BYTES = 4 << 20, /* of an update's events */
    PENDING_MAX = 8 << 20,  /* a client that is so far behind misses some */
    FRAMES_MAX = 20 << 20,
    MESSAGE_MAX = 4 << 20,
};
#define SESSION_US (INT64_C(3) * 3600 * 1000000)
#define JSON_TYPE "application/x-amz-json-1.1"

/* What of a group was seen. */
struct tailed {
    struct hg_str name;
    uint64_t id, at;
};

/* One session; in the op's arena. */
struct tail {
    struct logs_op *op;
    struct hg_timer timer;
    struct hg_api_server *api;
    struct hg_str *streams, *prefixes; /* encoded */
    size_t stream_count, prefix_count;
    struct tailed groups[GROUPS_MAX];
    size_t group_count;
    int64_t started_us;
    char session_id[HG_UUID_LEN + 1];
    struct hg_buf message;
    /* Of one update. */
    struct hg_str group;
    size_t events;
    bool is_sampled, is_looking;
};

/* ---- on the logs' thread ---- */

static bool is_wanted(const struct tail *tail, struct hg_str stream)
{
    bool is_named = tail->stream_count + tail->prefix_count == 0;

    for (size_t i = 0; i < tail->stream_count && !is_named; i++)
        is_named = hg_str_eq(tail->streams[i], stream);
    for (size_t i = 0; i < tail->prefix_count && !is_named; i++)
        is_named = hg_str_starts(stream, tail->prefixes[i]);
    return is_named;
}

static void write_event(struct tail *tail, const struct hg_log_line *line)
{
    struct logs_op *op = tail->op;
    struct hg_json *json = &op->json;
    struct hg_buf stream;

    hg_buf_init(&stream, 4 * HG_LOG_STREAM_NAME_MAX);
    log_stream_decode(line->stream, &stream);
    hg_json_begin_object(json);
    hg_json_field_str(json, "logStreamName", hg_buf_str(&stream));
    hg_json_key_raw(json, HG_STR("\"logGroupIdentifier\":"));
    json->wants_comma = false;
    hg_buf_append_str(json->out, HG_STR("\"arn:aws:logs:"));
    hg_json_escape(json->out, op->region);
    hg_buf_append_byte(json->out, ':');
    hg_json_escape(json->out, op->account);
    hg_buf_append_str(json->out, HG_STR(":log-group:"));
    hg_json_escape(json->out, tail->group);
    hg_buf_append_byte(json->out, '"');
    json->wants_comma = true;
    hg_json_field_str(json, "message", hg_buf_str(&tail->message));
    hg_json_field_i64(json, "timestamp", line->wall_ms);
    hg_json_field_i64(json, "ingestionTime", line->ingested_ms);
    hg_json_end_object(json);
    hg_buf_fini(&stream);
}

static void on_line(void *arg, uint64_t at, size_t bytes, const struct hg_log_line *line)
{
    struct tail *tail = arg;

    (void)at;
    (void)bytes;
    if (!is_wanted(tail, line->stream))
        return;
    if (tail->events == EVENTS_MAX || tail->op->answer.len > UPDATE_BYTES) {
        tail->is_sampled = true;
        return;
    }
    hg_buf_clear(&tail->message, 65536);
    log_line_message(line, &tail->message);
    if (tail->op->query.pattern &&
        !log_pattern_matches(tail->op->query.pattern, hg_buf_str(&tail->message)))
        return;
    tail->events++;
    write_event(tail, line);
}

static void look_at(struct tail *tail, struct tailed *tailed)
{
    struct hg_log_group *group = log_store_find(tail->op->store, tailed->name);
    uint64_t end;

    if (!group)
        return;
    if (group->id != tailed->id)
        tailed->at = 0;
    tailed->id = group->id;
    tail->group = tailed->name;
    end = log_group_end(group);
    log_group_scan(group, &tailed->at, end, LOOK_BYTES, on_line, tail);
    tail->is_sampled = tail->is_sampled || tailed->at < end;
    tailed->at = end;
}

static void on_look(struct hg_job *job)
{
    struct logs_op *op = hg_container_of(job, struct logs_op, job);
    struct tail *tail = op->user;

    hg_buf_clear(&op->answer, 65536);
    op->json = hg_json_to(&op->answer);
    tail->events = 0;
    hg_json_begin_array(&op->json);
    for (size_t i = 0; i < tail->group_count; i++)
        look_at(tail, &tail->groups[i]);
    hg_json_end_array(&op->json);
}

static struct hg_str *read_names(struct logs_op *op, const char *member, size_t *count)
{
    struct hg_str *names = logs_input_list(&op->input, member, count);

    for (size_t i = 0; i < *count; i++)
        names[i] = logs_stream_name(op, names[i]);
    return names;
}

/* False: refused. */
static bool read_groups(struct logs_op *op, struct tail *tail)
{
    size_t count;
    struct hg_str *identifiers = logs_input_list(&op->input, "logGroupIdentifiers", &count);

    for (size_t i = 0; i < count; i++) {
        struct hg_str name = logs_group_name(op, identifiers[i]);
        struct hg_log_group *group = name.p ? log_store_find(op->store, name) : NULL;

        if (!group) {
            (void)logs_refuse(op, "ResourceNotFoundException",
                              "The specified log group does not exist.");
            return false;
        }
        /* Names may point into the body, which lives as long as the op. */
        tail->groups[tail->group_count++] =
            (struct tailed){.name = name, .id = group->id, .at = log_group_end(group)};
    }
    return true;
}

bool logs_start_tail(struct logs_op *op)
{
    struct tail *tail = hg_arena_must(op->arena, sizeof(*tail));
    struct hg_str pattern = logs_input_str(&op->input, "logEventFilterPattern");
    struct hg_error err = {""};

    op->user = tail;
    tail->op = op;
    tail->streams = read_names(op, "logStreamNames", &tail->stream_count);
    tail->prefixes = read_names(op, "logStreamNamePrefixes", &tail->prefix_count);
    if (!read_groups(op, tail))
        return true;
    if (tail->stream_count && tail->prefix_count)
        return logs_refuse(op, "InvalidParameterException",
                           "logStreamNames and logStreamNamePrefixes are mutually exclusive "
                           "parameters.");
    if (tail->group_count > 1 && tail->stream_count + tail->prefix_count)
        return logs_refuse(op, "InvalidParameterException",
                           "Streams can be chosen in a single log group only.");
    op->query.pattern = log_pattern_new(pattern.p ? pattern : HG_STR(""), &err);
    if (!op->query.pattern)
        return logs_refuse(op, "InvalidParameterException", "%s", err.text);
    return true;
}

/* ---- on the request's loop ---- */

static void free_session(struct tail *tail)
{
    log_files_close_session(tail->op->files);
    hg_timer_stop(&tail->timer);
    hg_buf_fini(&tail->message);
    logs_free(tail->op);
}

static void send_frame(struct tail *tail, const char *type, struct hg_str payload)
{
    struct hg_buf frame;

    hg_buf_init(&frame, FRAMES_MAX);
    event_stream_write(&frame, type, JSON_TYPE, payload);
    req_write(tail->op->call->req, hg_buf_str(&frame));
    hg_buf_fini(&frame);
}

static void write_member(const struct logs_op *op, struct hg_json *json, const char *name)
{
    struct hg_json_value value = logs_input_get(&op->input, name);

    if (value.kind == HG_JSON_BAD)
        return;
    hg_json_key(json, hg_str_of(name));
    hg_json_raw(json, value.raw);
}

static void send_start(struct tail *tail)
{
    const struct logs_op *op = tail->op;
    struct hg_buf text;
    struct hg_json json;

    hg_buf_init(&text, FRAMES_MAX);
    json = hg_json_to(&text);
    hg_json_begin_object(&json);
    hg_json_field_cstr(&json, "requestId", op->call->request_id);
    hg_json_field_cstr(&json, "sessionId", tail->session_id);
    write_member(op, &json, "logGroupIdentifiers");
    write_member(op, &json, "logStreamNames");
    write_member(op, &json, "logStreamNamePrefixes");
    write_member(op, &json, "logEventFilterPattern");
    hg_json_end_object(&json);
    /* Clients of the JSON protocols want an initial response before the first event. */
    send_frame(tail, "initial-response", HG_STR("{}"));
    send_frame(tail, "sessionStart", hg_buf_str(&text));
    hg_buf_fini(&text);
}

static void send_update(struct tail *tail)
{
    struct hg_buf text;
    struct hg_json json;

    if (req_pending(tail->op->call->req) > PENDING_MAX) {
        tail->is_sampled = true;
        return;
    }
    hg_buf_init(&text, FRAMES_MAX);
    json = hg_json_to(&text);
    hg_json_begin_object(&json);
    hg_json_key_lit(&json, "sessionMetadata");
    hg_json_begin_object(&json);
    hg_json_field_bool(&json, "sampled", tail->is_sampled);
    hg_json_end_object(&json);
    hg_json_key_lit(&json, "sessionResults");
    hg_json_raw(&json, hg_buf_str(&tail->op->answer));
    hg_json_end_object(&json);
    tail->is_sampled = text.is_overflown || text.len > HG_EVENT_FRAME_PAYLOAD_MAX;
    if (!tail->is_sampled)
        send_frame(tail, "sessionUpdate", hg_buf_str(&text));
    hg_buf_fini(&text);
}

static void end_session(struct tail *tail, bool is_timeout)
{
    struct hg_request *req = tail->op->call->req;
    struct hg_buf frame;

    req->on_abort = NULL;
    if (is_timeout) {
        hg_buf_init(&frame, 4096);
        event_stream_write_exception(
            &frame, "SessionTimeoutException", JSON_TYPE,
            HG_STR("{\"message\":\"The session has ended after three hours.\"}"));
        req_write(req, hg_buf_str(&frame));
        hg_buf_fini(&frame);
    }
    req_end(req);
    free_session(tail);
}

static void on_looked(struct hg_job *job)
{
    struct logs_op *op = hg_container_of(job, struct logs_op, job);
    struct tail *tail = op->user;
    bool is_over = hg_mono_us() - tail->started_us > SESSION_US;

    tail->is_looking = false;
    if (!op->call) {
        free_session(tail);
        return;
    }
    send_update(tail);
    if (is_over || atomic_load(&tail->api->phase) == HG_API_DRAINING)
        end_session(tail, is_over);
    else
        hg_timer_start_ms(&tail->timer, LOOK_MS);
}

static void on_time(struct hg_timer *timer)
{
    struct tail *tail = hg_container_of(timer, struct tail, timer);

    tail->is_looking = true;
    log_files_submit(tail->op->files, tail->op->job.home, &tail->op->job);
}

static void on_client_left(struct hg_request *req)
{
    struct logs_op *op = req->user;
    struct tail *tail = op->user;

    op->call = NULL;
    if (!tail->is_looking)
        free_session(tail);
}

void logs_answer_tail(struct logs_op *op)
{
    struct tail *tail = op->user;
    struct hg_request *req = op->call->req;

    tail->api = op->call->api;
    if (!log_files_open_session(op->files, SESSIONS_MAX)) {
        (void)logs_refuse(op, "LimitExceededException", "There are %d live tail sessions already.",
                          SESSIONS_MAX);
        logs_respond(op);
        logs_free(op);
        return;
    }
    tail->started_us = hg_mono_us();
    hg_uuid(tail->session_id);
    hg_buf_init(&tail->message, MESSAGE_MAX);
    hg_timer_init(&tail->timer, req->loop, on_time);
    op->job.work = on_look;
    op->job.done = on_looked;
    req->on_abort = on_client_left;
    req->response.status = 200;
    req_add_header(req, HG_STR("x-amzn-RequestId"), hg_str_of(op->call->request_id));
    req_add_header(req, HG_STR("Content-Type"), HG_STR("application/vnd.amazon.eventstream"));
    req_begin(req);
    send_start(tail);
    hg_timer_start_ms(&tail->timer, LOOK_MS);
}
