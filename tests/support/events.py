"""Asynchronous events: functions that keep a ledger of their runs, and a client of the events pages."""

import json
import pathlib
import re
import time
import urllib.parse

from headgate import wait_for

EVENT = {"X-Amz-Invocation-Type": "Event"}
REQUEST_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
SETTLED = ("delivered", "dead")

# Does what the event says, attempt by attempt; the last word counts for all further ones. Every run is on the disk
# before anything else happens: what the ledger does not show did not run.
WORKER_PY = '''
import json
import os
import time

FOLDER = os.environ["LEDGER"]
VERSION = os.environ.get("VERSION", "")


class StockError(Exception):
    pass


def note(**line):
    fd = os.open(FOLDER + "/ledger", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    os.write(fd, (json.dumps(line) + "\\n").encode())
    os.fsync(fd)
    os.close(fd)


def count(request_id):
    fd = os.open(FOLDER + "/attempt-" + request_id, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    os.write(fd, b"x")
    attempt = os.fstat(fd).st_size
    os.close(fd)
    return attempt


def handler(event, context):
    began = time.time()
    attempt = count(context.aws_request_id)
    plan = event.get("do", ["ok"]) if isinstance(event, dict) else ["ok"]
    action = plan[min(attempt, len(plan)) - 1]
    note(id=context.aws_request_id, attempt=attempt, at=began, key=event.get("key") if isinstance(event, dict) else None,
         action=action, version=VERSION, arn=context.invoked_function_arn, event=event if len(str(event)) < 2000 else None,
         context=str(context.client_context), trace=os.environ.get("_X_AMZN_TRACE_ID"), pid=os.getpid())
    if action.startswith("sleep:"):
        time.sleep(float(action[6:]))
    elif action == "hang":
        time.sleep(600)
    elif action == "raise":
        raise StockError("no stock")
    elif action == "exit":
        os._exit(1)
    elif action == "big":
        return "x" * 7000000
    elif action == "null":
        return None
    elif action == "gate":
        while not os.path.exists(FOLDER + "/gate"):
            time.sleep(0.01)
    return event.get("value", {"done": attempt}) if isinstance(event, dict) else event
'''


class Ledger:
    """What ran, as the functions wrote it down."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)

    def lines(self, request_id=None, key=None):
        path = self.folder / "ledger"
        if not path.exists():
            return []
        # A run that was killed may have left half a line.
        lines = [json.loads(line) for line in path.read_text().splitlines(keepends=True) if line.endswith("}\n")]
        return [line for line in lines if request_id in (None, line["id"]) and key in (None, line["key"])]

    def attempts(self, request_id):
        return len(self.lines(request_id))

    def wait(self, request_id, attempts=1, timeout=20):
        wait_for(lambda: self.attempts(request_id) >= attempts, f"attempt {attempts} of {request_id}", timeout)
        return self.lines(request_id)

    def open_gate(self):
        (self.folder / "gate").touch()


class Events:
    """Publishes to a server and looks at what became of it."""

    def __init__(self, server):
        self.server = server

    def publish(self, function, payload=None, qualifier=None, headers=None):
        """Fire and forget; the answer must be a 202, and its request id is returned."""
        answer = self.try_publish(function, payload, qualifier, headers)
        assert answer.status == 202, (answer.status, answer.body)
        assert answer.body == b""
        request_id = answer.header("x-amzn-requestid")
        assert REQUEST_ID.fullmatch(request_id), request_id
        return request_id

    def try_publish(self, function, payload=None, qualifier=None, headers=None, **options):
        body = payload if isinstance(payload, (bytes, str)) else json.dumps({} if payload is None else payload, ensure_ascii=False)
        body = body.encode() if isinstance(body, str) else body
        return self.server.invoke(function, body, {**EVENT, **(headers or {})}, qualifier, **options)

    def get(self, request_id):
        answer = self.server.manage("GET", f"/_headgate/events/{request_id}")
        if answer.status == 404:
            return None
        assert answer.status == 200, (answer.status, answer.body)
        return answer.json()

    def wait(self, request_id, state=SETTLED, timeout=30):
        states = (state,) if isinstance(state, str) else state
        last = None

        def reached():
            nonlocal last
            last = self.get(request_id)
            return last and last["state"] in states
        try:
            wait_for(reached, "", timeout)
        except AssertionError:
            raise AssertionError(f"waited {timeout} s in vain for {request_id} to be {states}: {last}") from None
        return last

    def page(self, **query):
        text = urllib.parse.urlencode(query)
        answer = self.server.manage("GET", "/_headgate/events" + (f"?{text}" if text else ""))
        assert answer.status == 200, (answer.status, answer.body)
        return answer.json()

    def all(self, **query):
        """Every event that the query means, page by page."""
        found, cursor = [], None
        while True:
            page = self.page(**query, limit=1000, **({"cursor": cursor} if cursor else {}))
            found += page["events"]
            cursor = page["cursor"]
            if not cursor:
                return found

    def change(self, path):
        return self.server.manage("POST", "/_headgate/events" + path, body=b"")


def config(server, function, qualifier=None, **settings):
    """PutFunctionEventInvokeConfig."""
    target = f"/2019-09-25/functions/{function}/event-invoke-config"
    if qualifier:
        target += f"?Qualifier={qualifier}"
    answer = server.manage("PUT", target, {"Content-Type": "application/json"}, json.dumps(settings))
    assert answer.status == 200, (answer.status, answer.body)


def warm(server, *functions):
    """Starts an environment of each, so that a test's times do not hold it."""
    for function in functions:
        server.invoke(function, b'{"key": "warm"}')


def quiet(condition, seconds):
    """Holds that something does not happen for so long: the one wait that cannot end early."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert not condition()
        time.sleep(0.02)


def stage(project, ledger, functions, **more):
    """A template of functions that all run WORKER_PY: name → further properties."""
    project.file("src/worker.py", WORKER_PY)
    common = {"Runtime": "python3.12", "Handler": "worker.handler", "CodeUri": "src", "Timeout": 30,
              "Environment": {"Variables": {"LEDGER": str(ledger.folder)}}}
    resources = {name: {"Type": "AWS::Serverless::Function", "Properties": {"FunctionName": name, **properties}}
                 for name, properties in functions.items()}
    return project.template(json.dumps(
        {"Transform": "AWS::Serverless-2016-10-31", "Globals": {"Function": common},
         "Resources": {**resources, **more}}, indent=1), "template.json")
