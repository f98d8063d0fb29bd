/*
 * The end of an invocation in its environment: what is left in the log pipe,
 * REPORT, counters, and the answer on its way to the caller.
 */
#include "workers/outcome.h"

#include "core/clock.h"
#include "workers/counting.h"

#include <stdio.h>

enum {
    MEASURE_EVERY_US = 100000, /* for Max Memory Used: never more often */
    SECOND_US = 1000000,
};

static void measure(struct hg_environment *env, int64_t now_us)
{
    uint64_t now_bytes, peak_bytes;

    if (env->measured_us && now_us - env->measured_us < MEASURE_EVERY_US)
        return;
    env->measured_us = now_us;
    if (env->has_process &&
        env->shard->workers->launcher->measure(&env->launched, &now_bytes, &peak_bytes))
        env->peak_bytes = HG_MAX(env->peak_bytes, peak_bytes);
}

static void count(struct hg_environment *env, const struct hg_running *running,
                  const struct hg_outcome *outcome, int64_t duration_us)
{
    struct hg_stats *stats = env->vs->stats;

    stats_note_run(stats, duration_us);
    if (outcome->error != HG_FUNCTION_OK)
        stats_add(&stats->errors, 1);
    if (outcome->error == HG_FUNCTION_TIMEOUT)
        stats_add(&stats->timeouts, 1);
    counting_end(env, running, outcome->error != HG_FUNCTION_OK, duration_us);
}

void outcome_complete(struct hg_environment *env, const struct hg_outcome *outcome)
{
    struct hg_running *running = env->running;
    int64_t now = hg_mono_us();
    int64_t duration = outcome->duration_us >= 0 ? outcome->duration_us : now - env->run_started_us;
    struct hg_report report = {
        .request_id = running->request_id,
        .status = outcome->status,
        .error_type = outcome->error_type,
        .duration_us = duration,
        .init_us = env->is_fresh ? env->init_us : 0,
        .extra_message = outcome->message,
        .produced_bytes = hg_blob_str(outcome->answer).n,
    };

    env->running = NULL;
    runtime_api_forget(&env->api);
    /* What the function printed before it answered belongs before END. */
    env_log_drain(&env->log);
    measure(env, now);
    report.peak_bytes = env->peak_bytes;
    report_end(&env->log, env->function, &report);
    count(env, running, outcome, duration);
    /* The first run in a process warms it up, and says little of those that follow. */
    if (!env->was_init_by_invocation && (!env->is_fresh || !atomic_load(&env->vs->version->run_us)))
        average_note(&env->vs->version->run_us, duration);
    running->rc = HG_OK;
    running->error = outcome->error;
    running->answer = outcome->answer;
    (void)snprintf(running->content_type, sizeof(running->content_type), "%s",
                   outcome->content_type);
    running->tail = env_log_take_tail(&env->log, HG_LOG_TAIL_MAX, &running->tail_length);
    running->duration_us = duration;
    running->init_us = report.init_us;
    env->is_fresh = false;
    pool_finish(running);
}

void outcome_fail(struct hg_environment *env, const char *error_type, const char *message,
                  const char *text)
{
    struct hg_outcome outcome = {
        .error = HG_FUNCTION_ERROR,
        .answer = error_doc_new(error_type, env->running->request_id, text),
        .content_type = "application/json",
        .status = HG_REPORT_ERROR,
        .error_type = error_type,
        .message = message,
        .duration_us = -1,
    };

    outcome_complete(env, &outcome);
}

void outcome_time_out(struct hg_environment *env)
{
    unsigned timeout_s = env->function->timeout_s;
    char text[64];
    struct hg_outcome outcome = {
        .error = HG_FUNCTION_TIMEOUT,
        .answer = error_doc_timeout(env->running->request_id, timeout_s),
        .content_type = "application/json",
        .status = HG_REPORT_TIMEOUT,
        .error_type = "",
        .message = text,
        .duration_us = (int64_t)timeout_s * SECOND_US,
    };

    (void)snprintf(text, sizeof(text), "Task timed out after %u.00 seconds", timeout_s);
    outcome_complete(env, &outcome);
}

void outcome_init_failed(struct hg_environment *env, enum hg_report_status status,
                         const char *error_type)
{
    enum hg_init_phase phase = env->running ? HG_INIT_INVOKE : environment_phase(env);

    report_init_failed(&env->log, env->function, phase, status, error_type,
                       hg_mono_us() - env->started_us);
}

void outcome_exited(struct hg_environment *env, const struct hg_exit *how)
{
    const char *type = env->is_out_of_memory ? "Runtime.OutOfMemory" : "Runtime.ExitError";
    char text[HG_EXIT_TEXT_MAX];

    outcome_fail(env, type, exit_text(how, text), text);
}
