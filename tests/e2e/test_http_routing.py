"""Which route of an HTTP API answers a request."""

import pytest

NAMED_PY = """
import os


def handler(event, context):
    return {"name": os.environ["NAME"], "routeKey": event["routeKey"],
            "rawPath": event["rawPath"], "parameters": event.get("pathParameters")}
"""
NOT_FOUND = {"message": "Not Found"}


def template_of(routes, stage=None):
    lines = ["Resources:"]
    if stage:
        lines += ["  Api:", "    Type: AWS::Serverless::HttpApi", f"    Properties: {{StageName: {stage}}}"]
    api = ", ApiId: !Ref Api" if stage else ""
    for number, (method, path) in enumerate(routes):
        where = f"Path: '{path}', Method: {method}" if path != "$default" else "Path: $default, Method: any"
        lines += [
            f"  F{number}:", "    Type: AWS::Serverless::Function", "    Properties:", "      Handler: named.handler",
            "      Runtime: python3.12", "      CodeUri: src",
            f"      Environment: {{Variables: {{NAME: '{method} {path}'}}}}",
            f"      Events: {{E: {{Type: HttpApi, Properties: {{{where}{api}}}}}}}"]
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def trees(serve_module):
    servers = {}

    def server_of(routes, stage=None):
        key = (routes, stage)
        if key not in servers:
            project = serve_module.project()
            project.file("src/named.py", NAMED_PY)
            servers[key] = serve_module(project.template(template_of(routes, stage)))
        return servers[key]
    return server_of


PETS = (("GET", "/pets/dog/1"), ("GET", "/pets/dog/{id}"), ("GET", "/pets/{proxy+}"), ("ANY", "/{proxy+}"),
        ("any", "$default"))
NO_DEFAULT = (("GET", "/hello"), ("POST", "/both"), ("ANY", "/both"), ("ANY", "/static"), ("GET", "/{all+}"))
STRICT = (("GET", "/hello"), ("GET", "/metrics/{proxy+}"), ("GET", "/Case/{a}/x"), ("GET", "/Case/{b}/y"))


@pytest.mark.parametrize("routes, method, target, key", [
    (PETS, "GET", "/pets/dog/1", "GET /pets/dog/1"),
    (PETS, "GET", "/pets/dog/2", "GET /pets/dog/{id}"),
    (PETS, "GET", "/pets/cat/1", "GET /pets/{proxy+}"),
    (PETS, "POST", "/test/5", "ANY /{proxy+}"),
    (PETS, "POST", "/pets/dog/1", "ANY /{proxy+}"),
    (PETS, "GET", "/", "$default"),
    (NO_DEFAULT, "GET", "/hello", "GET /hello"),
    (NO_DEFAULT, "POST", "/both", "POST /both"),
    (NO_DEFAULT, "GET", "/both", "ANY /both"),
    (NO_DEFAULT, "GET", "/static", "ANY /static"),
    (NO_DEFAULT, "GET", "/a/b", "GET /{all+}"),
    (STRICT, "GET", "/metrics/a", "GET /metrics/{proxy+}"),
    (STRICT, "GET", "/Case/1/x", "GET /Case/{a}/x"),
    (STRICT, "GET", "/Case/1/y", "GET /Case/{b}/y"),
    (STRICT, "GET", "/metrics/", "GET /metrics/{proxy+}"),
])
def test_winner(trees, routes, method, target, key):
    answer = trees(routes).request(method, target)
    assert answer.status == 200
    assert answer.json()["routeKey"] == key


@pytest.mark.parametrize("routes, method, target", [
    (NO_DEFAULT, "POST", "/hello"),
    (NO_DEFAULT, "POST", "/"),
    (NO_DEFAULT, "OPTIONS", "/hello"),
    (STRICT, "GET", "/nope"),
    (STRICT, "GET", "/hello/"),
    (STRICT, "POST", "/hello"),
    (STRICT, "HEAD", "/hello"),
    (STRICT, "GET", "/case/1/x"),
    (STRICT, "GET", "/HELLO"),
])
def test_nothing_matches(trees, routes, method, target):
    answer = trees(routes).request(method, target)
    assert answer.status == 404
    assert answer.header("content-type") == "application/json"
    assert answer.header("content-length") == "23"
    assert answer.header("apigw-requestid")
    assert answer.header("x-amzn-errortype") is None
    if method != "HEAD":
        assert answer.json() == NOT_FOUND


def test_greedy_parameter_may_be_empty_after_a_slash(trees):
    assert trees(STRICT).get("/metrics/").json()["parameters"] == {"proxy": ""}


def test_named_stage(trees):
    server = trees((("GET", "/pets"),), "prod")
    assert server.get("/prod/pets").json()["rawPath"] == "/prod/pets"
    for target in ("/pets", "/other/pets", "/"):
        assert server.get(target).status == 404


def test_sibling_variables_of_different_routes_have_their_own_names(trees):
    assert trees(STRICT).get("/Case/1/x").json()["parameters"] == {"a": "1"}
    assert trees(STRICT).get("/Case/1/y").json()["parameters"] == {"b": "1"}


def test_default_event_without_path_and_method(serve, project):
    project.file("src/named.py", NAMED_PY)
    server = serve(project.template("""
        Resources:
          F:
            Type: AWS::Serverless::Function
            Properties:
              Handler: named.handler
              Runtime: python3.12
              CodeUri: src
              Environment: {Variables: {NAME: all}}
              Events: {E: {Type: HttpApi}}
        """))
    for method, target in (("GET", "/"), ("DELETE", "/a/b"), ("PATCH", "/x?y=1")):
        assert server.request(method, target).json()["routeKey"] == "$default"
