"""What a function behind an HTTP API may return, and what the client then sees."""

import json

import pytest

from project import ANSWER_PY, RAW_BOOTSTRAP

TEMPLATE = """
Resources:
  Answer:
    Type: AWS::Serverless::Function
    Properties:
      Handler: answer.handler
      Runtime: python3.12
      CodeUri: src
      Events:
        Two: {Type: HttpApi, Properties: {Path: /two, Method: any}}
        One: {Type: HttpApi, Properties: {Path: /one, Method: any, PayloadFormatVersion: "1.0"}}
  Raw:
    Type: AWS::Serverless::Function
    Properties:
      Handler: none
      Runtime: provided.al2023
      CodeUri: raw
      Events: {E: {Type: HttpApi, Properties: {Path: /raw, Method: any}}}
"""
TEXT = {"Content-Type": "text/plain"}
FAULT = {"message": "Internal Server Error"}


@pytest.fixture(scope="module")
def server(serve_module):
    project = serve_module.project()
    project.file("src/answer.py", ANSWER_PY)
    project.bootstrap("raw", RAW_BOOTSTRAP)
    return serve_module(project.template(TEMPLATE))


def two(server, value):
    return server.post("/two", json.dumps(value), TEXT)


def one(server, value):
    return server.post("/one", json.dumps(value), TEXT)


@pytest.mark.parametrize("value, body", [
    ("hello", b"hello"),
    ({"hello": "world"}, b'{"hello":"world"}'),
    (["hello", 3, True], b'["hello",3,true]'),
    (3, b"3"),
    (3.1, b"3.1"),
    (True, b"true"),
    ({"body": "x", "headers": {"a": "b"}}, b'{"body":"x","headers":{"a":"b"}}'),
])
def test_inferred(server, value, body):
    seen = two(server, value)
    assert seen.status == 200
    assert seen.header("content-type") == "application/json"
    assert seen.body == body


def test_inferred_null(server):
    seen = two(server, None)
    assert (seen.status, seen.body) == (200, b"null")


def test_inferred_object_of_a_custom_runtime_is_written_compactly(server):
    seen = server.post("/raw", b' { "a" : [ 1 , "x y" ] } ', TEXT)
    assert (seen.status, seen.body) == (200, b'{"a":[1,"x y"]}')


def test_structured_without_content_type(server):
    seen = two(server, {"statusCode": 201, "body": "hello"})
    assert seen.status == 201
    assert seen.header("content-type") == "text/plain; charset=utf-8"
    assert seen.body == b"hello"


def test_structured_keeps_the_body_byte_for_byte(server):
    seen = two(server, {"statusCode": 200, "body": '{"hello": "world"}'})
    assert seen.body == b'{"hello": "world"}'


def test_unknown_keys_are_tolerated(server):
    assert two(server, {"statusCode": 200, "other": 1, "body": "x"}).body == b"x"


def test_cookies(server):
    seen = two(server, {"statusCode": 200, "cookies": ["a=1; HttpOnly", "b=2"]})
    assert seen.all("set-cookie") == ["a=1; HttpOnly", "b=2"]


def test_header_values_become_text(server):
    seen = two(server, {"statusCode": 200, "headers": {"x-n": 3, "x-b": False, "x-s": "s"}})
    assert (seen.header("x-n"), seen.header("x-b"), seen.header("x-s")) == ("3", "false", "s")


def test_base64_is_always_decoded(server):
    seen = two(server, {"statusCode": 200, "isBase64Encoded": True, "body": "AAH/"})
    assert seen.body == bytes([0, 1, 255])


def test_status_code_as_text(server):
    assert two(server, {"statusCode": "202"}).status == 202


@pytest.mark.parametrize("value", [{"statusCode": "test"}, {"statusCode": 99}, {"statusCode": 1000},
                                   {"statusCode": None}, {"statusCode": 200, "headers": {"a": "x\r\ny: z"}}],
                         ids=json.dumps)
def test_structured_but_malformed(server, value):
    seen = two(server, value)
    assert seen.status == 500
    assert seen.json() == FAULT


@pytest.mark.parametrize("data", [b"{", b"", b"\xff"])
def test_not_json(server, data):
    seen = server.post("/raw", data, TEXT)
    assert seen.status == 500
    assert seen.json() == FAULT


def test_function_error(server):
    seen = server.post("/two", "not json", TEXT)
    assert seen.status == 500
    assert seen.json() == FAULT
    assert seen.header("content-type") == "application/json"
    assert seen.header("apigw-requestid")
    assert seen.header("x-amzn-requestid") is None
    assert seen.header("x-amzn-errortype") is None


def test_headers_of_an_answer(server):
    seen = two(server, {"statusCode": 200, "body": "x"})
    assert seen.header("apigw-requestid")
    assert seen.header("date")
    assert seen.header("content-length") == "1"
    for name in ("x-amzn-requestid", "x-amz-apigw-id", "x-amzn-trace-id"):
        assert seen.header(name) is None


def test_hop_by_hop_headers_of_a_function_are_dropped(server):
    seen = two(server, {"statusCode": 200, "headers": {
        "Transfer-Encoding": "chunked", "Connection": "close", "Keep-Alive": "x", "Content-Length": "99"}, "body": "ok"})
    assert seen.status == 200
    assert seen.body == b"ok"
    assert seen.header("transfer-encoding") is None
    assert seen.all("content-length") == ["2"]


def test_format_1_needs_a_status_code(server):
    assert one(server, {"statusCode": 201, "body": "x"}).status == 201
    missing = one(server, {"body": "x"})
    assert missing.status == 500
    assert missing.json() == FAULT


def test_format_1_merges_multi_value_headers(server):
    seen = one(server, {"statusCode": 200, "multiValueHeaders": {"x-m": ["1", "2"]}, "headers": {"X-M": "3"}})
    assert ",".join(seen.all("x-m")).replace(" ", "") == "1,2,3"


def test_format_1_decodes_base64_unasked(server):
    assert one(server, {"statusCode": 200, "isBase64Encoded": True, "body": "AAH/"}).body == bytes([0, 1, 255])
