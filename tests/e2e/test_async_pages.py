"""Looking at events and mending them: the pages of the management port, and `headgate events`."""

import json
import re
import time
import urllib.parse

import pytest

import headgate as program
from events import Events, Ledger, stage

NOBODY = "01900000-0000-7000-8000-000000000000"
LIFE_KEYS = ["request_id", "function", "qualifier", "state", "condition", "accepted", "next_attempt", "finished", "tries",
             "redrives", "last_error", "dedup_id", "trace_id", "redeliveries", "executed_version", "attempts", "targets",
             "why", "payload_bytes", "payload", "function_error", "result_bytes", "result"]
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@pytest.fixture(scope="module")
def ledger(tmp_path_factory, engine):
    return Ledger(tmp_path_factory.mktemp("ledger"))


@pytest.fixture(scope="module")
def server(serve_module, engine, ledger, webhook):
    hook = webhook.url(f"/{engine.name}")
    once = {"EventInvokeConfig": {"MaximumRetryAttempts": 0}}
    doomed = {"EventInvokeConfig": {"MaximumRetryAttempts": 0, "DestinationConfig": {
        "OnFailure": {"Type": "SQS", "Destination": "arn:aws:sqs:us-east-1:000000000000:nowhere"}}}}
    template = stage(serve_module.project(), ledger, {
        "plain": {}, "listed": {}, "paged": {}, "cli": doomed, "doomed": doomed, "many": doomed, "purged": doomed,
        "slow": {}, "once": once,
        "hooked": {"EventInvokeConfig": {"DestinationConfig": {"OnSuccess": {"Destination": hook}}}},
    })
    # An endpoint that answers everything with a final 403.
    webhook_refuses = {"AWS_ENDPOINT_URL": webhook.url("/refused"), "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s"}
    return serve_module(template, *engine.options(), "--retry-scale", "0.01", "--isolation", "none", env=webhook_refuses)


@pytest.fixture
def events(server):
    return Events(server)


@pytest.fixture
def kill(events, webhook):
    """kill(function): the id of an event that failed and could not be delivered."""
    def make(function, payload=None):
        webhook.fail(400, 1)
        request_id = events.publish(function, {"do": ["raise", "ok"], **(payload or {})})
        events.wait(request_id, "dead")
        return request_id
    return make


def command(server, *arguments, **options):
    return program.run("events", *arguments, "--api", f"127.0.0.1:{server.port('management')}", **options)


def test_life(events):
    payload = {"do": ["raise", "ok"], "value": [1, "ü"]}
    request_id = events.publish("plain", payload)
    life = events.wait(request_id, "delivered")
    assert list(life) == LIFE_KEYS
    assert life["request_id"] == request_id and life["function"] == "plain" and life["qualifier"] is None
    assert life["condition"] == "Success" and life["tries"] == 2 and life["redrives"] == 0
    assert life["payload"] == payload and life["function_error"] is False
    # Nobody was to be told what it returned.
    assert life["result"] in (None, [1, "ü"])
    assert life["executed_version"] == "$LATEST" and life["why"] is None and life["last_error"] in (None, "")
    failed, succeeded = life["attempts"]
    assert failed["outcome"] == "FunctionError" and "no stock" in failed["error"]
    assert succeeded["outcome"] == "Success" and succeeded["error"] is None
    assert failed["duration_ms"] >= 0 and TIME.fullmatch(failed["started"])
    assert life["accepted"] <= failed["started"] < succeeded["started"] <= life["finished"]


def test_states_on_the_way(events, ledger):
    request_id = events.publish("slow", {"do": ["sleep:0.7", "raise"]})
    ledger.wait(request_id)
    assert events.get(request_id)["state"] == "running"
    assert request_id in [each["request_id"] for each in events.all(state="running")]
    events.wait(request_id, "delivered")
    request_id = events.publish("slow", {"do": ["raise", "ok"]})
    life = events.wait(request_id, "retrying")
    assert life["next_attempt"] > life["accepted"] and life["finished"] is None
    assert request_id in [each["request_id"] for each in events.all(state="retrying", function="slow")]
    assert events.wait(request_id, "delivered")["next_attempt"] is None


def test_where_its_record_went(events, webhook, engine):
    request_id = events.publish("hooked")
    [target] = events.wait(request_id, "delivered")["targets"]
    assert target["target"] == webhook.url(f"/{engine.name}")
    assert (target["role"], target["state"], target["tries"], target["error"]) == ("on_success", "done", 1, None)
    assert target["receipt"] and TIME.fullmatch(target["finished"])


def test_list(events):
    ids = [events.publish("listed", {"n": n}) for n in range(6)]
    for request_id in ids:
        events.wait(request_id, "delivered")
    found = events.page(function="listed")["events"]
    assert [each["request_id"] for each in found] == ids[::-1]
    assert {each["state"] for each in found} == {"delivered"}
    assert events.page(function="listed", state="dead")["events"] == []
    assert len(events.page(function="listed", state="dead,delivered")["events"]) == 6
    assert events.page(function="listed", since=int(time.time() * 1000) + 5000)["events"] == []
    assert len(events.page(function="listed", since="10m")["events"]) == 6
    middle = events.get(ids[3])["accepted"]
    since = [each["request_id"] for each in events.page(function="listed", since=middle)["events"]]
    assert ids[3] in since and ids[5] in since and ids[0] not in since


def test_pages(events):
    ids = [events.publish("paged", {"n": n}) for n in range(25)]
    for request_id in ids:
        events.wait(request_id, "delivered")
    found, cursor, pages = [], None, 0
    while True:
        page = events.page(function="paged", limit=10, **({"cursor": cursor} if cursor else {}))
        assert len(page["events"]) <= 10
        found += [each["request_id"] for each in page["events"]]
        pages += 1
        cursor = page["cursor"]
        if not cursor:
            break
    assert found == ids[::-1]
    assert pages <= 4


@pytest.mark.parametrize("query, word", [
    ("state=lost", "state"), ("since=yesterday", "since"), ("limit=0", "limit"), ("limit=1001", "limit"),
    ("cursor=%00", "cursor"), ("function=a/b", "function"), ("colour=red", "colour")])
def test_bad_queries(server, query, word):
    answer = server.manage("GET", "/_headgate/events?" + query)
    assert answer.status == 400
    assert word in answer.json()["message"]


def test_unknown_ids(server, events):
    assert events.get(NOBODY) is None
    assert server.manage("GET", "/_headgate/events/nonsense").status == 400
    assert events.change(f"/{NOBODY}/redrive").status == 404
    assert server.manage("DELETE", "/_headgate/events/" + NOBODY).status in (404, 405)


def test_redrive_of_a_dead_one(events, kill, ledger):
    request_id = kill("doomed")
    life = events.get(request_id)
    assert life["why"] and life["targets"][0]["state"] == "failed"
    assert events.change(f"/{request_id}/redrive").status == 200
    life = events.wait(request_id, "delivered")
    assert life["redrives"] == 1 and life["condition"] == "Success"
    assert ledger.attempts(request_id) == 2
    # The earlier attempt stays to be seen.
    assert len(life["attempts"]) == 2


def test_redrive_of_a_waiting_one(events, ledger):
    request_id = events.publish("slow", {"do": ["sleep:1"]})
    ledger.wait(request_id)
    answer = events.change(f"/{request_id}/redrive")
    assert answer.status == 409 and answer.json()["message"]
    events.wait(request_id, "delivered")


def test_redrive_all_of_a_function(events, kill, ledger):
    ids = [kill("many", {"n": n}) for n in range(7)]
    other = kill("doomed")
    answer = events.change("/redrive?function=many&limit=3").json()
    assert (answer["redriven"], answer["failed"], answer["more"]) == (3, 0, True)
    answer = events.change("/redrive?" + urllib.parse.urlencode({"function": "many", "cursor": answer["cursor"]})).json()
    assert (answer["redriven"], answer["more"]) == (4, False)
    for request_id in ids:
        assert events.wait(request_id, "delivered")["redrives"] == 1
    assert events.get(other)["state"] == "dead"


def test_purge(events, kill):
    dead = kill("purged")
    done = events.publish("once")
    events.wait(done, "delivered")
    answer = events.change("/purge?function=purged")
    assert answer.status == 200 and answer.json()["purged"] == 1
    assert events.get(dead) is None
    assert events.get(done)["state"] == "delivered"
    assert events.page(function="purged")["events"] == []


def test_command_list_and_show(server, events, kill):
    request_id = kill("cli")
    result = command(server, "list", "--function", "cli", "--state", "dead")
    assert result.returncode == 0, result.stderr
    head, *rows = result.stdout.splitlines()
    assert head.split()[:2] == ["REQUEST", "ID"] and request_id in rows[0] and "dead" in rows[0]
    result = command(server, "list", "--function", "cli", "--json")
    assert [each["request_id"] for each in json.loads(result.stdout)["events"]] == [request_id]
    result = command(server, "show", request_id)
    assert result.returncode == 0, result.stderr
    for word in (request_id, "dead", "no stock", "nowhere"):
        assert word in result.stdout, result.stdout
    assert json.loads(command(server, "show", request_id, "--json").stdout)["request_id"] == request_id
    result = command(server, "redrive", request_id)
    assert result.returncode == 0 and request_id in result.stdout
    assert events.wait(request_id, "delivered")["redrives"] == 1


def test_command_redrive_all_and_purge(server, events, kill):
    ids = [kill("cli", {"n": n}) for n in range(3)]
    result = command(server, "redrive", "--all", "--function", "cli")
    assert result.returncode == 0 and "3" in result.stdout, result.stdout + result.stderr
    for request_id in ids:
        events.wait(request_id, "delivered")
    result = command(server, "purge", "--function", "cli", "--yes")
    assert result.returncode == 0, result.stderr
    assert events.page(function="cli")["events"] == []


@pytest.mark.parametrize("arguments, code", [
    ([], 2), (["dance"], 2), (["show"], 2), (["redrive"], 2), (["list", "--colour"], 2), (["list", "--state", "lost"], 1),
    (["show", NOBODY], 1)])
def test_command_mistakes(server, arguments, code):
    result = program.run("events", *arguments, *(["--api", f"127.0.0.1:{server.port('management')}"] if arguments else []))
    assert result.returncode == code, result.stderr
    assert result.stderr and not result.stdout


def test_command_without_a_server():
    result = program.run("events", "list", "--api", "127.0.0.1:1")
    assert result.returncode == 3 and "127.0.0.1:1" in result.stderr


def test_depth_in_the_metrics(server, events, ledger):
    ids = [events.publish("slow", {"do": ["sleep:1.5"]}) for _ in range(3)]
    ledger.wait(ids[0])

    def depth(state):
        return sum(value for name, value in server.metrics().items()
                   if name.startswith("headgate_event_queue_events{") and f'"{state}"' in name)
    program.wait_for(lambda: depth("running") + depth("queued") >= 1, f"the depth in {server.metrics()}")
    for request_id in ids:
        events.wait(request_id, "delivered")
    assert any("oldest" in name for name in server.metrics())


class TestRetention:
    @pytest.fixture
    def server(self, serve, project, engine, tmp_path):
        template = stage(project, Ledger(tmp_path / "ledger"), {"plain": {}})
        return serve(template, *engine.options(), "--event-retention", "2s", "--dedup-window", "2s", "--isolation", "none")

    def test_finished_events_are_forgotten(self, events):
        request_id = events.publish("plain", headers={"Idempotency-Key": "k"})
        events.wait(request_id, "delivered")
        program.wait_for(lambda: events.get(request_id) is None, "the event to be forgotten", 20)
        assert events.page(function="plain")["events"] == []
        assert events.publish("plain", headers={"Idempotency-Key": "k"}) != request_id
