/*
 * Time. Wall-clock time is for people and deadlines told to others; durations use the monotonic clock.
 */
#ifndef HG_CORE_CLOCK_H
#define HG_CORE_CLOCK_H

#include "core/base.h"

int64_t hg_wall_ms(void); /* since 1970, UTC */
int64_t hg_mono_us(void); /* since some moment in the past */
/*
 * Wall-clock time at the program's start plus what has passed since, sleep of the machine included: what is stored as
 * due or accepted is in this time, so that a stepped clock neither hurries nor loses anything.
 */
int64_t hg_steady_ms(void);
/* For a store that knows better at start (same boot, clock stepped since): now is this. Before other threads start. */
void hg_steady_set(int64_t now_ms);
/* Since the machine started, its sleep included. */
int64_t hg_boot_ms(void);

enum { HG_TIME_TEXT_MAX = 40 };

/* Each writes at most HG_TIME_TEXT_MAX bytes, terminated, and returns out. */
char *hg_time_iso(int64_t wall_ms, char out[HG_TIME_TEXT_MAX]); /* 2026-01-02T03:04:05.678Z */
char *hg_time_lambda(int64_t wall_ms,
                     char out[HG_TIME_TEXT_MAX]);               /* 2026-01-02T03:04:05.678+0000 */
char *hg_time_clf(int64_t wall_ms, char out[HG_TIME_TEXT_MAX]); /* 02/Jan/2026:03:04:05 +0000 */
char *
hg_time_http(int64_t wall_ms,
             char out[HG_TIME_TEXT_MAX]); /* Fri, 02 Jan 2026 03:04:05 GMT (RFC 9110 §5.6.7) */

#endif
