/*
 * Events of functions, implicit and explicit SAM APIs, Cors and Auth (sam-templates.md §4, §5).
 */
#include "tests/unit/config/transform_case.h"

#include <stdio.h>

#define F_HEAD \
    "Resources:\n  F:\n    Type: AWS::Serverless::Function\n" \
    "    Properties: {InlineCode: x, Runtime: python3.12, Handler: index.h, Events: {\n"
#define F_TAIL "    }}\n"

/* A template whose function F has these events, which begin at line 5; more resources follow. */
static void expect_more(void **state, const char *events, const char *more, const char *only,
                        const char *expected)
{
    static char text[8192];

    (void)snprintf(text, sizeof(text), F_HEAD "%s" F_TAIL "%s", events, more);
    case_expect(*state, text, only, expected);
}

static void expect(void **state, const char *events, const char *only, const char *expected)
{
    expect_more(state, events, "", only, expected);
}

static void test_implicit_apis(void **state)
{
    expect(
        state,
        "      A: {Type: Api, Properties: {Path: /a, Method: get}},\n"
        "      B: {Type: Api, Properties: {Path: \"/b/{id}/\", Method: Any, TimeoutInMillis: 100}},\n"
        "      C: {Type: HttpApi, Properties: {Path: \"/c/{rest+}\", Method: post}},\n"
        "      D: {Type: HttpApi}\n",
        NULL,
        "function F:$LATEST python3.12 index.h 3s 128MB\n"
        "api REST ServerlessRestApi local\n"
        "stage ServerlessRestApi Prod\n"
        "route ServerlessRestApi GET /a -> proxy F\n"
        "route ServerlessRestApi ANY /b/{id} -> proxy F 100ms\n"
        "api HTTP ServerlessHttpApi local\n"
        "stage ServerlessHttpApi $default\n"
        "route ServerlessHttpApi POST /c/{rest+} -> proxy F v2.0\n"
        "route ServerlessHttpApi $default  -> proxy F v2.0\n");
}

static void test_invocation_type(void **state)
{
    static const char events[] = "      A: {Type: Api, Properties: {Path: /a, Method: get}},\n"
                                 "      B: {Type: HttpApi, Properties: {Path: /b, Method: post}}\n";

    expect_more(state, events, "    Metadata: {Headgate: {InvocationType: Event}}\n", "route",
                "route ServerlessRestApi GET /a -> proxy F type=Event\n"
                "route ServerlessHttpApi POST /b -> proxy F v2.0 type=Event\n");
    expect_more(state, events, "    Metadata: {Headgate: {InvocationType: {B: Event}}}\n", "route",
                "route ServerlessRestApi GET /a -> proxy F\n"
                "route ServerlessHttpApi POST /b -> proxy F v2.0 type=Event\n");
}

static void test_no_event_no_api(void **state)
{
    expect(state, "", NULL, "function F:$LATEST python3.12 index.h 3s 128MB\n");
}

static void test_integration_of_an_event(void **state)
{
    struct transform_case *c = *state;
    const struct hg_route *route;

    case_load(c, F_HEAD "      A: {Type: Api, Properties: {Path: /, Method: get}}\n" F_TAIL);
    assert_non_null(c->stack);
    route = &c->stack->apis[0].routes[0];
    assert_int_equal(route->integration->type, HG_INTEG_LAMBDA_PROXY);
    assert_str(route->integration->uri,
               "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/"
               "arn:aws:lambda:us-east-1:000000000000:function:F/invocations");
    assert_str(route->integration->http_method, "POST");
    assert_str(route->authorization, "NONE");
    assert_int_equal(route->line, 5);
    assert_int_equal(route->resource_id.n, 10);
    assert_int_equal(c->stack->apis[0].id.n, 10);
}

static void test_explicit_apis(void **state)
{
    expect_more(
        state,
        "      A: {Type: Api, Properties: {RestApiId: !Ref Api, Path: /a, Method: get}},\n"
        "      B: {Type: HttpApi, Properties: {ApiId: !Ref Http, Path: /b, Method: get, PayloadFormatVersion: \"1.0\"}}\n",
        "  Api: {Type: AWS::Serverless::Api, Properties: {StageName: dev, Name: mine, Variables: {X: y}}}\n"
        "  Http: {Type: AWS::Serverless::HttpApi, Properties: {StageName: beta, AccessLogSettings: {Format: $context.status}}}\n",
        "api stage route",
        "api REST Api mine\nstage Api dev X=y\nroute Api GET /a -> proxy F\n"
        "api HTTP Http Http\nstage Http beta log=$context.status\nroute Http GET /b -> proxy F v1.0\n");
}

static void test_event_mistakes(void **state)
{
    expect(
        state,
        "      A: {Type: Api, Properties: {Path: /a}},\n"
        "      B: {Type: Api, Properties: {Method: get}},\n"
        "      C: {Type: Api, Properties: {Path: /c, Method: fetch}},\n"
        "      D: {Type: HttpApi, Properties: {Path: /d}},\n"
        "      E: {Properties: {Path: /d}}\n",
        NULL,
        "problem 5: Resource with id [F] is invalid. Event with id [FA] is invalid. Event is missing 'Method'.\n"
        "problem 6: Resource with id [F] is invalid. Event with id [FB] is invalid. Event is missing 'Path'.\n"
        "problem 7: F: event C: Method fetch is not one of GET, PUT, POST, DELETE, PATCH, OPTIONS, HEAD, ANY\n"
        "problem 8: Resource with id [F] is invalid. Event with id [FD] is invalid. Event is missing 'Method'.\n"
        "problem 9: F: event E: Type is missing\n");
}

static void test_paths(void **state)
{
    expect(
        state,
        "      A: {Type: Api, Properties: {Path: a, Method: get}},\n"
        "      B: {Type: Api, Properties: {Path: /b//c, Method: get}},\n"
        "      C: {Type: Api, Properties: {Path: \"/c/{x\", Method: get}},\n"
        "      D: {Type: Api, Properties: {Path: \"/d{x}\", Method: get}},\n"
        "      E: {Type: Api, Properties: {Path: \"/e/{x+}/y\", Method: get}},\n"
        "      G: {Type: Api, Properties: {Path: \"/g/{}\", Method: get}},\n"
        "      H: {Type: Api, Properties: {Path: \"/h h\", Method: get}},\n"
        "      I: {Type: HttpApi, Properties: {Path: /i/, Method: get}}\n",
        NULL,
        "problem 5: path \"a\" must start with /\n"
        "problem 6: path /b//c has an empty segment\n"
        "problem 7: path /c/{x has a variable that is only a part of its segment; {name} must be all of it\n"
        "problem 8: path /d{x} has a variable that is only a part of its segment; {name} must be all of it\n"
        "problem 9: path /e/{x+}/y has a greedy variable that is not last\n"
        "problem 10: path /g/{} has a variable without a name\n"
        "problem 11: path /h h has a character that is not one of a-z A-Z 0-9 . _ - :\n"
        "problem 12: path /i/ has a slash at its end; leave it out\n");
}

static void test_same_route_twice(void **state)
{
    expect(state,
           "      A: {Type: Api, Properties: {Path: /x, Method: get}},\n"
           "      B: {Type: Api, Properties: {Path: /x/, Method: GET}},\n"
           "      C: {Type: Api, Properties: {Path: /x, Method: post}}\n",
           NULL, "problem 6: API method \"get\" defined multiple times for path \"/x\".\n");
    expect(
        state, "      A: {Type: HttpApi},\n      B: {Type: HttpApi}\n", NULL,
        "problem 6: API method \"x-amazon-apigateway-any-method\" defined multiple times for path \"$default\".\n");
}

static void test_sibling_variables(void **state)
{
    expect(
        state,
        "      A: {Type: Api, Properties: {Path: \"/pets/{id}\", Method: get}},\n"
        "      B: {Type: Api, Properties: {Path: \"/pets/{name}/toys\", Method: get}}\n",
        NULL,
        "problem 6: path /pets/{name}/toys: A sibling ({id}) of this resource already has a variable path part -- only "
        "one is allowed\n");
    expect(state,
           "      A: {Type: Api, Properties: {Path: \"/{proxy+}\", Method: get}},\n"
           "      B: {Type: Api, Properties: {Path: \"/pets/{id}\", Method: get}},\n"
           "      C: {Type: Api, Properties: {Path: \"/toys/{name}\", Method: get}},\n"
           "      D: {Type: HttpApi, Properties: {Path: \"/pets/{id}\", Method: get}},\n"
           "      E: {Type: HttpApi, Properties: {Path: \"/pets/{name}/x\", Method: get}}\n",
           "problem", "");
}

static void test_other_events(void **state)
{
    expect(
        state,
        "      A: {Type: SQS, Properties: {Queue: q}},\n"
        "      B: {Type: Schedule, Properties: {Schedule: rate(1 day)}},\n"
        "      C: {Type: Owl, Properties: {}}\n",
        "later unknown api",
        "later 5: F: event A (SQS)\nlater 6: F: event B (Schedule)\nunknown 7: F: event C: unknown event type Owl\n");
    expect(
        state, "      A: {Type: Kinesis, Properties: {Stream: q}}\n", NULL,
        "problem 5: Resource with id [F] is invalid. Event with id [FA] is invalid. Missing required property "
        "'StartingPosition'.\n");
}

static void test_api_that_is_not_here(void **state)
{
    expect(
        state, "      A: {Type: Api, Properties: {RestApiId: abc123, Path: /x, Method: get}}\n",
        "api warning",
        "warning 5: F: event A: RestApiId abc123 is no API of this template; no route is made\n");
}

static void test_stage_name_is_required(void **state)
{
    case_expect(
        *state, "Resources:\n  Api:\n    Type: AWS::Serverless::Api\n", NULL,
        "problem 2: Resource with id [Api] is invalid. Missing required property 'StageName'.\n");
    case_expect(
        *state,
        "Resources:\n  Api:\n    Type: AWS::Serverless::Api\n    Properties:\n      StageName: $default\n",
        NULL, "problem 5: Api: StageName must be letters, digits, hyphens and underscores\n");
}

static void test_stage_settings(void **state)
{
    case_expect(
        *state,
        "Resources:\n"
        "  Api:\n"
        "    Type: AWS::Serverless::Api\n"
        "    Properties:\n"
        "      StageName: v1\n"
        "      BinaryMediaTypes: [\"*~1*\", image/png]\n"
        "      DisableExecuteApiEndpoint: true\n"
        "      AccessLogSetting: {DestinationArn: x, Format: \"$context.requestId\"}\n"
        "      MethodSettings:\n"
        "        - {ResourcePath: \"/*\", HttpMethod: \"*\", ThrottlingRateLimit: 2.5, ThrottlingBurstLimit: 4}\n"
        "        - {ResourcePath: /x, HttpMethod: GET, ThrottlingRateLimit: 1}\n"
        "      GatewayResponses:\n"
        "        DEFAULT_4XX: {StatusCode: 418, ResponseParameters: {Headers: {X: \"'y'\"}}, ResponseTemplates: {a/b: c}}\n",
        NULL,
        "api REST Api Api binary=*/* binary=image/png disabled\n"
        "stage Api v1 log=$context.requestId rate=2.5 burst=4\n"
        "response DEFAULT_4XX 418 gatewayresponse.header.X='y' a/b=c\n"
        "later 11: Api: MethodSettings: throttling of single methods (GET /x)\n");
}

#define CORS_API "  Api: {Type: AWS::Serverless::Api, Properties: {StageName: v1, Cors: "
#define ON_API(name, path, method) \
    "      " name ": {Type: Api, Properties: {RestApiId: !Ref Api, Path: " path \
    ", Method: " method "}}"
#define ORIGIN "method.response.header.Access-Control-Allow-Origin="
#define METHODS "method.response.header.Access-Control-Allow-Methods="

static void test_cors(void **state)
{
    expect_more(state,
                ON_API("A", "/a", "post") ",\n" ON_API("B", "/a", "get") ",\n" ON_API(
                    "C", "/any", "any") ",\n" ON_API("D", "/own", "options") "\n",
                CORS_API "\"'*'\"}}\n", "route mock problem",
                "route Api POST /a -> proxy F\n"
                "route Api GET /a -> proxy F\n"
                "route Api ANY /any -> proxy F\n"
                "route Api OPTIONS /own -> proxy F\n"
                "route Api OPTIONS /a -> mock\n"
                "mock OPTIONS /a [] 200 " ORIGIN "'*' " METHODS "'GET,OPTIONS,POST'\n"
                "route Api OPTIONS /any -> mock\n"
                "mock OPTIONS /any [] 200 " ORIGIN "'*' " METHODS
                "'DELETE,GET,HEAD,OPTIONS,PATCH,POST,PUT'\n");
}

static void test_cors_settings(void **state)
{
    expect_more(
        state, ON_API("A", "/a", "get") "\n",
        CORS_API
        "{AllowOrigin: \"'https://x'\", AllowMethods: \"'GET'\", AllowHeaders: \"'X-A'\", MaxAge: 600, "
        "AllowCredentials: true}}}\n",
        "mock problem",
        "mock OPTIONS /a [] 200 " ORIGIN
        "'https://x' method.response.header.Access-Control-Allow-Headers='X-A' " METHODS
        "'GET' method.response.header.Access-Control-Max-Age='600' "
        "method.response.header.Access-Control-Allow-Credentials='true'\n");
    expect_more(
        state, ON_API("A", "/a", "get") "\n", CORS_API "{AllowCredentials: true}}}\n", NULL,
        "problem 7: Resource with id [Api] is invalid. Unable to add Cors configuration because 'AllowCredentials' can "
        "not be true when 'AllowOrigin' is \"'*'\" or not set\n");
    expect_more(state, ON_API("A", "/a", "get") "\n", CORS_API "\"*\"}}\n", NULL,
                "problem 7: Api: Cors must stand in single quotes inside of its text: \"'*'\"\n");
}

static void test_preflight_template(void **state)
{
    struct transform_case *c = *state;
    const struct hg_integ_model *mock;

    case_load(c, "Globals: {Api: {Cors: \"'*'\"}}\n" F_HEAD
                 "      A: {Type: Api, Properties: {Path: /, Method: get}}\n" F_TAIL);
    assert_non_null(c->stack);
    mock = c->stack->apis[0].routes[1].integration;
    assert_int_equal(mock->type, HG_INTEG_MOCK);
    assert_str(mock->request_templates.items[0].key, "application/json");
    assert_str(mock->request_templates.items[0].value, "{\n  \"statusCode\" : 200\n}\n");
    assert_str(mock->responses[0].selection_pattern, "");
    assert_str(mock->responses[0].templates.items[0].value, "{}\n");
}

#define AUTH_API(auth) \
    "  Api: {Type: AWS::Serverless::Api, Properties: {StageName: v1, Auth: " auth "}}\n"
#define AUTH_EVENT(name, path, auth) \
    "      " name ": {Type: Api, Properties: {RestApiId: !Ref Api, Path: " path \
    ", Method: get, Auth: " auth "}}"

static void test_auth(void **state)
{
    expect_more(
        state,
        ON_API("A", "/default", "get") ",\n" AUTH_EVENT("B", "/none", "{Authorizer: NONE}") ",\n" AUTH_EVENT(
            "C", "/iam", "{Authorizer: AWS_IAM}") ",\n" AUTH_EVENT("D", "/pool",
                                                                   "{Authorizer: Pool}") "\n",
        AUTH_API(
            "{DefaultAuthorizer: Fn, Authorizers: {Fn: {FunctionArn: !GetAtt F.Arn}, Pool: {UserPoolArn: x}}}"),
        "route later",
        "route Api GET /default -> proxy F CUSTOM 501\n"
        "route Api GET /none -> proxy F\n"
        "route Api GET /iam -> proxy F AWS_IAM 501\n"
        "route Api GET /pool -> proxy F COGNITO_USER_POOLS 501\n"
        "later 5: GET /default needs the authorizer Fn, which is not served yet; the route answers 501\n"
        "later 7: GET /iam needs AWS_IAM authorization, which is not served yet; the route answers 501\n"
        "later 8: GET /pool needs the authorizer Pool, which is not served yet; the route answers 501\n");
}

static void test_auth_sentence(void **state)
{
    struct transform_case *c = *state;

    case_load(c, F_HEAD AUTH_EVENT("A", "/x", "{Authorizer: Fn}")
                     F_TAIL AUTH_API("{Authorizers: {Fn: {FunctionArn: x}}}"));
    assert_non_null(c->stack);
    assert_str(c->stack->apis[0].routes[0].integration->unsupported,
               "GET /x needs the authorizer Fn, which is not served yet");
}

static void test_api_keys(void **state)
{
    expect_more(
        state, ON_API("A", "/a", "get") ",\n" AUTH_EVENT("B", "/b", "{ApiKeyRequired: false}") "\n",
        AUTH_API("{ApiKeyRequired: true}"), "route problem",
        "route Api GET /a -> proxy F key 501\nroute Api GET /b -> proxy F\n");
    expect_more(
        state, AUTH_EVENT("B", "/b", "{ApiKeyRequired: false}") "\n", AUTH_API("{}"), NULL,
        "problem 5: Resource with id [F] is invalid. Event with id [FB] is invalid. Unable to set ApiKeyRequired [False] "
        "on API method [GET] for path [/b] because the related API does not specify any ApiKeyRequired.\n");
}

static void test_auth_mistakes(void **state)
{
#define INVALID(id) "Resource with id [F] is invalid. Event with id [F" id "] is invalid. "
    expect_more(
        state,
        AUTH_EVENT("A", "/a", "{Authorizer: NONE}") ",\n" AUTH_EVENT("B", "/b",
                                                                     "{Authorizer: X}") "\n",
        AUTH_API("{}"), NULL,
        "problem 5: " INVALID(
            "A") "Unable to set Authorizer on API method [GET] for path [/a] because 'NONE' is only a "
                 "valid value when a DefaultAuthorizer on the API is specified.\n"
                 "problem 6: " INVALID(
                     "B") "Unable to set Authorizer [X] on API method [GET] for path [/b] because the related "
                          "API does not define any Authorizers.\n");
    expect_more(
        state, AUTH_EVENT("B", "/b", "{Authorizer: X}") "\n",
        AUTH_API("{Authorizers: {Y: {UserPoolArn: x}}}"), NULL,
        "problem 5: " INVALID(
            "B") "Unable to set Authorizer [X] on API method [GET] for path [/b] because it wasn't "
                 "defined in the API's Authorizers.\n");
    expect(
        state,
        "      H: {Type: HttpApi, Properties: {Path: /h, Method: get, Auth: {AuthorizationScopes: [a]}}}\n",
        NULL,
        "problem 5: " INVALID(
            "H") "'Auth' section requires either an explicit 'Authorizer' set or a 'DefaultAuthorizer' "
                 "configured on the HttpApi.\n");
}

static void test_http_api_cors(void **state)
{
    struct transform_case *c = *state;
    const struct hg_cors *cors;

    case_load(
        c,
        "Resources:\n  H:\n    Type: AWS::Serverless::HttpApi\n    Properties:\n"
        "      CorsConfiguration: {AllowOrigins: [\"https://a\", \"https://b\"], AllowMethods: [GET], AllowHeaders: [x],\n"
        "        ExposeHeaders: [y], MaxAge: 5, AllowCredentials: true}\n");
    assert_non_null(c->stack);
    cors = &c->stack->apis[0].cors;
    assert_true(cors->is_set);
    assert_int_equal(cors->allow_origin_count, 2);
    assert_str(cors->allow_origins[1], "https://b");
    assert_str(cors->allow_methods[0], "GET");
    assert_str(cors->allow_headers[0], "x");
    assert_str(cors->expose_headers[0], "y");
    assert_int_equal(cors->max_age, 5);
    assert_true(cors->allow_credentials);
}

static void test_alias_is_what_events_call(void **state)
{
    case_expect(
        *state,
        "Resources:\n  F:\n    Type: AWS::Serverless::Function\n"
        "    Properties: {InlineCode: x, Runtime: python3.12, Handler: index.h, AutoPublishAlias: live,\n"
        "      Events: {A: {Type: Api, Properties: {Path: /a, Method: get}}}}\n",
        "alias route", "alias F:live -> 1\nroute ServerlessRestApi GET /a -> proxy F:live\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_implicit_apis),
        cmocka_unit_test(test_invocation_type),
        cmocka_unit_test(test_no_event_no_api),
        cmocka_unit_test(test_integration_of_an_event),
        cmocka_unit_test(test_explicit_apis),
        cmocka_unit_test(test_event_mistakes),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_same_route_twice),
        cmocka_unit_test(test_sibling_variables),
        cmocka_unit_test(test_other_events),
        cmocka_unit_test(test_api_that_is_not_here),
        cmocka_unit_test(test_stage_name_is_required),
        cmocka_unit_test(test_stage_settings),
        cmocka_unit_test(test_cors),
        cmocka_unit_test(test_cors_settings),
        cmocka_unit_test(test_preflight_template),
        cmocka_unit_test(test_auth),
        cmocka_unit_test(test_auth_sentence),
        cmocka_unit_test(test_api_keys),
        cmocka_unit_test(test_auth_mistakes),
        cmocka_unit_test(test_http_api_cors),
        cmocka_unit_test(test_alias_is_what_events_call),
    };

    return cmocka_run_group_tests(tests, case_setup, case_teardown);
}
