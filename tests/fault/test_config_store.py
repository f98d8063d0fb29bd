"""The management API under kill -9: what was answered is there, and nothing is half done."""

import os
import sqlite3

import pytest

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
