/*
 * Idempotency keys: their form, and that a request has only one.
 */
#include "gateway/dedup.h"

#include "router/router.h"

static bool is_visible(struct hg_str text)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] <= ' ' || text.p[i] > '~')
            return false;
    return true;
}

bool dedup_key(const struct hg_request *req, struct hg_str *key, struct hg_error *err)
{
    static const char *const names[] = {"Idempotency-Key", "X-Headgate-Dedup-Id"};
    const char *name = NULL;

    *key = hg_str_n(NULL, 0);
    for (size_t i = 0; i < req->header_count; i++) {
        const struct hg_header *header = &req->headers[i];

        for (size_t j = 0; j < HG_COUNT(names); j++) {
            if (!hg_str_is_nocase(header->name, names[j]))
                continue;
            if (name && !hg_str_eq(header->value, *key)) {
                (void)hg_error_set(err, HG_E_INVALID, "%s: the request has another key already",
                                   names[j]);
                return false;
            }
            name = names[j];
            *key = header->value;
        }
    }
    if (!name || (key->n >= 1 && key->n <= HG_EVENT_DEDUP_MAX && is_visible(*key)))
        return true;
    if (key->n > HG_EVENT_DEDUP_MAX)
        (void)hg_error_set(err, HG_E_INVALID, "%s: the key has %zu bytes; allowed are 1 to %d",
                           name, key->n, HG_EVENT_DEDUP_MAX);
    else if (!key->n)
        (void)hg_error_set(err, HG_E_INVALID, "%s: the key is empty; allowed are 1 to %d bytes",
                           name, HG_EVENT_DEDUP_MAX);
    else
        (void)hg_error_set(err, HG_E_INVALID,
                           "%s: the key may only have visible ASCII characters, no blanks", name);
    return false;
}
