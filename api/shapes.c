/*
 * The tables of api/shapes.def and the patterns in them, which are the service's own and so in Java's syntax: PCRE2 reads all that
 * the model uses of it.
 */
#define PCRE2_CODE_UNIT_WIDTH 8

#include "api/shapes.h"

#include <pcre2.h>
#include <pthread.h>

/* Keeps a hostile text from making a pattern of nested repetitions run for long. */
enum { MATCH_STEPS_MAX = 200000 };

enum shape_id {
    SHAPE_NONE,
#define HG_SHAPE(name, kind, min, max, pattern, values, first, second, is_sensitive) SHAPE_##name,
#include "api/shapes.def"
#undef HG_SHAPE
    SHAPE_COUNT
};

static const struct shape shapes[SHAPE_COUNT] = {
#define HG_SHAPE(name, kind, min, max, pattern, values, first, second, is_sensitive) \
    [SHAPE_## \
        name] = {#name, HG_SHAPE_##kind, min, max, pattern, values, first, second, is_sensitive},
#include "api/shapes.def"
#undef HG_SHAPE
};

static const struct shape_member members[] = {
#define HG_MEMBER(name, wire_name, place, shape, is_required) \
    {name, wire_name, HG_PLACE_##place, shape, is_required},
#include "api/shapes.def"
#undef HG_MEMBER
};

const struct model_op model_ops[HG_MODEL_OP_COUNT] = {
#define HG_MODEL_OP(name, method, path, query, input) \
    [HG_MODEL_##name] = {#name, method, path, query, input},
#include "api/shapes.def"
#undef HG_MODEL_OP
};

static pcre2_code *patterns[SHAPE_COUNT];
static pcre2_match_context *limits;
static pthread_once_t once = PTHREAD_ONCE_INIT;

const struct shape *shape_get(unsigned id)
{
    hg_assert(id > SHAPE_NONE && id < SHAPE_COUNT);
    return &shapes[id];
}

const struct shape_member *shape_members(const struct shape *structure, size_t *count)
{
    hg_assert(structure->kind == HG_SHAPE_STRUCTURE);
    *count = structure->second;
    return &members[structure->first];
}

const struct shape *shape_element(const struct shape *shape)
{
    return shape_get(shape->kind == HG_SHAPE_MAP ? shape->second : shape->first);
}

const struct shape *shape_key(const struct shape *map)
{
    hg_assert(map->kind == HG_SHAPE_MAP);
    return shape_get(map->first);
}

/* What String.matches() does: all of the text, `.` without line ends, \d and \s of ASCII only. */
static void compile(void)
{
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);

    hg_assert(context && pcre2_set_newline(context, PCRE2_NEWLINE_ANY) == 0);
    for (size_t i = 1; i < SHAPE_COUNT; i++) {
        int error;
        PCRE2_SIZE offset;

        if (!shapes[i].pattern)
            continue;
        patterns[i] =
            pcre2_compile((PCRE2_SPTR)shapes[i].pattern, PCRE2_ZERO_TERMINATED,
                          PCRE2_UTF | PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_NO_AUTO_CAPTURE,
                          &error, &offset, context);
        hg_assert(patterns[i]);
    }
    pcre2_compile_context_free(context);
    limits = pcre2_match_context_create(NULL);
    hg_assert(limits && pcre2_set_match_limit(limits, MATCH_STEPS_MAX) == 0);
}

bool shape_pattern_matches(const struct shape *shape, struct hg_str text)
{
    pcre2_match_data *found;
    int rc;

    (void)pthread_once(&once, compile);
    found = pcre2_match_data_create(1, NULL);
    hg_assert(found);
    rc = pcre2_match(patterns[shape - shapes], (PCRE2_SPTR)(text.n ? text.p : ""), text.n, 0, 0,
                     found, limits);
    pcre2_match_data_free(found);
    return rc >= 0;
}

bool shape_value_is_known(const struct shape *shape, struct hg_str text)
{
    struct hg_str rest = hg_str_of(shape->values), value;

    while (hg_str_next(&rest, ',', &value))
        if (hg_str_eq(hg_str_trim(value), text))
            return true;
    return false;
}
