/*
 * The way back: an archive of a folder, for those who download code that was
 * deployed as one. Links stay links.
 */
#include "config/package_parts.h"

#include <errno.h>
#include <fts.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zip.h>

struct packing {
    zip_t *zip;
    struct hg_arena *arena; /* the targets of links, until the archive is written */
    const char *dir, *except;
    uint64_t bytes, entries;
    struct hg_error *err;
};

static enum hg_rc fail_zip(struct packing *packing, const char *name)
{
    return hg_error_set(packing->err, HG_E_IO, "cannot pack %s: %s", name,
                        zip_strerror(packing->zip));
}

/* NULL with errno set when the link cannot be read. */
static zip_source_t *source_of_link(struct packing *packing, const FTSENT *entry)
{
    char target[PATH_MAX];
    ssize_t n = readlink(entry->fts_path, target, sizeof(target));
    struct hg_str copy;

    if (n < 0)
        return NULL;
    copy = hg_arena_str(packing->arena, hg_str_n(target, (size_t)n));
    return zip_source_buffer(packing->zip, copy.p, copy.n, 0);
}

static enum hg_rc add_entry(struct packing *packing, const FTSENT *entry)
{
    const char *name = entry->fts_path + strlen(packing->dir) + 1;
    bool is_link = entry->fts_info == FTS_SL || entry->fts_info == FTS_SLNONE;
    zip_source_t *source;
    zip_int64_t index;

    packing->bytes += (uint64_t)entry->fts_statp->st_size;
    if (packing->bytes > HG_PACKAGE_BYTES_MAX || ++packing->entries > HG_PACKAGE_ENTRIES_MAX)
        return hg_error_set(packing->err, HG_E_TOO_LARGE, "%s is too large to be packed",
                            packing->dir);
    source = is_link ? source_of_link(packing, entry)
                     : zip_source_file(packing->zip, entry->fts_path, 0, -1);
    if (!source)
        return hg_error_set(packing->err, HG_E_IO, "cannot read %s: %s", entry->fts_path,
                            strerror(errno));
    index = zip_file_add(packing->zip, name, source, ZIP_FL_ENC_UTF_8);
    if (index < 0) {
        zip_source_free(source);
        return fail_zip(packing, name);
    }
    return zip_file_set_external_attributes(packing->zip, (zip_uint64_t)index, 0, ZIP_OPSYS_UNIX,
                                            (zip_uint32_t)entry->fts_statp->st_mode << 16) == 0
               ? HG_OK
               : fail_zip(packing, name);
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static enum hg_rc add_all(struct packing *packing)
{
    char *paths[] = {(char *)(uintptr_t)packing->dir, NULL};
    FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
    enum hg_rc rc = HG_OK;
    FTSENT *entry;

    if (!tree)
        return hg_error_set(packing->err, HG_E_IO, "cannot read the folder %s: %s", packing->dir,
                            strerror(errno));
    while (rc == HG_OK && (entry = fts_read(tree))) {
        if (entry->fts_info == FTS_D && packing->except &&
            strcmp(entry->fts_path, packing->except) == 0)
            (void)fts_set(tree, entry, FTS_SKIP);
        else if (entry->fts_info == FTS_F || entry->fts_info == FTS_SL ||
                 entry->fts_info == FTS_SLNONE)
            rc = add_entry(packing, entry);
    }
    (void)fts_close(tree);
    return rc;
}

enum hg_rc package_pack(const char *dir, const char *except, const char *zip_path,
                        struct hg_error *err)
{
    struct packing packing = {.dir = dir, .except = except, .err = err};
    enum hg_rc rc;
    int code = 0;

    packing.zip = zip_open(zip_path, ZIP_CREATE | ZIP_EXCL, &code);
    if (!packing.zip)
        return hg_error_set(err, HG_E_IO, "cannot make the archive %s", zip_path);
    packing.arena = hg_arena_new((size_t)HG_PACKAGE_ENTRIES_MAX * PATH_MAX);
    rc = add_all(&packing);
    if (rc == HG_OK && zip_close(packing.zip) != 0)
        rc = fail_zip(&packing, dir);
    else if (rc == HG_OK)
        packing.zip = NULL;
    if (packing.zip)
        zip_discard(packing.zip);
    hg_arena_free(packing.arena);
    return rc;
}
