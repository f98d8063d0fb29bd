/*
 * What would be /opt: the layers of a function merged into one folder.
 */
#ifndef HG_WORKERS_LAYERS_H
#define HG_WORKERS_LAYERS_H

#include "core/error.h"
#include "workers/files.h"

/*
 * Merges dirs in order (later ones win) into <data_dir>/layers/<hash>, unless
 * that was done before, and writes its path to out. A single layer is used as
 * it is. Without layers out is "". Blocks.
 */
enum hg_rc layers_merge(const char *data_dir, const struct hg_str *dirs, size_t count,
                        char out[HG_PATH_MAX], struct hg_error *err) hg_must_use;

#endif
