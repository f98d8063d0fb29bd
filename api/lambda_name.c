/*
 * Names, partial and full ARNs, qualifiers (function-api.md §3). The patterns
 * are the service's; the error texts quote them as it writes them.
 */
#include "api/lambda_name.h"

#include "api/input.h"

#include <pthread.h>
#include <regex.h>

enum { NAME_MAX_LENGTH = 140, QUALIFIER_MAX_LENGTH = 128, CREATED_NAME_MAX = 64 };

static const char name_pattern[] =
    "(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?"
    "(function:)?([a-zA-Z0-9-_\\.]+)(:(\\$LATEST(\\.PUBLISHED)?|[a-zA-Z0-9-_]+))?";

/* The same in POSIX syntax; the groups that are read: 3 region, 9 account, 11 name, 13 qualifier. */
static const char name_posix[] =
    "^(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-[0-9]:)?([0-9]{12}:)?"
    "(function:)?([a-zA-Z0-9_.-]+)(:([$]LATEST([.]PUBLISHED)?|[a-zA-Z0-9_-]+))?$";
static const char qualifier_posix[] = "^([$](LATEST([.]PUBLISHED)?)|[a-zA-Z0-9_$-]+)$";

enum {
    GROUP_REGION = 3,
    GROUP_ACCOUNT = 9,
    GROUP_NAME = 11,
    GROUP_QUALIFIER = 13,
    GROUP_COUNT = 15
};

static regex_t name_regex, qualifier_regex;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void compile(void)
{
    hg_assert(regcomp(&name_regex, name_posix, REG_EXTENDED) == 0);
    hg_assert(regcomp(&qualifier_regex, qualifier_posix, REG_EXTENDED | REG_NOSUB) == 0);
}

static struct hg_str group(const char *text, const regmatch_t *match)
{
    if (match->rm_so < 0)
        return HG_STR("");
    return hg_str_n(text + match->rm_so, (size_t)(match->rm_eo - match->rm_so));
}

/* Answers with all that the model has against the call; with the name's pattern when that is nothing. */
static bool fail_syntax(struct hg_call *call, const char *name)
{
    if (call_input(call))
        call_fail(call, HG_API_VALIDATION,
                  "1 validation error detected: Value '%s' at 'functionName' failed to satisfy "
                  "constraint: Member must satisfy regular expression pattern: %s",
                  name, name_pattern);
    return false;
}

/* A name without anything before or behind it, as most calls have it: the pattern costs more than all else here. */
static bool is_bare(const char *name, regmatch_t *groups)
{
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");

    if (n == 0 || name[n])
        return false;
    for (size_t i = 0; i < GROUP_COUNT; i++)
        groups[i] = (regmatch_t){-1, -1};
    groups[GROUP_NAME] = (regmatch_t){0, (regoff_t)n};
    return true;
}

/* False when answered. */
static bool check_syntax(struct hg_call *call, const char *name, const char *qualifier,
                         regmatch_t *groups)
{
    (void)pthread_once(&once, compile);
    if (strlen(name) > NAME_MAX_LENGTH ||
        (!is_bare(name, groups) && regexec(&name_regex, name, GROUP_COUNT, groups, 0) != 0))
        return fail_syntax(call, name);
    if (qualifier && (strlen(qualifier) > QUALIFIER_MAX_LENGTH ||
                      regexec(&qualifier_regex, qualifier, 0, NULL, 0) != 0))
        return fail_syntax(call, name);
    return true;
}

/* What the parts of a name that fits the pattern mean here. False when answered. */
static bool resolve(struct hg_call *call, const struct hg_snapshot *snapshot, const char *name,
                    const regmatch_t *groups, struct hg_str given, struct hg_function_ref *ref)
{
    struct hg_str region = group(name, &groups[GROUP_REGION]),
                  account = group(name, &groups[GROUP_ACCOUNT]);

    /* Both groups end in their colon. */
    if (region.n && !hg_str_eq(hg_str_n(region.p, region.n - 1), snapshot->region)) {
        call_fail(call, HG_API_NOT_FOUND,
                  "Functions from '%.*s' are not reachable in this region ('%.*s')",
                  (int)region.n - 1, region.p, HG_STR_ARG(snapshot->region));
        return false;
    }
    if (account.n && !hg_str_eq(hg_str_n(account.p, account.n - 1), snapshot->account)) {
        call_deny(call);
        return false;
    }
    ref->name = group(name, &groups[GROUP_NAME]);
    ref->qualifier = group(name, &groups[GROUP_QUALIFIER]);
    if (given.p && ref->qualifier.n && !hg_str_eq(given, ref->qualifier)) {
        call_fail(
            call, HG_API_INVALID_PARAMETER,
            "The derived qualifier from the function name does not match the specified qualifier.");
        return false;
    }
    if (given.p)
        ref->qualifier = given;
    return true;
}

bool lambda_parse_name(struct hg_call *call, const struct hg_snapshot *snapshot,
                       struct hg_function_ref *ref)
{
    const char *name = hg_arena_strdup(call->req->arena, call->params[0]);
    struct hg_str given = call_query(call, "Qualifier");
    regmatch_t groups[GROUP_COUNT];

    /* What follows reads up to the first NUL. */
    if (strlen(name) != call->params[0].n || (given.p && strlen(given.p) != given.n))
        return fail_syntax(call, name);
    return check_syntax(call, name, given.p, groups) &&
           resolve(call, snapshot, name, groups, given, ref);
}

bool lambda_read_name(struct hg_call *call, const struct hg_snapshot *snapshot, struct hg_str name,
                      struct hg_str qualifier, struct hg_function_ref *ref)
{
    const char *text = hg_arena_strdup(call->req->arena, name);
    regmatch_t groups[GROUP_COUNT];

    if (!check_syntax(call, text, NULL, groups))
        return false;
    if (call->model == &model_ops[HG_MODEL_CreateFunction] &&
        (size_t)(groups[GROUP_NAME].rm_eo - groups[GROUP_NAME].rm_so) > CREATED_NAME_MAX) {
        call_fail(call, HG_API_INVALID_PARAMETER,
                  "1 validation error detected: Value '%s' at 'functionName' failed to satisfy "
                  "constraint: Member must have length less than or equal to %d",
                  text, CREATED_NAME_MAX);
        return false;
    }
    return resolve(call, snapshot, text, groups, qualifier, ref);
}

const struct hg_function *lambda_find(struct hg_call *call, const struct hg_snapshot *snapshot,
                                      const struct hg_function_ref *ref, bool says_latest)
{
    const struct hg_function *function =
        snapshot_find_function(snapshot, ref->name, ref->qualifier);
    struct hg_str suffix = ref->qualifier;

    if (function)
        return function;
    if (suffix.n == 0 && says_latest)
        suffix = HG_STR("$LATEST");
    call_fail(call, HG_API_NOT_FOUND,
              "Function not found: arn:aws:lambda:%.*s:%.*s:function:%.*s%s%.*s",
              HG_STR_ARG(snapshot->region), HG_STR_ARG(snapshot->account), HG_STR_ARG(ref->name),
              suffix.n ? ":" : "", HG_STR_ARG(suffix));
    return NULL;
}

void lambda_look(struct hg_call *call,
                 void (*respond)(struct hg_call *call, const struct hg_snapshot *snapshot,
                                 const struct hg_function_ref *ref))
{
    struct hg_snapshot *snapshot;
    struct hg_function_ref ref;

    if (!call_input(call))
        return;
    snapshot = registry_current(call->api->options.registry);
    if (lambda_parse_name(call, snapshot, &ref))
        respond(call, snapshot, &ref);
    snapshot_unref(snapshot);
}
