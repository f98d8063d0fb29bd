/*
 * The one way across threads: a lock-free list with one wake-up per burst.
 */
#ifndef HG_CORE_MAILBOX_H
#define HG_CORE_MAILBOX_H

#include "core/base.h"

#include <event2/event_struct.h>
#include <stdatomic.h>

struct hg_loop;

/* Embedded in what is sent; belongs to the receiver from post until deliver runs. */
struct hg_mail {
    struct hg_mail *next;
    void (*deliver)(struct hg_mail *mail);
};

struct hg_mailbox {
    struct hg_mail *_Atomic newest;
    int wake_fd; /* eventfd */
    struct event event;
};

void hg_mailbox_init(struct hg_mailbox *mailbox, struct hg_loop *loop);
void hg_mailbox_fini(struct hg_mailbox *mailbox);

/* Any thread. deliver runs on the mailbox's loop, in the order of posting per sender. */
void hg_mailbox_post(struct hg_mailbox *mailbox, struct hg_mail *mail,
                     void (*deliver)(struct hg_mail *mail));

/* Runs what has arrived. The loop calls it; so do tests. */
void hg_mailbox_deliver(struct hg_mailbox *mailbox);

#endif
