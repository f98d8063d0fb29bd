/*
 * The store's file: made, migrated, refused; rows in and out; transactions.
 */
#include "config/store.h"
#include "tests/unit/config/transform_case.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = 512 };

static char path[PATH_BYTES];

/* The store below the case's folder; err must stay empty. */
static struct hg_store *open_store(const struct transform_case *c)
{
    struct hg_store *store = NULL;
    struct hg_error err = {""};

    if (store_open(c->folder, &store, &err) != HG_OK)
        fail_msg("%s", err.text);
    return store;
}

static void expect_refusal(const struct transform_case *c, enum hg_rc expected, const char *words)
{
    struct hg_store *store = NULL;
    struct hg_error err = {""};

    assert_int_equal(store_open(c->folder, &store, &err), expected);
    assert_null(store);
    if (!strstr(err.text, words) || !strstr(err.text, path))
        fail_msg("'%s' has not '%s'", err.text, words);
}

/* Runs SQL on the file from outside. */
static void run(const char *sql)
{
    sqlite3 *db;
    char *error = NULL;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &error) != SQLITE_OK)
        fail_msg("%s: %s", sql, error);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static int ask(const char *sql)
{
    sqlite3_stmt *statement;
    sqlite3 *db;
    int number;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    number = sqlite3_column_int(statement, 0);
    assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    return number;
}

static int setup(void **state)
{
    struct transform_case *c;

    if (case_setup(state) != 0)
        return -1;
    c = *state;
    (void)snprintf(path, sizeof(path), "%s/config/store.db", c->folder);
    return 0;
}

static bool on_row(const struct hg_row *row, void *arg)
{
    return hg_buf_printf(arg, "%.*s %.*s %.*s %.*s %d\n", HG_STR_ARG(row->kind),
                         HG_STR_ARG(row->name), HG_STR_ARG(row->sub), HG_STR_ARG(row->doc),
                         (int)row->origin);
}

static void expect_rows(struct hg_store *store, const char *expected)
{
    struct hg_error err = {""};
    struct hg_buf text;

    hg_buf_init(&text, 1 << 16);
    assert_int_equal(store_rows_read(store, HG_STR("document/"), on_row, &text, &err), HG_OK);
    assert_str(hg_buf_str(&text), expected);
    hg_buf_fini(&text);
}

static void put(struct hg_store *store, const char *name, const char *sub, const char *doc,
                enum hg_origin origin)
{
    const struct hg_row row = {HG_STR("k"), hg_str_of(name), hg_str_of(sub), hg_str_of(doc),
                               origin};
    struct hg_error err = {""};

    assert_int_equal(store_row_put(store, &row, &err), HG_OK);
}

static void test_new_file(void **state)
{
    struct hg_store *store = open_store(*state);
    struct stat info;

    expect_rows(store, "");
    store_close(store);
    assert_int_equal(ask("PRAGMA user_version"), 2);
    assert_int_equal(ask("PRAGMA application_id"), 0x48476366);
    assert_int_equal(ask("SELECT count(*) FROM pragma_journal_mode WHERE journal_mode = 'wal'"), 1);
    assert_int_equal(stat(((struct transform_case *)*state)->folder, &info), 0);
    store_close(open_store(*state));
}

static void test_rows(void **state)
{
    struct hg_store *store = open_store(*state);
    const struct hg_str kind = HG_STR("k");
    struct hg_error err = {""};
    struct hg_buf text;

    put(store, "orders", "1", "{\"it's\":1}", HG_ORIGIN_API);
    put(store, "orders", "", "x", HG_ORIGIN_TEMPLATE);
    put(store, "audit", "", "gone", HG_ORIGIN_API);
    put(store, "orders", "1", "{\"it's\":2}", HG_ORIGIN_TEMPLATE);
    assert_int_equal(store_row_delete(store, kind, HG_STR("audit"), HG_STR(""), &err), HG_OK);
    assert_int_equal(store_row_delete(store, kind, HG_STR("none"), HG_STR(""), &err), HG_OK);
    store_close(store);
    store = open_store(*state);
    expect_rows(store, "k orders 1 {\"it's\":2} 0\nk orders  x 0\n");
    hg_buf_init(&text, 1 << 16);
    assert_int_equal(store_row_get(store, kind, HG_STR("orders"), HG_STR("1"), on_row, &text, &err),
                     HG_OK);
    assert_str(hg_buf_str(&text), "k orders 1 {\"it's\":2} 0\n");
    hg_buf_fini(&text);
    store_close(store);
}

static bool on_first(const struct hg_row *row, void *arg)
{
    (void)on_row(row, arg);
    return false;
}

static void test_rows_of_a_kind(void **state)
{
    struct hg_store *store = open_store(*state);
    struct hg_error err = {""};
    struct hg_buf text;

    put(store, "c", "", "3", HG_ORIGIN_API);
    put(store, "a", "", "1", HG_ORIGIN_API);
    put(store, "b", "", "2", HG_ORIGIN_API);
    hg_buf_init(&text, 1 << 16);
    assert_int_equal(store_rows_of(store, HG_STR("k"), HG_STR("a"), on_row, &text, &err), HG_OK);
    assert_str(hg_buf_str(&text), "k b  2 1\nk c  3 1\n");
    hg_buf_clear(&text, 0);
    assert_int_equal(store_rows_of(store, HG_STR("k"), HG_STR(""), on_first, &text, &err), HG_OK);
    assert_str(hg_buf_str(&text), "k a  1 1\n");
    hg_buf_clear(&text, 0);
    assert_int_equal(store_rows_of(store, HG_STR("other"), HG_STR(""), on_row, &text, &err), HG_OK);
    assert_str(hg_buf_str(&text), "");
    hg_buf_fini(&text);
    assert_int_equal(store_clear(store, &err), HG_OK);
    expect_rows(store, "");
    store_close(store);
}

static void on_applied(struct hg_str kind, struct hg_str name, const unsigned char *hash, void *arg)
{
    hg_buf_printf(arg, "%.*s %.*s=%02x%02x\n", HG_STR_ARG(kind), HG_STR_ARG(name), hash[0],
                  hash[HG_APPLIED_HASH_LEN - 1]);
}

static void test_applied(void **state)
{
    const unsigned char one[HG_APPLIED_HASH_LEN] = {1}, two[HG_APPLIED_HASH_LEN] = {2, [31] = 0xff};
    struct hg_store *store = open_store(*state);
    struct hg_error err = {""};
    struct hg_buf text;

    hg_buf_init(&text, 1 << 16);
    assert_int_equal(store_applied_put(store, "a", HG_STR("f:x"), one, &err), HG_OK);
    assert_int_equal(store_applied_put(store, "a", HG_STR("f:x"), two, &err), HG_OK);
    assert_int_equal(store_applied_put(store, "a", HG_STR("f:y"), one, &err), HG_OK);
    assert_int_equal(store_applied_put(store, "b", HG_STR("f:x"), one, &err), HG_OK);
    assert_int_equal(store_applied_delete(store, "a", HG_STR("f:y"), &err), HG_OK);
    assert_int_equal(store_applied_read(store, on_applied, &text, &err), HG_OK);
    assert_str(hg_buf_str(&text), "a f:x=02ff\nb f:x=0100\n");
    hg_buf_fini(&text);
    store_close(store);
}

static void test_transactions(void **state)
{
    struct hg_store *store = open_store(*state);
    struct hg_error err = {""};

    assert_int_equal(store_begin(store, &err), HG_OK);
    put(store, "gone", "", "", HG_ORIGIN_API);
    store_rollback(store);
    expect_rows(store, "");
    assert_int_equal(store_begin(store, &err), HG_OK);
    put(store, "kept", "", "", HG_ORIGIN_API);
    assert_int_equal(store_commit(store, &err), HG_OK);
    assert_int_equal(store_begin(store, &err), HG_OK);
    put(store, "open", "", "", HG_ORIGIN_API);
    store_close(store); /* as a crash would */
    store = open_store(*state);
    expect_rows(store, "k kept   1\n");
    store_close(store);
}

static void test_parts(void **state)
{
    struct hg_store *store = open_store(*state);
    struct hg_error err = {""};

    assert_int_equal(store_begin(store, &err), HG_OK);
    assert_int_equal(store_part_begin(store, &err), HG_OK);
    put(store, "one", "", "", HG_ORIGIN_API);
    assert_int_equal(store_part_keep(store, &err), HG_OK);
    assert_int_equal(store_part_begin(store, &err), HG_OK);
    put(store, "two", "", "", HG_ORIGIN_API);
    put(store, "one", "", "changed", HG_ORIGIN_API);
    assert_true(store_part_undo(store));
    assert_int_equal(store_commit(store, &err), HG_OK);
    expect_rows(store, "k one   1\n");
    assert_false(store_part_undo(store)); /* there is no transaction */
    store_close(store);
}

static void test_an_empty_file_is_a_new_one(void **state)
{
    case_file(*state, "config/store.db", "");
    store_close(open_store(*state));
    assert_int_equal(ask("PRAGMA user_version"), 2);
}

static void test_a_newer_file(void **state)
{
    store_close(open_store(*state));
    run("PRAGMA user_version=3");
    expect_refusal(*state, HG_E_CONFLICT,
                   "was written by a newer version of Headgate (schema 3, this one knows 2)");
    assert_int_equal(ask("PRAGMA user_version"), 3);
}

static void test_another_programs_file(void **state)
{
    case_file(*state, "config/store.db", "");
    run("CREATE TABLE theirs (x)");
    expect_refusal(*state, HG_E_CONFLICT, "is a database of another program");
    assert_int_equal(ask("SELECT count(*) FROM sqlite_master"), 1);
}

static void test_text_in_its_place(void **state)
{
    case_file(*state, "config/store.db",
              "this is some text that stands where the database should be\n");
    expect_refusal(*state, HG_E_CONFLICT, "is damaged");
    expect_refusal(*state, HG_E_CONFLICT, "move it away");
}

/* Overwrites bytes of the file. */
static void scribble(off_t at, size_t length)
{
    int fd = open(path, O_WRONLY);
    char *bytes = hg_malloc(length);

    memset(bytes, 0xa5, length);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, length, at), (ssize_t)length);
    assert_int_equal(close(fd), 0);
    free(bytes);
}

static void test_a_damaged_page(void **state)
{
    struct hg_store *store = open_store(*state);

    put(store, "orders", "$LATEST", "{}", HG_ORIGIN_API);
    store_close(store);
    scribble(4096, 4096);
    expect_refusal(*state, HG_E_CONFLICT, "is damaged");
}

static bool forget_row(const struct hg_row *row, void *arg)
{
    (void)row, (void)arg;
    return true;
}

/* Whatever place is hit: the store is refused, or works. */
static void test_damage_anywhere(void **state)
{
    enum { STEP = 61 };
    const struct transform_case *c = *state;
    struct hg_store *store = open_store(c);
    struct hg_error err;
    struct stat info;

    put(store, "orders", "$LATEST", "{}", HG_ORIGIN_API);
    put(store, "orders", "live", "{}", HG_ORIGIN_TEMPLATE);
    store_close(store);
    assert_int_equal(stat(path, &info), 0);
    for (off_t at = 0; at < info.st_size; at += STEP) {
        char *before = hg_malloc(STEP);
        int fd = open(path, O_RDWR);
        ssize_t length = pread(fd, before, STEP, at);

        assert_true(length > 0);
        scribble(at, (size_t)length);
        store = NULL;
        if (store_open(c->folder, &store, &err) == HG_OK)
            (void)!store_rows_read(store, HG_STR("x"), forget_row, NULL, &err);
        store_close(store);
        assert_int_equal(pwrite(fd, before, (size_t)length, at), length);
        assert_int_equal(close(fd), 0);
        free(before);
    }
}

static void test_a_truncated_file(void **state)
{
    store_close(open_store(*state));
    assert_int_equal(truncate(path, 5000), 0);
    expect_refusal(*state, HG_E_CONFLICT, "is damaged");
}

static void test_rows_that_nobody_wrote(void **state)
{
    struct hg_store *store;
    struct hg_error err = {""};

    store_close(open_store(*state));
    run("INSERT INTO resources VALUES ('k', 'n', '', '{}', 'somebody')");
    store = open_store(*state);
    assert_int_equal(store_rows_read(store, HG_STR("x"), forget_row, NULL, &err), HG_E_CONFLICT);
    assert_non_null(strstr(err.text, "a row of resources"));
    assert_non_null(strstr(err.text, "move it away"));
    store_close(store);
}

static void test_a_folder_that_cannot_be_made(void **state)
{
    struct hg_store *store = NULL;
    struct hg_error err = {""};

    case_file(*state, "config", "a file");
    assert_int_equal(store_open(((struct transform_case *)*state)->folder, &store, &err), HG_E_IO);
    assert_non_null(strstr(err.text, path));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, case_teardown)
        TEST(test_new_file),
        TEST(test_rows),
        TEST(test_rows_of_a_kind),
        TEST(test_applied),
        TEST(test_transactions),
        TEST(test_parts),
        TEST(test_an_empty_file_is_a_new_one),
        TEST(test_a_newer_file),
        TEST(test_another_programs_file),
        TEST(test_text_in_its_place),
        TEST(test_a_damaged_page),
        TEST(test_damage_anywhere),
        TEST(test_a_truncated_file),
        TEST(test_rows_that_nobody_wrote),
        TEST(test_a_folder_that_cannot_be_made),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
