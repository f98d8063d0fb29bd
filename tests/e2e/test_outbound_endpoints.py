"""--aws-endpoint: where Headgate's own calls to Amazon's services go."""

import json

import pytest

import headgate as program
from functions import ROLE, create, fresh_name, zip_of
from headgate import wait_for

NOWHERE = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1",
           "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s"}


def deploy_from_bucket(server, moto):
    s3, client, name = moto.client("s3"), server.boto(), fresh_name()
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="code.zip", Body=zip_of({"index.py": "def handler(event, context):\n    return 7\n"}))
    client.create_function(FunctionName=name, Runtime="python3.12", Handler="index.handler", Role=ROLE,
                           Code={"S3Bucket": name, "S3Key": "code.zip"})
    return json.load(client.invoke(FunctionName=name)["Payload"])


@pytest.mark.parametrize("prefix", ["", "s3=", "S3="])
def test_code_in_buckets(serve, moto, prefix):
    server = serve.bare("--aws-endpoint", prefix + moto.url, env=NOWHERE)
    assert deploy_from_bucket(server, moto) == 7


def test_the_service_goes_before_all(serve, moto):
    server = serve.bare("--aws-endpoint", "http://127.0.0.1:1", "--aws-endpoint", f"s3={moto.url}/", env=NOWHERE)
    assert deploy_from_bucket(server, moto) == 7


def test_destinations(serve, moto):
    sqs, name = moto.client("sqs"), fresh_name()
    queue = sqs.create_queue(QueueName=name)["QueueUrl"]
    server = serve.bare("--aws-endpoint", f"sqs={moto.url}", env=NOWHERE)
    client = server.boto()
    create(client, name)
    client.put_function_event_invoke_config(FunctionName=name, DestinationConfig={
        "OnSuccess": {"Destination": f"arn:aws:sqs:us-east-1:000000000000:{name}"}})
    client.invoke(FunctionName=name, InvocationType="Event", Payload=b'{"n": 1}')
    messages = wait_for(lambda: sqs.receive_message(QueueUrl=queue).get("Messages"), "the record", 20)
    assert json.loads(messages[0]["Body"])["responsePayload"] == {"n": 1}


@pytest.mark.parametrize("value, mistake", [
    ("s3=http://user:pw@127.0.0.1", "it must not hold a user name or password"),
    ("http://127.0.0.1/?a=b", "it must not hold a query"),
    ("s3=ftp://127.0.0.1", "it is not [SERVICE=]URL with http:// or https://"),
])
def test_urls_that_cannot_be(tmp_path, value, mistake):
    result = program.run("serve", "--aws-endpoint", value, "--data-dir", tmp_path / "data", cwd=tmp_path)
    assert result.returncode in (1, 2)
    assert mistake in result.stderr and "pw@" not in result.stderr
