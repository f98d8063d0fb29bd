"""Node functions: module kinds, handler forms, context, logging, errors."""

import base64
import re

import pytest

COMMON_JS = """
exports.async = async (event, context) => ({got: event, name: context.functionName});
exports.callback = (event, context, callback) => { setTimeout(() => callback(null, {cb: event.a}), 5); };
exports.callbackError = (event, context, callback) => { callback(new TypeError("called back")); };
exports.callbackString = (event, context, callback) => { callback("just text"); };
exports.notWaiting = (event, context, callback) => {
    context.callbackWaitsForEmptyEventLoop = false;
    setInterval(() => {}, 1000);
    callback(null, "at once");
};
exports.undefinedResult = async () => {};
exports.throws = async () => { throw new RangeError("out of range"); };
exports.throwsString = async () => { throw "words"; };
exports.never = () => new Promise(() => {});
exports.uncaught = () => new Promise(() => { setTimeout(() => { throw new Error("late"); }, 5); });
exports.rejected = () => new Promise(() => { Promise.reject(new Error("nobody listens")); });
exports.exits = () => { process.exit(7); };
exports.context = async (event, context) => ({
    functionName: context.functionName, functionVersion: context.functionVersion,
    invokedFunctionArn: context.invokedFunctionArn, memoryLimitInMB: context.memoryLimitInMB,
    awsRequestId: context.awsRequestId, logGroupName: context.logGroupName, logStreamName: context.logStreamName,
    remaining: context.getRemainingTimeInMillis(), clientContext: context.clientContext,
    done: typeof context.done, succeed: typeof context.succeed, fail: typeof context.fail});
exports.log = async () => { console.log("hello %s", "log"); console.error("bad"); console.warn({a: 1}); return 1; };
exports.env = async () => process.env;
exports.require = async () => require("dep").value;
exports.circular = async () => { const a = {}; a.a = a; return a; };
exports.nested = {deeper: async () => "nested"};
"""
FUNCTIONS = {
    "Async": "index.async", "Callback": "index.callback", "CallbackError": "index.callbackError",
    "CallbackString": "index.callbackString", "NotWaiting": "index.notWaiting", "Undefined": "index.undefinedResult",
    "Throws": "index.throws", "ThrowsString": "index.throwsString", "Never": "index.never",
    "Uncaught": "index.uncaught", "Rejected": "index.rejected", "Exits": "index.exits", "Context": "index.context",
    "Log": "index.log", "Env": "index.env", "Require": "index.require", "Circular": "index.circular",
    "Nested": "index.nested.deeper", "Esm": "esm.handler", "TopLevel": "toplevel.handler", "Folder": "lib/deep.handler",
    "NoModule": "absent.handler", "NoHandler": "index.absent", "BadName": "index", "Syntax": "syntax.handler",
    "MissingImport": "missing.handler"}


@pytest.fixture(scope="module")
def server(serve_module):
    project = serve_module.project()
    project.file("src/index.js", COMMON_JS)
    project.file("src/esm.mjs", "import {value} from 'dep';\nexport const handler = async () => 'esm ' + value;\n")
    project.file("src/toplevel.mjs", "const value = await Promise.resolve(42);\nexport const handler = async () => value;\n")
    project.file("src/lib/deep.js", "exports.handler = async () => 'deep';\n")
    project.file("src/syntax.js", "exports.handler = async () => { let = = 3 };\n")
    project.file("src/missing.js", "require('no-such-package');\nexports.handler = async () => 1;\n")
    project.file("src/node_modules/dep/package.json", '{"name": "dep", "main": "index.js"}')
    project.file("src/node_modules/dep/index.js", "exports.value = 'from node_modules';\n")
    lines = ["Resources:"]
    for name, handler in FUNCTIONS.items():
        lines += [f"  {name}:", "    Type: AWS::Serverless::Function", "    Properties:",
                  f"      Handler: {handler}", "      Runtime: nodejs20.x", "      CodeUri: src", "      Timeout: 5",
                  "      MemorySize: 256", "      Environment: {Variables: {GREETING: hello}}"]
    return serve_module(project.template("\n".join(lines) + "\n"))


@pytest.mark.parametrize("function, payload, expected", [
    ("Async", b'{"a":1}', {"got": {"a": 1}, "name": "Async"}),
    ("Callback", b'{"a":"x"}', {"cb": "x"}),
    ("NotWaiting", b"{}", "at once"),
    ("Undefined", b"{}", None),
    ("Esm", b"{}", "esm from node_modules"),
    ("TopLevel", b"{}", 42),
    ("Require", b"{}", "from node_modules"),
    ("Folder", b"{}", "deep"),
    ("Nested", b"{}", "nested"),
])
def test_handler_forms(server, function, payload, expected):
    for _ in range(2):
        answer = server.invoke(function, payload)
        assert answer.header("x-amz-function-error") is None, answer.text
        assert answer.json() == expected


def test_context(server):
    client_context = base64.b64encode(b'{"custom":{"k":"v"}}').decode()
    answer = server.invoke("Context", headers={"X-Amz-Client-Context": client_context})
    seen = answer.json()
    assert seen["functionName"] == "Context"
    assert seen["functionVersion"] == "$LATEST"
    assert seen["invokedFunctionArn"] == "arn:aws:lambda:us-east-1:000000000000:function:Context"
    assert seen["memoryLimitInMB"] == "256"
    assert seen["awsRequestId"] == answer.header("x-amzn-requestid")
    assert seen["logGroupName"] == "/aws/lambda/Context"
    assert 3000 < seen["remaining"] <= 5000
    assert seen["clientContext"] == {"custom": {"k": "v"}}
    assert (seen["done"], seen["succeed"], seen["fail"]) == ("function", "function", "function")


def test_environment(server):
    env = server.invoke("Env").json()
    assert env["GREETING"] == "hello"
    assert env["_HANDLER"] == "index.env"
    assert env["AWS_EXECUTION_ENV"].startswith("AWS_Lambda_nodejs")
    assert env["TZ"] == ":UTC"


@pytest.mark.parametrize("function, error_type, message", [
    ("Throws", "RangeError", "out of range"),
    ("CallbackError", "TypeError", "called back"),
    ("ThrowsString", "string", "words"),
    ("CallbackString", "string", "just text"),
    ("NoModule", "Runtime.ImportModuleError", r"Error: Cannot find module 'absent'[\s\S]*"),
    ("MissingImport", "Runtime.ImportModuleError", r"Error: Cannot find module 'no-such-package'[\s\S]*"),
    ("NoHandler", "Runtime.HandlerNotFound", r"index\.absent is (undefined or not exported|not a function)"),
    ("BadName", "Runtime.MalformedHandlerName", r"Bad handler[\s\S]*"),
    ("Syntax", "Runtime.UserCodeSyntaxError", r"SyntaxError: [\s\S]*"),
])
def test_errors(server, function, error_type, message):
    for _ in range(2):
        answer = server.invoke(function)
        assert answer.status == 200
        assert answer.header("x-amz-function-error") == "Unhandled"
        error = answer.json()
        assert error["errorType"] == error_type
        assert re.fullmatch(message, error["errorMessage"]), error["errorMessage"]
        assert isinstance(error["trace"], list)


def test_stack_of_an_error(server):
    error = server.invoke("Throws").json()
    assert error["trace"][0] == "RangeError: out of range"
    assert any("index.js" in line for line in error["trace"])


@pytest.mark.parametrize("function, error_types", [
    ("Never", {"Runtime.NodeJsExit", "Runtime.ExitError"}),
    ("Uncaught", {"Error", "Runtime.ExitError"}),
    ("Rejected", {"Runtime.UnhandledPromiseRejection", "Runtime.ExitError"}),
    ("Exits", {"Runtime.ExitError"}),
    ("Circular", {"Error", "TypeError", "Runtime.MarshalError"}),
])
def test_handlers_that_end_the_process(server, function, error_types):
    for _ in range(2):
        answer = server.invoke(function)
        assert answer.header("x-amz-function-error") == "Unhandled"
        assert answer.json()["errorType"] in error_types


def test_log_lines(server):
    server.invoke("Log")
    answer = server.invoke("Log", headers={"X-Amz-Log-Type": "Tail"})
    request_id = answer.header("x-amzn-requestid")
    tail = base64.b64decode(answer.header("x-amz-log-result")).decode()
    assert re.search(rf"\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{{3}}Z\t{request_id}\tINFO\thello log\n", tail)
    assert re.search(rf"Z\t{request_id}\tERROR\tbad\n", tail)
    assert re.search(rf"Z\t{request_id}\tWARN\t\{{ a: 1 \}}\n", tail)


def test_uncaught_error_is_logged(server):
    answer = server.invoke("Throws", headers={"X-Amz-Log-Type": "Tail"})
    tail = base64.b64decode(answer.header("x-amz-log-result")).decode()
    assert re.search(r"\tERROR\tInvoke Error \t\{\"errorType\":\"RangeError\",\"errorMessage\":\"out of range\"", tail)


def test_es_module_by_package_json(serve, project):
    project.file("src/package.json", '{"type": "module"}')
    project.file("src/index.js", "export const handler = async (event) => ({kind: 'module', x: event.x});\n")
    server = serve(project.template("""
        Resources:
          F: {Type: AWS::Serverless::Function, Properties: {Handler: index.handler, Runtime: nodejs22.x, CodeUri: src}}
        """))
    assert server.invoke("F", b'{"x":2}').json() == {"kind": "module", "x": 2}
