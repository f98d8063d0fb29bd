/*
 * Templates and integration responses that are fixed texts, so that everything
 * is put together when they are bound; a request only chooses.
 */
#include "gateway/integ_fixed.h"

#include "config/template/transform_integ.h"
#include "gateway/answer.h"
#include "gateway/binary.h"
#include "gateway/mock_template.h"
#include "gateway/phrase.h"
#include "gateway/remap.h"

enum { ADDED_HEADERS = 4 /* by the gateway, and Content-Type */ };

/* ---- binding ---- */

enum hg_rc fixed_templates_bind(struct hg_arena *arena, const struct hg_kv_list *list,
                                struct hg_fixed_templates *out, struct hg_error *err)
{
    *out = (struct hg_fixed_templates){0};
    out->items = hg_arena_must(arena, (list->count + 1) * sizeof(*out->items));
    for (size_t i = 0; i < list->count; i++) {
        struct hg_str text = hg_str_trim_ws(list->items[i].value);
        bool is_body = integ_is_passthrough(text);

        if (!is_body && mock_template_needs_engine(text))
            return hg_error_set(
                err, HG_E_UNSUPPORTED,
                "a mapping template with references or directives is not served yet: only fixed texts "
                "are");
        out->items[out->count++] = (struct hg_fixed_template){list->items[i].key, text, is_body};
    }
    return HG_OK;
}

bool fixed_passes_unknown(const struct hg_integ_model *model)
{
    if (hg_str_is(model->passthrough, "NEVER"))
        return false;
    return !hg_str_is(model->passthrough, "WHEN_NO_TEMPLATES") || !model->request_templates.count;
}

const struct hg_fixed_template *fixed_template_for_body(const struct hg_fixed_templates *templates,
                                                        const struct hg_context *ctx)
{
    struct hg_str type = binary_media_type(ctx->noted.content_type);

    if (!type.n)
        type = HG_STR("application/json");
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < templates->count; i++) {
            if (hg_str_eq_nocase(templates->items[i].type, round ? HG_STR("$default") : type))
                return &templates->items[i];
        }
    }
    return NULL;
}

enum hg_rc fixed_response_bind(struct hg_arena *arena, const struct hg_integ_response *response,
                               struct hg_fixed_response *prepared, struct hg_error *err)
{
    static const struct hg_str prefix = {"method.response.header.", 23};
    const struct hg_kv_list *parameters = &response->parameters;

    prepared->status = response->status;
    prepared->headers = hg_arena_must(arena, (parameters->count + 1) * sizeof(struct hg_header));
    prepared->mapped =
        hg_arena_must(arena, (parameters->count + 1) * sizeof(struct hg_fixed_mapped));
    for (size_t i = 0; i < parameters->count; i++) {
        struct hg_phrase *value = phrase_of_mapping(arena, parameters->items[i].value);
        struct hg_str name, fixed;

        /* What the backend's headers are is not known here: integration.response.… is nothing, and is not sent. */
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
            prepared->mapped[prepared->mapped_count++] = (struct hg_fixed_mapped){name, value};
    }
    return fixed_templates_bind(arena, &response->templates, &prepared->templates, err);
}

/* ---- answering ---- */

/* By the client's Accept, else JSON, else the first. NULL: an empty body. */
static const struct hg_fixed_template *choose_body(const struct hg_fixed_response *prepared,
                                                   const struct hg_context *ctx)
{
    struct hg_str type;

    if (prepared->templates.count <= 1)
        return prepared->templates.count ? prepared->templates.items : NULL;
    type = binary_media_type(ctx->noted.accept);
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < prepared->templates.count; i++) {
            if (hg_str_eq_nocase(prepared->templates.items[i].type,
                                 round ? HG_STR("application/json") : type))
                return &prepared->templates.items[i];
        }
    }
    return prepared->templates.items;
}

static void add_mapped(const struct hg_fixed_response *prepared, struct hg_context *ctx)
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

void fixed_response_send(const struct hg_fixed_response *prepared, struct hg_context *ctx,
                         struct hg_str backend)
{
    const struct hg_fixed_template *body = choose_body(prepared, ctx);
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
    response->body = body && !body->is_body ? body->text : backend;
    answer_send(ctx);
}
