/*
 * Reads bytes as the body of a call of CloudWatch Logs with a member of every type: values within their bounds, or a named error.
 */
#include "api/logs_input.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static const struct logs_field fields[] = {
    {"name", LOGS_STRING, true, 1, 20, LOGS_GROUP_NAME, 0, 0, NULL},
    {"kind", LOGS_STRING, false, 0, 0, LOGS_ANY, 0, 0, "A, B"},
    {"limit", LOGS_NUMBER, false, 1, 50, LOGS_ANY, 0, 0, NULL},
    {"flag", LOGS_BOOLEAN, false, 0, 0, LOGS_ANY, 0, 0, NULL},
    {"list", LOGS_STRINGS, false, 1, 3, LOGS_STREAM_NAME, 1, 10, NULL},
    {"tags", LOGS_MAP, false, 1, 3, LOGS_TAG_KEY, 1, 10, NULL},
    {"logEvents", LOGS_EVENTS, false, 1, 3, LOGS_ANY, 0, 0, NULL},
    {"entity", LOGS_OBJECT, false, 0, 0, LOGS_ANY, 0, 0, NULL},
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct hg_arena *arena = hg_arena_new(4 * size + (1 << 20));
    struct logs_input input = {.arena = arena};
    struct hg_str message = {NULL, 0};
    const char *error = NULL;

    if (logs_input_read(&input, hg_str_n((const char *)bytes, size), fields, HG_COUNT(fields),
                        &error, &message)) {
        size_t count;
        int64_t limit = logs_input_i64(&input, "limit", 1);
        const struct hg_str *list = logs_input_list(&input, "list", &count);

        hg_assert(logs_input_str(&input, "name").n >= 1);
        hg_assert(limit >= 1 && limit <= 50);
        hg_assert(count <= 3);
        for (size_t i = 0; i < count; i++)
            hg_assert(list[i].n >= 1 && hg_str_find(list[i], ':') < 0);
        (void)logs_input_bool(&input, "flag");
    } else {
        hg_assert(error && message.n);
    }
    hg_arena_free(arena);
    return 0;
}
