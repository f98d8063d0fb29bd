/*
 * The table of settings, and the order of their sources: command line,
 * environment, file, default. A source that gives a list replaces the whole
 * list of the ones behind it.
 */
#include "config/settings_source.h"

#define FIELD(member) offsetof(struct hg_settings, member)

enum { SECOND_MS = 1000, MINUTE_MS = 60 * SECOND_MS, HOUR_MS = 60 * MINUTE_MS };
#define DAY_MS (INT64_C(24) * HOUR_MS)
#define MEGABYTE (INT64_C(1) << 20)
#define TERABYTE (INT64_C(1) << 40)

static const struct hg_key keys[] = {
    {"listen", HG_KEY_ADDRESSES, FIELD(listen), "127.0.0.1:8080", 0, 0, "ADDR:PORT",
     "public gateway: HTTP/1.1 and HTTP/2 without TLS", NULL, NULL},
    {"tls-listen", HG_KEY_ADDRESSES, FIELD(tls_listen), NULL, 0, 0, "ADDR:PORT",
     "public gateway with TLS 1.2 and 1.3", NULL, NULL},
    {"tls-cert", HG_KEY_TEXTS, FIELD(tls_cert), NULL, 0, 0, "FILE",
     "certificate chain (PEM); the first is the default, others are chosen by server name", NULL,
     NULL},
    {"tls-key", HG_KEY_TEXTS, FIELD(tls_key), NULL, 0, 0, "FILE",
     "private key (PEM), one for each certificate", NULL, NULL},
    {"api", HG_KEY_ADDRESS, FIELD(api), "127.0.0.1:4566", 0, 0, "ADDR:PORT",
     "management port: Lambda API, metrics, health", NULL, NULL},
    {"access-key", HG_KEY_TEXTS, FIELD(access_key), NULL, 0, 0, "ID:SECRET",
     "calls of the management port must be signed with this key pair", NULL, check_access_key},
    {"access-key-file", HG_KEY_TEXT, FIELD(access_key_file), NULL, 0, 0, "FILE",
     "the same for key pairs in a file: ID:SECRET a line, or an AWS credentials file", NULL, NULL},
    {"allow-reset", HG_KEY_SWITCH, FIELD(allows_reset), "false", 0, 0, NULL,
     "POST /_headgate/reset empties everything that was made through the APIs", NULL, NULL},
    {"aws-endpoint", HG_KEY_TEXTS, FIELD(aws_endpoints), NULL, 0, 0, "[SERVICE=]URL",
     "where calls to Amazon's services go: s3, sqs, sns, events; without SERVICE: all others", NULL,
     check_aws_endpoint},
    {"data-dir", HG_KEY_TEXT, FIELD(data_dir), "./.headgate", 0, 0, "DIR",
     "all state; made when absent", NULL, NULL},
    {"queue", HG_KEY_TEXT, FIELD(queue), "embedded:", 0, 0, "URI",
     "keeps asynchronous events: embedded:, redis://…, rediss://… or kafka://…", NULL, check_queue},
    {"queue-option", HG_KEY_PAIRS, FIELD(queue_options), NULL, 0, 0, "KEY=VALUE…",
     "options of the engine: kafka.… or redis.…", NULL, check_queue_option},
    {"durability", HG_KEY_CHOICE, FIELD(durability), "flush", 0, 0, "MODE",
     "an embedded event is accepted once it is flushed to the disk, or handed to the os",
     "flush|os", NULL},
    {"event-retention", HG_KEY_MS, FIELD(event_retention_ms), "24h", SECOND_MS, 366 * DAY_MS,
     "TIME", "how long finished events can be looked up", NULL, NULL},
    {"event-history", HG_KEY_BYTES, FIELD(event_history_bytes), "1G", MEGABYTE, 16 * TERABYTE,
     "SIZE", "what finished events may take; the oldest go first", NULL, NULL},
    {"store-max", HG_KEY_BYTES, FIELD(store_max_bytes), "64G", 16 * MEGABYTE, 16 * TERABYTE, "SIZE",
     "what the embedded engine may take on disk; beyond it new events are answered 503", NULL,
     NULL},
    {"dedup-window", HG_KEY_MS, FIELD(dedup_window_ms), "24h", SECOND_MS, 30 * DAY_MS, "TIME",
     "how long an event's Idempotency-Key is remembered", NULL, NULL},
    {"retry-scale", HG_KEY_REAL, FIELD(retry_scale), "1", 0, 1000, "X",
     "multiplies every delay and age limit of asynchronous events; 0.01 makes a minute 600 ms",
     NULL, NULL},
    {"async-share", HG_KEY_REAL, FIELD(async_share), "0.8", 0, 1, "X",
     "part of the environments that asynchronous events may take", NULL, NULL},
    {"threads", HG_KEY_NUMBER, FIELD(threads), "0", 0, 256, "N",
     "event loops; 0: one for each core", NULL, NULL},
    {"isolation", HG_KEY_CHOICE, FIELD(isolation), "auto", 0, 0, "MODE",
     "how functions are kept apart: auto, none or process", "auto|none|process", check_isolation},
    {"region", HG_KEY_TEXT, FIELD(region), "us-east-1", 0, 0, "NAME", "region in ARNs", NULL,
     check_region},
    {"account", HG_KEY_TEXT, FIELD(account), "000000000000", 0, 0, "DIGITS", "account in ARNs",
     NULL, check_account},
    {"stack-name", HG_KEY_TEXT, FIELD(stack_name), "local", 0, 0, "NAME", "AWS::StackName", NULL,
     check_stack_name},
    {"parameter-overrides", HG_KEY_PAIRS, FIELD(parameters), NULL, 0, 0, "KEY=VALUE…",
     "values of template parameters", NULL, check_parameter},
    {"env-vars", HG_KEY_TEXT, FIELD(env_vars_file), NULL, 0, 0, "FILE",
     "JSON file with environment variables by function", NULL, NULL},
    {"runtime", HG_KEY_PAIRS, FIELD(runtimes), NULL, 0, 0, "NAME=PATH", "interpreter for a runtime",
     NULL, check_runtime},
    {"strict", HG_KEY_SWITCH, FIELD(is_strict), "false", 0, 0, NULL,
     "what is not known in a template is an error", NULL, NULL},
    {"watch", HG_KEY_SWITCH, HG_NO_FIELD, "false", 0, 0, NULL,
     "reload on change (not available yet)", NULL, check_watch},
    {"max-concurrency", HG_KEY_NUMBER, FIELD(max_concurrency), "1000", 1, 100000, "N",
     "execution environments in all", NULL, NULL},
    {"max-queued", HG_KEY_NUMBER, FIELD(max_queued), "1000", 0, 1000000, "N",
     "invocations that wait for an environment, for each function", NULL, NULL},
    {"queue-wait", HG_KEY_MS, FIELD(queue_wait_ms), "2s", 0, 15 * MINUTE_MS, "TIME",
     "how long one waits before it is throttled", NULL, NULL},
    {"idle-timeout", HG_KEY_MS, FIELD(idle_timeout_ms), "10m", SECOND_MS, 24 * HOUR_MS, "TIME",
     "an idle environment is stopped after this", NULL, NULL},
    {"init-timeout", HG_KEY_MS, FIELD(init_timeout_ms), "10s", 100, 15 * MINUTE_MS, "TIME",
     "longest start of an environment", NULL, NULL},
    {"drain-timeout", HG_KEY_MS, FIELD(drain_timeout_ms), "30s", 0, HOUR_MS, "TIME",
     "how long running requests may take after SIGTERM", NULL, NULL},
    {"max-connections", HG_KEY_NUMBER, FIELD(max_connections), "10000", 1, 1000000, "N",
     "open connections in all; more are answered 503", NULL, NULL},
    {"max-body", HG_KEY_BYTES, FIELD(max_body_bytes), "10M", 1024, 1 << 30, "SIZE",
     "largest request body; larger ones are answered 413", NULL, NULL},
    {"account-rate", HG_KEY_NUMBER, FIELD(account_rate), "0", 0, 100000000, "N",
     "requests per second that all APIs take together, as an account's limit does; 0: no limit",
     NULL, NULL},
    {"account-burst", HG_KEY_NUMBER, FIELD(account_burst), "5000", 1, 100000000, "N",
     "requests that may come at once under account-rate", NULL, NULL},
    {"access-log", HG_KEY_TEXT, FIELD(access_log), "-", 0, 0, "FILE",
     "one line a request: - is standard output, off is none", NULL, NULL},
    {"log-level", HG_KEY_CHOICE, FIELD(log_level), "info", 0, 0, "LEVEL",
     "least level of the program's own log", "debug|info|warn|error", NULL},
    {"log-format", HG_KEY_CHOICE, FIELD(log_format), "text", 0, 0, "FORMAT", "text or json",
     "text|json", NULL},
};

/* 127.0.0.0/8, ::1 and localhost. */
static bool is_loopback(const char *address)
{
    const char *colon = strrchr(address, ':');
    struct hg_str host = hg_str_n(address, colon ? (size_t)(colon - address) : strlen(address));

    if (hg_str_is(host, "[::1]") || hg_str_is(host, "localhost"))
        return true;
    for (size_t i = 0; i < host.n; i++)
        if (host.p[i] != '.' && (host.p[i] < '0' || host.p[i] > '9'))
            return false; /* a name, whatever it begins with */
    return hg_str_starts(host, HG_STR("127."));
}

static void check_together(const struct hg_settings *settings, struct hg_buf *problems)
{
    if (settings->tls_cert.count != settings->tls_key.count)
        (void)hg_buf_printf(
            problems, "tls-cert and tls-key: %zu certificates and %zu keys; give them in pairs\n",
            settings->tls_cert.count, settings->tls_key.count);
    else if (settings->tls_listen.count && !settings->tls_cert.count)
        (void)hg_buf_printf(problems, "tls-listen: needs a certificate: tls-cert and tls-key\n");
    else if (settings->tls_cert.count && !settings->tls_listen.count)
        (void)hg_buf_printf(problems, "tls-cert: has no use without tls-listen\n");
    if (!settings->access_keys.count && !is_loopback(settings->api))
        (void)hg_buf_printf(problems,
                            "api: %s can be reached from other machines: say who may with "
                            "access-key or access-key-file, or use a loopback address\n",
                            settings->api);
}

/* The pairs of both options in one list. */
static void gather_access_keys(struct hg_arena *arena, struct hg_settings *settings,
                               struct hg_buf *problems)
{
    struct hg_error err = {""};

    for (size_t i = 0; i < settings->access_key.count; i++) {
        struct hg_access_key key;

        if (access_key_split(hg_str_of(settings->access_key.items[i]), &key, &err) != HG_OK ||
            access_keys_add(&settings->access_keys, arena, key, &err) != HG_OK)
            (void)hg_buf_printf(problems, "access-key: %s\n", err.text);
    }
    if (settings->access_key_file &&
        access_keys_load(&settings->access_keys, arena, settings->access_key_file, &err) != HG_OK)
        (void)hg_buf_printf(problems, "access-key-file: %s\n", err.text);
}

enum hg_rc settings_parse(struct hg_arena *arena, int argc, char **argv,
                          struct hg_settings *settings, struct hg_buf *problems)
{
    struct settings_texts texts;

    *settings = (struct hg_settings){0};
    settings_texts_init(&texts, arena, keys, HG_COUNT(keys), problems);
    settings_read_flags(&texts, argc, argv);
    settings_read_environment(&texts);
    settings_read_file(&texts);
    for (size_t i = 0; i < HG_COUNT(keys); i++) {
        struct setting_text fallback = {hg_str_of(keys[i].fallback), keys[i].name};

        if (texts.values[i].count)
            (void)setting_store(arena, &keys[i], texts.values[i].items, texts.values[i].count,
                                settings, problems);
        else if (keys[i].fallback)
            (void)setting_store(arena, &keys[i], &fallback, 1, settings, problems);
    }
    settings->template_file = texts.template_file;
    if (!problems->len)
        gather_access_keys(arena, settings, problems);
    if (!problems->len)
        check_together(settings, problems);
    return problems->len ? HG_E_INVALID : HG_OK;
}

void settings_print_options(struct hg_buf *out)
{
    enum { HELP_COLUMN = 36 };

    (void)hg_buf_printf(out, "  %-*s%s\n", HELP_COLUMN, "--config FILE",
                        "YAML file with these options as keys (HEADGATE_CONFIG)");
    for (size_t i = 0; i < HG_COUNT(keys); i++) {
        const struct hg_key *key = &keys[i];
        size_t before = out->len;

        (void)hg_buf_printf(out, "  --%s%s%s", key->name, key->argument ? " " : "",
                            key->argument ? key->argument : "");
        before += key_takes_words(key) ? 2 : 0; /* "…" is three bytes and one column */
        while (out->len - before < HELP_COLUMN + 2 && hg_buf_append_byte(out, ' '))
            ;
        (void)hg_buf_append_cstr(out, key->help);
        if (key_is_list(key))
            (void)hg_buf_append_cstr(out, "; repeatable");
        if (key->fallback && key->type != HG_KEY_SWITCH)
            (void)hg_buf_printf(out, " (%s)", key->fallback);
        (void)hg_buf_append_byte(out, '\n');
    }
    (void)hg_buf_append_cstr(
        out,
        "\nAn option beats its environment variable (--data-dir: HEADGATE_DATA_DIR), that one the key of the\n"
        "file (data-dir:), that one the default in brackets. In a variable, a comma separates the items of a\n"
        "list, and blanks those of HEADGATE_PARAMETER_OVERRIDES and HEADGATE_QUEUE_OPTION.\n");
}
