/*
 * The folder that holds all state: made on first use, locked while a server runs.
 */
#ifndef HG_CLI_DATA_DIR_H
#define HG_CLI_DATA_DIR_H

#include "core/error.h"

struct hg_data_dir {
    char *path; /* absolute */
    int lock_fd;
};

/* Makes the folder (mode 0700) and takes the lock; errors name the folder and who holds it. */
enum hg_rc data_dir_open(struct hg_data_dir *dir, const char *path,
                         struct hg_error *err) hg_must_use;
void data_dir_close(struct hg_data_dir *dir);

#endif
