"""Where an event's outcome goes, and in which exact form it arrives."""

import json
import os
import re
import time

import pytest

from events import Events, Ledger, config, stage
from headgate import wait_for
from servers import free_port

ACCOUNT = "000000000000"
ARN = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:"
SECRET = "it is a secret"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


TYPES = {"sqs": "SQS", "sns": "SNS", "events": "EventBridge", "lambda": "Lambda", "s3": "S3Bucket"}


def described(target):
    """A destination as SAM wants it: ARNs with their type."""
    kind = target.split(":")[2] if target.startswith("arn:") else None
    return {"Destination": target, **({"Type": TYPES[kind]} if kind else {})}


def arn(service, name):
    return f"arn:aws:{service}:us-east-1:{ACCOUNT}:{name}"


@pytest.fixture(scope="module")
def ledger(tmp_path_factory, engine):
    return Ledger(tmp_path_factory.mktemp("ledger"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory, engine):
    return tmp_path_factory.mktemp("records")


@pytest.fixture(scope="module")
def aws(moto, engine):
    """Queues, topics and buckets of this engine's tests."""
    moto.reset()
    sqs, sns = moto.client("sqs"), moto.client("sns")
    for name in ("good", "bad", "dead", "both", "from-topic", "dead-from-topic", "from-bus"):
        sqs.create_queue(QueueName=name)
    for topic, queue in (("results", "from-topic"), ("dead-topic", "dead-from-topic")):
        sns.create_topic(Name=topic)
        sns.subscribe(TopicArn=arn("sns", topic), Protocol="sqs", Endpoint=arn("sqs", queue))
    bridge = moto.client("events")
    bridge.create_event_bus(Name="results")
    bridge.put_rule(Name="all", EventBusName="results", EventPattern=json.dumps({"source": ["lambda"]}))
    bridge.put_targets(Rule="all", EventBusName="results", Targets=[{"Id": "1", "Arn": arn("sqs", "from-bus")}])
    moto.client("s3").create_bucket(Bucket="records")
    return moto


@pytest.fixture(scope="module")
def broker(request):
    """None in a run without Kafka, such as one under ThreadSanitizer, which librdkafka's threads do not stand."""
    engines = os.environ.get("HEADGATE_TEST_ENGINES", "kafka")
    return request.getfixturevalue("kafka_broker") if "kafka" in engines else None


@pytest.fixture(scope="module")
def server(serve_module, engine, ledger, folder, aws, webhook, redis_server, broker):
    def to(success=None, failure=None, **more):
        destinations = {}
        if success:
            destinations["OnSuccess"] = described(success)
        if failure:
            destinations["OnFailure"] = described(failure)
        return {"EventInvokeConfig": {"MaximumRetryAttempts": 0, "DestinationConfig": destinations}, **more}

    hook = webhook.url(f"/{engine.name}")
    if broker:
        broker.create_topic(f"records-{engine.name}")
    redis_server.client().delete("records", "list")
    template = stage(serve_module.project(), ledger, {
        "hooked": to(hook, hook, AutoPublishAlias="live"),
        "filed": to(f"file://{folder}", f"file://{folder}"),
        "streamed": to(redis_server.url() + "?stream=records", redis_server.url() + "?stream=records"),
        "listed": to(redis_server.url() + "?list=list", redis_server.url() + "?list=list"),
        "topical": to(f"kafka://records-{engine.name}", f"kafka://records-{engine.name}"),
        "chained": to(ARN + "next", ARN + "next"),
        "next": {},
        "queued": to(arn("sqs", "good"), arn("sqs", "bad")),
        "told": to(arn("sns", "results"), arn("sns", "results")),
        "bussed": to(arn("events", "event-bus/results"), arn("events", "event-bus/results")),
        "stored": to(None, "arn:aws:s3:::records"),
        "buried": {"DeadLetterQueue": {"Type": "SQS", "TargetArn": arn("sqs", "dead")},
                   "EventInvokeConfig": {"MaximumRetryAttempts": 0}},
        "announced": {"DeadLetterQueue": {"Type": "SNS", "TargetArn": arn("sns", "dead-topic")},
                      "EventInvokeConfig": {"MaximumRetryAttempts": 0}},
        "both": to(None, hook + "/both", DeadLetterQueue={"Type": "SQS", "TargetArn": arn("sqs", "both")}),
        "zero": {"ReservedConcurrentExecutions": 0, "DeadLetterQueue": {"Type": "SQS", "TargetArn": arn("sqs", "dead")}},
        "mended": to(),
        "flaky": to(hook + "/flaky"),
        "lost": to(f"http://127.0.0.1:{free_port()}/nobody"),
        "missing": to(None, arn("sqs", "missing")),
    })
    return serve_module(
        template, *engine.options(), "--retry-scale", "0.02", "--isolation", "none",
        "--queue-option", f"kafka.bootstrap.servers=127.0.0.1:{broker.port if broker else free_port()}",
        env={**aws.environment, "HEADGATE_WEBHOOK_SECRET": SECRET})


@pytest.fixture
def events(server):
    return Events(server)


def expected(request_id, function, payload, condition, count, response, qualifier="$LATEST", version="$LATEST"):
    """The record but for its timestamp, keys in order."""
    context = {"statusCode": 200, "executedVersion": version}
    if condition != "Success":
        context["functionError"] = "Unhandled"
    return {"version": "1.0", "timestamp": None,
            "requestContext": {"requestId": request_id, "functionArn": f"{ARN}{function}:{qualifier}",
                               "condition": condition, "approximateInvokeCount": count},
            "requestPayload": payload, "responseContext": context, "responsePayload": response}


def same(text, record):
    """Holds that the text is the record, byte for byte but for the time, in compact JSON."""
    found = json.loads(text)
    assert TIME.fullmatch(found["timestamp"])
    taken = {**record, "timestamp": found["timestamp"]}
    text = text.decode() if isinstance(text, bytes) else text
    assert text.rstrip("\n") == json.dumps(taken, separators=(",", ":"), ensure_ascii=False)


def with_trace(record, text):
    """A function error's document holds a stack trace, which is not compared."""
    found = json.loads(text)["responsePayload"]
    assert list(found)[:2] == ["errorMessage", "errorType"]
    assert (found["errorMessage"], found["errorType"]) == ("no stock", "StockError")
    return {**record, "responsePayload": found}


PAYLOAD = {"orderId": 7, "text": "ü \"quoted\" / \\ \u2028", "float": 1.5, "none": None, "list": [1, [2]]}


def outcomes(events, function, **more):
    """One success and one failure: (request id, expected record) of each."""
    good, bad = {**PAYLOAD, "value": {"ok": [1, None]}}, {**PAYLOAD, "do": ["raise"]}
    succeeded = events.publish(function, good, **more)
    failed = events.publish(function, bad, **more)
    return ((succeeded, expected(succeeded, function, good, "Success", 1, {"ok": [1, None]})),
            (failed, expected(failed, function, bad, "RetriesExhausted", 1, None)))


def check_both(texts, success, failure):
    by_id = {json.loads(text)["requestContext"]["requestId"]: text for text in texts}
    same(by_id[success[0]], success[1])
    same(by_id[failure[0]], with_trace(failure[1], by_id[failure[0]]))


def receive(moto, queue, count, timeout=20):
    sqs = moto.client("sqs")
    found, deadline = [], time.monotonic() + timeout
    while len(found) < count:
        assert time.monotonic() < deadline, f"{queue}: {len(found)} of {count} messages"
        answer = sqs.receive_message(QueueUrl=f"{moto.url}/{ACCOUNT}/{queue}", MaxNumberOfMessages=10,
                                     MessageAttributeNames=["All"], AttributeNames=["All"])
        for message in answer.get("Messages", []):
            found.append(message)
            sqs.delete_message(QueueUrl=f"{moto.url}/{ACCOUNT}/{queue}", ReceiptHandle=message["ReceiptHandle"])
        time.sleep(0.05)
    return found


def test_webhook(events, webhook, engine):
    success, failure = outcomes(events, "hooked")
    for request_id, _ in (success, failure):
        assert events.wait(request_id)["targets"] == []
    # The config of a function with AutoPublishAlias belongs to the alias.
    success, failure = outcomes(events, "hooked", qualifier="live")
    for _, record in (success, failure):
        record["requestContext"]["functionArn"] = ARN + "hooked:live"
        record["responseContext"]["executedVersion"] = "1"
    requests = webhook.wait(f"/{engine.name}", 2)
    check_both([each.body for each in requests], success, failure)
    for each in requests:
        assert each.header("Content-Type") == "application/json"
        assert each.is_signed_with(SECRET)
        assert each.header("X-Headgate-Request-Id") == each.json()["requestContext"]["requestId"]
    life = events.wait(success[0], "delivered")
    [target] = life["targets"]
    assert (target["role"], target["state"], target["tries"]) == ("on_success", "done", 1)
    assert target["target"] == webhook.url(f"/{engine.name}")


def test_directory(events, folder):
    success, failure = outcomes(events, "filed")
    for request_id, _ in (success, failure):
        events.wait(request_id, "delivered")
    names = sorted(path.name for path in folder.iterdir())
    assert len(names) == 2 and all(not name.startswith(".") for name in names)
    check_both([(folder / name).read_bytes() for name in names], success, failure)


def test_redis_stream(events, redis_server):
    success, failure = outcomes(events, "streamed")
    for request_id, _ in (success, failure):
        events.wait(request_id, "delivered")
    entries = redis_server.client().xrange("records")
    texts = [next(value for value in fields.values() if value.startswith(b"{")) for _, fields in entries]
    check_both(texts, success, failure)


def test_redis_list(events, redis_server):
    success, failure = outcomes(events, "listed")
    for request_id, _ in (success, failure):
        events.wait(request_id, "delivered")
    check_both(redis_server.client().lrange("list", 0, -1), success, failure)


def test_kafka_topic(events, broker, engine):
    if not broker:
        pytest.skip("a run without Kafka")
    success, failure = outcomes(events, "topical")
    for request_id, _ in (success, failure):
        events.wait(request_id, "delivered")
    messages = broker.read(f"records-{engine.name}", 2)
    check_both([value for _, value, _ in messages], success, failure)


def test_another_function(events, ledger):
    success, _ = outcomes(events, "chained")
    events.wait(success[0], "delivered")

    def runs():
        return [line for line in ledger.lines() if line["arn"] == ARN + "next"
                and line["event"]["requestContext"]["requestId"] == success[0]]
    [run] = wait_for(runs, "the next function to run", 20)
    same(json.dumps(run["event"], separators=(",", ":"), ensure_ascii=False), success[1])
    assert run["id"] != success[0]


def test_sqs(events, aws):
    success, failure = outcomes(events, "queued")
    [good] = receive(aws, "good", 1)
    [bad] = receive(aws, "bad", 1)
    check_both([good["Body"], bad["Body"]], success, failure)
    assert "MessageAttributes" not in good and "MessageAttributes" not in bad
    assert "AWSTraceHeader" in good["Attributes"]
    life = events.wait(success[0], "delivered")
    assert good["MessageId"] in life["targets"][0]["receipt"]


def test_sns(events, aws):
    success, failure = outcomes(events, "told")
    messages = [json.loads(each["Body"]) for each in receive(aws, "from-topic", 2)]
    assert {each["TopicArn"] for each in messages} == {arn("sns", "results")}
    check_both([each["Message"] for each in messages], success, failure)


def test_eventbridge(events, aws):
    success, failure = outcomes(events, "bussed")
    envelopes = [json.loads(each["Body"]) for each in receive(aws, "from-bus", 2)]
    details = {each["detail"]["requestContext"]["requestId"]: each for each in envelopes}
    good, bad = details[success[0]], details[failure[0]]
    assert good["detail-type"] == "Lambda Function Invocation Result - Success"
    assert bad["detail-type"] == "Lambda Function Invocation Result - Failure"
    assert good["source"] == bad["source"] == "lambda"
    assert good["resources"] == [arn("events", "event-bus/results"), ARN + "bussed:$LATEST"]
    assert good["detail"] == {**success[1], "timestamp": good["detail"]["timestamp"]}
    assert bad["detail"]["responsePayload"]["errorMessage"] == "no stock"


def test_s3(events, aws):
    failure = outcomes(events, "stored")[1]
    events.wait(failure[0], "delivered")
    s3 = aws.client("s3")
    [entry] = s3.list_objects_v2(Bucket="records")["Contents"]
    assert re.fullmatch(r"aws/lambda/async/stored/(\d{4})/(\d\d)/(\d\d)/\1-\2-\3T\d\d\.\d\d\.\d\d-"
                        r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", entry["Key"])
    text = s3.get_object(Bucket="records", Key=entry["Key"])["Body"].read()
    same(text, with_trace(failure[1], text))


def test_dead_letter_queue(events, aws):
    payload = '{"spaces" : [1,  2], "do":["raise"]}'
    request_id = events.publish("buried", payload)
    [message] = receive(aws, "dead", 1)
    # The event itself, not a record of it.
    assert json.loads(message["Body"]) == json.loads(payload)
    assert {name: (value["DataType"], value["StringValue"]) for name, value in message["MessageAttributes"].items()} == {
        "RequestID": ("String", request_id), "ErrorCode": ("Number", "200"), "ErrorMessage": ("String", "no stock")}
    [target] = events.wait(request_id, "delivered")["targets"]
    assert target["role"] == "dead_letter"


def test_dead_letter_topic(events, aws):
    request_id = events.publish("announced", {"do": ["raise"], "n": 1})
    [message] = receive(aws, "dead-from-topic", 1)
    body = json.loads(message["Body"])
    assert json.loads(body["Message"]) == {"do": ["raise"], "n": 1}
    assert {name: (value["Type"], value["Value"]) for name, value in body["MessageAttributes"].items()} == {
        "RequestID": ("String", request_id), "ErrorCode": ("Number", "200"), "ErrorMessage": ("String", "no stock")}


def test_error_message_is_cut_to_a_kilobyte(events, aws):
    """Of an event that never ran there is no response to take it from."""
    request_id = events.publish("zero", {"n": 2})
    [message] = receive(aws, "dead", 1)
    assert message["MessageAttributes"]["RequestID"]["StringValue"] == request_id
    assert message["MessageAttributes"]["ErrorCode"]["StringValue"] == "429"
    assert len(message["MessageAttributes"]["ErrorMessage"]["StringValue"].encode()) <= 1024


def test_destination_and_dead_letter_queue(events, aws, webhook, engine):
    request_id = events.publish("both", {"do": ["raise"]})
    life = events.wait(request_id, "delivered")
    [record] = webhook.taken(f"/{engine.name}/both")
    assert record.json()["requestContext"]["requestId"] == request_id
    [message] = receive(aws, "both", 1)
    assert json.loads(message["Body"]) == {"do": ["raise"]}
    assert [(target["role"], target["state"]) for target in life["targets"]] == [
        ("on_failure", "done"), ("dead_letter", "done")]


def test_delivery_is_tried_again(events, webhook, engine):
    webhook.fail(500, 2)
    webhook.fail(429, 1, {"Retry-After": "1"})
    request_id = events.publish("flaky")
    life = events.wait(request_id, "delivered")
    assert life["targets"][0]["tries"] == 4
    assert len(webhook.taken(f"/{engine.name}/flaky")) == 1
    assert life["tries"] == 1


def test_what_cannot_be_delivered_is_kept(server, events, webhook, engine, ledger):
    """4xx is a final word: the event is dead with the reason; once the target is mended, a redrive delivers."""
    path = f"/{engine.name}/mended"
    config(server, "mended", DestinationConfig={"OnSuccess": {"Destination": webhook.url(path)}})
    webhook.fail(403, 1)
    request_id = events.publish("mended", {"n": 1})
    life = events.wait(request_id, "dead")
    assert "403" in life["why"] and life["last_error"]
    assert life["targets"][0]["state"] == "failed"
    answer = events.change(f"/{request_id}/redrive")
    assert answer.status == 200, answer.body
    life = events.wait(request_id, "delivered")
    assert life["redrives"] == 1
    [record] = webhook.taken(path)
    assert record.json()["requestContext"]["requestId"] == request_id


def test_missing_queue_makes_it_dead(events):
    request_id = events.publish("missing", {"do": ["raise"]})
    life = events.wait(request_id, "dead")
    assert "missing" in life["why"] or "NonExistentQueue" in life["why"] or "not exist" in life["why"], life["why"]


def test_unreachable_target_does_not_hold_up_others(events):
    """It goes on being tried; meanwhile the function's next events run, and other targets get theirs."""
    stuck = [events.publish("lost", {"n": n}) for n in range(20)]
    for request_id in stuck:
        events.wait(request_id, "retrying")
    success, _ = outcomes(events, "filed")
    assert events.wait(success[0], "delivered", 10)
    life = events.get(stuck[0])
    assert life["tries"] == 1 and life["targets"][0]["state"] == "pending" and life["targets"][0]["error"]


def test_trace_header_and_metrics(server, events):
    def failures():
        return sum(value for name, value in server.metrics().items()
                   if "delivery_failures" in name.lower() or "deliveryfailures" in name.lower())
    before = failures()
    request_id = events.publish("missing", {"do": ["raise"]})
    events.wait(request_id, "dead")
    assert failures() > before
