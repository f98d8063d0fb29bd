"""The Node.js bootstrap: protocol and semantics of the managed runtime."""

import json
import re

import pytest

from harness import ARN, REQUEST_ID

ECHO = "exports.handler = async (event) => event;\n"
NODE24 = {"AWS_EXECUTION_ENV": "AWS_Lambda_nodejs24.x"}
STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


def test_echoes_over_both_transports(start_node, transport):
    runtime = start_node(ECHO, transport=transport)
    for payload in ({"a": [1, 2.5, None, True, "é😀"]}, "text", 7, None):
        outcome = runtime.invoke(payload)
        assert (outcome.kind, outcome.request_id) == ("response", REQUEST_ID)
        assert outcome.json == payload
        assert outcome.headers["content-type"] == "application/json"


def test_response_and_next_are_one_write(start_node):
    runtime = start_node(ECHO, transport="packets")
    for _ in range(3):
        runtime.invoke({"x": 1})
    runtime.wait_until_idle(4)
    assert len(runtime.writes) == 4
    assert runtime.writes[1].startswith(b"POST /2018-06-01/runtime/invocation/" + REQUEST_ID.encode())
    assert runtime.writes[1].endswith(b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: runtime\r\n\r\n")


def test_large_events_and_results(start_node, transport):
    runtime = start_node(ECHO, transport=transport)
    payload = {"text": "é" * 1500000}
    assert runtime.invoke(payload).json == payload
    assert runtime.invoke({"small": 1}).json == {"small": 1}


def test_environment_does_not_show_the_plumbing(start_node):
    source = (
        "const { execFileSync } = require('child_process');\n"
        "exports.handler = async () => [\n"
        "  Object.keys(process.env).filter((key) => key.includes('HEADGATE')),\n"
        "  execFileSync('ls', ['/proc/self/fd']).toString().split('\\n').filter(Boolean)];\n"
    )
    runtime = start_node(source, env={"HEADGATE_OPT_DIR": "/nowhere"})
    names, descriptors = runtime.invoke().json
    assert names == []
    assert descriptors == ["0", "1", "2", "3"]  # 3 is the folder that ls reads


@pytest.mark.parametrize(
    "files, handler, expected",
    [
        ({"app.js": "exports.handler = async () => 'cjs';"}, "app.handler", "cjs"),
        ({"app.cjs": "exports.handler = async () => '.cjs';"}, "app.handler", ".cjs"),
        ({"app.mjs": "export const handler = async () => '.mjs';"}, "app.handler", ".mjs"),
        (
            {"app.js": "export const handler = async () => 'esm';", "package.json": '{"type": "module"}'},
            "app.handler",
            "esm",
        ),
        ({"app.mjs": "const v = await Promise.resolve(5);\nexport const handler = async () => v;"}, "app.handler", 5),
        ({"a/b/app.js": "exports.handler = async () => 'deep';"}, "a/b/app.handler", "deep"),
        ({"app.js": "exports.one = { two: async () => 'nested' };"}, "app.one.two", "nested"),
        ({"with space#%.mjs": "export const h = async () => 'odd';"}, "with space#%.h", "odd"),
        ({"node_modules/mod/index.js": "exports.h = async () => 'dependency';"}, "mod.h", "dependency"),
        ({"other/mod.js": "exports.h = async () => 'path';"}, "mod.h", "path"),
    ],
)
def test_handler_forms(start_node, tmp_path, files, handler, expected):
    runtime = start_node(files, handler=handler, env={"NODE_PATH": str(tmp_path / "other")})
    assert runtime.invoke().json == expected


@pytest.mark.parametrize(
    "source, expected",
    [
        ("async () => undefined", "null"),
        ("async () => () => 1", "null"),
        ("(e, c, cb) => cb(null, 'called')", '"called"'),
        ("(e, c, cb) => { setTimeout(() => cb(undefined, e), 2); }", '{"in":1}'),
        ("(e, c, cb) => { cb(null, 'first'); cb(null, 'second'); c.succeed('third'); }", '"first"'),
        ("(e, c) => c.succeed('succeed')", '"succeed"'),
        ("(e, c) => c.done(null, 'done')", '"done"'),
        ("(e, c, cb) => { c.callbackWaitsForEmptyEventLoop = false; setInterval(() => 0, 1e6); cb(null, 1); }", "1"),
        ("() => ({ thrown: 'away' })", "null"),
        ("() => {}", "null"),
        ("() => ({ then: (resolve) => resolve('thenable') })", '"thenable"'),
    ],
)
def test_ways_to_answer(start_node, source, expected):
    runtime = start_node("exports.handler = %s;\n" % source)
    for _ in range(2):
        outcome = runtime.invoke({"in": 1})
        assert (outcome.kind, outcome.body.decode()) == ("response", expected)


def test_callback_waits_for_the_empty_event_loop(start_node):
    source = (
        "exports.handler = (e, context, callback) => {\n"
        "  setTimeout(() => console.log('late'), 50);\n  callback(null, 'result');\n};\n"
    )
    runtime = start_node(source)
    assert runtime.invoke().json == "result"
    assert runtime.log(containing="late").endswith("\tlate\n")


def test_module_state_is_kept(start_node):
    runtime = start_node("let n = 0;\nexports.handler = async () => ++n;\n")
    assert [runtime.invoke().json for _ in range(3)] == [1, 2, 3]


def test_context(start_node):
    source = (
        "exports.handler = async (event, context) => ({ ...context,\n"
        "  left: context.getRemainingTimeInMillis(), kinds: ['succeed', 'fail', 'done'].map((k) => typeof context[k]) });\n"
    )
    runtime = start_node(source)
    shown = runtime.invoke().json
    assert 0 < shown.pop("left") <= 30000
    assert shown == {
        "callbackWaitsForEmptyEventLoop": True,
        "functionVersion": "$LATEST",
        "functionName": "hello",
        "memoryLimitInMB": "128",
        "logGroupName": "/aws/lambda/hello",
        "logStreamName": "2026/01/02/[$LATEST]0123456789abcdef0123456789abcdef",
        "invokedFunctionArn": ARN,
        "awsRequestId": REQUEST_ID,
        "kinds": ["function", "function", "function"],
    }
    shown = runtime.invoke(
        Lambda_Runtime_Client_Context='{"client":{"app_title":"Tïtle"},"custom":{"a":1}}',
        Lambda_Runtime_Cognito_Identity='{"cognitoIdentityId":"id","cognitoIdentityPoolId":"pool"}',
        Lambda_Runtime_Aws_Tenant_Id="blue",
    ).json
    assert shown["clientContext"] == {"client": {"app_title": "Tïtle"}, "custom": {"a": 1}}
    assert shown["identity"] == {"cognitoIdentityId": "id", "cognitoIdentityPoolId": "pool"}
    assert shown["tenantId"] == "blue"


def test_trace_id_follows_the_invocation(start_node):
    runtime = start_node("exports.handler = async () => process.env._X_AMZN_TRACE_ID || null;\n")
    assert runtime.invoke(Lambda_Runtime_Trace_Id="Root=1-a;Sampled=1").json == "Root=1-a;Sampled=1"
    assert runtime.invoke().json is None


def test_error(start_node, tmp_path):
    runtime = start_node({"app.mjs": "export const handler = async () => {\n  throw new TypeError('boom');\n};\n"})
    outcome = runtime.invoke()
    assert outcome.kind == "error"
    assert list(outcome.json) == ["errorType", "errorMessage", "trace"]
    assert (outcome.json["errorType"], outcome.json["errorMessage"]) == ("TypeError", "boom")
    assert outcome.json["trace"][:2] == [
        "TypeError: boom",
        "    at Runtime.handler (file://%s:2:9)" % (tmp_path / "app.mjs"),
    ]
    assert outcome.headers["lambda-runtime-function-error-type"] == "TypeError"
    line = runtime.log(containing="boom")
    match = re.fullmatch(STAMP + r"\t%s\tERROR\tInvoke Error \t(\{.*\})\n" % REQUEST_ID, line)
    logged = json.loads(match.group(1))
    assert (logged["errorType"], logged["errorMessage"]) == ("TypeError", "boom")
    assert logged["stack"] == outcome.json["trace"]
    assert runtime.invoke().kind == "error"  # and it lives on


@pytest.mark.parametrize(
    "source, expected",
    [
        ("async () => { throw 'plain'; }", {"errorType": "string", "errorMessage": "plain", "trace": []}),
        ("(e, c, cb) => cb('plain')", {"errorType": "string", "errorMessage": "plain", "trace": []}),
        ("(e, c) => c.fail()", {"errorType": "string", "errorMessage": "handled", "trace": []}),
        ("async () => { throw undefined; }", {"errorType": "string", "errorMessage": "handled", "trace": []}),
        ("() => { throw 42; }", {"errorType": "number", "errorMessage": "42", "trace": []}),
    ],
)
def test_thrown_values(start_node, source, expected):
    runtime = start_node("exports.handler = %s;\n" % source)
    outcome = runtime.invoke()
    assert (outcome.kind, outcome.json) == ("error", expected)


@pytest.mark.parametrize("value", ["const a = {}; a.a = a; return a;", "return 1n;"])
def test_results_without_json(start_node, value):
    runtime = start_node("exports.handler = async () => { %s };\n" % value)
    body = runtime.invoke().json
    assert (body["errorType"], body["errorMessage"]) == ("Error", "Unable to stringify response body")


def test_invalid_event(start_node):
    runtime = start_node(ECHO)
    assert runtime.invoke(b"{").json["errorType"] == "SyntaxError"
    assert runtime.invoke({"a": 1}).json == {"a": 1}


@pytest.mark.parametrize(
    "files, handler, error_type, message",
    [
        ({}, "app.handler", "Runtime.ImportModuleError", r"Error: Cannot find module 'app'\nRequire stack:\n[\s\S]*"),
        (
            {"app.js": "require('nonesuch');"},
            "app.handler",
            "Runtime.ImportModuleError",
            r"Error: Cannot find module 'nonesuch'\nRequire stack:\n[\s\S]*",
        ),
        ({"app.js": ""}, "app.foo", "Runtime.HandlerNotFound", "app.foo is undefined or not exported"),
        ({"app.js": "exports.foo = 1;"}, "app.foo", "Runtime.HandlerNotFound", "app.foo is not a function"),
        ({"app.js": ""}, "app", "Runtime.MalformedHandlerName", "Bad handler"),
        (
            {"app.js": ""},
            "../app.handler",
            "Runtime.MalformedHandlerName",
            r"'\.\./app\.handler' is not a valid handler name\. Use absolute paths .*",
        ),
        ({"app.js": "let = = 3;"}, "app.handler", "Runtime.UserCodeSyntaxError", "SyntaxError: Unexpected token '='"),
        ({"app.mjs": "let = = 3;"}, "app.handler", "Runtime.UserCodeSyntaxError", "SyntaxError: .*"),
        ({"app.js": "throw new RangeError('early');"}, "app.handler", "RangeError", "early"),
        ({"app.mjs": "import 'nonesuch';"}, "app.handler", "Error", "Cannot find package 'nonesuch' imported from .*"),
        ({"app.mjs": "await new Promise(() => {});"}, "app.handler", "Runtime.NodeJsExit", ".*never settled.*"),
    ],
)
def test_init_errors(start_node, files, handler, error_type, message, transport):
    runtime = start_node(files, handler=handler, transport=transport)
    outcome = runtime.outcome()
    assert outcome.kind == "init/error"
    assert outcome.json["errorType"] == error_type
    assert re.fullmatch(message, outcome.json["errorMessage"]), outcome.json
    assert outcome.json["trace"][0].startswith(error_type)
    assert outcome.headers["lambda-runtime-function-error-type"] == error_type
    assert runtime.exit_status() == (13 if error_type == "Runtime.NodeJsExit" else 129)
    assert re.match(STAMP + r"\tundefined\tERROR\tUncaught Exception \t\{", runtime.log())


def test_syntax_error_names_the_place(start_node, tmp_path):
    runtime = start_node("\nlet = = 3;\n")
    assert "%s:2" % (tmp_path / "app.js") in runtime.outcome().json["trace"]


@pytest.mark.parametrize(
    "source, error_type, status",
    [
        ("() => new Promise(() => { setTimeout(() => { throw new Error('late'); }, 2); })", "Error", 129),
        (
            "() => new Promise(() => { Promise.reject(new Error('nobody listens')); })",
            "Runtime.UnhandledPromiseRejection",
            128,
        ),
        ("() => new Promise(() => {})", "Runtime.NodeJsExit", 13),
    ],
)
def test_errors_that_end_the_process(start_node, source, error_type, status, transport):
    runtime = start_node("exports.handler = %s;\n" % source, transport=transport)
    outcome = runtime.invoke()
    assert (outcome.kind, outcome.json["errorType"]) == ("error", error_type)
    assert runtime.exit_status() == status
    assert b"next" not in runtime.writes[-1]


def test_rejection_message(start_node):
    runtime = start_node("exports.handler = () => new Promise(() => { Promise.reject(new Error('alone')); });\n")
    body = runtime.invoke().json
    assert body["errorMessage"] == "Error: alone"
    assert body["trace"][0] == "Runtime.UnhandledPromiseRejection: Error: alone"
    assert "\tERROR\tUnhandled Promise Rejection \t{" in runtime.log(containing="alone")


def test_rejection_beside_a_result(start_node):
    source = "exports.handler = async () => { Promise.reject(new Error('forgotten')); return 'result'; };\n"
    runtime = start_node(source)
    outcome = runtime.invoke()
    assert (outcome.kind, outcome.json) == ("response", "result")
    assert runtime.exit_status() == 128
    assert b"next" not in runtime.writes[-1]  # the next event must not come to a process that dies


def test_exit_in_handler(start_node):
    runtime = start_node("exports.handler = () => { console.log('bye'); process.exit(7); };\n")
    runtime.deliver()
    assert runtime.exit_status() == 7
    assert runtime.outcomes.empty()
    assert runtime.log().endswith("\tbye\n")


def test_text_logging(start_node):
    source = (
        "console.log('at init');\n"
        "exports.handler = async () => {\n"
        "  console.log('hello %s', 'log', { a: 1 });\n  console.trace('t'); console.debug('d'); console.info('i');\n"
        "  console.warn('two\\nlines'); console.error('e'); console.fatal('f');\n};\n"
    )
    runtime = start_node(source)
    runtime.invoke()
    lines = [line.split("\t") for line in runtime.log(containing="\tf\n").split("\n")[:-1]]
    assert all(re.fullmatch(STAMP, line[0]) for line in lines)
    assert [line[1:] for line in lines] == [["undefined", "INFO", "at init"]] + [
        [REQUEST_ID, level, text]
        for level, text in [
            ("INFO", "hello log { a: 1 }"),
            ("TRACE", "t"),
            ("DEBUG", "d"),
            ("INFO", "i"),
            ("WARN", "two\rlines"),
            ("ERROR", "e"),
            ("FATAL", "f"),
        ]
    ]


def test_json_logging(start_node):
    source = (
        "exports.handler = async () => {\n"
        "  console.debug('hidden'); console.info({ a: 1 }); console.warn('x', 2);\n"
        "  console.error(new RangeError('r')); console.error('failed', new RangeError('r'));\n"
        "  throw new TypeError('boom');\n};\n"
    )
    runtime = start_node(source, env={"AWS_LAMBDA_LOG_FORMAT": "JSON", "AWS_LAMBDA_LOG_LEVEL": "info"})
    runtime.invoke(Lambda_Runtime_Aws_Tenant_Id="blue")
    lines = [json.loads(line) for line in runtime.log(containing="boom").splitlines()]
    assert re.fullmatch(STAMP, lines[0].pop("timestamp"))
    assert lines[0] == {"level": "INFO", "requestId": REQUEST_ID, "tenantId": "blue", "message": {"a": 1}}
    assert (lines[1]["level"], lines[1]["message"]) == ("WARN", "x 2")
    assert lines[2]["message"]["errorType"] == "RangeError"
    assert (lines[3]["errorType"], lines[3]["errorMessage"]) == ("RangeError", "r")
    assert lines[3]["message"].startswith("failed RangeError: r")
    assert (lines[4]["level"], lines[4]["message"]["errorMessage"]) == ("ERROR", "boom")
    assert len(lines) == 5


def test_streaming_answers_clearly(start_node):
    source = "exports.handler = awslambda.streamifyResponse(async (event, stream) => stream.end('x'));\n"
    runtime = start_node(source)
    for _ in range(2):
        body = runtime.invoke().json
        assert body["errorType"] == "Runtime.InvalidStreamingOperation"
        assert body["errorMessage"].startswith("Response streaming is not available yet")


def test_node24_takes_plain_results(start_node):
    source = "exports.handler = (event, context) => ({ sync: true, done: typeof context.done });\n"
    runtime = start_node(source, env=NODE24)
    assert runtime.invoke().json == {"sync": True, "done": "undefined"}


def test_node24_refuses_callbacks(start_node):
    runtime = start_node("exports.handler = (event, context, callback) => callback(null, 1);\n", env=NODE24)
    outcome = runtime.outcome()
    assert (outcome.kind, outcome.json["errorType"]) == ("init/error", "Runtime.CallbackHandlerDeprecated")


def test_node24_finds_default_exports(start_node):
    files = {"app.mjs": "export default { handler: async () => 'default' };\n"}
    runtime = start_node(files, env=NODE24)
    assert runtime.invoke().json == "default"


def test_closing_the_connection_harms_one_invocation(start_node, tmp_path):
    source = (
        "const fs = require('fs');\nexports.handler = async () => {\n"
        "  for (let fd = 3; fd < 64; fd++) {\n"
        "    try { if (fs.readlinkSync('/proc/self/fd/' + fd).startsWith('socket:')) {\n"
        "      fs.closeSync(fd); fs.openSync('victim', 'w'); } } catch {}\n  }\n  return 1;\n};\n"
    )
    runtime = start_node(source)
    runtime.deliver()
    assert runtime.exit_status() == 1
    assert runtime.outcomes.empty()
    assert "closed the runtime's connection" in runtime.log("stderr")
    assert (tmp_path / "victim").read_bytes() == b""


def test_lives_on_after_413(start_node):
    runtime = start_node(ECHO)
    runtime.answers.put(413)
    runtime.invoke({"n": 1})
    assert runtime.invoke({"n": 2}).json == {"n": 2}


@pytest.mark.parametrize("status", [400, 403, 500])
def test_ends_when_refused(start_node, status):
    runtime = start_node(ECHO)
    runtime.answers.put(status)
    runtime.invoke()
    assert runtime.exit_status() == 1
    assert "refused a result with status %d" % status in runtime.log("stderr")


def test_ends_quietly_when_the_platform_closes(start_node, transport):
    runtime = start_node(ECHO, transport=transport)
    runtime.invoke()
    runtime.wait_until_idle(2)
    for connection in runtime._connections:
        connection.shutdown(2)
    runtime.events.put(None)
    assert runtime.exit_status() == 0
    assert runtime.log("stderr") == ""


def test_a_socket_that_does_not_block(start_node):
    runtime = start_node(ECHO, transport="nonblocking")
    for n in range(3):
        assert runtime.invoke({"n": n}).json == {"n": n}
    payload = {"text": "x" * 2000000}
    assert runtime.invoke(payload).json == payload
