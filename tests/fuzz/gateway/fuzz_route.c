/*
 * Lines up to an empty one are routes (a letter for the method, then the template), the rest is a path.
 * Whatever is found must have been added, and its parameters must be parts of the path.
 */
#include "gateway/route.h"

enum { ROUTES_MAX = 32, ARENA_BYTES = 1 << 22 };

static size_t add_routes(struct hg_arena *arena, struct hg_route_table *table, struct hg_str *text,
                         struct hg_pattern *patterns)
{
    struct hg_error err, warning;
    struct hg_str line;
    size_t count = 0;

    while (count < ROUTES_MAX && hg_str_next(text, '\n', &line) && line.n) {
        enum hg_method method = line.p[0] == 'A'
                                    ? HG_METHOD_ANY
                                    : (enum hg_method)((unsigned char)line.p[0] % HG_METHOD_ANY);

        if (pattern_parse(arena, hg_str_skip(line, 1), &patterns[count], &err) == HG_OK &&
            route_table_add(table, method, &patterns[count], &patterns[count], &warning, &err) ==
                HG_OK)
            count++;
    }
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct hg_str input = hg_str_n((const char *)bytes, size);

    for (int kind = HG_API_REST; kind <= HG_API_HTTP; kind++) {
        struct hg_arena *arena = hg_arena_new(ARENA_BYTES);
        struct hg_route_table *table = route_table_new(arena, (enum hg_api_kind)kind);
        struct hg_pattern patterns[ROUTES_MAX];
        struct hg_str path = input;
        size_t count = add_routes(arena, table, &path, patterns);

        for (int method = 0; path.p && path.n && method <= HG_METHOD_OTHER; method++) {
            const struct hg_pattern *found = route_table_find(table, (enum hg_method)method, path);
            struct hg_param params[HG_PATH_SEGMENTS_MAX] = {{{NULL, 0}, {NULL, 0}}};

            if (!found)
                continue;
            hg_assert(found >= patterns && found < patterns + count);
            pattern_params(found, (enum hg_api_kind)kind, path, params);
            for (size_t i = 0; i < found->param_count; i++)
                hg_assert(params[i].value.p >= path.p &&
                          params[i].value.p + params[i].value.n <= path.p + path.n);
        }
        hg_arena_free(arena);
    }
    return 0;
}
