"""Event source mappings: they are kept, checked and shown as the service does; this version does not poll."""

import json
import re
import time

import pytest

from functions import create, fresh_name, refusal

PREFIX = "arn:aws:lambda:us-east-1:000000000000"
KAFKA = {"SelfManagedEventSource": {"Endpoints": {"KAFKA_BOOTSTRAP_SERVERS": ["kafka:1000", "kafka:2000"]}}, "Topics": ["topic"],
         "SourceAccessConfigurations": [{"Type": "BASIC_AUTH", "URI": "arn:aws:secretsmanager:us-east-1:000000000000:secret:s"}]}


@pytest.fixture(scope="module")
def aws(bare):
    return bare.boto("lambda")


@pytest.fixture(scope="module")
def name(aws):
    name = fresh_name()
    create(aws, name)
    aws.publish_version(FunctionName=name)
    aws.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    return name


def queue(suffix=""):
    return "arn:aws:sqs:us-east-1:000000000000:" + fresh_name("q") + suffix


def stream():
    return "arn:aws:kinesis:us-east-1:000000000000:stream/" + fresh_name("s")


def table():
    return f"arn:aws:dynamodb:us-east-1:000000000000:table/{fresh_name('t')}/stream/2026-01-02T03:04:05.678"


def without_metadata(answer):
    return {key: value for key, value in answer.items() if key not in ("ResponseMetadata", "LastModified", "UUID", "EventSourceMappingArn")}


def test_create_for_a_queue(aws, name):
    source = queue()
    made = aws.create_event_source_mapping(FunctionName=name, EventSourceArn=source)
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", made["UUID"])
    assert made["EventSourceMappingArn"] == f"{PREFIX}:event-source-mapping:{made['UUID']}"
    assert abs(made["LastModified"].timestamp() - time.time()) < 60
    assert without_metadata(made) == {
        "BatchSize": 10, "MaximumBatchingWindowInSeconds": 0, "EventSourceArn": source,
        "FunctionArn": f"{PREFIX}:function:{name}", "FunctionResponseTypes": [], "State": "Creating",
        "StateTransitionReason": "USER_INITIATED"}
    got = aws.get_event_source_mapping(UUID=made["UUID"])
    assert got["State"] == "Disabled"
    assert "does not poll" in got["StateTransitionReason"]
    changed = ("State", "StateTransitionReason")
    assert {key: value for key, value in without_metadata(got).items() if key not in changed} == {
        key: value for key, value in without_metadata(made).items() if key not in changed}


@pytest.mark.parametrize("source", [stream, table])
def test_create_for_a_stream(aws, name, source):
    source = source()
    made = aws.create_event_source_mapping(FunctionName=name, EventSourceArn=source, StartingPosition="TRIM_HORIZON")
    assert without_metadata(made) == {
        "StartingPosition": "TRIM_HORIZON", "BatchSize": 100, "MaximumBatchingWindowInSeconds": 0, "ParallelizationFactor": 1,
        "EventSourceArn": source, "FunctionArn": f"{PREFIX}:function:{name}", "LastProcessingResult": "No records processed",
        "State": "Creating", "StateTransitionReason": "User action", "DestinationConfig": {"OnFailure": {}},
        "MaximumRecordAgeInSeconds": -1, "BisectBatchOnFunctionError": False, "MaximumRetryAttempts": -1,
        "TumblingWindowInSeconds": 0, "FunctionResponseTypes": []}


def test_create_for_kafka(aws):
    name = fresh_name()
    create(aws, name)
    made = aws.create_event_source_mapping(FunctionName=name, **KAFKA)
    assert (made["BatchSize"], made["StartingPosition"], made["Topics"]) == (100, "TRIM_HORIZON", ["topic"])
    assert made["SelfManagedKafkaEventSourceConfig"] == {"ConsumerGroupId": made["UUID"]}
    assert made["SelfManagedEventSource"] == KAFKA["SelfManagedEventSource"]
    assert made["SourceAccessConfigurations"] == KAFKA["SourceAccessConfigurations"]
    assert "EventSourceArn" not in made
    assert refusal(aws.create_event_source_mapping, FunctionName=name, **KAFKA) == (
        409, "ResourceConflictException",
        f'An event source mapping with event source ("kafka:1000,kafka:2000"), function ("{PREFIX}:function:{name}"), '
        f'topics ("topic") already exists. Please update or delete the existing mapping with UUID {made["UUID"]}')
    aws.create_event_source_mapping(FunctionName=name, **KAFKA | {"Topics": ["another"]})
    assert refusal(aws.create_event_source_mapping, FunctionName=name,
                   SelfManagedEventSource=KAFKA["SelfManagedEventSource"], Topics=["third"]) == (
        400, "InvalidParameterValueException", "Required 'sourceAccessConfigurations' parameter is missing.")
    assert refusal(aws.update_event_source_mapping, UUID=made["UUID"],
                   SelfManagedKafkaEventSourceConfig={"ConsumerGroupId": "another"})[1] == "InvalidParameterValueException"


@pytest.mark.parametrize("form, kept", [
    ("{name}", "{name}"), ("{name}:$LATEST", "{name}:$LATEST"), ("{name}:1", "{name}:1"), ("{name}:live", "{name}:live"),
    ("000000000000:function:{name}:$LATEST", "{name}:$LATEST"),
    (PREFIX + ":function:{name}", "{name}"), (PREFIX + ":function:{name}:$LATEST", "{name}"),
    (PREFIX + ":function:{name}:live", "{name}:live")])
def test_function_arn(aws, name, form, kept):
    made = aws.create_event_source_mapping(FunctionName=form.format(name=name), EventSourceArn=queue())
    assert made["FunctionArn"] == f"{PREFIX}:function:" + kept.format(name=name)


def test_disabled_from_the_start(aws, name):
    made = aws.create_event_source_mapping(FunctionName=name, EventSourceArn=queue(), Enabled=False)
    assert (made["State"], made["StateTransitionReason"]) == ("Disabled", "USER_INITIATED")
    got = aws.get_event_source_mapping(UUID=made["UUID"])
    assert (got["State"], got["StateTransitionReason"]) == ("Disabled", "USER_INITIATED")
    assert aws.update_event_source_mapping(UUID=made["UUID"], Enabled=True)["State"] == "Enabling"
    assert aws.update_event_source_mapping(UUID=made["UUID"], BatchSize=5)["State"] == "Updating"
    assert aws.update_event_source_mapping(UUID=made["UUID"], Enabled=False)["State"] == "Disabling"
    assert aws.get_event_source_mapping(UUID=made["UUID"])["BatchSize"] == 5


QUEUE_SETTINGS = {
    "BatchSize": 100, "MaximumBatchingWindowInSeconds": 5, "FunctionResponseTypes": ["ReportBatchItemFailures"],
    "ScalingConfig": {"MaximumConcurrency": 5}, "FilterCriteria": {"Filters": [{"Pattern": json.dumps({"body": {"a": [1]}})}]},
    "MetricsConfig": {"Metrics": ["EventCount"]}, "KMSKeyArn": "arn:aws:kms:us-east-1:000000000000:key/k"}
STREAM_SETTINGS = {
    "BatchSize": 7, "MaximumBatchingWindowInSeconds": 1, "ParallelizationFactor": 10, "MaximumRecordAgeInSeconds": 60,
    "BisectBatchOnFunctionError": True, "MaximumRetryAttempts": 3, "TumblingWindowInSeconds": 900,
    "DestinationConfig": {"OnFailure": {"Destination": "arn:aws:sqs:us-east-1:000000000000:dead"}},
    "FunctionResponseTypes": ["ReportBatchItemFailures"]}


@pytest.mark.parametrize("source, start, settings", [(queue, {}, QUEUE_SETTINGS), (stream, {"StartingPosition": "LATEST"}, STREAM_SETTINGS)])
def test_settings(aws, name, source, start, settings):
    """What is given at the creation or by an update is what is shown."""
    made = aws.create_event_source_mapping(FunctionName=name, EventSourceArn=source(), **start, **settings)
    assert {key: made[key] for key in settings} == settings
    plain = aws.create_event_source_mapping(FunctionName=name, EventSourceArn=source(), **start)
    updated = aws.update_event_source_mapping(UUID=plain["UUID"], **settings)
    assert {key: updated[key] for key in settings} == settings
    got = aws.get_event_source_mapping(UUID=plain["UUID"])
    assert {key: got[key] for key in settings} == settings
    # What an update does not name stays.
    aws.update_event_source_mapping(UUID=plain["UUID"], Enabled=False)
    got = aws.get_event_source_mapping(UUID=plain["UUID"])
    assert {key: got[key] for key in settings} == settings


def test_what_is_empty_takes_away(aws, name):
    uuid = aws.create_event_source_mapping(FunctionName=name, EventSourceArn=queue(), **QUEUE_SETTINGS)["UUID"]
    updated = aws.update_event_source_mapping(UUID=uuid, ScalingConfig={}, FilterCriteria={"Filters": []}, FunctionResponseTypes=[])
    assert "ScalingConfig" not in updated and "FilterCriteria" not in updated
    assert updated["FunctionResponseTypes"] == []


def test_starting_time(aws, name):
    made = aws.create_event_source_mapping(FunctionName=name, EventSourceArn=stream(), StartingPosition="AT_TIMESTAMP",
                                           StartingPositionTimestamp=1767322800)
    assert made["StartingPositionTimestamp"].timestamp() == 1767322800


def test_encrypted_filters_are_not_listed(aws, name):
    source = queue()
    aws.create_event_source_mapping(FunctionName=name, EventSourceArn=source, **QUEUE_SETTINGS)
    [listed] = aws.list_event_source_mappings(EventSourceArn=source)["EventSourceMappings"]
    assert "FilterCriteria" not in listed


START = {"StartingPosition": "LATEST"}
REFUSED = [
    ({}, "Unrecognized event source."),
    ({"EventSourceArn": "arn:aws:s3:::bucket"}, "Unrecognized event source."),
    ({"EventSourceArn": "QUEUE", "DestinationConfig": {"OnFailure": {"Destination": "arn:aws:sqs:us-east-1:000000000000:d"}}},
     "Unsupported DestinationConfig parameter for given event source mapping type."),
    ({"EventSourceArn": "QUEUE", "ParallelizationFactor": 2},
     "Unsupported ParallelizationFactor parameter for given event source mapping type."),
    ({"EventSourceArn": "QUEUE", "StartingPosition": "LATEST"}, "StartingPosition is not valid for SQS event sources."),
    ({"EventSourceArn": "STREAM"}, "1 validation error detected: Value null at 'startingPosition' failed to satisfy "
                                   "constraint: Member must not be null."),
    ({"EventSourceArn": "STREAM", "StartingPosition": "AT_TIMESTAMP"}, None),
    ({"EventSourceArn": "STREAM", "StartingPosition": "AT_TIMESTAMP", "StartingPositionTimestamp": 4000000000}, None),
    ({"EventSourceArn": "STREAM", **START, "MaximumRecordAgeInSeconds": 59}, None),
    ({"EventSourceArn": "STREAM", **START, "ScalingConfig": {"MaximumConcurrency": 2}},
     "Unsupported ScalingConfig parameter for given event source mapping type."),
    ({"EventSourceArn": "QUEUE", "BatchSize": 11},
     "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10"),
    ({"EventSourceArn": "FIFO", "BatchSize": 11, "MaximumBatchingWindowInSeconds": 1}, None),
    ({"EventSourceArn": "FIFO", "MaximumBatchingWindowInSeconds": 1}, None),
    ({"EventSourceArn": "QUEUE", "ProvisionedPollerConfig": {"MinimumPollers": 1}}, None),
    ({"EventSourceArn": "QUEUE", "ProvisionedPollerConfig": {"MinimumPollers": 9, "MaximumPollers": 8}}, None),
    ({"EventSourceArn": "QUEUE", "FilterCriteria": {"Filters": [{"Pattern": '{"a": ["b"]}'}] * 11}},
     "FilterCriteria can have at most 10 filters."),
    ({"EventSourceArn": "QUEUE", "Tags": {f"k{number}": "v" for number in range(51)}},
     "Number of tags exceeds resource tag limit."),
    *(({"EventSourceArn": "QUEUE", "FilterCriteria": {"Filters": [{"Pattern": pattern}]}}, "Invalid filter pattern definition.")
      for pattern in ("{", '"text"', '{"a": 1}', '{"a": []}', '{"a": {"b": "c"}}', "[]")),
]


@pytest.mark.parametrize("members, message", REFUSED)
def test_refused(aws, name, members, message):
    stand_ins = {"QUEUE": queue(), "STREAM": stream(), "FIFO": queue(".fifo")}
    members = {key: stand_ins.get(value, value) if isinstance(value, str) else value for key, value in members.items()}
    status, code, said = refusal(aws.create_event_source_mapping, FunctionName=name, **members)
    assert (status, code) == (400, "InvalidParameterValueException")
    assert said == message or (message is None and said)
    if "EventSourceArn" in members:
        assert aws.list_event_source_mappings(EventSourceArn=members["EventSourceArn"])["EventSourceMappings"] == []


def test_starting_position_of_a_table(aws, name):
    source = table()
    assert refusal(aws.create_event_source_mapping, FunctionName=name, EventSourceArn=source, StartingPosition="AT_TIMESTAMP",
                   StartingPositionTimestamp=1767322800) == (
        400, "InvalidParameterValueException", f"Unsupported starting position for arn type: {source}")


def test_starting_position_enum(aws, name):
    assert refusal(aws.create_event_source_mapping, FunctionName=name, EventSourceArn=stream(), StartingPosition="invalid") == (
        400, "ValidationException",
        "1 validation error detected: Value 'invalid' at 'startingPosition' failed to satisfy constraint: Member must satisfy "
        "enum value set: [LATEST, AT_TIMESTAMP, TRIM_HORIZON]")


def test_updates_are_checked(aws, name):
    uuid = aws.create_event_source_mapping(FunctionName=name, EventSourceArn=queue())["UUID"]
    assert refusal(aws.update_event_source_mapping, UUID=uuid, BatchSize=11) == (
        400, "InvalidParameterValueException",
        "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10")
    assert refusal(aws.update_event_source_mapping, UUID=uuid, FunctionName="absent") == (
        400, "InvalidParameterValueException", "Function does not exist")
    assert aws.update_event_source_mapping(UUID=uuid, FunctionName=f"{name}:live")["FunctionArn"].endswith(":live")


def test_function_unknown(aws, name):
    for function in ("absent", f"{name}:nope", f"{name}:7"):
        assert refusal(aws.create_event_source_mapping, FunctionName=function, EventSourceArn=queue()) == (
            400, "InvalidParameterValueException", "Function does not exist")


@pytest.mark.parametrize("operation", ["get", "update", "delete"])
def test_uuid_unknown(aws, operation):
    assert refusal(getattr(aws, f"{operation}_event_source_mapping"), UUID="00000000-0000-4000-8000-000000000000") == (
        404, "ResourceNotFoundException", "The resource you requested does not exist.")


def test_duplicates(aws, name):
    source = queue()
    uuid = aws.create_event_source_mapping(FunctionName=name, EventSourceArn=source)["UUID"]
    assert refusal(aws.create_event_source_mapping, FunctionName=name, EventSourceArn=source) == (
        409, "ResourceConflictException",
        f'An event source mapping with SQS arn (" {source} ") and function (" {name} ") already exists. Please update or '
        f"delete the existing mapping with UUID {uuid}")
    aws.create_event_source_mapping(FunctionName=f"{name}:live", EventSourceArn=source)
    source = stream()
    uuid = aws.create_event_source_mapping(FunctionName=name, EventSourceArn=source, StartingPosition="LATEST")["UUID"]
    assert refusal(aws.create_event_source_mapping, FunctionName=name, EventSourceArn=source, StartingPosition="LATEST") == (
        409, "ResourceConflictException",
        f'The event source arn (" {source} ") and function (" {name} ") provided mapping already exists. Please update or '
        f"delete the existing mapping with UUID {uuid}")


def test_delete(aws, name):
    made = aws.create_event_source_mapping(FunctionName=name, EventSourceArn=queue())
    deleted = aws.delete_event_source_mapping(UUID=made["UUID"])
    assert deleted["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert (deleted["UUID"], deleted["State"]) == (made["UUID"], "Deleting")
    assert refusal(aws.get_event_source_mapping, UUID=made["UUID"])[0] == 404
    assert refusal(aws.delete_event_source_mapping, UUID=made["UUID"])[0] == 404


def test_list(aws):
    name = fresh_name()
    create(aws, name)
    source = queue()
    uuids = {aws.create_event_source_mapping(FunctionName=name, EventSourceArn=arn)["UUID"] for arn in (source, queue(), queue())}
    listed = aws.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
    assert {item["UUID"] for item in listed} == uuids
    assert len(aws.list_event_source_mappings(EventSourceArn=source)["EventSourceMappings"]) == 1
    assert aws.list_event_source_mappings(FunctionName="absent")["EventSourceMappings"] == []
    pages = list(aws.get_paginator("list_event_source_mappings").paginate(FunctionName=name, PaginationConfig={"PageSize": 2}))
    assert [len(page["EventSourceMappings"]) for page in pages] == [2, 1]
    assert {item["UUID"] for page in pages for item in page["EventSourceMappings"]} == uuids


def test_mappings_outlive_their_function(aws):
    name = fresh_name()
    create(aws, name)
    uuid = aws.create_event_source_mapping(FunctionName=name, EventSourceArn=queue())["UUID"]
    aws.delete_function(FunctionName=name)
    assert aws.get_event_source_mapping(UUID=uuid)["FunctionArn"].endswith(name)


def test_tags(aws, name):
    made = aws.create_event_source_mapping(FunctionName=name, EventSourceArn=queue(), Tags={"a": "1", "b": "2"})
    arn = made["EventSourceMappingArn"]
    assert aws.list_tags(Resource=arn)["Tags"] == {"a": "1", "b": "2"}
    aws.tag_resource(Resource=arn, Tags={"c": "3"})
    aws.untag_resource(Resource=arn, TagKeys=["a"])
    assert aws.list_tags(Resource=arn)["Tags"] == {"b": "2", "c": "3"}


def test_they_survive_a_restart(serve):
    server = serve.bare()
    aws = server.boto("lambda")
    name = fresh_name()
    create(aws, name)
    uuid = aws.create_event_source_mapping(FunctionName=name, EventSourceArn=queue(), BatchSize=3)["UUID"]
    before = aws.get_event_source_mapping(UUID=uuid)
    server.kill9()
    server.start()
    after = server.boto("lambda").get_event_source_mapping(UUID=uuid)
    assert without_metadata(after) == without_metadata(before)
