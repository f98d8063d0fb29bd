"""What a function behind a REST API may return, and what the client then sees."""

import base64
import json
import re

import pytest

from project import ANSWER_PY, RAW_BOOTSTRAP

TEMPLATE = """
Globals:
  Api:
    BinaryMediaTypes: ["image~1png", "application~1*", "*~1test"]
Resources:
  Answer:
    Type: AWS::Serverless::Function
    Properties:
      Handler: answer.handler
      Runtime: python3.12
      CodeUri: src
      Events: {E: {Type: Api, Properties: {Path: /answer, Method: any}}}
  Raw:
    Type: AWS::Serverless::Function
    Properties:
      Handler: none
      Runtime: provided.al2023
      CodeUri: raw
      Events: {E: {Type: Api, Properties: {Path: /raw, Method: any}}}
"""
TEXT = {"Content-Type": "text/plain"}
MALFORMED = {"message": "Internal server error"}


@pytest.fixture(scope="module")
def server(serve_module):
    project = serve_module.project()
    project.file("src/answer.py", ANSWER_PY)
    project.bootstrap("raw", RAW_BOOTSTRAP)
    return serve_module(project.template(TEMPLATE))


def answer(server, value, headers=(), method="POST"):
    return server.request(method, "/Prod/answer", [*TEXT.items(), *dict(headers).items()], json.dumps(value))


def raw(server, data):
    return server.post("/Prod/raw", data, TEXT)


@pytest.mark.parametrize("value, status", [
    ({}, 200),
    ({"statusCode": 200}, 200),
    ({"statusCode": 200, "headers": None}, 200),
    ({"statusCode": 200, "multiValueHeaders": None, "body": None}, 200),
    ({"headers": {"a": "b"}}, 200),
    ({"statusCode": "201"}, 201),
    ({"statusCode": 404}, 404),
    ({"statusCode": 599}, 599),
])
def test_accepted(server, value, status):
    seen = answer(server, value)
    assert seen.status == status
    assert seen.body == b""
    assert seen.header("content-type") == "application/json"
    assert seen.header("content-length") == "0"


@pytest.mark.parametrize("value", [
    {"statusCode": 200, "wrongValue": "v"},
    {"statusCode": "test"},
    "just a string",
    {"multiValueHeaders": {"x": "v"}},
    None,
    [],
    [1],
    3,
    True,
    {"statusCode": 200, "body": {"a": 1}},
    {"statusCode": 200, "headers": {"a": {"b": 1}}},
    {"statusCode": 200, "headers": {"a": ["b"]}},
    {"statusCode": 200, "headers": "a"},
    {"statusCode": 99},
    {"statusCode": 600},
    {"statusCode": 200, "headers": {"bad name": "v"}},
    {"statusCode": 200, "headers": {"a": "v\r\nSet-Cookie: evil=1"}},
    {"statusCode": 200, "headers": {"a": "v\nb"}},
], ids=json.dumps)
def test_malformed(server, value):
    seen = answer(server, value)
    assert seen.status == 502
    assert seen.json() == MALFORMED
    assert seen.header("x-amzn-errortype") == "InternalServerErrorException"
    assert seen.header("set-cookie") is None


@pytest.mark.parametrize("data", [b"", b"{", b"{}x", b"\xff\xfe", b"nul", b'{"statusCode":200,}'])
def test_not_json(server, data):
    seen = raw(server, data)
    assert seen.status == 502
    assert seen.json() == MALFORMED


def test_boolean_header_value_becomes_text(server):
    assert answer(server, {"statusCode": 200, "headers": {"x-flag": True}}).header("x-flag") == "true"


def test_body_is_passed_as_utf8(server):
    seen = answer(server, {"statusCode": 200, "body": "grün €"})
    assert seen.body == "grün €".encode()
    assert seen.header("content-length") == str(len("grün €".encode()))


def test_escapes_in_a_raw_answer(server):
    seen = raw(server, rb'{"statusCode":200,"body":"a\u00e4\ud83d\ude00\n\/"}')
    assert seen.body == "aä\U0001F600\n/".encode()


def test_function_error(server):
    seen = server.post("/Prod/answer", "not json", TEXT)
    assert seen.status == 502
    assert seen.json() == MALFORMED
    assert seen.header("x-amzn-errortype") == "InternalServerErrorException"


def test_content_type_of_the_function_is_kept(server):
    seen = answer(server, {"statusCode": 200, "headers": {"Content-Type": "text/html"}, "body": "<p>"})
    assert seen.all("content-type") == ["text/html"]


def test_multi_value_first_then_single_value(server):
    seen = answer(server, {"statusCode": 200, "multiValueHeaders": {"tesT-Multi": ["value-multi"]},
                           "headers": {"test-multi": "value-solo"}})
    assert seen.all("test-multi") == ["value-multi", "value-solo"]
    assert seen.spelling("test-multi") == "tesT-Multi"


def test_each_value_is_a_line_of_its_own(server):
    seen = answer(server, {"statusCode": 200, "multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"]}})
    assert seen.all("set-cookie") == ["a=1", "b=2"]


@pytest.mark.parametrize("name", [
    "Content-Length", "Date", "Connection", "Server", "Host", "WWW-Authenticate", "Authorization", "User-Agent",
    "Content-MD5", "Max-Forwards"])
def test_protected_headers_are_remapped(server, name):
    seen = answer(server, {"statusCode": 200, "headers": {name: "17"}, "body": "ok"})
    assert seen.status == 200
    assert seen.body == b"ok"
    assert seen.header(f"x-amzn-Remapped-{name}") == "17"
    assert seen.header(name) != "17"


def test_request_id_of_the_function_is_remapped(server):
    seen = answer(server, {"statusCode": 200, "headers": {"x-amzn-RequestId": "mine"}})
    assert seen.header("x-amzn-Remapped-x-amzn-RequestId") == "mine"
    assert len(seen.all("x-amzn-requestid")) == 1


def test_headers_that_the_gateway_adds(server):
    seen = answer(server, {"statusCode": 200})
    assert re.fullmatch(r"[0-9a-f-]{36}", seen.header("x-amzn-requestid"))
    assert re.fullmatch(r"[A-Za-z0-9+/_-]{15}=", seen.header("x-amz-apigw-id"))
    assert re.match(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24}", seen.header("x-amzn-trace-id"))
    assert seen.header("date")


def test_head_keeps_the_headers_and_drops_the_body(server):
    seen = server.request("HEAD", "/Prod/answer", TEXT, json.dumps(
        {"statusCode": 200, "headers": {"X-Seen": "1"}, "body": "abc"}))
    assert (seen.status, seen.header("x-seen"), seen.body) == (200, "1", b"")


@pytest.mark.parametrize("status", [204, 304])
def test_no_body_on_204_and_304(server, status):
    seen = answer(server, {"statusCode": status, "body": "abc"})
    assert (seen.status, seen.body) == (status, b"")


# Which answers are decoded: only the first media type of Accept counts.
@pytest.mark.parametrize("accept, is_bytes", [
    ("image/png", True), ("image/png; q=1", True), ("image/png,text/html", True), ("text/html,image/png", False),
    ("*/*", False), ("image/*", False), ("application/test", True), ("application/*", True), ("other/test", False),
    (None, False), ("application", False)])
def test_base64_answer_and_accept(server, accept, is_bytes):
    headers = {"Accept": accept} if accept else {}
    seen = answer(server, {"statusCode": 200, "isBase64Encoded": True, "body": "AAH/"}, headers)
    assert seen.status == 200
    assert seen.body == (base64.b64decode("AAH/") if is_bytes else b"AAH/")


def test_base64_text_without_the_flag_stays_text(server):
    assert answer(server, {"statusCode": 200, "body": "AAH/"}, {"Accept": "image/png"}).body == b"AAH/"


def test_invalid_base64(server):
    seen = answer(server, {"statusCode": 200, "isBase64Encoded": True, "body": "***"}, {"Accept": "image/png"})
    assert seen.status == 500
    assert seen.json() == MALFORMED


def test_everything_is_binary_with_a_star(serve, project):
    project.file("answer.py", ANSWER_PY)
    server = serve(project.template("""
        Globals: {Api: {BinaryMediaTypes: ["*~1*"]}}
        Resources:
          F:
            Type: AWS::Serverless::Function
            Properties:
              Handler: answer.handler
              Runtime: python3.12
              Events: {E: {Type: Api, Properties: {Path: /answer, Method: any}}}
        """))
    seen = answer(server, {"statusCode": 200, "isBase64Encoded": True, "body": "AAH/"}, {"Accept": "x/y"})
    assert seen.body == bytes([0, 1, 255])
