/*
 * Intrinsic functions, references, conditions.
 */
#include "tests/unit/config/template_fixture.h"

#include <stdlib.h>
#include <unistd.h>

#define FUNCTION "Resources:\n  Fn:\n    Type: AWS::Serverless::Function\n"

/* The value of Outputs.X of a template, as JSON. */
static void check_with(const struct hg_template_options *options, const char *before, const char *x,
                       const char *json)
{
    struct fixture f;
    struct hg_str value;
    char *text;

    fixture_init(&f);
    f.options = *options;
    text = hg_arena_printf(f.arena, "%s\nOutputs:\n  X: %s\n", before, x);
    fixture_eval(&f, text, "/nonexistent");
    value = fixture_output(&f, "X");
    value = hg_arena_str(f.arena, value);
    assert_same(fixture_problems(&f), "");
    assert_same(value, json);
    fixture_fini(&f);
}

static void check(const char *before, const char *x, const char *json)
{
    check_with(&(struct hg_template_options){0}, before, x, json);
}

/* The problems of Outputs.X, without their places. */
static void check_fault(const char *before, const char *x, const char *problem)
{
    struct fixture f;

    fixture_init(&f);
    fixture_eval(&f, hg_arena_printf(f.arena, "%s\nOutputs:\n  X: %s\n", before, x),
                 "/nonexistent");
    assert_null(eval_resolve(f.eval, node_path(f.document, "Outputs.X")));
    assert_int_equal(f.problems.count, 1);
    assert_string_equal(f.problems.items[0].text, problem);
    fixture_fini(&f);
}

static void test_pseudo_parameters(void **state)
{
    const struct hg_template_options china = {
        .region = "cn-north-1", .account = "123456789012", .stack_name = "shop"};

    (void)state;
    check("", "!Ref AWS::Region", "\"us-east-1\"");
    check("", "!Ref AWS::AccountId", "\"000000000000\"");
    check("", "!Ref AWS::StackName", "\"local\"");
    check("", "!Ref AWS::URLSuffix", "\"amazonaws.com\"");
    check("", "!Ref AWS::NotificationARNs", "[]");
    check("", "[!Ref AWS::NoValue, a, {b: !Ref AWS::NoValue, c: 1}]", "[\"a\",{\"c\":1}]");
    check_with(&china, "",
               "!Sub '${AWS::Partition}/${AWS::Region}/${AWS::AccountId}/${AWS::StackName}'",
               "\"aws-cn/cn-north-1/123456789012/shop\"");
    check_fault("", "!Ref AWS::Regoin",
                "there is no parameter or resource 'AWS::Regoin'; did you mean AWS::Region?");
}

static void test_sub(void **state)
{
    (void)state;
    check(FUNCTION, "!Sub '${Fn} ${Fn.Arn} ${!Literal} $ ${'",
          "\"Fn arn:aws:lambda:us-east-1:000000000000:function:Fn ${Literal} $ ${\"");
    check(FUNCTION, "!Sub ['${A}-${Fn}-${AWS::Region}', {A: !Join ['', [x, 1, true]]}]",
          "\"x1true-Fn-us-east-1\"");
    check("Parameters: {N: {Type: Number, Default: 7}}", "!Sub 'n${N}'", "\"n7\"");
    check_fault(
        "", "!Sub '${ A }'",
        "Fn::Sub: '${ A }' is not a name: letters, digits, '_', '.' and ':' only; for literal text write ${!…}");
    check_fault(FUNCTION, "!Sub '${Fm}'", "there is no parameter or resource 'Fm'");
    check_fault("Parameters: {L: {Type: CommaDelimitedList, Default: 'a,b'}}", "!Sub '${L}'",
                "Fn::Sub: '${L}' is a list, not a text; use Fn::Join");
    check_fault("", "!Sub [a]", "Fn::Sub takes a text, or a list of a text and a map of names");
}

static void test_join_select_split(void **state)
{
    const char *list = "Parameters: {L: {Type: CommaDelimitedList, Default: ' a, b ,c'}}";

    (void)state;
    check(list, "!Join ['-', !Ref L]", "\"a-b-c\"");
    check(list, "!Select ['1', !Ref L]", "\"b\"");
    check("", "!Select [2, !Split ['/', 'a/b/c']]", "\"c\"");
    check("", "!Split ['::', 'a::b::']", "[\"a\",\"b\",\"\"]");
    check("", "!Join [':', [a, !Ref AWS::NoValue, b]]", "\"a:b\"");
    check("", "!Join ['', []]", "\"\"");
    check_fault(list, "!Select [3, !Ref L]",
                "Fn::Select: there is no item 3 in a list of 3 (the first one is 0)");
    check_fault(list, "!Select [x, !Ref L]", "Fn::Select: the index 'x' is not a whole number");
    check_fault("", "!Select [0, [~]]", "Fn::Select: the item 0 is null");
    check_fault("", "!Join [',', x]", "Fn::Join: the second value must be a list");
    check_fault("", "!Join [',', [[a]]]", "Fn::Join: each item must be a text");
    check_fault("", "!Split ['', x]", "Fn::Split: the delimiter must not be empty");
}

static void test_other_functions(void **state)
{
    const char *maps = "Mappings: {M: {us-east-1: {ami: x, many: [1, 2]}}}";
    const char *extended =
        "Transform: [AWS::LanguageExtensions, AWS::Serverless-2016-10-31]\nMappings: {M: {a: {b: c}}}";

    (void)state;
    check("", "!Base64 hi", "\"aGk=\"");
    check("", "!Base64 !Sub '${AWS::Region}'", "\"dXMtZWFzdC0x\"");
    check("", "!GetAZs ''", "[\"us-east-1a\",\"us-east-1b\",\"us-east-1c\"]");
    check("", "!GetAZs eu-west-3", "[\"eu-west-3a\",\"eu-west-3b\",\"eu-west-3c\"]");
    check(maps, "!FindInMap [M, !Ref AWS::Region, ami]", "\"x\"");
    check(maps, "!FindInMap [M, us-east-1, many]", "[1,2]");
    check_fault(maps, "!FindInMap [M, us-east-2, ami]",
                "Fn::FindInMap: the mapping has no key 'us-east-2'; did you mean us-east-1?");
    check_fault(maps, "!FindInMap [N, a, b]", "Fn::FindInMap: there is no mapping 'N'");
    check(extended, "{Fn::FindInMap: [M, x, y, {DefaultValue: z}]}", "\"z\"");
    check(extended, "{Fn::ToJsonString: {a: [1, !Ref AWS::Region]}}",
          "\"{\\\"a\\\":[1,\\\"us-east-1\\\"]}\"");
    check(extended, "{Fn::Length: [a, b]}", "2");
    check_fault("", "{Fn::Length: [a, b]}",
                "Fn::Length needs the line 'Transform: AWS::LanguageExtensions' in the template");
    check("", "!Cidr [10.1.2.3/16, 3, 8]", "[\"10.1.0.0/24\",\"10.1.1.0/24\",\"10.1.2.0/24\"]");
    check(
        "", "!Cidr [192.168.0.0/24, 6, 5]",
        "[\"192.168.0.0/27\",\"192.168.0.32/27\",\"192.168.0.64/27\",\"192.168.0.96/27\",\"192.168.0.128/27\",\"192.168.0.160/27\"]");
    check("", "!Cidr ['2001:db8::/56', 2, 64]", "[\"2001:db8::/64\",\"2001:db8:0:1::/64\"]");
    check_fault("", "!Cidr [10.0.0.0/24, 3, 7]",
                "Fn::Cidr: 10.0.0.0/24 has no room for 3 blocks of 7 bits");
    check_fault("", "{Fn::Subb: x}", "unknown function Fn::Subb; did you mean Fn::Sub?");
    check_fault("", "{Fn::Sub: x, b: 1}",
                "Fn::Sub must be the only key of its map; is the indentation right?");
    check_fault(
        "", "!Equals [a, b]",
        "Fn::Equals belongs into Conditions; here, use Fn::If with the name of a condition");
    check("", "{Ref: a, other: {Condition: x}}", "{\"Ref\":\"a\",\"other\":{\"Condition\":\"x\"}}");
}

static void test_conditions(void **state)
{
    const char *some = "Parameters: {E: {Type: String, Default: prod}}\n"
                       "Conditions:\n"
                       "  Prod: !Equals [!Ref E, prod]\n"
                       "  Dev: !Not [!Condition Prod]\n"
                       "  Both: !And [!Condition Prod, !Condition Dev]\n"
                       "  Any: !Or [!Condition Prod, !Condition Dev]\n"
                       "Resources:\n"
                       "  Off: {Type: AWS::SQS::Queue, Condition: Dev}\n";

    (void)state;
    check(some, "!If [Prod, a, !Ref Nothing]", "\"a\"");
    check(some, "!If [Both, a, !If [Any, b, c]]", "\"b\"");
    check(some, "[!If [Dev, a, !Ref AWS::NoValue], b]", "[\"b\"]");
    check(some, "!If [Dev, !Ref Off, none]", "\"none\"");
    check_fault(some, "!Ref Off",
                "'Off' is switched off by its condition; refer to it inside Fn::If only");
    check_fault(some, "!If [Prot, a, b]", "there is no condition 'Prot'; did you mean Prod?");
    check_fault(
        some, "!If [Prod, a]",
        "Fn::If takes a list of three: the name of a condition, the value if true, the value if false");
    check_fault("Conditions: {A: !Not [!Condition B], B: !Not [!Condition A]}", "!Ref AWS::NoValue",
                "the condition 'A' depends on itself");
    check_fault("Conditions: {A: !Equals [!Ref Q, x]}\nResources: {Q: {Type: AWS::SQS::Queue}}",
                "!Ref AWS::NoValue", "a condition can refer to parameters only, not to 'Q'");
}

static void test_references(void **state)
{
    const struct hg_template_options local = {.management_url = "http://127.0.0.1:4566",
                                              .gateway_url = "http://127.0.0.1:8080",
                                              .stack_name = "shop"};
    const char *all =
        "Resources:\n"
        "  Queue: {Type: AWS::SQS::Queue}\n"
        "  Fifo: {Type: AWS::SQS::Queue, Properties: {FifoQueue: true}}\n"
        "  Named: {Type: AWS::SQS::Queue, Properties: {QueueName: !Sub '${AWS::StackName}-q'}}\n"
        "  Bucket: {Type: AWS::S3::Bucket}\n"
        "  Role: {Type: AWS::IAM::Role}\n"
        "  Group: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: /x}}\n"
        "  Bus: {Type: AWS::Events::EventBus}\n"
        "  Rule: {Type: AWS::Events::Rule, Properties: {EventBusName: !Ref Bus}}\n"
        "  Plain: {Type: AWS::Events::Rule}\n"
        "  Fn: {Type: AWS::Serverless::Function, Properties: {FunctionName: orders}}\n"
        "  V1: {Type: AWS::Lambda::Version, Properties: {FunctionName: !Ref Fn}}\n"
        "  V2: {Type: AWS::Lambda::Version, Properties: {FunctionName: !GetAtt Fn.Arn}}\n"
        "  Live: {Type: AWS::Lambda::Alias, Properties: {Name: live, FunctionName: !Ref Fn, FunctionVersion: !GetAtt V1.Version}}\n"
        "  Layer: {Type: AWS::Serverless::LayerVersion}\n"
        "  Param: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: !Ref Fn}}\n"
        "  Topic: {Type: AWS::SNS::Topic, Properties: {TopicName: t}}\n";

    (void)state;
    check_with(&local, all, "!Ref Queue", "\"http://127.0.0.1:4566/000000000000/shop-Queue\"");
    check(all, "!Ref Queue", "\"https://sqs.us-east-1.amazonaws.com/000000000000/local-Queue\"");
    check(
        all,
        "[!GetAtt Queue.Arn, !GetAtt Queue.QueueName, !GetAtt Fifo.QueueName, !GetAtt Named.QueueName]",
        "[\"arn:aws:sqs:us-east-1:000000000000:local-Queue\",\"local-Queue\",\"local-Fifo.fifo\",\"local-q\"]");
    check(all, "[!Ref Bucket, !GetAtt Bucket.Arn]",
          "[\"local-bucket\",\"arn:aws:s3:::local-bucket\"]");
    check(all, "[!Ref Role, !GetAtt Role.Arn]",
          "[\"local-Role\",\"arn:aws:iam::000000000000:role/local-Role\"]");
    check(all, "!GetAtt Group.Arn", "\"arn:aws:logs:us-east-1:000000000000:log-group:/x:*\"");
    check(
        all, "[!Ref Rule, !GetAtt Rule.Arn, !Ref Plain]",
        "[\"local-Bus|local-Rule\",\"arn:aws:events:us-east-1:000000000000:rule/local-Bus/local-Rule\",\"local-Plain\"]");
    check(all, "[!Ref V1, !GetAtt V2.Version, !Ref Live]",
          "[\"arn:aws:lambda:us-east-1:000000000000:function:orders:1\",\"2\","
          "\"arn:aws:lambda:us-east-1:000000000000:function:orders:live\"]");
    check(
        all, "[!Ref Layer, !GetAtt Param.Value, !Ref Topic]",
        "[\"arn:aws:lambda:us-east-1:000000000000:layer:Layer:1\",\"orders\",\"arn:aws:sns:us-east-1:000000000000:t\"]");
    check(all, "{Fn::GetAtt: Fn.Arn}", "\"arn:aws:lambda:us-east-1:000000000000:function:orders\"");
    check("Parameters: {A: {Type: String, Default: Arn}}\n" FUNCTION, "{Fn::GetAtt: [Fn, !Ref A]}",
          "\"arn:aws:lambda:us-east-1:000000000000:function:Fn\"");
    check_fault(all, "!GetAtt Fn",
                "Fn::GetAtt takes a resource and an attribute: !GetAtt Resource.Attribute");
    check_fault(
        "Resources:\n  A: {Type: AWS::SQS::Queue, Properties: {QueueName: !GetAtt B.QueueName}}\n"
        "  B: {Type: AWS::SQS::Queue, Properties: {QueueName: !GetAtt A.QueueName}}\n",
        "!GetAtt A.QueueName", "the name of 'A' depends on itself");
}

static void test_api_ids_are_stable(void **state)
{
    const struct hg_template_options local = {.gateway_url = "http://127.0.0.1:8080"};
    struct fixture f;
    struct hg_str id, again;

    (void)state;
    fixture_init(&f);
    f.options = local;
    fixture_eval(
        &f,
        "Resources: {Api: {Type: AWS::Serverless::Api}, Http: {Type: AWS::Serverless::HttpApi}}",
        "/");
    id = eval_ref(f.eval, HG_STR("Api"), NULL);
    assert_int_equal(id.n, 10);
    again = eval_attribute(f.eval, HG_STR("Api"), HG_STR("RestApiId"), NULL);
    assert_true(hg_str_eq(id, again));
    assert_false(
        hg_str_eq(id, eval_attribute(f.eval, HG_STR("Api"), HG_STR("RootResourceId"), NULL)));
    id = eval_ref(f.eval, HG_STR("Http"), NULL);
    again = hg_str_of(
        hg_arena_printf(f.arena, "http://127.0.0.1:8080/_aws/execute-api/%.*s", HG_STR_ARG(id)));
    assert_true(
        hg_str_eq(eval_attribute(f.eval, HG_STR("Http"), HG_STR("ApiEndpoint"), NULL), again));
    fixture_fini(&f);
}

static void test_unknown_types_are_made_up_with_a_notice(void **state)
{
    const struct hg_notice *notices;
    struct fixture f;
    size_t count;

    (void)state;
    fixture_init(&f);
    fixture_eval(
        &f,
        "Resources:\n  Vpc: {Type: AWS::EC2::VPC}\n  Fn: {Type: AWS::Serverless::Function}\nOutputs:\n"
        "  X: [!Ref Vpc, !GetAtt Vpc.Arn, !GetAtt Vpc.CidrBlock, !Ref Vpc]\n  Y: !GetAtt Fn.Ar\n  Z: !ImportValue net\n",
        "/");
    assert_same(
        fixture_output(&f, "X"),
        "[\"local-Vpc\",\"arn:aws:ec2:us-east-1:000000000000:Vpc\",\"Vpc.CidrBlock\",\"local-Vpc\"]");
    assert_same(fixture_output(&f, "Y"), "\"Fn.Ar\"");
    assert_same(fixture_output(&f, "Z"), "\"net\"");
    assert_int_equal(f.problems.count, 0);
    notices = eval_notices(f.eval, &count);
    assert_int_equal(count, 5);
    assert_same(notices[0].text,
                "Ref of 'Vpc' (AWS::EC2::VPC) is made up: this type is not known here");
    assert_int_equal(notices[0].line, 5);
    assert_same(
        notices[3].text,
        "the attribute 'Ar' of 'Fn' (AWS::Serverless::Function) is made up: it is not known here; did you mean Arn?");
    assert_same(
        notices[4].text,
        "Fn::ImportValue: no other stack is here to export 'net'; the name is used as the value");
    fixture_fini(&f);
}

static void test_dotted_aliases(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f);
    fixture_eval(
        &f,
        "Resources:\n  Fn: {Type: AWS::Serverless::Function}\n"
        "  FnAliaslive: {Type: AWS::Lambda::Alias, Properties: {Name: live, FunctionName: !Ref Fn}}\n"
        "Outputs:\n  A: !Ref Fn.Alias\n  B: !Sub '${Fn.Alias}'\n  C: !GetAtt Fn.Alias.AliasArn\n",
        "/");
    eval_declare_alias(f.eval, HG_STR("Fn.Alias"), HG_STR("FnAliaslive"));
    assert_same(fixture_output(&f, "A"),
                "\"arn:aws:lambda:us-east-1:000000000000:function:Fn:live\"");
    assert_same(fixture_output(&f, "B"),
                "\"arn:aws:lambda:us-east-1:000000000000:function:Fn:live\"");
    assert_same(fixture_output(&f, "C"),
                "\"arn:aws:lambda:us-east-1:000000000000:function:Fn:live\"");
    assert_same(fixture_problems(&f), "");
    fixture_fini(&f);
}

static void test_problems_have_places(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f);
    fixture_eval(&f, "Outputs:\n  X:\n    - !Ref A\n    - a: !Sub '${B}'\n    - !Ref A\n", "/");
    (void)eval_resolve(f.eval, node_path(f.document, "Outputs.X"));
    (void)eval_resolve(f.eval, node_path(f.document, "Outputs.X"));
    assert_same(fixture_problems(&f), "3:7: there is no parameter or resource 'A'\n"
                                      "4:10: there is no parameter or resource 'B'\n"
                                      "5:7: there is no parameter or resource 'A'\n");
    fixture_fini(&f);
}

static void test_growth_is_bounded(void **state)
{
    struct fixture f;
    struct hg_buf text;

    (void)state;
    fixture_init(&f);
    hg_buf_init(&text, 1 << 16);
    hg_buf_append_cstr(
        &text,
        "Resources:\n  Q0: {Type: AWS::SQS::Queue, Properties: {QueueName: xxxxxxxxxxxxxxxx}}\n");
    for (int i = 1; i < 60; i++)
        hg_buf_printf(
            &text,
            "  Q%d: {Type: AWS::SQS::Queue, Properties: {QueueName: !Sub '${Q%d.QueueName}${Q%d.QueueName}'}}\n",
            i, i - 1, i - 1);
    hg_buf_append_byte(&text, '\0');
    fixture_eval(&f, hg_buf_str(&text).p, "/");
    assert_null(eval_attribute(f.eval, HG_STR("Q59"), HG_STR("QueueName"), NULL).p);
    assert_true(f.problems.count >= 1);
    assert_string_equal(f.problems.items[0].text,
                        "the text made here is longer than 1048576 bytes");
    hg_buf_fini(&text);
    fixture_fini(&f);
}

/* Names that lead to one another, each deep inside others: an answer, not the end of the stack. */
static void test_depth_through_names_is_bounded(void **state)
{
    struct fixture f;
    struct hg_buf text;

    (void)state;
    fixture_init(&f);
    hg_buf_init(&text, 1 << 20);
    hg_buf_append_cstr(&text, "Resources:\n  Q0: {Type: AWS::SQS::Queue}\n");
    for (int i = 1; i < 190; i++) {
        hg_buf_printf(&text, "  Q%d: {Type: AWS::SQS::Queue, Properties: {QueueName: ", i);
        for (int depth = 0; depth < 15; depth++)
            hg_buf_append_cstr(&text, "!Select [0, [");
        hg_buf_printf(&text, "!GetAtt Q%d.QueueName", i - 1);
        for (int depth = 0; depth < 15; depth++)
            hg_buf_append_cstr(&text, "]]");
        hg_buf_append_cstr(&text, "}}\n");
    }
    hg_buf_append_byte(&text, '\0');
    fixture_eval(&f, hg_buf_str(&text).p, "/");
    assert_null(eval_attribute(f.eval, HG_STR("Q189"), HG_STR("QueueName"), NULL).p);
    assert_int_equal(f.problems.count, 1);
    assert_string_equal(f.problems.items[0].text,
                        "values are nested more than 1500 deep, through names and files");
    hg_buf_fini(&text);
    fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pseudo_parameters),
        cmocka_unit_test(test_sub),
        cmocka_unit_test(test_join_select_split),
        cmocka_unit_test(test_other_functions),
        cmocka_unit_test(test_conditions),
        cmocka_unit_test(test_references),
        cmocka_unit_test(test_api_ids_are_stable),
        cmocka_unit_test(test_unknown_types_are_made_up_with_a_notice),
        cmocka_unit_test(test_dotted_aliases),
        cmocka_unit_test(test_problems_have_places),
        cmocka_unit_test(test_growth_is_bounded),
        cmocka_unit_test(test_depth_through_names_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
