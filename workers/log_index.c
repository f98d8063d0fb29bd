/*
 * The index of a group: which times its blocks of lines hold, and its streams. It grows with what is read and can be dropped at any
 * time; only streams.log tells more than the lines.
 */
#include "workers/log_group.h"

#include "workers/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    BLOCK_BYTES = 65536,
    STREAM_LINES_MAX = 8 << 20, /* bytes of streams.log that are read */
    IDLE_LINES = 256,           /* so many lines too many are no reason to write it anew */
};

static struct hg_log_stream *add_stream(struct hg_log_group *group, struct hg_str name)
{
    struct hg_log_stream *stream = hg_map_get(&group->streams, name);

    if (stream)
        return stream;
    stream = hg_calloc(1, sizeof(*stream) + name.n + 1);
    memcpy(stream->text, name.p, name.n);
    stream->name = hg_str_n(stream->text, name.n);
    (void)hg_map_set(&group->streams, stream->name, stream);
    return stream;
}

static void remove_stream(struct hg_log_group *group, struct hg_log_stream *stream)
{
    (void)hg_map_remove(&group->streams, stream->name);
    free(stream);
}

static void set_made(struct hg_log_group *group, struct hg_log_stream *stream, bool is_made)
{
    if (stream->is_made != is_made)
        group->made_count += is_made ? 1 : (size_t)-1;
    stream->is_made = is_made;
}

static void set_hidden(struct hg_log_group *group, struct hg_log_stream *stream, uint64_t before)
{
    if ((stream->hidden_before != 0) != (before != 0))
        group->hidden_count += before ? 1 : (size_t)-1;
    stream->hidden_before = before;
    stream->has_events = stream->has_events && stream->last_at >= before;
}

/* "+<created_ms> <stream>" was made, "-<position> <stream>" was deleted when the log had come so far. */
static void take_change(struct hg_log_group *group, struct hg_str line)
{
    ptrdiff_t blank = hg_str_find(line, ' ');
    struct hg_log_stream *stream;
    struct hg_str name;
    uint64_t number;

    if (blank < 2 || (line.p[0] != '+' && line.p[0] != '-') ||
        !hg_str_u64(hg_str_n(line.p + 1, (size_t)blank - 1), INT64_MAX, &number))
        return;
    name = hg_str_skip(line, (size_t)blank + 1);
    if (name.n == 0 || hg_str_find(name, ' ') >= 0)
        return;
    stream = add_stream(group, name);
    set_made(group, stream, line.p[0] == '+');
    if (line.p[0] == '+')
        stream->created_ms = (int64_t)number;
    else
        set_hidden(group, stream, number);
}

static int append_change(struct hg_log_group *group, char sign, uint64_t number, struct hg_str name)
{
    char path[HG_PATH_MAX + 32];
    struct hg_buf line;
    int fd, rc = -1;

    (void)files_path(path, sizeof(path), "%s/streams.log", group->dir);
    fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0 && errno == ENOENT && log_group_make(group) == 0)
        fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0)
        return -1;
    hg_buf_init(&line, HG_LOG_STREAM_NAME_MAX * 3 + 64);
    hg_buf_printf(&line, "%c%llu ", sign, (unsigned long long)number);
    hg_buf_append_str(&line, name);
    hg_buf_append_byte(&line, '\n');
    if (write(fd, hg_buf_str(&line).p, line.len) == (ssize_t)line.len)
        rc = 0;
    hg_buf_fini(&line);
    return close(fd) == 0 ? rc : -1;
}

/* With the lines that still say something. */
static void rewrite_changes(const struct hg_log_group *group)
{
    char path[HG_PATH_MAX + 32], next[HG_PATH_MAX + 32];
    const struct hg_map_entry *entry;
    struct hg_buf text;

    hg_buf_init(&text, STREAM_LINES_MAX);
    for (size_t at = 0; (entry = hg_map_next(&group->streams, &at));) {
        const struct hg_log_stream *stream = entry->value;

        if (stream->hidden_before)
            hg_buf_printf(&text, "-%llu %.*s\n", (unsigned long long)stream->hidden_before,
                          HG_STR_ARG(stream->name));
        if (stream->is_made)
            hg_buf_printf(&text, "+%lld %.*s\n", (long long)stream->created_ms,
                          HG_STR_ARG(stream->name));
    }
    (void)files_path(path, sizeof(path), "%s/streams.log", group->dir);
    (void)files_path(next, sizeof(next), "%s/streams.next", group->dir);
    if (!text.is_overflown && files_write(next, hg_buf_str(&text).p, text.len, 0600) == 0)
        (void)rename(next, path);
    hg_buf_fini(&text);
}

static void read_changes(struct hg_log_group *group)
{
    char path[HG_PATH_MAX + 32], *text;
    struct hg_str rest, line;
    size_t lines = 0;
    struct stat st;
    ssize_t length = 0;
    int fd;

    (void)files_path(path, sizeof(path), "%s/streams.log", group->dir);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    text = hg_malloc(STREAM_LINES_MAX);
    if (fstat(fd, &st) == 0)
        length = pread(fd, text, STREAM_LINES_MAX, 0);
    (void)close(fd);
    rest = hg_str_n(text, length > 0 ? (size_t)length : 0);
    for (; hg_str_next(&rest, '\n', &line); lines++)
        take_change(group, line);
    free(text);
    if (lines > IDLE_LINES + 2 * (group->made_count + group->hidden_count))
        rewrite_changes(group);
}

static void note_block(struct hg_log_group *group, uint64_t at, size_t bytes, int64_t wall_ms)
{
    struct hg_log_block *last = group->block_count ? &group->blocks[group->block_count - 1] : NULL;
    bool is_first_of_file = false;

    for (size_t i = 0; i < group->file_count; i++)
        is_first_of_file = is_first_of_file || group->files[i].base == at;
    if (last && last->at + last->bytes == at && last->bytes < BLOCK_BYTES && !is_first_of_file) {
        last->bytes += bytes;
        last->first_ms = HG_MIN(last->first_ms, wall_ms);
        last->last_ms = HG_MAX(last->last_ms, wall_ms);
        return;
    }
    if (group->block_count == group->block_room) {
        group->block_room = group->block_room ? 2 * group->block_room : 16;
        group->blocks = hg_realloc(group->blocks, group->block_room * sizeof(group->blocks[0]));
    }
    hg_assert(group->blocks);
    group->blocks[group->block_count++] = (struct hg_log_block){at, bytes, wall_ms, wall_ms};
}

static void on_line(void *arg, uint64_t at, size_t bytes, const struct hg_log_line *line)
{
    struct hg_log_group *group = arg;
    struct hg_log_stream *stream = add_stream(group, line->stream);

    note_block(group, at, bytes, line->wall_ms);
    if (at < stream->hidden_before)
        return;
    if (!stream->has_events) {
        stream->has_events = true;
        stream->first_ms = stream->last_ms = line->wall_ms;
        stream->first_at = at;
        if (!stream->is_made)
            stream->created_ms = line->wall_ms;
    }
    stream->first_ms = HG_MIN(stream->first_ms, line->wall_ms);
    stream->last_ms = HG_MAX(stream->last_ms, line->wall_ms);
    stream->last_ingested_ms = HG_MAX(stream->last_ingested_ms, line->ingested_ms);
    stream->last_at = at;
}

bool log_index_update(struct hg_log_group *group, size_t *budget)
{
    uint64_t end = log_group_end(group), from;

    if (!group->has_index) {
        group->has_index = true;
        group->indexed_to = group->file_count ? group->files[0].base : 0;
        read_changes(group);
    }
    from = group->indexed_to;
    log_group_scan(group, &group->indexed_to, end, *budget, on_line, group);
    *budget -= (size_t)HG_MIN((uint64_t)*budget, group->indexed_to - from);
    return group->indexed_to >= end;
}

void log_index_drop(struct hg_log_group *group)
{
    const struct hg_map_entry *entry;

    for (size_t at = 0; (entry = hg_map_next(&group->streams, &at));)
        free(entry->value);
    hg_map_fini(&group->streams);
    free(group->blocks);
    group->blocks = NULL;
    group->block_count = group->block_room = 0;
    group->made_count = group->hidden_count = 0;
    group->has_index = false;
}

/* Streams whose last line is gone, and which nobody made by hand, are gone too. */
static void trim_streams(struct hg_log_group *group, uint64_t from)
{
    struct hg_log_stream **all =
        hg_malloc((group->streams.count + 1) * sizeof(struct hg_log_stream *));
    const struct hg_map_entry *entry;
    size_t count = 0;

    for (size_t at = 0; (entry = hg_map_next(&group->streams, &at));)
        all[count++] = entry->value;
    for (size_t i = 0; i < count; i++) {
        struct hg_log_stream *stream = all[i];

        if (stream->has_events && stream->last_at < from)
            stream->has_events = false;
        if (stream->hidden_before && stream->hidden_before <= from)
            set_hidden(group, stream, 0);
        if (!log_stream_exists(stream) && !stream->hidden_before)
            remove_stream(group, stream);
    }
    free(all);
}

void log_index_trim(struct hg_log_group *group)
{
    uint64_t from = group->file_count ? group->files[0].base : 0;
    size_t gone = 0;

    if (!group->has_index)
        return;
    while (gone < group->block_count && group->blocks[gone].at < from)
        gone++;
    if (gone == 0)
        return;
    group->block_count -= gone;
    memmove(group->blocks, group->blocks + gone, group->block_count * sizeof(group->blocks[0]));
    group->indexed_to = HG_MAX(group->indexed_to, from);
    trim_streams(group, from);
}

size_t log_index_cost(const struct hg_log_group *group)
{
    return group->streams.count * (sizeof(struct hg_log_stream) + 96) +
           group->block_room * sizeof(struct hg_log_block);
}

struct hg_log_stream *log_index_stream(const struct hg_log_group *group, struct hg_str name)
{
    struct hg_log_stream *stream = hg_map_get(&group->streams, name);

    return log_stream_exists(stream) ? stream : NULL;
}

int log_index_make_stream(struct hg_log_group *group, struct hg_str name, int64_t now_ms)
{
    struct hg_log_stream *stream;

    if (append_change(group, '+', (uint64_t)now_ms, name) != 0)
        return -1;
    stream = add_stream(group, name);
    set_made(group, stream, true);
    stream->created_ms = now_ms;
    return 0;
}

int log_index_delete_stream(struct hg_log_group *group, struct hg_str name)
{
    struct hg_log_stream *stream = hg_map_get(&group->streams, name);
    uint64_t end = log_group_end(group);

    if (append_change(group, '-', end, name) != 0)
        return -1;
    set_made(group, stream, false);
    set_hidden(group, stream, end);
    stream->has_events = false;
    stream->last_ingested_ms = 0;
    if (!stream->hidden_before)
        remove_stream(group, stream);
    return 0;
}
