/*
 * "Did you mean …?": the known name nearest to a mistyped one.
 */
#ifndef HG_CONFIG_SUGGEST_H
#define HG_CONFIG_SUGGEST_H

#include "core/str.h"

enum { HG_SUGGEST_MAX = 96 };

/* Zeroed but for wanted; names are borrowed until suggest_text. */
struct hg_suggest {
    struct hg_str wanted, best;
    unsigned distance; /* of best; meaningless while best.p is NULL */
    char text[HG_SUGGEST_MAX];
};

void suggest_offer(struct hg_suggest *suggest, struct hg_str name);
void suggest_offer_cstr(struct hg_suggest *suggest, const char *name);
/* "; did you mean NAME?" or "" when nothing offered is near. Valid as long as suggest is. */
const char *suggest_text(struct hg_suggest *suggest);

#endif
