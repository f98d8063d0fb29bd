"""Reserved and provisioned concurrency by the management API (function-api.md §9, invoke-api.md §7)."""

import json
import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from functions import create, fresh_name, refusal
from headgate import wait_for

SLEEPER = """
import os
import time


def handler(event, context):
    time.sleep(event.get("sleep", 0))
    return {"pid": os.getpid(), "type": os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"],
            "version": os.environ["AWS_LAMBDA_FUNCTION_VERSION"]}
"""


@pytest.fixture(scope="module")
def client(bare):
    return bare.boto("lambda")


@pytest.fixture
def name(client):
    name = fresh_name()
    create(client, name, SLEEPER)
    yield name
    client.delete_function(FunctionName=name)


def arn(client, name, qualifier=None):
    plain = client.get_function_configuration(FunctionName=name)["FunctionArn"]
    return f"{plain}:{qualifier}" if qualifier else plain


def invoke(client, name, qualifier=None, **event):
    members = {"Qualifier": qualifier} if qualifier else {}
    answer = client.invoke(FunctionName=name, Payload=json.dumps(event), **members)
    assert "FunctionError" not in answer, answer["Payload"].read()
    return json.load(answer["Payload"])


def throttled(client, name, **members):
    try:
        client.invoke(FunctionName=name, Payload=b"{}", **members)
    except client.exceptions.TooManyRequestsException as error:
        return error.response["Reason"]
    return None


def wait_ready(client, name, qualifier):
    def look():
        config = client.get_provisioned_concurrency_config(FunctionName=name, Qualifier=qualifier)
        return config if config["Status"] != "IN_PROGRESS" else None
    return wait_for(look, "provisioned concurrency to be ready", 20)


# Reserved


def test_reserved_is_put_read_and_deleted(client, name):
    plain = {"ReservedConcurrentExecutions": 7}
    assert "ReservedConcurrentExecutions" not in client.get_function_concurrency(FunctionName=name)
    put = client.put_function_concurrency(FunctionName=name, **plain)
    assert put["ReservedConcurrentExecutions"] == 7
    assert client.get_function_concurrency(FunctionName=name)["ReservedConcurrentExecutions"] == 7
    assert client.get_function(FunctionName=name)["Concurrency"] == plain
    gone = client.delete_function_concurrency(FunctionName=name)
    assert gone["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert "ReservedConcurrentExecutions" not in client.get_function_concurrency(FunctionName=name)
    assert "Concurrency" not in client.get_function(FunctionName=name)
    # Once more does no harm.
    client.delete_function_concurrency(FunctionName=name)


def test_reserved_by_partial_and_full_arn(client, name):
    for reference in (arn(client, name), f"000000000000:function:{name}"):
        put = client.put_function_concurrency(FunctionName=reference, ReservedConcurrentExecutions=3)
        assert put["ReservedConcurrentExecutions"] == 3


def test_reserved_changes_no_revision(client, name):
    before = client.get_function_configuration(FunctionName=name)
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=3)
    after = client.get_function_configuration(FunctionName=name)
    for member in ("RevisionId", "LastModified"):
        assert before[member] == after[member]


def test_reserved_of_nothing_stops_at_once(client, name):
    for _ in range(3):
        assert invoke(client, name)["version"] == "$LATEST"
        client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
        assert throttled(client, name) == "ReservedFunctionConcurrentInvocationLimitExceeded"
        client.delete_function_concurrency(FunctionName=name)
    assert throttled(client, name) is None


def test_reserved_keeps_warm_environments(client, name):
    pid = invoke(client, name)["pid"]
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=2)
    assert invoke(client, name)["pid"] == pid
    client.delete_function_concurrency(FunctionName=name)
    assert invoke(client, name)["pid"] == pid


def test_reserved_is_a_ceiling_for_all_versions(serve):
    client = serve.bare("--queue-wait", "0").boto("lambda")
    name = fresh_name()
    create(client, name, SLEEPER)
    client.publish_version(FunctionName=name)
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)

    def occupy():
        # The other version may have the one place first.
        while True:
            try:
                return invoke(client, name, sleep=2)
            except client.exceptions.TooManyRequestsException:
                continue
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(occupy)
        reason = wait_for(lambda: throttled(client, name, Qualifier="1"), "a throttle")
        assert reason == "ReservedFunctionConcurrentInvocationLimitExceeded"
        assert running.result()["version"] == "$LATEST"


@pytest.mark.parametrize("operation", ["put_function_concurrency", "get_function_concurrency",
                                       "delete_function_concurrency"])
def test_reserved_is_of_functions_only(client, name, operation):
    members = {"ReservedConcurrentExecutions": 1} if operation.startswith("put") else {}
    client.publish_version(FunctionName=name)
    for reference in (f"{name}:1", f"{name}:$LATEST", arn(client, name, "1")):
        assert refusal(getattr(client, operation), FunctionName=reference, **members) == (
            400, "InvalidParameterValueException",
            "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. "
            "Please specify either a function name or an unqualified function ARN.")


@pytest.mark.parametrize("operation", ["put_function_concurrency", "get_function_concurrency",
                                       "delete_function_concurrency"])
def test_reserved_of_a_function_that_is_not_there(client, name, operation):
    members = {"ReservedConcurrentExecutions": 1} if operation.startswith("put") else {}
    status, code, text = refusal(getattr(client, operation), FunctionName="nobody", **members)
    assert (status, code) == (404, "ResourceNotFoundException")
    assert text == "Function not found: " + arn(client, name).replace(name, "nobody")


def test_unreserved_pool_keeps_a_hundred(bare, client, name):
    settings = client.get_account_settings()["AccountLimit"]
    assert settings["ConcurrentExecutions"] == 1000
    most = settings["UnreservedConcurrentExecutions"] - 100
    answer = bare.manage("PUT", f"/2017-10-31/functions/{name}/concurrency",
                         body=json.dumps({"ReservedConcurrentExecutions": most + 1}))
    assert answer.status == 400
    assert answer.header("x-amzn-errortype") == "InvalidParameterValueException"
    assert answer.json() == {
        "message": "Specified ReservedConcurrentExecutions for function decreases account's "
                   "UnreservedConcurrentExecution below its minimum value of [100]."}
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=most)
    settings = client.get_account_settings()["AccountLimit"]
    assert settings["UnreservedConcurrentExecutions"] == 100
    # Less is possible always, and the rest is the others' again.
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=most - 1)
    assert client.get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"] == 101


def test_what_the_service_accepts_is_accepted_on_a_small_machine(serve):
    client = serve.bare("--max-concurrency", "4").boto("lambda")
    names = [fresh_name(), fresh_name()]
    for name in names:
        create(client, name, SLEEPER)
    assert client.get_account_settings()["AccountLimit"]["ConcurrentExecutions"] == 1000
    client.put_function_concurrency(FunctionName=names[0], ReservedConcurrentExecutions=900)
    for name in names * 2:
        assert invoke(client, name)["type"] == "on-demand"


def test_negative_reservation(bare, name):
    answer = bare.manage("PUT", f"/2017-10-31/functions/{name}/concurrency",
                         body=json.dumps({"ReservedConcurrentExecutions": -1}))
    assert (answer.status, answer.header("x-amzn-errortype")) == (400, "ValidationException")
    assert answer.json()["message"] == (
        "1 validation error detected: Value '-1' at 'reservedConcurrentExecutions' failed to satisfy constraint: "
        "Member must have value greater than or equal to 0")


def test_account_settings_count_code(client, name):
    before = client.get_account_settings()["AccountUsage"]
    size = client.get_function_configuration(FunctionName=name)["CodeSize"]
    client.publish_version(FunctionName=name)
    after = client.get_account_settings()["AccountUsage"]
    assert after["FunctionCount"] == before["FunctionCount"]
    assert after["TotalCodeSize"] == before["TotalCodeSize"] + size
    assert client.get_account_settings()["AccountLimit"]["TotalCodeSize"] == 80530636800


# Provisioned


def test_provisioned_environments_are_really_there(client, name):
    client.publish_version(FunctionName=name)
    put = client.put_provisioned_concurrency_config(FunctionName=name, Qualifier="1",
                                                    ProvisionedConcurrentExecutions=2)
    assert put["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert put["RequestedProvisionedConcurrentExecutions"] == 2
    assert put["AvailableProvisionedConcurrentExecutions"] == put["AllocatedProvisionedConcurrentExecutions"] == 0
    assert put["Status"] == "IN_PROGRESS"
    assert put["LastModified"].endswith("+0000")
    ready = wait_ready(client, name, "1")
    assert ready["Status"] == "READY"
    assert ready["AvailableProvisionedConcurrentExecutions"] == ready["AllocatedProvisionedConcurrentExecutions"] == 2
    assert "StatusReason" not in ready
    # Each call finds one of the two, unless both are busy.
    assert {invoke(client, name, "1")["type"] for _ in range(5)} == {"provisioned-concurrency"}
    assert invoke(client, name)["type"] == "on-demand"
    with ThreadPoolExecutor(3) as pool:
        three = list(pool.map(lambda _: invoke(client, name, "1", sleep=1), range(3)))
    assert sorted(answer["type"] for answer in three) == ["on-demand"] + 2 * ["provisioned-concurrency"]
    # What is provisioned goes before what is left of the spill-over.
    assert {invoke(client, name, "1")["type"] for _ in range(5)} == {"provisioned-concurrency"}


def test_provisioned_list_update_and_delete(client, name):
    for _ in range(2):
        client.publish_version(FunctionName=name)
        client.update_function_configuration(FunctionName=name, Description=fresh_name())
    client.create_alias(FunctionName=name, Name="live", FunctionVersion="2")
    client.put_provisioned_concurrency_config(FunctionName=name, Qualifier="1", ProvisionedConcurrentExecutions=1)
    client.put_provisioned_concurrency_config(FunctionName=name, Qualifier="live", ProvisionedConcurrentExecutions=1)
    for qualifier in ("1", "live"):
        wait_ready(client, name, qualifier)
    listed = client.list_provisioned_concurrency_configs(FunctionName=name)
    assert "NextMarker" not in listed
    rows = {row["FunctionArn"]: row for row in listed["ProvisionedConcurrencyConfigs"]}
    assert set(rows) == {arn(client, name, "1"), arn(client, name, "live")}
    assert all(row["Status"] == "READY" for row in rows.values())
    pages = client.get_paginator("list_provisioned_concurrency_configs").paginate(
        FunctionName=name, PaginationConfig={"PageSize": 1})
    assert [len(page["ProvisionedConcurrencyConfigs"]) for page in pages] == [1, 1]
    put = client.put_provisioned_concurrency_config(FunctionName=name, Qualifier="1",
                                                    ProvisionedConcurrentExecutions=3)
    assert put["Status"] == "IN_PROGRESS"
    ready = wait_ready(client, name, "1")
    assert ready["AllocatedProvisionedConcurrentExecutions"] == ready["RequestedProvisionedConcurrentExecutions"] == 3
    client.put_provisioned_concurrency_config(FunctionName=name, Qualifier="1", ProvisionedConcurrentExecutions=1)
    assert wait_ready(client, name, "1")["AllocatedProvisionedConcurrentExecutions"] == 1
    gone = client.delete_provisioned_concurrency_config(FunctionName=name, Qualifier="1")
    assert gone["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert len(client.list_provisioned_concurrency_configs(FunctionName=name)["ProvisionedConcurrencyConfigs"]) == 1
    wait_for(lambda: invoke(client, name, "1")["type"] == "on-demand", "provisioned environments to end")


def test_an_alias_takes_its_configuration_along(client, name):
    client.publish_version(FunctionName=name)
    client.update_function_configuration(FunctionName=name, Description="second")
    client.publish_version(FunctionName=name)
    client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    client.put_provisioned_concurrency_config(FunctionName=name, Qualifier="live", ProvisionedConcurrentExecutions=1)
    wait_ready(client, name, "live")
    first = invoke(client, name, "live")
    assert (first["type"], first["version"]) == ("provisioned-concurrency", "1")
    client.update_alias(FunctionName=name, Name="live", FunctionVersion="2")
    wait_ready(client, name, "live")
    second = invoke(client, name, "live")
    assert (second["type"], second["version"]) == ("provisioned-concurrency", "2")
    assert refusal(client.get_provisioned_concurrency_config, FunctionName=name, Qualifier="1")[1] == \
        "ProvisionedConcurrencyConfigNotFoundException"


def test_provisioned_comes_back_after_a_restart(serve):
    server = serve.bare()
    client = server.boto("lambda")
    name = fresh_name()
    create(client, name, SLEEPER)
    client.publish_version(FunctionName=name)
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=5)
    client.put_provisioned_concurrency_config(FunctionName=name, Qualifier="1", ProvisionedConcurrentExecutions=2)
    wait_ready(client, name, "1")
    server.restart()
    client = server.boto("lambda")
    assert wait_ready(client, name, "1")["AllocatedProvisionedConcurrentExecutions"] == 2
    assert client.get_function_concurrency(FunctionName=name)["ReservedConcurrentExecutions"] == 5
    assert invoke(client, name, "1")["type"] == "provisioned-concurrency"


def test_provisioned_of_code_that_does_not_come_up_has_failed(client):
    name = fresh_name()
    create(client, name, "raise ValueError('no')\n")
    client.publish_version(FunctionName=name)
    client.put_provisioned_concurrency_config(FunctionName=name, Qualifier="1", ProvisionedConcurrentExecutions=1)
    failed = wait_ready(client, name, "1")
    assert (failed["Status"], failed["StatusReason"]) == ("FAILED", "FUNCTION_ERROR_INIT_FAILURE")
    assert failed["AllocatedProvisionedConcurrentExecutions"] == 0
    client.delete_function(FunctionName=name)


def test_a_killed_provisioned_environment_is_replaced(client, name):
    client.publish_version(FunctionName=name)
    client.put_provisioned_concurrency_config(FunctionName=name, Qualifier="1", ProvisionedConcurrentExecutions=1)
    wait_ready(client, name, "1")
    pid = invoke(client, name, "1")["pid"]
    os.kill(pid, signal.SIGKILL)

    def look():
        answer = client.invoke(FunctionName=name, Qualifier="1", Payload=b"{}")
        if "FunctionError" in answer:  # it was on its way to the one that was killed
            return False
        said = json.load(answer["Payload"])
        return said["pid"] != pid and said["type"] == "provisioned-concurrency"
    wait_for(look, "another provisioned environment")


def test_reserved_equal_to_provisioned_leaves_nothing_for_latest(serve):
    client = serve.bare("--queue-wait", "0").boto("lambda")
    name = fresh_name()
    create(client, name, SLEEPER)
    client.publish_version(FunctionName=name)
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    client.put_provisioned_concurrency_config(FunctionName=name, Qualifier="1", ProvisionedConcurrentExecutions=1)
    wait_ready(client, name, "1")
    assert throttled(client, name) == "ReservedFunctionConcurrentInvocationLimitExceeded"
    assert invoke(client, name, "1")["type"] == "provisioned-concurrency"


def put_provisioned(client, name, qualifier, count=1):
    return refusal(client.put_provisioned_concurrency_config, FunctionName=name, Qualifier=qualifier,
                   ProvisionedConcurrentExecutions=count)


NOT_PUBLISHED = "The function resource provided must be an alias or a published version."
NO_CONFIG = (404, "ProvisionedConcurrencyConfigNotFoundException",
             "No Provisioned Concurrency Config found for this function")


def test_provisioned_of_what_is_not_published(client, name):
    assert put_provisioned(client, name, "$LATEST") == (
        400, "InvalidParameterValueException",
        "Provisioned Concurrency Configs cannot be applied to unpublished function versions.")
    for operation in (client.get_provisioned_concurrency_config, client.delete_provisioned_concurrency_config):
        assert refusal(operation, FunctionName=name, Qualifier="$LATEST") == (
            400, "InvalidParameterValueException", NOT_PUBLISHED)


def test_provisioned_of_what_is_not_there(client, name):
    client.publish_version(FunctionName=name)
    for operation in (client.get_provisioned_concurrency_config, client.delete_provisioned_concurrency_config):
        assert refusal(operation, FunctionName=name, Qualifier="1") == NO_CONFIG
        assert refusal(operation, FunctionName=name, Qualifier="gone") == (
            404, "ResourceNotFoundException", "Cannot find alias arn: " + arn(client, name, "gone"))
        assert refusal(operation, FunctionName=name, Qualifier="77") == (
            404, "ResourceNotFoundException", "Function not found: " + arn(client, name, "77"))
        assert refusal(operation, FunctionName="nobody", Qualifier="1")[:2] == (404, "ResourceNotFoundException")
    assert put_provisioned(client, name, "gone") == (
        404, "ResourceNotFoundException", "Cannot find alias arn: " + arn(client, name, "gone"))
    assert put_provisioned(client, name, "77") == (
        404, "ResourceNotFoundException", "Function not found: " + arn(client, name, "77"))
    assert put_provisioned(client, "nobody", "1")[:2] == (404, "ResourceNotFoundException")


def test_provisioned_alias_and_its_version_exclude_one_another(client, name):
    client.publish_version(FunctionName=name)
    client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    client.put_provisioned_concurrency_config(FunctionName=name, Qualifier="1", ProvisionedConcurrentExecutions=1)
    assert put_provisioned(client, name, "live") == (
        409, "ResourceConflictException",
        "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version")
    client.delete_provisioned_concurrency_config(FunctionName=name, Qualifier="1")
    client.put_provisioned_concurrency_config(FunctionName=name, Qualifier="live", ProvisionedConcurrentExecutions=1)
    assert put_provisioned(client, name, "1") == (
        409, "ResourceConflictException", "Version is pointed by a Provisioned Concurrency alias")


def test_provisioned_within_the_limits(bare, client, name):
    client.publish_version(FunctionName=name)
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=2)
    assert put_provisioned(client, name, "1", 3) == (
        400, "InvalidParameterValueException",
        "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function")
    client.put_provisioned_concurrency_config(FunctionName=name, Qualifier="1", ProvisionedConcurrentExecutions=2)
    assert refusal(client.put_function_concurrency, FunctionName=name, ReservedConcurrentExecutions=1) == (
        400, "InvalidParameterValueException",
        " ReservedConcurrentExecutions  1 should not be lower than function's total provisioned concurrency [2].")
    client.delete_provisioned_concurrency_config(FunctionName=name, Qualifier="1")
    client.delete_function_concurrency(FunctionName=name)
    unreserved = client.get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"]
    assert put_provisioned(client, name, "1", unreserved + 1) == (
        400, "InvalidParameterValueException",
        f"Specified ConcurrentExecutions for function is greater than account's unreserved concurrency [{unreserved}].")
    path = f"/2019-09-30/functions/{name}/provisioned-concurrency?Qualifier=1"
    answer = bare.manage("PUT", path, body=json.dumps({"ProvisionedConcurrentExecutions": unreserved - 99}))
    assert (answer.status, answer.json()) == (400, {
        "message": "Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below "
                   "its minimum value of [100]."})
    # Without a reservation it is taken from what is unreserved.
    client.put_provisioned_concurrency_config(FunctionName=name, Qualifier="1", ProvisionedConcurrentExecutions=1)
    settings = client.get_account_settings()["AccountLimit"]
    assert settings["UnreservedConcurrentExecutions"] == unreserved - 1


def test_provisioned_of_nothing(bare, name):
    path = f"/2019-09-30/functions/{name}/provisioned-concurrency?Qualifier=1"
    answer = bare.manage("PUT", path, body=json.dumps({"ProvisionedConcurrentExecutions": 0}))
    assert answer.status == 400
    assert answer.header("x-amzn-errortype") == "ValidationException"
    assert answer.json()["message"] == (
        "1 validation error detected: Value '0' at 'provisionedConcurrentExecutions' failed to satisfy constraint: "
        "Member must have value greater than or equal to 1")


def test_concurrent_changes_of_one_function(client, name):
    """Whatever comes last is in force, and nothing is lost between them."""
    client.publish_version(FunctionName=name)
    failures = []

    def change(number):
        try:
            client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=10 + number)
            assert invoke(client, name)["type"] == "on-demand"
        except Exception as failure:  # noqa: BLE001
            failures.append(failure)
    threads = [threading.Thread(target=change, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert 10 <= client.get_function_concurrency(FunctionName=name)["ReservedConcurrentExecutions"] < 18
