/*
 * Media types.
 */
#include "gateway/binary.h"

struct hg_str binary_media_type(struct hg_str value)
{
    size_t end = 0;

    while (end < value.n && value.p[end] != ',' && value.p[end] != ';')
        end++;
    return hg_str_trim(hg_str_n(value.p, end));
}

static bool matches(struct hg_str entry, struct hg_str type, size_t slash)
{
    if (hg_str_eq_nocase(entry, type) || hg_str_is(entry, "*/*"))
        return true;
    /* A wildcard behind the slash takes every subtype; one before it takes nothing but itself. */
    return hg_str_ends(entry, HG_STR("/*")) && entry.p[0] != '*' && entry.n == slash + 2 &&
           hg_str_eq_nocase(hg_str_n(entry.p, slash + 1), hg_str_n(type.p, slash + 1));
}

bool binary_matches(const struct hg_str *types, size_t count, struct hg_str value)
{
    struct hg_str type;
    ptrdiff_t slash;

    if (!count || !value.n)
        return false;
    type = binary_media_type(value);
    slash = hg_str_find(type, '/');
    if (slash <= 0 || (size_t)slash + 1 == type.n)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (matches(types[i], type, (size_t)slash))
            return true;
    }
    return false;
}

bool binary_is_text(struct hg_str content_type, struct hg_str content_encoding)
{
    static const char *const texts[] = {"application/json", "application/javascript",
                                        "application/xml"};
    struct hg_str type = binary_media_type(content_type);

    if (content_encoding.n && !hg_str_is_nocase(content_encoding, "identity"))
        return false;
    if (type.n == 0)
        return true;
    if (type.n > 5 && hg_str_eq_nocase(hg_str_n(type.p, 5), HG_STR("text/")))
        return true;
    for (size_t i = 0; i < HG_COUNT(texts); i++) {
        if (hg_str_is_nocase(type, texts[i]))
            return true;
    }
    return hg_str_ends(type, HG_STR("+json")) || hg_str_ends(type, HG_STR("+xml"));
}
