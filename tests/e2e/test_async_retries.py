"""When an event is tried again, when it is given up, and what is then told."""

import datetime
import json
import time

import pytest

from events import Events, Ledger, config, quiet, stage, warm

SCALE = 0.02  # a minute is 1.2 s
MINUTE_S = 60 * SCALE
LATE_S = 3.0  # what a busy machine, or a tier of delays, may add

FAILURE = {"errorMessage": "no stock", "errorType": "StockError"}


@pytest.fixture(scope="module")
def ledger(tmp_path_factory, engine):
    return Ledger(tmp_path_factory.mktemp("ledger"))


@pytest.fixture(scope="module")
def server(serve_module, engine, ledger, webhook):
    def reporting(name, **more):
        return {"EventInvokeConfig": {"DestinationConfig": {
            "OnSuccess": {"Destination": webhook.url(f"/{engine.name}/{name}/success")},
            "OnFailure": {"Destination": webhook.url(f"/{engine.name}/{name}/failure")}}, **more}}

    template = stage(serve_module.project(), ledger, {
        "plain": reporting("plain"),
        "once": reporting("once", MaximumRetryAttempts=0),
        "twice": reporting("twice", MaximumRetryAttempts=1),
        "thrice": reporting("thrice", MaximumRetryAttempts=2),
        "sixty": reporting("sixty", MaximumEventAgeInSeconds=60),
        "ninety": reporting("ninety", MaximumEventAgeInSeconds=90),
        "zero": {"ReservedConcurrentExecutions": 0, **reporting("zero")},
        "narrow": {"ReservedConcurrentExecutions": 1, **reporting("narrow", MaximumRetryAttempts=0)},
        "crowded": {"ReservedConcurrentExecutions": 1, **reporting("crowded", MaximumEventAgeInSeconds=60)},
        "hasty": {"Timeout": 1, **reporting("hasty", MaximumRetryAttempts=1)},
        "moving": {"AutoPublishAlias": "live", **reporting("moving")},
        "changing": reporting("changing"),
        "silent": {},
    })
    return serve_module(template, *engine.options(), "--retry-scale", str(SCALE), "--isolation", "none")


@pytest.fixture
def events(server):
    return Events(server)


@pytest.fixture
def records(webhook, engine):
    """records(function, outcome, request id): the one record of an event."""
    def find(function, outcome, request_id, timeout=30):
        path = f"/{engine.name}/{function}/{outcome}"

        def matching():
            return [each.json() for each in webhook.taken(path)
                    if each.json()["requestContext"]["requestId"] == request_id]
        deadline = time.monotonic() + timeout
        while not matching():
            assert time.monotonic() < deadline, f"no record of {request_id} at {path}"
            time.sleep(0.02)
        [record] = matching()
        return record
    return find


def gaps(lines):
    times = [line["at"] for line in lines]
    return [after - before for before, after in zip(times, times[1:])]


def test_three_attempts_one_and_two_minutes_apart(server, events, ledger, records):
    warm(server, "plain")
    request_id = events.publish("plain", {"do": ["raise"], "n": 1})
    life = events.wait(request_id, "delivered")
    lines = ledger.lines(request_id)
    assert [line["attempt"] for line in lines] == [1, 2, 3]
    first, second = gaps(lines)
    assert MINUTE_S <= first < MINUTE_S + LATE_S
    assert 2 * MINUTE_S <= second < 2 * MINUTE_S + LATE_S
    assert life["condition"] == "RetriesExhausted" and life["tries"] == 3
    assert [attempt["outcome"] for attempt in life["attempts"]] == ["FunctionError"] * 3
    record = records("plain", "failure", request_id)
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == 3
    assert record["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"}
    assert {key: record["responsePayload"][key] for key in FAILURE} == FAILURE
    assert record["responsePayload"]["requestId"] == request_id


def test_success_after_failures(events, ledger, records):
    request_id = events.publish("plain", {"do": ["raise", "raise", "ok"], "value": {"done": True}})
    life = events.wait(request_id, "delivered")
    assert (life["condition"], life["tries"], ledger.attempts(request_id)) == ("Success", 3, 3)
    record = records("plain", "success", request_id)
    assert record["requestContext"]["condition"] == "Success"
    assert record["requestContext"]["approximateInvokeCount"] == 3
    assert record["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST"}
    assert record["responsePayload"] == {"done": True}


@pytest.mark.parametrize("function, runs", [("once", 1), ("twice", 2), ("thrice", 3)])
def test_maximum_retry_attempts(events, ledger, records, function, runs):
    request_id = events.publish(function, {"do": ["raise"]})
    assert events.wait(request_id, "delivered")["tries"] == runs
    assert ledger.attempts(request_id) == runs
    context = records(function, "failure", request_id)["requestContext"]
    assert (context["condition"], context["approximateInvokeCount"]) == ("RetriesExhausted", runs)


def test_sixty_seconds_allow_one_attempt(server, events, ledger, records):
    warm(server, "sixty")
    began = time.monotonic()
    request_id = events.publish("sixty", {"do": ["raise"]})
    events.wait(request_id, "delivered")
    # At once, not when the second attempt would have been.
    assert time.monotonic() - began < MINUTE_S
    assert ledger.attempts(request_id) == 1
    record = records("sixty", "failure", request_id)
    assert record["requestContext"]["condition"] == "EventAgeExceeded"
    assert record["requestContext"]["approximateInvokeCount"] == 1
    assert record["responseContext"]["functionError"] == "Unhandled"
    assert record["responsePayload"]["errorMessage"] == "no stock"


def test_ninety_seconds_allow_two_attempts(server, events, ledger, records):
    warm(server, "ninety")
    request_id = events.publish("ninety", {"do": ["raise"]})
    events.wait(request_id, "delivered")
    assert ledger.attempts(request_id) == 2
    context = records("ninety", "failure", request_id)["requestContext"]
    assert (context["condition"], context["approximateInvokeCount"]) == ("EventAgeExceeded", 2)


def test_zero_reserved_concurrency(events, ledger, records):
    began = time.monotonic()
    request_id = events.publish("zero", {"n": 1})
    life = events.wait(request_id, "delivered")
    assert time.monotonic() - began < MINUTE_S + LATE_S
    assert ledger.attempts(request_id) == 0 and life["tries"] == 0
    record = records("zero", "failure", request_id)
    assert list(record) == ["version", "timestamp", "requestContext", "requestPayload"]
    assert record["requestContext"]["condition"] == "ZeroReservedConcurrency"
    assert record["requestContext"]["approximateInvokeCount"] == 0


def test_timeout_counts_as_an_error(events, ledger, records):
    request_id = events.publish("hasty", {"do": ["hang", "ok"]})
    life = events.wait(request_id, "delivered")
    assert life["condition"] == "Success" and life["tries"] == 2
    assert [attempt["outcome"] for attempt in life["attempts"]] == ["TimedOut", "Success"]
    # The first attempt's process is gone before the second begins.
    first, second = ledger.lines(request_id)
    # By the platform's own stamps: the time-out counts from the hand-over, which the handler notes a little later.
    began = [datetime.datetime.fromisoformat(attempt["started"].replace("Z", "+00:00")).timestamp()
             for attempt in life["attempts"]]
    assert began[1] - began[0] >= 1 + MINUTE_S - 0.002  # both are cut to milliseconds
    assert first["pid"] != second["pid"]
    assert records("hasty", "success", request_id)["requestContext"]["approximateInvokeCount"] == 2


def test_timeout_in_the_record(events, records):
    request_id = events.publish("hasty", {"do": ["hang"]})
    events.wait(request_id, "delivered")
    payload = records("hasty", "failure", request_id)["responsePayload"]
    assert "Task timed out after 1.00 seconds" in payload["errorMessage"]


def test_crash_counts_as_an_error(events, ledger, records):
    request_id = events.publish("twice", {"do": ["exit"]})
    life = events.wait(request_id, "delivered")
    assert life["condition"] == "RetriesExhausted" and ledger.attempts(request_id) == 2
    assert records("twice", "failure", request_id)["responsePayload"]["errorType"] == "Runtime.ExitError"


def test_oversize_response_counts_as_an_error(events, ledger, records):
    request_id = events.publish("once", {"do": ["big"]})
    events.wait(request_id, "delivered")
    record = records("once", "failure", request_id)
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["responsePayload"]["errorType"] == "Function.ResponseSizeTooLarge"


def test_throttles_use_no_retry(server, events, ledger, records):
    blocker = events.publish("narrow", {"do": ["gate"]})
    ledger.wait(blocker)
    others = [events.publish("narrow", {"do": ["ok"], "n": n}) for n in range(4)]
    quiet(lambda: any(events.get(each)["state"] == "delivered" for each in others), 2 * MINUTE_S)
    ledger.open_gate()
    for request_id in [blocker, *others]:
        life = events.wait(request_id, "delivered")
        assert (life["condition"], life["tries"]) == ("Success", 1)
        assert records("narrow", "success", request_id)["requestContext"]["approximateInvokeCount"] == 1


def test_an_event_may_become_too_old_without_an_attempt(events, ledger, records):
    """MaximumRetryAttempts plays no part: nothing has run."""
    blocker = events.publish("crowded", {"do": [f"sleep:{3 * MINUTE_S}"]})
    ledger.wait(blocker)
    late = events.publish("crowded", {"do": ["ok"]})
    life = events.wait(late, "delivered")
    assert ledger.attempts(late) == 0 and life["tries"] == 0
    record = records("crowded", "failure", late)
    assert record["requestContext"]["condition"] == "EventAgeExceeded"
    assert record["requestContext"]["approximateInvokeCount"] == 0
    assert "responseContext" not in record and "responsePayload" not in record
    assert events.wait(blocker, "delivered")["condition"] == "Success"


def test_alias_is_resolved_at_each_attempt(events, ledger, records):
    request_id = events.publish("moving", {"do": ["raise", "ok"]}, qualifier="live")
    events.wait(request_id, "delivered")
    lines = ledger.lines(request_id)
    assert len(lines) == 2 and all(line["arn"].endswith(":moving:live") for line in lines)
    record = records("moving", "success", request_id)
    assert record["requestContext"]["functionArn"].endswith(":moving:live")
    assert record["responseContext"]["executedVersion"] == "1"


def test_changed_config_affects_queued_events(server, events, ledger, webhook, engine):
    path = f"/{engine.name}/changed"
    request_id = events.publish("changing", {"do": ["raise"]})
    ledger.wait(request_id)
    config(server, "changing", MaximumRetryAttempts=1,
           DestinationConfig={"OnFailure": {"Destination": webhook.url(path)}})
    life = events.wait(request_id, "delivered")
    assert life["tries"] == 2
    [record] = webhook.wait(path)
    assert record.json()["requestContext"]["requestId"] == request_id


def test_config_belongs_to_the_qualifier(server, events, ledger, webhook, engine):
    """A config of $LATEST does not hold for events that were addressed to an alias."""
    path = f"/{engine.name}/alias"
    config(server, "moving", qualifier="live", MaximumRetryAttempts=0,
           DestinationConfig={"OnFailure": {"Destination": webhook.url(path)}})
    request_id = events.publish("moving", {"do": ["raise"]}, qualifier="live")
    events.wait(request_id, "delivered")
    [record] = webhook.wait(path)
    assert record.json()["requestContext"] == {
        "requestId": request_id, "functionArn": "arn:aws:lambda:us-east-1:000000000000:function:moving:live",
        "condition": "RetriesExhausted", "approximateInvokeCount": 1}
    assert record.json()["responseContext"]["executedVersion"] == "1"


def test_without_destinations_a_failure_is_remembered(events):
    request_id = events.publish("silent", {"do": ["raise"]})
    life = events.wait(request_id)
    assert life["condition"] == "RetriesExhausted" and life["tries"] == 3
    assert life["targets"] == []
    assert "no stock" in json.dumps(life)


def test_metrics(server, events):
    def value(name, function):
        return sum(number for key, number in server.metrics().items()
                   if key.startswith(name) and f'"{function}"' in key)

    names = [key for key in server.metrics() if "async" in key.lower()]
    assert names, "no metrics of asynchronous events"
    received = next(key.split("{")[0] for key in names if "received" in key)
    dropped = next(key.split("{")[0] for key in names if "dropped" in key)
    before = value(received, "once"), value(dropped, "once")
    request_ids = [events.publish("once", {"do": [action]}) for action in ("ok", "raise", "raise")]
    for request_id in request_ids:
        events.wait(request_id, "delivered")
    assert (value(received, "once") - before[0], value(dropped, "once") - before[1]) == (3, 2)
