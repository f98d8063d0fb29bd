"""CloudWatch Logs over the logs on disk: with boto3, as scripts use it."""

import json
import re
import shutil
import time
import uuid

import pytest

from functions import create, refusal
from headgate import run, wait_for

TALKER = """
import sys
def handler(event, context):
    for line in event.get("lines", []):
        print(line)
    sys.stdout.flush()
    return event.get("n")
"""
DAY_MS = 86400000
GROUP_PATTERN = r"[\.\-_/#A-Za-z0-9]+"
STREAM_PATTERN = "[^:*]*"
NO_GROUP = (400, "ResourceNotFoundException", "The specified log group does not exist.")
NO_STREAM = (400, "ResourceNotFoundException", "The specified log stream does not exist.")
BAD_TOKEN = (400, "InvalidParameterException", "The specified nextToken is invalid.")


def now_ms():
    return int(time.time() * 1000)


@pytest.fixture(scope="module")
def logs(bare):
    return bare.boto("logs")


@pytest.fixture(scope="module")
def lambdas(bare):
    return bare.boto("lambda")


@pytest.fixture
def group(logs):
    name = f"/test/{uuid.uuid4().hex}"
    logs.create_log_group(logGroupName=name)
    yield name
    try:
        logs.delete_log_group(logGroupName=name)
    except logs.exceptions.ResourceNotFoundException:
        pass


@pytest.fixture
def stream(logs, group):
    logs.create_log_stream(logGroupName=group, logStreamName="s")
    return "s"


def put(logs, group, stream, *events):
    return logs.put_log_events(logGroupName=group, logStreamName=stream,
                               logEvents=[{"timestamp": at, "message": text} for at, text in events])


def messages(answer):
    return [event["message"] for event in answer["events"]]


def invoke(lambdas, name, **event):
    return lambdas.invoke(FunctionName=name, Payload=json.dumps(event))


def logged(logs, name, text):
    """The events of a function's group, once one of them holds text."""
    def look():
        try:
            found = logs.filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
        except logs.exceptions.ResourceNotFoundException:
            return None
        return found if any(text in event["message"] for event in found) else None
    return wait_for(look, f"{text} in the log of {name}")


# What functions log


def test_an_invocation_is_in_the_log(logs, lambdas):
    name = create(lambdas, code=TALKER)["FunctionName"]
    before = now_ms()
    invoke(lambdas, name, lines=["hello", "two\rin one"])
    events = logged(logs, name, "REPORT RequestId")
    kinds = [re.match(r"(INIT_START|START|END|REPORT)?", event["message"]).group(0) for event in events]
    assert [kind for kind in kinds if kind] == ["INIT_START", "START", "END", "REPORT"]
    texts = [event["message"] for event in events]
    assert "hello\n" in texts and "two\rin one\n" in texts
    assert [event["timestamp"] for event in events] == sorted(event["timestamp"] for event in events)
    assert all(before - 5000 <= event["timestamp"] <= event["ingestionTime"] <= now_ms() + 5000 for event in events)
    ids = [event["eventId"] for event in events]
    assert all(re.fullmatch(r"[1-9]\d{55}", one) for one in ids)
    assert ids == sorted(ids) and len(set(ids)) == len(ids)
    again = logs.filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
    assert [event["eventId"] for event in again] == ids

    described = logs.describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{name}")["logGroups"]
    assert [one["logGroupName"] for one in described] == [f"/aws/lambda/{name}"]
    found = described[0]
    assert found["arn"] == f"arn:aws:logs:us-east-1:000000000000:log-group:/aws/lambda/{name}:*"
    assert found["logGroupArn"] == found["arn"][:-2]
    assert found["metricFilterCount"] == 0 and found["storedBytes"] > 0 and found["logGroupClass"] == "STANDARD"
    assert "retentionInDays" not in found

    streams = logs.describe_log_streams(logGroupName=f"/aws/lambda/{name}")["logStreams"]
    assert len(streams) == 1
    one = streams[0]
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", one["logStreamName"])
    assert one["arn"] == f"{found['logGroupArn']}:log-stream:{one['logStreamName']}"
    assert one["firstEventTimestamp"] == events[0]["timestamp"]
    assert one["lastEventTimestamp"] == events[-1]["timestamp"]
    assert one["storedBytes"] == 0 and one["uploadSequenceToken"] and one["creationTime"] <= now_ms()
    got = logs.get_log_events(logGroupName=f"/aws/lambda/{name}", logStreamName=one["logStreamName"])
    assert messages(got) == texts


def test_functions_share_a_group_of_their_own(bare, logs, lambdas, group):
    names = [create(lambdas, code=TALKER, LoggingConfig={"LogGroup": group})["FunctionName"] for _ in range(2)]
    for name in names:
        invoke(lambdas, name, lines=[f"said by {name}"])
    wait_for(lambda: len(logs.filter_log_events(logGroupName=group, filterPattern='"said by"')["events"]) == 2, "two lines")
    streams = [one["logStreamName"] for one in logs.describe_log_streams(logGroupName=group)["logStreams"]]
    for name in names:
        assert any(re.fullmatch(rf"\d{{4}}/\d\d/\d\d/{name}\[\$LATEST\][0-9a-f]{{32}}", stream) for stream in streams)
        said = run("logs", name, "--data-dir", bare.data_dir).stdout
        assert f"said by {name}" in said
        assert sum(f"said by {other}" in said for other in names) == 1
    assert refusal(logs.describe_log_streams, logGroupName=f"/aws/lambda/{names[0]}") == NO_GROUP


def test_deleting_a_function_leaves_its_log(logs, lambdas):
    name = create(lambdas, code=TALKER)["FunctionName"]
    invoke(lambdas, name, lines=["stays"])
    logged(logs, name, "REPORT")
    lambdas.delete_function(FunctionName=name)
    assert logged(logs, name, "stays")


def test_a_deleted_group_comes_back_with_the_next_line(logs, lambdas):
    name = create(lambdas, code=TALKER)["FunctionName"]
    invoke(lambdas, name, lines=["first"])
    logged(logs, name, "REPORT")
    logs.delete_log_group(logGroupName=f"/aws/lambda/{name}")
    assert refusal(logs.filter_log_events, logGroupName=f"/aws/lambda/{name}") == NO_GROUP
    invoke(lambdas, name, lines=["second"])
    events = logged(logs, name, "REPORT")
    assert not any("first" in event["message"] for event in events)


def test_what_is_new_can_be_followed(logs, lambdas):
    """As `aws logs tail --follow` asks: from the newest time on, known ids dropped."""
    name = create(lambdas, code=TALKER)["FunctionName"]
    invoke(lambdas, name, lines=["one"])
    known = {event["eventId"]: event for event in logged(logs, name, "REPORT")}
    for n in range(3):
        invoke(lambdas, name, lines=[f"more {n}"])

        def look():
            newest = max(event["timestamp"] for event in known.values())
            answer = logs.filter_log_events(logGroupName=f"/aws/lambda/{name}", startTime=newest, interleaved=True)
            known.update({event["eventId"]: event for event in answer["events"]})
            return sum("REPORT" in event["message"] for event in known.values()) == n + 2
        wait_for(look, "the next report")
    assert sum("more" in event["message"] for event in known.values()) == 3


# Groups


def test_groups_are_made_and_deleted(logs, group):
    assert refusal(logs.create_log_group, logGroupName=group) == (
        400, "ResourceAlreadyExistsException", "The specified log group already exists")
    found = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]
    assert found["storedBytes"] == 0 and abs(found["creationTime"] - now_ms()) < 60000
    logs.delete_log_group(logGroupName=group)
    assert logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"] == []
    assert refusal(logs.delete_log_group, logGroupName=group) == NO_GROUP


def test_groups_come_in_pages(logs):
    prefix = f"page-{uuid.uuid4().hex[:8]}"
    names = [f"{prefix}/{n:02}" for n in range(7)]
    for name in reversed(names):
        logs.create_log_group(logGroupName=name)
    pages = list(logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=prefix, limit=3))
    assert [len(page["logGroups"]) for page in pages] == [3, 3, 1]
    assert [one["logGroupName"] for page in pages for one in page["logGroups"]] == names
    by_part = logs.describe_log_groups(logGroupNamePattern=prefix[2:] + "/03")["logGroups"]
    assert [one["logGroupName"] for one in by_part] == [f"{prefix}/03"]
    assert set(by_part[0]) == {"logGroupName", "arn", "creationTime"}
    by_name = logs.describe_log_groups(logGroupIdentifiers=[names[5]])["logGroups"]
    assert [one["logGroupName"] for one in by_name] == [names[5]]
    assert logs.describe_log_groups(accountIdentifiers=["123456789012"])["logGroups"] == []


def test_groups_of_a_class(logs):
    name = f"class-{uuid.uuid4().hex[:8]}"
    logs.create_log_group(logGroupName=name, logGroupClass="INFREQUENT_ACCESS", kmsKeyId="arn:aws:kms:us-east-1:0:key/k")
    found = logs.describe_log_groups(logGroupNamePrefix=name, logGroupClass="INFREQUENT_ACCESS")["logGroups"]
    assert found[0]["logGroupClass"] == "INFREQUENT_ACCESS" and found[0]["kmsKeyId"].endswith("key/k")
    assert logs.describe_log_groups(logGroupNamePrefix=name, logGroupClass="STANDARD")["logGroups"] == []


def test_retention(logs, group):
    def kept():
        return logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0].get("retentionInDays")
    for days in (1, 14, 3653):
        logs.put_retention_policy(logGroupName=group, retentionInDays=days)
        assert kept() == days
    status, code, message = refusal(logs.put_retention_policy, logGroupName=group, retentionInDays=2)
    assert (status, code) == (400, "InvalidParameterException")
    assert message.startswith("1 validation error detected: Value '2' at 'retentionInDays' failed to satisfy constraint: "
                              "Member must satisfy enum value set: [1, 3, 5, 7, 14")
    assert kept() == 3653
    logs.delete_retention_policy(logGroupName=group)
    assert kept() is None
    assert refusal(logs.put_retention_policy, logGroupName="nobody", retentionInDays=1) == NO_GROUP
    assert refusal(logs.delete_retention_policy, logGroupName="nobody") == NO_GROUP


def test_retention_hides_what_is_older(logs, group, stream):
    put(logs, group, stream, (now_ms() - 2 * DAY_MS, "old"))
    put(logs, group, stream, (now_ms(), "new"))
    assert messages(logs.filter_log_events(logGroupName=group)) == ["old", "new"]
    logs.put_retention_policy(logGroupName=group, retentionInDays=1)
    assert messages(logs.filter_log_events(logGroupName=group)) == ["new"]
    info = put(logs, group, stream, (now_ms() - DAY_MS - 1000, "expired"), (now_ms() - 3600000, "kept"))
    assert info["rejectedLogEventsInfo"] == {"expiredLogEventEndIndex": 1}
    assert messages(logs.filter_log_events(logGroupName=group)) == ["kept", "new"]


def test_tags(logs):
    name = f"tagged-{uuid.uuid4().hex[:8]}"
    logs.create_log_group(logGroupName=name, tags={"team": "a b", "é": "ü"})
    arn = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"][0]["logGroupArn"]
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {"team": "a b", "é": "ü"}
    logs.tag_resource(resourceArn=arn, tags={"team": "b", "more": ""})
    logs.untag_resource(resourceArn=arn, tagKeys=["é", "absent"])
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {"team": "b", "more": ""}
    assert logs.list_tags_log_group(logGroupName=name)["tags"] == {"team": "b", "more": ""}
    logs.tag_log_group(logGroupName=name, tags={"old": "way"})
    logs.untag_log_group(logGroupName=name, tags=["team", "more"])
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {"old": "way"}
    logs.tag_resource(resourceArn=arn, tags={f"k{n}": "" for n in range(49)})
    assert refusal(logs.tag_resource, resourceArn=arn, tags={"one": "too many"})[:2] == (400, "TooManyTagsException")
    assert refusal(logs.list_tags_for_resource, resourceArn=arn + "x") == NO_GROUP
    assert refusal(logs.list_tags_for_resource, resourceArn=arn.replace("us-east-1", "eu-west-1")) == NO_GROUP


# Streams


def test_streams_are_made_and_deleted(logs, group):
    name = "with blanks, % and $[1]"
    logs.create_log_stream(logGroupName=group, logStreamName=name)
    assert refusal(logs.create_log_stream, logGroupName=group, logStreamName=name) == (
        400, "ResourceAlreadyExistsException", "The specified log stream already exists")
    found = logs.describe_log_streams(logGroupName=group)["logStreams"]
    assert [one["logStreamName"] for one in found] == [name]
    assert "lastEventTimestamp" not in found[0] and abs(found[0]["creationTime"] - now_ms()) < 60000
    put(logs, group, name, (now_ms(), "text"))
    assert messages(logs.get_log_events(logGroupName=group, logStreamName=name)) == ["text"]
    assert logs.filter_log_events(logGroupName=group)["events"][0]["logStreamName"] == name
    logs.delete_log_stream(logGroupName=group, logStreamName=name)
    assert logs.describe_log_streams(logGroupName=group)["logStreams"] == []
    assert logs.filter_log_events(logGroupName=group)["events"] == []
    assert refusal(logs.delete_log_stream, logGroupName=group, logStreamName=name) == NO_STREAM
    assert refusal(logs.get_log_events, logGroupName=group, logStreamName=name) == NO_STREAM
    logs.create_log_stream(logGroupName=group, logStreamName=name)
    assert messages(logs.get_log_events(logGroupName=group, logStreamName=name)) == []
    assert refusal(logs.create_log_stream, logGroupName="nobody", logStreamName="s") == NO_GROUP
    assert refusal(logs.delete_log_stream, logGroupName="nobody", logStreamName="s") == NO_GROUP


def test_streams_in_order_and_in_pages(logs, group):
    at = now_ms() - 60000
    for n, name in enumerate(["b", "a", "c", "ab", "d"]):
        logs.create_log_stream(logGroupName=group, logStreamName=name)
        if name != "d":
            put(logs, group, name, (at + n, name))

    def names(**options):
        pages = logs.get_paginator("describe_log_streams").paginate(logGroupName=group, **options)
        return [one["logStreamName"] for page in pages for one in page["logStreams"]]
    for limit in (1, 2, 50):
        assert names(limit=limit) == ["a", "ab", "b", "c", "d"]
        assert names(limit=limit, descending=True) == ["d", "c", "b", "ab", "a"]
        assert names(limit=limit, orderBy="LastEventTime") == ["d", "b", "a", "c", "ab"]
        assert names(limit=limit, orderBy="LastEventTime", descending=True) == ["ab", "c", "a", "b", "d"]
        assert names(limit=limit, logStreamNamePrefix="a") == ["a", "ab"]
    by_arn = logs.describe_log_streams(logGroupIdentifier=f"arn:aws:logs:us-east-1:000000000000:log-group:{group}", limit=1)
    assert by_arn["logStreams"][0]["logStreamName"] == "a" and by_arn["nextToken"]
    assert refusal(logs.describe_log_streams, logGroupName=group, orderBy="LastEventTime", logStreamNamePrefix="a") == (
        400, "InvalidParameterException", "Cannot order by LastEventTime with a logStreamNamePrefix.")
    assert refusal(logs.describe_log_streams, logGroupName=group, nextToken="%%%") == BAD_TOKEN


# Events


def test_put_and_get(logs, group, stream):
    at = now_ms() - 1000
    answer = put(logs, group, stream, (at, "one"), (at, "two\nlines \\n \\ é\t\0"), (at + 1, "three\n"))
    assert answer["nextSequenceToken"] and "rejectedLogEventsInfo" not in answer
    got = logs.get_log_events(logGroupName=group, logStreamName=stream)
    assert messages(got) == ["one", "two\nlines \\n \\ é\t\0", "three\n"]
    assert [event["timestamp"] for event in got["events"]] == [at, at, at + 1]
    assert all(abs(event["ingestionTime"] - now_ms()) < 60000 for event in got["events"])
    assert got["nextForwardToken"].startswith("f/") and got["nextBackwardToken"].startswith("b/")
    one = logs.describe_log_streams(logGroupName=group)["logStreams"][0]
    assert (one["firstEventTimestamp"], one["lastEventTimestamp"]) == (at, at + 1)


def test_get_goes_forward_and_backward(logs, group, stream):
    at = now_ms() - 100000
    put(logs, group, stream, *[(at + n, str(n)) for n in range(10)])
    where = {"logGroupName": group, "logStreamName": stream}
    newest = logs.get_log_events(**where, limit=3)
    assert messages(newest) == ["7", "8", "9"]
    end = logs.get_log_events(**where, limit=3, nextToken=newest["nextForwardToken"])
    assert messages(end) == [] and end["nextForwardToken"] == newest["nextForwardToken"]
    back = logs.get_log_events(**where, limit=3, nextToken=newest["nextBackwardToken"])
    assert messages(back) == ["4", "5", "6"]
    assert messages(logs.get_log_events(**where, limit=3, nextToken=back["nextForwardToken"])) == ["7", "8", "9"]
    seen, token = [], None
    while True:
        page = logs.get_log_events(**where, limit=4, startFromHead=True, **({"nextToken": token} if token else {}))
        seen += messages(page)
        if page["nextForwardToken"] == token:
            break
        token = page["nextForwardToken"]
    assert seen == [str(n) for n in range(10)]
    # What comes later is found behind the end.
    put(logs, group, stream, (at + 50, "later"))
    assert messages(logs.get_log_events(**where, nextToken=token)) == ["later"]
    page = logs.get_log_events(**where, limit=8)
    while page["events"]:
        first, page = page, logs.get_log_events(**where, limit=8, nextToken=page["nextBackwardToken"])
    assert page["nextBackwardToken"] == first["nextBackwardToken"]
    # The start is included, the end is not.
    assert messages(logs.get_log_events(**where, startTime=at + 2, endTime=at + 4)) == ["2", "3"]
    for token in ("x", "f/1/s", "f/" + "x" * 56 + "/s"):
        assert refusal(logs.get_log_events, **where, nextToken=token) == BAD_TOKEN


def test_an_empty_stream_can_be_followed(logs, group, stream):
    where = {"logGroupName": group, "logStreamName": stream}
    for head in (True, False):
        page = logs.get_log_events(**where, startFromHead=head)
        assert page["events"] == []
        again = logs.get_log_events(**where, nextToken=page["nextForwardToken"])
        assert again["nextForwardToken"] == page["nextForwardToken"]
    put(logs, group, stream, (now_ms(), "x"))
    assert messages(logs.get_log_events(**where, nextToken=page["nextForwardToken"])) == ["x"]


def test_filter_merges_streams_by_time(logs, group):
    at = now_ms() - 100000
    for name in ("a1", "a2", "b"):
        logs.create_log_stream(logGroupName=group, logStreamName=name)
    put(logs, group, "b", (at + 5, "b5"), (at + 30, "b30"))
    put(logs, group, "a1", (at, "a0"), (at + 10, "a10"))
    put(logs, group, "a2", (at + 5, "c5"), (at + 20, "c20"))

    def found(**options):
        return messages(logs.filter_log_events(logGroupName=group, **options))
    assert found() == ["a0", "b5", "c5", "a10", "c20", "b30"]
    assert found(logStreamNames=["a1", "b"]) == ["a0", "b5", "a10", "b30"]
    assert found(logStreamNamePrefix="a") == ["a0", "c5", "a10", "c20"]
    # Both ends are included.
    assert found(startTime=at + 5, endTime=at + 20) == ["b5", "c5", "a10", "c20"]
    assert found(filterPattern="?a10 ?b30") == ["a10", "b30"]
    assert found(filterPattern="c -c5") == ["c20"]
    assert found(startFromHead=False, startTime=at) == ["b30", "c20", "a10", "c5", "b5", "a0"]
    by_arn = logs.filter_log_events(logGroupIdentifier=f"arn:aws:logs:us-east-1:000000000000:log-group:{group}")
    assert len(by_arn["events"]) == 6 and by_arn["searchedLogStreams"] == []
    for head in (True, False):
        for limit in range(1, 7):
            pages = list(logs.get_paginator("filter_log_events").paginate(
                logGroupName=group, limit=limit, startFromHead=head, startTime=at))
            texts = [text for page in pages for text in messages(page)]
            assert texts == (["a0", "b5", "c5", "a10", "c20", "b30"] if head else
                             ["b30", "c20", "a10", "c5", "b5", "a0"])
            assert all(len(page["events"]) <= limit for page in pages)
    assert refusal(logs.filter_log_events, logGroupName=group, logStreamNames=["a1", "nobody"]) == NO_STREAM
    assert refusal(logs.filter_log_events, logGroupName=group, logStreamNames=["a1"], logStreamNamePrefix="a")[:2] == (
        400, "InvalidParameterException")
    for token in ("x", "eA==", "Zm9v"):
        assert refusal(logs.filter_log_events, logGroupName=group, nextToken=token) == BAD_TOKEN


PATTERNS = [
    ("ERROR", [0, 1, 2]),
    ("ERROR 400", [0]),
    ('"ERROR 4"', [0, 1]),
    ("?400 ?500", [0, 2]),
    ("ERROR -400", [1, 2]),
    ("%ERROR [45]0[01]%", [0, 1, 2]),
    ('{ $.level = "ERROR" }', []),
    ('{ $.level = "WARN" && $.n > 3 }', [4]),
    ('{ $.level = "W*" || $.n = 1 }', [3, 4]),
    ("{ $.user.ids[1] = 7 }", [4]),
    ("{ $.gone IS NULL }", [3]),
    ("{ $.gone NOT EXISTS }", [4]),
    ("{ $.ok IS TRUE }", [4]),
    ("[level, code = 4*, ...]", [0, 1]),
    ("[..., w = R*]", [0]),
    ("nothing", []),
    ("", [0, 1, 2, 3, 4]),
]


@pytest.fixture(scope="module")
def mixed(logs):
    name = f"/patterns/{uuid.uuid4().hex}"
    logs.create_log_group(logGroupName=name)
    logs.create_log_stream(logGroupName=name, logStreamName="s")
    texts = ["ERROR 400 BAD REQUEST", "ERROR 401 UNAUTHORIZED here", "ERROR 500 SERVER",
             '{"level":"INFO","n":1,"gone":null}', '{"level":"WARN","n":4,"ok":true,"user":{"ids":[1,7]}}']
    at = now_ms() - 5000
    put(logs, name, "s", *[(at + n, text) for n, text in enumerate(texts)])
    return name, texts


@pytest.mark.parametrize("pattern, expected", PATTERNS, ids=[pattern or "empty" for pattern, _ in PATTERNS])
def test_patterns(logs, mixed, pattern, expected):
    name, texts = mixed
    assert messages(logs.filter_log_events(logGroupName=name, filterPattern=pattern)) == [texts[n] for n in expected]


@pytest.mark.parametrize("pattern", ['"open', "{ $.a }", "{ $.a = 1", "[a", "%(%", "{ x = 1 }"])
def test_what_is_no_pattern(logs, mixed, pattern):
    status, code, message = refusal(logs.filter_log_events, logGroupName=mixed[0], filterPattern=pattern)
    assert (status, code) == (400, "InvalidParameterException")
    assert message.startswith("Invalid filter pattern")


def test_large_results_come_in_pages_of_a_megabyte(logs, group, stream):
    at = now_ms() - 100000
    text = "x" * 100000
    for n in range(3):
        put(logs, group, stream, *[(at + 10 * n + i, text + str(10 * n + i)) for i in range(10)])
    pages = list(logs.get_paginator("filter_log_events").paginate(logGroupName=group))
    assert all(len(page["events"]) == 10 for page in pages[:3])
    assert [int(text[100000:]) for page in pages for text in messages(page)] == list(range(30))
    assert len(logs.get_log_events(logGroupName=group, logStreamName=stream)["events"]) == 10


# What PutLogEvents takes


def test_put_rejects_what_is_too_old_or_too_new(logs, group, stream):
    now = now_ms()
    assert put(logs, group, stream, (now - 15 * DAY_MS, "old"))["rejectedLogEventsInfo"] == {"tooOldLogEventEndIndex": 1}
    answer = put(logs, group, stream, (now, "good"), (now + 3 * 3600000, "new"), (now + 4 * 3600000, "newer"))
    assert answer["rejectedLogEventsInfo"] == {"tooNewLogEventStartIndex": 1}
    assert messages(logs.filter_log_events(logGroupName=group)) == ["good"]
    # Within two hours ahead and 14 days back is fine.
    assert "rejectedLogEventsInfo" not in put(logs, group, stream, (now + 7000000, "soon"))
    assert "rejectedLogEventsInfo" not in put(logs, group, stream, (now - 13 * DAY_MS, "late"))


def test_put_refuses_whole_batches(logs, group, stream):
    now = now_ms()
    assert refusal(logs.put_log_events, logGroupName=group, logStreamName="nobody",
                   logEvents=[{"timestamp": now, "message": "x"}]) == NO_STREAM
    assert refusal(logs.put_log_events, logGroupName="nobody", logStreamName="s",
                   logEvents=[{"timestamp": now, "message": "x"}]) == NO_GROUP

    def refused(*events):
        return refusal(logs.put_log_events, logGroupName=group, logStreamName=stream,
                       logEvents=[{"timestamp": at, "message": text} for at, text in events])
    bad = (400, "InvalidParameterException")
    assert refused((now, "a"), (now - 1, "b")) == bad + (
        "Log events in a single PutLogEvents request must be in chronological order.",)
    assert refused((now - DAY_MS - 2000, "a"), (now, "b")) == bad + (
        "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.",)
    assert refused((now, "x" * 1048576)) == bad + ("Upload too large: 1048602 bytes exceeds limit of 1048576",)
    assert refused(*[(now, "x" * 80)] * 10000) == bad + ("Upload too large: 1060000 bytes exceeds limit of 1048576",)
    assert refused(*[(now, "x")] * 10001)[2] == (
        "1 validation error detected: Value '[...]' at 'logEvents' failed to satisfy constraint: "
        "Member must have length less than or equal to 10000")
    assert logs.filter_log_events(logGroupName=group)["events"] == []
    put(logs, group, stream, (now, "x" * (1048576 - 26)))
    assert len(logs.filter_log_events(logGroupName=group)["events"][0]["message"]) == 1048550


def test_put_takes_sequence_tokens_and_entities(logs, group, stream):
    answer = logs.put_log_events(logGroupName=group, logStreamName=stream, sequenceToken="any",
                                 logEvents=[{"timestamp": now_ms(), "message": "x"}],
                                 entity={"keyAttributes": {"Type": "Service", "Name": "n"}})
    assert answer["rejectedEntityInfo"] == {"errorType": "UnsupportedLogGroupType"}
    assert messages(logs.filter_log_events(logGroupName=group)) == ["x"]


# Live tail


@pytest.fixture
def live(bare):
    """A client that does not put a prefix before the host: the address here is a number."""
    return bare.boto("logs", config={"inject_host_prefix": False, "read_timeout": 20})


def arn_of(group):
    return f"arn:aws:logs:us-east-1:000000000000:log-group:{group}"


def test_live_tail(logs, live, group, stream):
    logs.create_log_stream(logGroupName=group, logStreamName="other")
    put(logs, group, stream, (now_ms(), "hello before"))
    answer = live.start_live_tail(logGroupIdentifiers=[arn_of(group)], logStreamNames=["s"], logEventFilterPattern="hello")
    events = iter(answer["responseStream"])
    start = next(events)["sessionStart"]
    assert start["logGroupIdentifiers"] == [arn_of(group)] and start["logStreamNames"] == ["s"]
    assert start["logEventFilterPattern"] == "hello" and start["sessionId"] and start["requestId"]
    put(logs, group, stream, (now_ms(), "hello 1"), (now_ms(), "not that"))
    put(logs, group, "other", (now_ms(), "hello other"))
    put(logs, group, stream, (now_ms(), "hello 2"))
    found = []
    while len(found) < 2:
        update = next(events)["sessionUpdate"]
        assert update["sessionMetadata"] == {"sampled": False}
        found += update["sessionResults"]
    assert [event["message"] for event in found] == ["hello 1", "hello 2"]
    assert {event["logStreamName"] for event in found} == {"s"}
    assert {event["logGroupIdentifier"] for event in found} == {arn_of(group)}
    assert all(event["ingestionTime"] >= event["timestamp"] > 0 for event in found)
    answer["responseStream"].close()


def test_live_tail_leaves_out_what_is_too_much(logs, live, group, stream):
    answer = live.start_live_tail(logGroupIdentifiers=[arn_of(group)])
    events = iter(answer["responseStream"])
    assert "sessionStart" in next(events)
    put(logs, group, stream, *[(now_ms(), str(n)) for n in range(700)])
    for event in events:
        update = event["sessionUpdate"]
        if update["sessionResults"]:
            break
    assert len(update["sessionResults"]) == 500 and update["sessionMetadata"]["sampled"]
    answer["responseStream"].close()


def test_live_tail_refuses(logs, live, group):
    assert refusal(live.start_live_tail, logGroupIdentifiers=[arn_of("nobody")]) == NO_GROUP
    bad = {"logGroupIdentifiers": [arn_of(group)]}
    assert refusal(live.start_live_tail, **bad, logEventFilterPattern="{ x }")[1] == "InvalidParameterException"
    assert refusal(live.start_live_tail, **bad, logStreamNames=["a"], logStreamNamePrefixes=["a"])[1] == "InvalidParameterException"


def test_sessions_are_bounded_and_end_with_the_server(serve):
    server = serve.bare()
    logs = server.boto("logs", config={"inject_host_prefix": False, "max_pool_connections": 30})
    logs.create_log_group(logGroupName="g")
    answers = [logs.start_live_tail(logGroupIdentifiers=["g"]) for _ in range(15)]
    assert refusal(logs.start_live_tail, logGroupIdentifiers=["g"])[1] == "LimitExceededException"
    answers.pop()["responseStream"].close()

    def is_free():
        try:
            answers.append(logs.start_live_tail(logGroupIdentifiers=["g"]))
        except logs.exceptions.LimitExceededException:
            return False
        return True
    wait_for(is_free, "room for a session")
    began = time.monotonic()
    server.stop()
    assert time.monotonic() - began < 10


# Bad input


def call(bare, operation, body, **headers):
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = bare.manage("POST", "/", [("X-Amz-Target", f"Logs_20140328.{operation}"),
                                       ("Content-Type", "application/x-amz-json-1.1")], text)
    return answer.status, json.loads(answer.body) if answer.body else None


def constraint(value, name, text):
    return (400, {"__type": "InvalidParameterException",
                  "message": f"1 validation error detected: Value {value} at '{name}' failed to satisfy constraint: {text}"})


LONG = "x" * 513
BAD_INPUT = [
    ("CreateLogGroup", {}, constraint("null", "logGroupName", "Member must not be null")),
    ("CreateLogGroup", {"logGroupName": None}, constraint("null", "logGroupName", "Member must not be null")),
    ("CreateLogGroup", {"logGroupName": "a b"}, constraint(
        "'a b'", "logGroupName", f"Member must satisfy regular expression pattern: {GROUP_PATTERN}")),
    ("CreateLogGroup", {"logGroupName": ""}, constraint(
        "''", "logGroupName", "Member must have length greater than or equal to 1")),
    ("CreateLogGroup", {"logGroupName": LONG}, constraint(
        f"'{LONG}'", "logGroupName", "Member must have length less than or equal to 512")),
    ("CreateLogGroup", {"logGroupName": "g", "logGroupClass": "X"}, constraint(
        "'X'", "logGroupClass", "Member must satisfy enum value set: [STANDARD, INFREQUENT_ACCESS, DELIVERY, ESSENTIALS]")),
    ("CreateLogStream", {"logGroupName": "g", "logStreamName": "a:b"}, constraint(
        "'a:b'", "logStreamName", f"Member must satisfy regular expression pattern: {STREAM_PATTERN}")),
    ("DescribeLogGroups", {"limit": 51}, constraint(
        "'51'", "limit", "Member must have value less than or equal to 50")),
    ("DescribeLogStreams", {"logGroupName": "g", "limit": 0}, constraint(
        "'0'", "limit", "Member must have value greater than or equal to 1")),
    ("DescribeLogStreams", {"logGroupName": "g", "orderBy": "Size"}, constraint(
        "'Size'", "orderBy", "Member must satisfy enum value set: [LogStreamName, LastEventTime]")),
    ("FilterLogEvents", {"logGroupName": "g", "limit": 10001}, constraint(
        "'10001'", "limit", "Member must have value less than or equal to 10000")),
    ("FilterLogEvents", {"logGroupName": "g", "startTime": -1}, constraint(
        "'-1'", "startTime", "Member must have value greater than or equal to 0")),
    ("PutLogEvents", {"logGroupName": "g", "logStreamName": "s", "logEvents": [{"timestamp": 1}]}, constraint(
        "null", "logEvents.1.member.message", "Member must not be null")),
    ("PutLogEvents", {"logGroupName": "g", "logStreamName": "s", "logEvents": []}, constraint(
        "'[...]'", "logEvents", "Member must have length greater than or equal to 1")),
    ("DescribeLogStreams", {}, (400, {"__type": "InvalidParameterException",
                                      "message": "Either logGroupName or logGroupIdentifier must be provided."})),
    ("DescribeLogStreams", {"logGroupName": "g", "logGroupIdentifier": "g"}, (400, {
        "__type": "InvalidParameterException",
        "message": "LogGroup name and LogGroup ARN are mutually exclusive parameters."})),
    ("DescribeLogGroups", {"logGroupNamePrefix": "a", "logGroupNamePattern": "b"}, (400, {
        "__type": "InvalidParameterException",
        "message": "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters."})),
    ("CreateLogGroup", {"logGroupName": "aws/x"}, (400, {
        "__type": "InvalidParameterException", "message": "Log groups starting with AWS/ are reserved for AWS."})),
    ("CreateLogGroup", {"logGroupName": "g", "deletionProtectionEnabled": True}, (400, {
        "__type": "InvalidParameterException", "message": "deletionProtectionEnabled is not available in Headgate."})),
]


@pytest.mark.parametrize("operation, body, expected", BAD_INPUT, ids=range(len(BAD_INPUT)))
def test_bad_input(bare, operation, body, expected):
    assert call(bare, operation, body) == expected


def test_all_mistakes_are_told_at_once(bare):
    status, answer = call(bare, "CreateLogStream", {"logGroupName": "a b", "logStreamName": ""})
    assert status == 400 and answer["message"].startswith("2 validation errors detected: Value 'a b' at 'logGroupName'")
    assert "; Value '' at 'logStreamName'" in answer["message"]


@pytest.mark.parametrize("operation, body", [
    ("CreateLogGroup", b"{"), ("CreateLogGroup", b"[]"), ("CreateLogGroup", b'"x"'), ("CreateLogGroup", b"\xff"),
    ("CreateLogGroup", {"logGroupName": 1}), ("CreateLogGroup", {"logGroupName": ["g"]}),
    ("CreateLogGroup", {"logGroupName": "g", "tags": ["x"]}), ("CreateLogGroup", {"logGroupName": "g", "tags": {"a": 1}}),
    ("DescribeLogGroups", {"limit": "5"}), ("DescribeLogGroups", {"limit": True}),
    ("FilterLogEvents", {"logGroupName": "g", "logStreamNames": "s"}),
    ("FilterLogEvents", {"logGroupName": "g", "startFromHead": "yes"}),
    ("PutLogEvents", {"logGroupName": "g", "logStreamName": "s", "logEvents": [1]}),
    ("PutLogEvents", {"logGroupName": "g", "logStreamName": "s", "logEvents": [{"timestamp": "now", "message": "x"}]}),
], ids=range(14))
def test_wrong_json(bare, operation, body):
    status, answer = call(bare, operation, body)
    assert status == 400 and answer["__type"] == "SerializationException"


SERVED = ["DescribeLogGroups", "CreateLogGroup", "DeleteLogGroup", "PutRetentionPolicy", "DeleteRetentionPolicy", "TagResource",
          "UntagResource", "ListTagsForResource", "TagLogGroup", "UntagLogGroup", "ListTagsLogGroup", "DescribeLogStreams",
          "CreateLogStream", "DeleteLogStream", "PutLogEvents", "GetLogEvents", "FilterLogEvents", "StartLiveTail"]


@pytest.mark.parametrize("operation", SERVED)
def test_every_member_of_the_model_is_looked_at(bare, logs, operation):
    """A member of the wrong type cannot be passed over."""
    shape = logs.meta.service_model.operation_model(operation).input_shape
    for name, member in shape.members.items():
        wrong = {"string": 5, "list": "x", "map": ["x"], "structure": 5}.get(member.type_name, "x")
        status, answer = call(bare, operation, {name: wrong})
        assert status == 400 and answer["__type"] == "SerializationException", (name, answer)


def test_every_other_operation_of_the_model_is_refused_by_name(bare, logs):
    for operation in set(logs.meta.service_model.operation_names) - set(SERVED):
        status, answer = call(bare, operation, {})
        assert (status, answer["__type"]) == (501, "NotImplementedException") and operation in answer["message"]


def test_operations_that_are_not_served(bare, logs):
    status, code, message = refusal(logs.start_query, logGroupName="g", startTime=0, endTime=1, queryString="fields @message")
    assert (status, code) == (501, "NotImplementedException") and "StartQuery" in message
    assert refusal(logs.get_query_results, queryId="q")[1] == "NotImplementedException"
    assert call(bare, "NoSuchOperation", {})[1]["__type"] == "UnknownOperationException"


def test_too_large_a_body(bare):
    status, answer = call(bare, "PutLogEvents", b"{" + b" " * (6 << 20) + b"}")
    assert status == 413 and answer["__type"] == "RequestEntityTooLargeException"


# What stays


def test_groups_streams_and_events_survive_a_restart(serve):
    server = serve.bare()
    logs = server.boto("logs")
    logs.create_log_group(logGroupName="/keep", tags={"a": "b"})
    logs.put_retention_policy(logGroupName="/keep", retentionInDays=30)
    logs.create_log_stream(logGroupName="/keep", logStreamName="s t")
    logs.create_log_stream(logGroupName="/keep", logStreamName="empty")
    put(logs, "/keep", "s t", (now_ms() - 5, "one"), (now_ms(), "two"))
    before = (logs.describe_log_groups()["logGroups"], logs.describe_log_streams(logGroupName="/keep")["logStreams"],
              logs.filter_log_events(logGroupName="/keep")["events"])
    server.kill9()
    server.start()
    logs = server.boto("logs")
    assert before == (logs.describe_log_groups()["logGroups"], logs.describe_log_streams(logGroupName="/keep")["logStreams"],
                      logs.filter_log_events(logGroupName="/keep")["events"])
    assert logs.list_tags_log_group(logGroupName="/keep")["tags"] == {"a": "b"}


def test_a_disk_that_refuses_is_said(serve):
    server = serve.bare()
    logs = server.boto("logs")
    logs.create_log_group(logGroupName="g")
    logs.create_log_stream(logGroupName="g", logStreamName="s")
    folder = server.data_dir / "logs"
    shutil.move(folder, server.data_dir / "elsewhere")
    folder.write_text("in the way")
    unavailable = (503, "ServiceUnavailableException")
    assert refusal(logs.create_log_group, logGroupName="h")[:2] == unavailable
    assert refusal(logs.create_log_stream, logGroupName="g", logStreamName="t")[:2] == unavailable
    assert refusal(logs.put_retention_policy, logGroupName="g", retentionInDays=1)[:2] == unavailable
    event = {"timestamp": now_ms(), "message": "x"}
    assert refusal(logs.put_log_events, logGroupName="g", logStreamName="s", logEvents=[event])[:2] == unavailable
    assert [one["logGroupName"] for one in logs.describe_log_groups()["logGroups"]] == ["g"]
    folder.unlink()
    shutil.move(server.data_dir / "elsewhere", folder)
    logs.put_log_events(logGroupName="g", logStreamName="s", logEvents=[event])
    assert messages(logs.filter_log_events(logGroupName="g")) == ["x"]
    assert "retentionInDays" not in logs.describe_log_groups()["logGroups"][0]


def test_logs_of_the_former_layout_are_groups(serve, tmp_path):
    server = serve.bare()
    server.stop()
    old = server.data_dir / "logs" / "Talker"
    old.mkdir(parents=True)
    at = now_ms() - 1000
    (old / "current.log.1").write_text(f"{at} 2026/01/02/[$LATEST]0123 one\n")
    (old / "current.log").write_text(f"{at + 1} 2026/01/02/[$LATEST]0123 two\n")
    server.start()
    logs = server.boto("logs")
    assert messages(logs.filter_log_events(logGroupName="/aws/lambda/Talker")) == ["one\n", "two\n"]
    said = run("logs", "Talker", "--data-dir", server.data_dir).stdout
    assert said.index("one") < said.index("two")


def test_headgate_logs_reads_any_group(bare, logs, group, stream):
    put(logs, group, stream, (now_ms(), "two\nlines"), (now_ms(), "other"))
    said = run("logs", group, "--filter", "lines", "--data-dir", bare.data_dir)
    assert said.returncode == 0 and said.stdout.endswith(" two\nlines\n") and "other" not in said.stdout
    assert run("logs", group, "--filter", "{ x }", "--data-dir", bare.data_dir).returncode == 2
