/*
 * Plain CloudFormation: AWS::Lambda::*, AWS::ApiGateway::*, AWS::ApiGatewayV2::* (sam-templates.md §8).
 */
#include "tests/unit/config/transform_case.h"

#define FUNCTION \
    "  F: {Type: AWS::Lambda::Function, Properties: {Code: {ZipFile: x}, Role: r, Runtime: python3.12, Handler: index.h}}\n"
#define REST_API "  Api: {Type: AWS::ApiGateway::RestApi, Properties: {Name: plain}}\n"
#define DEPLOYED \
    "  D: {Type: AWS::ApiGateway::Deployment, Properties: {RestApiId: !Ref Api, StageName: v1}}\n"
#define LAMBDA_URI \
    "!Sub \"arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${F.Arn}/invocations\""
#define RESOURCE(id, parent, part) \
    "  " id \
    ": {Type: AWS::ApiGateway::Resource, Properties: {RestApiId: !Ref Api, ParentId: " parent \
    ", PathPart: " part "}}\n"
#define METHOD(id, resource, verb, more) \
    "  " id \
    ": {Type: AWS::ApiGateway::Method, Properties: {RestApiId: !Ref Api, ResourceId: " resource \
    ", HttpMethod: " verb ", " more "}}\n"
#define ROOT "!GetAtt Api.RootResourceId"
#define PROXY \
    "AuthorizationType: NONE, Integration: {Type: AWS_PROXY, IntegrationHttpMethod: POST, Uri: " LAMBDA_URI \
    "}"
#define TEMPLATE(text) "Resources:\n" text

static void test_versions_and_aliases(void **state)
{
    struct transform_case *c = *state;
    const struct hg_alias *alias;

    case_load(
        c,
        TEMPLATE(
            FUNCTION
            "  V: {Type: AWS::Lambda::Version, Properties: {FunctionName: !Ref F}}\n"
            "  W: {Type: AWS::Lambda::Version, Properties: {FunctionName: !GetAtt F.Arn}}\n"
            "  A:\n    Type: AWS::Lambda::Alias\n    Properties:\n      FunctionName: !Ref F\n"
            "      FunctionVersion: !GetAtt V.Version\n      Name: live\n"
            "      RoutingConfig: {AdditionalVersionWeights: [{FunctionVersion: !GetAtt W.Version, FunctionWeight: 0.25}]}\n"));
    assert_string_equal(case_tell(c, "function alias problem").p,
                        "function F:$LATEST python3.12 index.h 3s 128MB\n"
                        "function F:1 python3.12 index.h 3s 128MB\n"
                        "function F:2 python3.12 index.h 3s 128MB\n"
                        "alias F:live -> 1\n");
    alias = &c->stack->aliases[0];
    assert_str(alias->weighted->version, "2");
    assert_true(alias->weight == 0.25);
    assert_ptr_equal(stack_find_function(c->stack, HG_STR("F"), HG_STR("1")),
                     c->stack->functions[1]);
}

static void test_lambda_mistakes(void **state)
{
    case_expect(
        *state,
        TEMPLATE(
            "  G: {Type: AWS::Lambda::Function, Properties: {Code: {S3Bucket: b, S3Key: k}, Role: r, Runtime: python3.12, Handler: h}}\n"
            "  H: {Type: AWS::Lambda::Function, Properties: {Role: r, Runtime: python3.12, Handler: h}}\n"
            "  I: {Type: AWS::Lambda::Function, Properties: {Code: {ZipFile: x}, Role: r, Runtime: python3.12}}\n"
            "  V: {Type: AWS::Lambda::Version, Properties: {FunctionName: nobody}}\n"
            "  J: {Type: AWS::Lambda::Function, Properties: {Role: r, PackageType: Image, Code: {ImageUri: x}}}\n"),
        NULL,
        "problem 2: G: Code is in S3; code must be on this machine: give Code: the path of a folder or zip file, or ZipFile\n"
        "problem 3: H: Code is missing: give ZipFile, or the path of a folder or zip file\n"
        "problem 4: I: Runtime and Handler are mandatory parameters for functions created with deployment packages.\n"
        "problem 5: V: FunctionName: Function not found: nobody\n"
        "problem 6: J: PackageType Image is not supported: container images are not run; use PackageType Zip\n");
}

static void test_rest_tree(void **state)
{
    case_expect(
        *state,
        TEMPLATE(
            FUNCTION REST_API RESOURCE("Pet", "!Ref Pets", "\"{id}\"") RESOURCE("Pets", ROOT,
                                                                                "pets")
                METHOD("M1", ROOT, "GET", PROXY) METHOD("M2", "!Ref Pet", "ANY", PROXY) METHOD(
                    "M3", "!Ref Pets", "POST",
                    PROXY) "  D: {Type: AWS::ApiGateway::Deployment, Properties: {RestApiId: !Ref Api}}\n"
                           "  S: {Type: AWS::ApiGateway::Stage, Properties: {RestApiId: !Ref Api, DeploymentId: !Ref D, StageName: live, Variables: {A: b}}}\n"
                           "  P: {Type: AWS::Lambda::Permission, Properties: {FunctionName: !Ref F, Action: x, Principal: y}}\n"
                           "  R: {Type: AWS::IAM::Role, Properties: {AssumeRolePolicyDocument: {Statement: []}}}\n"),
        NULL,
        "function F:$LATEST python3.12 index.h 3s 128MB\n"
        "api REST Api plain\n"
        "stage Api live A=b\n"
        "route Api GET / -> proxy F\n"
        "route Api ANY /pets/{id} -> proxy F\n"
        "route Api POST /pets -> proxy F\n");
}

static void test_rest_resource_ids(void **state)
{
    struct transform_case *c = *state;

    case_load(c,
              TEMPLATE(FUNCTION REST_API RESOURCE("Pets", ROOT, "pets")
                           METHOD("M1", ROOT, "GET", PROXY) METHOD("M2", "!Ref Pets", "GET", PROXY)
                               DEPLOYED) "Outputs: {Pets: {Value: !Ref Pets}, Root: {Value: " ROOT
                                         "}, D: {Value: !Ref D}}\n");
    assert_non_null(c->stack);
    assert_true(hg_str_eq(c->stack->apis[0].routes[0].resource_id, c->stack->outputs[1].value));
    assert_true(hg_str_eq(c->stack->apis[0].routes[1].resource_id, c->stack->outputs[0].value));
    assert_true(hg_str_eq(c->stack->apis[0].stages[0].deployment_id, c->stack->outputs[2].value));
}

static void test_rest_tree_mistakes(void **state)
{
    case_expect(
        *state,
        TEMPLATE(
            FUNCTION REST_API RESOURCE("A", ROOT, "a") RESOURCE("B", ROOT, "a") RESOURCE(
                "C", "!Ref A", "\"{x}\"") RESOURCE("D", "!Ref A",
                                                   "\"{y}\"") RESOURCE("E", "nowhere",
                                                                       "e") RESOURCE("G", "!Ref H",
                                                                                     "g")
                RESOURCE("H", "!Ref G", "h") METHOD("M", "nothing", "GET", PROXY) METHOD(
                    "N",
                    "!Ref A", "FETCH",
                    PROXY) "  O: {Type: AWS::ApiGateway::Method, Properties: {RestApiId: other, ResourceId: !Ref A, HttpMethod: GET}}\n"),
        NULL,
        "problem 5: B: Another resource with the same parent already has this name: a\n"
        "problem 7: D: A sibling ({x}) of this resource already has a variable path part -- only one is allowed\n"
        "problem 8: E: ParentId: Invalid Resource identifier specified; it must be the RootResourceId of the API or another of "
        "its resources\n"
        "problem 9: G: ParentId: Invalid Resource identifier specified; it must be the RootResourceId of the API or another of "
        "its resources\n"
        "problem 10: H: ParentId: Invalid Resource identifier specified; it must be the RootResourceId of the API or another "
        "of its resources\n"
        "problem 11: M: ResourceId: Invalid Resource identifier specified\n"
        "problem 12: N: Invalid HttpMethod specified. Valid options are GET,PUT,POST,DELETE,PATCH,OPTIONS,HEAD,ANY\n"
        "problem 13: O: RestApiId must reference an API in the same template\n");
}

static void test_integrations_that_are_not_served(void **state)
{
    case_expect(
        *state,
        TEMPLATE(
            FUNCTION REST_API DEPLOYED METHOD(
                "A", ROOT, "GET",
                "Integration: {Type: HTTP_PROXY, IntegrationHttpMethod: GET, Uri: \"http://x\"}")
                METHOD("B", ROOT, "PUT",
                       "Integration: {Type: HTTP, IntegrationHttpMethod: GET, Uri: \"http://x\"}")
                    METHOD(
                        "C", ROOT, "POST",
                        "Integration: {Type: AWS, IntegrationHttpMethod: POST, Uri: \"arn:aws:apigateway:us-east-1:sqs:path/1/q\"}")
                        METHOD(
                            "E", ROOT, "PATCH",
                            "Integration: {Type: AWS, IntegrationHttpMethod: POST, Uri: " LAMBDA_URI
                            ",\n"
                            "    RequestParameters: {integration.request.header.X-Amz-Invocation-Type: \"'Event'\"}}")
                            METHOD("G", ROOT, "HEAD", "OperationName: x") METHOD(
                                "H", ROOT, "DELETE",
                                "AuthorizationType: CUSTOM, AuthorizerId: abc, ApiKeyRequired: true, Integration: {Type: MOCK}")),
        "route later",
        "route Api GET / -> http_proxy 501\n"
        "route Api PUT / -> http 501\n"
        "route Api POST / -> aws 501\n"
        "route Api PATCH / -> lambda F\n"
        "route Api HEAD / -> mock 501\n"
        "route Api DELETE / -> mock CUSTOM key 501\n"
        "later 5: GET /: HTTP_PROXY integrations are not served yet; the route answers 501\n"
        "later 6: PUT /: HTTP integrations are not served yet; the route answers 501\n"
        "later 7: POST /: AWS service integrations are not served yet; the route answers 501\n"
        "later 10: HEAD /: it has no integration; the route answers 501\n"
        "later 11: DELETE / needs an API key, which is not served yet; the route answers 501\n"
        "later 11: DELETE / needs the authorizer abc, which is not served yet; the route answers 501\n");
}

static void test_event_invocation_stays_visible(void **state)
{
    struct transform_case *c = *state;

    case_load(
        c,
        TEMPLATE(FUNCTION REST_API DEPLOYED METHOD(
            "E", ROOT, "POST",
            "Integration: {Type: AWS_PROXY, IntegrationHttpMethod: POST, Uri: " LAMBDA_URI
            ", RequestParameters: {integration.request.header.X-Amz-Invocation-Type: \"'Event'\"}}")));
    assert_non_null(c->stack);
    assert_str(kv_get(&c->stack->apis[0].routes[0].integration->request_parameters,
                      HG_STR("integration.request.header.X-Amz-Invocation-Type")),
               "'Event'");
}

static void test_integration_mistakes(void **state)
{
    case_expect(
        *state,
        TEMPLATE(
            REST_API DEPLOYED METHOD("A", ROOT, "GET", "Integration: {Type: HTTPS}") METHOD(
                "B", ROOT, "PUT", "Integration: {Type: AWS_PROXY, Uri: \"http://x\"}")
                METHOD(
                    "C", ROOT, "POST",
                    "Integration: {Type: AWS_PROXY, Uri: \"arn:aws:lambda:us-east-1:000000000000:function:x\"}")
                    METHOD(
                        "E", ROOT, "PATCH",
                        "Integration: {Type: AWS_PROXY, Uri: \"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/"
                        "functions/arn:aws:lambda:us-east-1:000000000000:function:nobody/invocations\"}")),
        NULL,
        "problem 4: GET /: the type of an integration must be one of AWS_PROXY, AWS, HTTP_PROXY, HTTP, MOCK, not HTTPS\n"
        "problem 5: PUT /: Integrations of type 'AWS_PROXY' currently only supports Lambda function and Firehose stream "
        "invocations.\n"
        "problem 6: POST /: AWS ARN for integration must contain path or action\n"
        "problem 7: PATCH /: its integration calls a function that the template does not have: "
        "arn:aws:lambda:us-east-1:000000000000:function:nobody\n");
}

static void test_functions_elsewhere_and_by_stage_variable(void **state)
{
    case_expect(
        *state,
        TEMPLATE(
            REST_API DEPLOYED METHOD(
                "A", ROOT, "GET",
                "Integration: {Type: AWS_PROXY, Uri: \"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/"
                "functions/arn:aws:lambda:eu-west-1:111111111111:function:far/invocations\"}")
                METHOD(
                    "B", ROOT, "PUT",
                    "Integration: {Type: AWS_PROXY, Uri: \"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/"
                    "functions/arn:aws:lambda:us-east-1:000000000000:function:${stageVariables.fn}/invocations\"}")),
        "route later",
        "route Api GET / -> proxy far 501\n"
        "route Api PUT / -> proxy ${stageVariables.fn}\n"
        "later 4: GET /: function arn:aws:lambda:eu-west-1:111111111111:function:far is in another account or region than this one, "
        "000000000000 us-east-1 (options --account and --region); the route answers 501\n");
}

#define MOCK(response) \
    "Integration: {Type: MOCK, RequestTemplates: {application/json: '{\"statusCode\": 200}'}, IntegrationResponses: [" response \
    "]}"

static void test_mock_is_static_or_refused(void **state)
{
    case_expect(
        *state,
        TEMPLATE(
            REST_API DEPLOYED METHOD(
                "A", ROOT, "GET",
                MOCK(
                    "{StatusCode: 200, ResponseTemplates: {a/b: '{\"c\":\"#fff\",\"p\":\"$5 50$\"}'}}"))
                METHOD("B", ROOT, "PUT",
                       MOCK("{StatusCode: 201, ResponseTemplates: {a/b: '$input.body'}}"))
                    METHOD("C", ROOT, "POST",
                           MOCK("{StatusCode: 200, ResponseTemplates: {a/b: '#if(1)x#end'}}"))
                        METHOD(
                            "E", ROOT, "PATCH",
                            MOCK(
                                "{StatusCode: 200, ResponseParameters: {method.response.header.A: context.requestId}}"))
                            METHOD(
                                "G", ROOT, "HEAD",
                                "Integration: {Type: MOCK, RequestTemplates: {application/json: '{\"statusCode\": $x}'}}")),
        "route later",
        "route Api GET / -> mock\n"
        "route Api PUT / -> mock 501\n"
        "route Api POST / -> mock 501\n"
        "route Api PATCH / -> mock 501\n"
        "route Api HEAD / -> mock 501\n"
        "later 5: PUT /: the response of status 201 of its MOCK integration has a mapping template with references or "
        "directives; these are not served yet; the route answers 501\n"
        "later 6: POST /: the response of status 200 of its MOCK integration has a mapping template with references or "
        "directives; these are not served yet; the route answers 501\n"
        "later 7: PATCH /: method.response.header.A of its MOCK integration is not a literal in single quotes but "
        "context.requestId; mapping expressions are not served yet; the route answers 501\n"
        "later 8: HEAD /: the request mapping template of its MOCK integration is not a constant; mapping templates are not "
        "served yet; the route answers 501\n");
}

static void test_stage_of_a_deployment(void **state)
{
    case_expect(
        *state,
        TEMPLATE(
            REST_API
            "  D:\n    Type: AWS::ApiGateway::Deployment\n    Properties:\n      RestApiId: !Ref Api\n      StageName: prod\n"
            "      StageDescription: {Variables: {A: b}, AccessLogSetting: {Format: x}}\n"),
        "stage", "stage Api prod A=b log=x\n");
    case_expect(*state, TEMPLATE(REST_API), "warning",
                "warning 2: Api has no stage: nothing of it can be called\n");
}

static void test_gateway_responses(void **state)
{
    case_expect(
        *state,
        TEMPLATE(
            REST_API DEPLOYED
            "  G: {Type: AWS::ApiGateway::GatewayResponse, Properties: {RestApiId: !Ref Api, ResponseType: UNAUTHORIZED, StatusCode: \"499\"}}\n"),
        "response problem", "response UNAUTHORIZED 499\n");
    case_expect(
        *state,
        TEMPLATE(
            REST_API DEPLOYED
            "  G: {Type: AWS::ApiGateway::GatewayResponse, Properties: {RestApiId: !Ref Api, ResponseType: NOTHING}}\n"),
        "problem", "problem 4: NOTHING is not a type of gateway response\n");
}

#define HTTP_API \
    "  Api: {Type: AWS::ApiGatewayV2::Api, Properties: {Name: h, ProtocolType: HTTP}}\n"
#define INTEGRATION(id, more) \
    "  " id ": {Type: AWS::ApiGatewayV2::Integration, Properties: {ApiId: !Ref Api, " more "}}\n"
#define ROUTE(id, key, more) \
    "  " id ": {Type: AWS::ApiGatewayV2::Route, Properties: {ApiId: !Ref Api, RouteKey: " key more \
    "}}\n"
#define TARGET(id) ", Target: !Sub \"integrations/${" id "}\""
#define STAGE \
    "  S: {Type: AWS::ApiGatewayV2::Stage, Properties: {ApiId: !Ref Api, StageName: $default, AutoDeploy: true}}\n"

static void test_http_api(void **state)
{
    case_expect(
        *state,
        TEMPLATE(
            FUNCTION HTTP_API STAGE INTEGRATION(
                "I",
                "IntegrationType: AWS_PROXY, IntegrationUri: !GetAtt F.Arn, PayloadFormatVersion: \"2.0\", TimeoutInMillis: 500")
                INTEGRATION("J", "IntegrationType: AWS_PROXY, IntegrationUri: " LAMBDA_URI) INTEGRATION(
                    "K",
                    "IntegrationType: AWS_PROXY, IntegrationSubtype: SQS-SendMessage, PayloadFormatVersion: \"1.0\"")
                    ROUTE("R1", "\"GET /pets/{id}\"", TARGET("I"))
                        ROUTE("R2", "$default", TARGET("J")) ROUTE("R3", "\"POST /q\"", TARGET("K"))
                            ROUTE("R4", "\"ANY /i\"", TARGET("I") ", AuthorizationType: AWS_IAM")),
        NULL,
        "function F:$LATEST python3.12 index.h 3s 128MB\n"
        "api HTTP Api h\n"
        "stage Api $default\n"
        "route Api GET /pets/{id} -> proxy F v2.0 500ms\n"
        "route Api $default  -> proxy F v1.0\n"
        "route Api POST /q -> aws v1.0 501\n"
        "route Api ANY /i -> proxy F v2.0 500ms AWS_IAM 501\n"
        "later 7: POST /q: integrations with SQS-SendMessage are not served yet; the route answers 501\n"
        "later 11: ANY /i needs AWS_IAM authorization, which is not served yet; the route answers 501\n");
}

static void test_http_api_mistakes(void **state)
{
    case_expect(
        *state,
        TEMPLATE(
            FUNCTION HTTP_API STAGE INTEGRATION(
                "I", "IntegrationType: AWS_PROXY, IntegrationUri: !GetAtt F.Arn")
                ROUTE("R1", "GET", TARGET("I")) ROUTE("R2", "\"FETCH /x\"", TARGET("I")) ROUTE(
                    "R3", "\"GET /x\"", ", Target: integrations/no") ROUTE("R4", "\"GET /y\"",
                                                                           TARGET("I"))
                    ROUTE("R5", "\"GET /y\"", TARGET("I")) ROUTE(
                        "R6", "\"GET /z\"",
                        TARGET(
                            "I") ", AuthorizationType: MAYBE") "  B: {Type: AWS::ApiGatewayV2::Api, Properties: {Name: b, ProtocolType: FTP}}\n"),
        NULL,
        "problem 6: R1: RouteKey must be \"METHOD /path\" (GET, PUT, POST, DELETE, PATCH, OPTIONS, HEAD, ANY) or \"$default\", "
        "not GET\n"
        "problem 7: R2: RouteKey must be \"METHOD /path\" (GET, PUT, POST, DELETE, PATCH, OPTIONS, HEAD, ANY) or \"$default\", "
        "not FETCH /x\n"
        "problem 8: R3: Target must be integrations/ and the id of an integration of the same API, not integrations/no\n"
        "problem 10: API method \"get\" defined multiple times for path \"/y\".\n"
        "problem 11: R6: AuthorizationType must be one of NONE, AWS_IAM, CUSTOM, JWT\n"
        "problem 12: B: ProtocolType: Invalid protocol specified. Must be one of [HTTP, WEBSOCKET]\n");
}

static void test_quick_create(void **state)
{
    case_expect(
        *state,
        TEMPLATE(
            FUNCTION
            "  Q: {Type: AWS::ApiGatewayV2::Api, Properties: {Name: q, ProtocolType: HTTP, Target: !GetAtt F.Arn, RouteKey: \"GET /\"}}\n"),
        "api stage route", "api HTTP Q q\nstage Q $default\nroute Q GET / -> proxy F v2.0\n");
}

static void test_websocket_is_told_once(void **state)
{
    case_expect(
        *state,
        TEMPLATE(
            FUNCTION
            "  Api: {Type: AWS::ApiGatewayV2::Api, Properties: {Name: s, ProtocolType: WEBSOCKET}}\n" INTEGRATION(
                "I", "IntegrationType: AWS_PROXY, IntegrationUri: !GetAtt F.Arn")
                ROUTE("R", "$connect", TARGET("I")) STAGE),
        "api route later problem", "later 3: Api (AWS::ApiGatewayV2::Api): WebSocket APIs\n");
}

static void test_types(void **state)
{
    case_expect(*state,
                TEMPLATE("  A: {Type: AWS::IAM::Role}\n"
                         "  B: {Type: AWS::Logs::LogGroup}\n"
                         "  C: {Type: AWS::DynamoDB::Table, Properties: {Any: thing}}\n"
                         "  D: {Type: AWS::Lambda::EventSourceMapping, Properties: {}}\n"
                         "  E: {Type: Some::Thing::Else}\n"
                         "  G: {Type: AWS::IAM::Role, Flavour: x}\n"),
                NULL,
                "later 4: C (AWS::DynamoDB::Table): DynamoDB tables\n"
                "later 5: D (AWS::Lambda::EventSourceMapping): event source mappings\n"
                "unknown 6: E: unknown resource type Some::Thing::Else\n"
                "unknown 7: G: unknown property Flavour of a resource\n");
}

static void test_empty_settings_are_none(void **state)
{
    case_expect(
        *state,
        "Resources:\n"
        "  A: {Type: AWS::ApiGateway::RestApi, Properties: {Name: a, Policy: \"\"}}\n"
        "  B: {Type: AWS::ApiGateway::RestApi, Properties: {Name: b, Policy: {Version: 2012-10-17}}}\n",
        "later unknown", "later 3: B: Policy\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_versions_and_aliases),
        cmocka_unit_test(test_lambda_mistakes),
        cmocka_unit_test(test_rest_tree),
        cmocka_unit_test(test_rest_resource_ids),
        cmocka_unit_test(test_rest_tree_mistakes),
        cmocka_unit_test(test_integrations_that_are_not_served),
        cmocka_unit_test(test_event_invocation_stays_visible),
        cmocka_unit_test(test_integration_mistakes),
        cmocka_unit_test(test_functions_elsewhere_and_by_stage_variable),
        cmocka_unit_test(test_mock_is_static_or_refused),
        cmocka_unit_test(test_stage_of_a_deployment),
        cmocka_unit_test(test_gateway_responses),
        cmocka_unit_test(test_http_api),
        cmocka_unit_test(test_http_api_mistakes),
        cmocka_unit_test(test_quick_create),
        cmocka_unit_test(test_websocket_is_told_once),
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_empty_settings_are_none),
    };

    return cmocka_run_group_tests(tests, case_setup, case_teardown);
}
