/*
 * Collects the texts of settings from their sources, the strongest first; a
 * source gives nothing for a key that an earlier one gave. Used by settings*.c only.
 */
#ifndef HG_CONFIG_SETTINGS_SOURCE_H
#define HG_CONFIG_SETTINGS_SOURCE_H

#include "config/settings_value.h"

struct setting_texts {
    struct setting_text *items;
    size_t count;
    unsigned source; /* that gave them */
};

struct settings_texts {
    struct hg_arena *arena;
    const struct hg_key *keys;
    size_t key_count;
    struct setting_texts *values; /* by key */
    struct hg_buf *problems;
    unsigned source; /* that is being read */
    const char *template_file, *config_file, *config_where;
};

void settings_texts_init(struct settings_texts *texts, struct hg_arena *arena,
                         const struct hg_key *keys, size_t key_count, struct hg_buf *problems);
void settings_read_flags(struct settings_texts *texts, int argc, char **argv);
void settings_read_environment(struct settings_texts *texts);
/* The file that --config or HEADGATE_CONFIG names, if any. */
void settings_read_file(struct settings_texts *texts);

#endif
