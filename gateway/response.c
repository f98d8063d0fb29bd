/*
 * Reads the answer of a function in place. The common answer has no escapes
 * in it: its body then goes to the client without having been copied.
 */
#include "gateway/response.h"

#include "core/crypto.h"
#include "core/json_scan.h"
#include "gateway/remap.h"

enum { ADDED_HEADERS = 10 }; /* by the gateway: ids, trace, CORS */

struct reading {
    enum hg_contract contract;
    bool may_decode;
    struct hg_arena *arena;
    struct hg_answer *answer;
    size_t header_bytes;
    bool has_content_type;
    /* Members; kind is HG_JSON_BAD when absent. */
    struct hg_json_value status, headers, multi_headers, cookies, body, is_base64;
    bool has_unknown;
};

/* Cookies are a list, and what has no statusCode is the body. */
static bool is_version_2(const struct reading *r)
{
    return r->contract == HG_CONTRACT_HTTP_V2 || r->contract == HG_CONTRACT_URL;
}

static bool is_given(struct hg_json_value value)
{
    return value.kind != HG_JSON_BAD && value.kind != HG_JSON_NULL;
}

static void read_members(struct reading *r, struct hg_json_value object)
{
    struct hg_json_walk walk = hg_json_walk(object);
    struct hg_json_value value;
    struct hg_str key;

    while (hg_json_next_member(&walk, &key, &value)) {
        if (hg_json_key_is(key, "statusCode"))
            r->status = value;
        else if (hg_json_key_is(key, "headers"))
            r->headers = value;
        else if (hg_json_key_is(key, "body"))
            r->body = value;
        else if (hg_json_key_is(key, "isBase64Encoded"))
            r->is_base64 = value;
        else if (hg_json_key_is(key, "multiValueHeaders"))
            r->multi_headers = value;
        else if (hg_json_key_is(key, "cookies") && is_version_2(r))
            r->cookies = value;
        else
            r->has_unknown = true;
    }
}

static bool read_status(struct reading *r)
{
    struct hg_str text = r->status.raw;
    uint64_t status;

    if (r->status.kind == HG_JSON_STRING)
        text = hg_json_plain(r->status);
    else if (r->status.kind != HG_JSON_NUMBER)
        return false;
    if (!hg_str_u64(text, HG_ANSWER_STATUS_MAX, &status) || status < HG_ANSWER_STATUS_MIN)
        return false;
    r->answer->status = (int)status;
    return true;
}

/* The text of a JSON string; p is NULL when the arena is full. */
static struct hg_str text_of(struct reading *r, struct hg_json_value string)
{
    struct hg_str plain = hg_json_plain(string);
    struct hg_buf buf;
    char *copy;

    if (plain.p)
        return plain;
    copy = hg_arena_alloc(r->arena, string.raw.n);
    if (!copy)
        return plain;
    /* Resolving escapes never makes text longer. */
    hg_buf_init(&buf, string.raw.n);
    if (hg_json_unescape(string, &buf) && buf.len)
        memcpy(copy, buf.base + buf.off, buf.len);
    plain = hg_str_n(copy, buf.len);
    hg_buf_fini(&buf);
    return plain;
}

static struct hg_str key_text(struct reading *r, struct hg_str raw_key)
{
    return text_of(r, (struct hg_json_value){HG_JSON_STRING, {raw_key.p - 1, raw_key.n + 2}});
}

/* The text of a header's value; false when it can have none. REST takes no numbers (§4.1). */
static bool value_text(struct reading *r, struct hg_json_value value, struct hg_str *text)
{
    switch (value.kind) {
    case HG_JSON_STRING:
        *text = text_of(r, value);
        return text->p && header_value_is_valid(*text);
    case HG_JSON_TRUE:
    case HG_JSON_FALSE:
        *text = value.raw;
        return true;
    case HG_JSON_NUMBER:
        *text = value.raw;
        return r->contract != HG_CONTRACT_REST;
    default:
        return false;
    }
}

static bool grow_headers(struct reading *r)
{
    struct hg_answer *answer = r->answer;
    size_t room = answer->header_room ? 2 * answer->header_room : 2 * ADDED_HEADERS;
    struct hg_header *headers = hg_arena_alloc(r->arena, room * sizeof(*headers));

    if (!headers)
        return false;
    if (answer->header_count)
        memcpy(headers, answer->headers, answer->header_count * sizeof(*headers));
    answer->headers = headers;
    answer->header_room = room;
    return true;
}

static bool add_header(struct reading *r, struct hg_str name, struct hg_str value)
{
    struct hg_answer *answer = r->answer;

    if (hg_str_is_nocase(name, "content-type"))
        r->has_content_type = true;
    r->header_bytes += name.n + value.n;
    if (answer->header_count == HG_ANSWER_HEADERS_MAX ||
        r->header_bytes > HG_ANSWER_HEADER_BYTES_MAX)
        return false;
    if (answer->header_count + ADDED_HEADERS >= answer->header_room && !grow_headers(r))
        return false;
    answer->headers[answer->header_count++] = (struct hg_header){name, value};
    return true;
}

/* One header as the function named it: checked, renamed or dropped. */
static bool put_header(struct reading *r, struct hg_str name, struct hg_json_value value)
{
    bool is_rest = r->contract == HG_CONTRACT_REST;
    struct hg_str text, sent;

    if (value.kind == HG_JSON_NULL)
        return true;
    if (!value_text(r, value, &text))
        return false;
    sent =
        remap_header(is_rest ? HG_ANSWER_REST_FUNCTION : HG_ANSWER_HTTP_FUNCTION, r->arena, name);
    return !sent.p || add_header(r, sent, text);
}

/* The member of `headers` that has the same name as a list has, in any case. */
static struct hg_json_value twin_of(struct reading *r, struct hg_str name)
{
    struct hg_json_walk walk = hg_json_walk(r->headers);
    struct hg_json_value value;
    struct hg_str key;

    if (r->headers.kind != HG_JSON_OBJECT)
        return (struct hg_json_value){HG_JSON_BAD, {NULL, 0}};
    while (hg_json_next_member(&walk, &key, &value)) {
        if (key.n == name.n && hg_str_eq_nocase(key, name))
            return value;
    }
    return (struct hg_json_value){HG_JSON_BAD, {NULL, 0}};
}

static bool has_list(struct reading *r, struct hg_str name)
{
    struct hg_json_walk walk = hg_json_walk(r->multi_headers);
    struct hg_json_value value;
    struct hg_str key;

    if (!is_given(r->multi_headers))
        return false;
    while (hg_json_next_member(&walk, &key, &value)) {
        if (key.n == name.n && hg_str_eq_nocase(key, name))
            return true;
    }
    return false;
}

static bool read_lists(struct reading *r)
{
    struct hg_json_walk walk = hg_json_walk(r->multi_headers);
    struct hg_json_value list, item;
    struct hg_str key;

    if (!is_given(r->multi_headers))
        return true;
    if (r->multi_headers.kind != HG_JSON_OBJECT)
        return false;
    while (hg_json_next_member(&walk, &key, &list)) {
        struct hg_str name = key_text(r, key);
        struct hg_json_walk items = hg_json_walk(list);
        struct hg_json_value twin;

        if (!name.p || !header_name_is_valid(name))
            return false;
        if (list.kind == HG_JSON_NULL)
            continue;
        if (list.kind != HG_JSON_ARRAY)
            return false;
        while (hg_json_next_element(&items, &item)) {
            if (item.kind == HG_JSON_NULL || !put_header(r, name, item))
                return false;
        }
        twin = twin_of(r, key);
        if (twin.kind != HG_JSON_BAD && !put_header(r, name, twin))
            return false;
    }
    return true;
}

static bool read_headers(struct reading *r)
{
    struct hg_json_walk walk = hg_json_walk(r->headers);
    struct hg_json_value value;
    struct hg_str key;

    if (!is_given(r->headers))
        return true;
    if (r->headers.kind != HG_JSON_OBJECT)
        return false;
    while (hg_json_next_member(&walk, &key, &value)) {
        struct hg_str name = key_text(r, key);

        if (!name.p || !header_name_is_valid(name))
            return false;
        if (!is_version_2(r) && has_list(r, key))
            continue;
        if (!put_header(r, name, value))
            return false;
    }
    return true;
}

static bool read_cookies(struct reading *r)
{
    struct hg_json_walk walk = hg_json_walk(r->cookies);
    struct hg_json_value cookie;
    struct hg_str text;

    if (!is_given(r->cookies))
        return true;
    if (r->cookies.kind != HG_JSON_ARRAY)
        return false;
    while (hg_json_next_element(&walk, &cookie)) {
        if (cookie.kind != HG_JSON_STRING || !value_text(r, cookie, &text) ||
            !add_header(r, HG_STR("set-cookie"), text))
            return false;
    }
    return true;
}

/* Gives the content of buf to the answer. */
static void hold_body(struct hg_answer *answer, struct hg_buf *buf)
{
    answer->holder = hg_blob_take(buf);
    answer->body = hg_blob_str(answer->holder);
}

static void read_text_body(struct reading *r)
{
    struct hg_str plain = hg_json_plain(r->body);
    struct hg_buf buf;

    if (plain.p) {
        r->answer->body = plain;
        return;
    }
    hg_buf_init(&buf, r->body.raw.n);
    (void)hg_json_unescape(r->body, &buf);
    hold_body(r->answer, &buf);
}

static enum hg_answer_verdict decode_body(struct reading *r)
{
    struct hg_blob *encoded;
    struct hg_buf buf;
    bool is_good;

    read_text_body(r);
    encoded = r->answer->holder;
    r->answer->holder = NULL;
    hg_buf_init(&buf, r->answer->body.n + 1);
    is_good = hg_base64_decode(&buf, r->answer->body);
    hg_blob_unref(encoded);
    r->answer->body = hg_str_n("", 0);
    if (!is_good) {
        hg_buf_fini(&buf);
        return HG_VERDICT_BAD_BASE64;
    }
    hold_body(r->answer, &buf);
    return HG_VERDICT_OK;
}

static void read_json_body(struct reading *r, struct hg_json_value value)
{
    struct hg_buf buf;

    hg_buf_init(&buf, value.raw.n);
    hg_json_compact(value, &buf);
    hold_body(r->answer, &buf);
}

static bool is_flag(struct hg_json_value value)
{
    return !is_given(value) || value.kind == HG_JSON_TRUE || value.kind == HG_JSON_FALSE ||
           (value.kind == HG_JSON_STRING &&
            (hg_str_is_nocase(value.raw, "\"true\"") || hg_str_is_nocase(value.raw, "\"false\"")));
}

static bool is_set(struct hg_json_value flag)
{
    return flag.kind == HG_JSON_TRUE ||
           (flag.kind == HG_JSON_STRING && hg_str_is_nocase(flag.raw, "\"true\""));
}

static enum hg_answer_verdict read_body(struct reading *r)
{
    bool decodes = is_set(r->is_base64) && (r->contract != HG_CONTRACT_REST || r->may_decode);

    if (!is_flag(r->is_base64))
        return HG_VERDICT_MALFORMED;
    if (!is_given(r->body))
        return HG_VERDICT_OK;
    if (r->body.kind != HG_JSON_STRING) {
        if (!is_version_2(r))
            return HG_VERDICT_MALFORMED;
        read_json_body(r, r->body);
        return HG_VERDICT_OK;
    }
    if (decodes)
        return decode_body(r);
    read_text_body(r);
    return HG_VERDICT_OK;
}

static bool add_content_type(struct reading *r, struct hg_str fallback)
{
    return r->has_content_type || add_header(r, HG_STR("Content-Type"), fallback);
}

/*
 * Keeps the look-ups between headers and lists short; what is longer would not fit on the wire
 * anyway.
 */
static bool is_bounded(struct hg_json_value headers)
{
    return headers.raw.n <= 2 * HG_ANSWER_HEADER_BYTES_MAX;
}

static enum hg_answer_verdict read_structured(struct reading *r)
{
    bool is_rest = r->contract == HG_CONTRACT_REST;
    bool is_json = is_rest || r->contract == HG_CONTRACT_URL;
    bool is_good;

    r->answer->status = 200;
    if (!is_bounded(r->headers) || !is_bounded(r->multi_headers))
        return HG_VERDICT_MALFORMED;
    if ((is_given(r->status) || !is_rest) && !read_status(r))
        return HG_VERDICT_MALFORMED;
    is_good = (is_version_2(r) || read_lists(r)) && read_headers(r) && read_cookies(r) &&
              add_content_type(r, is_json ? HG_STR("application/json")
                                          : HG_STR("text/plain; charset=utf-8"));
    return is_good ? read_body(r) : HG_VERDICT_MALFORMED;
}

/* A return value without statusCode is the body itself. */
static enum hg_answer_verdict read_inferred(struct reading *r, struct hg_json_value value)
{
    r->answer->status = 200;
    if (!add_content_type(r, HG_STR("application/json")))
        return HG_VERDICT_MALFORMED;
    r->body = value;
    if (value.kind == HG_JSON_STRING)
        read_text_body(r);
    else
        read_json_body(r, value);
    return HG_VERDICT_OK;
}

enum hg_answer_verdict response_parse(struct hg_str document, enum hg_contract contract,
                                      bool may_decode, struct hg_arena *arena,
                                      struct hg_answer *answer)
{
    struct reading r = {
        .contract = contract, .may_decode = may_decode, .arena = arena, .answer = answer};
    struct hg_json_value value = hg_json_parse(document, NULL);

    *answer = (struct hg_answer){.body = {"", 0}};
    if (value.kind == HG_JSON_BAD)
        return HG_VERDICT_MALFORMED;
    if (value.kind == HG_JSON_OBJECT)
        read_members(&r, value);
    if (is_version_2(&r) && r.status.kind == HG_JSON_BAD)
        return read_inferred(&r, value);
    if (value.kind != HG_JSON_OBJECT || (contract == HG_CONTRACT_REST && r.has_unknown))
        return HG_VERDICT_MALFORMED;
    return read_structured(&r);
}
