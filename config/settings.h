/*
 * The options of `serve`: from flags, environment (HEADGATE_…), a YAML file (--config), defaults, in that order.
 */
#ifndef HG_CONFIG_SETTINGS_H
#define HG_CONFIG_SETTINGS_H

#include "config/access_keys.h"
#include "config/model.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/log.h"

struct hg_str_list {
    const char **items; /* terminated strings */
    size_t count;
};

enum hg_isolation { HG_ISOLATION_AUTO, HG_ISOLATION_NONE, HG_ISOLATION_PROCESS };

/* Everything lives in the arena given to settings_parse. */
struct hg_settings {
    const char *template_file; /* NULL: look for template.yaml, template.yml, template.json here */
    struct hg_str_list listen; /* "127.0.0.1:8080" unless given */
    struct hg_str_list tls_listen, tls_cert, tls_key;
    const char *api;      /* "127.0.0.1:4566" */
    const char *data_dir; /* as given; "./.headgate" */
    const char *queue;    /* "embedded:", "redis://…", "rediss://…" or "kafka://…" */
    struct hg_kv_list queue_options; /* "kafka.security.protocol" → "SASL_SSL"; of all prefixes */
    int durability;                  /* enum hg_durability */
    int64_t event_retention_ms, dedup_window_ms;
    size_t event_history_bytes, store_max_bytes;
    double retry_scale; /* > 0 */
    double async_share; /* 0 < share ≤ 1 */
    unsigned threads;   /* 0: number of cores */
    enum hg_isolation isolation;
    const char *region, *account, *stack_name;
    bool is_strict;
    enum hg_log_level log_level;
    enum hg_log_format log_format;
    const char *access_log;       /* "-", "off" or a path */
    struct hg_kv_list parameters; /* --parameter-overrides */
    const char *env_vars_file;    /* NULL for none */
    struct hg_kv_list runtimes;   /* --runtime python3.12=/path */
    int64_t idle_timeout_ms, queue_wait_ms, drain_timeout_ms, init_timeout_ms;
    unsigned max_concurrency, max_queued, max_connections;
    size_t max_body_bytes;
    unsigned account_rate, account_burst; /* API Gateway's account throttle; rate 0: none */
    struct hg_str_list access_key;        /* ID:SECRET; in access_keys too */
    const char *access_key_file;          /* NULL for none */
    struct hg_access_keys
        access_keys; /* of both; empty: calls of the management port need no signature */
    bool allows_reset;
    struct hg_str_list aws_endpoints; /* [SERVICE=]URL */
};

/*
 * argv as main gets it, without the program's name: options and at most one TEMPLATE. HG_OK; HG_E_INVALID with every mistake
 * in *problems, one sentence a line ("--listen: …" or "headgate.yaml:3: threads: …", what is allowed, did you mean).
 */
enum hg_rc settings_parse(struct hg_arena *arena, int argc, char **argv,
                          struct hg_settings *settings, struct hg_buf *problems) hg_must_use;

/* The options with defaults and meanings, for `headgate help serve` and docs/config.md. */
void settings_print_options(struct hg_buf *out);

#endif
