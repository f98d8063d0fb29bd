/*
 * How much memory a process and its descendants hold.
 */
#ifndef HG_WORKERS_MEMORY_H
#define HG_WORKERS_MEMORY_H

#include "core/base.h"

#include <sys/types.h>

/*
 * Resident bytes of the process and its descendants now (of the latter only
 * what they do not share), and the most that the process itself ever held.
 * False when it is gone. A few reads of /proc: not for every invocation.
 */
bool memory_of_group(pid_t pid, uint64_t *now_bytes, uint64_t *peak_bytes);

#endif
