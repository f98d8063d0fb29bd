/*
 * Hosts and stages.
 */
#include "gateway/address.h"

/* Addresses of the service's two kinds of endpoint, by host and by path. */
static const struct endpoint {
    struct hg_str path_prefix, host_label;
} execute_api = {{"/_aws/execute-api/", 18}, {"execute-api", 11}},
  lambda_url = {{"/_aws/lambda-url/", 17}, {"lambda-url", 10}};

static bool is_default_name(struct hg_str name)
{
    return hg_str_is(name, "$default");
}

/* The id in "{id}.execute-api.…"; p is NULL when the host is another kind of name. */
static struct hg_str host_id(const struct endpoint *endpoint, struct hg_str host)
{
    ptrdiff_t dot = hg_str_find(host, '.');
    struct hg_str label = endpoint->host_label, rest, next;

    if (dot <= 0)
        return hg_str_n(NULL, 0);
    rest = hg_str_skip(host, (size_t)dot + 1);
    if (rest.n < label.n || !hg_str_eq_nocase(hg_str_n(rest.p, label.n), label))
        return hg_str_n(NULL, 0);
    next = hg_str_skip(rest, label.n);
    if (next.n && next.p && next.p[0] != '.' && next.p[0] != ':')
        return hg_str_n(NULL, 0);
    return hg_str_n(host.p, (size_t)dot);
}

static bool is_of(const struct endpoint *endpoint, struct hg_str host, struct hg_str path)
{
    return hg_str_starts(path, endpoint->path_prefix) || host_id(endpoint, host).p;
}

bool address_is_explicit(struct hg_str host, struct hg_str path)
{
    return is_of(&execute_api, host, path) || is_of(&lambda_url, host, path);
}

static const struct hg_api *api_of(const struct hg_stack *stack, struct hg_str id)
{
    for (size_t i = 0; i < stack->api_count; i++) {
        if (hg_str_eq_nocase(stack->apis[i].id, id))
            return &stack->apis[i];
    }
    return NULL;
}

static struct hg_stage_plan *stage_of(const struct hg_api *api, struct hg_str name)
{
    const struct hg_api_plan *plan = api_plan_of(api);

    for (size_t i = 0; i < api->stage_count; i++) {
        if (hg_str_eq(api->stages[i].name, name))
            return &plan->stages[i];
    }
    return NULL;
}

static struct hg_str without_extra_slashes(struct hg_str path)
{
    while (path.n > 1 && path.p[0] == '/' && path.p[1] == '/')
        path = hg_str_skip(path, 1);
    return path;
}

static struct hg_str first_segment(struct hg_str path)
{
    ptrdiff_t slash;

    if (path.n == 0)
        return path;
    path = hg_str_skip(path, 1);
    slash = hg_str_find(path, '/');
    return slash < 0 ? path : hg_str_n(path.p, (size_t)slash);
}

static struct hg_str behind_segment(struct hg_str path, struct hg_str segment)
{
    path = hg_str_skip(path, 1 + segment.n);
    return path.n ? path : HG_STR("/");
}

/* The stage within the API; path is what follows the API's address. */
static void find_stage(struct hg_str path, struct hg_address *address)
{
    const struct hg_api *api = address->api;
    struct hg_str segment;

    if (api->kind == HG_API_REST)
        path = without_extra_slashes(path);
    segment = first_segment(path);
    address->stage_path = address->path = path;
    address->stage = is_default_name(segment) ? NULL : stage_of(api, segment);
    if (address->stage) {
        address->path = behind_segment(path, segment);
        if (api->kind == HG_API_REST)
            address->path = without_extra_slashes(address->path);
    } else if (api->kind == HG_API_HTTP) {
        address->stage = api_plan_of(api)->default_stage;
    }
}

static void find_by_path(const struct hg_stack *stack, struct hg_str path,
                         struct hg_address *address)
{
    struct hg_str rest = hg_str_skip(path, execute_api.path_prefix.n - 1), id = first_segment(rest);

    address->api = api_of(stack, id);
    if (!address->api)
        return;
    rest = behind_segment(rest, id);
    /* Written out, "$default" is no part of the path: that stage has none. */
    if (address->api->kind == HG_API_HTTP && is_default_name(first_segment(rest)))
        rest = behind_segment(rest, first_segment(rest));
    find_stage(rest, address);
}

/* The only API that has a stage of that name; NULL when there is none, or more than one. */
static const struct hg_api *owner_of(const struct hg_stack *stack, struct hg_str stage_name)
{
    const struct hg_api *owner = NULL;

    for (size_t i = 0; i < stack->api_count; i++) {
        for (size_t s = 0; s < stack->apis[i].stage_count; s++) {
            if (!hg_str_eq(stack->apis[i].stages[s].name, stage_name))
                continue;
            if (owner)
                return NULL;
            owner = &stack->apis[i];
        }
    }
    return owner;
}

static const struct hg_api *plain_owner(const struct hg_stack *stack, struct hg_str path)
{
    struct hg_str segment = first_segment(without_extra_slashes(path));
    const struct hg_api *owner;

    if (stack->api_count == 1)
        return &stack->apis[0];
    owner = segment.n && !is_default_name(segment) ? owner_of(stack, segment) : NULL;
    return owner ? owner : owner_of(stack, HG_STR("$default"));
}

static void find_url(const struct hg_snapshot *snapshot, struct hg_str host, struct hg_str path,
                     struct hg_address *address)
{
    struct hg_str id = host_id(&lambda_url, host);
    const struct hg_url_front *front;
    char lower[HG_URL_ID_MAX];

    if (hg_str_starts(path, lambda_url.path_prefix)) {
        path = hg_str_skip(path, lambda_url.path_prefix.n - 1);
        id = first_segment(path);
        path = behind_segment(path, id);
    }
    address->is_function_url = true;
    address->stage_path = address->path = path;
    if (!id.p || id.n > sizeof(lower))
        return;
    for (size_t i = 0; i < id.n; i++)
        lower[i] = (char)(id.p[i] >= 'A' && id.p[i] <= 'Z' ? id.p[i] + ('a' - 'A') : id.p[i]);
    front = snapshot_url(snapshot, hg_str_n(lower, id.n));
    if (!front)
        return;
    address->api = &front->stack->apis[0];
    address->stage = api_plan_of(address->api)->default_stage;
}

void address_find(const struct hg_snapshot *snapshot, struct hg_str host, struct hg_str path,
                  struct hg_address *address)
{
    const struct hg_stack *stack = snapshot->stack;
    struct hg_str id;

    *address = (struct hg_address){.stage_path = path, .path = path};
    if (hg_str_starts(path, execute_api.path_prefix)) {
        find_by_path(stack, path, address);
    } else if (is_of(&lambda_url, host, path)) {
        find_url(snapshot, host, path, address);
    } else if ((id = host_id(&execute_api, host)).p) {
        address->api = api_of(stack, id);
        if (address->api)
            find_stage(path, address);
    } else {
        address->api = plain_owner(stack, path);
        if (address->api)
            find_stage(path, address);
        /*
         * What stands for a custom domain name here stays open when the default endpoint is closed.
         */
        return;
    }
    if (address->api && address->api->is_endpoint_disabled)
        address->stage = NULL;
}

bool address_is_plain(const struct hg_stack *stack, const struct hg_api *api,
                      const struct hg_stage *stage)
{
    return stack->api_count == 1 || owner_of(stack, stage->name) == api;
}
