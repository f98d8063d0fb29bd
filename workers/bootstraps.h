/*
 * The bootstraps of the managed runtimes, written out of the program into the data directory.
 */
#ifndef HG_WORKERS_BOOTSTRAPS_H
#define HG_WORKERS_BOOTSTRAPS_H

#include "core/embedded.h"
#include "core/error.h"
#include "workers/files.h"

extern const struct hg_embedded embedded_runtimes[];

/* Where they are or will be: <data_dir>/runtimes/<hash of their content>. */
void bootstraps_path(const char *data_dir, char out[HG_PATH_MAX]);
/* Writes them unless they are there. Blocks. */
enum hg_rc bootstraps_write(const char *data_dir, struct hg_error *err) hg_must_use;

#endif
