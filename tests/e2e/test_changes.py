"""Changes by the management API: they are made whole even when the client does not wait, and reads see them at once."""

import json
import socket
import struct
import threading

from functions import create, fresh_name

ALIAS = "/2015-03-31/functions/{name}/aliases"


def send_and_leave(server, target, body):
    """The whole request; then the connection is reset."""
    with socket.create_connection(server.management_address) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.sendall(f"POST {target} HTTP/1.1\r\nHost: h\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        # A reset throws away what was not read yet: the answer's first byte shows that it was, for every second one.
        if len(body) % 2:
            connection.recv(1)


def test_a_client_that_leaves(bare):
    """The change of a client that leaves is made or never was: no alias is half there, and the server goes on."""
    aws = bare.boto("lambda")
    name = fresh_name()
    create(aws, name)
    aws.publish_version(FunctionName=name)
    names = [f"a{number}" + "x" * (number % 2) for number in range(40)]
    for alias in names:
        body = json.dumps({"Name": alias, "FunctionVersion": "1"}).encode()
        send_and_leave(bare, ALIAS.format(name=name), body)
    seen = {item["Name"]: item["FunctionVersion"] for item in aws.list_aliases(FunctionName=name)["Aliases"]}
    assert set(seen.values()) == {"1"}
    answered = {alias for alias in names if len(json.dumps({"Name": alias, "FunctionVersion": "1"})) % 2}
    assert answered and answered <= set(seen)


def test_reads_see_what_was_answered(bare):
    """As soon as a change is answered, every connection sees it."""
    aws = bare.boto("lambda")
    name = fresh_name()
    create(aws, name)
    others = [bare.boto("lambda") for _ in range(4)]
    for timeout in range(1, 30):
        aws.update_function_configuration(FunctionName=name, Timeout=timeout)
        assert [other.get_function_configuration(FunctionName=name)["Timeout"] for other in others] == [timeout] * 4


def test_changes_at_once(bare):
    """Changes of one function by many clients: each is made, none is lost."""
    aws = bare.boto("lambda")
    name = fresh_name()
    create(aws, name)
    arn = aws.get_function_configuration(FunctionName=name)["FunctionArn"]
    failures = []

    def tag(client, number):
        try:
            client.tag_resource(Resource=arn, Tags={f"k{number}": str(number)})
        except Exception as error:
            failures.append(error)
    threads = [threading.Thread(target=tag, args=(bare.boto("lambda"), number)) for number in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert aws.list_tags(Resource=arn)["Tags"] == {f"k{number}": str(number) for number in range(24)}
