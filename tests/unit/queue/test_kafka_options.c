/* kafka:// URIs and kafka.* options: what is meant, what is refused and how. */
#include "queue/kafka.h"
#include "tests/unit/unit.h"

static struct kafka_options options;
static struct hg_error err;

static enum hg_rc read_with(const char *uri, const char *key, const char *value)
{
    struct hg_kv kv = {hg_str_of(key), hg_str_of(value)};
    struct hg_queue_options given = {.uri = uri, .extra = {&kv, key ? 1 : 0}};

    err.text[0] = '\0';
    return kafka_options_read(&given, &options, &err);
}

static enum hg_rc read_uri(const char *uri)
{
    return read_with(uri, NULL, NULL);
}

static void test_uri(void **state)
{
    (void)state;
    assert_int_equal(read_uri("kafka://one:9092,two:9093"), HG_OK);
    assert_string_equal(options.brokers, "one:9092,two:9093");
    assert_string_equal(options.prefix, "headgate");
    assert_string_equal(options.topics[HG_KAFKA_EVENTS], "headgate.events");
    assert_string_equal(options.topics[HG_KAFKA_DELAY_FIRST], "headgate.delay.1s");
    assert_string_equal(options.topics[HG_KAFKA_DELAY_LAST], "headgate.delay.5m");
    assert_string_equal(options.topics[HG_KAFKA_DEAD], "headgate.dead");
    assert_string_equal(options.topics[HG_KAFKA_STATUS], "headgate.status");
    assert_int_equal(read_uri("kafka://broker/?prefix=shop.live"), HG_OK);
    assert_string_equal(options.brokers, "broker");
    assert_string_equal(options.topics[HG_KAFKA_EVENTS], "shop.live.events");
    assert_int_equal(read_uri("kafka://[::1]:9092"), HG_OK);
}

static void test_bad_uris(void **state)
{
    static const char *const bad[] = {
        "kafka:",
        "kafka://",
        "kafka:///",
        "kafka://:9092",
        "kafka://one:port",
        "kafka://one:0",
        "kafka://one:70000",
        "kafka://one,,two",
        "kafka://one?topic=x",
        "kafka://one?prefix=",
        "kafka://one?prefix=a/b",
        "kafka://one?prefix=a&x=y",
    };

    (void)state;
    for (size_t i = 0; i < HG_COUNT(bad); i++) {
        assert_int_equal(read_uri(bad[i]), HG_E_INVALID);
        assert_true(err.text[0] != '\0');
    }
    assert_int_equal(read_uri("kafka://user:secret@one"), HG_E_INVALID);
    assert_non_null(strstr(err.text, "kafka.sasl.username"));
    assert_null(strstr(err.text, "secret"));
}

static void test_topic_options(void **state)
{
    (void)state;
    assert_int_equal(read_with("kafka://b", "kafka.topic.partitions", "12"), HG_OK);
    assert_int_equal(options.partitions, 12);
    assert_int_equal(read_with("kafka://b", "kafka.topic.replication.factor", "3"), HG_OK);
    assert_int_equal(options.replication, 3);
    assert_int_equal(read_with("kafka://b", "kafka.topic.min.insync.replicas", "2"), HG_OK);
    assert_int_equal(options.topic_count, 1);
    assert_str(options.topic[0].key, "min.insync.replicas");
    assert_str(options.topic[0].value, "2");
    assert_int_equal(read_with("kafka://b", "kafka.topic.partitions", "0"), HG_E_INVALID);
    assert_int_equal(read_with("kafka://b", "kafka.topic.partitions", "many"), HG_E_INVALID);
    assert_non_null(strstr(err.text, "kafka.topic.partitions"));
    assert_int_equal(read_with("kafka://b", "kafka.topic.cleanup.policy", "delete"), HG_E_INVALID);
}

static void test_client_options(void **state)
{
    (void)state;
    assert_int_equal(read_with("kafka://b", "kafka.security.protocol", "SASL_SSL"), HG_OK);
    assert_int_equal(options.client_count, 1);
    assert_str(options.client[0].key, "security.protocol");
    /* librdkafka's own sentences. */
    assert_int_equal(read_with("kafka://b", "kafka.no.such.thing", "1"), HG_E_INVALID);
    assert_non_null(strstr(err.text, "No such configuration property: \"no.such.thing\""));
    assert_int_equal(read_with("kafka://b", "kafka.linger.ms", "soon"), HG_E_INVALID);
    assert_non_null(strstr(err.text, "kafka.linger.ms"));
    /* What durability rests on is not the operator's to set. */
    assert_int_equal(read_with("kafka://b", "kafka.acks", "1"), HG_E_INVALID);
    assert_non_null(strstr(err.text, "kafka.acks"));
    assert_int_equal(read_with("kafka://b", "kafka.enable.auto.commit", "true"), HG_E_INVALID);
    /* For others. */
    assert_int_equal(read_with("kafka://b", "redis.wait", "1"), HG_OK);
    assert_int_equal(read_with("kafka://b", "kafka.bootstrap.servers", "elsewhere"), HG_OK);
    assert_int_equal(options.client_count, 0);
    assert_string_equal(options.brokers, "b");
}

static void test_delay_topics(void **state)
{
    (void)state;
    assert_int_equal(kafka_delay_of(kafka_delay_topic(0)), 1000);
    assert_int_equal(kafka_delay_of(kafka_delay_topic(999)), 1000);
    assert_int_equal(kafka_delay_of(kafka_delay_topic(1999)), 1000);
    assert_int_equal(kafka_delay_of(kafka_delay_topic(2000)), 2000);
    assert_int_equal(kafka_delay_of(kafka_delay_topic(59999)), 15000);
    assert_int_equal(kafka_delay_of(kafka_delay_topic(60000)), 60000);
    assert_int_equal(kafka_delay_of(kafka_delay_topic(299999)), 120000);
    assert_int_equal(kafka_delay_of(kafka_delay_topic(86400000)), 300000);
    assert_int_equal(kafka_delay_of(HG_KAFKA_EVENTS), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_uri),           cmocka_unit_test(test_bad_uris),
        cmocka_unit_test(test_topic_options), cmocka_unit_test(test_client_options),
        cmocka_unit_test(test_delay_topics),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
