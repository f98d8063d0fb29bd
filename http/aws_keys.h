/*
 * Key pairs for AWS services: from the environment, else from the shared
 * credentials file. Never logged.
 */
#ifndef HG_HTTP_AWS_KEYS_H
#define HG_HTTP_AWS_KEYS_H

#include "core/sigv4.h"

enum { AWS_KEY_MAX = 256, AWS_TOKEN_MAX = 4096, AWS_KEYS_WHY_MAX = 240 };

struct aws_keys {
    char access_key[AWS_KEY_MAX], secret_key[AWS_KEY_MAX], session_token[AWS_TOKEN_MAX];
};

/*
 * AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (AWS_SESSION_TOKEN), else the
 * profile AWS_PROFILE ("default") of AWS_SHARED_CREDENTIALS_FILE
 * (~/.aws/credentials). False with a sentence when there are none. Reads a
 * small local file: for the start and for keys that were refused.
 */
bool aws_keys_find(struct aws_keys *keys, char why[AWS_KEYS_WHY_MAX]);

/* The keys of a profile in the text of such a file. False when it is not there or incomplete. Pure. */
bool aws_keys_of_profile(struct hg_str text, const char *profile, struct aws_keys *keys);

struct hg_sigv4_credentials aws_keys_credentials(const struct aws_keys *keys);

#endif
