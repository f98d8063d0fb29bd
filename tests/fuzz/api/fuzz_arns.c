/*
 * ARNs of layers and of what has tags, and principals of policies: whatever they are, the parts lie inside the text, and
 * statements made of them are JSON.
 */
#include "api/lambda_layer.h"
#include "api/lambda_tags.h"
#include "config/policy_doc.h"
#include "core/json_scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum { ARENA_MAX = 16 << 20 };

static void expect_inside(struct hg_str part, struct hg_str whole)
{
    if (part.p && part.n)
        hg_assert(part.p >= whole.p && part.p + part.n <= whole.p + whole.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct hg_str text = hg_str_n((const char *)bytes, length);
    struct layer_ref layer = layer_ref_parse(text);
    struct tagged_resource resource = tagged_resource_parse(text);
    struct hg_arena *arena = hg_arena_new(ARENA_MAX);
    struct policy_terms terms = {.sid = text,
                                 .principal = text,
                                 .action = text,
                                 .resource = text,
                                 .event_token = text,
                                 .source_arn = text,
                                 .is_via_url = true};
    struct hg_statement statement = {text, policy_statement_json(arena, &terms)};
    struct hg_policy policy = policy_with(arena, NULL, HG_STR(""), &statement, HG_STR("r"));

    expect_inside(layer.name, text);
    expect_inside(layer.region, text);
    expect_inside(layer.account, text);
    expect_inside(resource.name, text);
    expect_inside(resource.qualifier, text);
    hg_assert(hg_json_parse(policy_json(arena, &policy), NULL).kind == HG_JSON_OBJECT);
    (void)policy_principal_is_valid(text);
    hg_arena_free(arena);
    return 0;
}
