"""Process group, descriptors and temporary files of environments."""

import json
import os

import pytest

PROBE_PY = """
import json
import os
import resource
import socket
import tempfile


def handler(event, context):
    wish = event.get("do")
    if wish == "write":
        with open(os.path.join(tempfile.gettempdir(), "mark"), "w") as file:
            file.write(event["text"])
    if wish == "read":
        path = os.path.join(tempfile.gettempdir(), "mark")
        return open(path).read() if os.path.exists(path) else None
    if wish == "signal":
        os.kill(event["pid"], 0)
    return {
        "tmp": tempfile.gettempdir(), "pid": os.getpid(), "pgid": os.getpgid(0), "sid": os.getsid(0),
        "core": resource.getrlimit(resource.RLIMIT_CORE), "stdin": os.read(0, 1).decode(),
        "links": {fd: os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd")
                  if os.path.lexists(f"/proc/self/fd/{fd}")}}
"""


@pytest.fixture(scope="module")
def server(serve_module):
    project = serve_module.project()
    project.file("src/probe.py", PROBE_PY)
    return serve_module(project.template("""
        Globals: {Function: {Handler: probe.handler, Runtime: python3.12, CodeUri: src}}
        Resources:
          A: {Type: AWS::Serverless::Function, Properties: {}}
          B: {Type: AWS::Serverless::Function, Properties: {}}
        """))


def ask(server, function, **event):
    answer = server.invoke(function, json.dumps(event))
    assert answer.header("x-amz-function-error") is None, answer.text
    return answer.json()


def test_temporary_files_are_an_environment_s_own(server):
    ask(server, "A", do="write", text="of A")
    assert ask(server, "A", do="read") == "of A"
    assert ask(server, "B", do="read") is None


def test_process_group_and_session(server):
    seen = ask(server, "A")
    assert seen["pgid"] == seen["pid"]
    assert seen["sid"] != os.getsid(server.pid)


def test_descriptors(server):
    links = ask(server, "A")["links"]
    assert not any(link.startswith(str(server.data_dir)) and link.endswith(".lock") for link in links.values())
    kinds = sorted(link.split(":")[0] for fd, link in links.items() if int(fd) > 2)
    assert kinds.count("socket") <= 1
    assert not any("eventpoll" in link or "eventfd" in link for link in links.values())


def test_standard_input_is_empty(server):
    assert ask(server, "A")["stdin"] == ""


def test_temporary_files_survive_a_time_out(serve, project):
    project.file("src/app.py", """
        import os
        import tempfile
        import time

        calls = 0


        def handler(event, context):
            global calls
            calls += 1
            path = os.path.join(tempfile.gettempdir(), "count")
            count = int(open(path).read()) if os.path.exists(path) else 0
            with open(path, "w") as file:
                file.write(str(count + 1))
            time.sleep(event.get("sleep", 0))
            return [calls, count + 1]
        """)
    server = serve(project.template("""
        Resources:
          F:
            Type: AWS::Serverless::Function
            Properties: {Handler: app.handler, Runtime: python3.12, CodeUri: src, Timeout: 1}
        """))
    assert server.invoke("F").json() == [1, 1]
    assert server.invoke("F", b'{"sleep": 5}').json()["errorType"] == "Sandbox.Timedout"
    # Files live on in the same sandbox, the module's state does not.
    assert server.invoke("F").json() == [1, 3]
