"""Habits of real projects: definitions that leave something to events, stages that choose aliases."""

ECHO = """
import json


def handler(event, context):
    told = {"route": event.get("routeKey") or event["resource"], "arn": context.invoked_function_arn}
    return {"statusCode": 200, "body": json.dumps(told)}
"""


def test_events_bring_what_the_definition_leaves_out(serve, project):
    project.file("src/app.py", ECHO)
    server = serve(project.template("""
        Transform: AWS::Serverless-2016-10-31
        Resources:
          F:
            Type: AWS::Serverless::Function
            Properties:
              Handler: app.handler
              Runtime: python3.12
              CodeUri: src
              Events:
                Rest: {Type: HttpApi, Properties: {ApiId: !Ref Api}}
                Item: {Type: HttpApi, Properties: {ApiId: !Ref Api, Path: "/items/{id}", Method: get}}
          Api:
            Type: AWS::Serverless::HttpApi
            Properties:
              DefinitionBody:
                openapi: 3.0.1
                info: {title: !Ref AWS::StackName, version: "1.0"}
                paths:
                  $default: {x-amazon-apigateway-any-method: {isDefaultRoute: true}}
                  /items/{id}: {get: {responses: {}}}
        """))
    assert server.get("/any/thing").json()["route"] == "$default"
    assert server.get("/items/7").json()["route"] == "GET /items/{id}"
    assert "not served yet" not in server.output()


STAGES = """
Resources:
  Api:
    Type: AWS::ApiGateway::RestApi
    Properties:
      Body:
        openapi: 3.0.1
        info: {title: stages, version: "1"}
        paths:
          /:
            get:
              x-amazon-apigateway-integration:
                type: AWS_PROXY
                httpMethod: post
                uri: !Sub
                  - "${Prefix}/functions/${F.Arn}:${!stageVariables.alias}/invocations"
                  - {Prefix: !Sub "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31"}
  Deployment: {Type: AWS::ApiGateway::Deployment, Properties: {RestApiId: !Ref Api}}
  Live:
    Type: AWS::ApiGateway::Stage
    Properties: {RestApiId: !Ref Api, DeploymentId: !Ref Deployment, StageName: live, Variables: {alias: blue}}
  Bare:
    Type: AWS::ApiGateway::Stage
    Properties: {RestApiId: !Ref Api, DeploymentId: !Ref Deployment, StageName: bare}
  Alias: {Type: AWS::Lambda::Alias, Properties: {Name: blue, FunctionName: !Ref F, FunctionVersion: $LATEST}}
  F: {Type: AWS::Lambda::Function, Properties: {Runtime: python3.12, Handler: app.handler, Code: src, Role: r}}
"""


def test_stage_variable_chooses_the_alias(serve, project):
    project.file("src/app.py", ECHO)
    server = serve(project.template(STAGES))
    assert server.get("/live").json()["arn"].endswith(":function:F:blue")
    answer = server.get("/bare")
    assert (answer.status, answer.json()) == (500, {"message": "Internal server error"})
