/*
 * The loader: YAML with its traps, short tags, anchors, JSON, and what is refused.
 */
#include "tests/unit/config/template_fixture.h"

#include <stdlib.h>

static void check_json(const char *yaml, const char *json)
{
    struct fixture f;
    struct hg_node *node;

    fixture_init(&f);
    node = fixture_parse(&f, yaml);
    assert_same(fixture_problems(&f), "");
    assert_same(fixture_json(&f, node), json);
    fixture_fini(&f);
}

static void check_problems(const char *yaml, const char *problems)
{
    struct fixture f;

    fixture_init(&f);
    assert_null(fixture_parse(&f, yaml));
    assert_same(fixture_problems(&f), problems);
    fixture_fini(&f);
}

static void test_scalars(void **state)
{
    (void)state;
    check_json("a: 2012-10-17", "{\"a\":\"2012-10-17\"}");
    check_json("a: yes\nb: off\nc: True\nd: \"on\"\ne: NO\nf: y\n",
               "{\"a\":true,\"b\":false,\"c\":true,\"d\":\"on\",\"e\":false,\"f\":\"y\"}");
    check_json(
        "a: 0644\nb: 012345678901\nc: 0\nd: -5\ne: 1_000\nf: 0x1F\ng: 12:30\n",
        "{\"a\":\"0644\",\"b\":\"012345678901\",\"c\":0,\"d\":-5,\"e\":\"1_000\",\"f\":\"0x1F\",\"g\":\"12:30\"}");
    check_json(
        "a: 1.5\nb: .5\nc: 1.\nd: 1e3\ne: 1.0e+3\nf: +7\ng: .\nh: .inf\n",
        "{\"a\":1.5,\"b\":0.5,\"c\":1,\"d\":\"1e3\",\"e\":1.0e+3,\"f\":7,\"g\":\".\",\"h\":\".inf\"}");
    check_json("a:\nb: ~\nc: null\nd: ''\ne: !!str 12\n",
               "{\"a\":null,\"b\":null,\"c\":null,\"d\":\"\",\"e\":\"12\"}");
    check_json("yes: 1\n0644: 2\n", "{\"yes\":1,\"0644\":2}");
    check_json("a: |\n  x: 1\n  y\nb: >-\n  p\n  q\n", "{\"a\":\"x: 1\\ny\\n\",\"b\":\"p q\"}");
    check_json("\xef\xbb\xbf"
               "a: 1",
               "{\"a\":1}");
}

static void test_short_tags(void **state)
{
    (void)state;
    check_json("a: !Ref B\n", "{\"a\":{\"Ref\":\"B\"}}");
    check_json("a: !Ref 12\n", "{\"a\":{\"Ref\":\"12\"}}");
    check_json("a: !Sub '${X}'\nb: !Sub ['${X}', {X: 1}]\n",
               "{\"a\":{\"Fn::Sub\":\"${X}\"},\"b\":{\"Fn::Sub\":[\"${X}\",{\"X\":1}]}}");
    check_json(
        "a: !GetAtt A.Outputs.X\nb: !GetAtt [A, B]\n",
        "{\"a\":{\"Fn::GetAtt\":[\"A\",\"Outputs.X\"]},\"b\":{\"Fn::GetAtt\":[\"A\",\"B\"]}}");
    check_json("a: !Join [',', !Split [':', !Ref B]]\n",
               "{\"a\":{\"Fn::Join\":[\",\",{\"Fn::Split\":[\":\",{\"Ref\":\"B\"}]}]}}");
    check_json(
        "a: !Equals [!Ref A, b]\nb: !Not [!Condition C]\nc: !And [!Condition C, !Or []]\n",
        "{\"a\":{\"Fn::Equals\":[{\"Ref\":\"A\"},\"b\"]},\"b\":{\"Fn::Not\":[{\"Condition\":\"C\"}]},"
        "\"c\":{\"Fn::And\":[{\"Condition\":\"C\"},{\"Fn::Or\":[]}]}}");
    check_json(
        "a: !Select [0, !GetAZs '']\nb: !FindInMap [a, b, c]\nc: !ImportValue x\nd: !Cidr [a, 1, 2]\n",
        "{\"a\":{\"Fn::Select\":[0,{\"Fn::GetAZs\":\"\"}]},\"b\":{\"Fn::FindInMap\":[\"a\",\"b\",\"c\"]},"
        "\"c\":{\"Fn::ImportValue\":\"x\"},\"d\":{\"Fn::Cidr\":[\"a\",1,2]}}");
    check_json(
        "a: !Base64\n  Fn::Sub: x\nb: !If [A, !Ref B, c]\nc: !Transform {Name: AWS::Include}\n",
        "{\"a\":{\"Fn::Base64\":{\"Fn::Sub\":\"x\"}},\"b\":{\"Fn::If\":[\"A\",{\"Ref\":\"B\"},\"c\"]},"
        "\"c\":{\"Fn::Transform\":{\"Name\":\"AWS::Include\"}}}");
    check_json(
        "a: !Base64 !Sub x\nb: [!Base64  !Sub '${Y}', !Base64 !Ref Z]\n",
        "{\"a\":{\"Fn::Base64\":{\"Fn::Sub\":\"x\"}},\"b\":[{\"Fn::Base64\":{\"Fn::Sub\":\"${Y}\"}},"
        "{\"Fn::Base64\":{\"Ref\":\"Z\"}}]}");
    check_problems("a: !Subb x\n", "1:4: unknown tag !Subb; did you mean Sub?\n");
}

static void test_anchors(void **state)
{
    (void)state;
    check_json("a: &x {p: 1}\nb: *x\n", "{\"a\":{\"p\":1},\"b\":{\"p\":1}}");
    check_json("a: &x {p: 1, q: 2}\nb:\n  <<: *x\n  q: 3\n",
               "{\"a\":{\"p\":1,\"q\":2},\"b\":{\"q\":3,\"p\":1}}");
    check_json("a: &x {p: 1}\nb: &y {p: 2, r: 3}\nc:\n  <<: [*x, *y]\n",
               "{\"a\":{\"p\":1},\"b\":{\"p\":2,\"r\":3},\"c\":{\"p\":1,\"r\":3}}");
    check_problems("a: *xy\n", "1:4: the alias '*xy' has no anchor '&xy' before it\n");
    check_problems("a: &x [*x]\n", "1:8: the alias '*x' stands inside its own anchor\n");
    check_problems("a: &x 1\nb: {<<: *x}\n",
                   "1:4: '<<' merges maps only: give it an alias of a map, or a list of them\n");
}

static void test_billion_laughs_are_refused(void **state)
{
    struct fixture f;
    char text[2048] = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";

    (void)state;
    for (int i = 1; i < 10; i++) {
        size_t at = strlen(text);

        (void)snprintf(text + at, sizeof(text) - at,
                       "a%d: &a%d [*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d]\n", i, i,
                       i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
    }
    fixture_init(&f);
    assert_null(fixture_parse(&f, text));
    assert_int_equal(f.problems.count, 1);
    assert_non_null(strstr(f.problems.items[0].text, "more than 300000 values"));
    fixture_fini(&f);
}

static void test_yaml_mistakes(void **state)
{
    (void)state;
    check_problems("a: 1\nb: 2\na: 3\n",
                   "3:1: the key 'a' stands twice in this map, first in line 1; remove one\n");
    check_problems(
        "a:\n\tb: 1\n",
        "2:1: a tab is used for indentation, YAML allows blanks only: replace it by blanks\n");
    check_problems("a: @x\n", "1:4: a value cannot start with '@': put it in quotes\n");
    check_problems(
        "a: b: c\n",
        "1:5: a ':' is not allowed here: the indentation does not fit, or a text with ': ' needs quotes\n");
    check_problems(
        "a: 1\n---\nb: 2\n",
        "2:1: a second document starts here; a template is one document: remove the '---' or split the file\n");
    check_problems("a: 'x\n", "2:1: a quoted text is not closed before the end of the file\n");
    check_problems("a: [1, 2\nb: 3\n",
                   "2:2: a list that starts with '[' is not closed, or a comma is missing\n");
    check_problems("[a]: 1\n", "1:1: a key must be plain text, without tag or anchor\n");
    check_problems("", "1:1: the document is empty\n");
    check_problems("# only a comment\n", "1:1: the document is empty\n");
    check_problems(
        "a: \xff\n",
        "1:4: invalid leading UTF-8 octet; save the file as UTF-8 text without control characters\n");
}

static void test_depth_is_limited(void **state)
{
    struct fixture f;
    char text[512];

    (void)state;
    memset(text, '[', 200);
    memset(text + 200, ']', 200);
    text[400] = '\0';
    fixture_init(&f);
    assert_null(fixture_parse(&f, text));
    assert_same(fixture_problems(&f), "1:101: values are nested more than 100 deep\n");
    fixture_fini(&f);
}

static void test_json(void **state)
{
    struct fixture f;
    const struct hg_node *root;

    (void)state;
    check_json("{\"a\": [1, 2.5, true, null, \"x\\u00e9\\ud83d\\ude00\"], \"b\": {\"Ref\": \"X\"}}",
               "{\"a\":[1,2.5,true,null,\"x\xc3\xa9\xf0\x9f\x98\x80\"],\"b\":{\"Ref\":\"X\"}}");
    check_json("{a: 1, b: !Ref X}\n", "{\"a\":1,\"b\":{\"Ref\":\"X\"}}");
    check_problems("{\"a\": 1,\n \"a\": 2}",
                   "2:2: the key 'a' stands twice in this map, first in line 1; remove one\n");
    fixture_init(&f);
    root = fixture_parse(&f, "{\n  \"a\": {\n    \"b\": \"x\"\n  }\n}\n");
    assert_int_equal(node_path(root, "a.b")->line, 3);
    assert_int_equal(node_path(root, "a.b")->column, 10);
    assert_int_equal(node_get(root, "a")->members[0].column, 5);
    fixture_fini(&f);
    fixture_init(&f);
    assert_null(fixture_parse(&f, "{\"a\": 1,\n \"b\" 2}"));
    assert_int_equal(f.problems.count, 1);
    assert_int_equal(f.problems.items[0].line, 2);
    assert_non_null(strstr(f.problems.items[0].text, "not valid JSON"));
    fixture_fini(&f);
}

static void test_readers(void **state)
{
    struct fixture f;
    struct hg_node *root, *copy;
    int64_t value;
    bool ok;

    (void)state;
    fixture_init(&f);
    root = fixture_parse(&f, "a: {b: {c: 5}}\nd: 'true'\ne: yes\nf: x\ng: '30'\nh: [1]\n");
    assert_true(node_int(node_path(root, "a.b.c"), 0, 10, &value));
    assert_int_equal(value, 5);
    assert_false(node_int(node_path(root, "a.b.c"), 6, 10, &value));
    assert_null(node_path(root, "a.x.c"));
    assert_true(node_bool(node_get(root, "d"), &ok) && ok);
    assert_true(node_bool(node_get(root, "e"), &ok) && ok);
    assert_false(node_bool(node_get(root, "f"), &ok) || ok);
    assert_true(node_int(node_get(root, "g"), 0, 100, &value));
    assert_int_equal(value, 30);
    assert_null(node_text(node_get(root, "h")).p);
    copy = node_copy(f.arena, root);
    node_set(f.arena, copy, HG_STR("f"), node_new_text(f.arena, HG_STR("y"), NULL));
    node_push(f.arena, node_get(copy, "h"), node_new_text(f.arena, HG_STR("z"), NULL));
    assert_same(
        fixture_json(&f, root),
        "{\"a\":{\"b\":{\"c\":5}},\"d\":\"true\",\"e\":true,\"f\":\"x\",\"g\":\"30\",\"h\":[1]}");
    assert_same(
        fixture_json(&f, copy),
        "{\"a\":{\"b\":{\"c\":5}},\"d\":\"true\",\"e\":true,\"f\":\"y\",\"g\":\"30\",\"h\":[1,\"z\"]}");
    fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scalars),       cmocka_unit_test(test_short_tags),
        cmocka_unit_test(test_anchors),       cmocka_unit_test(test_billion_laughs_are_refused),
        cmocka_unit_test(test_yaml_mistakes), cmocka_unit_test(test_depth_is_limited),
        cmocka_unit_test(test_json),          cmocka_unit_test(test_readers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
