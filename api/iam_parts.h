/*
 * One call of IAM on its way through the catalog's thread, and what its
 * operations share. Used by iam*.c only.
 */
#ifndef HG_API_IAM_PARTS_H
#define HG_API_IAM_PARTS_H

#include "api/access.h"
#include "api/iam.h"
#include "api/query_form.h"
#include "api/query_xml.h"
#include "config/catalog.h"

#include <cjson/cJSON.h>

enum {
    IAM_ROLE_NAME_MAX = 64,
    IAM_POLICY_NAME_MAX = 128,
    IAM_ROLES_MAX = 1000,
    IAM_POLICIES_MAX = 1500,
    IAM_TAGS_MAX = 50,
    IAM_ATTACHED_MAX = 20,
    IAM_VERSIONS_MAX = 5,
    IAM_TRUST_MAX = 4096,   /* letters of a trust policy */
    IAM_INLINE_MAX = 10240, /* of all policies in a role */
    IAM_MANAGED_MAX = 6144, /* of a managed policy, blanks not counted */
};

struct iam_operation;

struct iam_op {
    struct hg_change base;
    struct hg_call *call; /* NULL once the client has left; not for operations */
    const struct iam_operation *operation;
    struct hg_arena *arena;
    struct query_form form;
    struct access_identity caller;
    char account[13], request_id[HG_UUID_LEN + 1];
    struct hg_edit *edit;
    struct hg_buf out; /* the answer */
    int status;
};

struct iam_operation {
    const char *name;
    bool has_result;
    /* On the catalog's thread: writes its result to op->out; or iam_fail. */
    bool (*run)(struct iam_op *op);
};

#define IAM_OPERATION(symbol, name, has_result) bool symbol(struct iam_op *op);
#include "api/iam.def"
#undef IAM_OPERATION

/* Notes the answer; returns false. */
bool iam_fail(struct iam_op *op, int status, const char *code, const char *format, ...)
    hg_printf_like(4, 5);
/* The store did not do it. */
bool iam_fail_store(struct iam_op *op, const struct hg_error *err);

/* Parameters; each answers itself when it is wrong. */
struct hg_str iam_param(const struct iam_op *op, const char *name); /* p NULL: absent */
bool iam_take_name(struct iam_op *op, const char *param, size_t max, struct hg_str *name);
bool iam_take_arn(struct iam_op *op, const char *param, struct hg_str *arn);
/* Absent: "/". */
bool iam_take_path(struct iam_op *op, const char *param, struct hg_str *path);
bool iam_take_text(struct iam_op *op, const char *param, size_t max, struct hg_str *text);
/* Absent: fallback. */
bool iam_take_number(struct iam_op *op, const char *param, int64_t min, int64_t max,
                     int64_t fallback, int64_t *value);
enum iam_document { IAM_TRUST, IAM_IDENTITY };
bool iam_take_document(struct iam_op *op, const char *param, enum iam_document kind,
                       struct hg_str *text);
/* Tags.member.N as a new array, or NULL after the answer. */
cJSON *iam_take_tags(struct iam_op *op);

/* Documents of the store, as trees that the caller frees. NULL: answered (NoSuchEntity). */
cJSON *iam_load_role(struct iam_op *op, struct hg_str name);
cJSON *iam_load_policy(struct iam_op *op, struct hg_str arn);
bool iam_save(struct iam_op *op, const char *kind, struct hg_str name, const cJSON *document);
bool iam_remove(struct iam_op *op, const char *kind, struct hg_str name);
/* HG_OK and *is_there. */
bool iam_exists(struct iam_op *op, const char *kind, struct hg_str name, bool *is_there);
bool iam_count(struct iam_op *op, const char *kind, size_t *count);
#define IAM_ROLE "iam-role"
#define IAM_POLICY "iam-policy"
bool iam_is_managed_by_aws(struct hg_str arn);

/* Trees. */
const char *iam_text(const cJSON *object, const char *name); /* "" when absent */
int64_t iam_number(const cJSON *object, const char *name);
cJSON *iam_list(cJSON *object, const char *name); /* made when absent */
void iam_set_text(cJSON *object, const char *name, struct hg_str text);
void iam_set_number(cJSON *object, const char *name, int64_t value);
/* The member of a list of objects whose field `name` is value; NULL. */
cJSON *iam_find(const cJSON *list, const char *name, struct hg_str value);
/* "AROA" and 17 random letters. */
void iam_make_id(const char *prefix, char out[22]);
/* Replaces equal keys, appends the others; false: answered, there are too many. */
bool iam_merge_tags(struct iam_op *op, cJSON *tags, cJSON *more);
void iam_remove_tags(const struct iam_op *op, cJSON *tags);

/* Answers. */
void iam_xml_field(struct iam_op *op, const char *element, const cJSON *object, const char *name);
void iam_xml_time(struct iam_op *op, const char *element, const cJSON *object, const char *name);
void iam_xml_document(struct iam_op *op, const char *element,
                      const char *text); /* percent-encoded, as IAM does */
void iam_xml_tags(struct iam_op *op, const cJSON *tags);
void iam_xml_attached(struct iam_op *op, const char *policy_arn);

/* A page of a list in memory: MaxItems and Marker, which is a position. */
struct iam_page {
    int64_t first, max;
};
bool iam_take_page(struct iam_op *op, struct iam_page *page);
/* <IsTruncated> and <Marker>. */
void iam_xml_page_end(struct iam_op *op, const struct iam_page *page, int64_t count);

#endif
