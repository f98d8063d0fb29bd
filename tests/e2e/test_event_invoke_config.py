"""Event invoke configs: from the template, by the API, over restarts."""

import json
import re
import sqlite3
import subprocess
import threading
import time

import boto3
import botocore.config
import botocore.exceptions
import pytest

import headgate as program

ARN = "arn:aws:lambda:us-east-1:000000000000:function:"
QUEUE = "arn:aws:sqs:us-east-1:000000000000:failed"
TOPIC = "arn:aws:sns:us-east-1:000000000000:failed"
BUS = "arn:aws:events:us-east-1:000000000000:event-bus/results"
BUCKET = "arn:aws:s3:::records"
PATTERN = (r"$|kafka://([^.]([a-zA-Z0-9\-_.]{0,248}))|arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\-])+:"
           r"((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1})?:(\d{12})?:(.*)")

CODE = '"def handler(event, context): return 1"'
TEMPLATE = """
Globals: {Function: {Handler: index.handler, Runtime: python3.12}}
Resources:
  Orders: {Type: AWS::Serverless::Function, Properties: {FunctionName: orders, AutoPublishAlias: live, InlineCode: CODE}}
  Audit: {Type: AWS::Serverless::Function, Properties: {FunctionName: audit, InlineCode: CODE}}
  Declared:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: declared
      InlineCode: CODE
      DeadLetterQueue: {Type: SNS, TargetArn: !Ref Topic}
      EventInvokeConfig:
        MaximumRetryAttempts: RETRIES
        DestinationConfig:
          OnSuccess: {Type: Lambda, Destination: !GetAtt Audit.Arn}
          OnFailure: {Type: SQS}
  Topic: {Type: AWS::SNS::Topic, Properties: {TopicName: dead}}
"""


def template(project, retries=1):
    return project.template(TEMPLATE.replace("CODE", CODE).replace("RETRIES", str(retries)))


def connect(server):
    return boto3.client(
        "lambda", endpoint_url=server.management_url, region_name="us-east-1", aws_access_key_id="test",
        aws_secret_access_key="test", config=botocore.config.Config(retries={"max_attempts": 1, "mode": "standard"}))


@pytest.fixture(scope="module")
def server(serve_module):
    return serve_module(template(serve_module.project()))


@pytest.fixture(scope="module")
def aws(server):
    return connect(server)


@pytest.fixture
def orders(aws):
    """The name of a function without configs, before and after."""
    yield "orders"
    for config in aws.list_function_event_invoke_configs(FunctionName="orders")["FunctionEventInvokeConfigs"]:
        aws.delete_function_event_invoke_config(FunctionName=config["FunctionArn"])


def path_of(name, **query):
    text = "&".join(f"{key}={value}" for key, value in query.items())
    return f"/2019-09-25/functions/{name}/event-invoke-config" + (f"?{text}" if text else "")


def put(server, name, body, method="PUT", **query):
    if not isinstance(body, (str, bytes)):
        body = json.dumps(body)
    return server.manage(method, path_of(name, **query), body=body.encode() if isinstance(body, str) else body)


def values(config):
    return {key: config[key] for key in config if key not in ("ResponseMetadata", "LastModified", "FunctionArn")}


NOWHERE = {"DestinationConfig": {"OnSuccess": {}, "OnFailure": {}}}


def test_put_and_get(aws, orders):
    before = time.time()
    put_answer = aws.put_function_event_invoke_config(
        FunctionName=orders, MaximumRetryAttempts=1, MaximumEventAgeInSeconds=3600,
        DestinationConfig={"OnFailure": {"Destination": QUEUE}})
    assert put_answer["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert put_answer["FunctionArn"] == ARN + "orders:$LATEST"
    assert before - 0.01 <= put_answer["LastModified"].timestamp() <= time.time() + 0.01
    assert values(put_answer) == {"MaximumRetryAttempts": 1, "MaximumEventAgeInSeconds": 3600,
                                  "DestinationConfig": {"OnSuccess": {}, "OnFailure": {"Destination": QUEUE}}}
    got = aws.get_function_event_invoke_config(FunctionName=orders)
    assert values(got) == values(put_answer) and got["LastModified"] == put_answer["LastModified"]


def test_form_on_the_wire(server, orders):
    answer = put(server, orders, {"MaximumRetryAttempts": 0})
    assert answer.status == 200 and answer.header("content-type") == "application/json"
    assert re.fullmatch(r"[0-9a-f-]{36}", answer.header("x-amzn-requestid"))
    assert re.fullmatch(
        r'\{"LastModified":\d{10}\.\d{3},"FunctionArn":"' + re.escape(ARN) + r'orders:\$LATEST",'
        r'"MaximumRetryAttempts":0,"DestinationConfig":\{"OnSuccess":\{\},"OnFailure":\{\}\}\}', answer.text)


def test_put_replaces_everything(aws, orders):
    aws.put_function_event_invoke_config(FunctionName=orders, MaximumRetryAttempts=1, MaximumEventAgeInSeconds=60,
                                         DestinationConfig={"OnSuccess": {"Destination": BUS}})
    assert values(aws.put_function_event_invoke_config(FunctionName=orders, MaximumEventAgeInSeconds=120)) == {
        "MaximumEventAgeInSeconds": 120, **NOWHERE}
    assert values(aws.get_function_event_invoke_config(FunctionName=orders)) == {
        "MaximumEventAgeInSeconds": 120, **NOWHERE}


def test_update_merges(aws, orders):
    aws.put_function_event_invoke_config(FunctionName=orders, MaximumRetryAttempts=1,
                                         DestinationConfig={"OnFailure": {"Destination": TOPIC}})
    aws.update_function_event_invoke_config(FunctionName=orders, MaximumEventAgeInSeconds=90)
    answer = aws.update_function_event_invoke_config(FunctionName=orders, MaximumRetryAttempts=0)
    assert values(answer) == {"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 90,
                              "DestinationConfig": {"OnSuccess": {}, "OnFailure": {"Destination": TOPIC}}}
    answer = aws.update_function_event_invoke_config(FunctionName=orders,
                                                     DestinationConfig={"OnSuccess": {"Destination": QUEUE}})
    assert answer["DestinationConfig"] == {"OnSuccess": {"Destination": QUEUE}, "OnFailure": {}}
    assert values(aws.get_function_event_invoke_config(FunctionName=orders)) == values(answer)


def test_an_empty_destination_config_is_a_setting(aws, orders):
    assert values(aws.put_function_event_invoke_config(FunctionName=orders, DestinationConfig={})) == NOWHERE
    assert values(aws.put_function_event_invoke_config(
        FunctionName=orders, DestinationConfig={"OnSuccess": {"Destination": ""}})) == NOWHERE


def test_delete(server, aws, orders):
    aws.put_function_event_invoke_config(FunctionName=orders, MaximumRetryAttempts=1)
    answer = server.manage("DELETE", path_of(orders))
    assert answer.status == 204 and answer.body == b""
    for call in (aws.get_function_event_invoke_config, aws.delete_function_event_invoke_config):
        with pytest.raises(aws.exceptions.ResourceNotFoundException) as error:
            call(FunctionName=orders)
        assert error.value.response["Error"]["Message"] == (
            f"The function {ARN}orders:$LATEST doesn't have an EventInvokeConfig")


def test_qualifiers_are_apart(aws, orders):
    for qualifier, retries in (("live", 0), ("1", 1), ("$LATEST", 2)):
        answer = aws.put_function_event_invoke_config(FunctionName=orders, Qualifier=qualifier,
                                                      MaximumRetryAttempts=retries)
        assert answer["FunctionArn"] == f"{ARN}orders:{qualifier}"
    assert aws.get_function_event_invoke_config(FunctionName="orders:live")["MaximumRetryAttempts"] == 0
    assert aws.get_function_event_invoke_config(FunctionName=ARN + "orders:1")["MaximumRetryAttempts"] == 1
    assert aws.get_function_event_invoke_config(FunctionName=ARN + "orders")["MaximumRetryAttempts"] == 2
    listed = aws.list_function_event_invoke_configs(FunctionName=orders)["FunctionEventInvokeConfigs"]
    assert [config["FunctionArn"].rsplit(":", 1)[1] for config in listed] == ["$LATEST", "1", "live"]
    aws.delete_function_event_invoke_config(FunctionName=orders, Qualifier="1")
    assert aws.get_function_event_invoke_config(FunctionName=orders)["MaximumRetryAttempts"] == 2


def test_list_by_pages(server, aws, orders):
    for qualifier in ("live", "1", "$LATEST"):
        aws.put_function_event_invoke_config(FunctionName=orders, Qualifier=qualifier, MaximumRetryAttempts=0)
    pages = list(aws.get_paginator("list_function_event_invoke_configs").paginate(
        FunctionName=orders, PaginationConfig={"PageSize": 1}))
    assert [len(page["FunctionEventInvokeConfigs"]) for page in pages] == [1, 1, 1]
    assert "NextMarker" not in pages[-1]
    two = server.manage("GET", "/2019-09-25/functions/orders/event-invoke-config/list?MaxItems=2").json()
    assert len(two["FunctionEventInvokeConfigs"]) == 2
    # What goes meanwhile does not hide what comes.
    aws.delete_function_event_invoke_config(FunctionName=orders, Qualifier="1")
    rest = server.manage(
        "GET", f"/2019-09-25/functions/orders/event-invoke-config/list?Marker={two['NextMarker']}").json()
    assert [config["FunctionArn"] for config in rest["FunctionEventInvokeConfigs"]] == [ARN + "orders:live"]


def test_list_of_a_function_without_any(server):
    answer = server.manage("GET", "/2019-09-25/functions/audit/event-invoke-config/list")
    assert answer.status == 200 and answer.text == '{"FunctionEventInvokeConfigs":[]}'


@pytest.mark.parametrize("items, constraint", [
    ("51", "less than or equal to 50"), ("0", "greater than or equal to 1"), ("-3", "greater than or equal to 1")])
def test_wrong_page_sizes(server, items, constraint):
    answer = server.manage("GET", f"/2019-09-25/functions/orders/event-invoke-config/list?MaxItems={items}")
    assert (answer.status, answer.header("x-amzn-errortype")) == (400, "ValidationException")
    assert answer.json() == {"message": f"1 validation error detected: Value '{items}' at 'maxItems' failed to satisfy "
                                        f"constraint: Member must have value {constraint}"}


@pytest.mark.parametrize("target", [
    QUEUE, TOPIC, BUS, ARN + "audit", ARN + "audit:$LATEST", "kafka://results",
    "kafka://results?brokers=127.0.0.1:9092,127.0.0.1:9093", "redis://127.0.0.1:6379/0/results",
    "rediss://user:secret@cache:6380/1", "http://127.0.0.1:9/hook", "https://example.com/hook?key=1",
    "file:///var/lib/records"])
def test_destinations_that_are_taken(aws, orders, target):
    for outcome in ("OnSuccess", "OnFailure"):
        answer = aws.put_function_event_invoke_config(FunctionName=orders,
                                                      DestinationConfig={outcome: {"Destination": target}})
        assert answer["DestinationConfig"][outcome] == {"Destination": target}


def test_buckets_take_failures_only(aws, orders):
    aws.put_function_event_invoke_config(FunctionName=orders, DestinationConfig={"OnFailure": {"Destination": BUCKET}})
    with pytest.raises(aws.exceptions.InvalidParameterValueException) as error:
        aws.put_function_event_invoke_config(FunctionName=orders,
                                             DestinationConfig={"OnSuccess": {"Destination": BUCKET}})
    assert error.value.response["Error"]["Message"] == (
        f"The provided destination config DestinationConfig(onSuccess=OnSuccess(destination={BUCKET}), onFailure=null) "
        "is invalid.")


@pytest.mark.parametrize("config, message", [
    ({"OnFailure": {"Destination": ARN + "none"}}, f"The destination ARN {ARN}none is invalid."),
    ({"OnFailure": {"Destination": ARN + "orders"}}, "You can't specify the function as a destination for itself."),
    ({"OnSuccess": {"Destination": ARN + "orders:live"}}, "You can't specify the function as a destination for itself."),
    ({"OnFailure": {"Destination": "arn:aws:iam::000000000000:role/r"}},
     "The provided destination config DestinationConfig(onSuccess=null, "
     "onFailure=OnFailure(destination=arn:aws:iam::000000000000:role/r)) is invalid."),
    ({"OnFailure": {"Destination": QUEUE}, "OnSuccess": {"Destination": "arn:aws:sqs:us-east-1:000000000000:q.fifo"}},
     "The provided destination config DestinationConfig(onSuccess=OnSuccess(destination=arn:aws:sqs:us-east-1:"
     f"000000000000:q.fifo), onFailure=OnFailure(destination={QUEUE})) is invalid."),
    ({"OnSuccess": {"Destination": "file:///records?x"}},
     "The provided destination config DestinationConfig(onSuccess=OnSuccess(destination=file:///records?x), "
     "onFailure=null) is invalid."),
    ({"OnFailure": {"Destination": "kafka://t?group=x"}},
     "The provided destination config DestinationConfig(onSuccess=null, "
     "onFailure=OnFailure(destination=kafka://t?group=x)) is invalid."),
    ({"OnFailure": {"Destination": "https:///hook"}},
     "The provided destination config DestinationConfig(onSuccess=null, "
     "onFailure=OnFailure(destination=https:///hook)) is invalid."),
])
@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_destinations_that_are_refused(server, orders, method, config, message):
    answer = put(server, orders, {"DestinationConfig": config}, method)
    assert (answer.status, answer.header("x-amzn-errortype")) == (400, "InvalidParameterValueException")
    assert answer.json() == {"Type": "User", "message": message}


@pytest.mark.parametrize("body, faults", [
    ({"MaximumRetryAttempts": 3}, ["Value '3' at 'maximumRetryAttempts' failed to satisfy constraint: Member must have "
                                   "value less than or equal to 2"]),
    ({"MaximumRetryAttempts": -1}, ["Value '-1' at 'maximumRetryAttempts' failed to satisfy constraint: Member must "
                                    "have value greater than or equal to 0"]),
    ({"MaximumEventAgeInSeconds": 59}, ["Value '59' at 'maximumEventAgeInSeconds' failed to satisfy constraint: Member "
                                        "must have value greater than or equal to 60"]),
    ({"MaximumEventAgeInSeconds": 21601, "MaximumRetryAttempts": 99999999999999999999}, [
        "Value '99999999999999999999' at 'maximumRetryAttempts' failed to satisfy constraint: Member must have value "
        "less than or equal to 2",
        "Value '21601' at 'maximumEventAgeInSeconds' failed to satisfy constraint: Member must have value less than or "
        "equal to 21600"]),
    ({"DestinationConfig": {"OnFailure": {"Destination": "failed"}}}, [
        "Value 'failed' at 'destinationConfig.onFailure.destination' failed to satisfy constraint: Member must satisfy "
        f"regular expression pattern: {PATTERN}"]),
    ({"DestinationConfig": {"OnSuccess": {"Destination": "kafka://.hidden"}}}, [
        "Value 'kafka://.hidden' at 'destinationConfig.onSuccess.destination' failed to satisfy constraint: Member must "
        f"satisfy regular expression pattern: {PATTERN}"]),
    ({"DestinationConfig": {"OnSuccess": {"Destination": QUEUE + "q" * 350}}}, [
        f"Value '{QUEUE}{'q' * 350}' at 'destinationConfig.onSuccess.destination' failed to satisfy constraint: Member "
        "must have length less than or equal to 350"]),
])
def test_values_out_of_range(server, orders, body, faults):
    answer = put(server, orders, body)
    assert (answer.status, answer.header("x-amzn-errortype")) == (400, "ValidationException")
    several = "s" if len(faults) > 1 else ""
    assert answer.json() == {"message": f"{len(faults)} validation error{several} detected: " + "; ".join(faults)}
    assert server.manage("GET", path_of(orders)).status == 404


@pytest.mark.parametrize("body", [b"{", b"[]", b"7", b'{"MaximumRetryAttempts":"1"}', b'{"MaximumRetryAttempts":1.5}',
                                  b'{"DestinationConfig":[]}', b'{"DestinationConfig":{"OnFailure":"x"}}',
                                  b'{"DestinationConfig":{"OnFailure":{"Destination":1}}}', b'\xff'])
def test_bodies_that_are_wrong(server, orders, body):
    answer = put(server, orders, body)
    assert (answer.status, answer.header("x-amzn-errortype")) == (400, "InvalidRequestContentException")
    assert answer.json()["message"].startswith("Could not parse request body into json: ")


def test_a_hostile_destination(server, orders):
    for target in ("arn:aws:sqs:us-east-1:000000000000:a\0b", "https://a b", "x" * 30000, "arn:" * 5000):
        assert put(server, orders, {"DestinationConfig": {"OnFailure": {"Destination": target}}}).status == 400


@pytest.mark.parametrize("method", ["PUT", "POST"])
@pytest.mark.parametrize("body", ["", "{}", '{"MaximumRetryAttempts":null,"Other":1}'])
def test_nothing_to_set(server, method, body):
    for name in ("orders", "none"):  # said before the function is looked for
        answer = put(server, name, body, method)
        assert (answer.status, answer.json()) == (400, {
            "Type": "User",
            "message": "You must specify at least one of error handling or destination setting."})


@pytest.mark.parametrize("name, query", [("none", {}), ("orders", {"Qualifier": "7"}), ("orders:nope", {})])
def test_a_function_that_is_not_there(server, name, query):
    body = {"MaximumRetryAttempts": 1, "DestinationConfig": {"OnFailure": {"Destination": ARN + "unknown"}}}
    for method in ("PUT", "POST"):
        answer = put(server, name, body, method, **query)
        assert (answer.status, answer.header("x-amzn-errortype")) == (404, "ResourceNotFoundException")
        assert answer.json() == {"Type": "User", "Message": "The function doesn't exist."}
    bare = name.split(":")[0]
    qualifier = query.get("Qualifier") or (name.split(":") + ["$LATEST"])[1]
    for method in ("GET", "DELETE"):
        answer = server.manage(method, path_of(name, **query))
        assert answer.status == 404
        assert answer.json() == {"Type": "User", "Message": f"The function {ARN}{bare}:{qualifier} doesn't have an "
                                                            "EventInvokeConfig"}


def test_list_of_a_function_that_is_not_there(server):
    answer = server.manage("GET", "/2019-09-25/functions/none/event-invoke-config/list")
    assert (answer.status, answer.json()) == (404, {"Type": "User", "Message": "The function doesn't exist."})


def test_update_needs_a_config(server):
    answer = put(server, "audit", {"MaximumRetryAttempts": 1}, "POST")
    assert (answer.status, answer.json()) == (404, {
        "Type": "User", "Message": f"The function {ARN}audit:$LATEST doesn't have an EventInvokeConfig"})


def test_names(server):
    answer = put(server, "orders:live", {"MaximumRetryAttempts": 1}, Qualifier="1")
    assert answer.json() == {
        "Type": "User",
        "message": "The derived qualifier from the function name does not match the specified qualifier."}
    assert put(server, "a%20b", {"MaximumRetryAttempts": 1}).header("x-amzn-errortype") == "ValidationException"
    answer = put(server, "arn:aws:lambda:eu-west-1:000000000000:function:orders", {"MaximumRetryAttempts": 1})
    assert answer.json()["Message"] == "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')"
    answer = put(server, "arn:aws:lambda:us-east-1:111122223333:function:orders", {"MaximumRetryAttempts": 1})
    assert (answer.status, answer.json()) == (403, {"Message": None})
    assert server.manage("PATCH", path_of("orders")).status == 404


def test_the_aws_command(server, orders):
    command = [str(program.ROOT / ".tools/venv/bin/aws"), "--endpoint-url", server.management_url, "lambda"]
    env = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_DEFAULT_REGION": "us-east-1", "PATH": "/usr/bin"}

    def aws(*arguments):
        done = subprocess.run([*command, *arguments], env=env, capture_output=True, text=True, timeout=60, check=True)
        return json.loads(done.stdout or "null")
    made = aws("put-function-event-invoke-config", "--function-name", orders, "--maximum-retry-attempts", "1",
               "--destination-config", json.dumps({"OnFailure": {"Destination": QUEUE}}))
    assert made["DestinationConfig"]["OnFailure"] == {"Destination": QUEUE}
    assert aws("list-function-event-invoke-configs", "--function-name", orders)["FunctionEventInvokeConfigs"] == [made]
    assert aws("delete-function-event-invoke-config", "--function-name", orders) is None


# The template's

DECLARED = {"MaximumRetryAttempts": 1, "DestinationConfig": {
    "OnSuccess": {"Destination": ARN + "audit"},
    "OnFailure": {"Destination": "arn:aws:sqs:us-east-1:000000000000:local-DeclaredEventInvokeConfigOnFailureQueue"}}}


def test_config_of_the_template(aws):
    assert values(aws.get_function_event_invoke_config(FunctionName="declared")) == DECLARED


def test_dead_letter_config(aws):
    configuration = aws.get_function_configuration(FunctionName="declared")
    assert configuration["DeadLetterConfig"] == {"TargetArn": "arn:aws:sns:us-east-1:000000000000:dead"}
    assert "DeadLetterConfig" not in aws.get_function_configuration(FunctionName="orders")


def restart(server, kill=False):
    if kill:
        server.kill9()
    else:
        server.stop()
    server.stdout_path.unlink()  # the ready lines of the last run are in it
    server.start()
    return connect(server)


@pytest.mark.parametrize("kill", [False, True], ids=["stopped", "killed"])
def test_what_the_api_made_outlives_a_restart(serve, project, kill):
    server = serve(template(project))
    aws = connect(server)
    aws.put_function_event_invoke_config(FunctionName="orders", Qualifier="live", MaximumRetryAttempts=0,
                                         DestinationConfig={"OnFailure": {"Destination": "kafka://failed"}})
    aws.update_function_event_invoke_config(FunctionName="declared", MaximumEventAgeInSeconds=77)
    made = aws.get_function_event_invoke_config(FunctionName="orders", Qualifier="live")
    aws = restart(server, kill)
    again = aws.get_function_event_invoke_config(FunctionName="orders", Qualifier="live")
    assert values(again) == values(made) and again["LastModified"] == made["LastModified"]
    assert values(aws.get_function_event_invoke_config(FunctionName="declared")) == {
        "MaximumEventAgeInSeconds": 77, **DECLARED}


def test_what_was_answered_outlives_kill_9(serve, project):
    server = serve(template(project))
    connect(server)
    for round_number in range(3):
        answered = []

        def change(target=server, done=answered):
            age = 60
            while True:
                try:
                    answer = put(target, "orders", {"MaximumEventAgeInSeconds": age})
                except OSError:  # it is dead
                    return
                if answer.status == 200:
                    done.append(age)
                age += 1
        thread = threading.Thread(target=change)
        thread.start()
        program.wait_for(lambda found=answered, least=5 + 7 * round_number: len(found) > least, "some changes")
        server.kill9()
        thread.join()
        server.stdout_path.unlink()
        server.start()
        stored = connect(server).get_function_event_invoke_config(FunctionName="orders")["MaximumEventAgeInSeconds"]
        assert stored in (answered[-1], answered[-1] + 1)


def test_a_config_of_a_qualifier_that_is_gone_is_not_shown(serve, project):
    server = serve(template(project))
    connect(server).put_function_event_invoke_config(FunctionName="orders", Qualifier="live", MaximumRetryAttempts=0)
    text = project.template_path.read_text()
    project.template_path.write_text(text.replace("AutoPublishAlias: live, ", ""))
    aws = restart(server)
    assert aws.list_function_event_invoke_configs(FunctionName="orders")["FunctionEventInvokeConfigs"] == []
    project.template_path.write_text(text)
    aws = restart(server)
    assert len(aws.list_function_event_invoke_configs(FunctionName="orders")["FunctionEventInvokeConfigs"]) == 1


def test_the_template_counts_again_when_it_changes(serve, project):
    server = serve(template(project))
    aws = connect(server)
    aws.put_function_event_invoke_config(FunctionName="declared", MaximumRetryAttempts=0)
    aws.put_function_event_invoke_config(FunctionName="audit", MaximumRetryAttempts=0)
    aws = restart(server)
    assert values(aws.get_function_event_invoke_config(FunctionName="declared")) == {"MaximumRetryAttempts": 0, **NOWHERE}
    template(project, retries=2)
    aws = restart(server)
    assert values(aws.get_function_event_invoke_config(FunctionName="declared")) == {
        **DECLARED, "MaximumRetryAttempts": 2}
    assert aws.get_function_event_invoke_config(FunctionName="audit")["MaximumRetryAttempts"] == 0


def test_what_the_template_no_longer_has_goes(serve, project):
    server = serve(template(project))
    aws = connect(server)
    aws.update_function_event_invoke_config(FunctionName="declared", MaximumRetryAttempts=0)
    text = project.template_path.read_text()
    project.template_path.write_text(re.sub(r"      EventInvokeConfig:\n(        .*\n)+", "", text))
    aws = restart(server)
    with pytest.raises(aws.exceptions.ResourceNotFoundException):
        aws.get_function_event_invoke_config(FunctionName="declared")


def test_what_the_api_deleted_stays_deleted(serve, project):
    server = serve(template(project))
    connect(server).delete_function_event_invoke_config(FunctionName="declared")
    aws = restart(server)
    with pytest.raises(aws.exceptions.ResourceNotFoundException):
        aws.get_function_event_invoke_config(FunctionName="declared")


def refusal(server):
    result = program.run(*server.command[1:], timeout=30)
    assert result.returncode == 3, result
    return result.stderr


def test_a_damaged_store_is_refused(serve, project):
    server = serve(template(project))
    server.stop()
    path = server.data_dir / "config/store.db"
    path.write_bytes(b"not a database at all, but long enough to be one" * 100)
    said = refusal(server)
    assert f"{path} is damaged" in said and "move it away" in said
    assert path.read_bytes().startswith(b"not a database")


def test_a_newer_store_is_refused(serve, project):
    server = serve(template(project))
    server.stop()
    path = server.data_dir / "config/store.db"
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version=99")
    database.close()
    said = refusal(server)
    assert f"{path} was written by a newer version of Headgate (schema 99, this one knows 2)" in said


def test_validate_names_mistakes_with_their_lines(project):
    project.template("""
        Resources:
          F:
            Type: AWS::Serverless::Function
            Properties:
              Handler: index.handler
              Runtime: python3.12
              InlineCode: "def handler(e, c): return 1"
              DeadLetterQueue:
                Type: SQS
                TargetArn: !Ref Queue
              EventInvokeConfig:
                MaximumRetryAttempts: 5
                MaximumEventAgeInSeconds: 10
                DestinationConfig:
                  OnSuccess: {Type: S3Bucket, Destination: "arn:aws:s3:::records"}
          Queue: {Type: AWS::SQS::Queue}
        """)
    lines = project.template_path.read_text().splitlines()

    def line_of(text):
        return next(number for number, line in enumerate(lines, 1) if text in line)
    result = program.run("validate", project.template_path)
    assert result.returncode == 1
    for text, words in (("TargetArn", "use !GetAtt Queue.Arn"), ("Attempts: 5", "from 0 to 2, not 5"),
                        ("Seconds: 10", "from 60 to 21600, not 10"), ("S3Bucket", "failures only")):
        assert re.search(rf":{line_of(text)}(:\d+)?: .*{re.escape(words)}", result.stderr), result.stderr


def test_validate_lists_none_of_it_as_not_served(project):
    result = program.run("validate", template(project))
    assert not re.search("EventInvokeConfig|DeadLetterQueue", result.stdout), result.stdout
