"""kill -9 at named points and at random moments, under load: nothing that got its 202 is lost."""

import os

import pytest

from rounds import POINTS, Rounds
from servers import Webhook

COUNT = int(os.environ.get("HEADGATE_TEST_ROUNDS", "20"))
SEED = int(os.environ.get("HEADGATE_TEST_SEED", "0")) or int.from_bytes(os.urandom(4), "little")


@pytest.mark.timeout(120 + 20 * COUNT)
def test_kill9(engine, tmp_path, project):
    print(f"\n{engine.name}: HEADGATE_TEST_SEED={SEED}")
    webhook = Webhook()
    rounds = Rounds(tmp_path, project, engine.options(), webhook, SEED)
    try:
        rounds.run(COUNT)
        rounds.settle(60 + COUNT)
        problems, table = rounds.reckon()
        print("\n".join(table))
        assert len(rounds.accepted) > COUNT
        assert not problems, f"{len(problems)} problems, seed {SEED}:\n" + "\n".join(problems[:20])
        reached = {name for name in rounds.ends if name in POINTS}
        assert COUNT < 2 * len(POINTS) or len(reached) >= len(POINTS) - 1, rounds.ends
    finally:
        rounds.server.stop()
        webhook.stop()
