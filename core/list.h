/*
 * Intrusive doubly linked list with a head. A link that is on no list points
 * to itself, so unlinking twice does no harm.
 */
#ifndef HG_CORE_LIST_H
#define HG_CORE_LIST_H

#include "core/base.h"

struct hg_list {
    struct hg_list *next, *prev;
};

static inline void hg_list_init(struct hg_list *head)
{
    head->next = head->prev = head;
}

static inline bool hg_list_empty(const struct hg_list *head)
{
    return head->next == head;
}

static inline void hg_list_push_back(struct hg_list *head, struct hg_list *link)
{
    link->next = head;
    link->prev = head->prev;
    head->prev->next = link;
    head->prev = link;
}

static inline void hg_list_push_front(struct hg_list *head, struct hg_list *link)
{
    hg_list_push_back(head->next, link);
}

static inline void hg_list_unlink(struct hg_list *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
    hg_list_init(link);
}

static inline struct hg_list *hg_list_pop_front(struct hg_list *head)
{
    struct hg_list *link = head->next;

    if (link == head)
        return NULL;
    head->next = link->next;
    link->next->prev = head;
    hg_list_init(link);
    return link;
}

/* Moves all of from to the end of to; from is empty afterwards. */
static inline void hg_list_move_all(struct hg_list *from, struct hg_list *to)
{
    if (hg_list_empty(from))
        return;
    from->next->prev = to->prev;
    to->prev->next = from->next;
    from->prev->next = to;
    to->prev = from->prev;
    hg_list_init(from);
}

/* The body may unlink it, nothing else. */
#define HG_LIST_EACH(it, head) \
    for (struct hg_list *it = (head)->next, *it##_next = it->next; it != (head); \
         it = it##_next, it##_next = it->next)

#endif
