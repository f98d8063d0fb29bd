/*
 * Inputs of the Lambda API: the service's words for what its model does not allow (function-api.md §2, §7 to §11).
 */
#include "api/input_parts.h"
#include "tests/unit/unit.h"

struct request {
    struct hg_str params[3];
    const char *query, *body;
    struct hg_header headers[2];
    size_t header_count;
};

/* NULL: it is good. Otherwise "NAME: message", to be freed by the next call. */
static const char *fault_of(enum model_op_id op, struct request request)
{
    static char text[8192];
    struct input_source source = {
        .params = request.params,
        .query = hg_str_of(request.query),
        .body = hg_str_of(request.body),
        .headers = request.headers,
        .header_count = request.header_count,
    };
    struct input_fault fault;
    cJSON *input;
    bool is_good;

    input_fault_init(&fault);
    input = input_gather(&model_ops[op], &source, &fault);
    is_good = input && input_check(&model_ops[op], input, &fault) &&
              input_check_offered(&model_ops[op], input, &fault);
    (void)snprintf(text, sizeof(text), "%s: %.*s",
                   fault.error == HG_API_SERIALIZATION ? "Serialization"
                   : fault.error == HG_API_VALIDATION  ? "Validation"
                                                       : "InvalidParameter",
                   HG_STR_ARG(hg_buf_str(&fault.text)));
    cJSON_Delete(input);
    input_fault_fini(&fault);
    return is_good ? NULL : text;
}

#define create(members) \
    fault_of(HG_MODEL_CreateFunction, \
             (struct request){ \
                 .body = "{\"FunctionName\":\"f\",\"Role\":\"arn:aws:iam::111122223333:role/r\"," \
                         "\"Code\":{\"ZipFile\":\"AAAA\"}" members "}"})

#define expect(call, wanted) \
    assert_string_equal((call), "Validation: 1 validation error detected: " wanted)

static void test_good(void **state)
{
    (void)state;
    assert_null(create(""));
    assert_null(
        create(",\"Timeout\":900,\"MemorySize\":128,\"Handler\":null,\"Unknown\":{\"x\":[1]}"));
    assert_null(create(",\"Tags\":{\"k\u00e9\":\"v w\"},\"Environment\":{\"Variables\":{}}"));
    assert_null(create(",\"DeadLetterConfig\":{\"TargetArn\":\"\"}"));
    assert_null(create(",\"FileSystemConfigs\":[]"));
}

static void test_scalars(void **state)
{
    (void)state;
    expect(
        fault_of(HG_MODEL_CreateFunction,
                 (struct request){.body = "{\"FunctionName\":\"f\",\"Role\":\"r1\",\"Code\":{}}"}),
        "Value 'r1' at 'role' failed to satisfy constraint: Member must satisfy regular expression pattern: "
        "arn:(aws[a-zA-Z-]*)?:iam::\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+");
    expect(create(",\"Timeout\":901"),
           "Value '901' at 'timeout' failed to satisfy constraint: Member must have "
           "value less than or equal to 900");
    expect(create(",\"Timeout\":0"),
           "Value '0' at 'timeout' failed to satisfy constraint: Member must have value "
           "greater than or equal to 1");
    expect(create(",\"MemorySize\":127"),
           "Value '127' at 'memorySize' failed to satisfy constraint: Member must "
           "have value greater than or equal to 128");
    expect(
        create(",\"EphemeralStorage\":{\"Size\":511}"),
        "Value '511' at 'ephemeralStorage.size' failed to satisfy constraint: Member must have value greater "
        "than or equal to 512");
    expect(
        create(",\"SnapStart\":{\"ApplyOn\":\"invalidOption\"}"),
        "Value 'invalidOption' at 'snapStart.applyOn' failed to satisfy constraint: Member must satisfy enum "
        "value set: [PublishedVersions, None]");
    expect(
        create(",\"KMSKeyArn\":\"k\""),
        "Value 'k' at 'kMSKeyArn' failed to satisfy constraint: Member must satisfy regular expression pattern: "
        "(arn:(aws[a-zA-Z-]*)?:[a-z0-9-.]+:.*)|()");
    expect(
        fault_of(HG_MODEL_PutFunctionRecursionConfig,
                 (struct request){.params = {HG_STR("f")},
                                  .body = "{\"RecursiveLoop\":\"InvalidValue\"}"}),
        "Value 'InvalidValue' at 'recursiveLoop' failed to satisfy constraint: Member must satisfy enum value "
        "set: [Terminate, Allow]");
    expect(
        fault_of(HG_MODEL_CreateFunctionUrlConfig,
                 (struct request){.params = {HG_STR("f")},
                                  .body = "{\"AuthType\":\"NONE\",\"InvokeMode\":\"UNKNOWN\"}"}),
        "Value 'UNKNOWN' at 'invokeMode' failed to satisfy constraint: Member must satisfy enum value set: "
        "[RESPONSE_STREAM, BUFFERED]");
}

static void test_names(void **state)
{
    (void)state;
    expect(
        fault_of(HG_MODEL_CreateFunction,
                 (struct request){
                     .body =
                         "{\"FunctionName\":\"a b\",\"Role\":\"arn:aws:iam::111122223333:role/r\","
                         "\"Code\":{}}"}),
        "Value 'a b' at 'functionName' failed to satisfy constraint: Member must satisfy regular expression "
        "pattern: (arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?"
        "(\\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\\$LATEST|[a-zA-Z0-9-_]+))?");
    expect(
        fault_of(HG_MODEL_CreateFunctionUrlConfig,
                 (struct request){.params = {HG_STR("f")},
                                  .query = "Qualifier=1",
                                  .body = "{\"AuthType\":\"NONE\"}"}),
        "Value '1' at 'qualifier' failed to satisfy constraint: Member must satisfy regular expression pattern: "
        "((?!^\\d+$)^[0-9a-zA-Z-_]+$)");
    expect(
        fault_of(HG_MODEL_CreateAlias,
                 (struct request){.params = {HG_STR("f")},
                                  .body = "{\"Name\":\"12\",\"FunctionVersion\":\"1\"}"}),
        "Value '12' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: "
        "(?!^[0-9]+$)([a-zA-Z0-9-_]+)");
    expect(
        fault_of(HG_MODEL_ListFunctions, (struct request){.query = "FunctionVersion=ONE"}),
        "Value 'ONE' at 'functionVersion' failed to satisfy constraint: Member must satisfy enum value set: [ALL]");
    assert_null(
        fault_of(HG_MODEL_GetFunction,
                 (struct request){
                     .params = {HG_STR("arn:aws:lambda:eu-west-1:111122223333:function:f:live")},
                     .query = "Qualifier=%24LATEST"}));
}

static void test_lists(void **state)
{
    (void)state;
    expect(
        create(",\"Architectures\":[\"x86_64\",\"arm64\"]"),
        "Value '[x86_64, arm64]' at 'architectures' failed to satisfy constraint: Member must have length less "
        "than or equal to 1");
    expect(
        create(",\"Architectures\":[\"X86_64\"]"),
        "Value '[X86_64]' at 'architectures' failed to satisfy constraint: Member must satisfy constraint: "
        "[Member must satisfy enum value set: [x86_64, arm64], Member must not be null]");
    expect(
        create(",\"Layers\":[\"arn:aws:lambda:eu-west-1:111122223333:layer:l\"]"),
        "Value '[arn:aws:lambda:eu-west-1:111122223333:layer:l]' at 'layers' failed to satisfy constraint: Member "
        "must satisfy constraint: [Member must have length less than or equal to 2048, Member must have length "
        "greater than or equal to 1, Member must satisfy regular expression pattern: ((arn:(aws[a-zA-Z-]*)?:"
        "lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:\\d{12}:layer:[a-zA-Z0-9-_]+:[0-9]+)|"
        "(arn:[a-zA-Z0-9-]+:lambda:::awslayer:[a-zA-Z0-9-_]+)), Member must not be null]");
    expect(
        create(",\"VpcConfig\":{\"SubnetIds\":[\"bad\"]}"),
        "Value '[bad]' at 'vpcConfig.subnetIds' failed to satisfy constraint: Member must satisfy constraint: "
        "[Member must have length less than or equal to 1024, Member must have length greater than or equal to 0, "
        "Member must satisfy regular expression pattern: subnet-[0-9a-z]*, Member must not be null]");
    expect(fault_of(HG_MODEL_UntagResource,
                    (struct request){
                        .params = {HG_STR("arn:aws:lambda:eu-west-1:111122223333:function:f")}}),
           "Value null at 'tagKeys' failed to satisfy constraint: Member must not be null");
    assert_null(fault_of(
        HG_MODEL_UntagResource,
        (struct request){.params = {HG_STR("arn:aws:lambda:eu-west-1:111122223333:function:f")},
                         .query = "tagKeys=a&tagKeys=b%20c"}));
}

static void test_maps(void **state)
{
    static const char alias[] = "{\"Name\":\"live\",\"FunctionVersion\":\"1\",\"RoutingConfig\":"
                                "{\"AdditionalVersionWeights\":{\"2\":2.0}}}";
    static const char latest[] = "{\"Name\":\"live\",\"FunctionVersion\":\"1\",\"RoutingConfig\":"
                                 "{\"AdditionalVersionWeights\":{\"$LATEST\":0.5}}}";

    (void)state;
    expect(
        fault_of(HG_MODEL_CreateAlias, (struct request){.params = {HG_STR("f")}, .body = alias}),
        "Value '{2=2.0}' at 'routingConfig.additionalVersionWeights' failed to satisfy constraint: Map value must "
        "satisfy constraint: [Member must have value less than or equal to 1.0, Member must have value greater "
        "than or equal to 0.0, Member must not be null]");
    expect(
        fault_of(HG_MODEL_CreateAlias, (struct request){.params = {HG_STR("f")}, .body = latest}),
        "Value '{$LATEST=0.5}' at 'routingConfig.additionalVersionWeights' failed to satisfy constraint: Map keys "
        "must satisfy constraint: [Member must have length less than or equal to 1024, Member must have length "
        "greater than or equal to 1, Member must satisfy regular expression pattern: [0-9]+]");
    /* The values of environments are not repeated. */
    expect(
        create(",\"Environment\":{\"Variables\":{\"1\":\"secret\"}}"),
        "Value at 'environment.variables' failed to satisfy constraint: Map keys must satisfy constraint: [Member "
        "must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+]");
}

static void test_several(void **state)
{
    (void)state;
    assert_string_equal(
        create(",\"Timeout\":0,\"MemorySize\":1"),
        "Validation: 2 validation errors detected: Value '0' at 'timeout' failed to satisfy constraint: Member must "
        "have value greater than or equal to 1; Value '1' at 'memorySize' failed to satisfy constraint: Member must "
        "have value greater than or equal to 128");
    expect(fault_of(HG_MODEL_CreateFunction,
                    (struct request){.body = "{\"FunctionName\":\"f\",\"Code\":{}}"}),
           "Value null at 'role' failed to satisfy constraint: Member must not be null");
}

/* A member of a list of structures has its place in its path. */
static void test_nested_structures(void **state)
{
    (void)state;
    expect(
        fault_of(HG_MODEL_CreateEventSourceMapping,
                 (struct request){.body = "{\"FunctionName\":\"f\",\"SourceAccessConfigurations\":"
                                          "[{\"Type\":\"BASIC_AUTH\"},{\"URI\":\"\"}]}"}),
        "Value '' at 'sourceAccessConfigurations.2.member.uRI' failed to satisfy constraint: Member must have "
        "length greater than or equal to 1");
    assert_non_null(fault_of(
        HG_MODEL_CreateEventSourceMapping,
        (struct request){.body = "{\"FunctionName\":\"f\",\"SelfManagedEventSource\":"
                                 "{\"Endpoints\":{\"KAFKA_BOOTSTRAP_SERVERS\":[\"x\"]}}}"}));
}

static void test_wrong_types(void **state)
{
    (void)state;
    assert_string_equal(
        create(",\"Handler\":5"),
        "Serialization: NUMBER_VALUE can not be converted to a String: member 'handler'");
    assert_string_equal(
        create(",\"Timeout\":\"3\""),
        "Serialization: STRING_VALUE can not be converted to an Integer: member 'timeout'");
    assert_string_equal(create(",\"Timeout\":2147483648"),
                        "Serialization: The number is out of range: member 'timeout'");
    assert_string_equal(create(",\"Timeout\":1.5"),
                        "Serialization: NUMBER_VALUE with a fraction can not be converted "
                        "to an Integer: member 'timeout'");
    assert_string_equal(
        create(",\"Publish\":\"true\""),
        "Serialization: STRING_VALUE can not be converted to a Boolean: member 'publish'");
    assert_string_equal(
        create(",\"TracingConfig\":5"),
        "Serialization: NUMBER_VALUE can not be converted to a Map: member 'tracingConfig'");
    assert_string_equal(
        create(",\"Layers\":{}"),
        "Serialization: Start of structure or map found where not expected: member 'layers'");
    assert_string_equal(
        create(",\"Description\":[]"),
        "Serialization: Start of list found where not expected: member 'description'");
    assert_string_equal(
        create(",\"Description\":\"a\\u0000b\""),
        "Serialization: A text with the character U+0000 can not be converted to a String: member "
        "'description'");
    assert_string_equal(fault_of(HG_MODEL_CreateFunction, (struct request){.body = "[]"}),
                        "Serialization: The request body must be a JSON object");
    assert_string_equal(
        fault_of(HG_MODEL_UpdateFunctionCode,
                 (struct request){.params = {HG_STR("f")}, .body = "{\"ZipFile\":\"%%%%\"}"}),
        "Serialization: The value is not base64 and can not be converted to a Blob: member 'zipFile'");
    assert_string_equal(
        fault_of(HG_MODEL_ListFunctions, (struct request){.query = "MaxItems=ten"}),
        "Serialization: STRING_VALUE can not be converted to an Integer: member 'maxItems'");
    assert_memory_equal(fault_of(HG_MODEL_CreateFunction, (struct request){.body = "{\"a\":"}),
                        "Serialization: ", 15);
}

static void test_refused(void **state)
{
    (void)state;
    assert_string_equal(
        create(",\"TenancyConfig\":{\"TenantIsolationMode\":\"PER_TENANT\"}"),
        "InvalidParameter: TenancyConfig is not supported by Headgate: environments are not kept apart "
        "by tenant: leave it out");
    assert_string_equal(
        fault_of(HG_MODEL_UpdateFunctionCode,
                 (struct request){.params = {HG_STR("f")},
                                  .body = "{\"S3ObjectStorageMode\":\"REFERENCE\"}"}),
        "InvalidParameter: S3ObjectStorageMode REFERENCE is not supported by Headgate: code is always "
        "copied from its bucket: use COPY");
}

static void test_places(void **state)
{
    struct hg_str params[] = {HG_STR("l"), HG_STR("-1"), HG_STR("s")};
    struct input_source source = {
        .params = params, .query = HG_STR("RevisionId=r%2B1"), .body = HG_STR("ignored")};
    struct input_fault fault;
    cJSON *input;

    (void)state;
    input_fault_init(&fault);
    input = input_gather(&model_ops[HG_MODEL_RemoveLayerVersionPermission], &source, &fault);
    assert_non_null(input);
    assert_string_equal(cJSON_GetObjectItemCaseSensitive(input, "LayerName")->valuestring, "l");
    assert_int_equal(cJSON_GetObjectItemCaseSensitive(input, "VersionNumber")->valuedouble, -1);
    assert_string_equal(cJSON_GetObjectItemCaseSensitive(input, "StatementId")->valuestring, "s");
    assert_string_equal(cJSON_GetObjectItemCaseSensitive(input, "RevisionId")->valuestring, "r+1");
    cJSON_Delete(input);
    input_fault_fini(&fault);
}

/* The last of equal names counts. */
static void test_duplicates(void **state)
{
    struct hg_str params[] = {HG_STR("f")};
    struct input_source source = {
        .params = params,
        .body = HG_STR(
            "{\"Handler\":\"a\",\"Handler\":\"b\",\"Environment\":{\"Variables\":{\"AA\":\"1\",\"AA\":\"2\"}}}")};
    struct input_fault fault;
    cJSON *input, *variables;

    (void)state;
    input_fault_init(&fault);
    input = input_gather(&model_ops[HG_MODEL_UpdateFunctionConfiguration], &source, &fault);
    assert_non_null(input);
    assert_string_equal(cJSON_GetObjectItemCaseSensitive(input, "Handler")->valuestring, "b");
    variables = cJSON_GetObjectItemCaseSensitive(
        cJSON_GetObjectItemCaseSensitive(input, "Environment"), "Variables");
    assert_int_equal(cJSON_GetArraySize(variables), 1);
    assert_string_equal(variables->child->valuestring, "2");
    cJSON_Delete(input);
    input_fault_fini(&fault);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_scalars),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_maps),
        cmocka_unit_test(test_several),
        cmocka_unit_test(test_nested_structures),
        cmocka_unit_test(test_wrong_types),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_duplicates),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
