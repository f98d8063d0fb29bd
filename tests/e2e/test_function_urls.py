"""Function URLs as the gateway serves them: addresses, events, answers (function-api.md §12)."""

import datetime
import json
import uuid

import pytest

from headgate import wait_for

HANDLER = """
import json


def handler(event, context):
    path = event["rawPath"]
    if path == "/event":
        return {"statusCode": 200, "body": json.dumps(event)}
    if path == "/raise":
        raise ValueError("no")
    if path == "/id":
        return context.aws_request_id + " " + context.invoked_function_arn
    return json.loads(event["body"])
"""


@pytest.fixture(scope="module")
def server(serve_module):
    project = serve_module.project()
    project.file("src/index.py", HANDLER)
    return serve_module(project.template("""
        Resources:
          Open:
            Type: AWS::Serverless::Function
            Properties:
              FunctionName: open
              Handler: index.handler
              Runtime: python3.12
              CodeUri: src
              AutoPublishAlias: live
              FunctionUrlConfig:
                AuthType: NONE
                Cors: {AllowOrigins: ["https://app.example"], AllowMethods: [POST], AllowHeaders: [x-a], MaxAge: 60}
          Closed:
            Type: AWS::Serverless::Function
            Properties:
              FunctionName: closed
              Handler: index.handler
              Runtime: python3.12
              CodeUri: src
              FunctionUrlConfig: {AuthType: AWS_IAM}
          Stopped:
            Type: AWS::Serverless::Function
            Properties:
              FunctionName: stopped
              Handler: index.handler
              Runtime: python3.12
              CodeUri: src
              ReservedConcurrentExecutions: 0
              FunctionUrlConfig: {AuthType: NONE}
        Outputs:
          Open: {Value: !GetAtt OpenUrl.FunctionUrl}
          Closed: {Value: !GetAtt ClosedUrl.FunctionUrl}
          Stopped: {Value: !GetAtt StoppedUrl.FunctionUrl}
        """))


@pytest.fixture(scope="module")
def ids(server):
    """Output name → id of the URL."""
    lines = [line.split(" = ") for line in server.stdout().splitlines() if " = " in line and "/_aws/lambda-url/" in line]
    return {name.strip(): url.rstrip("/").rsplit("/", 1)[1] for name, url in lines}


def ask(server, url_id, method, path, headers=None, body=None):
    """By host: the path is the function's own."""
    return server.request(method, path, headers or {}, body, host=f"{url_id}.lambda-url.us-east-1.localhost")


def test_event(server, ids):
    answer = ask(server, ids["Open"], "POST", "/event?q=1&q=2&z=3",
                 {"Content-Type": "application/json", "Cookie": "s=1; t=2", "X-A": "b"}, '{"a":1}')
    assert answer.status == 200
    event = answer.json()
    host = f"{ids['Open']}.lambda-url.us-east-1.localhost"
    assert event["version"] == "2.0"
    assert event["routeKey"] == "$default"
    assert event["rawPath"] == "/event"
    assert event["rawQueryString"] == "q=1&q=2&z=3"
    assert event["cookies"] == ["s=1", "t=2"]
    assert event["queryStringParameters"] == {"q": "1,2", "z": "3"}
    assert event["headers"]["x-a"] == "b"
    assert event["body"] == '{"a":1}'
    assert event["isBase64Encoded"] is False
    context = event["requestContext"]
    assert context["accountId"] == "anonymous"
    assert context["apiId"] == ids["Open"]
    assert context["domainName"] == host
    assert context["domainPrefix"] == ids["Open"]
    assert context["stage"] == "$default"
    assert context["http"]["method"] == "POST"
    assert context["http"]["path"] == "/event"
    assert context["requestId"] == answer.header("x-amzn-requestid")
    assert "pathParameters" not in event and "stageVariables" not in event and "authorizer" not in context


def test_the_path_stays_as_it_was_sent(server, ids):
    event = ask(server, ids["Open"], "POST", "/event", {"Content-Type": "application/octet-stream"}, b"\x00\xff").json()
    assert event["isBase64Encoded"] is True
    assert event["body"] == "AP8="
    answer = ask(server, ids["Open"], "POST", "/pa2%2Fth/1", {}, '{"statusCode":204}')
    assert answer.status == 204


def test_by_path(server, ids):
    answer = server.request("POST", f"/_aws/lambda-url/{ids['Open']}/a/b", {}, '"hello"')
    assert (answer.status, answer.body) == (200, b"hello")
    assert server.manage("POST", f"/_aws/lambda-url/{ids['Open']}/a/b", {}, '"hello"').body == b"hello"


def test_invocation_id_and_alias(server, ids):
    answer = ask(server, ids["Open"], "GET", "/id")
    request_id, arn = answer.text.split()
    assert str(uuid.UUID(request_id)) == request_id
    assert request_id == answer.header("x-amzn-requestid")
    assert arn == "arn:aws:lambda:us-east-1:000000000000:function:open:live"


@pytest.mark.parametrize("returned, status, content_type, body", [
    ('{"statusCode":201,"headers":{"x-y":"z"},"cookies":["a=1","b=2"],"body":"made"}', 201, "application/json", b"made"),
    ('{"statusCode":"202"}', 202, "application/json", b""),
    ('{"statusCode":200,"headers":{"content-type":"text/html"},"body":"<p>"}', 200, "text/html", b"<p>"),
    ('{"statusCode":200,"body":"AAE=","isBase64Encoded":true}', 200, "application/json", b"\x00\x01"),
    ('{"hello":"world"}', 200, "application/json", b'{"hello":"world"}'),
    ('["hello",3,true]', 200, "application/json", b'["hello",3,true]'),
    ('"hello"', 200, "application/json", b"hello"),
    ("3", 200, "application/json", b"3"),
    ("3.1", 200, "application/json", b"3.1"),
    ("true", 200, "application/json", b"true"),
])
def test_answers(server, ids, returned, status, content_type, body):
    answer = ask(server, ids["Open"], "POST", "/", {}, returned)
    assert answer.status == status
    assert answer.header("content-type") == content_type
    assert answer.body.replace(b", ", b",").replace(b": ", b":") == body


def test_cookies(server, ids):
    answer = ask(server, ids["Open"], "POST", "/", {}, '{"statusCode":200,"cookies":["a=1","b=2"]}')
    assert answer.all("set-cookie") == ["a=1", "b=2"]


def test_function_errors(server, ids):
    for path, body in (("/raise", None), ("/", '{"statusCode":"many"}')):
        answer = ask(server, ids["Open"], "POST", path, {}, body)
        assert (answer.status, answer.body) == (502, b"Internal Server Error")


def test_cors(server, ids):
    answer = ask(server, ids["Open"], "OPTIONS", "/", {"Origin": "https://app.example",
                                                       "Access-Control-Request-Method": "POST"})
    assert answer.status == 200
    assert answer.header("access-control-allow-origin") == "https://app.example"
    assert answer.header("access-control-allow-methods") == "POST"
    assert answer.header("access-control-max-age") == "60"
    answer = ask(server, ids["Open"], "POST", "/", {"Origin": "https://app.example"},
                 json.dumps({"statusCode": 200, "headers": {"Access-Control-Allow-Origin": "*"}}))
    assert answer.all("access-control-allow-origin") == ["https://app.example"]


def test_who_is_kept_out(server, ids):
    for url_id in (ids["Closed"], "x" * 32):
        answer = ask(server, url_id, "GET", "/id")
        assert answer.status == 403
        assert answer.header("x-amzn-errortype") == "AccessDeniedException"
        assert answer.json()["Message"].startswith("Forbidden. For troubleshooting Function URL authorization issues")


def test_throttled(server, ids):
    answer = ask(server, ids["Stopped"], "GET", "/id")
    assert answer.status == 429
    assert answer.json()["message"] == "Rate Exceeded."
    assert int(answer.header("retry-after")) >= 1


def test_metrics(server, ids):
    """Requests are counted by function and by alias; the Monitor's graphs take them from there."""
    ask(server, ids["Open"], "POST", "/", {}, '"hello"')
    cloudwatch, now = server.boto("cloudwatch"), datetime.datetime.now(datetime.timezone.utc)

    def total(name):
        points = cloudwatch.get_metric_statistics(
            Namespace="AWS/Lambda", MetricName=name, Dimensions=[{"Name": "FunctionName", "Value": "open"}],
            StartTime=now - datetime.timedelta(hours=1), EndTime=now + datetime.timedelta(minutes=5), Period=60,
            Statistics=["Sum"])["Datapoints"]
        return sum(point["Sum"] for point in points)
    wait_for(lambda: total("UrlRequestCount") >= 1, "the request to be counted")
    assert total("UrlRequestLatency") > 0
