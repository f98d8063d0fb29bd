"""Looking at asynchronous events and mending them: the events pages, and `headgate events`."""

import datetime
import json
import re
import socket
import struct
import time
import urllib.parse

import pytest

import headgate as program
from events import REQUEST_ID, Events, Ledger, config, stage

ABSENT = "0190c2a4-7e0e-7e0e-9d0e-0c9a8b7d6e5f"
ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
SUMMARY = ["request_id", "function", "qualifier", "state", "condition", "accepted", "next_attempt", "finished", "tries",
           "redrives", "last_error"]
LIFE = SUMMARY + ["dedup_id", "trace_id", "redeliveries", "executed_version", "attempts", "targets", "why",
                  "payload_bytes", "payload", "function_error", "result_bytes", "result"]


@pytest.fixture(scope="module")
def ledger(tmp_path_factory, engine):
    return Ledger(tmp_path_factory.mktemp("ledger"))


@pytest.fixture(scope="module")
def server(serve_module, engine, ledger):
    template = stage(serve_module.project(), ledger, {"good": {}, "broken": {}, "other": {}, "parked": {
        "ReservedConcurrentExecutions": 1}})
    server = serve_module(template, *engine.options(), "--retry-scale", "0.001", "--isolation", "none")
    for name in ("broken", "other"):
        config(server, name, MaximumRetryAttempts=1)
    return server


@pytest.fixture
def events(server):
    return Events(server)


@pytest.fixture
def command(server):
    def run(*arguments):
        return program.run("events", *arguments, "--api", f"127.0.0.1:{server.port('management')}")
    return run


def fail_one(events, function="broken", **event):
    return events.wait(events.publish(function, {"do": ["raise"], **event}))


def test_a_life_that_went_well(events):
    request_id = events.publish("good", {"value": {"done": "ü"}}, headers={"Idempotency-Key": "life-1"})
    life = events.wait(request_id, "delivered")
    assert list(life) == LIFE
    assert (life["request_id"], life["function"], life["qualifier"]) == (request_id, "good", None)
    assert (life["condition"], life["tries"], life["executed_version"]) == ("Success", 1, "$LATEST")
    assert (life["dedup_id"], life["redrives"], life["function_error"]) == ("life-1", 0, False)
    assert life["trace_id"].startswith("Root=1-")
    assert ISO.fullmatch(life["accepted"]) and ISO.fullmatch(life["finished"])
    assert (life["next_attempt"], life["last_error"], life["why"]) == (None, None, None)
    assert (life["payload"], life["targets"]) == ({"value": {"done": "ü"}}, [])
    [attempt] = life["attempts"]
    assert list(attempt) == ["started", "duration_ms", "outcome", "count", "error"]
    assert (attempt["outcome"], attempt["count"], attempt["error"]) == ("Success", 1, None)
    assert life["accepted"] <= attempt["started"] <= life["finished"]


def test_a_life_that_failed(events):
    life = fail_one(events)
    assert (life["condition"], life["tries"], life["function_error"]) == ("RetriesExhausted", 2, True)
    assert [attempt["outcome"] for attempt in life["attempts"]] == ["FunctionError"] * 2
    assert all("no stock" in attempt["error"] for attempt in life["attempts"])
    assert life["result"]["errorType"] == "StockError"
    assert "no stock" in life["last_error"]


def test_large_payloads_are_counted_not_shown(events):
    life = events.wait(events.publish("good", {"fill": "x" * 300000}), "delivered")
    assert life["payload"] is None
    assert life["payload_bytes"] > 300000


def test_no_such_event(server):
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/redrive")):
        answer = server.manage(method, f"/_headgate/events/{ABSENT}{path}")
        assert answer.status == 404
        assert ABSENT in answer.json()["Message"]
        answer = server.manage(method, f"/_headgate/events/nonsense{path}")
        assert answer.status == 400
        assert "'nonsense' is not a request id" in answer.json()["message"]


def test_list_by_function_and_state(events):
    good = events.publish("good", {"key": "list"})
    events.wait(good, "delivered")
    failed = fail_one(events)["request_id"]
    page = events.page(function="good")
    assert list(page) == ["events", "cursor"]
    assert all(list(event) == SUMMARY for event in page["events"])
    assert {event["function"] for event in page["events"]} == {"good"}
    assert good in [event["request_id"] for event in page["events"]]
    assert good in [event["request_id"] for event in events.all(state="delivered")]
    assert good not in [event["request_id"] for event in events.all(state="dead,queued")]
    assert failed in [event["request_id"] for event in events.all(function="broken", state="dead,delivered")]
    assert events.page(function="nobody") == {"events": [], "cursor": None}


def test_state_may_be_repeated(server, events):
    events.wait(events.publish("good"), "delivered")
    both = server.manage("GET", "/_headgate/events?state=dead&state=delivered").json()["events"]
    assert "delivered" in {event["state"] for event in both}


def test_list_is_newest_first_and_by_pages(events):
    ids = [events.publish("good", {"n": n}) for n in range(7)]
    for request_id in ids:
        events.wait(request_id, "delivered")
    seen, cursor = [], None
    while True:
        page = events.page(function="good", limit=3, **({"cursor": cursor} if cursor else {}))
        assert len(page["events"]) <= 3
        seen += [event["request_id"] for event in page["events"]]
        cursor = page["cursor"]
        if not cursor:
            break
    assert len(seen) == len(set(seen))
    assert [request_id for request_id in seen if request_id in ids] == ids[::-1]


def test_since(events):
    old = events.publish("good")
    # By the queue's own clock: it need not be the wall's to the millisecond.
    accepted = datetime.datetime.fromisoformat(events.wait(old, "delivered")["accepted"].replace("Z", "+00:00"))
    between = round(accepted.timestamp() * 1000) + 1
    new = events.publish("good")
    assert events.wait(new, "delivered")["accepted"] > events.get(old)["accepted"]
    found = [event["request_id"] for event in events.all(since=between)]
    assert new in found and old not in found
    iso = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(between / 1000)) + f".{between % 1000:03}Z"
    assert [event["request_id"] for event in events.all(since=iso)] == found
    assert old in [event["request_id"] for event in events.all(since="10m")]


@pytest.mark.parametrize("query, said", [
    ("state=deceased", "state: 'deceased' is not one of queued, running, retrying, delivered, dead"),
    ("limit=1001", "limit: '1001' is not a whole number from 1 to 1000"),
    ("since=yesterday", "since: 'yesterday' is no time: a duration like 10m, seconds or milliseconds since 1970, or "
                        "2026-01-02T03:04:05Z"),
    ("fnction=a", "there is no parameter 'fnction' here; allowed: function, state, since, limit, cursor"),
    ("function=a/b", "function: 'a/b' is not a function's name or ARN (1 to 140 letters, digits, '-', '_', '.')"),
])
def test_bad_parameters(server, query, said):
    answer = server.manage("GET", f"/_headgate/events?{query}")
    assert answer.status == 400
    assert answer.header("x-amzn-errortype") == "InvalidParameterValueException"
    assert answer.json()["message"] == said


def test_bad_cursor(server):
    answer = server.manage("GET", "/_headgate/events?cursor=!nothing!")
    assert answer.status == 400, answer.text


def test_waiting_and_running_ones(server, events, ledger):
    gate = events.publish("parked", {"do": ["gate"]})
    life = events.wait(gate, "running")
    assert life["next_attempt"] is None
    behind = events.publish("parked")
    life = events.get(behind)
    assert life["state"] in ("queued", "retrying")
    assert ISO.fullmatch(life["next_attempt"])
    answer = server.manage("DELETE", f"/_headgate/events/{gate}")
    assert answer.status == 409
    assert server.manage("POST", f"/_headgate/events/{gate}/redrive").status == 409
    ledger.open_gate()
    events.wait(gate, "delivered")
    events.wait(behind, "delivered")


def test_redrive(server, events, ledger):
    request_id = events.publish("broken", {"do": ["raise", "raise", "ok"]})
    assert events.wait(request_id)["condition"] == "RetriesExhausted"
    answer = events.change(f"/{request_id}/redrive")
    assert (answer.status, answer.json()) == (200, {"request_id": request_id, "redriven": True})
    program.wait_for(lambda: ledger.attempts(request_id) == 3, "the third run")
    life = events.wait(request_id, "delivered")
    assert (life["condition"], life["redrives"]) == ("Success", 1)


def test_purge(server, events):
    request_id = events.publish("good")
    events.wait(request_id, "delivered")
    answer = server.manage("DELETE", f"/_headgate/events/{request_id}")
    assert (answer.status, answer.json()) == (200, {"request_id": request_id, "purged": True})
    assert events.get(request_id) is None
    assert server.manage("DELETE", f"/_headgate/events/{request_id}").status == 404


def test_purge_of_many(server, events):
    ids = [events.publish("other", {"n": n}) for n in range(150)]
    for request_id in ids:
        events.wait(request_id, "delivered")
    said = events.change("/purge?function=other&state=delivered&limit=100").json()
    assert list(said) == ["purged", "failed", "failures", "more", "cursor"]
    assert (said["purged"], said["failed"], said["failures"], said["more"]) == (100, 0, [], True)
    said = events.change(f"/purge?function=other&state=delivered&cursor={urllib.parse.quote(said['cursor'])}").json()
    assert (said["purged"], said["more"], said["cursor"]) == (50, False, None)
    assert events.all(function="other") == []


def test_running_ones_cannot_be_purged(events):
    answer = events.change("/purge?state=running,dead")
    assert answer.status == 400
    assert answer.json()["message"] == (
        "state: running events cannot be purged; allowed are queued, retrying, delivered, dead")
    assert events.change("/redrive?state=queued").status == 400


def test_health_and_metrics(server, engine, events):
    events.wait(events.publish("good"), "delivered")
    assert server.manage("GET", "/_headgate/health").json()["queue"] == {"engine": engine.name, "up": True}
    names = {name.split("{")[0] for name in server.metrics()}
    assert any(name.startswith("headgate_events") or "queue" in name for name in names)


def test_clients_that_leave_take_nothing_back(server, events):
    """They reset the connection as soon as the request is out: what was read is stored and run."""
    body = b'{"key":"gone"}'
    head = (f"POST {{}} HTTP/1.1\r\nHost: x\r\nX-Amz-Invocation-Type: Event\r\nContent-Length: {len(body)}\r\n\r\n")
    for n in range(60):
        path = "/2015-03-31/functions/good/invocations" if n % 3 else "/_headgate/events/purge?function=nobody"
        peer = socket.create_connection(server.management_address)
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.sendall(head.format(path).encode() + body)
        if n % 2:
            time.sleep(0.001)
        peer.close()
    program.wait_for(lambda: not events.all(function="good", state="queued,running,retrying"), "the events to be run")
    assert events.wait(events.publish("good"), "delivered")


# The command

def test_command_list_and_show(events, command):
    request_id = events.publish("good", {"a": "\x1b[31mred"}, headers={"Idempotency-Key": "shown"})
    events.wait(request_id, "delivered")
    listed = command("list", "--function", "good", "--state", "delivered", "--since", "10m")
    assert listed.returncode == 0, listed.stderr
    assert listed.stdout.splitlines()[0].split() == [
        "REQUEST", "ID", "FUNCTION", "STATE", "TRIES", "ACCEPTED", "LAST", "ERROR"]
    assert re.search(rf"^{request_id}  good +delivered +1  \d{{4}}-", listed.stdout, re.M)
    shown = command("show", request_id)
    assert shown.returncode == 0, shown.stderr
    assert re.search(r"^state +delivered \(Success\)$", shown.stdout, re.M)
    assert re.search(r"^dedup id +shown$", shown.stdout, re.M)
    assert "attempts" in shown.stdout and "Success" in shown.stdout
    assert "\x1b" not in shown.stdout
    assert json.loads(command("show", request_id, "--json").stdout)["payload"] == {"a": "\x1b[31mred"}
    assert json.loads(command("list", "--json", "--limit", "1").stdout)["events"]


def test_command_redrive_and_purge(events, command):
    failed = [fail_one(events, "broken", key=f"mend-{n}") for n in range(3)]
    first = failed[0]["request_id"]
    again = command("redrive", first)
    assert (again.returncode, again.stdout) == (0, f"{first} redriven\n"), again.stderr
    events.wait(first)
    everything = command("redrive", "--all", "--function", "broken")
    assert everything.returncode == 0, everything.stderr
    assert re.fullmatch(r"redriven \d+\n", everything.stdout)
    for life in failed:
        events.wait(life["request_id"])
    unsure = command("purge", "--function", "broken")
    assert unsure.returncode == 2
    assert "--yes" in unsure.stderr
    purged = command("purge", "--function", "broken", "--yes")
    assert purged.returncode == 0, purged.stderr
    assert int(re.fullmatch(r"purged (\d+)\n", purged.stdout)[1]) >= 3
    assert events.all(function="broken") == []


@pytest.mark.parametrize("arguments, code, said", [
    ((), 2, "what is to be done"),
    (("mend",), 2, "there is no action mend"),
    (("list", "--all"), 2, "there is no option --all"),
    (("list", "--state"), 2, "--state wants a value"),
    (("list", "--state", "gone"), 1, "'gone' is not one of"),
    (("show",), 2, "one request id"),
    (("show", ABSENT), 1, f"there is no event {ABSENT}"),
    (("show", "nonsense"), 1, "is not a request id"),
    (("redrive",), 2, "request ids or --all"),
    (("redrive", ABSENT, "--all"), 2, "not both"),
    (("redrive", ABSENT), 1, "there is no event"),
])
def test_command_mistakes(command, arguments, code, said):
    # Without arguments the address alone would be taken for the action.
    result = command(*arguments) if arguments else program.run("events")
    assert result.returncode == code
    assert said in result.stderr


def test_command_without_a_server():
    result = program.run("events", "list", "--api", "127.0.0.1:9")
    assert result.returncode == 3
    assert "no server answers on 127.0.0.1:9" in result.stderr


@pytest.mark.parametrize("arguments", [("help", "events"), ("events", "--help"), ("events", "list", "--help")])
def test_command_help(arguments):
    result = program.run(*arguments)
    assert result.returncode == 0
    for action in ("list", "show", "redrive", "purge"):
        assert re.search(rf"^  {action} ", result.stdout, re.M)


def test_invoke_async_prints_the_request_id(server, events):
    result = program.run("invoke", "good", "--async", "--api", f"127.0.0.1:{server.port('management')}")
    assert result.returncode == 0, result.stderr
    assert REQUEST_ID.fullmatch(result.stdout.strip())
    events.wait(result.stdout.strip(), "delivered")
    missing = program.run("invoke", "nobody", "--async", "--api", f"127.0.0.1:{server.port('management')}")
    assert missing.returncode == 1
    assert "Function not found" in missing.stderr
