/*
 * Variables by precedence, low to high: those that a customer may change
 * (PATH, LANG, TZ, library paths), the customer's, credentials, the platform's.
 */
#include "workers/plan.h"

#include "core/crypto.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    VARIABLES_MAX = 512, /* 4 KB of customer variables cannot be more */
    TEXT_MAX = 16384,    /* of one variable */
    ARGUMENTS_MAX = 6,
};

struct variables {
    char **items;
    size_t count;
};

static bool has_name(const char *item, struct hg_str name)
{
    return strncmp(item, name.p, name.n) == 0 && item[name.n] == '=';
}

static void set_str(struct variables *list, struct hg_str name, struct hg_str value)
{
    size_t at = 0;
    char *item;

    while (at < list->count && !has_name(list->items[at], name))
        at++;
    if (at == VARIABLES_MAX)
        return;
    item = hg_malloc(name.n + value.n + 2);
    memcpy(item, name.p, name.n);
    item[name.n] = '=';
    if (value.n)
        memcpy(item + name.n + 1, value.p, value.n);
    item[name.n + 1 + value.n] = '\0';
    if (at < list->count)
        free(list->items[at]);
    else
        list->count++;
    list->items[at] = item;
}

static void set_text(struct variables *list, const char *name, const char *value)
{
    set_str(list, hg_str_of(name), hg_str_of(value));
}

static void set_printf(struct variables *list, const char *name, const char *format, ...)
    hg_printf_like(3, 4);

static void set_printf(struct variables *list, const char *name, const char *format, ...)
{
    struct hg_str text;
    char *room = hg_malloc(TEXT_MAX);
    va_list args;

    va_start(args, format);
    (void)vsnprintf(room, TEXT_MAX, format, args);
    va_end(args);
    text = hg_str_of(room);
    set_str(list, hg_str_of(name), text);
    free(room);
}

static void set_changeable(struct variables *list, const struct hg_function *function,
                           const struct hg_plan_inputs *inputs)
{
    const char *opt = inputs->opt_dir[0] ? inputs->opt_dir : "/opt";
    struct hg_str task = function->code_dir;

    set_text(list, "LANG", "en_US.UTF-8");
    set_text(list, "TZ", ":UTC");
    if (inputs->interpreter) {
        const char *slash = strrchr(inputs->interpreter->path, '/');

        set_printf(list, "PATH", "%.*s:/usr/local/bin:/usr/bin/:/bin:%s/bin",
                   (int)(slash - inputs->interpreter->path), inputs->interpreter->path, opt);
    } else {
        set_printf(list, "PATH", "/usr/local/bin:/usr/bin/:/bin:%s/bin", opt);
    }
    set_printf(list, "LD_LIBRARY_PATH", "%.*s:%.*s/lib:%s/lib", HG_STR_ARG(task), HG_STR_ARG(task),
               opt);
    /* Bytecode is kept, for quick cold starts, but not among the user's files: the service's are read-only. */
    if (inputs->runtime->family == HG_RUNTIME_PYTHON)
        set_printf(list, "PYTHONPYCACHEPREFIX", "%s/pycache", inputs->options->data_dir);
    if (inputs->runtime->family == HG_RUNTIME_NODEJS)
        set_printf(list, "NODE_PATH", "%s/nodejs/node%u/node_modules:%s/nodejs/node_modules:%.*s",
                   opt, inputs->runtime->major, opt, HG_STR_ARG(task));
}

/* Names that start with an underscore are the platform's, but for these. */
static bool may_set(struct hg_str name)
{
    return name.n && !hg_str_is(name, "AWS_LAMBDA_INITIALIZATION_TYPE") &&
           (name.p[0] != '_' || hg_str_is(name, "_HANDLER") ||
            hg_str_starts(name, HG_STR("_AWS_XRAY_DAEMON_")) ||
            hg_str_is(name, "_LAMBDA_TELEMETRY_LOG_FD"));
}

static const char *from_server(const char *name, const char *otherwise)
{
    const char *value = getenv(name);

    return value && value[0] ? value : otherwise;
}

static bool has_own_endpoint(const struct hg_function *function)
{
    return kv_get(&function->environment, HG_STR("AWS_ENDPOINT_URL")).p != NULL;
}

/*
 * Keys for the management port, when it asks for some and the function is pointed there; else the server's own, when it has some, so
 * that functions may reach the real service; else values that mean nothing.
 */
static void set_credentials(struct variables *list, const struct hg_function *function,
                            const struct hg_workers_options *options)
{
    const char *key = getenv("AWS_ACCESS_KEY_ID");

    if (options->access_key && !has_own_endpoint(function)) {
        set_text(list, "AWS_ACCESS_KEY_ID", options->access_key);
        set_text(list, "AWS_SECRET_ACCESS_KEY", options->secret_key);
        set_text(list, "AWS_SESSION_TOKEN", options->session_token);
        return;
    }
    set_text(list, "AWS_ACCESS_KEY_ID", from_server("AWS_ACCESS_KEY_ID", "test"));
    set_text(list, "AWS_SECRET_ACCESS_KEY", from_server("AWS_SECRET_ACCESS_KEY", "test"));
    if (!key || getenv("AWS_SESSION_TOKEN"))
        set_text(list, "AWS_SESSION_TOKEN", from_server("AWS_SESSION_TOKEN", "test"));
}

static void set_platform(struct variables *list, const struct hg_function *function,
                         const struct hg_plan_inputs *inputs)
{
    const struct hg_workers_options *options = inputs->options;

    set_str(list, HG_STR("_HANDLER"), function->handler);
    set_text(list, "AWS_REGION", options->region);
    set_text(list, "AWS_DEFAULT_REGION", options->region);
    if (inputs->interpreter)
        set_printf(list, "AWS_EXECUTION_ENV", "AWS_Lambda_%.*s", HG_STR_ARG(function->runtime));
    set_str(list, HG_STR("AWS_LAMBDA_FUNCTION_NAME"), function->name);
    set_str(list, HG_STR("AWS_LAMBDA_FUNCTION_VERSION"), function->version);
    set_printf(list, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "%u", function->memory_mb);
    if (function->log_group.n)
        set_str(list, HG_STR("AWS_LAMBDA_LOG_GROUP_NAME"), function->log_group);
    else
        set_printf(list, "AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/%.*s",
                   HG_STR_ARG(function->name));
    if (hg_str_is(function->log_format, "JSON")) {
        set_text(list, "AWS_LAMBDA_LOG_FORMAT", "JSON");
        if (function->app_log_level.n)
            set_str(list, HG_STR("AWS_LAMBDA_LOG_LEVEL"), function->app_log_level);
    }
    set_text(list, "AWS_XRAY_CONTEXT_MISSING", "LOG_ERROR");
    set_text(list, "AWS_XRAY_DAEMON_ADDRESS", "169.254.100.1:2000");
    set_text(list, "_AWS_XRAY_DAEMON_ADDRESS", "169.254.100.1");
    set_text(list, "_AWS_XRAY_DAEMON_PORT", "2000");
    set_str(list, HG_STR("LAMBDA_TASK_ROOT"), function->code_dir);
    set_text(list, "LAMBDA_RUNTIME_DIR", inputs->bootstraps_dir);
    if (inputs->opt_dir[0])
        set_text(list, "HEADGATE_OPT_DIR", inputs->opt_dir);
    if (options->api_endpoint && !has_own_endpoint(function))
        set_text(list, "AWS_ENDPOINT_URL", options->api_endpoint);
}

static void make_environ(struct hg_plan *plan, const struct hg_function *function,
                         const struct hg_plan_inputs *inputs)
{
    struct variables list = {.items = hg_calloc(VARIABLES_MAX + 1, sizeof(char *))};

    set_changeable(&list, function, inputs);
    for (size_t i = 0; i < function->environment.count; i++) {
        if (may_set(function->environment.items[i].key))
            set_str(&list, function->environment.items[i].key,
                    function->environment.items[i].value);
    }
    set_credentials(&list, function, inputs->options);
    set_platform(&list, function, inputs);
    plan->environ = list.items;
    plan->environ_count = list.count;
}

enum hg_rc plan_find_entrypoint(const struct hg_function *function,
                                const struct hg_runtime_id *runtime, const char *opt_dir,
                                char path[HG_PATH_MAX])
{
    struct hg_str name = runtime->family == HG_RUNTIME_GO ? function->handler : HG_STR("bootstrap");

    if (files_path(path, HG_PATH_MAX, "%.*s/%.*s", HG_STR_ARG(function->code_dir),
                   HG_STR_ARG(name)) &&
        files_is_executable(path))
        return HG_OK;
    if (opt_dir[0] && files_path(path, HG_PATH_MAX, "%s/%.*s", opt_dir, HG_STR_ARG(name)) &&
        files_is_executable(path))
        return HG_OK;
    return HG_E_NOT_FOUND;
}

/* AWS_LAMBDA_EXEC_WRAPPER: a program that is given the interpreter's command line; "/opt/" means the layers. */
static char *find_wrapper(const struct hg_function *function, const char *opt_dir)
{
    struct hg_str value = kv_get(&function->environment, HG_STR("AWS_LAMBDA_EXEC_WRAPPER"));
    struct hg_buf path;
    char *wrapper;

    if (!value.n)
        return NULL;
    hg_buf_init(&path, HG_PATH_MAX * 2);
    if (opt_dir[0] && hg_str_starts(value, HG_STR("/opt/"))) {
        hg_buf_append_cstr(&path, opt_dir);
        value = hg_str_skip(value, 4);
    }
    hg_buf_append_str(&path, value);
    wrapper = hg_strndup(hg_buf_str(&path).p, hg_buf_str(&path).n);
    hg_buf_fini(&path);
    return wrapper;
}

static void make_version(struct hg_plan *plan, const struct hg_plan_inputs *inputs)
{
    static const char *const names[HG_RUNTIME_FAMILY_COUNT] = {
        [HG_RUNTIME_PYTHON] = "python", [HG_RUNTIME_NODEJS] = "nodejs"};
    const struct hg_interpreter *interpreter = inputs->interpreter;
    unsigned char digest[HG_SHA256_LEN];
    char text[256];
    int at;

    if (inputs->runtime->family == HG_RUNTIME_PYTHON)
        (void)snprintf(text, sizeof(text), "python:%u.%u", interpreter->major, interpreter->minor);
    else
        (void)snprintf(text, sizeof(text), "%s:%u", names[inputs->runtime->family],
                       interpreter->major ? interpreter->major : inputs->runtime->major);
    plan->runtime_version = hg_strdup(text);
    hg_sha256(hg_str_of(interpreter->path), digest);
    at = snprintf(text, sizeof(text), "arn:aws:lambda:%s::runtime:", inputs->options->region);
    for (size_t i = 0; i < HG_SHA256_LEN && (size_t)at + 3 < sizeof(text); i++)
        at += snprintf(text + at, sizeof(text) - (size_t)at, "%02x", digest[i]);
    plan->runtime_version_arn = hg_strdup(text);
}

struct hg_plan *plan_new(const struct hg_function *function, const struct hg_plan_inputs *inputs,
                         enum hg_rc *rc)
{
    struct hg_plan *plan = hg_calloc(1, sizeof(*plan));
    char path[HG_PATH_MAX];
    size_t count = 0;

    *rc = HG_OK;
    plan->argv = hg_calloc(ARGUMENTS_MAX + 1, sizeof(char *));
    plan->memory_mb = function->memory_mb;
    plan->directory = hg_strndup(function->code_dir.p, function->code_dir.n);
    if (inputs->interpreter) {
        char *wrapper = find_wrapper(function, inputs->opt_dir);

        if (wrapper) {
            /* Through a shell, so that a wrapper that is not there ends with status 127, as in the service. */
            plan->argv[count++] = hg_strdup("/bin/sh");
            plan->argv[count++] = hg_strdup("-c");
            plan->argv[count++] = hg_strdup("exec \"$0\" \"$@\"");
            plan->argv[count++] = wrapper;
        }
        plan->argv[count++] = hg_strdup(inputs->interpreter->path);
        (void)files_path(path, sizeof(path), "%s/%s", inputs->bootstraps_dir,
                         runtime_bootstrap(inputs->runtime->family));
        plan->argv[count++] = hg_strdup(path);
        make_version(plan, inputs);
    } else {
        *rc = plan_find_entrypoint(function, inputs->runtime, inputs->opt_dir, path);
        if (*rc != HG_OK) {
            plan_free(plan);
            return NULL;
        }
        plan->argv[count++] = hg_strdup(path);
    }
    make_environ(plan, function, inputs);
    return plan;
}

static void free_list(char **list)
{
    for (size_t i = 0; list && list[i]; i++)
        free(list[i]);
    free(list);
}

void plan_free(struct hg_plan *plan)
{
    if (!plan)
        return;
    free_list(plan->argv);
    free_list(plan->environ);
    free(plan->directory);
    free(plan->runtime_version);
    free(plan->runtime_version_arn);
    free(plan);
}
