/*
 * AWS::Serverless::Function and AWS::Lambda::Function: properties, code, environment, mistakes (sam-templates.md §3).
 */
#include "tests/unit/config/transform_case.h"

#include <stdio.h>

#define RUNTIME "      Runtime: python3.12\n      Handler: index.h\n"
#define INLINE "      InlineCode: \"def h(e, c): return 1\"\n"

/* A template with one function F whose Properties are these lines, which begin at line 4. */
static const char *function(const char *properties)
{
    static char text[4096];

    (void)snprintf(text, sizeof(text),
                   "Resources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties:\n%s",
                   properties);
    return text;
}

static void expect(void **state, const char *properties, const char *only, const char *expected)
{
    case_expect(*state, function(properties), only, expected);
}

static void test_defaults(void **state)
{
    struct transform_case *c = *state;
    const struct hg_function *f;

    case_load(c, function(RUNTIME INLINE));
    assert_non_null(c->stack);
    f = c->stack->functions[0];
    assert_str(f->name, "F");
    assert_str(f->logical_id, "F");
    assert_str(f->arn, "arn:aws:lambda:us-east-1:000000000000:function:F");
    assert_str(f->version, "$LATEST");
    assert_int_equal(f->timeout_s, 3);
    assert_int_equal(f->memory_mb, 128);
    assert_int_equal(f->ephemeral_mb, 512);
    assert_int_equal(f->reserved_concurrency, -1);
    assert_str(f->architecture, "x86_64");
    assert_str(f->tracing_mode, "PassThrough");
    assert_str(f->log_format, "Text");
    assert_str(f->log_group, "/aws/lambda/F");
    assert_false(f->has_environment);
    assert_str(f->role, "arn:aws:iam::000000000000:role/local-FRole");
    assert_str(kv_get(&f->tags, HG_STR("lambda:createdBy")), "SAM");
    assert_int_equal(f->line, 2);
    assert_true(f->code_dir.n > 1 && f->code_dir.p[0] == '/');
    assert_ptr_equal(hg_map_get(&c->stack->functions_by_name, HG_STR("F")), f);
}

static void test_given_properties(void **state)
{
    struct transform_case *c = *state;
    const struct hg_function *f;

    case_load(
        c,
        function(
            RUNTIME INLINE
            "      FunctionName: !Sub \"named-${AWS::Region}\"\n"
            "      Timeout: \"30\"\n"
            "      MemorySize: 1024\n"
            "      EphemeralStorage: {Size: 1024}\n"
            "      ReservedConcurrentExecutions: 0\n"
            "      Architectures: [arm64]\n"
            "      Tracing: Active\n"
            "      Description: does it\n"
            "      LoggingConfig: {LogFormat: JSON, ApplicationLogLevel: DEBUG, LogGroup: /own}\n"
            "      Environment: {Variables: {FLAG: yes, N: 0, S: text}}\n"
            "      Tags: {a: b}\n"));
    assert_non_null(c->stack);
    f = c->stack->functions[0];
    assert_str(f->name, "named-us-east-1");
    assert_int_equal(f->timeout_s, 30);
    assert_int_equal(f->memory_mb, 1024);
    assert_int_equal(f->ephemeral_mb, 1024);
    assert_int_equal(f->reserved_concurrency, 0);
    assert_str(f->architecture, "arm64");
    assert_str(f->tracing_mode, "Active");
    assert_str(f->description, "does it");
    assert_str(f->log_format, "JSON");
    assert_str(f->app_log_level, "DEBUG");
    assert_str(f->system_log_level, "INFO");
    assert_str(f->log_group, "/own");
    assert_true(f->has_environment);
    assert_str(kv_get(&f->environment, HG_STR("FLAG")), "true");
    assert_str(kv_get(&f->environment, HG_STR("N")), "0");
    assert_str(kv_get(&f->tags, HG_STR("a")), "b");
}

static void test_numbers_out_of_range(void **state)
{
    expect(
        state,
        RUNTIME INLINE
        "      Timeout: 901\n      MemorySize: 127\n      EphemeralStorage: {Size: many}\n"
        "      ReservedConcurrentExecutions: -1\n",
        NULL,
        "problem 8: F: Timeout must be a whole number from 1 to 900, not 901\n"
        "problem 9: F: MemorySize must be a whole number from 128 to 10240, not 127\n"
        "problem 10: F: EphemeralStorage.Size must be a whole number from 512 to 10240, not many\n"
        "problem 11: F: ReservedConcurrentExecutions must be a whole number from 0 to 1000000, not -1\n");
}

static void test_package_types(void **state)
{
    expect(
        state, "      CodeUri: .\n      Runtime: python3.12\n", NULL,
        "problem 2: Resource with id [F] is invalid. Runtime and Handler needs to be present when PackageType is of type "
        "`Zip`\n");
    expect(
        state, RUNTIME INLINE "      ImageUri: x\n", NULL,
        "problem 8: Resource with id [F] is invalid. ImageUri or ImageConfig cannot be present when PackageType is of type "
        "`Zip`\n");
    expect(
        state, RUNTIME "      PackageType: Crate\n", NULL,
        "problem 7: Resource with id [F] is invalid. PackageType needs to be `Zip` or `Image`\n");
    expect(
        state, "      PackageType: Image\n      ImageUri: x\n", NULL,
        "problem 5: F: PackageType Image is not supported: container images are not run; use PackageType Zip with a folder "
        "or a zip file as CodeUri\n");
    expect(
        state, "      PackageType: Image\n      Handler: x\n", "problem",
        "problem 5: Resource with id [F] is invalid. Runtime, Handler, Layers cannot be present when PackageType is of type "
        "`Image`\n"
        "problem 5: F: PackageType Image is not supported: container images are not run; use PackageType Zip with a folder "
        "or a zip file as CodeUri\n");
}

static void test_runtimes(void **state)
{
    static const char *const served[] = {"python3.8",    "python3.14",      "nodejs24.x",
                                         "provided.al2", "provided.al2023", "go1.x"};
    static const char *const later[] = {"java21", "java8.al2", "dotnet8", "ruby3.4"};
    char properties[256], expected[256];

    for (size_t i = 0; i < HG_COUNT(served); i++) {
        (void)snprintf(properties, sizeof(properties),
                       "      CodeUri: .\n      Handler: x\n      Runtime: %s\n", served[i]);
        expect(state, properties, "problem later unknown warning", "");
    }
    for (size_t i = 0; i < HG_COUNT(later); i++) {
        (void)snprintf(properties, sizeof(properties),
                       "      CodeUri: .\n      Handler: x\n      Runtime: %s\n", later[i]);
        (void)snprintf(expected, sizeof(expected), "later 7: F: runtime %s\n", later[i]);
        expect(state, properties, "problem later", expected);
    }
    expect(
        state, "      CodeUri: .\n      Handler: x\n      Runtime: pyhton3.13\n", NULL,
        "problem 7: F: Runtime pyhton3.13 is not a Lambda runtime (python3.x, nodejsN.x, provided.al2023, …); did you mean "
        "python3.13?\n");
}

static void test_alias_rules(void **state)
{
    expect(
        state, RUNTIME INLINE "      AutoPublishAlias: \"12\"\n", NULL,
        "problem 8: Resource with id [F] is invalid. AutoPublishAlias name ('12') must contain only alphanumeric "
        "characters, hyphens, or underscores matching (?!^[0-9]+$)([a-zA-Z0-9-_]+) pattern.\n");
    expect(
        state,
        RUNTIME INLINE "      ProvisionedConcurrencyConfig: {ProvisionedConcurrentExecutions: 1}\n",
        NULL,
        "problem 8: Resource with id [F] is invalid. To set ProvisionedConcurrencyConfig AutoPublishALias must be defined "
        "on the function\n");
    expect(
        state, RUNTIME INLINE "      DeploymentPreference: {Type: AllAtOnce}\n", NULL,
        "problem 8: Resource with id [F] is invalid. 'DeploymentPreference' requires AutoPublishAlias property to be "
        "specified.\n");
}

static void test_function_url(void **state)
{
    expect(
        state, RUNTIME INLINE "      FunctionUrlConfig: {AuthType: maybe}\n", "problem",
        "problem 8: Resource with id [F] is invalid. AuthType is required to configure function property "
        "`FunctionUrlConfig`. Please provide either AWS_IAM or NONE.\n");
    expect(state,
           RUNTIME INLINE
           "      FunctionUrlConfig: {AuthType: AWS_IAM, Cors: {AllowOrigins: [x]}}\n",
           "url later", "url F:$LATEST AWS_IAM BUFFERED\n");
}

static void test_code_places(void **state)
{
    struct transform_case *c = *state;
    char expected[256];

    case_file(c, "deep/src/index.py", "x = 1\n");
    case_load(c, function(RUNTIME "      CodeUri: ./deep/src/\n"));
    assert_non_null(c->stack);
    (void)snprintf(expected, sizeof(expected), "%s/deep/src", c->folder);
    assert_true(hg_str_starts(c->stack->functions[0]->code_dir, hg_str_of(expected)));
    (void)snprintf(expected, sizeof(expected),
                   "problem 7: F: CodeUri: no/such does not exist (looked for %s/no/such); run "
                   "`sam build` or fix the path\n",
                   c->folder);
    expect(state, RUNTIME "      CodeUri: no/such\n", NULL, expected);
    expect(
        state, RUNTIME "      CodeUri: s3://bucket/key.zip\n", NULL,
        "problem 7: F: CodeUri: s3://bucket/key.zip is in S3; it must be on this machine: give the path of a folder or a "
        "zip file\n");
    expect(
        state, RUNTIME "      CodeUri: {Bucket: b, Key: k}\n", NULL,
        "problem 7: F: CodeUri names an object in S3; code must be on this machine: point CodeUri at a folder or a zip "
        "file\n");
    expect(
        state, "      Runtime: ruby3.4\n      Handler: x\n" INLINE, "problem",
        "problem 7: F: InlineCode: code in the template is for python and nodejs runtimes only, not ruby3.4\n");
}

static void test_inline_code_becomes_the_module_index(void **state)
{
    expect(
        state, "      Runtime: nodejs22.x\n      Handler: app.handler\n      InlineCode: x\n",
        "problem warning",
        "warning 7: F: InlineCode: the text becomes the module index; Handler app.handler looks elsewhere\n");
    /* InlineCode wins over CodeUri. */
    expect(state, RUNTIME INLINE "      CodeUri: no/such\n", "problem warning", "");
}

static void test_environment_mistakes(void **state)
{
    expect(
        state,
        RUNTIME INLINE "      Environment: {Variables: {AWS_REGION: x, 1a: x, OK: {a: b}}}\n", NULL,
        "problem 8: F: Environment: AWS_REGION is a reserved key that Lambda sets itself; remove it\n"
        "problem 8: F: Environment: 1a is not a name for a variable: letters, digits and underscores, a letter first\n"
        "problem 8: F: Environment: the value of OK must be a text\n");
    expect(state, RUNTIME INLINE "      Environment: {A: b}\n", "unknown",
           "unknown 8: F: Environment: unknown property A; variables stand below Variables\n");
}

static void test_env_vars_file(void **state)
{
    struct transform_case *c = *state;
    char path[128];

    case_file(c, "env.json",
              "{\"F\": {\"A\": \"function\", \"N\": true, \"UNDECLARED\": \"x\"},\n"
              " \"Parameters\": {\"A\": \"parameters\", \"B\": \"parameters\", \"OTHER\": \"x\"},\n"
              " \"G\": {}}");
    (void)snprintf(path, sizeof(path), "%s/env.json", c->folder);
    c->options.env_vars_file = path;
    case_load(
        c, function(RUNTIME INLINE "      Environment: {Variables: {A: t, B: t, C: t, N: t}}\n"));
    assert_string_equal(
        case_tell(c, "function").p,
        "function F:$LATEST python3.12 index.h 3s 128MB A=function B=parameters C=t N=true\n");
    assert_int_equal(c->stack->notice_count, 2);
    assert_true(hg_str_ends(
        c->stack->notices[0].text,
        HG_STR("env.json:1: F does not declare UNDECLARED in the template; it is not passed")));
    assert_true(hg_str_ends(c->stack->notices[1].text,
                            HG_STR("env.json:3: the template has no function G")));
    case_file(c, "env.json", "[1]");
    case_load(c, function(RUNTIME INLINE));
    assert_int_equal(c->problems.count, 1);
    assert_non_null(
        strstr(c->problems.items[0].text, "env.json:1: must be a map from functions to variables"));
    c->options.env_vars_file = NULL;
}

static void test_layers(void **state)
{
    struct transform_case *c = *state;

    case_file(c, "one/x", "");
    case_file(c, "two/x", "");
    case_load(
        c,
        "Conditions: {IsOn: !Equals [a, a]}\n"
        "Resources:\n"
        "  One: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: one}}\n"
        "  Two: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: two, LayerName: second}}\n"
        "  F:\n    Type: AWS::Serverless::Function\n    Properties:\n" RUNTIME INLINE
        "      Layers: [!Ref Two, !If [IsOn, !Ref One, x], !If [IsOn, !Ref AWS::NoValue, y]]\n");
    assert_non_null(c->stack);
    assert_int_equal(c->stack->functions[0]->layer_count, 2);
    assert_str(c->stack->functions[0]->layer_arns[0],
               "arn:aws:lambda:us-east-1:000000000000:layer:second:1");
    assert_true(hg_str_ends(c->stack->functions[0]->layer_dirs[0], HG_STR("/two")));
    assert_true(hg_str_ends(c->stack->functions[0]->layer_dirs[1], HG_STR("/one")));
    expect(state, RUNTIME INLINE "      Layers: [a, b, c, d, e, f]\n", "problem",
           "problem 8: F: Cannot reference more than 5 layers.\n");
}

static void test_layers_of_the_stack(void **state)
{
    struct transform_case *c = *state;
    const struct hg_layer_version *version;

    case_file(c, "one/x", "12345");
    case_load(
        c,
        "Resources:\n"
        "  One:\n    Type: AWS::Serverless::LayerVersion\n"
        "    Properties: {ContentUri: one, LayerName: shared, Description: d, LicenseInfo: MIT, "
        "CompatibleRuntimes: [python3.12, nodejs22.x], CompatibleArchitectures: [x86_64, arm64]}\n"
        "  F:\n    Type: AWS::Serverless::Function\n    Properties:\n" RUNTIME INLINE
        "      Layers: [!Ref One]\n");
    assert_int_equal(c->stack->layer_count, 1);
    assert_str(c->stack->layers[0].name, "shared");
    version = &c->stack->layers[0].version;
    assert_int_equal(version->number, 1);
    assert_str(version->arn, "arn:aws:lambda:us-east-1:000000000000:layer:shared:1");
    assert_str(version->description, "d");
    assert_str(version->license, "MIT");
    assert_str(version->runtimes, "[\"python3.12\",\"nodejs22.x\"]");
    assert_str(version->architectures, "[\"arm64\",\"x86_64\"]");
    assert_int_equal(version->size, 5);
    assert_true(hg_str_ends(version->dir, HG_STR("/one")));
    assert_str(c->stack->functions[0]->layer_sizes[0], "5");
}

static void test_names(void **state)
{
    case_expect(
        *state,
        "Resources:\n"
        "  A: {Type: AWS::Serverless::Function, Properties: {FunctionName: same, Runtime: python3.12, Handler: h, InlineCode: x}}\n"
        "  B: {Type: AWS::Serverless::Function, Properties: {FunctionName: same, Runtime: python3.12, Handler: h, InlineCode: x}}\n"
        "  C: {Type: AWS::Serverless::Function, Properties: {FunctionName: a b, Runtime: python3.12, Handler: h, InlineCode: x}}\n",
        NULL,
        "problem 3: B: Function already exist: same\n"
        "problem 4: C: FunctionName must be 1 to 64 letters, digits, hyphens and underscores, not \"a b\"\n");
}

static void test_all_mistakes_are_told_at_once(void **state)
{
    expect(
        state,
        "      Runtime: cobol85\n      Handler: !Ref Nobody\n      Timeout: 0\n      CodeUri: .\n",
        NULL,
        "problem 5: F: Runtime cobol85 is not a Lambda runtime (python3.x, nodejsN.x, provided.al2023, …)\n"
        "problem 6: there is no parameter or resource 'Nobody'\n"
        "problem 7: F: Timeout must be a whole number from 1 to 900, not 0\n");
}

static void test_dynamic_references_are_not_looked_up(void **state)
{
    case_expect(
        *state,
        "Resources:\n  F:\n    Type: AWS::Serverless::Function\n"
        "    Properties: {InlineCode: x, Runtime: python3.12, Handler: index.h,\n"
        "      Environment: {Variables: {A: !Sub \"{{resolve:ssm:/${AWS::Region}/k:1}}\", B: plain}}}\n",
        "warning",
        "warning 2: F: the variable A is '{{resolve:ssm:/us-east-1/k:1}}' as it stands: dynamic references are not looked up; "
        "give the value with --env-vars\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_given_properties),
        cmocka_unit_test(test_numbers_out_of_range),
        cmocka_unit_test(test_package_types),
        cmocka_unit_test(test_runtimes),
        cmocka_unit_test(test_alias_rules),
        cmocka_unit_test(test_function_url),
        cmocka_unit_test(test_code_places),
        cmocka_unit_test(test_inline_code_becomes_the_module_index),
        cmocka_unit_test(test_environment_mistakes),
        cmocka_unit_test(test_env_vars_file),
        cmocka_unit_test(test_layers),
        cmocka_unit_test(test_layers_of_the_stack),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_all_mistakes_are_told_at_once),
        cmocka_unit_test(test_dynamic_references_are_not_looked_up),
    };

    return cmocka_run_group_tests(tests, case_setup, case_teardown);
}
