/*
 * Tells the listener which lanes have something due: each lane's notice is a
 * mail of its own that is under way at most once. Notices only spare mail, so
 * they may be forgotten; there are never many.
 */
#include "queue/front.h"

#include <stdlib.h>
#include <string.h>

enum { NOTICES_MAX = 8192 };

/* Belongs to the table and, while it is posted, to the mailbox as well; the last one frees it. */
struct hg_lane_notice {
    struct hg_mail mail;
    _Atomic unsigned refs;
    _Atomic bool is_posted;
    _Atomic bool is_closed; /* the queue is gone: tell nobody */
    bool is_owed;           /* something was due before anybody listened */
    struct hg_queue_listener listener;
    struct hg_str key;
    const char *channel; /* inside key */
};

static void unref(struct hg_lane_notice *notice)
{
    if (atomic_fetch_sub(&notice->refs, 1) == 1)
        free(notice);
}

void queue_lanes_init(struct hg_queue_lanes *lanes)
{
    hg_map_init(&lanes->notices);
}

void queue_lanes_fini(struct hg_queue_lanes *lanes)
{
    const struct hg_map_entry *entry;

    for (size_t at = 0; (entry = hg_map_next(&lanes->notices, &at));) {
        struct hg_lane_notice *notice = entry->value;

        atomic_store(&notice->is_closed, true);
        unref(notice);
    }
    hg_map_fini(&lanes->notices);
}

/* Listener's loop. The flag falls first: what becomes due from here on is told anew. */
static void on_notice_arrived(struct hg_mail *mail)
{
    struct hg_lane_notice *notice = hg_container_of(mail, struct hg_lane_notice, mail);
    const struct hg_queue_listener listener = notice->listener; /* the next post writes it */
    bool is_closed = atomic_load(&notice->is_closed);

    atomic_store(&notice->is_posted, false);
    if (!is_closed)
        listener.on_lane_ready(listener.arg, notice->key.p, notice->channel);
    unref(notice);
}

static void post(struct hg_queue_lanes *lanes, struct hg_lane_notice *notice)
{
    notice->is_owed = false;
    if (atomic_exchange(&notice->is_posted, true))
        return;
    notice->listener = lanes->listener;
    (void)atomic_fetch_add(&notice->refs, 1);
    hg_mailbox_post(&lanes->listener.loop->mailbox, &notice->mail, on_notice_arrived);
}

void queue_lanes_listen(struct hg_queue_lanes *lanes, const struct hg_queue_listener *listener)
{
    const struct hg_map_entry *entry;

    hg_assert(!lanes->has_listener);
    lanes->listener = *listener;
    lanes->has_listener = true;
    for (size_t at = 0; (entry = hg_map_next(&lanes->notices, &at));)
        post(lanes, entry->value);
}

static void forget_idle(struct hg_queue_lanes *lanes)
{
    struct hg_map kept;
    const struct hg_map_entry *entry;

    hg_map_init(&kept);
    for (size_t at = 0; (entry = hg_map_next(&lanes->notices, &at));) {
        struct hg_lane_notice *notice = entry->value;

        if (atomic_load(&notice->is_posted) || notice->is_owed)
            (void)hg_map_set(&kept, notice->key, notice);
        else
            unref(notice);
    }
    hg_map_fini(&lanes->notices);
    lanes->notices = kept;
}

static struct hg_lane_notice *notice_of(struct hg_queue_lanes *lanes, const char *function,
                                        const char *channel)
{
    char key[HG_EVENT_FUNCTION_MAX + HG_EVENT_TARGET_MAX + 2];
    size_t function_length = strlen(function), channel_length = strlen(channel);
    size_t length = function_length + 1 + channel_length;
    struct hg_lane_notice *notice;
    char *text;

    hg_assert(length < sizeof(key));
    memcpy(key, function, function_length + 1);
    memcpy(key + function_length + 1, channel, channel_length + 1);
    notice = hg_map_get(&lanes->notices, hg_str_n(key, length));
    if (notice)
        return notice;
    if (lanes->has_listener && lanes->notices.count >= NOTICES_MAX)
        forget_idle(lanes);
    notice = hg_calloc(1, sizeof(*notice) + length + 1);
    text = (char *)(notice + 1);
    memcpy(text, key, length + 1);
    atomic_init(&notice->refs, 1);
    notice->key = hg_str_n(text, length);
    notice->channel = text + function_length + 1;
    (void)hg_map_set(&lanes->notices, notice->key, notice);
    return notice;
}

void queue_lanes_tell(struct hg_queue_lanes *lanes, const char *function, const char *channel)
{
    struct hg_lane_notice *notice = notice_of(lanes, function, channel);

    if (lanes->has_listener)
        post(lanes, notice);
    else
        notice->is_owed = true;
}
