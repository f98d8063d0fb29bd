#include "workers/counting.h"

#include "config/family.h"
#include "core/clock.h"
#include "workers/minute.h"

enum { SAMPLE_MS = 15000, ARN_COLONS = 6 };

static void add_one(struct hg_statset *sets, enum hg_minute_metric metric, double value)
{
    hg_statset_add(&sets[metric], value, 1);
}

/* What follows the name in arn:aws:lambda:region:account:function:name:qualifier; "" for none. */
static const char *qualifier_of(const char *arn)
{
    unsigned colons = 0;

    for (; *arn; arn++)
        if (*arn == ':' && ++colons > ARN_COLONS)
            return arn + 1;
    return arn;
}

void counting_prepare(struct hg_running *running, const struct hg_invocation *inv)
{
    const struct hg_family *family;
    const struct hg_alias *alias;

    running->qualifier = qualifier_of(running->invoked_arn);
    running->is_weighted = false;
    if (!running->workers->options.minutes || !*running->qualifier ||
        hg_str_is(inv->function->version, running->qualifier))
        return;
    family = snapshot_family(inv->snapshot, inv->function->name);
    alias = family ? family_alias(family, hg_str_of(running->qualifier)) : NULL;
    running->is_weighted = alias && alias->weighted;
}

static struct hg_statset *sets_of(const struct hg_running *running, int64_t mono_us)
{
    struct hg_minutes *minutes = running->workers->options.minutes;
    const struct hg_minute_subject subject = {
        .function = running->function->name,
        .qualifier = hg_str_of(running->qualifier),
        .executed_version = running->is_weighted ? running->function->version : HG_STR(""),
    };

    return minutes ? minutes_of(minutes, &subject, minutes_time_ms(minutes, mono_us)) : NULL;
}

void counting_begin(struct hg_environment *env)
{
    struct hg_running *running = env->running;
    struct hg_workers *workers = env->shard->workers;
    struct hg_running_now *now = &workers->running_now;
    struct hg_pool_family *family = env->vs->version->family;

    running->is_reserved = atomic_load_explicit(&family->quota.reserved, memory_order_relaxed) >= 0;
    running->is_provisioned = env->is_provisioned;
    running->together = atomic_fetch_add_explicit(&family->running, 1, memory_order_relaxed) + 1;
    running->together_all = atomic_fetch_add_explicit(&now->all, 1, memory_order_relaxed) + 1;
    if (running->is_reserved)
        running->together_unreserved = atomic_load_explicit(&now->unreserved, memory_order_relaxed);
    else
        running->together_unreserved =
            atomic_fetch_add_explicit(&now->unreserved, 1, memory_order_relaxed) + 1;
    if (running->is_provisioned)
        running->together_provisioned =
            atomic_fetch_add_explicit(&env->vs->version->provisioned_running, 1,
                                      memory_order_relaxed) +
            1;
}

static void note_provisioned(const struct hg_running *running, const struct hg_version *version,
                             struct hg_statset *sets)
{
    unsigned wanted = atomic_load_explicit(&version->provisioned, memory_order_relaxed);

    if (!running->is_provisioned) {
        if (wanted)
            add_one(sets, HG_MINUTE_PROVISIONED_SPILLOVER, 1);
        return;
    }
    add_one(sets, HG_MINUTE_PROVISIONED_INVOCATIONS, 1);
    add_one(sets, HG_MINUTE_PROVISIONED_CONCURRENT, running->together_provisioned);
    if (wanted)
        add_one(sets, HG_MINUTE_PROVISIONED_UTILIZATION,
                (double)HG_MIN(running->together_provisioned, wanted) / wanted);
}

static void leave(struct hg_environment *env, const struct hg_running *running)
{
    struct hg_running_now *now = &env->shard->workers->running_now;

    (void)atomic_fetch_sub_explicit(&env->vs->version->family->running, 1, memory_order_relaxed);
    (void)atomic_fetch_sub_explicit(&now->all, 1, memory_order_relaxed);
    if (!running->is_reserved)
        (void)atomic_fetch_sub_explicit(&now->unreserved, 1, memory_order_relaxed);
    if (running->is_provisioned)
        (void)atomic_fetch_sub_explicit(&env->vs->version->provisioned_running, 1,
                                        memory_order_relaxed);
}

void counting_leave(struct hg_environment *env)
{
    leave(env, env->running);
}

void counting_end(struct hg_environment *env, const struct hg_running *running,
                  bool has_function_error, int64_t duration_us)
{
    const struct hg_running_now *now = &env->shard->workers->running_now;
    struct hg_statset *sets = sets_of(running, env->run_started_us);
    int64_t hundredths_ms = (duration_us + 5) / 10;

    leave(env, running);
    if (!sets)
        return;
    add_one(sets, HG_MINUTE_INVOCATIONS, 1);
    add_one(sets, HG_MINUTE_ERRORS, has_function_error);
    add_one(sets, HG_MINUTE_THROTTLES, 0);
    /* As REPORT prints it, to two decimals. */
    add_one(sets, HG_MINUTE_DURATION, (double)hundredths_ms / 100);
    add_one(sets, HG_MINUTE_CONCURRENT, running->together);
    add_one(sets, HG_MINUTE_CONCURRENT_ALL, running->together_all);
    add_one(sets, HG_MINUTE_CONCURRENT_UNRESERVED, running->together_unreserved);
    add_one(sets, HG_MINUTE_CONCURRENT_CLAIMED,
            running->together_unreserved +
                atomic_load_explicit(&now->claimed, memory_order_relaxed));
    note_provisioned(running, env->vs->version, sets);
}

void counting_fail(const struct hg_running *running)
{
    struct hg_statset *sets = sets_of(running, running->submitted_us);

    if (!sets)
        return;
    add_one(sets, HG_MINUTE_INVOCATIONS, 1);
    add_one(sets, HG_MINUTE_ERRORS, 1);
    add_one(sets, HG_MINUTE_THROTTLES, 0);
    add_one(sets, HG_MINUTE_DURATION, 0);
}

void counting_throttle(const struct hg_running *running)
{
    struct hg_statset *sets = sets_of(running, hg_mono_us());

    if (sets)
        add_one(sets, HG_MINUTE_THROTTLES, 1);
}

static void sample(struct hg_workers *workers)
{
    struct hg_minutes *minutes = workers->options.minutes;
    const struct hg_minute_subject nobody = {.function = HG_STR("")};
    struct hg_running_now *now = &workers->running_now;
    unsigned all = atomic_load(&now->all), unreserved = atomic_load(&now->unreserved);
    int64_t now_ms = hg_steady_ms();

    if (!all)
        return;
    minutes_note(minutes, HG_MINUTE_CONCURRENT_ALL, &nobody, now_ms, all);
    minutes_note(minutes, HG_MINUTE_CONCURRENT_UNRESERVED, &nobody, now_ms, unreserved);
    minutes_note(minutes, HG_MINUTE_CONCURRENT_CLAIMED, &nobody, now_ms,
                 unreserved + atomic_load(&now->claimed));
    for (const struct hg_pool_family *family = atomic_load(&workers->first_family); family;
         family = atomic_load(&family->next)) {
        const struct hg_minute_subject subject = {.function = hg_str_of(family->name)};
        unsigned running = atomic_load(&family->running);

        if (running)
            minutes_note(minutes, HG_MINUTE_CONCURRENT, &subject, now_ms, running);
    }
}

static void on_sample(struct hg_timer *timer)
{
    struct hg_running_now *now = hg_container_of(timer, struct hg_running_now, sample);

    sample(hg_container_of(now, struct hg_workers, running_now));
    hg_timer_start_ms(&now->sample, SAMPLE_MS);
}

void counting_start(struct hg_workers *workers)
{
    hg_timer_init(&workers->running_now.sample, workers->loops->control, on_sample);
    if (workers->options.minutes)
        hg_timer_start_ms(&workers->running_now.sample, SAMPLE_MS);
}

void counting_stop(struct hg_workers *workers)
{
    hg_timer_stop(&workers->running_now.sample);
}
