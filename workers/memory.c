/*
 * Reads /proc: statm for now, VmHWM for the peak, children lists for descendants.
 */
#include "workers/memory.h"

#include "core/str.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum {
    DESCENDANTS_MAX = 64, /* more are not looked at: this is a sample, not an account */
    STATUS_BYTES = 4096,
};

/* Bytes read, terminated; 0 when it cannot be read. */
static size_t read_file(const char *path, char *out, size_t room)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got;

    if (fd < 0)
        return 0;
    got = read(fd, out, room - 1);
    (void)close(fd);
    if (got < 0)
        got = 0;
    out[got] = '\0';
    return (size_t)got;
}

static bool read_resident(pid_t pid, uint64_t *resident, uint64_t *shared)
{
    char path[48], text[128];
    struct hg_str rest, part;
    uint64_t pages[3];

    (void)snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
    rest = hg_str_n(text, read_file(path, text, sizeof(text)));
    for (size_t i = 0; i < HG_COUNT(pages); i++) {
        if (!hg_str_next(&rest, ' ', &part) || !hg_str_u64(part, UINT64_MAX, &pages[i]))
            return false;
    }
    *resident = pages[1] * (uint64_t)sysconf(_SC_PAGESIZE);
    *shared = pages[2] * (uint64_t)sysconf(_SC_PAGESIZE);
    return true;
}

static uint64_t read_peak(pid_t pid)
{
    char path[48], text[STATUS_BYTES];
    struct hg_str rest, line;
    uint64_t kib;

    (void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    rest = hg_str_n(text, read_file(path, text, sizeof(text)));
    while (hg_str_next(&rest, '\n', &line)) {
        if (!hg_str_starts(line, HG_STR("VmHWM:")))
            continue;
        line = hg_str_trim(hg_str_skip(line, 6));
        if (hg_str_ends(line, HG_STR(" kB")) &&
            hg_str_u64(hg_str_n(line.p, line.n - 3), UINT64_MAX / 1024, &kib))
            return kib * 1024;
    }
    return 0;
}

/* Children of the process's first thread: those of other threads are missed, which a sample may. */
static size_t list_children(pid_t pid, pid_t *out, size_t room)
{
    char path[64], text[1024];
    struct hg_str rest, part;
    size_t count = 0;
    uint64_t child;

    (void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
    rest = hg_str_n(text, read_file(path, text, sizeof(text)));
    while (count < room && hg_str_next(&rest, ' ', &part)) {
        if (hg_str_u64(hg_str_trim_ws(part), INT32_MAX, &child))
            out[count++] = (pid_t)child;
    }
    return count;
}

bool memory_of_group(pid_t pid, uint64_t *now_bytes, uint64_t *peak_bytes)
{
    pid_t queue[DESCENDANTS_MAX];
    size_t count;
    uint64_t resident, shared, total;

    if (!read_resident(pid, &total, &shared))
        return false;
    count = list_children(pid, queue, DESCENDANTS_MAX);
    for (size_t at = 0; at < count; at++) {
        if (read_resident(queue[at], &resident, &shared))
            total += resident - HG_MIN(shared, resident);
        count += list_children(queue[at], queue + count, DESCENDANTS_MAX - count);
    }
    *now_bytes = total;
    *peak_bytes = HG_MAX(read_peak(pid), total);
    return true;
}
