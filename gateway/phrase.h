/*
 * Text with references in it, taken apart once and put together per request:
 * access log formats, bodies of gateway responses, values of mapped headers.
 * Plain substitution, no mapping template language.
 */
#ifndef HG_GATEWAY_PHRASE_H
#define HG_GATEWAY_PHRASE_H

#include "gateway/context.h"

struct hg_phrase;

enum hg_phrase_kind {
    HG_PHRASE_LOG,  /* $context.x */
    HG_PHRASE_BODY, /* also $stageVariables.x and method.request.header.x with its kin */
};

struct hg_phrase *phrase_new(struct hg_arena *arena, enum hg_phrase_kind kind, struct hg_str text);

/*
 * A parameter mapping's value: 'literal', method.request.header.x, context.x, stageVariables.x, …;
 * NULL when it is none.
 */
struct hg_phrase *phrase_of_mapping(struct hg_arena *arena, struct hg_str text);

/* The whole text, when it holds no reference; otherwise p is NULL. */
struct hg_str phrase_literal(const struct hg_phrase *phrase);

/*
 * Appends the text; what is undefined becomes `undefined`. False when nothing but undefined
 * references is in it.
 */
bool phrase_render(const struct hg_phrase *phrase, struct hg_context *ctx, struct hg_str undefined,
                   struct hg_buf *out);

#endif
