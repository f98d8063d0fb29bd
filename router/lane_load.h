/*
 * Whether the machine's processors have anything to spare.
 */
#ifndef HG_ROUTER_LANE_LOAD_H
#define HG_ROUTER_LANE_LOAD_H

#include "core/str.h"

/* Zeroed before its first use. */
struct hg_load {
    int64_t looked_us;
    uint64_t idle, all; /* ticks of all processors */
    bool is_busy;
};

/* Looks at most five times a second; what it saw last otherwise. Not busy where the system does not say. */
bool load_is_busy(struct hg_load *load);

/* The first line of /proc/stat. False when it is none. */
bool load_parse(struct hg_str text, uint64_t *idle, uint64_t *all);

#endif
