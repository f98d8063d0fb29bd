/*
 * Turns libyaml's complaints into sentences with a place and a remedy. Used by
 * yaml.c only.
 */
#ifndef HG_CONFIG_TEMPLATE_YAML_ERROR_H
#define HG_CONFIG_TEMPLATE_YAML_ERROR_H

#include "config/template/load.h"

/* What the parser said. */
struct yaml_fault {
    const char *text, *context; /* may be NULL */
    bool is_encoding;           /* then offset counts, in bytes; the lines otherwise */
    size_t offset;
    unsigned line, column, context_line;
};

void yaml_error_add(struct hg_problems *problems, struct hg_str bytes, const struct yaml_fault *fault);

#endif
