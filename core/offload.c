/*
 * A queue under a mutex: this is the slow path by definition.
 */
#include "core/offload.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

struct hg_offload {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct hg_job *first, **last;
    bool is_stopping;
    unsigned thread_count;
    pthread_t *threads;
};

static void on_job_mail(struct hg_mail *mail)
{
    struct hg_job *job = hg_container_of(mail, struct hg_job, mail);

    job->done(job);
}

/* NULL when the helpers shall end. */
static struct hg_job *next_job(struct hg_offload *offload)
{
    struct hg_job *job;

    (void)pthread_mutex_lock(&offload->lock);
    while (!offload->first && !offload->is_stopping)
        (void)pthread_cond_wait(&offload->wake, &offload->lock);
    job = offload->first;
    if (job) {
        offload->first = job->next;
        if (!offload->first)
            offload->last = &offload->first;
    }
    (void)pthread_mutex_unlock(&offload->lock);
    return job;
}

static void *run_helper(void *arg)
{
    struct hg_offload *offload = arg;
    struct hg_job *job;

    while ((job = next_job(offload))) {
        job->work(job);
        hg_mailbox_post(&job->home->mailbox, &job->mail, on_job_mail);
    }
    return NULL;
}

struct hg_offload *hg_offload_new(const char *name, unsigned threads)
{
    struct hg_offload *offload = hg_calloc(1, sizeof(*offload));
    sigset_t all, before;

    (void)pthread_mutex_init(&offload->lock, NULL);
    (void)pthread_cond_init(&offload->wake, NULL);
    offload->last = &offload->first;
    offload->thread_count = threads;
    offload->threads = hg_calloc(threads, sizeof(*offload->threads));
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_BLOCK, &all, &before);
    for (unsigned i = 0; i < threads; i++) {
        char label[24];

        hg_assert(pthread_create(&offload->threads[i], NULL, run_helper, offload) == 0);
        (void)snprintf(label, sizeof(label), "%.10s-%u", name, i % 1000);
        label[15] = '\0'; /* the kernel takes no longer name */
        (void)pthread_setname_np(offload->threads[i], label);
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return offload;
}

void hg_offload_submit(struct hg_offload *offload, struct hg_loop *home, struct hg_job *job)
{
    job->home = home;
    job->next = NULL;
    (void)pthread_mutex_lock(&offload->lock);
    *offload->last = job;
    offload->last = &job->next;
    (void)pthread_cond_signal(&offload->wake);
    (void)pthread_mutex_unlock(&offload->lock);
}

void hg_offload_free(struct hg_offload *offload)
{
    if (!offload)
        return;
    (void)pthread_mutex_lock(&offload->lock);
    offload->is_stopping = true;
    (void)pthread_cond_broadcast(&offload->wake);
    (void)pthread_mutex_unlock(&offload->lock);
    for (unsigned i = 0; i < offload->thread_count; i++)
        (void)pthread_join(offload->threads[i], NULL);
    (void)pthread_cond_destroy(&offload->wake);
    (void)pthread_mutex_destroy(&offload->lock);
    free(offload->threads);
    free(offload);
}
