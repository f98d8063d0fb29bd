"""What suites for the Lambda API lean on without saying so: a change holds for the very next call, one of several clients wins, and a
restart changes no answer."""

import json
from concurrent.futures import ThreadPoolExecutor

import botocore.exceptions
import pytest
from functions import create, fresh_name, refusal, zip_of
from headgate import wait_for

ROUNDS = 40


@pytest.fixture(scope="module")
def client(bare):
    return bare.boto("lambda")


@pytest.fixture
def name(client):
    name = fresh_name()
    create(client, name)
    yield name
    client.delete_function(FunctionName=name)


def plain(answer):
    return {key: value for key, value in answer.items() if key != "ResponseMetadata"}


def statuses(server, call, clients=4):
    """What as many clients are answered that call at the same time."""
    def status(client):
        try:
            return call(client)["ResponseMetadata"]["HTTPStatusCode"]
        except botocore.exceptions.ClientError as error:
            return error.response["ResponseMetadata"]["HTTPStatusCode"]

    with ThreadPoolExecutor(clients) as threads:
        return sorted(threads.map(status, [server.boto("lambda") for _ in range(clients)]))


def test_stop_and_go_hold_for_the_next_call(client, name):
    """Every change of the reservation gives the function another face, by which the next invocation must not find the old limits."""
    for _ in range(ROUNDS):
        client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
        assert refusal(client.invoke, FunctionName=name) == (429, "TooManyRequestsException", "Rate Exceeded.")
        client.delete_function_concurrency(FunctionName=name)
        assert client.invoke(FunctionName=name)["StatusCode"] == 200


def test_without_patience_the_limit_throttles_at_once(serve):
    server = serve.bare("--queue-wait", "0s")
    client = server.boto("lambda")
    create(client, "slow", "import time\n\n\ndef handler(event, context):\n    time.sleep(2)\n")
    assert client.invoke(FunctionName="slow")["StatusCode"] == 200
    client.put_function_concurrency(FunctionName="slow", ReservedConcurrentExecutions=1)
    assert statuses(server, lambda client: client.invoke(FunctionName="slow")) == [200, 429, 429, 429]


def test_one_of_many_wins_a_revision(bare, client, name):
    for _ in range(3):
        revision = client.get_function_configuration(FunctionName=name)["RevisionId"]
        assert statuses(bare, lambda client: client.update_function_configuration(
            FunctionName=name, Description=fresh_name(), RevisionId=revision)) == [200, 412, 412, 412]


def test_one_of_many_adds_a_statement(bare, name):
    assert statuses(bare, lambda client: client.add_permission(
        FunctionName=name, StatementId="s", Action="lambda:InvokeFunction",
        Principal="s3.amazonaws.com")) == [201, 409, 409, 409]


def test_many_publish_one_version(bare, client, name):
    assert statuses(bare, lambda client: client.publish_version(FunctionName=name)) == [201] * 4
    versions = client.list_versions_by_function(FunctionName=name)["Versions"]
    assert [version["Version"] for version in versions] == ["$LATEST", "1"]


# A restart

READS = ["list_aliases", "list_versions_by_function", "get_policy", "get_function_concurrency",
         "get_function_recursion_config", "get_runtime_management_config", "list_function_event_invoke_configs"]


def make_everything(client):
    layer = client.publish_layer_version(LayerName="shared", Content={"ZipFile": zip_of({"python/five.py": "V = 5\n"})},
                                         CompatibleRuntimes=["python3.12"])
    code = "import five\n\n\ndef handler(event, context):\n    return five.V\n"
    create(client, "all", code, Layers=[layer["LayerVersionArn"]], Tags={"ключ": "значение"}, Publish=True,
           Environment={"Variables": {"TEXT": "ü\n\"😀"}}, Description="日本", LoggingConfig={"LogFormat": "JSON"})
    client.delete_layer_version(LayerName="shared", VersionNumber=1)
    client.update_function_configuration(FunctionName="all", Timeout=9)
    client.publish_version(FunctionName="all", Description="second")
    client.create_alias(FunctionName="all", Name="live", FunctionVersion="1",
                        RoutingConfig={"AdditionalVersionWeights": {"2": 0.1}})
    client.add_permission(FunctionName="all", StatementId="s", Action="lambda:InvokeFunction",
                          Principal="s3.amazonaws.com")
    client.put_function_concurrency(FunctionName="all", ReservedConcurrentExecutions=7)
    client.put_function_recursion_config(FunctionName="all", RecursiveLoop="Allow")
    client.put_runtime_management_config(FunctionName="all", UpdateRuntimeOn="FunctionUpdate")
    client.put_function_event_invoke_config(FunctionName="all", MaximumRetryAttempts=0)
    mapping = client.create_event_source_mapping(FunctionName="all:live", Tags={"a": "b"},
                                                 EventSourceArn="arn:aws:sqs:us-east-1:000000000000:q")
    wait_for(lambda: client.get_event_source_mapping(UUID=mapping["UUID"])["State"] != "Creating", "a settled mapping")
    create(client, "z" * 64)


def everything(client):
    """All that can be read, but for links, which carry the time and the port."""
    functions = client.list_functions(FunctionVersion="ALL")["Functions"]
    found = {"functions": functions, "layers": plain(client.list_layers()),
             "mappings": plain(client.list_event_source_mappings()), "account": plain(client.get_account_settings())}
    for function in functions:
        whole = plain(client.get_function(FunctionName=function["FunctionArn"]))
        del whole["Code"]["Location"]
        found[function["FunctionArn"]] = whole
    for read in READS:
        found[read] = plain(getattr(client, read)(FunctionName="all"))
    return json.loads(json.dumps(found, default=str))


def test_a_restart_changes_no_answer(serve):
    server = serve.bare()
    make_everything(server.boto("lambda"))
    before = everything(server.boto("lambda"))
    server.restart()
    client = server.boto("lambda")
    assert everything(client) == before
    assert json.load(client.invoke(FunctionName="all", Qualifier="live")["Payload"]) == 5
    again = client.publish_layer_version(LayerName="shared", Content={"ZipFile": zip_of({"a": "b"})})
    assert again["Version"] == 2
