"""The management port beyond the Lambda API: health, routes, metrics, access log."""

import json
import re

import pytest

from headgate import wait_for

TEMPLATE = """
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: v1
      AccessLogSetting:
        DestinationArn: !GetAtt Log.Arn
        Format: '{"id":"$context.requestId","ip":"$context.identity.sourceIp","status":$context.status,"path":"$context.resourcePath","method":"$context.httpMethod","len":"$context.responseLength","none":"$context.authorizer.principalId","stage":"$context.stage"}'
  Log: {Type: AWS::Logs::LogGroup}
  F:
    Type: AWS::Serverless::Function
    Properties:
      Handler: index.handler
      Runtime: python3.12
      InlineCode: |
        def handler(event, context):
            if event["httpMethod"] == "PUT":
                raise ValueError("put")
            return {"statusCode": 201, "body": "12345"}
      Events: {E: {Type: Api, Properties: {Path: "/pets/{id}", Method: any, RestApiId: !Ref Api}}}
"""


@pytest.fixture(scope="module")
def server(serve_module):
    return serve_module(serve_module.project().template(TEMPLATE))


def test_health(server):
    answer = server.manage("GET", "/_headgate/health")
    assert answer.status == 200
    assert isinstance(answer.json(), dict)


def test_health_is_not_on_the_public_port(server):
    assert server.get("/_headgate/health").status in (403, 404)
    assert server.get("/metrics").status in (403, 404)
    assert server.get("/2015-03-31/functions/").status in (403, 404)


def test_routes(server):
    answer = server.manage("GET", "/_headgate/routes")
    assert answer.status == 200
    text = json.dumps(answer.json())
    assert "/pets/{id}" in text and "F" in text


def test_metrics(server):
    def total(values, *words):
        return sum(value for name, value in values.items() if all(word in name for word in words))
    before = server.metrics()
    server.get("/v1/pets/1")
    server.request("PUT", "/v1/pets/1")
    after = server.metrics()
    text = server.manage("GET", "/metrics").text
    for kind in ("counter", "gauge", "histogram"):
        assert re.search(rf"^# TYPE headgate_\w+ {kind}$", text, re.M), kind
    for word in ("request", "invocation", "error", "throttle", "cold_start", "environment", "queue"):
        assert any(word in name for name in after), word
    assert total(after, "invocation", "total") >= total(before, "invocation", "total") + 2
    for line in text.splitlines():
        assert re.fullmatch(r'#.*|[a-z0-9_]+(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? \S+', line), line


def test_access_log_in_the_format_of_the_stage(server):
    answer = server.get("/v1/pets/7")
    request_id = answer.header("x-amzn-requestid")

    def line():
        found = [line for line in access_lines(server) if request_id in line and '"none"' in line]
        return found and found[0]
    entry = json.loads(re.search(r"\{.*\}", wait_for(line, "the access log line"))[0])
    assert entry == {"id": request_id, "ip": "127.0.0.1", "status": 201, "path": "/pets/{id}", "method": "GET",
                     "len": "5", "none": "-", "stage": "v1"}


def access_lines(server):
    lines = server.output().splitlines()
    for path in server.data_dir.rglob("*"):
        if path.is_file() and "log" in str(path).lower():
            lines += path.read_text(errors="replace").splitlines()
    return lines


def test_default_access_line(serve, project):
    server = serve(project.template("""
        Resources:
          F:
            Type: AWS::Serverless::Function
            Properties:
              Handler: index.handler
              Runtime: python3.12
              InlineCode: |
                def handler(event, context): return {"statusCode": 202, "body": ""}
              Events: {E: {Type: Api, Properties: {Path: /x, Method: get}}}
        """))
    server.get("/Prod/x?secret=1")
    server.wait_for_log(r"GET .*/Prod/x\S* .*202|GET .*/x.*202")


def test_unknown_management_path(server):
    for path in ("/_headgate/nothing", "/nothing"):
        assert server.manage("GET", path).status == 404
