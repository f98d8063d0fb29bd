/*
 * Reads bytes as a template and evaluates every resource and output.
 */
#include "config/template/eval.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void resolve_section(struct hg_eval *eval, const struct hg_node *section)
{
    for (size_t i = 0; node_is_map(section) && i < section->count; i++) {
        struct hg_buf json;

        hg_buf_init(&json, 1 << 20);
        node_to_json(eval_resolve(eval, section->members[i].value), &json);
        hg_buf_fini(&json);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct hg_arena *arena = hg_arena_new((size_t)1 << 30);
    const struct hg_template_options options = {.management_url = "http://127.0.0.1:4566"};
    struct hg_problems problems = {0};
    struct hg_node *document = node_parse(arena, hg_str_n((const char *)bytes, size), &problems);

    if (document) {
        /* Included files are looked for in a folder that does not exist. */
        struct hg_eval *eval = eval_new(arena, document, "/nonexistent", &options, &problems);
        const struct hg_node *resources = node_get(document, "Resources");

        for (size_t i = 0; node_is_map(resources) && i < resources->count; i++)
            eval_declare(eval, resources->members[i].key, resources->members[i].value, false);
        resolve_section(eval, resources);
        resolve_section(eval, node_get(document, "Outputs"));
        for (size_t i = 0; node_is_map(resources) && i < resources->count; i++)
            (void)eval_ref(eval, resources->members[i].key, NULL);
    }
    problems_fini(&problems);
    hg_arena_free(arena);
    return 0;
}
