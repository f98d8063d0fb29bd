/*
 * Certificates and keys as files, and which server names they are for.
 */
#ifndef HG_HTTP_TLS_CERT_H
#define HG_HTTP_TLS_CERT_H

#include "core/error.h"
#include "core/str.h"

#include <openssl/x509.h>

/* One usable pair of files; zeroed, it is empty. */
struct hg_tls_cert {
    X509 *leaf;
    STACK_OF(X509) * chain; /* what follows the leaf in its file */
    EVP_PKEY *key;
    struct hg_tls_name *names; /* newest first */
};

struct hg_tls_name {
    struct hg_tls_name *next;
    struct hg_str name; /* lower case; behind "*" for a wildcard: ".example.com" */
    bool is_wildcard;
};

/* How well a certificate fits a server name. */
enum hg_tls_match { HG_TLS_NO_MATCH, HG_TLS_MATCH_WILDCARD, HG_TLS_MATCH_EXACT };

/*
 * Reads both files and checks that they belong together. An expired or not yet
 * valid certificate is used, with a warning in the log. On failure *cert is
 * empty and err names the file, what is wrong and what to do.
 */
enum hg_rc tls_cert_load(struct hg_tls_cert *cert, const char *cert_file, const char *key_file,
                         struct hg_error *err) hg_must_use;
void tls_cert_fini(struct hg_tls_cert *cert);

/* A wildcard stands for exactly one label (RFC 6125 §6.4.3). */
enum hg_tls_match tls_cert_match(const struct hg_tls_cert *cert, struct hg_str server_name);

#endif
