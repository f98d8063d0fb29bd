/*
 * Written to a folder beside the final one and renamed, so that what is there is complete.
 */
#include "workers/bootstraps.h"

#include "core/crypto.h"
#include "core/id.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { HASH_DIGITS = 16 };

static const char strip[] = "runtimes/"; /* the embedded names start with the source folder */

void bootstraps_path(const char *data_dir, char out[HG_PATH_MAX])
{
    struct hg_sha256 *hash = hg_sha256_new();
    unsigned char digest[HG_SHA256_LEN];
    char hex[HASH_DIGITS + 1];

    for (const struct hg_embedded *file = embedded_runtimes; file->name; file++) {
        hg_sha256_update(hash, file->name, strlen(file->name) + 1);
        hg_sha256_update(hash, file->bytes, file->size);
    }
    hg_sha256_final(hash, digest);
    for (size_t i = 0; i < HASH_DIGITS / 2; i++)
        (void)snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    (void)files_path(out, HG_PATH_MAX, "%s/runtimes/%s", data_dir, hex);
}

static enum hg_rc write_all(const char *dir, struct hg_error *err)
{
    char path[HG_PATH_MAX];

    for (const struct hg_embedded *file = embedded_runtimes; file->name; file++) {
        struct hg_str name = hg_str_of(file->name);
        char *slash;

        if (hg_str_starts(name, HG_STR(strip)))
            name = hg_str_skip(name, sizeof(strip) - 1);
        (void)files_path(path, sizeof(path), "%s/%.*s", dir, HG_STR_ARG(name));
        slash = strrchr(path, '/');
        *slash = '\0';
        if (files_make_dirs(path, 0755) != 0)
            return hg_error_set(err, HG_E_IO, "cannot make %s: %s", path, strerror(errno));
        *slash = '/';
        if (files_write(path, file->bytes, file->size, 0644) != 0)
            return hg_error_set(err, HG_E_IO, "cannot write %s: %s", path, strerror(errno));
    }
    return HG_OK;
}

enum hg_rc bootstraps_write(const char *data_dir, struct hg_error *err)
{
    char final[HG_PATH_MAX], draft[HG_PATH_MAX + 16], suffix[9];
    enum hg_rc rc;

    bootstraps_path(data_dir, final);
    if (files_is_dir(final))
        return HG_OK;
    hg_hex_id(suffix, sizeof(suffix) - 1);
    (void)files_path(draft, sizeof(draft), "%s.%s", final, suffix);
    rc = write_all(draft, err);
    if (rc == HG_OK && rename(draft, final) != 0 && !files_is_dir(final))
        rc = hg_error_set(err, HG_E_IO, "cannot make %s: %s", final, strerror(errno));
    if (rc != HG_OK || files_is_dir(draft))
        files_remove_tree(draft);
    return rc;
}
