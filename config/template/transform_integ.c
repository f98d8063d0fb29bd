#include "config/template/transform_integ.h"

#include "config/template/notices.h"

#include <string.h>

enum { REST_TIMEOUT_MIN_MS = 50, REST_TIMEOUT_MAX_MS = 300000, HTTP_TIMEOUT_MAX_MS = 30000 };

const struct hg_integ_names integ_names_openapi = {"x-amazon-apigateway-integration",
                                                   "type",
                                                   "httpMethod",
                                                   "uri",
                                                   "requestParameters",
                                                   "requestTemplates",
                                                   "passthroughBehavior",
                                                   "responses",
                                                   "timeoutInMillis",
                                                   "payloadFormatVersion",
                                                   "integrationSubtype",
                                                   "responseTransferMode",
                                                   "integration response",
                                                   "statusCode",
                                                   "responseParameters",
                                                   "responseTemplates",
                                                   "contentHandling",
                                                   "x-headgate-invocation-type"};
const struct hg_integ_names integ_names_method = {"Integration",
                                                  "Type",
                                                  "IntegrationHttpMethod",
                                                  "Uri",
                                                  "RequestParameters",
                                                  "RequestTemplates",
                                                  "PassthroughBehavior",
                                                  "IntegrationResponses",
                                                  "TimeoutInMillis",
                                                  NULL,
                                                  NULL,
                                                  "ResponseTransferMode",
                                                  "IntegrationResponse",
                                                  "StatusCode",
                                                  "ResponseParameters",
                                                  "ResponseTemplates",
                                                  "ContentHandling",
                                                  NULL};
const struct hg_integ_names integ_names_v2 = {NULL,
                                              "IntegrationType",
                                              "IntegrationMethod",
                                              "IntegrationUri",
                                              "RequestParameters",
                                              NULL,
                                              NULL,
                                              NULL,
                                              "TimeoutInMillis",
                                              "PayloadFormatVersion",
                                              "IntegrationSubtype",
                                              NULL,
                                              NULL,
                                              NULL,
                                              NULL,
                                              NULL,
                                              NULL,
                                              NULL};

static const char no_integration[] = "it has no integration";

static const char *const directives[] = {"set",     "if",      "else",     "elseif", "end",
                                         "foreach", "include", "parse",    "macro",  "break",
                                         "stop",    "define",  "evaluate", "return"};

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool starts_reference(struct hg_str text)
{
    if (hg_str_starts(text, HG_STR("$!")))
        text = hg_str_skip(text, 1);
    text = hg_str_skip(text, 1);
    return text.n > 0 && (is_letter(text.p[0]) || text.p[0] == '{');
}

static bool starts_directive(struct hg_str text)
{
    text = hg_str_skip(text, 1);
    if (text.n == 0)
        return false;
    if (strchr("#*[@", text.p[0]))
        return true;
    if (text.p[0] == '{')
        text = hg_str_skip(text, 1);
    for (size_t i = 0; i < HG_COUNT(directives); i++) {
        size_t length = strlen(directives[i]);

        if (hg_str_starts(text, hg_str_of(directives[i])) &&
            (text.n == length || !is_letter(text.p[length])))
            return true;
    }
    return false;
}

bool integ_is_template(struct hg_str text)
{
    for (; text.n > 0; text = hg_str_skip(text, 1)) {
        if (text.p[0] == '$' && starts_reference(text))
            return true;
        if (text.p[0] == '#' && starts_directive(text))
            return true;
    }
    return false;
}

bool integ_is_passthrough(struct hg_str text)
{
    static const char *const same[] = {"$input.body", "$input.json('$')", "$input.json(\"$\")"};

    text = hg_str_trim_ws(text);
    for (size_t i = 0; i < HG_COUNT(same); i++)
        if (hg_str_is(text, same[i]))
            return true;
    return false;
}

bool integ_function_ref(struct hg_str uri, struct hg_str *ref)
{
    static const char marker[] = "/functions/";
    ptrdiff_t at = hg_str_find_str(uri, HG_STR(marker)), end;

    if (at >= 0) {
        *ref = hg_str_skip(uri, (size_t)at + sizeof(marker) - 1);
        end = hg_str_find_str(*ref, HG_STR("/"));
        if (end >= 0)
            ref->n = (size_t)end;
        return ref->n > 0;
    }
    *ref = uri;
    return hg_str_starts(uri, HG_STR("arn:")) && hg_str_find_str(uri, HG_STR(":lambda:")) >= 0 &&
           hg_str_find_str(uri, HG_STR(":function:")) >= 0;
}

static struct hg_integ_model *new_model(struct hg_transform *t, enum hg_integ_type type,
                                        unsigned line)
{
    struct hg_integ_model *model = hg_arena_must(t->arena, sizeof(*model));

    *model =
        (struct hg_integ_model){.type = type, .line = line, .passthrough = HG_STR("WHEN_NO_MATCH")};
    model->uri = model->function_ref = model->http_method = model->payload_version = HG_STR("");
    model->subtype = model->invocation_type = model->unsupported = HG_STR("");
    return model;
}

struct hg_integ_model *integ_lambda(struct hg_transform *t, enum hg_api_kind kind,
                                    struct hg_str function_ref, unsigned line)
{
    struct hg_integ_model *model = new_model(t, HG_INTEG_LAMBDA_PROXY, line);
    struct hg_str region = eval_region(t->eval);

    model->function_ref = transform_keep(t, function_ref);
    model->uri = transform_keepf(
        t, "arn:aws:apigateway:%.*s:lambda:path/2015-03-31/functions/%.*s/invocations",
        HG_STR_ARG(region), HG_STR_ARG(function_ref));
    model->http_method = HG_STR("POST");
    model->payload_version = kind == HG_API_HTTP ? HG_STR("2.0") : HG_STR("");
    return model;
}

struct hg_integ_model *integ_preflight(struct hg_transform *t, struct hg_kv_list parameters,
                                       unsigned line)
{
    struct hg_integ_model *model = new_model(t, HG_INTEG_MOCK, line);
    struct hg_kv *request = hg_arena_must(t->arena, sizeof(*request)),
                 *response = hg_arena_must(t->arena, sizeof(*response));

    *request = (struct hg_kv){HG_STR("application/json"), HG_STR("{\n  \"statusCode\" : 200\n}\n")};
    *response = (struct hg_kv){HG_STR("application/json"), HG_STR("{}\n")};
    model->request_templates = (struct hg_kv_list){request, 1};
    model->responses = hg_arena_must(t->arena, sizeof(*model->responses));
    model->responses[0] = (struct hg_integ_response){.selection_pattern = HG_STR(""),
                                                     .status = 200,
                                                     .parameters = parameters,
                                                     .templates = {response, 1}};
    model->response_count = 1;
    return model;
}

struct hg_integ_model *integ_missing(struct hg_transform *t, unsigned line)
{
    struct hg_integ_model *model = new_model(t, HG_INTEG_MOCK, line);

    model->unsupported = hg_str_of(no_integration);
    return model;
}

bool integ_is_missing(const struct hg_integ_model *integration)
{
    return integration->unsupported.p == no_integration;
}

void integ_report(struct hg_transform *t, const struct hg_integ_model *integration,
                  struct hg_str who)
{
    if (integration->unsupported.n)
        notice_add(t, HG_NOTICE_NOT_SERVED, integration->line, "%.*s: %.*s; the route answers 501",
                   HG_STR_ARG(who), HG_STR_ARG(integration->unsupported));
}

static struct hg_node *member(const struct hg_node *node, const char *name)
{
    struct hg_node *value = name ? node_get(node, name) : NULL;

    return value && value->kind != HG_NODE_NULL ? value : NULL;
}

/* Sets the sentence, unless there is one already. */
static void refuse(struct hg_integ_model *model, struct hg_str sentence)
{
    if (!model->unsupported.n)
        model->unsupported = sentence;
}

/* Bytes out of a MOCK are not served; proxies do not heed it, and text is text already. */
static void check_content_handling(struct hg_transform *t, const struct hg_integ_model *model,
                                   const struct hg_node *node, const struct hg_integ_names *names,
                                   struct hg_str who)
{
    const struct hg_node *handling = member(node, names->content_handling);

    if (handling && model->type == HG_INTEG_MOCK &&
        !hg_str_is(node_text(handling), "CONVERT_TO_TEXT"))
        notice_add(t, HG_NOTICE_NOT_SERVED, handling->line, "%.*s: %s", HG_STR_ARG(who),
                   names->content_handling);
}

static void read_response(struct hg_transform *t, struct hg_integ_model *model,
                          struct hg_str pattern, const struct hg_node *node,
                          const struct hg_integ_names *names, struct hg_str who)
{
    const char *what = hg_arena_printf(t->scratch, "%.*s: integration response", HG_STR_ARG(who));
    struct hg_integ_response *response;

    if (!node_is_map(node)) {
        problem_at(t, node, "%s must be a map", what);
        return;
    }
    properties_check(t, node, names->response_table, who);
    check_content_handling(t, model, node, names, who);
    model->responses =
        transform_grow(t->arena, model->responses, model->response_count, sizeof(*response));
    response = &model->responses[model->response_count++];
    *response = (struct hg_integ_response){.selection_pattern = transform_keep(t, pattern)};
    response->status =
        (int)read_int(t, node_get(node, names->status),
                      hg_arena_printf(t->scratch, "%s: %s", what, names->status), 100, 599, 200);
    response->parameters = read_pairs(t, node_get(node, names->response_parameters), what);
    response->templates = read_pairs(t, node_get(node, names->response_templates), what);
}

static void read_responses(struct hg_transform *t, struct hg_integ_model *model,
                           const struct hg_node *node, const struct hg_integ_names *names,
                           struct hg_str who)
{
    if (node_is_map(node)) { /* OpenAPI: by pattern, "default" for none */
        for (size_t i = 0; i < node->count; i++) {
            struct hg_str key = node->members[i].key;

            read_response(t, model, hg_str_is(key, "default") ? HG_STR("") : key,
                          node->members[i].value, names, who);
        }
    } else if (node_is_list(node)) {
        for (size_t i = 0; i < node->count; i++) {
            struct hg_str pattern = node_text(node_get(node->items[i], "SelectionPattern"));

            read_response(t, model, pattern.p ? pattern : HG_STR(""), node->items[i], names, who);
        }
    } else if (node) {
        problem_at(t, node, "%.*s: %s must be a %s", HG_STR_ARG(who), names->responses,
                   names == &integ_names_method ? "list" : "map");
    }
}

/*
 * A mock answers what stands in the template: what would have to be computed is refused and
 * named.
 */
static void check_mock(struct hg_transform *t, struct hg_integ_model *model)
{
    for (size_t i = 0; i < model->request_templates.count; i++) {
        if (integ_is_template(model->request_templates.items[i].value))
            refuse(
                model,
                transform_keep(
                    t,
                    HG_STR(
                        "the request mapping template of its MOCK integration is not a constant; "
                        "mapping templates are not served yet")));
    }
    for (size_t i = 0; i < model->response_count; i++) {
        const struct hg_integ_response *response = &model->responses[i];

        for (size_t j = 0; j < response->templates.count; j++) {
            if (integ_is_template(response->templates.items[j].value))
                refuse(
                    model,
                    transform_keepf(
                        t,
                        "the response of status %d of its MOCK integration has a mapping template "
                        "with references or directives; these are not served yet",
                        response->status));
        }
        for (size_t j = 0; j < response->parameters.count; j++) {
            struct hg_str value = response->parameters.items[j].value;

            if (value.n < 2 || value.p[0] != '\'' || value.p[value.n - 1] != '\'')
                refuse(
                    model,
                    transform_keepf(
                        t,
                        "%.*s of its MOCK integration is not a literal in single quotes but %.*s; "
                        "mapping expressions are not served yet",
                        HG_STR_ARG(response->parameters.items[j].key), HG_STR_ARG(value)));
        }
    }
}

/* Tells of a function that this template ought to have and has not. */
static void check_function(struct hg_transform *t, struct hg_integ_model *model,
                           const struct hg_node *at, struct hg_str who)
{
    struct hg_str ref = model->function_ref, name = ref, qualifier = HG_STR("");
    ptrdiff_t colon, marker = hg_str_find_str(ref, HG_STR(":function:"));
    struct hg_str ours =
        transform_textf(t, ":lambda:%.*s:%.*s:function:", HG_STR_ARG(eval_region(t->eval)),
                        HG_STR_ARG(eval_account(t->eval)));

    if (hg_str_find_str(ref, HG_STR("${")) >= 0)
        return; /* a stage variable decides, request by request */
    if (marker >= 0)
        name = hg_str_skip(ref, (size_t)marker + sizeof(":function:") - 1);
    colon = hg_str_find(name, ':');
    if (colon >= 0) {
        qualifier = hg_str_skip(name, (size_t)colon + 1);
        name.n = (size_t)colon;
    }
    if (marker >= 0 && hg_str_find_str(ref, ours) < 0) {
        refuse(model,
               transform_keepf(t,
                               "function %.*s is in another account or region than this one, "
                               "%.*s %.*s (options --account and --region)",
                               HG_STR_ARG(ref), HG_STR_ARG(eval_account(t->eval)),
                               HG_STR_ARG(eval_region(t->eval))));
        return;
    }
    if (!stack_find_function(t->stack, name, qualifier) && !hg_map_get(&t->broken_functions, name))
        problem_at(t, at,
                   "%.*s: its integration calls a function that the template does not have: %.*s",
                   HG_STR_ARG(who), HG_STR_ARG(ref));
}

static void classify_proxy(struct hg_transform *t, struct hg_integ_model *model,
                           enum hg_api_kind kind, const struct hg_node *at, struct hg_str who)
{
    struct hg_str ref;

    if (model->subtype.n) {
        model->type = HG_INTEG_AWS;
        refuse(model, transform_keepf(t, "integrations with %.*s are not served yet",
                                      HG_STR_ARG(model->subtype)));
        return;
    }
    if (!integ_function_ref(model->uri, &ref)) {
        if (hg_str_find_str(model->uri, HG_STR(":firehose:")) >= 0) {
            model->type = HG_INTEG_AWS;
            refuse(model, HG_STR("integrations with Firehose are not served yet"));
        } else {
            problem_at(
                t, at,
                "%.*s: Integrations of type 'AWS_PROXY' currently only supports Lambda function and Firehose stream "
                "invocations.",
                HG_STR_ARG(who));
        }
        return;
    }
    if (kind == HG_API_REST && hg_str_eq(ref, model->uri)) {
        problem_at(t, at, "%.*s: AWS ARN for integration must contain path or action",
                   HG_STR_ARG(who));
        return;
    }
    model->function_ref = transform_keep(t, ref);
    check_function(t, model, at, who);
}

static bool has_computed_template(const struct hg_kv_list *templates)
{
    for (size_t i = 0; i < templates->count; i++)
        if (integ_is_template(templates->items[i].value) &&
            !integ_is_passthrough(templates->items[i].value))
            return true;
    return false;
}

/* Served as long as nothing has to be computed out of the request or of what the function returns. */
static void check_custom(struct hg_transform *t, struct hg_integ_model *model)
{
    struct hg_str type = kv_get(&model->request_parameters,
                                HG_STR("integration.request.header.X-Amz-Invocation-Type"));
    bool returns_nothing = type.p && (hg_str_is(type, "'Event'") || hg_str_is(type, "'DryRun'"));

    if (has_computed_template(&model->request_templates))
        refuse(model, HG_STR("the request mapping template of its AWS (custom) integration with "
                             "Lambda is neither a constant nor the body; mapping templates are not "
                             "served yet"));
    for (size_t i = 0; i < model->response_count; i++) {
        const struct hg_integ_response *response = &model->responses[i];

        if (has_computed_template(&response->templates))
            refuse(model, transform_keepf(t,
                                          "the response of status %d of its AWS (custom) "
                                          "integration with Lambda has a mapping template with "
                                          "references or directives; these are not served yet",
                                          response->status));
        if (response->selection_pattern.n && !returns_nothing)
            refuse(model, transform_keepf(t,
                                          "the response of status %d of its AWS (custom) "
                                          "integration with Lambda is chosen by the error's "
                                          "message, which is not served yet",
                                          response->status));
    }
}

static void classify_service(struct hg_transform *t, struct hg_integ_model *model,
                             const struct hg_node *at, struct hg_str who)
{
    struct hg_str ref;

    if (integ_function_ref(model->uri, &ref) && !hg_str_eq(ref, model->uri)) {
        model->type = HG_INTEG_LAMBDA;
        model->function_ref = transform_keep(t, ref);
        check_function(t, model, at, who);
        check_custom(t, model);
    } else {
        refuse(model, HG_STR("AWS service integrations are not served yet"));
    }
}

void integ_fix_type(struct hg_transform *t, struct hg_integ_model *integration,
                    const struct hg_node *node, struct hg_str who)
{
    static const char *const types[] = {"Event", "RequestResponse", "DryRun"};
    struct hg_str text = node_text(node);

    if (!node)
        return;
    if (integration->type != HG_INTEG_LAMBDA_PROXY && integration->type != HG_INTEG_LAMBDA)
        problem_at(t, node,
                   "%.*s: the invocation type %.*s is given, and the integration calls no function",
                   HG_STR_ARG(who), HG_STR_ARG(text));
    for (size_t i = 0; i < HG_COUNT(types); i++) {
        if (hg_str_is(text, types[i])) {
            integration->invocation_type = hg_str_of(types[i]);
            return;
        }
    }
    problem_at(t, node, "%.*s: the invocation type must be Event, RequestResponse or DryRun%s%.*s",
               HG_STR_ARG(who), text.n ? ", not " : "", HG_STR_ARG(text));
}

void integ_fix_type_of(struct hg_transform *t, struct hg_integ_model *integration,
                       const struct hg_resource *resource, struct hg_str who)
{
    integ_fix_type(t, integration,
                   node_get(resource_metadata(resource, "Headgate"), "InvocationType"), who);
}

static bool set_type(struct hg_integ_model *model, struct hg_str text)
{
    if (hg_str_is_nocase(text, "AWS_PROXY")) {
        model->type = HG_INTEG_LAMBDA_PROXY;
    } else if (hg_str_is_nocase(text, "AWS")) {
        model->type = HG_INTEG_AWS;
    } else if (hg_str_is_nocase(text, "MOCK")) {
        model->type = HG_INTEG_MOCK;
    } else if (hg_str_is_nocase(text, "HTTP_PROXY")) {
        model->type = HG_INTEG_HTTP_PROXY;
        refuse(model, HG_STR("HTTP_PROXY integrations are not served yet"));
    } else if (hg_str_is_nocase(text, "HTTP")) {
        model->type = HG_INTEG_HTTP;
        refuse(model, HG_STR("HTTP integrations are not served yet"));
    } else {
        return false;
    }
    return true;
}

static struct hg_str upper(struct hg_transform *t, struct hg_str text)
{
    char *copy = hg_arena_strdup(t->arena, text);

    for (char *c = copy; *c; c++) {
        if (*c >= 'a' && *c <= 'z')
            *c = (char)(*c - 'a' + 'A');
    }
    return hg_str_of(copy);
}

static void read_members(struct hg_transform *t, struct hg_integ_model *model,
                         const struct hg_node *node, enum hg_api_kind kind,
                         const struct hg_integ_names *names, struct hg_str who)
{
    const char *what = hg_arena_printf(t->scratch, "%.*s: integration", HG_STR_ARG(who));
    const struct hg_node *passthrough = member(node, names->passthrough);

    model->uri = read_text(t, member(node, names->uri), what, HG_STR(""));
    model->http_method = upper(t, read_text(t, member(node, names->http_method), what, HG_STR("")));
    model->subtype = read_text(t, member(node, names->subtype), what, HG_STR(""));
    if (kind == HG_API_HTTP)
        model->payload_version =
            read_text(t, member(node, names->payload_version), what, HG_STR("1.0"));
    if (node_is_scalar(passthrough))
        model->passthrough = upper(t, passthrough->text);
    model->request_parameters = read_pairs(t, member(node, names->request_parameters), what);
    model->request_templates = read_pairs(t, member(node, names->request_templates), what);
    model->timeout_ms = (unsigned)read_int(
        t, member(node, names->timeout),
        hg_arena_printf(t->scratch, "%s: %s", what, names->timeout), REST_TIMEOUT_MIN_MS,
        kind == HG_API_HTTP ? HTTP_TIMEOUT_MAX_MS : REST_TIMEOUT_MAX_MS, 0);
    read_responses(t, model, member(node, names->responses), names, who);
    model->wants_stream =
        hg_str_is_nocase(node_text(member(node, names->transfer_mode)), "STREAM") ||
        hg_str_ends(model->uri, HG_STR("/response-streaming-invocations"));
}

static void check_payload_version(struct hg_transform *t, struct hg_integ_model *model,
                                  const struct hg_node *node, struct hg_str who)
{
    if (!model->payload_version.n || hg_str_is(model->payload_version, "1.0") ||
        hg_str_is(model->payload_version, "2.0"))
        return;
    problem_at(t, node, "%.*s: the payload format version must be \"1.0\" or \"2.0\", not %.*s",
               HG_STR_ARG(who), HG_STR_ARG(model->payload_version));
    model->payload_version = HG_STR("2.0");
}

struct hg_integ_model *integ_read(struct hg_transform *t, const struct hg_node *node,
                                  enum hg_api_kind kind, const struct hg_integ_names *names,
                                  struct hg_str who)
{
    struct hg_str type = node_text(member(node, names->type));
    struct hg_integ_model *model;

    if (!node_is_map(node)) {
        problem_at(t, node, "%.*s: an integration must be a map", HG_STR_ARG(who));
        return NULL;
    }
    if (names->table)
        properties_check(t, node, names->table, who);
    model = new_model(t, HG_INTEG_MOCK, node->line);
    if (!set_type(model, type)) {
        problem_at(
            t, node,
            "%.*s: the type of an integration must be one of AWS_PROXY, AWS, HTTP_PROXY, HTTP, MOCK%s%.*s",
            HG_STR_ARG(who), type.n ? ", not " : "", HG_STR_ARG(type));
        return NULL;
    }
    check_content_handling(t, model, node, names, who);
    read_members(t, model, node, kind, names, who);
    check_payload_version(t, model, node, who);
    if (model->type == HG_INTEG_LAMBDA_PROXY)
        classify_proxy(t, model, kind, node, who);
    else if (model->type == HG_INTEG_AWS)
        classify_service(t, model, node, who);
    else if (model->type == HG_INTEG_MOCK)
        check_mock(t, model);
    integ_fix_type(t, model, member(node, names->invocation_type), who);
    if (model->wants_stream)
        refuse(model, HG_STR("response streaming is not served yet"));
    return model;
}
