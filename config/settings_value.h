/*
 * One value of the settings: its text, where it stood, and how it becomes a
 * field of struct hg_settings. Used by settings*.c only.
 */
#ifndef HG_CONFIG_SETTINGS_VALUE_H
#define HG_CONFIG_SETTINGS_VALUE_H

#include "config/settings.h"
#include "config/suggest.h"

enum hg_key_type {
    HG_KEY_TEXT,      /* const char * */
    HG_KEY_ADDRESS,   /* const char *, HOST:PORT */
    HG_KEY_TEXTS,     /* struct hg_str_list */
    HG_KEY_ADDRESSES, /* struct hg_str_list of HOST:PORT */
    HG_KEY_PAIRS,     /* struct hg_kv_list, of NAME=VALUE words */
    HG_KEY_NUMBER,    /* unsigned */
    HG_KEY_BYTES,     /* size_t */
    HG_KEY_MS,        /* int64_t */
    HG_KEY_REAL,      /* double: more than min, at most max */
    HG_KEY_SWITCH,    /* bool */
    HG_KEY_CHOICE,    /* an enum; choices in their order, between '|' */
};

struct hg_key {
    const char *name;
    enum hg_key_type type;
    size_t offset;        /* in struct hg_settings; HG_NO_FIELD: only checked */
    const char *fallback; /* the default as one would write it; NULL for none */
    int64_t min, max;
    const char *argument, *help;
    const char *choices; /* of HG_KEY_CHOICE */
    /* Says why a text cannot be used, in err; NULL when every text can. */
    bool (*check)(struct hg_str text, struct hg_error *err);
};
#define HG_NO_FIELD SIZE_MAX

/* One text for a key; where names the place for the sentence: "--listen", "HEADGATE_LISTEN", "headgate.yaml:3: listen". */
struct setting_text {
    struct hg_str text;
    const char *where;
};

/* Stores the texts (one, unless the type is a list) into the field. False with a line in problems for each text at fault. */
bool setting_store(struct hg_arena *arena, const struct hg_key *key,
                   const struct setting_text *texts, size_t count, struct hg_settings *settings,
                   struct hg_buf *problems);

bool key_is_list(const struct hg_key *key);
/* NAME=VALUE… : several words behind the option, and blanks between them in a variable. */
bool key_takes_words(const struct hg_key *key);

/* Checks of single keys. */
bool check_account(struct hg_str text, struct hg_error *err);
bool check_region(struct hg_str text, struct hg_error *err);
bool check_stack_name(struct hg_str text, struct hg_error *err);
bool check_queue(struct hg_str text, struct hg_error *err);
bool check_queue_option(struct hg_str text, struct hg_error *err);
bool check_isolation(struct hg_str text, struct hg_error *err);
bool check_watch(struct hg_str text, struct hg_error *err);
bool check_runtime(struct hg_str text, struct hg_error *err);
bool check_parameter(struct hg_str text, struct hg_error *err);
bool check_access_key(struct hg_str text, struct hg_error *err);
bool check_aws_endpoint(struct hg_str text, struct hg_error *err);

#endif
