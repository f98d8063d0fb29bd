/*
 * Result codes of expected failures, made from rc.def.
 */
#ifndef HG_CORE_RC_H
#define HG_CORE_RC_H

#include "core/base.h"

enum hg_rc {
#define HG_RC(symbol, status, again, text) symbol,
#include "core/rc.def"
#undef HG_RC
};

/* The sentence of rc.def; static. */
const char *hg_rc_text(enum hg_rc rc);
/* The HTTP status of rc.def. */
int hg_rc_status(enum hg_rc rc);
/* Whether the same call may succeed later. */
bool hg_rc_again(enum hg_rc rc);

#endif
