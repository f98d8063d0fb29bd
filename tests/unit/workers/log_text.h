/*
 * What stands in the newest file of a function's log group.
 */
#ifndef HG_TESTS_WORKERS_LOG_TEXT_H
#define HG_TESTS_WORKERS_LOG_TEXT_H

#include "core/buf.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Fills names with the log files of a group, oldest first; returns how many. */
static inline int log_file_names(const char *data_dir, const char *folder, char path[512],
                                 struct dirent ***names)
{
    int count, kept = 0;

    (void)snprintf(path, 512, "%s/logs/%s", data_dir, folder);
    count = scandir(path, names, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        if (strlen((*names)[i]->d_name) == 24)
            (*names)[kept++] = (*names)[i];
        else
            free((*names)[i]);
    }
    return kept;
}

/* Fills out with the newest file of /aws/lambda/<function>; false when there is none. */
static inline bool log_text(const char *data_dir, const char *function, struct hg_buf *out)
{
    char folder[256], path[512], file[1024];
    struct dirent **names = NULL;
    bool is_read = false;
    int count, fd;

    (void)snprintf(folder, sizeof(folder), "+aws+lambda+%s", function);
    count = log_file_names(data_dir, folder, path, &names);
    for (int i = 0; i < count; i++) {
        (void)snprintf(file, sizeof(file), "%s/%s", path, names[i]->d_name);
        free(names[i]);
    }
    free(names);
    fd = count > 0 ? open(file, O_RDONLY | O_CLOEXEC) : -1;
    if (fd >= 0) {
        char *room = hg_buf_reserve(out, out->max - out->len);
        ssize_t got = read(fd, room, out->max - out->len);

        is_read = got >= 0;
        hg_buf_commit(out, got > 0 ? (size_t)got : 0);
        (void)close(fd);
    }
    return is_read;
}

#endif
