#include "config/target.h"

static const struct {
    const char *service, *name;
} kinds[] = {
    [HG_TARGET_KIND_SQS] = {"sqs", "SQS"},
    [HG_TARGET_KIND_SNS] = {"sns", "SNS"},
    [HG_TARGET_KIND_LAMBDA] = {"lambda", "Lambda"},
    [HG_TARGET_KIND_EVENTBRIDGE] = {"events", "EventBridge"},
    [HG_TARGET_KIND_S3] = {"s3", "S3Bucket"},
};

enum { TOPIC_MAX = 249 };

static const char *const own_schemes[] = {"kafka://", "redis://", "rediss://",
                                          "http://",  "https://", "file:///"};

static bool is_own(struct hg_str target)
{
    for (size_t i = 0; i < target.n; i++)
        if ((unsigned char)target.p[i] <= ' ' || target.p[i] == 0x7f)
            return false;
    for (size_t i = 0; i < HG_COUNT(own_schemes); i++) {
        struct hg_str scheme = hg_str_of(own_schemes[i]);

        if (hg_str_starts(target, scheme))
            return target.n > scheme.n;
    }
    return false;
}

enum hg_target_kind target_kind(struct hg_str target)
{
    struct hg_str rest = target, part;

    if (!hg_str_next(&rest, ':', &part) || !hg_str_is(part, "arn"))
        return is_own(target) ? HG_TARGET_KIND_OWN : HG_TARGET_KIND_NONE;
    if (!hg_str_next(&rest, ':', &part) || !hg_str_starts(part, HG_STR("aws")) ||
        !hg_str_next(&rest, ':', &part) || part.n == 0)
        return HG_TARGET_KIND_NONE;
    for (size_t i = HG_TARGET_KIND_SQS; i < HG_COUNT(kinds); i++)
        if (hg_str_is(part, kinds[i].service))
            return (enum hg_target_kind)i;
    return HG_TARGET_KIND_OTHER;
}

static bool is_topic(struct hg_str name)
{
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];

        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
            c != '-' && c != '_' && c != '.')
            return false;
    }
    return name.n > 0 && name.n <= TOPIC_MAX && name.p[0] != '.';
}

/* topic[?brokers=host:port,…] */
static const char *kafka_fault(struct hg_str rest)
{
    static const struct hg_str brokers = {"brokers=", sizeof("brokers=") - 1};
    struct hg_str topic;

    (void)hg_str_next(&rest, '?', &topic);
    if (!is_topic(topic))
        return "a topic has 1 to 249 letters, digits, '.', '_' and '-', and does not start with '.'";
    if (rest.n &&
        (!hg_str_starts(rest, brokers) || rest.n == brokers.n || hg_str_find(rest, '&') >= 0))
        return "a topic takes ?brokers=host:port[,host:port…] only";
    return NULL;
}

const char *target_fault(struct hg_str target)
{
    ptrdiff_t slashes = hg_str_find_str(target, HG_STR("://"));
    struct hg_str rest = slashes < 0 ? target : hg_str_skip(target, (size_t)slashes + 3);

    if (target_kind(target) != HG_TARGET_KIND_OWN)
        return NULL;
    if (hg_str_starts(target, HG_STR("kafka:")))
        return kafka_fault(rest);
    if (hg_str_starts(target, HG_STR("file:")))
        return hg_str_find(rest, '?') < 0 && hg_str_find(rest, '#') < 0
                   ? NULL
                   : "a directory takes no '?' or '#'; write %3F or %23";
    return rest.p[0] == '/' || rest.p[0] == '?' || rest.p[0] == '#' ? "it names no host" : NULL;
}

bool target_is_fifo(struct hg_str target)
{
    enum hg_target_kind kind = target_kind(target);

    return (kind == HG_TARGET_KIND_SQS || kind == HG_TARGET_KIND_SNS) &&
           hg_str_ends(target, HG_STR(".fifo"));
}

const char *target_kind_name(enum hg_target_kind kind)
{
    return kind < HG_COUNT(kinds) ? kinds[kind].name : NULL;
}
