/*
 * Look-ups in rc.def.
 */
#include "core/rc.h"

enum { HG_FINAL = 0, HG_AGAIN = 1 };

static const struct {
    short status;
    bool again;
    const char *text;
} rows[] = {
#define HG_RC(symbol, status, again, text) {status, again, text},
#include "core/rc.def"
#undef HG_RC
};

const char *hg_rc_text(enum hg_rc rc)
{
    return rows[rc].text;
}

int hg_rc_status(enum hg_rc rc)
{
    return rows[rc].status;
}

bool hg_rc_again(enum hg_rc rc)
{
    return rows[rc].again;
}
