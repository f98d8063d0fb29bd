/*
 * file:///dir/: one file for each record, there whole or not at all. Writing
 * and flushing is done by a helper thread of the destination's own. The
 * directory must exist; nothing in it is ever removed.
 */
#include "router/dest.h"

#include "core/clock.h"
#include "core/json_write.h"
#include "core/offload.h"
#include "core/uri.h"
#include "router/dest_name.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { NAME_MAX_BYTES = 128 };

struct directory {
    char path[PATH_MAX];
    struct hg_offload *writer;
};

/* Owned by the helper until it is done; outlives a cancelled operation. */
struct writing {
    struct hg_job job;
    struct hg_dest_op *op; /* NULL once cancelled */
    struct hg_blob *text;
    char path[PATH_MAX], name[NAME_MAX_BYTES];
    int error; /* errno; 0: the file is there */
};

static bool matches(struct hg_str target)
{
    return hg_str_starts(target, HG_STR("file:"));
}

static enum hg_rc bind_directory(struct hg_dest *dest, const char *target, struct hg_error *err)
{
    struct hg_str rest = hg_str_of(target);
    struct directory *directory;
    struct hg_buf path;

    if (!hg_str_starts(rest, HG_STR("file:///")))
        return hg_error_set(err, HG_E_INVALID, "%s: a directory is given as file:///path/", target);
    if (strpbrk(target, "?#"))
        return hg_error_set(err, HG_E_INVALID,
                            "%s: a directory takes no '?' or '#'; write %%3F or %%23", target);
    hg_buf_init(&path, PATH_MAX - 1);
    hg_uri_decode(&path, hg_str_skip(rest, strlen("file://")));
    if (path.is_overflown || memchr(path.base + path.off, '\0', path.len)) {
        hg_buf_fini(&path);
        return hg_error_set(err, HG_E_INVALID, "%s: no path of this machine", target);
    }
    directory = hg_calloc(1, sizeof(*directory));
    memcpy(directory->path, path.base + path.off, path.len);
    hg_buf_fini(&path);
    directory->writer = hg_offload_new("dest-dir", 1);
    dest->state = directory;
    return HG_OK;
}

static int write_all(int fd, struct hg_str text)
{
    while (text.n) {
        ssize_t wrote = write(fd, text.p, text.n);

        if (wrote < 0 && errno != EINTR)
            return errno;
        if (wrote > 0)
            text = hg_str_skip(text, (size_t)wrote);
    }
    return fsync(fd) == 0 ? 0 : errno;
}

static int write_file(int dir, const char *name, struct hg_str text)
{
    char draft[NAME_MAX_BYTES + 32];
    int fd, error;

    (void)snprintf(draft, sizeof(draft), ".%s.%08x.tmp", name, (unsigned)hg_random_u64());
    fd = openat(dir, draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    if (fd < 0)
        return errno;
    error = write_all(fd, text);
    if (close(fd) != 0 && !error)
        error = errno;
    if (!error && renameat(dir, draft, dir, name) != 0)
        error = errno;
    if (error)
        (void)unlinkat(dir, draft, 0); /* the first error is the one to tell */
    else if (fsync(dir) != 0)
        error = errno;
    return error;
}

static void write_record(struct hg_job *job)
{
    struct writing *writing = hg_container_of(job, struct writing, job);
    int dir = open(writing->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (dir < 0) {
        writing->error = errno;
        return;
    }
    writing->error = write_file(dir, writing->name, hg_blob_str(writing->text));
    (void)close(dir); /* read only: nothing is lost by it */
}

/* Whether the same write will fail until someone mends the directory. */
static bool is_refusal(int error)
{
    return error == ENOENT || error == ENOTDIR || error == EACCES || error == EPERM ||
           error == EROFS || error == ELOOP || error == ENAMETOOLONG;
}

static void on_record_written(struct hg_job *job)
{
    struct writing *writing = hg_container_of(job, struct writing, job);
    struct hg_dest_op *op = writing->op;

    if (op && writing->error)
        dest_refuse(op, HG_E_IO, is_refusal(writing->error), "%s: %s", writing->path,
                    strerror(writing->error));
    else if (op)
        dest_accept(op, "%s", writing->name);
    hg_blob_unref(writing->text);
    free(writing);
}

/* One file holds all of a dead letter: the event as it came and the three attributes of async.md §5. */
static void write_dead_letter(struct hg_buf *out, const struct hg_dest_op *op)
{
    struct hg_json json = hg_json_to(out);

    hg_json_begin_object(&json);
    hg_json_field_cstr(&json, "RequestID", op->event->id);
    hg_json_field_cstr(&json, "ErrorCode", op->error_code);
    hg_json_field_cstr(&json, "ErrorMessage", op->error_message);
    hg_json_key_lit(&json, "event");
    if (op->body.n)
        hg_json_raw(&json, op->body);
    else
        hg_json_null(&json);
    hg_json_end_object(&json);
}

static struct hg_blob *text_of(const struct hg_dest_op *op)
{
    struct hg_buf text;
    struct hg_blob *blob;

    hg_buf_init(&text, op->body.n + sizeof(op->error_message) * 6 + 256);
    if (op->role == HG_TARGET_DEAD_LETTER)
        write_dead_letter(&text, op);
    else
        hg_buf_append_str(&text, op->body);
    hg_buf_append_byte(&text, '\n');
    hg_assert(!text.is_overflown);
    blob = hg_blob_take(&text);
    hg_buf_fini(&text);
    return blob;
}

static void send_file(struct hg_dest *dest, struct hg_dest_op *op)
{
    struct directory *directory = dest->state;
    struct writing *writing = hg_calloc(1, sizeof(*writing));
    char time[HG_TIME_TEXT_MAX];

    writing->job.work = write_record;
    writing->job.done = on_record_written;
    writing->op = op;
    writing->text = text_of(op);
    memcpy(writing->path, directory->path, sizeof(writing->path));
    hg_time_iso(dest_outcome_ms(op->event), time);
    for (char *p = time; *p; p++)
        if (*p == ':')
            *p = '.';
    (void)snprintf(writing->name, sizeof(writing->name), "%s-%s-%s.json", time, op->event->id,
                   dest_condition(op));
    op->state = writing;
    hg_offload_submit(directory->writer, dest->context->loop, &writing->job);
}

static void cancel_file(struct hg_dest *dest, struct hg_dest_op *op)
{
    struct writing *writing = op->state;

    (void)dest;
    writing->op = NULL;
}

static void unbind_directory(struct hg_dest *dest)
{
    struct directory *directory = dest->state;

    hg_offload_free(directory->writer);
    free(directory);
}

const struct hg_dest_ops hg_dest_directory = {
    .type = "directory",
    .matches = matches,
    .bind = bind_directory,
    .send = send_file,
    .cancel = cancel_file,
    .unbind = unbind_directory,
};
