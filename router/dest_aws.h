/*
 * What destinations by ARN share: the ARN, the endpoint of a service, keys,
 * signed calls, and what a service's refusal means. Router loop.
 */
#ifndef HG_ROUTER_DEST_AWS_H
#define HG_ROUTER_DEST_AWS_H

#include "http/aws.h"
#include "http/aws_keys.h"
#include "http/client.h"
#include "router/dest.h"
#include "router/dest_aws_fault.h"

/* arn:partition:service:region:account:resource; slices. */
struct aws_arn {
    struct hg_str partition, service, region, account, resource;
};

/* False when text is no ARN; region and account may be empty. */
bool aws_arn_split(struct hg_str text, struct aws_arn *arn);
/* Whether text is an ARN of that service. */
bool aws_arn_is_of(struct hg_str text, const char *service);
/* Twelve digits. */
bool aws_is_account(struct hg_str text);
/* Whether text consists of 1 to max letters, digits and bytes of others. */
bool aws_is_name(struct hg_str text, size_t max, const char *others);

/* A service in a region, as one destination uses it; lies at the front of the kind's dest->state. */
struct aws_peer {
    const struct aws_service *service;
    const struct hg_dest_context *context;
    struct aws_arn arn; /* of dest->target */
    char region[AWS_REGION_MAX + 1];
    struct aws_endpoint endpoint;
    struct aws_keys keys;
    bool has_keys;
};

/* The ARN's form and the endpoint. HG_E_INVALID with a sentence for what can never work. */
enum hg_rc aws_peer_init(struct aws_peer *peer, const struct hg_dest *dest,
                         const struct aws_service *service, struct hg_error *err);
/* After region has changed: the endpoint that goes with it. */
enum hg_rc aws_peer_locate(struct aws_peer *peer, struct hg_error *err);

enum { AWS_HEADERS_MAX = 3 };

struct aws_request {
    const char *method;
    const char *path; /* percent-encoded, behind the endpoint's own */
    struct hg_header headers[AWS_HEADERS_MAX];
    size_t header_count;
    bool is_s3;
};

/*
 * One record on its way to a service, through one call or several. Made by
 * aws_send_new, ended by aws_send_accept or aws_send_refuse, or by aws_cancel.
 */
struct aws_send {
    struct hg_http_call http;
    struct aws_peer *peer;
    struct hg_dest_op *op;
    struct hg_arena *arena;                   /* what the present call is made of */
    struct hg_buf body;                       /* of the request; filled before aws_send_call */
    void (*on_answer)(struct aws_send *send); /* an answer of success came; http has it */
    /* A refusal that the kind may be able to mend; true: it goes on by itself. NULL: none. */
    bool (*on_refusal)(struct aws_send *send, const struct aws_fault *fault);
    bool was_mended;
    char receipt[HG_EVENT_WHY_MAX]; /* the kind's */
};

/* The send of op; NULL (and refused later) when there are no keys. */
struct aws_send *aws_send_new(struct hg_dest *dest, struct hg_dest_op *op, size_t body_max);
/* Makes the call; not under way already. */
void aws_send_call(struct aws_send *send, const struct aws_request *request);
/* The kind's ops. */
void aws_cancel(struct hg_dest *dest, struct hg_dest_op *op);

struct aws_attribute {
    const char *name, *type, *value;
};

enum { AWS_ATTRIBUTES_MAX = 3 };

/* What a dead letter carries besides its body (async.md §5); none for a record. Services refuse empty values: those are left out. */
size_t aws_attributes(const struct hg_dest_op *op, struct aws_attribute out[AWS_ATTRIBUTES_MAX]);

/* A string member of an answer in JSON, terminated; false when there is none. */
bool aws_answer_member(const struct aws_send *send, const char *name, char *out, size_t room);

/* Each ends the send and frees it. */
void aws_send_accept(struct aws_send *send, const char *receipt);
void aws_send_refuse(struct aws_send *send, const struct aws_fault *fault);
/* A success that says nothing of what it should: no such service answers there. */
void aws_send_refuse_answer(struct aws_send *send, const char *missing);

#endif
