/*
 * Reads a JSON document that was checked as a whole already.
 */
#include "config/template/load.h"

struct reader {
    struct load *load;
    const char *at; /* line and column are known up to here */
    unsigned line, column;
};

/* Values come in the order of the text, so the place only moves forward. */
static void move_to(struct reader *reader, const char *p)
{
    for (; reader->at < p; reader->at++) {
        if (*reader->at == '\n') {
            reader->line++;
            reader->column = 1;
        } else if ((*reader->at & 0xc0) != 0x80) {
            reader->column++;
        }
    }
}

static struct hg_str unescape(struct reader *reader, struct hg_json_value string)
{
    struct hg_str plain = hg_json_plain(string);
    struct hg_buf buf;

    if (plain.p)
        return hg_arena_str(reader->load->arena, plain);
    hg_buf_init(&buf, string.raw.n * 3);
    (void)hg_json_unescape(string, &buf);
    plain = hg_arena_str(reader->load->arena, hg_buf_str(&buf));
    hg_buf_fini(&buf);
    return plain;
}

static struct hg_node *read_value(struct reader *reader, struct hg_json_value value,
                                  unsigned depth);

static void read_members(struct reader *reader, struct hg_node *map, struct hg_json_value object,
                         unsigned depth)
{
    struct hg_json_walk walk = hg_json_walk(object);
    struct hg_json_value value;
    struct load_keys keys;
    struct hg_str raw;

    load_keys_init(&keys, map);
    while (hg_json_next_member(&walk, &raw, &value)) {
        struct hg_json_value quoted = {HG_JSON_STRING, hg_str_n(raw.p - 1, raw.n + 2)};
        struct hg_node_member member;

        move_to(reader, raw.p - 1);
        member = (struct hg_node_member){
            .key = unescape(reader, quoted), .line = reader->line, .column = reader->column};
        member.value = read_value(reader, value, depth);
        if (!member.value)
            break;
        load_keys_add(reader->load, &keys, &member);
    }
    load_keys_fini(&keys);
}

static void read_elements(struct reader *reader, struct hg_node *list, struct hg_json_value array,
                          unsigned depth)
{
    struct hg_json_walk walk = hg_json_walk(array);
    struct hg_json_value value;

    while (hg_json_next_element(&walk, &value)) {
        struct hg_node *item = read_value(reader, value, depth);

        if (!item)
            break;
        node_push(reader->load->arena, list, item);
    }
}

static enum hg_scalar_kind scalar_kind(struct hg_json_value value)
{
    if (value.kind == HG_JSON_TRUE || value.kind == HG_JSON_FALSE)
        return HG_SCALAR_BOOL;
    if (value.kind != HG_JSON_NUMBER)
        return HG_SCALAR_STRING;
    for (size_t i = 0; i < value.raw.n; i++)
        if (value.raw.p[i] == '.' || value.raw.p[i] == 'e' || value.raw.p[i] == 'E')
            return HG_SCALAR_FLOAT;
    return HG_SCALAR_INT;
}

static struct hg_node *read_value(struct reader *reader, struct hg_json_value value, unsigned depth)
{
    static const enum hg_node_kind kinds[] = {
        [HG_JSON_OBJECT] = HG_NODE_MAP,    [HG_JSON_ARRAY] = HG_NODE_LIST,
        [HG_JSON_STRING] = HG_NODE_SCALAR, [HG_JSON_NUMBER] = HG_NODE_SCALAR,
        [HG_JSON_TRUE] = HG_NODE_SCALAR,   [HG_JSON_FALSE] = HG_NODE_SCALAR,
        [HG_JSON_NULL] = HG_NODE_NULL,
    };
    struct hg_node *node;

    move_to(reader, value.raw.p);
    if (!load_check_depth(reader->load, depth, reader->line, reader->column))
        return NULL;
    node = load_node(reader->load, kinds[value.kind], reader->line, reader->column);
    if (!node)
        return NULL;
    if (value.kind == HG_JSON_OBJECT)
        read_members(reader, node, value, depth + 1);
    else if (value.kind == HG_JSON_ARRAY)
        read_elements(reader, node, value, depth + 1);
    else if (value.kind == HG_JSON_STRING)
        node->text = unescape(reader, value);
    else if (node->kind == HG_NODE_SCALAR)
        node->text = hg_arena_str(reader->load->arena, value.raw);
    node->scalar = scalar_kind(value);
    return node;
}

struct hg_node *load_json(struct load *load, struct hg_str bytes, struct hg_json_value document)
{
    struct reader reader = {.load = load, .at = bytes.p, .line = 1, .column = 1};

    return read_value(&reader, document, 1);
}
