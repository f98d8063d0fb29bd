"""The embedded engine's disk: full, too small, damaged, of another time, in other hands."""

import contextlib
import os
import pathlib
import re
import subprocess
import time

import lmdb
import pytest

import headgate as program
from events import Events, Ledger, stage
from headgate import wait_for

FILL = "x" * 20000


def may_mount():
    return os.geteuid() == 0 and subprocess.run(
        ["unshare", "-m", "sh", "-c", "mount -t tmpfs tmpfs /mnt"], capture_output=True, check=False).returncode == 0


@pytest.fixture
def ledger(tmp_path):
    return Ledger(tmp_path / "ledger")


@pytest.fixture
def template(project, ledger):
    return stage(project, ledger, {"plain": {"ReservedConcurrentExecutions": 2},
                                   "slow": {"ReservedConcurrentExecutions": 1}})


def refused(answer):
    """A 503 as the Lambda API words it, with the word when to come again."""
    assert answer.status == 503, (answer.status, answer.body)
    assert answer.header("x-amzn-errortype") == "ServiceException"
    assert int(answer.header("retry-after")) >= 1
    assert answer.json()["Type"] == "Service" and answer.json()["Message"]
    return True


def fill_up(events, accepted, limit=4000):
    """Publishes until it is refused."""
    for n in range(limit):
        answer = events.try_publish("slow", {"fill": FILL, "n": n, "do": ["sleep:0.01"]})
        if answer.status != 202:
            return refused(answer)
        accepted.append(answer.header("x-amzn-requestid"))
    raise AssertionError(f"{limit} events were taken")


@pytest.mark.timeout(180)
@pytest.mark.skipif(not may_mount(), reason="this machine does not let us mount a small disk")
def test_disk_full(template, ledger, tmp_path):
    server = program.Headgate(template, tmp_path / "run", "--retry-scale", "0.02", "--isolation", "none")
    server.data_dir.mkdir(parents=True)
    server.command = ["unshare", "-m", "sh", "-c", 'mount -t tmpfs -o size=48m tmpfs "$0" && exec "$@"',
                      str(server.data_dir), *server.command]
    server.start()
    try:
        events, accepted = Events(server), [Events(server).publish("plain")]
        inside = pathlib.Path(f"/proc/{server.pid}/root{server.data_dir}")
        filler = inside / "filler"
        # Unbuffered: nothing is left for close() to write, and to fail on.
        with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(b"x" * 65536)
        fill_up(events, accepted)
        # It goes on to say no, and does nothing else while nothing else can be done.
        before = cpu_seconds(server.pid)
        began = time.monotonic()
        while time.monotonic() - began < 2:
            answer = events.try_publish("plain", {"fill": FILL})
            assert answer.status in (202, 503)
            if answer.status == 202:
                accepted.append(answer.header("x-amzn-requestid"))
            time.sleep(0.1)
        assert cpu_seconds(server.pid) - before < 1.5
        # A synchronous call needs no disk.
        assert server.invoke("plain", b'{"value": 1}').body == b"1"
        filler.unlink()
        wait_for(lambda: events.try_publish("plain").status == 202, "events to be taken again", 20)
        for request_id in accepted:
            assert events.wait(request_id, timeout=60)["condition"] == "Success"
        server.stop()
    finally:
        if server.process:
            server.kill9()


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.timeout(180)
def test_store_that_may_not_grow(serve, template, ledger):
    """--store-max is a disk of one's own choice: the same words, and space returns when events are done."""
    server = serve(template, "--store-max", "16M", "--event-history", "1M", "--retry-scale", "0.02", "--isolation", "none")
    events, accepted = Events(server), []
    blocker = events.publish("slow", {"do": ["gate"]})
    ledger.wait(blocker)
    fill_up(events, accepted)
    assert len(accepted) * len(FILL) > 4 << 20, "most of the room was not used"
    ledger.open_gate()
    for request_id in accepted[-20:]:
        wait_for(lambda: ledger.attempts(request_id), f"{request_id} to run", 90)
    wait_for(lambda: events.try_publish("plain").status == 202, "events to be taken again", 30)


def test_restart_on_a_full_store(serve, template, ledger):
    server = serve(template, "--store-max", "16M", "--retry-scale", "0.02", "--isolation", "none")
    events, accepted = Events(server), []
    ledger.wait(events.publish("slow", {"do": ["gate"]}))
    fill_up(events, accepted)
    server.kill9()
    server.start()
    refused(events.try_publish("plain", {"fill": FILL * 10}))
    ledger.open_gate()
    assert events.wait(accepted[0], timeout=40)["condition"] == "Success"


def refuses_to_start(server, *words):
    server.start_process()
    code = server.process.wait(30)
    server.process = None
    text = server.stderr()
    assert code == 3, (code, text)
    for word in words:
        assert re.search(word, text), text
    assert "Sanitizer" not in text
    return text


@pytest.fixture
def stopped(serve, template, ledger):
    """A server that was stopped with a finished event in its store."""
    server = serve(template, "--retry-scale", "0.02", "--isolation", "none")
    events = Events(server)
    server.request_id = events.publish("plain", {"fill": FILL})
    events.wait(server.request_id, "delivered")
    server.stop()
    [server.store] = server.data_dir.rglob("data.mdb")
    return server


@pytest.mark.parametrize("damage", ["head", "everything", "cut", "empty", "text"])
def test_damaged_store(stopped, damage):
    path = stopped.store
    data = bytearray(path.read_bytes())
    if damage == "head":
        data[:8192] = os.urandom(8192)
    elif damage == "everything":
        data[:] = os.urandom(len(data))
    elif damage == "cut":
        data = data[:8192]
    elif damage == "empty":
        data = data[:100]
    else:
        data = b"this is no store\n" * 1000
    path.write_bytes(data)
    text = refuses_to_start(stopped, re.escape(str(path.parent)))
    assert re.search(r"move|remove|restore|delete|rename|backup", text), text
    # What is there is not touched: somebody may yet mend it.
    assert path.read_bytes() == bytes(data)


def test_pages_that_are_garbage(stopped):
    """Damage behind the first pages may show late; it never crashes the program or makes up events."""
    path = stopped.store
    data = bytearray(path.read_bytes())
    for at in range(8192, len(data), 4096):
        data[at:at + 4096] = os.urandom(4096)
    path.write_bytes(data)
    refuses_to_start(stopped, re.escape(str(path.parent)))


def test_store_of_a_newer_version(stopped):
    """The format is the last number of the record that says whose store it is."""
    environment = lmdb.open(str(stopped.store.parent), max_dbs=32, map_size=1 << 30, lock=False)
    meta = environment.open_db(b"meta", create=False)
    with environment.begin(db=meta, write=True) as transaction:
        value = transaction.get(b"format")
        version = int.from_bytes(value[-4:], "little")
        transaction.put(b"format", value[:-4] + (version + 1).to_bytes(4, "little"))
    environment.close()
    before = stopped.store.read_bytes()
    refuses_to_start(stopped, "newer", f"format {version + 1}")
    assert stopped.store.read_bytes() == before


def test_second_instance(serve, template):
    server = serve(template)
    result = program.run("serve", template, "--api", "127.0.0.1:0", "--listen", "127.0.0.1:0", "--data-dir", server.data_dir)
    assert result.returncode == 3 and str(server.data_dir) in result.stderr


def test_folder_that_may_not_be_written(template, tmp_path):
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    (tmp_path / "data").mkdir(mode=0o500)
    result = program.run("serve", template, "--data-dir", tmp_path / "data", "--api", "127.0.0.1:0")
    assert result.returncode == 3 and str(tmp_path / "data") in result.stderr
