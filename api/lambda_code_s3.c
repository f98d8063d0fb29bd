/*
 * GetObject: signed with the keys of the environment, or without any for
 * buckets that everybody may read, as local ones often are. On the change's loop.
 */
#include "api/lambda_code_parts.h"

#include "core/clock.h"
#include "core/json_scan.h"
#include "core/sigv4.h"
#include "core/uri.h"
#include "http/aws_keys.h"
#include "http/client_url.h"
#include "router/dest_aws_fault.h"

#include <stdarg.h>
#include <stdio.h>

enum {
    GET_TIMEOUT_MS = 120 * 1000,
    GET_ARENA_MAX = 64 * 1024,
    GETS_AT_ONCE =
        2, /* on each loop and from one host; an object may be as large as code unpacked */
    PATH_MAX_BYTES = 8192,
    HEADERS_MAX = 6,
};

static const struct aws_service s3 = {"S3", "S3", "s3", "s3"};

static bool fail(struct s3_get *get, const char *format, ...) hg_printf_like(2, 3);

static bool fail(struct s3_get *get, const char *format, ...)
{
    va_list args;

    get->fault.is_set = true;
    get->fault.error = HG_API_INVALID_PARAMETER;
    va_start(args, format);
    (void)vsnprintf(get->fault.text, sizeof(get->fault.text), format, args);
    va_end(args);
    return false;
}

static struct hg_http_client *client_of(struct s3_get *get, struct hg_error *err)
{
    struct hg_http_client **client = &get->service->clients[get->loop->index];

    if (!*client) {
        const struct hg_http_client_options options = {.loop = get->loop,
                                                       .parallel_max = GETS_AT_ONCE};

        *client = http_client_new(&options, err);
    }
    return *client;
}

/* https://bucket.s3.region.amazonaws.com/key, or with the bucket in the path: endpoints of one's own seldom have names for buckets. */
static bool write_url(struct s3_get *get, struct hg_buf *url)
{
    struct aws_endpoint endpoint;
    struct hg_error err;
    struct hg_str rest = get->key, segment;
    size_t scheme = strlen("https://");
    bool is_first = true;

    if (aws_endpoint_find(&s3, HG_STR("aws"), get->region, &endpoint, &err) != HG_OK)
        return fail(get, "%s", err.text);
    memcpy(get->source, endpoint.source, sizeof(get->source));
    if (endpoint.source[0] || hg_str_find(get->bucket, '.') >= 0)
        hg_buf_printf(url, "%s/%.*s", endpoint.base, HG_STR_ARG(get->bucket));
    else
        hg_buf_printf(url, "https://%.*s.%s", HG_STR_ARG(get->bucket), endpoint.base + scheme);
    /* Keys may begin and end with a slash, and have several in a row. */
    while (is_first || rest.p) {
        ptrdiff_t slash = hg_str_find(rest, '/');

        segment = slash < 0 ? rest : hg_str_n(rest.p, (size_t)slash);
        hg_buf_append_byte(url, '/');
        hg_uri_encode(url, segment);
        rest = slash < 0 ? hg_str_n(NULL, 0) : hg_str_skip(rest, (size_t)slash + 1);
        is_first = false;
    }
    if (get->version.n) {
        hg_buf_append_cstr(url, "?versionId=");
        hg_uri_encode(url, get->version);
    }
    hg_buf_append_byte(url, '\0');
    return !url->is_overflown || fail(get, "The object's key is too long");
}

static void add(struct s3_get *get, struct hg_header *headers, size_t *count, const char *name,
                struct hg_str value)
{
    if (value.n)
        headers[(*count)++] = (struct hg_header){hg_str_of(name), hg_arena_str(get->arena, value)};
}

/* Nothing when there are no keys. */
static void sign(struct s3_get *get, const struct hg_http_url *url, struct hg_header *headers,
                 size_t *count)
{
    struct hg_sigv4_header signed_headers[] = {{HG_STR("Host"), url->authority}};
    struct aws_keys keys;
    char why[AWS_KEYS_WHY_MAX];
    struct hg_sigv4_credentials credentials;
    struct hg_sigv4_signed made;
    struct hg_sigv4_request input = {
        .method = HG_STR("GET"),
        .path = url->path,
        .query = url->query,
        .headers = signed_headers,
        .header_count = HG_COUNT(signed_headers),
        .region = hg_str_of(get->region),
        .service = hg_str_of(s3.signing),
        .time_ms = hg_wall_ms(),
        .is_s3 = true,
    };

    if (!aws_keys_find(&keys, why))
        return;
    credentials = aws_keys_credentials(&keys);
    if (hg_sigv4_sign(&input, &credentials, &made)) {
        add(get, headers, count, "X-Amz-Date", hg_str_of(made.date));
        add(get, headers, count, "X-Amz-Content-Sha256", hg_str_of(made.content_sha256));
        add(get, headers, count, "X-Amz-Security-Token", credentials.session_token);
        add(get, headers, count, "Authorization", hg_buf_str(&made.authorization));
    }
    hg_sigv4_signed_fini(&made);
    explicit_bzero(&keys, sizeof(keys));
}

static void on_get_done(struct hg_http_call *http);

static bool send_get(struct s3_get *get)
{
    struct hg_header *headers;
    struct hg_http_client *client;
    struct hg_http_url url;
    struct hg_error err;
    struct hg_buf text;
    size_t count = 0;
    const char *wrong;

    hg_arena_reset(get->arena);
    client = client_of(get, &err);
    if (!client)
        return fail(get, "%s", err.text);
    hg_buf_init(&text, PATH_MAX_BYTES);
    if (!write_url(get, &text)) {
        hg_buf_fini(&text);
        return false;
    }
    get->http.url = hg_arena_strdup(get->arena, hg_str_of(hg_buf_str(&text).p));
    hg_buf_fini(&text);
    wrong = http_url_split(hg_str_of(get->http.url), &url);
    if (wrong)
        return fail(get, "The object cannot be asked for: %s", wrong);
    headers = hg_arena_must(get->arena, HEADERS_MAX * sizeof(*headers));
    add(get, headers, &count, "Host", url.authority);
    sign(get, &url, headers, &count);
    get->http.method = "GET";
    get->http.headers = headers;
    get->http.header_count = count;
    get->http.timeout_ms = GET_TIMEOUT_MS;
    get->http.answer_max = HG_PACKAGE_BYTES_MAX;
    get->http.done = on_get_done;
    http_call_submit(client, &get->http);
    return true;
}

/* A bucket does not tell its region; the service does. True: the call was made again. */
static bool follow_region(struct s3_get *get)
{
    struct hg_str region = http_call_header(&get->http, "x-amz-bucket-region");

    if (get->was_moved || !region.n || !aws_is_region(region) ||
        hg_str_eq(region, hg_str_of(get->region)))
        return false;
    (void)snprintf(get->region, sizeof(get->region), "%.*s", HG_STR_ARG(region));
    get->was_moved = true;
    return send_get(get);
}

/* The service's words for the refusals that it knows; Amazon S3's own otherwise. */
static void read_refusal(struct s3_get *get)
{
    struct aws_fault fault;

    aws_fault_read(&fault, get->http.status, hg_buf_str(&get->http.answer));
    if (strcmp(fault.code, "NoSuchBucket") == 0)
        fail(get, "Error occurred while GetObject. S3 Error Code: NoSuchBucket. S3 Error Message: "
                  "The specified bucket does not exist");
    else if (strcmp(fault.code, "NoSuchKey") == 0)
        fail(get, "Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: "
                  "The specified key does not exist.");
    else if (get->source[0] && strstr(fault.message, "/_headgate/"))
        fail(get,
             "Error occurred while GetObject. %s names Headgate itself, which has no S3; set "
             "AWS_ENDPOINT_URL_S3",
             get->source);
    else if (fault.code[0])
        fail(get, "Error occurred while GetObject. S3 Error Code: %s. S3 Error Message: %s",
             fault.code, fault.message);
    else
        fail(get, "Error occurred while GetObject. The S3 endpoint answered %d", get->http.status);
}

static void on_get_done(struct hg_http_call *http)
{
    struct s3_get *get = hg_container_of(http, struct s3_get, http);

    if (http->rc == HG_OK && http->status / 100 != 2) {
        if (follow_region(get))
            return;
        read_refusal(get);
    } else if (http->rc == HG_E_TOO_LARGE) {
        fail(get, "Unzipped size must be smaller than %d bytes", HG_PACKAGE_BYTES_MAX);
    } else if (http->rc != HG_OK) {
        fail(get, "Error occurred while GetObject. The S3 endpoint cannot be used: %s", http->why);
    }
    hg_list_unlink(&get->link);
    get->done(get);
}

bool s3_get_start(struct s3_get *get, struct hg_code_service *service, struct hg_loop *loop,
                  struct hg_str region)
{
    char usual[AWS_REGION_MAX + 1];

    get->service = service;
    get->loop = loop;
    get->arena = hg_arena_new(GET_ARENA_MAX);
    (void)snprintf(usual, sizeof(usual), "%.*s", HG_STR_ARG(region));
    region = aws_usual_region(usual);
    if (!aws_is_region(region))
        return fail(get, "'%.*s' is no region", HG_STR_ARG(region));
    (void)snprintf(get->region, sizeof(get->region), "%.*s", HG_STR_ARG(region));
    hg_list_init(&get->link);
    if (!send_get(get))
        return false;
    hg_list_push_back(&service->gets[loop->index], &get->link);
    return true;
}

void s3_get_fini(struct s3_get *get)
{
    if (!get->arena)
        return;
    http_call_fini(&get->http);
    hg_arena_free(get->arena);
}
