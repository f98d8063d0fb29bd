/*
 * Each loop fills one batch of cells; on the tick, or when it is full, the store's thread gets it, and the loop goes on with
 * another one. Batches go round, so that noting allocates only while something is new.
 */
#include "workers/minute.h"

#include "core/clock.h"
#include "core/log.h"
#include "core/series_key.h"

#include <stdatomic.h>
#include <stdlib.h>

enum {
    CELLS_MAX = 1024,
    INDEX_SIZE = 2 * CELLS_MAX, /* a power of two */
    BATCHES = 12,               /* of a loop; with all of them on the way, numbers are dropped */
    TICK_MS = 1000,
    FUNCTION_MAX = 64,
    QUALIFIER_MAX = 128,
    VERSION_MAX = 24,
    MINUTE_MS = 60000,
};

struct cell {
    uint64_t hash;
    int64_t minute;
    unsigned function_length, qualifier_length, version_length;
    char function[FUNCTION_MAX], qualifier[QUALIFIER_MAX], version[VERSION_MAX];
    struct hg_statset sets[HG_MINUTE_COUNT];
};

struct batch {
    struct hg_series_op op;
    struct hg_minutes *minutes;
    _Atomic bool is_away;
    unsigned epoch;
    struct cell *cells[CELLS_MAX]; /* made when first needed */
    size_t count;
    uint16_t index[INDEX_SIZE]; /* cell number + 1; 0: free */
};

struct shard {
    struct hg_minutes *minutes;
    struct hg_loop *loop;
    struct batch *batches[BATCHES];
    struct batch *filling; /* NULL: none was at hand */
    struct hg_timer tick;
    int64_t clock_ms; /* what to add to hg_mono_us() / 1000, as of the last tick; 0 without one */
    int64_t complained_us;
};

struct hg_minutes {
    struct hg_loops *loops;
    struct hg_series *series;
    _Atomic unsigned epoch;
    struct shard shards[]; /* by loop index, the control loop last */
};

static const struct {
    const char *name, *unit;
    unsigned dimensions;
} metrics[] = {
#define A 1
#define F 2
#define R 4
#define HG_MINUTE(symbol, name, unit, dimensions) {name, unit, dimensions},
#include "workers/minute.def"
#undef HG_MINUTE
};

/* ---- on the store's thread ---- */

static void store_set(struct series_store *store, struct hg_metric *metric, struct hg_buf *key,
                      int64_t minute, const struct hg_statset *set)
{
    hg_metric_key(metric, key);
    series_store_add(store, hg_buf_str(key), minute, set);
}

static void store_metric(struct series_store *store, struct hg_buf *key, const struct cell *cell,
                         size_t at)
{
    const struct hg_statset *set = &cell->sets[at];
    struct hg_metric metric = {.space = HG_STR("AWS/Lambda"),
                               .name = hg_str_of(metrics[at].name),
                               .unit = hg_str_of(metrics[at].unit)};
    struct hg_str function = hg_str_n(cell->function, cell->function_length);
    char resource[FUNCTION_MAX + 1 + QUALIFIER_MAX];
    size_t length = function.n;

    if (metrics[at].dimensions & A)
        store_set(store, &metric, key, cell->minute, set);
    if (!function.n)
        return;
    if (metrics[at].dimensions & F) {
        metric.dimensions[0] = (struct hg_dimension){HG_STR("FunctionName"), function};
        metric.dimension_count = 1;
        store_set(store, &metric, key, cell->minute, set);
    }
    if (!(metrics[at].dimensions & R))
        return;
    memcpy(resource, function.p, function.n);
    if (cell->qualifier_length) {
        resource[length++] = ':';
        memcpy(resource + length, cell->qualifier, cell->qualifier_length);
        length += cell->qualifier_length;
    }
    metric.dimensions[1] = (struct hg_dimension){HG_STR("Resource"), hg_str_n(resource, length)};
    metric.dimension_count = 2;
    store_set(store, &metric, key, cell->minute, set);
    if (!cell->version_length)
        return;
    metric.dimensions[0] = (struct hg_dimension){HG_STR("ExecutedVersion"),
                                                 hg_str_n(cell->version, cell->version_length)};
    metric.dimensions[1] = (struct hg_dimension){HG_STR("FunctionName"), function};
    metric.dimensions[2] = (struct hg_dimension){HG_STR("Resource"), hg_str_n(resource, length)};
    metric.dimension_count = 3;
    store_set(store, &metric, key, cell->minute, set);
}

static void on_batch(struct hg_series_op *op, struct series_store *store)
{
    struct batch *batch = hg_container_of(op, struct batch, op);
    bool is_wanted = batch->epoch == atomic_load(&batch->minutes->epoch);
    struct hg_buf key;

    hg_buf_init(&key, HG_SERIES_KEY_MAX);
    for (size_t i = 0; i < batch->count; i++) {
        struct cell *cell = batch->cells[i];

        for (size_t at = 0; at < HG_MINUTE_COUNT; at++) {
            if (cell->sets[at].count <= 0)
                continue;
            if (is_wanted)
                store_metric(store, &key, cell, at);
            hg_statset_clear(&cell->sets[at]);
        }
    }
    hg_buf_fini(&key);
    batch->count = 0;
    memset(batch->index, 0, sizeof(batch->index));
    atomic_store_explicit(&batch->is_away, false, memory_order_release);
}

/* ---- on the loops ---- */

static void hand_over(struct shard *shard)
{
    struct batch *batch = shard->filling;

    if (!batch || !batch->count)
        return;
    shard->filling = NULL;
    atomic_store_explicit(&batch->is_away, true, memory_order_relaxed);
    series_submit(shard->minutes->series, shard->loop, &batch->op);
}

static struct batch *batch_new(struct hg_minutes *minutes)
{
    struct batch *batch = hg_calloc(1, sizeof(*batch));

    batch->minutes = minutes;
    batch->op.work = on_batch;
    return batch;
}

/* One that is at hand, NULL when all are away. */
static struct batch *take_batch(struct shard *shard)
{
    for (size_t i = 0; i < BATCHES; i++) {
        if (!shard->batches[i])
            shard->batches[i] = batch_new(shard->minutes);
        if (!atomic_load_explicit(&shard->batches[i]->is_away, memory_order_acquire))
            return shard->batches[i];
    }
    return NULL;
}

static void complain(struct shard *shard)
{
    int64_t now = hg_mono_us();

    if (shard->complained_us && now - shard->complained_us < 60000000)
        return;
    shard->complained_us = now;
    hg_warn("metrics_dropped", "the store of metrics does not keep up: numbers are lost");
}

static void start_tick(struct shard *shard)
{
    if (hg_timer_is_running(&shard->tick))
        return;
    shard->clock_ms = hg_steady_ms() - hg_mono_us() / 1000;
    hg_timer_start_ms(&shard->tick, TICK_MS);
}

static void on_tick(struct hg_timer *timer)
{
    struct shard *shard = hg_container_of(timer, struct shard, tick);

    if (shard->filling && shard->filling->count) {
        hand_over(shard);
        start_tick(shard);
    } else {
        shard->clock_ms = 0; /* who knows when it is needed again */
    }
}

static struct batch *filling_batch(struct shard *shard)
{
    unsigned epoch = atomic_load_explicit(&shard->minutes->epoch, memory_order_relaxed);

    if (shard->filling && shard->filling->count &&
        (shard->filling->epoch != epoch || shard->filling->count == CELLS_MAX))
        hand_over(shard);
    if (!shard->filling)
        shard->filling = take_batch(shard);
    if (!shard->filling)
        complain(shard);
    else if (!shard->filling->count)
        shard->filling->epoch = epoch;
    return shard->filling;
}

static unsigned copy_text(char *out, unsigned max, struct hg_str text)
{
    unsigned length = (unsigned)HG_MIN(text.n, (size_t)max);

    if (length)
        memcpy(out, text.p, length);
    return length;
}

static bool is_cell_of(const struct cell *cell, uint64_t hash,
                       const struct hg_minute_subject *subject, int64_t minute)
{
    return cell->hash == hash && cell->minute == minute &&
           hg_str_eq(hg_str_n(cell->function, cell->function_length), subject->function) &&
           hg_str_eq(hg_str_n(cell->qualifier, cell->qualifier_length), subject->qualifier) &&
           hg_str_eq(hg_str_n(cell->version, cell->version_length), subject->executed_version);
}

static struct hg_minute_subject cut(const struct hg_minute_subject *subject)
{
    struct hg_minute_subject fit = *subject;

    fit.function.n = HG_MIN(fit.function.n, (size_t)FUNCTION_MAX);
    fit.qualifier.n = HG_MIN(fit.qualifier.n, (size_t)QUALIFIER_MAX);
    fit.executed_version.n = HG_MIN(fit.executed_version.n, (size_t)VERSION_MAX);
    return fit;
}

static struct shard *shard_here(struct hg_minutes *minutes)
{
    return &minutes->shards[hg_loop_current()->index];
}

struct hg_statset *minutes_of(struct hg_minutes *minutes, const struct hg_minute_subject *subject,
                              int64_t at_ms)
{
    struct shard *shard = shard_here(minutes);
    struct batch *batch = filling_batch(shard);
    struct hg_minute_subject fit = cut(subject);
    int64_t minute = at_ms / MINUTE_MS;
    uint64_t hash;
    struct cell *cell;
    size_t slot;

    if (!batch)
        return NULL;
    hash = hg_str_hash(fit.function) ^ hg_str_hash(fit.qualifier) * 3 ^
           hg_str_hash(fit.executed_version) * 5 ^ (uint64_t)minute;
    for (slot = hash % INDEX_SIZE; batch->index[slot]; slot = (slot + 1) % INDEX_SIZE) {
        cell = batch->cells[batch->index[slot] - 1];
        if (is_cell_of(cell, hash, &fit, minute))
            return cell->sets;
    }
    if (!batch->cells[batch->count])
        batch->cells[batch->count] = hg_calloc(1, sizeof(*cell));
    cell = batch->cells[batch->count++];
    batch->index[slot] = (uint16_t)batch->count;
    cell->hash = hash;
    cell->minute = minute;
    cell->function_length = copy_text(cell->function, FUNCTION_MAX, fit.function);
    cell->qualifier_length = copy_text(cell->qualifier, QUALIFIER_MAX, fit.qualifier);
    cell->version_length = copy_text(cell->version, VERSION_MAX, fit.executed_version);
    start_tick(shard);
    return cell->sets;
}

void minutes_note(struct hg_minutes *minutes, enum hg_minute_metric metric,
                  const struct hg_minute_subject *subject, int64_t at_ms, double value)
{
    struct hg_statset *sets = minutes ? minutes_of(minutes, subject, at_ms) : NULL;

    if (sets)
        hg_statset_add(&sets[metric], value, 1);
}

void minutes_note_url(struct hg_minutes *minutes, const struct hg_minute_subject *subject,
                      int64_t started_us, int status)
{
    struct hg_statset *sets;

    if (!minutes)
        return;
    sets = minutes_of(minutes, subject, minutes_time_ms(minutes, started_us));
    if (!sets)
        return;
    hg_statset_add(&sets[HG_MINUTE_URL_REQUESTS], 1, 1);
    hg_statset_add(&sets[HG_MINUTE_URL_4XX], status >= 400 && status < 500, 1);
    hg_statset_add(&sets[HG_MINUTE_URL_5XX], status >= 500, 1);
    hg_statset_add(&sets[HG_MINUTE_URL_LATENCY], (double)(hg_mono_us() - started_us) / 1000, 1);
}

int64_t minutes_time_ms(const struct hg_minutes *minutes, int64_t mono_us)
{
    const struct shard *shard = &minutes->shards[hg_loop_current()->index];

    return (shard->clock_ms ? shard->clock_ms : hg_steady_ms() - hg_mono_us() / 1000) +
           mono_us / 1000;
}

/* ---- flush and reset ---- */

struct flush {
    _Atomic unsigned left;
    struct hg_loop *home;
    struct hg_mail mail;
    void (*done)(void *arg);
    void *arg;
    struct flush_mail {
        struct hg_mail mail;
        struct flush *flush;
        struct shard *shard;
    } mails[];
};

static void on_flushed(struct hg_mail *mail)
{
    struct flush *flush = hg_container_of(mail, struct flush, mail);

    flush->done(flush->arg);
    free(flush);
}

static void on_flush(struct hg_mail *mail)
{
    struct flush_mail *here = hg_container_of(mail, struct flush_mail, mail);
    struct flush *flush = here->flush;

    hand_over(here->shard);
    if (atomic_fetch_sub(&flush->left, 1) == 1)
        hg_mailbox_post(&flush->home->mailbox, &flush->mail, on_flushed);
}

void minutes_flush(struct hg_minutes *minutes, struct hg_loop *home, void (*done)(void *arg),
                   void *arg)
{
    unsigned count = minutes->loops->count + 1;
    struct flush *flush = hg_calloc(1, sizeof(*flush) + count * sizeof(struct flush_mail));

    flush->home = home;
    flush->done = done;
    flush->arg = arg;
    atomic_init(&flush->left, count);
    for (unsigned i = 0; i < count; i++) {
        struct shard *shard = &minutes->shards[i];

        flush->mails[i] = (struct flush_mail){.flush = flush, .shard = shard};
        hg_mailbox_post(&shard->loop->mailbox, &flush->mails[i].mail, on_flush);
    }
}

void minutes_forget(struct hg_minutes *minutes)
{
    (void)atomic_fetch_add(&minutes->epoch, 1);
}

/* ---- life ---- */

struct hg_minutes *minutes_open(struct hg_loops *loops, const char *dir, struct hg_error *err)
{
    struct hg_series *series = series_open(dir, NULL, err);
    struct hg_minutes *minutes;

    if (!series)
        return NULL;
    minutes = hg_calloc(1, sizeof(*minutes) + (loops->count + 1) * sizeof(struct shard));
    minutes->loops = loops;
    minutes->series = series;
    for (unsigned i = 0; i <= loops->count; i++) {
        struct shard *shard = &minutes->shards[i];

        shard->minutes = minutes;
        shard->loop = i < loops->count ? loops->loops[i] : loops->control;
        hg_timer_init(&shard->tick, shard->loop, on_tick);
    }
    return minutes;
}

struct hg_series *minutes_store(struct hg_minutes *minutes)
{
    return minutes->series;
}

static void batch_free(struct batch *batch)
{
    if (!batch)
        return;
    for (size_t i = 0; i < CELLS_MAX && batch->cells[i]; i++) {
        for (size_t at = 0; at < HG_MINUTE_COUNT; at++)
            hg_statset_fini(&batch->cells[i]->sets[at]);
        free(batch->cells[i]);
    }
    free(batch);
}

void minutes_close(struct hg_minutes *minutes)
{
    if (!minutes)
        return;
    for (unsigned i = 0; i <= minutes->loops->count; i++) {
        hg_timer_stop(&minutes->shards[i].tick);
        hand_over(&minutes->shards[i]);
    }
    /* Flushes that are under way: from loop to loop, and home. */
    for (unsigned round = 0; round < 2; round++)
        for (unsigned i = 0; i <= minutes->loops->count; i++)
            hg_mailbox_deliver(&minutes->shards[i].loop->mailbox);
    series_close(minutes->series);
    for (unsigned i = 0; i <= minutes->loops->count; i++)
        for (size_t j = 0; j < BATCHES; j++)
            batch_free(minutes->shards[i].batches[j]);
    free(minutes);
}
