/*
 * Session credentials: given out and recognised without keeping any.
 *
 * A token is base64 of "ACCESSKEY|expires|account|role|session|" and the HMAC
 * of that; the secret key is an HMAC of the access key.
 */
#include "api/access_parts.h"

#include "core/crypto.h"

#include <stdio.h>

enum { TEXT_MAX = 320, KEY_LETTERS = 16 };

static void seal(const struct hg_access *access, const char *what, struct hg_str text,
                 unsigned char out[HG_SHA256_LEN])
{
    struct hg_buf whole;

    hg_buf_init(&whole, TEXT_MAX + 16);
    hg_buf_printf(&whole, "%s:%.*s", what, HG_STR_ARG(text));
    hg_hmac_sha256(hg_str_n((const char *)access->seal, sizeof(access->seal)), hg_buf_str(&whole),
                   out);
    hg_buf_fini(&whole);
}

void access_secret_of(const struct hg_access *access, struct hg_str access_key, char out[41])
{
    unsigned char hash[HG_SHA256_LEN];
    struct hg_buf text;

    seal(access, "secret", access_key, hash);
    hg_buf_init(&text, 64);
    hg_base64_encode(&text, hg_str_n((const char *)hash, sizeof(hash)));
    (void)snprintf(out, 41, "%.40s", hg_buf_str(&text).p);
    hg_buf_fini(&text);
}

static void make_key(char out[21])
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    unsigned char bytes[KEY_LETTERS];

    hg_secret_bytes(bytes, sizeof(bytes));
    memcpy(out, "ASIA", 4);
    for (size_t i = 0; i < KEY_LETTERS; i++)
        out[4 + i] = letters[bytes[i] % 32];
    out[20] = '\0';
}

void access_grant(const struct hg_access *access, const struct access_identity *identity,
                  int64_t expires_ms, struct access_session *session)
{
    unsigned char hash[HG_SHA256_LEN];
    struct hg_buf text, token;

    make_key(session->access_key);
    access_secret_of(access, hg_str_of(session->access_key), session->secret_key);
    hg_buf_init(&text, TEXT_MAX);
    hg_buf_init(&token, ACCESS_TOKEN_MAX);
    hg_buf_printf(&text, "%s|%lld|%s|%s|%s|", session->access_key, (long long)expires_ms,
                  identity->account, identity->role, identity->session);
    seal(access, "token", hg_buf_str(&text), hash);
    hg_buf_append(&text, hash, sizeof(hash));
    hg_base64_encode(&token, hg_buf_str(&text));
    hg_assert(!text.is_overflown && !token.is_overflown);
    (void)snprintf(session->token, sizeof(session->token), "%.*s", HG_STR_ARG(hg_buf_str(&token)));
    hg_buf_fini(&token);
    hg_buf_fini(&text);
}

static bool take(struct hg_str *rest, char *out, size_t room)
{
    struct hg_str part;

    if (!hg_str_next(rest, '|', &part) || part.n >= room)
        return false;
    memcpy(out, part.p, part.n);
    out[part.n] = '\0';
    return true;
}

/* What is sealed is ours: its form needs no distrust, only its seal. */
static bool read_text(struct hg_str text, struct hg_str access_key,
                      struct access_identity *identity, int64_t *expires_ms)
{
    char expires[24];

    return take(&text, identity->access_key, sizeof(identity->access_key)) &&
           hg_str_is(access_key, identity->access_key) && take(&text, expires, sizeof(expires)) &&
           hg_str_i64(hg_str_of(expires), 0, INT64_MAX, expires_ms) &&
           take(&text, identity->account, sizeof(identity->account)) &&
           take(&text, identity->role, sizeof(identity->role)) &&
           take(&text, identity->session, sizeof(identity->session));
}

bool access_open_token(const struct hg_access *access, struct hg_str token,
                       struct hg_str access_key, struct access_identity *identity,
                       int64_t *expires_ms)
{
    unsigned char hash[HG_SHA256_LEN];
    struct hg_buf plain;
    bool is_ours = false;

    if (!token.n || token.n > ACCESS_TOKEN_MAX)
        return false;
    hg_buf_init(&plain, ACCESS_TOKEN_MAX);
    if (hg_base64_decode(&plain, token) && plain.len > sizeof(hash)) {
        struct hg_str text = hg_str_n(hg_buf_str(&plain).p, plain.len - sizeof(hash));

        seal(access, "token", text, hash);
        is_ours = hg_bytes_are_same(text.p + text.n, hash, sizeof(hash)) &&
                  read_text(text, access_key, identity, expires_ms);
    }
    hg_buf_fini(&plain);
    if (is_ours)
        identity->is_session = true;
    return is_ours;
}
