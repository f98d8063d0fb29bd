/*
 * Event invoke configs as attached documents. Used by config/ only.
 */
#ifndef HG_CONFIG_EVENT_CONFIG_DOC_H
#define HG_CONFIG_EVENT_CONFIG_DOC_H

#include "config/event_config.h"

#define HG_ATTACHED_EVENT_CONFIG "event-invoke-config"

/* Into a family that is still private to its maker; by_template: it goes when the template no longer has it. */
void event_config_put(struct hg_family *family, struct hg_str qualifier,
                      const struct hg_event_config *config, bool by_template);
/* The same for what a template says. */
void event_setting_attach(struct hg_family *family, const struct hg_event_setting *setting);
/* function and qualifier are the caller's to set. False when it is no such document. */
bool event_config_read(struct hg_str json, struct hg_event_config *config,
                       bool *by_template) hg_must_use;

#endif
