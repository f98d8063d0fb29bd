/*
 * Log groups on disk: what is written is found again, in order, also after a restart; files and groups come and go.
 */
#include "tests/unit/unit.h"

#include "core/clock.h"
#include "workers/log_query.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct world {
    char dir[64];
    struct hg_log_store *store;
    struct hg_log_query query;
    int64_t now_ms;
};

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    snprintf(w->dir, sizeof(w->dir), "/tmp/hg-store-XXXXXX");
    if (!mkdtemp(w->dir))
        return -1;
    w->store = log_store_new(w->dir);
    w->now_ms = hg_wall_ms();
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    char command[128];

    log_query_fini(&w->query);
    log_store_free(w->store);
    snprintf(command, sizeof(command), "rm -rf %s", w->dir);
    free(w);
    return system(command);
}

static void restart(struct world *w)
{
    log_store_free(w->store);
    w->store = log_store_new(w->dir);
}

static void append(struct world *w, const char *group, const char *lines)
{
    assert_int_equal(log_store_append(w->store, hg_str_of(group), HG_STR("f"), hg_str_of(lines)),
                     HG_OK);
}

static void write_file(struct world *w, const char *name, const char *text)
{
    char path[256];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", w->dir, name);
    file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static bool exists(struct world *w, const char *name)
{
    char path[400];

    snprintf(path, sizeof(path), "%s/%s", w->dir, name);
    return access(path, F_OK) == 0;
}

/* Runs a query over everything; cursor, limit and streams may be set before. */
static void run(struct world *w, const char *group)
{
    struct hg_log_query *q = &w->query;

    q->group = hg_str_of(group);
    q->end_ms = q->end_ms ? q->end_ms : INT64_MAX;
    q->limit = q->limit ? q->limit : 100;
    q->max_bytes = q->max_bytes ? q->max_bytes : 1 << 20;
    if (q->is_backward && !q->cursor.wall_ms)
        q->cursor = (struct hg_log_position){INT64_MAX, UINT64_MAX};
    while (!log_query_work(q, w->store)) {
    }
}

static void again(struct world *w, struct hg_log_query next)
{
    log_query_fini(&w->query);
    w->query = next;
}

/* "time message|time message|" */
static void expect(struct world *w, const char *expected)
{
    struct hg_buf text;

    hg_buf_init(&text, 1 << 20);
    for (size_t i = 0; i < w->query.count; i++) {
        const struct hg_log_found *found = w->query.found[i];

        hg_buf_append_i64(&text, found->position.wall_ms);
        hg_buf_append_byte(&text, ' ');
        hg_buf_append(&text, found->text + found->stream_bytes, found->message_bytes);
        hg_buf_append_byte(&text, '|');
    }
    assert_str(hg_buf_str(&text), expected);
    hg_buf_fini(&text);
}

static void lines_come_back_in_order_of_time(void **state)
{
    struct world *w = *state;

    append(w, "/aws/lambda/f", "20 a two\n30 b three\n");
    append(w, "/aws/lambda/f", "10,99 c one\\nand \\\\ more\n20 b again\n");
    run(w, "/aws/lambda/f");
    expect(w, "10 one\nand \\ more|20 two\n|20 again\n|30 three\n|");
    assert_false(w->query.has_more);
    assert_int_equal(w->query.found[0]->ingested_ms, 99);
    assert_memory_equal(w->query.found[3]->text, "b", 1);
}

static void pages_forward_and_backward(void **state)
{
    struct world *w = *state;

    append(w, "g", "10 a one\n20 a two\n30 a three\n40 a four\n50 a five\n");
    w->query.limit = 2;
    run(w, "g");
    expect(w, "10 one\n|20 two\n|");
    assert_true(w->query.has_more);
    again(w, (struct hg_log_query){.limit = 3, .cursor = w->query.next});
    run(w, "g");
    expect(w, "30 three\n|40 four\n|50 five\n|");
    assert_false(w->query.has_more);
    again(w, (struct hg_log_query){.limit = 2, .is_backward = true});
    run(w, "g");
    expect(w, "40 four\n|50 five\n|");
    again(w, (struct hg_log_query){
                 .limit = 2, .is_backward = true, .cursor = w->query.found[0]->position});
    run(w, "g");
    expect(w, "20 two\n|30 three\n|");
}

static void page_ends_by_bytes(void **state)
{
    struct world *w = *state;

    append(w, "g", "10 a 0123456789\n20 a 0123456789\n30 a 0123456789\n");
    /* 11 bytes and 26 on top for each. */
    w->query.max_bytes = 74;
    run(w, "g");
    assert_int_equal(w->query.count, 2);
    assert_true(w->query.has_more);
    again(w, (struct hg_log_query){.max_bytes = 1});
    run(w, "g");
    assert_int_equal(w->query.count, 1);
}

static void times_streams_and_patterns_choose(void **state)
{
    struct world *w = *state;
    struct hg_str streams[] = {HG_STR("a"), HG_STR("c")};
    struct hg_error err;

    append(w, "g", "10 a one\n20 b two\n30 c three\n40 ab four\n");
    again(w, (struct hg_log_query){.start_ms = 20, .end_ms = 40});
    run(w, "g");
    expect(w, "20 two\n|30 three\n|");
    again(w, (struct hg_log_query){.streams = streams, .stream_count = 2});
    run(w, "g");
    expect(w, "10 one\n|30 three\n|");
    again(w, (struct hg_log_query){.prefix = HG_STR("a")});
    run(w, "g");
    expect(w, "10 one\n|40 four\n|");
    again(w, (struct hg_log_query){.pattern = log_pattern_new(HG_STR("o -four"), &err)});
    run(w, "g");
    expect(w, "10 one\n|20 two\n|");
    log_pattern_free(w->query.pattern);
}

static void positions_survive_restart_and_next_file(void **state)
{
    struct world *w = *state;
    struct hg_log_position before;
    struct hg_buf big;
    struct hg_log_group *group;

    append(w, "g", "10 a one\n20 a two\n");
    run(w, "g");
    before = w->query.found[1]->position;
    restart(w);
    hg_buf_init(&big, HG_LOG_FILE_MAX);
    while (big.len < HG_LOG_FILE_MAX - 300)
        hg_buf_printf(&big, "30 a %0200d\n", 1);
    for (int i = 0; i < 2; i++)
        assert_int_equal(log_store_append(w->store, HG_STR("g"), HG_STR("f"), hg_buf_str(&big)),
                         HG_OK);
    append(w, "g", "40 a last\n");
    group = log_store_find(w->store, HG_STR("g"));
    assert_int_equal(group->file_count, 2);
    again(w, (struct hg_log_query){.limit = 2});
    run(w, "g");
    assert_true(w->query.found[1]->position.at == before.at);
    again(w, (struct hg_log_query){.start_ms = 40});
    run(w, "g");
    expect(w, "40 last\n|");
    /* Six files are kept. */
    for (int i = 0; i < 8; i++)
        assert_int_equal(log_store_append(w->store, HG_STR("g"), HG_STR("f"), hg_buf_str(&big)),
                         HG_OK);
    assert_int_equal(group->file_count, 6);
    again(w, (struct hg_log_query){.end_ms = 30});
    run(w, "g");
    assert_int_equal(w->query.count, 0);
    hg_buf_fini(&big);
}

static void old_layout_becomes_groups(void **state)
{
    struct world *w = *state;
    char dir[128];

    snprintf(dir, sizeof(dir), "%s/logs", w->dir);
    assert_int_equal(mkdir(dir, 0700), 0);
    snprintf(dir, sizeof(dir), "%s/logs/Talker", w->dir);
    assert_int_equal(mkdir(dir, 0700), 0);
    write_file(w, "logs/Talker/current.log.2", "10 a one\n");
    write_file(w, "logs/Talker/current.log.1", "20 a two\n");
    write_file(w, "logs/Talker/current.log", "30 a three\n40 a to");
    restart(w);
    append(w, "/aws/lambda/Talker", "50 a five\n");
    run(w, "/aws/lambda/Talker");
    expect(w, "10 one\n|20 two\n|30 three\n|40 to\n|50 five\n|");
    assert_false(exists(w, "logs/Talker"));
    assert_true(exists(w, "logs/+aws+lambda+Talker/group.json"));
}

static void what_a_group_is_survives(void **state)
{
    struct world *w = *state;
    struct hg_log_group *group;
    uint64_t id;
    char name[401];

    memset(name, 'n', 400);
    name[400] = '\0';
    assert_int_equal(log_store_make(w->store, hg_str_of(name), &group), HG_OK);
    assert_int_equal(log_store_make(w->store, HG_STR("b/c"), &group), HG_OK);
    group->retention_days = 7;
    assert_true(log_group_set_tag(group, HG_STR("k \""), HG_STR("v\n")));
    assert_int_equal(log_group_save(group), 0);
    id = group->id;
    restart(w);
    group = log_store_find(w->store, HG_STR("b/c"));
    assert_int_equal(group->retention_days, 7);
    assert_int_equal(group->tag_count, 1);
    assert_string_equal(group->tags[0].key, "k \"");
    assert_string_equal(group->tags[0].value, "v\n");
    assert_true(group->id == id && group->created_ms >= w->now_ms);
    assert_non_null(log_store_find(w->store, hg_str_of(name)));
    assert_int_equal(log_store_make(w->store, HG_STR("b/c"), &group), HG_E_CONFLICT);
    assert_int_equal(log_store_remove(w->store, HG_STR("b/c")), HG_OK);
    assert_int_equal(log_store_remove(w->store, HG_STR("b/c")), HG_E_NOT_FOUND);
    assert_null(log_store_find(w->store, HG_STR("b/c")));
    assert_int_equal(log_store_make(w->store, HG_STR("b/c"), &group), HG_OK);
    assert_true(group->id != id && group->tag_count == 0);
}

static void update_index(struct world *w, struct hg_log_group *group)
{
    while (!log_store_index(w->store, group)) {
    }
}

static void streams_are_made_and_deleted(void **state)
{
    struct world *w = *state;
    struct hg_log_group *group;

    append(w, "g", "10 a one\n20 b two\n");
    group = log_store_find(w->store, HG_STR("g"));
    update_index(w, group);
    assert_int_equal(log_index_stream(group, HG_STR("a"))->last_ms, 10);
    assert_null(log_index_stream(group, HG_STR("made")));
    assert_int_equal(log_index_make_stream(group, HG_STR("made"), 77), 0);
    assert_int_equal(log_index_delete_stream(group, HG_STR("a")), 0);
    for (int i = 0; i < 2; i++) {
        assert_null(log_index_stream(group, HG_STR("a")));
        assert_int_equal(log_index_stream(group, HG_STR("made"))->created_ms, 77);
        assert_false(log_index_stream(group, HG_STR("made"))->has_events);
        again(w, (struct hg_log_query){0});
        run(w, "g");
        expect(w, "20 two\n|");
        restart(w);
        group = log_store_find(w->store, HG_STR("g"));
        update_index(w, group);
    }
    /* Written anew it is there again, without what was deleted. */
    append(w, "g", "30 a three\n");
    again(w, (struct hg_log_query){0});
    run(w, "g");
    expect(w, "20 two\n|30 three\n|");
}

static void many_changes_of_streams_take_little_room(void **state)
{
    struct world *w = *state;
    struct hg_log_group *group;
    struct stat st;
    char path[128];

    assert_int_equal(log_store_make(w->store, HG_STR("g"), &group), HG_OK);
    update_index(w, group);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(log_index_make_stream(group, HG_STR("s"), i), 0);
        assert_int_equal(log_index_delete_stream(group, HG_STR("s")), 0);
    }
    assert_int_equal(log_index_make_stream(group, HG_STR("s"), 5), 0);
    restart(w);
    group = log_store_find(w->store, HG_STR("g"));
    update_index(w, group);
    assert_int_equal(log_index_stream(group, HG_STR("s"))->created_ms, 5);
    snprintf(path, sizeof(path), "%s/logs/=g/streams.log", w->dir);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, 5);
}

static void retention_hides_and_removes(void **state)
{
    struct world *w = *state;
    const int64_t day_ms = 86400000;
    struct hg_log_group *group;
    char line[128];

    snprintf(line, sizeof(line), "%lld a old\n%lld a new\n", (long long)(w->now_ms - 2 * day_ms),
             (long long)w->now_ms);
    append(w, "g", line);
    group = log_store_find(w->store, HG_STR("g"));
    group->retention_days = 1;
    run(w, "g");
    assert_int_equal(w->query.count, 1);
    log_group_expire(group, w->now_ms);
    assert_true(log_group_bytes(group) > 0);
    /* Two days later nothing of it is left, and positions go on. */
    log_group_expire(group, w->now_ms + 2 * day_ms);
    assert_int_equal(log_group_bytes(group), 0);
    restart(w);
    group = log_store_find(w->store, HG_STR("g"));
    assert_int_equal(log_group_end(group), strlen(line));
}

static void reset_leaves_nothing(void **state)
{
    struct world *w = *state;
    char line[64], path[256];
    size_t count;

    append(w, "g", "10 a one\n");
    log_store_reset(w->store);
    (void)log_store_list(w->store, &count);
    assert_int_equal(count, 0);
    /* A line of before that comes late is not written any more. */
    append(w, "g", "20 a late\n");
    assert_null(log_store_find(w->store, HG_STR("g")));
    snprintf(line, sizeof(line), "%lld a new\n", (long long)hg_wall_ms() + 5);
    append(w, "g", line);
    assert_non_null(log_store_find(w->store, HG_STR("g")));
    assert_true(log_store_next_trash(w->dir, path, sizeof(path)));
}

static void functions_elsewhere_have_a_link(void **state)
{
    struct world *w = *state;

    append(w, "/my/group", "10 a one\n");
    assert_true(exists(w, "logs/%f/group.json"));
    restart(w);
    append(w, "/aws/lambda/f", "10 a one\n");
    assert_false(exists(w, "logs/%f"));
}

static void names_of_streams_are_one_word(void **state)
{
    struct hg_buf encoded, decoded;

    (void)state;
    hg_buf_init(&encoded, 100);
    hg_buf_init(&decoded, 100);
    log_stream_encode(HG_STR("a b%\n[$LATEST]\xc3\xa9"), &encoded);
    assert_str(hg_buf_str(&encoded), "a%20b%25%0A[$LATEST]\xc3\xa9");
    log_stream_decode(hg_buf_str(&encoded), &decoded);
    assert_str(hg_buf_str(&decoded), "a b%\n[$LATEST]\xc3\xa9");
    hg_buf_fini(&encoded);
    hg_buf_fini(&decoded);
}

static void files_that_somebody_removes_are_made_anew(void **state)
{
    struct world *w = *state;
    char command[128];

    append(w, "g", "10 a one\n20 a two\n");
    run(w, "g");
    assert_int_equal(w->query.count, 2);
    snprintf(command, sizeof(command), "rm -r %s/logs/=g", w->dir);
    assert_int_equal(system(command), 0);
    append(w, "g", "30 a three\n");
    again(w, (struct hg_log_query){0});
    run(w, "g");
    expect(w, "30 three\n|");
    assert_true(exists(w, "logs/=g/group.json"));
    assert_int_equal(system(command), 0);
    assert_int_equal(log_index_make_stream(log_store_find(w->store, HG_STR("g")), HG_STR("m"), 1),
                     0);
}

static void torn_and_foreign_lines_are_passed_over(void **state)
{
    struct world *w = *state;

    append(w, "g", "10 a one\nnonsense\n\n20 b\n12345678901234567890 a x\n30 c three\n");
    run(w, "g");
    expect(w, "10 one\n|30 three\n|");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(lines_come_back_in_order_of_time),
        TEST(pages_forward_and_backward),
        TEST(page_ends_by_bytes),
        TEST(times_streams_and_patterns_choose),
        TEST(positions_survive_restart_and_next_file),
        TEST(old_layout_becomes_groups),
        TEST(what_a_group_is_survives),
        TEST(streams_are_made_and_deleted),
        TEST(many_changes_of_streams_take_little_room),
        TEST(retention_hides_and_removes),
        TEST(reset_leaves_nothing),
        TEST(functions_elsewhere_have_a_link),
        TEST(names_of_streams_are_one_word),
        TEST(files_that_somebody_removes_are_made_anew),
        TEST(torn_and_foreign_lines_are_passed_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
