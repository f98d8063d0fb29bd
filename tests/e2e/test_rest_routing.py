"""Which method of a REST API answers a request."""

import pytest

from client import Wire
from project import Project

NAMED_PY = """
import json
import os


def handler(event, context):
    return {"statusCode": 200, "body": json.dumps({
        "method": os.environ["NAME"], "resource": event["resource"], "path": event["path"],
        "contextPath": event["requestContext"]["path"], "pathParameters": event["pathParameters"]})}
"""
MISSING = {"message": "Missing Authentication Token"}


def template_of(routes, stage="stage"):
    """One function per (method, path), so that the answer says which one was chosen."""
    lines = ["Resources:", "  Api:", "    Type: AWS::Serverless::Api", f"    Properties: {{StageName: {stage}}}"]
    for number, (method, path) in enumerate(routes):
        lines += [
            f"  F{number}:", "    Type: AWS::Serverless::Function", "    Properties:", "      Handler: named.handler",
            "      Runtime: python3.12", "      CodeUri: src",
            f"      Environment: {{Variables: {{NAME: '{method} {path}'}}}}",
            f"      Events: {{E: {{Type: Api, Properties: {{Path: '{path}', Method: {method}, RestApiId: !Ref Api}}}}}}"]
    return "\n".join(lines) + "\n"


class Trees:
    """Servers by their set of routes, each started once for the whole file."""

    def __init__(self, serve):
        self.serve = serve
        self.servers = {}

    def __getitem__(self, routes):
        if routes not in self.servers:
            project = self.serve.project()
            project.file("src/named.py", NAMED_PY)
            self.servers[routes] = self.serve(project.template(template_of(routes)))
        return self.servers[routes]


@pytest.fixture(scope="module")
def trees(serve_module):
    return Trees(serve_module)


PROXY = (("get", "/{proxy+}"), ("get", "/hardcoded"), ("get", "/"))
FALLBACK = (("get", "/test"), ("options", "/{proxy+}"))
ANY_FIRST = (("any", "/exact"), ("get", "/{proxy+}"))
PARTS = (("any", "/part1"), ("any", "/part1/hardcoded"), ("any", "/{param+}"))
METHODS = (("get", "/existing"), ("post", "/both"), ("any", "/both"))
NESTED = (("get", "/foo/{proxy+}"), ("get", "/{proxy+}"))
MIXED = (("get", "/pets/{id}"), ("get", "/pets/latest"), ("get", "/pets/{id}/toys"), ("get", "/Case"))
TWO_ROWS = (("get", "/foo/{p1}/baz"), ("get", "/foo/{p1}/{p2}"))
ONLY_PROXY = (("get", "/{proxy+}"),)


@pytest.mark.parametrize("routes, method, target, winner", [
    (PROXY, "GET", "/stage/hardcoded", "get /hardcoded"),
    (PROXY, "GET", "/stage/hardcoded/", "get /hardcoded"),
    (PROXY, "GET", "/stage//hardcoded", "get /hardcoded"),
    (PROXY, "GET", "/stage/", "get /"),
    (PROXY, "GET", "/stage", "get /"),
    (PROXY, "GET", "/stage/other", "get /{proxy+}"),
    (PROXY, "GET", "/stage/hardcoded/below", "get /{proxy+}"),
    (FALLBACK, "GET", "/stage/test", "get /test"),
    (FALLBACK, "OPTIONS", "/stage/test", "options /{proxy+}"),
    (ANY_FIRST, "GET", "/stage/exact", "any /exact"),
    (ANY_FIRST, "GET", "/stage/exact2", "get /{proxy+}"),
    (PARTS, "GET", "/stage/part1", "any /part1"),
    (PARTS, "GET", "/stage/part1/hardcoded", "any /part1/hardcoded"),
    (PARTS, "GET", "/stage/part1/random", "any /{param+}"),
    (METHODS, "POST", "/stage/both", "post /both"),
    (METHODS, "PUT", "/stage/both", "any /both"),
    (METHODS, "HEAD", "/stage/both", None),
    (NESTED, "GET", "/stage/foo/x/y", "get /foo/{proxy+}"),
    (NESTED, "GET", "/stage/foo", "get /{proxy+}"),
    (MIXED, "GET", "/stage/pets/7", "get /pets/{id}"),
    (MIXED, "GET", "/stage/pets/latest", "get /pets/latest"),
    (MIXED, "GET", "/stage/pets/latest/toys", "get /pets/{id}/toys"),
    (MIXED, "GET", "/stage/Case", "get /Case"),
    (TWO_ROWS, "GET", "/stage/foo/bar/baz", "get /foo/{p1}/baz"),
    (TWO_ROWS, "GET", "/stage/foo/bar/qux", "get /foo/{p1}/{p2}"),
])
def test_winner(trees, routes, method, target, winner):
    answer = trees[routes].request(method, target)
    assert answer.status == 200
    if method != "HEAD":
        assert answer.json()["method"] == winner


@pytest.mark.parametrize("routes, method, target", [
    (METHODS, "POST", "/stage/existing"),
    (METHODS, "HEAD", "/stage/existing"),
    (METHODS, "OPTIONS", "/stage/existing"),
    (METHODS, "GET", "/stage/unknown"),
    (METHODS, "GET", "/stage/existing/below"),
    (METHODS, "GET", "/stage/"),
    (METHODS, "TRACE", "/stage/both"),
    (METHODS, "PROPFIND", "/stage/both"),
    (MIXED, "GET", "/stage/case"),
    (MIXED, "GET", "/stage/pets"),
    (MIXED, "GET", "/stage/%70ets/7"),
    (ONLY_PROXY, "GET", "/stage/"),
    (ONLY_PROXY, "GET", "/stage"),
])
def test_nothing_matches(trees, routes, method, target):
    answer = trees[routes].request(method, target)
    assert answer.status == 403
    assert answer.header("x-amzn-errortype") == "MissingAuthenticationTokenException"
    assert answer.header("content-type") == "application/json"
    if method != "HEAD":
        assert answer.json() == MISSING


def test_unknown_stage_is_forbidden(trees):
    answer = trees[METHODS].get("/nostage/existing")
    assert answer.status == 403
    assert answer.json() == {"message": "Forbidden"}


def test_headers_of_a_gateway_error(trees):
    answer = trees[METHODS].get("/stage/unknown")
    assert answer.header("x-amzn-requestid")
    assert answer.header("x-amz-apigw-id").endswith("=")
    assert answer.header("date")
    assert answer.header("content-length") == str(len(answer.body))
    assert answer.header("x-amzn-trace-id") is None


@pytest.mark.parametrize("target, path, context_path, parameters", [
    ("//stage/proxy-value", "/proxy-value", "/stage/proxy-value", {"proxy": "proxy-value"}),
    ("/stage//proxy-value", "/proxy-value", "/stage//proxy-value", {"proxy": "proxy-value"}),
    ("/stage//hardcoded", "/hardcoded", "/stage//hardcoded", None),
    ("/stage/proxy-value/", "/proxy-value/", "/stage/proxy-value/", {"proxy": "proxy-value"}),
    ("/stage/proxy-value/?urlparam=test", "/proxy-value/", "/stage/proxy-value/", {"proxy": "proxy-value"}),
    ("/stage/proxy-value//double-slash", "/proxy-value//double-slash", "/stage/proxy-value//double-slash",
     {"proxy": "proxy-value//double-slash"}),
    ("/stage/a%2Fb/c", "/a%2Fb/c", "/stage/a%2Fb/c", {"proxy": "a%2Fb/c"}),
    ("/stage/..%2f/x", "/..%2f/x", "/stage/..%2f/x", {"proxy": "..%2f/x"}),
])
def test_slashes_and_encoding(trees, target, path, context_path, parameters):
    event = trees[PROXY].get(target).json()
    assert event["path"] == path
    assert event["contextPath"] == context_path
    assert event["pathParameters"] == parameters


def test_fragment_in_the_target_is_not_part_of_the_query(trees):
    with Wire(trees[PROXY].address) as wire:
        wire.send("GET /stage/x?zhash=abort/#foo HTTP/1.1\r\nHost: h\r\n\r\n")
        answer = wire.response()
    assert answer.status in (200, 400)
    if answer.status == 200:
        assert b"foo" not in answer.body


def test_api_is_found_by_host_and_by_path(serve, tmp_path):
    project = Project(tmp_path / "two")
    project.file("src/named.py", NAMED_PY)
    server = serve(project.template("""
        Resources:
          One:
            Type: AWS::Serverless::Api
            Properties: {StageName: v1}
          Two:
            Type: AWS::Serverless::Api
            Properties: {StageName: v1}
          F1:
            Type: AWS::Serverless::Function
            Properties:
              Handler: named.handler
              Runtime: python3.12
              CodeUri: src
              Environment: {Variables: {NAME: one, API: !Ref One}}
              Events: {E: {Type: Api, Properties: {Path: /x, Method: get, RestApiId: !Ref One}}}
          F2:
            Type: AWS::Serverless::Function
            Properties:
              Handler: named.handler
              Runtime: python3.12
              CodeUri: src
              Environment: {Variables: {NAME: two, API: !Ref Two}}
              Events: {E: {Type: Api, Properties: {Path: /x, Method: get, RestApiId: !Ref Two}}}
        """))
    for function, name in (("F1", "one"), ("F2", "two")):
        configuration = server.manage("GET", f"/2015-03-31/functions/{function}/configuration").json()
        api = configuration["Environment"]["Variables"]["API"]
        by_host = server.get("/v1/x", host=f"{api}.execute-api.us-east-1.amazonaws.com")
        assert by_host.json()["method"] == name
        by_path = server.get(f"/_aws/execute-api/{api}/v1/x")
        assert by_path.json()["method"] == name
        assert by_path.json()["path"] == "/x"
        on_management = server.manage("GET", f"/_aws/execute-api/{api}/v1/x")
        assert on_management.json()["method"] == name
