/*
 * Words that are told to people and callers: error documents, exits, runtime identifiers.
 */
#include "tests/unit/unit.h"

#include "workers/error_doc.h"
#include "workers/runtimes.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define ID "5d4c0f5e-0000-4000-8000-000000000001"

static void expect_doc(struct hg_blob *doc, const char *expected)
{
    assert_str(hg_blob_str(doc), expected);
    hg_blob_unref(doc);
}

static void documents(void **state)
{
    (void)state;
    expect_doc(error_doc_timeout(ID, 3),
               "{\"errorType\":\"Sandbox.Timedout\",\"errorMessage\":\"RequestId: " ID
               " Error: Task timed out after 3.00 seconds\"}");
    expect_doc(error_doc_new("Runtime.ExitError", ID, "Runtime exited with error: exit status 1"),
               "{\"errorType\":\"Runtime.ExitError\",\"errorMessage\":\"RequestId: " ID
               " Error: Runtime exited with error: exit status 1\"}");
    expect_doc(error_doc_new("Runtime.X", "", "say \"no\""),
               "{\"errorType\":\"Runtime.X\",\"errorMessage\":\"Error: say \\\"no\\\"\"}");
    expect_doc(
        error_doc_too_large(),
        "{\"errorMessage\":\"Response payload size exceeded maximum allowed payload size (6291556 "
        "bytes).\",\"errorType\":\"Function.ResponseSizeTooLarge\"}");
}

static void exits(void **state)
{
    char text[HG_EXIT_TEXT_MAX];

    (void)state;
    assert_string_equal(exit_text(&(struct hg_exit){.status = 0}, text),
                        "Runtime exited without providing a reason");
    assert_string_equal(exit_text(&(struct hg_exit){.status = 127}, text),
                        "Runtime exited with error: exit status 127");
    assert_string_equal(exit_text(&(struct hg_exit){.status = -1, .signal = 9}, text),
                        "Runtime exited with error: signal: killed");
    assert_string_equal(
        exit_text(&(struct hg_exit){.status = -1, .signal = 11, .has_core = true}, text),
        "Runtime exited with error: signal: segmentation fault (core dumped)");
    assert_string_equal(exit_text(&(struct hg_exit){.status = -1, .signal = 40}, text),
                        "Runtime exited with error: signal: signal 40");
}

static void identifiers(void **state)
{
    struct hg_runtime_id id;
    struct hg_error err;

    (void)state;
    assert_int_equal(runtime_parse(HG_STR("python3.12"), &id, &err), HG_OK);
    assert_int_equal(id.family, HG_RUNTIME_PYTHON);
    assert_int_equal(id.major, 3);
    assert_int_equal(id.minor, 12);
    assert_int_equal(runtime_parse(HG_STR("nodejs20.x"), &id, &err), HG_OK);
    assert_int_equal(id.family, HG_RUNTIME_NODEJS);
    assert_int_equal(id.major, 20);
    assert_int_equal(runtime_parse(HG_STR("provided.al2023"), &id, &err), HG_OK);
    assert_int_equal(id.family, HG_RUNTIME_PROVIDED);
    assert_int_equal(runtime_parse(HG_STR("go1.x"), &id, &err), HG_OK);
    assert_int_equal(id.family, HG_RUNTIME_GO);
    assert_int_equal(runtime_parse(HG_STR("java21"), &id, &err), HG_E_UNSUPPORTED);
    assert_string_equal(err.text, "runtime java21: Java runtimes are not available yet");
    assert_int_equal(runtime_parse(HG_STR("ruby3.3"), &id, &err), HG_E_UNSUPPORTED);
    assert_int_equal(runtime_parse(HG_STR("dotnet8"), &id, &err), HG_E_UNSUPPORTED);
    assert_int_equal(runtime_parse(HG_STR("nodejs20"), &id, &err), HG_E_INVALID);
    assert_int_equal(runtime_parse(HG_STR("pythonx"), &id, &err), HG_E_INVALID);
    assert_int_equal(runtime_parse(HG_STR("providedx"), &id, &err), HG_E_INVALID);
    assert_int_equal(runtime_parse(HG_STR("cobol"), &id, &err), HG_E_INVALID);
}

static void overrides_must_exist(void **state)
{
    const struct hg_runtime_override overrides[] = {{"python3.12", "/no/such/python"},
                                                    {"python3.11", "/bin/sh"}};
    struct hg_interpreter *found = malloc(sizeof(*found));
    struct hg_error err;

    (void)state;
    assert_int_equal(runtime_find(HG_STR("python3.12"), overrides, 2, found, &err), HG_E_NOT_FOUND);
    assert_string_equal(err.text, "--runtime python3.12=/no/such/python: no executable file there");
    assert_int_equal(runtime_find(HG_STR("python3.11"), overrides, 2, found, &err), HG_OK);
    assert_string_equal(found->path, "/bin/sh");
    assert_string_equal(found->warning, "");
    free(found);
}

static void write_program(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(close(fd), 0);
}

static void probe_can_be_cut_short(void **state)
{
    char folder[] = "/tmp/headgate-probe-XXXXXX";
    struct hg_interpreter *asked = calloc(1, sizeof(*asked)), *stuck = calloc(1, sizeof(*stuck));
    sigset_t all, before;

    (void)state;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(asked->path, sizeof(asked->path), "%s/node", folder);
    write_program(asked->path, "#!/bin/sh\necho v22.3.1\n");
    /* What the probe's alarm does, at once. */
    (void)snprintf(stuck->path, sizeof(stuck->path), "%s/stuck", folder);
    write_program(stuck->path, "#!/bin/sh\nkill -ALRM $$\necho v22.3.1\n");
    /* As on a helper thread. */
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_BLOCK, &all, &before);
    runtime_probe(HG_STR("nodejs22.x"), asked);
    runtime_probe(HG_STR("nodejs22.x"), stuck);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    assert_int_equal(asked->major, 22);
    assert_int_equal(stuck->major, 0);
    (void)unlink(asked->path);
    (void)unlink(stuck->path);
    (void)rmdir(folder);
    free(asked);
    free(stuck);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents),
        cmocka_unit_test(exits),
        cmocka_unit_test(identifiers),
        cmocka_unit_test(overrides_must_exist),
        cmocka_unit_test(probe_can_be_cut_short),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
