/*
 * Reads, counts and writes the lineage. Everything else in the header is kept
 * as it is; a lineage that is not understood is one that never was.
 */
#include "router/lineage.h"

#include "core/clock.h"
#include "core/crypto.h"
#include "core/id.h"

#include <stdio.h>

enum {
    FORMAT = 1,
    HASH_DIGITS = 8,
    ROOT_DIGITS = 24,
    COUNT_MAX = 999,
};

struct generation {
    char hash[HASH_DIGITS + 1];
    unsigned count;
};

struct lineage {
    struct generation items[HG_LINEAGE_FUNCTIONS_MAX];
    size_t count;
};

void lineage_root(char trace[HG_LINEAGE_TRACE_MAX])
{
    char root[ROOT_DIGITS + 1];

    hg_hex_id(root, ROOT_DIGITS);
    (void)snprintf(trace, HG_LINEAGE_TRACE_MAX, "Root=1-%08llx-%s;Sampled=0",
                   (unsigned long long)hg_wall_ms() / 1000, root);
}

static bool is_hash(struct hg_str text)
{
    for (size_t i = 0; i < text.n; i++)
        if (!((text.p[i] >= '0' && text.p[i] <= '9') || (text.p[i] >= 'a' && text.p[i] <= 'f')))
            return false;
    return text.n == HASH_DIGITS;
}

/* "1:7f3a2b1c:0". */
static bool parse_one(struct hg_str text, struct generation *item)
{
    struct hg_str format, hash;
    uint64_t number, count;

    if (!hg_str_next(&text, ':', &format) || !hg_str_next(&text, ':', &hash) ||
        !hg_str_u64(format, FORMAT, &number) || number != FORMAT || !is_hash(hash) ||
        !hg_str_u64(text, COUNT_MAX, &count))
        return false;
    memcpy(item->hash, hash.p, HASH_DIGITS);
    item->hash[HASH_DIGITS] = '\0';
    item->count = (unsigned)count;
    return true;
}

static void parse_all(struct hg_str text, struct lineage *lineage)
{
    struct hg_str part;

    while (lineage->count < HG_LINEAGE_FUNCTIONS_MAX && hg_str_next(&text, '|', &part))
        if (parse_one(part, &lineage->items[lineage->count]))
            lineage->count++;
}

/* Splits the header into its lineage and, terminated, the rest. */
static void split(const char *trace, struct lineage *lineage, char *kept)
{
    struct hg_str rest = hg_str_of(trace), part;
    size_t length = 0;

    lineage->count = 0;
    while (hg_str_next(&rest, ';', &part)) {
        if (hg_str_starts(part, HG_STR("Lineage="))) {
            parse_all(hg_str_skip(part, strlen("Lineage=")), lineage);
            continue;
        }
        if (length)
            kept[length++] = ';';
        memcpy(kept + length, part.p, part.n);
        length += part.n;
    }
    kept[length] = '\0';
}

static void hash_function(const struct hg_function *function, char out[HASH_DIGITS + 1])
{
    unsigned char hash[HG_SHA256_LEN];

    hg_sha256(function->arn, hash);
    (void)snprintf(out, HASH_DIGITS + 1, "%02x%02x%02x%02x", hash[0], hash[1], hash[2], hash[3]);
}

/*
 * The function's own place. When there is none left the newest goes: the others keep counting, so that a loop is found
 * however many functions led to it.
 */
static struct generation *place_of(struct lineage *lineage, const char *hash, bool *is_new)
{
    struct generation *item;

    *is_new = false;
    for (size_t i = 0; i < lineage->count; i++)
        if (strcmp(lineage->items[i].hash, hash) == 0)
            return &lineage->items[i];
    *is_new = true;
    if (lineage->count < HG_LINEAGE_FUNCTIONS_MAX)
        lineage->count++;
    item = &lineage->items[lineage->count - 1];
    memcpy(item->hash, hash, HASH_DIGITS + 1);
    item->count = 0;
    return item;
}

static void write_all(const struct lineage *lineage, const char *kept, char *trace)
{
    size_t at = strlen(kept), length;
    struct hg_buf text;

    hg_buf_init(&text, HG_LINEAGE_TRACE_MAX - 1);
    for (size_t i = 0; i < lineage->count; i++)
        hg_buf_printf(&text, "%s%d:%s:%u", i ? "|" : "Lineage=", FORMAT, lineage->items[i].hash,
                      lineage->items[i].count);
    length = text.len;
    /* A header without room for both keeps the lineage: it ends loops, the rest is for people. */
    if (at + 1 + length >= HG_LINEAGE_TRACE_MAX)
        at = 0;
    memmove(trace, kept, at);
    if (at)
        trace[at++] = ';';
    memcpy(trace + at, hg_buf_str(&text).p, length);
    trace[at + length] = '\0';
    hg_buf_fini(&text);
}

bool lineage_enter(char trace[HG_LINEAGE_TRACE_MAX], const struct hg_function *function)
{
    char kept[HG_LINEAGE_TRACE_MAX], hash[HASH_DIGITS + 1];
    struct lineage lineage;
    struct generation *item;
    bool is_new;

    split(trace, &lineage, kept);
    hash_function(function, hash);
    item = place_of(&lineage, hash, &is_new);
    if (!is_new) {
        if (item->count + 1 >= HG_LINEAGE_RUNS_MAX && !function->may_recurse)
            return false;
        item->count = HG_MIN(item->count + 1, (unsigned)COUNT_MAX);
    }
    if (!kept[0])
        lineage_root(kept);
    write_all(&lineage, kept, trace);
    return true;
}
