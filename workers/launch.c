/*
 * The plain launcher: own session and process group, limits, no new
 * privileges, no inherited descriptors, a clean environment, a scratch folder
 * of its own in TMPDIR. /tmp itself is shared with the machine: a private /tmp
 * needs a mount namespace. start runs on a helper thread that lives as long as
 * the server, because a process dies with the thread that started it.
 */
#include "workers/launch.h"

#include "workers/files.h"
#include "workers/memory.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    RUNTIME_FD = 3, /* what HEADGATE_RUNTIME_FD says */
    NOFILE_MAX = 1024,
    /* The sampler watches memory; this only stops what outruns it. Interpreters reserve far more than they use. */
    DATA_FACTOR = 4,
    DATA_EXTRA_MB = 2048,
    PER_LAUNCH_VARIABLES = 8,
    VARIABLE_MAX = 4352, /* a path and its name */
};

/* All that the child needs, prepared beforehand: between vfork and exec it may only make system calls. */
struct child {
    const struct hg_plan *plan;
    char **environ;
    int stream_fd, log_fd, null_fd;
    pid_t server;
    bool is_confined;
    int error; /* errno of the step that failed */
    const char *step;
};

static const char program_step[] = "program";

static int set_limits(const struct child *child)
{
    struct rlimit files = {NOFILE_MAX, NOFILE_MAX}, none = {0, 0};
    rlim_t data_bytes = ((rlim_t)child->plan->memory_mb * DATA_FACTOR + DATA_EXTRA_MB) << 20;
    struct rlimit data = {data_bytes, data_bytes};

    return setrlimit(RLIMIT_CORE, &none) | setrlimit(RLIMIT_DATA, &data) |
           setrlimit(RLIMIT_NOFILE, &files);
}

static void reset_signals(void)
{
    struct sigaction plain = {.sa_handler = SIG_DFL};
    sigset_t none;

    for (int number = 1; number < NSIG; number++)
        (void)sigaction(number, &plain, NULL);
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static int place_descriptors(const struct child *child)
{
    /* The sources all lie above RUNTIME_FD, so that none is overwritten before its turn. */
    if (dup2(child->null_fd, STDIN_FILENO) < 0 || dup2(child->log_fd, STDOUT_FILENO) < 0 ||
        dup2(child->log_fd, STDERR_FILENO) < 0 || dup2(child->stream_fd, RUNTIME_FD) < 0)
        return -1;
    return close_range(RUNTIME_FD + 1, ~0U, 0);
}

/* In the child, on the memory of the parent. */
static void __attribute__((noinline)) become(struct child *child)
{
    child->step = "session";
    if (setsid() < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
        return;
    /* The server may have died before the death signal was set. */
    if (getppid() != child->server)
        return;
    reset_signals();
    child->step = "no_new_privs";
    if (child->is_confined && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return;
    child->step = "descriptors";
    if (place_descriptors(child) != 0)
        return;
    child->step = "limits";
    if (child->is_confined && set_limits(child) != 0)
        return;
    child->step = "working directory";
    if (chdir(child->plan->directory) != 0)
        return;
    (void)umask(022);
    child->step = program_step;
    (void)execve(child->plan->argv[0], child->plan->argv, child->environ);
}

static pid_t spawn(struct child *child)
{
    sigset_t all, before;
    pid_t pid;

    /* No handler of ours may run in the child while it borrows our memory. */
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_BLOCK, &all, &before);
    /* posix_spawn sets no limits; a fork would copy the server's page tables. */
    pid = vfork(); /* NOLINT(clang-analyzer-security.insecureAPI.vfork) */
    if (pid == 0) {
        become(child); /* NOLINT(clang-analyzer-unix.Vfork) */
        child->error = errno ? errno : ESRCH;
        _exit(127);
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return pid;
}

/* A duplicate above the numbers that the child assigns. */
static int move_up(int fd)
{
    int moved = fcntl(fd, F_DUPFD_CLOEXEC, 16);

    (void)close(fd);
    return moved;
}

static int listen_on_loopback(unsigned *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
        listen(fd, 16) == 0 && getsockname(fd, (struct sockaddr *)&address, &length) == 0) {
        *port = ntohs(address.sin_port);
        return fd;
    }
    if (fd >= 0)
        (void)close(fd);
    return -1;
}

static void close_all(const int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (fds[i] >= 0)
            (void)close(fds[i]);
    }
}

/* The fixed variables, then those of this environment; texts is the room for the latter. */
static char **make_environ(const struct hg_plan *plan, const struct hg_launch_place *place,
                           unsigned port, char texts[PER_LAUNCH_VARIABLES][VARIABLE_MAX])
{
    char **environ_list = hg_calloc(plan->environ_count + PER_LAUNCH_VARIABLES + 1, sizeof(char *));
    size_t count = plan->environ_count, used = 0;

    memcpy(environ_list, plan->environ, count * sizeof(char *));
    (void)snprintf(texts[used++], VARIABLE_MAX, "AWS_LAMBDA_RUNTIME_API=127.0.0.1:%u", port);
    (void)snprintf(texts[used++], VARIABLE_MAX, "AWS_LAMBDA_LOG_STREAM_NAME=%s", place->log_stream);
    (void)snprintf(texts[used++], VARIABLE_MAX, "AWS_LAMBDA_INITIALIZATION_TYPE=%s",
                   place->initialization_type);
    (void)snprintf(texts[used++], VARIABLE_MAX, "HEADGATE_RUNTIME_FD=%d", RUNTIME_FD);
    (void)snprintf(texts[used++], VARIABLE_MAX, "TMPDIR=%s", place->scratch_dir);
    for (size_t i = 0; i < used; i++)
        environ_list[count++] = texts[i];
    return environ_list;
}

enum { LOG_READ, LOG_WRITE, OURS, THEIRS, LISTENER, NULL_FD, FD_COUNT };

static bool open_descriptors(int fds[FD_COUNT], unsigned *port)
{
    for (size_t i = 0; i < FD_COUNT; i++)
        fds[i] = -1;
    if (pipe2(&fds[LOG_READ], O_CLOEXEC) != 0 ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, &fds[OURS]) != 0)
        return false;
    fds[LISTENER] = listen_on_loopback(port);
    fds[NULL_FD] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    for (size_t i = 0; i < FD_COUNT; i++) {
        if (fds[i] < 0)
            return false;
        fds[i] = move_up(fds[i]);
        if (fds[i] < 0)
            return false;
    }
    return fcntl(fds[LOG_READ], F_SETFL, O_NONBLOCK) == 0 &&
           fcntl(fds[OURS], F_SETFL, O_NONBLOCK) == 0;
}

static enum hg_rc start(const struct hg_plan *plan, const struct hg_launch_place *place,
                        bool is_confined, struct hg_launched *out, struct hg_error *err)
{
    char texts[PER_LAUNCH_VARIABLES][VARIABLE_MAX];
    struct child child = {.plan = plan, .server = getpid(), .is_confined = is_confined};
    int fds[FD_COUNT];
    unsigned port = 0;

    if (files_make_dirs(place->scratch_dir, 0700) != 0)
        return hg_error_set(err, HG_E_IO, "cannot make %s: %s", place->scratch_dir,
                            strerror(errno));
    if (!open_descriptors(fds, &port)) {
        enum hg_rc rc = hg_error_set(err, HG_E_IO, "no descriptors for another environment: %s",
                                     strerror(errno));

        close_all(fds, FD_COUNT);
        return rc;
    }
    child.environ = make_environ(plan, place, port, texts);
    child.stream_fd = fds[THEIRS];
    child.log_fd = fds[LOG_WRITE];
    child.null_fd = fds[NULL_FD];
    *out = (struct hg_launched){-1, -1, fds[OURS], fds[LISTENER], fds[LOG_READ]};
    out->pid = spawn(&child);
    free(child.environ);
    close_all((int[]){fds[LOG_WRITE], fds[THEIRS], fds[NULL_FD]}, 3);
    if (out->pid > 0)
        out->exit_fd = pidfd_open(out->pid, 0);
    if (out->pid < 0 || out->exit_fd < 0 || child.error) {
        enum hg_rc rc = out->pid > 0 && child.step && strcmp(child.step, program_step) == 0
                            ? HG_E_INVALID
                            : HG_E_IO;

        rc = hg_error_set(err, rc, "cannot start %s (%s): %s", plan->argv[0],
                          out->pid < 0 ? "fork" : child.step,
                          strerror(child.error ? child.error : errno));

        if (out->pid > 0) {
            (void)kill(out->pid, SIGKILL);
            (void)waitpid(out->pid, NULL, 0);
        }
        close_all((int[]){out->exit_fd, out->stream_fd, out->listen_fd, out->log_fd}, 4);
        return rc;
    }
    return HG_OK;
}

static void kill_group(const struct hg_launched *launched)
{
    /* Not before setsid has run there can this miss: start returns after exec. */
    (void)kill(-launched->pid, SIGKILL);
}

static bool reap(const struct hg_launched *launched, struct hg_exit *how)
{
    siginfo_t info = {0};

    /* Looked at first without taking: until it is taken, its number, and so its group's, cannot be anyone else's. */
    if (waitid(P_PIDFD, (id_t)launched->exit_fd, &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
        info.si_pid == 0)
        return false;
    (void)kill(-launched->pid, SIGKILL);
    (void)waitid(P_PIDFD, (id_t)launched->exit_fd, &info, WEXITED | WNOHANG);
    *how = (struct hg_exit){.status = -1};
    if (info.si_code == CLD_EXITED) {
        how->status = info.si_status;
    } else {
        how->signal = info.si_status;
        how->has_core = info.si_code == CLD_DUMPED;
    }
    return true;
}

static bool measure(const struct hg_launched *launched, uint64_t *now_bytes, uint64_t *peak_bytes)
{
    return memory_of_group(launched->pid, now_bytes, peak_bytes);
}

static enum hg_rc start_confined(const struct hg_plan *plan, const struct hg_launch_place *place,
                                 struct hg_launched *out, struct hg_error *err)
{
    return start(plan, place, true, out, err);
}

static enum hg_rc start_free(const struct hg_plan *plan, const struct hg_launch_place *place,
                             struct hg_launched *out, struct hg_error *err)
{
    return start(plan, place, false, out, err);
}

const struct hg_launch_ops launch_process_ops = {
    .isolation = "process",
    .start = start_confined,
    .kill = kill_group,
    .reap = reap,
    .measure = measure,
};

const struct hg_launch_ops launch_none_ops = {
    .isolation = "none",
    .start = start_free,
    .kill = kill_group,
    .reap = reap,
    .measure = measure,
};
