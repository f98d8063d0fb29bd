"""Changes functions from several threads while the program is killed, and remembers what it was told.

Each function has one thread that changes it, so what it must look like is known: the state after the last answer, or, for
the one call that got none, the state before or after it. Nothing else may be found after a restart.
"""

import base64
import collections
import hashlib
import json
import random
import threading
import time

import botocore.exceptions

from functions import create, zip_of
from headgate import Headgate, wait_for

POINTS = ["catalog-before-commit", "catalog-after-commit", "catalog-after-publish", "package-mid-unpack"]
THREADS = 4
FUNCTIONS_PER_THREAD = 3
POINT_WAIT_S = 8  # for a named point to be reached
INVOKED_PER_ROUND = 3


def code_of(tag):
    return zip_of({"index.py": f"def handler(event, context):\n    return {tag!r}\n"})


def sha_of(tag):
    return base64.b64encode(hashlib.sha256(code_of(tag)).digest()).decode()


class State:
    """What one function looks like; None in its place: there is none."""

    def __init__(self, description, tag, versions=None, aliases=None, tags=None):
        self.description, self.tag = description, tag
        self.versions = dict(versions or {})  # number → (description, tag)
        self.aliases = dict(aliases or {})
        self.tags = dict(tags or {})

    def but(self, **changes):
        return State(**{**vars(self), **changes})

    def seen(self):
        """As a client sees it."""
        return {"latest": (self.description, sha_of(self.tag)),
                "versions": {number: (said, sha_of(tag)) for number, (said, tag) in self.versions.items()},
                "aliases": self.aliases, "tags": self.tags}


def look(client, name):
    try:
        function = client.get_function(FunctionName=name)
    except client.exceptions.ResourceNotFoundException:
        return None
    configuration = function["Configuration"]
    assert configuration["State"] == "Active" and configuration["LastUpdateStatus"] == "Successful", configuration
    versions = client.list_versions_by_function(FunctionName=name)["Versions"]
    assert versions[0]["Version"] == "$LATEST"
    return {"latest": (configuration["Description"], configuration["CodeSha256"]),
            "versions": {int(v["Version"]): (v["Description"], v["CodeSha256"]) for v in versions[1:]},
            "aliases": {a["Name"]: int(a["FunctionVersion"])
                        for a in client.list_aliases(FunctionName=name)["Aliases"]},
            "tags": function.get("Tags", {})}


class Changer:
    """One thread's functions and what is known of them."""

    def __init__(self, number, seed):
        self.random = random.Random(seed * 1000 + number)
        self.names = [f"storm-{number}-{i}" for i in range(FUNCTIONS_PER_THREAD)]
        self.known = {name: None for name in self.names}
        self.doubt = {}  # name → the other state that it may have
        self.counter = 0
        self.answered = 0
        self.faults = []

    def new_tag(self):
        self.counter += 1
        return f"{self.names[0]}/{self.counter}"

    def run(self, server, is_over):
        client = server.boto("lambda", config={"connect_timeout": 5, "read_timeout": 20})
        while not is_over.is_set():
            name = self.random.choice(self.names)
            call, after = self.next_change(client, name)
            self.doubt[name] = after
            try:
                call()
            except botocore.exceptions.ClientError as error:
                self.faults.append(f"{name}: {error}")
                return
            except (botocore.exceptions.HTTPClientError, botocore.exceptions.ConnectionError, OSError):
                return  # the end of the program came first
            self.known[name] = self.doubt.pop(name)
            self.answered += 1

    def next_change(self, client, name):
        state = self.known[name]
        tag = self.new_tag()
        if state is None:
            return (lambda: create(client, name, Code={"ZipFile": code_of(tag)}, Description=tag),
                    State(tag, tag))
        chance = self.random.random()
        if chance < 0.05:
            return lambda: client.delete_function(FunctionName=name), None
        if chance < 0.3:
            return (lambda: client.update_function_configuration(FunctionName=name, Description=tag),
                    state.but(description=tag))
        if chance < 0.5:
            return (lambda: client.update_function_code(FunctionName=name, ZipFile=code_of(tag)), state.but(tag=tag))
        if chance < 0.6:
            arn = f"arn:aws:lambda:us-east-1:000000000000:function:{name}"
            return lambda: client.tag_resource(Resource=arn, Tags={"tag": tag}), state.but(tags={"tag": tag})
        newest = max(state.versions, default=0)
        if chance < 0.8 and state.versions.get(newest) != (state.description, state.tag):
            return (lambda: client.publish_version(FunctionName=name),
                    state.but(versions=state.versions | {newest + 1: (state.description, state.tag)}))
        return self.alias_change(client, name, state, newest, tag)

    def alias_change(self, client, name, state, newest, tag):
        if not newest:
            return (lambda: client.update_function_configuration(FunctionName=name, Description=tag),
                    state.but(description=tag))
        version = self.random.randint(1, newest)
        if "live" not in state.aliases:
            change = client.create_alias
        elif self.random.random() < 0.2:
            return (lambda: client.delete_alias(FunctionName=name, Name="live"), state.but(aliases={}))
        else:
            change = client.update_alias
        return (lambda: change(FunctionName=name, Name="live", FunctionVersion=str(version)),
                state.but(aliases={"live": version}))

    def check(self, client):
        """What is found is one of what may be; from then on it is what is known."""
        for name in self.names:
            found, may_be = look(client, name), [self.known[name]]
            if name in self.doubt:
                may_be.append(self.doubt.pop(name))
            fitting = [state for state in may_be if (state.seen() if state else None) == found]
            assert fitting, f"{name}: found {found}, not {[state and state.seen() for state in may_be]}"
            self.known[name] = fitting[0]


class Storm:
    def __init__(self, folder, seed, *options):
        self.random = random.Random(seed)
        self.server = Headgate(None, folder, "--isolation", "none", "--log-level", "warn", "--access-log", "off", *options,
                               cwd=folder)
        self.changers = [Changer(number, seed) for number in range(THREADS)]
        self.ends = collections.Counter()

    def run(self, rounds):
        for number in range(rounds):
            # Each point in its turn; every third kill comes when it comes.
            point = None if number % 3 == 2 else POINTS[(number - number // 3) % len(POINTS)]
            self.round(point)
        self.server.env.pop("HEADGATE_CRASH_AT", None)
        self.server.start()
        self.check()
        self.server.stop()

    def round(self, point):
        self.server.env.pop("HEADGATE_CRASH_AT", None)
        if point:
            self.server.env["HEADGATE_CRASH_AT"] = f"{point}:{self.random.randint(1, 25)}"
        self.server.start()
        self.check()
        is_over = threading.Event()
        threads = [threading.Thread(target=changer.run, args=(self.server, is_over)) for changer in self.changers]
        for thread in threads:
            thread.start()
        if point:
            self.wait_for_death()
        else:
            time.sleep(self.random.uniform(0.1, 0.6))
        code = self.server.process.poll()
        assert code in (None, -9), f"exit code {code}:\n{self.server.output()[-4000:]}"
        self.ends[point if code else "anywhere"] += 1
        self.server.kill9()
        is_over.set()
        for thread in threads:
            thread.join()
        faults = [fault for changer in self.changers for fault in changer.faults]
        assert not faults, faults

    def wait_for_death(self):
        """The point is reached, or it is not: then the kill comes all the same."""
        deadline = time.monotonic() + POINT_WAIT_S
        while self.server.process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)

    def check(self):
        client = self.server.boto("lambda")
        for changer in self.changers:
            changer.check(client)
        known = {name: state for changer in self.changers for name, state in changer.known.items() if state}
        for name in self.random.sample(sorted(known), min(INVOKED_PER_ROUND, len(known))):
            self.invoke(client, name, known[name])
        self.check_code(known)

    def invoke(self, client, name, state):
        targets = [("$LATEST", state.tag)] + [(str(number), tag) for number, (_, tag) in state.versions.items()][-1:]
        if "live" in state.aliases:
            targets.append(("live", state.versions[state.aliases["live"]][1]))
        for qualifier, tag in targets:
            answer = client.invoke(FunctionName=name, Qualifier=qualifier)
            payload = answer["Payload"].read()
            assert "FunctionError" not in answer and json.loads(payload) == tag, (name, qualifier, payload)

    def check_code(self, known):
        """What no function names was removed, and nothing is half there."""
        folder = self.server.data_dir / "code"
        used = {base64.b64decode(sha_of(tag)).hex()
                for state in known.values()
                for tag in [state.tag] + [tag for _, tag in state.versions.values()]}
        wait_for(lambda: {path.name.removesuffix(".zip") for path in folder.iterdir()} == used if folder.exists() else not used,
                 "unused code to be removed")
        for name in used:
            assert (folder / name / "index.py").stat().st_size > 0 and (folder / f"{name}.zip").exists()

    @property
    def answered(self):
        return sum(changer.answered for changer in self.changers)
