"""A handler that misbehaves harms its own invocation and nobody else."""

import json
import threading

import pytest

from headgate import wait_for

BAD_PY = """
import json
import os
import signal
import socket
import sys
import threading
import time

SEEN = []


def handler(event, context):
    wish = json.loads(event["body"])["do"]
    SEEN.append(wish)
    if wish == "ok":
        return {"statusCode": 200, "body": json.dumps(SEEN)}
    if wish == "raise":
        raise ValueError("boom")
    if wish == "exit0":
        os._exit(0)
    if wish == "exit3":
        os._exit(3)
    if wish == "sysexit":
        sys.exit(4)
    if wish == "segv":
        os.kill(os.getpid(), signal.SIGSEGV)
    if wish == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if wish == "hang":
        time.sleep(60)
    if wish == "spin":
        while True:
            pass
    if wish == "close":
        os.closerange(3, 256)
    if wish == "closestd":
        os.closerange(0, 3)
    if wish == "print":
        for number in range(20000):
            print("x" * 100, number)
    if wish == "longline":
        sys.stdout.write("y" * 3000000)
        sys.stdout.flush()
    if wish == "binary":
        os.write(1, bytes(range(256)) * 16)
    if wish == "forever":
        threading.Thread(target=lambda: [print("z" * 1000) for _ in iter(int, 1)], daemon=True).start()
        time.sleep(60)
    if wish == "child":
        if os.fork() == 0:
            time.sleep(300)
            os._exit(0)
    if wish == "set":
        return {1, 2}
    if wish == "deep":
        return json.loads("[" * 900 + "]" * 900)
    return {"statusCode": 200, "body": wish}
"""
TEMPLATE = """
Globals: {Function: {Timeout: 3}}
Resources:
  Bad:
    Type: AWS::Serverless::Function
    Properties:
      Handler: bad.handler
      Runtime: python3.12
      CodeUri: src
      Events: {E: {Type: Api, Properties: {Path: /bad, Method: any}}}
  Good:
    Type: AWS::Serverless::Function
    Properties:
      Handler: bad.handler
      Runtime: python3.12
      CodeUri: src
      Events: {E: {Type: Api, Properties: {Path: /good, Method: any}}}
"""


@pytest.fixture(scope="module")
def server(serve_module):
    project = serve_module.project()
    project.file("src/bad.py", BAD_PY)
    return serve_module(project.template(TEMPLATE))


def do(server, wish, path="bad"):
    return server.post(f"/Prod/{path}", json.dumps({"do": wish}), {"Content-Type": "application/json"})


def invoke(server, wish):
    return server.invoke("Bad", json.dumps({"body": json.dumps({"do": wish})}))


@pytest.mark.parametrize("wish", [
    "raise", "exit0", "exit3", "sysexit", "segv", "kill", "hang", "spin", "close", "set", "deep", "forever"])
def test_only_this_invocation_fails(server, wish):
    assert do(server, "ok", "good").status == 200
    answer = do(server, wish)
    assert answer.status == 502
    assert answer.json() == {"message": "Internal server error"}
    assert do(server, "ok").status == 200
    assert do(server, "ok", "good").status == 200


@pytest.mark.parametrize("wish", ["print", "longline", "binary", "child"])
def test_noise_does_no_harm(server, wish):
    answer = do(server, wish)
    assert (answer.status, answer.text) == (200, wish)
    assert do(server, "ok").status == 200


def test_closed_standard_streams(server):
    assert do(server, "closestd").status in (200, 502)
    assert do(server, "ok").status == 200


@pytest.mark.parametrize("wish, error_type, text", [
    ("exit0", "Runtime.ExitError", "Runtime exited without providing a reason"),
    ("exit3", "Runtime.ExitError", "Runtime exited with error: exit status 3"),
    ("segv", "Runtime.ExitError", "Runtime exited with error: signal: segmentation fault"),
    ("kill", "Runtime.ExitError", "Runtime exited with error: signal: killed"),
])
def test_how_an_exit_is_reported(server, wish, error_type, text):
    answer = invoke(server, wish)
    assert answer.status == 200
    assert answer.header("x-amz-function-error") == "Unhandled"
    error = answer.json()
    assert list(error) == ["errorType", "errorMessage"]
    assert error["errorType"] == error_type
    message = f"RequestId: {answer.header('x-amzn-requestid')} Error: {text}"
    assert error["errorMessage"] in (message, message + " (core dumped)")


def test_how_a_time_out_is_reported(server):
    answer = invoke(server, "hang")
    assert answer.header("x-amz-function-error") == "Unhandled"
    assert answer.json() == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": f"RequestId: {answer.header('x-amzn-requestid')} Error: Task timed out after 3.00 seconds"}


def test_state_is_gone_after_a_crash_and_kept_after_an_error(serve, project):
    project.file("src/bad.py", BAD_PY)
    server = serve(project.template(TEMPLATE), "--max-concurrency", "1")
    assert do(server, "ok").json() == ["ok"]
    assert do(server, "raise").status == 502
    assert do(server, "ok").json() == ["ok", "raise", "ok"]
    assert do(server, "exit3").status == 502
    assert do(server, "ok").json() == ["ok"]


def test_time_out_kills_the_whole_process_group(serve, project):
    project.file("src/group.py", """
        import os
        import subprocess
        import time


        def handler(event, context):
            child = subprocess.Popen(["sleep", "300"])
            with open(event["file"], "w") as file:
                file.write(f"{os.getpid()} {child.pid}")
            time.sleep(60)
        """)
    server = serve(project.template("""
        Resources:
          F:
            Type: AWS::Serverless::Function
            Properties: {Handler: group.handler, Runtime: python3.12, CodeUri: src, Timeout: 2}
        """))
    note = project.folder / "pids"
    answer = server.invoke("F", json.dumps({"file": str(note)}))
    assert answer.json()["errorType"] == "Sandbox.Timedout"

    def gone():
        for pid in note.read_text().split():
            try:
                with open(f"/proc/{pid}/stat") as file:
                    if file.read().rsplit(")", 1)[1].split()[0] != "Z":
                        return False
            except FileNotFoundError:
                pass
        return True
    wait_for(gone, "the function and its child to be gone")


def test_environments_die_with_the_server(serve, project):
    project.file("src/pid.py", "import os\n\n\ndef handler(event, context):\n    return os.getpid()\n")
    server = serve(project.template("""
        Resources:
          F:
            Type: AWS::Serverless::Function
            Properties: {Handler: pid.handler, Runtime: python3.12, CodeUri: src}
        """))
    pid = server.invoke("F").json()
    server.kill9()

    def gone():
        try:
            with open(f"/proc/{pid}/stat") as file:
                return file.read().rsplit(")", 1)[1].split()[0] == "Z"
        except FileNotFoundError:
            return True
    wait_for(gone, "the environment to be gone")


GARBAGE = """
import http.client
import json
import os
import socket
import sys
import time

host, port = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")


def connect():
    return socket.create_connection((host, int(port)))


def next_event(connection):
    connection.sendall(f"GET /2018-06-01/runtime/invocation/next HTTP/1.1\\r\\nHost: {host}\\r\\n\\r\\n".encode())
    data = b""
    while b"\\r\\n\\r\\n" not in data:
        data += connection.recv(65536)
    head, body = data.split(b"\\r\\n\\r\\n", 1)
    headers = {}
    for line in head.decode().split("\\r\\n")[1:]:
        name, value = line.split(":", 1)
        headers[name.lower()] = value.strip()
    while len(body) < int(headers["content-length"]):
        body += connection.recv(65536)
    return headers["lambda-runtime-aws-request-id"], json.loads(body)


def post(connection, kind, request_id, body, more=""):
    connection.sendall(
        f"POST /2018-06-01/runtime/invocation/{request_id}/{kind} HTTP/1.1\\r\\nHost: {host}\\r\\n{more}"
        f"Content-Length: {len(body)}\\r\\n\\r\\n".encode() + body)
    return connection.recv(65536)


connection = connect()
while True:
    request_id, event = next_event(connection)
    wish = json.loads(event["body"])["do"]
    ok = json.dumps({"statusCode": 200, "body": wish}).encode()
    if wish == "garbage":
        connection.sendall(b"\\x00\\xff\\x16\\x03garbage\\r\\n\\r\\n")
        time.sleep(0.2)
        os._exit(1)
    if wish == "smuggle":
        connection.sendall(b"POST /2018-06-01/runtime/invocation/" + request_id.encode() + b"/response HTTP/1.1\\r\\n"
                           b"Host: h\\r\\nContent-Length: 2\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n{}")
        time.sleep(0.2)
        os._exit(1)
    if wish == "truncate":
        connection.sendall(b"POST /2018-06-01/runtime/invocation/" + request_id.encode() + b"/response HTTP/1.1\\r\\n"
                           b"Host: h\\r\\nContent-Length: 100\\r\\n\\r\\n{")
        connection.close()
        os._exit(1)
    if wish == "drop":
        connection.close()
        connection = connect()
        post(connection, "response", request_id, ok)
        continue
    if wish == "wrongid":
        reply = post(connection, "response", "00000000-0000-0000-0000-000000000000", ok)
        assert b"400" in reply.split(b"\\r\\n")[0], reply
        assert b"InvalidRequestID" in reply, reply
        post(connection, "response", request_id, ok)
        continue
    if wish == "twice":
        post(connection, "response", request_id, ok)
        reply = post(connection, "response", request_id, b"again")
        assert reply.split(b" ")[1] in (b"403", b"400"), reply
        print("second answer refused:", reply.split(b" ")[1].decode(), flush=True)
        continue
    if wish == "mode":
        reply = post(connection, "response", request_id, ok, "Lambda-Runtime-Function-Response-Mode: Streaming\\r\\n")
        print("mode:", reply.split(b" ")[1].decode(), flush=True)
        continue
    if wish == "huge":
        reply = post(connection, "response", request_id, b"x" * 6291557)
        print("huge:", reply.split(b" ")[1].decode(), flush=True)
        continue
    if wish == "error":
        post(connection, "error", request_id, b"not even json", "Lambda-Runtime-Function-Error-Type: Function.Own\\r\\n")
        continue
    if wish == "nothing":
        connection.sendall(b"GET /2018-06-01/runtime/no-such-thing HTTP/1.1\\r\\nHost: h\\r\\n\\r\\n")
        connection.recv(65536)
        post(connection, "response", request_id, ok)
        continue
    post(connection, "response", request_id, ok)
"""


@pytest.fixture(scope="module")
def provided(serve_module):
    project = serve_module.project()
    project.bootstrap("raw", GARBAGE)
    return serve_module(project.template("""
        Resources:
          Bad:
            Type: AWS::Serverless::Function
            Properties:
              Handler: none
              Runtime: provided.al2023
              CodeUri: raw
              Timeout: 5
              Events: {E: {Type: Api, Properties: {Path: /bad, Method: any}}}
        """))


@pytest.mark.parametrize("wish", ["garbage", "smuggle", "truncate", "huge", "error", "mode"])
def test_runtime_that_answers_nonsense(provided, wish):
    answer = do(provided, wish)
    assert answer.status == 502
    assert do(provided, "ok").text == "ok"


@pytest.mark.parametrize("wish", ["drop", "wrongid", "twice", "nothing"])
def test_runtime_that_recovers(provided, wish):
    answer = do(provided, wish)
    assert (answer.status, answer.text) == (200, wish)
    assert do(provided, "ok").text == "ok"


def test_second_answer_is_refused(provided):
    do(provided, "twice")
    provided.wait_for_log(r"second answer refused: 40[03]")


def test_oversize_answer_leaves_the_environment_alive(provided):
    answer = invoke(provided, "huge")
    assert answer.header("x-amz-function-error") == "Unhandled"
    assert answer.json() == {
        "errorMessage": "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
        "errorType": "Function.ResponseSizeTooLarge"}
    provided.wait_for_log(r"huge: 413")


def test_error_body_reaches_the_caller_unchanged(provided):
    answer = invoke(provided, "error")
    assert answer.header("x-amz-function-error") == "Unhandled"
    assert answer.body == b"not even json"


def test_truncated_answer(provided):
    answer = invoke(provided, "truncate")
    assert answer.header("x-amz-function-error") == "Unhandled"
    assert answer.json()["errorType"] in ("Runtime.TruncatedResponse", "Runtime.ExitError")


def test_good_functions_answer_while_bad_ones_hang(server):
    hung = [threading.Thread(target=do, args=(server, "hang")) for _ in range(4)]
    for thread in hung:
        thread.start()
    for _ in range(20):
        assert do(server, "ok", "good").status == 200
    for thread in hung:
        thread.join()
