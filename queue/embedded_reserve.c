/*
 * Some megabytes of disk held back: when the disk is full they are given up,
 * so that what was accepted can still be settled. To have them again proves
 * that there is room for new events.
 */
#include "queue/embedded.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum {
    RESERVE_MAX = 16 << 20,
    SHARE_OF_FREE = 16, /* of what is free: small disks are not filled by it */
};

static void path_of(const char *folder, char path[4096])
{
    (void)snprintf(path, 4096, "%s/reserve", folder);
}

void embedded_reserve_make(const char *folder)
{
    char path[4096];
    struct statvfs disk;
    uint64_t bytes;
    int fd;

    if (embedded_reserve_is_there(folder) || statvfs(folder, &disk) != 0)
        return;
    bytes = HG_MIN((uint64_t)disk.f_bavail * disk.f_frsize / SHARE_OF_FREE, (uint64_t)RESERVE_MAX);
    /* Less would not help anybody. */
    if (bytes < 256 * 1024)
        return;
    path_of(folder, path);
    fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return;
    if (posix_fallocate(fd, 0, (off_t)bytes) != 0)
        (void)unlink(path);
    (void)close(fd);
}

bool embedded_reserve_is_there(const char *folder)
{
    char path[4096];
    struct stat st;

    path_of(folder, path);
    return stat(path, &st) == 0 && st.st_size > 0;
}

void embedded_reserve_give(const char *folder)
{
    char path[4096];

    path_of(folder, path);
    (void)unlink(path);
}
