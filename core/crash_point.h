/*
 * Places where a test build can be made to die, as by kill -9: nothing is
 * flushed, nothing is freed. Builds without HG_CRASH_POINTS have none.
 *
 * HEADGATE_CRASH_AT=<name>[:<n>] dies at the n-th time (default 1) that the named point is reached.
 */
#ifndef HG_CORE_CRASH_POINT_H
#define HG_CORE_CRASH_POINT_H

#ifdef HG_CRASH_POINTS
/* Any thread. */
void hg_crash_point(const char *name);
#else
#define hg_crash_point(name) ((void)0)
#endif

#endif
