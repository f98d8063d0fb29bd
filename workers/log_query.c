/*
 * Blocks that can hold events of the answer are read in the order of their times; the best so far are in a heap whose root is the
 * one to give up first. It is done when no further block can hold a better one.
 */
#include "workers/log_query.h"

#include "core/clock.h"

#include <stdlib.h>

enum {
    SLICE_US = 20000,      /* then others have their turn */
    PATIENCE_US = 3000000, /* of one page; then what was found is the page */
    EVENT_OVERHEAD = 26,   /* bytes that the service counts for each event */
    MESSAGE_MAX = 4 << 20,
};

static bool is_before(struct hg_log_position a, struct hg_log_position b)
{
    return a.wall_ms != b.wall_ms ? a.wall_ms < b.wall_ms : a.at < b.at;
}

/* Whether a is given up before b. */
static bool is_worse(const struct hg_log_query *query, struct hg_log_position a,
                     struct hg_log_position b)
{
    return query->is_backward ? is_before(a, b) : is_before(b, a);
}

static bool is_full(const struct hg_log_query *query)
{
    return query->count >= query->limit || query->bytes >= query->max_bytes;
}

static void sift_down(struct hg_log_query *query)
{
    struct hg_log_found **heap = query->found;
    size_t at = 0;

    for (;;) {
        size_t child = 2 * at + 1;
        struct hg_log_found *kept = heap[at];

        if (child >= query->count)
            return;
        if (child + 1 < query->count &&
            is_worse(query, heap[child + 1]->position, heap[child]->position))
            child++;
        if (!is_worse(query, heap[child]->position, kept->position))
            return;
        heap[at] = heap[child];
        heap[child] = kept;
        at = child;
    }
}

static void sift_up(struct hg_log_query *query)
{
    struct hg_log_found **heap = query->found;
    size_t at = query->count - 1;

    while (at > 0) {
        size_t parent = (at - 1) / 2;
        struct hg_log_found *moved = heap[at];

        if (!is_worse(query, moved->position, heap[parent]->position))
            return;
        heap[at] = heap[parent];
        heap[parent] = moved;
        at = parent;
    }
}

static size_t size_of(const struct hg_log_found *found)
{
    return found->message_bytes + EVENT_OVERHEAD;
}

static void give_up_worst(struct hg_log_query *query)
{
    struct hg_log_found *worst = query->found[0];

    query->bytes -= size_of(worst);
    query->found[0] = query->found[--query->count];
    sift_down(query);
    free(worst);
    query->has_more = true;
}

static void add(struct hg_log_query *query, struct hg_log_position position,
                const struct hg_log_line *line, struct hg_str message)
{
    struct hg_log_found *found;
    struct hg_buf stream;

    hg_buf_init(&stream, HG_LOG_STREAM_NAME_MAX * 4);
    log_stream_decode(line->stream, &stream);
    found = hg_malloc(sizeof(*found) + stream.len + message.n);
    found->position = position;
    found->ingested_ms = line->ingested_ms;
    found->stream_bytes = (uint32_t)stream.len;
    found->message_bytes = (uint32_t)message.n;
    memcpy(found->text, hg_buf_str(&stream).p, stream.len);
    memcpy(found->text + stream.len, message.p, message.n);
    hg_buf_fini(&stream);
    if (query->count == query->room) {
        query->room = query->room ? 2 * query->room : 64;
        query->found = hg_realloc(query->found, query->room * sizeof(struct hg_log_found *));
    }
    query->found[query->count++] = found;
    query->bytes += size_of(found);
    sift_up(query);
    while (query->count > query->limit || (query->bytes > query->max_bytes && query->count > 1))
        give_up_worst(query);
}

static bool wants_stream(const struct hg_log_query *query, struct hg_str stream, uint64_t at)
{
    const struct hg_log_stream *known;
    bool is_named = query->stream_count == 0;

    for (size_t i = 0; i < query->stream_count && !is_named; i++)
        is_named = hg_str_eq(query->streams[i], stream);
    if (!is_named || !hg_str_starts(stream, query->prefix))
        return false;
    if (!query->hides_some)
        return true;
    known = hg_map_get(&query->reading->streams, stream);
    return !known || at >= known->hidden_before;
}

static void on_line(void *arg, uint64_t at, size_t bytes, const struct hg_log_line *line)
{
    struct hg_log_query *query = arg;
    struct hg_log_position position = {line->wall_ms, at};

    (void)bytes;
    if (line->wall_ms < query->start_ms || line->wall_ms >= query->end_ms ||
        is_before(position, query->cursor) != query->is_backward)
        return;
    if (is_full(query) && is_worse(query, position, query->found[0]->position)) {
        if (!query->has_more && wants_stream(query, line->stream, at))
            query->has_more = true;
        return;
    }
    if (!wants_stream(query, line->stream, at))
        return;
    hg_buf_clear(&query->message, 65536);
    log_line_message(line, &query->message);
    if (query->pattern && !log_pattern_matches(query->pattern, hg_buf_str(&query->message)))
        return;
    add(query, position, line, hg_buf_str(&query->message));
}

static int by_first(const void *a, const void *b)
{
    const struct hg_log_block *left = a, *right = b;

    if (left->first_ms != right->first_ms)
        return left->first_ms < right->first_ms ? -1 : 1;
    return left->at < right->at ? -1 : left->at > right->at;
}

static int by_last_descending(const void *a, const void *b)
{
    const struct hg_log_block *left = a, *right = b;

    if (left->last_ms != right->last_ms)
        return left->last_ms > right->last_ms ? -1 : 1;
    return left->at > right->at ? -1 : left->at < right->at;
}

/* Where lines of the wanted streams can stand. */
static void find_span(const struct hg_log_query *query, const struct hg_log_group *group,
                      uint64_t *from, uint64_t *to)
{
    *from = query->stream_count ? UINT64_MAX : 0;
    *to = query->stream_count ? 0 : UINT64_MAX;
    for (size_t i = 0; i < query->stream_count; i++) {
        const struct hg_log_stream *stream = log_index_stream(group, query->streams[i]);

        if (!stream || !stream->has_events)
            continue;
        *from = HG_MIN(*from, stream->first_at);
        *to = HG_MAX(*to, stream->last_at);
    }
}

static void choose_blocks(struct hg_log_query *query, const struct hg_log_group *group)
{
    uint64_t from, to;

    find_span(query, group, &from, &to);
    query->blocks = hg_malloc((group->block_count + 1) * sizeof(query->blocks[0]));
    for (size_t i = 0; i < group->block_count; i++) {
        const struct hg_log_block *block = &group->blocks[i];
        bool is_past = query->is_backward ? block->first_ms > query->cursor.wall_ms
                                          : block->last_ms < query->cursor.wall_ms;

        if (!is_past && block->last_ms >= query->start_ms && block->first_ms < query->end_ms &&
            block->at <= to && block->at + block->bytes > from)
            query->blocks[query->block_count++] = *block;
    }
    if (query->block_count)
        qsort(query->blocks, query->block_count, sizeof(query->blocks[0]),
              query->is_backward ? by_last_descending : by_first);
}

static bool is_beyond(const struct hg_log_query *query, const struct hg_log_block *block)
{
    int64_t worst_ms;

    if (!is_full(query))
        return false;
    worst_ms = query->found[0]->position.wall_ms;
    return query->is_backward ? block->last_ms < worst_ms : block->first_ms > worst_ms;
}

/* What is certain by now: all on this side of the times of the blocks that were not read. */
static bool end_early(struct hg_log_query *query)
{
    const struct hg_log_block *block = &query->blocks[query->block_at];
    struct hg_log_position frontier = {block->first_ms, 0};

    if (query->is_backward)
        frontier.wall_ms = block->last_ms + 1;
    /* Without any progress the next call would end here again. */
    if (frontier.wall_ms == query->cursor.wall_ms ||
        is_before(frontier, query->cursor) != query->is_backward)
        return false;
    while (query->count && is_worse(query, query->found[0]->position, frontier))
        give_up_worst(query);
    query->has_more = true;
    query->next = frontier;
    return true;
}

static int by_position(const void *a, const void *b)
{
    const struct hg_log_found *const *left = a, *const *right = b;

    if (is_before((*left)->position, (*right)->position))
        return -1;
    return is_before((*right)->position, (*left)->position);
}

static bool finish(struct hg_log_query *query, bool is_early)
{
    if (query->count)
        qsort(query->found, query->count, sizeof(struct hg_log_found *), by_position);
    if (!query->has_more || is_early || !query->count)
        return true;
    query->next = query->found[query->is_backward ? 0 : query->count - 1]->position;
    if (!query->is_backward)
        query->next.at++;
    return true;
}

static void begin(struct hg_log_query *query, const struct hg_log_group *group)
{
    int64_t oldest_ms = log_group_oldest_ms(group, hg_wall_ms());

    query->is_begun = true;
    query->group_id = group->id;
    query->start_ms = HG_MAX(query->start_ms, oldest_ms);
    query->since_us = hg_mono_us();
    hg_buf_init(&query->message, MESSAGE_MAX);
    choose_blocks(query, group);
}

bool log_query_work(struct hg_log_query *query, struct hg_log_store *store)
{
    struct hg_log_group *group = log_store_find(store, query->group);
    int64_t began_us = hg_mono_us(), now_us = began_us;

    /* Deleted meanwhile, or made again. */
    if (!group || (query->is_begun && group->id != query->group_id))
        return finish(query, false);
    if (!log_store_index(store, group))
        return false;
    if (!query->is_begun)
        begin(query, group);
    query->reading = group;
    query->hides_some = group->hidden_count > 0;
    for (; query->block_at < query->block_count; query->block_at++) {
        const struct hg_log_block *block = &query->blocks[query->block_at];
        uint64_t at = block->at;

        if (is_beyond(query, block)) {
            query->has_more = true;
            break;
        }
        if (now_us - query->since_us > PATIENCE_US && end_early(query))
            return finish(query, true);
        if (now_us - began_us > SLICE_US)
            return false;
        log_group_scan(group, &at, block->at + block->bytes, block->bytes, on_line, query);
        now_us = hg_mono_us();
    }
    return finish(query, false);
}

void log_query_fini(struct hg_log_query *query)
{
    for (size_t i = 0; i < query->count; i++)
        free(query->found[i]);
    free(query->found);
    free(query->blocks);
    hg_buf_fini(&query->message);
}
