"""The same functions under our Python bootstrap and under Amazon's own client: what they post must agree."""

import json
import re
import sys

import pytest

import harness

pytest.importorskip("awslambdaric", reason="awslambdaric is not installed")

PRELUDE = (
    "import collections, datetime, decimal, enum, json, logging, os, sys\n"
    "P = collections.namedtuple('P', 'x y')\n"
    "class Custom(Exception):\n    pass\n"
    "class Colour(enum.IntEnum):\n    RED = 3\n"
    "class Rows(dict):\n    pass\n"
    "def nested(n):\n    return 1 / 0 if n == 0 else nested(n - 1)\n"
)
BODIES = {
    "echo": "return event",
    "nothing": "pass",
    "unicode": "return {'é': 'grün 😀 \\u2028 \\x7f \\x00'}",
    "numbers": "return [1, -0.0, 1e300, 1e16, 0.1, float('nan'), float('-inf'), 10**30, Colour.RED, True]",
    "decimals": "return {'a': decimal.Decimal('1.10'), 'b': [decimal.Decimal('1E+3'), decimal.Decimal('NaN')]}",
    "named_tuples": "return {'p': P(1, P(2, [P(3, None)])), 'q': (1, 2), 'r': [P(4, {})]}",
    "bytes_inside": "return {'b': b'text'}",
    "bad_bytes_inside": "return {'b': b'\\xff'}",
    "raw": "return b'\\x00\\xff'",
    "keys": "return {1: 'a', None: 'b', False: 'c', 2.5: 'd'}",
    "bad_key": "return {(1,): 2}",
    "subclasses": "return Rows(a=collections.OrderedDict(b=collections.Counter('aab')))",
    "set": "return {1}",
    "date": "return datetime.date(2026, 1, 2)",
    "generator": "return (x for x in 'ab')",
    "function": "return print",
    "class": "return P",
    "cycle": "a = []; a.append(a); return a",
    "raise": "raise ValueError('boom')",
    "raise_empty": "raise Custom",
    "raise_many": "raise Custom('a', {'b': 1})",
    "raise_unicode": "raise ValueError('grün\\nzwei \\x7f')",
    "raise_key": "return event['absent']",
    "raise_deep": "nested(3)",
    "raise_chained": "\n    try:\n        nested(0)\n    except ZeroDivisionError as e:\n        raise Custom('outer') from e",
    "recursion": "\n    def down(n):\n        return down(n + 1)\n    down(0)",
    "print": "print('one'); print('two', end=''); sys.stderr.write('err\\n'); return 1",
    "log": "logging.warning('w %d', 1); logging.getLogger('a.b').error('e'); logging.info('hidden'); return 1",
    "set_level": "logging.getLogger().setLevel('DEBUG'); logging.debug('d'); return 1",
    "log_extra": "logging.warning('x', extra={'order': 7, 'when': datetime.date(2026, 1, 2)}); return 1",
    "log_dict": "logging.warning({'a': [1]}); return 1",
    "handlers": "h = logging.getLogger().handlers; return [len(h), h[0].formatter.datefmt, logging.root.level]",
    "context": (
        "return [{k: str(v) for k, v in vars(context).items() if k != '_epoch_deadline_time_in_ms'}, repr(context),"
        " type(context).__name__, context.w3c(), sorted(n for n in dir(context) if n[0] != '_')]"
    ),
    "trace": "return os.environ.get('_X_AMZN_TRACE_ID')",
    "modules": "return [m for m in sys.modules if m in ('app', 'logging')]",
}
PAYLOADS = {"echo": b'{"a": [1, 2.0, 1e5, null, "\\u00e9\\ud83d\\ude00"], "b": {"c": true}, "b": 2}'}
HEADERS = {
    "Lambda_Runtime_Trace_Id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=1",
    "Lambda_Runtime_Client_Context": (
        '{"client":{"app_title":"T","installation_id":"i"},"custom":{"a":1},"env":{"l":"de"},"w3c":{"baggage":"b"}}'
    ),
    "Lambda_Runtime_Cognito_Identity": '{"cognitoIdentityId":"id","cognitoIdentityPoolId":"pool"}',
    "Lambda_Runtime_Aws_Tenant_Id": "blue",
}
MODULES = {
    "not_there": ("none.handler", ""),
    "import_fails": ("app.handler", "import nonesuch.deeper\n"),
    "import_name_fails": ("app.handler", "from os import nonesuch\n"),
    "syntax": ("app.handler", "def handler(:\n    pass\n"),
    "indentation": ("app.handler", "def handler(a, b):\nreturn 1\n"),
    "raises": ("app.handler", "def f():\n    raise RuntimeError('early')\nf()\n"),
    "no_handler": ("app.handler", "x = 1\n"),
    "no_dot": ("app", "x = 1\n"),
    "built_in": ("sys.handler", ""),
    "relative": (".app.handler", "x = 1\n"),
}
STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z")
OURS = [sys.executable, harness.PYTHON_BOOTSTRAP]
# As the managed runtime starts it: the code's folder first on the path.
THEIRS = [
    sys.executable,
    "-c",
    "import os, sys; sys.path[0] = os.environ['LAMBDA_TASK_ROOT'];"
    "from awslambdaric.__main__ import main; main(['', os.environ['_HANDLER']])",
]


def plain(text):
    return STAMP.sub("TIME", text)


def run(tmp_path, command, transport, source, handler, env, events):
    runtime = harness.RuntimeProcess(
        command, tmp_path, {"app.py": source} if source else {}, handler=handler, transport=transport, env=env
    )
    try:
        seen = []
        for payload, headers in events:
            outcome = runtime.invoke(payload, deadline_ms=4102444800000, **headers)
            seen.append((outcome.kind, outcome.headers.get("content-type"), plain(outcome.body.decode("latin-1"))))
        if events:
            # What it printed is out when it asks again; it is not to say what it thinks of a server that goes away.
            runtime.wait_until_idle(len(events) + 1)
            runtime.process.kill()
        else:
            outcome = runtime.outcome()
            assert runtime.exit_status() == 1
            kind = outcome.headers["lambda-runtime-function-error-type"]
            seen.append((outcome.kind, kind, outcome.json))
    finally:
        runtime.close()
    return seen, plain(log_of(runtime, "stdout")), log_of(runtime, "stderr")


def log_of(runtime, stream):
    # Amazon's client complains when the test takes its server away, and may end with a traceback of its own start.
    text = runtime.log(stream).split('Traceback (most recent call last):\n  File "<string>", line 1')[0]
    lines = text.splitlines(keepends=True)
    return "".join(line for line in lines if "LAMBDA_RUNTIME Failed to get next" not in line)


def compare(tmp_path, source, handler, env, events):
    ours = run(tmp_path, OURS, "fd", source, handler, env, events)
    theirs = run(tmp_path, THEIRS, "tcp", source, handler, env, events)
    return ours, theirs


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize(
    "env",
    [
        {"AWS_EXECUTION_ENV": "AWS_Lambda_python3.13"},
        {"AWS_EXECUTION_ENV": "AWS_Lambda_python3.10", "AWS_LAMBDA_LOG_FORMAT": "JSON", "AWS_LAMBDA_LOG_LEVEL": "INFO"},
    ],
    ids=["text", "json"],
)
def test_invocations(tmp_path, name, env):
    source = PRELUDE + "def handler(event, context):\n    %s\n" % BODIES[name]
    payload = PAYLOADS.get(name, b'{"k": 1}')
    ours, theirs = compare(tmp_path, source, "app.handler", env, [(payload, {}), (payload, HEADERS)])
    assert ours == theirs


@pytest.mark.parametrize("name", MODULES)
def test_modules(tmp_path, name):
    handler, source = MODULES[name]
    ours, theirs = compare(tmp_path, source, handler, {}, [])
    assert ours[0] == theirs[0]
    # Theirs begins with a line about updates of Amazon's runtimes.
    assert ours[1] == theirs[1][theirs[1].index("[ERROR]") :]


@pytest.mark.parametrize("payload", [b"", b"{", b"nope", b"[1] 2", b'"\xff"', b'{"a" 1}', b"[1,]", b'"\t"'])
def test_bad_events(tmp_path, payload):
    # The two JSON packages word some mistakes differently; such an event never gets past the Invoke API.
    source = "def handler(event, context):\n    return event\n"
    ours, theirs = compare(tmp_path, source, "app.handler", {}, [(payload, {})])
    bodies = []
    for (kind, content_type, text), in (ours[0], theirs[0]):
        body = json.loads(text)
        assert body.pop("errorMessage").startswith("Unable to unmarshal input: ")
        bodies.append((kind, content_type, body))
    assert bodies[0] == bodies[1]
