"""Start, readiness, draining and the end."""

import os
import signal
import threading
import time

import pytest

from client import Wire
from headgate import wait_for

SLEEP_PY = """
import os
import time


def handler(event, context):
    seconds = float((event.get("queryStringParameters") or {}).get("s", "0"))
    open(os.environ["NOTE"], "a").write("started\\n")
    time.sleep(seconds)
    return {"statusCode": 200, "body": "slept"}
"""


@pytest.fixture
def template(project):
    project.file("src/app.py", SLEEP_PY)
    return project.template(f"""
        Resources:
          F:
            Type: AWS::Serverless::Function
            Properties:
              Handler: app.handler
              Runtime: python3.12
              CodeUri: src
              Timeout: 30
              Environment: {{Variables: {{NOTE: "{project.folder}/note"}}}}
              Events: {{E: {{Type: Api, Properties: {{Path: /x, Method: any}}}}}}
        """)


def started(project, count=1):
    note = project.folder / "note"
    return note.exists() and note.read_text().count("started") >= count


def test_ready_lines(serve, template):
    server = serve(template)
    assert server.port("http") and server.port("management")
    assert server.manage("GET", "/_headgate/health").status == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_running_requests_are_finished(serve, project, template, number):
    server = serve(template)
    results = []
    caller = threading.Thread(target=lambda: results.append(server.get("/Prod/x?s=1.5")))
    caller.start()
    wait_for(lambda: started(project), "the function to run")
    process = server.process
    server.signal(number)
    caller.join()
    assert (results[0].status, results[0].text) == (200, "slept")
    assert (results[0].header("connection") or "close").lower() == "close"
    assert process.wait(20) == 0


def test_no_new_connections_while_draining(serve, project, template):
    server = serve(template)
    address, process = server.address, server.process
    caller = threading.Thread(target=lambda: server.get("/Prod/x?s=2"))
    caller.start()
    wait_for(lambda: started(project), "the function to run")
    server.signal(signal.SIGTERM)

    def refused():
        try:
            with Wire(address, timeout=1):
                return False
        except OSError:
            return True
    wait_for(refused, "the port to be closed", 1.5)
    caller.join()
    assert process.wait(20) == 0


def test_second_signal_ends_the_wait(serve, project, template):
    server = serve(template)

    def call():
        try:
            server.get("/Prod/x?s=25")
        except OSError:
            pass
    caller = threading.Thread(target=call)
    caller.start()
    wait_for(lambda: started(project), "the function to run")
    process, server.process = server.process, None
    process.send_signal(signal.SIGTERM)
    server.wait_for_log("stopping")
    process.send_signal(signal.SIGTERM)
    assert process.wait(5) in (0, -signal.SIGTERM)
    caller.join()


def test_drain_timeout_bounds_the_wait(serve, project, template):
    server = serve(template, "--drain-timeout", "1s")

    def call():
        try:
            server.get("/Prod/x?s=25")
        except OSError:
            pass
    caller = threading.Thread(target=call)
    caller.start()
    wait_for(lambda: started(project), "the function to run")
    process = server.process
    begin = time.monotonic()
    server.signal(signal.SIGTERM)
    assert process.wait(10) == 0
    assert time.monotonic() - begin < 8
    caller.join()


def test_idle_keep_alive_connections_do_not_hold_up_the_end(serve, template):
    server = serve(template)
    with Wire(server.address) as wire:
        wire.send("GET /Prod/x HTTP/1.1\r\nHost: h\r\n\r\n")
        wire.response()
        begin = time.monotonic()
        server.stop()
        assert time.monotonic() - begin < 8
        assert wire.at_end()


def test_environments_end_with_the_server(serve, project):
    server = serve(project.template("""
        Resources:
          F:
            Type: AWS::Serverless::Function
            Properties:
              Handler: index.handler
              Runtime: python3.12
              InlineCode: |
                import os
                def handler(event, context): return os.getpid()
        """))
    pid = server.invoke("F").json()
    assert os.path.exists(f"/proc/{pid}")
    server.stop()
    wait_for(lambda: not os.path.exists(f"/proc/{pid}"), "the environment to be gone")


def test_start_after_kill(serve, project, template):
    server = serve(template)
    server.get("/Prod/x")
    server.kill9()
    server.stdout_path.unlink()
    server.start()
    assert server.get("/Prod/x").status == 200


def test_idle_environments_are_retired(serve, project):
    server = serve(project.template("""
        Resources:
          F:
            Type: AWS::Serverless::Function
            Properties:
              Handler: index.handler
              Runtime: python3.12
              InlineCode: |
                import os
                def handler(event, context): return os.getpid()
        """), "--idle-timeout", "1s")
    pid = server.invoke("F").json()
    wait_for(lambda: not os.path.exists(f"/proc/{pid}"), "the idle environment to be retired")
    assert server.invoke("F").json() != pid
