"""Python functions: handler forms, context, environment, logging, errors."""

import base64
import json
import re

import pytest

HANDLERS_PY = '''
import json
import logging
import os
import sys
import time

logger = logging.getLogger()
logger.setLevel(logging.INFO)


def context_attributes(event, context):
    first = context.get_remaining_time_in_millis()
    time.sleep(0.05)
    second = context.get_remaining_time_in_millis()
    return {
        "function_name": context.function_name, "function_version": context.function_version,
        "invoked_function_arn": context.invoked_function_arn, "memory_limit_in_mb": context.memory_limit_in_mb,
        "aws_request_id": context.aws_request_id, "log_group_name": context.log_group_name,
        "log_stream_name": context.log_stream_name, "identity": str(context.identity.cognito_identity_id),
        "client_context": context.client_context and {
            "custom": context.client_context.custom, "env": context.client_context.env,
            "title": context.client_context.client and context.client_context.client.app_title},
        "remaining": [first, second]}


def environment(event, context):
    return dict(os.environ)


def place(event, context):
    return {"cwd": os.getcwd(), "path": sys.path, "root": os.environ["LAMBDA_TASK_ROOT"],
            "files": sorted(os.listdir(os.environ["LAMBDA_TASK_ROOT"])),
            "fds": sorted(int(fd) for fd in os.listdir("/proc/self/fd")), "pgid": os.getpgid(0), "pid": os.getpid(),
            "nofile": __import__("resource").getrlimit(__import__("resource").RLIMIT_NOFILE)[0],
            "no_new_privs": "NoNewPrivs:\\t1" in open("/proc/self/status").read(),
            "executable": sys.executable, "version": list(sys.version_info[:2])}


def log(event, context):
    print("printed")
    print("to stderr", file=sys.stderr)
    logger.info("informed")
    logger.debug("not shown")
    logging.getLogger("other").warning("warned %s", 7)
    return "done"


def echo(event, context):
    return event


def nothing(event, context):
    pass


def fail(event, context):
    raise ValueError("boom")


class Custom(Exception):
    pass


def fail_custom(event, context):
    raise Custom({"a": 1})


def unserialisable(event, context):
    return {"when": object()}


def raw_bytes(event, context):
    return b"\\x00\\xff"


def unicode_text(event, context):
    return "grün"


class Callable:
    def __call__(self, event, context):
        return "called"


instance = Callable()
'''
FUNCTIONS = {
    "Context": "handlers.context_attributes", "Environment": "handlers.environment", "Place": "handlers.place",
    "Log": "handlers.log", "Echo": "handlers.echo", "Nothing": "handlers.nothing", "Fail": "handlers.fail",
    "FailCustom": "handlers.fail_custom", "Unserialisable": "handlers.unserialisable", "Raw": "handlers.raw_bytes",
    "Unicode": "handlers.unicode_text", "Nested": "package/sub.handler", "Dotted": "package.sub.handler",
    "Instance": "handlers.instance", "NoModule": "absent.handler", "NoHandler": "handlers.absent",
    "BadName": "handlers", "Syntax": "syntax.handler", "ImportFails": "importfails.handler",
    "MissingImport": "missingimport.handler", "ImportExits": "importexits.handler"}


@pytest.fixture(scope="module")
def server(serve_module):
    project = serve_module.project()
    project.file("src/handlers.py", HANDLERS_PY)
    project.file("src/package/__init__.py", "")
    project.file("src/package/sub.py", "def handler(event, context):\n    return __name__\n")
    project.file("src/syntax.py", "import json\n\nx = =\n")
    project.file("src/importfails.py", "raise RuntimeError('at import')\n")
    project.file("src/missingimport.py", "import no_such_module\n")
    project.file("src/importexits.py", "import sys\nsys.exit(5)\n")
    lines = ["Resources:"]
    for name, handler in FUNCTIONS.items():
        lines += [f"  {name}:", "    Type: AWS::Serverless::Function", "    Properties:",
                  f"      Handler: {handler}", "      Runtime: python3.12", "      CodeUri: src", "      Timeout: 7",
                  "      MemorySize: 256",
                  "      Environment: {Variables: {GREETING: hello, NUMBER: 7, FLAG: true}}"]
    return serve_module(project.template("\n".join(lines) + "\n"))


def test_context(server):
    custom = base64.b64encode(json.dumps({"custom": {"k": "v"}, "env": {"locale": "de"},
                                          "client": {"app_title": "probe"}}).encode()).decode()
    answer = server.invoke("Context", headers={"X-Amz-Client-Context": custom})
    seen = answer.json()
    assert seen["function_name"] == "Context"
    assert seen["function_version"] == "$LATEST"
    assert seen["invoked_function_arn"] == "arn:aws:lambda:us-east-1:000000000000:function:Context"
    assert seen["memory_limit_in_mb"] == "256"
    assert seen["aws_request_id"] == answer.header("x-amzn-requestid")
    assert seen["log_group_name"] == "/aws/lambda/Context"
    assert seen["log_stream_name"]
    assert seen["identity"] == "None"
    assert seen["client_context"] == {"custom": {"k": "v"}, "env": {"locale": "de"}, "title": "probe"}
    first, second = seen["remaining"]
    assert 5000 < first <= 7000
    assert 40 <= first - second < 1000


def test_context_without_client_context(server):
    assert server.invoke("Context").json()["client_context"] is None


def test_environment_variables(server):
    env = server.invoke("Environment").json()
    expected = {
        "_HANDLER": "handlers.environment", "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_LAMBDA_FUNCTION_NAME": "Environment", "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256", "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/Environment", "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "TZ": ":UTC", "LANG": "en_US.UTF-8", "GREETING": "hello", "NUMBER": "7", "FLAG": "true"}
    assert {name: env.get(name) for name in expected} == expected
    assert env["AWS_EXECUTION_ENV"].startswith("AWS_Lambda_python3.")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_LAMBDA_LOG_STREAM_NAME", "LAMBDA_TASK_ROOT",
                 "LAMBDA_RUNTIME_DIR", "AWS_LAMBDA_RUNTIME_API", "PATH"):
        assert env.get(name), name
    assert re.match(r"Root=1-", env["_X_AMZN_TRACE_ID"])


def test_nothing_of_the_server_leaks_into_the_environment(serve, project):
    project.file("env.py", "import os\n\n\ndef handler(event, context):\n    return dict(os.environ)\n")
    server = serve(project.template("""
        Resources:
          F: {Type: AWS::Serverless::Function, Properties: {Handler: env.handler, Runtime: python3.12}}
        """), env={"SECRET_OF_THE_SERVER": "1"})
    env = server.invoke("F").json()
    assert "SECRET_OF_THE_SERVER" not in env
    assert "ASAN_OPTIONS" not in env
    assert "HOME" not in env or env["HOME"] != "/root"


def test_place(server):
    seen = server.invoke("Place").json()
    assert seen["cwd"] == seen["root"]
    assert "handlers.py" in seen["files"]
    assert seen["root"] in seen["path"]
    assert seen["no_new_privs"] is True
    assert seen["nofile"] == 1024
    assert seen["pgid"] == seen["pid"] or seen["pgid"] > 1
    # Standard streams, the Runtime API connection, and what listing the folder itself opens.
    assert len(seen["fds"]) <= 6


def test_payload_passes_unchanged(server):
    for payload in ({"a": [1, 2.5, None, True], "ü": "€\U0001F600"}, [], "text", 3, None):
        assert server.invoke("Echo", json.dumps(payload)).json() == payload


def test_empty_payload_is_an_empty_object(server):
    assert server.invoke("Echo", b"").json() == {}


def test_nothing_returned_is_null(server):
    assert server.invoke("Nothing").body == b"null"


def test_text_is_utf8_or_escaped(server):
    assert server.invoke("Unicode").json() == "grün"


def test_bytes_go_out_raw(server):
    assert server.invoke("Raw").body == b"\x00\xff"


@pytest.mark.parametrize("function, expected", [
    ("Nested", "package.sub"), ("Dotted", "package.sub"), ("Instance", "called")])
def test_handler_forms(server, function, expected):
    assert server.invoke(function).json() == expected


def test_exception(server):
    answer = server.invoke("Fail")
    assert answer.status == 200
    assert answer.header("x-amz-function-error") == "Unhandled"
    error = answer.json()
    assert list(error) == ["errorMessage", "errorType", "requestId", "stackTrace"]
    assert error["errorMessage"] == "boom"
    assert error["errorType"] == "ValueError"
    assert error["requestId"] == answer.header("x-amzn-requestid")
    assert len(error["stackTrace"]) == 1
    assert re.fullmatch(r'  File ".*/handlers\.py", line \d+, in fail\n    raise ValueError\("boom"\)\n',
                        error["stackTrace"][0])


def test_own_exception_class(server):
    error = server.invoke("FailCustom").json()
    assert (error["errorType"], error["errorMessage"]) == ("Custom", "{'a': 1}")


@pytest.mark.parametrize("function, error_type, message", [
    ("NoModule", "Runtime.ImportModuleError", r"Unable to import module 'absent': No module named 'absent'"),
    ("MissingImport", "Runtime.ImportModuleError",
     r"Unable to import module 'missingimport': No module named 'no_such_module'"),
    ("NoHandler", "Runtime.HandlerNotFound", r"Handler 'absent' missing on module 'handlers'"),
    ("BadName", "Runtime.MalformedHandlerName",
     r"Bad handler 'handlers': not enough values to unpack \(expected 2, got 1\)"),
    ("Syntax", "Runtime.UserCodeSyntaxError", r"Syntax error in module 'syntax': invalid syntax \(syntax\.py, line 3\)"),
    ("Unserialisable", "Runtime.MarshalError",
     r"Unable to marshal response: Object of type object is not JSON serializable"),
    ("ImportFails", "RuntimeError", "at import"),
])
def test_errors_of_the_runtime(server, function, error_type, message):
    for _ in range(2):
        answer = server.invoke(function)
        assert answer.status == 200
        assert answer.header("x-amz-function-error") == "Unhandled"
        error = answer.json()
        assert error["errorType"] == error_type
        assert re.fullmatch(message, error["errorMessage"]), error["errorMessage"]


def test_module_that_exits(server):
    answer = server.invoke("ImportExits")
    assert answer.header("x-amz-function-error") == "Unhandled"
    assert answer.json()["errorType"] == "Runtime.ExitError"
    assert "exit status 5" in answer.json()["errorMessage"]


def tail_of(answer):
    return base64.b64decode(answer.header("x-amz-log-result")).decode()


def test_log_lines(server):
    server.invoke("Log")
    answer = server.invoke("Log", headers={"X-Amz-Log-Type": "Tail"})
    request_id = answer.header("x-amzn-requestid")
    tail = tail_of(answer)
    assert tail.startswith(f"START RequestId: {request_id} Version: $LATEST\n")
    assert "\nprinted\n" in tail
    assert "to stderr\n" in tail
    assert re.search(rf"\[INFO\]\t\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{{3}}Z\t{request_id}\tinformed\n", tail)
    assert re.search(rf"\[WARNING\]\t\S+Z\t{request_id}\twarned 7\n", tail)
    assert "not shown" not in tail
    assert f"\nEND RequestId: {request_id}\n" in tail
    report = re.search(
        rf"REPORT RequestId: {request_id}\tDuration: (\d+\.\d\d) ms\tBilled Duration: (\d+) ms\t"
        r"Memory Size: 256 MB\tMax Memory Used: (\d+) MB\t\n", tail)
    assert report
    assert float(report[1]) <= int(report[2]) < float(report[1]) + 1
    assert 0 < int(report[3]) <= 256


def test_first_report_has_the_init_duration(serve, project):
    project.file("slow.py", "import time\ntime.sleep(0.3)\n\n\ndef handler(event, context):\n    return 1\n")
    server = serve(project.template("""
        Resources:
          F: {Type: AWS::Serverless::Function, Properties: {Handler: slow.handler, Runtime: python3.12}}
        """))
    first = tail_of(server.invoke("F", headers={"X-Amz-Log-Type": "Tail"}))
    report = re.search(r"Duration: ([\d.]+) ms\tBilled Duration: (\d+) ms\t.*\tInit Duration: ([\d.]+) ms\t\n", first)
    assert report, first
    assert 300 <= float(report[3]) < 5000
    assert float(report[1]) < 300
    total = float(report[1]) + float(report[3])
    assert total <= int(report[2]) < total + 1
    second = tail_of(server.invoke("F", headers={"X-Amz-Log-Type": "Tail"}))
    assert "Init Duration" not in second


def test_uncaught_error_is_logged_as_one_event(server):
    tail = tail_of(server.invoke("Fail", headers={"X-Amz-Log-Type": "Tail"}))
    assert re.search(r"\[ERROR\] ValueError: boom\rTraceback \(most recent call last\):\r", tail)


def test_logs_are_kept_per_function(server):
    server.invoke("Log")
    files = [path for path in (server.data_dir / "logs").rglob("*") if path.is_file() and "Log" in str(path)]
    assert files
    assert any("informed" in path.read_text() for path in files)


def test_dependencies_next_to_the_code(serve, project):
    project.file("src/app.py", "import vendored\n\n\ndef handler(event, context):\n    return vendored.VALUE\n")
    project.file("src/vendored/__init__.py", "VALUE = 'from the package'\n")
    server = serve(project.template("""
        Resources:
          F: {Type: AWS::Serverless::Function, Properties: {Handler: app.handler, Runtime: python3.12, CodeUri: src}}
        """))
    assert server.invoke("F").json() == "from the package"


def test_interpreter_override(serve, project):
    project.file("which.py", "import os\n\n\ndef handler(event, context):\n    return os.environ['MARK']\n")
    wrapper = project.file("mypython", '#!/bin/sh\nMARK=wrapped exec /usr/bin/python3 "$@"\n', 0o755)
    template = project.template("""
        Resources:
          F: {Type: AWS::Serverless::Function, Properties: {Handler: which.handler, Runtime: python3.12}}
        """)
    server = serve(template, "--runtime", f"python3.12={wrapper}")
    assert server.invoke("F").json() == "wrapped"


def test_absent_version_is_replaced_with_a_visible_warning(serve, project):
    project.file("v.py", "def handler(event, context):\n    return 1\n")
    server = serve(project.template("""
        Resources:
          F: {Type: AWS::Serverless::Function, Properties: {Handler: v.handler, Runtime: python3.99}}
        """), cwd=project.folder)
    assert server.invoke("F").json() == 1
    server.wait_for_log(r"(?i)python3\.99.*python3")
