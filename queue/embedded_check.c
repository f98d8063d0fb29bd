/*
 * Whether the store's file is whole: LMDB maps it and trusts what it reads, so
 * a file that was cut off or written over would end the program, at the start
 * or at any time later. Here its pages are looked at with distrust first: all
 * of them in a store of ordinary size, the inner ones of a large one.
 *
 * The layout is LMDB's format 1 on a 64-bit little-endian machine.
 */
#include "queue/embedded.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    PAGE_HEAD = 16,
    NODE_HEAD = 8,
    META_AT = PAGE_HEAD,
    META_BYTES = 136,
    TREE_BYTES = 48,
    DEPTH_MAX = 32,
    LEAVES_MAX = 65536,  /* 256 MB: looked at in a fraction of a second */
    RESIDENT_MAX = 1024, /* looks, each of which brings its neighbours into memory */

    IS_BRANCH = 1,
    IS_LEAF = 2,
    IS_OVERFLOW = 4,
    IS_META = 8,
    NODE_IS_BIG = 1,
    NODE_IS_TREE = 2,
};

static const uint32_t meta_magic = 0xBEEFC0DE;

struct file {
    const unsigned char *bytes;
    size_t page_bytes;
    uint64_t pages;     /* that are there */
    uint64_t last_page; /* that the store has used */
    uint64_t visits_left, leaves_left;
    bool is_map; /* bytes is a file in memory, whose pages may be given back */
};

static uint64_t read_u64(const unsigned char *at)
{
    uint64_t value;

    memcpy(&value, at, sizeof(value));
    return value;
}

static uint32_t read_u32(const unsigned char *at)
{
    uint32_t value;

    memcpy(&value, at, sizeof(value));
    return value;
}

static unsigned read_u16(const unsigned char *at)
{
    return at[0] | (unsigned)at[1] << 8;
}

/* The page, when it is there and says that it is this one. */
static const unsigned char *page_at(struct file *file, uint64_t number)
{
    const unsigned char *page;

    if (number < 2 || number > file->last_page || number >= file->pages || !file->visits_left)
        return NULL;
    file->visits_left--;
    if (file->is_map && file->visits_left % RESIDENT_MAX == 0)
        (void)madvise((void *)(uintptr_t)file->bytes, file->pages * file->page_bytes,
                      MADV_DONTNEED);
    page = file->bytes + number * file->page_bytes;
    return read_u64(page) == number ? page : NULL;
}

static bool is_overflow_whole(struct file *file, uint64_t number, size_t length)
{
    const unsigned char *page = page_at(file, number);
    uint64_t wanted = (PAGE_HEAD + length + file->page_bytes - 1) / file->page_bytes;

    return page && read_u16(page + 10) & IS_OVERFLOW && read_u32(page + 12) >= wanted &&
           number + wanted <= file->pages;
}

static bool is_tree_whole(struct file *file, uint64_t root, unsigned depth, bool has_trees);

/* A row of a leaf: its key and value lie inside the page, or the value in pages of its own. */
static bool is_row_whole(struct file *file, const unsigned char *node, size_t room, bool has_trees)
{
    size_t length = read_u16(node) | (size_t)read_u16(node + 2) << 16;
    unsigned flags = read_u16(node + 4), key = read_u16(node + 6);
    bool is_big = flags & NODE_IS_BIG;

    if (NODE_HEAD + key + (is_big ? sizeof(uint64_t) : length) > room)
        return false;
    if (is_big)
        return is_overflow_whole(file, read_u64(node + NODE_HEAD + key), length);
    if (!(flags & NODE_IS_TREE))
        return true;
    return has_trees && length == TREE_BYTES &&
           is_tree_whole(file, read_u64(node + NODE_HEAD + key + TREE_BYTES - 8), 0, false);
}

static bool is_child_whole(struct file *file, const unsigned char *node, size_t room,
                           unsigned depth, bool has_trees)
{
    uint64_t child =
        read_u16(node) | (uint64_t)read_u16(node + 2) << 16 | (uint64_t)read_u16(node + 4) << 32;

    return NODE_HEAD + read_u16(node + 6) <= room &&
           is_tree_whole(file, child, depth + 1, has_trees);
}

/* The tree's root is depth levels below its first one. has_trees: rows may be tables, as in the table of tables. */
static bool is_tree_whole(struct file *file, uint64_t root, unsigned depth, bool has_trees)
{
    const unsigned char *page;
    unsigned kind, lower, upper;

    if (root == UINT64_MAX && depth == 0)
        return true;
    page = depth < DEPTH_MAX ? page_at(file, root) : NULL;
    if (!page)
        return false;
    kind = read_u16(page + 10);
    lower = read_u16(page + 12);
    upper = read_u16(page + 14);
    if ((kind != IS_BRANCH && kind != IS_LEAF) || lower < PAGE_HEAD || lower > upper ||
        upper > file->page_bytes || lower % 2)
        return false;
    if (kind == IS_LEAF && !file->leaves_left)
        return true;
    file->leaves_left -= kind == IS_LEAF;
    for (unsigned at = PAGE_HEAD; at < lower; at += 2) {
        unsigned offset = read_u16(page + at);
        const unsigned char *node = page + offset;

        if (offset < upper || offset + NODE_HEAD > file->page_bytes)
            return false;
        if (!(kind == IS_LEAF
                  ? is_row_whole(file, node, file->page_bytes - offset, has_trees)
                  : is_child_whole(file, node, file->page_bytes - offset, depth, has_trees)))
            return false;
    }
    return true;
}

/* The newer of the two first pages; each transaction writes one of them. */
static const unsigned char *find_meta(const unsigned char *bytes, size_t size, size_t *page_bytes)
{
    const unsigned char *newest = NULL;

    if (size < META_AT + META_BYTES)
        return NULL;
    *page_bytes = read_u32(bytes + META_AT + 24);
    if (*page_bytes < 512 || *page_bytes > 65536 || *page_bytes & (*page_bytes - 1))
        return NULL;
    for (size_t i = 0; i < 2; i++) {
        const unsigned char *page = bytes + i * *page_bytes, *meta = page + META_AT;

        if (i * *page_bytes + META_AT + META_BYTES > size || !(read_u16(page + 10) & IS_META) ||
            read_u32(meta) != meta_magic || read_u32(meta + 4) != 1)
            return NULL;
        if (!newest || read_u64(meta + 128) > read_u64(newest + 128))
            newest = meta;
    }
    return newest;
}

const char *embedded_check_bytes(const unsigned char *bytes, size_t size, bool is_map,
                                 uint64_t *whole_size)
{
    struct file file = {.bytes = bytes, .leaves_left = LEAVES_MAX, .is_map = is_map};
    const unsigned char *meta = find_meta(bytes, size, &file.page_bytes);

    if (!meta)
        return "its first pages are none of a store";
    file.pages = size / file.page_bytes;
    file.last_page = read_u64(meta + 120);
    if (file.last_page < 1 || file.last_page > UINT64_MAX / 65536 - 1)
        return "its first pages are none of a store";
    *whole_size = (file.last_page + 1) * file.page_bytes;
    /* The last pages may have been given back before they were written. All others are looked for then. */
    if (size < *whole_size)
        file.leaves_left = UINT64_MAX;
    file.visits_left = file.pages;
    if (is_tree_whole(&file, read_u64(meta + 24 + TREE_BYTES - 8), 0, false) &&
        is_tree_whole(&file, read_u64(meta + 24 + 2 * TREE_BYTES - 8), 0, true))
        return NULL;
    return size < *whole_size ? "its end is missing" : "pages of it have been written over";
}

const char *embedded_check_file(const char *path)
{
    const char *fault = NULL;
    uint64_t whole_size = 0;
    struct stat st;
    void *bytes;
    int fd = open(path, O_RDWR | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &st) != 0) {
        /* Not there, or the opening will say why it cannot be read. */
        if (fd >= 0)
            (void)close(fd);
        return NULL;
    }
    bytes = st.st_size ? mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;
    if (bytes != MAP_FAILED) {
        fault = embedded_check_bytes(bytes, (size_t)st.st_size, true, &whole_size);
        (void)munmap(bytes, (size_t)st.st_size);
    }
    /* So that no address of the map lies behind its end. */
    if (bytes != MAP_FAILED && !fault && (uint64_t)st.st_size < whole_size &&
        ftruncate(fd, (off_t)whole_size) != 0)
        fault = "it is shorter than it says";
    (void)close(fd);
    return fault;
}
