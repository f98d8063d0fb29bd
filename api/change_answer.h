/*
 * What the work of most changes needs: the function that the call names, refusals in the service's words, and an answer that is
 * written while the work runs, so that nothing that was published since shows in it.
 */
#ifndef HG_API_CHANGE_ANSWER_H
#define HG_API_CHANGE_ANSWER_H

#include "api/change.h"

/* arn:aws:lambda:REGION:ACCOUNT:function:NAME[:QUALIFIER], in arena. */
struct hg_str lambda_arn(struct hg_arena *arena, const struct hg_snapshot *snapshot,
                         struct hg_str name, struct hg_str qualifier);
/* The same in the account and region of the change, in its arena. */
struct hg_str change_arn(struct hg_api_change *change, struct hg_edit *edit,
                         struct hg_str qualifier);

/* The family of change->ref, to alter. NULL: the change was refused with 404. */
struct hg_family *change_family(struct hg_api_change *change, struct hg_edit *edit);
/* A version of it. NULL: the change was refused with 404. */
struct hg_function *change_version(struct hg_api_change *change, struct hg_edit *edit,
                                   const struct hg_family *family, struct hg_str version);

/* A new RevisionId, in the change's arena. */
struct hg_str change_revision(struct hg_api_change *change);
/* Sets the RevisionId of $LATEST or of a version. */
void change_touch(struct hg_edit *edit, struct hg_family *family,
                  const struct hg_function *function, struct hg_str revision);

/* For work: keeps a copy of the document (NULL for an empty answer). HG_OK. */
enum hg_rc change_answer(struct hg_api_change *change, int status, const struct hg_buf *document);
/* The respond of those who kept one. */
void change_respond_answer(struct hg_api_change *change);

#endif
