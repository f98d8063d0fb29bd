/*
 * Where Amazon's services are for calls of ours, and in which region. The
 * endpoints are set once, before other threads start; then any thread.
 */
#ifndef HG_HTTP_AWS_H
#define HG_HTTP_AWS_H

#include "core/error.h"
#include "core/str.h"

struct aws_service {
    const char *label;    /* for people: "SQS" */
    const char *variable; /* AWS_ENDPOINT_URL_…: "SQS" */
    const char *host;     /* the first part of its host's name: "sqs" */
    const char *signing;  /* in the credential scope: "sqs" */
};

enum { AWS_BASE_MAX = 512, AWS_REGION_MAX = 32, AWS_SOURCE_MAX = 48 };

struct aws_endpoint {
    char base[AWS_BASE_MAX]; /* without '/' at the end */
    char source
        [AWS_SOURCE_MAX]; /* what named it: "AWS_ENDPOINT_URL_SQS", "--aws-endpoint"; "" for the service's own */
};

/* service is a variable or signing name of struct aws_service in any case, or "" for all services without one of their own. */
struct aws_endpoint_setting {
    struct hg_str service, url;
};

/* Settings that go before the environment's. Borrowed for good. */
void aws_endpoints_set(const struct aws_endpoint_setting *items, size_t count);

/*
 * The endpoint of service in a region: as set, else AWS_ENDPOINT_URL_<variable>, else AWS_ENDPOINT_URL, else the partition's own
 * host. HG_E_INVALID with a sentence that does not repeat the URL.
 */
enum hg_rc aws_endpoint_find(const struct aws_service *service, struct hg_str partition,
                             const char *region, struct aws_endpoint *out,
                             struct hg_error *err) hg_must_use;
/* NULL, or why a text cannot be an endpoint (static). */
const char *aws_endpoint_fault(struct hg_str text);

/* AWS_REGION, else AWS_DEFAULT_REGION, else the given one. */
struct hg_str aws_usual_region(const char *otherwise);
/* Regions become part of a host's name. */
bool aws_is_region(struct hg_str text);

#endif
