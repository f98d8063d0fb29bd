/*
 * Downloads of code: addresses that are good for ten minutes for whoever has
 * them, and the page behind them. Files are opened, and folders packed, on helper threads.
 */
#include "api/lambda_code_parts.h"

#include "core/clock.h"
#include "core/crypto.h"
#include "core/id.h"
#include "core/uri.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { GOOD_FOR_MS = 600 * 1000, HEX_LEN = HG_SHA256_LEN * 2, NAME_MAX_BYTES = 512 };

/* The signature of a name and the moment until which it is good. */
static void sign_name(const struct hg_code_service *service, struct hg_str name, int64_t until_ms,
                      char out[HEX_LEN + 1])
{
    unsigned char digest[HG_SHA256_LEN];
    struct hg_buf text;

    hg_buf_init(&text, NAME_MAX_BYTES * 2);
    hg_buf_printf(&text, "%" PRId64 "\n%.*s", until_ms, HG_STR_ARG(name));
    hg_hmac_sha256(hg_str_n((const char *)service->key, sizeof(service->key)), hg_buf_str(&text),
                   digest);
    hg_buf_clear(&text, NAME_MAX_BYTES * 2);
    (void)hg_hex_encode(&text, digest, sizeof(digest));
    memcpy(out, hg_buf_str(&text).p, HEX_LEN);
    out[HEX_LEN] = '\0';
    hg_buf_fini(&text);
}

static const char *address_of(struct hg_call *call, struct hg_str name)
{
    int64_t until_ms = hg_wall_ms() + GOOD_FOR_MS;
    char signature[HEX_LEN + 1];
    struct hg_buf encoded;
    const char *url;

    sign_name(call->api->code, name, until_ms, signature);
    hg_buf_init(&encoded, NAME_MAX_BYTES * 3);
    hg_uri_encode(&encoded, name);
    url = hg_arena_printf(call->req->arena,
                          "http%s://%.*s/_headgate/code/%.*s?expires=%" PRId64 "&signature=%s",
                          call->req->peer->is_tls ? "s" : "", HG_STR_ARG(call->req->authority),
                          HG_STR_ARG(hg_buf_str(&encoded)), until_ms, signature);
    hg_buf_fini(&encoded);
    return url;
}

const char *code_location(struct hg_call *call, struct hg_str sha256)
{
    struct hg_buf digest, name;
    const char *url;

    hg_buf_init(&digest, HG_SHA256_LEN * 2);
    hg_buf_init(&name, NAME_MAX_BYTES);
    hg_assert(hg_base64_decode(&digest, sha256));
    (void)hg_hex_encode(&name, hg_buf_str(&digest).p, digest.len);
    hg_buf_append_cstr(&name, ".zip");
    url = address_of(call, hg_buf_str(&name));
    hg_buf_fini(&digest);
    hg_buf_fini(&name);
    return url;
}

const char *code_location_of_function(struct hg_call *call, const struct hg_function *function)
{
    if (function->code_zip.n)
        return code_location(call, function->code_sha256);
    return address_of(
        call, hg_str_of(hg_arena_printf(call->req->arena, "%.*s:%.*s", HG_STR_ARG(function->name),
                                        HG_STR_ARG(function->version))));
}

const char *code_location_of_layer(struct hg_call *call, struct hg_str name,
                                   const struct hg_layer_version *version)
{
    if (version->zip.n)
        return code_location(call, version->sha256);
    return address_of(call, hg_str_of(hg_arena_printf(call->req->arena, "layer:%.*s:%" PRIu64,
                                                      HG_STR_ARG(name), version->number)));
}

/* ---- the page ---- */

struct download {
    struct hg_job job;
    struct hg_code_service *service;
    struct hg_call *call; /* NULL once the client has left */
    char path[4096];      /* of the archive; of the one to be made when there is a folder */
    char *dir;            /* the folder, which is packed; NULL: the archive is there */
    struct hg_blob *archive;
    enum hg_rc rc;
    struct hg_error err;
};

static void map_archive(struct download *download)
{
    int fd = open(download->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat st;

    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        download->archive = hg_blob_map(fd, (size_t)st.st_size);
    if (!download->archive)
        download->rc = hg_error_set(&download->err, errno == ENOENT ? HG_E_NOT_FOUND : HG_E_IO,
                                    "%s", strerror(errno));
    if (fd >= 0)
        (void)close(fd);
}

static void prepare(struct hg_job *job)
{
    struct download *download = hg_container_of(job, struct download, job);

    if (download->dir) {
        download->rc = package_pack(download->dir, download->service->data_dir, download->path,
                                    &download->err);
        if (download->rc != HG_OK)
            return;
    }
    map_archive(download);
    if (download->dir)
        (void)unlink(download->path); /* the mapping keeps what is in it */
}

static void answer(struct hg_call *call, struct download *download)
{
    if (download->rc == HG_E_NOT_FOUND) {
        call_fail(call, HG_API_NOT_FOUND, "This code is no longer kept");
    } else if (download->rc != HG_OK) {
        call_fail(call, HG_API_SERVICE, "%s", download->err.text);
    } else {
        call->req->response.holder = hg_blob_ref(download->archive);
        req_respond_with(call->req, 200, "application/zip", hg_blob_str(download->archive));
    }
}

static void on_prepared(struct hg_job *job)
{
    struct download *download = hg_container_of(job, struct download, job);

    if (download->call) {
        download->call->req->on_abort = NULL;
        answer(download->call, download);
    }
    code_service_unref(download->service);
    hg_blob_unref(download->archive);
    free(download->dir);
    free(download);
}

static void on_abort(struct hg_request *req)
{
    struct download *download = req->user;

    download->call = NULL;
}

/* False when answered. */
static bool check_signature(struct hg_call *call, struct hg_str name)
{
    struct hg_str given = call_query(call, "signature"), until = call_query(call, "expires");
    char signature[HEX_LEN + 1];
    unsigned difference = 0;
    int64_t until_ms = 0;

    if (name.n <= NAME_MAX_BYTES && given.n == HEX_LEN &&
        hg_str_i64(until, 0, INT64_MAX, &until_ms)) {
        sign_name(call->api->code, name, until_ms, signature);
        for (size_t i = 0; i < HEX_LEN; i++)
            difference |= (unsigned)(given.p[i] ^ signature[i]);
        if (!difference && until_ms >= hg_wall_ms())
            return true;
    } else {
        difference = 1;
    }
    if (difference)
        call_fail(call, HG_API_ACCESS_DENIED, "The address of this code is not complete");
    else
        call_fail(call, HG_API_ACCESS_DENIED,
                  "The address of this code has expired; ask for a new one");
    return false;
}

/* The folder that "NAME:VERSION" of a function or "layer:NAME:NUMBER" means; "" when there is none. */
static struct hg_str find_folder(const struct hg_snapshot *snapshot, struct hg_str name)
{
    struct hg_str rest = name, first, second;
    const struct hg_function *function;
    const struct hg_layer_version *version;
    const struct hg_family *family;
    const struct hg_layer *layer;
    uint64_t number;

    if (!hg_str_next(&rest, ':', &first) || !hg_str_next(&rest, ':', &second))
        return HG_STR("");
    if (!rest.p || !rest.n) {
        family = snapshot_family(snapshot, first);
        function = family ? family_version(family, second) : NULL;
        return function ? function->code_dir : HG_STR("");
    }
    layer = snapshot_layer(snapshot, second);
    version = layer && hg_str_u64(rest, INT64_MAX, &number) ? layer_version(layer, number) : NULL;
    return version ? version->dir : HG_STR("");
}

/* The path, or the folder that is to be packed. False: there is none. */
static bool locate(struct download *download, struct hg_call *call, struct hg_str name)
{
    const char *data_dir = download->service->data_dir;
    struct hg_snapshot *snapshot;
    struct hg_str dir;
    char id[17];

    if (hg_str_find(name, ':') < 0) {
        (void)snprintf(download->path, sizeof(download->path), "%s/code/%.*s", data_dir,
                       HG_STR_ARG(name));
        return true;
    }
    snapshot = registry_current(call->api->options.registry);
    dir = find_folder(snapshot, name);
    if (dir.n)
        download->dir = hg_strndup(dir.p, dir.n);
    snapshot_unref(snapshot);
    hg_hex_id(id, 16);
    (void)snprintf(download->path, sizeof(download->path), "%s/code/.new-%s.zip", data_dir, id);
    return download->dir != NULL;
}

void page_code(struct hg_call *call)
{
    struct hg_str name = call->params[0];
    struct download *download;

    if (!check_signature(call, name))
        return;
    download = hg_calloc(1, sizeof(*download));
    download->service = call->api->code;
    if (!locate(download, call, name)) {
        free(download);
        call_fail(call, HG_API_NOT_FOUND, "This code is no longer kept");
        return;
    }
    download->call = call;
    download->job.work = prepare;
    download->job.done = on_prepared;
    call->req->user = download;
    call->req->on_abort = on_abort;
    code_service_submit(download->service, call->req->loop, &download->job);
}
