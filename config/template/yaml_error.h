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

/*
 * `!Base64 !Sub text` is not YAML, but templates have it. When the fault is
 * the second of two such tags, makes them one tag of the same length, joined by
 * this character, and returns true.
 */
#define YAML_TAG_JOINT ';'
bool yaml_join_tags(char *bytes, size_t length, const struct yaml_fault *fault);

void yaml_error_add(struct hg_problems *problems, struct hg_str bytes,
                    const struct yaml_fault *fault);

#endif
