/*
 * Replies: hiredis's reader with bounds, access without surprises, and what
 * error replies mean.
 */
#include "core/redis_client.h"

#include <hiredis/hiredis.h>
#include <stdio.h>

enum { ELEMENTS_MAX = 1 << 20 }; /* of one array: a hostile count must not become an allocation */

#if HIREDIS_MAJOR < 1
static void *(*make_array)(const redisReadTask *task, int elements);

static void *make_bounded_array(const redisReadTask *task, int elements)
{
    return elements > ELEMENTS_MAX ? NULL : make_array(task, elements);
}

/* This version has no limit of its own. */
static void bound_arrays(redisReader *reader)
{
    static redisReplyObjectFunctions functions;
    static _Atomic bool is_made;

    if (!is_made) {
        /* The same values from every thread. */
        make_array = reader->fn->createArray;
        functions = *reader->fn;
        functions.createArray = make_bounded_array;
        is_made = true;
    }
    reader->fn = &functions;
}
#else
static void bound_arrays(redisReader *reader)
{
    reader->maxelements = ELEMENTS_MAX;
}
#endif

struct redisReader *hg_redis_reader_new(void)
{
    redisReader *reader = redisReaderCreate();

    hg_assert(reader != NULL);
    bound_arrays(reader);
    return reader;
}

void hg_redis_reader_free(struct redisReader *reader)
{
    if (reader)
        redisReaderFree(reader);
}

bool hg_redis_reader_feed(struct redisReader *reader, const char *bytes, size_t length, size_t max,
                          char why[HG_REDIS_WHY_MAX])
{
    if (reader->len - reader->pos + length > max) {
        (void)snprintf(why, HG_REDIS_WHY_MAX, "a reply is longer than %zu bytes", max);
        return false;
    }
    if (redisReaderFeed(reader, bytes, length) != REDIS_OK) {
        (void)snprintf(why, HG_REDIS_WHY_MAX, "what it sends is not Redis's protocol: %.100s",
                       reader->errstr);
        return false;
    }
    return true;
}

bool hg_redis_reader_next(struct redisReader *reader, struct redisReply **reply,
                          char why[HG_REDIS_WHY_MAX])
{
    void *found = NULL;

    *reply = NULL;
    if (redisReaderGetReply(reader, &found) != REDIS_OK) {
        (void)snprintf(why, HG_REDIS_WHY_MAX, "what it sends is not Redis's protocol: %.100s",
                       reader->errstr);
        return false;
    }
    *reply = found;
    return true;
}

void hg_redis_reply_free(struct redisReply *reply)
{
    if (reply)
        freeReplyObject(reply);
}

bool hg_redis_is_error(const struct redisReply *reply)
{
    return reply && reply->type == REDIS_REPLY_ERROR;
}

bool hg_redis_is_nil(const struct redisReply *reply)
{
    return !reply || reply->type == REDIS_REPLY_NIL;
}

struct hg_str hg_redis_str(const struct redisReply *reply)
{
    if (!reply || (reply->type != REDIS_REPLY_STRING && reply->type != REDIS_REPLY_STATUS &&
                   reply->type != REDIS_REPLY_ERROR))
        return hg_str_n("", 0);
    return hg_str_n(reply->str, (size_t)reply->len);
}

int64_t hg_redis_int(const struct redisReply *reply)
{
    int64_t value;

    if (reply && reply->type == REDIS_REPLY_INTEGER)
        return reply->integer;
    return hg_str_i64(hg_redis_str(reply), INT64_MIN, INT64_MAX, &value) ? value : 0;
}

size_t hg_redis_count(const struct redisReply *reply)
{
    return reply && reply->type == REDIS_REPLY_ARRAY ? (size_t)reply->elements : 0;
}

const struct redisReply *hg_redis_at(const struct redisReply *reply, size_t index)
{
    return index < hg_redis_count(reply) ? reply->element[index] : NULL;
}

static const struct {
    const char *word;
    enum hg_redis_fault fault;
} faults[] = {
    {"MOVED", HG_REDIS_FAULT_REDIRECT},      {"ASK", HG_REDIS_FAULT_REDIRECT},
    {"NOSCRIPT", HG_REDIS_FAULT_NO_SCRIPT},  {"OOM", HG_REDIS_FAULT_NOT_NOW},
    {"LOADING", HG_REDIS_FAULT_NOT_NOW},     {"MISCONF", HG_REDIS_FAULT_NOT_NOW},
    {"CLUSTERDOWN", HG_REDIS_FAULT_NOT_NOW}, {"TRYAGAIN", HG_REDIS_FAULT_NOT_NOW},
    {"BUSY", HG_REDIS_FAULT_NOT_NOW},        {"MASTERDOWN", HG_REDIS_FAULT_NOT_NOW},
    {"NOREPLICAS", HG_REDIS_FAULT_NOT_NOW},  {"READONLY", HG_REDIS_FAULT_READONLY},
    {"UNBLOCKED", HG_REDIS_FAULT_READONLY},  {"NOAUTH", HG_REDIS_FAULT_DENIED},
    {"WRONGPASS", HG_REDIS_FAULT_DENIED},    {"NOPERM", HG_REDIS_FAULT_DENIED},
};

/* Until version 7 what a script met is quoted in the middle of its own error: "ERR Error running script (…): @…: -OOM …". */
static struct hg_str word_of(struct hg_str text)
{
    ptrdiff_t quoted = -1;
    struct hg_str word = {0};

    if (hg_str_starts(text, HG_STR("ERR Error running script")))
        quoted = hg_str_find_str(text, HG_STR(": -"));
    if (quoted >= 0)
        text = hg_str_skip(text, (size_t)quoted + 3);
    (void)hg_str_next(&text, ' ', &word);
    return word;
}

enum hg_redis_fault hg_redis_fault_of(struct hg_str text)
{
    struct hg_str word = word_of(text);

    for (size_t i = 0; i < HG_COUNT(faults); i++) {
        if (hg_str_is(word, faults[i].word))
            return faults[i].fault;
    }
    /* Before version 6, and for a server that has a password where none is set. */
    if (hg_str_starts(text, HG_STR("ERR invalid password")) ||
        hg_str_starts(text, HG_STR("ERR Client sent AUTH")) ||
        hg_str_starts(text, HG_STR("ERR AUTH <password> called without")))
        return HG_REDIS_FAULT_DENIED;
    if (hg_str_starts(text, HG_STR("ERR max number of clients")))
        return HG_REDIS_FAULT_NOT_NOW;
    return HG_REDIS_FAULT_FINAL;
}
