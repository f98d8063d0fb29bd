/*
 * How a function's asynchronous events are treated: EventInvokeConfig of the
 * template and of the API, one for each function and qualifier (async.md §3).
 * They are attached to the function's family in the snapshot (config/model.h)
 * and go with it. Readers copy; any thread.
 */
#ifndef HG_CONFIG_EVENT_CONFIG_H
#define HG_CONFIG_EVENT_CONFIG_H

#include "config/catalog.h"

enum {
    HG_DESTINATION_MAX = 512,     /* bytes */
    HG_EVENT_RETRIES_DEFAULT = 2, /* which is the maximum too */
    HG_EVENT_AGE_MIN_S = 60,
    HG_EVENT_AGE_DEFAULT_S = 21600, /* which is the maximum too */
};

struct hg_event_config {
    char function[141];  /* unqualified name */
    char qualifier[129]; /* "$LATEST", a version or an alias */
    int max_retries;     /* 0 to 2; -1: not set */
    int max_age_s;       /* 60 to 21600; -1: not set */
    char on_success[HG_DESTINATION_MAX + 1], on_failure[HG_DESTINATION_MAX + 1]; /* "" for none */
    int64_t last_modified_ms;
};

struct hg_event_configs;

/* Reads what the registry has; catalog makes the changes: NULL where nobody submits any. Both must outlive it. */
struct hg_event_configs *event_configs_open(struct hg_registry *registry,
                                            struct hg_catalog *catalog);
/* Nothing may be under way any more. NULL is allowed. */
void event_configs_close(struct hg_event_configs *configs);

/* False when there is none for exactly this qualifier ("" means "$LATEST"). */
bool event_configs_find(struct hg_event_configs *configs, struct hg_str function,
                        struct hg_str qualifier, struct hg_event_config *out);

/*
 * Those of a function: "$LATEST" first, then versions by number, then aliases by name. At most max of them, that come after the
 * qualifier `after` ("" for all) into out; returns how many there are after it.
 */
size_t event_configs_list(struct hg_event_configs *configs, struct hg_str function,
                          struct hg_str after, struct hg_event_config *out, size_t max);

enum hg_event_config_change {
    HG_EVENT_CONFIG_PUT,    /* replaces everything */
    HG_EVENT_CONFIG_UPDATE, /* changes what is given; HG_E_NOT_FOUND when there is none */
    HG_EVENT_CONFIG_DELETE, /* HG_E_NOT_FOUND when there is none */
};

/* One change: embedded by its owner, lent until done has run. */
struct hg_event_config_op {
    enum hg_event_config_change change;
    /* In: function, qualifier and what is given. Out: as it is now (put, update). last_modified_ms is set here. */
    struct hg_event_config config;
    bool has_destinations; /* update: on_success and on_failure are given */

    void (*done)(struct hg_event_config_op *op); /* on the loop that submitted it */
    /* HG_OK: stored, and every find from now on sees it. */
    enum hg_rc rc;
    struct hg_error err;

    struct hg_change base;
};

/* Any loop's thread. Changes are made in the order of submission. HG_E_NOT_FOUND when there is no such function. */
void event_configs_submit(struct hg_event_configs *configs, struct hg_loop *home,
                          struct hg_event_config_op *op);

#endif
