#include "tests/unit/config/transform_case.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TEXT_MAX = 1 << 20, PATH_BYTES = 512 };

static const char *const notice_names[] = {"later", "unknown", "warning"};
static const char *const integ_names[] = {"proxy", "lambda", "http_proxy", "http", "aws", "mock"};

void case_init(struct transform_case *c)
{
    *c = (struct transform_case){.folder = "/tmp/headgate-template-XXXXXX"};
    assert_non_null(mkdtemp(c->folder));
    hg_buf_init(&c->text, TEXT_MAX);
    c->options.data_dir = c->folder;
}

static int remove_one(const char *path, const struct stat *info, int flag, struct FTW *walk)
{
    (void)info, (void)flag, (void)walk;
    return remove(path);
}

static void forget(struct transform_case *c)
{
    stack_unref(c->stack);
    c->stack = NULL;
    problems_fini(&c->problems);
}

void case_fini(struct transform_case *c)
{
    forget(c);
    hg_buf_fini(&c->text);
    (void)nftw(c->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void case_file(struct transform_case *c, const char *name, const char *content)
{
    char path[PATH_BYTES];
    FILE *file;

    (void)snprintf(path, sizeof(path), "%s/%s", c->folder, name);
    for (char *slash = strchr(path + strlen(c->folder) + 1, '/'); slash;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(path, 0755); /* may be there */
        *slash = '/';
    }
    file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(content, 1, strlen(content), file), strlen(content));
    assert_int_equal(fclose(file), 0);
}

void case_load_path(struct transform_case *c, const char *path)
{
    forget(c);
    c->stack = template_load(path, &c->options, &c->problems);
    assert_true((c->stack == NULL) == (c->problems.count > 0));
}

void case_load(struct transform_case *c, const char *text)
{
    char path[PATH_BYTES];

    case_file(c, "template.yaml", text);
    (void)snprintf(path, sizeof(path), "%s/template.yaml", c->folder);
    case_load_path(c, path);
}

static void tell_functions(struct hg_buf *out, const struct hg_stack *s)
{
    for (size_t i = 0; i < s->function_count; i++) {
        const struct hg_function *f = s->functions[i];

        hg_buf_printf(out, "function %.*s:%.*s %.*s %.*s %us %uMB", HG_STR_ARG(f->name),
                      HG_STR_ARG(f->version), HG_STR_ARG(f->runtime), HG_STR_ARG(f->handler),
                      f->timeout_s, f->memory_mb);
        if (f->reserved_concurrency >= 0)
            hg_buf_printf(out, " reserved=%d", f->reserved_concurrency);
        if (f->layer_count)
            hg_buf_printf(out, " layers=%zu", f->layer_count);
        if (f->dead_letter.n)
            hg_buf_printf(out, " dead=%.*s", HG_STR_ARG(f->dead_letter));
        if (f->may_recurse)
            hg_buf_append_cstr(out, " recursive");
        for (size_t j = 0; j < f->environment.count; j++)
            hg_buf_printf(out, " %.*s=%.*s", HG_STR_ARG(f->environment.items[j].key),
                          HG_STR_ARG(f->environment.items[j].value));
        hg_buf_append_byte(out, '\n');
    }
    for (size_t i = 0; i < s->alias_count; i++)
        hg_buf_printf(out, "alias %.*s:%.*s -> %.*s\n", HG_STR_ARG(s->aliases[i].function_name),
                      HG_STR_ARG(s->aliases[i].name), HG_STR_ARG(s->aliases[i].function->version));
    for (size_t i = 0; i < s->url_count; i++)
        hg_buf_printf(out, "url %.*s:%.*s %.*s %.*s\n", HG_STR_ARG(s->urls[i].function->name),
                      HG_STR_ARG(s->urls[i].function->version), HG_STR_ARG(s->urls[i].auth_type),
                      HG_STR_ARG(s->urls[i].invoke_mode));
    for (size_t i = 0; i < s->provisioned_count; i++)
        hg_buf_printf(out, "provisioned %.*s:%.*s %u\n",
                      HG_STR_ARG(s->provisioned[i].function_name),
                      HG_STR_ARG(s->provisioned[i].qualifier), s->provisioned[i].requested);
}

static void tell_event_settings(struct hg_buf *out, const struct hg_stack *s)
{
    for (size_t i = 0; i < s->event_setting_count; i++) {
        const struct hg_event_setting *setting = &s->event_settings[i];

        hg_buf_printf(out, "setting %u: %.*s:%.*s", setting->line,
                      HG_STR_ARG(setting->function_name), HG_STR_ARG(setting->qualifier));
        if (setting->max_retries >= 0)
            hg_buf_printf(out, " retries=%d", setting->max_retries);
        if (setting->max_age_s >= 0)
            hg_buf_printf(out, " age=%d", setting->max_age_s);
        if (setting->on_success.n)
            hg_buf_printf(out, " success=%.*s", HG_STR_ARG(setting->on_success));
        if (setting->on_failure.n)
            hg_buf_printf(out, " failure=%.*s", HG_STR_ARG(setting->on_failure));
        hg_buf_append_byte(out, '\n');
    }
}

static void tell_pairs(struct hg_buf *out, const char *what, const struct hg_kv_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        hg_buf_printf(out, " %s%.*s=%.*s", what, HG_STR_ARG(list->items[i].key),
                      HG_STR_ARG(list->items[i].value));
}

/* ARNs are shortened to what differs: "fn" or "fn:alias". */
static struct hg_str short_ref(struct hg_str ref)
{
    ptrdiff_t at = hg_str_find_str(ref, HG_STR(":function:"));

    return at < 0 ? ref : hg_str_skip(ref, (size_t)at + strlen(":function:"));
}

static void tell_route(struct hg_buf *out, const struct hg_api *api, const struct hg_route *route)
{
    const struct hg_integ_model *in = route->integration;

    hg_buf_printf(out, "route %.*s %.*s %.*s -> %s", HG_STR_ARG(api->logical_id),
                  HG_STR_ARG(route->method.n ? route->method : HG_STR("$default")),
                  HG_STR_ARG(route->path), integ_names[in->type]);
    if (in->function_ref.n)
        hg_buf_printf(out, " %.*s", HG_STR_ARG(short_ref(in->function_ref)));
    if (in->payload_version.n)
        hg_buf_printf(out, " v%.*s", HG_STR_ARG(in->payload_version));
    if (in->invocation_type.n)
        hg_buf_printf(out, " type=%.*s", HG_STR_ARG(in->invocation_type));
    if (in->timeout_ms)
        hg_buf_printf(out, " %ums", in->timeout_ms);
    if (!hg_str_is(route->authorization, "NONE"))
        hg_buf_printf(out, " %.*s", HG_STR_ARG(route->authorization));
    if (route->is_api_key_required)
        hg_buf_append_cstr(out, " key");
    if (in->unsupported.n)
        hg_buf_append_cstr(out, " 501");
    hg_buf_append_byte(out, '\n');
    for (size_t i = 0; in->type == HG_INTEG_MOCK && i < in->response_count; i++) {
        hg_buf_printf(out, "mock %.*s %.*s [%.*s] %d", HG_STR_ARG(route->method),
                      HG_STR_ARG(route->path), HG_STR_ARG(in->responses[i].selection_pattern),
                      in->responses[i].status);
        tell_pairs(out, "", &in->responses[i].parameters);
        hg_buf_append_byte(out, '\n');
    }
}

static void tell_api(struct hg_buf *out, const struct hg_api *api)
{
    hg_buf_printf(out, "api %s %.*s %.*s", api->kind == HG_API_REST ? "REST" : "HTTP",
                  HG_STR_ARG(api->logical_id), HG_STR_ARG(api->name));
    for (size_t i = 0; i < api->binary_type_count; i++)
        hg_buf_printf(out, " binary=%.*s", HG_STR_ARG(api->binary_types[i]));
    if (api->is_endpoint_disabled)
        hg_buf_append_cstr(out, " disabled");
    for (size_t i = 0; i < api->cors.allow_origin_count; i++)
        hg_buf_printf(out, " origin=%.*s", HG_STR_ARG(api->cors.allow_origins[i]));
    hg_buf_append_byte(out, '\n');
    for (size_t i = 0; i < api->stage_count; i++) {
        const struct hg_stage *stage = &api->stages[i];

        hg_buf_printf(out, "stage %.*s %.*s", HG_STR_ARG(api->logical_id), HG_STR_ARG(stage->name));
        tell_pairs(out, "", &stage->variables);
        if (stage->access_log_format.n)
            hg_buf_printf(out, " log=%.*s", HG_STR_ARG(stage->access_log_format));
        if (stage->has_throttle)
            hg_buf_printf(out, " rate=%g burst=%g", stage->throttle_rate, stage->throttle_burst);
        hg_buf_append_byte(out, '\n');
    }
    for (size_t i = 0; i < api->gateway_response_count; i++) {
        const struct hg_gateway_response *response = &api->gateway_responses[i];

        hg_buf_printf(out, "response %.*s %d", HG_STR_ARG(response->type), response->status);
        tell_pairs(out, "", &response->parameters);
        tell_pairs(out, "", &response->templates);
        hg_buf_append_byte(out, '\n');
    }
    for (size_t i = 0; i < api->route_count; i++)
        tell_route(out, api, &api->routes[i]);
}

static void tell_all(struct transform_case *c, struct hg_buf *out)
{
    const struct hg_stack *s = c->stack;

    for (size_t i = 0; i < c->problems.count; i++)
        hg_buf_printf(out, "problem %u: %s\n", c->problems.items[i].line,
                      c->problems.items[i].text);
    if (!s)
        return;
    tell_functions(out, s);
    tell_event_settings(out, s);
    for (size_t i = 0; i < s->api_count; i++)
        tell_api(out, &s->apis[i]);
    for (size_t i = 0; i < s->output_count; i++)
        hg_buf_printf(out, "output %.*s=%.*s\n", HG_STR_ARG(s->outputs[i].name),
                      HG_STR_ARG(s->outputs[i].value));
    for (size_t i = 0; i < s->notice_count; i++)
        hg_buf_printf(out, "%s %u: %.*s\n", notice_names[s->notices[i].kind], s->notices[i].line,
                      HG_STR_ARG(s->notices[i].text));
}

static bool is_wanted(struct hg_str line, const char *only)
{
    struct hg_str rest = hg_str_of(only), word;

    while (hg_str_next(&rest, ' ', &word)) {
        if (hg_str_starts(line, word))
            return true;
    }
    return false;
}

struct hg_str case_tell(struct transform_case *c, const char *only)
{
    struct hg_str rest, line;
    struct hg_buf all;

    hg_buf_init(&all, TEXT_MAX);
    hg_buf_clear(&c->text, TEXT_MAX);
    tell_all(c, &all);
    rest = hg_buf_str(&all);
    while (hg_str_next(&rest, '\n', &line)) {
        if (line.n && (!only || is_wanted(line, only)))
            hg_buf_printf(&c->text, "%.*s\n", HG_STR_ARG(line));
    }
    hg_buf_append_byte(&c->text, '\0');
    hg_buf_fini(&all);
    assert_false(c->text.is_overflown);
    return hg_str_n(hg_buf_str(&c->text).p, hg_buf_str(&c->text).n - 1);
}

void case_expect(struct transform_case *c, const char *text, const char *only, const char *expected)
{
    case_load(c, text);
    assert_string_equal(case_tell(c, only).p, expected);
}

int case_setup(void **state)
{
    struct transform_case *c = hg_calloc(1, sizeof(*c));

    case_init(c);
    *state = c;
    return 0;
}

int case_teardown(void **state)
{
    case_fini(*state);
    free(*state);
    return 0;
}
