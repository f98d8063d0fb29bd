"""POST /_headgate/reset: the next run of a test suite starts with nothing."""

import json
import threading
import time

import pytest

from functions import create, fresh_name, refusal, zip_of
from headgate import wait_for

ROLE = "arn:aws:iam::000000000000:role/test"
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]})
TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Greeter:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: greeter
      Runtime: python3.12
      Handler: app.handler
      CodeUri: src
      Description: as written
"""
FAIL = "def handler(event, context):\n    raise RuntimeError('no')\n"


@pytest.fixture(scope="module")
def server(serve_module):
    return serve_module.bare("--allow-reset")


def reset(server):
    answer = server.manage("POST", "/_headgate/reset")
    assert answer.status == 200, answer.body
    return answer.json()


def events(server):
    return server.manage("GET", "/_headgate/events").json()["events"]


def test_it_must_be_allowed(bare):
    create(bare.boto(), "stays")
    answer = bare.manage("POST", "/_headgate/reset")
    assert answer.status == 403 and "--allow-reset" in answer.text
    assert bare.boto().get_function(FunctionName="stays")


def test_everything_goes(server):
    client, iam = server.boto(), server.boto("iam")
    create(client, "gone", Publish=True)
    client.create_alias(FunctionName="gone", Name="live", FunctionVersion="1")
    client.publish_layer_version(LayerName="shared", Content={"ZipFile": zip_of({"x.py": "x = 1\n"})})
    iam.create_role(RoleName="gone", AssumeRolePolicyDocument=TRUST)
    client.invoke(FunctionName="gone", Payload=b"1")
    create(client, "failing", FAIL)
    client.invoke(FunctionName="failing", InvocationType="Event", Payload=b"1")
    wait_for(lambda: [event for event in events(server) if event["state"] == "retrying"], "a failed event")

    assert reset(server)["reset"] is True
    assert client.list_functions()["Functions"] == []
    assert client.list_layers()["Layers"] == []
    assert iam.list_roles()["Roles"] == []
    assert events(server) == []
    assert refusal(client.invoke, FunctionName="gone")[1] == "ResourceNotFoundException"

    # Everything is new: numbers of versions begin again.
    assert create(client, "gone", Publish=True)["Version"] == "1"
    layer = client.publish_layer_version(LayerName="shared", Content={"ZipFile": zip_of({"x.py": "x = 2\n"})})
    assert layer["Version"] == 1
    assert json.load(client.invoke(FunctionName="gone", Payload=b'"again"')["Payload"]) == "again"
    reset(server)


def test_events_that_wait_go_while_others_run(server):
    client, name = server.boto(), fresh_name()
    create(client, name, "import time\ndef handler(event, context):\n    print('at work')\n    time.sleep(1)\n", Timeout=10)
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    for _ in range(5):
        client.invoke(FunctionName=name, InvocationType="Event", Payload=b"1")
    server.wait_for_log("at work")
    reset(server)
    # The one that runs is the only one that may be left.
    left = wait_for(lambda: [found for found in [events(server)] if len(found) <= 1], "the others to go")[0]
    assert all(event["state"] == "running" for event in left), left
    wait_for(lambda: not [event for event in events(server) if event["state"] == "running"], "its end")
    reset(server)
    assert events(server) == []


def test_logs_go(server):
    client, logs = server.boto(), server.boto("logs")
    name = fresh_name()
    create(client, name, "def handler(event, context):\n    print('said')\n")
    client.invoke(FunctionName=name)
    wait_for(lambda: logs.describe_log_groups()["logGroups"], "the log group")
    reset(server)
    assert logs.describe_log_groups()["logGroups"] == []


def test_metrics_go(server):
    cloudwatch = server.boto("cloudwatch")
    cloudwatch.put_metric_data(Namespace="App", MetricData=[{"MetricName": "m", "Value": 1}])
    wait_for(lambda: cloudwatch.list_metrics(Namespace="App")["Metrics"], "the metric")
    reset(server)
    assert cloudwatch.list_metrics(Namespace="App")["Metrics"] == []


def test_template_made_things_are_as_the_template_says(serve, project):
    project.file("src/app.py", "def handler(event, context):\n    return 'template'\n")
    template = project.template(TEMPLATE)
    server = serve(template, "--allow-reset")
    client = server.boto()
    client.update_function_configuration(FunctionName="greeter", Description="changed")
    create(client, "other")
    reset(server)
    functions = client.list_functions()["Functions"]
    assert [(found["FunctionName"], found["Description"]) for found in functions] == [("greeter", "as written")]
    assert json.load(client.invoke(FunctionName="greeter")["Payload"]) == "template"


def test_a_running_invocation_ends_by_itself(server):
    client = server.boto()
    name = fresh_name()
    create(client, name, "import time\ndef handler(event, context):\n    print('begun')\n    time.sleep(1)\n    return 'done'\n",
           Timeout=10)
    answers = []
    thread = threading.Thread(target=lambda: answers.append(client.invoke(FunctionName=name)))
    thread.start()
    server.wait_for_log("begun")
    reset(server)
    thread.join()
    assert json.load(answers[0]["Payload"]) == "done"
    assert client.list_functions()["Functions"] == []


def test_it_is_quick(server):
    client = server.boto()
    code = {"ZipFile": zip_of({"index.py": "def handler(event, context):\n    return 1\n"})}
    for number in range(200):
        client.create_function(FunctionName=f"many-{number}", Runtime="python3.12", Handler="index.handler", Role=ROLE,
                               Code=code)
    before = time.monotonic()
    took = reset(server)["took_us"]
    print(f"reset of 200 functions: {took / 1000:.1f} ms, {1000 * (time.monotonic() - before):.1f} ms for the client")
    assert client.list_functions()["Functions"] == []
    assert took < 1_000_000  # far less without sanitizers and neighbours


def test_reset_survives_a_kill(serve):
    server = serve.bare("--allow-reset")
    create(server.boto(), "gone")
    reset(server)
    server.kill9()
    server.start()
    assert server.boto().list_functions()["Functions"] == []
