/*
 * Functions that change while they are used: new versions, reservations, provisioned concurrency, deletion.
 */
#include "tests/unit/workers/fakes.h"

#include "config/family.h"
#include "workers/shard.h"

enum { UPDATES = 100000 };

/* ---- deploying ---- */

struct deploy {
    struct hg_mail mail;
    struct fixture *f;
    struct hg_snapshot *next;
    bool is_done;
};

static void on_deploy(struct hg_mail *mail)
{
    struct deploy *deploy = hg_container_of(mail, struct deploy, mail);

    workers_apply(deploy->f->workers, deploy->next);
    pthread_mutex_lock(&deploy->f->lock);
    deploy->is_done = true;
    pthread_cond_broadcast(&deploy->f->changed);
    pthread_mutex_unlock(&deploy->f->lock);
}

/* Puts it in force, as the catalog does; f->function is its $LATEST. */
static void deploy(struct fixture *f, struct hg_snapshot *next)
{
    struct deploy mail = {.f = f, .next = next};
    const struct hg_family *family = snapshot_family(next, HG_STR("probe"));

    hg_mailbox_post(&f->loops->control->mailbox, &mail.mail, on_deploy);
    pthread_mutex_lock(&f->lock);
    while (!mail.is_done)
        pthread_cond_wait(&f->changed, &f->lock);
    pthread_mutex_unlock(&f->lock);
    snapshot_unref(f->snapshot);
    f->snapshot = next;
    f->function = family ? family->latest : NULL;
}

/* A private copy of the family, in a private copy of the snapshot. */
static struct hg_family *begin(struct fixture *f, struct hg_snapshot **next)
{
    *next = snapshot_copy(f->snapshot);
    return family_copy(snapshot_family(f->snapshot, HG_STR("probe")));
}

static void end(struct fixture *f, struct hg_snapshot *next, struct hg_family *family)
{
    snapshot_put_family(next, family);
    deploy(f, next);
}

static void start_deployed(struct fixture *f, unsigned threads)
{
    fixture_start(f, threads);
    deploy(f, snapshot_copy(f->snapshot));
}

/* Like UpdateFunctionConfiguration. */
static void update(struct fixture *f)
{
    struct hg_arena *arena = hg_arena_new(1 << 20);
    struct hg_snapshot *next;
    struct hg_family *family = begin(f, &next);
    struct hg_function *draft = function_draft(arena, family->latest);

    draft->last_modified_ms++;
    family_set_latest(family, draft);
    hg_arena_free(arena);
    end(f, next, family);
}

static void publish(struct fixture *f, const char *number)
{
    struct hg_arena *arena = hg_arena_new(1 << 20);
    struct hg_snapshot *next;
    struct hg_family *family = begin(f, &next);
    struct hg_function *draft = function_draft(arena, family->latest);

    draft->version = hg_str_of(number);
    family_add_version(family, draft);
    hg_arena_free(arena);
    end(f, next, family);
}

static void reserve(struct fixture *f, int reserved)
{
    struct hg_snapshot *next;
    struct hg_family *family = begin(f, &next);

    family_set_reserved(family, reserved);
    end(f, next, family);
}

/* 0: none any more. */
static void provision(struct fixture *f, const char *qualifier, unsigned count)
{
    struct hg_snapshot *next;
    struct hg_family *family = begin(f, &next);

    if (count)
        family_put_provisioned(family, &(struct hg_provisioned){.qualifier = hg_str_of(qualifier),
                                                                .requested = count});
    else
        (void)family_remove_provisioned(family, hg_str_of(qualifier));
    end(f, next, family);
}

static void point_alias(struct fixture *f, const char *version, const char *second, double weight)
{
    struct hg_snapshot *next;
    struct hg_family *family = begin(f, &next);
    struct hg_alias alias = {
        .function_name = HG_STR("probe"), .name = HG_STR("live"), .weight = weight};

    if (family_put_alias(family, &alias, hg_str_of(version), hg_str_of(second)) != HG_OK)
        abort();
    end(f, next, family);
}

static const struct hg_function *version_of(struct fixture *f, const char *number)
{
    return family_version(snapshot_family(f->snapshot, HG_STR("probe")), hg_str_of(number));
}

static void wait_versions(struct fixture *f, uint64_t most)
{
    int64_t deadline_us = hg_mono_us() + PATIENCE_MS * 1000;

    while (atomic_load(&f->workers->version_count) > most) {
        if (hg_mono_us() > deadline_us)
            fail_msg("%llu versions are known",
                     (unsigned long long)atomic_load(&f->workers->version_count));
        usleep(1000);
    }
}

static struct hg_provision_state provision_state(struct fixture *f, const char *qualifier)
{
    const struct hg_family *family = snapshot_family(f->snapshot, HG_STR("probe"));
    struct hg_provision_state state;

    workers_provisioned(f->workers, family, family_provisioned(family, hg_str_of(qualifier)),
                        &state);
    return state;
}

static void wait_ready(struct fixture *f, const char *qualifier, unsigned count)
{
    int64_t deadline_us = hg_mono_us() + PATIENCE_MS * 1000;

    while (provision_state(f, qualifier).ready != count) {
        if (hg_mono_us() > deadline_us)
            fail_msg("%u provisioned environments are ready, not %u",
                     provision_state(f, qualifier).ready, count);
        usleep(1000);
    }
}

/* One call on the loop, served by that environment. */
static void serve_one(struct fixture *f, const struct hg_function *function, unsigned loop,
                      int environment)
{
    struct call c;
    char id[64];

    call_start_of(f, function, &c, loop, "1", false);
    take_event(environment, id);
    assert_string_equal(id, c.inv.request_id);
    answer(environment, id);
    end_well(&c);
}

/* The same in an environment that is started for it. */
static void serve_one_new(struct fixture *f, int environment)
{
    struct call c;
    char id[64];

    call_start(f, &c, 0, "1", false);
    wait_started(environment + 1);
    ask(environment);
    take_event(environment, id);
    answer(environment, id);
    end_well(&c);
}

/* ---- updates ---- */

static void what_runs_ends_where_it_began(void **state)
{
    struct fixture *f = *state;
    struct call old, new;
    char id[64], other[64];

    start_deployed(f, 2);
    warm_up(f);
    call_start(f, &old, 0, "1", false);
    take_event(0, id);
    update(f);
    call_start(f, &new, 0, "1", false);
    wait_started(2);
    ask(1);
    take_event(1, other);
    assert_string_equal(other, new.inv.request_id);
    answer(1, other);
    end_well(&new);
    answer(0, id);
    end_well(&old);
    wait_killed(0);
    wait_versions(f, 1);
    serve_one(f, f->function, 1, 1);
}

static void idle_environments_of_the_old_version_end(void **state)
{
    struct fixture *f = *state;

    start_deployed(f, 2);
    warm_up(f);
    update(f);
    wait_killed(0);
    wait_versions(f, 0);
}

static void what_no_environment_sees_changes_none(void **state)
{
    struct fixture *f = *state;

    start_deployed(f, 2);
    warm_up(f);
    reserve(f, 5);
    publish(f, "1");
    reserve(f, -1);
    for (unsigned loop = 0; loop < 3; loop++)
        serve_one(f, f->function, loop, 0);
    assert_int_equal(fake_count, 1);
    assert_int_equal(atomic_load(&f->workers->version_count), 1);
}

static void whoever_waits_is_served_by_what_it_waited_for(void **state)
{
    struct fixture *f = *state;
    struct call calls[2];
    char id[64];

    f->options.max_concurrency = 1;
    f->options.queue_wait_ms = PATIENCE_MS;
    start_deployed(f, 2);
    warm_up(f);
    call_start(f, &calls[0], 0, "1", false);
    take_event(0, id);
    call_start(f, &calls[1], 1, "1", false);
    while (!atomic_load(&f->workers->shards[1].wanting_count))
        usleep(1000);
    update(f);
    answer(0, id);
    end_well(&calls[0]);
    take_event(0, id);
    assert_string_equal(id, calls[1].inv.request_id);
    answer(0, id);
    end_well(&calls[1]);
    wait_killed(0);
    wait_versions(f, 0);
}

static void resolved_before_the_update_runs_what_is_new(void **state)
{
    struct fixture *f = *state;
    struct call late;
    char id[64];

    start_deployed(f, 2);
    warm_up(f);
    call_make(f, f->function, &late, 0, "1");
    update(f);
    wait_killed(0);
    wait_versions(f, 0);
    hg_mailbox_post(&late.loop->mailbox, &late.mail, on_call_mail);
    wait_started(2);
    ask(1);
    take_event(1, id);
    answer(1, id);
    end_well(&late);
    serve_one(f, f->function, 0, 1);
}

static void a_deleted_function_lets_invocations_end(void **state)
{
    struct fixture *f = *state;
    struct hg_snapshot *next;
    struct call running, late;
    char id[64];

    start_deployed(f, 2);
    warm_up(f);
    call_start(f, &running, 0, "1", false);
    take_event(0, id);
    call_make(f, f->function, &late, 1, "1");
    next = snapshot_copy(f->snapshot);
    assert_true(snapshot_remove_family(next, HG_STR("probe")));
    deploy(f, next);
    answer(0, id);
    end_well(&running);
    wait_killed(0);
    wait_versions(f, 0);
    /* One that was under way already when the function was deleted still runs; its environment ends with it. */
    hg_mailbox_post(&late.loop->mailbox, &late.mail, on_call_mail);
    wait_started(2);
    ask(1);
    take_event(1, id);
    answer(1, id);
    end_well(&late);
    wait_killed(1);
    wait_versions(f, 0);
}

static void what_nobody_uses_is_forgotten(void **state)
{
    struct fixture *f = *state;

    f->options.idle_timeout_ms = 30;
    start_deployed(f, 2);
    warm_up(f);
    wait_killed(0);
    wait_versions(f, 0);
    assert_int_equal(atomic_load(&f->workers->slot_count), 0);
    /* Until it is called again. */
    serve_one_new(f, 1);
}

/* What was resolved before the deletion comes in on every loop while nothing else goes on. */
static void outdated_versions_live_until_they_are_used(void **state)
{
    struct fixture *f = *state;
    struct hg_snapshot *next;
    struct call late[12];
    char id[64];

    f->options.queue_wait_ms = PATIENCE_MS;
    start_deployed(f, 3);
    for (unsigned i = 0; i < HG_COUNT(late); i++)
        call_make(f, f->function, &late[i], i % 3, "1");
    next = snapshot_copy(f->snapshot);
    assert_true(snapshot_remove_family(next, HG_STR("probe")));
    deploy(f, next);
    for (unsigned i = 0; i < HG_COUNT(late); i++) {
        hg_mailbox_post(&late[i].loop->mailbox, &late[i].mail, on_call_mail);
        wait_started((int)i + 1);
        ask((int)i);
        take_event((int)i, id);
        answer((int)i, id);
        end_well(&late[i]);
        wait_killed((int)i);
    }
    wait_versions(f, 0);
}

/* Each update is looked up, so that the pool knows each version. */
struct storm {
    struct hg_mail mail;
    struct fixture *f;
    int left;
    bool is_over;
};

static void on_storm(struct hg_mail *mail)
{
    struct storm *storm = hg_container_of(mail, struct storm, mail);
    struct fixture *f = storm->f;
    struct hg_arena *arena = hg_arena_new(1 << 20);

    /* Some in one turn, as when publishes come quickly; then the loops have theirs. */
    for (int i = 0; i < 100 && storm->left; i++, storm->left--) {
        struct hg_snapshot *next;
        struct hg_family *family = begin(f, &next);
        struct hg_function *draft = function_draft(arena, family->latest);

        draft->last_modified_ms++;
        family_set_latest(family, draft);
        snapshot_put_family(next, family);
        workers_apply(f->workers, next);
        snapshot_unref(f->snapshot);
        f->snapshot = next;
        f->function = snapshot_family(next, HG_STR("probe"))->latest;
        (void)version_get(f->workers, f->function);
        hg_arena_reset(arena);
    }
    hg_arena_free(arena);
    if (storm->left) {
        hg_mailbox_post(&f->loops->control->mailbox, mail, on_storm);
        return;
    }
    pthread_mutex_lock(&f->lock);
    storm->is_over = true;
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
}

static void updates_do_not_gather(void **state)
{
    struct fixture *f = *state;
    struct storm storm = {.f = f, .left = UPDATES};
    uint64_t most = 0;

    start_deployed(f, 2);
    warm_up(f);
    hg_mailbox_post(&f->loops->control->mailbox, &storm.mail, on_storm);
    pthread_mutex_lock(&f->lock);
    while (!storm.is_over) {
        pthread_mutex_unlock(&f->lock);
        most = HG_MAX(most, atomic_load(&f->workers->version_count));
        usleep(100);
        pthread_mutex_lock(&f->lock);
    }
    pthread_mutex_unlock(&f->lock);
    wait_versions(f, 1);
    assert_int_equal(atomic_load(&f->workers->slot_count), 1);
    /* Those of some turns at a time, not of all. */
    assert_in_range(most, 1, 2000);
}

/* ---- reserved concurrency ---- */

static void a_reservation_is_raised_while_somebody_waits(void **state)
{
    struct fixture *f = *state;
    struct call calls[2];
    char ids[2][64];

    f->options.queue_wait_ms = PATIENCE_MS;
    start_deployed(f, 2);
    reserve(f, 1);
    warm_up(f);
    call_start(f, &calls[0], 0, "1", false);
    take_event(0, ids[0]);
    call_start(f, &calls[1], 1, "1", false);
    while (!atomic_load(&f->workers->shards[1].wanting_count))
        usleep(1000);
    assert_int_equal(fake_count, 1);
    reserve(f, 2);
    wait_started(2);
    ask(1);
    take_event(1, ids[1]);
    for (int i = 0; i < 2; i++) {
        answer(i, ids[i]);
        end_well(&calls[i]);
    }
}

static void a_reservation_of_nothing_stops_and_its_end_lets_go_on(void **state)
{
    struct fixture *f = *state;
    struct call busy, waiting, refused;
    char id[64];

    f->options.queue_wait_ms = PATIENCE_MS;
    f->options.max_concurrency = 1;
    start_deployed(f, 2);
    warm_up(f);
    call_start(f, &busy, 0, "1", false);
    take_event(0, id);
    call_start(f, &waiting, 1, "1", false);
    while (!atomic_load(&f->workers->shards[1].wanting_count))
        usleep(1000);
    reserve(f, 0);
    end_throttled(&waiting, "ReservedFunctionConcurrentInvocationLimitExceeded");
    call_start(f, &refused, 0, "1", false);
    end_throttled(&refused, "ReservedFunctionConcurrentInvocationLimitExceeded");
    answer(0, id);
    end_well(&busy);
    wait_killed(0);
    reserve(f, -1);
    call_start(f, &busy, 0, "1", false);
    wait_started(2);
    ask(1);
    take_event(1, id);
    answer(1, id);
    end_well(&busy);
}

/* ---- provisioned concurrency ---- */

static void provisioned_environments_are_there_first(void **state)
{
    struct fixture *f = *state;
    struct call calls[3];
    const struct hg_function *one;
    char ids[3][64];

    f->options.idle_timeout_ms = 30;
    start_deployed(f, 2);
    publish(f, "1");
    provision(f, "1", 2);
    wait_started(2);
    assert_int_equal(provision_state(f, "1").ready, 0);
    ask(0);
    ask(1);
    wait_ready(f, "1", 2);
    assert_true(fakes[0].is_provisioned && fakes[1].is_provisioned);
    one = version_of(f, "1");
    for (int i = 0; i < 2; i++)
        call_start_of(f, one, &calls[i], 0, "1", false);
    take_event(0, ids[0]);
    take_event(1, ids[1]);
    /* More than are provisioned spill over. */
    call_start_of(f, one, &calls[2], 1, "1", false);
    wait_started(3);
    assert_false(fakes[2].is_provisioned);
    ask(2);
    take_event(2, ids[2]);
    for (int i = 0; i < 3; i++)
        answer(i, ids[i]);
    for (int i = 0; i < 3; i++)
        end_well(&calls[i]);
    /* The one on demand is retired for being idle, the others never. */
    wait_killed(2);
    assert_int_equal(provision_state(f, "1").ready, 2);
    assert_int_equal(count_killed(), 1);
    /* Without the configuration they end. */
    provision(f, "1", 0);
    wait_killed(0);
    wait_killed(1);
}

static void a_provisioned_environment_is_replaced(void **state)
{
    struct fixture *f = *state;
    struct call c;
    char id[64];

    start_deployed(f, 1);
    publish(f, "1");
    provision(f, "1", 1);
    wait_started(1);
    ask(0);
    wait_ready(f, "1", 1);
    end_fake(0);
    wait_started(2);
    ask(1);
    wait_ready(f, "1", 1);
    /* Also when it ends in an invocation. */
    call_start_of(f, version_of(f, "1"), &c, 0, "1", false);
    take_event(1, id);
    end_fake(1);
    call_wait(&c);
    assert_int_equal(c.inv.error, HG_FUNCTION_ERROR);
    invocation_fini(&c.inv);
    wait_started(3);
    assert_true(fakes[2].is_provisioned);
    ask(2);
    wait_ready(f, "1", 1);
}

static void what_does_not_come_up_has_failed(void **state)
{
    struct fixture *f = *state;
    int64_t deadline_us = hg_mono_us() + PATIENCE_MS * 1000;

    start_deployed(f, 1);
    publish(f, "1");
    provision(f, "1", 1);
    wait_started(1);
    end_fake(0);
    while (!provision_state(f, "1").has_failed && hg_mono_us() < deadline_us)
        usleep(1000);
    assert_true(provision_state(f, "1").has_failed);
    /* It is tried again, and then well. */
    wait_started(2);
    ask(1);
    wait_ready(f, "1", 1);
    assert_false(provision_state(f, "1").has_failed);
}

static void an_alias_takes_its_environments_along(void **state)
{
    struct fixture *f = *state;

    start_deployed(f, 2);
    publish(f, "1");
    publish(f, "2");
    point_alias(f, "1", "", 0);
    provision(f, "live", 2);
    wait_started(2);
    ask(0);
    ask(1);
    wait_ready(f, "live", 2);
    point_alias(f, "2", "", 0);
    wait_killed(0);
    wait_killed(1);
    wait_started(4);
    assert_int_equal(provision_state(f, "live").ready, 0);
    ask(2);
    ask(3);
    wait_ready(f, "live", 2);
    /* With weights they are shared out: one of four to the second version. */
    provision(f, "live", 4);
    wait_started(6);
    ask(4);
    ask(5);
    wait_ready(f, "live", 4);
    point_alias(f, "2", "1", 0.25);
    wait_started(7);
    assert_int_equal(provision_state(f, "live").ready, 3);
    ask(6);
    wait_ready(f, "live", 4);
    assert_int_equal(atomic_load(&version_find(f->workers, version_of(f, "1"))->provisioned), 1);
    assert_int_equal(atomic_load(&version_find(f->workers, version_of(f, "2"))->provisioned), 3);
}

static void provisioned_is_taken_from_the_reservation(void **state)
{
    struct fixture *f = *state;
    struct call c;

    f->options.queue_wait_ms = 30;
    start_deployed(f, 1);
    publish(f, "1");
    reserve(f, 1);
    provision(f, "1", 1);
    wait_started(1);
    ask(0);
    wait_ready(f, "1", 1);
    /* All of it is provisioned: nothing is left for $LATEST. */
    call_start(f, &c, 0, "1", false);
    end_throttled(&c, "ReservedFunctionConcurrentInvocationLimitExceeded");
    serve_one(f, version_of(f, "1"), 0, 0);
}

static void fewer_are_kept_when_fewer_are_wanted(void **state)
{
    struct fixture *f = *state;

    start_deployed(f, 1);
    publish(f, "1");
    provision(f, "1", 3);
    wait_started(3);
    for (int i = 0; i < 3; i++)
        ask(i);
    wait_ready(f, "1", 3);
    provision(f, "1", 1);
    while (count_killed() < 2)
        usleep(1000);
    assert_int_equal(provision_state(f, "1").ready, 1);
    assert_int_equal(fake_count, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(what_runs_ends_where_it_began),
        TEST(idle_environments_of_the_old_version_end),
        TEST(what_no_environment_sees_changes_none),
        TEST(whoever_waits_is_served_by_what_it_waited_for),
        TEST(resolved_before_the_update_runs_what_is_new),
        TEST(a_deleted_function_lets_invocations_end),
        TEST(what_nobody_uses_is_forgotten),
        TEST(outdated_versions_live_until_they_are_used),
        TEST(updates_do_not_gather),
        TEST(a_reservation_is_raised_while_somebody_waits),
        TEST(a_reservation_of_nothing_stops_and_its_end_lets_go_on),
        TEST(provisioned_environments_are_there_first),
        TEST(a_provisioned_environment_is_replaced),
        TEST(what_does_not_come_up_has_failed),
        TEST(an_alias_takes_its_environments_along),
        TEST(provisioned_is_taken_from_the_reservation),
        TEST(fewer_are_kept_when_fewer_are_wanted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
