/*
 * The service behind calls that bring code, and the first step of such calls:
 * the archive leaves the body before anything reads that. Decoding happens on a helper thread.
 */
#include "api/lambda_code_parts.h"

#include "core/crypto.h"
#include "core/json_scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>

enum {
    HELPERS = 2,
    HELD_MAX = 512 << 20, /* bytes of bodies and archives in memory; beyond: 503 */
    REST_MAX =
        6291456, /* bytes of a body without its archive, which the loop reads: as of other calls */
};

/* Folders are packed there for downloads, maybe before anything was unpacked. */
static void make_code_dir(const char *data_dir)
{
    char path[4096];

    /* Whoever writes to it says what is wrong. */
    (void)snprintf(path, sizeof(path), "%s/code", data_dir);
    (void)mkdir(path, 0755);
}

struct hg_code_service *code_service_new(struct hg_loops *loops, const char *data_dir)
{
    struct hg_code_service *service = hg_calloc(1, sizeof(*service));

    atomic_init(&service->refs, 1);
    service->loops = loops;
    service->data_dir = data_dir;
    make_code_dir(data_dir);
    service->helpers = hg_offload_new("code", HELPERS);
    service->claims = hg_claims_new();
    service->clients = hg_calloc(loops->count + 1, sizeof(struct hg_http_client *));
    service->gets = hg_calloc(loops->count + 1, sizeof(*service->gets));
    for (unsigned i = 0; i <= loops->count; i++)
        hg_list_init(&service->gets[i]);
    hg_assert(getrandom(service->key, sizeof(service->key), 0) == (ssize_t)sizeof(service->key));
    return service;
}

struct hg_code_service *code_service_ref(struct hg_code_service *service)
{
    (void)atomic_fetch_add(&service->refs, 1);
    return service;
}

void code_service_unref(struct hg_code_service *service)
{
    if (atomic_fetch_sub(&service->refs, 1) != 1)
        return;
    hg_claims_free(service->claims);
    free(service);
}

void code_service_submit(struct hg_code_service *service, struct hg_loop *home, struct hg_job *job)
{
    (void)code_service_ref(service);
    hg_offload_submit(service->helpers, home, job);
}

void code_service_free(struct hg_code_service *service)
{
    if (!service)
        return;
    atomic_store(&service->is_closed, true);
    for (unsigned i = 0; i <= service->loops->count; i++) {
        struct hg_list *link;

        while ((link = hg_list_pop_front(&service->gets[i])))
            code_store_orphan(hg_container_of(link, struct s3_get, link));
        http_client_free(service->clients[i]);
    }
    /* Their done may come after this, in the last mail of the loops. */
    hg_offload_free(service->helpers);
    free(service->clients);
    free(service->gets);
    explicit_bzero(service->key, sizeof(service->key));
    code_service_unref(service);
}

/* ---- claims ---- */

struct claim {
    struct hg_code_service *service;
    struct hg_str name;
};

static void drop_claim(void *ptr)
{
    struct claim *claim = ptr;

    hg_claims_drop(claim->service->claims, claim->name);
    code_service_unref(claim->service);
}

bool code_claim(struct hg_api_change *change, struct hg_str name)
{
    struct hg_code_service *service = change->call->api->code;
    struct claim *claim;

    if (!hg_claims_take(service->claims, name))
        return false;
    claim = hg_arena_must(change->arena, sizeof(*claim));
    claim->service = code_service_ref(service);
    claim->name = hg_arena_str(change->arena, name);
    hg_arena_defer(change->arena, drop_claim, claim);
    return true;
}

bool code_is_claimed(struct hg_call *call, struct hg_str name)
{
    return hg_claims_has(call->api->code->claims, name);
}

/* ---- upload ---- */

static bool take_memory(struct hg_upload *upload, size_t bytes)
{
    size_t before = atomic_fetch_add(&upload->service->held_bytes, bytes);

    upload->held += bytes;
    return before + bytes <= HELD_MAX;
}

void upload_free(struct hg_upload *upload)
{
    if (!upload)
        return;
    (void)atomic_fetch_sub(&upload->service->held_bytes, upload->held);
    hg_buf_fini(&upload->body);
    hg_buf_fini(&upload->zip);
    code_service_unref(upload->service);
    free(upload);
}

/* Puts "" into body where value stands. */
static void cut(struct hg_buf *body, struct hg_str value)
{
    char *at = body->base + (value.p - body->base);
    const char *rest = value.p + value.n;

    at[0] = '"';
    at[1] = '"';
    memmove(at + 2, rest, (size_t)(body->base + body->off + body->len - rest));
    body->len -= value.n - 2;
}

bool code_cut_zip(struct hg_buf *body, const char *parent, struct hg_buf *zip, bool *has_zip)
{
    struct hg_json_value object = hg_json_parse(hg_buf_str(body), NULL), value;
    struct hg_str text;
    struct hg_buf plain;
    bool is_base64;

    *has_zip = false;
    if (object.kind == HG_JSON_OBJECT && parent)
        object = hg_json_member(object, parent);
    if (object.kind != HG_JSON_OBJECT)
        return true;
    value = hg_json_member(object, "ZipFile");
    if (value.kind != HG_JSON_STRING)
        return true;
    *has_zip = true;
    hg_buf_init(&plain, HG_MAX(value.raw.n, (size_t)1));
    text = hg_json_plain(value);
    if (!text.p) {
        (void)hg_json_unescape(value, &plain);
        text = hg_buf_str(&plain);
    }
    is_base64 = hg_base64_decode(zip, text);
    hg_buf_fini(&plain);
    if (is_base64)
        cut(body, value.raw);
    return is_base64;
}

static void cut_upload(struct hg_job *job)
{
    struct hg_upload *upload = hg_container_of(job, struct hg_upload, job);
    struct hg_buf rest;

    if (atomic_load(&upload->is_unwanted))
        return;
    hg_buf_init(&upload->zip, HG_CODE_REQUEST_MAX);
    if (!code_cut_zip(&upload->body, upload->parent, &upload->zip, &upload->has_zip)) {
        upload->fault = (struct code_fault){true, HG_API_SERIALIZATION,
                                            "ZipFile is not valid base64-encoded data"};
        return;
    }
    if (upload->zip.len > HG_PACKAGE_ZIP_MAX)
        upload->fault = (struct code_fault){true, HG_API_TOO_LARGE,
                                            "Zipped size must be smaller than 52428800 bytes"};
    else if (upload->body.len > REST_MAX)
        upload->fault =
            (struct code_fault){true, HG_API_TOO_LARGE,
                                "Request without its archive must be smaller than 6291456 bytes"};
    /* The body's memory is as large as what it held before. */
    hg_buf_init(&rest, upload->body.max);
    (void)hg_buf_append_str(&rest, hg_buf_str(&upload->body));
    hg_buf_fini(&upload->body);
    upload->body = rest;
}

static void free_body(void *ptr)
{
    hg_buf_fini(ptr);
}

/* The rest of the body goes back to the request. */
static void give_body(struct hg_request *req, struct hg_upload *upload)
{
    struct hg_buf *body = hg_arena_must(req->arena, sizeof(*body));

    *body = upload->body;
    memset(&upload->body, 0, sizeof(upload->body));
    hg_arena_defer(req->arena, free_body, body);
    req->body = hg_buf_str(body);
}

static void on_upload_cut(struct hg_job *job)
{
    struct hg_upload *upload = hg_container_of(job, struct hg_upload, job);
    struct hg_call *call = upload->call;

    code_service_unref(upload->service); /* the job's; the upload has its own */
    if (!call) {
        upload_free(upload);
        return;
    }
    upload->call = NULL;
    call->req->on_abort = NULL;
    call->req->user = NULL;
    give_body(call->req, upload);
    if (upload->fault.is_set) {
        call_fail(call, upload->fault.error, "%s", upload->fault.text);
        upload_free(upload);
        return;
    }
    upload->then(call, upload);
}

static void on_upload_abort(struct hg_request *req)
{
    struct hg_upload *upload = req->user;

    upload->call = NULL;
    atomic_store(&upload->is_unwanted, true);
}

void code_upload(struct hg_call *call, const char *parent,
                 void (*then)(struct hg_call *call, struct hg_upload *upload))
{
    struct hg_upload *upload = hg_calloc(1, sizeof(*upload));

    upload->service = code_service_ref(call->api->code);
    upload->call = call;
    upload->parent = parent;
    upload->then = then;
    upload->job.work = cut_upload;
    upload->job.done = on_upload_cut;
    /* Body and archive are in memory together for a moment. */
    if (!take_memory(upload, call->req->body.n * 2)) {
        upload_free(upload);
        call_fail(call, HG_API_SERVICE_BUSY, "Too many uploads at once; try again");
        return;
    }
    req_take_body(call->req, &upload->body);
    call->req->user = upload;
    call->req->on_abort = on_upload_abort;
    code_service_submit(upload->service, call->req->loop, &upload->job);
}

/* ---- the listener ---- */

/* The operation whose body brings code; NULL for others. By method and path. */
static const char *bringing_operation(const struct hg_request *req)
{
    static const struct {
        const char *method, *start, *end, *operation;
    } rows[] = {
        {"POST", "/2015-03-31/functions", "/functions", "CreateFunction"},
        {"POST", "/2015-03-31/functions/", "/functions/", "CreateFunction"},
        {"PUT", "/2015-03-31/functions/", "/code", "UpdateFunctionCode"},
        {"POST", "/2018-10-31/layers/", "/versions", "PublishLayerVersion"},
    };

    for (size_t i = 0; i < HG_COUNT(rows); i++)
        if (hg_str_is(req->method, rows[i].method) &&
            hg_str_starts(req->path, hg_str_of(rows[i].start)) &&
            hg_str_ends(req->path, hg_str_of(rows[i].end)))
            return rows[i].operation;
    return NULL;
}

size_t code_body_max(const struct hg_request *req, size_t otherwise)
{
    return bringing_operation(req) ? HG_MAX(otherwise, (size_t)HG_CODE_REQUEST_MAX) : otherwise;
}

#define TOO_LARGE_FOR(operation) \
    HG_STR( \
        "{\"__type\":\"RequestEntityTooLargeException\",\"Message\":\"Request must be smaller than " \
        "70167211 bytes for the " operation " operation\"}")

struct hg_str code_large_body(const struct hg_request *req)
{
    const char *operation = bringing_operation(req);

    if (!operation)
        return hg_str_n(NULL, 0);
    if (operation[0] == 'C')
        return TOO_LARGE_FOR("CreateFunction");
    return operation[0] == 'U' ? TOO_LARGE_FOR("UpdateFunctionCode")
                               : TOO_LARGE_FOR("PublishLayerVersion");
}
