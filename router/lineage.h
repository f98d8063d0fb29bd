/*
 * Recursion detection (async.md §8): the trace header counts how often each
 * function was invoked in one chain. It reads "Lineage=1:<hash>:<k>", k being
 * the earlier invocations of the function that the hash stands for, with a '|'
 * between the functions of a chain that goes through several. Pure; any thread.
 */
#ifndef HG_ROUTER_LINEAGE_H
#define HG_ROUTER_LINEAGE_H

#include "config/model.h"

enum {
    HG_LINEAGE_TRACE_MAX = 256, /* bytes of a trace header, terminated */
    HG_LINEAGE_RUNS_MAX = 16, /* invocations of one function in a chain; the next one is stopped */
    HG_LINEAGE_FUNCTIONS_MAX = 8,
};

/*
 * trace, a terminated trace header or "", becomes the one that the function is to be given: with a root when it had none,
 * and this invocation counted. False: the chain has gone through the function too often and it must not run; trace is as it was.
 * A function that may recurse is counted and never refused.
 */
bool lineage_enter(char trace[HG_LINEAGE_TRACE_MAX], const struct hg_function *function);

/* A fresh trace header: a root that is not sampled. */
void lineage_root(char trace[HG_LINEAGE_TRACE_MAX]);

#endif
