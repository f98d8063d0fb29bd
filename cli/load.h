/*
 * Loading a template for a command: finding it, printing what is wrong with it.
 */
#ifndef HG_CLI_LOAD_H
#define HG_CLI_LOAD_H

#include "config/settings.h"
#include "config/template/template.h"

#include <stdio.h>

/* The file to load: the one given, else template.yaml, .yml or .json here; NULL when there is none. */
const char *load_find_template(const char *given);

/* Options of template_load that come straight from the settings. */
struct hg_template_options load_options(const struct hg_settings *settings);

/*
 * Loads and prepares *file; NULL after what is wrong was said on standard error ("template.yaml:12:5: …" a line). *file
 * becomes the file that was really read, in arena: what `sam build` made is preferred.
 */
struct hg_stack *load_template(struct hg_arena *arena, const char **file,
                               const struct hg_template_options *options);
/* "template.yaml:12: not served yet: …" a line. */
void load_print_notices(const struct hg_stack *stack, const char *file, FILE *out);

#endif
