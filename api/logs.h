/*
 * The CloudWatch Logs API (X-Amz-Target Logs_20140328.*) over the log groups on disk. A call's work runs on the logs' thread
 * (workers/log_files.h), in slices; its answer goes out on the request's loop.
 */
#ifndef HG_API_LOGS_H
#define HG_API_LOGS_H

#include "api/call.h"
#include "api/logs_input.h"
#include "workers/log_query.h"

struct logs_op;

/* One operation; api/logs.c has them all. */
struct logs_operation {
    const char *name;
    const struct logs_field *fields;
    size_t field_count;
    bool (*work)(struct logs_op
                     *op); /* on the logs' thread; false: call again after others had their turn */
    /* On the loop, when work has found nothing wrong; owns op from now on. NULL: op->answer is sent. */
    void (*answer)(struct logs_op *op);
};

/* One call. Lives until its work has ended, even when the client has left. */
struct logs_op {
    struct hg_job job;
    struct hg_log_files *files;
    struct hg_log_store *store; /* for work */
    struct hg_call *call;       /* NULL once the client has left; not for work */
    const struct logs_operation *operation;
    struct hg_arena *arena;
    struct hg_str region, account, body;
    struct logs_input input;
    struct hg_buf answer;
    struct hg_json json; /* writes answer */
    /* What work found wrong: see logs_refuse. */
    const char *error;
    struct hg_str message;
    /* Some operations' own, until they end. */
    struct hg_str group_name; /* see logs_group */
    struct hg_log_query query;
    void *user; /* in arena */
    bool is_begun, is_finished;
};

/* Answers with what work has found or found wrong. */
void logs_respond(struct logs_op *op);
/* Ends a call that nothing uses any more. */
void logs_free(struct logs_op *op);

/* For work: notes the exception that the client gets; returns true, for `return logs_refuse(…)`. */
bool logs_refuse(struct logs_op *op, const char *error, const char *format, ...)
    hg_printf_like(3, 4);

/*
 * The group that logGroupName or logGroupIdentifier means, its index brought up to date with wants_index. NULL: when op->error is set
 * there is none; otherwise call again.
 */
struct hg_log_group *logs_group(struct logs_op *op, bool wants_index);
/* The plain name in a name or ARN of a log group; p NULL when it is an ARN of something else, another region or account. */
struct hg_str logs_group_name(const struct logs_op *op, struct hg_str identifier);
/* In the form that the store has; of the op's arena. */
struct hg_str logs_stream_name(struct logs_op *op, struct hg_str name);

/* Writes "arn:aws:logs:…:log-group:NAME" and what follows it, as a JSON string. */
void logs_write_arn(struct logs_op *op, struct hg_str group, const char *middle, struct hg_str end);

/* Tokens of pages: opaque, made of a text. */
void logs_write_token(struct logs_op *op, struct hg_str text);
/* What nextToken holds; p NULL when there is none. False: refused. */
bool logs_read_token(struct logs_op *op, struct hg_str *text);

/* Tokens and event ids of positions: 56 digits that sort by time. */
enum { LOGS_EVENT_ID_DIGITS = 56 };
void logs_event_id(const struct hg_log_group *group, struct hg_log_position position,
                   char out[LOGS_EVENT_ID_DIGITS + 1]);
bool logs_position_of(struct hg_str event_id, struct hg_log_position *position);

/* logs_groups.c */
bool logs_describe_groups(struct logs_op *op);
bool logs_create_group(struct logs_op *op);
bool logs_delete_group(struct logs_op *op);
bool logs_put_retention(struct logs_op *op);
bool logs_delete_retention(struct logs_op *op);
/* logs_tags.c */
bool logs_tag_resource(struct logs_op *op);
bool logs_untag_resource(struct logs_op *op);
bool logs_list_tags_for_resource(struct logs_op *op);
bool logs_tag_group(struct logs_op *op);
bool logs_untag_group(struct logs_op *op);
bool logs_list_tags_group(struct logs_op *op);
/* Sets what "tags" holds; false: refused. */
bool logs_take_tags(struct logs_op *op, struct hg_log_group *group);
/* logs_streams.c */
bool logs_describe_streams(struct logs_op *op);
bool logs_create_stream(struct logs_op *op);
bool logs_delete_stream(struct logs_op *op);
/* logs_put.c */
bool logs_put_events(struct logs_op *op);
/* logs_tail.c */
bool logs_start_tail(struct logs_op *op);
void logs_answer_tail(struct logs_op *op);
/* logs_events.c */
bool logs_get_events(struct logs_op *op);
bool logs_filter_events(struct logs_op *op);

#endif
