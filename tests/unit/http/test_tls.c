/*
 * TLS settings and sessions against an OpenSSL client over a socket pair.
 * Certificates are made here, into a temporary folder.
 */
#include "http/tls.h"
#include "http/tls_session.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PATH_ROOM = 256, DAY = 86400, ROUNDS_MAX = 1000 };

static char folder[] = "/tmp/hg-test-tls-XXXXXX";

static const char *path_of(const char *name)
{
    static char paths[8][PATH_ROOM];
    static unsigned next;
    char *path = paths[next++ % 8];

    (void)snprintf(path, PATH_ROOM, "%s/%s", folder, name);
    return path;
}

static void write_text(const char *name, const char *text)
{
    FILE *out = fopen(path_of(name), "we");

    assert_non_null(out);
    assert_true(fputs(text, out) >= 0);
    assert_int_equal(fclose(out), 0);
}

static void add_extension(X509 *cert, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

    assert_non_null(extension);
    assert_int_equal(X509_add_ext(cert, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

/* NAME.crt and NAME.key; alt_names like "DNS:a.example,DNS:*.b.example" or NULL for the common name alone. */
static void make_pair(const char *name, const char *common_name, const char *alt_names, long ends_s)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    X509_NAME *subject = X509_get_subject_name(cert);
    char file[64];
    FILE *out;

    assert_true(key && cert);
    assert_int_equal(X509_set_version(cert, 2), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(cert), 1), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(cert), -2L * DAY));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(cert), ends_s));
    assert_int_equal(X509_set_pubkey(cert, key), 1);
    assert_int_equal(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                                                (const unsigned char *)common_name, -1, -1, 0),
                     1);
    assert_int_equal(X509_set_issuer_name(cert, subject), 1);
    if (alt_names)
        add_extension(cert, NID_subject_alt_name, alt_names);
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);

    (void)snprintf(file, sizeof(file), "%s.crt", name);
    out = fopen(path_of(file), "we");
    assert_true(out && PEM_write_X509(out, cert) == 1 && fclose(out) == 0);
    (void)snprintf(file, sizeof(file), "%s.key", name);
    out = fopen(path_of(file), "we");
    assert_true(out && PEM_write_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL) == 1 &&
                fclose(out) == 0);
    X509_free(cert);
    EVP_PKEY_free(key);
}

static void encrypt_key(const char *from, const char *to)
{
    FILE *file = fopen(path_of(from), "re");
    EVP_PKEY *key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
    char passphrase[] = "secret";

    assert_true(key && fclose(file) == 0);
    file = fopen(path_of(to), "we");
    assert_int_equal(PEM_write_PrivateKey(file, key, EVP_aes_128_cbc(), (unsigned char *)passphrase,
                                          6, NULL, NULL),
                     1);
    assert_int_equal(fclose(file), 0);
    EVP_PKEY_free(key);
}

static struct hg_tls *open_pair(const char *name)
{
    char cert[64], key[64];
    struct hg_tls_pair pair;
    struct hg_error err = {0};
    struct hg_tls *tls;

    (void)snprintf(cert, sizeof(cert), "%s.crt", name);
    (void)snprintf(key, sizeof(key), "%s.key", name);
    pair = (struct hg_tls_pair){path_of(cert), path_of(key)};
    tls = tls_new(&pair, 1, &err);
    if (!tls)
        fail_msg("%s", err.text);
    return tls;
}

/* A client and a server session over a non-blocking socket pair. */
struct link {
    int fds[2];
    SSL_CTX *context;
    SSL *client;
    struct hg_tls_session *server;
};

static void link_open(struct link *link, struct hg_tls *tls)
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, link->fds),
                     0);
    link->context = SSL_CTX_new(TLS_client_method());
    assert_non_null(link->context);
    link->client = SSL_new(link->context);
    assert_int_equal(SSL_set_fd(link->client, link->fds[0]), 1);
    SSL_set_connect_state(link->client);
    link->server = tls_session_new(tls, link->fds[1]);
}

static void link_close(struct link *link)
{
    tls_session_free(link->server);
    SSL_free(link->client);
    SSL_CTX_free(link->context);
    (void)close(link->fds[0]);
    (void)close(link->fds[1]);
}

/* Both sides in turn until both are through, or the server has refused. */
static enum hg_tls_io shake_hands(struct link *link)
{
    enum hg_tls_io io = HG_TLS_WANT_READ;

    for (int i = 0; i < ROUNDS_MAX; i++) {
        int client = SSL_do_handshake(link->client);

        if (io == HG_TLS_WANT_READ || io == HG_TLS_WANT_WRITE)
            io = tls_handshake(link->server);
        if (io == HG_TLS_FAILED || io == HG_TLS_EOF || (io == HG_TLS_OK && client == 1))
            return io;
    }
    fail_msg("the handshake does not end");
    return HG_TLS_FAILED;
}

static const char *served_name(struct link *link)
{
    static char name[128];
    X509 *cert = SSL_get1_peer_certificate(link->client);

    assert_non_null(cert);
    assert_true(X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, name,
                                          sizeof(name)) > 0);
    X509_free(cert);
    return name;
}

static void use_alpn(struct link *link, const char *wire)
{
    assert_int_equal(
        SSL_set_alpn_protos(link->client, (const unsigned char *)wire, (unsigned)strlen(wire)), 0);
}

static void test_alpn(void **state)
{
    static const struct {
        const char *offer; /* NULL: the client does not speak of it */
        bool is_refused, is_h2;
    } rows[] = {
        {"\x02h2\x08http/1.1", false, true},
        {"\x08http/1.1\x02h2", false, true},
        {"\x08http/1.1", false, false},
        {"\x02h3\x08http/1.1", false, false},
        {NULL, false, false},
        {"\x02h3", true, false},
        {"\x08http/1.0", true, false},
    };
    struct hg_tls *tls = open_pair("plain");

    (void)state;
    for (size_t i = 0; i < HG_COUNT(rows); i++) {
        struct link link;

        link_open(&link, tls);
        if (rows[i].offer)
            use_alpn(&link, rows[i].offer);
        if (rows[i].is_refused) {
            assert_int_equal(shake_hands(&link), HG_TLS_FAILED);
            ERR_clear_error();
            assert_true(SSL_do_handshake(link.client) < 0);
            assert_int_equal(ERR_GET_REASON(ERR_peek_error()),
                             SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL);
        } else {
            assert_int_equal(shake_hands(&link), HG_TLS_OK);
            assert_int_equal(tls_is_h2(link.server), rows[i].is_h2);
        }
        link_close(&link);
    }
    tls_free(tls);
}

static void test_versions_and_ciphers(void **state)
{
    struct hg_tls *tls = open_pair("plain");
    struct link link;

    (void)state;
    link_open(&link, tls);
    assert_int_equal(shake_hands(&link), HG_TLS_OK);
    assert_string_equal(tls_version(link.server), "TLSv1.3");
    assert_string_equal(tls_cipher(link.server), "TLS_AES_128_GCM_SHA256");
    link_close(&link);

    link_open(&link, tls);
    assert_int_equal(SSL_set_max_proto_version(link.client, TLS1_2_VERSION), 1);
    assert_int_equal(shake_hands(&link), HG_TLS_OK);
    assert_string_equal(tls_version(link.server), "TLSv1.2");
    assert_string_equal(tls_cipher(link.server), "ECDHE-ECDSA-AES128-GCM-SHA256");
    link_close(&link);

    link_open(&link, tls);
    SSL_set_security_level(link.client, 0);
    assert_int_equal(SSL_set_min_proto_version(link.client, TLS1_VERSION), 1);
    assert_int_equal(SSL_set_max_proto_version(link.client, TLS1_1_VERSION), 1);
    assert_int_equal(shake_hands(&link), HG_TLS_FAILED);
    assert_string_equal(tls_fault(link.server), "unsupported protocol");
    link_close(&link);
    tls_free(tls);
}

static void test_server_names(void **state)
{
    static const struct {
        const char *asked, *served;
    } rows[] = {
        {NULL, "plain.example"},        {"unknown.example", "plain.example"},
        {"a.example", "names"},         {"A.Example", "names"},
        {"x.b.example", "names"},       {"x.y.b.example", "plain.example"},
        {"b.example", "plain.example"}, {"special.b.example", "special"},
        {"cn.example", "cn.example"},   {"names", "plain.example"},
    };
    const struct hg_tls_pair pairs[] = {
        {path_of("plain.crt"), path_of("plain.key")},
        {path_of("names.crt"), path_of("names.key")},
        {path_of("special.crt"), path_of("special.key")},
        {path_of("cn.crt"), path_of("cn.key")},
    };
    struct hg_error err;
    struct hg_tls *tls = tls_new(pairs, HG_COUNT(pairs), &err);

    (void)state;
    assert_non_null(tls);
    for (size_t i = 0; i < HG_COUNT(rows); i++) {
        struct link link;

        link_open(&link, tls);
        if (rows[i].asked)
            assert_int_equal(SSL_set_tlsext_host_name(link.client, rows[i].asked), 1);
        use_alpn(&link, "\x02h2");
        assert_int_equal(shake_hands(&link), HG_TLS_OK);
        assert_string_equal(served_name(&link), rows[i].served);
        assert_true(tls_is_h2(link.server));
        link_close(&link);
    }
    tls_free(tls);
}

static void test_reload_keeps_open_sessions(void **state)
{
    struct hg_tls *tls;
    struct link before, after;
    struct hg_error err;
    char bytes[8];
    size_t count;

    (void)state;
    make_pair("reload", "first", NULL, DAY);
    tls = open_pair("reload");
    link_open(&before, tls);
    assert_int_equal(shake_hands(&before), HG_TLS_OK);

    make_pair("reload", "second", NULL, DAY);
    assert_int_equal(tls_reload(tls, &err), HG_OK);
    link_open(&after, tls);
    assert_int_equal(shake_hands(&after), HG_TLS_OK);
    assert_string_equal(served_name(&before), "first");
    assert_string_equal(served_name(&after), "second");

    write_text("reload.key", "nonsense");
    assert_int_equal(tls_reload(tls, &err), HG_E_INVALID);
    assert_non_null(strstr(err.text, "reload.key is not PEM"));
    assert_int_equal(SSL_write(before.client, "ping", 4), 4);
    assert_int_equal(tls_read(before.server, bytes, sizeof(bytes), &count), HG_TLS_WANT_READ);
    assert_int_equal(count, 4);
    link_close(&after);
    link_open(&after, tls);
    assert_int_equal(shake_hands(&after), HG_TLS_OK);
    assert_string_equal(served_name(&after), "second");
    link_close(&after);
    link_close(&before);
    tls_free(tls);
}

static void test_read_write_and_end(void **state)
{
    enum { BIG = 1 << 20 };
    struct hg_tls *tls = open_pair("plain");
    struct link link;
    char *sent = malloc(BIG), *got = malloc(BIG);
    size_t put = 0, received = 0, part;
    enum hg_tls_io io;

    (void)state;
    link_open(&link, tls);
    assert_int_equal(shake_hands(&link), HG_TLS_OK);
    assert_int_equal(tls_read(link.server, got, 16, &part), HG_TLS_WANT_READ);
    assert_int_equal(part, 0);

    /* More than the socket holds: the rest is offered again from where it stopped. */
    for (size_t i = 0; i < BIG; i++)
        sent[i] = (char)(i * 7);
    io = tls_write(link.server, sent, BIG, &put);
    assert_int_equal(io, HG_TLS_WANT_WRITE);
    while (received < BIG) {
        if (SSL_read_ex(link.client, got + received, BIG - received, &part) == 1) {
            received += part;
            continue;
        }
        assert_true(put < BIG);
        io = tls_write(link.server, sent + put, BIG - put, &part);
        assert_true(io == HG_TLS_OK || io == HG_TLS_WANT_WRITE);
        put += part;
    }
    assert_int_equal(io, HG_TLS_OK);
    assert_memory_equal(sent, got, BIG);

    /* Two records, read in pieces smaller than what is inside. */
    assert_int_equal(SSL_write(link.client, "abcdef", 6), 6);
    assert_int_equal(SSL_write(link.client, "ghi", 3), 3);
    assert_int_equal(tls_read(link.server, got, 4, &part), HG_TLS_OK);
    assert_int_equal(part, 4);
    assert_int_equal(tls_read(link.server, got + 4, 16, &part), HG_TLS_WANT_READ);
    assert_int_equal(part, 5);
    assert_memory_equal(got, "abcdefghi", 9);

    /* The last bytes and the end in one read. */
    assert_int_equal(SSL_write(link.client, "bye", 3), 3);
    assert_int_equal(SSL_shutdown(link.client), 0);
    assert_int_equal(tls_read(link.server, got, 16, &part), HG_TLS_EOF);
    assert_int_equal(part, 3);
    tls_close_notify(link.server);
    assert_int_equal(SSL_shutdown(link.client), 1);
    link_close(&link);
    free(sent);
    free(got);
    tls_free(tls);
}

static void test_tickets_resume(void **state)
{
    struct hg_tls *tls = open_pair("plain");
    struct link link;
    SSL_SESSION *session;
    char byte;
    size_t count;

    (void)state;
    link_open(&link, tls);
    assert_int_equal(shake_hands(&link), HG_TLS_OK);
    assert_int_equal(tls_write(link.server, "x", 1, &count), HG_TLS_OK);
    assert_int_equal(SSL_read(link.client, &byte, 1), 1);
    session = SSL_get1_session(link.client);
    assert_true(SSL_SESSION_is_resumable(session));
    tls_close_notify(link.server);
    /* A client forgets the session of a connection that was not closed properly. */
    assert_true(SSL_shutdown(link.client) >= 0);
    link_close(&link);

    link_open(&link, tls);
    assert_int_equal(SSL_set_session(link.client, session), 1);
    assert_int_equal(shake_hands(&link), HG_TLS_OK);
    assert_true(SSL_session_reused(link.client));
    link_close(&link);
    SSL_SESSION_free(session);
    tls_free(tls);
}

static void test_renegotiation_is_refused(void **state)
{
    struct hg_tls *tls = open_pair("plain");
    struct link link;
    char byte;
    size_t count;

    (void)state;
    link_open(&link, tls);
    assert_int_equal(SSL_set_max_proto_version(link.client, TLS1_2_VERSION), 1);
    assert_int_equal(shake_hands(&link), HG_TLS_OK);
    assert_int_equal(SSL_renegotiate(link.client), 1);
    (void)SSL_do_handshake(link.client);
    assert_int_equal(tls_read(link.server, &byte, 1, &count), HG_TLS_WANT_READ);
    ERR_clear_error();
    assert_true(SSL_do_handshake(link.client) < 0);
    assert_int_equal(ERR_GET_REASON(ERR_peek_error()), SSL_R_NO_RENEGOTIATION);
    link_close(&link);
    tls_free(tls);
}

static void test_garbage_is_a_failure(void **state)
{
    struct hg_tls *tls = open_pair("plain");
    struct link link;

    (void)state;
    link_open(&link, tls);
    assert_int_equal(write(link.fds[0], "GET / HTTP/1.1\r\n\r\n", 18), 18);
    assert_int_equal(tls_handshake(link.server), HG_TLS_FAILED);
    assert_string_equal(tls_fault(link.server), "http request");
    link_close(&link);
    tls_free(tls);
}

static void expect_error(const char *cert, const char *key, const char *text)
{
    const struct hg_tls_pair pair = {path_of(cert), path_of(key)};
    struct hg_error err = {0};

    assert_null(tls_new(&pair, 1, &err));
    if (!strstr(err.text, text))
        fail_msg("\"%s\" is not in \"%s\"", text, err.text);
}

static void test_bad_files(void **state)
{
    (void)state;
    expect_error("absent.crt", "plain.key", "certificate file");
    expect_error("absent.crt", "plain.key",
                 "absent.crt cannot be opened: No such file or directory");
    expect_error("plain.crt", "absent.key",
                 "absent.key cannot be opened: No such file or directory");
    expect_error(".", "plain.key", "cannot be read: Is a directory");
    expect_error("plain.crt", "names.key", "names.key does not belong to the first certificate in");
    encrypt_key("plain.key", "locked.key");
    expect_error("plain.crt", "locked.key", "locked.key is encrypted: decrypt it");
    write_text("text.pem", "hello\n");
    expect_error("text.pem", "plain.key", "text.pem is not PEM");
    expect_error("plain.crt", "text.pem", "text.pem is not PEM");
    write_text("empty.pem", "");
    expect_error("empty.pem", "plain.key", "empty.pem is not PEM");
    write_text("broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    expect_error("broken.pem", "plain.key", "broken.pem is damaged");
    expect_error("plain.key", "plain.key", "plain.key holds no certificate");
    expect_error("plain.crt", "plain.crt", "plain.crt holds no private key");
}

static void test_expired_is_only_a_warning(void **state)
{
    struct link link;
    struct hg_tls *tls;

    (void)state;
    make_pair("expired", "expired.example", NULL, -DAY);
    tls = open_pair("expired");
    link_open(&link, tls);
    assert_int_equal(shake_hands(&link), HG_TLS_OK);
    link_close(&link);
    tls_free(tls);
}

static int make_folder(void **state)
{
    (void)state;
    (void)signal(SIGPIPE, SIG_IGN);
    if (!mkdtemp(folder))
        return -1;
    make_pair("plain", "plain.example", NULL, DAY);
    make_pair("names", "names", "DNS:a.example,DNS:*.b.example", DAY);
    make_pair("special", "special", "DNS:special.b.example", DAY);
    make_pair("cn", "cn.example", NULL, DAY);
    return 0;
}

static int remove_folder(void **state)
{
    static const char *const names[] = {
        "plain.crt", "plain.key",  "names.crt",   "names.key",   "special.crt", "special.key",
        "cn.crt",    "cn.key",     "reload.crt",  "reload.key",  "locked.key",  "text.pem",
        "empty.pem", "broken.pem", "expired.crt", "expired.key",
    };

    (void)state;
    for (size_t i = 0; i < HG_COUNT(names); i++)
        (void)unlink(path_of(names[i]));
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alpn),
        cmocka_unit_test(test_versions_and_ciphers),
        cmocka_unit_test(test_server_names),
        cmocka_unit_test(test_reload_keeps_open_sessions),
        cmocka_unit_test(test_read_write_and_end),
        cmocka_unit_test(test_tickets_resume),
        cmocka_unit_test(test_renegotiation_is_refused),
        cmocka_unit_test(test_garbage_is_a_failure),
        cmocka_unit_test(test_bad_files),
        cmocka_unit_test(test_expired_is_only_a_warning),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
