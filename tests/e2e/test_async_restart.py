"""Events outlive the program: orderly ends, killed nodes, nodes that share the work, templates that change."""

import datetime
import threading
import time

import pytest

import headgate as program
from events import Events, Ledger, stage, warm
from headgate import wait_for

SCALE = "0.02"


@pytest.fixture
def ledger(tmp_path):
    return Ledger(tmp_path / "ledger")


@pytest.fixture
def start(serve, engine):
    """start(template, *options) with one queue for all servers of a test."""
    queue = engine.options()
    return lambda template, *options: serve(template, *queue, "--retry-scale", SCALE, "--isolation", "none", *options)


def milliseconds(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000


def finish(events, ids, timeout=40):
    return [events.wait(request_id, timeout=timeout) for request_id in ids]


def test_queued_events_outlive_an_orderly_end(start, project, ledger):
    server = start(stage(project, ledger, {"narrow": {"ReservedConcurrentExecutions": 1}}), "--drain-timeout", "5s")
    events = Events(server)
    ids = [events.publish("narrow", {"do": ["sleep:0.1"], "n": n}) for n in range(20)]
    ledger.wait(ids[0])
    server.restart()
    assert {life["condition"] for life in finish(events, ids)} == {"Success"}
    # Nothing was in a stranger's hands when it ended, so nothing runs twice.
    assert [ledger.attempts(request_id) for request_id in ids] == [1] * 20


def test_queued_events_outlive_a_kill(start, project, ledger):
    server = start(stage(project, ledger, {"narrow": {"ReservedConcurrentExecutions": 1}, "failing": {}}))
    events = Events(server)
    ids = [events.publish("narrow", {"do": ["sleep:0.1"], "n": n}) for n in range(10)]
    failing = events.publish("failing", {"do": ["raise", "ok"]})
    ledger.wait(failing)
    server.kill9()
    server.start()
    assert {life["condition"] for life in finish(events, [*ids, failing])} == {"Success"}
    # Only what ran at that moment may have run a second time.
    assert all(1 <= ledger.attempts(request_id) <= 2 for request_id in ids)


def test_sigterm_lets_running_attempts_end(start, project, ledger):
    server = start(stage(project, ledger, {"slow": {}}))
    events = Events(server)
    request_id = events.publish("slow", {"do": ["sleep:1"]})
    ledger.wait(request_id)
    server.restart()
    assert events.wait(request_id)["condition"] == "Success"
    assert ledger.attempts(request_id) == 1


def test_sigterm_takes_back_what_does_not_end(start, project, ledger):
    server = start(stage(project, ledger, {"slow": {}}), "--drain-timeout", "200ms")
    events = Events(server)
    request_id = events.publish("slow", {"do": ["hang", "ok"]})
    ledger.wait(request_id)
    began = time.monotonic()
    server.stop()
    assert time.monotonic() - began < 15
    server.start()
    life = events.wait(request_id)
    # The attempt that was cut short was nobody's error.
    assert (life["condition"], life["tries"]) == ("Success", 1)


def test_every_202_of_a_busy_end_is_kept(start, project, ledger):
    """Publishers go on until the door is closed."""
    server = start(stage(project, ledger, {"plain": {}}))
    events, accepted, is_over = Events(server), [], threading.Event()

    def publish():
        while not is_over.is_set():
            try:
                answer = events.try_publish("plain", timeout=5)
                if answer.status == 202:
                    accepted.append(answer.header("x-amzn-requestid"))
            except OSError:
                if is_over.wait(0.01):
                    return
    threads = [threading.Thread(target=publish) for _ in range(4)]
    for thread in threads:
        thread.start()
    wait_for(lambda: len(accepted) > 50, "events", 20)
    server.stop()
    is_over.set()
    for thread in threads:
        thread.join()
    server.start()
    assert {life["condition"] for life in finish(events, accepted)} == {"Success"}


def test_new_code_takes_effect_for_queued_events(start, project, ledger):
    template = stage(project, ledger, {"changing": {}})
    server = start(template)
    events = Events(server)
    request_id = events.publish("changing", {"do": ["raise", "ok"]})
    events.wait(request_id, "retrying")
    server.stop()
    source = project.folder / "src/worker.py"
    source.write_text(source.read_text().replace('os.environ.get("VERSION", "")', '"second"'))
    server.start()
    assert events.wait(request_id)["condition"] == "Success"
    assert [line["version"] for line in ledger.lines(request_id)] == ["", "second"]


def test_function_deleted_while_an_event_is_queued(start, project, ledger):
    server = start(stage(project, ledger, {"going": {}, "staying": {}}))
    events = Events(server)
    request_id = events.publish("going", {"do": ["raise"]})
    events.wait(request_id, "retrying")
    server.stop()
    stage(project, ledger, {"staying": {}})
    server.start()
    life = events.wait(request_id, timeout=20)
    assert ledger.attempts(request_id) == 1
    assert life["condition"] and life["condition"] != "Success" and life["last_error"]


def test_idempotency_keys_outlive_a_restart(start, project, ledger):
    server = start(stage(project, ledger, {"plain": {}}))
    events = Events(server)
    first = events.publish("plain", headers={"Idempotency-Key": "k"})
    events.wait(first, "delivered")
    server.kill9()
    server.start()
    assert events.publish("plain", headers={"Idempotency-Key": "k"}) == first
    assert ledger.attempts(first) == 1


def test_history_outlives_a_restart(start, project, ledger):
    server = start(stage(project, ledger, {"plain": {}}))
    events = Events(server)
    request_id = events.publish("plain", {"do": ["raise", "ok"], "value": 1})
    before = events.wait(request_id, "delivered")
    server.restart()
    after = events.get(request_id)

    def timeless(life):
        return {**life, "accepted": None, "finished": None, "attempts": [{**each, "started": None} for each in life["attempts"]]}
    assert timeless(after) == timeless(before)
    # The clock that times are kept in may be a neighbour's.
    assert abs(milliseconds(after["accepted"]) - milliseconds(before["accepted"])) < 100


def test_second_instance_on_the_same_folder(start, project, ledger, engine):
    server = start(stage(project, ledger, {"plain": {}}))
    result = program.run("serve", project.template_path, "--api", "127.0.0.1:0", "--listen", "127.0.0.1:0",
                         "--data-dir", server.data_dir)
    assert result.returncode == 3
    assert str(server.data_dir) in result.stderr and str(server.pid) in result.stderr
    Events(server).publish("plain")


@pytest.fixture
def shared(engine):
    if engine.name == "embedded":
        pytest.skip("the embedded engine has one node")


def test_two_nodes_share_the_work(shared, start, project, ledger):
    """Events of one function may all be one node's (Kafka keeps them in one partition); those of many are everybody's."""
    names = [f"shared{n}" for n in range(8)]
    template = stage(project, ledger, {name: {} for name in names})
    nodes = [start(template) for _ in range(2)]
    first, second = map(Events, nodes)
    ids = []

    def have_both_run():
        ids.extend((first, second)[n % 2].publish(name) for n, name in enumerate(names))
        return all(sum(value for name, value in node.metrics().items()
                       if name.startswith("headgate_function_invocations") and "shared" in name) for node in nodes)
    # Who joins a group of Kafka's has to wait for its share.
    wait_for(have_both_run, "both nodes to run events", 40)
    for request_id in ids:
        assert first.wait(request_id, "delivered", 60)["condition"] == "Success"
    # What changed hands in the middle may have run a second time …
    assert {ledger.attempts(request_id) for request_id in ids} <= {1, 2}
    # … but nothing that came once both had their share.
    later = [(first, second)[n % 2].publish(name) for n, name in enumerate(names * 4)]
    for request_id in later:
        assert first.wait(request_id, "delivered", 60)["condition"] == "Success"
    assert {ledger.attempts(request_id) for request_id in later} == {1}
    # What one node accepted the other can show.
    assert second.get(ids[0])["state"] == "delivered"


def test_a_node_may_be_killed(shared, start, project, ledger):
    template = stage(project, ledger, {"plain": {}, "failing": {}})
    one, other = start(template), start(template)
    warm(one, "plain")
    warm(other, "plain")
    ids = [Events(one).publish("plain", {"do": ["sleep:0.3"]}) for _ in range(30)]
    ids += [Events(other).publish("failing", {"do": ["raise", "ok"]}) for _ in range(5)]
    ledger.wait(ids[0])
    one.kill9()
    for request_id in ids:
        assert Events(other).wait(request_id, "delivered", 60)["condition"] == "Success"
    twice = [request_id for request_id in ids if ledger.attempts(request_id) > 2]
    assert not twice


def test_a_stopped_node_gives_its_events_back(shared, start, project, ledger):
    """Not after a time-out: at once."""
    template = stage(project, ledger, {"slow": {}})
    one = start(template, "--drain-timeout", "0s")
    request_id = Events(one).publish("slow", {"do": ["hang", "ok"]})
    ledger.wait(request_id)
    other = start(template)
    one.stop()
    assert Events(other).wait(request_id, "delivered", 30)["tries"] == 1
