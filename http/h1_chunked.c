/*
 * One step function per state; each looks at one byte, but data is taken in runs.
 */
#include "http/h1_chunked.h"

enum {
    SIZE_DIGITS_MAX = 15, /* 2^60: more than any limit, and no overflow */
};

enum state {
    SIZE,
    EXT_NAME_FIRST,
    EXT_NAME,
    EXT_VALUE_FIRST,
    EXT_VALUE,
    EXT_QUOTED,
    EXT_ESCAPED,
    EXT_QUOTED_END,
    SIZE_LF,
    BODY,
    BODY_CR,
    BODY_LF,
    TRAILER_FIRST,
    TRAILER_NAME,
    TRAILER_VALUE,
    TRAILER_LF,
    LAST_LF,
    COMPLETE,
};

void h1_chunked_init(struct h1_chunked *chunked)
{
    *chunked = (struct h1_chunked){.trailer_max = H1_TRAILERS_MAX, .state = SIZE};
}

static enum h1_result bad(struct h1_chunked *chunked, enum hg_fault fault, const char *detail)
{
    chunked->fault = fault;
    chunked->detail = detail;
    return H1_BAD;
}

static enum h1_result go(struct h1_chunked *chunked, enum state state)
{
    chunked->state = (uint8_t)state;
    return H1_MORE;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_token_byte(char c)
{
    return h1_is_token(hg_str_n(&c, 1));
}

static bool is_value_byte(char c)
{
    return h1_is_field_value(hg_str_n(&c, 1));
}

static enum h1_result step_size(struct h1_chunked *chunked, char c)
{
    int digit = hex_value(c);

    if (digit >= 0) {
        if (chunked->digits == SIZE_DIGITS_MAX)
            return bad(chunked, HG_FAULT_FRAMING, "chunk size overflow");
        chunked->digits++;
        chunked->left = chunked->left * 16 + (unsigned)digit;
        return H1_MORE;
    }
    if (chunked->digits == 0)
        return bad(chunked, HG_FAULT_FRAMING, "chunk size");
    if (c == ';')
        return go(chunked, EXT_NAME_FIRST);
    return c == '\r' ? go(chunked, SIZE_LF) : bad(chunked, HG_FAULT_FRAMING, "chunk size");
}

/* chunk-ext = *( ";" name [ "=" ( token / quoted-string ) ] ), without the blanks that only bad clients send. */
static enum h1_result step_extension(struct h1_chunked *chunked, char c)
{
    enum state state = (enum state)chunked->state;

    if (++chunked->extension_bytes > H1_CHUNK_EXTENSIONS_MAX)
        return bad(chunked, HG_FAULT_FRAMING, "chunk extensions too long");
    if (state == EXT_ESCAPED && is_value_byte(c))
        return go(chunked, EXT_QUOTED);
    if (state == EXT_QUOTED && is_value_byte(c))
        return c == '"'    ? go(chunked, EXT_QUOTED_END)
               : c == '\\' ? go(chunked, EXT_ESCAPED)
                           : H1_MORE;
    if (state == EXT_VALUE_FIRST && c == '"')
        return go(chunked, EXT_QUOTED);
    if (state <= EXT_NAME && is_token_byte(c))
        return go(chunked, EXT_NAME);
    if ((state == EXT_VALUE_FIRST || state == EXT_VALUE) && is_token_byte(c))
        return go(chunked, EXT_VALUE);
    if (state == EXT_NAME && c == '=')
        return go(chunked, EXT_VALUE_FIRST);
    if (state == EXT_NAME || state == EXT_VALUE || state == EXT_QUOTED_END) {
        if (c == ';')
            return go(chunked, EXT_NAME_FIRST);
        if (c == '\r')
            return go(chunked, SIZE_LF);
    }
    return bad(chunked, HG_FAULT_FRAMING, "chunk extension");
}

static enum h1_result step_line_feed(struct h1_chunked *chunked, char c)
{
    if (c != '\n')
        return bad(chunked, HG_FAULT_FRAMING, "bare CR in chunked body");
    switch ((enum state)chunked->state) {
    case SIZE_LF:
        return go(chunked, chunked->left ? BODY : TRAILER_FIRST);
    case BODY_LF:
        chunked->digits = 0;
        return go(chunked, SIZE);
    case TRAILER_LF:
        return go(chunked, TRAILER_FIRST);
    default:
        (void)go(chunked, COMPLETE);
        return H1_DONE;
    }
}

static enum h1_result keep_trailer(struct h1_chunked *chunked, char c)
{
    if (chunked->trailer_length == chunked->trailer_max)
        return bad(chunked, HG_FAULT_HEADERS_LARGE, "trailers too long");
    if (chunked->trailer_room)
        chunked->trailer_room[chunked->trailer_length] = c;
    chunked->trailer_length++;
    return H1_MORE;
}

static enum h1_result step_trailer(struct h1_chunked *chunked, char c)
{
    enum state state = (enum state)chunked->state;

    if (state == TRAILER_FIRST && c == '\r')
        return go(chunked, LAST_LF);
    if (keep_trailer(chunked, c) == H1_BAD)
        return H1_BAD;
    if (state == TRAILER_VALUE) {
        if (c == '\r')
            return go(chunked, TRAILER_LF);
        return is_value_byte(c) ? H1_MORE : bad(chunked, HG_FAULT_FRAMING, "trailer");
    }
    if (state == TRAILER_NAME && c == ':')
        return go(chunked, TRAILER_VALUE);
    return is_token_byte(c) ? go(chunked, TRAILER_NAME) : bad(chunked, HG_FAULT_FRAMING, "trailer");
}

static enum h1_result step(struct h1_chunked *chunked, char c)
{
    switch ((enum state)chunked->state) {
    case SIZE:
        return step_size(chunked, c);
    case EXT_NAME_FIRST:
    case EXT_NAME:
    case EXT_VALUE_FIRST:
    case EXT_VALUE:
    case EXT_QUOTED:
    case EXT_ESCAPED:
    case EXT_QUOTED_END:
        return step_extension(chunked, c);
    case BODY_CR:
        return c == '\r' ? go(chunked, BODY_LF) : bad(chunked, HG_FAULT_FRAMING, "chunk end");
    case TRAILER_LF:
        if (keep_trailer(chunked, c) == H1_BAD)
            return H1_BAD;
        return step_line_feed(chunked, c);
    case SIZE_LF:
    case BODY_LF:
    case LAST_LF:
        return step_line_feed(chunked, c);
    case TRAILER_FIRST:
    case TRAILER_NAME:
    case TRAILER_VALUE:
        return step_trailer(chunked, c);
    case BODY:
    case COMPLETE:
        break;
    }
    return H1_DONE;
}

enum h1_result h1_chunked_feed(struct h1_chunked *chunked, const char *bytes, size_t length,
                               size_t *used, struct hg_str *run)
{
    enum h1_result result = chunked->state == COMPLETE ? H1_DONE : H1_MORE;
    size_t at = 0;

    *run = (struct hg_str){0};
    while (result == H1_MORE && at < length) {
        if (chunked->state == BODY) {
            size_t take = (size_t)HG_MIN((uint64_t)(length - at), chunked->left);

            *run = hg_str_n(bytes + at, take);
            at += take;
            chunked->left -= take;
            if (chunked->left == 0)
                (void)go(chunked, BODY_CR);
            break;
        }
        result = step(chunked, bytes[at++]);
    }
    *used = at;
    return result;
}

static bool is_forbidden(struct hg_str name)
{
    static const char *const names[] = {
        "transfer-encoding",
        "content-length",
        "host",
        "trailer",
        "te",
        "connection",
        "upgrade",
        "keep-alive",
        "content-encoding",
        "content-type",
        "content-range",
        "authorization",
        "proxy-authorization",
        "cookie",
        "set-cookie",
        "www-authenticate",
        "proxy-authenticate",
        "cache-control",
        "expect",
        "max-forwards",
        "pragma",
        "range",
        "if-match",
        "if-none-match",
        "if-modified-since",
        "if-unmodified-since",
        "if-range",
        "age",
        "expires",
        "date",
        "location",
        "retry-after",
        "vary",
        "warning",
        "proxy-connection",
        "http2-settings",
    };

    for (size_t i = 0; i < HG_COUNT(names); i++) {
        if (hg_str_is_nocase(name, names[i]))
            return true;
    }
    return false;
}

size_t h1_chunked_trailers(const struct h1_chunked *chunked, struct hg_header *headers, size_t room)
{
    struct h1_head head = {.headers = headers, .header_room = room};
    size_t kept = 0;

    /* The syntax was checked byte by byte: only a lack of room can end this early. */
    if (!chunked->trailer_room)
        return 0;
    (void)h1_parse_fields(&head, hg_str_n(chunked->trailer_room, chunked->trailer_length));
    for (size_t i = 0; i < head.header_count; i++) {
        if (!is_forbidden(head.headers[i].name))
            headers[kept++] = head.headers[i];
    }
    return kept;
}
