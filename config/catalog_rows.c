#include "config/catalog_rows.h"

#include "config/model_fields.h"

#include <stdio.h>
#include <stdlib.h>

enum { DOC_MAX = 1 << 28, KIND_MAX = 128 };

#define KEY(name) \
    { \
        "\"" name "\":", sizeof("\"" name "\":") - 1 \
    }
#define LIST(of, name, list, counter, table) \
    { \
        .key = KEY(name), .kind = HG_FIELD_LIST, .offset = offsetof(struct of, list), \
        .count_offset = offsetof(struct of, counter), .type = &(table) \
    }

static const struct hg_field of_alias_doc[] = {
    {.key = KEY("a"),
     .kind = HG_FIELD_PART,
     .offset = offsetof(struct hg_alias_doc, alias),
     .type = &alias_fields},
    {.key = KEY("to"), .kind = HG_FIELD_STR, .offset = offsetof(struct hg_alias_doc, to)},
    {.key = KEY("also"), .kind = HG_FIELD_STR, .offset = offsetof(struct hg_alias_doc, also)},
};
static const struct hg_fields alias_doc_fields = {of_alias_doc, HG_COUNT(of_alias_doc),
                                                  sizeof(struct hg_alias_doc)};

static const struct hg_field of_family_doc[] = {
    {.key = KEY("last"),
     .kind = HG_FIELD_U64,
     .offset = offsetof(struct hg_family_doc, last_version)},
    LIST(hg_family_doc, "aliases", aliases, alias_count, alias_doc_fields),
    LIST(hg_family_doc, "policies", policies, policy_count, policy_fields),
    LIST(hg_family_doc, "urls", urls, url_count, url_fields),
    LIST(hg_family_doc, "prov", provisioned, provisioned_count, provisioned_fields),
};
const struct hg_fields family_doc_fields = {of_family_doc, HG_COUNT(of_family_doc),
                                            sizeof(struct hg_family_doc)};

static const struct hg_field of_layer_doc[] = {
    {.key = KEY("last"), .kind = HG_FIELD_U64, .offset = offsetof(struct hg_layer, last_version)},
    LIST(hg_layer, "versions", versions, version_count, layer_version_fields),
};
const struct hg_fields layer_doc_fields = {of_layer_doc, HG_COUNT(of_layer_doc),
                                           sizeof(struct hg_layer)};

struct hg_str rows_path(const struct hg_store *store, struct hg_str path)
{
    struct hg_str data_dir = store_data_dir(store);

    if (!hg_str_starts(path, data_dir) || path.n <= data_dir.n + 1 || path.p[data_dir.n] != '/')
        return path;
    return hg_str_skip(path, data_dir.n + 1);
}

struct hg_str rows_full_path(const struct hg_store *store, struct hg_arena *arena,
                             struct hg_str path)
{
    if (!path.n || path.p[0] == '/')
        return path;
    return hg_str_of(
        hg_arena_printf(arena, "%.*s/%.*s", HG_STR_ARG(store_data_dir(store)), HG_STR_ARG(path)));
}

static void write_family(const struct hg_family *family, struct hg_buf *out)
{
    struct hg_json json = hg_json_to(out);
    struct hg_alias_doc *aliases = hg_calloc(family->alias_count + 1, sizeof(*aliases));
    const struct hg_family_doc doc = {
        .last_version = family->last_version,
        .aliases = aliases,
        .alias_count = family->alias_count,
        .policies = family->policies,
        .policy_count = family->policy_count,
        .urls = family->urls,
        .url_count = family->url_count,
        .provisioned = family->provisioned,
        .provisioned_count = family->provisioned_count,
    };

    for (size_t i = 0; i < family->alias_count; i++) {
        const struct hg_alias *alias = &family->aliases[i];

        aliases[i].alias = *alias;
        aliases[i].to = alias->function->version;
        aliases[i].also = alias->weighted ? alias->weighted->version : HG_STR("");
    }
    fields_write(&json, &family_doc_fields, &doc);
    free(aliases);
}

/* One row, from a buffer that a document was written to. */
static enum hg_rc put_row(struct hg_store *store, const char *kind, struct hg_str name,
                          struct hg_str sub, const struct hg_buf *doc, enum hg_origin origin,
                          struct hg_error *err)
{
    const struct hg_row row = {hg_str_of(kind), name, sub, hg_buf_str(doc), origin};

    if (doc->is_overflown)
        return hg_error_set(err, HG_E_TOO_LARGE, "%s %.*s is too large to be stored", kind,
                            HG_STR_ARG(name));
    return store_row_put(store, &row, err);
}

static enum hg_rc put_family_row(struct hg_store *store, const struct hg_family *before,
                                 const struct hg_family *after, struct hg_error *err)
{
    struct hg_buf doc, former;
    enum hg_rc rc = HG_OK;

    hg_buf_init(&doc, DOC_MAX);
    hg_buf_init(&former, DOC_MAX);
    write_family(after, &doc);
    if (before)
        write_family(before, &former);
    if (!before || before->origin != after->origin ||
        !hg_str_eq(hg_buf_str(&doc), hg_buf_str(&former)))
        rc = put_row(store, HG_ROW_FAMILY, after->name, HG_STR(""), &doc, after->origin, err);
    hg_buf_fini(&doc);
    hg_buf_fini(&former);
    return rc;
}

void rows_write_function(const struct hg_store *store, const struct hg_function *function,
                         struct hg_buf *out)
{
    struct hg_json json = hg_json_to(out);
    struct hg_function *stored = hg_malloc(sizeof(*stored));
    struct hg_str *dirs = hg_calloc(function->layer_count + 1, sizeof(*dirs));

    function_copy(stored, function);
    stored->code_dir = rows_path(store, function->code_dir);
    stored->code_zip = rows_path(store, function->code_zip);
    for (size_t i = 0; i < function->layer_count; i++)
        dirs[i] = rows_path(store, function->layer_dirs[i]);
    stored->layer_dirs = dirs;
    function_write(&json, stored);
    free(dirs);
    free(stored);
}

static enum hg_rc put_version(struct hg_store *store, const struct hg_family *before,
                              const struct hg_family *after, const struct hg_function *function,
                              struct hg_error *err)
{
    struct hg_buf doc;
    enum hg_rc rc;

    if (before && family_version(before, function->version) == function)
        return HG_OK;
    hg_buf_init(&doc, DOC_MAX);
    rows_write_function(store, function, &doc);
    rc = put_row(store, HG_ROW_FUNCTION, after->name, function->version, &doc, after->origin, err);
    hg_buf_fini(&doc);
    return rc;
}

static enum hg_rc put_versions(struct hg_store *store, const struct hg_family *before,
                               const struct hg_family *after, struct hg_error *err)
{
    enum hg_rc rc = put_version(store, before, after, after->latest, err);

    for (size_t i = 0; rc == HG_OK && i < after->version_count; i++)
        rc = put_version(store, before, after, after->versions[i], err);
    for (size_t i = 0; rc == HG_OK && before && i < before->version_count; i++)
        if (!family_version(after, before->versions[i]->version))
            rc = store_row_delete(store, HG_STR(HG_ROW_FUNCTION), after->name,
                                  before->versions[i]->version, err);
    return rc;
}

static struct hg_str attached_kind(char kind[KIND_MAX], const struct hg_attached *attached)
{
    (void)snprintf(kind, KIND_MAX, HG_ROW_ATTACHED "%.*s", HG_STR_ARG(attached->kind));
    return hg_str_of(kind);
}

static enum hg_rc put_attached(struct hg_store *store, const struct hg_family *before,
                               const struct hg_family *after, struct hg_error *err)
{
    char kind[KIND_MAX];
    enum hg_rc rc = HG_OK;

    for (size_t i = 0; rc == HG_OK && i < after->attached_count; i++) {
        const struct hg_attached *attached = &after->attached[i],
                                 *former = before ? family_attached(before, attached->kind,
                                                                    attached->qualifier)
                                                  : NULL;
        const struct hg_row row = {attached_kind(kind, attached), after->name, attached->qualifier,
                                   attached->json, after->origin};

        if (!former || !hg_str_eq(former->json, attached->json))
            rc = store_row_put(store, &row, err);
    }
    for (size_t i = 0; rc == HG_OK && before && i < before->attached_count; i++) {
        const struct hg_attached *former = &before->attached[i];

        if (!family_attached(after, former->kind, former->qualifier))
            rc = store_row_delete(store, attached_kind(kind, former), after->name,
                                  former->qualifier, err);
    }
    return rc;
}

enum hg_rc rows_drop_attached(struct hg_store *store, const struct hg_family *family,
                              struct hg_error *err)
{
    char kind[KIND_MAX];
    enum hg_rc rc = HG_OK;

    for (size_t i = 0; rc == HG_OK && i < family->attached_count; i++)
        rc = store_row_delete(store, attached_kind(kind, &family->attached[i]), family->name,
                              family->attached[i].qualifier, err);
    return rc;
}

static enum hg_rc delete_family(struct hg_store *store, const struct hg_family *before,
                                struct hg_error *err)
{
    const struct hg_str function = HG_STR(HG_ROW_FUNCTION);
    enum hg_rc rc = store_row_delete(store, HG_STR(HG_ROW_FAMILY), before->name, HG_STR(""), err);

    if (rc == HG_OK)
        rc = store_row_delete(store, function, before->name, before->latest->version, err);
    for (size_t i = 0; rc == HG_OK && i < before->version_count; i++)
        rc = store_row_delete(store, function, before->name, before->versions[i]->version, err);
    return rc == HG_OK ? rows_drop_attached(store, before, err) : rc;
}

enum hg_rc rows_put_family(struct hg_store *store, const struct hg_family *before,
                           const struct hg_family *after, struct hg_error *err)
{
    enum hg_rc rc;

    if (!after)
        return before ? delete_family(store, before, err) : HG_OK;
    rc = put_family_row(store, before, after, err);
    if (rc == HG_OK)
        rc = put_versions(store, before, after, err);
    if (rc == HG_OK)
        rc = put_attached(store, before, after, err);
    return rc;
}

static void write_layer(const struct hg_store *store, const struct hg_layer *layer,
                        struct hg_buf *out)
{
    struct hg_json json = hg_json_to(out);
    struct hg_layer_version *versions = hg_calloc(layer->version_count + 1, sizeof(*versions));
    const struct hg_layer stored = {.last_version = layer->last_version,
                                    .versions = versions,
                                    .version_count = layer->version_count};

    for (size_t i = 0; i < layer->version_count; i++) {
        versions[i] = layer->versions[i];
        versions[i].dir = rows_path(store, versions[i].dir);
        versions[i].zip = rows_path(store, versions[i].zip);
    }
    fields_write(&json, &layer_doc_fields, &stored);
    free(versions);
}

enum hg_rc rows_put_layer(struct hg_store *store, const struct hg_layer *before,
                          const struct hg_layer *after, struct hg_error *err)
{
    struct hg_buf doc;
    enum hg_rc rc;

    if (!after)
        return before ? store_row_delete(store, HG_STR(HG_ROW_LAYER), before->name, HG_STR(""), err)
                      : HG_OK;
    hg_buf_init(&doc, DOC_MAX);
    write_layer(store, after, &doc);
    rc = put_row(store, HG_ROW_LAYER, after->name, HG_STR(""), &doc, after->origin, err);
    hg_buf_fini(&doc);
    return rc;
}

enum hg_rc rows_put_mapping(struct hg_store *store, const struct hg_mapping *before,
                            const struct hg_mapping *after, struct hg_error *err)
{
    struct hg_json json;
    struct hg_buf doc;
    enum hg_rc rc;

    if (!after)
        return before
                   ? store_row_delete(store, HG_STR(HG_ROW_MAPPING), before->uuid, HG_STR(""), err)
                   : HG_OK;
    hg_buf_init(&doc, DOC_MAX);
    json = hg_json_to(&doc);
    fields_write(&json, &mapping_fields, after);
    rc = put_row(store, HG_ROW_MAPPING, after->uuid, HG_STR(""), &doc, after->origin, err);
    hg_buf_fini(&doc);
    return rc;
}
