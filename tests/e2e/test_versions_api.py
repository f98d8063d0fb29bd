"""Versions: publishing, what makes a new one, and what was published stays as it was."""

import json
import re

import pytest

from functions import ECHO, create, fresh_name, refusal, zip_of

ACCOUNT = "000000000000"


@pytest.fixture(scope="module")
def client(bare):
    return bare.boto("lambda")


def arn(name, qualifier=None):
    return f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{name}" + (f":{qualifier}" if qualifier else "")


def call(client, name, qualifier="$LATEST"):
    return json.loads(client.invoke(FunctionName=name, Qualifier=qualifier)["Payload"].read())


def constant(value):
    return zip_of({"index.py": f"def handler(e, c):\n    return {value!r}\n"})


def versions(client, name):
    return [each["Version"] for each in client.list_versions_by_function(FunctionName=name)["Versions"]]


def test_publish(client):
    name = fresh_name()
    create(client, name)
    latest = client.get_function_configuration(FunctionName=name)
    answer = client.publish_version(FunctionName=name, Description="first")
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert (answer["Version"], answer["FunctionArn"], answer["Description"], answer["State"]) == (
        "1", arn(name, "1"), "first", "Active")
    now = client.get_function_configuration(FunctionName=name)
    assert now["Description"] == "" and now["Version"] == "$LATEST"
    assert len({latest["RevisionId"], now["RevisionId"], answer["RevisionId"]}) == 3
    assert answer["CodeSha256"] == now["CodeSha256"]
    kept = client.get_function_configuration(FunctionName=name, Qualifier="1")
    assert kept["RevisionId"] == answer["RevisionId"] and kept["Description"] == "first"
    client.get_waiter("published_version_active").wait(FunctionName=name, Qualifier="1")


def test_publish_again_gives_the_same_version(client):
    name = fresh_name()
    create(client, name)
    first = client.publish_version(FunctionName=name, Description="first")
    again = client.publish_version(FunctionName=name, Description="second")
    assert again["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert {key: value for key, value in first.items() if key != "ResponseMetadata"} == {
        key: value for key, value in again.items() if key != "ResponseMetadata"}
    assert versions(client, name) == ["$LATEST", "1"]


def test_what_does_not_change_the_function_makes_no_version(client):
    name = fresh_name()
    create(client, name, Publish=True)
    client.tag_resource(Resource=arn(name), Tags={"k": "v"})
    client.add_permission(FunctionName=name, StatementId="s", Action="lambda:InvokeFunction",
                          Principal="s3.amazonaws.com")
    assert client.publish_version(FunctionName=name)["Version"] == "1"
    client.update_function_configuration(FunctionName=name, Timeout=7)
    client.update_function_configuration(FunctionName=name, Timeout=3)
    assert client.publish_version(FunctionName=name)["Version"] == "1"
    answer = client.update_function_code(FunctionName=name, ZipFile=zip_of({"index.py": ECHO}), Publish=True)
    assert answer["Version"] == "1"


def test_changes_make_versions_that_stay(client):
    name = fresh_name()
    create(client, name, Environment={"Variables": {"WORD": "one"}},
           code="import os\ndef handler(e, c):\n    return [os.environ['WORD'], c.function_version]\n")
    assert client.publish_version(FunctionName=name)["Version"] == "1"
    client.update_function_configuration(FunctionName=name, Environment={"Variables": {"WORD": "two"}})
    assert client.publish_version(FunctionName=name)["Version"] == "2"
    answer = client.update_function_code(FunctionName=name, ZipFile=constant("three"), Publish=True)
    assert (answer["Version"], answer["FunctionArn"], answer["State"]) == ("3", arn(name, "3"), "Pending")
    assert call(client, name, "1") == ["one", "1"]
    assert call(client, name, "2") == ["two", "2"]
    assert call(client, name, "3") == call(client, name) == "three"
    listed = client.list_versions_by_function(FunctionName=name)["Versions"]
    assert [each["FunctionArn"] for each in listed] == [arn(name, q) for q in ("$LATEST", "1", "2", "3")]


def test_numbers_are_never_given_twice(client):
    name = fresh_name()
    create(client, name, Publish=True)
    client.delete_function(FunctionName=name, Qualifier="1")
    assert versions(client, name) == ["$LATEST"]
    assert client.publish_version(FunctionName=name)["Version"] == "2"
    client.delete_function(FunctionName=name, Qualifier="2")
    assert client.publish_version(FunctionName=name)["Version"] == "3"
    assert versions(client, name) == ["$LATEST", "3"]


def test_versions_are_in_the_order_of_their_numbers(client):
    name = fresh_name()
    create(client, name)
    for i in range(11):
        client.update_function_configuration(FunctionName=name, Description=str(i))
        client.publish_version(FunctionName=name)
    assert versions(client, name) == ["$LATEST"] + [str(i) for i in range(1, 12)]


def test_guards(client):
    name = fresh_name()
    made = create(client, name)
    sha = made["CodeSha256"]
    assert refusal(client.publish_version, FunctionName=name, CodeSha256="x") == (
        400, "InvalidParameterValueException",
        f"CodeSHA256 (x) is different from current CodeSHA256 in $LATEST ({sha}). Please try again with the CodeSHA256 "
        "in $LATEST.")
    assert refusal(client.publish_version, FunctionName=name, RevisionId=made["RevisionId"])[0] == 412
    revision = client.get_function_configuration(FunctionName=name)["RevisionId"]
    assert client.publish_version(FunctionName=name, CodeSha256=sha, RevisionId=revision)["Version"] == "1"
    assert refusal(client.publish_version, FunctionName="none-such") == (
        404, "ResourceNotFoundException", f"Function not found: {arn('none-such')}")
    assert refusal(client.list_versions_by_function, FunctionName="none-such") == (
        404, "ResourceNotFoundException", f"Function not found: {arn('none-such')}")


def test_dry_run_changes_nothing(client):
    name = fresh_name()
    create(client, name, code="def handler(e, c):\n    return 0\n")
    before = client.get_function_configuration(FunctionName=name)
    archive = constant(1)
    answer = client.update_function_code(FunctionName=name, ZipFile=archive, DryRun=True, Publish=True)
    assert answer["CodeSize"] == len(archive) and answer["CodeSha256"] != before["CodeSha256"]
    after = client.get_function_configuration(FunctionName=name)
    assert {key: value for key, value in before.items() if key != "ResponseMetadata"} == {
        key: value for key, value in after.items() if key != "ResponseMetadata"}
    assert call(client, name) == 0 and versions(client, name) == ["$LATEST"]


def test_snap_start_is_on_in_published_versions(client):
    name = fresh_name()
    create(client, name, SnapStart={"ApplyOn": "PublishedVersions"})
    answer = client.publish_version(FunctionName=name)
    assert answer["SnapStart"] == {"ApplyOn": "PublishedVersions", "OptimizationStatus": "On"}
    assert answer["State"] == "Pending"
    assert client.get_function_configuration(FunctionName=name, Qualifier="1")["State"] == "Active"
    assert client.publish_version(FunctionName=name)["State"] == "Active"
    latest = client.get_function_configuration(FunctionName=name)
    assert latest["SnapStart"] == {"ApplyOn": "PublishedVersions", "OptimizationStatus": "Off"}
    assert isinstance(call(client, name, "1"), dict)


def test_a_published_folder_keeps_its_code(serve, project):
    source = project.file("src/index.py", "def handler(e, c):\n    return 'before'\n")
    template = project.template("""
        Resources:
          F:
            Type: AWS::Serverless::Function
            Properties: {FunctionName: mine, Handler: index.handler, Runtime: python3.12, CodeUri: src}
    """)
    server = serve(template)
    client = server.boto("lambda")
    assert client.publish_version(FunctionName="mine")["Version"] == "1"
    source.write_text("def handler(e, c):\n    return 'after'\n")
    server.restart()
    client = server.boto("lambda")
    assert call(client, "mine", "1") == "before"
    assert call(client, "mine") == "after"
    assert client.publish_version(FunctionName="mine")["Version"] == "2"
    assert [call(client, "mine", q) for q in ("1", "2", "$LATEST")] == ["before", "after", "after"]


def test_time_and_revision_of_versions(client):
    name = fresh_name()
    create(client, name)
    first = client.publish_version(FunctionName=name)
    latest = client.get_function_configuration(FunctionName=name)
    assert re.fullmatch(r"\d{4}-.*\+0000", first["LastModified"])
    assert first["LastModified"] == latest["LastModified"]
