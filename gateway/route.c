/*
 * Path templates and the table of routes.
 */
#include "gateway/route.h"

/* Who answers at one path, by method; NULL where nobody does. */
struct leaf {
    const void *targets[HG_METHOD_ANY + 1];
};

struct node {
    struct hg_str name;
    struct node **children; /* literal ones, in the order of hg_str_cmp */
    size_t child_count, child_room;
    struct node *param;
    struct hg_str param_name; /* the first that came, for the warning about a second one */
    struct leaf *here, *greedy;
};

struct hg_route_table {
    struct hg_arena *arena;
    enum hg_api_kind kind;
    struct node root;
    struct hg_map literals; /* path without parameters → struct leaf */
};

enum hg_method method_of(struct hg_str text)
{
    static const struct {
        struct hg_str name;
        enum hg_method method;
    } names[] = {
        {{"GET", 3}, HG_METHOD_GET},         {{"POST", 4}, HG_METHOD_POST},
        {{"PUT", 3}, HG_METHOD_PUT},         {{"DELETE", 6}, HG_METHOD_DELETE},
        {{"HEAD", 4}, HG_METHOD_HEAD},       {{"PATCH", 5}, HG_METHOD_PATCH},
        {{"OPTIONS", 7}, HG_METHOD_OPTIONS},
    };

    for (size_t i = 0; i < HG_COUNT(names); i++) {
        if (hg_str_eq(text, names[i].name))
            return names[i].method;
    }
    return HG_METHOD_OTHER;
}

static enum hg_rc parse_segment(struct hg_str text, struct hg_segment *segment,
                                struct hg_error *err)
{
    bool is_greedy;

    if (hg_str_find(text, '{') < 0 && hg_str_find(text, '}') < 0) {
        *segment = (struct hg_segment){HG_SEGMENT_LITERAL, text};
        return HG_OK;
    }
    is_greedy = hg_str_ends(text, HG_STR("+}"));
    if (text.n < (is_greedy ? 4u : 3u) || text.p[0] != '{' || text.p[text.n - 1] != '}')
        return hg_error_set(err, HG_E_INVALID,
                            "path segment '%.*s': a {parameter} must be the whole segment",
                            HG_STR_ARG(text));
    text = hg_str_n(text.p + 1, text.n - (is_greedy ? 3 : 2));
    for (size_t i = 0; i < text.n; i++) {
        if (strchr("{}+", text.p[i]))
            return hg_error_set(err, HG_E_INVALID,
                                "path parameter '%.*s': a name may not hold '%c'", HG_STR_ARG(text),
                                text.p[i]);
    }
    *segment = (struct hg_segment){is_greedy ? HG_SEGMENT_GREEDY : HG_SEGMENT_PARAM, text};
    return HG_OK;
}

enum hg_rc pattern_parse(struct hg_arena *arena, struct hg_str path, struct hg_pattern *pattern,
                         struct hg_error *err)
{
    struct hg_segment segments[HG_PATH_SEGMENTS_MAX];
    struct hg_str rest, part;
    size_t count = 0;

    *pattern = (struct hg_pattern){0};
    if (path.n == 0 || path.p[0] != '/')
        return hg_error_set(err, HG_E_INVALID, "path '%.*s' does not begin with '/'",
                            HG_STR_ARG(path));
    rest = hg_str_skip(path, 1);
    while (hg_str_next(&rest, '/', &part)) {
        struct hg_segment segment = {HG_SEGMENT_LITERAL, part};
        enum hg_rc rc;

        if (count == HG_PATH_SEGMENTS_MAX)
            return hg_error_set(err, HG_E_INVALID, "path has more than %d segments",
                                HG_PATH_SEGMENTS_MAX);
        if (count && segments[count - 1].kind == HG_SEGMENT_GREEDY)
            return hg_error_set(
                err, HG_E_INVALID,
                "Cannot create a child of a resource with a greedy path variable: {%.*s+}",
                HG_STR_ARG(segments[count - 1].text));
        rc = parse_segment(part, &segment, err);
        if (rc != HG_OK)
            return rc;
        pattern->param_count += segment.kind != HG_SEGMENT_LITERAL;
        segments[count++] = segment;
    }
    pattern->segment_count = count;
    pattern->segments = hg_arena_must(arena, (count ? count : 1) * sizeof(*segments));
    if (count)
        memcpy(pattern->segments, segments, count * sizeof(*segments));
    return HG_OK;
}

/* Takes the next segment off *rest; p of *rest becomes NULL behind the last one. */
static struct hg_str take_segment(struct hg_str *rest)
{
    const char *slash = memchr(rest->p, '/', rest->n);
    struct hg_str segment;

    if (!slash) {
        segment = *rest;
        *rest = hg_str_n(NULL, 0);
        return segment;
    }
    segment = hg_str_n(rest->p, (size_t)(slash - rest->p));
    *rest = hg_str_skip(*rest, segment.n + 1);
    return segment;
}

/*
 * The part of a path that is matched: behind the first slash; REST ignores one slash at the end. p
 * is NULL for "/".
 */
static struct hg_str matched_part(enum hg_api_kind kind, struct hg_str path)
{
    if (kind == HG_API_REST && path.n > 1 && path.p[path.n - 1] == '/')
        path.n--;
    return path.n > 1 ? hg_str_skip(path, 1) : hg_str_n(NULL, 0);
}

void pattern_params(const struct hg_pattern *pattern, enum hg_api_kind kind, struct hg_str path,
                    struct hg_param *params)
{
    struct hg_str rest = matched_part(kind, path);

    for (size_t i = 0; i < pattern->segment_count && rest.p; i++) {
        const struct hg_segment *segment = &pattern->segments[i];

        if (segment->kind == HG_SEGMENT_GREEDY) {
            *params = (struct hg_param){segment->text, rest};
            return;
        }
        if (segment->kind == HG_SEGMENT_PARAM)
            *params++ = (struct hg_param){segment->text, take_segment(&rest)};
        else
            (void)take_segment(&rest);
    }
}

static void drop_literals(void *table)
{
    hg_map_fini(&((struct hg_route_table *)table)->literals);
}

struct hg_route_table *route_table_new(struct hg_arena *arena, enum hg_api_kind kind)
{
    struct hg_route_table *table = hg_arena_must(arena, sizeof(*table));

    table->arena = arena;
    table->kind = kind;
    hg_map_init(&table->literals);
    hg_arena_defer(arena, drop_literals, table);
    return table;
}

/* Where name is among the children, or where it belongs. */
static size_t child_place(const struct node *node, struct hg_str name, bool *is_there)
{
    size_t low = 0, high = node->child_count;

    *is_there = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = hg_str_cmp(node->children[middle]->name, name);

        if (order == 0) {
            *is_there = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct node *literal_child(struct hg_route_table *table, struct node *node,
                                  struct hg_str name)
{
    bool is_there;
    size_t place = child_place(node, name, &is_there);

    if (is_there)
        return node->children[place];
    if (node->child_count == node->child_room) {
        size_t room = node->child_room ? 2 * node->child_room : 4;
        struct node **children = hg_arena_must(table->arena, room * sizeof(struct node *));

        if (node->child_count)
            memcpy(children, node->children, node->child_count * sizeof(struct node *));
        node->children = children;
        node->child_room = room;
    }
    memmove(&node->children[place + 1], &node->children[place],
            (node->child_count - place) * sizeof(struct node *));
    node->children[place] = hg_arena_must(table->arena, sizeof(struct node));
    node->children[place]->name = name;
    node->child_count++;
    return node->children[place];
}

static struct node *param_child(struct hg_route_table *table, struct node *node, struct hg_str name,
                                struct hg_error *warning)
{
    if (!node->param) {
        node->param = hg_arena_must(table->arena, sizeof(*node->param));
        node->param_name = name;
    } else if (table->kind == HG_API_REST && !hg_str_eq(node->param_name, name)) {
        (void)hg_error_set(
            warning, HG_OK,
            "A sibling ({%.*s}) of {%.*s} already has a variable path part -- the real service "
            "allows only one",
            HG_STR_ARG(node->param_name), HG_STR_ARG(name));
    }
    return node->param;
}

/* The path of a pattern without parameters, written as requests have it. */
static struct hg_str literal_path(struct hg_arena *arena, const struct hg_pattern *pattern)
{
    size_t length = pattern->segment_count ? 0 : 1;
    char *text, *at;

    for (size_t i = 0; i < pattern->segment_count; i++)
        length += 1 + pattern->segments[i].text.n;
    text = at = hg_arena_must(arena, length);
    *at = '/';
    for (size_t i = 0; i < pattern->segment_count; i++) {
        struct hg_str part = pattern->segments[i].text;

        *at++ = '/';
        memcpy(at, part.p, part.n);
        at += part.n;
    }
    return hg_str_n(text, length);
}

static struct leaf *leaf_of(struct hg_route_table *table, const struct hg_pattern *pattern,
                            struct hg_error *warning)
{
    struct node *node = &table->root;
    struct leaf **place;

    for (size_t i = 0; i < pattern->segment_count; i++) {
        const struct hg_segment *segment = &pattern->segments[i];

        if (segment->kind == HG_SEGMENT_GREEDY)
            break;
        node = segment->kind == HG_SEGMENT_PARAM ? param_child(table, node, segment->text, warning)
                                                 : literal_child(table, node, segment->text);
    }
    if (pattern->segment_count &&
        pattern->segments[pattern->segment_count - 1].kind == HG_SEGMENT_GREEDY)
        place = &node->greedy;
    else
        place = &node->here;
    if (!*place)
        *place = hg_arena_must(table->arena, sizeof(struct leaf));
    return *place;
}

enum hg_rc route_table_add(struct hg_route_table *table, enum hg_method method,
                           const struct hg_pattern *pattern, const void *target,
                           struct hg_error *warning, struct hg_error *err)
{
    struct leaf *leaf;

    if (method > HG_METHOD_ANY)
        return hg_error_set(
            err, HG_E_INVALID,
            "the method must be GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS or ANY");
    leaf = leaf_of(table, pattern, warning);
    if (leaf->targets[method])
        return hg_error_set(err, HG_E_CONFLICT, "another route has the same method and path");
    leaf->targets[method] = target;
    if (pattern->param_count == 0)
        (void)hg_map_set(&table->literals, literal_path(table->arena, pattern), leaf);
    return HG_OK;
}

static const void *pick(const struct leaf *leaf, enum hg_method method)
{
    if (!leaf || method >= HG_METHOD_ANY)
        return NULL;
    return leaf->targets[method] ? leaf->targets[method] : leaf->targets[HG_METHOD_ANY];
}

struct search {
    enum hg_api_kind kind;
    enum hg_method method;
    bool wants_exact, wants_greedy;
};

struct hit {
    const void *target;
    bool ends_in_param; /* the last segment matched a parameter that is not greedy */
    bool ends_in_literal;
};

static struct hit descend(const struct search *search, const struct node *node, struct hg_str rest,
                          unsigned params);

static struct hit exact_hit(const struct search *search, const struct node *node, bool is_param)
{
    struct hit hit = {0};

    if (search->wants_exact)
        hit.target = pick(node->here, search->method);
    hit.ends_in_param = is_param;
    hit.ends_in_literal = !is_param;
    return hit;
}

static struct hit descend_param(const struct search *search, const struct node *node,
                                struct hg_str segment, struct hg_str rest, unsigned params)
{
    if (!node->param || segment.n == 0)
        return (struct hit){0};
    if (!rest.p)
        return exact_hit(search, node->param, true);
    return descend(search, node->param, rest, params + 1);
}

static struct hit descend_literal(const struct search *search, const struct node *node,
                                  struct hg_str segment, struct hg_str rest, unsigned params)
{
    bool is_there;
    size_t place = child_place(node, segment, &is_there);

    if (!is_there)
        return (struct hit){0};
    if (!rest.p)
        return exact_hit(search, node->children[place], false);
    return descend(search, node->children[place], rest, params);
}

/*
 * Best of what is below node for the segments in rest, of which there is at least one. Visits a
 * node at most once, so a search costs no more than the tree is large.
 */
static struct hit descend(const struct search *search, const struct node *node, struct hg_str rest,
                          unsigned params)
{
    struct hg_str whole = rest, segment = take_segment(&rest);
    struct hit best = descend_literal(search, node, segment, rest, params);

    /*
     * Behind a parameter the literal that wins is the one in the last segment: /{a}/{b}/baz
     * before /{a}/bar/{b} (as emulators have it; everywhere else the order from the left
     * decides).
     */
    if (!best.target || (best.ends_in_param && params && search->kind == HG_API_REST)) {
        struct hit other = descend_param(search, node, segment, rest, params);

        if (other.target && (!best.target || other.ends_in_literal))
            best = other;
    }
    if (!best.target && search->wants_greedy && (whole.n || search->kind == HG_API_HTTP))
        best = (struct hit){.target = pick(node->greedy, search->method)};
    return best;
}

const void *route_table_find(const struct hg_route_table *table, enum hg_method method,
                             struct hg_str path)
{
    struct search search = {
        .kind = table->kind, .method = method, .wants_exact = true, .wants_greedy = true};
    struct hg_str rest = matched_part(table->kind, path);
    struct hg_str literal = hg_str_n(path.p, rest.p ? rest.n + 1 : 1);
    struct leaf *leaf;
    const void *target;

    if (path.n == 0 || method >= HG_METHOD_ANY)
        return NULL;
    leaf = hg_map_get(&table->literals, literal);
    target = pick(leaf, method);
    if (target || !rest.p)
        return target;
    if (table->kind == HG_API_REST)
        return descend(&search, &table->root, rest, 0).target;
    /* HTTP APIs: any full match goes before any greedy one. */
    search.wants_greedy = false;
    target = descend(&search, &table->root, rest, 0).target;
    if (target)
        return target;
    search.wants_greedy = true;
    search.wants_exact = false;
    return descend(&search, &table->root, rest, 0).target;
}
