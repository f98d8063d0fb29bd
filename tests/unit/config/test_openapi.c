/*
 * OpenAPI definitions of REST and HTTP APIs (apigw-control-plane.md §5).
 */
#include "tests/unit/config/transform_case.h"

#include <stdio.h>

#define FUNCTION \
    "  F: {Type: AWS::Lambda::Function, Properties: {Code: {ZipFile: x}, Role: r, Runtime: python3.12, Handler: index.h}}\n"
#define PROXY \
    "{type: aws_proxy, httpMethod: POST, uri: !Sub \"arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${F.Arn}/invocations\"}"
#define MOCK \
    "{type: mock, requestTemplates: {application/json: '{statusCode: 200}'}, responses: {default: {statusCode: 200}}}"
#define INTEGRATION "x-amazon-apigateway-integration: "

/* A template with F and a REST API Api whose DefinitionBody are these lines; they begin at line 9. */
static void expect(void **state, const char *body, const char *only, const char *expected)
{
    static char text[8192];

    (void)snprintf(text, sizeof(text),
                   "Resources:\n" FUNCTION
                   "  Api:\n    Type: AWS::Serverless::Api\n    Properties:\n      StageName: v1\n"
                   "      DefinitionBody:\n        openapi: 3.0.1\n%s",
                   body);
    case_expect(*state, text, only, expected);
}

static void expect_http(void **state, const char *body, const char *only, const char *expected)
{
    static char text[8192];

    (void)snprintf(
        text, sizeof(text),
        "Resources:\n" FUNCTION
        "  Api:\n    Type: AWS::ApiGatewayV2::Api\n    Properties:\n      Description: x\n"
        "      Body:\n        openapi: 3.0.1\n%s"
        "  S: {Type: AWS::ApiGatewayV2::Stage, Properties: {ApiId: !Ref Api, StageName: $default}}\n",
        body);
    case_expect(*state, text, only, expected);
}

static void test_paths_and_methods(void **state)
{
    expect(state,
           "        info: {title: pets, version: \"1\"}\n"
           "        paths:\n"
           "          /pets/{id}:\n"
           "            parameters: [{name: id, in: path, required: true}]\n"
           "            summary: a pet\n"
           "            get: {operationId: getPet, " INTEGRATION PROXY "}\n"
           "            x-amazon-apigateway-any-method: {" INTEGRATION MOCK "}\n"
           "          /{proxy+}:\n"
           "            post: {" INTEGRATION PROXY "}\n",
           NULL,
           "function F:$LATEST python3.12 index.h 3s 128MB\n"
           "api REST Api pets\n"
           "stage Api v1\n"
           "route Api GET /pets/{id} -> proxy F\n"
           "route Api ANY /pets/{id} -> mock\n"
           "mock ANY /pets/{id} [] 200\n"
           "route Api POST /{proxy+} -> proxy F\n");
}

static void test_operation_name_and_line(void **state)
{
    struct transform_case *c = *state;

    expect(
        state,
        "        paths:\n          /a:\n            get:\n              operationId: getA\n              " INTEGRATION
            MOCK "\n",
        "problem", "");
    assert_str(c->stack->apis[0].routes[0].operation_name, "getA");
    assert_int_equal(c->stack->apis[0].routes[0].line, 11);
}

static void test_swagger_2(void **state)
{
    case_expect(
        *state,
        "Resources:\n  Api:\n    Type: AWS::ApiGateway::RestApi\n    Properties:\n      Body:\n"
        "        swagger: 2\n        info: {title: old}\n        paths: {/: {get: {" INTEGRATION
            MOCK "}}}\n"
        "  D: {Type: AWS::ApiGateway::Deployment, Properties: {RestApiId: !Ref Api, StageName: v}}\n",
        "api route problem", "api REST Api old\nroute Api GET / -> mock\n");
}

static void test_integration_responses(void **state)
{
    struct transform_case *c = *state;
    const struct hg_integ_model *mock;

    expect(
        state,
        "        paths:\n          /a:\n            get:\n              " INTEGRATION "\n"
        "                type: mock\n"
        "                passthroughBehavior: when_no_templates\n"
        "                timeoutInMillis: 1000\n"
        "                requestTemplates: {application/json: '{\"statusCode\": 404}'}\n"
        "                responses:\n"
        "                  default: {statusCode: \"200\"}\n"
        "                  \"4\\\\d{2}\": {statusCode: 404, responseParameters: {method.response.header.A: \"'b'\"},\n"
        "                           responseTemplates: {application/json: '{\"no\":1}'}}\n",
        "problem later unknown", "");
    mock = c->stack->apis[0].routes[0].integration;
    assert_str(mock->passthrough, "WHEN_NO_TEMPLATES");
    assert_int_equal(mock->timeout_ms, 1000);
    assert_int_equal(mock->response_count, 2);
    assert_str(mock->responses[0].selection_pattern, "");
    assert_int_equal(mock->responses[0].status, 200);
    assert_str(mock->responses[1].selection_pattern, "4\\d{2}");
    assert_int_equal(mock->responses[1].status, 404);
    assert_str(kv_get(&mock->responses[1].parameters, HG_STR("method.response.header.A")), "'b'");
    assert_str(kv_get(&mock->responses[1].templates, HG_STR("application/json")), "{\"no\":1}");
    assert_str(kv_get(&mock->request_templates, HG_STR("application/json")),
               "{\"statusCode\": 404}");
}

static void test_root_extensions(void **state)
{
    expect(
        state,
        "        x-amazon-apigateway-binary-media-types: [image/png]\n"
        "        x-amazon-apigateway-gateway-responses:\n"
        "          DEFAULT_5XX: {statusCode: 555, responseParameters: {gatewayresponse.header.A: \"'b'\"}}\n"
        "        x-amazon-apigateway-endpoint-configuration: {disableExecuteApiEndpoint: true}\n"
        "        x-amazon-apigateway-policy: {}\n"
        "        x-amazon-apigateway-request-validators: {all: {validateRequestBody: true}}\n"
        "        x-amazon-apigateway-colour: blue\n"
        "        x-other: 1\n",
        "api response later unknown",
        "api REST Api Api binary=image/png disabled\n"
        "response DEFAULT_5XX 555 gatewayresponse.header.A='b'\n"
        "later 13: Api: x-amazon-apigateway-policy\n"
        "unknown 15: Api: x-amazon-apigateway-colour\n");
}

static void test_security(void **state)
{
    expect(
        state,
        "        security: [{fn: []}]\n"
        "        paths:\n"
        "          /a: {get: {" INTEGRATION MOCK "}}\n"
        "          /b: {get: {security: [], " INTEGRATION MOCK "}}\n"
        "          /c: {get: {security: [{key: []}], " INTEGRATION MOCK "}}\n"
        "          /d: {get: {security: [{iam: []}], " INTEGRATION MOCK "}}\n"
        "          /e: {get: {security: [{pool: []}], " INTEGRATION MOCK "}}\n"
        "          /f: {get: {security: [{words: []}], " INTEGRATION MOCK "}}\n"
        "          /g: {get: {security: [{nowhere: []}], " INTEGRATION MOCK "}}\n"
        "        components:\n"
        "          securitySchemes:\n"
        "            fn: {type: apiKey, name: Authorization, in: header, x-amazon-apigateway-authorizer: {type: token}}\n"
        "            key: {type: apiKey, name: x-api-key, in: header}\n"
        "            iam: {type: apiKey, name: Authorization, in: header, x-amazon-apigateway-authtype: awsSigv4}\n"
        "            pool: {type: apiKey, name: A, in: header, x-amazon-apigateway-authorizer: {type: cognito_user_pools}}\n"
        "            words: {type: http, scheme: basic}\n",
        "route unknown",
        "route Api GET /a -> mock CUSTOM 501\n"
        "route Api GET /b -> mock\n"
        "route Api GET /c -> mock key 501\n"
        "route Api GET /d -> mock AWS_IAM 501\n"
        "route Api GET /e -> mock COGNITO_USER_POOLS 501\n"
        "route Api GET /f -> mock\n"
        "route Api GET /g -> mock\n"
        "unknown 17: GET /g: security names the scheme nowhere, which the document does not define\n");
}

static void test_http_api_body(void **state)
{
    expect_http(
        state,
        "        info: {title: h, version: \"1\"}\n"
        "        x-amazon-apigateway-cors: {allowOrigins: [\"https://a\"], maxAge: 3}\n"
        "        paths:\n"
        "          /a: {get: {" INTEGRATION
        "{$ref: \"#/components/x-amazon-apigateway-integrations/f\"}}}\n"
        "          /$default: {x-amazon-apigateway-any-method: {isDefaultRoute: true, " INTEGRATION
        "{type: aws_proxy, httpMethod: POST, uri: !GetAtt F.Arn}}}\n"
        "          /j: {get: {security: [{j: [scope]}], " INTEGRATION
        "{$ref: \"#/components/x-amazon-apigateway-integrations/f\"}}}\n"
        "        components:\n"
        "          x-amazon-apigateway-integrations:\n"
        "            f: {type: aws_proxy, httpMethod: POST, uri: !GetAtt F.Arn, payloadFormatVersion: 2.0}\n"
        "          securitySchemes: {j: {type: oauth2, x-amazon-apigateway-authorizer: {type: jwt}}}\n",
        NULL,
        "function F:$LATEST python3.12 index.h 3s 128MB\n"
        "api HTTP Api h origin=https://a\n"
        "stage Api $default\n"
        "route Api GET /a -> proxy F v2.0\n"
        "route Api $default  -> proxy F v1.0\n"
        "route Api GET /j -> proxy F v2.0 JWT 501\n"
        "later 14: GET /j needs the authorizer j, which is not served yet; the route answers 501\n");
}

static void test_invocation_type(void **state)
{
    expect_http(state,
                "        info: {title: h, version: \"1\"}\n"
                "        paths:\n"
                "          /a: {post: {" INTEGRATION
                "{type: aws_proxy, uri: !GetAtt F.Arn, x-headgate-invocation-type: Event}}}\n"
                "          /b: {post: {" INTEGRATION
                "{type: aws_proxy, uri: !GetAtt F.Arn, x-headgate-invocation-type: DryRun}}}\n",
                NULL,
                "function F:$LATEST python3.12 index.h 3s 128MB\n"
                "api HTTP Api h\n"
                "stage Api $default\n"
                "route Api POST /a -> proxy F v1.0 type=Event\n"
                "route Api POST /b -> proxy F v1.0 type=DryRun\n");
    expect(
        state,
        "        paths:\n"
        "          /a: {get: {" INTEGRATION "{type: mock, x-headgate-invocation-type: Event}}}\n"
        "          /b: {get: {" INTEGRATION "{type: aws_proxy, httpMethod: POST, uri: !Sub "
        "\"arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${F.Arn}/invocations\", "
        "x-headgate-invocation-type: event}}}\n",
        "problem",
        "problem 10: GET /a: the invocation type Event is given, and the integration calls no function\n"
        "problem 11: GET /b: the invocation type must be Event, RequestResponse or DryRun, not event\n");
}

static void test_mistakes(void **state)
{
    expect(
        state,
        "        paths:\n"
        "          a: {get: {" INTEGRATION MOCK "}}\n"
        "          /b: {get: {" INTEGRATION "{$ref: \"#/nowhere\"}}}\n"
        "          /c: {get: {" INTEGRATION "{$ref: other.yaml}}}\n"
        "          /d: {get: {" INTEGRATION "{type: magic}}}\n"
        "          /e: [1]\n"
        "          /f: {get: 1}\n"
        "          /g: {get: {" INTEGRATION
        "{type: mock, responses: {default: {statusCode: 99}}}}}\n"
        "          /h: {get: {" INTEGRATION "{$ref: \"#/components/loop\"}}}\n"
        "        components: {loop: {$ref: \"#/components/loop\"}}\n",
        NULL,
        "problem 10: path \"a\" must start with /\n"
        "problem 11: $ref #/nowhere leads to nothing\n"
        "problem 12: $ref other.yaml leads out of the document\n"
        "problem 13: GET /d: the type of an integration must be one of AWS_PROXY, AWS, HTTP_PROXY, HTTP, MOCK, not magic\n"
        "problem 14: path /e: must be a map of methods\n"
        "problem 15: GET /f: an operation must be a map\n"
        "problem 16: GET /g: integration response: statusCode must be a whole number from 100 to 599, not 99\n"
        "problem 18: $ref goes round in circles\n");
    case_expect(
        *state,
        "Resources:\n  Api:\n    Type: AWS::Serverless::Api\n    Properties:\n      StageName: v\n"
        "      DefinitionBody: {paths: {}}\n",
        NULL,
        "problem 6: Api: Invalid OpenAPI input. It must be a map with openapi: \"3.0.1\" or swagger: \"2.0\"\n");
}

static void test_included_file(void **state)
{
    struct transform_case *c = *state;

    case_file(
        c, "docs/api.yaml",
        "openapi: 3.0.1\npaths:\n  /in:\n    get:\n      x-amazon-apigateway-integration: {\"Fn::If\": [IsOn, " PROXY
        ", 0]}\n");
    case_expect(
        c,
        "Conditions: {IsOn: !Equals [a, a]}\nResources:\n" FUNCTION
        "  Api:\n    Type: AWS::Serverless::Api\n    Properties:\n      StageName: v1\n"
        "      DefinitionBody:\n        Fn::Transform: {Name: AWS::Include, Parameters: {Location: docs/api.yaml}}\n",
        "route problem", "route Api GET /in -> proxy F\n");
}

static void test_definition_uri(void **state)
{
    struct transform_case *c = *state;
    static const char with_uri[] =
        "Resources:\n" FUNCTION "  Api: {Type: AWS::Serverless::Api, Properties: {StageName: v1,\n"
        "    DefinitionUri: api.json}}\n";

    case_file(
        c, "api.json",
        "{\"openapi\": \"3.0.1\",\n \"x-amazon-apigateway-policy\": {},\n"
        " \"paths\": {\"/a\": {\"get\": {\"x-amazon-apigateway-integration\": {\"type\": \"mock\"}}}}}");
    case_expect(c, with_uri, "route later problem",
                "route Api GET /a -> mock\nlater 4: api.json:2: Api: x-amazon-apigateway-policy\n");
    assert_int_equal(c->stack->apis[0].routes[0].line, 4);
    assert_int_equal(c->stack->apis[0].routes[0].integration->line, 4);
    case_file(c, "api.json", "{\"openapi\": \"3.0.1\",\n \"paths\": {\"b\": {}}}");
    case_expect(c, with_uri, NULL, "problem 4: api.json:2: path \"b\" must start with /\n");
    case_expect(
        c,
        "Resources:\n  Api: {Type: AWS::Serverless::Api, Properties: {StageName: v1, DefinitionUri: s3://b/k}}\n",
        NULL,
        "problem 2: Api: DefinitionUri is in S3; the document must be on this machine: give the path of a file, or "
        "DefinitionBody with Fn::Transform AWS::Include\n");
    case_expect(
        c,
        "Resources:\n  Api: {Type: AWS::Serverless::Api, Properties: {StageName: v1,\n"
        "    DefinitionUri: api.json, DefinitionBody: {openapi: 3.0.1}}}\n",
        NULL,
        "problem 3: Resource with id [Api] is invalid. Specify either 'DefinitionUri' or 'DefinitionBody' property and "
        "not both.\n");
}

static void test_events_and_definitions(void **state)
{
    static const char text[] =
        "Resources:\n"
        "  F:\n    Type: AWS::Serverless::Function\n    Properties: {InlineCode: x, Runtime: python3.12, Handler: index.h, Events: {\n"
        "      A: {Type: Api, Properties: {RestApiId: !Ref Api, Path: /a, Method: get}},\n"
        "      B: {Type: Api, Properties: {RestApiId: !Ref Api, Path: /b, Method: get}},\n"
        "      C: {Type: HttpApi, Properties: {ApiId: !Ref Http, Path: /c, Method: get}}}}\n"
        "  Api:\n    Type: AWS::Serverless::Api\n    Properties:\n      StageName: v1\n      Auth: {DefaultAuthorizer: AWS_IAM}\n"
        "      MergeDefinitions: %s\n"
        "      DefinitionBody: {openapi: 3.0.1, paths: {/a: {get: {" INTEGRATION MOCK "}}}}\n"
        "  Http:\n    Type: AWS::Serverless::HttpApi\n    Properties:\n"
        "      DefinitionBody: {openapi: 3.0.1, paths: {}}\n";
    char filled[4096];

    (void)snprintf(filled, sizeof(filled), text, "false");
    case_expect(
        *state, filled, "route warning",
        "route Api GET /a -> mock AWS_IAM 501\n"
        "route Http GET /c -> proxy F v2.0\n"
        "warning 6: F: event B: Api has its own definition, which has no GET /b; no route is made\n");
    (void)snprintf(filled, sizeof(filled), text, "true");
    case_expect(*state, filled, "route warning",
                "route Api GET /a -> mock AWS_IAM 501\n"
                "route Api GET /b -> proxy F AWS_IAM 501\n"
                "route Http GET /c -> proxy F v2.0\n");
}

/* What the definition leaves open is the event's; what no event takes is told once. */
static void test_events_bring_missing_integrations(void **state)
{
    case_expect(
        *state,
        "Resources:\n  F:\n    Type: AWS::Serverless::Function\n"
        "    Properties: {Handler: index.h, Runtime: python3.12, InlineCode: x, Events: {\n"
        "      A: {Type: HttpApi, Properties: {ApiId: !Ref Http}},\n"
        "      B: {Type: HttpApi, Properties: {ApiId: !Ref Http, Path: /b, Method: get, PayloadFormatVersion: \"1.0\"}},\n"
        "      C: {Type: Api, Properties: {RestApiId: !Ref Rest, Path: /c, Method: get}}}}\n"
        "  Http:\n    Type: AWS::Serverless::HttpApi\n    Properties:\n"
        "      DefinitionBody: {openapi: 3.0.1, paths: {\n"
        "        $default: {x-amazon-apigateway-any-method: {isDefaultRoute: true}},\n"
        "        /b: {get: {responses: {}}},\n"
        "        /left: {post: {responses: {}}}}}\n"
        "  Rest: {Type: AWS::Serverless::Api, Properties: {StageName: v1, DefinitionBody: {swagger: 2.0, paths: {/c: {get: {}}}}}}\n",
        "route warning later",
        "route Rest GET /c -> mock 501\n"
        "route Http POST /left -> mock 501\n"
        "route Http GET /b -> proxy F v1.0\n"
        "route Http $default  -> proxy F v2.0\n"
        "later 14: POST /left: it has no integration; the route answers 501\n"
        "later 15: GET /c: it has no integration; the route answers 501\n");
}

static void test_method_of_the_integration_in_any_case(void **state)
{
    struct transform_case *c = *state;

    expect(
        state,
        "        paths: {/a: {get: {" INTEGRATION
        "{type: AWS_PROXY, httpMethod: post, uri: !Sub \"arn:aws:apigateway:r:lambda:path/2015-03-31/functions/${F.Arn}/invocations\"}}}}\n",
        "route warning", "route Api GET /a -> proxy F\n");
    assert_str(c->stack->apis[0].routes[0].integration->http_method, "POST");
}

/* It changes nothing for a proxy and for text that stays text. */
static void test_content_handling(void **state)
{
    expect(
        state,
        "        paths:\n"
        "          /a:\n"
        "            get: {" INTEGRATION
        "{type: aws_proxy, httpMethod: POST, contentHandling: CONVERT_TO_BINARY, uri: !Sub \"arn:aws:apigateway:r:lambda:path/2015-03-31/functions/${F.Arn}/invocations\"}}\n"
        "            put: {" INTEGRATION
        "{type: mock, contentHandling: CONVERT_TO_TEXT, requestTemplates: {application/json: '{statusCode: 200}'}}}\n"
        "            post: {" INTEGRATION "{type: mock, contentHandling: CONVERT_TO_BINARY}}\n"
        "            patch: {" INTEGRATION
        "{type: mock, responses: {default: {statusCode: 200, contentHandling: CONVERT_TO_BINARY}}}}\n",
        "later unknown",
        "later 13: POST /a: contentHandling\n"
        "later 14: PATCH /a: contentHandling\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths_and_methods),
        cmocka_unit_test(test_operation_name_and_line),
        cmocka_unit_test(test_swagger_2),
        cmocka_unit_test(test_integration_responses),
        cmocka_unit_test(test_root_extensions),
        cmocka_unit_test(test_security),
        cmocka_unit_test(test_http_api_body),
        cmocka_unit_test(test_invocation_type),
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_included_file),
        cmocka_unit_test(test_definition_uri),
        cmocka_unit_test(test_events_and_definitions),
        cmocka_unit_test(test_events_bring_missing_integrations),
        cmocka_unit_test(test_method_of_the_integration_in_any_case),
        cmocka_unit_test(test_content_handling),
    };

    return cmocka_run_group_tests(tests, case_setup, case_teardown);
}
