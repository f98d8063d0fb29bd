/*
 * The second step of a call that brings code: from the upload, or from a
 * bucket, into <data_dir>/code, on a helper thread; then the change goes on.
 */
#include "api/lambda_code_parts.h"

#include <stdio.h>
#include <stdlib.h>

struct store {
    struct hg_job job;
    struct hg_mail mail; /* when the service is freed meanwhile */
    struct hg_code_service *service;
    struct hg_api_change *change;
    struct hg_upload *upload;
    struct s3_get get;
    void (*then)(struct hg_api_change *change, const struct hg_package *package);
    struct hg_str zip; /* of upload or get */
    struct hg_package package;
    struct code_fault fault;
};

static void store_free(struct store *store)
{
    s3_get_fini(&store->get);
    upload_free(store->upload);
    code_service_unref(store->service);
    free(store);
}

/* Ends the change with the fault. */
static void give_up(struct store *store)
{
    change_abandon(store->change, store->fault.error, "%s", store->fault.text);
    store_free(store);
}

static void set_fault(struct store *store, enum hg_api_error error, const char *text)
{
    store->fault = (struct code_fault){.is_set = true, .error = error};
    (void)snprintf(store->fault.text, sizeof(store->fault.text), "%s", text);
}

static void unpack(struct hg_job *job)
{
    struct store *store = hg_container_of(job, struct store, job);
    struct hg_error err;
    enum hg_rc rc;

    if (atomic_load(&store->service->is_closed)) {
        set_fault(store, HG_API_SERVICE_BUSY, "Headgate is shutting down");
        return;
    }
    /* Nobody else uses the change's arena before then. */
    rc = package_store_zip(store->change->arena, store->service->data_dir, store->zip,
                           &store->package, &err);
    if (rc == HG_E_TOO_LARGE)
        set_fault(store, HG_API_INVALID_PARAMETER,
                  "Unzipped size must be smaller than 262144000 bytes");
    else if (rc == HG_E_INVALID)
        set_fault(
            store, HG_API_INVALID_PARAMETER,
            "Could not unzip uploaded file. Please check your file, then try to upload again.");
    else if (rc != HG_OK)
        set_fault(store, HG_API_SERVICE, err.text);
}

static void on_unpacked(struct hg_job *job)
{
    struct store *store = hg_container_of(job, struct store, job);
    struct hg_api_change *change = store->change;
    struct hg_package package = store->package;
    void (*then)(struct hg_api_change *, const struct hg_package *) = store->then;

    code_service_unref(store->service); /* the job's */
    if (!store->fault.is_set && atomic_load(&store->service->is_closed))
        set_fault(store, HG_API_SERVICE_BUSY, "Headgate is shutting down");
    if (store->fault.is_set) {
        give_up(store);
        return;
    }
    store_free(store);
    then(change, &package);
}

static void submit_unpack(struct store *store, struct hg_str zip)
{
    store->zip = zip;
    store->job.work = unpack;
    store->job.done = on_unpacked;
    code_service_submit(store->service, store->change->home, &store->job);
}

static void on_object(struct s3_get *get)
{
    struct store *store = hg_container_of(get, struct store, get);

    if (get->fault.is_set) {
        store->fault = get->fault;
        give_up(store);
        return;
    }
    submit_unpack(store, hg_buf_str(&get->http.answer));
}

static void on_orphan_mail(struct hg_mail *mail)
{
    struct store *store = hg_container_of(mail, struct store, mail);

    set_fault(store, HG_API_SERVICE_BUSY, "Headgate is shutting down");
    give_up(store);
}

void code_store_orphan(struct s3_get *get)
{
    struct store *store = hg_container_of(get, struct store, get);

    http_call_cancel(&get->http);
    /* By then the client is gone too, and its request need not be answered on a loop that has ended. */
    hg_mailbox_post(&get->loop->mailbox, &store->mail, on_orphan_mail);
}

enum hg_rc code_check_source(struct hg_api_change *change, const struct hg_upload *upload,
                             const cJSON *source)
{
    bool has_object = input_has(source, "S3Bucket") || input_has(source, "S3Key");

    if (upload->has_zip && has_object)
        return change_refuse(change, HG_API_INVALID_PARAMETER,
                             "Please do not provide other FunctionCode parameters when providing a "
                             "ZipFile.");
    if (!upload->has_zip && !(input_str(source, "S3Bucket").n && input_str(source, "S3Key").n))
        return change_refuse(change, HG_API_INVALID_PARAMETER,
                             "Please provide a source for function code.");
    return HG_OK;
}

void code_store(struct hg_api_change *change, struct hg_upload *upload, const cJSON *source,
                void (*then)(struct hg_api_change *change, const struct hg_package *package))
{
    struct store *store = hg_calloc(1, sizeof(*store));
    struct hg_snapshot *snapshot;
    bool is_sent;

    store->service = code_service_ref(upload->service);
    store->change = change;
    store->upload = upload;
    store->then = then;
    if (upload->has_zip) {
        submit_unpack(store, hg_buf_str(&upload->zip));
        return;
    }
    store->get.bucket = input_str(source, "S3Bucket");
    store->get.key = input_str(source, "S3Key");
    store->get.version = input_str(source, "S3ObjectVersion");
    store->get.done = on_object;
    snapshot = registry_current(catalog_registry(change->catalog));
    is_sent = s3_get_start(&store->get, store->service, change->home, snapshot->region);
    snapshot_unref(snapshot);
    if (!is_sent) {
        store->fault = store->get.fault;
        give_up(store);
    }
}
