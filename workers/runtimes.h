/*
 * Which runtimes there are, and which interpreter of this machine serves each.
 */
#ifndef HG_WORKERS_RUNTIMES_H
#define HG_WORKERS_RUNTIMES_H

#include "workers/pool.h"

enum hg_runtime_family {
#define HG_RUNTIME(symbol, prefix, suffix, program, bootstrap, versioned, missing) \
    HG_RUNTIME_##symbol,
#include "workers/runtimes.def"
#undef HG_RUNTIME
    HG_RUNTIME_FAMILY_COUNT
};

/* A runtime identifier taken apart: "python3.12" is PYTHON, major 3, minor 12; "nodejs20.x" NODEJS, major 20. */
struct hg_runtime_id {
    enum hg_runtime_family family;
    unsigned major, minor;
};

struct hg_interpreter {
    char path[4096];
    unsigned major, minor; /* 0, 0 when nobody knows: an override */
    char warning[256];     /* "" when it is the version asked for */
};

/* Says in err what is wrong with an identifier that cannot be served. */
enum hg_rc runtime_parse(struct hg_str runtime, struct hg_runtime_id *id,
                         struct hg_error *err) hg_must_use;
/* Whether the family runs an interpreter with a bootstrap of ours. */
bool runtime_is_managed(enum hg_runtime_family family);
/* Path of the bootstrap below the folder of bootstraps. */
const char *runtime_bootstrap(enum hg_runtime_family family);

/*
 * Looks through overrides, PATH and the usual version managers without running
 * anything: fast enough for start-up. A Node version stays unknown (0) here.
 */
enum hg_rc runtime_find(struct hg_str runtime, const struct hg_runtime_override *overrides,
                        size_t override_count, struct hg_interpreter *out,
                        struct hg_error *err) hg_must_use;
/* Runs the interpreter where its version is still unknown, and sets the warning. Helper threads only. */
void runtime_probe(struct hg_str runtime, struct hg_interpreter *interpreter);

#endif
