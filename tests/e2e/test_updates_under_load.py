"""Functions are changed and deleted while they are called: no call fails, and what is new is seen at once."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from functions import ROLE, create, fresh_name, zip_of
from headgate import wait_for


def code(number):
    return f"def handler(event, context):\n    return {number}\n"


SLOW = """
import time


def handler(event, context):
    time.sleep(event["sleep"])
    return {number}
"""


@pytest.fixture(scope="module")
def client(bare):
    return bare.boto("lambda", config={"max_pool_connections": 32})


def invoke(client, name, qualifier=None, **event):
    members = {"Qualifier": qualifier} if qualifier else {}
    answer = client.invoke(FunctionName=name, Payload=json.dumps(event), **members)
    body = answer["Payload"].read()
    assert "FunctionError" not in answer, body
    return json.loads(body)


class Load:
    """Calls without a pause from several threads; every answer is kept with the time at which its call began."""

    def __init__(self, call, threads=4):
        self.call = call
        self.over = threading.Event()
        self.answers, self.failures = [], []
        self.threads = [threading.Thread(target=self.run) for _ in range(threads)]

    def run(self):
        while not self.over.is_set():
            began = time.monotonic()
            try:
                self.answers.append((began, self.call()))
            except Exception as failure:  # noqa: BLE001
                self.failures.append(failure)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        wait_for(lambda: self.answers, "the first answer")
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()


def test_updates_fail_no_call_and_are_seen_at_once(client):
    name = fresh_name()
    create(client, name, code(0))
    known = []
    with Load(lambda: invoke(client, name)) as load:
        for number in range(1, 13):
            client.update_function_code(FunctionName=name, ZipFile=zip_of({"index.py": code(number)}))
            known.append((time.monotonic(), number))
            assert invoke(client, name) == number
    assert not load.failures
    for began, answer in load.answers:
        # A call that began after an update was answered runs that code or a newer one.
        assert answer >= max((number for when, number in known if when <= began), default=0)
    client.delete_function(FunctionName=name)


def test_configuration_is_seen_at_once(client):
    name = fresh_name()
    create(client, name, "import os\ndef handler(event, context):\n    return os.environ['STAGE']\n",
           Environment={"Variables": {"STAGE": "0"}})
    with Load(lambda: invoke(client, name), threads=2) as load:
        for number in range(1, 9):
            client.update_function_configuration(FunctionName=name,
                                                 Environment={"Variables": {"STAGE": str(number)}})
            assert invoke(client, name) == str(number)
    assert not load.failures
    client.delete_function(FunctionName=name)


def test_what_runs_ends_on_its_code(client):
    name = fresh_name()
    create(client, name, SLOW.replace("{number}", "1"), Timeout=30)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(invoke, client, name, sleep=1.5)
        wait_for(lambda: invoke(client, name, sleep=0) == 1, "the first version")
        for number in (2, 3):
            client.update_function_code(FunctionName=name,
                                        ZipFile=zip_of({"index.py": SLOW.replace("{number}", str(number))}))
            assert invoke(client, name, sleep=0) == number
        assert running.result() == 1
    client.delete_function(FunctionName=name)


def test_deletion_lets_running_calls_end(client):
    name = fresh_name()
    create(client, name, SLOW.replace("{number}", "1"), Timeout=30)
    invoke(client, name, sleep=0)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(invoke, client, name, sleep=1.5)
        assert wait_for(lambda: invoke(client, name, sleep=0) == 1, "an answer")
        client.delete_function(FunctionName=name)
        with pytest.raises(client.exceptions.ResourceNotFoundException):
            invoke(client, name, sleep=0)
        assert running.result() == 1
    # The name is free at once, and nothing of the old function is left.
    create(client, name, code(7))
    assert invoke(client, name) == 7
    client.delete_function(FunctionName=name)


def test_an_alias_shifts_under_load(client):
    name = fresh_name()
    create(client, name, code(1))
    client.publish_version(FunctionName=name)
    client.update_function_code(FunctionName=name, ZipFile=zip_of({"index.py": code(2)}))
    client.publish_version(FunctionName=name)
    client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    with Load(lambda: invoke(client, name, "live"), threads=2) as load:
        for weight in (0.1, 0.5, 0.9):
            client.update_alias(FunctionName=name, Name="live",
                                RoutingConfig={"AdditionalVersionWeights": {"2": weight}})
        client.update_alias(FunctionName=name, Name="live", FunctionVersion="2", RoutingConfig={})
        shifted = time.monotonic()
        assert {invoke(client, name, "live") for _ in range(20)} == {2}
    assert not load.failures
    assert all(answer == 2 for began, answer in load.answers if began >= shifted)
    client.delete_function(FunctionName=name)


def test_old_environments_end(bare, client):
    """One environment is left after many updates, not one for each."""
    name = fresh_name()
    create(client, name, code(0))

    def environments():
        return bare.metrics().get(f'headgate_function_environments{{function="{name}"}}', 0)

    for number in range(1, 9):
        client.update_function_code(FunctionName=name, ZipFile=zip_of({"index.py": code(number)}))
        assert invoke(client, name) == number
    wait_for(lambda: environments() == 1, "old environments to end")
    client.delete_function(FunctionName=name)
    wait_for(lambda: environments() == 0, "the last one to end")


def test_many_functions_come_and_go(client):
    """Calls of one function are not disturbed by others that are created, called and deleted."""
    steady = fresh_name()
    create(client, steady, code(1))
    archive = zip_of({"index.py": code(2)})
    with Load(lambda: invoke(client, steady), threads=2) as load:
        for _ in range(15):
            name = fresh_name()
            client.create_function(FunctionName=name, Runtime="python3.12", Handler="index.handler", Role=ROLE,
                                   Code={"ZipFile": archive})
            assert invoke(client, name) == 2
            client.delete_function(FunctionName=name)
    assert not load.failures
    client.delete_function(FunctionName=steady)
