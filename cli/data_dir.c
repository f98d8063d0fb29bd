/*
 * The data directory and its lock file, which holds the owner's process id.
 */
#include "cli/data_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { LOCK_TRIES = 100, LOCK_PAUSE_MS = 10 };

static enum hg_rc make_folders(const char *path, struct hg_error *err)
{
    char partial[PATH_MAX];
    size_t length = strlen(path);

    if (length >= sizeof(partial))
        return hg_error_set(err, HG_E_INVALID, "--data-dir: the path is too long");
    for (size_t i = 1; i <= length; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(partial, path, i);
        partial[i] = '\0';
        if (mkdir(partial, 0700) != 0 && errno != EEXIST)
            return hg_error_set(err, HG_E_IO, "--data-dir: cannot make %s: %s", partial,
                                strerror(errno));
    }
    return HG_OK;
}

/* A child that a killed server was just about to start holds its lock until it runs: a moment is waited. */
static bool lock_soon(int fd)
{
    const struct timespec pause = {0, LOCK_PAUSE_MS * 1000000L};

    for (int i = 0; i < LOCK_TRIES; i++) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            return true;
        (void)nanosleep(&pause, NULL);
    }
    return false;
}

/* In place first, so that a restart needs no room on a full disk. */
static bool write_owner(int fd)
{
    char text[16];
    int length = snprintf(text, sizeof(text), "%d\n", (int)getpid());

    return pwrite(fd, text, (size_t)length, 0) == length && ftruncate(fd, length) == 0;
}

static enum hg_rc take_lock(struct hg_data_dir *dir, struct hg_error *err)
{
    char path[PATH_MAX + 8], owner[16] = "";
    ssize_t got;

    (void)snprintf(path, sizeof(path), "%s/lock", dir->path);
    dir->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (dir->lock_fd < 0)
        return hg_error_set(err, HG_E_IO, "--data-dir: cannot write to %s: %s", dir->path,
                            strerror(errno));
    if (!lock_soon(dir->lock_fd)) {
        got = read(dir->lock_fd, owner, sizeof(owner) - 1);
        owner[got > 0 ? strcspn(owner, "\n") : 0] = '\0';
        return hg_error_set(
            err, HG_E_CONFLICT,
            "%s is in use by another headgate%s%s; stop it or choose another --data-dir", dir->path,
            owner[0] ? ", process " : "", owner);
    }
    if (!write_owner(dir->lock_fd))
        return hg_error_set(err, HG_E_IO, "--data-dir: cannot write to %s: %s", path,
                            strerror(errno));
    return HG_OK;
}

enum hg_rc data_dir_open(struct hg_data_dir *dir, const char *path, struct hg_error *err)
{
    enum hg_rc rc;

    *dir = (struct hg_data_dir){.lock_fd = -1};
    rc = make_folders(path, err);
    if (rc != HG_OK)
        return rc;
    dir->path = realpath(path, NULL);
    if (!dir->path)
        return hg_error_set(err, HG_E_IO, "--data-dir: %s: %s", path, strerror(errno));
    return take_lock(dir, err);
}

void data_dir_close(struct hg_data_dir *dir)
{
    if (dir->lock_fd >= 0)
        (void)close(dir->lock_fd);
    free(dir->path);
    *dir = (struct hg_data_dir){.lock_fd = -1};
}
