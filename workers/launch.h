/*
 * Starting and ending the processes of environments, behind an interface: a
 * launcher decides how strongly they are walled off.
 */
#ifndef HG_WORKERS_LAUNCH_H
#define HG_WORKERS_LAUNCH_H

#include "core/error.h"
#include "core/str.h"
#include "workers/error_doc.h"

#include <sys/types.h>

/* What to run; made once per function version (plan.h), shared by its environments, never changed. */
struct hg_plan {
    char **argv;     /* ended by NULL; argv[0] is an absolute path */
    char *directory; /* working directory */
    char **environ;  /* all that does not differ between environments; ended by NULL */
    size_t environ_count;
    unsigned memory_mb;
    char *runtime_version, *runtime_version_arn; /* for INIT_START; NULL for provided.* */
};

/* What differs between environments. */
struct hg_launch_place {
    const char *scratch_dir; /* made if it is not there */
    const char *log_stream;
    const char *initialization_type; /* "on-demand", … */
};

struct hg_launched {
    pid_t pid;
    int exit_fd;   /* readable once the process has ended */
    int stream_fd; /* our end of the connection given by HEADGATE_RUNTIME_FD */
    int listen_fd; /* AWS_LAMBDA_RUNTIME_API */
    int log_fd;    /* its standard output and error */
};

struct hg_launch_ops {
    const char *isolation; /* "process", "none" */
    /*
     * On a helper thread; may block until the program runs. Everything of *out is the caller's then.
     * HG_E_INVALID: the program cannot be executed.
     */
    enum hg_rc (*start)(const struct hg_plan *plan, const struct hg_launch_place *place,
                        struct hg_launched *out, struct hg_error *err);
    /* SIGKILL to the whole process group. Until reap has said true. */
    void (*kill)(const struct hg_launched *launched);
    /* Whether it has ended; then *how is set, what is left of its group is killed and the pid is free. */
    bool (*reap)(const struct hg_launched *launched, struct hg_exit *how);
    /* Bytes that its processes hold now, and most ever of the first one; false when it is gone. */
    bool (*measure)(const struct hg_launched *launched, uint64_t *now_bytes, uint64_t *peak_bytes);
};

/* Limits and no_new_privs; and the same without them. Both: own session, clean environment and descriptors. */
extern const struct hg_launch_ops launch_process_ops;
extern const struct hg_launch_ops launch_none_ops;

#endif
