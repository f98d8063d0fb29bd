/*
 * What CloudWatch is told of functions (minute.def): numbers are gathered on the loop where they arise, by function, qualifier and
 * minute, and handed to the store of series each second. Noting one takes no lock and, once a function was noted, no memory.
 */
#ifndef HG_WORKERS_MINUTE_H
#define HG_WORKERS_MINUTE_H

#include "core/series.h"

enum hg_minute_metric {
#define HG_MINUTE(symbol, name, unit, dimensions) HG_MINUTE_##symbol,
#include "workers/minute.def"
#undef HG_MINUTE
    HG_MINUTE_COUNT
};

struct hg_minutes;

/* Opens the store below dir, for numbers that are noted on any of loops. NULL with a sentence. */
struct hg_minutes *minutes_open(struct hg_loops *loops, const char *dir, struct hg_error *err);
/* Loops must be stopped, and still be there. Stores what is left. NULL is allowed. */
void minutes_close(struct hg_minutes *minutes);
struct hg_series *minutes_store(struct hg_minutes *minutes);

/* Whom numbers are about. Borrowed. Longer texts than the service's names are cut. */
struct hg_minute_subject {
    struct hg_str function;
    struct hg_str qualifier;        /* as invoked; "" for none */
    struct hg_str executed_version; /* "" unless a weighted alias was invoked */
};

/* The numbers of one subject and minute on this loop, to add to until the loop turns; NULL when there is no room. */
struct hg_statset *minutes_of(struct hg_minutes *minutes, const struct hg_minute_subject *subject,
                              int64_t at_ms);
/* One number; minutes NULL: nothing is recorded. */
void minutes_note(struct hg_minutes *minutes, enum hg_minute_metric metric,
                  const struct hg_minute_subject *subject, int64_t at_ms, double value);
/* An answered request of a function URL that came at started_us (hg_mono_us). */
void minutes_note_url(struct hg_minutes *minutes, const struct hg_minute_subject *subject,
                      int64_t started_us, int status);
/* Wall-clock time of something that was at that hg_mono_us, which is not long ago. */
int64_t minutes_time_ms(const struct hg_minutes *minutes, int64_t mono_us);

/* Hands over what all loops have gathered, then done on home, before which the store has it. */
void minutes_flush(struct hg_minutes *minutes, struct hg_loop *home, void (*done)(void *arg),
                   void *arg);
/* What was noted before and is not in the store will not get there: for reset, before series_submit_reset. Any thread. */
void minutes_forget(struct hg_minutes *minutes);

#endif
