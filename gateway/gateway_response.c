/*
 * Gateway responses: a status, headers and a body by type of error.
 */
#include "gateway/gateway_response.h"

#include "gateway/binary.h"
#include "gateway/phrase.h"
#include "gateway/remap.h"

enum response_type {
#define HG_RESPONSE_TYPE(symbol, is_5xx) TYPE_##symbol,
#include "gateway/response_types.def"
#undef HG_RESPONSE_TYPE
    TYPE_NONE /* cannot be customised */
};

static const struct {
    const char *name;
    enum response_type parent;
} types[] = {
#define HG_RESPONSE_TYPE(symbol, is_5xx) {#symbol, is_5xx ? TYPE_DEFAULT_5XX : TYPE_DEFAULT_4XX},
#include "gateway/response_types.def"
#undef HG_RESPONSE_TYPE
};

static const struct builtin {
    enum response_type type;
    int status;
    const char *error_type;
    const char *body;
} builtins[] = {
#define HG_GATEWAY_ERROR(symbol, type, rest_status, error_type, rest_text, http_status, http_text) \
    {TYPE_##type, rest_status, error_type, "{\"message\":\"" rest_text "\"}"},
#include "gateway/errors.def"
#undef HG_GATEWAY_ERROR
};

struct mapped {
    struct hg_str name; /* of a header; of a template its media type */
    struct hg_phrase *value;
};

struct custom {
    bool is_set;
    int status; /* 0: the built-in one */
    struct mapped *headers, *templates;
    size_t header_count, template_count;
};

struct hg_gateway_response_plan {
    struct custom customs[TYPE_NONE];
};

static const struct hg_str header_prefix = {"gatewayresponse.header.", 23};

static enum response_type type_of(struct hg_str name)
{
    for (size_t i = 0; i < TYPE_NONE; i++) {
        if (hg_str_is(name, types[i].name))
            return (enum response_type)i;
    }
    return TYPE_NONE;
}

static void compile(struct hg_arena *arena, const struct hg_gateway_response *response,
                    struct custom *custom)
{
    custom->is_set = true;
    custom->status = response->status;
    custom->headers =
        hg_arena_must(arena, (response->parameters.count + 1) * sizeof(struct mapped));
    custom->templates =
        hg_arena_must(arena, (response->templates.count + 1) * sizeof(struct mapped));
    for (size_t i = 0; i < response->parameters.count; i++) {
        struct hg_kv *kv = &response->parameters.items[i];
        struct hg_phrase *value = phrase_of_mapping(arena, kv->value);

        if (value && hg_str_starts(kv->key, header_prefix) && kv->key.n > header_prefix.n)
            custom->headers[custom->header_count++] =
                (struct mapped){hg_str_skip(kv->key, header_prefix.n), value};
    }
    for (size_t i = 0; i < response->templates.count; i++) {
        struct hg_kv *kv = &response->templates.items[i];

        custom->templates[custom->template_count++] =
            (struct mapped){kv->key, phrase_new(arena, HG_PHRASE_BODY, kv->value)};
    }
}

struct hg_gateway_response_plan *
gateway_responses_new(struct hg_arena *arena, const struct hg_api *api, struct hg_error *warning)
{
    struct hg_gateway_response_plan *plan;

    if (!api->gateway_response_count)
        return NULL;
    plan = hg_arena_must(arena, sizeof(*plan));
    for (size_t i = 0; i < api->gateway_response_count; i++) {
        enum response_type type = type_of(api->gateway_responses[i].type);

        if (type == TYPE_NONE)
            (void)hg_error_set(warning, HG_OK, "gateway response type %.*s is unknown",
                               HG_STR_ARG(api->gateway_responses[i].type));
        else
            compile(arena, &api->gateway_responses[i], &plan->customs[type]);
    }
    return plan;
}

/* The customisation that holds for a type: its own, else its parent's; NULL for none. */
static const struct custom *custom_of(const struct hg_context *ctx, enum response_type type)
{
    const struct custom *customs;

    if (type == TYPE_NONE || type == TYPE_REQUEST_TOO_LARGE || !ctx->plan || !ctx->plan->responses)
        return NULL;
    customs = ctx->plan->responses->customs;
    if (customs[type].is_set)
        return &customs[type];
    return customs[types[type].parent].is_set ? &customs[types[type].parent] : NULL;
}

static struct hg_str render(struct hg_context *ctx, const struct hg_phrase *phrase)
{
    struct hg_str text = phrase_literal(phrase);
    struct hg_buf buf;

    if (text.p)
        return text;
    hg_buf_init(&buf, HG_REQUEST_ARENA_MAX / 4);
    (void)phrase_render(phrase, ctx, HG_STR(""), &buf);
    text = context_keep(ctx, &buf);
    return text.p ? text : hg_str_n("", 0);
}

static const struct mapped *choose_template(const struct hg_context *ctx,
                                            const struct custom *custom)
{
    struct hg_str wanted = binary_media_type(ctx->noted.accept);

    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < custom->template_count; i++) {
            if (hg_str_eq_nocase(custom->templates[i].name,
                                 round ? HG_STR("application/json") : wanted))
                return &custom->templates[i];
        }
    }
    return custom->template_count ? &custom->templates[0] : NULL;
}

static void fill_headers(struct hg_context *ctx, const struct custom *custom,
                         struct hg_str content_type)
{
    bool has_type = false;

    for (size_t i = 0; custom && i < custom->header_count; i++) {
        struct hg_str value = render(ctx, custom->headers[i].value);

        if (!value.n || !header_value_is_valid(value))
            continue;
        has_type |= hg_str_is_nocase(custom->headers[i].name, "content-type");
        req_add_header(ctx->req, custom->headers[i].name, value);
    }
    if (!has_type)
        req_add_header(ctx->req, HG_STR("Content-Type"), content_type);
}

void gateway_response_fill(struct hg_context *ctx)
{
    const struct builtin *builtin = &builtins[ctx->error];
    const struct custom *custom = custom_of(ctx, builtin->type);
    const struct mapped *template = custom ? choose_template(ctx, custom) : NULL;
    struct hg_response *response = &ctx->req->response;

    /* Templates may ask for $context.status. */
    response->status = custom && custom->status ? custom->status : builtin->status;
    response->body =
        template ? render(ctx, template->value) : context_error_body(ctx, hg_str_of(builtin->body));
    fill_headers(ctx, custom, template ? template->name : HG_STR("application/json"));
    req_add_header(ctx->req, HG_STR("x-amzn-ErrorType"), hg_str_of(builtin->error_type));
}
