/*
 * Code of functions and content of layers, from paths and texts of the template.
 */
#include "config/package.h"
#include "config/template/notices.h"
#include "config/template/transform_function.h"

static bool is_in_s3(struct hg_str path)
{
    return hg_str_starts(path, HG_STR("s3://")) || hg_str_starts(path, HG_STR("https://"));
}

static bool open_path(struct hg_transform *t, struct hg_str path, const struct hg_node *at,
                      const char *what, struct hg_package *package)
{
    const char *name = hg_arena_strdup(t->scratch, path);
    struct hg_error err = {0};
    enum hg_rc rc;

    if (is_in_s3(path)) {
        problem_at(
            t, at,
            "%s: %s is in S3; it must be on this machine: give the path of a folder or a zip file",
            what, name);
        return false;
    }
    if (path.n == 0) {
        problem_at(t, at, "%s is empty: give the path of a folder or a zip file", what);
        return false;
    }
    if (name[0] != '/')
        name = hg_arena_printf(t->scratch, "%s/%s", t->folder, name);
    rc = package_open(t->arena, name, t->options->data_dir, t->options->is_check_only, package,
                      &err);
    if (rc == HG_OK)
        return true;
    if (rc == HG_E_NOT_FOUND)
        problem_at(t, at,
                   "%s: %.*s does not exist (looked for %s); run `sam build` or fix the path", what,
                   HG_STR_ARG(path), name);
    else
        problem_at(t, at, "%s: %s", what, err.text);
    return false;
}

static void set_code(struct hg_function *function, const struct hg_package *package)
{
    function->code_dir = package->dir;
    function->code_zip = package->zip;
    function->code_sha256 = package->sha256;
    function->code_size = package->size;
}

bool code_from_path(struct hg_transform *t, struct hg_function *function, struct hg_str path,
                    const struct hg_node *at, const char *what)
{
    struct hg_package package = {0};

    if (!open_path(t, path, at, what, &package))
        return false;
    set_code(function, &package);
    return true;
}

/* Inline source is index.py or index.js: another module in Handler is not there. */
static void check_inline_handler(struct hg_transform *t, const struct hg_function *function,
                                 const struct hg_node *at, const char *what)
{
    if (function->handler.n && !hg_str_starts(function->handler, HG_STR("index.")))
        notice_add(t, HG_NOTICE_WARNING, at->line,
                   "%s: the text becomes the module index; Handler %.*s looks elsewhere", what,
                   HG_STR_ARG(function->handler));
}

bool code_from_text(struct hg_transform *t, struct hg_function *function, struct hg_str text,
                    const struct hg_node *at, const char *what)
{
    struct hg_package package = {0};
    struct hg_error err = {0};

    if (!text.p) {
        problem_at(t, at, "%s must be a text", what);
        return false;
    }
    if (!function->runtime.n)
        return false;
    if (package_inline(t->arena, function->runtime, text, t->options->data_dir,
                       t->options->is_check_only, &package, &err) != HG_OK) {
        problem_at(t, at, "%s: %s", what, err.text);
        return false;
    }
    check_inline_handler(t, function, at, what);
    set_code(function, &package);
    return true;
}

bool code_layer(struct hg_transform *t, struct hg_str path, const struct hg_node *at,
                const char *what, struct hg_layer_version *version)
{
    struct hg_package package = {0};

    if (!open_path(t, path, at, what, &package))
        return false;
    version->dir = package.dir;
    version->zip = package.zip;
    version->sha256 = package.sha256;
    version->size = package.size;
    return true;
}
