/*
 * Two buffers per loop: one is filled while the helper writes the other. A
 * reader of standard output that stalls holds up the helper, not a loop;
 * beyond a bound lines are then dropped and counted.
 */
#include "gateway/access_log.h"

#include "core/log.h"
#include "core/offload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    FLUSH_BYTES = 64 * 1024,
    FLUSH_DELAY_MS =
        20, /* a person does not notice, and one wake-up of the helper then serves many requests */
    HELD_MAX_BYTES = 1 << 20,
    LOG_FILE_MODE = 0640,
};

struct writer {
    struct hg_access_sink *log;
    struct hg_loop *loop;
    struct hg_buf filling, writing;
    struct hg_timer timer;
    struct hg_job job;
    bool is_writing;
    bool is_orphan; /* the log is gone: the job's last mail frees the writer */
    uint64_t dropped;
};

struct hg_access_sink {
    struct hg_offload *offload;
    struct writer **writers; /* by index of the loop; the last one is the control loop's */
    size_t count;
    int fd;
    bool owns_fd;
};

static void write_all(int fd, struct hg_buf *buf)
{
    while (buf->len) {
        struct hg_str left = hg_buf_str(buf);
        ssize_t wrote = write(fd, left.p, left.n);

        if (wrote < 0 && errno == EINTR)
            continue;
        /* Nobody is left to read it, or the disk is full: requests go on without their lines. */
        if (wrote <= 0)
            break;
        hg_buf_consume(buf, (size_t)wrote);
    }
    hg_buf_clear(buf, 2 * FLUSH_BYTES);
}

static void write_job(struct hg_job *job)
{
    struct writer *writer = hg_container_of(job, struct writer, job);

    write_all(writer->log->fd, &writer->writing);
}

static void free_writer(struct writer *writer)
{
    hg_buf_fini(&writer->filling);
    hg_buf_fini(&writer->writing);
    free(writer);
}

static void flush(struct writer *writer)
{
    struct hg_buf empty = writer->writing;

    if (writer->is_writing || !writer->filling.len)
        return;
    writer->writing = writer->filling;
    writer->filling = empty;
    writer->is_writing = true;
    hg_offload_submit(writer->log->offload, writer->loop, &writer->job);
}

static void on_written(struct hg_job *job)
{
    struct writer *writer = hg_container_of(job, struct writer, job);

    if (writer->is_orphan) {
        free_writer(writer);
        return;
    }
    writer->is_writing = false;
    if (writer->dropped) {
        hg_warn("access_log_slow", "dropped_lines=%llu", (unsigned long long)writer->dropped);
        writer->dropped = 0;
    }
    if (writer->filling.len >= FLUSH_BYTES)
        flush(writer);
    else if (writer->filling.len)
        hg_timer_start_ms(&writer->timer, FLUSH_DELAY_MS);
}

static void on_flush_time(struct hg_timer *timer)
{
    flush(hg_container_of(timer, struct writer, timer));
}

static struct writer *writer_new(struct hg_access_sink *log, struct hg_loop *loop)
{
    struct writer *writer = hg_calloc(1, sizeof(*writer));

    writer->log = log;
    writer->loop = loop;
    writer->job.work = write_job;
    writer->job.done = on_written;
    hg_buf_init(&writer->filling, HELD_MAX_BYTES);
    hg_buf_init(&writer->writing, HELD_MAX_BYTES);
    hg_timer_init(&writer->timer, loop, on_flush_time);
    return writer;
}

struct hg_access_sink *access_log_new(struct hg_loops *loops,
                                      const struct hg_gateway_options *options,
                                      struct hg_error *err)
{
    struct hg_access_sink *log = hg_calloc(1, sizeof(*log));

    log->fd = STDOUT_FILENO;
    if (options->access_log == HG_ACCESS_LOG_FILE) {
        log->fd = open(options->access_log_file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
                       LOG_FILE_MODE);
        log->owns_fd = true;
    }
    if (log->fd < 0) {
        (void)hg_error_set(err, HG_E_IO, "access log %s: %s; name a file that can be written to",
                           options->access_log_file, strerror(errno));
        free(log);
        return NULL;
    }
    log->offload = hg_offload_new("access-log", 1);
    log->count = (size_t)loops->count + 1;
    log->writers = hg_calloc(log->count, sizeof(struct writer *));
    for (size_t i = 0; i < log->count; i++)
        log->writers[i] = writer_new(log, i < loops->count ? loops->loops[i] : loops->control);
    return log;
}

void access_log_add(struct hg_access_sink *log, struct hg_context *ctx)
{
    struct writer *writer = log->writers[ctx->req->loop->index];
    struct hg_buf line;

    if (writer->filling.len > HELD_MAX_BYTES - HG_ACCESS_LINE_MAX - 1) {
        writer->dropped++;
        return;
    }
    /* Written in place, as if the line had a buffer of its own. */
    line = (struct hg_buf){.max = HG_ACCESS_LINE_MAX};
    if (!hg_buf_reserve(&writer->filling, HG_ACCESS_LINE_MAX + 1))
        return;
    line.base = writer->filling.base + writer->filling.off + writer->filling.len;
    line.cap = HG_ACCESS_LINE_MAX;
    access_line_write(ctx, &line);
    if (line.is_overflown)
        line.base[line.len++] = '\n';
    hg_buf_commit(&writer->filling, line.len);
    if (writer->filling.len >= FLUSH_BYTES)
        flush(writer);
    else if (!writer->is_writing && !hg_timer_is_running(&writer->timer))
        hg_timer_start_ms(&writer->timer, FLUSH_DELAY_MS);
}

void access_log_free(struct hg_access_sink *log)
{
    if (!log)
        return;
    for (size_t i = 0; i < log->count; i++)
        hg_timer_stop(&log->writers[i]->timer);
    hg_offload_free(log->offload);
    for (size_t i = 0; i < log->count; i++) {
        struct writer *writer = log->writers[i];

        write_all(log->fd, &writer->filling);
        /* Its job's mail may still be on the way to the loop. */
        if (writer->is_writing)
            writer->is_orphan = true;
        else
            free_writer(writer);
    }
    if (log->owns_fd)
        (void)close(log->fd);
    free(log->writers);
    free(log);
}
