"""The Lambda API on the management port: plain HTTP, boto3, and the aws command."""

import base64
import json
import pathlib
import re
import subprocess
import sys
import threading

import boto3
import botocore.config
import botocore.exceptions
import pytest

from headgate import clean_env

APP_PY = """
import time


def handler(event, context):
    if isinstance(event, dict) and "sleep" in event:
        time.sleep(event["sleep"])
    if isinstance(event, dict) and event.get("log"):
        print("line " * 2000)
        print("the last line")
    return {"event": event, "arn": context.invoked_function_arn, "version": context.function_version}
"""
ARN = "arn:aws:lambda:us-east-1:000000000000:function:"
MEBI = 1024 * 1024


@pytest.fixture(scope="module")
def server(serve_module):
    project = serve_module.project()
    project.file("src/app.py", APP_PY)
    return serve_module(project.template("""
        Globals: {Function: {Handler: app.handler, Runtime: python3.12, CodeUri: src, Timeout: 10}}
        Resources:
          Orders:
            Type: AWS::Serverless::Function
            Properties:
              FunctionName: orders
              Description: takes orders
              MemorySize: 256
              Environment: {Variables: {STAGE: test}}
          Single: {Type: AWS::Serverless::Function, Properties: {FunctionName: single, ReservedConcurrentExecutions: 1}}
          Closed: {Type: AWS::Serverless::Function, Properties: {FunctionName: closed, ReservedConcurrentExecutions: 0}}
          Live: {Type: AWS::Serverless::Function, Properties: {FunctionName: live, AutoPublishAlias: prod}}
        """))


@pytest.fixture(scope="module")
def aws(server):
    return boto3.client(
        "lambda", endpoint_url=server.management_url, region_name="us-east-1", aws_access_key_id="test",
        aws_secret_access_key="test", config=botocore.config.Config(retries={"max_attempts": 1, "mode": "standard"}))


def test_invoke(server):
    answer = server.invoke("orders", b'{"id":7}')
    assert answer.status == 200
    assert answer.header("content-type") == "application/json"
    assert answer.header("x-amz-executed-version") == "$LATEST"
    assert answer.header("x-amz-function-error") is None
    assert answer.header("x-amz-log-result") is None
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", answer.header("x-amzn-requestid"))
    assert answer.header("x-amzn-trace-id").startswith("Root=1-")
    assert answer.header("content-length") == str(len(answer.body))
    assert answer.json() == {"event": {"id": 7}, "arn": ARN + "orders", "version": "$LATEST"}


@pytest.mark.parametrize("name, arn", [
    ("orders", "orders"),
    ("orders:$LATEST", "orders:$LATEST"),
    ("function:orders", "orders"),
    ("000000000000:function:orders", "orders"),
    (ARN + "orders", "orders"),
    (ARN + "orders:$LATEST", "orders:$LATEST"),
    ("arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Aorders", "orders"),
    ("live:prod", "live:prod"),
])
def test_names(server, name, arn):
    answer = server.invoke(name)
    assert answer.status == 200, answer.text
    assert answer.json()["arn"] == ARN + arn


def test_qualifier(server):
    assert server.invoke("orders", qualifier="$LATEST").json()["arn"] == ARN + "orders:$LATEST"
    assert server.invoke("orders:$LATEST", qualifier="$LATEST").status == 200
    answer = server.invoke("live:prod", qualifier="$LATEST")
    assert answer.status == 400
    assert answer.header("x-amzn-errortype") == "InvalidParameterValueException"
    assert answer.json() == {
        "Type": "User",
        "message": "The derived qualifier from the function name does not match the specified qualifier."}


def test_dry_run(server):
    answer = server.invoke("orders", headers={"X-Amz-Invocation-Type": "DryRun"})
    assert (answer.status, answer.body) == (204, b"")
    assert answer.header("x-amz-executed-version") is None
    assert server.invoke("absent", headers={"X-Amz-Invocation-Type": "DryRun"}).status == 404


def test_event(server):
    answer = server.invoke("orders", headers={"X-Amz-Invocation-Type": "Event", "X-Amz-Client-Context": "ignored!"})
    assert (answer.status, answer.body) == (202, b"")
    assert answer.header("x-amz-executed-version") is None
    assert answer.header("x-amzn-trace-id").startswith("Root=1-")
    life = server.manage("GET", "/_headgate/events/" + answer.header("x-amzn-requestid")).json()
    assert (life["function"], life["payload"]) == ("orders", {})


def test_event_is_checked_at_once(server):
    event = {"X-Amz-Invocation-Type": "Event"}
    assert server.invoke("absent", headers=event).json()["Message"] == f"Function not found: {ARN}absent:$LATEST"
    assert server.invoke("orders", b"{", headers=event).header("x-amzn-errortype") == "InvalidRequestContentException"
    # Too large comes before not JSON, that before no function.
    answer = server.invoke("absent", b"x" * (MEBI + 1), headers=event)
    assert (answer.status, answer.json()) == (413, {"Message": (
        "1048577 byte payload is too large for the Event invocation type (limit 1048576 bytes)")})
    assert server.invoke("absent", b"x", headers=event).status == 400
    answer = server.manage("POST", "/2014-11-13/functions/orders/invoke-async", body=b'"' + b"x" * 262143 + b'"')
    assert answer.status == 413
    assert "(limit 262144 bytes)" in answer.json()["Message"]
    answer = server.invoke("orders", headers={**event, "Idempotency-Key": "a", "X-Headgate-Dedup-Id": "b"})
    assert answer.status == 400
    assert answer.json()["message"] == "X-Headgate-Dedup-Id: the request has another key already"


def test_a_chain_that_goes_round_is_stopped(server):
    """Each call hands on the trace header that the one before was given."""
    trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0"
    for run in range(16):
        answer = server.invoke("orders", headers={"X-Amzn-Trace-Id": trace})
        assert answer.status == 200
        trace = answer.header("x-amzn-trace-id")
        assert re.search(rf"Lineage=1:[0-9a-f]{{8}}:{run}$", trace)
    answer = server.invoke("orders", headers={"X-Amzn-Trace-Id": trace})
    assert (answer.status, answer.header("x-amzn-errortype")) == (400, "RecursiveInvocationException")
    assert answer.json()["Type"] == "User"
    assert server.invoke("live", headers={"X-Amzn-Trace-Id": trace}).status == 200


def test_unknown_invocation_type(server):
    answer = server.invoke("orders", headers={"X-Amz-Invocation-Type": "Later"})
    assert answer.status == 400
    assert answer.header("x-amzn-errortype") == "ValidationException"
    assert answer.json() == {"message": (
        "1 validation error detected: Value 'Later' at 'invocationType' failed to satisfy constraint: "
        "Member must satisfy enum value set: [Event, RequestResponse, DryRun]")}


@pytest.mark.parametrize("name, arn", [
    ("absent", "absent:$LATEST"), ("orders:nope", "orders:nope"), ("orders:7", "orders:7")])
def test_unknown_function(server, name, arn):
    answer = server.invoke(name)
    assert answer.status == 404
    assert answer.header("x-amzn-errortype") == "ResourceNotFoundException"
    assert answer.json() == {"Type": "User", "Message": f"Function not found: {ARN}{arn}"}


def test_function_of_another_region(server):
    answer = server.invoke("arn:aws:lambda:eu-west-1:000000000000:function:orders")
    assert answer.status == 404
    assert answer.json()["Message"] == "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')"


def test_function_of_another_account(server):
    answer = server.invoke("arn:aws:lambda:us-east-1:111122223333:function:orders")
    assert answer.status == 403
    assert answer.header("x-amzn-errortype") == "AccessDeniedException"
    assert answer.json() == {"Message": None}


@pytest.mark.parametrize("payload", [b"{", b"nul", b"\x99", b'{"a":1}x', b'{"a":\x80}', b"'a'"])
def test_payload_that_is_not_json(server, payload):
    answer = server.invoke("orders", payload)
    assert answer.status == 400
    assert answer.header("x-amzn-errortype") == "InvalidRequestContentException"
    said = answer.json()
    assert said["Type"] == "User"
    assert said["message"].startswith("Could not parse request body into json: Could not parse payload into json: ")


def test_payload_without_content_type_and_empty(server):
    assert server.invoke("orders", b"").json()["event"] == {}
    assert server.manage("POST", "/2015-03-31/functions/orders/invocations").json()["event"] == {}


def test_payload_too_large(server):
    payload = json.dumps("x" * (6 * MEBI)).encode()
    answer = server.invoke("orders", payload)
    assert answer.status == 413
    assert answer.header("x-amzn-errortype") == "RequestEntityTooLargeException"
    said = answer.json()
    assert (said.get("message") or said.get("Message")) == (
        f"{len(payload)} byte payload is too large for the RequestResponse invocation type (limit 6291456 bytes)")
    assert "Type" not in said


def test_largest_payload(server):
    payload = json.dumps("x" * (6 * MEBI - 2)).encode()
    assert len(payload) == 6 * MEBI
    answer = server.invoke("orders", payload)
    assert answer.status == 200
    # The answer wraps the event and so is over the limit of an answer: that is the function's error.
    assert answer.header("x-amz-function-error") in (None, "Unhandled")


def test_log_tail_is_the_last_four_kibibytes(server):
    answer = server.invoke("orders", b'{"log":true}', {"X-Amz-Log-Type": "Tail"})
    tail = base64.b64decode(answer.header("x-amz-log-result"))
    assert 3000 < len(tail) <= 4096
    assert b"the last line\n" in tail
    assert tail.endswith(b"\t\n")


def test_throttled(server):
    answer = server.invoke("closed")
    assert answer.status == 429
    assert answer.header("x-amzn-errortype") == "TooManyRequestsException"
    assert answer.header("retry-after") == "1"
    assert answer.body == (b'{"Reason":"ReservedFunctionConcurrentInvocationLimitExceeded","Type":"User",'
                           b'"message":"Rate Exceeded."}')


def test_unknown_path(server):
    answer = server.manage("GET", "/2015-03-31/nothing-here")
    assert answer.status == 404
    assert answer.header("x-amzn-requestid")


def test_boto3_invoke(aws):
    answer = aws.invoke(FunctionName="orders", Payload=json.dumps({"id": 1}), LogType="Tail",
                        ClientContext=base64.b64encode(b'{"custom":{}}').decode())
    assert answer["StatusCode"] == 200
    assert answer["ExecutedVersion"] == "$LATEST"
    assert "FunctionError" not in answer
    assert json.loads(answer["Payload"].read())["event"] == {"id": 1}
    assert b"END RequestId: " in base64.b64decode(answer["LogResult"])


def test_boto3_alias(aws):
    answer = aws.invoke(FunctionName="live", Qualifier="prod")
    assert answer["ExecutedVersion"] == "1"
    said = json.loads(answer["Payload"].read())
    assert said["arn"] == ARN + "live:prod"
    assert said["version"] == "1"


def test_boto3_errors(aws):
    with pytest.raises(aws.exceptions.ResourceNotFoundException) as caught:
        aws.invoke(FunctionName="absent")
    assert caught.value.response["Error"]["Message"] == f"Function not found: {ARN}absent:$LATEST"
    with pytest.raises(aws.exceptions.TooManyRequestsException) as caught:
        aws.invoke(FunctionName="closed")
    assert caught.value.response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    with pytest.raises(aws.exceptions.InvalidRequestContentException):
        aws.invoke(FunctionName="orders", Payload=b"{")
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        aws.invoke(FunctionName="orders", Payload=json.dumps("x" * (6 * MEBI)))
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413


def test_boto3_get_function(aws):
    said = aws.get_function(FunctionName="orders")
    configuration = said["Configuration"]
    assert configuration["FunctionName"] == "orders"
    assert configuration["FunctionArn"] == ARN + "orders"
    assert configuration["Runtime"] == "python3.12"
    assert configuration["Handler"] == "app.handler"
    assert configuration["Description"] == "takes orders"
    assert configuration["Timeout"] == 10
    assert configuration["MemorySize"] == 256
    assert configuration["Version"] == "$LATEST"
    assert configuration["State"] == "Active"
    assert configuration["LastUpdateStatus"] == "Successful"
    assert configuration["PackageType"] == "Zip"
    assert configuration["Architectures"] == ["x86_64"]
    assert configuration["EphemeralStorage"] == {"Size": 512}
    assert configuration["TracingConfig"] == {"Mode": "PassThrough"}
    assert configuration["SnapStart"] == {"ApplyOn": "None", "OptimizationStatus": "Off"}
    assert configuration["LoggingConfig"] == {"LogFormat": "Text", "LogGroup": "/aws/lambda/orders"}
    assert configuration["Environment"] == {"Variables": {"STAGE": "test"}}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000", configuration["LastModified"])
    assert len(base64.b64decode(configuration["CodeSha256"])) == 32
    assert said["Code"]["RepositoryType"] == "S3"
    assert aws.get_function(FunctionName="single")["Concurrency"] == {"ReservedConcurrentExecutions": 1}


def test_boto3_get_function_configuration(aws):
    configuration = aws.get_function_configuration(FunctionName="orders", Qualifier="$LATEST")
    assert configuration["FunctionArn"] == ARN + "orders:$LATEST"
    for operation in (aws.get_function, aws.get_function_configuration):
        with pytest.raises(aws.exceptions.ResourceNotFoundException) as caught:
            operation(FunctionName="absent")
        assert caught.value.response["Error"]["Message"] == f"Function not found: {ARN}absent"


def test_boto3_list_functions(aws):
    functions = aws.list_functions()["Functions"]
    assert {item["FunctionName"] for item in functions} == {"orders", "single", "closed", "live"}
    assert all("State" not in item and "LastUpdateStatus" not in item for item in functions)


def test_boto3_list_functions_by_pages(aws):
    seen = []
    for page in aws.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 1}):
        assert len(page["Functions"]) <= 1
        seen += [item["FunctionName"] for item in page["Functions"]]
    assert sorted(seen) == ["closed", "live", "orders", "single"]


def test_boto3_account_settings(aws):
    said = aws.get_account_settings()
    assert said["AccountLimit"]["ConcurrentExecutions"] >= 1
    assert said["AccountUsage"]["FunctionCount"] == 4


def test_boto3_waiters(aws):
    aws.get_waiter("function_active_v2").wait(FunctionName="orders")
    aws.get_waiter("function_updated_v2").wait(FunctionName="orders")


def events_of(answer):
    """The chunks put together, and the last event."""
    events = list(answer["EventStream"])
    assert all("PayloadChunk" in event for event in events[:-1])
    return b"".join(event["PayloadChunk"]["Payload"] for event in events[:-1]), events[-1]["InvokeComplete"]


def test_boto3_stream(aws):
    answer = aws.invoke_with_response_stream(FunctionName="live", Qualifier="prod", Payload=b'{"id":1}')
    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "1")
    payload, complete = events_of(answer)
    assert json.loads(payload) == {"event": {"id": 1}, "arn": ARN + "live:prod", "version": "1"}
    assert complete == {}


def test_stream_headers(server):
    answer = server.manage("POST", "/2021-11-15/functions/orders/response-streaming-invocations", body=b"{}")
    assert answer.status == 200
    assert answer.header("content-type") == "application/vnd.amazon.eventstream"
    assert answer.header("x-amzn-remapped-content-type") == "application/json"
    assert answer.header("x-amzn-trace-id").startswith("Root=1-")
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", answer.header("x-amzn-requestid"))


def test_stream_log_and_error(aws):
    payload, complete = events_of(aws.invoke_with_response_stream(
        FunctionName="orders", LogType="Tail", Payload=b'{"log":true}'))
    assert json.loads(payload)["event"] == {"log": True}
    assert set(complete) == {"LogResult"}
    assert b"the last line\n" in base64.b64decode(complete["LogResult"])
    payload, complete = events_of(aws.invoke_with_response_stream(FunctionName="orders", Payload=b'{"sleep":"long"}'))
    assert payload == b""
    assert complete["ErrorCode"] == "Unhandled"
    assert json.loads(complete["ErrorDetails"])["errorType"] == "TypeError"


def test_stream_of_many_chunks(aws):
    text = "x" * 1_000_000
    payload, complete = events_of(aws.invoke_with_response_stream(FunctionName="orders", Payload=json.dumps([text]).encode()))
    assert json.loads(payload)["event"] == [text]
    assert complete == {}


def test_stream_dry_run_and_errors(aws):
    assert aws.invoke_with_response_stream(FunctionName="orders", InvocationType="DryRun")["StatusCode"] == 204
    with pytest.raises(aws.exceptions.ResourceNotFoundException) as caught:
        aws.invoke_with_response_stream(FunctionName="absent")
    assert caught.value.response["Error"]["Message"] == f"Function not found: {ARN}absent:$LATEST"
    with pytest.raises(aws.exceptions.TooManyRequestsException):
        aws.invoke_with_response_stream(FunctionName="closed")
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        aws.invoke_with_response_stream(FunctionName="orders", InvocationType="Event")
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    message = caught.value.response["Error"].get("Message") or caught.value.response["message"]
    assert message.endswith("enum value set: [RequestResponse, DryRun]")


def test_all_that_is_wrong_is_told(server):
    answer = server.invoke("orders", headers={"X-Amz-Invocation-Type": "Later", "X-Amz-Log-Type": "Loud"}, qualifier="")
    assert answer.status == 400
    assert answer.json()["message"].startswith("4 validation errors detected: Value 'Later' at 'invocationType' ")


def test_members_that_are_not_offered(server):
    for header, member in (("X-Amz-Tenant-Id", "TenantId"), ("X-Amz-Durable-Execution-Name", "DurableExecutionName")):
        answer = server.invoke("orders", headers={header: "a"})
        assert (answer.status, answer.header("x-amzn-errortype")) == (400, "InvalidParameterValueException")
        assert answer.json()["message"].startswith(member)


def test_no_published_version(server):
    answer = server.invoke("orders", qualifier="$LATEST.PUBLISHED")
    assert (answer.status, answer.header("x-amzn-errortype")) == (400, "NoPublishedVersionException")


def test_bad_names(server):
    answer = server.invoke("not%20a%20name")
    assert (answer.status, answer.header("x-amzn-errortype")) == (400, "ValidationException")
    assert answer.json()["message"].startswith("1 validation error detected: Value 'not a name' at 'functionName' failed to "
                                               "satisfy constraint: Member must satisfy regular expression pattern: (arn:(aws")
    assert server.invoke("orders%00x").header("x-amzn-errortype") == "SerializationException"
    assert server.invoke("orders", qualifier="%24LATEST%00").header("x-amzn-errortype") == "SerializationException"
    assert server.invoke("a" * 141).json()["message"].endswith("Member must have length less than or equal to 140")


def test_reserved_concurrency(server):
    statuses = []

    def call():
        statuses.append(server.invoke("single", b'{"sleep":1.5}').status)
    threads = [threading.Thread(target=call) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(statuses) <= {200, 429}
    assert 200 in statuses


def test_aws_command(server, tmp_path):
    command = [sys.executable, "-m", "awscli", "--endpoint-url", server.management_url, "--region", "us-east-1",
               "--output", "json", "lambda"]
    env = clean_env({"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
                     "AWS_CONFIG_FILE": str(tmp_path / "none"), "AWS_MAX_ATTEMPTS": "1"})

    def aws_lambda(*arguments):
        return subprocess.run([*command, *arguments], env=env, capture_output=True, text=True, timeout=60, check=False)

    out = tmp_path / "out.json"
    result = aws_lambda("invoke", "--function-name", "orders", "--log-type", "Tail", "--payload", '{"id": 3}', str(out))
    assert result.returncode == 0, result.stderr
    said = json.loads(result.stdout)
    assert said["StatusCode"] == 200
    assert said["ExecutedVersion"] == "$LATEST"
    assert b"REPORT" in base64.b64decode(said["LogResult"])
    assert json.loads(pathlib.Path(out).read_text())["event"] == {"id": 3}

    missing = aws_lambda("invoke", "--function-name", "absent", str(out))
    assert missing.returncode != 0
    assert "ResourceNotFoundException" in missing.stderr
    names = aws_lambda("list-functions", "--query", "Functions[].FunctionName")
    assert sorted(json.loads(names.stdout)) == ["closed", "live", "orders", "single"]


def test_headgate_invoke_command(server, tmp_path):
    """`headgate invoke` against the running server."""
    from headgate import run
    event = tmp_path / "event.json"
    event.write_text('{"id": 9}')
    result = run("invoke", "orders", "--event", event, "--api", f"127.0.0.1:{server.port('management')}")
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["event"] == {"id": 9}
    assert run("invoke", "absent", "--api", f"127.0.0.1:{server.port('management')}").returncode == 1
