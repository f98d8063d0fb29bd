"""What a function behind a REST API is given: event format 1.0."""

import base64
import json
import re
import time

import pytest

from client import Wire
from project import ECHO_PY

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
TEMPLATE = """
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: live
      BinaryMediaTypes: ["image~1png", "application/octet-stream"]
      Variables: {color: blue, size: "7"}
  Plain:
    Type: AWS::Serverless::Function
    Properties:
      Handler: echo.handler
      Runtime: python3.12
      CodeUri: src
      Events:
        Root: {Type: Api, Properties: {Path: /, Method: any, RestApiId: !Ref Api}}
        Item: {Type: Api, Properties: {Path: "/items/{id}", Method: any, RestApiId: !Ref Api}}
        Shop: {Type: Api, Properties: {Path: "/shop/{proxy+}", Method: any, RestApiId: !Ref Api}}
        Fixed: {Type: Api, Properties: {Path: /fixed, Method: any, RestApiId: !Ref Api}}
"""


@pytest.fixture(scope="module")
def server(serve_module):
    project = serve_module.project()
    project.file("src/echo.py", ECHO_PY)
    return serve_module(project.template(TEMPLATE))


def test_event_has_exactly_the_keys_of_format_1_0(server):
    event = server.get("/live/fixed").json()
    assert set(event) == {
        "resource", "path", "httpMethod", "headers", "multiValueHeaders", "queryStringParameters",
        "multiValueQueryStringParameters", "pathParameters", "stageVariables", "requestContext", "body",
        "isBase64Encoded"}
    assert event["resource"] == "/fixed"
    assert event["path"] == "/fixed"
    assert event["httpMethod"] == "GET"
    assert event["isBase64Encoded"] is False


@pytest.mark.parametrize("key", [
    "queryStringParameters", "multiValueQueryStringParameters", "pathParameters", "body"])
def test_absent_parts_are_null(server, key):
    assert server.get("/live/fixed").json()[key] is None


def test_stage_variables(server):
    assert server.get("/live/fixed").json()["stageVariables"] == {"color": "blue", "size": "7"}


def test_request_context(server):
    before = int(time.time() * 1000)
    answer = server.get("/live/fixed", {"User-Agent": "probe/1.0"})
    after = int(time.time() * 1000)
    context = answer.json()["requestContext"]
    assert set(context) == {
        "accountId", "apiId", "deploymentId", "domainName", "domainPrefix", "extendedRequestId", "httpMethod",
        "identity", "path", "protocol", "requestId", "requestTime", "requestTimeEpoch", "resourceId",
        "resourcePath", "stage"}
    assert context["accountId"] == "000000000000"
    assert re.fullmatch(r"[a-z0-9]{10}", context["apiId"])
    assert context["httpMethod"] == "GET"
    assert context["path"] == "/live/fixed"
    assert context["protocol"] == "HTTP/1.1"
    assert context["resourcePath"] == "/fixed"
    assert context["stage"] == "live"
    assert re.fullmatch(UUID, context["requestId"])
    assert context["requestId"] == answer.header("x-amzn-requestid")
    assert context["extendedRequestId"] == answer.header("x-amz-apigw-id")
    assert before <= context["requestTimeEpoch"] <= after
    assert re.fullmatch(r"\d{2}/[A-Z][a-z]{2}/\d{4}:\d{2}:\d{2}:\d{2} \+0000", context["requestTime"])
    assert context["requestTime"] == time.strftime(
        "%d/%b/%Y:%H:%M:%S +0000", time.gmtime(context["requestTimeEpoch"] // 1000))


def test_domain_name_is_the_host_of_the_client(server):
    context = server.get("/live/fixed", host="shop.example.test").json()["requestContext"]
    assert context["domainName"] == "shop.example.test"
    assert context["domainPrefix"] == "shop"


def test_identity(server):
    identity = server.get("/live/fixed", {"User-Agent": "probe/1.0"}).json()["requestContext"]["identity"]
    assert identity == {
        "accessKey": None, "accountId": None, "caller": None, "cognitoAuthenticationProvider": None,
        "cognitoAuthenticationType": None, "cognitoIdentityId": None, "cognitoIdentityPoolId": None,
        "principalOrgId": None, "sourceIp": "127.0.0.1", "user": None, "userAgent": "probe/1.0", "userArn": None}


def test_identity_without_user_agent(server):
    assert server.get("/live/fixed").json()["requestContext"]["identity"]["userAgent"] is None


def test_headers_keep_the_client_spelling_and_the_last_value(server):
    event = server.get("/live/fixed", [("x-TaG", "a"), ("x-TaG", "b"), ("Accept", "*/*")]).json()
    assert event["headers"]["x-TaG"] == "b"
    assert event["multiValueHeaders"]["x-TaG"] == ["a", "b"]
    assert event["headers"]["Accept"] == "*/*"


def test_headers_that_are_dropped_and_added(server):
    event = server.post("/live/fixed", "{}", [
        ("Content-Type", "application/json"), ("TE", "trailers"), ("Max-Forwards", "3"), ("Content-MD5", "x"),
        ("Server", "s"), ("WWW-Authenticate", "w"), ("Proxy-Authenticate", "p"), ("X-Kept", "1")]).json()
    names = {name.lower() for name in event["headers"]}
    assert names.isdisjoint({
        "connection", "content-length", "content-md5", "expect", "max-forwards", "proxy-authenticate", "server",
        "te", "transfer-encoding", "trailer", "upgrade", "www-authenticate"})
    assert event["headers"]["X-Kept"] == "1"
    assert event["headers"]["Content-Type"] == "application/json"
    assert re.match(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24}", event["headers"]["X-Amzn-Trace-Id"])
    assert event["headers"]["X-Forwarded-For"] == "127.0.0.1"
    assert event["headers"]["X-Forwarded-Proto"] == "http"
    assert event["headers"]["X-Forwarded-Port"] == str(server.port())
    assert set(event["headers"]) == set(event["multiValueHeaders"])


def test_forwarded_for_is_a_chain(server):
    event = server.get("/live/fixed", {"X-Forwarded-For": "203.0.113.9"}).json()
    assert event["headers"]["X-Forwarded-For"] == "203.0.113.9, 127.0.0.1"


def test_trace_id_of_the_client_is_kept(server):
    root = "1-65f00000-0123456789abcdef01234567"
    event = server.get("/live/fixed", {"X-Amzn-Trace-Id": f"Root={root}"}).json()
    assert f"Root={root}" in event["headers"]["X-Amzn-Trace-Id"]


def test_query_keeps_the_last_value_and_lists_all(server):
    query = "category=electronics&price=10&price=20&category=books&price=30"
    event = server.get(f"/live/fixed?{query}").json()
    assert event["queryStringParameters"] == {"category": "books", "price": "30"}
    assert event["multiValueQueryStringParameters"] == {
        "category": ["electronics", "books"], "price": ["10", "20", "30"]}


@pytest.mark.parametrize("query, expected", [
    ("t=2023-06-12T18:05:10.123456+00:00", {"t": "2023-06-12T18:05:10.123456 00:00"}),
    ("plus=test+alias@gmail.com", {"plus": "test alias@gmail.com"}),
    ("email=test%2Balias@gmail.com", {"email": "test+alias@gmail.com"}),
    ("a", {"a": ""}),
    ("a=", {"a": ""}),
    ("a[]=1&a[]=2", {"a[]": "2"}),
    ("q=%C3%A4", {"q": "ä"}),
    ("Name=1&name=2", {"Name": "1", "name": "2"}),
    ("k%20y=1", {"k y": "1"}),
    ("a=b=c", {"a": "b=c"}),
])
def test_query_is_decoded_as_a_form(server, query, expected):
    assert server.get(f"/live/fixed?{query}").json()["queryStringParameters"] == expected


def test_path_parameters_are_not_decoded(server):
    path = "/api/user/test%2Balias@gmail.com/plus/test+alias@gmail.com"
    event = server.get(f"/live/shop{path}").json()
    assert event["path"] == f"/shop{path}"
    assert event["requestContext"]["path"] == f"/live/shop{path}"
    assert event["pathParameters"] == {"proxy": path[1:]}
    assert event["resource"] == "/shop/{proxy+}"
    assert event["requestContext"]["resourcePath"] == "/shop/{proxy+}"


def test_greedy_parameter_loses_the_trailing_slash_and_the_path_keeps_it(server):
    event = server.post("/live/shop/cart/items%2F7/", '{"sku":7}', {"Content-Type": "application/json"}).json()
    assert event["path"] == "/shop/cart/items%2F7/"
    assert event["requestContext"]["path"] == "/live/shop/cart/items%2F7/"
    assert event["pathParameters"] == {"proxy": "cart/items%2F7"}
    assert event["body"] == '{"sku":7}'
    assert event["isBase64Encoded"] is False


def test_body_of_a_binary_media_type_is_base64(server):
    event = server.post("/live/fixed", bytes([0, 1, 2, 255]), {"Content-Type": "image/png"}).json()
    assert event["isBase64Encoded"] is True
    assert base64.b64decode(event["body"]) == bytes([0, 1, 2, 255])


def test_body_of_a_binary_media_type_with_parameters_is_base64(server):
    event = server.post("/live/fixed", b"x", {"Content-Type": "application/octet-stream; q=1"}).json()
    assert (event["isBase64Encoded"], event["body"]) == (True, "eA==")


def test_body_of_another_type_is_text_with_bad_bytes_replaced(server):
    event = server.post("/live/fixed", b"a\xffb", {"Content-Type": "image/jpeg"}).json()
    assert event["isBase64Encoded"] is False
    assert event["body"] == "a�b"


def test_body_survives_every_character(server):
    text = "".join(map(chr, [*range(1, 0x80), 0xE4, 0x20AC, 0x1F600])) + '"\\/'
    event = server.post("/live/fixed", text.encode(), {"Content-Type": "text/plain"}).json()
    assert event["body"] == text


def test_body_with_nul_byte(server):
    assert server.post("/live/fixed", b"a\0b", {"Content-Type": "text/plain"}).json()["body"] == "a\0b"


def test_empty_body_is_null(server):
    assert server.post("/live/fixed", b"", {"Content-Type": "application/json"}).json()["body"] is None


def test_method_override(server):
    assert server.get("/live/fixed", {"X-HTTP-Method-Override": "PATCH"}).json()["httpMethod"] == "PATCH"


def test_chunked_body_arrives_whole(server):
    with Wire(server.address) as wire:
        wire.send("POST /live/fixed HTTP/1.1\r\nHost: h\r\nContent-Type: text/plain\r\n"
                  "Transfer-Encoding: chunked\r\n\r\n4\r\nWiki\r\n6\r\npedia!\r\n0\r\n\r\n")
        event = json.loads(wire.response().body)
    assert event["body"] == "Wikipedia!"
    assert "transfer-encoding" not in {name.lower() for name in event["headers"]}


def test_ids_are_stable_over_requests(server):
    first = server.get("/live/fixed").json()["requestContext"]
    second = server.get("/live/fixed").json()["requestContext"]
    for key in ("apiId", "resourceId", "deploymentId"):
        assert first[key] == second[key]
    assert first["requestId"] != second["requestId"]
    other = server.get("/live/items/1").json()["requestContext"]
    assert other["resourceId"] != first["resourceId"]


def test_stage_variables_are_null_when_there_are_none(serve, project):
    project.file("echo.py", ECHO_PY)
    server = serve(project.template("""
        Resources:
          F:
            Type: AWS::Serverless::Function
            Properties:
              Handler: echo.handler
              Runtime: python3.12
              Events: {E: {Type: Api, Properties: {Path: /x, Method: get}}}
        """))
    event = server.get("/Prod/x").json()
    assert event["stageVariables"] is None
    assert event["requestContext"]["stage"] == "Prod"
