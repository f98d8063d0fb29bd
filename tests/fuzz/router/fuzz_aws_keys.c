/*
 * A shared credentials file: what is taken from it is complete and ends inside its room.
 */
#include "http/aws_keys.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct aws_keys keys;

    if (aws_keys_of_profile(hg_str_n((const char *)bytes, size), "default", &keys))
        hg_assert(keys.access_key[0] && keys.secret_key[0]);
    hg_assert(memchr(keys.access_key, '\0', sizeof(keys.access_key)));
    hg_assert(memchr(keys.secret_key, '\0', sizeof(keys.secret_key)));
    hg_assert(memchr(keys.session_token, '\0', sizeof(keys.session_token)));
    return 0;
}
