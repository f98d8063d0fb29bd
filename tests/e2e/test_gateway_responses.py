"""Gateway responses of REST APIs: status, headers and bodies of errors as the template wants them."""

TEMPLATE = """
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: v1
      Variables: {color: blue}
      GatewayResponses:
        DEFAULT_4XX:
          StatusCode: 418
          ResponseParameters: {Headers: {X-Own: "'yes'", Access-Control-Allow-Origin: "'*'"}}
          ResponseTemplates:
            application/json: '{"own":$context.error.messageString,"type":"$context.error.responseType","path":"$context.path","color":"$stageVariables.color"}'
        DEFAULT_5XX:
          StatusCode: 599
        INTEGRATION_TIMEOUT:
          ResponseParameters: {Headers: {X-Slow: "'yes'"}}
  F:
    Type: AWS::Serverless::Function
    Properties:
      Handler: index.handler
      Runtime: python3.12
      Timeout: 10
      InlineCode: |
        import time
        def handler(event, context):
            if event["resource"] == "/slow":
                time.sleep(2)
            raise ValueError("no")
      Events:
        Fails: {Type: Api, Properties: {Path: /fails, Method: get, RestApiId: !Ref Api}}
        Slow: {Type: Api, Properties: {Path: /slow, Method: get, RestApiId: !Ref Api, TimeoutInMillis: 500}}
"""


def test_gateway_responses(serve, project):
    server = serve(project.template(TEMPLATE))

    missing = server.get("/v1/nowhere")
    assert missing.status == 418
    assert missing.json() == {"own": "Missing Authentication Token", "type": "MISSING_AUTHENTICATION_TOKEN",
                              "path": "/v1/nowhere", "color": "blue"}
    assert missing.header("x-own") == "yes"
    assert missing.header("access-control-allow-origin") == "*"
    assert missing.header("x-amzn-errortype") == "MissingAuthenticationTokenException"

    failed = server.get("/v1/fails")
    assert failed.status == 599
    assert failed.json() == {"message": "Internal server error"}

    # A type of its own inherits nothing from its parent.
    slow = server.get("/v1/slow")
    assert slow.status == 504
    assert slow.header("x-slow") == "yes"
    assert slow.json() == {"message": "Endpoint request timed out"}
