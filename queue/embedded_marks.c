/*
 * Which events are leased, in a file mapped into memory: writing there costs
 * nothing, and a killed process leaves it as it was. Only for counting: an
 * event that was leased when the process died had a delivery that came to no
 * end. What the file says is believed of living events alone.
 */
#include "queue/embedded.h"

#include "core/log.h"

#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* More leases than slots go unmarked. Mark 0 is none. */
enum { SLOTS = 65536, SLOT_BYTES = EMBEDDED_ID_BYTES };

struct embedded_marks {
    unsigned char *slots;
    uint32_t *free;
    size_t free_count;
};

struct embedded_marks *embedded_marks_open(const char *folder)
{
    struct embedded_marks *marks = hg_calloc(1, sizeof(*marks));
    void *base = MAP_FAILED;
    char path[4096];
    int fd;

    (void)snprintf(path, sizeof(path), "%s/leases", folder);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    /* Every block is there from the start: a full disk must not meet a write through memory. */
    if (fd >= 0 && posix_fallocate(fd, 0, (off_t)SLOTS * SLOT_BYTES) == 0)
        base = mmap(NULL, (size_t)SLOTS * SLOT_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (fd >= 0)
        (void)close(fd);
    if (base == MAP_FAILED) {
        hg_warn("queue_leases_unmarked", "file=%s redeliveries will not be counted", path);
        return marks;
    }
    marks->slots = base;
    marks->free = hg_malloc(SLOTS * sizeof(*marks->free));
    return marks;
}

void embedded_marks_close(struct embedded_marks *marks)
{
    if (!marks)
        return;
    if (marks->slots)
        (void)munmap(marks->slots, (size_t)SLOTS * SLOT_BYTES);
    free(marks->free);
    free(marks);
}

size_t embedded_mark(struct embedded_marks *marks, const unsigned char id[EMBEDDED_ID_BYTES])
{
    size_t mark;

    if (!marks->free_count)
        return 0;
    mark = marks->free[--marks->free_count];
    memcpy(marks->slots + (mark - 1) * SLOT_BYTES, id, SLOT_BYTES);
    return mark;
}

void embedded_unmark(struct embedded_marks *marks, size_t mark)
{
    if (!mark)
        return;
    memset(marks->slots + (mark - 1) * SLOT_BYTES, 0, SLOT_BYTES);
    marks->free[marks->free_count++] = (uint32_t)mark;
}

static int count_delivery(struct embedded *e, const unsigned char *id)
{
    struct embedded_head head;
    struct hg_event *event;
    char text[HG_UUID_LEN + 1];
    uint64_t seq;
    int err;

    embedded_id_text(id, text);
    err = embedded_find_seq(e, text, &seq);
    if (!err)
        err = embedded_load_event(e, seq, false, &event, &head, NULL);
    if (err)
        return err == MDB_NOTFOUND ? 0 : err;
    if (event && (event->state == HG_EVENT_QUEUED || event->state == HG_EVENT_RETRYING)) {
        event->deliveries++;
        err = embedded_rewrite_event(e, seq, &head, event, false);
        (void)atomic_fetch_add(&e->queue->gauges.redelivered, 1);
    }
    hg_event_free(event);
    return err;
}

int embedded_marks_recover(struct embedded *e)
{
    static const unsigned char none[SLOT_BYTES];
    struct embedded_marks *marks = e->marks;
    int err = 0;

    if (!marks->slots)
        return 0;
    marks->free_count = 0;
    for (size_t i = SLOTS; i > 0; i--) {
        unsigned char *slot = marks->slots + (i - 1) * SLOT_BYTES;

        if (!err && memcmp(slot, none, SLOT_BYTES) != 0)
            err = count_delivery(e, slot);
        marks->free[marks->free_count++] = (uint32_t)i;
    }
    return err;
}

void embedded_marks_clear(struct embedded_marks *marks)
{
    if (marks->slots)
        memset(marks->slots, 0, (size_t)SLOTS * SLOT_BYTES);
}
