/*
 * Certificates and TLS settings of a listener: TLS 1.2 and 1.3, ALPN h2 and http/1.1, one certificate per server name.
 */
#ifndef HG_HTTP_TLS_H
#define HG_HTTP_TLS_H

#include "core/error.h"

struct hg_tls;

/* cert/key pairs in PEM files; the first is the default, the others are chosen by SNI from the names in the certificate. */
struct hg_tls_pair {
    const char *cert_file, *key_file;
};

/* NULL and a sentence (file, what is wrong, remedy) when a file cannot be used. */
struct hg_tls *tls_new(const struct hg_tls_pair *pairs, size_t count, struct hg_error *err);
/* Reads the files again; keeps the old ones when any fails. New connections use the new ones at once. Control loop. */
enum hg_rc tls_reload(struct hg_tls *tls, struct hg_error *err) hg_must_use;
void tls_free(struct hg_tls *tls);

#endif
