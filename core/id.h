/*
 * Identifiers. Random ones are unguessable enough for ids, not for secrets.
 */
#ifndef HG_CORE_ID_H
#define HG_CORE_ID_H

#include "core/str.h"

enum { HG_UUID_LEN = 36, HG_EXTENDED_ID_LEN = 16 };

uint64_t hg_random_u64(void);
/* Random UUID (RFC 9562 version 4), terminated. */
void hg_uuid(char out[HG_UUID_LEN + 1]);
/* Time-ordered UUID (RFC 9562 version 7): later ones sort behind earlier ones of this process. */
void hg_uuid_ordered(char out[HG_UUID_LEN + 1]);
bool hg_uuid_is_valid(struct hg_str text);
/* digits lower-case hex digits, terminated; digits is at most 64. */
void hg_hex_id(char *out, size_t digits);
/* Like API Gateway's extended request id: 15 of [A-Za-z0-9] and '='. */
void hg_extended_id(char out[HG_EXTENDED_ID_LEN + 1]);
/* Lower-case letters and digits made from text: the same text gives the same id on every run. */
void hg_stable_id(struct hg_str text, char *out, size_t length);

#endif
