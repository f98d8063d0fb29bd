/*
 * EventInvokeConfig, DeadLetterQueue, DeadLetterConfig and RecursiveLoop of templates (sam-templates.md §3.1, async.md §3 to §5).
 */
#include "tests/unit/config/transform_case.h"

#include <stdio.h>

#define CODE \
    "      Runtime: python3.12\n      Handler: index.h\n      InlineCode: \"def h(e, c): return 1\"\n"
#define OTHERS \
    "  Queue: {Type: AWS::SQS::Queue}\n" \
    "  Fifo: {Type: AWS::SQS::Queue, Properties: {FifoQueue: true}}\n" \
    "  Topic: {Type: AWS::SNS::Topic}\n" \
    "  Bus: {Type: AWS::Events::EventBus, Properties: {Name: results}}\n" \
    "  Bucket: {Type: AWS::S3::Bucket, Properties: {BucketName: pail}}\n" \
    "  Stream: {Type: AWS::Kinesis::Stream}\n" \
    "  Audit:\n    Type: AWS::Serverless::Function\n    Properties:\n" CODE

/* A template with a function F whose Properties, after three lines of code, are these lines: they begin at line 8. */
static const char *function(const char *properties)
{
    static char text[8192];

    (void)snprintf(text, sizeof(text),
                   "Resources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties:\n" CODE
                   "%s" OTHERS,
                   properties);
    return text;
}

static void expect(void **state, const char *properties, const char *only, const char *expected)
{
    case_expect(*state, function(properties), only, expected);
}

#define SETTING "setting problem unknown warning"

static void test_values(void **state)
{
    expect(state, "      EventInvokeConfig:\n        MaximumRetryAttempts: 0\n", SETTING,
           "setting 8: F:$LATEST retries=0\n");
    expect(state,
           "      EventInvokeConfig: {MaximumEventAgeInSeconds: \"60\", MaximumRetryAttempts: 2}\n",
           SETTING, "setting 8: F:$LATEST retries=2 age=60\n");
    expect(state, "      EventInvokeConfig: {MaximumEventAgeInSeconds: 21600}\n", SETTING,
           "setting 8: F:$LATEST age=21600\n");
    expect(state,
           "      EventInvokeConfig: {MaximumRetryAttempts: 1}\n      FunctionName: orders\n",
           SETTING, "setting 8: orders:$LATEST retries=1\n");
    expect(state,
           "      EventInvokeConfig: {MaximumRetryAttempts: 1}\n      AutoPublishAlias: live\n",
           SETTING, "setting 8: F:live retries=1\n");
}

static void test_wrong_values(void **state)
{
    expect(
        state, "      EventInvokeConfig:\n        MaximumRetryAttempts: 3\n", SETTING,
        "problem 9: F: EventInvokeConfig.MaximumRetryAttempts must be a whole number from 0 to 2, not 3\n");
    expect(
        state,
        "      EventInvokeConfig:\n        MaximumEventAgeInSeconds: 59\n"
        "        MaximumRetryAttempts: -1\n",
        SETTING,
        "problem 9: F: EventInvokeConfig.MaximumEventAgeInSeconds must be a whole number from 60 to 21600, not 59\n"
        "problem 10: F: EventInvokeConfig.MaximumRetryAttempts must be a whole number from 0 to 2, not -1\n");
    expect(state, "      EventInvokeConfig: yes\n", SETTING,
           "problem 8: F: EventInvokeConfig must be a map\n");
    expect(
        state, "      EventInvokeConfig: {}\n", SETTING,
        "problem 8: F: EventInvokeConfig: You must specify at least one of error handling or destination setting.\n");
    expect(
        state, "      EventInvokeConfig: {MaximumRetryAttempts: 1, MaximumRetryAttempt: 1}\n",
        SETTING,
        "setting 8: F:$LATEST retries=1\n"
        "unknown 8: F: unknown property MaximumRetryAttempt of EventInvokeConfig; did you mean MaximumRetryAttempts?\n");
}

#define DESTINATION(outcome, target) \
    "      EventInvokeConfig:\n        DestinationConfig:\n          " outcome ": " target "\n"

static void test_targets(void **state)
{
    static const struct {
        const char *destination, *expected;
    } cases[] = {
        {"{Type: SQS, Destination: !GetAtt Queue.Arn}",
         "arn:aws:sqs:us-east-1:000000000000:local-Queue"},
        {"{Type: SNS, Destination: !Ref Topic}", "arn:aws:sns:us-east-1:000000000000:local-Topic"},
        {"{Type: EventBridge, Destination: !GetAtt Bus.Arn}",
         "arn:aws:events:us-east-1:000000000000:event-bus/results"},
        {"{Type: S3Bucket, Destination: !GetAtt Bucket.Arn}", "arn:aws:s3:::pail"},
        {"{Type: Lambda, Destination: !GetAtt Audit.Arn}",
         "arn:aws:lambda:us-east-1:000000000000:function:Audit"},
        {"{Type: SQS, Destination: !Sub \"arn:aws:sqs:${AWS::Region}:111122223333:far\"}",
         "arn:aws:sqs:us-east-1:111122223333:far"},
        {"{Type: SQS}",
         "arn:aws:sqs:us-east-1:000000000000:local-FEventInvokeConfigOnFailureQueue"},
        {"{Type: SNS}",
         "arn:aws:sns:us-east-1:000000000000:local-FEventInvokeConfigOnFailureTopic"},
        {"{Destination: kafka://orders.failed}", "kafka://orders.failed"},
        {"{Destination: \"redis://127.0.0.1:6379/0?list=failed\"}",
         "redis://127.0.0.1:6379/0?list=failed"},
        {"{Destination: https://example.com/hook}", "https://example.com/hook"},
        {"{Destination: file:///var/records}", "file:///var/records"},
    };
    char properties[512], expected[512];

    for (size_t i = 0; i < HG_COUNT(cases); i++) {
        (void)snprintf(properties, sizeof(properties), DESTINATION("OnFailure", "%s"),
                       cases[i].destination);
        (void)snprintf(expected, sizeof(expected), "setting 8: F:$LATEST failure=%s\n",
                       cases[i].expected);
        expect(state, properties, SETTING, expected);
    }
    expect(state, DESTINATION("OnSuccess", "{Type: SQS}"), SETTING,
           "setting 8: F:$LATEST "
           "success=arn:aws:sqs:us-east-1:000000000000:local-FEventInvokeConfigOnSuccessQueue\n");
}

static void test_wrong_targets(void **state)
{
#define AT "F: EventInvokeConfig.DestinationConfig.OnSuccess.Destination"
    static const struct {
        const char *destination, *expected;
    } cases[] = {
        {"{Type: SQS, Destination: !Ref Queue}", AT
         " must be an ARN, not https://sqs.us-east-1.amazonaws.com/000000000000/local-Queue: use !GetAtt Queue.Arn"},
        {"{Type: EventBridge, Destination: !Ref Bus}",
         AT " must be an ARN, not results: use !GetAtt Bus.Arn"},
        {"{Type: SQS, Destination: failed}", AT
         " must be an ARN, or start with kafka://, redis://, rediss://, http://, https:// or file:///, not failed"},
        {"{Type: SQS, Destination: !Ref Topic}",
         AT ": Type SQS does not fit arn:aws:sns:us-east-1:000000000000:local-Topic"},
        {"{Type: SQS, Destination: kafka://t}",
         AT ": Type SQS does not fit kafka://t, which needs no Type"},
        {"{Type: SQS, Destination: !GetAtt Fifo.Arn}", AT
         " cannot be arn:aws:sqs:us-east-1:000000000000:local-Fifo.fifo: FIFO queues and topics take no records"},
        {"{Type: S3Bucket, Destination: !GetAtt Bucket.Arn}", AT
         " cannot be arn:aws:s3:::pail: it takes SQS, SNS, Lambda, EventBridge; S3 buckets take failures only"},
        {"{Type: Lambda, Destination: !GetAtt F.Arn}",
         AT ": You can't specify the function as a destination for itself."},
        {"{Type: Lambda, Destination: \"arn:aws:lambda:us-east-1:000000000000:function:none\"}", AT
         ": The destination ARN arn:aws:lambda:us-east-1:000000000000:function:none is invalid: the template has no such function"},
        {"{Destination: kafka://.t}", AT
         " cannot be kafka://.t: a topic has 1 to 249 letters, digits, '.', '_' and '-', and does not start with '.'"},
        {"{Destination: !GetAtt Queue.Arn}",
         "Resource with id [F] is invalid. 'Type: None' must be one of ['SQS', 'SNS', 'EventBridge', 'Lambda', 'S3Bucket']"},
        {"{Type: Kinesis, Destination: !GetAtt Stream.Arn}",
         "Resource with id [F] is invalid. 'Type: Kinesis' must be one of ['SQS', 'SNS', 'EventBridge', 'Lambda', 'S3Bucket']"},
        {"{Type: Lambda}",
         "Resource with id [F] is invalid. Destination is required if Type is not ['SQS', 'SNS']"},
        {"here", "F: EventInvokeConfig.DestinationConfig.OnSuccess must be a map"},
        {"{Type: SQS, Destination: !GetAtt Nothing.Arn}",
         "there is no parameter or resource 'Nothing'"},
    };
    char properties[512], expected[512];

    for (size_t i = 0; i < HG_COUNT(cases); i++) {
        (void)snprintf(properties, sizeof(properties), DESTINATION("OnSuccess", "%s"),
                       cases[i].destination);
        (void)snprintf(expected, sizeof(expected), "problem 10: %s\n", cases[i].expected);
        expect(state, properties, SETTING, expected);
    }
#undef AT
    expect(
        state, DESTINATION("OnFailed", "{Type: SQS}"), SETTING,
        "setting 8: F:$LATEST\nunknown 10: F: unknown property OnFailed of DestinationConfig; did you mean OnFailure?\n");
}

static void test_what_another_stack_exports(void **state)
{
    expect(state, DESTINATION("OnFailure", "{Type: SQS, Destination: !ImportValue shared-queue}"),
           "setting problem", "setting 8: F:$LATEST\n");
}

static void test_dead_letter_queue(void **state)
{
#define AUDIT "function Audit:$LATEST python3.12 index.h 3s 128MB\n"
    static const struct {
        const char *queue, *expected;
    } cases[] = {
        {"{Type: SQS, TargetArn: !GetAtt Queue.Arn}",
         "function F:$LATEST python3.12 index.h 3s 128MB dead=arn:aws:sqs:us-east-1:000000000000:local-Queue\n" AUDIT},
        {"{Type: SNS, TargetArn: !Ref Topic}",
         "function F:$LATEST python3.12 index.h 3s 128MB dead=arn:aws:sns:us-east-1:000000000000:local-Topic\n" AUDIT},
        {"{TargetArn: \"file:///var/dead\"}",
         "function F:$LATEST python3.12 index.h 3s 128MB dead=file:///var/dead\n" AUDIT},
        {"{Type: SQS}",
         "problem 8: Resource with id [F] is invalid. 'DeadLetterQueue' requires Type and TargetArn properties to be specified.\n"},
        {"{TargetArn: !GetAtt Queue.Arn}",
         "problem 8: Resource with id [F] is invalid. 'DeadLetterQueue' requires Type and TargetArn properties to be specified.\n"},
        {"{Type: Post, TargetArn: x}",
         "problem 8: Resource with id [F] is invalid. 'DeadLetterQueue' requires Type of ['SNS', 'SQS']\n"},
        {"{Type: SNS, TargetArn: !GetAtt Queue.Arn}",
         "problem 8: F: DeadLetterQueue.TargetArn: Type SNS does not fit arn:aws:sqs:us-east-1:000000000000:local-Queue\n"},
        {"{Type: SQS, TargetArn: !GetAtt Fifo.Arn}",
         "problem 8: F: DeadLetterQueue.TargetArn cannot be arn:aws:sqs:us-east-1:000000000000:local-Fifo.fifo: "
         "FIFO queues and topics take no records\n"},
        {"{Type: SQS, TargetArn: !Ref Queue}",
         "problem 8: F: DeadLetterQueue.TargetArn must be an ARN, not "
         "https://sqs.us-east-1.amazonaws.com/000000000000/local-Queue: use !GetAtt Queue.Arn\n"},
        {"{Type: SQS, TargetArn: !GetAtt Nothing.Arn}",
         "problem 8: there is no parameter or resource 'Nothing'\n"},
    };
    char properties[512];

    for (size_t i = 0; i < HG_COUNT(cases); i++) {
        (void)snprintf(properties, sizeof(properties), "      DeadLetterQueue: %s\n",
                       cases[i].queue);
        case_load(*state, function(properties));
        assert_string_equal(case_tell(*state, "function problem").p, cases[i].expected);
    }
#undef AUDIT
}

static void test_versions_keep_the_dead_letter_queue(void **state)
{
    expect(
        state,
        "      DeadLetterQueue: {Type: SNS, TargetArn: !Ref Topic}\n      AutoPublishAlias: live\n",
        "function alias",
        "function F:$LATEST python3.12 index.h 3s 128MB dead=arn:aws:sns:us-east-1:000000000000:local-Topic\n"
        "function Audit:$LATEST python3.12 index.h 3s 128MB\n"
        "function F:1 python3.12 index.h 3s 128MB dead=arn:aws:sns:us-east-1:000000000000:local-Topic\n"
        "alias F:live -> 1\n");
}

static void test_recursive_loop(void **state)
{
    expect(state, "      RecursiveLoop: Allow\n", "function problem",
           "function F:$LATEST python3.12 index.h 3s 128MB recursive\n"
           "function Audit:$LATEST python3.12 index.h 3s 128MB\n");
    expect(state, "      RecursiveLoop: Terminate\n", "function problem",
           "function F:$LATEST python3.12 index.h 3s 128MB\n"
           "function Audit:$LATEST python3.12 index.h 3s 128MB\n");
    expect(state, "      RecursiveLoop: never\n", "problem",
           "problem 8: F: RecursiveLoop must be one of Terminate, Allow, not never\n");
}

static void test_globals(void **state)
{
    case_expect(
        *state,
        "Globals:\n  Function:\n    RecursiveLoop: Allow\n    Runtime: python3.12\n    Handler: index.h\n"
        "    EventInvokeConfig:\n      MaximumRetryAttempts: 1\n      DestinationConfig: {OnFailure: {Type: SQS}}\n"
        "    DeadLetterQueue: {Type: SQS, TargetArn: \"arn:aws:sqs:eu-west-1:111122223333:dead\"}\n"
        "Resources:\n"
        "  A: {Type: AWS::Serverless::Function, Properties: {InlineCode: x}}\n"
        "  B: {Type: AWS::Serverless::Function, Properties: {InlineCode: x,\n"
        "      EventInvokeConfig: {MaximumRetryAttempts: 2}}}\n",
        "function setting problem later",
        "function A:$LATEST python3.12 index.h 3s 128MB dead=arn:aws:sqs:eu-west-1:111122223333:dead recursive\n"
        "function B:$LATEST python3.12 index.h 3s 128MB dead=arn:aws:sqs:eu-west-1:111122223333:dead recursive\n"
        "setting 6: A:$LATEST retries=1 "
        "failure=arn:aws:sqs:us-east-1:000000000000:local-AEventInvokeConfigOnFailureQueue\n"
        "setting 6: B:$LATEST retries=2 "
        "failure=arn:aws:sqs:us-east-1:000000000000:local-BEventInvokeConfigOnFailureQueue\n");
}

#define PLAIN \
    "Resources:\n" \
    "  F: {Type: AWS::Lambda::Function, Properties: {FunctionName: orders, Runtime: python3.12, Handler: index.h,\n" \
    "      Code: {ZipFile: x}, RecursiveLoop: Allow, DeadLetterConfig: {TargetArn: !GetAtt Queue.Arn}}}\n" \
    "  V: {Type: AWS::Lambda::Version, Properties: {FunctionName: !Ref F}}\n" \
    "  Queue: {Type: AWS::SQS::Queue}\n" \
    "  C:\n    Type: AWS::Lambda::EventInvokeConfig\n    Properties:\n" /* the next line is 9 */

static void test_plain_resources(void **state)
{
    static const struct {
        const char *properties, *expected;
    } cases[] = {
        {"      {FunctionName: !Ref F, Qualifier: $LATEST, MaximumEventAgeInSeconds: 120,\n"
         "       DestinationConfig: {OnSuccess: {Destination: !GetAtt Queue.Arn}, OnFailure: {Destination: kafka://f}}}\n",
         "setting 6: orders:$LATEST age=120 success=arn:aws:sqs:us-east-1:000000000000:local-Queue failure=kafka://f\n"},
        {"      {FunctionName: !GetAtt F.Arn, Qualifier: !GetAtt V.Version, MaximumRetryAttempts: 0}\n",
         "setting 6: orders:1 retries=0\n"},
        {"      {FunctionName: !Ref F, MaximumRetryAttempts: 0}\n",
         "problem 6: C: Qualifier is missing: $LATEST, a version or an alias\n"},
        {"      {FunctionName: !Ref F, Qualifier: live, MaximumRetryAttempts: 0}\n",
         "problem 9: C: Qualifier: Function not found: arn:aws:lambda:us-east-1:000000000000:function:orders:live\n"},
        {"      {FunctionName: bills, Qualifier: $LATEST, MaximumRetryAttempts: 7}\n",
         "problem 9: C: FunctionName: Function not found: bills\n"
         "problem 9: C: MaximumRetryAttempts must be a whole number from 0 to 2, not 7\n"},
        {"      {Qualifier: $LATEST, MaximumRetryAttempts: 1}\n",
         "problem 6: C: FunctionName is missing\n"},
        {"      {FunctionName: !Ref F, Qualifier: $LATEST, DestinationConfig: {OnFailure: {}}}\n",
         "problem 9: C: DestinationConfig.OnFailure: Destination is missing\n"},
        {"      {FunctionName: !Ref F, Qualifier: $LATEST,\n       DestinationConfig: {OnFailure: {Destination: !Ref Queue}}}\n",
         "problem 10: C: DestinationConfig.OnFailure.Destination must be an ARN, not "
         "https://sqs.us-east-1.amazonaws.com/000000000000/local-Queue: use !GetAtt Queue.Arn\n"},
        {"      {FunctionName: !Ref F, Qualifier: $LATEST}\n",
         "problem 9: C: EventInvokeConfig: You must specify at least one of error handling or destination setting.\n"},
        {"      {FunctionName: !Ref F, Qualifier: $LATEST, MaximumRetryAttempts: 1}\n"
         "  D: {Type: AWS::Lambda::EventInvokeConfig, Properties: {FunctionName: orders, Qualifier: $LATEST,\n"
         "      MaximumRetryAttempts: 2}}\n",
         "problem 10: D: orders:$LATEST has an EventInvokeConfig already, at line 6\n"},
    };
    char text[4096];

    for (size_t i = 0; i < HG_COUNT(cases); i++) {
        (void)snprintf(text, sizeof(text), PLAIN "%s", cases[i].properties);
        case_expect(*state, text, "setting problem", cases[i].expected);
    }
    case_expect(
        *state, PLAIN "      {FunctionName: !Ref F, Qualifier: $LATEST, MaximumRetryAttempts: 1}\n",
        "function later unknown",
        "function orders:$LATEST python3.12 index.h 3s 128MB dead=arn:aws:sqs:us-east-1:000000000000:local-Queue "
        "recursive\n"
        "function orders:1 python3.12 index.h 3s 128MB dead=arn:aws:sqs:us-east-1:000000000000:local-Queue recursive\n"
        "later 5: Queue (AWS::SQS::Queue): SQS queues\n");
}

static void test_plain_dead_letter_config(void **state)
{
    case_expect(
        *state,
        "Resources:\n"
        "  F: {Type: AWS::Lambda::Function, Properties: {Runtime: python3.12, Handler: index.h,\n"
        "      Code: {ZipFile: x}, DeadLetterConfig: {TargetArn: \"arn:aws:lambda:us-east-1:000000000000:function:G\"}}}\n",
        "function problem",
        "problem 3: F: DeadLetterConfig.TargetArn cannot be arn:aws:lambda:us-east-1:000000000000:function:G: it takes "
        "SQS, SNS\n");
    case_expect(
        *state,
        "Resources:\n"
        "  F: {Type: AWS::Lambda::Function, Properties: {Runtime: python3.12, Handler: index.h,\n"
        "      Code: {ZipFile: x}, DeadLetterConfig: {TargetArn: \"\"}}}\n",
        "function problem", "function F:$LATEST python3.12 index.h 3s 128MB\n");
}

static void test_intrinsics_and_conditions(void **state)
{
    case_expect(
        *state,
        "Parameters:\n  Kind: {Type: String, Default: SNS}\n  Stage: {Type: String, Default: dev}\n"
        "Conditions:\n  IsProd: !Equals [!Ref Stage, prod]\n"
        "Globals: {Function: {Runtime: python3.12, Handler: index.h, CodeUri: .}}\n"
        "Resources:\n"
        "  A:\n    Type: AWS::Serverless::Function\n    Properties:\n"
        "      EventInvokeConfig: {DestinationConfig: {OnFailure: {Type: !Ref Kind}}}\n"
        "  B:\n    Type: AWS::Serverless::Function\n    Properties:\n"
        "      EventInvokeConfig: !If [IsProd, {MaximumRetryAttempts: 2}, {DestinationConfig: {OnFailure: {Type: SQS}}}]\n"
        "      DeadLetterQueue: !If [IsProd, {Type: SQS, TargetArn: \"arn:aws:sqs:us-east-1:111122223333:d\"}, !Ref AWS::NoValue]\n"
        "  C:\n    Type: AWS::Serverless::Function\n    Properties:\n"
        "      AutoPublishAlias: !Ref Stage\n"
        "      EventInvokeConfig: {DestinationConfig: {OnSuccess: {Type: Lambda, Destination: !GetAtt A.Arn}}}\n"
        "  D:\n    Type: AWS::Serverless::Function\n    Properties:\n"
        "      EventInvokeConfig: {DestinationConfig: {OnSuccess: {Type: Lambda, Destination: !Ref C.Alias}}}\n"
        "Outputs:\n  Config: {Value: !Ref AEventInvokeConfig}\n",
        "function setting problem unknown output",
        "function A:$LATEST python3.12 index.h 3s 128MB\n"
        "function B:$LATEST python3.12 index.h 3s 128MB\n"
        "function C:$LATEST python3.12 index.h 3s 128MB\n"
        "function D:$LATEST python3.12 index.h 3s 128MB\n"
        "function C:1 python3.12 index.h 3s 128MB\n"
        "setting 11: A:$LATEST failure=arn:aws:sns:us-east-1:000000000000:local-AEventInvokeConfigOnFailureTopic\n"
        "setting 15: B:$LATEST failure=arn:aws:sqs:us-east-1:000000000000:local-BEventInvokeConfigOnFailureQueue\n"
        "setting 21: C:dev success=arn:aws:lambda:us-east-1:000000000000:function:A\n"
        "setting 25: D:$LATEST success=arn:aws:lambda:us-east-1:000000000000:function:C:dev\n"
        "output Config=local-AEventInvokeConfig\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_wrong_values),
        cmocka_unit_test(test_targets),
        cmocka_unit_test(test_wrong_targets),
        cmocka_unit_test(test_what_another_stack_exports),
        cmocka_unit_test(test_dead_letter_queue),
        cmocka_unit_test(test_versions_keep_the_dead_letter_queue),
        cmocka_unit_test(test_recursive_loop),
        cmocka_unit_test(test_globals),
        cmocka_unit_test(test_intrinsics_and_conditions),
        cmocka_unit_test(test_plain_resources),
        cmocka_unit_test(test_plain_dead_letter_config),
    };

    return cmocka_run_group_tests(tests, case_setup, case_teardown);
}
