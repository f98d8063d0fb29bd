/*
 * CreateFunctionUrlConfig, UpdateFunctionUrlConfig, DeleteFunctionUrlConfig (function-api.md §12). The URLs themselves are served by
 * the gateway.
 */
#include "api/lambda_url.h"

#include "core/clock.h"
#include "core/id.h"

enum { URL_ID_DIGITS = 32, DOCUMENT_MAX = 1 << 20 };

/* Whether what the call names can have a URL: the function itself or an alias. */
static bool can_have_url(const struct hg_family *family, struct hg_str qualifier)
{
    return family && (qualifier.n == 0 || family_alias(family, qualifier));
}

static struct hg_str *read_list(struct hg_arena *arena, const cJSON *cors, const char *name,
                                size_t *count)
{
    const cJSON *list = input_get(cors, name), *item;
    size_t i = 0;
    struct hg_str *items;

    *count = (size_t)cJSON_GetArraySize(list);
    items = hg_arena_must(arena, (*count + 1) * sizeof(*items));
    cJSON_ArrayForEach(item, list)
    {
        items[i++] = hg_str_of(item->valuestring);
    }
    return items;
}

static void read_cors(struct hg_arena *arena, const cJSON *given, struct hg_cors *cors)
{
    *cors = (struct hg_cors){.is_set = given->child != NULL};
    cors->allow_credentials = input_bool(given, "AllowCredentials", false);
    cors->says_credentials = input_has(given, "AllowCredentials");
    cors->max_age = (int)input_i64(given, "MaxAge", -1);
    cors->allow_headers = read_list(arena, given, "AllowHeaders", &cors->allow_header_count);
    cors->allow_methods = read_list(arena, given, "AllowMethods", &cors->allow_method_count);
    cors->allow_origins = read_list(arena, given, "AllowOrigins", &cors->allow_origin_count);
    cors->expose_headers = read_list(arena, given, "ExposeHeaders", &cors->expose_header_count);
}

/* What the call gives; what it does not stays as it is. */
static void read_settings(struct hg_arena *arena, const cJSON *input, struct hg_url *url)
{
    const cJSON *cors = input_get(input, "Cors");

    if (input_has(input, "AuthType"))
        url->auth_type = input_str(input, "AuthType");
    if (input_has(input, "InvokeMode"))
        url->invoke_mode = input_str(input, "InvokeMode");
    if (cors)
        read_cors(arena, cors, &url->cors);
}

static enum hg_rc answer_url(struct hg_api_change *change, struct hg_edit *edit, int status,
                             const struct hg_url *url, enum url_form form)
{
    struct hg_str base = *(const struct hg_str *)change->user;
    struct hg_buf buf;
    struct hg_json json = hg_json_to(&buf);
    enum hg_rc rc;

    hg_buf_init(&buf, DOCUMENT_MAX);
    url_write(&json, base, change_arn(change, edit, url->qualifier), url, form);
    rc = change_answer(change, status, &buf);
    hg_buf_fini(&buf);
    return rc;
}

static enum hg_rc create_url(struct hg_api_change *change, struct hg_edit *edit)
{
    struct hg_family *family = edit_family(edit, change->ref.name);
    struct hg_url url = {
        .qualifier = change->ref.qualifier, .invoke_mode = HG_STR("BUFFERED"), .cors.max_age = -1};
    char id[URL_ID_DIGITS + 1];

    if (!can_have_url(family, url.qualifier))
        return change_refuse(change, HG_API_NOT_FOUND, "Function does not exist");
    if (family_url(family, url.qualifier))
        return change_refuse(change, HG_API_CONFLICT,
                             "Failed to create function url config for [functionArn = %.*s]. Error "
                             "message:  FunctionUrlConfig exists for this Lambda function",
                             HG_STR_ARG(change_arn(change, edit, url.qualifier)));
    hg_hex_id(id, URL_ID_DIGITS);
    url.id = hg_str_of(id);
    url.created_ms = url.modified_ms = hg_wall_ms();
    read_settings(edit_arena(edit), change->input, &url);
    family_put_url(family, &url);
    return answer_url(change, edit, 201, &url,
                      input_has(change->input, "InvokeMode") ? URL_CREATED_WITH_MODE : URL_CREATED);
}

static enum hg_rc update_url(struct hg_api_change *change, struct hg_edit *edit)
{
    struct hg_family *family = edit_family(edit, change->ref.name);
    const struct hg_url *former;
    struct hg_url url;

    if (!can_have_url(family, change->ref.qualifier))
        return change_refuse(change, HG_API_NOT_FOUND, "Function does not exist");
    former = family_url(family, change->ref.qualifier);
    if (!former)
        return change_refuse(change, HG_API_NOT_FOUND,
                             "The resource you requested does not exist.");
    url = *former;
    url.modified_ms = hg_wall_ms();
    read_settings(edit_arena(edit), change->input, &url);
    family_put_url(family, &url);
    return answer_url(change, edit, 200, &url, URL_WHOLE);
}

static enum hg_rc delete_url(struct hg_api_change *change, struct hg_edit *edit)
{
    struct hg_family *family = edit_family(edit, change->ref.name);

    if (!family || !family_remove_url(family, change->ref.qualifier))
        return change_refuse(change, HG_API_NOT_FOUND,
                             "The resource you requested does not exist.");
    return change_answer(change, 204, NULL);
}

static void submit(struct hg_call *call,
                   enum hg_rc (*work)(struct hg_api_change *change, struct hg_edit *edit))
{
    struct hg_api_change *change = change_begin(call, true);
    struct hg_str *base;

    if (!change)
        return;
    base = hg_arena_must(change->arena, sizeof(*base));
    *base = hg_arena_str(change->arena, url_base(call));
    change->user = base;
    change_send(change, work, change_respond_answer);
}

void lambda_create_url(struct hg_call *call)
{
    submit(call, create_url);
}

void lambda_update_url(struct hg_call *call)
{
    submit(call, update_url);
}

void lambda_delete_url(struct hg_call *call)
{
    submit(call, delete_url);
}
