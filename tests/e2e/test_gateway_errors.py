"""What the gateway answers when the function behind it does not: throttles, time-outs, sizes, asynchronous calls."""

import json
import re
import threading
import time

import pytest

from headgate import wait_for

WORK_PY = """
import json
import time

calls = 0


def handler(event, context):
    global calls
    calls += 1
    wish = json.loads(event.get("body") or "{}")
    print("call", calls, wish.get("mark", ""), flush=True)
    time.sleep(wish.get("sleep", 0))
    if "size" in wish:
        return {"statusCode": 200, "body": "x" * wish["size"]}
    return {"statusCode": 200, "body": str(len(event.get("body") or ""))}
"""
TEMPLATE = """
Globals: {Function: {Runtime: python3.12, CodeUri: src, Handler: work.handler}}
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties: {StageName: v1}
  Work:
    Type: AWS::Serverless::Function
    Properties:
      Timeout: 20
      Events:
        E: {Type: Api, Properties: {Path: /work, Method: any, RestApiId: !Ref Api, TimeoutInMillis: 2000}}
  Impatient:
    Type: AWS::Serverless::Function
    Properties:
      Timeout: 1
      Events:
        E: {Type: Api, Properties: {Path: /impatient, Method: any, RestApiId: !Ref Api}}
  Closed:
    Type: AWS::Serverless::Function
    Properties:
      ReservedConcurrentExecutions: 0
      Events:
        E: {Type: Api, Properties: {Path: /closed, Method: any, RestApiId: !Ref Api}}
"""
TEXT = {"Content-Type": "application/json"}
MEBI = 1024 * 1024


@pytest.fixture(scope="module")
def rest(serve_module):
    project = serve_module.project()
    project.file("src/work.py", WORK_PY)
    return serve_module(project.template(TEMPLATE))


@pytest.fixture(scope="module")
def http(serve_module):
    project = serve_module.project()
    project.file("src/work.py", WORK_PY)
    return serve_module(project.template(
        TEMPLATE.replace("AWS::Serverless::Api", "AWS::Serverless::HttpApi").replace("{StageName: v1}", "{}")
        .replace("Type: Api,", "Type: HttpApi,").replace("RestApiId", "ApiId")))


def wish(**what):
    return json.dumps(what)


def test_rest_integration_time_out(rest):
    start = time.monotonic()
    answer = rest.post("/v1/work", wish(sleep=4), TEXT)
    assert 1.9 < time.monotonic() - start < 3.9
    assert answer.status == 504
    assert answer.json() == {"message": "Endpoint request timed out"}
    assert answer.header("x-amzn-errortype") == "InternalServerErrorException"


def test_http_integration_time_out(http):
    answer = http.post("/work", wish(sleep=4), TEXT)
    assert answer.status == 503
    assert answer.json() == {"message": "Service Unavailable"}


def test_function_runs_on_after_the_gateway_gave_up(rest):
    assert rest.post("/v1/work", wish(sleep=3, mark="slow-one"), TEXT).status == 504
    ended = wait_for(
        lambda: [line for line in rest.log_lines("REPORT RequestId") if re.search(r"\tDuration: 3\d{3}\.", line)],
        "the REPORT line of the slow call")
    assert ended


def test_rest_function_time_out(rest):
    answer = rest.post("/v1/impatient", wish(sleep=5), TEXT)
    assert answer.status == 502
    assert answer.json() == {"message": "Internal server error"}
    assert rest.post("/v1/impatient", wish(), TEXT).status == 200


def test_http_function_time_out(http):
    answer = http.post("/impatient", wish(sleep=5), TEXT)
    assert answer.status == 500
    assert answer.json() == {"message": "Internal Server Error"}
    assert http.post("/impatient", wish(), TEXT).status == 200


def test_rest_throttled(rest):
    answer = rest.post("/v1/closed", wish(), TEXT)
    assert answer.status in (500, 502)
    assert answer.json() == {"message": "Internal server error"}


def test_http_throttled(http):
    answer = http.post("/closed", wish(), TEXT)
    assert (answer.status, answer.json()) in (
        (500, {"message": "Internal Server Error"}), (503, {"message": "Service Unavailable"}))


def test_rest_body_over_ten_megabytes(rest):
    answer = rest.post("/v1/work", b"x" * (10 * MEBI + 1), {"Content-Type": "text/plain"})
    assert answer.status == 413
    assert answer.text == "HTTP content length exceeded 10485760 bytes."


def test_http_body_over_ten_megabytes(http):
    answer = http.post("/work", b"x" * (10 * MEBI + 1), {"Content-Type": "text/plain"})
    assert answer.status == 413
    assert answer.json() == {"message": "Request Entity Too Large"}


def test_event_over_six_megabytes(rest, http):
    body = json.dumps({"pad": "x" * (7 * MEBI)})
    for answer in (rest.post("/v1/work", body, TEXT), http.post("/work", body, TEXT)):
        assert answer.status == 413
    assert rest.post("/v1/work", body, TEXT).json() == {"message": "Request Too Long"}


def test_five_megabytes_each_way(rest):
    answer = rest.post("/v1/work", wish(size=5 * MEBI), TEXT)
    assert (answer.status, len(answer.body)) == (200, 5 * MEBI)
    body = wish(pad="x" * (5 * MEBI))
    assert rest.post("/v1/work", body, TEXT).text == str(len(body))


def test_answer_over_six_megabytes(rest, http):
    answer = rest.post("/v1/work", wish(size=7 * MEBI), TEXT)
    assert (answer.status, answer.json()) == (502, {"message": "Internal server error"})
    answer = http.post("/work", wish(size=7 * MEBI), TEXT)
    assert (answer.status, answer.json()) == (500, {"message": "Internal Server Error"})
    assert rest.post("/v1/work", wish(), TEXT).status == 200


ASYNC_TEMPLATE = """
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties: {Runtime: python3.12, CodeUri: src, Handler: work.handler}
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: v1
      DefinitionBody:
        swagger: "2.0"
        info: {title: t, version: "1"}
        paths:
          /later:
            post:
              responses: {}
              x-amazon-apigateway-integration:
                type: aws_proxy
                httpMethod: POST
                uri: !Sub arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${F.Arn}/invocations
                requestParameters: {integration.request.header.X-Amz-Invocation-Type: "'Event'"}
          /wrong:
            post:
              responses: {}
              x-amazon-apigateway-integration:
                type: aws_proxy
                httpMethod: GET
                uri: !Sub arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${F.Arn}/invocations
          /now:
            x-amazon-apigateway-any-method:
              responses: {}
              x-amazon-apigateway-integration:
                type: aws_proxy
                httpMethod: POST
                uri: !Sub arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${F.Arn}/invocations
"""


def test_asynchronous_integration_and_wrong_method(serve, project):
    project.file("src/work.py", WORK_PY)
    server = serve(project.template(ASYNC_TEMPLATE))
    later = server.post("/v1/later", "{}", TEXT)
    assert (later.status, later.body) == (202, b"")
    assert later.header("x-amzn-requestid") and later.header("x-amz-apigw-id")
    assert server.post("/v1/now", "{}", TEXT).status == 200
    wrong = server.post("/v1/wrong", "{}", TEXT)
    assert (wrong.status, wrong.json()) == (500, {"message": "Internal server error"})


def test_many_calls_at_once(rest):
    results = []

    def call(number):
        results.append(rest.post("/v1/work", wish(sleep=0.05, mark=number), TEXT).status)
    threads = [threading.Thread(target=call, args=(number,)) for number in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Cold starts on a busy machine may take longer than the two seconds of this integration.
    assert set(results) <= {200, 504}
    assert 200 in results
