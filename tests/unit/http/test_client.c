/*
 * The client against the program's own server, both turned by the test in one
 * thread: limits, deadlines, cancelling, reuse of connections, TLS and HTTP/2.
 */
#include "core/log.h"
#include "core/metrics.h"
#include "http/client.h"
#include "http/server.h"
#include "http/tls.h"
#include "tests/unit/unit.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { HELD_MAX = 8, TURNS_MAX = 100000, BIG_BYTES = 100000, DAY = 86400 };

static struct hg_loops *loops;
static struct hg_server *server;
static struct hg_tls *tls;
static struct hg_loop *loop;
static struct hg_http_client *client;
static char plain[80], secure[80]; /* "http://127.0.0.1:port", "https://localhost:port" */
static char folder[] = "/tmp/hg-test-client-XXXXXX";
static char cert_file[64], key_file[64];
static struct hg_request *held[HELD_MAX]; /* asked for /later and not answered yet */
static unsigned held_count, request_count;
static enum hg_http_version version;
static char big[BIG_BYTES], seen_type[64], seen_host[64], seen_empty[8];

static void on_abort(struct hg_request *req)
{
    for (unsigned i = 0; i < held_count; i++)
        if (held[i] == req)
            held[i] = held[--held_count];
}

static void copy_header(const struct hg_request *req, const char *name, char *out, size_t room)
{
    struct hg_str value = req_header(req, name);

    (void)snprintf(out, room, "%.*s", value.p ? (int)value.n : 4, value.p ? value.p : "none");
}

static void answer_redirect(struct hg_request *req)
{
    req->response.status = 302;
    req_add_header(req, HG_STR("Location"), HG_STR("/hello"));
    req_respond(req);
}

static void on_request(struct hg_request *req, void *arg)
{
    (void)arg;
    request_count++;
    version = req->version;
    req->on_abort = on_abort;
    copy_header(req, "content-type", seen_type, sizeof(seen_type));
    copy_header(req, "host", seen_host, sizeof(seen_host));
    copy_header(req, "x-empty", seen_empty, sizeof(seen_empty));
    if (hg_str_is(req->path, "/later"))
        held[held_count++] = req;
    else if (hg_str_is(req->path, "/echo"))
        req_respond_with(req, 200, "text/plain", req->body);
    else if (hg_str_is(req->path, "/big"))
        req_respond_with(req, 200, "text/plain", hg_str_n(big, sizeof(big)));
    else if (hg_str_is(req->path, "/redirect"))
        answer_redirect(req);
    else
        req_respond_with(req, hg_str_is(req->path, "/hello") ? 200 : 404, "text/plain",
                         req->method);
}

/* A certificate for localhost that is its own authority. */
static void make_certificate(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    X509_EXTENSION *names = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:localhost");
    FILE *out;

    assert_non_null(mkdtemp(folder));
    (void)snprintf(cert_file, sizeof(cert_file), "%s/cert.pem", folder);
    (void)snprintf(key_file, sizeof(key_file), "%s/key.pem", folder);
    assert_int_equal(X509_set_version(cert, 2), 1);
    (void)ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    (void)X509_gmtime_adj(X509_getm_notBefore(cert), -DAY);
    (void)X509_gmtime_adj(X509_getm_notAfter(cert), DAY);
    (void)X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
                                     (const unsigned char *)"localhost", -1, -1, 0);
    assert_int_equal(X509_set_issuer_name(cert, X509_get_subject_name(cert)), 1);
    assert_int_equal(X509_set_pubkey(cert, key), 1);
    assert_int_equal(X509_add_ext(cert, names, -1), 1);
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
    out = fopen(cert_file, "we");
    assert_int_equal(PEM_write_X509(out, cert), 1);
    assert_int_equal(fclose(out), 0);
    out = fopen(key_file, "we");
    assert_int_equal(PEM_write_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL), 1);
    assert_int_equal(fclose(out), 0);
    X509_EXTENSION_free(names);
    X509_free(cert);
    EVP_PKEY_free(key);
}

static struct hg_http_client *new_client(const char *ca_file, unsigned parallel, unsigned waiting)
{
    struct hg_http_client_options options = {
        .loop = loop, .ca_file = ca_file, .parallel_max = parallel, .waiting_max = waiting};
    struct hg_error err = {""};
    struct hg_http_client *made = http_client_new(&options, &err);

    assert_string_equal(err.text, "");
    assert_non_null(made);
    return made;
}

static int set_up(void **state)
{
    struct hg_http_handler handler = {.on_request = on_request};
    struct hg_tls_pair pair = {cert_file, key_file};
    char bound[64];
    struct hg_error err = {""};

    (void)state;
    hg_log_setup(HG_LOG_ERROR, HG_LOG_TEXT);
    make_certificate();
    memset(big, 'b', sizeof(big));
    loops = hg_loops_new(1);
    server = server_new(loops, &hg_server_limits_default);
    tls = tls_new(&pair, 1, &err);
    assert_non_null(tls);
    assert_int_equal(server_listen(server, "127.0.0.1:0", NULL, handler, bound, &err), HG_OK);
    (void)snprintf(plain, sizeof(plain), "http://%s", bound);
    assert_int_equal(server_listen(server, "127.0.0.1:0", tls, handler, bound, &err), HG_OK);
    (void)snprintf(secure, sizeof(secure), "https://localhost%s", strchr(bound, ':'));
    loop = hg_loop_new(0);
    client = new_client(NULL, 2, 3);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    http_client_free(client);
    server_free(server);
    tls_free(tls);
    hg_loops_free(loops);
    hg_loop_free(loop);
    (void)unlink(cert_file);
    (void)unlink(key_file);
    (void)rmdir(folder);
    return 0;
}

static void turn(void)
{
    hg_loop_turn(loops->control, false);
    hg_loop_turn(loops->loops[0], false);
    hg_loop_turn(loop, false);
}

#define turn_until(condition) \
    do { \
        int turns_ = 0; \
        while (!(condition)) { \
            assert_true(turns_++ < TURNS_MAX); \
            turn(); \
            (void)usleep(50); \
        } \
    } while (0)

struct test_call {
    struct hg_http_call http;
    char url[160];
    unsigned done;
};

static bool is_inside_submit;

static void on_done(struct hg_http_call *call)
{
    assert_false(is_inside_submit);
    hg_container_of(call, struct test_call, http)->done++;
}

static void submit_to(struct hg_http_client *to, struct test_call *call, const char *base,
                      const char *path)
{
    (void)snprintf(call->url, sizeof(call->url), "%s%s", base, path);
    call->http.url = call->url;
    if (!call->http.method)
        call->http.method = "GET";
    call->http.done = on_done;
    call->done = 0;
    is_inside_submit = true;
    http_call_submit(to, &call->http);
    is_inside_submit = false;
}

static void fetch(struct test_call *call, const char *path)
{
    submit_to(client, call, plain, path);
    turn_until(call->done);
    assert_int_equal(call->done, 1);
}

static void answer_held(void)
{
    struct hg_request *req = held[0];

    assert_true(held_count > 0);
    memmove(held, held + 1, (HELD_MAX - 1) * sizeof(held[0]));
    held_count--;
    req_respond_with(req, 200, "text/plain", HG_STR("late"));
}

/* Those whose client has gone: the server learns it when it answers. */
static void release_held(void)
{
    while (held_count)
        answer_held();
    for (unsigned i = 0; i < 50; i++)
        turn();
}

static void test_methods_headers_bodies(void **state)
{
    static const char *const methods[] = {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
    const struct hg_header headers[] = {{HG_STR("Content-Type"), HG_STR("text/x-test")},
                                        {HG_STR("Host"), HG_STR("other.example")},
                                        {HG_STR("X-Empty"), HG_STR("")}};
    struct test_call call = {0};

    (void)state;
    for (size_t i = 0; i < HG_COUNT(methods); i++) {
        call.http.method = methods[i];
        fetch(&call, "/hello");
        assert_int_equal(call.http.rc, HG_OK);
        assert_int_equal(call.http.status, 200);
        assert_str(hg_buf_str(&call.http.answer), methods[i]);
        assert_str(http_call_header(&call.http, "CONTENT-type"), "text/plain");
        assert_null(http_call_header(&call.http, "x-other").p);
        assert_string_equal(seen_type, "none");
    }
    call.http.method = "HEAD";
    fetch(&call, "/hello");
    assert_int_equal(call.http.status, 200);
    assert_int_equal(call.http.answer.len, 0);

    call.http.method = "POST";
    call.http.headers = headers;
    call.http.header_count = HG_COUNT(headers);
    call.http.body = hg_str_n(big, sizeof(big));
    fetch(&call, "/echo");
    assert_int_equal(call.http.answer.len, sizeof(big));
    assert_string_equal(seen_type, "text/x-test");
    assert_string_equal(seen_host, "other.example");
    assert_string_equal(seen_empty, "");
    http_call_fini(&call.http);
}

static void test_connection_is_used_again(void **state)
{
    struct test_call call = {0};
    uint64_t before;

    (void)state;
    fetch(&call, "/hello");
    before = hg_counter_total(HG_M_CONNECTIONS_ACCEPTED);
    for (unsigned i = 0; i < 5; i++)
        fetch(&call, "/hello");
    assert_int_equal(hg_counter_total(HG_M_CONNECTIONS_ACCEPTED), before);
    http_call_fini(&call.http);
}

/* Two run, three wait, the sixth is refused; each answer lets the next one go. */
static void test_parallel_and_waiting_limits(void **state)
{
    struct test_call calls[6] = {0};

    (void)state;
    for (unsigned i = 0; i < 6; i++)
        submit_to(client, &calls[i], plain, "/later");
    turn_until(calls[5].done);
    assert_int_equal(calls[5].http.rc, HG_E_BUSY);
    turn_until(held_count == 2);
    for (unsigned i = 0; i < 50; i++)
        turn();
    assert_int_equal(held_count, 2);
    for (unsigned i = 0; i < 5; i++) {
        turn_until(held_count);
        answer_held();
        turn_until(calls[i].done);
        assert_int_equal(calls[i].http.rc, HG_OK);
        assert_str(hg_buf_str(&calls[i].http.answer), "late");
    }
    for (unsigned i = 0; i < 6; i++)
        http_call_fini(&calls[i].http);
}

static void test_deadlines(void **state)
{
    struct test_call calls[3] = {0};
    unsigned before = request_count;

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        calls[i].http.timeout_ms = 100;
        submit_to(client, &calls[i], plain, "/later");
    }
    turn_until(calls[0].done && calls[1].done && calls[2].done);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(calls[i].http.rc, HG_E_DEADLINE);
        assert_non_null(strstr(calls[i].http.why, "100 ms"));
        http_call_fini(&calls[i].http);
    }
    assert_true(request_count - before >= 2);
    release_held();
}

static void test_cancel(void **state)
{
    struct test_call calls[4] = {0}, bad = {0};
    unsigned before = request_count;

    (void)state;
    for (unsigned i = 0; i < 4; i++)
        submit_to(client, &calls[i], plain, "/later");
    submit_to(client, &bad, "ftp://h", "/");
    turn_until(request_count == before + 2);
    http_call_cancel(&calls[3].http); /* waits */
    http_call_cancel(&calls[0].http); /* runs: the third takes its place */
    http_call_cancel(&calls[0].http);
    turn_until(request_count == before + 3);
    http_call_cancel(&calls[1].http);
    http_call_cancel(&calls[2].http);
    release_held();
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(calls[i].done, 0);
        http_call_fini(&calls[i].http);
    }
    http_call_fini(&bad.http);
}

static void test_cancel_of_a_refused_call(void **state)
{
    struct test_call call = {0};

    (void)state;
    submit_to(client, &call, "ftp://h", "/");
    http_call_cancel(&call.http);
    turn();
    assert_int_equal(call.done, 0);
    http_call_fini(&call.http);
}

static void test_answer_limit(void **state)
{
    struct test_call call = {.http.answer_max = 1000};

    (void)state;
    fetch(&call, "/big");
    assert_int_equal(call.http.rc, HG_E_TOO_LARGE);
    assert_int_equal(call.http.status, 200);
    assert_int_equal(call.http.answer.len, 1000);
    call.http.answer_max = BIG_BYTES;
    fetch(&call, "/big");
    assert_int_equal(call.http.rc, HG_OK);
    assert_int_equal(call.http.answer.len, BIG_BYTES);
    http_call_fini(&call.http);
}

static void test_redirects_only_when_asked(void **state)
{
    struct test_call call = {0};

    (void)state;
    fetch(&call, "/redirect");
    assert_int_equal(call.http.status, 302);
    assert_str(http_call_header(&call.http, "location"), "/hello");
    call.http.redirects_max = 3;
    fetch(&call, "/redirect");
    assert_int_equal(call.http.status, 200);
    assert_null(http_call_header(&call.http, "location").p);
    http_call_fini(&call.http);
}

static void test_what_cannot_be_asked(void **state)
{
    const struct hg_header split = {HG_STR("X-A"), HG_STR("a\r\nX-B: b")};
    struct test_call call = {.http.headers = &split, .http.header_count = 1};

    (void)state;
    fetch(&call, "/hello");
    assert_int_equal(call.http.rc, HG_E_INVALID);
    call.http.header_count = 0;
    fetch(&call, "/hello#a");
    assert_int_equal(call.http.rc, HG_E_INVALID);
    submit_to(client, &call, "http://no-such-host.invalid", "/");
    turn_until(call.done);
    assert_int_equal(call.http.rc, HG_E_UNAVAILABLE);
    assert_int_equal(call.http.status, 0);
    http_call_fini(&call.http);
}

static void test_tls_and_http2(void **state)
{
    struct hg_http_client *trusting = new_client(cert_file, 4, 0);
    struct test_call calls[4] = {0};
    uint64_t before = hg_counter_total(HG_M_CONNECTIONS_ACCEPTED);

    (void)state;
    for (unsigned i = 0; i < 4; i++)
        submit_to(trusting, &calls[i], secure, "/later");
    turn_until(held_count == 4);
    assert_int_equal(version, HG_HTTP_2);
    assert_int_equal(hg_counter_total(HG_M_CONNECTIONS_ACCEPTED), before + 1);
    while (held_count)
        answer_held();
    for (unsigned i = 0; i < 4; i++) {
        turn_until(calls[i].done);
        assert_string_equal(calls[i].http.why, "");
        assert_str(hg_buf_str(&calls[i].http.answer), "late");
        http_call_fini(&calls[i].http);
    }
    http_client_free(trusting);
}

static void test_tls_is_verified(void **state)
{
    struct hg_http_client *trusting = new_client(cert_file, 0, 0);
    struct test_call call = {0};
    unsigned before = request_count;
    char other[80];

    (void)state;
    submit_to(client, &call, secure, "/hello"); /* an authority that nobody knows */
    turn_until(call.done);
    assert_int_equal(call.http.rc, HG_E_UNAVAILABLE);
    assert_non_null(strstr(call.http.why, "certificate"));
    (void)snprintf(other, sizeof(other), "https://127.0.0.1%s", strrchr(secure, ':'));
    submit_to(trusting, &call, other, "/hello"); /* a name that is not in the certificate */
    turn_until(call.done);
    assert_int_equal(call.http.rc, HG_E_UNAVAILABLE);
    assert_int_equal(request_count, before);
    http_call_fini(&call.http);
    http_client_free(trusting);
}

static void test_unreadable_authorities(void **state)
{
    struct hg_http_client_options options = {.loop = loop, .ca_file = "/nonexistent/ca.pem"};
    struct hg_error err = {""};

    (void)state;
    assert_null(http_client_new(&options, &err));
    assert_non_null(strstr(err.text, "/nonexistent/ca.pem"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_methods_headers_bodies),
        cmocka_unit_test(test_connection_is_used_again),
        cmocka_unit_test(test_parallel_and_waiting_limits),
        cmocka_unit_test(test_deadlines),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_cancel_of_a_refused_call),
        cmocka_unit_test(test_answer_limit),
        cmocka_unit_test(test_redirects_only_when_asked),
        cmocka_unit_test(test_what_cannot_be_asked),
        cmocka_unit_test(test_tls_and_http2),
        cmocka_unit_test(test_tls_is_verified),
        cmocka_unit_test(test_unreadable_authorities),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
