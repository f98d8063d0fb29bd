/*
 * Protected response headers (apigw-routing.md §3.6, §6.4).
 */
#include "gateway/remap.h"

enum action { KEEP, RENAME, DROP };

static const char prefix[] = "x-amzn-Remapped-";

static const struct {
    struct hg_str name;
    enum action actions[HG_ANSWER_HTTP_FUNCTION + 1];
} protected_headers[] = {
#define PROTECTED(name, rest_function, rest_mapping, http_function) \
    { \
        {name, sizeof(name) - 1}, \
        { \
            rest_function, rest_mapping, http_function \
        } \
    }
    PROTECTED("TE", DROP, KEEP, DROP),
    PROTECTED("Date", RENAME, RENAME, DROP),
    PROTECTED("Host", RENAME, RENAME, KEEP),
    PROTECTED("Expect", KEEP, RENAME, KEEP),
    PROTECTED("Server", RENAME, RENAME, KEEP),
    PROTECTED("Trailer", DROP, RENAME, DROP),
    PROTECTED("Upgrade", DROP, RENAME, DROP),
    PROTECTED("Connection", RENAME, RENAME, DROP),
    PROTECTED("Keep-Alive", DROP, DROP, DROP),
    PROTECTED("User-Agent", RENAME, RENAME, KEEP),
    PROTECTED("Content-MD5", RENAME, RENAME, KEEP),
    PROTECTED("Authorization", RENAME, RENAME, KEEP),
    PROTECTED("Max-Forwards", RENAME, RENAME, KEEP),
    PROTECTED("Content-Length", RENAME, RENAME, DROP),
    PROTECTED("apigw-requestid", KEEP, KEEP, DROP),
    PROTECTED("WWW-Authenticate", RENAME, RENAME, KEEP),
    PROTECTED("x-amzn-RequestId", RENAME, RENAME, KEEP),
    PROTECTED("Proxy-Connection", DROP, DROP, DROP),
    PROTECTED("Transfer-Encoding", DROP, DROP, DROP),
    PROTECTED("Proxy-Authenticate", KEEP, RENAME, KEEP),
#undef PROTECTED
};

static struct hg_str renamed(struct hg_arena *arena, struct hg_str name)
{
    size_t length = sizeof(prefix) - 1 + name.n;
    char *text = hg_arena_alloc(arena, length);

    if (!text)
        return hg_str_n(NULL, 0);
    memcpy(text, prefix, sizeof(prefix) - 1);
    memcpy(text + sizeof(prefix) - 1, name.p, name.n);
    return hg_str_n(text, length);
}

struct hg_str remap_header(enum hg_answer_source source, struct hg_arena *arena, struct hg_str name)
{
    for (size_t i = 0; i < HG_COUNT(protected_headers); i++) {
        if (protected_headers[i].name.n != name.n ||
            !hg_str_eq_nocase(protected_headers[i].name, name))
            continue;
        switch (protected_headers[i].actions[source]) {
        case KEEP:
            return name;
        case RENAME:
            return renamed(arena, name);
        case DROP:
            return hg_str_n(NULL, 0);
        }
    }
    return name;
}

bool header_name_is_valid(struct hg_str name)
{
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              (c && strchr("!#$%&'*+-.^_`|~", c))))
            return false;
    }
    return name.n > 0;
}

bool header_value_is_valid(struct hg_str value)
{
    for (size_t i = 0; i < value.n; i++) {
        unsigned char c = (unsigned char)value.p[i];

        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}
