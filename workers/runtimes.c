/*
 * Finds interpreters by name. A shim of a version manager (a script that
 * decides at every start which program to run, and may fail) is never used:
 * the programs that it stands for are looked up where the manager keeps them.
 */
#include "workers/runtimes.h"

#include "workers/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    MINOR_MAX = 99, /* python3.N looked for on PATH */
    PROBE_S = 5,
};

static const struct family {
    const char *prefix, *suffix, *program, *bootstrap;
    bool is_versioned;
    const char *missing;
} families[] = {
#define HG_RUNTIME(symbol, prefix, suffix, program, bootstrap, versioned, missing) \
    {prefix, suffix, program, bootstrap, versioned, missing},
#include "workers/runtimes.def"
#undef HG_RUNTIME
};

bool runtime_is_managed(enum hg_runtime_family family)
{
    return families[family].program != NULL;
}

const char *runtime_bootstrap(enum hg_runtime_family family)
{
    return families[family].bootstrap;
}

static bool parse_version(struct hg_str text, struct hg_runtime_id *id)
{
    struct hg_str major, minor = {0};
    uint64_t value;
    ptrdiff_t dot = hg_str_find(text, '.');

    major = dot < 0 ? text : hg_str_n(text.p, (size_t)dot);
    if (dot >= 0)
        minor = hg_str_skip(text, (size_t)dot + 1);
    if (!hg_str_u64(major, 999, &value))
        return false;
    id->major = (unsigned)value;
    id->minor = 0;
    if (dot < 0)
        return true;
    if (!hg_str_u64(minor, MINOR_MAX, &value))
        return false;
    id->minor = (unsigned)value;
    return true;
}

static enum hg_rc refuse(struct hg_str runtime, struct hg_error *err)
{
    return hg_error_set(
        err, HG_E_INVALID,
        "unknown runtime %.*s; known are python3.N, nodejsN.x, provided.al2, provided.al2023, "
        "go1.x",
        HG_STR_ARG(runtime));
}

enum hg_rc runtime_parse(struct hg_str runtime, struct hg_runtime_id *id, struct hg_error *err)
{
    for (size_t i = 0; i < HG_RUNTIME_FAMILY_COUNT; i++) {
        const struct family *family = &families[i];
        struct hg_str rest;

        if (!hg_str_starts(runtime, hg_str_of(family->prefix)))
            continue;
        rest = hg_str_skip(runtime, strlen(family->prefix));
        *id = (struct hg_runtime_id){.family = (enum hg_runtime_family)i};
        if (family->missing)
            return hg_error_set(err, HG_E_UNSUPPORTED, "runtime %.*s: %s", HG_STR_ARG(runtime),
                                family->missing);
        if (i == HG_RUNTIME_PROVIDED)
            return rest.n == 0 || rest.p[0] == '.' ? HG_OK : refuse(runtime, err);
        if (!hg_str_ends(rest, hg_str_of(family->suffix)))
            return refuse(runtime, err);
        rest.n -= strlen(family->suffix);
        return parse_version(rest, id) ? HG_OK : refuse(runtime, err);
    }
    return refuse(runtime, err);
}

/* A program file, not a script: what a version manager's shim is. */
static bool is_program(const char *path)
{
    char first[4];
    int fd;
    bool is_binary;

    if (!files_is_executable(path))
        return false;
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    is_binary = read(fd, first, sizeof(first)) == (ssize_t)sizeof(first) &&
                memcmp(first, "\177ELF", 4) == 0;
    (void)close(fd);
    return is_binary;
}

static bool find_on_path(const char *name, char out[HG_PATH_MAX])
{
    const char *path = getenv("PATH");
    struct hg_str rest = hg_str_of(path ? path : "/usr/local/bin:/usr/bin:/bin"), dir;

    while (hg_str_next(&rest, ':', &dir)) {
        if (dir.n && dir.p[0] == '/' &&
            files_path(out, HG_PATH_MAX, "%.*s/%s", HG_STR_ARG(dir), name) && is_program(out))
            return true;
    }
    return false;
}

/* root/<version>/bin/name with the highest version that starts as wanted ("3.12.", "v20."). */
static bool find_below(const char *root, const char *wanted, const char *name,
                       char out[HG_PATH_MAX])
{
    DIR *dir = opendir(root);
    bool is_found = false;
    int best = -1;

    if (!dir)
        return false;
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        struct hg_str rest = hg_str_of(entry->d_name), patch;
        char candidate[HG_PATH_MAX];
        uint64_t number = 0;

        if (!hg_str_starts(rest, hg_str_of(wanted)))
            continue;
        rest = hg_str_skip(rest, strlen(wanted));
        if (hg_str_next(&rest, '.', &patch))
            (void)hg_str_u64(patch, 9999, &number);
        if ((int)number <= best ||
            !files_path(candidate, sizeof(candidate), "%s/%s/bin/%s", root, entry->d_name, name) ||
            !is_program(candidate))
            continue;
        best = (int)number;
        memcpy(out, candidate, sizeof(candidate));
        is_found = true;
    }
    (void)closedir(dir);
    return is_found;
}

static bool join_home(const char *variable, const char *under_home, const char *below,
                      char out[HG_PATH_MAX])
{
    const char *root = getenv(variable), *home = getenv("HOME");

    if (root)
        return files_path(out, HG_PATH_MAX, "%s/%s", root, below);
    return home && files_path(out, HG_PATH_MAX, "%s/%s/%s", home, under_home, below);
}

static bool find_python(unsigned major, unsigned minor, char out[HG_PATH_MAX])
{
    char name[32], wanted[32], root[HG_PATH_MAX];

    (void)snprintf(name, sizeof(name), "python%u.%u", major, minor);
    if (find_on_path(name, out))
        return true;
    (void)snprintf(wanted, sizeof(wanted), "%u.%u.", major, minor);
    return join_home("PYENV_ROOT", ".pyenv", "versions", root) &&
           find_below(root, wanted, name, out);
}

static enum hg_rc use_python(const struct hg_runtime_id *id, struct hg_str runtime,
                             struct hg_interpreter *out, struct hg_error *err)
{
    for (unsigned distance = 0; distance <= MINOR_MAX; distance++) {
        /* Of two equally close ones the newer. */
        for (int sign = 1; sign >= (distance ? -1 : 1); sign -= 2) {
            int minor = (int)id->minor + sign * (int)distance;

            if (minor < 0 || minor > MINOR_MAX ||
                !find_python(id->major, (unsigned)minor, out->path))
                continue;
            out->major = id->major;
            out->minor = (unsigned)minor;
            if (distance)
                (void)snprintf(
                    out->warning, sizeof(out->warning),
                    "%.*s is not installed; python%u.%u is used instead (--runtime %.*s=/path overrides)",
                    HG_STR_ARG(runtime), id->major, (unsigned)minor, HG_STR_ARG(runtime));
            return HG_OK;
        }
    }
    return hg_error_set(
        err, HG_E_NOT_FOUND,
        "no interpreter for %.*s on PATH; install python%u.%u or name one with --runtime "
        "%.*s=/path/to/python",
        HG_STR_ARG(runtime), id->major, id->minor, HG_STR_ARG(runtime));
}

static enum hg_rc use_node(const struct hg_runtime_id *id, struct hg_str runtime,
                           struct hg_interpreter *out, struct hg_error *err)
{
    char root[HG_PATH_MAX], wanted[16];

    (void)snprintf(wanted, sizeof(wanted), "v%u.", id->major);
    if (join_home("NVM_DIR", ".nvm", "versions/node", root) &&
        find_below(root, wanted, "node", out->path)) {
        out->major = id->major;
        return HG_OK;
    }
    if (find_on_path("node", out->path) || find_on_path("nodejs", out->path))
        return HG_OK;
    return hg_error_set(
        err, HG_E_NOT_FOUND,
        "no interpreter for %.*s on PATH; install Node.js %u or name one with --runtime "
        "%.*s=/path/to/node",
        HG_STR_ARG(runtime), id->major, HG_STR_ARG(runtime));
}

enum hg_rc runtime_find(struct hg_str runtime, const struct hg_runtime_override *overrides,
                        size_t override_count, struct hg_interpreter *out, struct hg_error *err)
{
    struct hg_runtime_id id;
    enum hg_rc rc = runtime_parse(runtime, &id, err);

    memset(out, 0, sizeof(*out));
    if (rc != HG_OK)
        return rc;
    for (size_t i = 0; i < override_count; i++) {
        if (!hg_str_is(runtime, overrides[i].runtime))
            continue;
        if (!files_is_executable(overrides[i].path))
            return hg_error_set(err, HG_E_NOT_FOUND, "--runtime %s=%s: no executable file there",
                                overrides[i].runtime, overrides[i].path);
        (void)files_path(out->path, sizeof(out->path), "%s", overrides[i].path);
        /* The user knows best which version it is. */
        out->major = id.major;
        out->minor = id.minor;
        return HG_OK;
    }
    return id.family == HG_RUNTIME_NODEJS ? use_node(&id, runtime, out, err)
                                          : use_python(&id, runtime, out, err);
}

/* Of its own: after vfork the child may not share a frame with what the parent still uses. */
static pid_t __attribute__((noinline)) spawn_probe(const char *path, const char *option, int out_fd)
{
    char *const argv[] = {(char *)(uintptr_t)path, (char *)(uintptr_t)option, NULL};
    char *const environ_list[] = {NULL};
    sigset_t cut;
    pid_t pid;

    (void)sigemptyset(&cut);
    (void)sigaddset(&cut, SIGALRM);
    /* posix_spawn sets no alarm; a fork would copy the server's page tables. */
    pid = vfork(); /* NOLINT(clang-analyzer-security.insecureAPI.vfork) */
    if (pid == 0) {
        /* NOLINTBEGIN(clang-analyzer-unix.Vfork) */
        (void)dup2(out_fd, STDOUT_FILENO);
        /* Helper threads block every signal, and the program would inherit that. */
        (void)sigprocmask(SIG_UNBLOCK, &cut, NULL);
        (void)alarm(PROBE_S);
        /* NOLINTEND(clang-analyzer-unix.Vfork) */
        (void)execve(path, argv, environ_list);
        _exit(127);
    }
    return pid;
}

/* What the program prints first; false when it fails. */
static bool run_program(const char *path, const char *option, char *out, size_t room)
{
    int fds[2], status = -1;
    ssize_t got = 0;
    pid_t pid;

    if (pipe2(fds, O_CLOEXEC) != 0)
        return false;
    pid = spawn_probe(path, option, fds[1]);
    (void)close(fds[1]);
    if (pid > 0) {
        got = read(fds[0], out, room - 1);
        (void)waitpid(pid, &status, 0);
    }
    (void)close(fds[0]);
    out[got > 0 ? got : 0] = '\0';
    return got > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void runtime_probe(struct hg_str runtime, struct hg_interpreter *interpreter)
{
    struct hg_runtime_id id, found;
    char text[64];
    struct hg_str version;

    if (interpreter->major || runtime_parse(runtime, &id, NULL) != HG_OK ||
        !run_program(interpreter->path, "--version", text, sizeof(text)))
        return;
    /* "v20.19.0": only the major number means something. */
    version = hg_str_trim_ws(hg_str_of(text));
    if (version.n && version.p[0] == 'v')
        version = hg_str_skip(version, 1);
    if (hg_str_find(version, '.') > 0)
        version.n = (size_t)hg_str_find(version, '.');
    if (!parse_version(version, &found))
        return;
    interpreter->major = found.major;
    if (found.major != id.major)
        (void)snprintf(
            interpreter->warning, sizeof(interpreter->warning),
            "%.*s is not installed; Node.js %u is used instead (--runtime %.*s=/path overrides)",
            HG_STR_ARG(runtime), found.major, HG_STR_ARG(runtime));
}
