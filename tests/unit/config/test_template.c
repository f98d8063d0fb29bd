/*
 * The way of a whole template: sections, conditions, outputs, generated resources, strictness, what `sam build` left.
 */
#include "tests/unit/config/transform_case.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define F_PROPERTIES "InlineCode: x, Runtime: python3.12, Handler: index.h"
#define ONE "  F: {Type: AWS::Serverless::Function, Properties: {" F_PROPERTIES "}}\n"

static void test_documents_that_are_no_template(void **state)
{
    struct transform_case *c = *state;

    case_expect(c, "- a\n", NULL, "problem 1: a template must be a map with Resources\n");
    case_expect(c, "Transform: x\n", NULL,
                "problem 1: Resources: a template needs at least one resource\n");
    case_expect(c, "Resources: {}\n", NULL,
                "problem 1: Resources: a template needs at least one resource\n");
    case_load(c, "");
    assert_int_equal(c->problems.count, 1);
    case_load_path(c, "/nonexistent/template.yaml");
    assert_int_equal(c->problems.count, 1);
    assert_string_equal(c->problems.file, "/nonexistent/template.yaml");
}

static void test_resource_mistakes(void **state)
{
    case_expect(
        *state,
        "Resources:\n  A: 1\n  B: {Properties: {}}\n  C: {Type: AWS::IAM::Role, Properties: [1]}\n",
        NULL,
        "problem 2: A: a resource must be a map with a Type\n"
        "problem 3: B: Type is missing\n"
        "problem 4: C: Properties must be a map\n");
}

static void test_what_is_unknown_is_named(void **state)
{
    struct transform_case *c = *state;
    static const char text[] = "Extra: 1\nResources:\n" ONE "  S: {Type: AWS::Quantum::Computer}\n"
                               "  G: {Type: AWS::Serverless::Function, Properties: {" F_PROPERTIES
                               ",\n    Colour: blue, Timout: 3}}\n";
    static const char lines[] =
        " 1: top level: unknown property Extra of a template\n"
        "%s 4: S: unknown resource type AWS::Quantum::Computer\n"
        "%s 6: G: unknown property Colour of AWS::Serverless::Function\n"
        "%s 6: G: unknown property Timout of AWS::Serverless::Function; did you mean Timeout?\n";
    char expected[1024] = "unknown";

    (void)snprintf(expected + 7, sizeof(expected) - 7, lines, "unknown", "unknown", "unknown");
    case_expect(c, text, "unknown problem", expected);
    c->options.is_strict = true;
    memcpy(expected, "problem", 7);
    (void)snprintf(expected + 7, sizeof(expected) - 7, lines, "problem", "problem", "problem");
    case_expect(c, text, NULL, expected);
    /* What is only not served yet does not stop anything. */
    case_expect(
        c, "Resources:\n" ONE "  Q: {Type: AWS::SQS::Queue}\n", "function later",
        "function F:$LATEST python3.12 index.h 3s 128MB\nlater 3: Q (AWS::SQS::Queue): SQS queues\n");
    c->options.is_strict = false;
}

static void test_what_is_off_is_not_looked_at(void **state)
{
    struct transform_case *c = *state;

    c->options.is_strict = true;
    case_expect(
        c,
        "Conditions: {IsOff: !Equals [a, b]}\n"
        "Resources:\n"
        "  Gone:\n    Type: AWS::Serverless::Function\n    Condition: IsOff\n"
        "    Properties: {CodeUri: no/such, Runtime: cobol85, Timeout: !Ref Nobody, Nonsense: 1, Events: {\n"
        "      A: {Type: Api, Properties: {Path: x, Method: nope}}}}\n"
        "  Odd: {Type: AWS::Nonsense::Unknown, Condition: IsOff}\n" ONE
        "Outputs: {O: {Condition: IsOff, Value: !GetAtt Gone.Arn}}\n",
        NULL, "function F:$LATEST python3.12 index.h 3s 128MB\n");
    c->options.is_strict = false;
}

static void test_implicit_api_of_functions_that_are_on(void **state)
{
    case_expect(
        *state,
        "Conditions: {IsOff: !Equals [a, b]}\n"
        "Resources:\n"
        "  A: {Type: AWS::Serverless::Function, Condition: IsOff, Properties: {" F_PROPERTIES ",\n"
        "    Events: {E: {Type: HttpApi}, R: {Type: Api, Properties: {Path: /a, Method: get}}}}}\n"
        "  B: {Type: AWS::Serverless::Function, Properties: {" F_PROPERTIES ",\n"
        "    Events: {R: {Type: Api, Properties: {Path: /b, Method: get}}}}}\n",
        NULL,
        "function B:$LATEST python3.12 index.h 3s 128MB\n"
        "api REST ServerlessRestApi local\nstage ServerlessRestApi Prod\n"
        "route ServerlessRestApi GET /b -> proxy B\n");
}

static void test_events_behind_conditions(void **state)
{
    case_expect(
        *state,
        "Conditions: {IsOn: !Equals [a, a], IsOff: !Equals [a, b]}\n"
        "Resources:\n"
        "  F: {Type: AWS::Serverless::Function, Properties: {" F_PROPERTIES ",\n"
        "    Events: {A: !If [IsOn, {Type: Api, Properties: {Path: /a, Method: get}}, !Ref AWS::NoValue],\n"
        "             B: !If [IsOff, {Type: HttpApi}, !Ref AWS::NoValue]}}}\n",
        "api route problem",
        "api REST ServerlessRestApi local\nroute ServerlessRestApi GET /a -> proxy F\n");
}

static void test_generated_resources_can_be_referred_to(void **state)
{
    struct transform_case *c = *state;

    case_load(
        c,
        "Resources:\n"
        "  F: {Type: AWS::Serverless::Function, Properties: {" F_PROPERTIES
        ", AutoPublishAlias: live_1, FunctionUrlConfig: {AuthType: NONE},\n"
        "    EventInvokeConfig: {DestinationConfig: {OnFailure: {Type: SQS}}},\n"
        "    Events: {A: {Type: Api, Properties: {Path: /a, Method: get}}, S: {Type: Schedule, Properties: {Schedule: rate(1 day)}}}}}\n"
        "  Api: {Type: AWS::Serverless::Api, Properties: {StageName: v1}}\n"
        "Outputs:\n"
        "  A: {Value: !Ref F.Alias}\n"
        "  B: {Value: !Ref FAliasliveU1}\n"
        "  C: {Value: !Ref F.Version}\n"
        "  D: {Value: !Ref Api.Stage}\n"
        "  E: {Value: !Ref ServerlessRestApi.Stage}\n"
        "  G: {Value: !GetAtt FRole.Arn}\n"
        "  H: {Value: !Ref ServerlessRestApiProdStage}\n"
        "  I: {Value: !GetAtt F.DestinationQueue.Arn}\n"
        "  J: {Value: !Ref FS}\n");
    case_tell(c, NULL);
    assert_string_equal(
        case_tell(c, "output problem").p,
        "output A=arn:aws:lambda:us-east-1:000000000000:function:F:live_1\n"
        "output B=arn:aws:lambda:us-east-1:000000000000:function:F:live_1\n"
        "output C=arn:aws:lambda:us-east-1:000000000000:function:F:1\n"
        "output D=v1\n"
        "output E=Prod\n"
        "output G=arn:aws:iam::000000000000:role/local-FRole\n"
        "output H=Prod\n"
        "output I=arn:aws:sqs:us-east-1:000000000000:local-FEventInvokeConfigOnFailureQueue\n"
        "output J=local-FS\n");
}

static void test_outputs(void **state)
{
    case_expect(
        *state,
        "Resources:\n  F: {Type: AWS::Serverless::Function, Properties: {" F_PROPERTIES
        ", Events: {A: {Type: Api, Properties: {Path: /a, Method: get}}}}}\n"
        "Outputs:\n  Url: {Value: !Sub \"https://x.${AWS::Region}.${AWS::URLSuffix}/Prod\", Description: d}\n"
        "  None: {Description: x}\n",
        NULL, "problem 5: output None: Value is missing\n");
    case_expect(
        *state,
        "Resources:\n" ONE
        "Outputs:\n  Url: {Value: !Sub \"https://x.${AWS::Region}.${AWS::URLSuffix}/Prod\"}\n",
        "output", "output Url=https://x.us-east-1.amazonaws.com/Prod\n");
}

static void test_ids_are_stable(void **state)
{
    struct transform_case *c = *state;
    static const char text[] =
        "Resources: {Api: {Type: AWS::Serverless::Api, Properties: {StageName: v1}}}\n";
    char first[16];

    case_load(c, text);
    (void)snprintf(first, sizeof(first), "%.*s", HG_STR_ARG(c->stack->apis[0].id));
    case_load(c, text);
    assert_str(c->stack->apis[0].id, first);
}

static void test_built_template_is_preferred(void **state)
{
    struct transform_case *c = *state;
    char path[128];
    const struct timespec long_ago[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};

    case_file(c, ".aws-sam/build/F/index.py", "");
    case_file(
        c, ".aws-sam/build/template.yaml",
        "Resources:\n  F:\n    Type: AWS::Serverless::Function\n    Metadata: {BuildMethod: makefile}\n"
        "    Properties: {CodeUri: F, Runtime: python3.12, Handler: built.h}\n");
    case_load(c, "Resources:\n" ONE);
    (void)snprintf(path, sizeof(path), "%s/.aws-sam/build/template.yaml", c->folder);
    assert_string_equal(
        case_tell(c, NULL).p,
        "function F:$LATEST python3.12 built.h 3s 128MB\n"
        "warning 0: using .aws-sam/build/template.yaml, which `sam build` made from this template\n");
    assert_string_equal(c->problems.file, path);
    assert_int_equal(utimensat(AT_FDCWD, path, long_ago, 0), 0);
    case_load(c, "Resources:\n" ONE);
    assert_string_equal(
        case_tell(c, NULL).p,
        "function F:$LATEST python3.12 index.h 3s 128MB\n"
        "warning 0: .aws-sam/build/template.yaml is older than the template and not used; run `sam build`\n");
    assert_int_equal(remove(path), 0);
}

static void test_build_method_needs_a_build(void **state)
{
    static const char *const needing[] = {"makefile", "esbuild", "rust-cargolambda", "go1.x"};
    char text[512], expected[256];

    for (size_t i = 0; i < HG_COUNT(needing); i++) {
        (void)snprintf(text, sizeof(text),
                       "Resources:\n  F:\n    Type: AWS::Serverless::Function\n"
                       "    Metadata: {BuildMethod: %s}\n    Properties: {" F_PROPERTIES "}\n",
                       needing[i]);
        (void)snprintf(expected, sizeof(expected),
                       "warning 4: F: BuildMethod %s: the code is served as it is; run `sam build` "
                       "to have it built\n",
                       needing[i]);
        case_expect(*state, text, "warning problem", expected);
    }
    case_file(*state, "layer/x", "");
    case_expect(
        *state,
        "Resources:\n  L:\n    Type: AWS::Serverless::LayerVersion\n    Metadata: {BuildMethod: python3.12}\n"
        "    Properties: {ContentUri: layer}\n",
        NULL,
        "warning 4: L: BuildMethod python3.12: the layer is used as it is; run `sam build` to have it built\n");
}

static void test_check_only_writes_nothing(void **state)
{
    struct transform_case *c = *state;
    char path[128];

    c->options.is_check_only = true;
    (void)snprintf(path, sizeof(path), "%s/none", c->folder);
    c->options.data_dir = path;
    case_expect(c, "Resources:\n" ONE, NULL, "function F:$LATEST python3.12 index.h 3s 128MB\n");
    assert_int_equal(access(path, F_OK), -1);
    c->options.is_check_only = false;
    c->options.data_dir = c->folder;
}

/* A misspelt name is why another one is missing: both are told. */
static void test_unknown_names_beside_problems(void **state)
{
    case_expect(
        *state,
        "Resources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties:\n"
        "      Hanlder: index.h\n      Runtime: python3.12\n      InlineCode: x\n"
        "  G: {Type: AWS::ResourceGroups::Group, Properties: {Name: g}}\n"
        "  H: {Type: AWS::Serverless::Funtion}\n"
        "  I: {Type: AWS::RDS::DBInstance}\n",
        NULL,
        "problem 2: Resource with id [F] is invalid. Runtime and Handler needs to be present when PackageType is of type `Zip`\n"
        "problem 5: unknown: F: unknown property Hanlder of AWS::Serverless::Function; did you mean Handler?\n"
        "problem 9: unknown: H: unknown resource type AWS::Serverless::Funtion; did you mean AWS::Serverless::Function?\n"
        "problem 10: unknown: I: unknown resource type AWS::RDS::DBInstance\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_documents_that_are_no_template),
        cmocka_unit_test(test_resource_mistakes),
        cmocka_unit_test(test_what_is_unknown_is_named),
        cmocka_unit_test(test_unknown_names_beside_problems),
        cmocka_unit_test(test_what_is_off_is_not_looked_at),
        cmocka_unit_test(test_implicit_api_of_functions_that_are_on),
        cmocka_unit_test(test_events_behind_conditions),
        cmocka_unit_test(test_generated_resources_can_be_referred_to),
        cmocka_unit_test(test_outputs),
        cmocka_unit_test(test_ids_are_stable),
        cmocka_unit_test(test_built_template_is_preferred),
        cmocka_unit_test(test_build_method_needs_a_build),
        cmocka_unit_test(test_check_only_writes_nothing),
    };

    return cmocka_run_group_tests(tests, case_setup, case_teardown);
}
