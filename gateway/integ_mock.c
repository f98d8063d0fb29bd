/*
 * MOCK: an answer from the definition alone (apigw-integrations.md §4). All
 * templates are fixed texts, so everything is put together when it is bound;
 * a request only chooses.
 */
#include "gateway/answer.h"
#include "gateway/binary.h"
#include "gateway/integ.h"
#include "gateway/mock_template.h"
#include "gateway/phrase.h"
#include "gateway/remap.h"

enum {
    STATUS_MIN = 100,
    STATUS_MAX = 599,
    NO_RESPONSE = 255, /* no integration response takes that status */
    ADDED_HEADERS = 4, /* by the gateway, and Content-Type */
};

/* A response header whose value depends on the request. */
struct mapped {
    struct hg_str name;
    struct hg_phrase *value;
};

struct template
{
    struct hg_str type; /* media type */
    struct hg_str text;
    int status; /* of a request template; 0: it gives none */
};

struct prepared {
    int status;
    struct hg_header *headers; /* fixed ones */
    struct mapped *mapped;
    struct template *templates;
    size_t header_count, mapped_count, template_count;
    bool has_content_type; /* among headers or mapped */
};

struct mock {
    struct template *requests;
    size_t request_count;
    struct prepared *responses;
    size_t response_count;
    unsigned char response_of[STATUS_MAX + 1]; /* status → place in responses */
    bool passes_unknown_types; /* of bodies for which there is no request template */
};

/* ---- binding ---- */

static enum hg_rc copy_templates(struct hg_arena *arena, const struct hg_kv_list *list,
                                 struct template **out, size_t *count, struct hg_error *err)
{
    *out = hg_arena_must(arena, (list->count + 1) * sizeof(**out));
    for (size_t i = 0; i < list->count; i++) {
        struct hg_str text = hg_str_trim_ws(list->items[i].value);

        if (mock_template_needs_engine(text))
            return hg_error_set(
                err, HG_E_UNSUPPORTED,
                "a mapping template with references or directives is not served yet: only fixed texts "
                "are");
        (*out)[(*count)++] =
            (struct template){list->items[i].key, text, mock_template_status(text)};
    }
    return HG_OK;
}

static enum hg_rc prepare_response(struct hg_arena *arena, const struct hg_integ_response *response,
                                   struct prepared *prepared, struct hg_error *err)
{
    static const struct hg_str prefix = {"method.response.header.", 23};
    const struct hg_kv_list *parameters = &response->parameters;

    prepared->status = response->status;
    prepared->headers = hg_arena_must(arena, (parameters->count + 1) * sizeof(struct hg_header));
    prepared->mapped = hg_arena_must(arena, (parameters->count + 1) * sizeof(struct mapped));
    for (size_t i = 0; i < parameters->count; i++) {
        struct hg_phrase *value = phrase_of_mapping(arena, parameters->items[i].value);
        struct hg_str name, fixed;

        /*
         * A MOCK has no backend: integration.response.… is nothing, and what is nothing is not
         * sent.
         */
        if (!value || !hg_str_starts(parameters->items[i].key, prefix))
            continue;
        name = hg_str_skip(parameters->items[i].key, prefix.n);
        fixed = phrase_literal(value);
        if (!header_name_is_valid(name) || (fixed.p && !header_value_is_valid(fixed)))
            return hg_error_set(err, HG_E_INVALID, "response header %.*s cannot be sent",
                                HG_STR_ARG(name));
        name = remap_header(HG_ANSWER_REST_MAPPING, arena, name);
        if (!name.p)
            continue;
        prepared->has_content_type |= hg_str_is_nocase(name, "content-type");
        if (fixed.p)
            prepared->headers[prepared->header_count++] = (struct hg_header){name, fixed};
        else
            prepared->mapped[prepared->mapped_count++] = (struct mapped){name, value};
    }
    return copy_templates(arena, &response->templates, &prepared->templates,
                          &prepared->template_count, err);
}

static enum hg_rc map_statuses(struct mock *mock, const struct hg_integ_model *model,
                               struct hg_error *err)
{
    unsigned char fallback = NO_RESPONSE;

    for (size_t i = model->response_count; i > 0; i--) {
        if (!model->responses[i - 1].selection_pattern.n)
            fallback = (unsigned char)(i - 1);
    }
    memset(mock->response_of, fallback, sizeof(mock->response_of));
    /* Last first: where several patterns match, the first one stays. */
    for (size_t i = model->response_count; i > 0; i--) {
        struct hg_str pattern = model->responses[i - 1].selection_pattern;

        if (pattern.n &&
            !mock_pattern_mark(pattern, mock->response_of, STATUS_MAX, (unsigned char)(i - 1)))
            return hg_error_set(err, HG_E_UNSUPPORTED,
                                "the selection pattern '%.*s' cannot be evaluated",
                                HG_STR_ARG(pattern));
    }
    return HG_OK;
}

static enum hg_rc bind_mock(struct hg_integ *in, struct hg_snapshot *snapshot, struct hg_error *err)
{
    const struct hg_integ_model *model = in->model;
    struct mock *mock = hg_arena_must(snapshot->arena, sizeof(*mock));
    enum hg_rc rc;

    in->state = mock;
    if (model->response_count >= NO_RESPONSE)
        return hg_error_set(err, HG_E_INVALID, "it has more than %d integration responses",
                            NO_RESPONSE - 1);
    mock->response_count = model->response_count;
    mock->responses =
        hg_arena_must(snapshot->arena, (model->response_count + 1) * sizeof(*mock->responses));
    rc = copy_templates(snapshot->arena, &model->request_templates, &mock->requests,
                        &mock->request_count, err);
    for (size_t i = 0; rc == HG_OK && i < model->response_count; i++)
        rc = prepare_response(snapshot->arena, &model->responses[i], &mock->responses[i], err);
    if (hg_str_is(model->passthrough, "NEVER"))
        mock->passes_unknown_types = false;
    else
        mock->passes_unknown_types =
            !hg_str_is(model->passthrough, "WHEN_NO_TEMPLATES") || !mock->request_count;
    return rc == HG_OK ? map_statuses(mock, model, err) : rc;
}

/* ---- answering ---- */

/*
 * The status that the request template for this content type gives. 0: none; -1: no template takes
 * the type.
 */
static int choose_status(const struct mock *mock, const struct hg_context *ctx)
{
    struct hg_str type = binary_media_type(ctx->noted.content_type);

    if (!type.n)
        type = HG_STR("application/json");
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < mock->request_count; i++) {
            if (hg_str_eq_nocase(mock->requests[i].type, round ? HG_STR("$default") : type))
                return mock->requests[i].status;
        }
    }
    return mock->passes_unknown_types ? mock_template_status(ctx->req->body) : -1;
}

/* By the client's Accept, else JSON, else the first. NULL: an empty body. */
static const struct template *choose_body(const struct prepared *prepared,
                                          const struct hg_context *ctx)
{
    struct hg_str type;

    if (prepared->template_count <= 1)
        return prepared->template_count ? prepared->templates : NULL;
    type = binary_media_type(ctx->noted.accept);
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < prepared->template_count; i++) {
            if (hg_str_eq_nocase(prepared->templates[i].type,
                                 round ? HG_STR("application/json") : type))
                return &prepared->templates[i];
        }
    }
    return prepared->templates;
}

static void add_mapped(const struct prepared *prepared, struct hg_context *ctx)
{
    for (size_t i = 0; i < prepared->mapped_count; i++) {
        struct hg_buf buf;
        struct hg_str value;

        hg_buf_init(&buf, HG_REQUEST_HEADERS_MAX);
        (void)phrase_render(prepared->mapped[i].value, ctx, HG_STR(""), &buf);
        value = context_keep(ctx, &buf);
        if (value.n && header_value_is_valid(value))
            req_add_header(ctx->req, prepared->mapped[i].name, value);
    }
}

static void respond(const struct prepared *prepared, struct hg_context *ctx)
{
    const struct template *body = choose_body(prepared, ctx);
    struct hg_response *response = &ctx->req->response;
    size_t room = prepared->header_count + prepared->mapped_count + ADDED_HEADERS;

    if (room > response->header_room) {
        struct hg_header *headers = hg_arena_alloc(ctx->req->arena, room * sizeof(*headers));

        if (!headers) {
            answer_error(ctx, HG_GATEWAY_TOO_LONG);
            return;
        }
        response->headers = headers;
        response->header_room = room;
    }
    if (prepared->header_count)
        memcpy(response->headers, prepared->headers,
               prepared->header_count * sizeof(*response->headers));
    response->header_count = prepared->header_count;
    response->status = prepared->status;
    if (!prepared->has_content_type)
        req_add_header(ctx->req, HG_STR("Content-Type"),
                       body ? body->type : HG_STR("application/json"));
    if (prepared->mapped_count)
        add_mapped(prepared, ctx);
    if (body)
        response->body = body->text;
    answer_send(ctx);
}

static void begin(struct hg_integ *in, struct hg_context *ctx)
{
    const struct mock *mock = in->state;
    int status = choose_status(mock, ctx);

    ctx->integ_us = 0;
    if (status < 0) {
        answer_error(ctx, HG_GATEWAY_MEDIA_TYPE);
        return;
    }
    if (status < STATUS_MIN || mock->response_of[status] == NO_RESPONSE) {
        ctx->integ_error =
            status ? "No match for output mapping" : "The request template gives no statusCode";
        answer_error(ctx, HG_GATEWAY_CONFIGURATION);
        return;
    }
    ctx->integ_status = status;
    respond(&mock->responses[mock->response_of[status]], ctx);
}

static void describe(const struct hg_integ *in, const struct hg_snapshot *snapshot,
                     struct hg_buf *out)
{
    (void)in;
    (void)snapshot;
    hg_buf_append_cstr(out, "MOCK");
}

const struct hg_integ_ops integ_mock_ops = {
    .type = "MOCK",
    .bind = bind_mock,
    .begin = begin,
    .describe = describe,
};
