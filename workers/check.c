/*
 * What can be said of a function before it runs: at start-up, for people. No
 * program is started here; everything is a look at the file system.
 */
#include "workers/plan.h"
#include "workers/shard.h"

#include <stdlib.h>
#include <unistd.h>

static bool is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

static enum hg_rc check_entrypoint(const struct hg_function *function,
                                   const struct hg_runtime_id *runtime, struct hg_error *warning)
{
    struct hg_str name = runtime->family == HG_RUNTIME_GO ? function->handler : HG_STR("bootstrap");
    char path[HG_PATH_MAX];

    if (plan_find_entrypoint(function, runtime, "", path) == HG_OK)
        return HG_OK;
    /* Layers count too, but are merged only when the function runs: any of them may hold it. */
    for (size_t i = 0; i < function->layer_count; i++) {
        if (files_path(path, sizeof(path), "%.*s/%.*s", HG_STR_ARG(function->layer_dirs[i]),
                       HG_STR_ARG(name)) &&
            files_is_executable(path))
            return HG_OK;
    }
    (void)hg_error_set(
        warning, HG_OK, "function %.*s: no executable file `%.*s` in %.*s; invocations will fail",
        HG_STR_ARG(function->name), HG_STR_ARG(name), HG_STR_ARG(function->code_dir));
    return HG_OK;
}

/* Whether the module may be that file, with any of the endings, or a folder. */
static bool has_module(struct hg_str dir, const char *below, const char *module,
                       const char *const *endings)
{
    char path[HG_PATH_MAX];

    for (; *endings; endings++) {
        if (files_path(path, sizeof(path), "%.*s%s/%s%s", HG_STR_ARG(dir), below, module,
                       *endings) &&
            is_there(path))
            return true;
    }
    return false;
}

static bool finds_module(const struct hg_function *function, const struct hg_runtime_id *runtime,
                         struct hg_str name)
{
    static const char *const python[] = {".py", ".so", ".pyc", "", NULL};
    static const char *const node[] = {".js", ".mjs", ".cjs", "", NULL};
    bool is_python = runtime->family == HG_RUNTIME_PYTHON;
    char *module = hg_strndup(name.p, name.n);
    bool is_found;

    for (char *c = module; is_python && *c; c++)
        *c = *c == '.' ? '/' : *c;
    is_found = has_module(function->code_dir, "", module, is_python ? python : node);
    /* Node looks for handlers in the code folder alone. */
    for (size_t i = 0; is_python && !is_found && i < function->layer_count; i++)
        is_found = has_module(function->layer_dirs[i], "/python", module, python);
    free(module);
    return is_found;
}

/* Node takes what is before the first dot after the last slash; Python what is before the last dot. */
static ptrdiff_t find_split(const struct hg_runtime_id *runtime, struct hg_str handler)
{
    ptrdiff_t split = -1;

    for (size_t i = 0; i < handler.n; i++) {
        if (handler.p[i] == '/')
            split = -1;
        else if (handler.p[i] == '.' && (split < 0 || runtime->family == HG_RUNTIME_PYTHON))
            split = (ptrdiff_t)i;
    }
    return split;
}

/* A handler that the runtime will not find is only warned of: the runtime has the last word. */
static void check_handler(const struct hg_function *function, const struct hg_runtime_id *runtime,
                          struct hg_error *warning)
{
    ptrdiff_t split = find_split(runtime, function->handler);
    struct hg_str module = hg_str_n(function->handler.p, split > 0 ? (size_t)split : 0);

    if (split <= 0 || (size_t)split + 1 == function->handler.n)
        (void)hg_error_set(warning, HG_OK,
                           "function %.*s: handler `%.*s` should be written file.function",
                           HG_STR_ARG(function->name), HG_STR_ARG(function->handler));
    else if (!finds_module(function, runtime, module))
        (void)hg_error_set(warning, HG_OK,
                           "function %.*s: handler `%.*s`: no file `%.*s` for it in %.*s",
                           HG_STR_ARG(function->name), HG_STR_ARG(function->handler),
                           HG_STR_ARG(module), HG_STR_ARG(function->code_dir));
}

/* Behind what was found about the handler, if anything was. */
static void warn_of_interpreter(const struct hg_function *function,
                                const struct hg_interpreter *interpreter, struct hg_error *warning)
{
    struct hg_error about_handler = *warning;

    if (about_handler.text[0])
        (void)hg_error_set(warning, HG_OK, "%.500s; %.500s", about_handler.text,
                           interpreter->warning);
    else
        (void)hg_error_set(warning, HG_OK, "function %.*s: %s", HG_STR_ARG(function->name),
                           interpreter->warning);
}

static enum hg_rc check_managed(const struct hg_workers_options *options,
                                const struct hg_function *function,
                                const struct hg_runtime_id *runtime, struct hg_error *err,
                                struct hg_error *warning)
{
    struct hg_interpreter *interpreter = hg_malloc(sizeof(*interpreter));
    enum hg_rc rc = runtime_find(function->runtime, options->overrides, options->override_count,
                                 interpreter, err);

    if (function->code_dir.n)
        check_handler(function, runtime, warning);
    if (rc != HG_OK)
        hg_error_prefix(err, "function %.*s", HG_STR_ARG(function->name));
    else if (interpreter->warning[0] && warning)
        warn_of_interpreter(function, interpreter, warning);
    free(interpreter);
    return rc;
}

enum hg_rc function_check(const struct hg_workers_options *options,
                          const struct hg_function *function, struct hg_error *err,
                          struct hg_error *warning)
{
    struct hg_runtime_id runtime;
    char code_dir[HG_PATH_MAX];
    enum hg_rc rc;

    if (warning)
        warning->text[0] = '\0';
    rc = runtime_parse(function->runtime, &runtime, err);
    if (rc != HG_OK) {
        hg_error_prefix(err, "function %.*s", HG_STR_ARG(function->name));
        return rc;
    }
    if (function->code_dir.n &&
        (!files_path(code_dir, sizeof(code_dir), "%.*s", HG_STR_ARG(function->code_dir)) ||
         !files_is_dir(code_dir)))
        return hg_error_set(err, HG_E_NOT_FOUND, "function %.*s: code folder %.*s is not there",
                            HG_STR_ARG(function->name), HG_STR_ARG(function->code_dir));
    if (runtime_is_managed(runtime.family))
        return check_managed(options, function, &runtime, err, warning);
    return function->code_dir.n ? check_entrypoint(function, &runtime, warning) : HG_OK;
}

enum hg_rc workers_check_function(struct hg_workers *workers, const struct hg_function *function,
                                  struct hg_error *err, struct hg_error *warning)
{
    enum hg_rc rc = function_check(&workers->options, function, err, warning);
    struct hg_runtime_id runtime;

    if (rc == HG_OK && runtime_parse(function->runtime, &runtime, err) == HG_OK &&
        runtime_is_managed(runtime.family))
        prepare_runtime(workers, function->runtime);
    return rc;
}
