/*
 * Files that are part of the program; tables are made by cmake/Embed.cmake.
 */
#ifndef HG_CORE_EMBEDDED_H
#define HG_CORE_EMBEDDED_H

#include <stddef.h>

/* name is the path inside the source tree; the table ends with a NULL name. */
struct hg_embedded {
    const char *name;
    const unsigned char *bytes;
    size_t size;
};

#endif
