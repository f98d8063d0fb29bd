/*
 * What the three kinds of filter patterns share: comparisons, and conditions joined by && and ||.
 */
#ifndef HG_WORKERS_LOG_PATTERN_PARTS_H
#define HG_WORKERS_LOG_PATTERN_PARTS_H

#include "core/arena.h"
#include "workers/log_pattern.h"

enum {
    HG_LOG_PATTERN_NODES_MAX = 256,
    HG_LOG_PATTERN_DEPTH_MAX = 32,
    HG_LOG_PATTERN_REGEX_MAX = 16,
};

enum log_operator {
    LOG_EQ,
    LOG_NE,
    LOG_LT,
    LOG_LE,
    LOG_GT,
    LOG_GE,
    LOG_IS_NULL,
    LOG_IS_TRUE,
    LOG_IS_FALSE,
    LOG_NOT_EXISTS,
};

/* What a value is compared with. */
struct log_operand {
    struct hg_str text; /* with its wildcards, escapes resolved except for the asterisks' */
    bool is_number, has_wildcard;
    double number;
    struct log_regex *regex; /* instead of the text */
};

/* One step into a JSON document. */
struct log_step {
    struct hg_str name; /* of a member */
    bool is_index, is_any;
    size_t index;
    struct log_step *next;
};

enum log_node_kind { LOG_AND, LOG_OR, LOG_TEST };
struct log_node {
    enum log_node_kind kind;
    struct log_node *left, *right; /* AND, OR */
    /* TEST */
    struct log_step *path; /* JSON */
    size_t field;          /* space-delimited: index in the pattern's fields */
    enum log_operator op;
    struct log_operand operand;
};

/* A field of a space-delimited pattern. */
struct log_field {
    struct hg_str name; /* "" without one */
    bool is_rest;       /* the ellipsis */
};

enum { HG_LOG_FIELDS_MAX = 64 };

struct log_term {
    struct hg_str text;
    struct log_regex *regex;
    enum { LOG_TERM_MUST, LOG_TERM_MAY, LOG_TERM_NOT } kind;
    struct log_term *next;
};

enum log_pattern_kind { LOG_PATTERN_ALL, LOG_PATTERN_TERMS, LOG_PATTERN_JSON, LOG_PATTERN_FIELDS };
struct hg_log_pattern {
    struct hg_arena *arena;
    enum log_pattern_kind kind;
    struct log_term *terms;
    struct log_node *condition; /* NULL: none */
    struct log_field fields[HG_LOG_FIELDS_MAX];
    size_t field_count;
    struct log_regex *regexes; /* all of them, to be freed */
    unsigned regex_count, node_count;
};

/* Where the parser is. */
struct log_reader {
    struct hg_log_pattern *pattern;
    struct hg_str rest;
    struct hg_error *err;
    unsigned depth;
};

/* ---- reading: false (NULL) with a sentence in the reader's err ---- */

/* Sets the sentence; false. */
bool log_pattern_refuse(struct log_reader *reader, const char *what);
void log_skip_blanks(struct log_reader *reader);
/* Takes word when it is next. */
bool log_take(struct log_reader *reader, const char *word);
/* `= "x*"`, `>= 3`, `= %re%`; ends is what an unquoted value cannot hold. */
bool log_read_comparison(struct log_reader *reader, const char *ends, struct log_node *test);
struct log_node *log_new_node(struct log_reader *reader, enum log_node_kind kind);
/* Between quotation marks, `\"` and `\\` resolved; the reader stands on the first mark. */
bool log_read_quoted(struct log_reader *reader, struct hg_str *text);
/* Between percent signs; the reader stands on the first. */
struct log_regex *log_read_regex(struct log_reader *reader);

/* Conditions with && and || (&& binds closer), parentheses, and what read_test reads. */
struct log_node *log_read_condition(struct log_reader *reader,
                                    struct log_node *(*read_test)(struct log_reader *reader));

bool log_pattern_read_json(struct log_reader *reader);
bool log_pattern_read_fields(struct log_reader *reader);

/* ---- matching ---- */

bool log_operand_compare(const struct log_node *test, struct hg_str value);
bool log_pattern_match_json(const struct hg_log_pattern *pattern, struct hg_str message);
bool log_pattern_match_fields(const struct hg_log_pattern *pattern, struct hg_str message);

/* ---- regular expressions ---- */

struct log_regex {
    void *code, *data, *limits;
    struct log_regex *next;
};
bool log_regex_compile(struct log_regex *regex, struct hg_str text, struct hg_error *err);
void log_regex_fini(struct log_regex *regex);
bool log_regex_finds(const struct log_regex *regex, struct hg_str text);

#endif
