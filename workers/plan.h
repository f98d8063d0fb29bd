/*
 * From a function's configuration to the program, arguments and variables that its environments start with.
 */
#ifndef HG_WORKERS_PLAN_H
#define HG_WORKERS_PLAN_H

#include "workers/files.h"
#include "workers/launch.h"
#include "workers/runtimes.h"

/* What the server adds; all borrowed during plan_new. */
struct hg_plan_inputs {
    const struct hg_workers_options *options;
    const struct hg_runtime_id *runtime;
    const struct hg_interpreter *interpreter; /* managed runtimes only */
    const char *bootstraps_dir;
    const char *opt_dir; /* merged layers; "" for none */
};

/*
 * Of provided.* and go1.x: the executable, in the code folder or else the
 * layers, to path. HG_E_NOT_FOUND when there is none.
 */
enum hg_rc plan_find_entrypoint(const struct hg_function *function,
                                const struct hg_runtime_id *runtime, const char *opt_dir,
                                char path[HG_PATH_MAX]) hg_must_use;

/* NULL with HG_E_NOT_FOUND in *rc: no entry point. */
struct hg_plan *plan_new(const struct hg_function *function, const struct hg_plan_inputs *inputs,
                         enum hg_rc *rc);
void plan_free(struct hg_plan *plan);

#endif
