/*
 * Function versions as immutable, counted blocks, and as documents for the store.
 */
#ifndef HG_CONFIG_FUNCTION_H
#define HG_CONFIG_FUNCTION_H

#include "config/model.h"
#include "core/error.h"
#include "core/json_write.h"

/* Everything of draft, copied into one block; one reference. Strings that are {NULL, 0} become "". Any thread. */
struct hg_function *function_seal(const struct hg_function *draft);
struct hg_function *function_ref(struct hg_function *function);
void function_unref(struct hg_function *function); /* NULL is allowed */
/* Everything but the count, bit by bit: to shares the strings and lists of from. */
void function_copy(struct hg_function *to, const struct hg_function *from);
/* A copy to change and seal again: the struct is new, in arena; the strings and lists are still those of from, so keep from alive. */
struct hg_function *function_draft(struct hg_arena *arena, const struct hg_function *from);

/* Whether code and configuration are the same, as PublishVersion asks: all but version, revision, times, states, ARN, family-wide fields. */
bool function_is_same(const struct hg_function *a, const struct hg_function *b);

/* The document of the store: everything. */
void function_write(struct hg_json *json, const struct hg_function *function);
/* A draft in arena from such a document. HG_E_INVALID: it is not one. */
enum hg_rc function_read(struct hg_arena *arena, struct hg_str json,
                         struct hg_function **draft) hg_must_use;

#endif
