#include "config/template/transform_function.h"

#include "config/suggest.h"
#include "config/template/notices.h"
#include "core/clock.h"
#include "core/id.h"

#include <inttypes.h>

#ifdef __aarch64__
#define HG_MACHINE_ARCHITECTURE "arm64"
#else
#define HG_MACHINE_ARCHITECTURE "x86_64"
#endif

enum {
    TIMEOUT_DEFAULT_S = 3,
    TIMEOUT_MAX_S = 900,
    MEMORY_DEFAULT_MB = 128,
    MEMORY_MAX_MB = 10240,
    EPHEMERAL_DEFAULT_MB = 512,
    CONCURRENCY_MAX = 1000000,
    NAME_MAX_BYTES = 64,
    LAYERS_MAX = 5,
    ENVIRONMENT_MAX_BYTES = 4096,
};

static const struct {
    const char *pattern;
    bool is_served;
    const char *remedy;
} runtimes[] = {
#define HG_RUNTIME(pattern, is_served, remedy) {pattern, is_served, remedy},
#include "config/template/runtimes.def"
#undef HG_RUNTIME
};

/* Variables that the platform itself sets. */
static const char *const reserved_variables[] = {
    "AWS_DEFAULT_REGION",
    "AWS_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SECRET_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_LAMBDA_RUNTIME_API",
    "LAMBDA_TASK_ROOT",
    "LAMBDA_RUNTIME_DIR",
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool fits_pattern(struct hg_str name, const char *pattern)
{
    size_t at = 0;

    for (; *pattern; pattern++) {
        if (*pattern != '#') {
            if (at >= name.n || name.p[at++] != *pattern)
                return false;
            continue;
        }
        if (at >= name.n || !is_digit(name.p[at]))
            return false;
        while (at < name.n && is_digit(name.p[at]))
            at++;
    }
    return at == name.n;
}

static void check_runtime(struct hg_transform *t, const struct hg_resource *resource,
                          const struct hg_node *node)
{
    struct hg_suggest suggest = {.wanted = node->text};

    for (size_t i = 0; i < HG_COUNT(runtimes); i++) {
        if (!fits_pattern(node->text, runtimes[i].pattern))
            continue;
        if (!runtimes[i].is_served)
            notice_add(t, HG_NOTICE_NOT_SERVED, node->line, "%.*s: runtime %.*s%s",
                       HG_STR_ARG(resource->id), HG_STR_ARG(node->text), runtimes[i].remedy);
        return;
    }
    suggest_offer_cstr(&suggest, "python3.13");
    suggest_offer_cstr(&suggest, "nodejs22.x");
    suggest_offer_cstr(&suggest, "provided.al2023");
    problem_at(
        t, node,
        "%.*s: Runtime %.*s is not a Lambda runtime (python3.x, nodejsN.x, provided.al2023, …)%s",
        HG_STR_ARG(resource->id), HG_STR_ARG(node->text), suggest_text(&suggest));
}

static void check_name(struct hg_transform *t, const struct hg_resource *resource,
                       struct hg_str name)
{
    const struct hg_node *at = resource_get(resource, "FunctionName");
    bool is_good = name.n > 0 && name.n <= NAME_MAX_BYTES;

    for (size_t i = 0; is_good && i < name.n; i++) {
        char c = name.p[i];

        is_good =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '-' || c == '_';
    }
    if (!is_good)
        problem_at(
            t, at ? at : resource->raw,
            "%.*s: FunctionName must be 1 to 64 letters, digits, hyphens and underscores, not \"%.*s\"",
            HG_STR_ARG(resource->id), HG_STR_ARG(name));
    else if (hg_map_get(&t->stack->functions_by_name, name))
        problem_at(t, at ? at : resource->raw, "%.*s: Function already exist: %.*s",
                   HG_STR_ARG(resource->id), HG_STR_ARG(name));
}

static struct hg_str read_choice(struct hg_transform *t, const struct hg_node *node,
                                 const char *what, const char *const *choices, size_t count)
{
    struct hg_str text = read_text(t, node, what, hg_str_of(choices[0]));
    struct hg_str all = {0};

    for (size_t i = 0; i < count; i++) {
        if (hg_str_is(text, choices[i]))
            return text;
        all = transform_textf(t, "%.*s%s%s", HG_STR_ARG(all), i ? ", " : "", choices[i]);
    }
    problem_at(t, node, "%s must be one of %.*s, not %.*s", what, HG_STR_ARG(all),
               HG_STR_ARG(text));
    return hg_str_of(choices[0]);
}

static void read_architecture(struct hg_transform *t, const struct hg_resource *resource,
                              struct hg_function *function)
{
    static const char *const choices[] = {"x86_64", "arm64"};
    const struct hg_node *list = resource_get(resource, "Architectures");

    function->architecture = HG_STR("x86_64");
    if (!list)
        return;
    if (node_is_list(list) && list->count == 1)
        function->architecture =
            read_choice(t, list->items[0], resource_what(t, resource, "Architectures"), choices,
                        HG_COUNT(choices));
    else
        problem_at(t, list, "%.*s: Architectures must be a list with one of x86_64 and arm64",
                   HG_STR_ARG(resource->id));
}

/* What is stored and reported, and has no effect when the function runs: said, so that nobody relies on it. */
static void warn_of_no_effect(struct hg_transform *t, const struct hg_resource *resource,
                              const struct hg_function *function)
{
    const struct hg_node *storage = resource_get(resource, "EphemeralStorage");

    if (storage)
        notice_add(
            t, HG_NOTICE_WARNING, storage->line,
            "%.*s: EphemeralStorage: the size of temporary storage is reported, not enforced",
            HG_STR_ARG(resource->id));
    if (resource_get(resource, "Architectures") &&
        !hg_str_is(function->architecture, HG_MACHINE_ARCHITECTURE))
        notice_add(
            t, HG_NOTICE_WARNING, resource_get(resource, "Architectures")->line,
            "%.*s: Architectures: this machine is %s; native code built for %.*s will not run",
            HG_STR_ARG(resource->id), HG_MACHINE_ARCHITECTURE, HG_STR_ARG(function->architecture));
}

static bool is_variable_name(struct hg_str name)
{
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

        if (!is_letter && (i == 0 || (!is_digit(c) && c != '_')))
            return false;
    }
    return name.n > 0;
}

static void check_variable(struct hg_transform *t, const struct hg_resource *resource,
                           const struct hg_node_member *member)
{
    if (!is_variable_name(member->key))
        problems_add(
            t->problems, member->line, member->column,
            "%.*s: Environment: %.*s is not a name for a variable: letters, digits and underscores, a letter first",
            HG_STR_ARG(resource->id), HG_STR_ARG(member->key));
    for (size_t i = 0; i < HG_COUNT(reserved_variables); i++) {
        if (hg_str_is(member->key, reserved_variables[i]))
            problems_add(
                t->problems, member->line, member->column,
                "%.*s: Environment: %.*s is a reserved key that Lambda sets itself; remove it",
                HG_STR_ARG(resource->id), HG_STR_ARG(member->key));
    }
}

static void read_environment(struct hg_transform *t, const struct hg_resource *resource,
                             struct hg_function *function)
{
    const struct hg_node *block = resource_get(resource, "Environment");
    const struct hg_node *variables = node_get(block, "Variables");
    size_t bytes = 2;

    if (!block)
        return;
    function->has_environment = true;
    if (!node_is_map(block)) {
        problem_at(t, block, "%.*s: Environment must be a map with Variables",
                   HG_STR_ARG(resource->id));
        return;
    }
    for (size_t i = 0; i < block->count; i++) {
        if (!hg_str_is(block->members[i].key, "Variables"))
            notice_add(t, HG_NOTICE_UNKNOWN, block->members[i].line,
                       "%.*s: Environment: unknown property %.*s; variables stand below Variables",
                       HG_STR_ARG(resource->id), HG_STR_ARG(block->members[i].key));
    }
    for (size_t i = 0; node_is_map(variables) && i < variables->count; i++)
        check_variable(t, resource, &variables->members[i]);
    function->environment = read_pairs(t, variables, resource_what(t, resource, "Environment"));
    for (size_t i = 0; i < function->environment.count; i++) /* as JSON: quotes, colon, comma */
        bytes += function->environment.items[i].key.n + function->environment.items[i].value.n + 6;
    if (bytes > ENVIRONMENT_MAX_BYTES)
        problem_at(t, variables,
                   "%.*s: Environment: the variables exceed the 4KB limit (%zu bytes)",
                   HG_STR_ARG(resource->id), bytes);
}

static void read_logging(struct hg_transform *t, const struct hg_resource *resource,
                         struct hg_function *function)
{
    static const char *const formats[] = {"Text", "JSON"};
    static const char *const levels[] = {"INFO", "TRACE", "DEBUG", "WARN", "ERROR", "FATAL"};
    static const char *const system_levels[] = {"INFO", "DEBUG", "WARN"};
    const struct hg_node *config = resource_get(resource, "LoggingConfig");
    const struct hg_node *level = node_get(config, "ApplicationLogLevel"),
                         *system = node_get(config, "SystemLogLevel");

    function->log_format = read_choice(t, node_get(config, "LogFormat"),
                                       resource_what(t, resource, "LoggingConfig.LogFormat"),
                                       formats, HG_COUNT(formats));
    function->log_group = read_text(
        t, node_get(config, "LogGroup"), resource_what(t, resource, "LoggingConfig.LogGroup"),
        transform_textf(t, "/aws/lambda/%.*s", HG_STR_ARG(function->name)));
    function->app_log_level = function->system_log_level = HG_STR("");
    if (hg_str_is(function->log_format, "JSON")) {
        function->app_log_level =
            read_choice(t, level, resource_what(t, resource, "LoggingConfig.ApplicationLogLevel"),
                        levels, HG_COUNT(levels));
        function->system_log_level =
            read_choice(t, system, resource_what(t, resource, "LoggingConfig.SystemLogLevel"),
                        system_levels, HG_COUNT(system_levels));
    } else if (level || system) {
        problem_at(
            t, config,
            "%.*s: LogLevel is not supported when LogFormat is set to \"Text\". Remove LogLevel from your "
            "request or change the LogFormat to \"JSON\" and try again.",
            HG_STR_ARG(resource->id));
    }
}

static const struct hg_layer_version *find_layer(const struct hg_transform *t, struct hg_str arn)
{
    const struct hg_stack *stack = t->stack;

    for (size_t i = 0; i < stack->layer_count; i++)
        if (hg_str_eq(stack->layers[i].version.arn, arn))
            return &stack->layers[i].version;
    return NULL;
}

static void add_layer(struct hg_transform *t, struct hg_function *function,
                      const struct hg_layer_version *layer)
{
    size_t at = function->layer_count++, item = sizeof(struct hg_str);

    function->layer_dirs = transform_grow(t->arena, function->layer_dirs, at, item);
    function->layer_arns = transform_grow(t->arena, function->layer_arns, at, item);
    function->layer_sizes = transform_grow(t->arena, function->layer_sizes, at, item);
    function->layer_dirs[at] = layer->dir;
    function->layer_arns[at] = layer->arn;
    function->layer_sizes[at] = transform_keepf(t, "%" PRIu64, layer->size);
}

static void read_layers(struct hg_transform *t, const struct hg_resource *resource,
                        struct hg_function *function)
{
    const struct hg_node *list = resource_get(resource, "Layers");

    if (list && !node_is_list(list))
        problem_at(t, list, "%.*s: Layers must be a list of layer ARNs", HG_STR_ARG(resource->id));
    if (node_is_list(list) && list->count > LAYERS_MAX)
        problem_at(t, list, "%.*s: Cannot reference more than 5 layers.", HG_STR_ARG(resource->id));
    for (size_t i = 0; node_is_list(list) && i < list->count; i++) {
        const struct hg_node *item = list->items[i];
        const struct hg_layer_version *layer = find_layer(t, node_text(item));

        if (!layer) {
            notice_add(t, HG_NOTICE_NOT_SERVED, item->line,
                       "%.*s: layer %.*s is not in this template; the function runs "
                       "without it",
                       HG_STR_ARG(resource->id), HG_STR_ARG(node_text(item)));
            continue;
        }
        add_layer(t, function, layer);
    }
}

static void read_sizes(struct hg_transform *t, const struct hg_resource *resource,
                       struct hg_function *function)
{
    function->timeout_s = (unsigned)read_int(t, resource_get(resource, "Timeout"),
                                             resource_what(t, resource, "Timeout"), 1,
                                             TIMEOUT_MAX_S, TIMEOUT_DEFAULT_S);
    function->memory_mb = (unsigned)read_int(t, resource_get(resource, "MemorySize"),
                                             resource_what(t, resource, "MemorySize"),
                                             MEMORY_DEFAULT_MB, MEMORY_MAX_MB, MEMORY_DEFAULT_MB);
    function->ephemeral_mb =
        (unsigned)read_int(t, node_get(resource_get(resource, "EphemeralStorage"), "Size"),
                           resource_what(t, resource, "EphemeralStorage.Size"),
                           EPHEMERAL_DEFAULT_MB, MEMORY_MAX_MB, EPHEMERAL_DEFAULT_MB);
    function->reserved_concurrency = (int)read_int(
        t, resource_get(resource, "ReservedConcurrentExecutions"),
        resource_what(t, resource, "ReservedConcurrentExecutions"), 0, CONCURRENCY_MAX, -1);
}

static bool read_recursion(struct hg_transform *t, const struct hg_resource *resource)
{
    static const char *const choices[] = {"Terminate", "Allow"};
    struct hg_str text =
        read_choice(t, resource_get(resource, "RecursiveLoop"),
                    resource_what(t, resource, "RecursiveLoop"), choices, HG_COUNT(choices));

    return hg_str_is(text, "Allow");
}

static void add_function(struct hg_transform *t, const struct hg_resource *resource,
                         struct hg_function *function)
{
    struct hg_stack *stack = t->stack;

    stack->functions =
        transform_grow(t->arena, stack->functions, stack->function_count, sizeof(void *));
    stack->functions[stack->function_count++] = function;
    if (!hg_map_get(&stack->functions_by_name, function->name))
        hg_map_set(&stack->functions_by_name, function->name, function);
    hg_map_set(&t->functions_by_id, resource->id, function);
}

struct hg_function *function_make(struct hg_transform *t, const struct hg_resource *resource)
{
    struct hg_function *function = hg_arena_must(t->arena, sizeof(*function));
    const struct hg_node *runtime = resource_get(resource, "Runtime");
    char revision[HG_UUID_LEN + 1];

    function->logical_id = transform_keep(t, resource->id);
    function->name = transform_keep(t, eval_ref(t->eval, resource->id, resource->raw));
    function->arn =
        transform_keep(t, eval_attribute(t->eval, resource->id, HG_STR("Arn"), resource->raw));
    function->version = HG_STR("$LATEST");
    function->line = resource->line;
    check_name(t, resource, function->name);
    function->runtime = read_text(t, runtime, resource_what(t, resource, "Runtime"), HG_STR(""));
    if (node_is_scalar(runtime))
        check_runtime(t, resource, runtime);
    function->handler = read_text(t, resource_get(resource, "Handler"),
                                  resource_what(t, resource, "Handler"), HG_STR(""));
    function->description = read_text(t, resource_get(resource, "Description"),
                                      resource_what(t, resource, "Description"), HG_STR(""));
    function->role = read_text(t, resource_get(resource, "Role"),
                               resource_what(t, resource, "Role"), HG_STR(""));
    read_sizes(t, resource, function);
    read_architecture(t, resource, function);
    warn_of_no_effect(t, resource, function);
    read_environment(t, resource, function);
    env_vars_apply(t, function);
    read_logging(t, resource, function);
    read_layers(t, resource, function);
    function->may_recurse = read_recursion(t, resource);
    function->dead_letter = HG_STR("");
    function->last_modified_ms = hg_wall_ms();
    hg_uuid(revision);
    function->revision_id = transform_keep(t, hg_str_of(revision));
    function->code_dir = function->code_sha256 = HG_STR("");
    function->tracing_mode = HG_STR("PassThrough");
    add_function(t, resource, function);
    return function;
}

void function_give_up(struct hg_transform *t, const struct hg_resource *resource)
{
    hg_map_set(&t->broken_functions,
               hg_arena_str(t->scratch, eval_ref(t->eval, resource->id, resource->raw)),
               (void *)resource);
}

struct hg_str function_tracing_mode(struct hg_transform *t, const struct hg_node *mode,
                                    const char *what)
{
    static const char *const choices[] = {"PassThrough", "Active", "Disabled"};
    struct hg_str text = read_choice(t, mode, what, choices, HG_COUNT(choices));

    return hg_str_is(text, "Disabled") ? HG_STR("PassThrough") : text;
}

void function_check_build(struct hg_transform *t, const struct hg_resource *resource)
{
    static const char *const needing[] = {"makefile", "esbuild", "rust-cargolambda", "go1.x"};
    const struct hg_node *method = resource_metadata(resource, "BuildMethod");

    if (!node_is_scalar(method) || t->is_built)
        return;
    for (size_t i = 0; i < HG_COUNT(needing); i++) {
        if (hg_str_is(method->text, needing[i]))
            notice_add(t, HG_NOTICE_WARNING, method->line,
                       "%.*s: BuildMethod %s: the code is served as it is; run "
                       "`sam build` to have it built",
                       HG_STR_ARG(resource->id), needing[i]);
    }
}
