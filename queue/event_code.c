/*
 * The event's stored form: a format version, then every field but payload and
 * result, numbers as variable-length integers, texts with their length in
 * front. One list of fields serves both directions, so that they cannot differ.
 */
#include "queue/event.h"

#include "core/buf.h"

#include <stdlib.h>
#include <string.h>

enum {
    FORMAT_VERSION = 1,
    ID_BYTES = 16,
    /* More than the longest event takes: texts, and 10 bytes for each number. */
    CODE_MAX = 8192,
};

/* Where the coding stands. Once it has failed, nothing more is read or written. */
struct coder {
    bool is_reading, has_failed;
    const unsigned char *in, *in_end;
    unsigned char *out, *out_end;
};

static bool fail(struct coder *coder)
{
    coder->has_failed = true;
    return false;
}

/* Length bytes to or from bytes. */
static void code_bytes(struct coder *coder, void *bytes, size_t length)
{
    if (coder->has_failed)
        return;
    if (coder->is_reading) {
        if ((size_t)(coder->in_end - coder->in) < length) {
            (void)fail(coder);
            return;
        }
        memcpy(bytes, coder->in, length);
        coder->in += length;
    } else {
        hg_assert((size_t)(coder->out_end - coder->out) >= length);
        memcpy(coder->out, bytes, length);
        coder->out += length;
    }
}

static void write_u64(struct coder *coder, uint64_t value)
{
    hg_assert(coder->out_end - coder->out >= 10);
    while (value > 0x7f) {
        *coder->out++ = (unsigned char)(value | 0x80);
        value >>= 7;
    }
    *coder->out++ = (unsigned char)value;
}

static uint64_t read_u64(struct coder *coder)
{
    uint64_t value = 0;

    for (unsigned shift = 0; shift < 64 && coder->in < coder->in_end; shift += 7) {
        unsigned char byte = *coder->in++;

        if (shift == 63 && byte > 1)
            break;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return value;
    }
    (void)fail(coder);
    return 0;
}

static uint64_t code_u64(struct coder *coder, uint64_t value)
{
    if (coder->has_failed)
        return 0;
    if (coder->is_reading)
        return read_u64(coder);
    write_u64(coder, value);
    return value;
}

/* A number below or equal to max. Fields are written to only when reading: an encoded event may be shared. */
static uint64_t code_limited(struct coder *coder, uint64_t value, uint64_t max)
{
    value = code_u64(coder, value);
    if (value > max) {
        (void)fail(coder);
        return 0;
    }
    return value;
}

static void code_unsigned(struct coder *coder, unsigned *value)
{
    unsigned coded = (unsigned)code_limited(coder, *value, UINT32_MAX);

    if (coder->is_reading)
        *value = coded;
}

/* Small numbers of either sign take few bytes. */
static void code_i64(struct coder *coder, int64_t *value)
{
    uint64_t folded = ((uint64_t)*value << 1) ^ (*value < 0 ? UINT64_MAX : 0);

    folded = code_u64(coder, folded);
    if (coder->is_reading)
        *value = (int64_t)((folded >> 1) ^ (0 - (folded & 1)));
}

/* A time, as its distance to another one that is coded before it; 0 stays 0. */
static void code_time(struct coder *coder, int64_t *value, int64_t base)
{
    bool is_set = code_limited(coder, *value != 0, 1) != 0;
    int64_t distance = (int64_t)((uint64_t)*value - (uint64_t)base);

    if (!is_set) {
        if (coder->is_reading)
            *value = 0;
        return;
    }
    code_i64(coder, &distance);
    if (coder->is_reading)
        *value = (int64_t)((uint64_t)base + (uint64_t)distance);
}

/* A terminated text in an array of size bytes. */
static void code_text(struct coder *coder, char *text, size_t size)
{
    size_t length = coder->is_reading ? 0 : strnlen(text, size - 1);

    length = (size_t)code_limited(coder, length, size - 1);
    code_bytes(coder, text, length);
    if (!coder->is_reading)
        return;
    text[coder->has_failed ? 0 : length] = '\0';
    if (strlen(text) != length)
        (void)fail(coder);
}

#define CODE_TEXT(coder, array) code_text((coder), (array), sizeof(array))
#define CODE_ENUM(coder, field, max) \
    do { \
        uint64_t coded_ = code_limited((coder), (uint64_t)(field), (max)); \
        if ((coder)->is_reading) \
            (field) = coded_; \
    } while (0)

static unsigned hex_value(char digit)
{
    return digit <= '9' ? (unsigned)(digit - '0') : (unsigned)((digit | 0x20) - 'a' + 10);
}

static void code_id(struct coder *coder, char id[HG_UUID_LEN + 1])
{
    static const char hex[] = "0123456789abcdef";
    unsigned char bytes[ID_BYTES];
    const char *digit = id;
    char *at = id;

    for (size_t i = 0; !coder->is_reading && i < ID_BYTES; i++) {
        digit += *digit == '-';
        bytes[i] = (unsigned char)(hex_value(digit[0]) << 4 | hex_value(digit[1]));
        digit += 2;
    }
    code_bytes(coder, bytes, sizeof(bytes));
    if (!coder->is_reading || coder->has_failed)
        return;
    for (size_t i = 0; i < ID_BYTES; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *at++ = '-';
        *at++ = hex[bytes[i] >> 4];
        *at++ = hex[bytes[i] & 15];
    }
    *at = '\0';
}

static void code_attempt(struct coder *coder, struct hg_event_attempt *attempt, int64_t base)
{
    code_time(coder, &attempt->started_ms, base);
    code_i64(coder, &attempt->duration_ms);
    CODE_ENUM(coder, attempt->outcome, HG_ATTEMPT_SYSTEM_ERROR);
    code_unsigned(coder, &attempt->count);
    CODE_TEXT(coder, attempt->error);
}

static void code_target(struct coder *coder, struct hg_event_target *target, int64_t base)
{
    CODE_TEXT(coder, target->uri);
    CODE_ENUM(coder, target->role, HG_TARGET_DEAD_LETTER);
    CODE_ENUM(coder, target->state, HG_TARGET_FAILED);
    code_unsigned(coder, &target->tries);
    code_time(coder, &target->due_ms, base);
    code_time(coder, &target->finished_ms, base);
    CODE_TEXT(coder, target->receipt);
    CODE_TEXT(coder, target->error);
}

static void code_life(struct coder *coder, struct hg_event *event)
{
    CODE_ENUM(coder, event->state, HG_EVENT_STATE_COUNT - 1);
    CODE_ENUM(coder, event->condition, HG_CONDITION_COUNT - 1);
    code_time(coder, &event->due_ms, event->accepted_ms);
    code_time(coder, &event->finished_ms, event->accepted_ms);
    code_unsigned(coder, &event->tries);
    code_unsigned(coder, &event->backoff_s);
    code_unsigned(coder, &event->redrives);
    code_unsigned(coder, &event->deliveries);
    CODE_TEXT(coder, event->executed_version);
    CODE_ENUM(coder, event->has_function_error, 1);
    CODE_TEXT(coder, event->why);
}

static void code_lists(struct coder *coder, struct hg_event *event)
{
    size_t attempts = (size_t)code_limited(coder, event->attempt_count, HG_EVENT_ATTEMPTS_KEPT);
    size_t targets = (size_t)code_limited(coder, event->target_count, HG_EVENT_TARGETS_MAX);
    int64_t current = event->current_target;

    if (coder->is_reading && !coder->has_failed) {
        event->attempts = attempts ? hg_calloc(attempts, sizeof(*event->attempts)) : NULL;
        event->targets = targets ? hg_calloc(targets, sizeof(*event->targets)) : NULL;
        event->attempt_count = attempts;
        event->target_count = targets;
    }
    hg_assert(coder->has_failed ||
              ((!attempts || event->attempts) && (!targets || event->targets)));
    for (size_t i = 0; i < attempts && !coder->has_failed; i++)
        code_attempt(coder, &event->attempts[i], event->accepted_ms);
    for (size_t i = 0; i < targets && !coder->has_failed; i++)
        code_target(coder, &event->targets[i], event->accepted_ms);
    code_i64(coder, &current);
    if (current < -1 || current >= (int64_t)targets)
        (void)fail(coder);
    if (coder->is_reading)
        event->current_target = coder->has_failed ? -1 : (int)current;
}

static void code_event(struct coder *coder, struct hg_event *event)
{
    code_id(coder, event->id);
    CODE_TEXT(coder, event->function);
    CODE_TEXT(coder, event->qualifier);
    CODE_TEXT(coder, event->dedup);
    CODE_TEXT(coder, event->trace_id);
    code_i64(coder, &event->accepted_ms);
    code_life(coder, event);
    code_lists(coder, event);
}

bool hg_event_encode(const struct hg_event *event, struct hg_buf *out)
{
    unsigned char bytes[CODE_MAX];
    struct coder coder = {.out = bytes, .out_end = bytes + sizeof(bytes)};

    /* The coder changes an event only when it reads. */
    struct hg_event *shared = (struct hg_event *)(uintptr_t)event;

    hg_assert(shared != NULL);
    if (!hg_uuid_is_valid(hg_str_of(event->id)))
        return false;
    write_u64(&coder, FORMAT_VERSION);
    code_event(&coder, shared);
    return !coder.has_failed && hg_buf_append(out, bytes, (size_t)(coder.out - bytes));
}

struct hg_event *hg_event_decode(struct hg_str bytes, struct hg_error *err)
{
    struct coder coder = {
        .is_reading = true,
        .in = (const unsigned char *)bytes.p,
        .in_end = (const unsigned char *)bytes.p + bytes.n,
    };
    struct hg_event *event;
    uint64_t version = read_u64(&coder);

    if (coder.has_failed || version == 0) {
        (void)hg_error_set(err, HG_E_INVALID, "these bytes are no event");
        return NULL;
    }
    if (version > FORMAT_VERSION) {
        (void)hg_error_set(err, HG_E_CONFLICT,
                           "the event has format %llu, this program knows formats up to %d: a "
                           "newer version of it has written the store",
                           (unsigned long long)version, FORMAT_VERSION);
        return NULL;
    }
    event = hg_calloc(1, sizeof(*event));
    code_event(&coder, event);
    if (!coder.has_failed && coder.in == coder.in_end)
        return event;
    (void)hg_error_set(err, HG_E_INVALID, "the event's bytes are damaged: %zu of them, %s", bytes.n,
                       coder.has_failed ? "cut off or out of range" : "with a rest");
    hg_event_free(event);
    return NULL;
}
