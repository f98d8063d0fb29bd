/*
 * Where a function's or layer's code comes from: a folder used in place, an
 * archive unpacked once below the data directory, or text in the template.
 * Blocks; for start-up and helper threads.
 */
#ifndef HG_CONFIG_PACKAGE_H
#define HG_CONFIG_PACKAGE_H

#include "core/arena.h"
#include "core/error.h"

struct hg_package {
    struct hg_str dir;    /* absolute; "" when only checked and not unpacked before */
    struct hg_str sha256; /* base64 */
    uint64_t size;        /* bytes: of the archive, of the text, or of the files in the folder */
};

/*
 * path is a folder, .zip or .jar. Archives go to <data_dir>/code/<hash>/, once for each content; with is_check_only they are only
 * looked through. HG_E_NOT_FOUND when there is nothing at path, HG_E_INVALID or HG_E_TOO_LARGE when it cannot be used,
 * HG_E_IO when the machine refuses.
 *
 * A folder's sha256 is made from names, sizes and times of its first 2000 files, not from their contents, and its size counts
 * these: reading node_modules would take longer than everything else at start-up.
 */
enum hg_rc package_open(struct hg_arena *arena, const char *path, const char *data_dir,
                        bool is_check_only, struct hg_package *package,
                        struct hg_error *err) hg_must_use;

/* InlineCode/ZipFile: the text becomes index.py or index.js by runtime; HG_E_INVALID for other runtimes. */
enum hg_rc package_inline(struct hg_arena *arena, struct hg_str runtime, struct hg_str text,
                          const char *data_dir, bool is_check_only, struct hg_package *package,
                          struct hg_error *err) hg_must_use;

#endif
