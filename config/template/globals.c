#include "config/template/globals.h"

enum { MERGE_DEPTH_MAX = 100 }; /* no tree is deeper; see the loader */

static const struct globals_row {
    const char *section, *type, *properties;
} rows[] = {
#define HG_GLOBALS(section, type, properties) {section, type, properties},
#include "config/template/globals.def"
#undef HG_GLOBALS
};

static void list_names(struct hg_buf *out, struct hg_str names)
{
    struct hg_str name;
    bool is_first = true;

    while (hg_str_next(&names, ' ', &name)) {
        hg_buf_printf(out, "%s'%.*s'", is_first ? "" : ", ", HG_STR_ARG(name));
        is_first = false;
    }
}

static bool has_name(struct hg_str names, struct hg_str wanted)
{
    struct hg_str name;

    while (hg_str_next(&names, ' ', &name)) {
        if (hg_str_eq(name, wanted))
            return true;
    }
    return false;
}

static void check_section(const struct globals_row *row, const struct hg_node_member *section,
                          struct hg_problems *problems)
{
    if (!node_is_map(section->value)) {
        problems_add(problems, section->line, section->column,
                     "'Globals' section is invalid. Value of ${%s} must be a dictionary",
                     row->section);
        return;
    }
    for (size_t i = 0; i < section->value->count; i++) {
        const struct hg_node_member *member = &section->value->members[i];
        struct hg_buf text;

        if (has_name(hg_str_of(row->properties), member->key))
            continue;
        hg_buf_init(&text, 4096);
        list_names(&text, hg_str_of(row->properties));
        problems_add(
            problems, member->line, member->column,
            "'Globals' section is invalid. '%.*s' is not a supported property of '%s'. Must be one of the "
            "following values - [%.*s]",
            HG_STR_ARG(member->key), row->section, HG_STR_ARG(hg_buf_str(&text)));
        hg_buf_fini(&text);
    }
}

static const struct globals_row *row_of_section(struct hg_str section)
{
    for (size_t i = 0; i < HG_COUNT(rows); i++) {
        if (hg_str_is(section, rows[i].section))
            return &rows[i];
    }
    return NULL;
}

void globals_check(const struct hg_node *globals, struct hg_problems *problems)
{
    if (!globals)
        return;
    if (!node_is_map(globals)) {
        problems_add(problems, globals->line, globals->column,
                     "'Globals' section is invalid. It must be a non-empty dictionary");
        return;
    }
    for (size_t i = 0; i < globals->count; i++) {
        const struct hg_node_member *member = &globals->members[i];
        const struct globals_row *row = row_of_section(member->key);
        struct hg_buf text;

        if (row) {
            check_section(row, member, problems);
            continue;
        }
        hg_buf_init(&text, 4096);
        for (size_t j = 0; j < HG_COUNT(rows); j++)
            hg_buf_printf(&text, "%s'%s'", j ? ", " : "", rows[j].section);
        problems_add(
            problems, member->line, member->column,
            "'Globals' section is invalid. '%.*s' is not supported. Must be one of the following values - [%.*s]",
            HG_STR_ARG(member->key), HG_STR_ARG(hg_buf_str(&text)));
        hg_buf_fini(&text);
    }
}

/* {"Ref": …} or {"Fn::…": …}: a value that is not there yet. */
static bool is_intrinsic(const struct hg_node *node)
{
    return node_is_map(node) && node->count == 1 &&
           (hg_str_is(node->members[0].key, "Ref") ||
            hg_str_is(node->members[0].key, "Condition") ||
            hg_str_starts(node->members[0].key, HG_STR("Fn::")));
}

static struct hg_node *merge(struct hg_arena *arena, struct hg_node *global, struct hg_node *local,
                             unsigned depth);

static struct hg_node *merge_maps(struct hg_arena *arena, struct hg_node *global,
                                  struct hg_node *local, unsigned depth)
{
    struct hg_node *merged = node_new_map(arena, local);

    for (size_t i = 0; i < global->count; i++) {
        struct hg_node_member member = global->members[i];
        struct hg_node *own = node_get_str(local, member.key);

        if (own)
            member.value = merge(arena, member.value, own, depth + 1);
        node_append(arena, merged, &member);
    }
    for (size_t i = 0; i < local->count; i++) {
        if (!node_get_str(global, local->members[i].key))
            node_append(arena, merged, &local->members[i]);
    }
    return merged;
}

static struct hg_node *merge_lists(struct hg_arena *arena, struct hg_node *global,
                                   struct hg_node *local)
{
    struct hg_node *merged = node_new_list(arena, local);

    for (size_t i = 0; i < global->count; i++)
        node_push(arena, merged, global->items[i]);
    for (size_t i = 0; i < local->count; i++)
        node_push(arena, merged, local->items[i]);
    return merged;
}

static struct hg_node *merge(struct hg_arena *arena, struct hg_node *global, struct hg_node *local,
                             unsigned depth)
{
    if (depth > MERGE_DEPTH_MAX || is_intrinsic(global) || is_intrinsic(local))
        return local;
    if (node_is_map(global) && node_is_map(local))
        return merge_maps(arena, global, local, depth);
    if (node_is_list(global) && node_is_list(local))
        return merge_lists(arena, global, local);
    return local;
}

/* The part of the globals that the resource does not ignore. */
static struct hg_node *wanted_globals(struct hg_arena *arena, struct hg_node *section,
                                      const struct hg_node *ignore)
{
    struct hg_node *wanted;

    if (!ignore)
        return section;
    wanted = node_new_map(arena, section);
    if (node_is_scalar(ignore) && hg_str_is(ignore->text, "*"))
        return wanted;
    for (size_t i = 0; i < section->count; i++) {
        bool is_ignored = false;

        for (size_t j = 0; node_is_list(ignore) && j < ignore->count; j++)
            is_ignored |= hg_str_eq(node_text(ignore->items[j]), section->members[i].key);
        if (!is_ignored)
            node_append(arena, wanted, &section->members[i]);
    }
    return wanted;
}

static struct hg_node *section_of_type(const struct hg_node *globals, struct hg_str type)
{
    for (size_t i = 0; i < HG_COUNT(rows); i++) {
        if (hg_str_is(type, rows[i].type))
            return node_get(globals, rows[i].section);
    }
    return NULL;
}

struct hg_node *globals_merge(struct hg_arena *arena, const struct hg_node *globals,
                              struct hg_node *resource)
{
    struct hg_node *section = section_of_type(globals, node_text(node_get(resource, "Type")));
    struct hg_node *properties = node_get(resource, "Properties");
    struct hg_node *merged;

    if (!node_is_map(section))
        return resource;
    section = wanted_globals(arena, section, node_get(resource, "IgnoreGlobals"));
    if (section->count == 0)
        return resource;
    merged = node_new_map(arena, resource);
    for (size_t i = 0; i < resource->count; i++)
        node_append(arena, merged, &resource->members[i]);
    node_set(arena, merged, HG_STR("Properties"),
             node_is_map(properties) ? merge(arena, section, properties, 0) : section);
    return merged;
}
