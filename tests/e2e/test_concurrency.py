"""Environments: re-use, growth with load, limits."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

PID_PY = """
import os
import time


def handler(event, context):
    time.sleep(event.get("sleep", 0))
    return os.getpid()
"""


@pytest.fixture
def template(project):
    project.file("src/pid.py", PID_PY)
    return project.template("""
        Globals: {Function: {Handler: pid.handler, Runtime: python3.12, CodeUri: src, Timeout: 20}}
        Resources:
          F: {Type: AWS::Serverless::Function, Properties: {}}
          G: {Type: AWS::Serverless::Function, Properties: {}}
          Two: {Type: AWS::Serverless::Function, Properties: {ReservedConcurrentExecutions: 2}}
        """)


def test_one_after_the_other_uses_one_environment(serve, template):
    server = serve(template, "--threads", "2")
    assert len({server.invoke("F").json() for _ in range(20)}) == 1


def at_once(server, function, count, payload):
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(lambda _: server.invoke(function, json.dumps(payload)), range(count)))


def test_parallel_calls_get_environments_of_their_own_and_keep_them(serve, template):
    server = serve(template, "--threads", "2")
    begin = time.monotonic()
    first = at_once(server, "F", 8, {"sleep": 1})
    assert [answer.status for answer in first] == [200] * 8
    assert time.monotonic() - begin < 7
    pids = {answer.json() for answer in first}
    assert len(pids) == 8
    # What is idle is used before anything new is started.
    second = {answer.json() for answer in at_once(server, "F", 8, {"sleep": 0.5})}
    assert second <= pids


def test_reserved_concurrency_is_a_ceiling(serve, template):
    server = serve(template, "--threads", "2")
    answers = at_once(server, "Two", 10, {"sleep": 0.3})
    assert {answer.status for answer in answers} <= {200, 429}
    assert len({answer.json() for answer in answers if answer.status == 200}) <= 2


def test_global_limit_and_its_queue(serve, template):
    server = serve(template, "--threads", "2", "--max-concurrency", "2")
    answers = at_once(server, "F", 6, {"sleep": 0.1})
    assert {answer.status for answer in answers} <= {200, 429}
    assert len({answer.json() for answer in answers if answer.status == 200}) <= 2
    throttled = [answer for answer in answers if answer.status == 429]
    for answer in throttled:
        assert answer.json()["Reason"] == "ConcurrentInvocationLimitExceeded"
    # An idle environment of one function makes room for another function.
    assert server.invoke("G").status == 200


def test_steady_load_over_two_threads(serve, template):
    server = serve(template, "--threads", "2")
    server.invoke("F")
    failures = []

    def load():
        for _ in range(25):
            answer = server.invoke("F")
            if answer.status != 200:
                failures.append((answer.status, answer.body))
    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
