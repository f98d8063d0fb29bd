/*
 * Members of structs by their place. Used by config/fields*.c only.
 */
#ifndef HG_CONFIG_FIELDS_AT_H
#define HG_CONFIG_FIELDS_AT_H

#include "config/fields.h"
#include "config/model.h"

static inline const void *at_const(const void *base, size_t offset)
{
    return (const char *)base + offset;
}

static inline void *at(void *base, size_t offset)
{
    return (char *)base + offset;
}

#define GET(c_type, base, offset) (*(const c_type *)at_const(base, offset))
#define SET(c_type, base, offset) (*(c_type *)at(base, offset))

/* By bytes: the pointer's own type is known to the table only. */
static inline const void *pointer_at(const void *base, size_t offset)
{
    const void *pointer;

    memcpy(&pointer, at_const(base, offset), sizeof(pointer));
    return pointer;
}

static inline void set_pointer(void *base, size_t offset, const void *pointer)
{
    memcpy(at(base, offset), &pointer, sizeof(pointer));
}

#endif
