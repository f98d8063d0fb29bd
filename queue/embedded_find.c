/*
 * Looking: one event whole, or pages of events without their bytes, newest
 * accepted first. A page that must look at many events does so in several
 * turns of the loop.
 */
#include "queue/embedded.h"

#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    LOOKS_A_TURN = 4096,
    DECODES_A_TURN = 256,
    PAGE_MAX = 1000,
    /* Times of acceptance are in order but for moments: after so many old ones no newer one comes. */
    OLD_IN_A_ROW = 10000,
};

struct page {
    struct hg_list link;
    struct hg_find_op *op;
    enum embedded_table table; /* TABLE_HEAD, or TABLE_DEAD where those alone are wanted */
    uint64_t below;            /* events from here on have been looked at */
    unsigned states, max, count, old_in_a_row;
    uint32_t function_hash;
};

static enum hg_event_state state_of(struct embedded *e, uint64_t seq,
                                    const struct embedded_head *head)
{
    return embedded_lease_of(e, seq) ? HG_EVENT_RUNNING : (enum hg_event_state)head->state;
}

static void find_one(struct embedded *e, struct hg_find_op *op)
{
    struct embedded_head head;
    struct hg_event *event = NULL;
    struct hg_error why;
    uint64_t seq;
    int err = MDB_NOTFOUND;

    if (hg_uuid_is_valid(hg_str_of(op->id)))
        err = embedded_find_seq(e, op->id, &seq);
    if (!err)
        err = embedded_load_event(e, seq, true, &event, &head, &why);
    if (err == MDB_NOTFOUND) {
        queue_op_end(&op->base, HG_E_NOT_FOUND, "there is no event with this id");
    } else if (err) {
        queue_op_end(&op->base, HG_E_IO, "the event cannot be read: %s", embedded_error_text(err));
    } else if (!event) {
        queue_op_end(&op->base, HG_E_IO, "%.200s", why.text);
    } else {
        event->state = state_of(e, seq, &head);
        hg_list_push_back(&op->events, &event->link);
        queue_op_end(&op->base, HG_OK, NULL);
    }
}

static void end_page(struct page *page, bool has_more)
{
    struct hg_find_op *op = page->op;

    op->cursor[0] = '\0';
    if (has_more)
        (void)snprintf(op->cursor, sizeof(op->cursor), "%llu", (unsigned long long)page->below);
    hg_list_unlink(&page->link);
    free(page);
    queue_op_end(&op->base, HG_OK, NULL);
}

static bool wants(struct embedded *e, struct page *page, uint64_t seq,
                  const struct embedded_head *head)
{
    const struct hg_find_op *op = page->op;

    if (head->accepted_ms < op->since_ms) {
        page->old_in_a_row++;
        return false;
    }
    page->old_in_a_row = 0;
    if (op->function && head->function_hash != page->function_hash)
        return false;
    return page->states & 1u << state_of(e, seq, head);
}

static bool add(struct embedded *e, struct page *page, uint64_t seq)
{
    struct hg_find_op *op = page->op;
    struct embedded_head head;
    struct hg_event *event;

    /* What cannot be read is reported where it is leased, and by its id. */
    if (embedded_load_event(e, seq, false, &event, &head, NULL) != 0 || !event)
        return false;
    if (op->function && strcmp(event->function, op->function) != 0) {
        hg_event_free(event);
        return false;
    }
    event->state = state_of(e, seq, &head);
    hg_list_push_back(&op->events, &event->link);
    page->count++;
    return true;
}

/* The last row before page->below. */
static int row_before(struct page *page, MDB_cursor *cursor, MDB_val *k, MDB_val *v)
{
    unsigned char key[8];
    int err;

    embedded_put_be64(key, page->below);
    *k = (MDB_val){sizeof(key), key};
    err = mdb_cursor_get(cursor, k, v, MDB_SET_RANGE);
    return mdb_cursor_get(cursor, k, v, err ? MDB_LAST : MDB_PREV);
}

/* Some of the way. False when the page has ended. */
static bool walk(struct embedded *e, struct page *page, MDB_cursor *cursor)
{
    unsigned looks = 0, decodes = 0;
    MDB_val k, v;
    int err = row_before(page, cursor, &k, &v);

    for (; !err; err = mdb_cursor_get(cursor, &k, &v, MDB_PREV)) {
        struct embedded_head head;
        struct hg_str code;
        uint64_t seq;

        if (page->count == page->max || page->old_in_a_row > OLD_IN_A_ROW) {
            end_page(page, page->count == page->max);
            return false;
        }
        if (looks++ == LOOKS_A_TURN || decodes == DECODES_A_TURN)
            return true;
        if (k.mv_size != sizeof(seq))
            break;
        seq = embedded_get_be64(k.mv_data);
        page->below = seq;
        if (embedded_load_head(e, seq, &head, &code) == 0 && wants(e, page, seq, &head))
            decodes += add(e, page, seq);
    }
    end_page(page, false);
    return false;
}

void embedded_finds_continue(struct embedded *e)
{
    HG_LIST_EACH(link, &e->finds)
    {
        struct page *page = hg_container_of(link, struct page, link);
        MDB_cursor *cursor;

        if (!embedded_read(e) || mdb_cursor_open(e->reader, e->tables[page->table], &cursor) != 0) {
            end_page(page, false);
        } else {
            (void)walk(e, page, cursor);
            mdb_cursor_close(cursor);
        }
        embedded_read_end(e);
    }
    if (!hg_list_empty(&e->finds))
        hg_timer_start_us(&e->again, 0);
}

void embedded_find_op(struct embedded *e, struct hg_find_op *op)
{
    struct page *page;
    uint64_t below = UINT64_MAX;

    if (op->id) {
        if (embedded_read(e))
            find_one(e, op);
        else
            queue_op_end(&op->base, HG_E_IO, "the event store cannot be read");
        embedded_read_end(e);
        return;
    }
    if (op->cursor[0] && !hg_str_u64(hg_str_of(op->cursor), UINT64_MAX, &below)) {
        queue_op_end(&op->base, HG_E_INVALID, "the cursor is none that a page gave");
        return;
    }
    page = hg_calloc(1, sizeof(*page));
    page->op = op;
    page->states = op->states ? op->states : UINT32_MAX;
    page->table = page->states == 1u << HG_EVENT_DEAD ? TABLE_DEAD : TABLE_HEAD;
    page->below = below;
    page->max = HG_MIN(HG_MAX(op->max, 1u), (unsigned)PAGE_MAX);
    page->function_hash = op->function ? embedded_function_hash(op->function) : 0;
    hg_list_push_back(&e->finds, &page->link);
    hg_timer_start_us(&e->again, 0);
}

void embedded_finds_end(struct embedded *e)
{
    struct hg_list *link;

    while ((link = hg_list_pop_front(&e->finds))) {
        struct page *page = hg_container_of(link, struct page, link);

        page->op->cursor[0] = '\0';
        queue_op_end(&page->op->base, HG_E_BUSY, "the queue is being closed");
        free(page);
    }
}
