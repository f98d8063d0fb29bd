/*
 * Function URLs as little APIs, so that the gateway has one way for all requests.
 */
#ifndef HG_CONFIG_URL_FRONT_H
#define HG_CONFIG_URL_FRONT_H

#include "config/model.h"

extern const struct hg_pmap_type url_front_type;

/* One reference. Nothing of url is kept. NULL when prepare refuses, which a checked configuration never sees. */
struct hg_url_front *url_front_new(const struct hg_snapshot *snapshot, struct hg_str function_name,
                                   const struct hg_url *url);

#endif
