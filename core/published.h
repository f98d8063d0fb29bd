/*
 * A pointer to something immutable that many threads read and one writer
 * replaces. What is published begins with its own reference count.
 */
#ifndef HG_CORE_PUBLISHED_H
#define HG_CORE_PUBLISHED_H

#include "core/base.h"

#include <stdatomic.h>

/* First member of whatever is published. */
struct hg_counted {
    _Atomic unsigned refs;
};

struct hg_published {
    _Atomic uint64_t word;
    /* Apart from word, so that fetching does not slow those who only look. */
    _Alignas(64) _Atomic uint64_t version;
};

/* Takes the reference to first. */
void hg_published_init(struct hg_published *published, struct hg_counted *first);
/* A new reference to what is in force; any thread, no lock. */
struct hg_counted *hg_published_fetch(struct hg_published *published);
/* Takes the reference to next and hands out the one to the former. One thread at a time. */
struct hg_counted *hg_published_replace(struct hg_published *published,
                                        struct hg_counted *next) hg_must_use;
/* What is in force, with its reference: nobody may fetch any more. */
struct hg_counted *hg_published_fini(struct hg_published *published) hg_must_use;
/* Grows with every replace; any thread, one load. */
uint64_t hg_published_version(const struct hg_published *published);

static inline void hg_counted_ref(struct hg_counted *counted)
{
    (void)atomic_fetch_add_explicit(&counted->refs, 1, memory_order_relaxed);
}

/* True when that was the last one: the caller frees it. */
static inline bool hg_counted_unref(struct hg_counted *counted)
{
    return atomic_fetch_sub_explicit(&counted->refs, 1, memory_order_acq_rel) == 1;
}

#endif
