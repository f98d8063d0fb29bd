"""MOCK integrations that answer a fixed status and body."""

TEMPLATE = """
Resources:
  Api:
    Type: AWS::ApiGateway::RestApi
    Properties: {Name: mocks}
  Teapot:
    Type: AWS::ApiGateway::Resource
    Properties: {RestApiId: !Ref Api, ParentId: !GetAtt Api.RootResourceId, PathPart: teapot}
  GetTeapot:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Api
      ResourceId: !Ref Teapot
      HttpMethod: GET
      AuthorizationType: NONE
      Integration:
        Type: MOCK
        RequestTemplates: {application/json: '{"statusCode": 418}'}
        IntegrationResponses:
          - StatusCode: 200
            ResponseTemplates: {application/json: '{"ok":true}'}
          - StatusCode: 418
            SelectionPattern: "4\\\\d{2}"
            ResponseParameters: {method.response.header.X-Pot: "'short'"}
            ResponseTemplates: {application/json: '{"pot":"tea"}'}
      MethodResponses: [{StatusCode: 200}, {StatusCode: 418, ResponseParameters: {method.response.header.X-Pot: true}}]
  Empty:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Api
      ResourceId: !Ref Teapot
      HttpMethod: POST
      AuthorizationType: NONE
      Integration:
        Type: MOCK
        RequestTemplates: {application/json: '{statusCode: 200}'}
        IntegrationResponses: [{StatusCode: 200}]
      MethodResponses: [{StatusCode: 200}]
  NoTemplate:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Api
      ResourceId: !Ref Teapot
      HttpMethod: PUT
      AuthorizationType: NONE
      Integration:
        Type: MOCK
        IntegrationResponses: [{StatusCode: 200}]
      MethodResponses: [{StatusCode: 200}]
  Deployment:
    Type: AWS::ApiGateway::Deployment
    DependsOn: [GetTeapot, Empty, NoTemplate]
    Properties: {RestApiId: !Ref Api, StageName: prod}
"""


def test_mock(serve, project):
    server = serve(project.template(TEMPLATE))

    answer = server.get("/prod/teapot")
    assert answer.status == 418
    assert answer.json() == {"pot": "tea"}
    assert answer.header("x-pot") == "short"
    assert answer.header("content-type") == "application/json"
    assert answer.header("x-amzn-requestid")
    assert answer.header("x-amz-apigw-id")
    assert answer.header("x-amzn-trace-id") is None

    empty = server.request("POST", "/prod/teapot")
    assert (empty.status, empty.body) == (200, b"")

    missing = server.request("PUT", "/prod/teapot")
    assert missing.status == 500
    assert missing.json() == {"message": "Internal server error"}


def test_template_that_needs_more_than_a_fixed_answer_is_named_at_start_up(serve, project):
    template = project.template("""
        Resources:
          Api:
            Type: AWS::ApiGateway::RestApi
            Properties: {Name: mocks}
          Method:
            Type: AWS::ApiGateway::Method
            Properties:
              RestApiId: !Ref Api
              ResourceId: !GetAtt Api.RootResourceId
              HttpMethod: GET
              AuthorizationType: NONE
              Integration:
                Type: MOCK
                RequestTemplates: {application/json: '{"statusCode": 200}'}
                IntegrationResponses:
                  - StatusCode: 200
                    ResponseTemplates: {application/json: '{"id": "$input.params(''id'')"}'}
              MethodResponses: [{StatusCode: 200}]
          Deployment:
            Type: AWS::ApiGateway::Deployment
            DependsOn: Method
            Properties: {RestApiId: !Ref Api, StageName: prod}
        """)
    server = serve(template)
    assert server.wait_for_log(r"(?i)template.*:\d+.*mapping template|mapping template.*:\d+")


def test_openapi_body_with_mock(serve, project):
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
                  /ping:
                    get:
                      responses: {"200": {description: ok}}
                      x-amazon-apigateway-integration:
                        type: mock
                        requestTemplates: {application/json: '{"statusCode": 200}'}
                        responses:
                          default:
                            statusCode: "200"
                            responseTemplates: {application/json: '{"message":"pong"}'}
        """))
    answer = server.get("/v1/ping")
    assert (answer.status, answer.json()) == (200, {"message": "pong"})
