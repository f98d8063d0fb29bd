/*
 * PublishLayerVersion, DeleteLayerVersion. A deleted version stays in the functions that have it: what they need of it is theirs.
 */
#include "api/change_answer.h"
#include "api/lambda_code.h"
#include "api/lambda_layer.h"
#include "config/family.h"
#include "core/clock.h"

#include <stdlib.h>

enum { WORDS_TEXT_MAX = 4096 };

/* What is published, as it is answered too. */
struct publishing {
    struct hg_layer_version version;
    struct hg_str layer_arn;
};

static int by_text(const void *a, const void *b)
{
    const char *const *x = a, *const *y = b;

    return strcmp(*x, *y);
}

/* A list of words as a JSON array in arena; "" when it was not given or is empty. */
static struct hg_str words_json(struct hg_arena *arena, const cJSON *list, bool is_sorted)
{
    int count = cJSON_GetArraySize(list), at = 0;
    const char **words = hg_arena_must(arena, ((size_t)count + 1) * sizeof(*words));
    struct hg_str text;
    struct hg_buf buf;
    struct hg_json json = hg_json_to(&buf);

    if (count == 0)
        return HG_STR("");
    for (const cJSON *item = list->child; item; item = item->next)
        words[at++] = cJSON_GetStringValue(item);
    if (is_sorted)
        qsort(words, (size_t)count, sizeof(*words), by_text);
    hg_buf_init(&buf, WORDS_TEXT_MAX);
    hg_json_begin_array(&json);
    for (int i = 0; i < count; i++)
        hg_json_cstr(&json, words[i]);
    hg_json_end_array(&json);
    text = hg_arena_str(arena, hg_buf_str(&buf));
    hg_buf_fini(&buf);
    return text;
}

static struct hg_layer *take_layer(struct hg_edit *edit, struct hg_str name)
{
    struct hg_layer *layer = edit_layer(edit, name);

    if (layer)
        return layer;
    edit_add_layer(edit, layer_new(name, HG_ORIGIN_API));
    return edit_layer(edit, name);
}

static enum hg_rc publish(struct hg_api_change *change, struct hg_edit *edit)
{
    struct publishing *publishing = change->user;
    struct hg_layer_version *version = &publishing->version;
    const cJSON *input = change->input;
    struct hg_layer *layer;
    struct layer_ref ref;

    if (!layer_change_ref(change, edit, &ref))
        return HG_E_INVALID;
    layer = take_layer(edit, ref.name);
    version->number = layer->last_version + 1;
    version->arn = layer_arn(change->arena, edit_snapshot(edit), ref.name, version->number);
    version->description = input_str(input, "Description");
    version->license = input_str(input, "LicenseInfo");
    version->created_ms = hg_wall_ms();
    version->runtimes = words_json(change->arena, input_get(input, "CompatibleRuntimes"), false);
    version->architectures =
        words_json(change->arena, input_get(input, "CompatibleArchitectures"), true);
    layer_put_version(layer, version);
    publishing->layer_arn = layer_arn(change->arena, edit_snapshot(edit), ref.name, 0);
    return HG_OK;
}

static void respond_published(struct hg_api_change *change)
{
    const struct publishing *publishing = change->user;

    layer_version_respond(change->call, 201, publishing->layer_arn, &publishing->version);
}

static void on_stored(struct hg_api_change *change, const struct hg_package *package)
{
    struct publishing *publishing = hg_arena_must(change->arena, sizeof(*publishing));

    publishing->version = (struct hg_layer_version){
        .sha256 = package->sha256,
        .size = package->size,
        .dir = package->dir,
        .zip = package->zip,
    };
    change->user = publishing;
    change_send(change, publish, respond_published);
}

static void on_uploaded(struct hg_call *call, struct hg_upload *upload)
{
    struct hg_api_change *change = change_begin(call, false);
    const cJSON *content = change ? input_get(change->input, "Content") : NULL;

    if (!change) {
        upload_free(upload);
    } else if (code_check_source(change, upload, content) != HG_OK) {
        upload_free(upload);
        change_abandon(change, change->error, "%s", change->message);
    } else {
        code_store(change, upload, content, on_stored);
    }
}

void lambda_publish_layer_version(struct hg_call *call)
{
    code_upload(call, "Content", on_uploaded);
}

static enum hg_rc remove_version(struct hg_api_change *change, struct hg_edit *edit)
{
    struct hg_layer *layer;
    struct layer_ref ref;

    if (!layer_change_ref(change, edit, &ref))
        return HG_E_INVALID;
    layer = edit_layer(edit, ref.name);
    if (layer)
        (void)layer_remove_version(layer, ref.number);
    return change_answer(change, 204, NULL);
}

void lambda_delete_layer_version(struct hg_call *call)
{
    change_submit(call, false, remove_version, change_respond_answer);
}
