"""Routes that only take events: every way in which a template says so, and what the client is told."""

import httpx
import pytest

from events import REQUEST_ID, Events, Ledger, WORKER_PY
from headgate import wait_for

URI = "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${F.Arn}/invocations"
TEMPLATE = """
Globals: {Function: {Runtime: python3.12, Handler: worker.handler, CodeUri: src}}
Resources:
  F:
    Type: AWS::Serverless::Function
    Metadata: {Headgate: {InvocationType: {Later: Event, HttpLater: Event}}}
    Properties:
      FunctionName: worker
      AutoPublishAlias: live
      Environment: {Variables: {LEDGER: LEDGER_FOLDER}}
      Events:
        Later: {Type: Api, Properties: {Path: /sam, Method: post}}
        Now: {Type: Api, Properties: {Path: /now, Method: post}}
        HttpLater: {Type: HttpApi, Properties: {Path: /sam, Method: post, ApiId: !Ref Http}}
  Http: {Type: AWS::Serverless::HttpApi}
  Rest:
    Type: AWS::Serverless::Api
    Properties:
      StageName: v1
      DefinitionBody:
        openapi: "3.0.1"
        info: {title: rest, version: "1"}
        paths:
          /mapped:
            post:
              x-amazon-apigateway-integration:
                type: aws_proxy
                httpMethod: POST
                uri: !Sub "@uri@"
                requestParameters: {integration.request.header.X-Amz-Invocation-Type: "'Event'"}
          /client:
            post:
              x-amazon-apigateway-integration:
                type: aws_proxy
                httpMethod: POST
                uri: !Sub "@uri@"
                requestParameters:
                  integration.request.header.X-Amz-Invocation-Type: method.request.header.InvocationType
          /custom:
            post:
              x-amazon-apigateway-integration:
                type: aws
                httpMethod: POST
                uri: !Sub "@uri@"
                requestParameters: {integration.request.header.X-Amz-Invocation-Type: "'Event'"}
                responses: {default: {statusCode: "200", responseTemplates: {application/json: '{"taken":true}'}}}
              responses: {"200": {description: ok}}
          /own:
            post:
              x-amazon-apigateway-integration:
                {type: aws_proxy, httpMethod: POST, uri: !Sub "@uri@", x-headgate-invocation-type: Event}
  Plain: {Type: AWS::ApiGatewayV2::Api, Properties: {Name: plain, ProtocolType: HTTP}}
  Stage: {Type: AWS::ApiGatewayV2::Stage, Properties: {ApiId: !Ref Plain, StageName: $default, AutoDeploy: true}}
  Parameter:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Plain
      IntegrationType: AWS_PROXY
      IntegrationUri: !Sub "${F.Arn}:live"
      PayloadFormatVersion: "2.0"
      RequestParameters: {InvocationType: Event}
  Chosen:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Plain
      IntegrationType: AWS_PROXY
      IntegrationUri: !GetAtt F.Arn
      PayloadFormatVersion: "1.0"
      RequestParameters: {InvocationType: $request.header.x-how}
  Fixed:
    Type: AWS::ApiGatewayV2::Integration
    Metadata: {Headgate: {InvocationType: Event}}
    Properties:
      ApiId: !Ref Plain
      IntegrationType: AWS_PROXY
      IntegrationUri: !GetAtt F.Arn
      PayloadFormatVersion: "2.0"
  R1:
    Type: AWS::ApiGatewayV2::Route
    Properties: {ApiId: !Ref Plain, RouteKey: POST /parameter, Target: !Sub "integrations/${Parameter}"}
  R2:
    Type: AWS::ApiGatewayV2::Route
    Properties: {ApiId: !Ref Plain, RouteKey: POST /chosen, Target: !Sub "integrations/${Chosen}"}
  R3:
    Type: AWS::ApiGatewayV2::Route
    Properties: {ApiId: !Ref Plain, RouteKey: POST /fixed, Target: !Sub "integrations/${Fixed}"}
""".replace("@uri@", URI)
TEXT = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def ledger(tmp_path_factory):
    return Ledger(tmp_path_factory.mktemp("ledger"))


@pytest.fixture(scope="module")
def server(serve_module, ledger):
    project = serve_module.project()
    project.file("src/worker.py", WORKER_PY)
    return serve_module(project.template(TEMPLATE.replace("LEDGER_FOLDER", str(ledger.folder))), "--isolation", "none")


@pytest.fixture(scope="module")
def paths(server):
    """Path of each route by API and last part."""
    apis = server.manage("GET", "/_headgate/routes").json()["apis"]
    return {route["path"]: route["url_path"] for api in apis for route in api["routes"]} | {
        "http sam": next(route["url_path"] for api in apis if api["kind"] == "HTTP" for route in api["routes"]
                         if route["path"] == "/sam"),
        "rest sam": next(route["url_path"] for api in apis if api["kind"] == "REST" for route in api["routes"]
                         if route["path"] == "/sam")}


@pytest.fixture
def events(server):
    return Events(server)


def accepted(answer):
    assert (answer.status, answer.body) == (202, b""), (answer.status, answer.body)
    request_id = answer.header("x-amzn-requestid")
    assert REQUEST_ID.fullmatch(request_id)
    assert len(answer.all("x-amzn-requestid")) == 1
    return request_id


@pytest.mark.parametrize("route", ["/mapped", "/own", "rest sam"])
def test_rest(server, events, ledger, paths, route):
    answer = server.post(paths[route], '{"order":7}', TEXT)
    request_id = accepted(answer)
    assert answer.header("x-amz-apigw-id")
    life = events.wait(request_id, "delivered")
    assert life["payload"]["body"] == '{"order":7}'
    assert life["payload"]["requestContext"]["requestId"] == request_id
    assert ledger.attempts(request_id) == 1


def test_custom_integration(server, events, ledger, paths):
    """The body is the payload as it is; the answer is the one of the default integration response."""
    answer = server.post(paths["/custom"], '{"key":"custom"}', TEXT)
    assert (answer.status, answer.json()) == (200, {"taken": True})
    [line] = ledger.wait(answer.header("x-amzn-requestid"))
    assert line["event"] == {"key": "custom"}
    assert server.post(paths["/custom"], "{", TEXT).status == 400


@pytest.mark.parametrize("route, version", [("http sam", "2.0"), ("/parameter", "2.0"), ("/fixed", "2.0")])
def test_http(server, events, ledger, paths, route, version):
    answer = server.post(paths[route], '{"order":8}', TEXT)
    request_id = accepted(answer)
    assert answer.header("apigw-requestid")
    life = events.wait(request_id, "delivered")
    assert life["payload"]["version"] == version
    assert life["qualifier"] == ("live" if route in ("/parameter", "http sam") else None)
    assert ledger.attempts(request_id) == 1


def test_the_client_chooses(server, events, paths):
    accepted(server.post(paths["/client"], "{}", {**TEXT, "InvocationType": "Event"}))
    accepted(server.post(paths["/chosen"], "{}", {**TEXT, "X-How": "Event"}))
    # What this handler returns is no answer that REST APIs take: it was waited for.
    assert server.post(paths["/client"], "{}", TEXT).status == 502
    assert server.post(paths["/chosen"], "{}", TEXT).status in (200, 500)
    assert server.post(paths["/client"], "{}", {**TEXT, "InvocationType": "DryRun"}).status == 204
    assert server.post(paths["/client"], "{}", {**TEXT, "InvocationType": "Soon"}).status == 500
    assert server.post(paths["/now"], "{}", TEXT).status == 502


def test_idempotency_key(server, events, ledger, paths):
    first = accepted(server.post(paths["/mapped"], "{}", {**TEXT, "Idempotency-Key": "gateway-1"}))
    assert accepted(server.post(paths["/mapped"], "{}", {**TEXT, "Idempotency-Key": "gateway-1"})) == first
    assert accepted(server.post(paths["/fixed"], "{}", {**TEXT, "X-Headgate-Dedup-Id": "gateway-1"})) == first
    events.wait(first, "delivered")
    assert ledger.attempts(first) == 1
    for route in ("/mapped", "/fixed"):
        bad = server.post(paths[route], "{}", {**TEXT, "Idempotency-Key": "a b"})
        assert (bad.status, bad.json()) == (
            400, {"message": "Idempotency-Key: the key may only have visible ASCII characters, no blanks"})


def test_too_large(server, paths):
    answer = server.post(paths["/mapped"], "x" * 1048577, TEXT)
    assert answer.status == 413


def test_http2(server, events, ledger, paths):
    with httpx.Client(http1=False, http2=True) as client:
        answers = [client.post(server.url + paths["/mapped"], content=f'{{"n": {n}}}') for n in range(5)]
    assert {(answer.status_code, answer.http_version, answer.content) for answer in answers} == {(202, "HTTP/2", b"")}
    for answer in answers:
        events.wait(answer.headers["x-amzn-requestid"], "delivered")


def test_routes_say_it(server):
    assert any("/mapped" in line and "asynchronous" in line for line in server.log_lines(" -> "))
    assert all("asynchronous" not in line for line in server.log_lines("/now -> "))


def test_access_log(server, paths):
    request_id = accepted(server.post(paths["/own"], "{}", TEXT))
    wait_for(lambda: server.log_lines(request_id), "the line of the request")
