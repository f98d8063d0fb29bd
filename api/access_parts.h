/*
 * What the files of access control share. Used by access*.c only.
 */
#ifndef HG_API_ACCESS_PARTS_H
#define HG_API_ACCESS_PARTS_H

#include "api/access.h"
#include "api/call.h"
#include "core/map.h"
#include "core/sigv4_check.h"

struct hg_access {
    struct hg_arena *arena;
    struct hg_map secrets; /* struct hg_str by id */
    char account[13];
    unsigned char seal[HG_SHA256_LEN]; /* of tokens; secrets are made of it too */
};

/* Why a call is refused; the services have different names for it. */
enum access_fault {
    ACCESS_NO_TOKEN,    /* not signed */
    ACCESS_INCOMPLETE,  /* not signed in a way that could be checked */
    ACCESS_WRONG,       /* signed wrongly, or not now */
    ACCESS_UNKNOWN_KEY, /* no such key, or not with this session token */
    ACCESS_EXPIRED,     /* the session is over */
    ACCESS_WRONG_BODY,
    ACCESS_FAULT_COUNT,
};

/* Answers the call. */
void access_refuse(struct hg_call *call, enum access_fault fault, const char *why);

/* Session credentials from their token; false: it is none of ours, or not of this access key. */
bool access_open_token(const struct hg_access *access, struct hg_str token,
                       struct hg_str access_key, struct access_identity *identity,
                       int64_t *expires_ms);
void access_secret_of(const struct hg_access *access, struct hg_str access_key, char out[41]);

#endif
