"""How templates are evaluated: parameters, conditions, mappings, globals, intrinsics; YAML and JSON."""

import json

import pytest

from headgate import run

ENV_PY = """
import os


def handler(event, context):
    return {name: value for name, value in os.environ.items() if name.startswith("V_")}
"""


def values(serve, project, text, *options, function="F", name="template.yaml"):
    project.file("src/env.py", ENV_PY)
    return serve(project.template(text, name), *options).invoke(function).json()


def environment_of(variables, more="", before=""):
    lines = "\n".join(f"          {name}: {value}" for name, value in variables.items())
    return f"""{before}
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Handler: env.handler
      Runtime: python3.12
      CodeUri: src
      Environment:
        Variables:
{lines}
{more}
"""


def test_intrinsics(serve, project):
    text = environment_of({
        "V_REF": "!Ref Name",
        "V_LONG": "{Ref: Name}",
        "V_SUB": "!Sub 'hi ${Name} in ${AWS::Region} ${!Literal}'",
        "V_SUB_MAP": "!Sub ['${a}-${Name}', {a: !Ref Stage}]",
        "V_SUB_ATT": "!Sub '${Other.Arn}'",
        "V_JOIN": "!Join ['/', [a, !Ref Name, c]]",
        "V_JOIN_LIST": "!Join ['+', !Ref Items]",
        "V_SELECT": "!Select [1, [a, b, c]]",
        "V_SELECT_TEXT": "!Select ['0', !Split [',', 'x,y']]",
        "V_MAP": "!FindInMap [Sizes, !Ref Stage, memory]",
        "V_IF": "!If [IsProd, big, small]",
        "V_ATT": "!GetAtt Other.Arn",
        "V_ATT_LIST": "!GetAtt [Other, Arn]",
        "V_BASE64": "!Base64 hello",
        "V_AZ": "!Select [0, !GetAZs '']",
        "V_NUMBER": "12",
        "V_BOOL": "true",
        "V_DATE": "2012-10-17",
        "V_ACCOUNT": "!Ref AWS::AccountId",
        "V_PARTITION": "!Ref 'AWS::Partition'",
        "V_SUFFIX": "!Ref AWS::URLSuffix",
        "V_QUEUE": "!GetAtt Queue.Arn",
        "V_CIDR": "!Select [1, !Cidr ['10.0.0.0/16', 4, 8]]",
    }, more="""
  Other:
    Type: AWS::Serverless::Function
    Properties: {Handler: env.handler, Runtime: python3.12, CodeUri: src}
  Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: jobs}}
""", before="""
Parameters:
  Name: {Type: String, Default: world}
  Stage: {Type: String, Default: prod, AllowedValues: [dev, prod]}
  Items: {Type: CommaDelimitedList, Default: "a, b,c"}
Mappings:
  Sizes: {dev: {memory: "128"}, prod: {memory: "512"}}
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
""")
    seen = values(serve, project, text)
    assert seen == {
        "V_REF": "world", "V_LONG": "world", "V_SUB": "hi world in us-east-1 ${Literal}", "V_SUB_MAP": "prod-world",
        "V_SUB_ATT": "arn:aws:lambda:us-east-1:000000000000:function:Other", "V_JOIN": "a/world/c",
        "V_JOIN_LIST": "a+b+c", "V_SELECT": "b", "V_SELECT_TEXT": "x", "V_MAP": "512", "V_IF": "big",
        "V_ATT": "arn:aws:lambda:us-east-1:000000000000:function:Other",
        "V_ATT_LIST": "arn:aws:lambda:us-east-1:000000000000:function:Other", "V_BASE64": "aGVsbG8=",
        "V_AZ": "us-east-1a", "V_NUMBER": "12", "V_BOOL": "true", "V_DATE": "2012-10-17",
        "V_ACCOUNT": "000000000000", "V_PARTITION": "aws", "V_SUFFIX": "amazonaws.com",
        "V_QUEUE": "arn:aws:sqs:us-east-1:000000000000:jobs", "V_CIDR": "10.0.1.0/24"}


def test_region_and_account_options(serve, project):
    seen = values(serve, project, environment_of({
        "V_ARN": "!GetAtt G.Arn", "V_AZ": "!Select [2, !GetAZs !Ref AWS::Region]"}, more="""
  G: {Type: AWS::Serverless::Function, Properties: {Handler: env.handler, Runtime: python3.12, CodeUri: src}}
"""), "--region", "eu-west-1", "--account", "111122223333")
    assert seen == {"V_ARN": "arn:aws:lambda:eu-west-1:111122223333:function:G", "V_AZ": "eu-west-1c"}


PARAMETERS = environment_of({"V_NAME": "!Ref Name", "V_LIST": "!Join ['|', !Ref List]", "V_COUNT": "!Ref Count"},
                            before="""
Parameters:
  Name: {Type: String}
  List: {Type: CommaDelimitedList, Default: x}
  Count: {Type: Number, Default: 3, MinValue: 1, MaxValue: 9}
""")


def test_parameter_overrides(serve, project):
    seen = values(serve, project, PARAMETERS, "--parameter-overrides", "Name=a=b c", "List=1,2", "Count=5")
    assert seen == {"V_NAME": "a=b c", "V_LIST": "1|2", "V_COUNT": "5"}


@pytest.mark.parametrize("overrides, named", [
    ([], "Name"), (["Name=x", "Count=12"], "Count"), (["Name=x", "Count=many"], "Count"), (["Name=x", "Nope=1"], "Nope"),
    (["Name"], "Name")])
def test_wrong_parameters(project, overrides, named):
    project.file("src/env.py", ENV_PY)
    options = ["--parameter-overrides", *overrides] if overrides else []
    result = run("serve", project.template(PARAMETERS), "--listen", "127.0.0.1:0", "--api", "127.0.0.1:0",
                 "--data-dir", project.folder / "data", *options)
    assert result.returncode in (1, 2)
    assert named in result.stderr


def test_env_vars_file(serve, project):
    file = project.file("env.json", json.dumps({
        "F": {"V_A": "function"}, "Parameters": {"V_A": "parameters", "V_B": "parameters", "V_UNDECLARED": "x"}}))
    seen = values(serve, project, environment_of({"V_A": "template", "V_B": "template", "V_C": "template"}),
                  "--env-vars", file)
    assert seen == {"V_A": "function", "V_B": "parameters", "V_C": "template"}


def test_globals_are_merged(serve, project):
    project.file("src/env.py", ENV_PY)
    server = serve(project.template("""
        Globals:
          Function:
            Handler: env.handler
            Runtime: python3.12
            CodeUri: src
            Timeout: 11
            MemorySize: 200
            Environment: {Variables: {V_A: global, V_B: global}}
        Resources:
          F:
            Type: AWS::Serverless::Function
            Properties: {MemorySize: 300, Environment: {Variables: {V_B: own}}}
          Free:
            Type: AWS::Serverless::Function
            IgnoreGlobals: [Environment]
            Properties: {}
        """))
    assert server.invoke("F").json() == {"V_A": "global", "V_B": "own"}
    assert server.invoke("Free").json() == {}
    configuration = server.manage("GET", "/2015-03-31/functions/F/configuration").json()
    assert (configuration["Timeout"], configuration["MemorySize"]) == (11, 300)


def test_conditions(serve, project):
    project.file("src/env.py", ENV_PY)
    text = """
        Parameters: {Stage: {Type: String, Default: dev}}
        Conditions:
          IsProd: !Equals [!Ref Stage, prod]
          NotProd: !Not [!Condition IsProd]
          Both: !And [!Condition NotProd, !Equals [a, a]]
          Either: !Or [!Condition IsProd, !Equals [a, b]]
        Globals: {Function: {Handler: env.handler, Runtime: python3.12, CodeUri: src}}
        Resources:
          Always:
            Type: AWS::Serverless::Function
            Properties:
              Timeout: !If [IsProd, 20, !Ref AWS::NoValue]
              Environment: {Variables: {V_A: !If [Both, both, !GetAtt Gone.Arn], V_B: !If [IsProd, x, !Ref AWS::NoValue]}}
          Prod:
            Type: AWS::Serverless::Function
            Condition: IsProd
            Properties: {Events: {E: {Type: Api, Properties: {Path: /prod, Method: get}}}}
          Gone:
            Type: AWS::Nonsense::Unknown
            Condition: Either
          Dev:
            Type: AWS::Serverless::Function
            Condition: NotProd
            Properties: {Events: {E: {Type: Api, Properties: {Path: /dev, Method: get}}}}
        """
    server = serve(project.template(text), "--strict")
    assert server.invoke("Always").json() == {"V_A": "both"}
    assert server.manage("GET", "/2015-03-31/functions/Always/configuration").json()["Timeout"] == 3
    assert server.invoke("Prod").status == 404
    assert server.get("/Prod/prod").status == 403
    assert server.get("/Prod/dev").status == 200
    assert "AWS::Nonsense::Unknown" not in server.output()


def test_json_template(serve, project):
    document = {"Transform": "AWS::Serverless-2016-10-31", "Resources": {"F": {
        "Type": "AWS::Serverless::Function",
        "Properties": {"Handler": "env.handler", "Runtime": "python3.12", "CodeUri": "src",
                       "Environment": {"Variables": {"V_A": {"Fn::Sub": "r-${AWS::Region}"}}}}}}}
    assert values(serve, project, json.dumps(document), name="template.json") == {"V_A": "r-us-east-1"}


def test_yaml_anchors_and_merges(serve, project):
    seen = values(serve, project, """
        Common: &common {Handler: env.handler, Runtime: python3.12, CodeUri: src}
        Resources:
          F:
            Type: AWS::Serverless::Function
            Properties:
              <<: *common
              Environment: {Variables: {V_A: ok}}
        """)
    assert seen == {"V_A": "ok"}


def test_include_of_an_openapi_file(serve, project):
    project.file("api.yaml", """
        openapi: 3.0.1
        info: {title: t, version: "1"}
        paths:
          /included:
            get:
              x-amazon-apigateway-integration:
                type: aws_proxy
                httpMethod: POST
                uri: {"Fn::Sub": "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${F.Arn}/invocations"}
        """)
    project.file("src/ok.py", "def handler(event, context):\n    return {'statusCode': 200, 'body': event['resource']}\n")
    server = serve(project.template("""
        Resources:
          Api:
            Type: AWS::Serverless::Api
            Properties:
              StageName: v1
              DefinitionBody: {Fn::Transform: {Name: AWS::Include, Parameters: {Location: api.yaml}}}
          F: {Type: AWS::Serverless::Function, Properties: {Handler: ok.handler, Runtime: python3.12, CodeUri: src}}
        """))
    assert server.get("/v1/included").text == "/included"


CLOUDFORMATION_REST = """
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Resources:
  Role: {Type: AWS::IAM::Role, Properties: {AssumeRolePolicyDocument: {Version: 2012-10-17, Statement: []}}}
  F:
    Type: AWS::Lambda::Function
    Properties:
      Handler: index.handler
      Runtime: python3.12
      Role: !GetAtt Role.Arn
      Code: {ZipFile: "def handler(e, c): return {'statusCode': 200, 'body': e['resource'] + ' ' + str(e['pathParameters'])}"}
  Api: {Type: AWS::ApiGateway::RestApi, Properties: {Name: plain}}
  Pets: {Type: AWS::ApiGateway::Resource, Properties: {RestApiId: !Ref Api, ParentId: !GetAtt Api.RootResourceId, PathPart: pets}}
  Pet: {Type: AWS::ApiGateway::Resource, Properties: {RestApiId: !Ref Api, ParentId: !Ref Pets, PathPart: "{id}"}}
  GetPet:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Api
      ResourceId: !Ref Pet
      HttpMethod: GET
      AuthorizationType: NONE
      Integration:
        Type: AWS_PROXY
        IntegrationHttpMethod: POST
        Uri: !Sub arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${F.Arn}/invocations
  Permission:
    Type: AWS::Lambda::Permission
    Properties: {FunctionName: !Ref F, Action: lambda:InvokeFunction, Principal: apigateway.amazonaws.com}
  Deployment: {Type: AWS::ApiGateway::Deployment, DependsOn: GetPet, Properties: {RestApiId: !Ref Api}}
  Stage:
    Type: AWS::ApiGateway::Stage
    Properties: {RestApiId: !Ref Api, DeploymentId: !Ref Deployment, StageName: live}
"""


def test_plain_cloudformation_rest_api(serve, project):
    server = serve(project.template(CLOUDFORMATION_REST), "--strict")
    assert server.get("/live/pets/7").text == "/pets/{id} {'id': '7'}"
    assert server.get("/live/pets").status == 403


def test_plain_cloudformation_http_api(serve, project):
    server = serve(project.template("""
        Resources:
          F:
            Type: AWS::Lambda::Function
            Properties:
              Handler: index.handler
              Runtime: python3.12
              Role: arn:aws:iam::000000000000:role/r
              Code: {ZipFile: "def handler(e, c): return e['routeKey'] + ' ' + e['version']"}
          Api: {Type: AWS::ApiGatewayV2::Api, Properties: {Name: h, ProtocolType: HTTP}}
          Integration:
            Type: AWS::ApiGatewayV2::Integration
            Properties: {ApiId: !Ref Api, IntegrationType: AWS_PROXY, IntegrationUri: !GetAtt F.Arn, PayloadFormatVersion: "2.0"}
          Route:
            Type: AWS::ApiGatewayV2::Route
            Properties: {ApiId: !Ref Api, RouteKey: "GET /pets/{id}", Target: !Join ["/", [integrations, !Ref Integration]]}
          Stage: {Type: AWS::ApiGatewayV2::Stage, Properties: {ApiId: !Ref Api, StageName: $default, AutoDeploy: true}}
        """), "--strict")
    assert server.get("/pets/7").text == "GET /pets/{id} 2.0"
    assert server.get("/nope").status == 404


def test_numbers_given_as_text_and_by_parameter(serve, project):
    project.file("src/env.py", ENV_PY)
    server = serve(project.template("""
        Parameters: {Seconds: {Type: Number, Default: 9}}
        Resources:
          F:
            Type: AWS::Serverless::Function
            Properties: {Handler: env.handler, Runtime: python3.12, CodeUri: src, Timeout: !Ref Seconds, MemorySize: "256"}
        """))
    configuration = server.manage("GET", "/2015-03-31/functions/F/configuration").json()
    assert (configuration["Timeout"], configuration["MemorySize"]) == (9, 256)


def test_function_name(serve, project):
    project.file("src/env.py", ENV_PY)
    server = serve(project.template("""
        Resources:
          F:
            Type: AWS::Serverless::Function
            Properties: {FunctionName: !Sub "named-${AWS::Region}", Handler: env.handler, Runtime: python3.12, CodeUri: src}
        """))
    assert server.invoke("named-us-east-1").status == 200
