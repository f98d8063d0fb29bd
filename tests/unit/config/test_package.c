/*
 * Code sources: folders, archives honest and not, code in templates.
 */
#include "config/package_parts.h"
#include "config/package_sweep.h"
#include "tests/unit/config/template_fixture.h"
#include "tests/unit/config/zip_writer.h"

#include <dirent.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* A scratch folder with data/ in it; removed at the end. */
struct place {
    struct hg_arena *arena;
    char *dir, *data, *zip;
    struct hg_package package;
    struct hg_error err;
};

static void place_init(struct place *place)
{
    char name[] = "/tmp/headgate-package-XXXXXX";

    assert_non_null(mkdtemp(name));
    *place = (struct place){.arena = hg_arena_new(1 << 20)};
    place->dir = hg_arena_strdup(place->arena, hg_str_of(name));
    place->data = hg_arena_printf(place->arena, "%s/data", name);
    place->zip = hg_arena_printf(place->arena, "%s/code.zip", name);
    assert_int_equal(mkdir(place->data, 0700), 0);
}

static void place_fini(struct place *place)
{
    const char *command = hg_arena_printf(place->arena, "rm -rf %s", place->dir);

    assert_int_equal(system(command), 0);
    hg_arena_free(place->arena);
}

static enum hg_rc open_zip(struct place *place, bool is_check_only)
{
    place->err.text[0] = '\0';
    return package_open(place->arena, place->zip, place->data, is_check_only, &place->package,
                        &place->err);
}

/* Entries of <data>/code, whatever they are. */
static unsigned count_code(struct place *place)
{
    DIR *dir = opendir(hg_arena_printf(place->arena, "%s/code", place->data));
    unsigned count = 0;
    struct dirent *entry;

    while (dir && (entry = readdir(dir)))
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    if (dir)
        (void)closedir(dir);
    return count;
}

static struct stat stat_of(struct place *place, const char *name)
{
    struct stat st = {0};

    assert_int_equal(
        lstat(hg_arena_printf(place->arena, "%.*s/%s", HG_STR_ARG(place->package.dir), name), &st),
        0);
    return st;
}

static void test_folder_is_used_in_place(void **state)
{
    struct place place;
    struct hg_str first;
    char *file;

    (void)state;
    place_init(&place);
    file = hg_arena_printf(place.arena, "%s/app.py", place.dir);
    close(open(file, O_CREAT | O_WRONLY, 0644));
    assert_int_equal(truncate(file, 12), 0);
    assert_int_equal(
        package_open(place.arena, place.dir, place.data, false, &place.package, &place.err), HG_OK);
    assert_same(place.package.dir, place.dir);
    assert_int_equal(place.package.size, 12);
    assert_int_equal(place.package.sha256.n, 44);
    first = place.package.sha256;
    assert_int_equal(truncate(file, 13), 0);
    assert_int_equal(
        package_open(place.arena, place.dir, place.data, false, &place.package, &place.err), HG_OK);
    assert_false(hg_str_eq(first, place.package.sha256));
    assert_int_equal(
        package_open(place.arena, "/nonexistent/x", place.data, false, &place.package, &place.err),
        HG_E_NOT_FOUND);
    assert_string_equal(place.err.text, "there is no file or folder /nonexistent/x");
    assert_int_equal(package_open(place.arena, file, place.data, false, &place.package, &place.err),
                     HG_E_INVALID);
    place_fini(&place);
}

static void test_archive_is_unpacked_once(void **state)
{
    struct zip_writer zip;
    struct place place;

    (void)state;
    place_init(&place);
    zip_writer_init(&zip);
    zip_writer_add(&zip, "bootstrap", HG_STR("#!/bin/sh\n"), S_IFREG | 0755);
    zip_writer_add(&zip, "lib/", HG_STR(""), S_IFDIR | 0755);
    zip_writer_add(&zip, "lib/deep/x.txt", HG_STR("x"), S_IFREG | 0600);
    zip_writer_add(&zip, "lib/link", HG_STR("../bootstrap"), S_IFLNK | 0777);
    zip_writer_add(&zip, "plain", HG_STR("y"), 0);
    zip_writer_add(&zip, "setuid", HG_STR("z"), S_IFREG | 06755);
    zip_writer_save(&zip, place.zip);
    assert_int_equal(open_zip(&place, true), HG_OK);
    assert_int_equal(place.package.dir.n, 0);
    assert_int_equal(count_code(&place), 0);
    assert_int_equal(open_zip(&place, false), HG_OK);
    assert_int_equal(stat_of(&place, "bootstrap").st_mode & 07777, 0755);
    assert_int_equal(stat_of(&place, "bootstrap").st_size, 10);
    assert_int_equal(stat_of(&place, "lib/deep/x.txt").st_mode & 07777, 0644);
    assert_int_equal(stat_of(&place, "plain").st_mode & 07777, 0644);
    assert_int_equal(stat_of(&place, "setuid").st_mode & 07777, 0755);
    assert_true(S_ISLNK(stat_of(&place, "lib/link").st_mode));
    assert_int_equal(count_code(&place), 1);
    /* The second time nothing is written: the mark stays. */
    close(open(hg_arena_printf(place.arena, "%.*s/mark", HG_STR_ARG(place.package.dir)),
               O_CREAT | O_WRONLY, 0644));
    assert_int_equal(open_zip(&place, false), HG_OK);
    (void)stat_of(&place, "mark");
    assert_int_equal(count_code(&place), 1);
    place_fini(&place);
}

static void test_hash_is_that_of_the_file(void **state)
{
    struct place place;
    int fd;

    (void)state;
    place_init(&place);
    /* An empty archive is its 22-byte end record; hash by openssl sha256 -binary | base64. */
    fd = open(place.zip, O_CREAT | O_WRONLY, 0644);
    assert_int_equal(write(fd, "PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 22), 22);
    close(fd);
    assert_int_equal(open_zip(&place, false), HG_OK);
    assert_same(place.package.sha256, "hznHbmgfkAkjuQDJ3w73XPQh05yrtUZQxLmtGbanbYU=");
    assert_int_equal(place.package.size, 22);
    place_fini(&place);
}

static void refuse(const char *name, struct hg_str content, unsigned mode, const char *why)
{
    struct zip_writer zip;
    struct place place;

    for (int is_check_only = 0; is_check_only < 2; is_check_only++) {
        place_init(&place);
        zip_writer_init(&zip);
        zip_writer_add(&zip, "ok/file", HG_STR("x"), S_IFREG | 0644);
        zip_writer_add(&zip, name, content, mode);
        zip_writer_save(&zip, place.zip);
        assert_int_equal(open_zip(&place, is_check_only), HG_E_INVALID);
        if (!strstr(place.err.text, why))
            fail_msg("%s: %s", name, place.err.text);
        assert_int_equal(count_code(&place), 0);
        place_fini(&place);
    }
}

static void test_tricks_are_refused(void **state)
{
    (void)state;
    refuse("../evil", HG_STR("x"), S_IFREG | 0644, "'../evil' leads out of the folder");
    refuse("a/../../evil", HG_STR("x"), S_IFREG | 0644, "leads out of the folder");
    refuse("..\\evil", HG_STR("x"), S_IFREG | 0644, "leads out of the folder");
    refuse("a\\..\\..\\evil", HG_STR("x"), S_IFREG | 0644, "leads out of the folder");
    refuse("/etc/evil", HG_STR("x"), S_IFREG | 0644, "has an absolute name");
    refuse("l", HG_STR("/etc/passwd"), S_IFLNK | 0777,
           "is a link with an empty or absolute target");
    refuse("l", HG_STR(""), S_IFLNK | 0777, "is a link with an empty or absolute target");
    refuse("l", HG_STR("../x"), S_IFLNK | 0777, "is a link that may lead out of the folder");
    refuse("a/b/l", HG_STR("../../../x"), S_IFLNK | 0777,
           "is a link that may lead out of the folder");
    refuse("a/l", HG_STR("q/.."), S_IFLNK | 0777, "is a link that may lead out of the folder");
    refuse("dev", HG_STR(""), S_IFCHR | 0644, "is neither file nor folder nor link");
    refuse("fifo", HG_STR(""), S_IFIFO | 0644, "is neither file nor folder nor link");
}

static void test_nothing_is_written_through_a_link(void **state)
{
    struct zip_writer zip;
    struct place place;

    (void)state;
    place_init(&place);
    zip_writer_init(&zip);
    zip_writer_add(&zip, "d/x", HG_STR("x"), S_IFREG | 0644);
    zip_writer_add(&zip, "l", HG_STR("d"), S_IFLNK | 0777);
    zip_writer_add(&zip, "l/y", HG_STR("y"), S_IFREG | 0644);
    zip_writer_save(&zip, place.zip);
    /* The file comes first and makes a real folder, then the link finds its name taken. */
    assert_int_equal(open_zip(&place, false), HG_E_INVALID);
    assert_int_equal(count_code(&place), 0);
    place_fini(&place);

    place_init(&place);
    zip_writer_init(&zip);
    zip_writer_add(&zip, "x", HG_STR("1"), S_IFREG | 0644);
    zip_writer_add(&zip, "x", HG_STR("2"), S_IFREG | 0644);
    zip_writer_save(&zip, place.zip);
    assert_int_equal(open_zip(&place, false), HG_E_INVALID);
    assert_non_null(strstr(place.err.text, "'x' "));
    assert_int_equal(count_code(&place), 0);
    place_fini(&place);
}

static void test_size_limit_counts_real_bytes(void **state)
{
    enum { PIECE = 50 * 1000 * 1000 };
    char *zeros = hg_calloc(1, PIECE);
    struct zip_writer zip;
    struct place place;

    (void)state;
    place_init(&place);
    zip_writer_init(&zip);
    for (int i = 0; i < 5; i++) {
        char name[] = {(char)('a' + i), '\0'};

        zip_writer_add(&zip, name, hg_str_n(zeros, PIECE), S_IFREG | 0644);
    }
    zip_writer_add(&zip, "f", hg_str_n(zeros, 12144001), S_IFREG | 0644);
    zip_writer_save(&zip, place.zip);
    assert_int_equal(open_zip(&place, true), HG_E_TOO_LARGE);
    place_fini(&place);
    free(zeros);
}

static void test_damage_is_told(void **state)
{
    struct zip_writer zip;
    struct place place;
    int fd;

    (void)state;
    place_init(&place);
    fd = open(place.zip, O_CREAT | O_WRONLY, 0644);
    assert_int_equal(write(fd, "not a zip", 9), 9);
    close(fd);
    assert_int_equal(open_zip(&place, false), HG_E_INVALID);
    assert_non_null(strstr(place.err.text, "is not a usable zip file"));
    zip_writer_init(&zip);
    zip_writer_add(&zip, "x", HG_STR("content"), S_IFREG | 0644);
    zip_writer_save(&zip, place.zip);
    fd = open(place.zip, O_WRONLY);
    assert_int_equal(pwrite(fd, "C", 1, 31), 1); /* the first byte of the content */
    close(fd);
    assert_int_equal(open_zip(&place, false), HG_E_INVALID);
    assert_non_null(strstr(place.err.text, "'x' is damaged"));
    assert_int_equal(count_code(&place), 0);
    place_fini(&place);
}

static void test_inline_code(void **state)
{
    struct hg_str python;
    struct place place;

    (void)state;
    place_init(&place);
    assert_int_equal(package_inline(place.arena, HG_STR("python3.13"), HG_STR("x=1"), place.data,
                                    false, &place.package, &place.err),
                     HG_OK);
    assert_int_equal(stat_of(&place, "index.py").st_size, 3);
    assert_int_equal(place.package.size, 3);
    /* printf x=1 | openssl sha256 -binary | base64 */
    assert_same(place.package.sha256, "HyBrEcI+KMwlDe1/wAmNOCOoRnpUNA8axOU1y4VEST8=");
    python = place.package.dir;
    assert_int_equal(package_inline(place.arena, HG_STR("nodejs22.x"), HG_STR("x=1"), place.data,
                                    false, &place.package, &place.err),
                     HG_OK);
    assert_int_equal(stat_of(&place, "index.js").st_size, 3);
    assert_false(hg_str_eq(python, place.package.dir));
    assert_int_equal(package_inline(place.arena, HG_STR("java25"), HG_STR("x"), place.data, false,
                                    &place.package, &place.err),
                     HG_E_INVALID);
    assert_int_equal(count_code(&place), 2);
    place_fini(&place);
}

/* An archive in memory; free it. */
static struct hg_str zip_bytes(struct place *place, struct zip_writer *zip)
{
    struct stat st;
    char *bytes;
    int fd;

    zip_writer_save(zip, place->zip);
    fd = open(place->zip, O_RDONLY);
    assert_int_equal(fstat(fd, &st), 0);
    bytes = hg_malloc((size_t)st.st_size);
    assert_int_equal(read(fd, bytes, (size_t)st.st_size), st.st_size);
    (void)close(fd);
    return hg_str_n(bytes, (size_t)st.st_size);
}

static enum hg_rc store(struct place *place, struct hg_str bytes)
{
    place->err.text[0] = '\0';
    return package_store_zip(place->arena, place->data, bytes, &place->package, &place->err);
}

static struct hg_str usual_zip(struct place *place)
{
    struct zip_writer zip;

    zip_writer_init(&zip);
    zip_writer_add(&zip, "app.py", HG_STR("x=1"), S_IFREG | 0600);
    zip_writer_add(&zip, "bin/run", HG_STR("#!/bin/sh"), S_IFREG | 0755);
    zip_writer_add(&zip, "win\\file", HG_STR(""), 0);
    return zip_bytes(place, &zip);
}

static void test_uploads_are_kept_once(void **state)
{
    struct hg_package first;
    struct place place;
    struct hg_str bytes;
    struct stat st;

    (void)state;
    place_init(&place);
    bytes = usual_zip(&place);
    assert_int_equal(store(&place, bytes), HG_OK);
    first = place.package;
    assert_int_equal(first.size, bytes.n);
    assert_int_equal(stat(first.zip.p, &st), 0);
    assert_int_equal(st.st_size, bytes.n);
    assert_int_equal(stat_of(&place, "app.py").st_mode & 0777, 0644);
    assert_int_equal(stat_of(&place, "bin/run").st_mode & 0777, 0755);
    assert_int_equal(stat_of(&place, "win\\file").st_size, 0);
    assert_int_equal(package_unpacked_size(first.dir.p), 12);
    assert_int_equal(package_unpacked_size("/nowhere/at/all"), 0);
    assert_int_equal(count_code(&place), 2);
    assert_int_equal(store(&place, bytes), HG_OK);
    assert_true(hg_str_eq(first.dir, place.package.dir));
    assert_int_equal(count_code(&place), 2);
    /* The same archive in a template is the same folder. */
    assert_int_equal(open_zip(&place, false), HG_OK);
    assert_true(hg_str_eq(first.dir, place.package.dir));
    assert_true(hg_str_eq(first.sha256, place.package.sha256));
    free((void *)(uintptr_t)bytes.p);
    place_fini(&place);
}

static void test_an_unpacked_archive_without_its_zip(void **state)
{
    struct place place;
    struct hg_str bytes, zip;

    (void)state;
    place_init(&place);
    bytes = usual_zip(&place);
    assert_int_equal(open_zip(&place, false), HG_OK); /* by a template */
    assert_int_equal(count_code(&place), 1);
    assert_int_equal(store(&place, bytes), HG_OK);
    assert_int_equal(count_code(&place), 2);
    zip = place.package.zip;
    tree_remove(place.package.dir.p);
    assert_int_equal(count_code(&place), 1);
    assert_int_equal(package_restore(place.arena, place.data, place.package.dir, zip, &place.err),
                     HG_OK);
    assert_int_equal(stat_of(&place, "app.py").st_size, 3);
    assert_int_equal(package_restore(place.arena, place.data, HG_STR("/other"), zip, &place.err),
                     HG_E_INVALID);
    free((void *)(uintptr_t)bytes.p);
    place_fini(&place);
}

static void test_what_is_no_upload(void **state)
{
    static const char *const texts[] = {"", "x",
                                        "not a zip, although it is longer than an empty one is",
                                        "PK\3\4 an archive that was cut off after its first words"};
    struct zip_writer zip;
    struct place place;
    struct hg_str bytes;

    (void)state;
    place_init(&place);
    for (size_t i = 0; i < HG_COUNT(texts); i++)
        assert_int_equal(store(&place, hg_str_of(texts[i])), HG_E_INVALID);
    assert_int_equal(store(&place, HG_STR("PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0")),
                     HG_E_INVALID);
    zip_writer_init(&zip);
    zip_writer_add(&zip, "a", HG_STR("x"), S_IFREG | 0644);
    zip_writer_add(&zip, "a/b", HG_STR("x"), S_IFREG | 0644);
    bytes = zip_bytes(&place, &zip);
    assert_int_equal(store(&place, bytes), HG_E_INVALID);
    free((void *)(uintptr_t)bytes.p);
    zip_writer_init(&zip);
    zip_writer_add(&zip, "a/b", HG_STR("x"), S_IFREG | 0644);
    zip_writer_add(&zip, "a", HG_STR("x"), S_IFREG | 0644);
    bytes = zip_bytes(&place, &zip);
    assert_int_equal(store(&place, bytes), HG_E_INVALID);
    free((void *)(uintptr_t)bytes.p);
    assert_int_equal(count_code(&place), 0);
    place_fini(&place);
}

struct storing {
    struct place *place;
    struct hg_str bytes;
    enum hg_rc rc;
};

static void *store_beside_others(void *arg)
{
    struct storing *storing = arg;
    struct hg_arena *arena = hg_arena_new(1 << 20);
    struct hg_package package;
    struct hg_error err;

    for (int i = 0; i < 10 && storing->rc == HG_OK; i++) {
        storing->rc =
            package_store_zip(arena, storing->place->data, storing->bytes, &package, &err);
        if (i < 8)
            tree_remove(package.dir.p); /* so that there is something to do */
    }
    hg_arena_free(arena);
    return NULL;
}

static void test_the_same_upload_by_several_at_once(void **state)
{
    struct storing storing[3];
    pthread_t threads[3];
    struct place place;
    struct hg_str bytes;

    (void)state;
    place_init(&place);
    bytes = usual_zip(&place);
    for (size_t i = 0; i < HG_COUNT(threads); i++) {
        storing[i] = (struct storing){&place, bytes, HG_OK};
        assert_int_equal(pthread_create(&threads[i], NULL, store_beside_others, &storing[i]), 0);
    }
    for (size_t i = 0; i < HG_COUNT(threads); i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(storing[i].rc, HG_OK);
    }
    assert_int_equal(store(&place, bytes), HG_OK);
    assert_int_equal(count_code(&place), 2);
    free((void *)(uintptr_t)bytes.p);
    place_fini(&place);
}

static void test_frozen_folders(void **state)
{
    struct hg_package package, again;
    struct place place;
    char *src;

    (void)state;
    place_init(&place);
    src = hg_arena_printf(place.arena, "%s/src", place.dir);
    assert_int_equal(system(hg_arena_printf(place.arena,
                                            "mkdir -p %s/d/empty && cd %s && echo x > d/f && ln -s "
                                            "d/f l && chmod 750 d/f && mkfifo p && ln -s none n",
                                            src, src)),
                     0);
    assert_int_equal(package_open(place.arena, src, place.data, false, &place.package, &place.err),
                     HG_OK);
    package = again = place.package;
    assert_int_equal(package_freeze(place.arena, place.data, &package, &place.err), HG_OK);
    assert_false(hg_str_eq(package.dir, place.package.dir));
    place.package = package;
    assert_int_equal(stat_of(&place, "d/f").st_mode & 0777, 0754);
    assert_true(S_ISLNK(stat_of(&place, "l").st_mode));
    assert_true(S_ISLNK(stat_of(&place, "n").st_mode));
    assert_true(S_ISDIR(stat_of(&place, "d/empty").st_mode));
    assert_int_not_equal(access(hg_arena_printf(place.arena, "%s/p", package.dir.p), F_OK), 0);
    assert_int_equal(package_freeze(place.arena, place.data, &again, &place.err), HG_OK);
    assert_true(hg_str_eq(package.dir, again.dir));
    assert_int_equal(package_freeze(place.arena, place.data, &again, &place.err), HG_OK);
    assert_true(hg_str_eq(package.dir, again.dir)); /* what is in the store stays where it is */
    assert_int_equal(count_code(&place), 1);
    place_fini(&place);
}

/* The platform's own files may lie in the folder of the code. */
static void test_the_data_directory_is_no_code(void **state)
{
    struct hg_package first;
    struct place place;

    (void)state;
    place_init(&place);
    assert_int_equal(
        package_open(place.arena, place.dir, place.data, false, &place.package, &place.err), HG_OK);
    first = place.package;
    assert_int_equal(system(hg_arena_printf(place.arena, "echo x > %s/state", place.data)), 0);
    assert_int_equal(
        package_open(place.arena, place.dir, place.data, false, &place.package, &place.err), HG_OK);
    assert_true(hg_str_eq(first.sha256, place.package.sha256));
    assert_int_equal(package_freeze(place.arena, place.data, &place.package, &place.err), HG_OK);
    assert_int_not_equal(access(hg_arena_printf(place.arena, "%s/data", place.package.dir.p), F_OK),
                         0);
    place_fini(&place);
}

static void test_sweeping(void **state)
{
    struct hg_package kept;
    struct hg_sweep sweep;
    struct place place;
    struct hg_str bytes;

    (void)state;
    place_init(&place);
    assert_int_equal(package_inline(place.arena, HG_STR("python3.13"), HG_STR("x=1"), place.data,
                                    false, &kept, &place.err),
                     HG_OK);
    bytes = usual_zip(&place);
    assert_int_equal(store(&place, bytes), HG_OK);
    assert_int_equal(
        system(hg_arena_printf(place.arena, "cd %s/code && mkdir .new-1234 mine && touch mine/x",
                               place.data)),
        0);
    sweep_init(&sweep, place.data);
    sweep_keep(&sweep, kept.dir);
    sweep_keep(&sweep, HG_STR("/elsewhere/code/x"));
    assert_int_equal(sweep_rename(&sweep), 3);
    sweep_fini(&sweep);
    assert_int_equal(access(kept.dir.p, F_OK), 0);
    assert_int_not_equal(access(place.package.dir.p, F_OK), 0);
    assert_int_not_equal(access(place.package.zip.p, F_OK), 0);
    assert_int_equal(store(&place, bytes), HG_OK); /* its name is free */
    sweep_remove(place.data);
    assert_int_equal(count_code(&place), 4); /* kept, both of the upload, and what is not ours */
    assert_int_equal(access(place.package.dir.p, F_OK), 0);
    free((void *)(uintptr_t)bytes.p);
    place_fini(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_folder_is_used_in_place),
        cmocka_unit_test(test_archive_is_unpacked_once),
        cmocka_unit_test(test_hash_is_that_of_the_file),
        cmocka_unit_test(test_tricks_are_refused),
        cmocka_unit_test(test_nothing_is_written_through_a_link),
        cmocka_unit_test(test_size_limit_counts_real_bytes),
        cmocka_unit_test(test_damage_is_told),
        cmocka_unit_test(test_inline_code),
        cmocka_unit_test(test_uploads_are_kept_once),
        cmocka_unit_test(test_an_unpacked_archive_without_its_zip),
        cmocka_unit_test(test_what_is_no_upload),
        cmocka_unit_test(test_the_same_upload_by_several_at_once),
        cmocka_unit_test(test_frozen_folders),
        cmocka_unit_test(test_the_data_directory_is_no_code),
        cmocka_unit_test(test_sweeping),
    };

    (void)setenv("TZ", ":/etc/localtime", 0); /* as the program does */
    tzset();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
