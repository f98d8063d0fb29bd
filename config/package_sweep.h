/*
 * Removes code that nothing refers to any more from <data_dir>/code, and what
 * a crash left half-made there. At start, before anything new is stored.
 */
#ifndef HG_CONFIG_PACKAGE_SWEEP_H
#define HG_CONFIG_PACKAGE_SWEEP_H

#include "core/map.h"

/* The names in <data_dir>/code that are in use; keys are borrowed. */
struct hg_sweep {
    const char *data_dir; /* absolute */
    struct hg_map used;
};

void sweep_init(struct hg_sweep *sweep, const char *data_dir);
void sweep_fini(struct hg_sweep *sweep);
/* What path names is in use, when it lies in <data_dir>/code; other paths are fine. */
void sweep_keep(struct hg_sweep *sweep, struct hg_str path);
/* Takes the names of all the others away, so that they may be made anew. Quick; returns how many. */
size_t sweep_rename(struct hg_sweep *sweep);
/* Removes what lost its name. Slow; any thread, beside everything else. */
void sweep_remove(const char *data_dir);

#endif
