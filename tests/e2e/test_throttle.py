"""Throttling by stage and route settings."""

import re

TEMPLATE = """
Resources:
  Rest:
    Type: AWS::Serverless::{kind}
    Properties: {{{properties}}}
  F:
    Type: AWS::Serverless::Function
    Properties:
      Handler: index.handler
      Runtime: python3.12
      InlineCode: |
        def handler(event, context): return {{"statusCode": 200, "body": "ok"}}
      Events:
        Slow: {{Type: {event}, Properties: {{Path: /slow, Method: get, {api}: !Ref Rest}}}}
        Free: {{Type: {event}, Properties: {{Path: /free, Method: get, {api}: !Ref Rest}}}}
"""


def burst(server, path, count=12):
    answers = [server.get(path) for _ in range(count)]
    return [answer.status for answer in answers], answers[-1]


def assert_throttled(server, path):
    statuses, last = burst(server, path)
    assert statuses[:3] == [200] * 3
    assert statuses.count(429) >= 6
    assert last.json() == {"message": "Too Many Requests"}
    return last


def test_rest_stage(serve, project):
    server = serve(project.template(TEMPLATE.format(
        kind="Api", event="Api", api="RestApiId",
        properties='StageName: v1, MethodSettings: [{ResourcePath: "/*", HttpMethod: "*", '
                   'ThrottlingBurstLimit: 3, ThrottlingRateLimit: 1}]')))
    assert assert_throttled(server, "/v1/slow").header("x-amzn-errortype") == "TooManyRequestsException"


def test_http_stage(serve, project):
    server = serve(project.template(TEMPLATE.format(
        kind="HttpApi", event="HttpApi", api="ApiId",
        properties="DefaultRouteSettings: {ThrottlingBurstLimit: 3, ThrottlingRateLimit: 1}")))
    assert_throttled(server, "/slow")


def test_settings_of_single_methods_are_served_or_named(serve, project):
    for kind, event, api, prefix, properties in (
            ("Api", "Api", "RestApiId", "/v1", 'StageName: v1, MethodSettings: [{ResourcePath: "/slow", HttpMethod: GET, '
             'ThrottlingBurstLimit: 3, ThrottlingRateLimit: 1}]'),
            ("HttpApi", "HttpApi", "ApiId", "",
             'RouteSettings: {"GET /slow": {ThrottlingBurstLimit: 3, ThrottlingRateLimit: 1}}')):
        server = serve(project.template(TEMPLATE.format(kind=kind, event=event, api=api, properties=properties)))
        is_named = re.search(r"template\.yaml:\d+(:\d+)?: not served yet: .*(throttl|RouteSettings)", server.output(), re.I)
        assert is_named or 429 in burst(server, f"{prefix}/slow")[0], server.output()
        assert burst(server, f"{prefix}/free")[0] == [200] * 12
