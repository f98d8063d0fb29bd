"""Services of Amazon that share the management port or do not exist here: their clients show what is wrong."""

import botocore.exceptions
import pytest


@pytest.mark.parametrize("service, operation, arguments", [
    ("sqs", "list_queues", {}), ("dynamodb", "list_tables", {}), ("kinesis", "list_streams", {}), ("events", "list_rules", {}),
    ("stepfunctions", "list_state_machines", {}), ("ssm", "describe_parameters", {}), ("secretsmanager", "list_secrets", {}),
    ("kms", "list_keys", {}),  # JSON
    ("sns", "list_topics", {}), ("ec2", "describe_vpcs", {}), ("cloudformation", "list_stacks", {}),  # query
    ("s3", "list_buckets", {}), ("s3", "get_object", {"Bucket": "bucket", "Key": "a/b"}),
])
def test_a_service_that_is_not_here(bare, service, operation, arguments):
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        getattr(bare.boto(service), operation)(**arguments)
    error = caught.value.response["Error"]
    assert error["Code"].startswith("NotImplemented"), error
    assert "is not available here: Headgate serves Lambda" in error["Message"]


def test_services_that_are_here(bare):
    assert bare.boto("sts").get_caller_identity()["Account"] == "000000000000"
    assert bare.boto("iam").list_roles()["Roles"] == []
    assert bare.boto("logs").describe_log_groups(logGroupNamePrefix="/none")["logGroups"] == []
    assert bare.boto("cloudwatch").list_metrics(Namespace="None")["Metrics"] == []


def test_unknown_target(bare):
    answer = bare.manage("POST", "/", headers={"X-Amz-Target": "Nobody_20200101.Do<it>"}, body=b"{}")
    assert answer.status == 501
    assert answer.header("content-type") == "application/x-amz-json-1.1"
    assert answer.json()["message"].startswith("Nobody_20200101.Do<it> is not available here")
    answer = bare.manage("POST", "/", headers={"Content-Type": "application/x-www-form-urlencoded"},
                         body=b"Action=Do<it>&Version=1999-01-01")
    assert answer.status == 501
    assert answer.header("content-type") == "text/xml"
    assert "<Message>Do?it? is not available here" in answer.text


@pytest.mark.parametrize("body, message", [
    (b"{", "Could not parse request body into json: "), (b"[]", "The request body must be a JSON object"),
    (b"\xff", "Could not parse request body into json: "), (b"{}x", "Could not parse request body into json: "),
    (b'{"a":' * 300 + b"1" + b"}" * 300, "Could not parse request body into json: "),
    (b'{"Timeout":"3"}', "STRING_VALUE can not be converted to an Integer: member 'timeout'"),
    (b'{"Environment":{"Variables":[1]}}', "Start of list found where not expected: member 'environment.variables'"),
    (b'{"Layers":[1]}', "NUMBER_VALUE can not be converted to a String: member 'layers.1.member'"),
    (b'{"Layers":[' + b'"a",' * 250000 + b'"a"]}', "The request has too many values"),
    (b'{"Layers":[' + b"null," * 250000 + b"null]}", "The request has too many values"),
    (b'{"Environment":{"Variables":{' + b'"a":null,' * 250000 + b'"a":null}}}', "The request has too many values"),
    (b"{" + b'"a":1,' * 250000 + b'"a":1}', "The request has too many values"),
])
def test_bodies_that_are_no_input(bare, body, message):
    answer = bare.manage("PUT", "/2015-03-31/functions/f/configuration", body=body)
    assert (answer.status, answer.header("x-amzn-errortype")) == (400, "SerializationException")
    assert answer.json()["message"].startswith(message)


def test_paths(bare):
    assert bare.manage("GET", "/2015-03-31/functions/").status == 200
    assert bare.manage("GET", "/2015-03-31/functions").status == 200
    answer = bare.manage("PATCH", "/2015-03-31/functions/f")
    assert (answer.status, answer.header("x-amzn-errortype")) == (404, "UnknownOperationException")
    assert answer.json()["message"] == "/2015-03-31/functions/f has no method PATCH"
    answer = bare.manage("GET", "/2025-11-30/capacity-providers")
    assert (answer.status, answer.header("x-amzn-errortype")) == (501, "NotImplementedException")
    assert answer.json()["message"] == "ListCapacityProviders is not available in Headgate"
