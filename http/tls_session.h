/*
 * TLS of one connection over its non-blocking socket. Never waits: each call
 * says what it needs to go on. One loop.
 */
#ifndef HG_HTTP_TLS_SESSION_H
#define HG_HTTP_TLS_SESSION_H

#include "http/tls.h"

struct hg_tls_session;

enum hg_tls_io {
    HG_TLS_OK,
    HG_TLS_WANT_READ,  /* call again when the socket is readable */
    HG_TLS_WANT_WRITE, /* call again when it is writable; a write with at least the same bytes */
    HG_TLS_EOF,        /* the peer has closed */
    HG_TLS_FAILED,     /* close the socket; see tls_fault */
};

/* Borrows fd, which must outlive it. Keeps the certificates of now, whatever tls_reload does later. Any loop. */
struct hg_tls_session *tls_session_new(struct hg_tls *tls, int fd);
void tls_session_free(struct hg_tls_session *session);

/* Until HG_TLS_OK, nothing else may be called. */
enum hg_tls_io tls_handshake(struct hg_tls_session *session) hg_must_use;

/*
 * Reads what is there, at most room bytes; *got bytes came, whatever the
 * result says about the rest: HG_TLS_OK: room was filled, more may wait inside;
 * HG_TLS_WANT_READ: nothing is left inside.
 */
enum hg_tls_io tls_read(struct hg_tls_session *session, char *bytes, size_t room,
                        size_t *got) hg_must_use;

/* Writes as much as the socket takes. HG_TLS_OK: all was taken; otherwise *put bytes were, and the rest must follow. */
enum hg_tls_io tls_write(struct hg_tls_session *session, const char *bytes, size_t length,
                         size_t *put) hg_must_use;

/* Tells the peer that no more follows; once, as far as the socket takes it. */
void tls_close_notify(struct hg_tls_session *session);

/* Valid after the handshake. The texts are static. */
bool tls_is_h2(const struct hg_tls_session *session);
const char *tls_version(const struct hg_tls_session *session);
const char *tls_cipher(const struct hg_tls_session *session);

/* What went wrong in the call that returned HG_TLS_FAILED; static text. */
const char *tls_fault(const struct hg_tls_session *session);

#endif
