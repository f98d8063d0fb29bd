"""Many clients that change, run, read and abandon the same few functions: nothing but the answers that this may have."""

import base64
import collections
import json
import random
import socket
import threading
import time
import urllib.request

import botocore.exceptions

from functions import ROLE, zip_of

SECONDS = 4
CLIENTS = 8
NAMES = [f"storm-{i}" for i in range(5)]
ARCHIVES = [zip_of({"index.py": f"def handler(event, context):\n    return {i}\n"}) for i in range(4)]
EXPECTED = {200, 201, 204, 404, 409}


class Client:
    """Does one thing after the other, at random but the same at each run."""

    def __init__(self, server, seed):
        self.server, self.random, self.api = server, random.Random(seed), server.boto("lambda")
        self.operations = [getattr(self, name) for name in dir(self) if name.startswith("do_")]

    def name(self):
        return self.random.choice(NAMES)

    def archive(self):
        if self.random.random() < 0.7:
            return self.random.choice(ARCHIVES)
        return zip_of({"index.py": f"def handler(event, context):\n    return 9\n# {self.random.random()}\n"})

    def do_create(self):
        self.api.create_function(FunctionName=self.name(), Runtime="python3.12", Handler="index.handler", Role=ROLE,
                                 Code={"ZipFile": self.archive()}, Publish=self.random.random() < 0.3)

    def do_update_code(self):
        self.api.update_function_code(FunctionName=self.name(), ZipFile=self.archive(),
                                      Publish=self.random.random() < 0.3, DryRun=self.random.random() < 0.2)

    def do_update_configuration(self):
        self.api.update_function_configuration(FunctionName=self.name(), Description=str(self.random.random()))

    def do_delete(self):
        self.api.delete_function(FunctionName=self.name())

    def do_publish(self):
        self.api.publish_version(FunctionName=self.name())

    def do_alias(self):
        self.api.create_alias(FunctionName=self.name(), Name=f"a{self.random.randint(0, 3)}",
                              FunctionVersion=str(self.random.randint(1, 3)))

    def do_list(self):
        self.api.list_functions(FunctionVersion="ALL", MaxItems=self.random.randint(1, 50))

    def do_versions(self):
        self.api.list_versions_by_function(FunctionName=self.name())

    def do_invoke(self):
        answer = self.api.invoke(FunctionName=self.name())
        assert "FunctionError" not in answer, answer["Payload"].read()

    def do_download(self):
        """The function may have gone since, its code stays until the next start."""
        url = self.api.get_function(FunctionName=self.name())["Code"]["Location"]
        with urllib.request.urlopen(url, timeout=20) as answer:
            assert answer.read(2) == b"PK"

    def do_leave(self):
        body = json.dumps({"FunctionName": self.name(), "Runtime": "python3.12", "Handler": "index.handler", "Role": ROLE,
                           "Code": {"ZipFile": base64.b64encode(self.archive()).decode()}}).encode()
        with socket.create_connection(self.server.management_address) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # cut, not closed
            connection.sendall(b"POST /2015-03-31/functions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                               b"Content-Length: %d\r\n\r\n" % len(body) + body)


def test_storm(serve):
    server = serve.bare()
    end = time.monotonic() + SECONDS
    statuses, faults = collections.Counter(), []

    def run(seed):
        client = Client(server, seed)
        while time.monotonic() < end:
            operation = client.random.choice(client.operations)
            try:
                operation()
                statuses[200] += 1
            except botocore.exceptions.ClientError as error:
                status = error.response["ResponseMetadata"]["HTTPStatusCode"]
                statuses[status] += 1
                if status not in EXPECTED:
                    faults.append(f"{operation.__name__}: {error}")
            except Exception as error:
                faults.append(f"{operation.__name__}: {error!r}")
    threads = [threading.Thread(target=run, args=(seed,)) for seed in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults, faults[:5]
    assert statuses[200] > 100

    # What is there afterwards is whole, and the same after a restart.
    def everything():
        api, found = server.boto("lambda"), {}
        for function in api.list_functions()["Functions"]:
            name = function["FunctionName"]
            found[name] = (function, api.list_versions_by_function(FunctionName=name)["Versions"],
                           api.list_aliases(FunctionName=name)["Aliases"])
            assert api.invoke(FunctionName=name)["StatusCode"] == 200
        return found
    before = everything()
    server.restart()
    assert everything() == before
