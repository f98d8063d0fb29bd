#include "core/series.h"

#include "core/clock.h"
#include "core/log.h"

#include <stdlib.h>

enum { MINUTE_MS = 60000 };

struct hg_series {
    struct series_store *store;
    struct hg_loop *loop;
    struct hg_loop_thread *thread;
    struct hg_timer timer;
    struct hg_task clean;
    struct hg_mail load;
};

static int64_t this_minute(void)
{
    return hg_steady_ms() / MINUTE_MS;
}

static void on_timer(struct hg_timer *timer)
{
    struct hg_series *series = hg_container_of(timer, struct hg_series, timer);

    series_store_flush(series->store, this_minute());
    hg_timer_start_ms(&series->timer, HG_SERIES_FLUSH_MS);
}

static void on_clean(struct hg_task *task)
{
    series_store_clean(hg_container_of(task, struct hg_series, clean)->store);
}

static void on_load(struct hg_mail *mail)
{
    struct hg_series *series = hg_container_of(mail, struct hg_series, load);

    series_store_load(series->store);
    hg_loop_defer(series->loop, &series->clean);
}

struct hg_series *series_open(const char *dir, const struct hg_series_options *options,
                              struct hg_error *err)
{
    struct series_store *store =
        series_store_begin(dir, options ? options : &hg_series_options_default, this_minute(), err);
    struct hg_series *series;

    if (!store)
        return NULL;
    series = hg_calloc(1, sizeof(*series));
    series->store = store;
    series->loop = hg_loop_new(0);
    hg_task_init(&series->clean, on_clean);
    hg_timer_init(&series->timer, series->loop, on_timer);
    hg_timer_start_ms(&series->timer, HG_SERIES_FLUSH_MS);
    hg_mailbox_post(&series->loop->mailbox, &series->load, on_load);
    series->thread = hg_loop_thread_start(series->loop, "series");
    return series;
}

void series_close(struct hg_series *series)
{
    if (!series)
        return;
    hg_loop_thread_stop(series->thread);
    hg_timer_stop(&series->timer);
    hg_loop_free(series->loop);
    series_store_close(series->store);
    free(series);
}

static void on_done(struct hg_mail *mail)
{
    struct hg_series_op *op = hg_container_of(mail, struct hg_series_op, mail);

    op->done(op);
}

static void on_op(struct hg_mail *mail)
{
    struct hg_series_op *op = hg_container_of(mail, struct hg_series_op, mail);

    bool has_done = op->done != NULL;

    op->work(op, op->series->store);
    /* Without it work may have freed op. */
    if (has_done)
        hg_mailbox_post(&op->home->mailbox, &op->mail, on_done);
}

void series_submit(struct hg_series *series, struct hg_loop *home, struct hg_series_op *op)
{
    op->series = series;
    op->home = home;
    hg_mailbox_post(&series->loop->mailbox, &op->mail, on_op);
}

static void reset(struct hg_series_op *op, struct series_store *store)
{
    struct hg_error why;

    op->rc = series_store_reset(store, &why);
    if (op->rc != HG_OK)
        hg_error("series_reset", "%s", why.text);
    hg_loop_defer(op->series->loop, &op->series->clean);
}

void series_submit_reset(struct hg_series *series, struct hg_loop *home, struct hg_series_op *op)
{
    op->work = reset;
    series_submit(series, home, op);
}
