/*
 * Where a function's or layer's code comes from: a folder used in place, an
 * archive unpacked once below the data directory, or text in the template.
 * What is kept lies in <data_dir>/code, named by the hash of its content; it
 * comes into being by one rename, so it is whole or absent. Blocks; for
 * start-up and helper threads, several at once.
 */
#ifndef HG_CONFIG_PACKAGE_H
#define HG_CONFIG_PACKAGE_H

#include "core/arena.h"
#include "core/error.h"

enum {
    HG_PACKAGE_ZIP_MAX = 52428800,    /* bytes of an archive that a call brings */
    HG_PACKAGE_BYTES_MAX = 262144000, /* unpacked, as in the service */
};

struct hg_package {
    struct hg_str dir;    /* absolute; "" when only checked and not unpacked before */
    struct hg_str zip;    /* absolute path of the archive; "" when it came as a folder or text */
    struct hg_str sha256; /* base64 */
    uint64_t size;        /* bytes: of the archive, of the text, or of the files in the folder */
};

/*
 * path is a folder, .zip or .jar. Archives go to <data_dir>/code/<hash>/, once for each content; with is_check_only they are only
 * looked through. HG_E_NOT_FOUND when there is nothing at path, HG_E_INVALID or HG_E_TOO_LARGE when it cannot be used,
 * HG_E_IO when the machine refuses.
 *
 * A folder's sha256 is made from its first 2000 files, and its size counts these: of the first 8 MB from their contents, so that a
 * build that changes nothing is no change; of the rest from sizes and times, since reading node_modules would take longer than
 * everything else at start-up.
 */
enum hg_rc package_open(struct hg_arena *arena, const char *path, const char *data_dir,
                        bool is_check_only, struct hg_package *package,
                        struct hg_error *err) hg_must_use;

/* InlineCode/ZipFile: the text becomes index.py or index.js by runtime; HG_E_INVALID for other runtimes. */
enum hg_rc package_inline(struct hg_arena *arena, struct hg_str runtime, struct hg_str text,
                          const char *data_dir, bool is_check_only, struct hg_package *package,
                          struct hg_error *err) hg_must_use;

/*
 * An archive that a call brought: kept as <data_dir>/code/<hash>.zip and unpacked as <data_dir>/code/<hash>/, each once for each
 * content. HG_E_INVALID: it cannot be unzipped (err names the entry at fault); HG_E_TOO_LARGE: more than HG_PACKAGE_BYTES_MAX bytes
 * or too many entries when unpacked; HG_E_IO: the machine refuses. Whether bytes may be longer than HG_PACKAGE_ZIP_MAX is the
 * caller's to say.
 */
enum hg_rc package_store_zip(struct hg_arena *arena, const char *data_dir, struct hg_str bytes,
                             struct hg_package *package, struct hg_error *err) hg_must_use;

/* Bytes of all files in a folder: what the limit of function and layers together counts. 0 when there is none. */
uint64_t package_unpacked_size(const char *dir);

/*
 * A copy of a folder that is used in place, made once for each package->sha256 and dir: package->dir becomes the copy's. So what was
 * published stays as it was. A folder that lies in <data_dir>/code already is its own copy.
 */
enum hg_rc package_freeze(struct hg_arena *arena, const char *data_dir, struct hg_package *package,
                          struct hg_error *err) hg_must_use;

/*
 * The way back: an archive, at a path where nothing is, of the files and links in a folder, without those in the folder except (NULL for
 * none). HG_E_TOO_LARGE above HG_PACKAGE_BYTES_MAX; what was written stays then.
 */
enum hg_rc package_pack(const char *dir, const char *except, const char *zip_path,
                        struct hg_error *err) hg_must_use;

/* Unpacks an archive of the store again into its folder, which vanished; HG_E_INVALID when it is not the archive that it was. */
enum hg_rc package_restore(struct hg_arena *arena, const char *data_dir, struct hg_str dir,
                           struct hg_str zip, struct hg_error *err) hg_must_use;

#endif
