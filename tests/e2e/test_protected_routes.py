"""Routes that ask for what is not served yet stay shut: they answer 501 and are named with their line, never open."""

import re

import pytest

REST = """\
Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Handler: index.handler, Runtime: python3.12}}
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: v1
      Auth:
        DefaultAuthorizer: Pool
        Authorizers:
          Pool: {UserPoolArn: "arn:aws:cognito-idp:us-east-1:000000000000:userpool/x"}
  F:
    Type: AWS::Serverless::Function
    Properties:
      InlineCode: "def handler(e, c): return {'statusCode': 200, 'body': 'reached'}"
      Events:
        Shut: {Type: Api, Properties: {Path: /shut, Method: any, RestApiId: !Ref Api}}
        Open: {Type: Api, Properties: {Path: /open, Method: any, RestApiId: !Ref Api, Auth: {Authorizer: NONE}}}
        Key: {Type: Api, Properties: {Path: /key, Method: any, RestApiId: !Ref Api, Auth: {Authorizer: NONE, ApiKeyRequired: true}}}
        Iam: {Type: Api, Properties: {Path: /iam, Method: any, RestApiId: !Ref Api, Auth: {Authorizer: AWS_IAM}}}
"""
HTTP = """\
Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Handler: index.handler, Runtime: python3.12}}
Resources:
  Api:
    Type: AWS::Serverless::HttpApi
    Properties:
      Auth:
        DefaultAuthorizer: Jwt
        Authorizers:
          Jwt: {JwtConfiguration: {issuer: "https://x", audience: [y]}, IdentitySource: "$request.header.Authorization"}
  F:
    Type: AWS::Serverless::Function
    Properties:
      InlineCode: "def handler(e, c): return {'statusCode': 200, 'body': 'reached'}"
      Events:
        Shut: {Type: HttpApi, Properties: {Path: /shut, Method: any, ApiId: !Ref Api}}
        Open: {Type: HttpApi, Properties: {Path: /open, Method: any, ApiId: !Ref Api, Auth: {Authorizer: NONE}}}
"""


@pytest.mark.parametrize("text, prefix, shut", [(REST, "/v1", ["shut", "key", "iam"]), (HTTP, "", ["shut"])],
                         ids=["rest", "http"])
def test_protected_routes_are_shut(serve, project, text, prefix, shut):
    server = serve(project.template(text))
    for name in shut:
        answer = server.get(f"{prefix}/{name}", {"Authorization": "Bearer x", "x-api-key": "y"})
        assert answer.status == 501, name
        assert "not served yet" in answer.json()["message"]
        line = text[:text.index(f"/{name},")].count("\n") + 1
        assert re.search(rf"template\.yaml:{line}(:\d+)?: not served yet: .*/{name}", server.output()), server.output()
    assert server.get(f"{prefix}/open").text == "reached"


def test_each_notice_is_said_once(serve, project):
    server = serve(project.template(REST))
    notices = [line for line in server.stdout().splitlines() if re.search(r"template\.yaml:\d+.*not served yet: .*/shut", line)]
    assert len(notices) == 1, notices


def test_other_integrations_are_named_and_answer_501(serve, project):
    server = serve(project.template("""
        Resources:
          Api:
            Type: AWS::Serverless::Api
            Properties:
              StageName: v1
              DefinitionBody:
                openapi: 3.0.1
                info: {title: t, version: "1"}
                paths:
                  /proxy: {get: {x-amazon-apigateway-integration: {type: http_proxy, httpMethod: GET, uri: "http://127.0.0.1:9/"}}}
                  /queue: {post: {x-amazon-apigateway-integration: {type: aws, httpMethod: POST, uri: "arn:aws:apigateway:us-east-1:sqs:path/0/q"}}}
        """))
    for method, path in (("GET", "/proxy"), ("POST", "/queue")):
        assert server.request(method, f"/v1{path}").status == 501
        server.wait_for_log(rf"template\.yaml:\d+(:\d+)?: not served yet: .*{path}")


def test_websockets_are_named(serve, project):
    server = serve(project.template("""
        Resources:
          F:
            Type: AWS::Serverless::Function
            Properties:
              Handler: index.handler
              Runtime: python3.12
              InlineCode: "def handler(e, c): return 1"
          Ws: {Type: AWS::ApiGatewayV2::Api, Properties: {Name: w, ProtocolType: WEBSOCKET, RouteSelectionExpression: $request.body.a}}
        """))
    server.wait_for_log(r"template\.yaml:\d+(:\d+)?: not served yet: .*Ws")
    assert server.invoke("F").json() == 1
