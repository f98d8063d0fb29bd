/*
 * CBOR (RFC 8949), item by item: no tree, nothing allocated. The reader takes any bytes.
 */
#ifndef HG_CORE_CBOR_H
#define HG_CORE_CBOR_H

#include "core/buf.h"

enum hg_cbor_kind {
    HG_CBOR_UINT,     /* number */
    HG_CBOR_NEGATIVE, /* -1 - number */
    HG_CBOR_BYTES,    /* text; with is_indefinite: pieces follow, then HG_CBOR_BREAK */
    HG_CBOR_TEXT,     /* the same; not checked to be UTF-8 */
    HG_CBOR_ARRAY,    /* number items follow; with is_indefinite: until HG_CBOR_BREAK */
    HG_CBOR_MAP,      /* number pairs follow; the same */
    HG_CBOR_TAG,      /* number; the item that it is about follows */
    HG_CBOR_FALSE,
    HG_CBOR_TRUE,
    HG_CBOR_NULL, /* undefined too */
    HG_CBOR_REAL, /* real; also from half and single precision */
    HG_CBOR_BREAK,
};

struct hg_cbor_item {
    enum hg_cbor_kind kind;
    bool is_indefinite;
    uint64_t number;
    double real;
    struct hg_str text; /* points into what is read */
};

/* Takes the next item from *rest; false at the end and where the bytes are no item. */
bool hg_cbor_next(struct hg_str *rest, struct hg_cbor_item *item);

void hg_cbor_put_u64(struct hg_buf *out, uint64_t number);
void hg_cbor_put_text(struct hg_buf *out, struct hg_str text);
void hg_cbor_put_real(struct hg_buf *out, double real);
void hg_cbor_put_bool(struct hg_buf *out, bool value);
void hg_cbor_put_tag(struct hg_buf *out, uint64_t tag);
/* Indefinite ones; each is ended by a break. */
void hg_cbor_begin_map(struct hg_buf *out);
void hg_cbor_begin_array(struct hg_buf *out);
void hg_cbor_put_break(struct hg_buf *out);

#endif
