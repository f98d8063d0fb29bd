/*
 * Command line, environment and file as sources of settings.
 */
#include "config/settings_source.h"

#include "config/template/node.h"

#include <stdlib.h>

extern char **environ;

enum { SOURCE_FLAGS = 1, SOURCE_ENVIRONMENT, SOURCE_FILE };
enum { NAME_MAX_LEN = 64, FILE_ARENA_MAX = 1 << 28 };

void settings_texts_init(struct settings_texts *texts, struct hg_arena *arena,
                         const struct hg_key *keys, size_t key_count, struct hg_buf *problems)
{
    *texts = (struct settings_texts){
        .arena = arena, .keys = keys, .key_count = key_count, .problems = problems};
    texts->values = hg_arena_must(arena, key_count * sizeof(*texts->values));
}

static const struct hg_key *find_key(const struct settings_texts *texts, struct hg_str name)
{
    for (size_t i = 0; i < texts->key_count; i++)
        if (hg_str_is(name, texts->keys[i].name))
            return &texts->keys[i];
    return NULL;
}

/* "; did you mean …?" in the arena, or "". */
static const char *nearest(const struct settings_texts *texts, struct hg_str name,
                           const char *prefix)
{
    struct hg_suggest suggest = {.wanted = name};

    for (size_t i = 0; i < texts->key_count; i++)
        suggest_offer_cstr(&suggest, texts->keys[i].name);
    suggest_offer_cstr(&suggest, "config");
    if (!suggest.best.p)
        return "";
    return hg_arena_printf(texts->arena, "; did you mean %s%.*s?", prefix,
                           HG_STR_ARG(suggest.best));
}

static void add(struct settings_texts *texts, const struct hg_key *key, struct hg_str text,
                const char *where)
{
    struct setting_texts *value = &texts->values[key - texts->keys];
    struct setting_text *items;

    if (value->count && value->source != texts->source)
        return; /* a stronger source gave it */
    if (value->count && !key_is_list(key)) {
        (void)hg_buf_printf(texts->problems, "%s: given twice\n", where);
        return;
    }
    if ((value->count & (value->count - 1)) == 0) {
        items = hg_arena_must(texts->arena, HG_MAX(value->count * 2, 1) * sizeof(*items));
        if (value->count)
            memcpy(items, value->items, value->count * sizeof(*items));
        value->items = items;
    }
    value->source = texts->source;
    value->items[value->count++] = (struct setting_text){text, where};
}

/* `ParameterKey=A,ParameterValue=B` is the older way to write the template parameter A=B. */
static struct hg_str pair_word(struct settings_texts *texts, const struct hg_key *key,
                               struct hg_str word)
{
    struct hg_str name = HG_STR("ParameterKey="), value = HG_STR(",ParameterValue=");
    ptrdiff_t comma = hg_str_find_str(word, value);

    if (strcmp(key->name, "parameter-overrides") != 0 || !hg_str_starts(word, name) || comma < 0)
        return word;
    return hg_str_of(hg_arena_printf(texts->arena, "%.*s=%.*s", (int)((size_t)comma - name.n),
                                     word.p + name.n,
                                     HG_STR_ARG(hg_str_skip(word, (size_t)comma + value.n))));
}

/* Words up to the next option or the first one without '='. Returns the index of the last word taken. */
static int read_words(struct settings_texts *texts, const struct hg_key *key, const char *where,
                      int at, int argc, char **argv)
{
    int first = at;

    while (at + 1 < argc && strncmp(argv[at + 1], "--", 2) != 0 && strchr(argv[at + 1], '='))
        add(texts, key, pair_word(texts, key, hg_str_of(argv[++at])), where);
    if (at == first)
        (void)hg_buf_printf(texts->problems, "%s: needs at least one KEY=VALUE\n", where);
    return at;
}

/* The option at argv[at]; returns the index of its last word. */
static int read_flag(struct settings_texts *texts, int at, int argc, char **argv)
{
    struct hg_str name = hg_str_of(argv[at] + 2);
    ptrdiff_t equals = hg_str_find(name, '=');
    struct hg_str text = equals < 0 ? hg_str_n(NULL, 0) : hg_str_skip(name, (size_t)equals + 1);
    const struct hg_key *key;
    const char *where;

    if (equals >= 0)
        name.n = (size_t)equals;
    key = find_key(texts, name);
    where = hg_arena_printf(texts->arena, "--%.*s", HG_STR_ARG(name));
    if (!key && !hg_str_is(name, "config")) {
        (void)hg_buf_printf(texts->problems, "%s: there is no such option%s\n", where,
                            nearest(texts, name, "--"));
        return at;
    }
    if (key && key_takes_words(key) && !text.p)
        return read_words(texts, key, where, at, argc, argv);
    if (key && key->type == HG_KEY_SWITCH && !text.p) {
        add(texts, key, HG_STR("true"), where);
        return at;
    }
    if (!text.p && (at + 1 >= argc || strncmp(argv[at + 1], "--", 2) == 0)) {
        (void)hg_buf_printf(texts->problems, "%s: needs a value: %s %s\n", where, where,
                            key && key->argument ? key->argument : "FILE");
        return at;
    }
    if (!text.p)
        text = hg_str_of(argv[++at]);
    if (!key) {
        texts->config_file = hg_arena_strdup(texts->arena, text);
        texts->config_where = "--config";
    } else {
        add(texts, key, pair_word(texts, key, text), where);
    }
    return at;
}

void settings_read_flags(struct settings_texts *texts, int argc, char **argv)
{
    bool is_over = false;

    texts->source = SOURCE_FLAGS;
    for (int i = 0; i < argc; i++) {
        if (!is_over && strcmp(argv[i], "--") == 0) {
            is_over = true;
        } else if (!is_over && strncmp(argv[i], "--", 2) == 0) {
            i = read_flag(texts, i, argc, argv);
        } else if (!is_over && argv[i][0] == '-' && argv[i][1]) {
            (void)hg_buf_printf(texts->problems,
                                "%s: there is no such option; options start with two dashes\n",
                                argv[i]);
        } else if (texts->template_file) {
            (void)hg_buf_printf(texts->problems, "%s: one template only, %s is another one\n",
                                argv[i], texts->template_file);
        } else {
            texts->template_file = argv[i];
        }
    }
}

/* HEADGATE_DATA_DIR → data-dir */
static struct hg_str key_name(struct hg_str variable, char out[NAME_MAX_LEN])
{
    size_t n = HG_MIN(variable.n, (size_t)NAME_MAX_LEN);

    for (size_t i = 0; i < n; i++) {
        char c = variable.p[i];

        out[i] = c == '_' ? '-' : c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
    }
    return hg_str_n(out, n);
}

static void read_variable(struct settings_texts *texts, struct hg_str variable, struct hg_str value)
{
    char lowered[NAME_MAX_LEN];
    struct hg_str name = key_name(hg_str_skip(variable, strlen("HEADGATE_")), lowered), part;
    const struct hg_key *key = find_key(texts, name);
    const char *where = hg_arena_printf(texts->arena, "%.*s", HG_STR_ARG(variable));

    if (hg_str_is(name, "config")) {
        if (!texts->config_file) {
            texts->config_file = hg_arena_strdup(texts->arena, value);
            texts->config_where = where;
        }
    } else if (!key) {
        /* Others may use the prefix too: only what looks like a slip of the pen is a mistake. */
        const char *guess = nearest(texts, name, "the setting ");

        if (*guess)
            (void)hg_buf_printf(texts->problems, "%s: there is no such setting%s\n", where, guess);
    } else if (!key_is_list(key)) {
        add(texts, key, value, where);
    } else {
        while (hg_str_next(&value, key_takes_words(key) ? ' ' : ',', &part)) {
            part = hg_str_trim(part);
            if (part.n)
                add(texts, key, pair_word(texts, key, part), where);
        }
    }
}

void settings_read_environment(struct settings_texts *texts)
{
    texts->source = SOURCE_ENVIRONMENT;
    for (char **entry = environ; *entry; entry++) {
        struct hg_str text = hg_str_of(*entry);
        ptrdiff_t equals = hg_str_find(text, '=');

        if (hg_str_starts(text, HG_STR("HEADGATE_")) && equals > 0)
            read_variable(texts, hg_str_n(text.p, (size_t)equals),
                          hg_str_skip(text, (size_t)equals + 1));
    }
}

static void add_item(struct settings_texts *texts, const struct hg_key *key,
                     const struct hg_node *item, const char *where)
{
    struct hg_str text = node_text(item);

    if (!text.p) {
        (void)hg_buf_printf(texts->problems, "%s: %s\n", where,
                            item->kind == HG_NODE_NULL ? "has no value" : "must be a plain value");
        return;
    }
    /* An unquoted `off` is false in YAML; only switches mean that. */
    if (key->type == HG_KEY_TEXT && item->scalar == HG_SCALAR_BOOL)
        text = hg_str_is(text, "true") ? HG_STR("on") : HG_STR("off");
    add(texts, key, hg_arena_str(texts->arena, text), where);
}

static void read_member(struct settings_texts *texts, const struct hg_node_member *member)
{
    const struct hg_key *key = find_key(texts, member->key);
    const struct hg_node *value = member->value;
    const char *where = hg_arena_printf(texts->arena, "%s:%u: %.*s", texts->config_file,
                                        member->line, HG_STR_ARG(member->key));

    if (!key) {
        (void)hg_buf_printf(texts->problems, "%s: there is no such setting%s\n", where,
                            nearest(texts, member->key, ""));
    } else if (node_is_list(value) && key_is_list(key)) {
        for (size_t i = 0; i < value->count; i++)
            add_item(texts, key, value->items[i], where);
    } else if (node_is_map(value) && key->type == HG_KEY_PAIRS) {
        for (size_t i = 0; i < value->count; i++) {
            const struct hg_node_member *pair = &value->members[i];
            const char *text = hg_arena_printf(texts->arena, "%.*s=%.*s", HG_STR_ARG(pair->key),
                                               HG_STR_ARG(node_text(pair->value)));

            add(texts, key, hg_str_of(text), where);
        }
    } else {
        add_item(texts, key, value, where);
    }
}

void settings_read_file(struct settings_texts *texts)
{
    struct hg_problems problems = {0};
    struct hg_arena *arena;
    const struct hg_node *root;

    if (!texts->config_file)
        return;
    texts->source = SOURCE_FILE;
    arena = hg_arena_new(FILE_ARENA_MAX);
    root = node_load(arena, texts->config_file, &problems);
    if (root && !node_is_map(root))
        problems_add(&problems, root->line, root->column,
                     "must hold one setting a line: `key: value`");
    for (size_t i = 0; i < problems.count; i++) {
        if (problems.items[i].line)
            (void)hg_buf_printf(texts->problems, "%s:%u:%u: %s\n", texts->config_file,
                                problems.items[i].line, problems.items[i].column,
                                problems.items[i].text);
        else
            (void)hg_buf_printf(texts->problems, "%s: %s\n", texts->config_where,
                                problems.items[i].text);
    }
    problems_fini(&problems);
    for (size_t i = 0; node_is_map(root) && i < root->count; i++)
        read_member(texts, &root->members[i]);
    hg_arena_free(arena);
}
