/*
 * Globals: merging rules and what the section may hold (sam-templates.md §6).
 */
#include "tests/unit/config/transform_case.h"

#include <stdio.h>

#define HEAD "Transform: AWS::Serverless-2016-10-31\n"
#define FUNCTION(name, more) \
    "  " name ":\n    Type: AWS::Serverless::Function\n    Properties:\n      InlineCode: x\n" more

static void test_scalars_maps_and_lists(void **state)
{
    case_expect(
        *state,
        HEAD "Globals:\n"
             "  Function:\n"
             "    Runtime: python3.12\n"
             "    Handler: index.h\n"
             "    Timeout: 11\n"
             "    MemorySize: 200\n"
             "    Layers: [arn:one]\n"
             "    Environment: {Variables: {A: global, B: global}}\n"
             "Resources:\n" FUNCTION("F", "      MemorySize: 300\n"
                                          "      Layers: [arn:two]\n"
                                          "      Environment: {Variables: {B: own, C: own}}\n"),
        "function later",
        "function F:$LATEST python3.12 index.h 11s 300MB A=global B=own C=own\n"
        "later 8: F: layer arn:one is not in this template; the function runs without it\n"
        "later 16: F: layer arn:two is not in this template; the function runs without it\n");
}

static void test_intrinsics_count_as_scalars(void **state)
{
    case_expect(
        *state,
        HEAD
        "Conditions: {IsOn: !Equals [a, a]}\n"
        "Globals: {Function: {Runtime: python3.12, Handler: index.h, Environment: {Variables: {A: global}}}}\n"
        "Resources:\n" FUNCTION(
            "F", "      Environment: !If [IsOn, {Variables: {B: own}}, !Ref AWS::NoValue]\n"),
        "function", "function F:$LATEST python3.12 index.h 3s 128MB B=own\n");
}

static void test_type_mismatch_takes_the_local_value(void **state)
{
    case_expect(*state,
                HEAD
                "Globals: {Function: {Runtime: python3.12, Handler: index.h, Layers: nothing}}\n"
                "Resources:\n" FUNCTION("F", "      Layers: []\n"),
                "function problem", "function F:$LATEST python3.12 index.h 3s 128MB\n");
}

static void test_ignore_globals(void **state)
{
    static const char head[] = HEAD
        "Globals: {Function: {Runtime: python3.12, Handler: index.h, Timeout: 9, Environment: {Variables: {A: x}}}}\n"
        "Resources:\n"
        "  F:\n    Type: AWS::Serverless::Function\n"
        "    IgnoreGlobals: %s\n"
        "    Properties: {InlineCode: x, Runtime: nodejs22.x, Handler: index.own}\n";
    char text[1024];

    (void)snprintf(text, sizeof(text), head, "[Environment, Handler]");
    case_expect(*state, text, "function", "function F:$LATEST nodejs22.x index.own 9s 128MB\n");
    (void)snprintf(text, sizeof(text), head, "\"*\"");
    case_expect(*state, text, "function", "function F:$LATEST nodejs22.x index.own 3s 128MB\n");
}

static void test_plain_functions_get_no_globals(void **state)
{
    case_expect(
        *state,
        HEAD
        "Globals: {Function: {Timeout: 9}}\n"
        "Resources:\n"
        "  F:\n    Type: AWS::Lambda::Function\n"
        "    Properties: {Code: {ZipFile: x}, Role: r, Runtime: python3.12, Handler: index.h}\n",
        "function", "function F:$LATEST python3.12 index.h 3s 128MB\n");
}

static void test_unknown_property(void **state)
{
    case_expect(
        *state,
        HEAD "Globals:\n  HttpApi:\n    Colour: blue\n"
             "Resources: {R: {Type: AWS::IAM::Role}}\n",
        "problem",
        "problem 4: 'Globals' section is invalid. 'Colour' is not a supported property of 'HttpApi'. Must be one of "
        "the following values - ['Auth', 'AccessLogSettings', 'StageVariables', 'Tags', 'CorsConfiguration', "
        "'DefaultRouteSettings', 'Domain', 'RouteSettings', 'FailOnWarnings', 'PropagateTags']\n");
}

static void test_unknown_section(void **state)
{
    case_expect(
        *state,
        HEAD "Globals:\n  Funktion: {}\n"
             "Resources: {R: {Type: AWS::IAM::Role}}\n",
        "problem",
        "problem 3: 'Globals' section is invalid. 'Funktion' is not supported. Must be one of the following values - "
        "['Function', 'Api', 'HttpApi', 'SimpleTable', 'StateMachine', 'LayerVersion', 'CapacityProvider', "
        "'WebSocketApi']\n");
}

static void test_api_globals_reach_the_implicit_api(void **state)
{
    case_expect(
        *state,
        HEAD
        "Globals:\n"
        "  Api:\n    Name: named\n    Variables: {A: b}\n    BinaryMediaTypes: [image~1png]\n    Domain: {DomainName: d.example}\n"
        "  HttpApi:\n    CorsConfiguration: true\n"
        "Resources:\n" FUNCTION("F", "      Runtime: python3.12\n      Handler: index.h\n"
                                     "      Events:\n"
                                     "        A: {Type: Api, Properties: {Path: /a, Method: get}}\n"
                                     "        H: {Type: HttpApi}\n"),
        "api stage later",
        "api REST ServerlessRestApi named binary=image/png\n"
        "stage ServerlessRestApi Prod A=b\n"
        "api HTTP ServerlessHttpApi local origin=*\n"
        "stage ServerlessHttpApi $default\n"
        "later 7: ServerlessRestApi: Domain\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scalars_maps_and_lists),
        cmocka_unit_test(test_intrinsics_count_as_scalars),
        cmocka_unit_test(test_type_mismatch_takes_the_local_value),
        cmocka_unit_test(test_ignore_globals),
        cmocka_unit_test(test_plain_functions_get_no_globals),
        cmocka_unit_test(test_unknown_property),
        cmocka_unit_test(test_unknown_section),
        cmocka_unit_test(test_api_globals_reach_the_implicit_api),
    };

    return cmocka_run_group_tests(tests, case_setup, case_teardown);
}
