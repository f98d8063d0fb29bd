/*
 * Key pairs that calls of the management port may be signed with: one ID:SECRET, and files of them. Pure but for
 * access_keys_load. No sentence of an error repeats a secret.
 */
#ifndef HG_CONFIG_ACCESS_KEYS_H
#define HG_CONFIG_ACCESS_KEYS_H

#include "core/arena.h"
#include "core/error.h"

enum {
    HG_ACCESS_KEYS_MAX = 1000,
    HG_ACCESS_KEY_ID_MAX = 128,
    HG_ACCESS_SECRET_MAX = 256,
    HG_ACCESS_KEY_FILE_MAX = 1 << 20,
};

struct hg_access_key {
    struct hg_str id, secret;
};

struct hg_access_keys {
    struct hg_access_key *items; /* room for HG_ACCESS_KEYS_MAX once there is one */
    size_t count;
};

/* ID:SECRET; slices of text. */
enum hg_rc access_key_split(struct hg_str text, struct hg_access_key *key,
                            struct hg_error *err) hg_must_use;
/* Adds a copy; the same pair twice is one. HG_E_INVALID: the id is there with another secret, or there are too many. */
enum hg_rc access_keys_add(struct hg_access_keys *keys, struct hg_arena *arena,
                           struct hg_access_key key, struct hg_error *err) hg_must_use;
/* Every pair of a file's text: ID:SECRET a line, or the profiles of an AWS credentials file; '#' starts a comment. Errors name the line. */
enum hg_rc access_keys_read(struct hg_access_keys *keys, struct hg_arena *arena, struct hg_str text,
                            struct hg_error *err) hg_must_use;
/* The same from a file. */
enum hg_rc access_keys_load(struct hg_access_keys *keys, struct hg_arena *arena, const char *path,
                            struct hg_error *err) hg_must_use;

#endif
