/*
 * Names and values of resources, put together from refs.def. All of them are
 * made from stack name and logical id, so they are the same on every run.
 */
#include "config/template/refs_text.h"

#include "core/crypto.h"

/* A value that is being filled in. */
struct fill {
    struct hg_eval *eval;
    struct eval_resource *resource;
    const struct refs_type *type; /* NULL for an unknown one */
    const struct hg_node *at;
    struct hg_buf out;
    bool is_bad;
};

static void append_value(struct fill *fill, const char *value);

/* What all generated ids of a resource are made from. */
static void append_seed(struct hg_buf *out, const struct fill *fill, const char *suffix)
{
    (void)hg_buf_printf(out, "%.*s:%.*s%s", HG_STR_ARG(fill->eval->stack_name),
                        HG_STR_ARG(fill->resource->id), suffix);
}

static void append_stable_id(struct fill *fill, const char *suffix, size_t length)
{
    char id[HG_SHA256_LEN + 1];
    struct hg_buf seed;

    hg_buf_init(&seed, HG_EVAL_TEXT_MAX);
    append_seed(&seed, fill, suffix);
    hg_stable_id(hg_buf_str(&seed), id, length);
    hg_buf_fini(&seed);
    (void)hg_buf_append_cstr(&fill->out, id);
}

static void append_uuid(struct fill *fill)
{
    char uuid[HG_UUID_LEN + 1];
    struct hg_buf seed;

    hg_buf_init(&seed, HG_EVAL_TEXT_MAX);
    append_seed(&seed, fill, "");
    stable_uuid(hg_buf_str(&seed), uuid);
    hg_buf_fini(&seed);
    (void)hg_buf_append_cstr(&fill->out, uuid);
}

static void append_name(struct fill *fill)
{
    struct hg_str name;

    if (!refs_name_of(fill->eval, fill->resource, fill->type, fill->at, &name))
        fill->is_bad = true;
    else
        (void)hg_buf_append_str(&fill->out, name);
}

/* Text of a property; nothing (and is_bad when it was at fault) without it. */
static struct hg_str property(struct fill *fill, const char *name)
{
    const struct hg_node *raw = node_get(fill->resource->properties, name), *value;

    if (!raw || !eval_enter(fill->eval, fill->at))
        return HG_STR("");
    value = eval_value(fill->eval, raw);
    eval_leave(fill->eval);
    fill->is_bad = fill->is_bad || !value;
    return node_is_scalar(value) ? value->text : HG_STR("");
}

/* The function's name in a name or ARN, qualified or not. */
static struct hg_str function_name(struct hg_str ref)
{
    ptrdiff_t at = hg_str_find_str(ref, HG_STR(":function:"));
    ptrdiff_t end;

    if (at >= 0)
        ref = hg_str_skip(ref, (size_t)at + strlen(":function:"));
    end = hg_str_find(ref, ':');
    return end < 0 ? ref : hg_str_n(ref.p, (size_t)end);
}

static struct hg_str own_function(struct fill *fill)
{
    bool is_url = hg_str_is(fill->resource->type, "AWS::Lambda::Url");

    return function_name(property(fill, is_url ? "TargetFunctionArn" : "FunctionName"));
}

static void append_function(struct fill *fill)
{
    (void)hg_buf_append_str(&fill->out, own_function(fill));
}

/* Versions of a function count from 1 in the order of the template. */
static void append_version(struct fill *fill)
{
    struct hg_str mine = own_function(fill);
    uint64_t version = 1;

    for (size_t i = 0; i < fill->resource->order && !fill->is_bad; i++) {
        struct fill other = {
            .eval = fill->eval, .resource = fill->eval->in_order[i], .at = fill->at};

        if (other.resource->is_off || !hg_str_is(other.resource->type, "AWS::Lambda::Version"))
            continue;
        version += hg_str_eq(own_function(&other), mine);
    }
    (void)hg_buf_append_u64(&fill->out, version);
}

static void append_root_id(struct fill *fill)
{
    append_stable_id(fill, ":root", 10);
}

static void append_id(struct fill *fill)
{
    append_stable_id(fill, "", 10);
}

static void append_id6(struct fill *fill)
{
    append_stable_id(fill, "", 6);
}

static void append_ref(struct fill *fill)
{
    append_value(fill, fill->type->ref);
}

static void append_queue_url(struct fill *fill)
{
    const char *base = fill->eval->options->management_url;

    append_value(fill, base ? "{management}/{account}/{name}"
                            : "https://sqs.{region}.amazonaws.com/{account}/{name}");
}

static void append_management(struct fill *fill)
{
    (void)hg_buf_append_cstr(&fill->out, fill->eval->options->management_url);
}

static void append_api_endpoint(struct fill *fill)
{
    bool is_web_socket = hg_str_is_nocase(property(fill, "ProtocolType"), "WEBSOCKET");
    const char *base = fill->eval->options->gateway_url;

    if (base && !is_web_socket)
        (void)hg_buf_printf(&fill->out, "%s/_aws/execute-api/", base);
    else
        (void)hg_buf_append_cstr(&fill->out, is_web_socket ? "wss://" : "https://");
    append_id(fill);
    if (!base || is_web_socket)
        append_value(fill, ".execute-api.{region}.amazonaws.com");
}

static void append_function_url(struct fill *fill)
{
    const char *base = fill->eval->options->gateway_url;

    if (base)
        (void)hg_buf_printf(&fill->out, "%s/_aws/lambda-url/", base);
    else
        (void)hg_buf_append_cstr(&fill->out, "https://");
    append_stable_id(fill, "", HG_SHA256_LEN);
    append_value(fill, base ? "/" : ".lambda-url.{region}.on.aws/");
}

/* The name of a rule's event bus; empty for the default one. */
static struct hg_str bus(struct fill *fill)
{
    struct hg_str name = property(fill, "EventBusName");
    ptrdiff_t at = hg_str_find_str(name, HG_STR(":event-bus/"));

    if (at >= 0)
        name = hg_str_skip(name, (size_t)at + strlen(":event-bus/"));
    return hg_str_is(name, "default") ? HG_STR("") : name;
}

static void append_bus(struct fill *fill, char separator)
{
    struct hg_str name = bus(fill);

    if (name.n) {
        (void)hg_buf_append_str(&fill->out, name);
        (void)hg_buf_append_byte(&fill->out, separator);
    }
}

static void append_bus_rule(struct fill *fill)
{
    append_bus(fill, '|');
    append_name(fill);
}

static void append_bus_slash(struct fill *fill)
{
    append_bus(fill, '/');
}

static void append_region(struct fill *fill)
{
    (void)hg_buf_append_str(&fill->out, fill->eval->region);
}

static void append_account(struct fill *fill)
{
    (void)hg_buf_append_str(&fill->out, fill->eval->account);
}

static void append_stack(struct fill *fill)
{
    (void)hg_buf_append_str(&fill->out, fill->eval->stack_name);
}

static void append_logical(struct fill *fill)
{
    (void)hg_buf_append_str(&fill->out, fill->resource->id);
}

static void append_partition(struct fill *fill)
{
    (void)hg_buf_append_str(&fill->out, pseudo_partition(fill->eval));
}

static void append_placeholder(struct fill *fill, struct hg_str name)
{
    static const struct {
        const char *name;
        void (*append)(struct fill *fill);
    } placeholders[] = {
        {"name", append_name},
        {"id", append_id},
        {"id6", append_id6},
        {"uuid", append_uuid},
        {"region", append_region},
        {"account", append_account},
        {"stack", append_stack},
        {"logical", append_logical},
        {"partition", append_partition},
        {"ref", append_ref},
        {"root-id", append_root_id},
        {"function", append_function},
        {"version", append_version},
        {"bus-rule", append_bus_rule},
        {"bus-slash", append_bus_slash},
        {"queue-url", append_queue_url},
        {"management", append_management},
        {"api-endpoint", append_api_endpoint},
        {"function-url", append_function_url},
    };

    for (size_t i = 0; i < HG_COUNT(placeholders); i++)
        if (hg_str_is(name, placeholders[i].name)) {
            placeholders[i].append(fill);
            return;
        }
    if (hg_str_starts(name, HG_STR("arn:"))) {
        append_value(fill, "arn:{partition}:");
        (void)hg_buf_append_str(&fill->out, hg_str_skip(name, 4));
        append_value(fill, ":{region}:{account}:");
        return;
    }
    (void)hg_buf_append_str(&fill->out, property(fill, hg_arena_strdup(fill->eval->arena, name)));
}

static void append_value(struct fill *fill, const char *value)
{
    struct hg_str rest = hg_str_n(value, strlen(value));
    ptrdiff_t open, close;

    while ((open = hg_str_find(rest, '{')) >= 0) {
        (void)hg_buf_append_str(&fill->out, hg_str_n(rest.p, (size_t)open));
        rest = hg_str_skip(rest, (size_t)open + 1);
        close = hg_str_find(rest, '}');
        hg_assert(close >= 0);
        append_placeholder(fill, hg_str_n(rest.p, (size_t)close));
        rest = hg_str_skip(rest, (size_t)close + 1);
    }
    (void)hg_buf_append_str(&fill->out, rest);
}

struct hg_node *refs_fill(struct hg_eval *eval, struct eval_resource *resource,
                          const struct refs_type *type, const char *value, const struct hg_node *at)
{
    struct fill fill = {.eval = eval, .resource = resource, .type = type, .at = at};
    struct hg_node *node = NULL;

    hg_buf_init(&fill.out, HG_EVAL_TEXT_MAX);
    append_value(&fill, value);
    if (fill.out.is_overflown)
        eval_problem(eval, at, "the text made here is longer than %d bytes", HG_EVAL_TEXT_MAX);
    else if (!fill.is_bad)
        node = eval_new_text(eval, hg_buf_str(&fill.out), at);
    hg_buf_fini(&fill.out);
    return node;
}
