/*
 * Time series with minutes as their finest resolution, kept for 15 days in bounded space: the store of core/series_store.h on a
 * thread of its own, which may wait for the disk. What was added survives the end of the process, however it comes, but for
 * the last HG_SERIES_FLUSH_MS.
 */
#ifndef HG_CORE_SERIES_H
#define HG_CORE_SERIES_H

#include "core/loop.h"
#include "core/series_store.h"

enum { HG_SERIES_FLUSH_MS = 5000 };

struct hg_series;

/* Something to do with the store: embedded by its owner, lent until done (or, where done is NULL, work) has run. */
struct hg_series_op {
    struct hg_mail mail;
    struct hg_series *series;
    struct hg_loop *home;
    void (*work)(struct hg_series_op *op, struct series_store *store); /* on the store's thread */
    void (*done)(struct hg_series_op *op); /* then on home; NULL: work is the end of it */
    enum hg_rc rc;                         /* of series_submit_reset */
};

/* options may be NULL for the defaults. NULL with a sentence when dir cannot be used. Its files are read on the store's
 * thread, before anything that is submitted. */
struct hg_series *series_open(const char *dir, const struct hg_series_options *options,
                              struct hg_error *err);
/* Finishes what was submitted, writes everything; done may still be in the mail of its loop. NULL is allowed. */
void series_close(struct hg_series *series);

/* Any loop's thread; ops of one thread run in the order of submission. */
void series_submit(struct hg_series *series, struct hg_loop *home, struct hg_series_op *op);
/* Forgets everything that was submitted before; op needs no work. Takes milliseconds. */
void series_submit_reset(struct hg_series *series, struct hg_loop *home, struct hg_series_op *op);

#endif
