"""What a function behind an HTTP API is given: event format 2.0."""

import base64
import re
import time

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
        Pet: {Type: HttpApi, Properties: {Path: "/pets/{id}", Method: get}}
        Put: {Type: HttpApi, Properties: {Path: "/pets/{id}", Method: put}}
        Any: {Type: HttpApi, Properties: {Path: /any, Method: any}}
        Files: {Type: HttpApi, Properties: {Path: "/files/{proxy+}", Method: any}}
        Rest: {Type: HttpApi}
"""


@pytest.fixture(scope="module")
def server(serve_module):
    project = serve_module.project()
    project.file("src/echo.py", ECHO_PY)
    return serve_module(project.template(TEMPLATE))


def test_event_of_a_bare_get(server):
    event = server.get("/any").json()
    assert set(event) == {
        "version", "routeKey", "rawPath", "rawQueryString", "headers", "requestContext", "isBase64Encoded"}
    assert event["version"] == "2.0"
    assert event["routeKey"] == "ANY /any"
    assert event["rawPath"] == "/any"
    assert event["rawQueryString"] == ""
    assert event["isBase64Encoded"] is False


def test_request_context(server):
    before = int(time.time() * 1000)
    answer = server.get("/pets/42", {"User-Agent": "probe/1.0"}, host="pets.example.test")
    after = int(time.time() * 1000)
    context = answer.json()["requestContext"]
    assert set(context) == {
        "accountId", "apiId", "domainName", "domainPrefix", "http", "requestId", "routeKey", "stage", "time",
        "timeEpoch"}
    assert context["http"] == {
        "method": "GET", "path": "/pets/42", "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1",
        "userAgent": "probe/1.0"}
    assert context["accountId"] == "000000000000"
    assert re.fullmatch(r"[a-z0-9]{10}", context["apiId"])
    assert context["domainName"] == "pets.example.test"
    assert context["domainPrefix"] == "pets"
    assert context["routeKey"] == "GET /pets/{id}"
    assert context["stage"] == "$default"
    assert before <= context["timeEpoch"] <= after
    assert context["time"] == time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(context["timeEpoch"] // 1000))
    assert context["requestId"] == answer.header("apigw-requestid")
    assert re.fullmatch(r"[A-Za-z0-9+/_-]{15}=", context["requestId"])


def test_user_agent_is_empty_when_there_is_none(server):
    assert server.get("/any").json()["requestContext"]["http"]["userAgent"] == ""


def test_headers_are_lower_case_and_joined(server):
    headers = server.get("/any", [("X-Dup", "1"), ("x-dup", "2"), ("ACCEPT", "*/*")]).json()["headers"]
    assert headers["x-dup"] == "1,2"
    assert headers["accept"] == "*/*"
    assert all(name == name.lower() for name in headers)
    assert re.match(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24}", headers["x-amzn-trace-id"])
    assert headers["x-forwarded-for"] == "127.0.0.1"
    assert headers["x-forwarded-proto"] == "http"
    assert headers["x-forwarded-port"] == str(server.port())
    assert headers["host"] == f"127.0.0.1:{server.port()}"


def test_content_length_is_among_the_headers(server):
    assert server.post("/any", "abc", {"Content-Type": "text/plain"}).json()["headers"]["content-length"] == "3"


def test_cookies_are_an_array_of_their_own(server):
    event = server.get("/any", {"Cookie": "sid=31d4d96e; theme=dark"}).json()
    assert event["cookies"] == ["sid=31d4d96e", "theme=dark"]
    assert "cookie" not in event["headers"]


def test_several_cookie_headers(server):
    event = server.get("/any", [("Cookie", "a=1; b=2"), ("Cookie", "c=3")]).json()
    assert event["cookies"] == ["a=1", "b=2", "c=3"]


def test_query(server):
    event = server.get("/any?tag=x&tag=y&q=foo%20bar&e").json()
    assert event["rawQueryString"] == "tag=x&tag=y&q=foo%20bar&e"
    assert event["queryStringParameters"] == {"tag": "x,y", "q": "foo bar", "e": ""}


def test_plus_is_a_space_in_a_query(server):
    assert server.get("/any?q=a+b%2Bc").json()["queryStringParameters"] == {"q": "a b+c"}


def test_path_parameters_are_decoded_and_the_raw_path_is_not(server):
    event = server.get("/pets/a%20b%2Fc").json()
    assert event["pathParameters"] == {"id": "a b/c"}
    assert event["rawPath"] == "/pets/a%20b%2Fc"
    assert event["requestContext"]["http"]["path"] == "/pets/a%20b%2Fc"


def test_greedy_parameter(server):
    event = server.get("/files/a/b/c.txt").json()
    assert event["pathParameters"] == {"proxy": "a/b/c.txt"}
    assert event["routeKey"] == "ANY /files/{proxy+}"


def test_default_route(server):
    event = server.get("/elsewhere/deep?x=1").json()
    assert event["routeKey"] == "$default"
    assert event["requestContext"]["routeKey"] == "$default"
    assert event["rawPath"] == "/elsewhere/deep"
    assert "pathParameters" not in event


@pytest.mark.parametrize("content_type", [
    "text/plain", "text/html; charset=utf-8", "application/json", "application/json; charset=utf-8",
    "application/javascript", "application/xml", None])
def test_text_bodies_are_text(server, content_type):
    headers = {"Content-Type": content_type} if content_type else {}
    event = server.post("/any", '{"age": 3}\n', headers).json()
    assert event["isBase64Encoded"] is False
    assert event["body"] == '{"age": 3}\n'


@pytest.mark.parametrize("content_type", [
    "image/png", "application/octet-stream", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded"])
def test_other_bodies_are_base64(server, content_type):
    event = server.post("/any", b"a=\x00\xff", {"Content-Type": content_type}).json()
    assert event["isBase64Encoded"] is True
    assert base64.b64decode(event["body"]) == b"a=\x00\xff"


def test_encoded_content_is_base64(server):
    event = server.post("/any", b"zzz", {"Content-Type": "text/plain", "Content-Encoding": "gzip"}).json()
    assert (event["isBase64Encoded"], event["body"]) == (True, "enp6")


def test_empty_body_is_absent(server):
    event = server.post("/any", b"", {"Content-Type": "image/png"}).json()
    assert "body" not in event
    assert event["isBase64Encoded"] is False


def test_named_stage_is_part_of_the_raw_path(serve, project):
    project.file("echo.py", ECHO_PY)
    server = serve(project.template("""
        Resources:
          Api:
            Type: AWS::Serverless::HttpApi
            Properties: {StageName: prod, StageVariables: {color: blue}}
          F:
            Type: AWS::Serverless::Function
            Properties:
              Handler: echo.handler
              Runtime: python3.12
              Events: {E: {Type: HttpApi, Properties: {Path: /pets, Method: get, ApiId: !Ref Api}}}
        """))
    event = server.get("/prod/pets").json()
    assert event["rawPath"] == "/prod/pets"
    assert event["requestContext"]["http"]["path"] == "/prod/pets"
    assert event["requestContext"]["stage"] == "prod"
    assert event["routeKey"] == "GET /pets"
    assert event["stageVariables"] == {"color": "blue"}
