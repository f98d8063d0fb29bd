/*
 * What MOCK and custom Lambda integrations share: mapping templates and
 * integration responses, as far as they are fixed texts
 * (apigw-integrations.md §§3 and 4).
 */
#ifndef HG_GATEWAY_INTEG_FIXED_H
#define HG_GATEWAY_INTEG_FIXED_H

#include "gateway/context.h"

struct hg_phrase;

struct hg_fixed_template {
    struct hg_str type; /* media type */
    struct hg_str text;
    bool is_body; /* it stands for the body as it came: $input.body */
};

struct hg_fixed_templates {
    struct hg_fixed_template *items;
    size_t count;
};

/* A response header whose value depends on the request. */
struct hg_fixed_mapped {
    struct hg_str name;
    struct hg_phrase *value;
};

/* One integration response. In the snapshot's arena. */
struct hg_fixed_response {
    int status;
    struct hg_header *headers; /* fixed ones */
    struct hg_fixed_mapped *mapped;
    struct hg_fixed_templates templates;
    size_t header_count, mapped_count;
    bool has_content_type; /* among headers or mapped */
};

/* HG_E_UNSUPPORTED for a template that would have to be computed. */
enum hg_rc fixed_templates_bind(struct hg_arena *arena, const struct hg_kv_list *list,
                                struct hg_fixed_templates *out, struct hg_error *err);
enum hg_rc fixed_response_bind(struct hg_arena *arena, const struct hg_integ_response *response,
                               struct hg_fixed_response *prepared, struct hg_error *err);
/* Whether a body for whose type there is no request template passes as it is; else 415. */
bool fixed_passes_unknown(const struct hg_integ_model *model);

/* The request template for the body's content type; NULL when none takes it. */
const struct hg_fixed_template *fixed_template_for_body(const struct hg_fixed_templates *templates,
                                                        const struct hg_context *ctx);
/* Answers; backend is the body where no template says otherwise, and lives until the request is done. */
void fixed_response_send(const struct hg_fixed_response *prepared, struct hg_context *ctx,
                         struct hg_str backend);

#endif
