/*
 * Used on the catalog's thread, but for change_respond_answer.
 */
#include "api/change_answer.h"

#include "core/id.h"

struct answer {
    int status;
    struct hg_str document; /* p NULL: none */
};

struct hg_str lambda_arn(struct hg_arena *arena, const struct hg_snapshot *snapshot,
                         struct hg_str name, struct hg_str qualifier)
{
    return hg_str_of(hg_arena_printf(arena, "arn:aws:lambda:%.*s:%.*s:function:%.*s%s%.*s",
                                     HG_STR_ARG(snapshot->region), HG_STR_ARG(snapshot->account),
                                     HG_STR_ARG(name), qualifier.n ? ":" : "",
                                     HG_STR_ARG(qualifier)));
}

struct hg_str change_arn(struct hg_api_change *change, struct hg_edit *edit,
                         struct hg_str qualifier)
{
    return lambda_arn(change->arena, edit_snapshot(edit), change->ref.name, qualifier);
}

struct hg_family *change_family(struct hg_api_change *change, struct hg_edit *edit)
{
    struct hg_family *family = edit_family(edit, change->ref.name);

    if (!family)
        (void)change_refuse(change, HG_API_NOT_FOUND, "Function not found: %.*s",
                            HG_STR_ARG(change_arn(change, edit, HG_STR(""))));
    return family;
}

struct hg_function *change_version(struct hg_api_change *change, struct hg_edit *edit,
                                   const struct hg_family *family, struct hg_str version)
{
    struct hg_function *function = family_version(family, version);

    if (!function)
        (void)change_refuse(change, HG_API_NOT_FOUND, "Function not found: %.*s",
                            HG_STR_ARG(change_arn(change, edit, version)));
    return function;
}

struct hg_str change_revision(struct hg_api_change *change)
{
    char uuid[HG_UUID_LEN + 1];

    hg_uuid(uuid);
    return hg_arena_str(change->arena, hg_str_of(uuid));
}

void change_touch(struct hg_edit *edit, struct hg_family *family,
                  const struct hg_function *function, struct hg_str revision)
{
    struct hg_function *draft = function_draft(edit_arena(edit), function);

    draft->revision_id = revision;
    if (function == family->latest)
        family_set_latest(family, draft);
    else
        family_add_version(family, draft);
}

enum hg_rc change_answer(struct hg_api_change *change, int status, const struct hg_buf *document)
{
    struct answer *answer = hg_arena_must(change->arena, sizeof(*answer));

    answer->status = status;
    if (document)
        answer->document = hg_arena_str(change->arena, hg_buf_str(document));
    change->user = answer;
    return HG_OK;
}

void change_respond_answer(struct hg_api_change *change)
{
    const struct answer *answer = change->user;
    struct hg_call *call = change->call;

    if (answer->document.p) {
        struct hg_buf *buf = call_buffer(call);

        hg_buf_append_str(buf, answer->document);
        call_respond_json(call, answer->status, buf);
        return;
    }
    call_respond_empty(call, answer->status);
}
