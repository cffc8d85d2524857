#include "views/appender.h"

#include <pthread.h>
#include <signal.h>

#define QUEUE_MAX 4096

struct kappa_appender_s {
    const kappa_alloc_t *alloc;
    kappa_store_t *store;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t more;
    kappa_job_t *first;
    kappa_job_t **last;
    uint32_t queued;
    uint32_t max;
    bool stop;
};

/* All that waits; NULL: to stop. */
static kappa_job_t *
take_all(kappa_appender_t *appender)
{
    pthread_mutex_lock(&appender->mutex);
    while (appender->first == NULL && !appender->stop) {
        pthread_cond_wait(&appender->more, &appender->mutex);
    }

    kappa_job_t *jobs = appender->first;
    appender->first = NULL;
    appender->last = &appender->first;
    appender->queued = 0;
    pthread_mutex_unlock(&appender->mutex);
    return jobs;
}

static void *
run(void *arg)
{
    kappa_appender_t *appender = arg;
    kappa_job_t *jobs;

    while ((jobs = take_all(appender))) {
        kappa_store_commit(appender->store, jobs);
    }
    return NULL;
}

/* The process's signals are not this thread's. */
static int
start(kappa_appender_t *appender)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&appender->thread, NULL, run, appender);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc;
}

static void
release(kappa_appender_t *appender)
{
    pthread_mutex_destroy(&appender->mutex);
    pthread_cond_destroy(&appender->more);
    appender->alloc->release(appender->alloc->ctx, appender);
}

kappa_status_t
kappa_appender_create(const kappa_alloc_t *alloc, kappa_store_t *store,
    uint32_t max_queued, kappa_appender_t **out)
{
    kappa_appender_t *appender = alloc->alloc(alloc->ctx, sizeof *appender);

    if (appender == NULL) {
        return KAPPA_NOMEM;
    }
    *appender = (kappa_appender_t){ .alloc = alloc,
        .store = store,
        .last = &appender->first,
        .max = max_queued ? max_queued : QUEUE_MAX };
    pthread_mutex_init(&appender->mutex, NULL);
    pthread_cond_init(&appender->more, NULL);
    if (start(appender) != 0) {
        release(appender);
        return KAPPA_IO;
    }
    *out = appender;
    return KAPPA_OK;
}

void
kappa_appender_destroy(kappa_appender_t *appender)
{
    if (appender == NULL) {
        return;
    }
    pthread_mutex_lock(&appender->mutex);
    appender->stop = true;
    pthread_cond_signal(&appender->more);
    pthread_mutex_unlock(&appender->mutex);
    pthread_join(appender->thread, NULL);
    release(appender);
}

kappa_status_t
kappa_appender_submit(kappa_appender_t *appender, kappa_job_t *job)
{
    kappa_status_t status = KAPPA_OK;
    bool wake = false;

    job->next = NULL;
    pthread_mutex_lock(&appender->mutex);
    if (appender->queued >= appender->max || appender->stop) {
        status = KAPPA_BUSY;
    } else {
        *appender->last = job;
        appender->last = &job->next;
        wake = appender->queued++ == 0;
    }
    pthread_mutex_unlock(&appender->mutex);
    /* Not before: it would wake up to wait for the mutex. */
    if (wake) {
        pthread_cond_signal(&appender->more);
    }
    return status;
}
