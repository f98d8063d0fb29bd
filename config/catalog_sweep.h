/*
 * At start: code that a power cut or a hand took away is unpacked again from
 * its archive, and code that nobody refers to any more is removed.
 */
#ifndef HG_CONFIG_CATALOG_SWEEP_H
#define HG_CONFIG_CATALOG_SWEEP_H

#include "config/model.h"
#include "core/offload.h"

/* Blocks. What cannot be unpacked again is said in the log; its functions stay, and their invocations say it too. */
void catalog_heal_code(const struct hg_snapshot *snapshot, const char *data_dir);

struct catalog_cleaner;
/* Removes in the background; the loop, which need not run yet, hears of the end. data_dir outlives it. */
struct catalog_cleaner *
catalog_clean_start(struct hg_loop *loop, const struct hg_snapshot *snapshot, const char *data_dir);
/* Waits for the end; before the loop is freed. */
void catalog_clean_stop(struct catalog_cleaner *cleaner);
/* After the loop was freed. NULL is allowed. */
void catalog_clean_free(struct catalog_cleaner *cleaner);

#endif
