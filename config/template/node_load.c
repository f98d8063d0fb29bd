/*
 * From bytes or a file to a tree: chooses the reader and keeps the limits.
 */
#include "config/template/load.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SMALL_MAP = 16 }; /* up to here a linear search beats a hash */

bool load_count(struct load *load, size_t more, unsigned line, unsigned column)
{
    if (load->nodes > HG_TEMPLATE_NODES_MAX)
        return false;
    load->nodes += more;
    if (load->nodes <= HG_TEMPLATE_NODES_MAX)
        return true;
    problems_add(
        load->problems, line, column,
        "the document has more than %d values (what stands behind an alias counts at each use); split it",
        HG_TEMPLATE_NODES_MAX);
    return false;
}

struct hg_node *load_node(struct load *load, enum hg_node_kind kind, unsigned line, unsigned column)
{
    struct hg_node *node;

    if (!load_count(load, 1, line, column))
        return NULL;
    node = hg_arena_must(load->arena, sizeof(*node));
    node->kind = kind;
    node->line = line;
    node->column = column;
    return node;
}

bool load_check_depth(struct load *load, unsigned depth, unsigned line, unsigned column)
{
    if (depth <= HG_TEMPLATE_DEPTH_MAX)
        return true;
    problems_add(load->problems, line, column, "values are nested more than %d deep",
                 HG_TEMPLATE_DEPTH_MAX);
    return false;
}

void load_keys_init(struct load_keys *keys, struct hg_node *map)
{
    keys->map = map;
    hg_map_init(&keys->index);
}

void load_keys_fini(struct load_keys *keys)
{
    hg_map_fini(&keys->index);
}

struct hg_node_member *load_keys_find(struct load_keys *keys, struct hg_str key)
{
    struct hg_node *map = keys->map;
    uintptr_t number;

    if (map->count <= SMALL_MAP) {
        for (size_t i = 0; i < map->count; i++)
            if (hg_str_eq(map->members[i].key, key))
                return &map->members[i];
        return NULL;
    }
    for (size_t i = keys->index.count; i < map->count; i++)
        (void)hg_map_set(&keys->index, map->members[i].key, (void *)(uintptr_t)(i + 1));
    number = (uintptr_t)hg_map_get(&keys->index, key);
    return number ? &map->members[number - 1] : NULL;
}

void load_keys_add(struct load *load, struct load_keys *keys, const struct hg_node_member *member)
{
    const struct hg_node_member *first = load_keys_find(keys, member->key);

    if (first)
        problems_add(load->problems, member->line, member->column,
                     "the key '%.*s' stands twice in this map, first in line %u; remove one",
                     HG_STR_ARG(member->key), first->line);
    else
        node_append(load->arena, keys->map, member);
}

/* Whether a text that starts with a bracket was meant as JSON. */
static bool looks_like_json(struct hg_str body)
{
    body = hg_str_trim_ws(hg_str_skip(body, 1));
    return body.n && strchr("\"{[]}", body.p[0]) != NULL;
}

struct hg_node *node_parse(struct hg_arena *arena, struct hg_str bytes,
                           struct hg_problems *problems)
{
    struct load load = {.arena = arena, .problems = problems};
    size_t before = problems->count;
    struct hg_node *node = NULL;
    struct hg_str body;

    if (bytes.n > HG_TEMPLATE_BYTES_MAX) {
        problems_add(problems, 0, 0, "the document is larger than %d bytes", HG_TEMPLATE_BYTES_MAX);
        return NULL;
    }
    if (hg_str_starts(bytes, HG_STR("\xef\xbb\xbf")))
        bytes = hg_str_skip(bytes, 3);
    body = hg_str_trim_ws(bytes);
    if (!body.n) {
        problems_add(problems, 1, 1, "the document is empty");
        return NULL;
    }
    if (body.p[0] == '{' || body.p[0] == '[') {
        struct hg_json_fault fault;
        struct hg_json_value document = hg_json_parse(bytes, &fault);

        if (document.kind != HG_JSON_BAD) {
            node = load_json(&load, bytes, document);
        } else {
            /* It may be a flow map or list of YAML. */
            struct hg_problems yaml_problems = {0};

            load.problems = &yaml_problems;
            node = load_yaml(&load, bytes);
            if (yaml_problems.count && looks_like_json(body))
                problems_add(problems, fault.line, fault.column, "not valid JSON: %s", fault.text);
            else
                for (size_t i = 0; i < yaml_problems.count; i++)
                    problems_add(problems, yaml_problems.items[i].line,
                                 yaml_problems.items[i].column, "%s", yaml_problems.items[i].text);
            problems_fini(&yaml_problems);
        }
    } else {
        node = load_yaml(&load, bytes);
    }
    return problems->count == before ? node : NULL;
}

static bool read_all(int fd, char *bytes, size_t size)
{
    while (size) {
        ssize_t got = read(fd, bytes, size);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        bytes += got;
        size -= (size_t)got;
    }
    return true;
}

struct hg_node *node_load(struct hg_arena *arena, const char *path, struct hg_problems *problems)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct hg_node *node = NULL;
    struct stat st;
    char *bytes;

    if (fd < 0) {
        problems_add(problems, 0, 0, "cannot open %s: %s", path, strerror(errno));
        return NULL;
    }
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        problems_add(problems, 0, 0, "%s is not a file", path);
    } else if (st.st_size > HG_TEMPLATE_BYTES_MAX) {
        problems_add(problems, 0, 0, "%s is larger than %d bytes", path, HG_TEMPLATE_BYTES_MAX);
    } else {
        bytes = hg_malloc((size_t)st.st_size + 1);
        if (read_all(fd, bytes, (size_t)st.st_size))
            node = node_parse(arena, hg_str_n(bytes, (size_t)st.st_size), problems);
        else
            problems_add(problems, 0, 0, "cannot read %s", path);
        free(bytes);
    }
    (void)close(fd);
    return node;
}
