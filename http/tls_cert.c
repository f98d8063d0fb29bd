/*
 * Reads PEM files of certificates and keys. Control loop or start-up only: it
 * reads files. Knows nothing of connections.
 */
#include "http/tls_cert.h"

#include "core/log.h"

#include <ctype.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    FILE_BYTES_MAX = 1 << 20, /* a chain with keys is a few KiB */
    NAME_BYTES_MAX = 255,     /* a DNS name (RFC 1035 §3.1) */
};

/* The newest reason in OpenSSL's error queue, which is emptied. */
static const char *ssl_reason(void)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());

    ERR_clear_error();
    return reason ? reason : "unknown reason";
}

/* kind: "certificate" or "key"; label: what its PEM lines say. */
static BIO *read_file(const char *file, const char *kind, const char *label, struct hg_error *err)
{
    FILE *in = fopen(file, "rbe");
    char *text;
    size_t length;
    BIO *bio;

    if (!in) {
        (void)hg_error_set(err, HG_E_INVALID, "TLS %s file %s cannot be opened: %s", kind, file,
                           strerror(errno));
        return NULL;
    }
    text = hg_malloc(FILE_BYTES_MAX + 1);
    errno = 0;
    length = fread(text, 1, FILE_BYTES_MAX + 1, in);
    bio = NULL;
    if (ferror(in)) {
        (void)hg_error_set(err, HG_E_INVALID, "TLS %s file %s cannot be read: %s", kind, file,
                           strerror(errno));
    } else if (length > FILE_BYTES_MAX) {
        (void)hg_error_set(err, HG_E_INVALID,
                           "TLS %s file %s is larger than 1 MiB: it should hold PEM text only",
                           kind, file);
    } else if (!memmem(text, length, "-----BEGIN ", 11)) {
        (void)hg_error_set(
            err, HG_E_INVALID,
            "TLS %s file %s is not PEM (no -----BEGIN line): convert it with openssl first", kind,
            file);
    } else if (!memmem(text, length, label, strlen(label))) {
        (void)hg_error_set(err, HG_E_INVALID, "TLS %s file %s holds no %s", kind, file,
                           strcmp(kind, "key") == 0 ? "private key" : kind);
    } else {
        bio = BIO_new(BIO_s_mem());
        hg_assert(bio && BIO_write(bio, text, (int)length) == (int)length);
        (void)BIO_set_mem_eof_return(bio, 0);
    }
    OPENSSL_cleanse(text, FILE_BYTES_MAX);
    free(text);
    (void)fclose(in);
    return bio;
}

static enum hg_rc read_chain(struct hg_tls_cert *cert, const char *file, struct hg_error *err)
{
    BIO *bio = read_file(file, "certificate", "CERTIFICATE-----", err);
    X509 *next;
    unsigned long code;

    if (!bio)
        return HG_E_INVALID;
    cert->leaf = PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL);
    cert->chain = sk_X509_new_null();
    hg_assert(cert->chain != NULL);
    while (cert->leaf && (next = PEM_read_bio_X509(bio, NULL, NULL, NULL)))
        hg_assert(sk_X509_push(cert->chain, next) > 0);
    BIO_free(bio);
    code = ERR_peek_last_error();
    /* After the last block the reader reports that no further one begins: that is the end, not a fault. */
    if (!cert->leaf || ERR_GET_REASON(code) != PEM_R_NO_START_LINE)
        return hg_error_set(err, HG_E_INVALID, "TLS certificate file %s is damaged: %s", file,
                            ssl_reason());
    ERR_clear_error();
    return HG_OK;
}

static int on_passphrase_wanted(char *out, int size, int is_writing, void *arg)
{
    bool *is_encrypted = arg;

    (void)out;
    (void)size;
    (void)is_writing;
    *is_encrypted = true;
    return -1;
}

static enum hg_rc read_key(struct hg_tls_cert *cert, const char *file, struct hg_error *err)
{
    BIO *bio = read_file(file, "key", "PRIVATE KEY-----", err);
    bool is_encrypted = false;

    if (!bio)
        return HG_E_INVALID;
    cert->key = PEM_read_bio_PrivateKey(bio, NULL, on_passphrase_wanted, &is_encrypted);
    BIO_free(bio);
    if (cert->key)
        return HG_OK;
    if (is_encrypted) {
        ERR_clear_error();
        return hg_error_set(
            err, HG_E_INVALID,
            "TLS key file %s is encrypted: decrypt it (openssl pkey -in %s -out key.pem), there is "
            "nobody to ask for the passphrase",
            file, file);
    }
    return hg_error_set(err, HG_E_INVALID, "TLS key file %s is damaged: %s", file, ssl_reason());
}

static void add_name(struct hg_tls_cert *cert, struct hg_str text)
{
    struct hg_tls_name *entry;
    bool is_wildcard = text.n > 2 && text.p[0] == '*' && text.p[1] == '.';
    char *copy;

    if (text.n == 0 || text.n > NAME_BYTES_MAX || memchr(text.p, '\0', text.n))
        return;
    if (is_wildcard)
        text = hg_str_skip(text, 1);
    copy = hg_strndup(text.p, text.n);
    for (char *c = copy; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    entry = hg_malloc(sizeof(*entry));
    *entry = (struct hg_tls_name){cert->names, hg_str_n(copy, text.n), is_wildcard};
    cert->names = entry;
}

/* The subject's common name counts only without alternative names (RFC 6125 §6.4.4). */
static void add_common_name(struct hg_tls_cert *cert)
{
    const X509_NAME *subject = X509_get_subject_name(cert->leaf);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    unsigned char *text = NULL;
    int length;

    if (at < 0)
        return;
    length = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
    if (length > 0)
        add_name(cert, hg_str_n((const char *)text, (size_t)length));
    OPENSSL_free(text);
}

static void collect_names(struct hg_tls_cert *cert)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(cert->leaf, NID_subject_alt_name, NULL, NULL);

    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

        if (name->type == GEN_DNS)
            add_name(cert, hg_str_n((const char *)ASN1_STRING_get0_data(name->d.dNSName),
                                    (size_t)ASN1_STRING_length(name->d.dNSName)));
    }
    if (!names)
        add_common_name(cert);
    GENERAL_NAMES_free(names);
}

static void warn_about_dates(const struct hg_tls_cert *cert, const char *file)
{
    if (X509_cmp_current_time(X509_get0_notAfter(cert->leaf)) < 0)
        hg_warn("tls_certificate_expired", "file=%s remedy=\"renew it, then send SIGHUP\"", file);
    else if (X509_cmp_current_time(X509_get0_notBefore(cert->leaf)) > 0)
        hg_warn("tls_certificate_not_yet_valid",
                "file=%s remedy=\"check the clock and the certificate\"", file);
}

enum hg_rc tls_cert_load(struct hg_tls_cert *cert, const char *cert_file, const char *key_file,
                         struct hg_error *err)
{
    *cert = (struct hg_tls_cert){0};
    ERR_clear_error();
    if (read_chain(cert, cert_file, err) != HG_OK || read_key(cert, key_file, err) != HG_OK)
        goto fail;
    if (X509_check_private_key(cert->leaf, cert->key) != 1) {
        ERR_clear_error();
        (void)hg_error_set(
            err, HG_E_INVALID,
            "TLS key file %s does not belong to the first certificate in %s: give the two that were "
            "made together, the server's own certificate first",
            key_file, cert_file);
        goto fail;
    }
    collect_names(cert);
    warn_about_dates(cert, cert_file);
    return HG_OK;
fail:
    tls_cert_fini(cert);
    return HG_E_INVALID;
}

void tls_cert_fini(struct hg_tls_cert *cert)
{
    while (cert->names) {
        struct hg_tls_name *entry = cert->names;

        cert->names = entry->next;
        free((char *)entry->name.p);
        free(entry);
    }
    X509_free(cert->leaf);
    sk_X509_pop_free(cert->chain, X509_free);
    EVP_PKEY_free(cert->key);
    *cert = (struct hg_tls_cert){0};
}

enum hg_tls_match tls_cert_match(const struct hg_tls_cert *cert, struct hg_str server_name)
{
    ptrdiff_t dot = hg_str_find(server_name, '.');
    enum hg_tls_match best = HG_TLS_NO_MATCH;

    for (const struct hg_tls_name *entry = cert->names; entry; entry = entry->next) {
        if (!entry->is_wildcard && hg_str_eq_nocase(entry->name, server_name))
            return HG_TLS_MATCH_EXACT;
        if (entry->is_wildcard && dot > 0 &&
            hg_str_eq_nocase(entry->name, hg_str_skip(server_name, (size_t)dot)))
            best = HG_TLS_MATCH_WILDCARD;
    }
    return best;
}
