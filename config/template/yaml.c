/*
 * Reads one YAML document through libyaml's events: short tags, anchors,
 * aliases, merges. The tree shares what stands behind an alias; its size is
 * counted at each use, so that walking the tree stays bounded.
 */
#include "config/suggest.h"
#include "config/template/yaml_error.h"

#include <stdlib.h>
#include <yaml.h>

enum { JOINS_MAX = 64 }; /* places with `!A !B` in one document; each costs reading it again */

struct anchor {
    struct anchor *next;
    struct hg_str name;
    struct hg_node *node; /* NULL while it is being read */
    size_t weight;        /* values inside, itself included */
};

struct reader {
    struct load *load;
    yaml_parser_t parser;
    struct hg_str bytes;
    struct anchor *anchors;
    bool is_broken;
    bool has_fault; /* of the text itself, in fault */
    struct yaml_fault fault;
};

static unsigned line_of(const yaml_event_t *event)
{
    return (unsigned)event->start_mark.line + 1;
}

static unsigned column_of(const yaml_event_t *event)
{
    return (unsigned)event->start_mark.column + 1;
}

static bool next_event(struct reader *reader, yaml_event_t *event)
{
    const yaml_parser_t *parser = &reader->parser;

    if (reader->is_broken)
        return false;
    if (yaml_parser_parse(&reader->parser, event))
        return true;
    reader->is_broken = true;
    reader->has_fault = true;
    reader->fault = (struct yaml_fault){
        .text = parser->problem,
        .context = parser->context,
        .is_encoding = parser->error == YAML_READER_ERROR,
        .offset = parser->problem_offset,
        .line = (unsigned)parser->problem_mark.line + 1,
        .column = (unsigned)parser->problem_mark.column + 1,
        .context_line = (unsigned)parser->context_mark.line + 1,
    };
    return false;
}

static struct hg_node *fail(struct reader *reader)
{
    reader->is_broken = true;
    return NULL;
}

static struct anchor *find_anchor(struct reader *reader, struct hg_str name)
{
    struct anchor *anchor = reader->anchors;

    while (anchor && !hg_str_eq(anchor->name, name))
        anchor = anchor->next;
    return anchor;
}

static struct anchor *add_anchor(struct reader *reader, const yaml_char_t *name)
{
    struct anchor *anchor;

    if (!name)
        return NULL;
    anchor = hg_arena_must(reader->load->arena, sizeof(*anchor));
    anchor->name = hg_arena_str(reader->load->arena, hg_str_of((const char *)name));
    anchor->next = reader->anchors;
    reader->anchors = anchor;
    return anchor;
}

static struct hg_node *read_alias(struct reader *reader, const yaml_event_t *event)
{
    struct hg_str name = hg_str_of((const char *)event->data.alias.anchor);
    struct anchor *anchor = find_anchor(reader, name);

    if (!anchor) {
        struct hg_suggest suggest = {.wanted = name};

        for (struct anchor *a = reader->anchors; a; a = a->next)
            suggest_offer(&suggest, a->name);
        problems_add(reader->load->problems, line_of(event), column_of(event),
                     "the alias '*%.*s' has no anchor '&%.*s' before it%s", HG_STR_ARG(name),
                     HG_STR_ARG(name), suggest_text(&suggest));
        return fail(reader);
    }
    if (!anchor->node) {
        problems_add(reader->load->problems, line_of(event), column_of(event),
                     "the alias '*%.*s' stands inside its own anchor", HG_STR_ARG(name));
        return fail(reader);
    }
    if (!load_count(reader->load, anchor->weight, line_of(event), column_of(event)))
        return fail(reader);
    return anchor->node;
}

/*
 * What the tag of a value means. Functions are outermost first: several when
 * short tags follow one another, which yaml_join_tags has made one tag.
 */
enum { TAG_FUNCTIONS_MAX = 4 };
struct tag {
    bool is_text; /* not to be taken for a number */
    const char *functions[TAG_FUNCTIONS_MAX];
    size_t count;
};

static void add_function(struct reader *reader, const yaml_event_t *event, struct hg_str short_tag,
                         struct tag *tag)
{
    static const struct {
        const char *tag, *name;
    } functions[] = {
#define HG_INTRINSIC(short_tag, long_name, fn, is_extension) {short_tag, long_name},
#include "config/template/intrinsics.def"
#undef HG_INTRINSIC
        {"Condition", "Condition"},
    };
    struct hg_suggest suggest = {.wanted = short_tag};

    for (size_t i = 0; i < HG_COUNT(functions); i++) {
        if (hg_str_is(short_tag, functions[i].tag) && tag->count < TAG_FUNCTIONS_MAX) {
            tag->functions[tag->count++] = functions[i].name;
            return;
        }
        suggest_offer_cstr(&suggest, functions[i].tag);
    }
    problems_add(reader->load->problems, line_of(event), column_of(event), "unknown tag !%.*s%s",
                 HG_STR_ARG(short_tag), suggest_text(&suggest));
}

static struct tag read_tag(struct reader *reader, const yaml_event_t *event, const yaml_char_t *raw)
{
    static const char *const plain[] = {YAML_INT_TAG,      YAML_FLOAT_TAG, YAML_BOOL_TAG,
                                        YAML_NULL_TAG,     YAML_SEQ_TAG,   YAML_MAP_TAG,
                                        YAML_TIMESTAMP_TAG};
    struct hg_str rest = hg_str_of((const char *)raw), part;
    struct tag tag = {.count = 0};

    if (!raw)
        return tag;
    tag.is_text = true;
    if (hg_str_is(rest, "!") || hg_str_is(rest, YAML_STR_TAG))
        return tag;
    for (size_t i = 0; i < HG_COUNT(plain); i++)
        if (hg_str_is(rest, plain[i])) {
            tag.is_text = false;
            return tag;
        }
    if (rest.p[0] == '!')
        rest = hg_str_skip(rest, 1);
    while (hg_str_next(&rest, YAML_TAG_JOINT, &part))
        if (part.n)
            add_function(reader, event, part, &tag);
    return tag;
}

/* "A.B.C" → ["A", "B.C"]: logical ids have no dot, attributes of nested stacks do. */
static struct hg_node *split_attribute(struct load *load, struct hg_node *scalar)
{
    ptrdiff_t dot = hg_str_find(scalar->text, '.');
    struct hg_node *list;

    if (dot < 0)
        return scalar;
    list = node_new_list(load->arena, scalar);
    node_push(load->arena, list,
              node_new_text(load->arena, hg_str_n(scalar->text.p, (size_t)dot), scalar));
    node_push(load->arena, list,
              node_new_text(load->arena, hg_str_skip(scalar->text, (size_t)dot + 1), scalar));
    return list;
}

static struct hg_node *wrap(struct reader *reader, struct hg_node *value, const char *name)
{
    struct hg_node *map;

    if (strcmp(name, "Fn::GetAtt") == 0 && node_is_scalar(value))
        value = split_attribute(reader->load, value);
    map = load_node(reader->load, HG_NODE_MAP, value->line, value->column);
    if (!map)
        return fail(reader);
    node_append(
        reader->load->arena, map,
        &(struct hg_node_member){
            .key = hg_str_of(name), .value = value, .line = value->line, .column = value->column});
    return map;
}

static struct hg_node *read_node(struct reader *reader, const yaml_event_t *event, unsigned depth);

static struct hg_node *read_scalar(struct reader *reader, const yaml_event_t *event,
                                   const struct tag *tag)
{
    struct hg_node *node =
        load_node(reader->load, HG_NODE_SCALAR, line_of(event), column_of(event));
    struct hg_str text =
        hg_str_n((const char *)event->data.scalar.value, event->data.scalar.length);

    if (!node)
        return fail(reader);
    node->text = hg_arena_str(reader->load->arena, text);
    if (!tag->is_text && event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
        scalar_resolve(node);
    return node;
}

static struct hg_node *read_list(struct reader *reader, const yaml_event_t *start, unsigned depth)
{
    struct hg_node *list = load_node(reader->load, HG_NODE_LIST, line_of(start), column_of(start));
    yaml_event_t event;

    if (!list)
        return fail(reader);
    while (next_event(reader, &event)) {
        bool is_end = event.type == YAML_SEQUENCE_END_EVENT;
        struct hg_node *item = is_end ? NULL : read_node(reader, &event, depth + 1);

        yaml_event_delete(&event);
        if (is_end)
            return list;
        if (!item)
            break;
        node_push(reader->load->arena, list, item);
    }
    return fail(reader);
}

/* Members of a merged map that the map itself does not have. */
static bool merge_one(struct reader *reader, struct load_keys *keys, const struct hg_node *source,
                      const struct hg_node *at)
{
    if (!node_is_map(source)) {
        problems_add(reader->load->problems, at->line, at->column,
                     "'<<' merges maps only: give it an alias of a map, or a list of them");
        return false;
    }
    for (size_t i = 0; i < source->count; i++) {
        if (load_keys_find(keys, source->members[i].key))
            continue;
        if (!load_count(reader->load, 1, at->line, at->column))
            return false;
        node_append(reader->load->arena, keys->map, &source->members[i]);
    }
    return true;
}

static bool merge_all(struct reader *reader, struct load_keys *keys, const struct hg_node *value)
{
    if (!node_is_list(value))
        return merge_one(reader, keys, value, value);
    for (size_t i = 0; i < value->count; i++)
        if (!merge_one(reader, keys, value->items[i], value->items[i]))
            return false;
    return true;
}

/* The key at event as a member without its value. */
static bool read_key(struct reader *reader, const yaml_event_t *event,
                     struct hg_node_member *member)
{
    struct hg_str text;

    if (event->type != YAML_SCALAR_EVENT || event->data.scalar.tag || event->data.scalar.anchor) {
        problems_add(reader->load->problems, line_of(event), column_of(event),
                     "a key must be plain text, without tag or anchor");
        return false;
    }
    text = hg_str_n((const char *)event->data.scalar.value, event->data.scalar.length);
    *member = (struct hg_node_member){.key = hg_arena_str(reader->load->arena, text),
                                      .line = line_of(event),
                                      .column = column_of(event)};
    return true;
}

/* Reads members up to the end of the map; a '<<' is put aside: what is written in the map itself wins. */
static bool read_members(struct reader *reader, struct load_keys *keys, struct hg_node **merges,
                         unsigned depth)
{
    yaml_event_t event;

    while (next_event(reader, &event)) {
        bool is_end = event.type == YAML_MAPPING_END_EVENT;
        bool is_plain =
            event.type == YAML_SCALAR_EVENT && event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
        struct hg_node_member member;
        bool has_key = !is_end && read_key(reader, &event, &member);

        yaml_event_delete(&event);
        if (is_end)
            return true;
        if (!has_key || !next_event(reader, &event))
            return false;
        member.value = read_node(reader, &event, depth + 1);
        yaml_event_delete(&event);
        if (!member.value)
            return false;
        if (!is_plain || !hg_str_is(member.key, "<<"))
            load_keys_add(reader->load, keys, &member);
        else if (!*merges)
            *merges = member.value;
        else
            problems_add(reader->load->problems, member.line, member.column,
                         "'<<' stands twice in this map; use one with a list: <<: [*a, *b]");
    }
    return false;
}

static struct hg_node *read_map(struct reader *reader, const yaml_event_t *start, unsigned depth)
{
    struct hg_node *map = load_node(reader->load, HG_NODE_MAP, line_of(start), column_of(start));
    struct hg_node *merges = NULL;
    struct load_keys keys;
    bool is_good;

    if (!map)
        return fail(reader);
    load_keys_init(&keys, map);
    is_good = read_members(reader, &keys, &merges, depth) &&
              (!merges || merge_all(reader, &keys, merges));
    load_keys_fini(&keys);
    return is_good ? map : fail(reader);
}

/* The value that begins with event. */
static struct hg_node *read_node(struct reader *reader, const yaml_event_t *event, unsigned depth)
{
    size_t before = reader->load->nodes;
    const yaml_char_t *raw_tag, *anchor_name;
    struct hg_node *node;
    struct anchor *anchor;
    struct tag tag;

    if (event->type == YAML_ALIAS_EVENT)
        return read_alias(reader, event);
    if (!load_check_depth(reader->load, depth, line_of(event), column_of(event)))
        return fail(reader);
    if (event->type == YAML_SCALAR_EVENT) {
        raw_tag = event->data.scalar.tag;
        anchor_name = event->data.scalar.anchor;
    } else if (event->type == YAML_SEQUENCE_START_EVENT) {
        raw_tag = event->data.sequence_start.tag;
        anchor_name = event->data.sequence_start.anchor;
    } else {
        hg_assert(event->type == YAML_MAPPING_START_EVENT);
        raw_tag = event->data.mapping_start.tag;
        anchor_name = event->data.mapping_start.anchor;
    }
    tag = read_tag(reader, event, raw_tag);
    anchor = add_anchor(reader, anchor_name);
    if (event->type == YAML_SCALAR_EVENT)
        node = read_scalar(reader, event, &tag);
    else if (event->type == YAML_SEQUENCE_START_EVENT)
        node = read_list(reader, event, depth);
    else
        node = read_map(reader, event, depth);
    while (node && tag.count > 0)
        node = wrap(reader, node, tag.functions[--tag.count]);
    if (anchor) {
        anchor->node = node;
        anchor->weight = reader->load->nodes - before;
    }
    return node;
}

/* The one document; anything behind it is a problem. */
static struct hg_node *read_document(struct reader *reader)
{
    struct hg_node *root = NULL;
    yaml_event_t event;

    while (next_event(reader, &event)) {
        bool is_end = event.type == YAML_STREAM_END_EVENT;

        if (event.type == YAML_DOCUMENT_START_EVENT && root) {
            problems_add(
                reader->load->problems, line_of(&event), column_of(&event),
                "a second document starts here; a template is one document: remove the '---' or split the file");
            reader->is_broken = true;
        } else if (event.type == YAML_DOCUMENT_START_EVENT ||
                   event.type == YAML_DOCUMENT_END_EVENT || event.type == YAML_STREAM_START_EVENT ||
                   is_end) {
            /* nothing to read in these */
        } else {
            root = read_node(reader, &event, 1);
        }
        yaml_event_delete(&event);
        if (is_end)
            break;
    }
    if (!root && !reader->is_broken)
        problems_add(reader->load->problems, 1, 1, "the document is empty");
    return reader->is_broken ? NULL : root;
}

static struct hg_node *read_once(struct reader *reader)
{
    struct hg_node *root;

    hg_assert(yaml_parser_initialize(&reader->parser));
    yaml_parser_set_encoding(&reader->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader->parser, (const unsigned char *)reader->bytes.p,
                                 reader->bytes.n);
    root = read_document(reader);
    yaml_parser_delete(&reader->parser);
    return root;
}

struct hg_node *load_yaml(struct load *load, struct hg_str bytes)
{
    struct reader reader = {.load = load, .bytes = bytes};
    struct hg_node *root = read_once(&reader);
    char *joined = NULL;

    for (unsigned i = 0; i < JOINS_MAX && reader.has_fault; i++) {
        if (!joined)
            joined = hg_strndup(bytes.p, bytes.n);
        if (!yaml_join_tags(joined, bytes.n, &reader.fault))
            break;
        load->nodes = 0;
        reader = (struct reader){.load = load, .bytes = hg_str_n(joined, bytes.n)};
        root = read_once(&reader);
    }
    free(joined);
    if (reader.has_fault)
        yaml_error_add(load->problems, bytes, &reader.fault);
    return root;
}
