/*
 * The order of members is the service's: clients compare the texts.
 */
#include "config/policy_doc.h"

#include "core/json_write.h"

enum { DOCUMENT_MAX = 1 << 20, ACCOUNT_DIGITS = 12 };

static bool is_account(struct hg_str text)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
    return text.n == ACCOUNT_DIGITS;
}

/* arn:<partition>:iam::<account>:… or the same of sts. */
static bool is_identity(struct hg_str text)
{
    struct hg_str part;

    return hg_str_next(&text, ':', &part) && hg_str_is(part, "arn") &&
           hg_str_next(&text, ':', &part) && hg_str_starts(part, HG_STR("aws")) &&
           hg_str_next(&text, ':', &part) && (hg_str_is(part, "iam") || hg_str_is(part, "sts")) &&
           hg_str_next(&text, ':', &part) && part.n == 0 && hg_str_next(&text, ':', &part) &&
           is_account(part) && text.n > 0;
}

static bool is_service(struct hg_str text)
{
    static const char *const domains[] = {".amazonaws.com", ".amazonaws.com.cn", ".amazon.com",
                                          ".aws.internal"};

    for (size_t i = 0; i < HG_COUNT(domains); i++)
        if (hg_str_ends(text, hg_str_of(domains[i])) && text.p[0] != '.')
            return hg_str_find(text, ':') < 0 && hg_str_find(text, '*') < 0;
    return false;
}

bool policy_principal_is_valid(struct hg_str principal)
{
    return hg_str_is(principal, "*") || is_account(principal) || is_identity(principal) ||
           is_service(principal);
}

static void write_principal(struct hg_json *json, struct hg_str principal)
{
    hg_json_key_lit(json, "Principal");
    if (hg_str_is(principal, "*")) {
        hg_json_str(json, principal);
        return;
    }
    hg_json_begin_object(json);
    if (is_account(principal)) {
        hg_json_key_raw(json, HG_STR("\"AWS\":\"arn:aws:iam::"));
        hg_json_escape(json->out, principal);
        hg_buf_append_cstr(json->out, ":root\"");
    } else if (is_identity(principal)) {
        hg_json_field_str(json, "AWS", principal);
    } else {
        hg_json_field_str(json, "Service", principal);
    }
    hg_json_end_object(json);
}

static void write_condition(struct hg_json *json, const struct policy_terms *terms)
{
    const struct {
        const char *key;
        struct hg_str value;
    } equals[] = {
        {"lambda:FunctionUrlAuthType", terms->url_auth_type},
        {"AWS:SourceAccount", terms->source_account},
        {"aws:PrincipalOrgID", terms->org_id},
        {"lambda:EventSourceToken", terms->event_token},
    };
    bool has_equals = false;

    for (size_t i = 0; i < HG_COUNT(equals); i++)
        has_equals = has_equals || equals[i].value.p;
    if (!has_equals && !terms->source_arn.p && !terms->is_via_url)
        return;
    hg_json_key_lit(json, "Condition");
    hg_json_begin_object(json);
    if (has_equals) {
        hg_json_key_lit(json, "StringEquals");
        hg_json_begin_object(json);
        for (size_t i = 0; i < HG_COUNT(equals); i++) {
            if (!equals[i].value.p)
                continue;
            hg_json_key(json, hg_str_of(equals[i].key));
            hg_json_str(json, equals[i].value);
        }
        hg_json_end_object(json);
    }
    if (terms->is_via_url) {
        hg_json_key_lit(json, "Bool");
        hg_json_raw(json, HG_STR("{\"lambda:InvokedViaFunctionUrl\":\"true\"}"));
    }
    if (terms->source_arn.p) {
        hg_json_key_lit(json, "ArnLike");
        hg_json_begin_object(json);
        hg_json_field_str(json, "AWS:SourceArn", terms->source_arn);
        hg_json_end_object(json);
    }
    hg_json_end_object(json);
}

static struct hg_str take_text(struct hg_arena *arena, struct hg_buf *buf)
{
    struct hg_str text = hg_arena_str(arena, hg_buf_str(buf));

    hg_buf_fini(buf);
    return text;
}

struct hg_str policy_statement_json(struct hg_arena *arena, const struct policy_terms *terms)
{
    struct hg_buf buf;
    struct hg_json json = hg_json_to(&buf);

    hg_buf_init(&buf, DOCUMENT_MAX);
    hg_json_begin_object(&json);
    hg_json_field_str(&json, "Sid", terms->sid);
    hg_json_field_cstr(&json, "Effect", "Allow");
    write_principal(&json, terms->principal);
    hg_json_field_str(&json, "Action", terms->action);
    hg_json_field_str(&json, "Resource", terms->resource);
    write_condition(&json, terms);
    hg_json_end_object(&json);
    return take_text(arena, &buf);
}

struct hg_str policy_json(struct hg_arena *arena, const struct hg_policy *policy)
{
    struct hg_buf buf;
    struct hg_json json = hg_json_to(&buf);

    hg_buf_init(&buf, DOCUMENT_MAX);
    hg_json_begin_object(&json);
    hg_json_field_cstr(&json, "Version", "2012-10-17");
    hg_json_field_cstr(&json, "Id", "default");
    hg_json_key_lit(&json, "Statement");
    hg_json_begin_array(&json);
    for (size_t i = 0; i < policy->statement_count; i++)
        hg_json_raw(&json, policy->statements[i].json);
    hg_json_end_array(&json);
    hg_json_end_object(&json);
    return take_text(arena, &buf);
}

const struct hg_statement *policy_find(const struct hg_policy *policy, struct hg_str sid)
{
    for (size_t i = 0; i < policy->statement_count; i++)
        if (hg_str_eq(policy->statements[i].sid, sid))
            return &policy->statements[i];
    return NULL;
}

struct hg_policy policy_with(struct hg_arena *arena, const struct hg_policy *from,
                             struct hg_str qualifier, const struct hg_statement *statement,
                             struct hg_str revision)
{
    size_t count = from ? from->statement_count : 0;
    struct hg_policy policy = {.qualifier = qualifier, .revision_id = revision};

    policy.statements = hg_arena_must(arena, (count + 1) * sizeof(*policy.statements));
    for (size_t i = 0; i < count; i++)
        policy.statements[i] = from->statements[i];
    policy.statements[count] = *statement;
    policy.statement_count = count + 1;
    return policy;
}

struct hg_policy policy_without(struct hg_arena *arena, const struct hg_policy *from,
                                struct hg_str sid, struct hg_str revision)
{
    struct hg_policy policy = {.qualifier = from->qualifier, .revision_id = revision};

    policy.statements =
        hg_arena_must(arena, (from->statement_count + 1) * sizeof(*from->statements));
    for (size_t i = 0; i < from->statement_count; i++)
        if (!hg_str_eq(from->statements[i].sid, sid))
            policy.statements[policy.statement_count++] = from->statements[i];
    return policy;
}
