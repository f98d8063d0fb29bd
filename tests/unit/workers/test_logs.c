/*
 * What is printed becomes lines, the platform's own lines, files and their rotation.
 */
#include "tests/unit/unit.h"
#include "tests/unit/workers/log_text.h"

#include "core/clock.h"
#include "workers/pool.h"
#include "workers/report.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define ID "5d4c0f5e-0000-4000-8000-000000000001"

struct world {
    char dir[64];
    struct hg_loop *loop;
    struct hg_log_files *files;
    struct hg_log_sink sink;
    struct hg_env_log log;
    struct hg_function function;
    char *scratch;
    int fds[2]; /* what the process prints goes into the second */
};

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    snprintf(w->dir, sizeof(w->dir), "/tmp/hg-logs-XXXXXX");
    if (!mkdtemp(w->dir) || pipe2(w->fds, O_NONBLOCK) != 0)
        return -1;
    w->loop = hg_loop_new(0);
    w->files = log_files_new(w->dir, false);
    log_sink_init(&w->sink, w->files, w->loop, HG_STR(""), HG_STR("probe"));
    w->scratch = malloc(HG_LOG_READ_BYTES);
    env_log_init(&w->log, &w->sink, w->scratch, HG_STR("probe"), HG_STR("$LATEST"));
    env_log_open(&w->log, w->loop, w->fds[0]);
    env_log_start_tail(&w->log);
    w->function = (struct hg_function){.name = HG_STR("probe"),
                                       .version = HG_STR("$LATEST"),
                                       .memory_mb = 128,
                                       .log_format = HG_STR("Text")};
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    char command[128];

    (void)close(w->fds[1]);
    env_log_fini(&w->log);
    log_files_stop(w->files);
    hg_mailbox_deliver(&w->loop->mailbox);
    log_files_free(w->files);
    log_sink_fini(&w->sink);
    hg_loop_free(w->loop);
    free(w->scratch);
    snprintf(command, sizeof(command), "rm -rf %s", w->dir);
    free(w);
    return system(command);
}

static void print(struct world *w, const char *text)
{
    assert_int_equal(write(w->fds[1], text, strlen(text)), (ssize_t)strlen(text));
    env_log_drain(&w->log);
}

static void expect_tail(struct world *w, const char *expected)
{
    size_t length;
    char *tail = env_log_take_tail(&w->log, 4096, &length);

    assert_non_null(tail);
    assert_string_equal(tail, expected);
    free(tail);
    env_log_start_tail(&w->log);
}

static void lines_end_with_line_feeds(void **state)
{
    struct world *w = *state;

    print(w, "one\ntwo\rstill two\nthr");
    expect_tail(w, "one\ntwo\rstill two\n");
    print(w, "ee\n\n");
    expect_tail(w, "three\n\n");
}

static void unfinished_line_is_kept_to_the_end(void **state)
{
    struct world *w = *state;

    print(w, "no end");
    env_log_close(&w->log);
    expect_tail(w, "no end\n");
}

static void long_lines_are_split(void **state)
{
    struct world *w = *state;
    char piece[4097];
    struct hg_str lines;
    size_t longest = 0, count = 0;
    ptrdiff_t end;

    memset(piece, 'x', 4096);
    piece[4096] = '\0';
    for (int i = 0; i < 160; i++)
        print(w, piece);
    env_log_close(&w->log);
    for (lines = hg_buf_str(&w->sink.filling); (end = hg_str_find(lines, '\n')) >= 0; count++) {
        longest = HG_MAX(longest, (size_t)end);
        lines = hg_str_skip(lines, (size_t)end + 1);
    }
    /* 640 KiB in lines of 256 KiB, each with its time and stream in front. */
    assert_int_equal(count, 3);
    assert_true(longest > 262144 && longest < 262144 + 200);
}

static void tail_is_the_last_four_kibibytes(void **state)
{
    struct world *w = *state;
    size_t length;
    char *tail;

    for (int i = 0; i < 1000; i++)
        print(w, "0123456789\n");
    print(w, "the last\n");
    tail = env_log_take_tail(&w->log, 4096, &length);
    assert_int_equal(length, 4096);
    assert_string_equal(tail + 4096 - 9, "the last\n");
    free(tail);
}

static void text_lines(void **state)
{
    struct world *w = *state;
    struct hg_report report = {.request_id = ID,
                               .error_type = "",
                               .duration_us = 3014,
                               .init_us = 110104,
                               .peak_bytes = 36 << 20};
    char expected[1200];
    size_t length;
    char *tail;

    report_start(&w->log, &w->function, ID);
    report_end(&w->log, &w->function, &report);
    expect_tail(
        w,
        "START RequestId: " ID " Version: $LATEST\nEND RequestId: " ID "\nREPORT RequestId: " ID
        "\tDuration: 3.01 ms\tBilled Duration: 114 ms\tMemory Size: 128 MB\tMax Memory Used: 36 MB\t"
        "Init Duration: 110.10 ms\t\n");
    report = (struct hg_report){.request_id = ID,
                                .status = HG_REPORT_ERROR,
                                .error_type = "Runtime.ExitError",
                                .duration_us = 1000,
                                .peak_bytes = 1,
                                .extra_message = "Runtime exited with error: exit status 1"};
    report_end(&w->log, &w->function, &report);
    expect_tail(
        w,
        "RequestId: " ID " Error: Runtime exited with error: exit status 1\nRuntime.ExitError\n"
        "END RequestId: " ID "\nREPORT RequestId: " ID
        "\tDuration: 1.00 ms\tBilled Duration: 1 ms\t"
        "Memory Size: 128 MB\tMax Memory Used: 1 MB\tStatus: error\tError Type: Runtime.ExitError\t\n");
    report_init_failed(&w->log, &w->function, HG_INIT_AHEAD, HG_REPORT_TIMEOUT, "", 9999730);
    expect_tail(w, "INIT_REPORT Init Duration: 9999.73 ms\tPhase: init\tStatus: timeout\n");
    report = (struct hg_report){.request_id = ID,
                                .status = HG_REPORT_TIMEOUT,
                                .error_type = "",
                                .duration_us = 3000000,
                                .extra_message = "Task timed out after 3.00 seconds"};
    report_end(&w->log, &w->function, &report);
    tail = env_log_take_tail(&w->log, 4096, &length);
    snprintf(expected, sizeof(expected),
             "Z " ID " Task timed out after 3.00 seconds\nEND RequestId: " ID
             "\nREPORT RequestId: " ID
             "\tDuration: 3000.00 ms\tBilled Duration: 3000 ms\tMemory Size: 128 MB\t"
             "Max Memory Used: 0 MB\tStatus: timeout\t\n");
    assert_string_equal(strchr(tail, 'Z'), expected);
    free(tail);
}

static void billed_is_what_was_told_rounded_up(void **state)
{
    static const struct {
        int64_t duration_us, init_us;
        const char *text;
    } cases[] = {
        {133610, 80000, "\tDuration: 133.61 ms\tBilled Duration: 214 ms\t"},
        {3001, 0, "\tDuration: 3.00 ms\tBilled Duration: 3 ms\t"},
        {3010, 0, "\tDuration: 3.01 ms\tBilled Duration: 4 ms\t"},
        {0, 0, "\tDuration: 0.00 ms\tBilled Duration: 0 ms\t"},
    };
    struct world *w = *state;

    for (size_t i = 0; i < HG_COUNT(cases); i++) {
        struct hg_report report = {.request_id = ID,
                                   .error_type = "",
                                   .duration_us = cases[i].duration_us,
                                   .init_us = cases[i].init_us};
        size_t length;
        char *tail;

        report_end(&w->log, &w->function, &report);
        tail = env_log_take_tail(&w->log, 4096, &length);
        assert_non_null(strstr(tail, cases[i].text));
        free(tail);
        env_log_start_tail(&w->log);
    }
}

static void json_lines(void **state)
{
    struct world *w = *state;
    struct hg_report report = {.request_id = ID,
                               .status = HG_REPORT_ERROR,
                               .error_type = "Runtime.ExitError",
                               .duration_us = 1500,
                               .peak_bytes = 2 << 20,
                               .produced_bytes = 7};
    size_t length;
    char *tail;

    w->function.log_format = HG_STR("JSON");
    report_start(&w->log, &w->function, ID);
    report_end(&w->log, &w->function, &report);
    tail = env_log_take_tail(&w->log, 4096, &length);
    assert_non_null(strstr(tail, "\",\"type\":\"platform.start\",\"record\":{\"requestId\":\"" ID
                                 "\",\"version\":\"$LATEST\"}}\n"));
    assert_non_null(strstr(tail, "\"type\":\"platform.runtimeDone\",\"record\":{\"requestId\":\"" ID
                                 "\",\"status\":\"error\",\"errorType\":\"Runtime.ExitError\","
                                 "\"metrics\":{\"durationMs\":1.50,\"producedBytes\":7}}}\n"));
    assert_non_null(
        strstr(tail, "\"type\":\"platform.report\",\"record\":{\"requestId\":\"" ID
                     "\",\"status\":\"error\",\"errorType\":\"Runtime.ExitError\","
                     "\"metrics\":{\"durationMs\":1.50,\"billedDurationMs\":2,\"memorySizeMB\":128,"
                     "\"maxMemoryUsedMB\":2}}}\n"));
    free(tail);
    env_log_start_tail(&w->log);
    /* A success is worth only its report; with WARN not even that. */
    report.status = HG_REPORT_SUCCESS;
    report.error_type = "";
    w->function.system_log_level = HG_STR("WARN");
    report_end(&w->log, &w->function, &report);
    expect_tail(w, "");
}

static void files_are_rotated(void **state)
{
    struct world *w = *state;
    char line[1001], path[512];
    struct dirent **names = NULL;
    unsigned long long end = 0;
    int count;

    memset(line, 'y', 1000);
    line[1000] = '\0';
    for (int batch = 0; batch < 80; batch++) {
        for (int i = 0; i < 1000; i++)
            log_sink_line(&w->sink, 1767322800123, HG_STR("2026/01/02/[$LATEST]0123"),
                          hg_str_of(line));
        log_sink_flush(&w->sink);
        while (w->sink.is_writing)
            hg_loop_turn(w->loop, true);
    }
    /* 80 MB were written; six files of at most 10 MiB are kept, their names say where they begin. */
    count = log_file_names(w->dir, "+aws+lambda+probe", path, &names);
    assert_int_equal(count, 6);
    for (int i = 0; i < count; i++) {
        char file[1024];
        struct stat st;

        snprintf(file, sizeof(file), "%s/%s", path, names[i]->d_name);
        assert_int_equal(stat(file, &st), 0);
        assert_true(st.st_size > (i + 1 < count ? 9000000 : 0) && st.st_size <= 10485760);
        assert_true(i == 0 || strtoull(names[i]->d_name, NULL, 10) == end);
        end = strtoull(names[i]->d_name, NULL, 10) + (unsigned long long)st.st_size;
        free(names[i]);
    }
    free(names);
}

static void what_does_not_fit_is_dropped_and_counted(void **state)
{
    struct world *w = *state;
    char line[1001];
    struct hg_buf text;

    memset(line, 'y', 1000);
    line[1000] = '\0';
    for (int i = 0; i < 3000; i++)
        log_sink_line(&w->sink, 1767322800123, HG_STR("s"), hg_str_of(line));
    assert_true(w->sink.filling.len <= HG_LOG_SINK_MAX);
    for (int i = 0; i < 2; i++) {
        log_sink_flush(&w->sink);
        while (w->sink.is_writing)
            hg_loop_turn(w->loop, true);
    }
    hg_buf_init(&text, 4 << 20);
    assert_true(log_text(w->dir, "probe", &text));
    assert_true(hg_str_find_str(hg_buf_str(&text),
                                HG_STR(" log lines dropped: more than can be written\n")) > 0);
    hg_buf_fini(&text);
}

static void line_format_of_files(void **state)
{
    struct world *w = *state;
    struct hg_buf text;

    log_sink_line(&w->sink, 1767322800123, HG_STR("2026/01/02/[$LATEST]0123"),
                  HG_STR("hello there\n"));
    log_sink_flush(&w->sink);
    while (w->sink.is_writing)
        hg_loop_turn(w->loop, true);
    hg_buf_init(&text, 4096);
    assert_true(log_text(w->dir, "probe", &text));
    assert_str(hg_buf_str(&text), "1767322800123 2026/01/02/[$LATEST]0123 hello there\n");
    hg_buf_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(lines_end_with_line_feeds),
        TEST(unfinished_line_is_kept_to_the_end),
        TEST(long_lines_are_split),
        TEST(tail_is_the_last_four_kibibytes),
        TEST(text_lines),
        TEST(billed_is_what_was_told_rounded_up),
        TEST(json_lines),
        TEST(files_are_rotated),
        TEST(what_does_not_fit_is_dropped_and_counted),
        TEST(line_format_of_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
