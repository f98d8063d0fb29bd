/*
 * Bytes of a client to an HTTP/2 session without a socket. The first byte says
 * whether a good preface goes before the rest, how the handler answers, how the
 * bytes are cut, and how much the kernel takes.
 */
#include "http/http2.h"
#include "tests/unit/http/fake_conn.h"

enum {
    WITH_PREFACE = 0x01,
    ANSWERS_LATER = 0x02,
    IS_UPGRADED = 0x04,
    IS_SLOW_READER = 0x08,
    CUT_SHIFT = 4, /* pieces of 2^n bytes, n in the upper four bits */
    HELD_MAX = 256,
};

struct handler {
    bool answers_later;
    struct hg_request *held[HELD_MAX];
    size_t count;
};

static void on_abort(struct hg_request *req)
{
    struct handler *handler = req->user;

    for (size_t i = 0; i < handler->count; i++) {
        if (handler->held[i] == req)
            handler->held[i] = NULL;
    }
}

static void on_request(struct hg_request *req, void *arg)
{
    struct handler *handler = arg;

    hg_assert(req->method.n && req->authority.n && req_header(req, "host").p);
    req->user = handler;
    req->on_abort = on_abort;
    if (handler->answers_later && handler->count < HELD_MAX)
        handler->held[handler->count++] = req;
    else
        req_respond_with(req, 200, "text/plain", req->body.n ? req->body : HG_STR("answer"));
}

static void answer_all(struct handler *handler)
{
    for (size_t i = 0; i < handler->count; i++) {
        if (handler->held[i])
            req_respond_with(handler->held[i], 200, "text/plain", handler->held[i]->path);
    }
    handler->count = 0;
}

static void start(struct fake_conn *fake, unsigned mode)
{
    static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0";
    static struct hg_header host = {{"Host", 4}, {"a", 1}};
    const struct hg_request request = {
        .method = HG_STR("GET"),
        .target = HG_STR("/"),
        .path = HG_STR("/"),
        .authority = HG_STR("a"),
        .headers = &host,
        .header_count = 1,
    };

    if (!(mode & IS_UPGRADED) || !http2_upgrade(&fake->conn, &request, HG_STR("AAMAAABk")))
        http2_start(&fake->conn);
    if (mode & WITH_PREFACE)
        fake_conn_receive(fake, preface, sizeof(preface) - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    unsigned mode = size ? bytes[0] : 0;
    size_t piece = (size_t)1 << (mode >> CUT_SHIFT);
    struct handler handler = {.answers_later = mode & ANSWERS_LATER};
    struct fake_conn fake;

    fake_conn_init(&fake);
    fake.conn.handler = (struct hg_http_handler){.on_request = on_request, .arg = &handler};
    start(&fake, mode);
    for (size_t at = 1; at < size && !fake_conn_is_closed(&fake); at += piece) {
        fake.room = mode & IS_SLOW_READER ? 20 : SIZE_MAX;
        fake_conn_receive(&fake, bytes + at, HG_MIN(piece, size - at));
        hg_buf_clear(&fake.wire, 1 << 16);
        answer_all(&handler);
        fake_conn_pass_ms(&fake, 100);
    }
    fake.room = SIZE_MAX;
    answer_all(&handler);
    fake_conn_pass_ms(&fake, 120000);
    fake_conn_fini(&fake);
    hg_assert(fake.buffered == 0);
    return 0;
}
