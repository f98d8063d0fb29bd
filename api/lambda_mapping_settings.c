/*
 * Settings of event source mappings: which a kind of source takes, their defaults, and what is wrong together. On the catalog's thread.
 */
#include "api/lambda_mapping.h"
#include "core/clock.h"
#include "core/json_scan.h"

enum {
    STREAMS = MAPPING_KINESIS | MAPPING_DYNAMODB,
    KAFKAS = MAPPING_MSK | MAPPING_KAFKA,
    ALL = STREAMS | KAFKAS | MAPPING_SQS | MAPPING_MQ | MAPPING_DOCUMENTDB,
};

enum {
    FILTERS_MAX = 10 /* what the service gives on request */,
    SQS_PLAIN_BATCH_MAX = 10,
    RECORD_AGE_MIN = 60,
    SQS_POLLERS_MIN = 2
};

static const struct {
    const char *name;
    unsigned kinds; /* that take it */
    bool is_fixed;  /* only a creation may give it */
} members[] = {
    {"StartingPosition", STREAMS | KAFKAS | MAPPING_DOCUMENTDB, true},
    {"StartingPositionTimestamp", STREAMS | KAFKAS | MAPPING_DOCUMENTDB, true},
    {"BatchSize", ALL, false},
    {"MaximumBatchingWindowInSeconds", ALL, false},
    {"ParallelizationFactor", STREAMS, false},
    {"FilterCriteria", ALL & ~MAPPING_DOCUMENTDB, false},
    {"KMSKeyArn", ALL, false},
    {"MetricsConfig", MAPPING_SQS | STREAMS | KAFKAS, false},
    {"LoggingConfig", KAFKAS, false},
    {"ScalingConfig", MAPPING_SQS, false},
    {"DestinationConfig", STREAMS | KAFKAS, false},
    {"MaximumRecordAgeInSeconds", STREAMS | KAFKAS, false},
    {"BisectBatchOnFunctionError", STREAMS | KAFKAS, false},
    {"MaximumRetryAttempts", STREAMS | KAFKAS, false},
    {"TumblingWindowInSeconds", STREAMS, false},
    {"Topics", KAFKAS, true},
    {"Queues", MAPPING_MQ, true},
    {"SourceAccessConfigurations", KAFKAS | MAPPING_MQ | MAPPING_DOCUMENTDB, false},
    {"SelfManagedEventSource", MAPPING_KAFKA, true},
    {"FunctionResponseTypes", MAPPING_SQS | STREAMS | KAFKAS, false},
    {"AmazonManagedKafkaEventSourceConfig", MAPPING_MSK, false},
    {"SelfManagedKafkaEventSourceConfig", MAPPING_KAFKA, false},
    {"DocumentDBEventSourceConfig", MAPPING_DOCUMENTDB, false},
    {"ProvisionedPollerConfig", MAPPING_SQS | KAFKAS, false},
};

enum mapping_kind mapping_kind_of(struct hg_str source, bool is_self_managed)
{
    static const struct {
        const char *service;
        enum mapping_kind kind;
    } services[] = {
        {"sqs", MAPPING_SQS},   {"kinesis", MAPPING_KINESIS}, {"dynamodb", MAPPING_DYNAMODB},
        {"kafka", MAPPING_MSK}, {"mq", MAPPING_MQ},           {"rds", MAPPING_DOCUMENTDB},
    };
    struct hg_str part;

    if (source.n == 0)
        return is_self_managed ? MAPPING_KAFKA : MAPPING_UNKNOWN;
    /* arn:aws:SERVICE:… */
    for (unsigned i = 0; i < 3; i++)
        if (!hg_str_next(&source, ':', &part))
            return MAPPING_UNKNOWN;
    for (size_t i = 0; i < HG_COUNT(services); i++)
        if (hg_str_is(part, services[i].service))
            return services[i].kind;
    return MAPPING_UNKNOWN;
}

const char *mapping_user_reason(enum mapping_kind kind)
{
    return kind & (MAPPING_SQS | MAPPING_KAFKA) ? "USER_INITIATED" : "User action";
}

static bool is_empty(const cJSON *item)
{
    return (cJSON_IsArray(item) || cJSON_IsObject(item)) && !item->child;
}

static void set(cJSON *settings, const char *name, cJSON *item)
{
    cJSON_DeleteItemFromObjectCaseSensitive(settings, name);
    (void)cJSON_AddItemToObject(settings, name, item);
}

static enum hg_rc refuse_member(struct hg_api_change *change, const char *name)
{
    return change_refuse(change, HG_API_INVALID_PARAMETER,
                         "Unsupported %s parameter for given event source mapping type.", name);
}

/* Members that the kind does not take; empty ones are as if not given. */
static enum hg_rc check_members(struct hg_api_change *change, enum mapping_kind kind)
{
    for (size_t i = 0; i < HG_COUNT(members); i++) {
        const cJSON *item = input_get(change->input, members[i].name);

        if (!item || is_empty(item) || (members[i].kinds & kind))
            continue;
        if (kind == MAPPING_SQS && strcmp(members[i].name, "StartingPosition") == 0)
            return change_refuse(change, HG_API_INVALID_PARAMETER,
                                 "StartingPosition is not valid for SQS event sources.");
        return refuse_member(change, members[i].name);
    }
    return HG_OK;
}

/* A pattern is an object whose leaves are arrays with something in them. */
static bool is_pattern(const cJSON *pattern)
{
    const cJSON *item;

    if (!cJSON_IsObject(pattern))
        return false;
    cJSON_ArrayForEach(item, pattern)
    {
        if (cJSON_IsArray(item) ? !item->child : !is_pattern(item))
            return false;
    }
    return true;
}

static enum hg_rc check_filters(struct hg_api_change *change)
{
    const cJSON *filters = input_get(input_get(change->input, "FilterCriteria"), "Filters"),
                *filter;

    if (cJSON_GetArraySize(filters) > FILTERS_MAX)
        return change_refuse(change, HG_API_INVALID_PARAMETER,
                             "FilterCriteria can have at most %d filters.", FILTERS_MAX);
    cJSON_ArrayForEach(filter, filters)
    {
        const struct hg_str text = input_str(filter, "Pattern");
        cJSON *pattern = NULL;
        bool is_good;

        /* cJSON alone would let more pass as JSON than the service does. */
        if (text.p && hg_json_parse(text, NULL).kind != HG_JSON_BAD)
            pattern = cJSON_ParseWithLength(text.p, text.n);
        is_good = is_pattern(pattern);
        cJSON_Delete(pattern);
        if (!is_good)
            return change_refuse(change, HG_API_INVALID_PARAMETER,
                                 "Invalid filter pattern definition.");
    }
    return HG_OK;
}

static void add_defaults(cJSON *settings, enum mapping_kind kind, struct hg_str uuid)
{
    (void)cJSON_AddNumberToObject(settings, "BatchSize", kind == MAPPING_SQS ? 10 : 100);
    if (kind & (MAPPING_SQS | STREAMS)) {
        (void)cJSON_AddNumberToObject(settings, "MaximumBatchingWindowInSeconds", 0);
        (void)cJSON_AddArrayToObject(settings, "FunctionResponseTypes");
    }
    if (kind != MAPPING_SQS)
        (void)cJSON_AddStringToObject(settings, "LastProcessingResult", "No records processed");
    if (kind & STREAMS) {
        (void)cJSON_AddNumberToObject(settings, "ParallelizationFactor", 1);
        (void)cJSON_AddObjectToObject(cJSON_AddObjectToObject(settings, "DestinationConfig"),
                                      "OnFailure");
        (void)cJSON_AddNumberToObject(settings, "MaximumRecordAgeInSeconds", -1);
        (void)cJSON_AddBoolToObject(settings, "BisectBatchOnFunctionError", false);
        (void)cJSON_AddNumberToObject(settings, "MaximumRetryAttempts", -1);
        (void)cJSON_AddNumberToObject(settings, "TumblingWindowInSeconds", 0);
    }
    if (kind == MAPPING_KAFKA)
        (void)cJSON_AddStringToObject(settings, "StartingPosition", "TRIM_HORIZON");
    if (kind & KAFKAS)
        (void)cJSON_AddStringToObject(
            cJSON_AddObjectToObject(settings, kind == MAPPING_MSK
                                                  ? "AmazonManagedKafkaEventSourceConfig"
                                                  : "SelfManagedKafkaEventSourceConfig"),
            "ConsumerGroupId", uuid.p);
}

/* The consumer group of a mapping stays what it is; the other members of its object replace. */
static enum hg_rc apply_consumer(struct hg_api_change *change, bool is_new, const char *name,
                                 const cJSON *given, cJSON *settings)
{
    const cJSON *former = input_get(settings, name);
    struct hg_str group = input_str(former, "ConsumerGroupId"),
                  wanted = input_str(given, "ConsumerGroupId");
    cJSON *next = cJSON_Duplicate(given, true);

    if (!wanted.p && group.p)
        (void)cJSON_AddStringToObject(next, "ConsumerGroupId", group.p);
    if (!is_new && wanted.p && !hg_str_eq(group, wanted)) {
        cJSON_Delete(next);
        return change_refuse(change, HG_API_INVALID_PARAMETER,
                             "ConsumerGroupId can not be changed after the creation of the event "
                             "source mapping.");
    }
    set(settings, name, next);
    return HG_OK;
}

static enum hg_rc apply_member(struct hg_api_change *change, bool is_new, const char *name,
                               const cJSON *given, cJSON *settings)
{
    bool may_be_empty =
        strcmp(name, "FunctionResponseTypes") == 0 || strcmp(name, "DestinationConfig") == 0;

    if (strstr(name, "KafkaEventSourceConfig"))
        return apply_consumer(change, is_new, name, given, settings);
    if (strcmp(name, "DestinationConfig") == 0) {
        cJSON *destination;

        if (input_has(given, "OnSuccess") && !is_empty(input_get(given, "OnSuccess")))
            return refuse_member(change, "DestinationConfig.OnSuccess");
        destination = cJSON_Duplicate(given, true);
        cJSON_DeleteItemFromObjectCaseSensitive(destination, "OnSuccess");
        if (!input_has(destination, "OnFailure"))
            (void)cJSON_AddObjectToObject(destination, "OnFailure");
        set(settings, name, destination);
        return HG_OK;
    }
    /* An empty object or list takes away; so does a list of filters or an ARN without anything in it. */
    if ((is_empty(given) && !may_be_empty) ||
        (strcmp(name, "FilterCriteria") == 0 && !cJSON_GetArraySize(input_get(given, "Filters"))) ||
        (cJSON_IsString(given) && !given->valuestring[0])) {
        cJSON_DeleteItemFromObjectCaseSensitive(settings, name);
        return HG_OK;
    }
    set(settings, name, cJSON_Duplicate(given, true));
    return HG_OK;
}

static enum hg_rc apply_members(struct hg_api_change *change, bool is_new, enum mapping_kind kind,
                                cJSON *settings)
{
    for (size_t i = 0; i < HG_COUNT(members); i++) {
        const cJSON *given = input_get(change->input, members[i].name);
        enum hg_rc rc;

        if (!given || !(members[i].kinds & kind) || (members[i].is_fixed && !is_new))
            continue;
        rc = apply_member(change, is_new, members[i].name, given, settings);
        if (rc != HG_OK)
            return rc;
    }
    return HG_OK;
}

static enum hg_rc check_start(struct hg_api_change *change, enum mapping_kind kind,
                              struct hg_str source, const cJSON *settings)
{
    struct hg_str position = input_str(settings, "StartingPosition");
    const cJSON *time = input_get(settings, "StartingPositionTimestamp");

    if (!(kind & (STREAMS | KAFKAS | MAPPING_DOCUMENTDB)))
        return HG_OK;
    if (!position.p)
        return change_refuse(change, HG_API_INVALID_PARAMETER,
                             "1 validation error detected: Value null at 'startingPosition' failed "
                             "to satisfy constraint: Member must not be null.");
    if (!hg_str_is(position, "AT_TIMESTAMP")) {
        if (time)
            return change_refuse(change, HG_API_INVALID_PARAMETER,
                                 "StartingPositionTimestamp is only valid with the starting "
                                 "position AT_TIMESTAMP.");
        return HG_OK;
    }
    if (kind == MAPPING_DYNAMODB)
        return change_refuse(change, HG_API_INVALID_PARAMETER,
                             "Unsupported starting position for arn type: %.*s",
                             HG_STR_ARG(source));
    if (!time)
        return change_refuse(change, HG_API_INVALID_PARAMETER,
                             "StartingPositionTimestamp is required with the starting position "
                             "AT_TIMESTAMP.");
    if (time->valuedouble * 1000 > (double)hg_wall_ms())
        return change_refuse(change, HG_API_INVALID_PARAMETER,
                             "StartingPositionTimestamp must not be in the future.");
    return HG_OK;
}

static enum hg_rc check_kafka(struct hg_api_change *change, enum mapping_kind kind,
                              const cJSON *settings)
{
    if ((kind & KAFKAS) && !input_has(settings, "Topics"))
        return change_refuse(change, HG_API_INVALID_PARAMETER,
                             "Required 'topics' parameter is missing.");
    if (kind == MAPPING_KAFKA && !input_has(settings, "SourceAccessConfigurations"))
        return change_refuse(change, HG_API_INVALID_PARAMETER,
                             "Required 'sourceAccessConfigurations' parameter is missing.");
    if (kind == MAPPING_MQ && !input_has(settings, "Queues"))
        return change_refuse(change, HG_API_INVALID_PARAMETER,
                             "Required 'queues' parameter is missing.");
    if (kind == MAPPING_MQ && !input_has(settings, "SourceAccessConfigurations"))
        return change_refuse(change, HG_API_INVALID_PARAMETER,
                             "Required 'sourceAccessConfigurations' parameter is missing.");
    return HG_OK;
}

static enum hg_rc check_batch(struct hg_api_change *change, enum mapping_kind kind,
                              struct hg_str source, const cJSON *settings)
{
    int64_t batch = input_i64(settings, "BatchSize", 0),
            window = input_i64(settings, "MaximumBatchingWindowInSeconds", 0);
    bool is_fifo = hg_str_ends(source, HG_STR(".fifo"));

    if (kind != MAPPING_SQS)
        return HG_OK;
    if (is_fifo && batch > SQS_PLAIN_BATCH_MAX)
        return change_refuse(change, HG_API_INVALID_PARAMETER,
                             "The batch size of a FIFO queue must be at most %d.",
                             SQS_PLAIN_BATCH_MAX);
    if (is_fifo && window)
        return change_refuse(change, HG_API_INVALID_PARAMETER,
                             "Batching window is not supported for FIFO queues.");
    if (batch > SQS_PLAIN_BATCH_MAX && window == 0)
        return change_refuse(change, HG_API_INVALID_PARAMETER,
                             "Maximum batch window in seconds must be greater than 0 if maximum "
                             "batch size is greater than 10");
    return HG_OK;
}

static enum hg_rc check_ranges(struct hg_api_change *change, enum mapping_kind kind,
                               const cJSON *settings)
{
    const cJSON *pollers = input_get(settings, "ProvisionedPollerConfig");
    int64_t age = input_i64(settings, "MaximumRecordAgeInSeconds", -1),
            least = input_i64(pollers, "MinimumPollers", SQS_POLLERS_MIN),
            most = input_i64(pollers, "MaximumPollers", 200);

    if (age != -1 && age < RECORD_AGE_MIN)
        return change_refuse(change, HG_API_INVALID_PARAMETER,
                             "MaximumRecordAgeInSeconds must be -1 or at least %d.",
                             RECORD_AGE_MIN);
    if (kind == MAPPING_SQS && (least < SQS_POLLERS_MIN || most < SQS_POLLERS_MIN))
        return change_refuse(change, HG_API_INVALID_PARAMETER,
                             "MinimumPollers and MaximumPollers must be at least %d for SQS event "
                             "sources.",
                             SQS_POLLERS_MIN);
    if (least > most)
        return change_refuse(change, HG_API_INVALID_PARAMETER,
                             "MinimumPollers must be less than or equal to MaximumPollers.");
    return HG_OK;
}

enum hg_rc mapping_apply(struct hg_api_change *change, enum mapping_kind kind, struct hg_str source,
                         bool is_new, cJSON *settings)
{
    enum hg_rc rc = check_members(change, kind);

    if (rc == HG_OK)
        rc = check_filters(change);
    if (rc == HG_OK && is_new)
        add_defaults(settings, kind, *(const struct hg_str *)change->user);
    if (rc == HG_OK)
        rc = apply_members(change, is_new, kind, settings);
    if (rc == HG_OK && is_new)
        rc = check_start(change, kind, source, settings);
    if (rc == HG_OK && is_new)
        rc = check_kafka(change, kind, settings);
    if (rc == HG_OK)
        rc = check_batch(change, kind, source, settings);
    return rc == HG_OK ? check_ranges(change, kind, settings) : rc;
}
