"""Recursion, runtime management, code signing."""

import json

import pytest

import functions

ARN = "arn:aws:lambda:us-east-1:000000000000:function:"
SIGNING = "arn:aws:lambda:us-east-1:000000000000:code-signing-config:csc-0123456789abcdefa"
MISSING = (404, "ResourceNotFoundException", f"Function not found: {ARN}none")


@pytest.fixture(scope="module")
def aws(bare):
    return bare.boto("lambda")


@pytest.fixture(scope="module")
def orders(aws):
    """A function with version 1."""
    name = functions.create(aws)["FunctionName"]
    aws.publish_version(FunctionName=name)
    return name


def without_metadata(answer):
    return {key: value for key, value in answer.items() if key != "ResponseMetadata"}


# Recursion

def test_recursion(aws, orders):
    assert without_metadata(aws.get_function_recursion_config(FunctionName=orders)) == {"RecursiveLoop": "Terminate"}
    for value in ("Allow", "Allow", "Terminate"):
        answer = aws.put_function_recursion_config(FunctionName=orders, RecursiveLoop=value)
        assert (answer["ResponseMetadata"]["HTTPStatusCode"], answer["RecursiveLoop"]) == (200, value)
        assert aws.get_function_recursion_config(FunctionName=ARN + orders)["RecursiveLoop"] == value


def test_mistakes_of_recursion(aws, orders):
    assert functions.refusal(aws.put_function_recursion_config, FunctionName=orders, RecursiveLoop="InvalidValue") == (
        400, "ValidationException", "1 validation error detected: Value 'InvalidValue' at 'recursiveLoop' failed to satisfy "
        "constraint: Member must satisfy enum value set: [Terminate, Allow]")
    assert functions.refusal(aws.put_function_recursion_config, FunctionName="none", RecursiveLoop="Allow") == MISSING
    assert functions.refusal(aws.get_function_recursion_config, FunctionName="none") == MISSING
    assert functions.refusal(aws.get_function_recursion_config, FunctionName=f"{orders}:1")[1] == "ValidationException"


def test_recursion_takes_effect(bare, aws):
    """A chain of 16 calls of the function is in the trace header: the next call is stopped, or not."""
    name = functions.create(aws)["FunctionName"]
    arn = bare.boto("lambda").get_function_configuration(FunctionName=name)["FunctionArn"]
    assert arn == ARN + name
    code = ("import json, os, urllib.request\n"
            "def handler(event, context):\n"
            "    if event['left'] == 0:\n        return 'done'\n"
            "    request = urllib.request.Request(event['url'], json.dumps({**event, 'left': event['left'] - 1}).encode(),\n"
            "                                     {'X-Amzn-Trace-Id': os.environ['_X_AMZN_TRACE_ID']})\n"
            "    try:\n        return json.load(urllib.request.urlopen(request))\n"
            "    except urllib.error.HTTPError as error:\n        return error.headers['x-amzn-ErrorType']\n")
    aws.update_function_code(FunctionName=name, ZipFile=functions.zip_of({"index.py": code}))
    aws.update_function_configuration(FunctionName=name, Timeout=60)
    event = {"left": 18, "url": f"{bare.management_url}/2015-03-31/functions/{name}/invocations"}

    def chain():
        return json.load(aws.invoke(FunctionName=name, Payload=json.dumps(event))["Payload"])
    assert chain() == "RecursiveInvocationException"
    aws.put_function_recursion_config(FunctionName=name, RecursiveLoop="Allow")
    assert chain() == "done"


# Runtime management

def test_runtime_management(aws, orders):
    answer = aws.get_runtime_management_config(FunctionName=orders)
    assert without_metadata(answer) == {"UpdateRuntimeOn": "Auto", "FunctionArn": ARN + orders}
    answer = aws.put_runtime_management_config(FunctionName=orders, UpdateRuntimeOn="FunctionUpdate")
    assert without_metadata(answer) == {"UpdateRuntimeOn": "FunctionUpdate", "FunctionArn": ARN + orders}
    assert aws.get_runtime_management_config(FunctionName=orders)["UpdateRuntimeOn"] == "FunctionUpdate"
    answer = aws.get_runtime_management_config(FunctionName=orders, Qualifier="1")
    assert without_metadata(answer) == {"UpdateRuntimeOn": "Auto", "FunctionArn": f"{ARN}{orders}:1"}


def test_a_runtime_version_of_ones_own(aws, orders):
    current = aws.get_function_configuration(FunctionName=orders)["RuntimeVersionConfig"]["RuntimeVersionArn"]
    put = aws.put_runtime_management_config
    answer = put(FunctionName=orders, Qualifier="1", UpdateRuntimeOn="Manual", RuntimeVersionArn=current)
    expected = {"UpdateRuntimeOn": "Manual", "FunctionArn": f"{ARN}{orders}:1", "RuntimeVersionArn": current}
    assert without_metadata(answer) == expected
    assert without_metadata(aws.get_runtime_management_config(FunctionName=f"{orders}:1")) == expected
    other = current[:-4] + "0000"
    status, code, message = functions.refusal(put, FunctionName=orders, UpdateRuntimeOn="Manual", RuntimeVersionArn=other)
    assert (status, code) == (400, "InvalidParameterValueException")
    assert other in message and current in message
    for members in ({"UpdateRuntimeOn": "Manual"}, {"UpdateRuntimeOn": "Auto", "RuntimeVersionArn": current}):
        assert functions.refusal(put, FunctionName=orders, **members)[:2] == (400, "InvalidParameterValueException")


def test_mistakes_of_runtime_management(aws, orders):
    assert functions.refusal(aws.get_runtime_management_config, FunctionName="none") == MISSING
    assert functions.refusal(aws.put_runtime_management_config, FunctionName="none", UpdateRuntimeOn="Auto") == MISSING
    missing = (404, "ResourceNotFoundException", f"Function not found: {ARN}{orders}:9")
    assert functions.refusal(aws.get_runtime_management_config, FunctionName=orders, Qualifier="9") == missing
    assert functions.refusal(aws.put_runtime_management_config, FunctionName=orders, UpdateRuntimeOn="Never")[1] == (
        "ValidationException")


# Code signing

def test_a_function_has_no_code_signing(aws, orders):
    assert without_metadata(aws.get_function_code_signing_config(FunctionName=orders)) == {}
    assert functions.refusal(aws.get_function_code_signing_config, FunctionName="none") == MISSING
    answer = aws.delete_function_code_signing_config(FunctionName=orders)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert functions.refusal(aws.put_function_code_signing_config, FunctionName=orders, CodeSigningConfigArn=SIGNING) == (
        404, "CodeSigningConfigNotFoundException", "The code signing configuration cannot be found. Check that the provided "
        f"configuration is not deleted: {SIGNING}.")


def test_code_signing_is_said_to_be_unsupported(aws):
    status, code, message = functions.refusal(aws.create_code_signing_config, AllowedPublishers={
        "SigningProfileVersionArns": ["arn:aws:signer:us-east-1:000000000000:/signing-profiles/a/b"]})
    assert (status, code) == (501, "NotImplementedException")
    assert message.startswith("CreateCodeSigningConfig is not supported")
    assert aws.list_code_signing_configs()["CodeSigningConfigs"] == []
    for operation in (aws.get_code_signing_config, aws.update_code_signing_config, aws.delete_code_signing_config,
                      aws.list_functions_by_code_signing_config):
        assert functions.refusal(operation, CodeSigningConfigArn=SIGNING) == (
            404, "ResourceNotFoundException", f"The Lambda code signing configuration {SIGNING} can not be found.")


def test_what_was_set_outlives_a_restart(serve):
    server = serve.bare()
    aws = server.boto("lambda")
    name = functions.create(aws)["FunctionName"]
    aws.put_function_recursion_config(FunctionName=name, RecursiveLoop="Allow")
    aws.put_runtime_management_config(FunctionName=name, UpdateRuntimeOn="FunctionUpdate")
    server.kill9()
    server.start()
    aws = server.boto("lambda")
    assert aws.get_function_recursion_config(FunctionName=name)["RecursiveLoop"] == "Allow"
    assert aws.get_runtime_management_config(FunctionName=name)["UpdateRuntimeOn"] == "FunctionUpdate"
