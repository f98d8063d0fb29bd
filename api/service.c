/*
 * Other services on the management port: by X-Amz-Target (JSON), by Version of a form or query (query protocol), by path (RPC v2), and
 * at last by the service that the request was signed for. What is not served is said in the protocol of the request: a client that
 * cannot read the error shows nothing of it.
 */
#include "api/service.h"

#include "api/iam.h"
#include "core/uri.h"

enum { FORM_VALUE_MAX = 64 };

struct service {
    const char *name, *target, *version, *rpc;
    hg_operation_fn run;
};

static const struct service services[] = {
#define HG_SERVICE(name, target, version, rpc, run) {name, target, version, rpc, run},
#include "api/services.def"
#undef HG_SERVICE
};

enum protocol { JSON, QUERY, RPC, REST };

static const char rpc_prefix[] = "/service/";

/* The value of a field of a form or query; p NULL when there is none, cut where it is longer than any that is looked for. */
static struct hg_str form_field(struct hg_str form, const char *name, char value[FORM_VALUE_MAX])
{
    struct hg_str pair;

    while (hg_str_next(&form, '&', &pair)) {
        ptrdiff_t equals = hg_str_find(pair, '=');
        struct hg_buf decoded = {.base = value, .cap = FORM_VALUE_MAX, .max = FORM_VALUE_MAX};

        if (equals < 0 || !hg_str_is(hg_str_n(pair.p, (size_t)equals), name))
            continue;
        pair = hg_str_skip(pair, (size_t)equals + 1);
        pair.n = HG_MIN(pair.n, (size_t)FORM_VALUE_MAX);
        hg_uri_decode_form(&decoded, pair);
        return hg_buf_str(&decoded);
    }
    return hg_str_n(NULL, 0);
}

static bool is_form(const struct hg_request *req)
{
    return hg_str_is(req->method, "POST") &&
           hg_str_starts(req_header(req, "content-type"),
                         HG_STR("application/x-www-form-urlencoded"));
}

/* "…/20260102/eu-west-1/s3/aws4_request": the service of the credential scope; p NULL without one. */
static struct hg_str signed_service(const struct hg_request *req)
{
    struct hg_str header = req_header(req, "authorization"), scope, part, before = {NULL, 0};
    ptrdiff_t at = hg_str_find_str(header, HG_STR("Credential="));

    if (at < 0)
        return before;
    scope = hg_str_skip(header, (size_t)at);
    at = hg_str_find(scope, ',');
    if (at >= 0)
        scope.n = (size_t)at;
    while (hg_str_next(&scope, '/', &part)) {
        if (hg_str_is(hg_str_trim(part), "aws4_request"))
            return before;
        before = part;
    }
    return hg_str_n(NULL, 0);
}

static const struct service *by_target(struct hg_str target)
{
    for (size_t i = 0; i < HG_COUNT(services); i++)
        if (services[i].target && hg_str_starts(target, hg_str_of(services[i].target)))
            return &services[i];
    return NULL;
}

static const struct service *by_version(struct hg_str version)
{
    for (size_t i = 0; i < HG_COUNT(services); i++)
        if (services[i].version && hg_str_is(version, services[i].version))
            return &services[i];
    return NULL;
}

static const struct service *by_rpc(struct hg_str path)
{
    for (size_t i = 0; i < HG_COUNT(services); i++)
        if (services[i].rpc && hg_str_starts(path, hg_str_of(services[i].rpc)))
            return &services[i];
    return NULL;
}

static const struct service *by_name(struct hg_str name)
{
    for (size_t i = 0; i < HG_COUNT(services); i++)
        if (hg_str_is(name, services[i].name))
            return &services[i];
    return NULL;
}

static void write_json(struct hg_buf *out, const char *message)
{
    struct hg_json json = hg_json_to(out);

    hg_json_begin_object(&json);
    hg_json_field_cstr(&json, "__type", "NotImplementedException");
    hg_json_field_cstr(&json, "message", message);
    hg_json_end_object(&json);
}

/* Names of services and operations come from the request: only what XML takes as it is. */
static void write_xml(struct hg_buf *out, enum protocol protocol, const char *message)
{
    hg_buf_append_cstr(out, protocol == QUERY
                                ? "<ErrorResponse><Error><Type>Sender</Type>"
                                : "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>");
    hg_buf_append_cstr(out, "<Code>NotImplemented</Code><Message>");
    for (const char *p = message; *p; p++)
        hg_buf_append_byte(
            out, (char)(*p == '<' || *p == '>' || *p == '&' || (unsigned char)*p < ' ' ? '?' : *p));
    hg_buf_append_cstr(out, protocol == QUERY ? "</Message></Error></ErrorResponse>\n"
                                              : "</Message></Error>");
}

static void refuse(struct hg_call *call, enum protocol protocol, struct hg_str what)
{
    static const char *const types[] = {
        [JSON] = "application/x-amz-json-1.1",
        [QUERY] = "text/xml",
        [RPC] = "application/json",
        [REST] = "application/xml",
    };
    struct hg_buf *buf = call_buffer(call);
    char *message;

    what.n = HG_MIN(what.n, (size_t)128);
    message = hg_arena_printf(call->req->arena,
                              "%.*s is not available here: Headgate serves Lambda, "
                              "CloudWatch Logs and metrics, and some of IAM and STS",
                              HG_STR_ARG(what));
    if (protocol == JSON || protocol == RPC)
        write_json(buf, message);
    else
        write_xml(buf, protocol, message);
    req_add_header(call->req, HG_STR("x-amzn-ErrorType"), HG_STR("NotImplementedException"));
    req_add_header(call->req, HG_STR("x-amzn-RequestId"), hg_str_of(call->request_id));
    req_respond_with(call->req, 501, types[protocol], hg_buf_str(buf));
}

static bool hand_over(struct hg_call *call, const struct service *service, enum protocol protocol,
                      struct hg_str what)
{
    call->operation = service ? service->name : "other service";
    if (service && service->run)
        service->run(call);
    else
        refuse(call, protocol, what);
    return true;
}

bool service_run(struct hg_call *call)
{
    const struct hg_request *req = call->req;
    struct hg_str target = req_header(req, "x-amz-target"), version, action, name;
    struct hg_str form = is_form(req) ? req->body : req->query;
    char version_text[FORM_VALUE_MAX], action_text[FORM_VALUE_MAX];
    const struct service *service;

    if (target.p)
        return hand_over(call, by_target(target), JSON, target);
    if (hg_str_starts(req->path, hg_str_of(rpc_prefix))) {
        struct hg_str rest = hg_str_skip(req->path, sizeof(rpc_prefix) - 1);

        return hand_over(call, by_rpc(rest), RPC, rest);
    }
    /* Packed forms cannot be looked into; of the query services only CloudWatch's clients send them. */
    if (is_form(req) && hg_str_is(req->path, "/") && req_header(req, "content-encoding").n)
        return hand_over(call, by_name(HG_STR("monitoring")), QUERY, HG_STR("PutMetricData"));
    if (hg_str_is(req->path, "/")) {
        version = form_field(form, "Version", version_text);
        action = form_field(form, "Action", action_text);
        if (version.p && action.p)
            return hand_over(call, by_version(version), QUERY, action);
    }
    name = signed_service(req);
    if (!name.p || hg_str_is(name, "lambda"))
        return false;
    service = by_name(name);
    return service && !service->run && !service->target && !service->version
               ? hand_over(call, service, REST, name)
               : false;
}
