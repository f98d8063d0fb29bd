/*
 * Steps of api/lambda_code.h in files of their own.
 */
#ifndef HG_API_LAMBDA_CODE_PARTS_H
#define HG_API_LAMBDA_CODE_PARTS_H

#include "api/lambda_code.h"
#include "core/claims.h"
#include "core/offload.h"
#include "http/aws.h"
#include "http/client.h"

enum { HG_CODE_KEY_LEN = 32 };

struct hg_code_service {
    _Atomic unsigned refs; /* of the service and of each job under way */
    _Atomic bool is_closed;
    _Atomic size_t held_bytes; /* in bodies and archives of uploads */
    struct hg_loops *loops;
    const char *data_dir;
    struct hg_offload *helpers;
    struct hg_claims *claims;
    struct hg_http_client **clients; /* of each loop, made when first needed */
    struct hg_list *gets;            /* of each loop: struct s3_get under way */
    unsigned char key[HG_CODE_KEY_LEN];
};

struct hg_code_service *code_service_ref(struct hg_code_service *service);
void code_service_unref(struct hg_code_service *service);
/* Hands a job to the helpers. The service stays until its done has called code_service_unref. */
void code_service_submit(struct hg_code_service *service, struct hg_loop *home, struct hg_job *job);

enum { HG_CODE_WHY_MAX = 1024 };

/* Why code cannot be had, in the service's words. */
struct code_fault {
    bool is_set;
    enum hg_api_error error;
    char text[HG_CODE_WHY_MAX];
};

struct hg_upload {
    struct hg_job job;
    struct hg_code_service *service;
    struct hg_call *call; /* NULL: the client has left, or the call is over with it */
    _Atomic bool is_unwanted;
    const char *parent;
    void (*then)(struct hg_call *call, struct hg_upload *upload);
    struct hg_buf body; /* as received; then without the archive */
    struct hg_buf zip;
    size_t held; /* of service->held_bytes */
    bool has_zip;
    struct code_fault fault;
};

/*
 * Cuts the archive out of body: the text of its ZipFile becomes "", and what it encodes goes to zip. *has_zip tells whether
 * there was one. A body that is no JSON object is left as it is. False: ZipFile is no base64. Any thread.
 */
bool code_cut_zip(struct hg_buf *body, const char *parent, struct hg_buf *zip, bool *has_zip);

/* One object on its way out of a bucket. */
struct s3_get {
    struct hg_list link; /* in service->gets */
    struct hg_code_service *service;
    struct hg_loop *loop;
    struct hg_http_call http;
    struct hg_arena *arena;
    struct hg_str bucket, key, version; /* version: "" for the newest */
    char region[AWS_REGION_MAX + 1];
    char source[AWS_SOURCE_MAX];      /* what named the endpoint; "": it is the service's own */
    bool was_moved;                   /* to the region that the bucket is in */
    void (*done)(struct s3_get *get); /* later, on the loop, unless the service is freed before */
    struct code_fault fault;          /* when it is not set, http.answer holds the object */
};

/* region is the one to try first; the environment's goes before it. False, with the fault set, when no such call can be made: done will not run. */
bool s3_get_start(struct s3_get *get, struct hg_code_service *service, struct hg_loop *loop,
                  struct hg_str region);
/* Not under way any more. */
void s3_get_fini(struct s3_get *get);

/* The store of which this is the object is given up: the service goes. */
void code_store_orphan(struct s3_get *get);

#endif
