"""What is accepted as an asynchronous event, what is not, and what the caller is told."""

import json
import os
import pathlib
import subprocess
import sys

import boto3
import botocore.config
import httpx
import pytest

import headgate as program
from events import EVENT, REQUEST_ID, Events, Ledger, stage

LIMIT = 1048576


@pytest.fixture(scope="module")
def ledger(tmp_path_factory, engine):
    return Ledger(tmp_path_factory.mktemp("ledger"))


@pytest.fixture(scope="module")
def server(serve_module, engine, ledger):
    template = stage(serve_module.project(), ledger, {
        "worker": {"AutoPublishAlias": "live"},
        "zero": {"ReservedConcurrentExecutions": 0},
    })
    return serve_module(template, *engine.options(), "--retry-scale", "0.01", "--isolation", "none")


@pytest.fixture
def events(server):
    return Events(server)


def boto(server):
    return boto3.client("lambda", endpoint_url=server.management_url, region_name="us-east-1",
                        aws_access_key_id="test", aws_secret_access_key="test",
                        config=botocore.config.Config(retries={"max_attempts": 0}))


def test_boto3(server, events, ledger):
    answer = boto(server).invoke(FunctionName="worker", InvocationType="Event", Payload=json.dumps({"n": 7}))
    assert answer["StatusCode"] == 202
    assert answer["Payload"].read() == b""
    assert "FunctionError" not in answer and "ExecutedVersion" not in answer
    request_id = answer["ResponseMetadata"]["RequestId"]
    events.wait(request_id, "delivered")
    [line] = ledger.lines(request_id)
    assert line["event"] == {"n": 7} and line["attempt"] == 1
    assert line["arn"] == "arn:aws:lambda:us-east-1:000000000000:function:worker"


def test_aws_command(server, events, ledger, tmp_path):
    aws = pathlib.Path(sys.executable).with_name("aws")
    result = subprocess.run(
        [str(aws), "lambda", "invoke", "--function-name", "worker", "--invocation-type", "Event",
         "--payload", '{"key": "from aws"}',
         "--endpoint-url", server.management_url, str(tmp_path / "out")],
        env={**os.environ, "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_DEFAULT_REGION": "us-east-1"},
        capture_output=True, text=True, timeout=50, check=False)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout) == {"StatusCode": 202}
    assert (tmp_path / "out").read_bytes() == b""
    program.wait_for(lambda: ledger.lines(key="from aws"), "the handler to run")


def test_wire(server, events, ledger):
    answer = events.try_publish("worker", b'{"a": 1}')
    assert (answer.status, answer.body) == (202, b"")
    assert answer.header("content-length") == "0"
    for name in ("x-amz-executed-version", "x-amz-function-error", "x-amz-log-result"):
        assert answer.header(name) is None
    assert REQUEST_ID.fullmatch(answer.header("x-amzn-requestid"))
    events.wait(answer.header("x-amzn-requestid"), "delivered")


def test_curl(server, events):
    result = subprocess.run(
        ["curl", "-sS", "-i", "-X", "POST", "-H", "X-Amz-Invocation-Type: Event", "-d", '{"key":"curl"}',
         server.management_url + "/2015-03-31/functions/worker/invocations"], capture_output=True,
        timeout=30, check=True)
    assert result.stdout.startswith(b"HTTP/1.1 202 ")
    assert result.stdout.endswith(b"\r\n\r\n")


def test_http2(server, events, ledger):
    with httpx.Client(http1=False, http2=True) as client:
        answers = [client.post(server.management_url + "/2015-03-31/functions/worker/invocations",
                               headers=EVENT, content=json.dumps({"n": n})) for n in range(5)]
    ids = [answer.headers["x-amzn-requestid"] for answer in answers]
    assert [answer.status_code for answer in answers] == [202] * 5
    assert {answer.http_version for answer in answers} == {"HTTP/2"}
    assert len(set(ids)) == 5
    for n, request_id in enumerate(ids):
        events.wait(request_id, "delivered")
        assert ledger.lines(request_id)[0]["event"] == {"n": n}


def test_invoke_async(server, ledger):
    answer = server.manage("POST", "/2014-11-13/functions/worker/invoke-async", body=b'{"key": "old"}')
    assert answer.status == 202
    assert answer.json() == {"Status": 202}
    program.wait_for(lambda: ledger.lines(key="old"), "the handler to run")


def test_empty_body_is_an_empty_object(events, ledger):
    request_id = events.publish("worker", b"")
    events.wait(request_id, "delivered")
    assert ledger.lines(request_id)[0]["event"] == {}


@pytest.mark.parametrize("value", [0, "text", None, True, [1, 2], 1.5, {"deep": {"ü": "☃", "nul": "\u0000"}}],
                         ids=["number", "string", "null", "true", "list", "fraction", "object"])
def test_any_json_value(events, ledger, value):
    request_id = events.publish("worker", json.dumps(value))
    life = events.wait(request_id, "delivered")
    assert life["payload"] == value
    if isinstance(value, dict):
        assert ledger.lines(request_id)[0]["event"] == value


def test_client_context_is_not_forwarded(events, ledger):
    request_id = events.publish("worker", headers={"X-Amz-Client-Context": "eyJjdXN0b20iOiB7ImEiOiAiYiJ9fQ=="})
    events.wait(request_id, "delivered")
    assert ledger.lines(request_id)[0]["context"] == "None"


@pytest.mark.parametrize("name", [
    "worker:live", "arn:aws:lambda:us-east-1:000000000000:function:worker",
    "arn:aws:lambda:us-east-1:000000000000:function:worker:1", "000000000000:function:worker:$LATEST"])
def test_names(events, ledger, name):
    request_id = events.publish(name.replace("$", "%24"))
    life = events.wait(request_id, "delivered")
    assert life["function"] == "worker"


def test_qualifier(events, ledger):
    request_id = events.publish("worker", qualifier="live")
    life = events.wait(request_id, "delivered")
    assert (life["qualifier"], life["executed_version"]) == ("live", "1")
    assert ledger.lines(request_id)[0]["arn"].endswith(":worker:live")


def test_unknown_function(events):
    answer = events.try_publish("nobody")
    assert answer.status == 404
    assert answer.header("x-amzn-errortype") == "ResourceNotFoundException"
    assert answer.json()["Message"] == "Function not found: arn:aws:lambda:us-east-1:000000000000:function:nobody:$LATEST"


def test_unknown_qualifier(events):
    assert events.try_publish("worker", qualifier="dead").status == 404
    assert events.try_publish("worker", qualifier="99").status == 404


@pytest.mark.parametrize("body", [b"{", b"nope", b"{} {}", b"\xff\xfe", b'{"a":1,}'])
def test_bad_json(events, body):
    answer = events.try_publish("worker", body)
    assert answer.status == 400
    assert answer.header("x-amzn-errortype") == "InvalidRequestContentException"


def test_largest_payload(events, ledger):
    body = json.dumps({"fill": ""})
    body = json.dumps({"fill": "x" * (LIMIT - len(body))})
    assert len(body) == LIMIT
    life = events.wait(events.publish("worker", body), "delivered")
    assert life["payload_bytes"] == LIMIT


def test_too_large_payload(events):
    answer = events.try_publish("worker", b'"' + b"x" * (LIMIT - 1) + b'"')
    assert answer.status == 413
    assert answer.header("x-amzn-errortype") == "RequestEntityTooLargeException"
    assert answer.json()["Message"] == (
        "1048577 byte payload is too large for the Event invocation type (limit 1048576 bytes)")


def test_zero_concurrency_is_accepted(events):
    events.publish("zero")


def test_idempotency_key(events, ledger):
    first = events.publish("worker", {"n": 1}, headers={"Idempotency-Key": "order-7"})
    again = events.publish("worker", {"n": 2}, headers={"Idempotency-Key": "order-7"})
    other = events.publish("worker", {"n": 3}, headers={"X-Headgate-Dedup-Id": "order-8"})
    assert first == again != other
    events.wait(first, "delivered")
    events.wait(other, "delivered")
    late = events.publish("worker", {"n": 4}, headers={"Idempotency-Key": "order-7"})
    assert late == first
    assert [line["event"] for line in ledger.lines(first)] == [{"n": 1}]


def test_idempotency_keys_belong_to_a_function(events):
    one = events.publish("worker", headers={"Idempotency-Key": "shared"})
    other = events.publish("zero", headers={"Idempotency-Key": "shared"})
    assert one != other


def test_many_at_once_with_one_key(events, ledger):
    from concurrent.futures import ThreadPoolExecutor
    with ThreadPoolExecutor(16) as pool:
        ids = set(pool.map(lambda _: events.publish("worker", headers={"Idempotency-Key": "stampede"}), range(48)))
    assert len(ids) == 1
    [request_id] = ids
    events.wait(request_id, "delivered")
    assert ledger.attempts(request_id) == 1


@pytest.mark.parametrize("key", ["", "x" * 129])
def test_bad_idempotency_key(events, key):
    answer = events.try_publish("worker", headers={"Idempotency-Key": key})
    assert answer.status == 400
    assert answer.header("x-amzn-errortype") == "InvalidParameterValueException"


def test_command_line(server, events, ledger, tmp_path):
    (tmp_path / "event.json").write_text('{"key": "cli"}')
    result = program.run("invoke", "worker", "--async", "--event", tmp_path / "event.json", "--api",
                         f"127.0.0.1:{server.port('management')}")
    assert result.returncode == 0, result.stderr
    request_id = REQUEST_ID.search(result.stdout + result.stderr).group()
    events.wait(request_id, "delivered")
    assert ledger.lines(request_id)[0]["key"] == "cli"
