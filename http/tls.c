/*
 * TLS settings of a listener and the sessions made from them; with tls_cert.c
 * the only user of OpenSSL's TLS.
 *
 * A reload builds a whole new set of contexts and swaps the pointer. Sessions
 * are made on every loop, so a set that was replaced is freed only when no
 * session uses it and no loop can still be between reading the pointer and
 * counting itself.
 */
#include "http/tls.h"

#include "http/tls_cert.h"
#include "http/tls_session.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdatomic.h>
#include <stdlib.h>

/* Forward secrecy and authenticated encryption only; none of them is on HTTP/2's list of the refused (RFC 9113, Appendix A). */
static const char ciphers_12[] = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
                                 "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
                                 "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
static const char ciphers_13[] =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";

struct identity {
    struct hg_tls_cert cert;
    SSL_CTX *context;
};

struct identity_set {
    struct identity_set *next_retired;
    _Atomic unsigned sessions;
    size_t count;
    struct identity identities[];
};

struct hg_tls {
    struct identity_set *_Atomic current;
    _Atomic unsigned entering;    /* loops between reading current and counting themselves in it */
    struct identity_set *retired; /* control loop */
    struct hg_tls_pair *pairs;
    size_t pair_count;
};

struct hg_tls_session {
    SSL *ssl;
    struct identity_set *set;
    const char *fault;
};

static void set_free(struct identity_set *set)
{
    for (size_t i = 0; i < set->count; i++) {
        SSL_CTX_free(set->identities[i].context);
        tls_cert_fini(&set->identities[i].cert);
    }
    free(set);
}

/* h2 when the client offers it, else http/1.1; a client that offers neither is refused (RFC 7301 §3.2). */
static int on_alpn_offered(SSL *ssl, const unsigned char **out, unsigned char *out_length,
                           const unsigned char *offer, unsigned offer_length, void *arg)
{
    static const struct hg_str known[] = {{"h2", 2}, {"http/1.1", 8}};

    (void)ssl;
    (void)arg;
    for (size_t k = 0; k < HG_COUNT(known); k++) {
        for (unsigned at = 0; at < offer_length; at += 1u + offer[at]) {
            unsigned length = offer[at];

            if (length >= offer_length - at)
                break;
            if (hg_str_eq(hg_str_n((const char *)offer + at + 1, length), known[k])) {
                *out = offer + at + 1;
                *out_length = (unsigned char)length;
                return SSL_TLSEXT_ERR_OK;
            }
        }
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* An unknown name gets the default certificate: the client decides whether it is good enough. */
static int on_server_name(SSL *ssl, int *alert, void *arg)
{
    const struct identity_set *set = arg;
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    const struct identity *chosen = NULL;
    enum hg_tls_match best = HG_TLS_NO_MATCH;

    (void)alert;
    if (!name)
        return SSL_TLSEXT_ERR_NOACK;
    for (size_t i = 0; i < set->count; i++) {
        enum hg_tls_match match = tls_cert_match(&set->identities[i].cert, hg_str_of(name));

        if (match > best) {
            best = match;
            chosen = &set->identities[i];
        }
    }
    if (!chosen)
        return SSL_TLSEXT_ERR_NOACK;
    if (chosen != &set->identities[0])
        (void)SSL_set_SSL_CTX(ssl, chosen->context);
    return SSL_TLSEXT_ERR_OK;
}

static void configure(SSL_CTX *context, struct identity_set *set)
{
    static const unsigned char id[] = "headgate";

    hg_assert(SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1);
    (void)SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                           SSL_OP_CIPHER_SERVER_PREFERENCE |
                                           SSL_OP_PRIORITIZE_CHACHA | SSL_OP_IGNORE_UNEXPECTED_EOF);
    (void)SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                        SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    /* One read call for a record's head and body, and for the records behind it. */
    SSL_CTX_set_read_ahead(context, 1);
    hg_assert(SSL_CTX_set_cipher_list(context, ciphers_12) == 1);
    hg_assert(SSL_CTX_set_ciphersuites(context, ciphers_13) == 1);
    /* Tickets resume sessions without memory on our side. */
    (void)SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    hg_assert(SSL_CTX_set_session_id_context(context, id, sizeof(id) - 1) == 1);
    SSL_CTX_set_alpn_select_cb(context, on_alpn_offered, NULL);
    (void)SSL_CTX_set_tlsext_servername_callback(context, on_server_name);
    (void)SSL_CTX_set_tlsext_servername_arg(context, set);
}

static enum hg_rc identity_load(struct identity *identity, struct identity_set *set,
                                const struct hg_tls_pair *pair, struct hg_error *err)
{
    struct hg_tls_cert *cert = &identity->cert;

    if (tls_cert_load(cert, pair->cert_file, pair->key_file, err) != HG_OK)
        return HG_E_INVALID;
    identity->context = SSL_CTX_new(TLS_server_method());
    hg_assert(identity->context != NULL);
    configure(identity->context, set);
    if (SSL_CTX_use_cert_and_key(identity->context, cert->leaf, cert->key, cert->chain, 1) != 1) {
        const char *reason = ERR_reason_error_string(ERR_peek_last_error());

        ERR_clear_error();
        return hg_error_set(err, HG_E_INVALID, "TLS certificate file %s cannot be used: %s",
                            pair->cert_file, reason ? reason : "unknown reason");
    }
    return HG_OK;
}

static struct identity_set *set_load(const struct hg_tls *tls, struct hg_error *err)
{
    struct identity_set *set =
        hg_calloc(1, sizeof(*set) + tls->pair_count * sizeof(set->identities[0]));

    set->count = tls->pair_count;
    for (size_t i = 0; i < set->count; i++) {
        if (identity_load(&set->identities[i], set, &tls->pairs[i], err) != HG_OK) {
            set_free(set);
            return NULL;
        }
    }
    return set;
}

struct hg_tls *tls_new(const struct hg_tls_pair *pairs, size_t count, struct hg_error *err)
{
    struct hg_tls *tls = hg_calloc(1, sizeof(*tls));
    struct identity_set *set;

    hg_assert(count > 0);
    tls->pairs = hg_calloc(count, sizeof(*tls->pairs));
    tls->pair_count = count;
    for (size_t i = 0; i < count; i++) {
        tls->pairs[i].cert_file = hg_strdup(pairs[i].cert_file);
        tls->pairs[i].key_file = hg_strdup(pairs[i].key_file);
    }
    set = set_load(tls, err);
    if (!set) {
        tls_free(tls);
        return NULL;
    }
    atomic_store(&tls->current, set);
    return tls;
}

/*
 * Frees the replaced sets that nobody uses. No loop inside tls_session_new at
 * this moment means that whoever read an old pointer has counted itself.
 */
static void free_retired(struct hg_tls *tls)
{
    struct identity_set **at = &tls->retired;

    if (atomic_load(&tls->entering) != 0)
        return;
    while (*at) {
        struct identity_set *set = *at;

        if (atomic_load(&set->sessions) == 0) {
            *at = set->next_retired;
            set_free(set);
        } else {
            at = &set->next_retired;
        }
    }
}

enum hg_rc tls_reload(struct hg_tls *tls, struct hg_error *err)
{
    struct identity_set *set = set_load(tls, err);
    struct identity_set *old;

    if (!set)
        return HG_E_INVALID;
    old = atomic_exchange(&tls->current, set);
    old->next_retired = tls->retired;
    tls->retired = old;
    free_retired(tls);
    return HG_OK;
}

void tls_free(struct hg_tls *tls)
{
    if (!tls)
        return;
    if (tls->current) {
        hg_assert(atomic_load(&tls->current->sessions) == 0);
        set_free(tls->current);
    }
    free_retired(tls);
    hg_assert(tls->retired == NULL);
    for (size_t i = 0; i < tls->pair_count; i++) {
        free((char *)tls->pairs[i].cert_file);
        free((char *)tls->pairs[i].key_file);
    }
    free(tls->pairs);
    free(tls);
}

struct hg_tls_session *tls_session_new(struct hg_tls *tls, int fd)
{
    struct hg_tls_session *session = hg_calloc(1, sizeof(*session));

    (void)atomic_fetch_add(&tls->entering, 1);
    session->set = atomic_load(&tls->current);
    (void)atomic_fetch_add(&session->set->sessions, 1);
    (void)atomic_fetch_sub(&tls->entering, 1);
    session->ssl = SSL_new(session->set->identities[0].context);
    hg_assert(session->ssl && SSL_set_fd(session->ssl, fd) == 1);
    SSL_set_accept_state(session->ssl);
    return session;
}

void tls_session_free(struct hg_tls_session *session)
{
    if (!session)
        return;
    SSL_free(session->ssl);
    (void)atomic_fetch_sub(&session->set->sessions, 1);
    free(session);
}

static enum hg_tls_io outcome(struct hg_tls_session *session, int result)
{
    const char *reason;

    switch (SSL_get_error(session->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        return HG_TLS_WANT_READ;
    case SSL_ERROR_WANT_WRITE:
        return HG_TLS_WANT_WRITE;
    case SSL_ERROR_ZERO_RETURN:
        return HG_TLS_EOF;
    case SSL_ERROR_SYSCALL:
        session->fault = "the connection broke";
        return HG_TLS_FAILED;
    default:
        reason = ERR_reason_error_string(ERR_peek_error());
        session->fault = reason ? reason : "unknown reason";
        ERR_clear_error();
        return HG_TLS_FAILED;
    }
}

enum hg_tls_io tls_handshake(struct hg_tls_session *session)
{
    int result;

    ERR_clear_error();
    result = SSL_do_handshake(session->ssl);
    return result == 1 ? HG_TLS_OK : outcome(session, result);
}

enum hg_tls_io tls_read(struct hg_tls_session *session, char *bytes, size_t room, size_t *got)
{
    size_t part;
    int result;

    *got = 0;
    ERR_clear_error();
    do {
        result = SSL_read_ex(session->ssl, bytes + *got, room - *got, &part);
        if (result != 1)
            return outcome(session, result);
        *got += part;
    } while (*got < room && SSL_has_pending(session->ssl));
    /* Nothing inside: asking the socket at once would mostly cost a call that finds nothing. */
    return *got < room ? HG_TLS_WANT_READ : HG_TLS_OK;
}

enum hg_tls_io tls_write(struct hg_tls_session *session, const char *bytes, size_t length,
                         size_t *put)
{
    size_t part;
    int result = 1;

    *put = 0;
    ERR_clear_error();
    while (*put < length) {
        result = SSL_write_ex(session->ssl, bytes + *put, length - *put, &part);
        if (result != 1)
            return outcome(session, result);
        *put += part;
    }
    return HG_TLS_OK;
}

void tls_close_notify(struct hg_tls_session *session)
{
    if (SSL_is_init_finished(session->ssl) &&
        !(SSL_get_shutdown(session->ssl) & SSL_SENT_SHUTDOWN)) {
        ERR_clear_error();
        /* Best effort: the socket closes next in any case. */
        (void)SSL_shutdown(session->ssl);
        ERR_clear_error();
    }
}

bool tls_is_h2(const struct hg_tls_session *session)
{
    const unsigned char *name;
    unsigned length;

    SSL_get0_alpn_selected(session->ssl, &name, &length);
    return hg_str_eq(hg_str_n((const char *)name, length), HG_STR("h2"));
}

const char *tls_version(const struct hg_tls_session *session)
{
    return SSL_get_version(session->ssl);
}

const char *tls_cipher(const struct hg_tls_session *session)
{
    return SSL_get_cipher_name(session->ssl);
}

const char *tls_fault(const struct hg_tls_session *session)
{
    return session->fault;
}
