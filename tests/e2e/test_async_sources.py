"""The other ways in: gateway routes, functions that call functions, chains that come back to themselves."""

import json
import time

import pytest

from events import EVENT, REQUEST_ID, Events, Ledger, stage
from headgate import wait_for
from servers import free_port

ARN = "arn:aws:lambda:us-east-1:000000000000:function:"
RUNS_MAX = 16  # of one function in one chain

# Hands its event on to itself, as the SDKs do: with the trace header of the invocation.
LOOP_PY = """
import os
import urllib.request


def handler(event, context):
    fd = os.open(os.environ["LEDGER"] + "/" + os.environ["NAME"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    os.write(fd, b"x")
    os.close(fd)
    request = urllib.request.Request(
        os.environ["ENDPOINT"] + "/2015-03-31/functions/" + context.function_name + "/invocations", data=b"{}",
        headers={"X-Amz-Invocation-Type": "Event", "X-Amzn-Trace-Id": os.environ["_X_AMZN_TRACE_ID"]})
    urllib.request.urlopen(request).close()
"""

REST = {
    "openapi": "3.0.1", "info": {"title": "rest", "version": "1"},
    "paths": {"/fire": {"post": {
        "responses": {"202": {"description": "accepted"}},
        "x-amazon-apigateway-integration": {
            "type": "aws", "httpMethod": "POST",
            "uri": "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/" + ARN + "fired/invocations",
            "requestParameters": {"integration.request.header.X-Amz-Invocation-Type": "'Event'"},
            "responses": {"default": {"statusCode": "202"}}}}},
        "/choose": {"post": {
            "responses": {"200": {"description": "whatever"}},
            "x-amazon-apigateway-integration": {
                "type": "aws", "httpMethod": "POST",
                "uri": "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/" + ARN + "fired/invocations",
                "requestParameters": {"integration.request.header.X-Amz-Invocation-Type":
                                      "method.request.header.Invocation-Type"},
                "responses": {"default": {"statusCode": "200"}}}}}}}


@pytest.fixture(scope="module")
def ledger(tmp_path_factory, engine):
    return Ledger(tmp_path_factory.mktemp("ledger"))


@pytest.fixture(scope="module")
def server(serve_module, engine, ledger, webhook):
    project = serve_module.project()
    project.file("src/loop.py", LOOP_PY)
    loop = {"Handler": "loop.handler"}
    hook = webhook.url(f"/{engine.name}")

    def looping(name, **more):
        return {**loop, "EventInvokeConfig": {"DestinationConfig": {"OnFailure": {"Destination": hook}}},
                "Environment": {"Variables": {"ENDPOINT": "http://127.0.0.1:$PORT", "NAME": name}}, **more}

    template = stage(project, ledger, {
        "fired": {},
        "webbed": {"Events": {"Any": {"Type": "HttpApi", "Properties": {"Path": "/any", "Method": "POST"}}}},
        "ping": {"EventInvokeConfig": {"DestinationConfig": {"OnSuccess": {"Type": "Lambda", "Destination": ARN + "pong"}}}},
        "pong": {"EventInvokeConfig": {"DestinationConfig": {"OnSuccess": {"Type": "Lambda", "Destination": ARN + "ping"}}}},
        "loop": looping("loop"),
        "shared": {"ReservedConcurrentExecutions": 1},
    }, Rest={"Type": "AWS::Serverless::Api", "Properties": {"StageName": "prod", "DefinitionBody": REST}})
    text = json.loads(template.read_text())
    text["Resources"]["webbed"]["Metadata"] = {"Headgate": {"InvocationType": "Event"}}
    port = free_port()
    template.write_text(json.dumps(text).replace("$PORT", str(port)))
    return serve_module(template, *engine.options(), "--retry-scale", "0.02", "--isolation", "none", api_port=port)


@pytest.fixture
def events(server):
    return Events(server)


def post(server, path, body, headers=()):
    return server.post(f"/prod{path}", body, {"Content-Type": "application/json", **dict(headers)})


def test_rest_route(server, events, ledger):
    answer = post(server, "/fire", b'{"key": "rest"}')
    assert answer.status == 202, answer.body
    [line] = wait_for(lambda: ledger.lines(key="rest"), "the handler to run", 20)
    assert line["event"] == {"key": "rest"}
    assert events.wait(line["id"], "delivered")["function"] == "fired"


def test_rest_route_whose_client_chooses(server, ledger):
    waited = post(server, "/choose", b'{"key": "sync", "value": {"n": 1}}', {"Invocation-Type": "RequestResponse"})
    assert (waited.status, waited.json()) == (200, {"n": 1})
    handed = post(server, "/choose", b'{"key": "async", "do": ["sleep:0.5"]}', {"Invocation-Type": "Event"})
    assert handed.status == 200 and handed.body in (b"", b"{}")
    wait_for(lambda: ledger.lines(key="async"), "the handler to run", 20)


def test_http_route(server, events, ledger):
    answer = server.post("/any", b'{"a": 1}', {"Content-Type": "application/json"})
    assert answer.status == 202 and answer.body in (b"", b"{}"), (answer.status, answer.body)

    def runs():
        return [line for line in ledger.lines() if line["arn"].endswith(":webbed")]
    [line] = wait_for(runs, "the handler to run", 20)
    assert line["event"]["body"] == '{"a": 1}' and line["event"]["version"] == "2.0"
    assert events.wait(line["id"], "delivered")["tries"] == 1


def test_chain_through_destinations_stops(server, events, ledger):
    events.publish("ping")

    def runs(function):
        return len([line for line in ledger.lines() if line["arn"] == ARN + function])
    wait_for(lambda: runs("pong") >= RUNS_MAX, "the chain to go on", 40)
    wait_for(lambda: [each for each in events.all() if each["condition"] not in (None, "Success")],
             "the chain to be stopped", 20)
    assert runs("ping") == runs("pong") == RUNS_MAX


def test_chain_through_the_api_stops(server, events, ledger, webhook, engine):
    events.publish("loop")
    [record] = webhook.wait(f"/{engine.name}", timeout=40)
    assert (ledger.folder / "loop").stat().st_size == RUNS_MAX
    record = record.json()
    assert record["requestContext"]["approximateInvokeCount"] == 0
    assert record["requestContext"]["condition"] not in ("Success", "RetriesExhausted", "EventAgeExceeded")
    assert "responseContext" not in record
    dropped = sum(value for name, value in server.metrics().items()
                  if "recursive_invocations_dropped" in name and '"loop"' in name)
    assert dropped == 1


def test_synchronous_chain_stops(server, ledger):
    """A caller that has to wait is told."""
    trace = "Root=1-5759e988-bd862e3fe1be46a994272793"
    counts = []
    for _ in range(RUNS_MAX + 2):
        answer = server.invoke("fired", b'{"key": "chain"}', {"X-Amzn-Trace-Id": trace})
        if answer.status == 400:
            assert answer.header("x-amzn-errortype") == "RecursiveInvocationException"
            break
        assert answer.status == 200
        trace = ledger.lines(key="chain")[-1]["trace"]
        counts.append(trace)
    assert len(counts) == RUNS_MAX
    assert all("Lineage=" in each for each in counts)


def test_synchronous_requests_go_first(events, server, ledger):
    """A hundred events wait for the one environment; a caller waits for at most the one that runs."""
    ids = [events.publish("shared", {"do": ["sleep:0.2"]}) for _ in range(100)]
    ledger.wait(ids[0])
    for _ in range(3):
        began = time.monotonic()
        answer = server.invoke("shared", b'{"key": "now", "value": 1}')
        assert answer.status == 200, answer.body
        assert time.monotonic() - began < 1.5
    assert len(ledger.lines(key="now")) == 3
    done = sum(ledger.attempts(request_id) for request_id in ids)
    assert done < 90, "the events were in no hurry to be overtaken"
    server.manage("POST", "/_headgate/events/purge?function=shared&state=queued,retrying", body=b"")
