/*
 * Inputs for the handlers: reads and checks a call's input and answers when something is wrong with it.
 */
#include "api/input.h"

#include "api/input_parts.h"

static const struct {
    const char *operation, *member, *value, *advice;
} refused[] = {
#define HG_REFUSED(operation, member, value, advice) {operation, member, value, advice},
#include "api/refused.def"
#undef HG_REFUSED
};

/* The member that a dotted path means; NULL when it was not given. */
static const cJSON *find_path(const cJSON *input, const char *path)
{
    struct hg_str rest = hg_str_of(path), part;
    const cJSON *item = input;
    char name[64];

    while (item && hg_str_next(&rest, '.', &part)) {
        hg_assert(part.n < sizeof(name));
        memcpy(name, part.p, part.n);
        name[part.n] = '\0';
        item = cJSON_GetObjectItemCaseSensitive(item, name);
    }
    return item;
}

static bool is_empty(const cJSON *item)
{
    return (cJSON_IsArray(item) || cJSON_IsObject(item)) && !item->child;
}

bool input_check_offered(const struct model_op *op, const cJSON *input, struct input_fault *fault)
{
    for (size_t i = 0; i < HG_COUNT(refused); i++) {
        const cJSON *item;

        if (strcmp(refused[i].operation, op->name) != 0)
            continue;
        item = find_path(input, refused[i].member);
        if (!item || is_empty(item))
            continue;
        if (refused[i].value &&
            !(cJSON_IsString(item) && strcmp(item->valuestring, refused[i].value) == 0))
            continue;
        fault->error = HG_API_INVALID_PARAMETER;
        hg_buf_printf(&fault->text, "%s%s%s is not supported by Headgate: %s", refused[i].member,
                      refused[i].value ? " " : "", refused[i].value ? refused[i].value : "",
                      refused[i].advice);
        return false;
    }
    return true;
}

cJSON *call_take_input(struct hg_call *call)
{
    const struct hg_request *req = call->req;
    struct input_source source = {
        .params = call->params,
        .query = req->query,
        .body = req->body,
        .headers = req->headers,
        .header_count = req->header_count,
    };
    struct input_fault fault;
    cJSON *input;

    input_fault_init(&fault);
    input = input_gather(call->model, &source, &fault);
    if (input && (!input_check(call->model, input, &fault) ||
                  !input_check_offered(call->model, input, &fault))) {
        cJSON_Delete(input);
        input = NULL;
    }
    if (!input)
        call_fail(call, fault.error, "%.*s", HG_STR_ARG(hg_buf_str(&fault.text)));
    input_fault_fini(&fault);
    return input;
}

static void delete_input(void *ptr)
{
    cJSON_Delete(ptr);
}

const cJSON *call_input(struct hg_call *call)
{
    cJSON *input = call_take_input(call);

    if (input)
        hg_arena_defer(call->req->arena, delete_input, input);
    return input;
}

const cJSON *input_get(const cJSON *input, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(input, name);
}

bool input_has(const cJSON *input, const char *name)
{
    return input_get(input, name) != NULL;
}

struct hg_str input_str(const cJSON *input, const char *name)
{
    const cJSON *item = input_get(input, name);

    return hg_str_of(cJSON_IsString(item) ? item->valuestring : NULL);
}

int64_t input_i64(const cJSON *input, const char *name, int64_t fallback)
{
    const cJSON *item = input_get(input, name);

    return cJSON_IsNumber(item) ? (int64_t)item->valuedouble : fallback;
}

bool input_bool(const cJSON *input, const char *name, bool fallback)
{
    const cJSON *item = input_get(input, name);

    return cJSON_IsBool(item) ? cJSON_IsTrue(item) : fallback;
}
