/*
 * Every template in tests/templates against the lines in the file of the same
 * name that ends in .expected. A folder is a project with a template.yaml.
 */
#include "tests/unit/config/transform_case.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

enum { FILE_BYTES_MAX = 1 << 16, PATH_BYTES = 1024 };

static char *read_whole(const char *path)
{
    FILE *file = fopen(path, "r");
    char *text = hg_calloc(1, FILE_BYTES_MAX);

    if (!file)
        fail_msg("%s: cannot be read", path);
    assert_true(fread(text, 1, FILE_BYTES_MAX, file) < FILE_BYTES_MAX);
    assert_int_equal(fclose(file), 0);
    return text;
}

static void check_one(const char *name)
{
    struct transform_case c;
    char path[PATH_BYTES];
    char *expected;
    struct hg_str told;

    (void)snprintf(path, sizeof(path), HG_TEMPLATES_DIR "/%s/expected", name);
    expected = read_whole(path);
    (void)snprintf(path, sizeof(path), HG_TEMPLATES_DIR "/%s/template.yaml", name);
    case_init(&c);
    case_load_path(&c, path);
    told = case_tell(&c, NULL);
    if (strcmp(told.p, expected) != 0)
        fail_msg("%s: expected\n%s\nbut found\n%s", name, expected, told.p);
    free(expected);
    case_fini(&c);
}

static int is_project(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void test_corpus(void **state)
{
    struct dirent **entries;
    int count = scandir(HG_TEMPLATES_DIR, &entries, is_project, alphasort);

    (void)state;
    assert_true(count > 0);
    for (int i = 0; i < count; i++) {
        check_one(entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_corpus)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
