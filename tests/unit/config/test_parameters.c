/*
 * Parameters and their constraints, and files put in place by AWS::Include.
 */
#include "tests/unit/config/template_fixture.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void check_value(const char *definition, const char *given, const char *json)
{
    struct hg_kv override = {HG_STR("P"), hg_str_of(given)};
    struct fixture f;

    fixture_init(&f);
    f.options.parameters = &override;
    f.options.parameter_count = given ? 1 : 0;
    fixture_eval(
        &f, hg_arena_printf(f.arena, "Parameters:\n  P: %s\nOutputs:\n  X: !Ref P\n", definition),
        "/");
    assert_same(fixture_problems(&f), "");
    assert_same(fixture_output(&f, "X"), json);
    fixture_fini(&f);
}

static void check_fault(const char *definition, const char *given, const char *problems)
{
    struct hg_kv override = {HG_STR("P"), hg_str_of(given)};
    struct fixture f;

    fixture_init(&f);
    f.options.parameters = &override;
    f.options.parameter_count = given ? 1 : 0;
    fixture_eval(
        &f, hg_arena_printf(f.arena, "Parameters:\n  P: %s\nOutputs:\n  X: !Ref P\n", definition),
        "/");
    /* What refers to it adds nothing. */
    assert_null(eval_resolve(f.eval, node_path(f.document, "Outputs.X")));
    assert_same(fixture_problems(&f), problems);
    fixture_fini(&f);
}

static void test_values(void **state)
{
    (void)state;
    check_value("{Type: String, Default: a}", NULL, "\"a\"");
    check_value("{Type: String, Default: a}", "b", "\"b\"");
    check_value("{Type: String, Default: ''}", NULL, "\"\"");
    check_value("{Type: String, Default: 012}", NULL, "\"012\"");
    check_value("{Type: Number, Default: 5}", " 7 ", "7");
    check_value("{Type: Number, Default: 1.5}", NULL, "1.5");
    check_value("{Type: CommaDelimitedList, Default: 'a, b,,c '}", NULL,
                "[\"a\",\"b\",\"\",\"c\"]");
    check_value("{Type: List<Number>, Default: '1, 2'}", NULL, "[1,2]");
    check_value("{Type: 'List<AWS::EC2::Subnet::Id>', Default: 's-1,s-2'}", NULL,
                "[\"s-1\",\"s-2\"]");
    check_value("{Type: 'AWS::EC2::VPC::Id', Default: vpc-1}", NULL, "\"vpc-1\"");
    check_value("{Type: 'AWS::SSM::Parameter::Value<String>', Default: /a/b}", NULL, "\"/a/b\"");
    check_value("{Type: 'AWS::SSM::Parameter::Value<List<String>>', Default: 'a,b'}", NULL,
                "[\"a\",\"b\"]");
    check_value("{Type: String, AllowedValues: [1, true, x], Default: 1}", "true", "\"true\"");
    check_value("{Type: String, AllowedPattern: '[a-z]+'}", "abc", "\"abc\"");
    check_value("{Type: Number, MinValue: 1, MaxValue: 3.5}", "3.5", "3.5");
}

static void test_constraints(void **state)
{
    (void)state;
    check_fault(
        "{Type: String}", NULL,
        "2:3: the parameter 'P' has no Default; give it a value: --parameter-overrides P=…\n");
    check_fault("{Type: Number}", "x",
                "2:3: the value 'x' of the parameter 'P' must be a number\n");
    check_fault("{Type: Number, MinValue: 3}", "2",
                "2:3: the value '2' of the parameter 'P' must be at least 3\n");
    check_fault("{Type: List<Number>, MaxValue: 3}", "2,4,x",
                "2:3: the value '4' of the parameter 'P' must be at most 3\n"
                "2:3: the value 'x' of the parameter 'P' must be a number\n");
    check_fault(
        "{Type: String, MinLength: 4, AllowedPattern: '[a-z]+', AllowedValues: [abcd, efgh]}", "A1",
        "2:3: the value 'A1' of the parameter 'P' must have at least 4 characters\n"
        "2:3: the value 'A1' of the parameter 'P' must be one of: abcd, efgh\n"
        "2:3: the value 'A1' of the parameter 'P' must match the pattern [a-z]+\n");
    check_fault(
        "{Type: String, MaxLength: 3, NoEcho: true, ConstraintDescription: be short}", "secret",
        "2:3: the value '****' of the parameter 'P' must have at most 3 characters: be short\n");
    check_fault("{Type: String, AllowedPattern: '[a-z]'}", "ab",
                "2:3: the value 'ab' of the parameter 'P' must match the pattern [a-z]\n");
    check_fault(
        "{Type: String, AllowedPattern: '('}", "ab",
        "2:37: AllowedPattern of the parameter 'P' cannot be used: missing closing parenthesis at character 2\n");
    check_fault(
        "{Type: String, AllowedPattern: '(a+)+[bd]'}", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac",
        "2:37: AllowedPattern of the parameter 'P' cannot be used: it takes too many steps to match\n");
    check_fault("{Type: Sting, Default: a}", NULL,
                "2:13: the parameter 'P' has an unknown Type 'Sting'; did you mean String?\n");
    check_fault("{Default: a}", NULL, "2:16: the parameter 'P' has no Type\n");
    check_fault(
        "{Type: String, Default: [a]}", NULL,
        "2:30: the Default of 'P' must be a text; lists are written with commas: \"a,b\"\n");
    check_fault("{Type: Number, Default: x, Defualt: a}", NULL,
                "2:30: the value 'x' of the parameter 'P' must be a number\n"
                "2:33: the parameter 'P' cannot have a key 'Defualt'; did you mean Default?\n");
}

static void test_unknown_override(void **state)
{
    struct hg_kv override = {HG_STR("Stag"), HG_STR("x")};
    struct fixture f;

    (void)state;
    fixture_init(&f);
    f.options.parameters = &override;
    f.options.parameter_count = 1;
    fixture_eval(&f, "Parameters: {Stage: {Type: String, Default: a}}", "/");
    assert_same(
        fixture_problems(&f),
        "0:0: --parameter-overrides Stag: the template has no such parameter; did you mean Stage?\n");
    fixture_fini(&f);
}

static void test_parameter_store_values_are_noticed(void **state)
{
    struct fixture f;
    size_t count;

    (void)state;
    fixture_init(&f);
    fixture_eval(
        &f, "Parameters:\n  P: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /a}\n", "/");
    (void)eval_notices(f.eval, &count);
    assert_int_equal(count, 1);
    assert_int_equal(eval_notices(f.eval, &count)->line, 2);
    fixture_fini(&f);
}

static void write_file(const char *dir, const char *name, const char *text)
{
    char path[256];
    FILE *file;

    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void test_includes(void **state)
{
    char dir[] = "/tmp/headgate-include-XXXXXX", command[64];
    struct fixture f;

    (void)state;
    assert_non_null(mkdtemp(dir));
    write_file(dir, "api.yaml",
               "openapi: 3.0.1\npaths:\n  /x:\n    get: {uri: !Sub '${AWS::Region}/x'}\n");
    write_file(
        dir, "more.json",
        "{\"a\": 1, \"b\": {\"Fn::Transform\": {\"Name\": \"AWS::Include\", \"Parameters\": {\"Location\": \"leaf.yaml\"}}}}");
    write_file(dir, "leaf.yaml", "[1, 2]");
    write_file(dir, "bad.yaml", "a: 1\na: 2\n");
    write_file(dir, "loop.yaml",
               "{Fn::Transform: {Name: AWS::Include, Parameters: {Location: loop.yaml}}}");
    fixture_init(&f);
    fixture_eval(
        &f,
        "Parameters: {File: {Type: String, Default: more}}\n"
        "Conditions: {Never: !Equals [a, b]}\n"
        "Resources:\n"
        "  Api:\n    Type: AWS::Serverless::Api\n    Properties:\n"
        "      DefinitionBody: !Transform {Name: AWS::Include, Parameters: {Location: api.yaml}}\n"
        "  Off: {Type: AWS::Serverless::Api, Condition: Never, Properties: {Fn::Transform: {Name: AWS::Include, "
        "Parameters: {Location: missing.yaml}}}}\n"
        "Outputs:\n"
        "  X: {a: 0, c: 3, Fn::Transform: {Name: AWS::Include, Parameters: {Location: !Sub '${File}.json'}}}\n"
        "  Y: !If [Never, !Transform {Name: AWS::Include, Parameters: {Location: missing.yaml}}, y]\n",
        dir);
    assert_same(fixture_problems(&f), "");
    assert_same(fixture_json(
                    &f, eval_resolve(f.eval, node_path(f.document,
                                                       "Resources.Api.Properties.DefinitionBody"))),
                "{\"openapi\":\"3.0.1\",\"paths\":{\"/x\":{\"get\":{\"uri\":\"us-east-1/x\"}}}}");
    assert_same(fixture_output(&f, "X"), "{\"a\":0,\"c\":3,\"b\":[1,2]}");
    assert_same(fixture_output(&f, "Y"), "\"y\"");
    fixture_fini(&f);
    fixture_init(&f);
    fixture_eval(&f,
                 "Outputs:\n"
                 "  A: !Transform {Name: AWS::Include, Parameters: {Location: bad.yaml}}\n"
                 "  B: !Transform {Name: AWS::Include, Parameters: {Location: s3://bucket/key}}\n"
                 "  C: !Transform {Name: Other}\n"
                 "  D: !Transform {Name: AWS::Include}\n"
                 "  E: !Transform {Name: AWS::Include, Parameters: {Location: loop.yaml}}\n",
                 dir);
    assert_same(
        fixture_problems(&f),
        "2:6: bad.yaml:2:1: the key 'a' stands twice in this map, first in line 1; remove one\n"
        "3:6: AWS::Include reads local files only, not s3://bucket/key; give a path relative to the template\n"
        "4:6: Fn::Transform knows AWS::Include only, not Other\n"
        "5:6: AWS::Include needs Parameters with a Location\n"
        "6:6: files include one another more than 10 deep\n");
    fixture_fini(&f);
    (void)snprintf(command, sizeof(command), "rm -rf %s", dir);
    assert_int_equal(system(command), 0);
}

static void test_whole_document(void **state)
{
    struct fixture f;
    size_t count;

    (void)state;
    fixture_init(&f);
    fixture_eval(&f,
                 "Transform: [AWS::Serverless-2016-10-31, AWS::Include, MyMacro]\n"
                 "Resources:\n  Fn::ForEach::X: [a, [b], {}]\n",
                 "/");
    assert_same(
        fixture_problems(&f),
        "1:41: AWS::Include is not supported for the whole template; write Fn::Transform where the file's content belongs\n"
        "3:3: Fn::ForEach is not supported; write out what the loop makes\n");
    assert_same(eval_notices(f.eval, &count)->text,
                "the transform 'MyMacro' is not known and not applied");
    fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_constraints),
        cmocka_unit_test(test_unknown_override),
        cmocka_unit_test(test_parameter_store_values_are_noticed),
        cmocka_unit_test(test_includes),
        cmocka_unit_test(test_whole_document),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
