/*
 * Reads the kernel's account of processor time.
 */
#include "router/lane_load.h"

#include "core/clock.h"

#include <fcntl.h>
#include <unistd.h>

enum {
    LOOK_EVERY_US = 200000,
    OUTDATED_US = 2000000, /* a look that is older says nothing of now */
    IDLE_PERCENT = 10,     /* less is nothing to spare */
    TEXT_MAX = 256,
};

bool load_parse(struct hg_str text, uint64_t *idle, uint64_t *all)
{
    enum { IDLE = 3, IO_WAIT = 4, STEAL = 7 }; /* guests are part of user time */
    uint64_t value;
    unsigned at = 0;
    struct hg_str line, word;

    *idle = *all = 0;
    if (!hg_str_next(&text, '\n', &line) || !hg_str_next(&line, ' ', &word) ||
        !hg_str_is(word, "cpu"))
        return false;
    while (at <= STEAL && hg_str_next(&line, ' ', &word)) {
        if (!word.n)
            continue;
        if (!hg_str_u64(word, UINT64_MAX, &value))
            return false;
        *all += value;
        *idle += at == IDLE || at == IO_WAIT ? value : 0;
        at++;
    }
    return at > IDLE;
}

static bool read_ticks(uint64_t *idle, uint64_t *all)
{
    char text[TEXT_MAX];
    int fd = open("/proc/stat", O_RDONLY | O_CLOEXEC);
    ssize_t got = fd >= 0 ? read(fd, text, sizeof(text)) : -1;

    if (fd >= 0)
        (void)close(fd);
    return got > 0 && load_parse(hg_str_n(text, (size_t)got), idle, all);
}

bool load_is_busy(struct hg_load *load)
{
    int64_t now = hg_mono_us(), passed = now - load->looked_us;
    uint64_t idle, all;

    if (passed < LOOK_EVERY_US)
        return load->is_busy;
    if (!read_ticks(&idle, &all))
        return false;
    load->is_busy = passed < OUTDATED_US && load->looked_us && all > load->all &&
                    (idle - load->idle) * 100 < (all - load->all) * IDLE_PERCENT;
    load->looked_us = now;
    load->idle = idle;
    load->all = all;
    return load->is_busy;
}
