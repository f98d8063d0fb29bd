/*
 * What an unquoted YAML scalar means. Text that only some YAML readers take
 * for a number or a date (0644, 1_000, 2012-10-17, 12:30) stays text, as
 * template authors mean it.
 */
#include "config/template/load.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_one_of(struct hg_str text, const char *const *words)
{
    for (; *words; words++)
        if (hg_str_is(text, *words))
            return true;
    return false;
}

/* The digits at *text, taken off its front; how many. */
static size_t take_digits(struct hg_str *text)
{
    size_t n = 0;

    while (n < text->n && is_digit(text->p[n]))
        n++;
    *text = hg_str_skip(*text, n);
    return n;
}

static bool take_one(struct hg_str *text, char a, char b)
{
    if (!text->n || (text->p[0] != a && text->p[0] != b))
        return false;
    *text = hg_str_skip(*text, 1);
    return true;
}

static enum hg_scalar_kind number_kind(struct hg_str text)
{
    size_t whole, fraction;
    bool has_leading_zero;

    (void)take_one(&text, '-', '+');
    has_leading_zero = text.n > 1 && text.p[0] == '0';
    whole = take_digits(&text);
    if (has_leading_zero && whole > 1)
        return HG_SCALAR_STRING;
    if (!text.n)
        return whole ? HG_SCALAR_INT : HG_SCALAR_STRING;
    if (!take_one(&text, '.', '.'))
        return HG_SCALAR_STRING;
    fraction = take_digits(&text);
    if (whole + fraction == 0)
        return HG_SCALAR_STRING;
    if (take_one(&text, 'e', 'E')) {
        (void)take_one(&text, '-', '+');
        if (take_digits(&text) == 0)
            return HG_SCALAR_STRING;
    }
    return text.n ? HG_SCALAR_STRING : HG_SCALAR_FLOAT;
}

void scalar_resolve(struct hg_node *node)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const yes[] = {"true", "True", "TRUE", "yes", "Yes",
                                      "YES",  "on",   "On",   "ON",  NULL};
    static const char *const no[] = {"false", "False", "FALSE", "no",  "No",
                                     "NO",    "off",   "Off",   "OFF", NULL};

    node->scalar = HG_SCALAR_STRING;
    if (is_one_of(node->text, nulls)) {
        node->kind = HG_NODE_NULL;
        node->text = hg_str_n(NULL, 0);
    } else if (is_one_of(node->text, yes)) {
        node->scalar = HG_SCALAR_BOOL;
        node->text = HG_STR("true");
    } else if (is_one_of(node->text, no)) {
        node->scalar = HG_SCALAR_BOOL;
        node->text = HG_STR("false");
    } else {
        node->scalar = number_kind(node->text);
    }
}
