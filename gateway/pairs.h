/*
 * Names with one or several values, in order of arrival: query strings and
 * headers. Memory comes from the request's arena.
 */
#ifndef HG_GATEWAY_PAIRS_H
#define HG_GATEWAY_PAIRS_H

#include "config/model.h"

#define HG_PAIR_NONE SIZE_MAX

struct hg_pair {
    struct hg_str name, value;
    size_t next;   /* the next pair of the same name; HG_PAIR_NONE at the end */
    size_t last;   /* of the first pair of a name: its last one */
    bool is_first; /* of its name */
};

struct hg_pairs {
    struct hg_pair *items;
    size_t count, room;
};

/* Room for so many pairs; false when the arena is full. */
bool pairs_init(struct hg_pairs *pairs, struct hg_arena *arena, size_t room) hg_must_use;
/* At most room times. */
void pairs_add(struct hg_pairs *pairs, struct hg_str name, struct hg_str value);
/*
 * Links what has the same name, ASCII case ignored if so wished. Call it once, after the last add.
 */
bool pairs_group(struct hg_pairs *pairs, struct hg_arena *arena, bool is_nocase) hg_must_use;

/*
 * The pairs of a query string, form-decoded and grouped. REST APIs also split
 * at ';'. False when the arena is full. query.p may be NULL.
 */
bool pairs_of_query(struct hg_pairs *pairs, struct hg_arena *arena, struct hg_str query,
                    enum hg_api_kind kind) hg_must_use;

/*
 * Decodes %XX, and '+' for forms, into the arena; text without any is returned as it is. p is NULL
 * when the arena is full.
 */
struct hg_str pairs_decode(struct hg_arena *arena, struct hg_str text, bool is_form);

#endif
