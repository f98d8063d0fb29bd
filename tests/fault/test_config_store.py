"""The management API under kill -9: what was answered is there, and nothing is half done."""

import base64
import contextlib
import os
import pathlib
import sqlite3
import subprocess

import pytest

import headgate as program
from functions import create, refusal, zip_of
from storm import POINTS, Storm

COUNT = int(os.environ.get("HEADGATE_TEST_ROUNDS", "12"))
SEED = int(os.environ.get("HEADGATE_TEST_SEED", "0")) or int.from_bytes(os.urandom(4), "little")


@pytest.mark.timeout(120 + 20 * COUNT)
def test_kill9_during_a_storm_of_updates(tmp_path):
    print(f"\nHEADGATE_TEST_SEED={SEED}")
    storm = Storm(tmp_path, SEED)
    try:
        storm.run(COUNT)
    finally:
        storm.server.stop()
    print(storm.answered, "changes answered;", dict(storm.ends))
    assert storm.answered > 5 * COUNT, storm.answered
    assert COUNT < 2 * len(POINTS) or {point for point in POINTS if storm.ends[point]} >= set(POINTS[:3])
    with sqlite3.connect(storm.server.data_dir / "config/store.db") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        names = {name for name, in database.execute("SELECT DISTINCT name FROM resources")}
    database.close()
    assert names == {name for changer in storm.changers for name, state in changer.known.items() if state}


def may_mount():
    return os.geteuid() == 0 and subprocess.run(
        ["unshare", "-m", "sh", "-c", "mount -t tmpfs tmpfs /mnt"], capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not may_mount(), reason="this machine does not let us mount a small disk")
def test_a_full_disk_changes_nothing(tmp_path):
    server = program.Headgate(None, tmp_path / "run", "--isolation", "none", cwd=tmp_path)
    server.data_dir.mkdir(parents=True)
    server.command = ["unshare", "-m", "sh", "-c", 'mount -t tmpfs -o size=32m tmpfs "$0" && exec "$@"',
                      str(server.data_dir), *server.command]
    server.start()
    try:
        client = server.boto("lambda")
        create(client, "f")
        filler = pathlib.Path(f"/proc/{server.pid}/root{server.data_dir}") / "filler"
        # Unbuffered: nothing is left for close() to write, and to fail on.
        with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(b"x" * 4096)
        said, stored = None, ""
        for number in range(1, 2000):
            try:
                client.update_function_configuration(FunctionName="f", Description=str(number))
                stored = str(number)
            except client.exceptions.ServiceException as error:
                said = error.response
                break
        assert said["ResponseMetadata"]["HTTPStatusCode"] == 500
        status, name, _ = refusal(client.update_function_code, FunctionName="f", ZipFile=zip_of({"index.py": "x"}))
        assert (status, name) == (500, "ServiceException")
        status, name, _ = refusal(client.create_function, FunctionName="g", Runtime="python3.12", Handler="index.handler",
                                  Role="arn:aws:iam::000000000000:role/r", Code={"ZipFile": zip_of({"index.py": "y"})})
        assert (status, name) == (500, "ServiceException")
        assert client.get_function(FunctionName="f")["Configuration"]["Description"] == stored
        assert client.invoke(FunctionName="f", Payload=b"1")["Payload"].read() == b"1"
        assert [f["FunctionName"] for f in client.list_functions()["Functions"]] == ["f"]
        filler.unlink()
        client.update_function_configuration(FunctionName="f", Description="there is room")
        create(client, "g")
        assert client.get_function(FunctionName="f")["Configuration"]["Description"] == "there is room"
        server.stop()
    finally:
        if server.process:
            server.kill9()


def test_code_that_vanished(serve):
    """The archive brings it back; without it the function stays and says what is missing."""
    server = serve.bare()
    client = server.boto("lambda")
    create(client, "f")
    create(client, "g", "def handler(event, context):\n    return 7\n")
    configurations = {name: client.get_function_configuration(FunctionName=name) for name in "fg"}
    server.stop()
    code = server.data_dir / "code"
    folders = {path.name: path for path in code.iterdir() if path.is_dir()}
    assert len(folders) == 2
    for folder in folders.values():
        (folder / "index.py").unlink()
        folder.rmdir()
    lost = base64.b64decode(configurations["g"]["CodeSha256"]).hex()
    (code / f"{lost}.zip").unlink()
    server.start()
    client = server.boto("lambda")
    assert client.invoke(FunctionName="f", Payload=b"1")["Payload"].read() == b"1"
    assert client.get_function_configuration(FunctionName="g")["CodeSha256"] == configurations["g"]["CodeSha256"]
    answer = client.invoke(FunctionName="g", Payload=b"1")
    assert "FunctionError" in answer, answer
    assert str(folders[lost]) in answer["Payload"].read().decode()
    client.update_function_code(FunctionName="g", ZipFile=zip_of({"index.py": "def handler(event, context):\n    return 8\n"}))
    assert client.invoke(FunctionName="g", Payload=b"1")["Payload"].read() == b"8"
