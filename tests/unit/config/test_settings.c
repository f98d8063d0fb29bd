/*
 * Settings: the order of sources, every kind of value, and the sentences of mistakes.
 */
#include "config/settings.h"
#include "tests/unit/config/template_fixture.h"

#include <stdlib.h>
#include <unistd.h>

struct run {
    struct hg_arena *arena;
    struct hg_settings settings;
    struct hg_buf problems;
    enum hg_rc rc;
};

#define PARSE(run, ...) parse(run, (char *[]){__VA_ARGS__, NULL})

static void parse(struct run *run, char **argv)
{
    int argc = 0;

    while (argv[argc])
        argc++;
    run->arena = hg_arena_new(1 << 20);
    hg_buf_init(&run->problems, 1 << 16);
    run->rc = settings_parse(run->arena, argc, argv, &run->settings, &run->problems);
}

static void finish(struct run *run)
{
    hg_arena_free(run->arena);
    hg_buf_fini(&run->problems);
}

static char *write_config(const char *text)
{
    char *path = hg_strdup("/tmp/headgate-settings-XXXXXX");
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    return path;
}

static void test_defaults(void **state)
{
    struct run run;

    (void)state;
    parse(&run, (char *[]){NULL});
    assert_same(hg_buf_str(&run.problems), "");
    assert_int_equal(run.rc, HG_OK);
    assert_null(run.settings.template_file);
    assert_int_equal(run.settings.listen.count, 1);
    assert_string_equal(run.settings.listen.items[0], "127.0.0.1:8080");
    assert_string_equal(run.settings.api, "127.0.0.1:4566");
    assert_string_equal(run.settings.data_dir, "./.headgate");
    assert_string_equal(run.settings.queue, "embedded:");
    assert_string_equal(run.settings.region, "us-east-1");
    assert_string_equal(run.settings.account, "000000000000");
    assert_string_equal(run.settings.stack_name, "local");
    assert_string_equal(run.settings.access_log, "-");
    assert_int_equal(run.settings.threads, 0);
    assert_int_equal(run.settings.isolation, HG_ISOLATION_AUTO);
    assert_int_equal(run.settings.log_level, HG_LOG_INFO);
    assert_int_equal(run.settings.idle_timeout_ms, 600000);
    assert_int_equal(run.settings.queue_wait_ms, 2000);
    assert_int_equal(run.settings.drain_timeout_ms, 30000);
    assert_int_equal(run.settings.init_timeout_ms, 10000);
    assert_int_equal(run.settings.max_body_bytes, 10485760);
    assert_int_equal(run.settings.max_concurrency, 1000);
    assert_false(run.settings.is_strict);
    assert_int_equal(run.settings.queue_options.count, 0);
    assert_int_equal(run.settings.durability, 0);
    assert_int_equal(run.settings.event_retention_ms, 86400000);
    assert_int_equal(run.settings.dedup_window_ms, 86400000);
    assert_int_equal(run.settings.event_history_bytes, INT64_C(1073741824));
    assert_int_equal(run.settings.store_max_bytes, INT64_C(68719476736));
    assert_true(run.settings.retry_scale == 1.0);
    assert_true(run.settings.async_share == 0.8);
    finish(&run);
}

static void test_flags(void **state)
{
    struct run run;

    (void)state;
    PARSE(&run, "--listen", "0.0.0.0:80", "--listen=[::1]:0", "--strict", "--parameter-overrides",
          "A=1", "B=x=y", "ParameterKey=C,ParameterValue=3", "app.yaml", "--idle-timeout", "500ms",
          "--isolation", "process", "--log-format", "json", "--max-body", "2 MiB", "--runtime",
          "python3.12=/bin/sh", "--idle-timeout=1h");
    assert_same(
        hg_buf_str(&run.problems),
        "--idle-timeout: given twice\n--idle-timeout: 500ms is out of range: 1000 to 86400000 milliseconds\n");
    assert_int_equal(run.rc, HG_E_INVALID);
    assert_int_equal(run.settings.listen.count, 2);
    assert_string_equal(run.settings.listen.items[1], "[::1]:0");
    assert_string_equal(run.settings.template_file, "app.yaml");
    assert_true(run.settings.is_strict);
    assert_int_equal(run.settings.parameters.count, 3);
    assert_same(run.settings.parameters.items[1].key, "B");
    assert_same(run.settings.parameters.items[1].value, "x=y");
    assert_same(run.settings.parameters.items[2].key, "C");
    assert_same(run.settings.parameters.items[2].value, "3");
    assert_int_equal(run.settings.isolation, HG_ISOLATION_PROCESS);
    assert_int_equal(run.settings.log_format, HG_LOG_JSON);
    assert_int_equal(run.settings.max_body_bytes, 2097152);
    assert_same(run.settings.runtimes.items[0].value, "/bin/sh");
    finish(&run);
}

static void test_mistakes_all_at_once(void **state)
{
    struct run run;

    (void)state;
    PARSE(&run, "--lisen", "--threads", "many", "--queue", "nats://u:p@h:1", "--isolation",
          "sandbox", "--log-level", "inf", "--watch", "--account", "12", "--region", "Mars",
          "--api", "4566", "--runtime", "python3.12=python", "a.yaml", "b.yaml", "-x",
          "--data-dir");
    assert_same(
        hg_buf_str(&run.problems),
        "--lisen: there is no such option; did you mean --listen?\n"
        "b.yaml: one template only, a.yaml is another one\n"
        "-x: there is no such option; options start with two dashes\n"
        "--data-dir: needs a value: --data-dir DIR\n"
        "--api: '4566' is not ADDRESS:PORT, such as 127.0.0.1:8080, 0.0.0.0:80 or [::1]:8080\n"
        "--queue: 'nats' is not a queue engine; use embedded:, redis://HOST:PORT, rediss://HOST:PORT or kafka://HOST:PORT,HOST:PORT\n"
        "--threads: 'many' is not a whole number\n"
        "--isolation: sandbox is not available yet in this version; use auto, process or none\n"
        "--region: 'Mars' is not a region such as us-east-1\n"
        "--account: '12' is not an account number of 12 digits (in a file, put it in quotes)\n"
        "--runtime: 'python3.12=python' needs the absolute path of an interpreter: python3.12=/usr/bin/python3\n"
        "--watch: reloading on change is not available yet in this version; restart instead\n"
        "--log-level: 'inf' is not one of debug|info|warn|error; did you mean info?\n");
    finish(&run);
}

static void test_file_below_environment_below_flag(void **state)
{
    char *path = write_config(
        "listen: [127.0.0.1:1, 127.0.0.1:2]\nregion: eu-west-1\naccount: \"123456789012\"\n"
        "threads: 3\naccess-log: off\nstrict: yes\nparameter-overrides: {A: 1, B: two}\n");
    struct run run;

    (void)state;
    setenv("HEADGATE_REGION", "eu-central-1", 1);
    setenv("HEADGATE_THREADS", "2", 1);
    setenv("HEADGATE_TLS_LISTEN", "127.0.0.1:3, 127.0.0.1:4", 1);
    setenv("HEADGATE_TLS_CERT", "c", 1);
    setenv("HEADGATE_TLS_KEY", "k", 1);
    setenv("HEADGATE_PORT_OF_THE_TEST", "1", 1);
    PARSE(&run, "--config", path, "--threads", "1");
    assert_same(hg_buf_str(&run.problems), "");
    assert_int_equal(run.settings.threads, 1);
    assert_string_equal(run.settings.region, "eu-central-1");
    assert_string_equal(run.settings.account, "123456789012");
    assert_int_equal(run.settings.listen.count, 2);
    assert_string_equal(run.settings.listen.items[1], "127.0.0.1:2");
    assert_int_equal(run.settings.tls_listen.count, 2);
    assert_string_equal(run.settings.tls_listen.items[1], "127.0.0.1:4");
    assert_string_equal(run.settings.access_log, "off");
    assert_true(run.settings.is_strict);
    assert_same(run.settings.parameters.items[1].value, "two");
    finish(&run);
    unsetenv("HEADGATE_REGION");
    unsetenv("HEADGATE_THREADS");
    unsetenv("HEADGATE_TLS_LISTEN");
    unsetenv("HEADGATE_TLS_CERT");
    unsetenv("HEADGATE_TLS_KEY");
    setenv("HEADGATE_LISTN", "x", 1);
    PARSE(&run, "--tls-listen", "127.0.0.1:1");
    assert_same(hg_buf_str(&run.problems),
                "HEADGATE_LISTN: there is no such setting; did you mean the setting listen?\n");
    finish(&run);
    unsetenv("HEADGATE_LISTN");
    PARSE(&run, "--tls-listen", "127.0.0.1:1");
    assert_same(hg_buf_str(&run.problems),
                "tls-listen: needs a certificate: tls-cert and tls-key\n");
    finish(&run);
    unlink(path);
    free(path);
}

static void test_mistakes_in_a_file(void **state)
{
    char *path = write_config("thread: 1\nqueue-wait: 5\nregion:\nlisten: {a: b}\n");
    char *tab = write_config("listen:\n\t- a\n");
    char expected[512];
    struct run run;

    (void)state;
    PARSE(&run, "--config", path);
    (void)snprintf(expected, sizeof(expected),
                   "%s:1: thread: there is no such setting; did you mean threads?\n"
                   "%s:3: region: has no value\n"
                   "%s:4: listen: must be a plain value\n"
                   "%s:2: queue-wait: '5' is not a duration such as 500ms, 30s, 10m or 1h\n",
                   path, path, path, path);
    assert_same(hg_buf_str(&run.problems), expected);
    finish(&run);
    PARSE(&run, "--config", tab);
    (void)snprintf(
        expected, sizeof(expected),
        "%s:2:1: a tab is used for indentation, YAML allows blanks only: replace it by blanks\n",
        tab);
    assert_same(hg_buf_str(&run.problems), expected);
    finish(&run);
    PARSE(&run, "--config", "/nonexistent.yaml");
    assert_same(hg_buf_str(&run.problems),
                "--config: cannot open /nonexistent.yaml: No such file or directory\n");
    finish(&run);
    unlink(path);
    unlink(tab);
    free(path);
    free(tab);
}

static void test_events(void **state)
{
    struct run run;

    (void)state;
    PARSE(&run, "--queue", "kafka://a:9092,[::1]:9093?prefix=x", "--queue-option",
          "kafka.security.protocol=SASL_SSL", "redis.wait=1", "app.yaml",
          "--queue-option=kafka.sasl.password=a=b", "--durability", "os", "--event-retention", "7d",
          "--event-history", "2T", "--store-max", "16MiB", "--dedup-window", "90m", "--retry-scale",
          "0.001", "--async-share", ".5");
    assert_same(hg_buf_str(&run.problems), "");
    assert_string_equal(run.settings.queue, "kafka://a:9092,[::1]:9093?prefix=x");
    assert_string_equal(run.settings.template_file, "app.yaml");
    assert_int_equal(run.settings.queue_options.count, 3);
    assert_same(run.settings.queue_options.items[1].key, "redis.wait");
    assert_same(run.settings.queue_options.items[1].value, "1");
    assert_same(run.settings.queue_options.items[2].key, "kafka.sasl.password");
    assert_same(run.settings.queue_options.items[2].value, "a=b");
    assert_int_equal(run.settings.durability, 1);
    assert_int_equal(run.settings.event_retention_ms, 604800000);
    assert_int_equal(run.settings.event_history_bytes, INT64_C(2199023255552));
    assert_int_equal(run.settings.store_max_bytes, 16777216);
    assert_int_equal(run.settings.dedup_window_ms, 5400000);
    assert_true(run.settings.retry_scale == 0.001);
    assert_true(run.settings.async_share == 0.5);
    finish(&run);

    PARSE(&run, "--queue-option", "acks=all", "--durability", "disk", "--event-retention", "0",
          "--event-history", "9999999999T", "--store-max", "1M", "--retry-scale", "0",
          "--async-share", "1.01");
    assert_same(
        hg_buf_str(&run.problems),
        "--queue-option: 'acks' is not an option of an engine: kafka.NAME or redis.NAME, such as kafka.security.protocol=SASL_SSL\n"
        "--durability: 'disk' is not one of flush|os\n"
        "--event-retention: 0 is out of range: 1000 to 31622400000 milliseconds\n"
        "--event-history: '9999999999T' is not a size such as 4096, 512K or 10M\n"
        "--store-max: 1M is out of range: 16777216 to 17592186044416 bytes\n"
        "--retry-scale: 0 is out of range: more than 0, at most 1000\n"
        "--async-share: 1.01 is out of range: more than 0, at most 1\n");
    finish(&run);
    for (size_t i = 0; i < 5; i++) {
        static const char *const bad[] = {"inf", "0x1", "1e3", ".", "1.2.3"};

        PARSE(&run, "--retry-scale", (char *)bad[i]);
        assert_non_null(memmem(run.problems.base, run.problems.len, "is not a number such as", 23));
        finish(&run);
    }
}

static void test_queue_uris(void **state)
{
    static const struct {
        const char *uri, *sentence;
    } cases[] = {
        {"redis://127.0.0.1", ""},
        {"redis://user:p@ss@h:6379/2?wait=1", ""},
        {"rediss://[2001:db8::1]:6380", ""},
        {"kafka://b1,b2:9092/", ""},
        {"redis://", "the URI names no host"},
        {"redis://u:p@/0", "the URI names no host"},
        {"kafka://a:1,,b:2", "the URI names no host"},
        {"kafka://:9092", "the URI names no host"},
        {"kafka://a:0", "the port of 'a:0' is not one of 1 to 65535"},
        {"redis://u:secret@h:99999", "the port of 'h:99999' is not one of 1 to 65535"},
        {"redis://h :1", "there is a blank or control character in it"},
        {"embedded:x",
         "'embedded' is not a queue engine; use embedded:, redis://HOST:PORT, rediss://HOST:PORT or kafka://HOST:PORT,HOST:PORT"},
    };

    (void)state;
    for (size_t i = 0; i < HG_COUNT(cases); i++) {
        struct run run;
        char expected[256] = "";

        if (*cases[i].sentence)
            (void)snprintf(expected, sizeof(expected), "--queue: %s\n", cases[i].sentence);
        PARSE(&run, "--queue", (char *)cases[i].uri);
        assert_same(hg_buf_str(&run.problems), expected);
        finish(&run);
    }
}

static void test_events_in_environment_and_file(void **state)
{
    char *path = write_config("queue: redis://h:6379\nqueue-option: {redis.wait: 2}\n"
                              "durability: os\nretry-scale: 0.5\nasync-share: 1\n");
    struct run run;

    (void)state;
    PARSE(&run, "--config", path);
    assert_same(hg_buf_str(&run.problems), "");
    assert_same(run.settings.queue_options.items[0].value, "2");
    assert_int_equal(run.settings.durability, 1);
    assert_true(run.settings.retry_scale == 0.5);
    assert_true(run.settings.async_share == 1.0);
    finish(&run);
    setenv("HEADGATE_QUEUE_OPTION", "kafka.a=1,2 kafka.b=3", 1);
    setenv("HEADGATE_RETRY_SCALE", "0.25", 1);
    PARSE(&run, "--config", path);
    assert_same(hg_buf_str(&run.problems), "");
    assert_int_equal(run.settings.queue_options.count, 2);
    assert_same(run.settings.queue_options.items[0].value, "1,2");
    assert_true(run.settings.retry_scale == 0.25);
    finish(&run);
    unsetenv("HEADGATE_QUEUE_OPTION");
    unsetenv("HEADGATE_RETRY_SCALE");
    unlink(path);
    free(path);
}

static void test_access_keys(void **state)
{
    char *path = write_config("# of the test suite\nAKID3:c=:d\n[dev]\naws_access_key_id = AKID4\n"
                              "region = eu-west-1\naws_secret_access_key = e/+f=\n");
    struct run run;

    (void)state;
    PARSE(&run, "--access-key", "AKID1:a", "--access-key", "AKID2:b:x", "--access-key", "AKID1:a",
          "--access-key-file", path, "--api", "0.0.0.0:4566");
    assert_same(hg_buf_str(&run.problems), "");
    assert_int_equal(run.settings.access_keys.count, 4);
    assert_same(run.settings.access_keys.items[1].id, "AKID2");
    assert_same(run.settings.access_keys.items[1].secret, "b:x");
    assert_same(run.settings.access_keys.items[2].secret, "c=:d");
    assert_same(run.settings.access_keys.items[3].id, "AKID4");
    assert_same(run.settings.access_keys.items[3].secret, "e/+f=");
    finish(&run);
    unlink(path);
    free(path);
    setenv("HEADGATE_ACCESS_KEY", "AKID1:a, AKID2:b", 1);
    PARSE(&run, "--api", "0.0.0.0:4566");
    assert_same(hg_buf_str(&run.problems), "");
    assert_int_equal(run.settings.access_keys.count, 2);
    assert_same(run.settings.access_keys.items[1].id, "AKID2");
    finish(&run);
    unsetenv("HEADGATE_ACCESS_KEY");
    path = write_config("access-key: [\"AKID1:a\", \"AKID2:b\"]\n");
    PARSE(&run, "--config", path);
    assert_same(hg_buf_str(&run.problems), "");
    assert_int_equal(run.settings.access_keys.count, 2);
    finish(&run);
    unlink(path);
    free(path);
}

static void expect_mistake(const char *option, const char *value, const char *mistake)
{
    struct run run;

    PARSE(&run, (char *)option, (char *)value);
    assert_int_equal(run.rc, HG_E_INVALID);
    assert_same(hg_buf_str(&run.problems), mistake);
    finish(&run);
}

static void expect_file_mistake(const char *text, const char *mistake)
{
    char *path = write_config(text);
    char whole[512];

    (void)snprintf(whole, sizeof(whole), "access-key-file: %s: %s\n", path, mistake);
    expect_mistake("--access-key-file", path, whole);
    unlink(path);
    free(path);
}

/* No sentence repeats what may be a secret. */
static void test_mistakes_of_access_keys(void **state)
{
    struct run run;

    (void)state;
    expect_mistake("--access-key", "topsecret",
                   "--access-key: it is not ID:SECRET, there is no ':' in it\n");
    expect_mistake("--access-key", "a b:topsecret",
                   "--access-key: the id must be 1 to 128 letters, digits, '_', '-' or '.'\n");
    expect_mistake("--access-key", "AKID:top secret",
                   "--access-key: the secret of AKID must be 1 to 256 printable characters without "
                   "blanks\n");
    expect_file_mistake("A:b\nA:c\n", "line 2: A is given twice, with different secrets");
    expect_file_mistake("# none\n", "there is no key pair in it");
    expect_file_mistake("[x]\naws_access_key_id = A\n[y]\n",
                        "line 2: a profile has one of aws_access_key_id and aws_secret_access_key "
                        "without the other");
    expect_mistake("--access-key-file", "/nonexistent",
                   "access-key-file: /nonexistent: No such file or directory\n");
    PARSE(&run, "--access-key", "A:b", "--access-key", "A:c");
    assert_same(hg_buf_str(&run.problems),
                "access-key: A is given twice, with different secrets\n");
    finish(&run);
}

static void test_addresses_that_others_reach_need_keys(void **state)
{
    static const char *const open[] = {"0.0.0.0:4566", "[::]:4566", "127.example.com:80",
                                       "192.168.1.2:80"};
    static const char *const closed[] = {"127.0.0.1:0", "127.9.9.9:80", "[::1]:80", "localhost:80"};

    (void)state;
    for (size_t i = 0; i < HG_COUNT(open); i++) {
        char mistake[256];

        (void)snprintf(mistake, sizeof(mistake),
                       "api: %s can be reached from other machines: say who may with access-key or "
                       "access-key-file, or use a loopback address\n",
                       open[i]);
        expect_mistake("--api", open[i], mistake);
    }
    for (size_t i = 0; i < HG_COUNT(closed); i++) {
        struct run run;

        PARSE(&run, "--api", (char *)closed[i]);
        assert_same(hg_buf_str(&run.problems), "");
        finish(&run);
    }
}

static void test_aws_endpoints(void **state)
{
    struct run run;

    (void)state;
    PARSE(&run, "--aws-endpoint", "s3=http://127.0.0.1:9000", "--aws-endpoint",
          "https://aws.example", "--allow-reset");
    assert_same(hg_buf_str(&run.problems), "");
    assert_int_equal(run.settings.aws_endpoints.count, 2);
    assert_string_equal(run.settings.aws_endpoints.items[0], "s3=http://127.0.0.1:9000");
    assert_true(run.settings.allows_reset);
    finish(&run);
    expect_mistake("--aws-endpoint", "s3=127.0.0.1:9000",
                   "--aws-endpoint: it is not [SERVICE=]URL with http:// or https://, such as "
                   "s3=http://127.0.0.1:9000\n");
    expect_mistake("--aws-endpoint", "s 3=http://x",
                   "--aws-endpoint: 's 3' is not a service such as s3, sqs, sns or events\n");
}

static void test_help_has_every_option_in_columns(void **state)
{
    struct hg_buf help;

    (void)state;
    hg_buf_init(&help, 1 << 16);
    settings_print_options(&help);
    hg_buf_append_byte(&help, '\0');
    assert_non_null(
        strstr(hg_buf_str(&help).p,
               "\n  --listen ADDR:PORT                  public gateway: HTTP/1.1 and HTTP/2 "
               "without TLS; repeatable (127.0.0.1:8080)\n"));
    assert_non_null(strstr(
        hg_buf_str(&help).p,
        "\n  --idle-timeout TIME                 an idle environment is stopped after this (10m)\n"));
    hg_buf_fini(&help);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_flags),
        cmocka_unit_test(test_mistakes_all_at_once),
        cmocka_unit_test(test_file_below_environment_below_flag),
        cmocka_unit_test(test_mistakes_in_a_file),
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_queue_uris),
        cmocka_unit_test(test_access_keys),
        cmocka_unit_test(test_mistakes_of_access_keys),
        cmocka_unit_test(test_addresses_that_others_reach_need_keys),
        cmocka_unit_test(test_aws_endpoints),
        cmocka_unit_test(test_events_in_environment_and_file),
        cmocka_unit_test(test_help_has_every_option_in_columns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
