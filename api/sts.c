/*
 * STS: who calls, and credentials for a session. Nothing is stored (see
 * api/access.h), so it answers at once, on the request's loop.
 */
#include "api/access.h"
#include "api/iam.h"
#include "api/query_form.h"
#include "api/query_xml.h"
#include "core/clock.h"
#include "core/crypto.h"

#include <stdio.h>

enum {
    DURATION_MIN_S = 900,
    ROLE_DURATION_S = 3600,
    ROLE_DURATION_MAX_S = 43200,
    TOKEN_DURATION_S = 43200,
    TOKEN_DURATION_MAX_S = 129600,
    ARN_MAX = 2048
};

/* The same role has the same id in every answer, without being stored anywhere. */
static void role_id(const struct access_identity *identity, char out[22])
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    unsigned char hash[HG_SHA256_LEN];
    char text[160];

    (void)snprintf(text, sizeof(text), "role:%s:%s", identity->account, identity->role);
    hg_sha256(hg_str_of(text), hash);
    memcpy(out, "AROA", 4);
    for (size_t i = 0; i < 17; i++)
        out[4 + i] = letters[hash[i] % 32];
    out[21] = '\0';
}

static void write_assumed(struct hg_buf *out, const struct access_identity *identity,
                          const char *id_element)
{
    char id[22];

    role_id(identity, id);
    hg_buf_printf(out, "<%s>%s:%s</%s><Arn>arn:aws:sts::%s:assumed-role/%s/%s</Arn>", id_element,
                  id, identity->session, id_element, identity->account, identity->role,
                  identity->session);
}

static void respond(struct hg_call *call, struct hg_buf *out, const char *operation)
{
    query_end(out, operation, true, call->request_id);
    query_respond(call, 200, out);
}

static void get_caller_identity(struct hg_call *call, const struct query_form *form)
{
    struct hg_buf *out = call_buffer(call);
    struct access_identity identity;

    (void)form;
    access_identify(call, &identity);
    query_begin(out, &query_sts, "GetCallerIdentity", true);
    if (identity.is_session && identity.role[0])
        write_assumed(out, &identity, "UserId");
    else
        hg_buf_printf(out, "<Arn>arn:aws:iam::%s:root</Arn><UserId>%s</UserId>", identity.account,
                      identity.account);
    hg_buf_printf(out, "<Account>%s</Account>", identity.account);
    respond(call, out, "GetCallerIdentity");
}

static bool refuse(struct hg_call *call, struct hg_str value, const char *member,
                   const char *constraint)
{
    query_fail(call, &query_sts, 400, "ValidationError",
               "1 validation error detected: Value '%.*s' at '%s' failed to satisfy constraint: "
               "Member must %s",
               (int)HG_MIN(value.n, (size_t)256), value.p ? value.p : "", member, constraint);
    return false;
}

static bool take_duration(struct hg_call *call, const struct query_form *form, int64_t fallback_s,
                          int64_t max_s, int64_t *seconds)
{
    struct hg_str text = form_get(form, "DurationSeconds");
    char constraint[80];

    *seconds = fallback_s;
    if (!text.p)
        return true;
    if (!hg_str_i64(text, -INT32_MAX, INT32_MAX, seconds)) {
        query_fail(call, &query_sts, 400, "MalformedInput", "DurationSeconds is not an integer");
        return false;
    }
    if (*seconds >= DURATION_MIN_S && *seconds <= max_s)
        return true;
    (void)snprintf(constraint, sizeof(constraint), "have value %s than or equal to %lld",
                   *seconds < DURATION_MIN_S ? "greater" : "less",
                   (long long)(*seconds < DURATION_MIN_S ? DURATION_MIN_S : max_s));
    return refuse(call, text, "durationSeconds", constraint);
}

static bool is_word(struct hg_str text)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              (c && strchr("_+=,.@-", c))))
            return false;
    }
    return true;
}

/* arn:aws:iam::123456789012:role/path/name */
static bool take_role(struct hg_call *call, struct hg_str arn, struct access_identity *identity)
{
    struct hg_str rest = arn, part, parts[6] = {{NULL, 0}};
    struct hg_str name = {NULL, 0};
    size_t count = 0;

    if (!arn.p) {
        query_fail(call, &query_sts, 400, "ValidationError",
                   "1 validation error detected: Value null at 'roleArn' failed to satisfy "
                   "constraint: Member must not be null");
        return false;
    }
    if (arn.n < 20 || arn.n > ARN_MAX)
        return refuse(call, arn, "roleArn",
                      arn.n < 20 ? "have length greater than or equal to 20"
                                 : "have length less than or equal to 2048");
    while (count < HG_COUNT(parts) && hg_str_next(&rest, ':', &parts[count]))
        count++;
    if (count == HG_COUNT(parts) && hg_str_starts(parts[5], HG_STR("role/")))
        while (hg_str_next(&parts[5], '/', &part))
            name = part;
    if (!name.n || name.n > ACCESS_ROLE_MAX || !is_word(name) || !hg_str_is(parts[0], "arn") ||
        !hg_str_is(parts[2], "iam") || parts[4].n != 12 ||
        !hg_str_u64(parts[4], UINT64_MAX, &(uint64_t){0})) {
        query_fail(call, &query_sts, 400, "ValidationError", "%.*s is invalid",
                   (int)HG_MIN(arn.n, (size_t)256), arn.p);
        return false;
    }
    (void)snprintf(identity->account, sizeof(identity->account), "%.12s", parts[4].p);
    (void)snprintf(identity->role, sizeof(identity->role), "%.*s", HG_STR_ARG(name));
    return true;
}

static bool take_session(struct hg_call *call, struct hg_str name, struct access_identity *identity)
{
    if (!name.p) {
        query_fail(call, &query_sts, 400, "ValidationError",
                   "1 validation error detected: Value null at 'roleSessionName' failed to satisfy "
                   "constraint: Member must not be null");
        return false;
    }
    if (name.n < 2 || name.n > ACCESS_SESSION_MAX)
        return refuse(call, name, "roleSessionName",
                      name.n < 2 ? "have length greater than or equal to 2"
                                 : "have length less than or equal to 64");
    if (!is_word(name))
        return refuse(call, name, "roleSessionName",
                      "satisfy regular expression pattern: [\\w+=,.@-]*");
    (void)snprintf(identity->session, sizeof(identity->session), "%.*s", HG_STR_ARG(name));
    return true;
}

static void write_credentials(struct hg_call *call, struct hg_buf *out,
                              const struct access_identity *identity, int64_t seconds)
{
    int64_t expires_ms = hg_wall_ms() + seconds * 1000;
    struct access_session session;

    access_grant(call->api->options.access, identity, expires_ms, &session);
    xml_open(out, "Credentials");
    xml_text(out, "AccessKeyId", hg_str_of(session.access_key));
    xml_text(out, "SecretAccessKey", hg_str_of(session.secret_key));
    xml_text(out, "SessionToken", hg_str_of(session.token));
    xml_time(out, "Expiration", expires_ms);
    xml_close(out, "Credentials");
    explicit_bzero(&session, sizeof(session));
}

static void assume_role(struct hg_call *call, const struct query_form *form)
{
    struct access_identity identity = {.is_session = true};
    struct hg_buf *out = call_buffer(call);
    int64_t seconds;

    if (!take_role(call, form_get(form, "RoleArn"), &identity) ||
        !take_session(call, form_get(form, "RoleSessionName"), &identity) ||
        !take_duration(call, form, ROLE_DURATION_S, ROLE_DURATION_MAX_S, &seconds))
        return;
    query_begin(out, &query_sts, "AssumeRole", true);
    write_credentials(call, out, &identity, seconds);
    xml_open(out, "AssumedRoleUser");
    write_assumed(out, &identity, "AssumedRoleId");
    xml_close(out, "AssumedRoleUser");
    respond(call, out, "AssumeRole");
}

static void get_session_token(struct hg_call *call, const struct query_form *form)
{
    struct access_identity identity = {.is_session = true};
    struct hg_buf *out = call_buffer(call);
    int64_t seconds;

    if (!take_duration(call, form, TOKEN_DURATION_S, TOKEN_DURATION_MAX_S, &seconds))
        return;
    (void)snprintf(identity.account, sizeof(identity.account), "%s",
                   access_account(call->api->options.access));
    query_begin(out, &query_sts, "GetSessionToken", true);
    write_credentials(call, out, &identity, seconds);
    respond(call, out, "GetSessionToken");
}

void sts_run(struct hg_call *call)
{
    static const struct {
        const char *name;
        void (*run)(struct hg_call *call, const struct query_form *form);
    } operations[] = {
        {"GetCallerIdentity", get_caller_identity},
        {"AssumeRole", assume_role},
        {"GetSessionToken", get_session_token},
    };
    struct hg_request *req = call->req;
    struct query_form form;
    struct hg_str action;

    if (!form_parse(req->arena, req->body.n ? req->body : req->query, &form)) {
        query_fail(call, &query_sts, 413, "RequestEntityTooLarge", "the form is too long");
        return;
    }
    action = form_get(&form, "Action");
    for (size_t i = 0; i < HG_COUNT(operations); i++) {
        if (hg_str_is(action, operations[i].name)) {
            operations[i].run(call, &form);
            return;
        }
    }
    query_fail(call, &query_sts, 400, "InvalidAction",
               "Could not find operation %.*s for version 2011-06-15",
               (int)HG_MIN(action.n, (size_t)128), action.p ? action.p : "");
}
