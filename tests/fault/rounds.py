"""Kills the program over and over while it works, then counts: every event that got its 202 must have ended, once.

A round starts the server on what the last one left, publishes, and kills it: at a named point of the code, or at a moment
that nobody chose. After the last round it is left alone until nothing waits any more. Three books are compared then: the
ids that were answered 202, the ledger that the functions wrote (what ran), and the records that the destinations took.
"""

import collections
import http.client
import json
import random
import subprocess
import threading
import time

from events import Events, Ledger, stage
from headgate import Headgate, wait_for

POINTS = ["after-accept", "after-commit", "after-lease", "mid-invocation", "after-response", "mid-settle",
          "mid-destination"]
PER_ROUND = 60  # events, at most
PUBLISHERS = 3
POINT_WAIT_S = 6  # for a named point to be reached

KINDS = {  # what the function does, and how the event must end
    "good": (["ok"], "success"),
    "flaky": (["raise", "ok"], "success"),
    "bad": (["raise"], "failure"),
    "lost": (["raise"], "dead"),
}


class Rounds:
    def __init__(self, folder, project, queue_options, webhook, seed):
        self.random = random.Random(seed)
        self.ledger = Ledger(folder / "ledger")
        self.webhook = webhook
        destinations = {"OnSuccess": {"Destination": webhook.url("/success")},
                        "OnFailure": {"Destination": webhook.url("/failure")}}
        nowhere = {"OnFailure": {"Destination": f"file://{folder}/no/such/folder"}}
        template = stage(project, self.ledger, {
            "worker": {"ReservedConcurrentExecutions": 3,
                       "EventInvokeConfig": {"MaximumRetryAttempts": 1, "DestinationConfig": destinations}},
            "loser": {"ReservedConcurrentExecutions": 1,
                      "EventInvokeConfig": {"MaximumRetryAttempts": 0, "DestinationConfig": nowhere}}})
        self.server = Headgate(template, folder / "run", *queue_options, "--retry-scale", "0.003", "--isolation", "none",
                               "--log-level", "warn", "--access-log", "off")
        self.events = Events(self.server)
        self.accepted = {}  # id → kind
        self.unanswered = 0
        self.ends = collections.Counter()

    # One round

    def run(self, count):
        for number in range(count):
            # Each point in its turn; every third kill comes when it comes.
            point = None if number % 3 == 2 else POINTS[(number - number // 3) % len(POINTS)]
            self.round(point)

    def round(self, point):
        if point:
            self.server.env["HEADGATE_CRASH_AT"] = f"{point}:{self.random.randint(1, 12)}"
        else:
            self.server.env.pop("HEADGATE_CRASH_AT", None)
        is_over = threading.Event()
        publishers = []
        try:
            self.server.start()
            publishers = [threading.Thread(target=self.publish, args=(is_over,)) for _ in range(PUBLISHERS)]
            for each in publishers:
                each.start()
            self.server.process.wait(POINT_WAIT_S if point else self.random.uniform(0, 1.2))
        except AssertionError:
            # What the last round left may make it reach the point while it starts.
            if self.server.process.returncode != -9:
                raise
        except subprocess.TimeoutExpired:
            pass
        is_over.set()
        reached = self.server.process.poll()
        assert reached in (None, -9), f"exit code {reached}:\n{self.server.output()[-4000:]}"
        self.ends[point if reached else ("not reached: " + point if point else "anywhere")] += 1
        self.server.kill9()
        for each in publishers:
            each.join()

    def publish(self, is_over):
        connection = http.client.HTTPConnection(*self.server.management_address, timeout=10)
        for _ in range(PER_ROUND // PUBLISHERS):
            if is_over.is_set():
                break
            kind = self.random.choices(list(KINDS), [5, 2, 2, 1])[0]
            function = "loser" if kind == "lost" else "worker"
            try:
                connection.request("POST", f"/2015-03-31/functions/{function}/invocations",
                                   json.dumps({"do": KINDS[kind][0], "key": kind}),
                                   {"X-Amz-Invocation-Type": "Event"})
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException):
                self.unanswered += 1
                break
            if answer.status == 202:
                self.accepted[answer.headers["x-amzn-requestid"]] = kind
            else:
                assert answer.status == 503, (answer.status, answer.headers.items())
            time.sleep(0.005)
        connection.close()

    # The reckoning

    def settle(self, timeout):
        self.server.env.pop("HEADGATE_CRASH_AT", None)
        self.server.start()
        living = "queued,running,retrying"
        try:
            wait_for(lambda: not self.events.page(state=living, limit=1)["events"], "", timeout)
        except AssertionError:
            left = self.events.page(state=living, limit=5)["events"]
            raise AssertionError(f"after {timeout} s there still are living events, such as {left}") from None

    def reckon(self):
        """Problems, one sentence each, and a table of what was seen."""
        known = {each["request_id"]: each for each in self.events.all()}
        ran = collections.Counter(line["id"] for line in self.ledger.lines())
        records = {outcome: collections.Counter(each.json()["requestContext"]["requestId"]
                                                for each in self.webhook.taken(f"/{outcome}"))
                   for outcome in ("success", "failure")}
        problems = []
        for request_id, kind in self.accepted.items():
            problems += [f"{request_id} ({kind}): {fault}" for fault in
                         self.faults(known.get(request_id), KINDS[kind][1], ran[request_id],
                                     {outcome: found[request_id] for outcome, found in records.items()})]
        needed = {"good": 1, "flaky": 2, "bad": 2, "lost": 1}
        extra_runs = sum(max(0, ran[request_id] - needed[kind]) for request_id, kind in self.accepted.items())
        extra_records = sum(count - 1 for found in records.values() for count in found.values() if count > 1)
        table = [
            f"{sum(self.ends.values())} rounds: " + ", ".join(f"{name} {count}" for name, count in sorted(self.ends.items())),
            f"{len(self.accepted)} events answered 202, {self.unanswered} requests cut off unanswered, "
            f"{len(known)} events known",
            f"{extra_runs} runs more than asked for: the program died between a run's beginning and the note of its end",
            f"{extra_records} records sent twice: it died between a destination's yes and the note of it"]
        return problems, table

    @staticmethod
    def faults(life, end, runs, records):
        if life is None:
            return ["nobody knows it"]
        if runs == 0:
            return [f"{life['state']}, and it never ran"]
        if end == "dead":
            return [] if life["state"] == "dead" and life["last_error"] else [f"ended {life['state']}, not dead"]
        if life["state"] != "delivered":
            return [f"ended {life['state']}: {life['last_error']}"]
        other = "failure" if end == "success" else "success"
        faults = [] if records[end] else [f"no {end} record arrived"]
        return faults + ([f"a {other} record arrived"] if records[other] else [])
