/*
 * Folders and files of our own below the data directory. Everything blocks: start-up and helper threads only.
 */
#ifndef HG_WORKERS_FILES_H
#define HG_WORKERS_FILES_H

#include "core/str.h"

#include <sys/types.h>

enum { HG_PATH_MAX = 4096 };

/* Puts a path together; false (out is cut) when it does not fit. */
bool files_path(char *out, size_t room, const char *format, ...) hg_printf_like(3, 4);

/* Makes the folder and its parents. 0, or -1 with errno. */
int files_make_dirs(const char *path, mode_t mode);
/* Removes what is there, folders with all they hold; never follows symbolic links. What cannot be removed stays. */
void files_remove_tree(const char *path);
/* 0, or -1 with errno. */
int files_write(const char *path, const void *bytes, size_t length, mode_t mode);
bool files_is_dir(const char *path);
bool files_is_executable(const char *path);

#endif
