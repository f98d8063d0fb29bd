"""Custom runtimes: a bootstrap of one's own, and Amazon's Python client for the Runtime API as it is."""

import base64
import json
import os
import pathlib
import sys

import pytest

INSPECT = """
import http.client
import json
import os

connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
while True:
    connection.request("GET", "/2018-06-01/runtime/invocation/next")
    answer = connection.getresponse()
    body = answer.read().decode()
    headers = {name.lower(): value for name, value in answer.getheaders()}
    seen = {"headers": headers, "body": body, "env": dict(os.environ), "cwd": os.getcwd(), "status": answer.status}
    path = "/2018-06-01/runtime/invocation/" + headers["lambda-runtime-aws-request-id"] + "/response"
    connection.request("POST", path, json.dumps(seen), {"Content-Type": "application/json"})
    reply = connection.getresponse()
    text = reply.read()
    assert (reply.status, json.loads(text)) == (202, {"status": "OK"}), (reply.status, text)
"""


@pytest.fixture(scope="module")
def server(serve_module):
    project = serve_module.project()
    project.bootstrap("own", INSPECT)
    project.file("nothing/readme.txt", "no bootstrap here\n")
    project.file("plain/bootstrap", "#!/bin/sh\nexit 0\n", 0o644)
    project.file("shell/bootstrap", """
        #!/bin/sh
        while true; do
            headers=$(mktemp)
            event=$(curl -sS -D "$headers" "http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation/next")
            id=$(grep -i Lambda-Runtime-Aws-Request-Id "$headers" | tr -d '\\r' | cut -d' ' -f2)
            rm -f "$headers"
            curl -sS -o /dev/null -d "{\\"shell\\":$event}" \\
                "http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation/$id/response"
        done
        """, 0o755)
    project.bootstrap("init", """
        import http.client, json, os, sys
        connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
        connection.request("POST", "/2018-06-01/runtime/init/error",
                           json.dumps({"errorMessage": "no luck", "errorType": "Function.NoLuck", "stackTrace": []}),
                           {"Lambda-Runtime-Function-Error-Type": "Function.NoLuck"})
        assert connection.getresponse().status == 202
        sys.exit(1)
        """)
    return serve_module(project.template("""
        Globals: {Function: {Runtime: provided.al2023, Handler: my.handler, Timeout: 5}}
        Resources:
          Own: {Type: AWS::Serverless::Function, Properties: {CodeUri: own, MemorySize: 512}}
          Shell: {Type: AWS::Serverless::Function, Properties: {CodeUri: shell, Runtime: provided.al2}}
          Nothing: {Type: AWS::Serverless::Function, Properties: {CodeUri: nothing}}
          NotExecutable: {Type: AWS::Serverless::Function, Properties: {CodeUri: plain}}
          Init: {Type: AWS::Serverless::Function, Properties: {CodeUri: init}}
        """))


def test_headers_of_next(server):
    answer = server.invoke("Own", b'{"a": 1}', {"X-Amz-Client-Context": base64.b64encode(b'{"k":1}').decode()})
    seen = answer.json()
    assert seen["status"] == 200
    headers = seen["headers"]
    assert headers["lambda-runtime-aws-request-id"] == answer.header("x-amzn-requestid")
    assert headers["lambda-runtime-invoked-function-arn"] == "arn:aws:lambda:us-east-1:000000000000:function:Own"
    assert headers["lambda-runtime-deadline-ms"].isdigit() and len(headers["lambda-runtime-deadline-ms"]) == 13
    assert headers["lambda-runtime-trace-id"].startswith("Root=1-")
    assert json.loads(headers["lambda-runtime-client-context"]) == {"k": 1}
    assert "lambda-runtime-cognito-identity" not in headers
    assert headers["content-type"] == "application/json"
    assert seen["body"] == '{"a": 1}'


def test_environment(server):
    env = server.invoke("Own").json()["env"]
    assert env["_HANDLER"] == "my.handler"
    assert "AWS_EXECUTION_ENV" not in env
    assert "_X_AMZN_TRACE_ID" not in env
    assert env["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "512"
    host, port = env["AWS_LAMBDA_RUNTIME_API"].rsplit(":", 1)
    assert host and port.isdigit()


def test_shell_and_curl(server):
    for number in range(3):
        assert server.invoke("Shell", json.dumps({"n": number})).json() == {"shell": {"n": number}}


@pytest.mark.parametrize("function", ["Nothing", "NotExecutable"])
def test_no_bootstrap(server, function):
    answer = server.invoke(function)
    assert answer.header("x-amz-function-error") == "Unhandled"
    assert answer.json()["errorType"] == "Runtime.InvalidEntrypoint"


def test_init_error(server):
    answer = server.invoke("Init")
    assert answer.header("x-amz-function-error") == "Unhandled"
    assert answer.json() == {"errorMessage": "no luck", "errorType": "Function.NoLuck", "stackTrace": []}


RIC_APP = """
def handler(event, context):
    if event.get("fail"):
        raise KeyError("asked for")
    print("from the function")
    return {"event": event, "id": context.aws_request_id, "arn": context.invoked_function_arn,
            "left": context.get_remaining_time_in_millis() > 0, "context": context.client_context is not None}
"""


def test_awslambdaric(serve, project):
    site = next(path for path in sys.path if path.endswith("site-packages"))
    assert (pathlib.Path(site) / "awslambdaric").is_dir()
    project.file("app/app.py", RIC_APP)
    project.file("app/bootstrap", f"""
        #!/bin/sh
        export PYTHONPATH="{site}:$LAMBDA_TASK_ROOT"
        exec {os.path.realpath(sys.executable)} -m awslambdaric "$_HANDLER"
        """, 0o755)
    server = serve(project.template("""
        Resources:
          Ric:
            Type: AWS::Serverless::Function
            Properties: {Runtime: provided.al2023, Handler: app.handler, CodeUri: app, Timeout: 20}
        """))
    for number in range(5):
        answer = server.invoke("Ric", json.dumps({"n": number}), {"X-Amz-Log-Type": "Tail"})
        assert answer.header("x-amz-function-error") is None, answer.text
        seen = answer.json()
        assert seen["event"] == {"n": number}
        assert seen["id"] == answer.header("x-amzn-requestid")
        assert seen["arn"] == "arn:aws:lambda:us-east-1:000000000000:function:Ric"
        assert seen["left"] is True
        assert b"from the function" in base64.b64decode(answer.header("x-amz-log-result"))
    failed = server.invoke("Ric", b'{"fail": true}')
    assert failed.header("x-amz-function-error") == "Unhandled"
    assert failed.json()["errorType"] == "KeyError"
    assert server.invoke("Ric", b"{}").header("x-amz-function-error") is None
