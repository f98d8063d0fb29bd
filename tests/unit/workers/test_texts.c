/*
 * Words that are told to people and callers: error documents, exits, runtime identifiers.
 */
#include "tests/unit/unit.h"

#include "workers/error_doc.h"
#include "workers/runtimes.h"

#include <stdlib.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents),
        cmocka_unit_test(exits),
        cmocka_unit_test(identifiers),
        cmocka_unit_test(overrides_must_exist),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
