/*
 * Edit distance with swaps of neighbours, letters compared without case.
 */
#include "config/suggest.h"

#include <stdio.h>

enum {
    NAME_MAX_LEN = 64
}; /* longer names are not compared: nobody mistypes them by a letter or two */

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static unsigned distance(struct hg_str a, struct hg_str b)
{
    unsigned rows[3][NAME_MAX_LEN + 1];
    unsigned *before = rows[0], *last = rows[1], *row = rows[2];

    for (unsigned j = 0; j <= b.n; j++)
        last[j] = j;
    for (unsigned i = 1; i <= a.n; i++) {
        unsigned *oldest = before;

        row[0] = i;
        for (unsigned j = 1; j <= b.n; j++) {
            char x = lower(a.p[i - 1]), y = lower(b.p[j - 1]);
            unsigned cost = last[j - 1] + (x != y);

            cost = HG_MIN(cost, HG_MIN(last[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && x == lower(b.p[j - 2]) && lower(a.p[i - 2]) == y)
                cost = HG_MIN(cost, before[j - 2] + 1);
            row[j] = cost;
        }
        before = last;
        last = row;
        row = oldest;
    }
    return last[b.n];
}

void suggest_offer(struct hg_suggest *suggest, struct hg_str name)
{
    unsigned far;

    if (suggest->wanted.n > NAME_MAX_LEN || name.n > NAME_MAX_LEN || name.n == 0)
        return;
    far = distance(suggest->wanted, name);
    if (far * 3 > HG_MAX(suggest->wanted.n, name.n))
        return;
    if (!suggest->best.p || far < suggest->distance) {
        suggest->best = name;
        suggest->distance = far;
    }
}

void suggest_offer_cstr(struct hg_suggest *suggest, const char *name)
{
    suggest_offer(suggest, hg_str_of(name));
}

const char *suggest_text(struct hg_suggest *suggest)
{
    suggest->text[0] = '\0';
    if (suggest->best.p)
        (void)snprintf(suggest->text, sizeof(suggest->text), "; did you mean %.*s?",
                       HG_STR_ARG(suggest->best));
    return suggest->text;
}
