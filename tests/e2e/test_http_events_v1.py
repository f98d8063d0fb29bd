"""What a function behind an HTTP API is given when it asks for event format 1.0."""

import pytest

from project import ECHO_PY

TEMPLATE = """
Resources:
  Echo:
    Type: AWS::Serverless::Function
    Properties:
      Handler: echo.handler
      Runtime: python3.12
      CodeUri: src
      Events:
        Pet: {Type: HttpApi, Properties: {Path: "/pets/{id}", Method: any, PayloadFormatVersion: "1.0"}}
"""


@pytest.fixture(scope="module")
def server(serve_module):
    project = serve_module.project()
    project.file("src/echo.py", ECHO_PY)
    return serve_module(project.template(TEMPLATE))


def test_keys(server):
    event = server.get("/pets/42").json()
    assert list(event)[0] == "version"
    assert set(event) == {
        "version", "resource", "path", "httpMethod", "headers", "multiValueHeaders", "queryStringParameters",
        "multiValueQueryStringParameters", "requestContext", "pathParameters", "stageVariables", "body",
        "isBase64Encoded"}
    assert event["version"] == "1.0"
    assert event["resource"] == "/pets/{id}"
    assert event["path"] == "/pets/42"
    assert event["pathParameters"] == {"id": "42"}
    for key in ("queryStringParameters", "multiValueQueryStringParameters", "stageVariables", "body"):
        assert event[key] is None


def test_request_context(server):
    answer = server.get("/pets/42", {"User-Agent": "probe/1.0"})
    context = answer.json()["requestContext"]
    assert "deploymentId" not in context
    assert context["requestId"] == context["extendedRequestId"] == answer.header("apigw-requestid")
    assert context["resourceId"] == "GET /pets/{id}" or context["resourceId"] == "ANY /pets/{id}"
    assert context["resourcePath"] == "/pets/{id}"
    assert context["stage"] == "$default"
    assert context["path"] == "/pets/42"
    assert context["protocol"] == "HTTP/1.1"
    assert context["httpMethod"] == "GET"
    identity = context["identity"]
    assert identity["sourceIp"] == "127.0.0.1"
    assert identity["userAgent"] == "probe/1.0"
    assert "cognitoAmr" in identity


def test_content_length_is_visible(server):
    headers = server.post("/pets/1", "abc", {"Content-Type": "text/plain"}).json()["headers"]
    assert {name.lower(): value for name, value in headers.items()}["content-length"] == "3"


def test_query(server):
    event = server.get("/pets/1?v=1&v=2").json()
    assert event["queryStringParameters"] == {"v": "2"}
    assert event["multiValueQueryStringParameters"] == {"v": ["1", "2"]}


def test_cookie_stays_one_header(server):
    event = server.get("/pets/1", {"Cookie": "a=1; b=2"}).json()
    values = {name.lower(): value for name, value in event["multiValueHeaders"].items()}
    assert values["cookie"] == ["a=1; b=2"]
    assert "cookies" not in event


def test_binary_body_is_base64(server):
    event = server.post("/pets/1", b"\x00", {"Content-Type": "image/png"}).json()
    assert (event["body"], event["isBase64Encoded"]) == ("AA==", True)
