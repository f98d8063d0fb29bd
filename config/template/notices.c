#include "config/template/notices.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { TYPE_SLIPS_MAX = 3 };

static const struct {
    const char *type;
    enum hg_use use;
    const char *what;
} types[] = {
#define MADE HG_USE_MADE
#define HARMLESS HG_USE_HARMLESS
#define LATER HG_USE_LATER
#define HG_TYPE(type, use, what) {type, use, what},
#include "config/template/types.def"
#undef HG_TYPE
#undef MADE
#undef HARMLESS
#undef LATER
};

static const struct property_row {
    const char *of, *used, *harmless, *later;
} property_rows[] = {
#define HG_PROPERTIES(of, used, harmless, later) {of, used, harmless, later},
#include "config/template/properties.def"
#undef HG_PROPERTIES
};

static void vproblem(struct hg_transform *t, unsigned line, unsigned column, const char *format,
                     va_list args) __attribute__((format(printf, 4, 0)));

static void vproblem(struct hg_transform *t, unsigned line, unsigned column, const char *format,
                     va_list args)
{
    char *text;

    hg_assert(vasprintf(&text, format, args) >= 0);
    problems_add(t->problems, line, column, "%s", text);
    free(text);
}

void problem_at(struct hg_transform *t, const struct hg_node *node, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vproblem(t, node ? node->line : 0, node ? node->column : 0, format, args);
    va_end(args);
}

void problem_on(struct hg_transform *t, const struct hg_resource *resource, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vproblem(t, resource->line, resource->column, format, args);
    va_end(args);
}

void notice_add(struct hg_transform *t, enum hg_notice_kind kind, unsigned line, const char *format,
                ...)
{
    struct hg_stack *stack = t->stack;
    struct hg_notice *notice;
    va_list args;
    char *text;

    va_start(args, format);
    hg_assert(vasprintf(&text, format, args) >= 0);
    va_end(args);
    if (kind == HG_NOTICE_UNKNOWN && t->options->is_strict) {
        problems_add(t->problems, line, 0, "%s", text);
    } else {
        stack->notices =
            transform_grow(t->arena, stack->notices, stack->notice_count, sizeof(*notice));
        notice = &stack->notices[stack->notice_count++];
        *notice = (struct hg_notice){
            .kind = kind, .line = line, .text = transform_keep(t, hg_str_of(text))};
    }
    free(text);
}

void notices_enter_file(struct hg_transform *t, struct hg_other_file *file, const char *name,
                        const struct hg_node *named_at)
{
    *file = (struct hg_other_file){.name = name,
                                   .line = named_at->line,
                                   .outer = *t->problems,
                                   .first_notice = t->stack->notice_count};
    *t->problems = (struct hg_problems){.file = file->outer.file};
}

void notices_leave_file(struct hg_transform *t, struct hg_other_file *file)
{
    struct hg_problems inner = *t->problems;

    *t->problems = file->outer;
    for (size_t i = 0; i < inner.count; i++)
        problems_add(t->problems, file->line, 0, "%s:%u: %s", file->name, inner.items[i].line,
                     inner.items[i].text);
    problems_fini(&inner);
    for (size_t i = file->first_notice; i < t->stack->notice_count; i++) {
        struct hg_notice *notice = &t->stack->notices[i];

        notice->text =
            transform_keepf(t, "%s:%u: %.*s", file->name, notice->line, HG_STR_ARG(notice->text));
        notice->line = file->line;
    }
}

enum hg_use type_use(struct hg_str type, const char **what)
{
    for (size_t i = 0; i < HG_COUNT(types); i++) {
        struct hg_str row = hg_str_of(types[i].type);
        bool is_family = hg_str_ends(row, HG_STR("*"));

        if (is_family ? hg_str_starts(type, hg_str_n(row.p, row.n - 1)) : hg_str_eq(type, row)) {
            *what = types[i].what;
            return types[i].use;
        }
    }
    *what = "unknown resource type";
    return HG_USE_UNKNOWN;
}

void types_offer(struct hg_suggest *suggest)
{
    for (size_t i = 0; i < HG_COUNT(types); i++) {
        if (types[i].use == HG_USE_MADE)
            suggest_offer_cstr(suggest, types[i].type);
    }
    /* These names are long and alike: a few letters apart is another type, not a slip. */
    if (suggest->distance > TYPE_SLIPS_MAX)
        suggest->best = (struct hg_str){0};
}

static bool names_have(const char *names, struct hg_str name, struct hg_suggest *suggest)
{
    struct hg_str rest = hg_str_of(names), part;

    while (hg_str_next(&rest, ' ', &part)) {
        if (hg_str_eq(part, name))
            return true;
        suggest_offer(suggest, part);
    }
    return false;
}

static const struct property_row *find_row(const char *of)
{
    for (size_t i = 0; i < HG_COUNT(property_rows); i++) {
        if (strcmp(property_rows[i].of, of) == 0)
            return &property_rows[i];
    }
    return NULL;
}

/* "" and {}: tools write them for settings that nobody made. */
static bool is_empty(const struct hg_node *value)
{
    return !value || value->kind == HG_NODE_NULL ||
           (node_is_scalar(value) ? value->text.n == 0 : value->count == 0);
}

void properties_check(struct hg_transform *t, const struct hg_node *map, const char *of,
                      struct hg_str who)
{
    const struct property_row *row = find_row(of);

    hg_assert(row);
    for (size_t i = 0; node_is_map(map) && i < map->count; i++) {
        const struct hg_node_member *member = &map->members[i];
        struct hg_suggest suggest = {.wanted = member->key};

        if (names_have(row->used, member->key, &suggest) ||
            names_have(row->harmless, member->key, &suggest))
            continue;
        if (names_have(row->later, member->key, &suggest)) {
            if (!is_empty(member->value))
                notice_add(t, HG_NOTICE_NOT_SERVED, member->line, "%.*s: %.*s", HG_STR_ARG(who),
                           HG_STR_ARG(member->key));
        } else {
            notice_add(t, HG_NOTICE_UNKNOWN, member->line, "%.*s: unknown property %.*s of %s%s",
                       HG_STR_ARG(who), HG_STR_ARG(member->key), of, suggest_text(&suggest));
        }
    }
}
