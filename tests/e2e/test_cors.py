"""Cross-origin requests: SAM's Cors of a REST API, CorsConfiguration of an HTTP API."""

import pytest

HELLO_PY = """
def handler(event, context):
    return {"statusCode": 200, "headers": {"Access-Control-Allow-Origin": "https://from.function",
                                           "Access-Control-Expose-Headers": "x-mine"}, "body": "hello"}
"""
PREFLIGHT = {"Origin": "https://app.example", "Access-Control-Request-Method": "POST",
             "Access-Control-Request-Headers": "x-a"}


def cors_headers(answer):
    return {name.lower() for name, _ in answer.headers if name.lower().startswith("access-control-")}


@pytest.fixture(scope="module")
def rest(serve_module):
    project = serve_module.project()
    project.file("src/hello.py", HELLO_PY)
    return serve_module(project.template("""
        Resources:
          Api:
            Type: AWS::Serverless::Api
            Properties:
              StageName: v1
              Cors: {AllowOrigin: "'https://app.example'", AllowHeaders: "'x-a,x-b'", MaxAge: "'600'", AllowCredentials: true}
          F:
            Type: AWS::Serverless::Function
            Properties:
              Handler: hello.handler
              Runtime: python3.12
              CodeUri: src
              Events:
                Get: {Type: Api, Properties: {Path: /x, Method: get, RestApiId: !Ref Api}}
                Post: {Type: Api, Properties: {Path: /x, Method: post, RestApiId: !Ref Api}}
                Any: {Type: Api, Properties: {Path: /any, Method: any, RestApiId: !Ref Api}}
        """))


def test_rest_preflight_is_a_mock(rest):
    answer = rest.request("OPTIONS", "/v1/x", PREFLIGHT)
    assert answer.status == 200
    assert answer.header("access-control-allow-origin") == "https://app.example"
    assert answer.header("access-control-allow-headers") == "x-a,x-b"
    assert answer.header("access-control-allow-methods") == "GET,OPTIONS,POST"
    assert answer.header("access-control-max-age") == "600"
    assert answer.header("access-control-allow-credentials") == "true"


def test_rest_preflight_of_any(rest):
    answer = rest.request("OPTIONS", "/v1/any", PREFLIGHT)
    if answer.body != b"hello":
        assert answer.header("access-control-allow-methods") == "DELETE,GET,HEAD,OPTIONS,PATCH,POST,PUT"


def test_rest_answers_are_left_to_the_function(rest):
    answer = rest.get("/v1/x", {"Origin": "https://app.example"})
    assert answer.all("access-control-allow-origin") == ["https://from.function"]


def test_rest_cors_as_a_string(serve, project):
    project.file("src/hello.py", HELLO_PY)
    server = serve(project.template("""
        Globals: {Api: {Cors: "'*'"}}
        Resources:
          F:
            Type: AWS::Serverless::Function
            Properties:
              Handler: hello.handler
              Runtime: python3.12
              CodeUri: src
              Events: {Get: {Type: Api, Properties: {Path: /x, Method: get}}}
        """))
    answer = server.request("OPTIONS", "/Prod/x", PREFLIGHT)
    assert answer.status == 200
    assert answer.header("access-control-allow-origin") == "*"
    assert answer.header("access-control-allow-methods") == "GET,OPTIONS"


@pytest.fixture(scope="module")
def http(serve_module):
    project = serve_module.project()
    project.file("src/hello.py", HELLO_PY)
    return serve_module(project.template("""
        Resources:
          Api:
            Type: AWS::Serverless::HttpApi
            Properties:
              CorsConfiguration:
                AllowOrigins: ["https://app.example", "https://two.example"]
                AllowMethods: [GET, POST]
                AllowHeaders: [x-a, x-b]
                ExposeHeaders: [x-seen]
                MaxAge: 600
                AllowCredentials: true
          F:
            Type: AWS::Serverless::Function
            Properties:
              Handler: hello.handler
              Runtime: python3.12
              CodeUri: src
              Events: {Get: {Type: HttpApi, Properties: {Path: /x, Method: get, ApiId: !Ref Api}}}
        """))


@pytest.mark.parametrize("target", ["/x", "/no/such/route"])
def test_http_preflight_is_answered_by_the_gateway(http, target):
    answer = http.request("OPTIONS", target, PREFLIGHT)
    assert answer.status == 204
    assert answer.body == b""
    assert answer.header("access-control-allow-origin") == "https://app.example"
    assert answer.header("access-control-allow-methods") == "GET,POST"
    assert answer.header("access-control-allow-headers") == "x-a,x-b"
    assert answer.header("access-control-max-age") == "600"
    assert answer.header("access-control-allow-credentials") == "true"


def test_http_preflight_of_another_origin(http):
    answer = http.request("OPTIONS", "/x", {**PREFLIGHT, "Origin": "https://evil.example"})
    assert answer.status == 204
    assert cors_headers(answer) == set()


def test_http_answers_get_the_headers_of_the_configuration(http):
    answer = http.get("/x", {"Origin": "https://two.example"})
    assert answer.status == 200
    assert answer.all("access-control-allow-origin") == ["https://two.example"]
    assert answer.all("access-control-expose-headers") == ["x-seen"]
    assert answer.header("access-control-allow-credentials") == "true"


def test_http_answers_to_another_origin_get_none(http):
    assert cors_headers(http.get("/x", {"Origin": "https://evil.example"})) == set()


def test_http_cors_true_allows_every_origin(serve, project):
    project.file("src/hello.py", HELLO_PY)
    server = serve(project.template("""
        Resources:
          Api:
            Type: AWS::Serverless::HttpApi
            Properties: {CorsConfiguration: true}
          F:
            Type: AWS::Serverless::Function
            Properties:
              Handler: hello.handler
              Runtime: python3.12
              CodeUri: src
              Events: {Get: {Type: HttpApi, Properties: {Path: /x, Method: get, ApiId: !Ref Api}}}
        """))
    assert server.request("OPTIONS", "/x", PREFLIGHT).header("access-control-allow-origin") == "*"
    assert server.get("/x", {"Origin": "https://any.example"}).header("access-control-allow-origin") == "*"


def test_http_without_cors_has_no_options(serve, project):
    project.file("src/hello.py", HELLO_PY)
    server = serve(project.template("""
        Resources:
          F:
            Type: AWS::Serverless::Function
            Properties:
              Handler: hello.handler
              Runtime: python3.12
              CodeUri: src
              Events: {Get: {Type: HttpApi, Properties: {Path: /x, Method: get}}}
        """))
    assert server.request("OPTIONS", "/x", PREFLIGHT).status == 404
