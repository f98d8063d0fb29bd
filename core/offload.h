/*
 * Helper threads for what blocks: unzip, hashing, fork, file writes. Never for waiting on a peer.
 */
#ifndef HG_CORE_OFFLOAD_H
#define HG_CORE_OFFLOAD_H

#include "core/loop.h"

/* Embedded by its owner, who keeps it until done has run. */
struct hg_job {
    void (*work)(struct hg_job *job); /* on a helper thread */
    void (*done)(struct hg_job *job); /* then on the loop that submitted it */
    struct hg_loop *home;
    struct hg_job *next;
    struct hg_mail mail;
};

struct hg_offload;

/* threads helpers named name-0, name-1, …; jobs start in the order of submission. */
struct hg_offload *hg_offload_new(const char *name, unsigned threads);
/* Any loop's thread. */
void hg_offload_submit(struct hg_offload *offload, struct hg_loop *home, struct hg_job *job);
/* Runs what was submitted, then joins the helpers. Their done mail is posted before it returns. */
void hg_offload_free(struct hg_offload *offload);

#endif
