/*
 * Calls of CloudWatch Logs: finds the operation, has its work done on the logs' thread, answers. On the request's loop, but for what
 * runs in on_work.
 */
#include "api/logs.h"

#include "core/crypto.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    BODY_MAX = 6 << 20,     /* a batch of 1 MiB, every byte of it escaped */
    ARENA_EXTRA = 16 << 20, /* beside twice the body */
    ANSWER_MAX = 48 << 20,  /* a page of 1 MiB, every byte of it escaped, and its events' members */
    MESSAGE_MAX = 4096,
    TOKEN_MAX = 4096,
    POSITION_DIGITS = 16,
};

#define CONTENT_TYPE "application/x-amz-json-1.1"
#define RETENTION_DAYS \
    "1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, " \
    "3288, 3653"
#define CLASSES "STANDARD, INFREQUENT_ACCESS, DELIVERY, ESSENTIALS"

/* ---- inputs: the bounds are the service's model's ---- */

#define GROUP_NAME(required) \
    { \
        "logGroupName", LOGS_STRING, required, 1, 512, LOGS_GROUP_NAME, 0, 0, NULL \
    }
#define GROUP_ID \
    { \
        "logGroupIdentifier", LOGS_STRING, false, 1, 2048, LOGS_GROUP_ID, 0, 0, NULL \
    }
#define STREAM_NAME \
    { \
        "logStreamName", LOGS_STRING, true, 1, 512, LOGS_STREAM_NAME, 0, 0, NULL \
    }
#define STREAM_PREFIX \
    { \
        "logStreamNamePrefix", LOGS_STRING, false, 1, 512, LOGS_STREAM_NAME, 0, 0, NULL \
    }
#define NEXT_TOKEN \
    { \
        "nextToken", LOGS_STRING, false, 1, 0, LOGS_ANY, 0, 0, NULL \
    }
#define LIMIT(max) \
    { \
        "limit", LOGS_NUMBER, false, 1, max, LOGS_ANY, 0, 0, NULL \
    }
#define TIME(name) \
    { \
        name, LOGS_NUMBER, false, 0, 0, LOGS_ANY, 0, 0, NULL \
    }
#define FLAG(name) \
    { \
        name, LOGS_BOOLEAN, false, 0, 0, LOGS_ANY, 0, 0, NULL \
    }
#define TAGS(required) \
    { \
        "tags", LOGS_MAP, required, 1, 50, LOGS_TAG_KEY, 1, 128, NULL \
    }
#define ARN \
    { \
        "resourceArn", LOGS_STRING, true, 1, 1011, LOGS_RESOURCE_ARN, 0, 0, NULL \
    }
#define CLASS \
    { \
        "logGroupClass", LOGS_STRING, false, 0, 0, LOGS_ANY, 0, 0, CLASSES \
    }

static const struct logs_field fields_of_DescribeLogGroups[] = {
    {"accountIdentifiers", LOGS_STRINGS, false, 0, 20, LOGS_ACCOUNT_ID, 12, 12, NULL},
    {"logGroupNamePrefix", LOGS_STRING, false, 1, 512, LOGS_GROUP_NAME, 0, 0, NULL},
    {"logGroupNamePattern", LOGS_STRING, false, 0, 512, LOGS_GROUP_NAME_PART, 0, 0, NULL},
    {"logGroupIdentifiers", LOGS_STRINGS, false, 1, 50, LOGS_GROUP_ID, 1, 2048, NULL},
    NEXT_TOKEN,
    LIMIT(50),
    FLAG("includeLinkedAccounts"),
    CLASS,
};
static const struct logs_field fields_of_CreateLogGroup[] = {
    GROUP_NAME(true),
    {"kmsKeyId", LOGS_STRING, false, 0, 256, LOGS_ANY, 0, 0, NULL},
    TAGS(false),
    CLASS,
    FLAG("deletionProtectionEnabled"),
};
static const struct logs_field fields_of_DeleteLogGroup[] = {GROUP_NAME(true)};
static const struct logs_field fields_of_PutRetentionPolicy[] = {
    GROUP_NAME(true),
    {"retentionInDays", LOGS_NUMBER, true, INT64_MIN, 0, LOGS_ANY, 0, 0, RETENTION_DAYS},
};
static const struct logs_field fields_of_DeleteRetentionPolicy[] = {GROUP_NAME(true)};
static const struct logs_field fields_of_TagResource[] = {ARN, TAGS(true)};
static const struct logs_field fields_of_UntagResource[] = {
    ARN,
    {"tagKeys", LOGS_STRINGS, true, 0, 50, LOGS_TAG_KEY, 1, 128, NULL},
};
static const struct logs_field fields_of_ListTagsForResource[] = {ARN};
static const struct logs_field fields_of_TagLogGroup[] = {GROUP_NAME(true), TAGS(true)};
static const struct logs_field fields_of_UntagLogGroup[] = {
    GROUP_NAME(true),
    {"tags", LOGS_STRINGS, true, 1, 50, LOGS_TAG_KEY, 1, 128, NULL},
};
static const struct logs_field fields_of_ListTagsLogGroup[] = {GROUP_NAME(true)};
static const struct logs_field fields_of_DescribeLogStreams[] = {
    GROUP_NAME(false),
    GROUP_ID,
    STREAM_PREFIX,
    {"orderBy", LOGS_STRING, false, 0, 0, LOGS_ANY, 0, 0, "LogStreamName, LastEventTime"},
    FLAG("descending"),
    NEXT_TOKEN,
    LIMIT(50),
};
static const struct logs_field fields_of_CreateLogStream[] = {GROUP_NAME(true), STREAM_NAME};
static const struct logs_field fields_of_DeleteLogStream[] = {GROUP_NAME(true), STREAM_NAME};
static const struct logs_field fields_of_PutLogEvents[] = {
    GROUP_NAME(true),
    STREAM_NAME,
    {"logEvents", LOGS_EVENTS, true, 1, 10000, LOGS_ANY, 0, 0, NULL},
    {"sequenceToken", LOGS_STRING, false, 1, 0, LOGS_ANY, 0, 0, NULL},
    {"entity", LOGS_OBJECT, false, 0, 0, LOGS_ANY, 0, 0, NULL},
};
static const struct logs_field fields_of_GetLogEvents[] = {
    GROUP_NAME(false), GROUP_ID,     STREAM_NAME,           TIME("startTime"), TIME("endTime"),
    NEXT_TOKEN,        LIMIT(10000), FLAG("startFromHead"), FLAG("unmask"),
};
static const struct logs_field fields_of_FilterLogEvents[] = {
    GROUP_NAME(false),
    GROUP_ID,
    {"logStreamNames", LOGS_STRINGS, false, 1, 100, LOGS_STREAM_NAME, 1, 512, NULL},
    STREAM_PREFIX,
    TIME("startTime"),
    TIME("endTime"),
    {"filterPattern", LOGS_STRING, false, 0, 1024, LOGS_ANY, 0, 0, NULL},
    NEXT_TOKEN,
    LIMIT(10000),
    FLAG("startFromHead"),
    FLAG("interleaved"),
    FLAG("unmask"),
};

static const struct logs_field fields_of_StartLiveTail[] = {
    {"logGroupIdentifiers", LOGS_STRINGS, true, 1, 10, LOGS_GROUP_ID, 1, 2048, NULL},
    {"logStreamNames", LOGS_STRINGS, false, 1, 100, LOGS_STREAM_NAME, 1, 512, NULL},
    {"logStreamNamePrefixes", LOGS_STRINGS, false, 1, 100, LOGS_STREAM_NAME, 1, 512, NULL},
    {"logEventFilterPattern", LOGS_STRING, false, 0, 1024, LOGS_ANY, 0, 0, NULL},
};

static const struct logs_operation operations[] = {
#define LOGS_OP(name, work) {#name, fields_of_##name, HG_COUNT(fields_of_##name), work, NULL},
#define LOGS_OP_ANSWERED(name, work, answer) \
    {#name, fields_of_##name, HG_COUNT(fields_of_##name), work, answer},
#define LOGS_NOT_SERVED(name) {#name, NULL, 0, NULL, NULL},
#include "api/logs.def"
#undef LOGS_OP
#undef LOGS_OP_ANSWERED
#undef LOGS_NOT_SERVED
};

/* ---- answers ---- */

/* What clients try again. */
static const char unavailable[] = "ServiceUnavailableException";

static void respond(struct hg_call *call, int status, struct hg_buf *document)
{
    struct hg_buf *body = call_buffer(call);

    body->max = ANSWER_MAX;
    hg_buf_take(body, document);
    req_add_header(call->req, HG_STR("x-amzn-RequestId"), hg_str_of(call->request_id));
    req_respond_with(call->req, status, CONTENT_TYPE, hg_buf_str(body));
}

static void respond_error(struct hg_call *call, int status, const char *name, struct hg_str message)
{
    struct hg_buf document;
    struct hg_json json;

    hg_buf_init(&document, ANSWER_MAX);
    json = hg_json_to(&document);
    hg_json_begin_object(&json);
    hg_json_field_cstr(&json, "__type", name);
    hg_json_field_str(&json, "message", message);
    hg_json_end_object(&json);
    req_add_header(call->req, HG_STR("x-amzn-ErrorType"), hg_str_of(name));
    respond(call, status, &document);
    hg_buf_fini(&document);
}

void logs_respond(struct logs_op *op)
{
    if (op->error)
        respond_error(op->call, hg_str_is(hg_str_of(op->error), unavailable) ? 503 : 400, op->error,
                      op->message);
    else
        respond(op->call, 200, &op->answer);
}

void logs_free(struct logs_op *op)
{
    log_pattern_free(op->query.pattern);
    log_query_fini(&op->query);
    hg_buf_fini(&op->answer);
    hg_arena_free(op->arena);
    free(op);
}

static void on_done(struct hg_job *job)
{
    struct logs_op *op = hg_container_of(job, struct logs_op, job);

    /* A search that nobody waits for any more ends. */
    if (!op->is_finished && op->call) {
        log_files_submit(op->files, job->home, job);
        return;
    }
    if (op->call) {
        op->call->req->on_abort = NULL;
        if (!op->error && op->operation->answer) {
            op->operation->answer(op);
            return;
        }
        logs_respond(op);
    }
    logs_free(op);
}

/* On the logs' thread. */
static void on_work(struct hg_job *job)
{
    struct logs_op *op = hg_container_of(job, struct logs_op, job);

    op->store = log_files_store(op->files);
    if (op->input.object.kind == HG_JSON_BAD &&
        !logs_input_read(&op->input, op->body, op->operation->fields, op->operation->field_count,
                         &op->error, &op->message)) {
        op->is_finished = true;
        return;
    }
    op->is_finished = op->operation->work(op);
}

static void on_abort(struct hg_request *req)
{
    struct logs_op *op = req->user;

    op->call = NULL;
}

/* ---- the call ---- */

static void submit(struct hg_call *call, const struct logs_operation *operation)
{
    struct hg_snapshot *snapshot = registry_current(call->api->options.registry);
    struct logs_op *op = hg_calloc(1, sizeof(*op));

    op->operation = operation;
    op->call = call;
    op->files = workers_log_files(call->api->options.workers);
    op->arena = hg_arena_new(2 * call->req->body.n + ARENA_EXTRA);
    op->input.arena = op->arena;
    op->body = hg_arena_str(op->arena, call->req->body);
    op->region = hg_arena_str(op->arena, snapshot->region);
    op->account = hg_arena_str(op->arena, snapshot->account);
    hg_buf_init(&op->answer, ANSWER_MAX);
    op->json = hg_json_to(&op->answer);
    op->job.work = on_work;
    op->job.done = on_done;
    call->req->user = op;
    call->req->on_abort = on_abort;
    log_files_submit(op->files, call->req->loop, &op->job);
    snapshot_unref(snapshot);
}

static void refuse_operation(struct hg_call *call, const char *name)
{
    char message[128];
    int length = snprintf(message, sizeof(message), "%s is not available in Headgate", name);

    respond_error(call, 501, "NotImplementedException", hg_str_n(message, (size_t)length));
}

void logs_run(struct hg_call *call)
{
    struct hg_str target = req_header(call->req, "x-amz-target");
    ptrdiff_t dot = hg_str_find(target, '.');
    struct hg_str name = dot < 0 ? target : hg_str_skip(target, (size_t)dot + 1);

    for (size_t i = 0; i < HG_COUNT(operations); i++) {
        if (!hg_str_is(name, operations[i].name))
            continue;
        if (!operations[i].work) {
            refuse_operation(call, operations[i].name);
            return;
        }
        if (call->req->body.n > BODY_MAX)
            respond_error(call, 413, "RequestEntityTooLargeException",
                          HG_STR("The request is larger than 6291456 bytes"));
        else
            submit(call, &operations[i]);
        return;
    }
    respond_error(call, 400, "UnknownOperationException", HG_STR(""));
}

/* ---- what operations share; on the logs' thread ---- */

bool logs_refuse(struct logs_op *op, const char *error, const char *format, ...)
{
    char message[MESSAGE_MAX];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    op->error = error;
    op->message = hg_arena_str(op->arena, hg_str_of(message));
    return true;
}

struct hg_str logs_group_name(const struct logs_op *op, struct hg_str identifier)
{
    struct hg_str rest = identifier, part;
    const struct hg_str want[] = {HG_STR("arn"), HG_STR(""),  HG_STR("logs"),
                                  op->region,    op->account, HG_STR("log-group")};

    if (!hg_str_starts(identifier, HG_STR("arn:")))
        return identifier;
    for (size_t i = 0; i < HG_COUNT(want); i++) {
        /* The second is the partition. */
        if (!hg_str_next(&rest, ':', &part) || (i != 1 && !hg_str_eq(part, want[i])))
            return hg_str_n(NULL, 0);
    }
    (void)hg_str_next(&rest, ':', &part);
    return part.n && (!rest.n || hg_str_is(rest, "*")) ? part : hg_str_n(NULL, 0);
}

static bool find_group_name(struct logs_op *op)
{
    struct hg_str name = logs_input_str(&op->input, "logGroupName");
    struct hg_str identifier = logs_input_str(&op->input, "logGroupIdentifier");

    if (name.p && identifier.p) {
        (void)logs_refuse(op, "InvalidParameterException",
                          "LogGroup name and LogGroup ARN are mutually exclusive parameters.");
        return false;
    }
    if (!name.p && !identifier.p) {
        (void)logs_refuse(op, "InvalidParameterException",
                          "Either logGroupName or logGroupIdentifier must be provided.");
        return false;
    }
    op->group_name = name.p ? name : logs_group_name(op, identifier);
    return true;
}

struct hg_log_group *logs_group(struct logs_op *op, bool wants_index)
{
    struct hg_log_group *group;

    if (!op->group_name.p && !find_group_name(op))
        return NULL;
    group = log_store_find(op->store, op->group_name);
    if (!group) {
        (void)logs_refuse(op, "ResourceNotFoundException",
                          "The specified log group does not exist.");
        return NULL;
    }
    return wants_index && !log_store_index(op->store, group) ? NULL : group;
}

struct hg_str logs_stream_name(struct logs_op *op, struct hg_str name)
{
    struct hg_buf encoded;
    struct hg_str copy;

    hg_buf_init(&encoded, 3 * name.n + 1);
    log_stream_encode(name, &encoded);
    copy = hg_arena_str(op->arena, hg_buf_str(&encoded));
    hg_buf_fini(&encoded);
    return copy;
}

void logs_write_arn(struct logs_op *op, struct hg_str group, const char *middle, struct hg_str end)
{
    const char *arn = hg_arena_printf(op->arena, "arn:aws:logs:%.*s:%.*s:log-group:%.*s%s%.*s",
                                      HG_STR_ARG(op->region), HG_STR_ARG(op->account),
                                      HG_STR_ARG(group), middle, HG_STR_ARG(end));

    hg_json_cstr(&op->json, arn);
}

void logs_write_token(struct logs_op *op, struct hg_str text)
{
    struct hg_buf token;

    hg_buf_init(&token, 2 * text.n + 16);
    (void)hg_base64_encode(&token, text);
    hg_json_field_str(&op->json, "nextToken", hg_buf_str(&token));
    hg_buf_fini(&token);
}

bool logs_read_token(struct logs_op *op, struct hg_str *text)
{
    struct hg_str token = logs_input_str(&op->input, "nextToken");
    struct hg_buf decoded;
    bool is_good;

    *text = hg_str_n(NULL, 0);
    if (!token.p)
        return true;
    hg_buf_init(&decoded, TOKEN_MAX);
    is_good = hg_base64_decode(&decoded, token) && decoded.len;
    if (is_good)
        *text = hg_arena_str(op->arena, hg_buf_str(&decoded));
    else
        (void)logs_refuse(op, "InvalidParameterException", "The specified nextToken is invalid.");
    hg_buf_fini(&decoded);
    return is_good;
}

void logs_event_id(const struct hg_log_group *group, struct hg_log_position position,
                   char out[LOGS_EVENT_ID_DIGITS + 1])
{
    char text[LOGS_EVENT_ID_DIGITS + 24];

    /* Fifteen digits of time behind a 3, as the service's begin, then the place in the group, then the group. */
    (void)snprintf(text, sizeof(text), "3%015llu%020llu%020llu",
                   (unsigned long long)position.wall_ms % 1000000000000000ULL,
                   (unsigned long long)position.at, (unsigned long long)group->id);
    memcpy(out, text, LOGS_EVENT_ID_DIGITS);
    out[LOGS_EVENT_ID_DIGITS] = '\0';
}

bool logs_position_of(struct hg_str event_id, struct hg_log_position *position)
{
    uint64_t wall_ms;

    if (event_id.n != LOGS_EVENT_ID_DIGITS || event_id.p[0] != '3' ||
        !hg_str_u64(hg_str_n(event_id.p + 1, POSITION_DIGITS - 1), INT64_MAX, &wall_ms) ||
        !hg_str_u64(hg_str_n(event_id.p + POSITION_DIGITS, 20), UINT64_MAX, &position->at))
        return false;
    position->wall_ms = (int64_t)wall_ms;
    return true;
}
