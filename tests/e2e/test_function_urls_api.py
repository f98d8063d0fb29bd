"""Function URL configs: create, read, update, delete, list; the URL that they tell works."""

import urllib.request

import pytest

from functions import create, fresh_name, refusal

ANSWER = "def handler(event, context):\n    return {'statusCode': 200, 'body': event['rawPath'] + ' ' + context.invoked_function_arn}\n"
CORS = {"AllowCredentials": True, "AllowHeaders": ["x-a"], "AllowMethods": ["GET", "POST"], "AllowOrigins": ["https://a.example"],
        "ExposeHeaders": ["x-b"], "MaxAge": 60}


@pytest.fixture(scope="module")
def aws(bare):
    return bare.boto("lambda")


@pytest.fixture(scope="module")
def name(aws):
    name = fresh_name()
    create(aws, name, ANSWER)
    aws.publish_version(FunctionName=name)
    aws.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    return name


@pytest.fixture
def url(aws, name):
    """A function with a URL, gone afterwards."""
    made = aws.create_function_url_config(FunctionName=name, AuthType="NONE")
    yield made
    aws.delete_function_url_config(FunctionName=name)


def fetch(url):
    with urllib.request.urlopen(url, timeout=30) as answer:
        return answer.status, answer.read().decode()


def test_create_and_get(aws, name, url):
    assert url["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert url["AuthType"] == "NONE"
    assert url["FunctionArn"] == f"arn:aws:lambda:us-east-1:000000000000:function:{name}"
    assert url["CreationTime"].endswith("Z") and len(url["CreationTime"]) == len("2026-01-02T03:04:05.678901Z")
    assert "InvokeMode" not in url and "Cors" not in url and "LastModifiedTime" not in url
    got = aws.get_function_url_config(FunctionName=name)
    assert (got["FunctionUrl"], got["FunctionArn"], got["CreationTime"]) == (
        url["FunctionUrl"], url["FunctionArn"], url["CreationTime"])
    assert got["InvokeMode"] == "BUFFERED"
    assert got["LastModifiedTime"]


def test_the_url_answers(name, url):
    status, text = fetch(url["FunctionUrl"] + "a/b")
    assert status == 200
    assert text == f"/a/b arn:aws:lambda:us-east-1:000000000000:function:{name}"


def test_alias(aws, name):
    made = aws.create_function_url_config(FunctionName=name, Qualifier="live", AuthType="NONE", InvokeMode="RESPONSE_STREAM")
    try:
        assert made["FunctionArn"].endswith(f":{name}:live")
        assert made["InvokeMode"] == "RESPONSE_STREAM"
        assert aws.get_function_url_config(FunctionName=f"{name}:live")["FunctionUrl"] == made["FunctionUrl"]
        assert refusal(aws.get_function_url_config, FunctionName=name)[:2] == (404, "ResourceNotFoundException")
    finally:
        aws.delete_function_url_config(FunctionName=name, Qualifier="live")


def test_exists(aws, name, url):
    assert refusal(aws.create_function_url_config, FunctionName=name, AuthType="NONE") == (
        409, "ResourceConflictException",
        f"Failed to create function url config for [functionArn = {url['FunctionArn']}]. Error message:  "
        "FunctionUrlConfig exists for this Lambda function")


@pytest.mark.parametrize("operation, members", [
    ("create_function_url_config", {"AuthType": "NONE"}), ("update_function_url_config", {"AuthType": "NONE"}),
    ("list_function_url_configs", {})])
def test_no_function(aws, operation, members):
    assert refusal(getattr(aws, operation), FunctionName="absent", **members) == (
        404, "ResourceNotFoundException", "Function does not exist")


@pytest.mark.parametrize("operation, members", [
    ("get_function_url_config", {}), ("update_function_url_config", {"AuthType": "NONE"}), ("delete_function_url_config", {})])
def test_no_config(aws, name, operation, members):
    assert refusal(getattr(aws, operation), FunctionName=name, **members) == (
        404, "ResourceNotFoundException", "The resource you requested does not exist.")


def test_alias_that_does_not_exist(aws, name):
    assert refusal(aws.create_function_url_config, FunctionName=name, Qualifier="nope", AuthType="NONE") == (
        404, "ResourceNotFoundException", "Function does not exist")


@pytest.mark.parametrize("qualifier", ["1", "$LATEST"])
def test_only_aliases(aws, name, qualifier):
    assert refusal(aws.create_function_url_config, FunctionName=name, Qualifier=qualifier, AuthType="NONE") == (
        400, "ValidationException",
        f"1 validation error detected: Value '{qualifier}' at 'qualifier' failed to satisfy constraint: Member must "
        r"satisfy regular expression pattern: ((?!^\d+$)^[0-9a-zA-Z-_]+$)")


def test_invoke_mode(aws, name):
    assert refusal(aws.create_function_url_config, FunctionName=name, AuthType="NONE", InvokeMode="UNKNOWN") == (
        400, "ValidationException",
        "1 validation error detected: Value 'UNKNOWN' at 'invokeMode' failed to satisfy constraint: Member must satisfy "
        "enum value set: [RESPONSE_STREAM, BUFFERED]")


def test_update(aws, name, url):
    updated = aws.update_function_url_config(FunctionName=name, Cors=CORS, InvokeMode="RESPONSE_STREAM")
    assert updated["FunctionUrl"] == url["FunctionUrl"]
    assert (updated["AuthType"], updated["InvokeMode"], updated["Cors"]) == ("NONE", "RESPONSE_STREAM", CORS)
    assert aws.update_function_url_config(FunctionName=name, AuthType="AWS_IAM")["Cors"] == CORS
    got = aws.get_function_url_config(FunctionName=name)
    assert (got["AuthType"], got["InvokeMode"], got["Cors"]) == ("AWS_IAM", "RESPONSE_STREAM", CORS)
    assert got["LastModifiedTime"] >= got["CreationTime"]
    assert "Cors" not in aws.update_function_url_config(FunctionName=name, Cors={})


@pytest.mark.parametrize("member, value, where", [
    ("AllowMethods", ["DELETED"], "cors.allowMethods"), ("AllowMethods", ["GET"] * 7, "cors.allowMethods"),
    ("MaxAge", 86401, "cors.maxAge"), ("MaxAge", -1, "cors.maxAge"), ("AllowOrigins", [""], "cors.allowOrigins"),
    ("AllowOrigins", ["a"] * 101, "cors.allowOrigins"), ("AllowHeaders", ["x" * 1025], "cors.allowHeaders")])
def test_cors_bounds(bare, name, member, value, where):
    aws = bare.boto("lambda", config={"parameter_validation": False})
    status, code, message = refusal(aws.create_function_url_config, FunctionName=name, AuthType="NONE", Cors={member: value})
    assert (status, code) == (400, "ValidationException")
    assert f"at '{where}' failed to satisfy constraint: " in message


def test_list(aws, name, url):
    aws.create_function_url_config(FunctionName=name, Qualifier="live", AuthType="NONE")
    try:
        found = aws.list_function_url_configs(FunctionName=name)["FunctionUrlConfigs"]
        assert [item["FunctionArn"].split(":", 6)[6] for item in found] == [name, f"{name}:live"]
        assert found[0]["FunctionUrl"] == url["FunctionUrl"]
        pages = [page["FunctionUrlConfigs"] for page in aws.get_paginator("list_function_url_configs").paginate(
            FunctionName=name, PaginationConfig={"PageSize": 1})]
        assert [len(page) for page in pages] == [1, 1]
        assert pages[0] + pages[1] == found
    finally:
        aws.delete_function_url_config(FunctionName=name, Qualifier="live")


def test_delete(aws, name):
    url = aws.create_function_url_config(FunctionName=name, AuthType="NONE")["FunctionUrl"]
    assert fetch(url)[0] == 200
    assert aws.delete_function_url_config(FunctionName=name)["ResponseMetadata"]["HTTPStatusCode"] == 204
    with pytest.raises(urllib.error.HTTPError) as caught:
        fetch(url)
    assert caught.value.code == 403


def test_it_goes_with_its_function(aws):
    name = fresh_name()
    create(aws, name, ANSWER)
    url = aws.create_function_url_config(FunctionName=name, AuthType="NONE")["FunctionUrl"]
    aws.delete_function(FunctionName=name)
    create(aws, name, ANSWER)
    assert refusal(aws.get_function_url_config, FunctionName=name)[0] == 404
    with pytest.raises(urllib.error.HTTPError):
        fetch(url)
