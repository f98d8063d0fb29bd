/*
 * A function takes at most its share of the environments, and of those that it
 * has in common with others at most so much that something is left for the
 * next one. Below that a few more wait in the pool than are served, which
 * starts environments for them if that is worth it: as many again as there
 * are, while the processors have time; a constant few otherwise, so that
 * work that needs the processors does not end up in a crowd of processes.
 */
#include "router/lane_credit.h"

enum {
    /* One function may hold four times what it leaves to others. */
    GREED = 4,
    SPARE_RUNS = 4,
    QUICK_RUNS = 16, /* what ends and begins while messages are under way */
    QUICK_US =
        5000, /* a run below this is over before a message comes back: some wait in the pool */
    QUICK_SPARE = 8,
    LEASE_US_MAX = 50000,
    HANDLING_US = 5000, /* between a lease and the next look at the lane */
};

static bool is_quick(const struct hg_room *room)
{
    return room->run_us && room->run_us < QUICK_US;
}

static unsigned fair_runs(const struct hg_room *room, double share, unsigned running,
                          unsigned together)
{
    unsigned total = HG_MAX((unsigned)(room->max * share), 1u), free_runs;

    if (room->is_reserved) {
        total += is_quick(room) ? QUICK_SPARE : 0;
        return total > running ? total - running : 0;
    }
    free_runs = total > together ? total - together : 0;
    if (!running)
        return free_runs ? HG_MAX(GREED * free_runs / (GREED + 1), 1u) : 0;
    return GREED * free_runs > running ? (GREED * free_runs - running) / (GREED + 1) : 0;
}

static unsigned grown_runs(const struct hg_room *room, bool is_busy, unsigned running)
{
    unsigned most = room->environments;

    if (room->is_full)
        most = HG_MAX(most + room->starting, 1u) + (is_quick(room) ? QUICK_SPARE : 0);
    else if (is_quick(room))
        most += QUICK_RUNS + room->environments;
    else
        most += is_busy ? SPARE_RUNS : HG_MAX(room->environments, (unsigned)SPARE_RUNS);
    return most > running ? most - running : 0;
}

unsigned credit_runs(const struct hg_room *room, double share, bool is_busy, unsigned running,
                     unsigned together)
{
    /* Those who wait for an answer come first. */
    if (room->queued_ahead)
        return 0;
    return HG_MIN(fair_runs(room, share, running, together), grown_runs(room, is_busy, running));
}

unsigned credit_ahead(double per_second, int64_t lease_us)
{
    double worth_us = (double)(2 * HG_MIN(lease_us, (int64_t)LEASE_US_MAX) + HANDLING_US);

    return (unsigned)HG_MIN(per_second * worth_us / 1e6, (double)HG_AHEAD_MAX);
}
