"""Functions by the management API: create, read, update, list, delete, and every refusal with its words."""

import concurrent.futures
import json
import re
import time

import pytest

from functions import ECHO, ROLE, create, fresh_name, refusal, zip_of

ACCOUNT = "000000000000"
INVALID = "InvalidParameterValueException"
VALIDATION = "ValidationException"
UUID = r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}"
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000"


# What the client would refuse by itself is to reach the server.
UNCHECKED = {"parameter_validation": False}


@pytest.fixture(scope="module")
def client(bare):
    return bare.boto("lambda", config=UNCHECKED)


def arn(name, qualifier=None, region="us-east-1"):
    return f"arn:aws:lambda:{region}:{ACCOUNT}:function:{name}" + (f":{qualifier}" if qualifier else "")


def without_metadata(answer):
    return {key: value for key, value in answer.items() if key != "ResponseMetadata"}


def call(client, name, payload=b"{}", **members):
    answer = client.invoke(FunctionName=name, Payload=payload, **members)
    return json.loads(answer["Payload"].read())


# Create


def test_create_answers_as_documented(client):
    name = fresh_name()
    archive = zip_of({"index.py": ECHO})
    answer = client.create_function(FunctionName=name, Runtime="python3.12", Role=ROLE, Handler="index.handler",
                                    Code={"ZipFile": archive})
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 201
    body = without_metadata(answer)
    assert re.fullmatch(UUID, body.pop("RevisionId"))
    assert re.fullmatch(TIME, body.pop("LastModified"))
    assert re.fullmatch(r"arn:aws:lambda:us-east-1::runtime:[0-9a-f]{64}",
                        body.pop("RuntimeVersionConfig")["RuntimeVersionArn"])
    import base64
    import hashlib
    assert body == {
        "FunctionName": name, "FunctionArn": arn(name), "Runtime": "python3.12", "Role": ROLE,
        "Handler": "index.handler", "CodeSize": len(archive), "Description": "", "Timeout": 3, "MemorySize": 128,
        "CodeSha256": base64.b64encode(hashlib.sha256(archive).digest()).decode(), "Version": "$LATEST",
        "TracingConfig": {"Mode": "PassThrough"}, "State": "Pending",
        "StateReason": "The function is being created.", "StateReasonCode": "Creating", "PackageType": "Zip",
        "Architectures": ["x86_64"], "EphemeralStorage": {"Size": 512},
        "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}"}}


def test_created_is_active_at_once_and_runs(client):
    name = fresh_name()
    made = create(client, name)
    now = client.get_function_configuration(FunctionName=name)
    assert now["State"] == "Active" and now["LastUpdateStatus"] == "Successful"
    assert "StateReason" not in now and "StateReasonCode" not in now and "LastUpdateStatusReason" not in now
    assert now["RevisionId"] != made["RevisionId"]
    assert call(client, name, b'{"a": 1}') == {"a": 1}
    for waiter in ("function_active", "function_active_v2", "function_exists", "function_updated",
                   "function_updated_v2"):
        client.get_waiter(waiter).wait(FunctionName=name)


def test_every_member_is_kept_and_returned(client):
    name = fresh_name()
    members = {
        "Description": "text", "Timeout": 17, "MemorySize": 333, "EphemeralStorage": {"Size": 600},
        "Environment": {"Variables": {"A1": "one", "B_2": "two \u00e9 \"q\""}}, "Architectures": ["x86_64"],
        "TracingConfig": {"Mode": "Active"},
        "DeadLetterConfig": {"TargetArn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:dead"},
        "KMSKeyArn": f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1",
        "SnapStart": {"ApplyOn": "PublishedVersions"},
        "LoggingConfig": {"LogFormat": "JSON", "ApplicationLogLevel": "WARN", "LogGroup": "/own/group"},
    }
    create(client, name, Tags={"k": "v", "empty": ""},
           VpcConfig={"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}, **members)
    now = client.get_function(FunctionName=name)
    found = now["Configuration"]
    members["SnapStart"]["OptimizationStatus"] = "Off"
    members["LoggingConfig"]["SystemLogLevel"] = "INFO"
    assert {key: found[key] for key in members} == members
    assert found["VpcConfig"].pop("VpcId").startswith("vpc-")
    assert found["VpcConfig"] == {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"],
                                  "Ipv6AllowedForDualStack": False}
    assert now["Tags"] == {"k": "v", "empty": ""}
    assert "Concurrency" not in now


def test_settings_take_effect(client):
    name = fresh_name()
    create(client, name, Timeout=1, MemorySize=200, Environment={"Variables": {"WORD": "here"}}, code="""
import os, time
def handler(event, context):
    time.sleep(event.get("sleep", 0))
    return [os.environ["WORD"], os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"], context.memory_limit_in_mb,
            context.invoked_function_arn, os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]]
""")
    word, memory, limit, invoked, group = call(client, name)
    assert (word, memory, int(limit), invoked, group) == ("here", "200", 200, arn(name), f"/aws/lambda/{name}")
    answer = client.invoke(FunctionName=name, Payload=b'{"sleep": 5}')
    assert "timed out after 1.00 seconds" in json.loads(answer["Payload"].read())["errorMessage"]


def test_an_empty_environment_stays_to_be_seen(client):
    name = fresh_name()
    assert create(client, name, Environment={"Variables": {}})["Environment"] == {"Variables": {}}
    assert "Environment" not in create(client, fresh_name())


def test_create_with_publish(client):
    name = fresh_name()
    made = create(client, name, Publish=True)
    assert (made["Version"], made["FunctionArn"], made["State"]) == ("1", arn(name), "Pending")
    assert [each["Version"] for each in client.list_versions_by_function(FunctionName=name)["Versions"]] \
        == ["$LATEST", "1"]


@pytest.mark.parametrize("form", ["{name}", "{account}:function:{name}", "function:{name}",
                                  "arn:aws:lambda:us-east-1:{account}:function:{name}"])
def test_names_in_every_form(client, form):
    name = fresh_name()
    made = create(client, form.format(name=name, account=ACCOUNT))
    assert (made["FunctionName"], made["FunctionArn"]) == (name, arn(name))
    assert client.get_function(FunctionName=form.format(name=name, account=ACCOUNT))["Configuration"][
        "FunctionName"] == name


def test_a_runtime_that_the_machine_lacks_is_said_at_the_invocation(client):
    name = fresh_name()
    create(client, name, Runtime="ruby3.4", Handler="f.h")
    assert refusal(client.invoke, FunctionName=name)[:2] == (502, "InvalidRuntimeException")


def test_reserved_concurrency_is_told_with_the_function_alone(client):
    create(client, name := fresh_name(), Publish=True)
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=3)
    assert client.get_function(FunctionName=name)["Concurrency"] == {"ReservedConcurrentExecutions": 3}
    assert "Concurrency" not in client.get_function(FunctionName=name, Qualifier="1")


# What create refuses

def validation(value, path, constraint):
    return f"1 validation error detected: Value '{value}' at '{path}' failed to satisfy constraint: {constraint}"


REFUSALS = {
    "role": ({"Role": "r1"}, VALIDATION, validation(
        "r1", "role", r"Member must satisfy regular expression pattern: "
                      r"arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+")),
    "runtime in capitals": ({"Runtime": "PYTHON3.9"}, INVALID,
                            "Value PYTHON3.9 at 'runtime' failed to satisfy constraint: Member must satisfy enum value "
                            "set: [nodejs20.x, python3.14, provided.al2023, python3.12, python3.13, nodejs24.x, "
                            "nodejs22.x, java25, python3.10, python3.11, java21, ruby3.3, ruby3.4, ruby3.2, python3.8, "
                            "python3.9, java17, nodejs16.x, dotnet10, dotnet8, java11, dotnet6, nodejs18.x, "
                            "provided.al2, java8.al2] or be a valid ARN"),
    "old runtime": ({"Runtime": "java8"}, INVALID,
                    "The runtime parameter of java8 is no longer supported for creating or updating AWS Lambda "
                    "functions. We recommend you use a supported runtime while creating or updating functions."),
    "two architectures": ({"Architectures": ["x86_64", "arm64"]}, VALIDATION, validation(
        "[x86_64, arm64]", "architectures", "Member must have length less than or equal to 1")),
    "architecture": ({"Architectures": ["X86_64"]}, VALIDATION, validation(
        "[X86_64]", "architectures",
        "Member must satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64], "
        "Member must not be null]")),
    "timeout 901": ({"Timeout": 901}, VALIDATION, validation(
        "901", "timeout", "Member must have value less than or equal to 900")),
    "timeout 0": ({"Timeout": 0}, VALIDATION, validation(
        "0", "timeout", "Member must have value greater than or equal to 1")),
    "memory 127": ({"MemorySize": 127}, VALIDATION, validation(
        "127", "memorySize", "Member must have value greater than or equal to 128")),
    "memory 5555555": ({"MemorySize": 5555555}, VALIDATION, validation(
        "5555555", "memorySize", "Member must have value less than or equal to 10240")),
    "memory 10241": ({"MemorySize": 10241}, INVALID,
                     "'MemorySize' value failed to satisfy constraint: Member must have value less than or equal to "
                     "10240"),
    "storage 511": ({"EphemeralStorage": {"Size": 511}}, VALIDATION, validation(
        "511", "ephemeralStorage.size", "Member must have value greater than or equal to 512")),
    "reserved variable": ({"Environment": {"Variables": {"AWS_REGION": "x", "OK": "y"}}}, INVALID,
                          "Lambda was unable to configure your environment variables because the environment variables "
                          "you have provided contains reserved keys that are currently not supported for modification. "
                          "Reserved keys used in this request: AWS_REGION"),
    "large environment": ({"Environment": {"Variables": {"K": "v" * 4090}}}, VALIDATION, None),
    "large environment, good names": (
        {"Environment": {"Variables": {"KEY": "v" * 4087}}}, INVALID,
        "Lambda was unable to configure your environment variables because the environment variables you have provided "
        'exceeded the 4KB limit. String measured: {"KEY":"' + "v" * 4087 + '"}'),
    "text with levels": ({"LoggingConfig": {"LogFormat": "Text", "ApplicationLogLevel": "INFO"}}, INVALID,
                         'LogLevel is not supported when LogFormat is set to "Text". Remove LogLevel from your request '
                         'or change the LogFormat to "JSON" and try again.'),
    "snap start": ({"Runtime": "python3.11", "SnapStart": {"ApplyOn": "PublishedVersions"}}, INVALID,
                   "python3.11 is not supported for SnapStart enabled functions."),
    "snap start's value": ({"SnapStart": {"ApplyOn": "invalidOption"}}, VALIDATION, validation(
        "invalidOption", "snapStart.applyOn", "Member must satisfy enum value set: [PublishedVersions, None]")),
    "code signing": ({"CodeSigningConfigArn": f"arn:aws:lambda:us-east-1:{ACCOUNT}:code-signing-config:csc-"
                                              "1234567890abcdefg"}, "CodeSigningConfigNotFoundException",
                     "The code signing configuration cannot be found. Check that the provided configuration is not "
                     f"deleted: arn:aws:lambda:us-east-1:{ACCOUNT}:code-signing-config:csc-1234567890abcdefg."),
    "six layers": ({"Layers": [f"arn:aws:lambda:us-east-1:{ACCOUNT}:layer:l{i}:1" for i in range(6)]}, INVALID,
                   "Cannot reference more than 5 layers."),
    "unknown layer": ({"Layers": [f"arn:aws:lambda:us-east-1:{ACCOUNT}:layer:none:1"]}, INVALID,
                      f"Layer version arn:aws:lambda:us-east-1:{ACCOUNT}:layer:none:1 does not exist."),
    "layer elsewhere": ({"Layers": [f"arn:aws:lambda:eu-west-1:{ACCOUNT}:layer:l:1"]}, INVALID,
                        "Layers are not in the same region as the function. Layers are expected to be in region "
                        "us-east-1."),
    "subnet": ({"VpcConfig": {"SubnetIds": ["bad-1"], "SecurityGroupIds": ["sg-1"]}}, VALIDATION, None),
    "too many tags": ({"Tags": {f"t{i}": "" for i in range(51)}}, INVALID,
                      "Number of tags exceeds resource tag limit."),
    "image": ({"PackageType": "Image"}, INVALID, None),
    "image configuration": ({"ImageConfig": {"Command": ["x"]}}, INVALID, None),
    "file systems": ({"FileSystemConfigs": [
        {"Arn": f"arn:aws:elasticfilesystem:us-east-1:{ACCOUNT}:access-point/fsap-12345678901234567",
         "LocalMountPath": "/mnt/x"}]}, INVALID, None),
    "dead letters elsewhere": ({"DeadLetterConfig": {"TargetArn": "arn:aws:s3:::bucket"}}, INVALID, None),
    "no code": ({"Code": {}}, INVALID, "Please provide a source for function code."),
    "bucket without key": ({"Code": {"S3Bucket": "bucket"}}, INVALID, "Please provide a source for function code."),
    "two codes": ({"Code": {"ZipFile": zip_of({"a": "b"}), "S3Bucket": "bucket", "S3Key": "k"}}, INVALID,
                  "Please do not provide other FunctionCode parameters when providing a ZipFile."),
    "image in code": ({"Code": {"ImageUri": "1.dkr.ecr.us-east-1.amazonaws.com/x:y"}}, INVALID, None),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_create_refuses(client, case):
    members, error, message = REFUSALS[case]
    name = fresh_name()
    status, found, text = refusal(lambda **more: create(client, name, **more), **members)
    assert (status, found) == (404 if error.startswith("CodeSigning") else 400, error)
    if message:
        assert text == message
    assert refusal(client.get_function, FunctionName=name)[0] == 404


def test_runtime_and_handler_are_mandatory(client):
    request = {"FunctionName": fresh_name(), "Role": ROLE, "Code": {"ZipFile": zip_of({"a": "b"})}}
    text = "Runtime and Handler are mandatory parameters for functions created with deployment packages."
    assert refusal(client.create_function, **request) == (400, INVALID, text)
    assert refusal(client.create_function, Runtime="python3.12", **request) == (400, INVALID, text)
    assert refusal(client.create_function, Handler="a.b", **request) == (400, INVALID, text)


def test_a_name_with_a_qualifier(client):
    name = fresh_name()
    assert refusal(lambda: create(client, f"{name}:live"))[:2] == (400, INVALID)
    assert refusal(client.get_function, FunctionName=name)[0] == 404


def test_a_name_that_is_taken(client):
    name = fresh_name()
    create(client, name)
    assert refusal(lambda: create(client, name)) == (409, "ResourceConflictException", f"Function already exist: {name}")


def test_a_name_that_is_too_long(client):
    name = "n" * 65
    assert refusal(lambda: create(client, name)) == (400, INVALID, validation(
        name, "functionName", "Member must have length less than or equal to 64"))
    assert refusal(client.get_function, FunctionName=name)[0] == 404


def test_many_creates_of_one_name_make_one(client):
    name = fresh_name()

    def attempt(_):
        try:
            create(client, name)
            return 201
        except client.exceptions.ResourceConflictException:
            return 409
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(attempt, range(8))) == [201] + [409] * 7


# Read


def test_get_names_the_qualifier(client):
    name = fresh_name()
    create(client, name, Publish=True)
    client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    for qualifier, version in (("$LATEST", "$LATEST"), ("1", "1"), ("live", "1")):
        for read in (client.get_function_configuration,
                     lambda **members: client.get_function(**members)["Configuration"]):
            found = read(FunctionName=name, Qualifier=qualifier)
            assert (found["FunctionArn"], found["Version"]) == (arn(name, qualifier), version)
            assert read(FunctionName=f"{name}:{qualifier}")["FunctionArn"] == arn(name, qualifier)
    assert client.get_function(FunctionName=name)["Configuration"]["FunctionArn"] == arn(name)


def test_what_is_not_there(client):
    name = fresh_name()
    for read in (client.get_function, client.get_function_configuration):
        assert refusal(read, FunctionName=name) == (404, "ResourceNotFoundException",
                                                    f"Function not found: {arn(name)}")
        assert refusal(read, FunctionName=name, Qualifier="$LATEST") == (
            404, "ResourceNotFoundException", f"Function not found: {arn(name, '$LATEST')}")
    create(client, name)
    assert refusal(client.get_function, FunctionName=name, Qualifier="1221") == (
        404, "ResourceNotFoundException", f"Function not found: {arn(name, '1221')}")
    assert refusal(client.get_function, FunctionName=f"{name}:1", Qualifier="2") == (
        400, INVALID, "The derived qualifier from the function name does not match the specified qualifier.")


# Update


def test_update_of_the_configuration(client):
    name = fresh_name()
    create(client, name, Description="before", Environment={"Variables": {"KEY": "1", "OTHER": "2"}})
    before = client.get_function_configuration(FunctionName=name)
    answer = client.update_function_configuration(FunctionName=name, Timeout=9,
                                                  Environment={"Variables": {"KEY": "new"}})
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert (answer["State"], answer["LastUpdateStatus"], answer["LastUpdateStatusReason"],
            answer["LastUpdateStatusReasonCode"]) == ("Active", "InProgress", "The function is being created.",
                                                      "Creating")
    after = client.get_function_configuration(FunctionName=name)
    assert after["LastUpdateStatus"] == "Successful" and "LastUpdateStatusReason" not in after
    assert len({before["RevisionId"], answer["RevisionId"], after["RevisionId"]}) == 3
    assert after["LastModified"] >= before["LastModified"]
    changed = {"Timeout": 9, "Environment": {"Variables": {"KEY": "new"}}}
    for key in set(before) | set(after):
        if key not in ("RevisionId", "LastModified", "ResponseMetadata"):
            assert after[key] == changed.get(key, before[key]), key


def test_updates_are_visible_at_once(client):
    name = fresh_name()
    create(client, name, Environment={"Variables": {"WORD": "0"}},
           code="import os\ndef handler(e, c):\n    return os.environ['WORD']\n")
    for i in range(5):
        client.update_function_configuration(FunctionName=name, Environment={"Variables": {"WORD": str(i)}})
        assert call(client, name) == str(i)
    client.update_function_code(FunctionName=name, ZipFile=zip_of({"index.py": "def handler(e, c):\n    return 7\n"}))
    assert call(client, name) == 7


def test_what_empty_members_take_away(client):
    name = fresh_name()
    layer = client.publish_layer_version(LayerName=name, Content={"ZipFile": zip_of({"python/m.py": ""})})
    create(client, name, Environment={"Variables": {"KEY": "1"}}, Layers=[layer["LayerVersionArn"]],
           DeadLetterConfig={"TargetArn": f"arn:aws:sns:us-east-1:{ACCOUNT}:t"},
           VpcConfig={"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]},
           LoggingConfig={"LogFormat": "JSON", "ApplicationLogLevel": "DEBUG"})
    client.update_function_configuration(
        FunctionName=name, Environment={}, Layers=[], DeadLetterConfig={"TargetArn": ""},
        VpcConfig={"SubnetIds": [], "SecurityGroupIds": []}, LoggingConfig={"LogFormat": "Text"})
    now = client.get_function_configuration(FunctionName=name)
    assert not {"Environment", "Layers", "DeadLetterConfig"} & set(now)
    assert now["VpcConfig"] == {"SubnetIds": [], "SecurityGroupIds": [], "VpcId": "",
                                "Ipv6AllowedForDualStack": False}
    assert now["LoggingConfig"] == {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}"}


def test_update_refuses_what_create_refuses(client):
    name = fresh_name()
    create(client, name)
    before = client.get_function_configuration(FunctionName=name)
    for case in ("role", "runtime in capitals", "old runtime", "timeout 901", "memory 10241", "reserved variable",
                 "large environment, good names", "text with levels", "six layers", "unknown layer", "layer elsewhere",
                 "snap start"):
        members, error, message = REFUSALS[case]
        assert refusal(client.update_function_configuration, FunctionName=name, **members) == (400, error, message), case
    assert without_metadata(client.get_function_configuration(FunctionName=name)) == without_metadata(before)


def test_revisions_guard_updates(client):
    name = fresh_name()
    create(client, name)
    wrong = (412, "PreconditionFailedException",
             "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to "
             "retrieve the latest Revision Id")
    archive = zip_of({"index.py": ECHO})
    assert refusal(client.update_function_configuration, FunctionName=name, RevisionId="x", Timeout=5) == wrong
    assert refusal(client.update_function_code, FunctionName=name, RevisionId="x", ZipFile=archive) == wrong
    assert refusal(client.publish_version, FunctionName=name, RevisionId="x") == wrong
    revision = client.get_function_configuration(FunctionName=name)["RevisionId"]
    client.update_function_configuration(FunctionName=name, RevisionId=revision, Timeout=5)
    assert refusal(client.update_function_code, FunctionName=name, RevisionId=revision, ZipFile=archive) == wrong
    revision = client.get_function_configuration(FunctionName=name)["RevisionId"]
    client.update_function_code(FunctionName=name, RevisionId=revision, ZipFile=archive)


def test_updates_name_functions_only(client):
    name = fresh_name()
    create(client, name, Publish=True)
    for operation, members in ((client.update_function_configuration, {"Timeout": 5}),
                               (client.update_function_code, {"ZipFile": zip_of({"a": "b"})})):
        assert refusal(operation, FunctionName=f"{name}:1", **members)[:2] == (400, INVALID)
        assert refusal(operation, FunctionName="none-such", **members) == (
            404, "ResourceNotFoundException", f"Function not found: {arn('none-such')}")


# List


def every_page(client, key="Functions", operation="list_functions", **members):
    rows, pages = [], 0
    while True:
        answer = getattr(client, operation)(**members)
        rows += answer[key]
        pages += 1
        assert len(answer[key]) <= min(members.get("MaxItems", 50), 50)
        if "NextMarker" not in answer:
            return rows, pages
        members["Marker"] = answer["NextMarker"]


def test_list(serve):
    client = serve.bare().boto("lambda", config=UNCHECKED)
    assert client.list_functions()["Functions"] == []
    names = sorted(fresh_name() for _ in range(7))
    for name in reversed(names):
        create(client, name)
    for _ in range(2):
        client.publish_version(FunctionName=names[2])
        client.update_function_configuration(FunctionName=names[2], Description="x")
    rows, pages = every_page(client, MaxItems=3)
    assert ([row["FunctionName"] for row in rows], pages) == (names, 3)
    for row in rows:
        assert not {"State", "LastUpdateStatus", "RuntimeVersionConfig"} & set(row)
        assert row["FunctionArn"] == arn(row["FunctionName"])
    for size in (1, 2, 3, 4, 50):
        rows, _ = every_page(client, MaxItems=size, FunctionVersion="ALL")
        expected = [arn(name, version) for name in names
                    for version in (["$LATEST", "1", "2"] if name == names[2] else ["$LATEST"])]
        assert [row["FunctionArn"] for row in rows] == expected
    assert len(client.list_functions(MasterRegion="ALL")["Functions"]) == 7
    assert client.list_functions(MasterRegion="eu-west-1")["Functions"] == []
    assert refusal(client.list_functions, FunctionVersion="SOME") == (
        400, VALIDATION, validation("SOME", "functionVersion", "Member must satisfy enum value set: [ALL]"))
    assert refusal(client.list_functions, Marker="nonsense")[:2] == (400, INVALID)
    assert refusal(client.list_functions, MaxItems=0)[:2] == (400, VALIDATION)
    rows, pages = every_page(client, "Versions", "list_versions_by_function", FunctionName=names[2], MaxItems=1)
    assert ([row["Version"] for row in rows], pages) == (["$LATEST", "1", "2"], 3)


def test_list_does_not_miss_what_comes_and_goes(client):
    names = sorted(fresh_name("page") for _ in range(6))
    for name in names:
        create(client, name)
    first = client.list_functions(MaxItems=1)
    client.delete_function(FunctionName=first["Functions"][0]["FunctionName"])
    rows, _ = every_page(client, MaxItems=2, Marker=first["NextMarker"])
    assert first["Functions"][0]["FunctionName"] not in [row["FunctionName"] for row in rows]
    assert set(names) - {first["Functions"][0]["FunctionName"]} <= {row["FunctionName"] for row in rows}


# Delete


def test_delete(client):
    name = fresh_name()
    create(client, name, Publish=True)
    client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    assert client.delete_function(FunctionName=name)["ResponseMetadata"]["HTTPStatusCode"] == 204
    gone = (404, "ResourceNotFoundException", f"Function not found: {arn(name)}")
    assert refusal(client.get_function, FunctionName=name) == gone
    assert refusal(client.delete_function, FunctionName=name) == gone
    assert refusal(client.delete_function, FunctionName=name, Qualifier="1") == gone
    assert refusal(client.invoke, FunctionName=name)[0] == 404
    made = create(client, name, Publish=True)
    assert made["Version"] == "1"
    assert client.list_aliases(FunctionName=name)["Aliases"] == []


def test_delete_by_qualifier(client):
    name = fresh_name()
    create(client, name, Publish=True)
    client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    assert refusal(client.delete_function, FunctionName=name, Qualifier="$LATEST") == (
        400, INVALID, "$LATEST version cannot be deleted without deleting the function.")
    assert refusal(client.delete_function, FunctionName=name, Qualifier="live") == (
        400, INVALID, "Deletion of aliases is not currently supported.")
    assert refusal(client.delete_function, FunctionName=name, Qualifier="1") == (
        409, "ResourceConflictException",
        "Unable to delete version because the following aliases reference it: [live]")
    client.delete_alias(FunctionName=name, Name="live")
    for _ in range(2):
        answer = client.delete_function(FunctionName=name, Qualifier="1")
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert client.get_function(FunctionName=name)["Configuration"]["Version"] == "$LATEST"


# Restart


def test_everything_is_there_after_a_restart(serve):
    server = serve.bare()
    client = server.boto("lambda")
    name = fresh_name()
    create(client, name, Publish=True, Description="kept", Tags={"k": "v"}, Environment={"Variables": {"KEY": "v"}})
    before = [client.get_function(FunctionName=name, Qualifier=q) for q in ("$LATEST", "1")]
    server.restart()
    client = server.boto("lambda")
    after = [client.get_function(FunctionName=name, Qualifier=q) for q in ("$LATEST", "1")]
    for one, other in zip(before, after):
        assert one["Configuration"] == other["Configuration"] and one["Tags"] == other["Tags"]
    assert call(client, name, b'{"a": 1}') == {"a": 1}
    client.update_function_configuration(FunctionName=name, Description="new")
    server.kill9()
    server.start()
    assert server.boto("lambda").get_function_configuration(FunctionName=name)["Description"] == "new"


def test_functions_of_a_template_are_updated_too(serve, project):
    project.file("src/index.py", "def handler(e, c):\n    return 'template'\n")
    template = project.template("""
        Resources:
          F:
            Type: AWS::Serverless::Function
            Properties: {FunctionName: mine, Handler: index.handler, Runtime: python3.12, CodeUri: src}
    """)
    server = serve(template)
    client = server.boto("lambda")
    assert call(client, "mine") == "template"
    client.update_function_code(FunctionName="mine", ZipFile=zip_of({"index.py": "def handler(e, c):\n    return 1\n"}))
    client.update_function_configuration(FunctionName="mine", Timeout=11)
    assert call(client, "mine") == 1
    server.restart()
    client = server.boto("lambda")
    assert call(client, "mine") == 1
    assert client.get_function_configuration(FunctionName="mine")["Timeout"] == 11


def test_updates_under_load_fail_no_call(client):
    name = fresh_name()
    create(client, name, code="def handler(e, c):\n    return 0\n")
    end = time.monotonic() + 2
    calls = []

    def load():
        while time.monotonic() < end:
            calls.append(call(client, name))
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        running = [pool.submit(load) for _ in range(3)]
        number = 0
        while time.monotonic() < end:
            number += 1
            client.update_function_code(FunctionName=name, ZipFile=zip_of(
                {"index.py": f"def handler(e, c):\n    return {number}\n"}))
            assert call(client, name) == number
        for each in running:
            each.result()
    assert calls and set(calls) <= set(range(number + 1)) and number > 3
