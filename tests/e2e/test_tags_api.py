"""Tags of functions and event source mappings, by ARN."""

import time

import pytest

import functions

ARN = "arn:aws:lambda:us-east-1:000000000000:function:"
MAPPING = "arn:aws:lambda:us-east-1:000000000000:event-source-mapping:"
QUEUE = "arn:aws:sqs:us-east-1:000000000000:orders"


@pytest.fixture(scope="module")
def aws(bare):
    return bare.boto("lambda")


@pytest.fixture
def orders(aws):
    """The ARN of a function without tags."""
    arn = functions.create(aws)["FunctionArn"]
    yield arn
    aws.delete_function(FunctionName=arn)


def tags(aws, arn):
    return aws.list_tags(Resource=arn)["Tags"]


def test_tag_and_untag(aws, orders):
    assert tags(aws, orders) == {}
    answer = aws.tag_resource(Resource=orders, Tags={"team": "a", "stage": "test", "empty": ""})
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert tags(aws, orders) == {"team": "a", "stage": "test", "empty": ""}
    aws.tag_resource(Resource=orders, Tags={"team": "b", "key with / . : = + @ -_ é": "value é"})
    assert tags(aws, orders) == {"team": "b", "stage": "test", "empty": "", "key with / . : = + @ -_ é": "value é"}
    answer = aws.untag_resource(Resource=orders, TagKeys=["stage", "unknown", "key with / . : = + @ -_ é", "empty"])
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert tags(aws, orders) == {"team": "b"}
    assert aws.get_function(FunctionName=orders)["Tags"] == {"team": "b"}
    aws.untag_resource(Resource=orders, TagKeys=["team"])
    assert "Tags" not in aws.get_function(FunctionName=orders)
    assert tags(aws, orders) == {}


def test_tags_of_create(aws):
    arn = functions.create(aws, Tags={"from": "create"})["FunctionArn"]
    assert tags(aws, arn) == {"from": "create"}
    aws.publish_version(FunctionName=arn)
    assert aws.get_function(FunctionName=arn, Qualifier="1")["Tags"] == {"from": "create"}


def test_revision(aws, orders):
    seen = {aws.get_function_configuration(FunctionName=orders)["RevisionId"]}
    aws.tag_resource(Resource=orders, Tags={"a": "b"})
    seen.add(aws.get_function_configuration(FunctionName=orders)["RevisionId"])
    aws.untag_resource(Resource=orders, TagKeys=["a"])
    seen.add(aws.get_function_configuration(FunctionName=orders)["RevisionId"])
    assert len(seen) == 3


def test_too_many(aws, orders):
    aws.tag_resource(Resource=orders, Tags={f"k{number}": "v" for number in range(50)})
    aws.tag_resource(Resource=orders, Tags={"k0": "again"})
    assert functions.refusal(aws.tag_resource, Resource=orders, Tags={"one": "more"}) == (
        400, "InvalidParameterValueException", "Number of tags exceeds resource tag limit.")
    assert len(tags(aws, orders)) == 50
    started = time.monotonic()
    assert functions.refusal(aws.tag_resource, Resource=orders, Tags={f"k{number}": "v" for number in range(150000)})[0] == 400
    assert time.monotonic() - started < 10


def test_mistakes(aws, bare, orders):
    assert functions.refusal(aws.tag_resource, Resource=orders, Tags={}) == (
        400, "InvalidParameterValueException", "An error occurred and the request cannot be processed.")
    qualified = (400, "InvalidParameterValueException",
                 "Tags on function aliases and versions are not supported. Please specify a function ARN.")
    missing = (404, "ResourceNotFoundException", f"Function not found: {ARN}none")
    unknown = MAPPING + "00000000-0000-4000-8000-000000000000"
    for operation, members in ((aws.tag_resource, {"Tags": {"a": "b"}}), (aws.untag_resource, {"TagKeys": ["a"]}),
                               (aws.list_tags, {})):
        for suffix in (":1", ":live", ":$LATEST"):
            assert functions.refusal(operation, Resource=orders + suffix, **members) == qualified
        assert functions.refusal(operation, Resource=ARN + "none", **members) == missing
        assert functions.refusal(operation, Resource=unknown, **members) == (
            404, "ResourceNotFoundException", f"Event source mapping not found: {unknown}")
        status, code, message = functions.refusal(operation, Resource="arn:aws:s3:::bucket", **members)
        assert (status, code) == (400, "ValidationException")
        assert message.startswith("1 validation error detected: Value 'arn:aws:s3:::bucket' at 'resource' failed to satisfy "
                                  "constraint: Member must satisfy regular expression pattern: arn:")
        foreign = ARN.replace("000000000000", "111122223333") + "orders"
        assert functions.refusal(operation, Resource=foreign, **members)[:2] == (403, "AccessDeniedException")
        elsewhere = ARN.replace("us-east-1", "eu-west-1") + "orders"
        assert functions.refusal(operation, Resource=elsewhere, **members) == (
            404, "ResourceNotFoundException",
            "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')")
    answer = bare.manage("DELETE", f"/2017-03-31/tags/{orders}")
    assert (answer.status, answer.json()) == (400, {
        "message": "1 validation error detected: Value null at 'tagKeys' failed to satisfy constraint: Member must not be "
                   "null"})
    csc = "arn:aws:lambda:us-east-1:000000000000:code-signing-config:csc-0123456789abcdefa"
    assert functions.refusal(aws.list_tags, Resource=csc) == (
        404, "ResourceNotFoundException", f"The Lambda code signing configuration {csc} can not be found.")


def test_tags_of_mappings(aws, orders):
    uuid = aws.create_event_source_mapping(FunctionName=orders, EventSourceArn=QUEUE, Tags={"a": "1"})["UUID"]
    arn = MAPPING + uuid
    assert tags(aws, arn) == {"a": "1"}
    aws.tag_resource(Resource=arn, Tags={"b": "2"})
    assert tags(aws, arn) == {"a": "1", "b": "2"}
    aws.untag_resource(Resource=arn, TagKeys=["a"])
    assert tags(aws, arn) == {"b": "2"}
    aws.delete_event_source_mapping(UUID=uuid)


def test_tags_of_the_template(serve, project):
    template = project.template("""
        Resources:
          F:
            Type: AWS::Serverless::Function
            Properties:
              FunctionName: tagged
              Handler: index.handler
              Runtime: python3.12
              InlineCode: "def handler(e, c): return 1"
              Tags: {team: a}
        """)
    server = serve(template)
    aws = server.boto("lambda")
    assert tags(aws, ARN + "tagged")["team"] == "a"
    aws.tag_resource(Resource=ARN + "tagged", Tags={"team": "b"})
    server.restart()
    assert tags(server.boto("lambda"), ARN + "tagged")["team"] == "b"


def test_environments_stay_as_they_are(aws):
    """What changes nothing in how a function runs does not start it anew."""
    code = "CALLS = []\ndef handler(event, context):\n    CALLS.append(1)\n    return len(CALLS)\n"
    made = functions.create(aws, code=code)
    name, arn = made["FunctionName"], made["FunctionArn"]

    def calls():
        return int(aws.invoke(FunctionName=name)["Payload"].read())
    assert calls() == 1
    aws.tag_resource(Resource=arn, Tags={"a": "b"})
    aws.add_permission(FunctionName=name, StatementId="s", Action="lambda:*", Principal="*")
    aws.put_function_recursion_config(FunctionName=name, RecursiveLoop="Allow")
    aws.put_runtime_management_config(FunctionName=name, UpdateRuntimeOn="FunctionUpdate")
    aws.publish_version(FunctionName=name)
    aws.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    assert calls() == 2
