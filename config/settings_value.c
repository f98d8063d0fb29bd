/*
 * From the text of a setting to its field.
 */
#include "config/settings_value.h"

#include <limits.h>
#include <stdlib.h>

struct unit {
    const char *name;
    int64_t factor;
};

static const struct unit durations[] = {
    {"ms", 1}, {"s", 1000}, {"m", 60 * 1000}, {"h", 60 * 60 * 1000}, {"d", 24 * 60 * 60 * 1000},
    {NULL, 0}};
static const struct unit sizes[] = {{"", 1},
                                    {"B", 1},
                                    {"K", 1 << 10},
                                    {"KB", 1 << 10},
                                    {"KiB", 1 << 10},
                                    {"M", 1 << 20},
                                    {"MB", 1 << 20},
                                    {"MiB", 1 << 20},
                                    {"G", 1 << 30},
                                    {"GB", 1 << 30},
                                    {"GiB", 1 << 30},
                                    {"T", INT64_C(1) << 40},
                                    {"TB", INT64_C(1) << 40},
                                    {"TiB", INT64_C(1) << 40},
                                    {NULL, 0}};

bool key_is_list(const struct hg_key *key)
{
    return key->type == HG_KEY_TEXTS || key->type == HG_KEY_ADDRESSES || key->type == HG_KEY_PAIRS;
}

bool key_takes_words(const struct hg_key *key)
{
    return key->type == HG_KEY_PAIRS && strstr(key->argument, "…");
}

/* A whole number and one of the units behind it. */
static bool parse_with_unit(struct hg_str text, const struct unit *units, int64_t *value)
{
    size_t digits = 0;
    struct hg_str unit;
    uint64_t number;

    while (digits < text.n && text.p[digits] >= '0' && text.p[digits] <= '9')
        digits++;
    unit = hg_str_trim(hg_str_skip(text, digits));
    if (!hg_str_u64(hg_str_n(text.p, digits), INT64_MAX, &number))
        return false;
    for (; units->name; units++)
        if (hg_str_is_nocase(unit, units->name))
            return !__builtin_mul_overflow((int64_t)number, units->factor, value);
    return false;
}

static bool check_address(struct hg_str text, struct hg_error *err)
{
    size_t colon = text.n;
    uint64_t port;

    while (colon > 0 && text.p[colon - 1] != ':')
        colon--;
    if (colon < 2 || !hg_str_u64(hg_str_skip(text, colon), 65535, &port) ||
        (memchr(text.p, ':', colon - 1) && (text.p[0] != '[' || text.p[colon - 2] != ']'))) {
        (void)hg_error_set(
            err, HG_E_INVALID,
            "'%.*s' is not ADDRESS:PORT, such as 127.0.0.1:8080, 0.0.0.0:80 or [::1]:8080",
            HG_STR_ARG(text));
        return false;
    }
    return true;
}

static bool read_number(const struct hg_key *key, struct hg_str text, int64_t *value,
                        struct hg_error *err)
{
    bool is_good;

    if (key->type == HG_KEY_MS)
        is_good =
            parse_with_unit(text, durations, value) || (hg_str_is(text, "0") && (*value = 0, true));
    else if (key->type == HG_KEY_BYTES)
        is_good = parse_with_unit(text, sizes, value);
    else
        is_good = hg_str_i64(text, 0, INT64_MAX, value);
    if (!is_good && key->type == HG_KEY_MS)
        (void)hg_error_set(err, HG_E_INVALID,
                           "'%.*s' is not a duration such as 500ms, 30s, 10m or 1h",
                           HG_STR_ARG(text));
    else if (!is_good && key->type == HG_KEY_BYTES)
        (void)hg_error_set(err, HG_E_INVALID, "'%.*s' is not a size such as 4096, 512K or 10M",
                           HG_STR_ARG(text));
    else if (!is_good)
        (void)hg_error_set(err, HG_E_INVALID, "'%.*s' is not a whole number", HG_STR_ARG(text));
    else if ((is_good = *value >= key->min && *value <= key->max))
        return true;
    else
        (void)hg_error_set(err, HG_E_INVALID, "%.*s is out of range: %lld to %lld%s",
                           HG_STR_ARG(text), (long long)key->min, (long long)key->max,
                           key->type == HG_KEY_MS      ? " milliseconds"
                           : key->type == HG_KEY_BYTES ? " bytes"
                                                       : "");
    return is_good;
}

static bool read_real(const struct hg_key *key, struct hg_str text, double *value,
                      struct hg_error *err)
{
    char copy[33] = "", *end = copy;

    if (text.n < sizeof(copy))
        memcpy(copy, text.p, text.n);
    /* strtod alone would take inf, nan and hexadecimal too. */
    if (strspn(copy, "0123456789.") == text.n)
        *value = strtod(copy, &end);
    if (end == copy || *end) {
        (void)hg_error_set(err, HG_E_INVALID, "'%.*s' is not a number such as 0.5 or 1",
                           HG_STR_ARG(text));
        return false;
    }
    if (*value > (double)key->min && *value <= (double)key->max)
        return true;
    (void)hg_error_set(err, HG_E_INVALID, "%.*s is out of range: more than %lld, at most %lld",
                       HG_STR_ARG(text), (long long)key->min, (long long)key->max);
    return false;
}

static bool read_switch(struct hg_str text, bool *value, struct hg_error *err)
{
    static const char *const yes[] = {"true", "yes", "on", "1"}, *const no[] = {"false", "no",
                                                                                "off", "0"};

    for (size_t i = 0; i < HG_COUNT(yes); i++) {
        *value = hg_str_is_nocase(text, yes[i]);
        if (*value || hg_str_is_nocase(text, no[i]))
            return true;
    }
    (void)hg_error_set(err, HG_E_INVALID, "'%.*s' is neither true nor false", HG_STR_ARG(text));
    return false;
}

static bool read_choice(const struct hg_key *key, struct hg_str text, int *value,
                        struct hg_error *err)
{
    struct hg_suggest suggest = {.wanted = text};
    struct hg_str rest = hg_str_of(key->choices), choice;

    for (*value = 0; hg_str_next(&rest, '|', &choice); (*value)++) {
        if (hg_str_eq(choice, text))
            return true;
        suggest_offer(&suggest, choice);
    }
    (void)hg_error_set(err, HG_E_INVALID, "'%.*s' is not one of %s%s", HG_STR_ARG(text),
                       key->choices, suggest_text(&suggest));
    return false;
}

static bool read_pair(struct hg_arena *arena, struct hg_str text, struct hg_kv *pair,
                      struct hg_error *err)
{
    ptrdiff_t equals = hg_str_find(text, '=');

    if (equals < 1) {
        (void)hg_error_set(err, HG_E_INVALID, "'%.*s' is not NAME=VALUE", HG_STR_ARG(text));
        return false;
    }
    pair->key = hg_arena_str(arena, hg_str_n(text.p, (size_t)equals));
    pair->value = hg_arena_str(arena, hg_str_skip(text, (size_t)equals + 1));
    return true;
}

/* One text into its field; lists grow, their array is large enough. */
static bool store_one(struct hg_arena *arena, const struct hg_key *key, struct hg_str text,
                      void *field, struct hg_error *err)
{
    struct hg_str_list *list = field;
    struct hg_kv_list *pairs = field;
    int64_t number;

    if (!text.n && key->type != HG_KEY_SWITCH) {
        (void)hg_error_set(err, HG_E_INVALID, "the value is empty");
        return false;
    }
    if (key->check && !key->check(text, err))
        return false;
    switch (key->type) {
    case HG_KEY_ADDRESS:
        if (!check_address(text, err))
            return false;
        *(const char **)field = hg_arena_strdup(arena, text);
        return true;
    case HG_KEY_TEXT:
        *(const char **)field = hg_arena_strdup(arena, text);
        return true;
    case HG_KEY_ADDRESSES:
        if (!check_address(text, err))
            return false;
        list->items[list->count++] = hg_arena_strdup(arena, text);
        return true;
    case HG_KEY_TEXTS:
        list->items[list->count++] = hg_arena_strdup(arena, text);
        return true;
    case HG_KEY_PAIRS:
        return read_pair(arena, text, &pairs->items[pairs->count], err) && (pairs->count++, true);
    case HG_KEY_NUMBER:
        return read_number(key, text, &number, err) &&
               (*(unsigned *)field = (unsigned)number, true);
    case HG_KEY_BYTES:
        return read_number(key, text, &number, err) && (*(size_t *)field = (size_t)number, true);
    case HG_KEY_MS:
        return read_number(key, text, field, err);
    case HG_KEY_REAL:
        return read_real(key, text, field, err);
    case HG_KEY_SWITCH:
        return read_switch(text, field, err);
    case HG_KEY_CHOICE:
        return read_choice(key, text, field, err);
    }
    return false;
}

bool setting_store(struct hg_arena *arena, const struct hg_key *key,
                   const struct setting_text *texts, size_t count, struct hg_settings *settings,
                   struct hg_buf *problems)
{
    int64_t unused[2]; /* as large as any field that is only checked */
    void *field = key->offset == HG_NO_FIELD ? (void *)unused : (char *)settings + key->offset;
    bool is_good = true;

    if (key->type == HG_KEY_PAIRS)
        *(struct hg_kv_list *)field =
            (struct hg_kv_list){hg_arena_must(arena, count * sizeof(struct hg_kv)), 0};
    else if (key_is_list(key))
        *(struct hg_str_list *)field =
            (struct hg_str_list){hg_arena_must(arena, count * sizeof(char *)), 0};
    for (size_t i = 0; i < count; i++) {
        struct hg_error err = {""};

        if (store_one(arena, key, texts[i].text, field, &err))
            continue;
        (void)hg_buf_printf(problems, "%s: %s\n", texts[i].where, err.text);
        is_good = false;
    }
    return is_good;
}
