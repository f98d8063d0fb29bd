/*
 * Dies on request, in builds for tests only.
 */
#include "core/crash_point.h"

#ifdef HG_CRASH_POINTS

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static const char *wanted; /* NULL: none */
static size_t wanted_length;
static _Atomic long left;

static void read_wish(void)
{
    const char *text = getenv("HEADGATE_CRASH_AT");
    const char *colon;

    if (!text || !*text)
        return;
    colon = strchr(text, ':');
    wanted_length = colon ? (size_t)(colon - text) : strlen(text);
    atomic_store(&left, colon ? strtol(colon + 1, NULL, 10) : 1);
    wanted = text;
}

void hg_crash_point(const char *name)
{
    (void)pthread_once(&once, read_wish);
    if (wanted && strlen(name) == wanted_length && memcmp(name, wanted, wanted_length) == 0 &&
        atomic_fetch_sub(&left, 1) == 1)
        (void)raise(SIGKILL);
}

#else
typedef int hg_no_crash_points; /* a file must not be empty */
#endif
