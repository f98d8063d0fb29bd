/*
 * Senders push onto a stack; the receiver takes it whole and turns it round.
 * Only the push onto an empty stack writes the eventfd.
 */
#include "core/mailbox.h"

#include "core/loop.h"

#include <sys/eventfd.h>
#include <unistd.h>

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
    uint64_t count;

    (void)what;
    /* Only one value is ever pending; a spurious wake-up finds none. */
    if (read(fd, &count, sizeof(count)) < 0) {
    }
    hg_mailbox_deliver(arg);
}

void hg_mailbox_init(struct hg_mailbox *mailbox, struct hg_loop *loop)
{
    atomic_init(&mailbox->newest, NULL);
    mailbox->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    hg_assert(mailbox->wake_fd >= 0);
    (void)event_assign(&mailbox->event, loop->base, mailbox->wake_fd, EV_READ | EV_PERSIST, on_wake,
                       mailbox);
    (void)event_add(&mailbox->event, NULL);
}

void hg_mailbox_fini(struct hg_mailbox *mailbox)
{
    (void)event_del(&mailbox->event);
    (void)close(mailbox->wake_fd);
}

void hg_mailbox_post(struct hg_mailbox *mailbox, struct hg_mail *mail,
                     void (*deliver)(struct hg_mail *mail))
{
    struct hg_mail *newest = atomic_load_explicit(&mailbox->newest, memory_order_relaxed);
    uint64_t one = 1;

    mail->deliver = deliver;
    do {
        mail->next = newest;
    } while (!atomic_compare_exchange_weak_explicit(&mailbox->newest, &newest, mail,
                                                    memory_order_release, memory_order_relaxed));
    /* A full counter is as good as a written one. */
    if (!newest && write(mailbox->wake_fd, &one, sizeof(one)) < 0) {
    }
}

void hg_mailbox_deliver(struct hg_mailbox *mailbox)
{
    struct hg_mail *mail = atomic_exchange_explicit(&mailbox->newest, NULL, memory_order_acquire),
                   *oldest = NULL;

    while (mail) {
        struct hg_mail *next = mail->next;

        mail->next = oldest;
        oldest = mail;
        mail = next;
    }
    while (oldest) {
        struct hg_mail *next = oldest->next;

        oldest->deliver(oldest);
        oldest = next;
    }
}
