/*
 * Who may call the management port: checks the signature of each call against the key pairs of the settings and the session
 * credentials that were given out. Answers in the protocol of the call when it refuses. Immutable once made; any thread.
 *
 * Session credentials are not stored: the token tells whose they are, sealed with a key that this start of the program made up. They end
 * with it.
 */
#ifndef HG_API_ACCESS_H
#define HG_API_ACCESS_H

#include "config/access_keys.h"
#include "core/sigv4.h"

struct hg_access;
struct hg_call;

struct hg_access_options {
    const struct hg_access_keys *keys; /* copied; none: every call is let in, signed or not */
    const char *account;
};

struct hg_access *access_new(const struct hg_access_options *options);
void access_free(struct hg_access *access); /* NULL is allowed */
bool access_is_on(const struct hg_access *access);
const char *access_account(const struct hg_access *access);

/*
 * Whether the call may go on; otherwise it was answered. What stays open: health, and links to code, which are signed in their own
 * way. A body in chunks is taken together (call->req->body).
 */
bool access_check(struct hg_call *call);

enum {
    ACCESS_ROLE_MAX = 64, /* letters of a role's name, and of a session's */
    ACCESS_SESSION_MAX = 64,
    ACCESS_TOKEN_MAX = 512,
};

/* Whom credentials stand for. */
struct access_identity {
    bool is_session; /* else: the account itself */
    char account[13];
    char role[ACCESS_ROLE_MAX + 1],
        session[ACCESS_SESSION_MAX + 1];       /* of a session; role "" for GetSessionToken's */
    char access_key[HG_ACCESS_KEY_ID_MAX + 1]; /* "" when the call is not signed */
};

/* Credentials of a session, as text for its owner. */
struct access_session {
    char access_key[21], secret_key[41], token[ACCESS_TOKEN_MAX + 1];
};

/* expires_ms: wall-clock time; 0: with the program. role, session and account of identity count. */
void access_grant(const struct hg_access *access, const struct access_identity *identity,
                  int64_t expires_ms, struct access_session *session);
/* Who makes the call, as far as it says; signatures are not looked at again. */
void access_identify(const struct hg_call *call, struct access_identity *identity);

#endif
