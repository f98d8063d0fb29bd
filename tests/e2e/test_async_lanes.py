"""One function's backlog, time-outs and throttles never delay another's events."""

import json
import os
import statistics
import subprocess
import time

import pytest

from events import EVENT, Events, Ledger, stage, warm
from headgate import wait_for

BACKLOG = int(os.environ.get("HEADGATE_TEST_BACKLOG", "100000"))
PROBES = 60


@pytest.fixture
def ledger(tmp_path):
    return Ledger(tmp_path / "ledger")


@pytest.fixture
def server(serve, engine, project, ledger):
    template = stage(project, ledger, {
        "sleepy": {"ReservedConcurrentExecutions": 1},
        "hanging": {"Timeout": 1, "ReservedConcurrentExecutions": 2},
        "failing": {"ReservedConcurrentExecutions": 2},
        "brisk": {"ReservedConcurrentExecutions": 2},
    })
    return serve(template, *engine.options(), "--retry-scale", "0.02", "--isolation", "none")


def flood(server, function, count, payload, folder):
    """h2load publishes; every answer must be a 202."""
    body = folder / "flood.json"
    body.write_text(json.dumps(payload))
    result = subprocess.run(
        ["h2load", "-n", str(count), "-c", "4", "-m", "50", "-d", str(body), "-H", "X-Amz-Invocation-Type: Event",
         f"{server.management_url}/2015-03-31/functions/{function}/invocations"],
        capture_output=True, text=True, timeout=300, check=True)
    assert f"{count} 2xx" in result.stdout.replace("status codes: ", ""), result.stdout


def delays(events, ledger, count=PROBES):
    """Seconds from the publisher's call to the handler's first line, one event after the other."""
    found = []
    for _ in range(count):
        began = time.time()
        request_id = events.publish("brisk")
        found.append(ledger.wait(request_id, 1, 30)[0]["at"] - began)
    return sorted(found)


def p99(values):
    return statistics.quantiles(values, n=100, method="inclusive")[98]


@pytest.mark.timeout(400)
def test_backlog_of_another_function(server, ledger, tmp_path):
    events = Events(server)
    warm(server, "brisk", "sleepy")
    alone = delays(events, ledger)
    flood(server, "sleepy", BACKLOG, {"do": ["sleep:0.5"]}, tmp_path)
    beside = delays(events, ledger)
    print(f"p50 {statistics.median(alone) * 1000:.1f} → {statistics.median(beside) * 1000:.1f} ms, "
          f"p99 {p99(alone) * 1000:.1f} → {p99(beside) * 1000:.1f} ms")
    waiting = events.page(function="sleepy", state="queued", limit=1)["events"]
    assert waiting, "the backlog is gone already"
    assert statistics.median(beside) < 5 * statistics.median(alone) + 0.1
    assert p99(beside) < 5 * p99(alone) + 0.5


def test_timeouts_and_failures_of_other_functions(server, ledger, tmp_path):
    events = Events(server)
    warm(server, "brisk")
    alone = delays(events, ledger, 30)
    flood(server, "hanging", 200, {"do": ["hang"]}, tmp_path)
    flood(server, "failing", 200, {"do": ["raise"]}, tmp_path)
    beside = delays(events, ledger, 30)
    assert statistics.median(beside) < 5 * statistics.median(alone) + 0.25
