/*
 * How a function's asynchronous events are treated: EventInvokeConfig of the
 * template and of the API, one for each function and qualifier (async.md §3).
 * Those of the API outlive a restart (config/store.h). Readers copy; any thread.
 */
#ifndef HG_CONFIG_EVENT_CONFIG_H
#define HG_CONFIG_EVENT_CONFIG_H

#include "config/model.h"
#include "core/error.h"

enum { HG_DESTINATION_MAX = 512, HG_EVENT_RETRIES_DEFAULT = 2, HG_EVENT_AGE_DEFAULT_S = 21600 };

struct hg_event_config {
    char function[141];  /* unqualified name */
    char qualifier[129]; /* "$LATEST", a version or an alias */
    int max_retries;     /* 0 to 2; -1: not set */
    int max_age_s;       /* 60 to 21600; -1: not set */
    char on_success[HG_DESTINATION_MAX + 1], on_failure[HG_DESTINATION_MAX + 1]; /* "" for none */
    int64_t last_modified_ms;
};

struct hg_event_configs;

/*
 * Opens what the API stored in data_dir and applies the template's (snapshot->event_settings): a changed or new one of
 * the template is taken, one that the template no longer has goes, one that only the API made stays. Blocks.
 */
struct hg_event_configs *
event_configs_open(const char *data_dir, const struct hg_snapshot *snapshot, struct hg_error *err);
void event_configs_close(struct hg_event_configs *configs);

/* False when there is none for exactly this qualifier ("" means "$LATEST"). */
bool event_configs_find(struct hg_event_configs *configs, struct hg_str function,
                        struct hg_str qualifier, struct hg_event_config *out);

#endif
