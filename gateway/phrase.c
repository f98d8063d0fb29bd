/*
 * References in text, as a list of pieces.
 */
#include "gateway/phrase.h"

#include "core/uri.h"
#include "gateway/pairs.h"

enum piece_kind {
    PIECE_LITERAL,
    PIECE_CONTEXT,
    PIECE_UNKNOWN, /* a $context variable that no request has */
    PIECE_STAGE_VARIABLE,
    PIECE_HEADER,
    PIECE_HEADERS, /* all values */
    PIECE_QUERY,
    PIECE_QUERIES,
    PIECE_PATH,
};

struct piece {
    enum piece_kind kind;
    enum hg_variable variable;
    struct hg_str text; /* the literal or the name */
};

struct hg_phrase {
    struct piece *pieces;
    size_t count;
};

static const struct {
    struct hg_str prefix;
    enum piece_kind kind;
} sources[] = {
    {{"context.", 8}, PIECE_CONTEXT},
    {{"stageVariables.", 15}, PIECE_STAGE_VARIABLE},
    {{"method.request.header.", 22}, PIECE_HEADER},
    {{"method.request.multivalueheader.", 32}, PIECE_HEADERS},
    {{"method.request.querystring.", 27}, PIECE_QUERY},
    {{"method.request.multivaluequerystring.", 37}, PIECE_QUERIES},
    {{"method.request.path.", 20}, PIECE_PATH},
};

static bool is_name_byte(char c, enum piece_kind kind)
{
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_')
        return true;
    return kind == PIECE_CONTEXT ? c == '.' : c == '-';
}

/*
 * Reads one reference without its $ at the front of text. Returns its length, 0 when there is none.
 */
static size_t read_reference(struct hg_str text, struct piece *piece)
{
    for (size_t i = 0; i < HG_COUNT(sources); i++) {
        size_t start = sources[i].prefix.n, end = start;

        if (!hg_str_starts(text, sources[i].prefix))
            continue;
        while (end < text.n && is_name_byte(text.p[end], sources[i].kind))
            end++;
        while (end > start && text.p[end - 1] == '.')
            end--;
        if (end == start)
            return 0;
        *piece =
            (struct piece){.kind = sources[i].kind, .text = hg_str_n(text.p + start, end - start)};
        if (piece->kind == PIECE_CONTEXT) {
            piece->variable = variable_find(piece->text);
            if (piece->variable == HG_VAR_COUNT)
                piece->kind = PIECE_UNKNOWN;
        }
        return end;
    }
    return 0;
}

/* Same with what may stand around it: $x, ${x}, and for method.request also the bare form. */
static size_t read_marked(enum hg_phrase_kind kind, struct hg_str text, struct piece *piece)
{
    bool is_marked = text.p[0] == '$';
    bool is_braced = is_marked && text.n > 1 && text.p[1] == '{';
    size_t mark = (size_t)is_marked + is_braced, length;

    if (!is_marked && (kind == HG_PHRASE_LOG || text.p[0] != 'm'))
        return 0;
    length = read_reference(hg_str_skip(text, mark), piece);
    if (!length ||
        (kind == HG_PHRASE_LOG && piece->kind != PIECE_CONTEXT && piece->kind != PIECE_UNKNOWN))
        return 0;
    if (!is_braced)
        return mark + length;
    return mark + length < text.n && text.p[mark + length] == '}' ? mark + length + 1 : 0;
}

/* Writes the pieces to out unless it is NULL; returns how many there are. */
static size_t split(enum hg_phrase_kind kind, struct hg_str text, struct piece *out)
{
    size_t count = 0, run = 0, at = 0;

    while (at < text.n) {
        struct piece piece;
        size_t length = read_marked(kind, hg_str_skip(text, at), &piece);

        if (!length) {
            at++;
            continue;
        }
        if (at > run) {
            if (out)
                out[count] =
                    (struct piece){.kind = PIECE_LITERAL, .text = hg_str_n(text.p + run, at - run)};
            count++;
        }
        if (out)
            out[count] = piece;
        count++;
        at += length;
        run = at;
    }
    if (at > run) {
        if (out)
            out[count] =
                (struct piece){.kind = PIECE_LITERAL, .text = hg_str_n(text.p + run, at - run)};
        count++;
    }
    return count;
}

struct hg_phrase *phrase_new(struct hg_arena *arena, enum hg_phrase_kind kind, struct hg_str text)
{
    struct hg_phrase *phrase = hg_arena_must(arena, sizeof(*phrase));

    phrase->count = split(kind, text, NULL);
    phrase->pieces = hg_arena_must(arena, (phrase->count + 1) * sizeof(*phrase->pieces));
    (void)split(kind, text, phrase->pieces);
    return phrase;
}

struct hg_phrase *phrase_of_mapping(struct hg_arena *arena, struct hg_str text)
{
    struct hg_phrase *phrase;
    struct piece piece;

    text = hg_str_trim_ws(text);
    if (text.n >= 2 && text.p[0] == '\'' && text.p[text.n - 1] == '\'') {
        piece = (struct piece){.kind = PIECE_LITERAL, .text = hg_str_n(text.p + 1, text.n - 2)};
    } else if (text.n == 0 || read_reference(text, &piece) != text.n) {
        return NULL;
    }
    phrase = hg_arena_must(arena, sizeof(*phrase));
    phrase->pieces = hg_arena_must(arena, sizeof(*phrase->pieces));
    phrase->pieces[0] = piece;
    phrase->count = 1;
    return phrase;
}

struct hg_str phrase_literal(const struct hg_phrase *phrase)
{
    if (phrase->count == 0)
        return hg_str_n("", 0);
    if (phrase->count == 1 && phrase->pieces[0].kind == PIECE_LITERAL)
        return phrase->pieces[0].text;
    return hg_str_n(NULL, 0);
}

/*
 * Names are compared as they were sent (apigw-routing.md §3.3); HTTP/2 has no spelling to compare.
 */
static bool is_header(const struct hg_context *ctx, struct hg_str name, struct hg_str wanted)
{
    return ctx->req->version == HG_HTTP_2 ? hg_str_eq_nocase(name, wanted)
                                          : hg_str_eq(name, wanted);
}

static bool append_header(struct hg_context *ctx, struct hg_str name, bool wants_all,
                          struct hg_buf *out)
{
    struct hg_str last = {NULL, 0};
    bool is_found = false;

    for (size_t i = 0; i < ctx->req->header_count; i++) {
        if (!is_header(ctx, ctx->req->headers[i].name, name))
            continue;
        last = ctx->req->headers[i].value;
        if (wants_all) {
            if (is_found)
                hg_buf_append_byte(out, ',');
            hg_buf_append_str(out, last);
        }
        is_found = true;
    }
    if (!wants_all && last.n)
        hg_buf_append_str(out, last);
    return wants_all ? is_found : last.n > 0;
}

static bool append_query(struct hg_context *ctx, struct hg_str name, bool wants_all,
                         struct hg_buf *out)
{
    struct hg_pairs pairs;
    bool is_found = false;

    if (!pairs_of_query(&pairs, ctx->req->arena, ctx->req->query, ctx->api->kind))
        return false;
    for (size_t i = 0; i < pairs.count; i++) {
        const struct hg_pair *pair = &pairs.items[i];

        if (!pair->is_first || !hg_str_eq(pair->name, name))
            continue;
        if (!wants_all)
            return hg_buf_append_str(out, pairs.items[pair->last].value) &&
                   pairs.items[pair->last].value.n;
        for (size_t at = i; at != HG_PAIR_NONE; at = pairs.items[at].next) {
            if (is_found)
                hg_buf_append_byte(out, ',');
            hg_buf_append_str(out, pairs.items[at].value);
            is_found = true;
        }
    }
    return is_found;
}

static bool append_path(struct hg_context *ctx, struct hg_str name, struct hg_buf *out)
{
    const struct hg_param *params = ctx->route ? context_params(ctx) : NULL;

    for (size_t i = 0; params && i < ctx->route->pattern.param_count; i++) {
        if (hg_str_eq(params[i].name, name))
            return hg_buf_append_str(out, params[i].value) && params[i].value.n;
    }
    return false;
}

static bool append_piece(const struct piece *piece, struct hg_context *ctx, struct hg_buf *out)
{
    struct hg_str value;

    switch (piece->kind) {
    case PIECE_LITERAL:
        hg_buf_append_str(out, piece->text);
        return true;
    case PIECE_CONTEXT:
        return context_append(ctx, piece->variable, out);
    case PIECE_UNKNOWN:
        return false;
    case PIECE_STAGE_VARIABLE:
        value = context_stage_variable(ctx, piece->text);
        hg_buf_append_str(out, value);
        return value.n > 0;
    case PIECE_HEADER:
    case PIECE_HEADERS:
        return append_header(ctx, piece->text, piece->kind == PIECE_HEADERS, out);
    case PIECE_QUERY:
    case PIECE_QUERIES:
        return append_query(ctx, piece->text, piece->kind == PIECE_QUERIES, out);
    case PIECE_PATH:
        return append_path(ctx, piece->text, out);
    }
    return false;
}

bool phrase_render(const struct hg_phrase *phrase, struct hg_context *ctx, struct hg_str undefined,
                   struct hg_buf *out)
{
    bool is_any = phrase->count == 0;

    for (size_t i = 0; i < phrase->count; i++) {
        if (append_piece(&phrase->pieces[i], ctx, out))
            is_any = true;
        else
            hg_buf_append_str(out, undefined);
    }
    return is_any;
}
