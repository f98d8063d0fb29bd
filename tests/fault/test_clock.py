"""Steps of the wall clock neither lose events nor hurry them: faketime moves the program's clock while it runs."""

import pathlib
import subprocess
import time

import pytest

import headgate as program
from events import Events, Ledger, quiet, stage
from headgate import wait_for

SCALE = 0.05
MINUTE_S = 60 * SCALE
LIBRARY = next(iter(sorted(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))), None)

pytestmark = pytest.mark.skipif(not LIBRARY, reason="faketime is not installed")


def preload():
    """A sanitizer wants to be the first library of all."""
    linked = subprocess.run(["ldd", str(program.BINARY)], capture_output=True, text=True, check=True).stdout
    first = [line.split("=>")[1].split()[0] for line in linked.splitlines() if "libasan" in line or "libtsan" in line]
    return " ".join([*first, str(LIBRARY)])


@pytest.fixture
def ledger(tmp_path):
    return Ledger(tmp_path / "ledger")


@pytest.fixture
def clock(tmp_path):
    path = tmp_path / "clock"

    def step(offset):
        draft = path.with_suffix(".new")
        draft.write_text(offset + "\n")
        draft.rename(path)
    step("+0")
    step.path = path
    return step


@pytest.fixture
def server(serve, engine, project, ledger, clock):
    if engine.name == "kafka":
        pytest.skip("librdkafka's own threads do not stand faketime's replacement of their timed waits")
    template = stage(project, ledger, {"plain": {"EventInvokeConfig": {"MaximumEventAgeInSeconds": 900}}})
    return serve(template, *engine.options(), "--retry-scale", str(SCALE), "--isolation", "none", env={
        "LD_PRELOAD": preload(), "FAKETIME_TIMESTAMP_FILE": str(clock.path), "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1"})


def date_of(server):
    return server.manage("GET", "/_headgate/health").header("date")


@pytest.mark.parametrize("offset", ["+1d", "-1d"])
def test_step_while_an_event_waits(server, ledger, clock, offset):
    events = Events(server)
    request_id = events.publish("plain", {"do": ["raise", "ok"]})
    began = ledger.wait(request_id)[0]["at"]
    before = date_of(server)
    clock(offset)
    wait_for(lambda: date_of(server)[:11] != before[:11], "the clock to have stepped")
    life = events.wait(request_id, timeout=MINUTE_S + 10)
    second = ledger.lines(request_id)[1]["at"]
    assert life["condition"] == "Success"
    assert MINUTE_S <= second - began < MINUTE_S + 3
    # And what comes after the step is as it should be.
    later = events.publish("plain", {"do": ["raise", "ok"]})
    assert events.wait(later, timeout=MINUTE_S + 10)["condition"] == "Success"
    first, second = [line["at"] for line in ledger.lines(later)]
    assert MINUTE_S <= second - first < MINUTE_S + 3


@pytest.mark.parametrize("offset", ["+1d", "-1d"])
def test_step_between_two_starts(server, ledger, clock, offset):
    events = Events(server)
    request_id = events.publish("plain", {"do": ["raise", "ok"]})
    began = ledger.wait(request_id)[0]["at"]
    events.wait(request_id, "retrying")
    server.kill9()
    clock(offset)
    server.start()
    life = events.wait(request_id, timeout=MINUTE_S + 15)
    assert life["condition"] == "Success"
    assert MINUTE_S <= ledger.lines(request_id)[1]["at"] - began < MINUTE_S + 8
