/*
 * Clocks and their text forms. Names of days and months are fixed: no locale.
 */
#include "core/clock.h"

#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

int64_t hg_wall_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t hg_mono_us(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t hg_boot_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_BOOTTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Wall clock minus boot clock, fixed at the first look. */
static _Atomic int64_t steady_offset_ms;

void hg_steady_set(int64_t now_ms)
{
    atomic_store(&steady_offset_ms, now_ms - hg_boot_ms());
}

int64_t hg_steady_ms(void)
{
    int64_t offset = atomic_load_explicit(&steady_offset_ms, memory_order_relaxed);

    if (hg_unlikely(!offset)) {
        int64_t fresh = hg_wall_ms() - hg_boot_ms();

        if (atomic_compare_exchange_strong(&steady_offset_ms, &offset, fresh))
            offset = fresh;
    }
    return offset + hg_boot_ms();
}

static struct tm parts_of(int64_t wall_ms)
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm parts;

    (void)gmtime_r(&seconds, &parts);
    return parts;
}

static char *iso_with(int64_t wall_ms, const char *zone, char out[HG_TIME_TEXT_MAX])
{
    struct tm t = parts_of(wall_ms);

    (void)snprintf(out, HG_TIME_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:%02d.%03d%s",
                   (t.tm_year + 1900) % 10000, t.tm_mon + 1, t.tm_mday, t.tm_hour, t.tm_min,
                   t.tm_sec, (int)(wall_ms % 1000), zone);
    return out;
}

char *hg_time_iso(int64_t wall_ms, char out[HG_TIME_TEXT_MAX])
{
    return iso_with(wall_ms, "Z", out);
}

char *hg_time_lambda(int64_t wall_ms, char out[HG_TIME_TEXT_MAX])
{
    return iso_with(wall_ms, "+0000", out);
}

char *hg_time_clf(int64_t wall_ms, char out[HG_TIME_TEXT_MAX])
{
    struct tm t = parts_of(wall_ms);

    (void)snprintf(out, HG_TIME_TEXT_MAX, "%02d/%s/%04d:%02d:%02d:%02d +0000", t.tm_mday,
                   months[t.tm_mon], (t.tm_year + 1900) % 10000, t.tm_hour, t.tm_min, t.tm_sec);
    return out;
}

char *hg_time_http(int64_t wall_ms, char out[HG_TIME_TEXT_MAX])
{
    struct tm t = parts_of(wall_ms);

    (void)snprintf(out, HG_TIME_TEXT_MAX, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[t.tm_wday],
                   t.tm_mday, months[t.tm_mon], (t.tm_year + 1900) % 10000, t.tm_hour, t.tm_min,
                   t.tm_sec);
    return out;
}
