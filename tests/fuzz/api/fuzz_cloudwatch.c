/*
 * Calls of the CloudWatch API: the first byte says which operation and protocol, the rest is the body. It is read or refused with a
 * sentence, whatever it is; so are expressions of metric math.
 */
#include "api/cloudwatch.h"
#include "api/cloudwatch_math.h"

#include <stdlib.h>

enum { OPERATIONS = 4, PROTOCOLS = 3, MATH = OPERATIONS * PROTOCOLS, COUNT = 5 };

static const struct math_series *find(struct hg_str id, void *arg)
{
    return hg_str_is(id, "m") || hg_str_is(id, "n") ? arg : NULL;
}

static void on_id(struct hg_str id, void *arg)
{
    *(size_t *)arg += id.n;
}

static void try_math(struct hg_str expression)
{
    double values[COUNT] = {1, 0, -3, 4, 5};
    bool has[COUNT] = {true, true, false, true, false};
    struct math_series series = {.period_s = 60, .count = COUNT, .values = values, .has = has};
    struct math_series result = {0};
    const struct math_context context = {.find = find, .arg = &series};
    struct hg_error err = {""};
    size_t length = 0;

    if (math_check(expression, on_id, &length, &err) != HG_OK) {
        hg_assert(err.text[0]);
        return;
    }
    hg_assert(length <= expression.n);
    if (math_evaluate(&context, expression, &result, &err) == HG_OK)
        hg_assert(result.count == COUNT);
    else
        hg_assert(err.text[0]);
    math_series_fini(&result);
}

static void try_call(unsigned which, struct hg_str body)
{
    bool (*const prepare[OPERATIONS])(struct watch_call * watch) = {
        statistics_prepare, metric_data_prepare, list_metrics_prepare, put_metrics_prepare};
    struct watch_call *watch = hg_calloc(1, sizeof(*watch));

    watch->arena = hg_arena_new(64 << 20);
    watch->protocol = (enum watch_protocol)(which / OPERATIONS);
    watch->input = watch_read_input(watch, body);
    if (!watch->input || !prepare[which % OPERATIONS](watch))
        hg_assert(watch->error != WATCH_OK && watch->message[0]);
    else
        hg_assert(watch->error == WATCH_OK);
    if (watch->drop && watch->user)
        watch->drop(watch->user);
    cJSON_Delete(watch->input);
    hg_arena_free(watch->arena);
    free(watch);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct hg_str text = hg_str_n((const char *)bytes, size);

    if (!size || size > WATCH_BODY_MAX)
        return 0;
    if (bytes[0] % (MATH + 1) == MATH)
        try_math(hg_str_skip(text, 1));
    else
        try_call(bytes[0] % (MATH + 1), hg_str_skip(text, 1));
    return 0;
}
