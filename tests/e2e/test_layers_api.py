"""Layers: published, read, listed, downloaded, used and deleted by the API; their policies."""

import base64
import concurrent.futures
import hashlib
import io
import json
import urllib.request
import zipfile

import boto3
import pytest

import functions

ACCOUNT = "arn:aws:lambda:us-east-1:000000000000:"
REVISION_TEXT = ("The Revision Id provided does not match the latest Revision Id. Call the GetLayerPolicy API to retrieve "
                 "the latest Revision Id")
USER = "import shared\n\ndef handler(event, context):\n    return shared.NAME\n"


def archive(word):
    return functions.zip_of({"python/shared.py": f"NAME = {word!r}\n"})


@pytest.fixture(scope="module")
def aws(bare):
    return bare.boto("lambda")


@pytest.fixture
def name():
    return functions.fresh_name("layer")


def publish(aws, name, word="one", **members):
    return aws.publish_layer_version(LayerName=name, Content={"ZipFile": archive(word)}, **members)


def without_metadata(answer):
    return {key: value for key, value in answer.items() if key != "ResponseMetadata"}


def test_publish(aws, name):
    made = publish(aws, name, Description="d", LicenseInfo="MIT", CompatibleRuntimes=["python3.12", "nodejs22.x"],
                   CompatibleArchitectures=["x86_64", "arm64"])
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
    content = made["Content"]
    assert content["CodeSize"] == len(archive("one"))
    assert content["CodeSha256"] == base64.b64encode(hashlib.sha256(archive("one")).digest()).decode()
    assert without_metadata(made) == {
        "Content": content, "LayerArn": f"{ACCOUNT}layer:{name}", "LayerVersionArn": f"{ACCOUNT}layer:{name}:1",
        "Description": "d", "CreatedDate": made["CreatedDate"], "Version": 1, "LicenseInfo": "MIT",
        "CompatibleRuntimes": ["python3.12", "nodejs22.x"], "CompatibleArchitectures": ["arm64", "x86_64"]}
    assert made["CreatedDate"].endswith("+0000")


def test_what_was_not_given_is_not_shown(aws, name):
    made = publish(aws, name)
    assert set(without_metadata(made)) == {"Content", "LayerArn", "LayerVersionArn", "Description", "CreatedDate",
                                           "Version"}
    assert made["Description"] == ""


def test_get_and_download(aws, name):
    made = publish(aws, name)
    for layer in (name, made["LayerArn"]):
        found = aws.get_layer_version(LayerName=layer, VersionNumber=1)
        assert {**without_metadata(found), "Content": 0} == {**without_metadata(made), "Content": 0}
        with urllib.request.urlopen(found["Content"]["Location"], timeout=10) as download:
            assert download.read() == archive("one")
    found = aws.get_layer_version_by_arn(Arn=made["LayerVersionArn"])
    assert {**without_metadata(found), "Content": 0} == {**without_metadata(made), "Content": 0}


def test_versions_count_up_and_are_never_used_again(aws, name):
    assert [publish(aws, name, word)["Version"] for word in ("a", "b")] == [1, 2]
    assert aws.delete_layer_version(LayerName=name, VersionNumber=2)["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert aws.delete_layer_version(LayerName=name, VersionNumber=2)["ResponseMetadata"]["HTTPStatusCode"] == 204
    aws.delete_layer_version(LayerName=name, VersionNumber=1)
    assert aws.list_layer_versions(LayerName=name)["LayerVersions"] == []
    assert name not in [layer["LayerName"] for layer in aws.list_layers()["Layers"]]
    assert publish(aws, name, "c")["Version"] == 3


def test_publishing_at_once_gives_each_a_number(aws, name):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(lambda word: publish(aws, name, word)["Version"], "abcdefgh"))
    assert sorted(numbers) == list(range(1, 9))


def test_mistakes_of_get(aws, bare, name):
    publish(aws, name)
    for number in (0, -1):
        for operation in (aws.get_layer_version, aws.delete_layer_version):
            assert functions.refusal(operation, LayerName=name, VersionNumber=number) == (
                400, "InvalidParameterValueException", "Layer Version Cannot be less than 1")
    missing = (404, "ResourceNotFoundException", "The resource you requested does not exist.")
    assert functions.refusal(aws.get_layer_version, LayerName=name, VersionNumber=2) == missing
    assert functions.refusal(aws.get_layer_version, LayerName="none", VersionNumber=1) == missing
    assert functions.refusal(aws.get_layer_version_by_arn, Arn=f"{ACCOUNT}layer:{name}:7") == missing
    assert functions.refusal(aws.get_layer_version_by_arn, Arn=f"{ACCOUNT}layer:{name}")[1] == "ValidationException"
    assert functions.refusal(aws.get_layer_version, LayerName="a b", VersionNumber=1)[1] == "ValidationException"
    foreign = f"arn:aws:lambda:us-east-1:111122223333:layer:{name}"
    assert functions.refusal(aws.get_layer_version, LayerName=foreign, VersionNumber=1)[:2] == (
        403, "AccessDeniedException")
    answer = bare.manage("GET", f"/2018-10-31/layers/{name}/versions/one")
    assert answer.status == 400


@pytest.mark.parametrize("content, expected", [
    (b"no archive", (400, "InvalidParameterValueException",
                     "Could not unzip uploaded file. Please check your file, then try to upload again.")),
    (functions.zip_of({"../out": "x"}), (400, "InvalidParameterValueException",
     "Could not unzip uploaded file. Please check your file, then try to upload again.")),
])
def test_content_that_is_no_archive(aws, name, content, expected):
    assert functions.refusal(aws.publish_layer_version, LayerName=name, Content={"ZipFile": content}) == expected
    for source in ({}, {"S3Bucket": "bucket"}, {"ZipFile": content, "S3Bucket": "bucket", "S3Key": "key"}):
        assert functions.refusal(aws.publish_layer_version, LayerName=name, Content=source)[:2] == expected[:2]
    assert aws.list_layer_versions(LayerName=name)["LayerVersions"] == []


def test_wrong_runtimes_and_architectures(aws, name):
    for members in ({"CompatibleRuntimes": ["cobol"]}, {"CompatibleArchitectures": ["mips"]}):
        status, code, message = functions.refusal(aws.publish_layer_version, LayerName=name,
                                                  Content={"ZipFile": archive("x")}, **members)
        assert (status, code) == (400, "ValidationException")
        assert "Member must satisfy enum value set: [" in message


def pages(operation, key, **query):
    found, marker = [], {}
    while True:
        page = operation(**query, **marker)
        found.append(page[key])
        if "NextMarker" not in page:
            return found
        marker = {"Marker": page["NextMarker"]}


def test_list_versions(aws, name):
    publish(aws, name, "a", CompatibleRuntimes=["python3.12"])
    publish(aws, name, "b", CompatibleRuntimes=["nodejs22.x"], CompatibleArchitectures=["arm64"])
    publish(aws, name, "c", CompatibleRuntimes=["python3.12", "nodejs22.x"])

    def numbers(**query):
        return [item["Version"] for item in aws.list_layer_versions(LayerName=name, **query)["LayerVersions"]]
    assert numbers() == [3, 2, 1]
    assert numbers(CompatibleRuntime="python3.12") == [3, 1]
    assert numbers(CompatibleRuntime="nodejs22.x", CompatibleArchitecture="arm64") == [2]
    assert numbers(CompatibleArchitecture="x86_64") == []
    assert [[item["Version"] for item in page] for page in
            pages(aws.list_layer_versions, "LayerVersions", LayerName=name, MaxItems=2)] == [[3, 2], [1]]
    item = aws.list_layer_versions(LayerName=name)["LayerVersions"][2]
    assert set(item) == {"LayerVersionArn", "Version", "Description", "CreatedDate", "CompatibleRuntimes"}
    assert aws.list_layer_versions(LayerName="none")["LayerVersions"] == []
    assert functions.refusal(aws.list_layer_versions, LayerName=name, MaxItems=51)[1] == "ValidationException"
    assert functions.refusal(aws.list_layer_versions, LayerName=name, Marker="x")[1] == "InvalidParameterValueException"


def test_list_layers(serve):
    aws = serve.bare().boto("lambda")
    assert without_metadata(aws.list_layers()) == {"Layers": []}
    for layer in "cab":
        publish(aws, layer, layer, CompatibleRuntimes=["python3.12"])
    second = publish(aws, "a", "a2", CompatibleRuntimes=["nodejs22.x"])
    layers = aws.list_layers()["Layers"]
    assert [layer["LayerName"] for layer in layers] == ["a", "b", "c"]
    assert layers[0] == {
        "LayerName": "a", "LayerArn": f"{ACCOUNT}layer:a", "LatestMatchingVersion": {
            "LayerVersionArn": f"{ACCOUNT}layer:a:2", "Version": 2, "Description": "",
            "CreatedDate": second["CreatedDate"], "CompatibleRuntimes": ["nodejs22.x"]}}
    matching = aws.list_layers(CompatibleRuntime="python3.12")["Layers"]
    assert [layer["LatestMatchingVersion"]["Version"] for layer in matching] == [1, 1, 1]
    assert [layer["LayerName"] for layer in aws.list_layers(CompatibleRuntime="nodejs22.x")["Layers"]] == ["a"]
    assert [[layer["LayerName"] for layer in page] for page in
            pages(aws.list_layers, "Layers", MaxItems=2)] == [["a", "b"], ["c"]]


def test_a_deleted_version_stays_in_its_functions(aws, name):
    layer = publish(aws, name, "kept")
    function = functions.create(aws, code=USER, Layers=[layer["LayerVersionArn"]])
    assert function["Layers"] == [{"Arn": layer["LayerVersionArn"], "CodeSize": layer["Content"]["CodeSize"]}]
    aws.delete_layer_version(LayerName=name, VersionNumber=1)
    answer = aws.invoke(FunctionName=function["FunctionName"])
    assert json.load(answer["Payload"]) == "kept"
    status, code, _ = functions.refusal(functions.create, client=aws, code=USER, Layers=[layer["LayerVersionArn"]])
    assert (status, code) == (400, "InvalidParameterValueException")


def test_a_deleted_version_works_after_a_restart(serve):
    server = serve.bare()
    aws = server.boto("lambda")
    layer = publish(aws, "shared", "kept")
    name = functions.create(aws, code=USER, Layers=[layer["LayerVersionArn"]])["FunctionName"]
    aws.delete_layer_version(LayerName="shared", VersionNumber=1)
    publish(aws, "other", "other")
    server.kill9()
    server.start()
    aws = server.boto("lambda")
    assert json.load(aws.invoke(FunctionName=name)["Payload"]) == "kept"
    assert [item["LayerName"] for item in aws.list_layers()["Layers"]] == ["other"]
    assert publish(aws, "shared", "again")["Version"] == 2


def test_size_of_layers_counts(aws, name):
    before = aws.get_account_settings()["AccountUsage"]["TotalCodeSize"]
    size = publish(aws, name, "counted")["Content"]["CodeSize"]
    assert aws.get_account_settings()["AccountUsage"]["TotalCodeSize"] == before + size
    aws.delete_layer_version(LayerName=name, VersionNumber=1)
    assert aws.get_account_settings()["AccountUsage"]["TotalCodeSize"] == before


def test_content_in_a_bucket(serve, moto):
    s3 = boto3.client("s3", endpoint_url=moto.url, region_name="us-east-1", aws_access_key_id="k",
                      aws_secret_access_key="s")
    s3.create_bucket(Bucket="layer-bucket")
    s3.put_object(Bucket="layer-bucket", Key="layer.zip", Body=archive("bucket"))
    aws = serve.bare(env={"AWS_ENDPOINT_URL_S3": moto.url, "AWS_ACCESS_KEY_ID": "k",
                          "AWS_SECRET_ACCESS_KEY": "s"}).boto("lambda")
    made = aws.publish_layer_version(LayerName="l", Content={"S3Bucket": "layer-bucket", "S3Key": "layer.zip"})
    assert made["Content"]["CodeSize"] == len(archive("bucket"))
    name = functions.create(aws, code=USER, Layers=[made["LayerVersionArn"]])["FunctionName"]
    assert json.load(aws.invoke(FunctionName=name)["Payload"]) == "bucket"
    assert functions.refusal(aws.publish_layer_version, LayerName="l",
                             Content={"S3Bucket": "layer-bucket", "S3Key": "none"}) == (
        400, "InvalidParameterValueException", "Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: "
        "The specified key does not exist.")


# Policies

def share(aws, name, **members):
    request = {"LayerName": name, "VersionNumber": 1, "StatementId": "s1", "Action": "lambda:GetLayerVersion",
               "Principal": "111122223333"} | members
    return aws.add_layer_version_permission(**request)


def test_policy(aws, name):
    publish(aws, name)
    assert functions.refusal(aws.get_layer_version_policy, LayerName=name, VersionNumber=1) == (
        404, "ResourceNotFoundException", "No policy is associated with the given resource.")
    answer = share(aws, name)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 201
    expected = {"Sid": "s1", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
                "Action": "lambda:GetLayerVersion", "Resource": f"{ACCOUNT}layer:{name}:1"}
    assert json.loads(answer["Statement"]) == expected
    policy = aws.get_layer_version_policy(LayerName=name, VersionNumber=1)
    assert json.loads(policy["Policy"]) == {"Version": "2012-10-17", "Id": "default", "Statement": [expected]}
    assert policy["RevisionId"] == answer["RevisionId"]
    second = share(aws, name, StatementId="s2", Principal="*", OrganizationId="o-1234567890")
    assert json.loads(second["Statement"])["Condition"] == {"StringEquals": {"aws:PrincipalOrgID": "o-1234567890"}}
    assert json.loads(second["Statement"])["Principal"] == "*"
    assert second["RevisionId"] != answer["RevisionId"]


def test_remove_from_policy(aws, name):
    publish(aws, name)

    def remove(sid, **members):
        return functions.refusal(aws.remove_layer_version_permission, LayerName=name, VersionNumber=1, StatementId=sid,
                                 **members)
    assert remove("s1") == (404, "ResourceNotFoundException", "No policy is associated with the given resource.")
    share(aws, name)
    assert remove("X") == (404, "ResourceNotFoundException", "Statement X is not found in resource policy.")
    assert remove("s1", RevisionId="old") == (412, "PreconditionFailedException", REVISION_TEXT)
    answer = aws.remove_layer_version_permission(LayerName=name, VersionNumber=1, StatementId="s1")
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert functions.refusal(aws.get_layer_version_policy, LayerName=name, VersionNumber=1)[0] == 404


def test_mistakes_of_policies(aws, name):
    publish(aws, name)
    share(aws, name)

    def refused(**members):
        return functions.refusal(lambda **given: share(aws, name, **given), **members)
    assert refused() == (
        409, "ResourceConflictException",
        "The statement id (s1) provided already exists. Please provide a new statement id, or remove the existing statement.")
    missing = (404, "ResourceNotFoundException", f"Layer version {ACCOUNT}layer:{name}:7 does not exist.")
    assert refused(VersionNumber=7) == missing
    assert functions.refusal(aws.get_layer_version_policy, LayerName=name, VersionNumber=7) == missing
    assert functions.refusal(aws.remove_layer_version_permission, LayerName=name, VersionNumber=7,
                             StatementId="s") == missing
    assert refused(VersionNumber=0) == (400, "InvalidParameterValueException", "Layer Version Cannot be less than 1")
    assert refused(StatementId="s2", RevisionId="old") == (412, "PreconditionFailedException", REVISION_TEXT)
    status, code, message = refused(StatementId="s2", Action="lambda:InvokeFunction")
    assert (status, code) == (400, "ValidationException")
    assert message == ("1 validation error detected: Value 'lambda:InvokeFunction' at 'action' failed to satisfy constraint: "
                       "Member must satisfy regular expression pattern: lambda:GetLayerVersion")
    assert refused(StatementId="s2", Principal="s3.amazonaws.com")[1] == "ValidationException"


# The template's

def test_layers_of_the_template(serve, project):
    project.file("shared/python/shared.py", "NAME = 'template'\n")
    template = project.template("""
        Resources:
          Shared:
            Type: AWS::Serverless::LayerVersion
            Properties: {LayerName: shared, ContentUri: shared, Description: d, CompatibleRuntimes: [python3.12]}
          User:
            Type: AWS::Serverless::Function
            Properties:
              FunctionName: user
              Handler: index.handler
              Runtime: python3.12
              Layers: [!Ref Shared]
              InlineCode: |
                import shared
                def handler(event, context):
                    return shared.NAME
        """)
    server = serve(template)
    aws = server.boto("lambda")
    found = aws.get_layer_version(LayerName="shared", VersionNumber=1)
    assert (found["Description"], found["CompatibleRuntimes"]) == ("d", ["python3.12"])
    assert [item["LayerName"] for item in aws.list_layers()["Layers"]] == ["shared"]
    assert aws.get_function_configuration(FunctionName="user")["Layers"][0]["Arn"] == found["LayerVersionArn"]
    with urllib.request.urlopen(found["Content"]["Location"], timeout=10) as download:
        assert zipfile.ZipFile(io.BytesIO(download.read())).namelist() == ["python/shared.py"]
    name = functions.create(aws, code=USER, Layers=[found["LayerVersionArn"]])["FunctionName"]
    assert json.load(aws.invoke(FunctionName=name)["Payload"]) == "template"
    assert publish(aws, "shared", "newer")["Version"] == 2
    text = project.template_path.read_text()
    project.template_path.write_text(text[:text.index("  Shared:")] + text[text.index("  User:"):].replace(
        "      Layers: [!Ref Shared]\n", ""))
    server.restart()
    aws = server.boto("lambda")
    assert [item["Version"] for item in aws.list_layer_versions(LayerName="shared")["LayerVersions"]] == [2]
    assert json.load(aws.invoke(FunctionName=name)["Payload"]) == "template"
