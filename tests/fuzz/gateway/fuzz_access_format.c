/*
 * The first line is an access log format, the rest the head of a request: target, then headers. The
 * line must end, whatever the format holds.
 */
#include "gateway/access_log.h"
#include "gateway/phrase.h"

enum { HEADERS_MAX = 16, ARENA_BYTES = 1 << 20 };

static void fill_request(struct hg_request *req, struct hg_str text, struct hg_header *headers)
{
    struct hg_str line;
    ptrdiff_t mark;

    req->headers = headers;
    req->method = HG_STR("GET");
    if (!hg_str_next(&text, '\n', &line))
        line = HG_STR("/");
    mark = hg_str_find(line, '?');
    req->target = req->path = line;
    if (mark >= 0) {
        req->path = hg_str_n(line.p, (size_t)mark);
        req->query = hg_str_skip(line, (size_t)mark + 1);
    }
    while (req->header_count < HEADERS_MAX && hg_str_next(&text, '\n', &line)) {
        ptrdiff_t colon = hg_str_find(line, ':');

        if (colon < 0)
            continue;
        headers[req->header_count++] = (struct hg_header){hg_str_n(line.p, (size_t)colon),
                                                          hg_str_skip(line, (size_t)colon + 1)};
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct hg_str text = hg_str_n((const char *)bytes, size), format = {"", 0};
    struct hg_arena *arena = hg_arena_new(ARENA_BYTES);
    struct hg_snapshot *snapshot =
        snapshot_of_stack(stack_new(HG_STR("eu-west-1"), HG_STR("111122223333")));
    struct hg_peer peer = {.remote_ip = "203.0.113.9", .local_port = 8080};
    struct hg_request req = {.arena = arena, .peer = &peer, .authority = HG_STR("h:80")};
    struct hg_header headers[HEADERS_MAX];
    struct hg_stage stage = {.name = HG_STR("s")};
    struct hg_stage_plan plan = {.stage = &stage};
    struct hg_api api = {.kind = HG_API_REST};
    struct hg_context ctx;
    struct hg_buf line;

    (void)hg_str_next(&text, '\n', &format);
    fill_request(&req, text, headers);
    context_init(&ctx, &req, snapshot);
    context_note_headers(&ctx);
    (void)context_trace(&ctx);
    ctx.api = &api;
    ctx.stage = &plan;
    for (int kind = HG_PHRASE_LOG; kind <= HG_PHRASE_BODY; kind++) {
        plan.access_log = phrase_new(arena, (enum hg_phrase_kind)kind, format);
        hg_buf_init(&line, HG_ACCESS_LINE_MAX);
        access_line_write(&ctx, &line);
        hg_assert(line.is_overflown || (line.len && line.base[line.off + line.len - 1] == '\n'));
        hg_buf_fini(&line);
    }
    (void)phrase_of_mapping(arena, format);
    snapshot_unref(snapshot);
    hg_arena_free(arena);
    return 0;
}
