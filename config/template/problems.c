/*
 * The list of what is wrong with a template, kept in the order of lines.
 */
#include "config/template/template.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_known(const struct hg_problems *problems, unsigned line, unsigned column,
                     const char *text)
{
    for (size_t i = 0; i < problems->count; i++) {
        const struct hg_problem *p = &problems->items[i];

        if (p->line == line && p->column == column && strcmp(p->text, text) == 0)
            return true;
    }
    return false;
}

void problems_add(struct hg_problems *problems, unsigned line, unsigned column, const char *format,
                  ...)
{
    va_list args;
    char *text;
    size_t at;

    if (problems->count >= HG_PROBLEMS_MAX)
        return;
    va_start(args, format);
    hg_assert(vasprintf(&text, format, args) >= 0);
    va_end(args);
    if (is_known(problems, line, column, text)) {
        free(text);
        return;
    }
    problems->items = hg_realloc(problems->items, (problems->count + 1) * sizeof(*problems->items));
    for (at = problems->count; at > 0; at--) {
        const struct hg_problem *p = &problems->items[at - 1];

        if (p->line < line || (p->line == line && p->column <= column))
            break;
        problems->items[at] = *p;
    }
    problems->items[at] = (struct hg_problem){.line = line, .column = column, .text = text};
    problems->count++;
}

void problems_fini(struct hg_problems *problems)
{
    for (size_t i = 0; i < problems->count; i++)
        free(problems->items[i].text);
    free(problems->items);
    free(problems->owned_file);
    problems->items = NULL;
    problems->owned_file = NULL;
    problems->count = 0;
}
