/*
 * Small helpers around mkdir, openat and unlinkat.
 */
#include "workers/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TREE_DEPTH_MAX = 128 }; /* deeper trees are left behind rather than followed without end */

bool files_path(char *out, size_t room, const char *format, ...)
{
    va_list args;
    int length;

    va_start(args, format);
    length = vsnprintf(out, room, format, args);
    va_end(args);
    return length >= 0 && (size_t)length < room;
}

int files_make_dirs(const char *path, mode_t mode)
{
    char part[HG_PATH_MAX];
    size_t length = strlen(path);

    if (mkdir(path, mode) == 0 || errno == EEXIST)
        return 0;
    if (errno != ENOENT)
        return -1;
    if (length >= sizeof(part)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    for (size_t i = 1; i < length; i++) {
        if (path[i] != '/')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        if (mkdir(part, mode) != 0 && errno != EEXIST)
            return -1;
    }
    return mkdir(path, mode) == 0 || errno == EEXIST ? 0 : -1;
}

static void remove_below(int dir_fd, unsigned depth)
{
    DIR *dir = fdopendir(dir_fd);

    if (!dir) {
        (void)close(dir_fd);
        return;
    }
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        int child;

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (unlinkat(dirfd(dir), entry->d_name, 0) == 0 || depth == TREE_DEPTH_MAX)
            continue;
        /* The function may have taken away its own rights; where that cannot be undone, the next step fails. */
        if (fchmodat(dirfd(dir), entry->d_name, 0700, 0) != 0) {
        }
        child = openat(dirfd(dir), entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (child >= 0)
            remove_below(child, depth + 1);
        (void)unlinkat(dirfd(dir), entry->d_name, AT_REMOVEDIR);
    }
    (void)closedir(dir);
}

void files_remove_tree(const char *path)
{
    int fd;

    if (unlink(path) == 0 || errno == ENOENT)
        return;
    fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0)
        remove_below(fd, 0);
    (void)rmdir(path);
}

int files_write(const char *path, const void *bytes, size_t length, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    size_t done = 0;

    if (fd < 0)
        return -1;
    while (done < length) {
        ssize_t wrote = write(fd, (const char *)bytes + done, length - done);

        if (wrote < 0 && errno != EINTR) {
            (void)close(fd);
            return -1;
        }
        done += wrote > 0 ? (size_t)wrote : 0;
    }
    return close(fd);
}

bool files_is_dir(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool files_is_executable(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}
