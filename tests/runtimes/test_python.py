"""The Python bootstrap: protocol and semantics of the managed runtime."""

import json
import os
import re

import pytest

from harness import ARN, PYTHON_BOOTSTRAP, REQUEST_ID, python_interpreters

ECHO = "def handler(event, context):\n    return event\n"


def test_echoes_over_both_transports(start_python, transport):
    runtime = start_python(ECHO, transport=transport)
    for payload in ({"a": [1, 2.5, None, True, "é😀"]}, "text", 7, None):
        outcome = runtime.invoke(payload)
        assert (outcome.kind, outcome.request_id) == ("response", REQUEST_ID)
        assert outcome.json == payload
        assert outcome.headers["content-type"] == "application/json"


@pytest.mark.parametrize("interpreter", python_interpreters(), ids=os.path.basename)
def test_every_installed_version(start_python, interpreter):
    source = "import logging\ndef handler(event, context):\n    logging.warning('w')\n    return 1 / event['by']\n"
    runtime = start_python(source, command=[interpreter, PYTHON_BOOTSTRAP])
    assert runtime.invoke({"by": 4}).json == 0.25
    error = runtime.invoke({"by": 0})
    assert error.json["errorType"] == "ZeroDivisionError"
    assert runtime.log(containing="[ERROR]").count("[WARNING]\t") == 2


def test_response_and_next_are_one_write(start_python):
    runtime = start_python(ECHO, transport="packets")
    for _ in range(3):
        runtime.invoke({"x": 1})
    runtime.wait_until_idle(4)
    assert len(runtime.writes) == 4
    assert runtime.writes[1].startswith(b"POST /2018-06-01/runtime/invocation/" + REQUEST_ID.encode())
    assert runtime.writes[1].endswith(b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: runtime\r\n\r\n")


def test_large_events_and_results(start_python, transport):
    runtime = start_python(ECHO, transport=transport)
    payload = {"text": "é" * 1500000}
    assert runtime.invoke(payload).json == payload
    assert runtime.invoke({"small": 1}).json == {"small": 1}


def test_environment_does_not_show_the_plumbing(start_python):
    source = (
        "import os, subprocess\n"
        "def handler(event, context):\n"
        "    child = subprocess.run(['ls', '/proc/self/fd'], capture_output=True, text=True, close_fds=False)\n"
        "    return [[k for k in os.environ if 'HEADGATE' in k], child.stdout.split()]\n"
    )
    runtime = start_python(source, env={"HEADGATE_OPT_DIR": "/nowhere"})
    names, descriptors = runtime.invoke().json
    assert names == []
    assert descriptors == ["0", "1", "2", "3"]  # 3 is the folder that ls reads


def test_search_path(start_python, tmp_path):
    opt = tmp_path / "layers"
    minor = "python%d.%d"
    source = (
        "import sys, from_layer\n"
        "def handler(event, context):\n"
        "    return [sys.path[:3], 'python%d.%d' % sys.version_info[:2], from_layer.NAME]\n"
    )
    files = {"app.py": source, "layers/python/from_layer.py": "NAME = 'layer'\n"}
    runtime = start_python(files, env={"HEADGATE_OPT_DIR": str(opt)})
    path, minor, name = runtime.invoke().json
    assert path == [str(tmp_path), "%s/python/lib/%s/site-packages" % (opt, minor), "%s/python" % opt]
    assert name == "layer"


def test_context(start_python):
    source = (
        "def handler(event, context):\n"
        "    names = ('aws_request_id', 'log_group_name', 'log_stream_name', 'function_name', 'memory_limit_in_mb',\n"
        "             'function_version', 'invoked_function_arn', 'tenant_id')\n"
        "    shown = {name: getattr(context, name) for name in names}\n"
        "    shown['left'] = context.get_remaining_time_in_millis()\n"
        "    shown['identity'] = [context.identity.cognito_identity_id, context.identity.cognito_identity_pool_id]\n"
        "    c = context.client_context\n"
        "    if c is not None:\n"
        "        shown['client'] = [c.client.app_title, c.client.installation_id, c.custom, c.env]\n"
        "    context.log('direct\\n')\n"
        "    return shown\n"
    )
    runtime = start_python(source)
    shown = runtime.invoke().json
    assert 0 < shown.pop("left") <= 30000
    assert shown == {
        "aws_request_id": REQUEST_ID,
        "log_group_name": "/aws/lambda/hello",
        "log_stream_name": "2026/01/02/[$LATEST]0123456789abcdef0123456789abcdef",
        "function_name": "hello",
        "memory_limit_in_mb": "128",
        "function_version": "$LATEST",
        "invoked_function_arn": ARN,
        "tenant_id": None,
        "identity": [None, None],
    }
    shown = runtime.invoke(
        deadline_ms=1000,
        Lambda_Runtime_Client_Context='{"client":{"app_title":"Tïtle"},"custom":{"a":1},"env":{"locale":"de"}}',
        Lambda_Runtime_Cognito_Identity='{"cognitoIdentityId":"id","cognitoIdentityPoolId":"pool"}',
        Lambda_Runtime_Aws_Tenant_Id="blue",
    ).json
    assert shown["left"] == 0
    assert shown["client"] == ["Tïtle", None, {"a": 1}, {"locale": "de"}]
    assert shown["identity"] == ["id", "pool"]
    assert shown["tenant_id"] == "blue"
    assert runtime.log(containing="direct\n").startswith("direct\n")


def test_malformed_client_context(start_python):
    runtime = start_python(ECHO)
    outcome = runtime.invoke(Lambda_Runtime_Client_Context="{")
    assert (outcome.kind, outcome.json["errorType"]) == ("error", "Runtime.LambdaContextUnmarshalError")
    assert outcome.json["errorMessage"].startswith("Unable to parse Client Context JSON: ")


def test_trace_id_follows_the_invocation(start_python):
    source = "import os\ndef handler(event, context):\n    return os.environ.get('_X_AMZN_TRACE_ID')\n"
    runtime = start_python(source)
    assert runtime.invoke(Lambda_Runtime_Trace_Id="Root=1-a;Sampled=1").json == "Root=1-a;Sampled=1"
    assert runtime.invoke().json is None


def test_exception(start_python, tmp_path):
    source = 'def handler(event, context):\n    raise ValueError("boom")\n'
    runtime = start_python(source)
    outcome = runtime.invoke()
    assert outcome.kind == "error"
    path = str(tmp_path / "app.py")
    assert outcome.body.decode() == json.dumps(
        {
            "errorMessage": "boom",
            "errorType": "ValueError",
            "requestId": REQUEST_ID,
            "stackTrace": ['  File "%s", line 2, in handler\n    raise ValueError("boom")\n' % path],
        }
    )
    assert outcome.headers["lambda-runtime-function-error-type"] == "ValueError"
    nbsp = "\u00a0"
    assert runtime.log(containing="boom") == (
        "[ERROR] ValueError: boom\rTraceback (most recent call last):\r"
        '%sFile "%s", line 2, in handler\r%sraise ValueError("boom")\n' % (nbsp * 2, path, nbsp * 4)
    )
    assert runtime.invoke().kind == "error"  # and it lives on


@pytest.mark.parametrize(
    "files, handler, error_type, message",
    [
        ({}, "app.handler", "Runtime.ImportModuleError", "Unable to import module 'app': No module named 'app'"),
        (
            {"app.py": "import nonesuch\n"},
            "app.handler",
            "Runtime.ImportModuleError",
            "Unable to import module 'app': No module named 'nonesuch'",
        ),
        ({"app.py": "\n"}, "app.h", "Runtime.HandlerNotFound", "Handler 'h' missing on module 'app'"),
        (
            {"app.py": "\n"},
            "app",
            "Runtime.MalformedHandlerName",
            "Bad handler 'app': not enough values to unpack (expected 2, got 1)",
        ),
        (
            {"app.py": "a = 1\n\nx = =\n"},
            "app.handler",
            "Runtime.UserCodeSyntaxError",
            "Syntax error in module 'app': invalid syntax (app.py, line 3)",
        ),
        (
            {},
            "sys.handler",
            "Runtime.BuiltInModuleConflict",
            "Cannot use built-in module sys as a handler module",
        ),
    ],
)
def test_init_errors(start_python, files, handler, error_type, message, transport):
    runtime = start_python(files, handler=handler, transport=transport)
    outcome = runtime.outcome()
    assert outcome.kind == "init/error"
    assert outcome.json["errorType"] == error_type
    assert outcome.json["errorMessage"] == message
    assert outcome.json["requestId"] == ""
    assert outcome.headers["lambda-runtime-function-error-type"] == error_type
    assert runtime.exit_status() == 1
    assert runtime.log().startswith("[ERROR] %s: %s\rTraceback" % (error_type, message))


def test_syntax_error_trace(start_python, tmp_path):
    runtime = start_python("a = 1\n\nx = =\n")
    assert runtime.outcome().json["stackTrace"] == ['  File "%s" Line 3\n    x = =\n' % (tmp_path / "app.py")]


def test_exception_during_import(start_python, tmp_path):
    runtime = start_python("raise RuntimeError('early')\n")
    body = runtime.outcome().json
    assert (body["errorType"], body["errorMessage"], body["requestId"]) == ("RuntimeError", "early", "")
    assert "importlib/__init__.py" in body["stackTrace"][0]
    assert body["stackTrace"][-1] == '  File "%s", line 1, in <module>\n    raise RuntimeError(\'early\')\n' % (
        tmp_path / "app.py"
    )
    assert runtime.exit_status() == 1


@pytest.mark.parametrize("handler", ["pkg/mod.handler", "pkg.mod.handler"])
def test_handler_in_a_package(start_python, handler):
    runtime = start_python({"pkg/mod.py": ECHO}, handler=handler)
    assert runtime.invoke({"k": 1}).json == {"k": 1}


@pytest.mark.parametrize(
    "expression, expected",
    [
        ("None", b"null"),
        ("{'a': (1, 2)}", b'{"a": [1, 2]}'),
        ("'é\\u2028'", '"é\u2028"'.encode()),
        ("{'d': decimal.Decimal('1.10'), 'e': decimal.Decimal('NaN')}", b'{"d": 1.10, "e": NaN}'),
        ("[P(1, 'two'), {'p': P(3, None)}]", b'[{"x": 1, "y": "two"}, {"p": {"x": 3, "y": null}}]'),
        ("{'b': b'bytes'}", b'{"b": "bytes"}'),
        ("float('inf')", b"Infinity"),
        ("{1: True, None: 2, 1.5: 3}", b'{"1": true, "null": 2, "1.5": 3}'),
    ],
)
def test_results(start_python, expression, expected):
    runtime = start_python(
        "import collections, decimal\nP = collections.namedtuple('P', 'x y')\n"
        "def handler(event, context):\n    return %s\n" % expression
    )
    outcome = runtime.invoke()
    assert (outcome.kind, outcome.body) == ("response", expected)


def test_older_runtimes_escape_non_ascii(start_python):
    source = "def handler(event, context):\n    return 'é'\n"
    runtime = start_python(source, env={"AWS_EXECUTION_ENV": "AWS_Lambda_python3.11"})
    assert runtime.invoke().body == b'"\\u00e9"'


def test_bytes_go_out_raw(start_python):
    runtime = start_python("def handler(event, context):\n    return b'\\x00\\xffraw'\n")
    outcome = runtime.invoke()
    assert outcome.body == b"\x00\xffraw"
    assert outcome.headers["content-type"] == "application/unknown"


@pytest.mark.parametrize(
    "source, message",
    [
        ("return {1, 2}", "Object of type set is not JSON serializable"),
        ("return (i for i in ())", "Object of type generator is not JSON serializable"),
        ("a = []; a.append(a); return a", "Circular reference detected"),
        ("return {(1, 2): 3}", "keys must be str, int, float, bool or None, not tuple"),
    ],
)
def test_marshal_errors(start_python, source, message):
    runtime = start_python("def handler(event, context):\n    if event: return event\n    %s\n" % source)
    outcome = runtime.invoke()
    assert outcome.kind == "error"
    assert outcome.json == {
        "errorMessage": "Unable to marshal response: " + message,
        "errorType": "Runtime.MarshalError",
        "requestId": REQUEST_ID,
        "stackTrace": [],
    }
    assert runtime.invoke({"k": [1]}).json == {"k": [1]}


def test_coroutine_handler_is_a_marshal_error(start_python):
    runtime = start_python("async def handler(event, context):\n    return 1\n")
    assert runtime.invoke().json["errorMessage"] == (
        "Unable to marshal response: Object of type coroutine is not JSON serializable"
    )


@pytest.mark.parametrize(
    "payload, message",
    [
        (b"", "Expecting value: line 1 column 1 (char 0)"),
        (b"{} x", "Extra data: line 1 column 4 (char 3)"),
        (b'{"a":}', "Expecting value: line 1 column 6 (char 5)"),
        (b'{"a" 1}', "Expecting ':' delimiter: line 1 column 6 (char 5)"),
        (b'"\t"', "Invalid control character at: line 1 column 2 (char 1)"),
    ],
)
def test_unmarshal_errors(start_python, payload, message):
    runtime = start_python(ECHO)
    outcome = runtime.invoke(payload)
    assert outcome.json["errorType"] == "Runtime.UnmarshalError"
    assert outcome.json["errorMessage"] == "Unable to unmarshal input: " + message


def test_json_with_white_space_around(start_python):
    runtime = start_python(ECHO)
    assert runtime.invoke(b' \r\n\t{"a": 1}\n ').json == {"a": 1}


STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"


def test_text_logging(start_python):
    source = (
        "import logging\n"
        "logging.warning('at import')\n"
        "def handler(event, context):\n"
        "    logging.getLogger('x').error('said %d', 5)\n"
        "    logging.info('not shown')\n"
        "    logging.getLogger().setLevel('INFO')\n"
        "    logging.info('shown')\n"
        "    print('raw')\n"
    )
    runtime = start_python(source)
    runtime.invoke()
    lines = runtime.log(containing="raw\n").splitlines()
    assert re.fullmatch(r"\[WARNING\]\t%s\.\d{3}Z\t\tat import" % STAMP, lines[0])
    assert re.fullmatch(r"\[ERROR\]\t%s\.\d{3}Z\t%s\tsaid 5" % (STAMP, REQUEST_ID), lines[1])
    assert re.fullmatch(r"\[INFO\]\t%s\.\d{3}Z\t%s\tshown" % (STAMP, REQUEST_ID), lines[2])
    assert lines[3:] == ["raw"]


def test_logging_an_exception_ends_its_line(start_python):
    source = (
        "import logging\ndef handler(event, context):\n    try:\n        1 / 0\n    except ZeroDivisionError:\n"
        "        logging.exception('caught')\n    print('after')\n"
    )
    runtime = start_python(source)
    runtime.invoke()
    lines = runtime.log(containing="after\n").splitlines()
    assert lines[0].endswith("\tcaught")
    assert lines[-2:] == ["ZeroDivisionError: division by zero", "after"]


def test_logging_set_up_by_a_dependency(start_python):
    files = {"app.py": "import helper\nhandler = helper.handler\n"}
    files["helper.py"] = (
        "from logging import getLogger\nlog = getLogger(__name__)\n"
        "def handler(event, context):\n    log.warning('hi')\n    return len(getLogger().handlers)\n"
    )
    runtime = start_python(files)
    assert runtime.invoke().json == 1
    assert re.fullmatch(r"\[WARNING\]\t%s\.\d{3}Z\t%s\thi\n" % (STAMP, REQUEST_ID), runtime.log(containing="hi\n"))


def test_logging_looks_untouched(start_python):
    source = (
        "import sys\nbefore = 'logging' in sys.modules\nimport logging\n"
        "def handler(event, context):\n"
        "    return [before, type(logging.__loader__).__name__, type(logging.__spec__.loader).__name__]\n"
    )
    runtime = start_python(source)
    assert runtime.invoke().json == [False, "SourceFileLoader", "SourceFileLoader"]


def test_json_logging(start_python):
    source = (
        "import logging\nlog = logging.getLogger('mine')\n"
        "def handler(event, context):\n"
        "    log.debug('hidden'); log.info('shown', extra={'order': 7})\n"
        "    try:\n        1 / 0\n    except ZeroDivisionError:\n        log.exception('caught')\n"
        "    raise KeyError('k')\n"
    )
    env = {"AWS_LAMBDA_LOG_FORMAT": "JSON", "AWS_LAMBDA_LOG_LEVEL": "INFO"}
    runtime = start_python(source, env=env)
    runtime.invoke()
    first, second, third = map(json.loads, runtime.log(containing="KeyError").splitlines())
    assert re.fullmatch(STAMP + "Z", first.pop("timestamp"))
    assert first == {
        "level": "INFO",
        "message": "shown",
        "logger": "mine",
        "requestId": REQUEST_ID,
        "order": 7,
    }
    assert (second["errorType"], second["errorMessage"]) == ("ZeroDivisionError", "division by zero")
    assert second["location"].endswith("app.py:handler:8")
    assert list(third) == ["timestamp", "level", "errorMessage", "errorType", "requestId", "stackTrace"]
    assert (third["level"], third["errorType"]) == ("ERROR", "KeyError")


def test_log_level_filters_text_too(start_python):
    source = "import logging\ndef handler(event, context):\n    logging.debug('d')\n    print('end')\n"
    runtime = start_python(source, env={"AWS_LAMBDA_LOG_LEVEL": "trace"})
    runtime.invoke()
    assert runtime.log(containing="end\n").splitlines()[0].startswith("[DEBUG]\t")


def test_unfinished_line_is_out_before_the_answer(start_python):
    runtime = start_python("def handler(event, context):\n    print('half', end='')\n")
    runtime.invoke()
    runtime.close()
    assert runtime.log() == "half"


def test_exit_in_handler(start_python):
    runtime = start_python("import sys\ndef handler(event, context):\n    print('bye')\n    sys.exit(3)\n")
    runtime.deliver()
    assert runtime.exit_status() == 3
    assert runtime.outcomes.empty()
    assert runtime.log() == "bye\n"


def test_exit_during_import(start_python):
    runtime = start_python("import sys\nsys.exit(4)\n")
    assert runtime.exit_status() == 4
    assert runtime.outcomes.empty()


def test_keyboard_interrupt_ends_the_process(start_python):
    runtime = start_python("def handler(event, context):\n    raise KeyboardInterrupt\n")
    runtime.deliver()
    assert runtime.exit_status() != 0
    assert runtime.outcomes.empty()


def test_closing_every_descriptor_harms_one_invocation(start_python):
    runtime = start_python(
        "import os\ndef handler(event, context):\n    os.closerange(3, 256)\n    return 1\n"
    )
    runtime.deliver()
    assert runtime.exit_status() == 1
    assert runtime.outcomes.empty()
    assert "closed the runtime's connection" in runtime.log("stderr")


def test_a_file_in_place_of_the_connection_is_not_written_to(start_python, tmp_path):
    source = (
        "import os\ndef handler(event, context):\n    os.closerange(3, 256)\n"
        "    for name in 'abcdefgh':\n        os.open(name, os.O_RDWR | os.O_CREAT)\n    return 1\n"
    )
    runtime = start_python(source)
    runtime.deliver()
    assert runtime.exit_status() == 1
    assert [(tmp_path / name).read_bytes() for name in "abcdefgh"] == [b""] * 8


def test_a_forked_child_does_not_answer(start_python):
    source = (
        "import os\ndef handler(event, context):\n    pid = os.fork()\n    if pid == 0:\n        return 'child'\n"
        "    os.waitpid(pid, 0)\n    return 'parent'\n"
    )
    runtime = start_python(source)
    assert runtime.invoke().json == "parent"
    assert runtime.invoke().json == "parent"
    assert runtime.outcomes.empty()


def test_closed_stdout_is_the_functions_own_affair(start_python):
    runtime = start_python("import sys\ndef handler(event, context):\n    sys.stdout.close()\n    return 1\n")
    assert runtime.invoke().json == 1
    assert runtime.invoke().json == 1


def test_lives_on_after_413(start_python):
    runtime = start_python(ECHO)
    runtime.answers.put(413)
    runtime.invoke({"n": 1})
    assert runtime.invoke({"n": 2}).json == {"n": 2}


@pytest.mark.parametrize("status", [400, 403, 500])
def test_ends_when_refused(start_python, status):
    runtime = start_python(ECHO)
    runtime.answers.put(status)
    runtime.invoke()
    assert runtime.exit_status() == 1
    assert "refused a result with status %d" % status in runtime.log("stderr")


def test_ends_quietly_when_the_platform_closes(start_python, transport):
    runtime = start_python(ECHO, transport=transport)
    runtime.invoke()
    runtime.wait_until_idle(2)
    for connection in runtime._connections:
        connection.close() if transport == "tcp" else connection.shutdown(2)
    runtime.events.put(None)
    assert runtime.exit_status() == 0
    assert runtime.log("stderr") == ""


def test_module_state_is_kept(start_python):
    runtime = start_python("n = 0\ndef handler(event, context):\n    global n\n    n += 1\n    return n\n")
    assert [runtime.invoke().json for _ in range(3)] == [1, 2, 3]
