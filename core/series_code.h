/*
 * How series, points and numbers stand in the store's files. Readers take any bytes: false means that they are damaged.
 */
#ifndef HG_CORE_SERIES_CODE_H
#define HG_CORE_SERIES_CODE_H

#include "core/buf.h"
#include "core/statset.h"

enum { HG_SERIES_KEY_MAX = 65536 };

void series_put_number(struct hg_buf *out, uint64_t number);
bool series_get_number(struct hg_str *rest, uint64_t *number);
/* With a sign. */
void series_put_signed(struct hg_buf *out, int64_t number);
bool series_get_signed(struct hg_str *rest, int64_t *number);
void series_put_text(struct hg_buf *out, struct hg_str text);
bool series_get_text(struct hg_str *rest, struct hg_str *text);
void series_put_statset(struct hg_buf *out, const struct hg_statset *set);
/* set is overwritten, also on failure. */
bool series_get_statset(struct hg_str *rest, struct hg_statset *set);

/*
 * Records: length, checksum, payload. put begins one (returns its place in out), end closes it. get takes the next one from *rest;
 * false at the end and at the first damage: then *rest is what is left.
 */
size_t series_begin_record(struct hg_buf *out);
void series_end_record(struct hg_buf *out, size_t place);
bool series_get_record(struct hg_str *rest, struct hg_str *payload);

#endif
