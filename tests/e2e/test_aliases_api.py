"""Aliases: made, read, changed, listed and deleted by the API; weighted routing."""

import json

import pytest

import functions

ARN = "arn:aws:lambda:us-east-1:000000000000:function:"
VERSION_CODE = "def handler(event, context):\n    return {'says': %d, 'arn': context.invoked_function_arn}\n"
NAME_PATTERN = "(?!^[0-9]+$)([a-zA-Z0-9-_]+)"
REVISION_TEXT = ("The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to "
                 "retrieve the latest Revision Id")


@pytest.fixture(scope="module")
def aws(bare):
    return bare.boto("lambda")


def publish(aws, name, number):
    aws.update_function_code(FunctionName=name, ZipFile=functions.zip_of({"index.py": VERSION_CODE % number}))
    aws.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.1})
    version = aws.publish_version(FunctionName=name)["Version"]
    assert version == str(number)


@pytest.fixture(scope="module")
def orders(aws):
    """A function with versions 1 and 2; its $LATEST is what version 2 is."""
    name = functions.create(aws, code=VERSION_CODE % 0)["FunctionName"]
    publish(aws, name, 1)
    publish(aws, name, 2)
    return name


@pytest.fixture
def alias(aws, orders):
    """The name of an alias to version 1 that goes after the test."""
    aws.create_alias(FunctionName=orders, Name="live", FunctionVersion="1")
    yield "live"
    aws.delete_alias(FunctionName=orders, Name="live")


def without_metadata(answer):
    return {key: value for key, value in answer.items() if key != "ResponseMetadata"}


def test_create_and_get(aws, orders):
    made = aws.create_alias(FunctionName=orders, Name="made", FunctionVersion="1", Description="d")
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert made["AliasArn"] == f"{ARN}{orders}:made"
    assert made["RevisionId"]
    assert without_metadata(made) == {"AliasArn": f"{ARN}{orders}:made", "Name": "made", "FunctionVersion": "1",
                                      "Description": "d", "RevisionId": made["RevisionId"]}
    for name in (orders, ARN + orders, f"000000000000:function:{orders}"):
        assert without_metadata(aws.get_alias(FunctionName=name, Name="made")) == without_metadata(made)
    answer = aws.delete_alias(FunctionName=orders, Name="made")
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert functions.refusal(aws.get_alias, FunctionName=orders, Name="made") == (
        404, "ResourceNotFoundException", f"Cannot find alias arn: {ARN}{orders}:made")


def test_description_is_empty_by_default(aws, orders, alias):
    assert aws.get_alias(FunctionName=orders, Name=alias)["Description"] == ""


def test_an_alias_of_latest(aws, orders):
    made = aws.create_alias(FunctionName=orders, Name="newest", FunctionVersion="$LATEST")
    assert made["FunctionVersion"] == "$LATEST"
    answer = aws.invoke(FunctionName=orders, Qualifier="newest")
    assert answer["ExecutedVersion"] == "$LATEST"
    assert json.load(answer["Payload"])["arn"] == f"{ARN}{orders}:newest"
    aws.delete_alias(FunctionName=orders, Name="newest")


@pytest.mark.parametrize("members, expected", [
    ({"Name": "123"}, (400, "ValidationException", "1 validation error detected: Value '123' at 'name' failed to satisfy "
                       f"constraint: Member must satisfy regular expression pattern: {NAME_PATTERN}")),
    ({"Name": "live"}, (409, "ResourceConflictException", "Alias already exists: ALIAS")),
    ({"FunctionVersion": "10"}, (404, "ResourceNotFoundException", "Function not found: FUNCTION:10")),
    ({"RoutingConfig": {"AdditionalVersionWeights": {"1": 0.1, "2": 0.2}}}, (
        400, "InvalidParameterValueException", "Number of items in AdditionalVersionWeights cannot be greater than 1")),
    ({"RoutingConfig": {"AdditionalVersionWeights": {"1": 0.1}}}, (
        400, "InvalidParameterValueException",
        "Invalid function version 1. Function version 1 is already included in routing configuration.")),
    ({"FunctionVersion": "$LATEST", "RoutingConfig": {"AdditionalVersionWeights": {"1": 0.1}}}, (
        400, "InvalidParameterValueException", "$LATEST is not supported for an alias pointing to more than 1 version")),
    ({"RoutingConfig": {"AdditionalVersionWeights": {"7": 0.1}}}, (
        404, "ResourceNotFoundException", "Function not found: FUNCTION:7")),
    ({"RoutingConfig": {"AdditionalVersionWeights": {"2": 2.0}}}, (
        400, "ValidationException", "1 validation error detected: Value '{2=2.0}' at "
        "'routingConfig.additionalVersionWeights' failed to satisfy constraint: Map value must satisfy constraint: [Member "
        "must have value less than or equal to 1.0, Member must have value greater than or equal to 0.0, Member must not be "
        "null]")),
    ({"RoutingConfig": {"AdditionalVersionWeights": {"$LATEST": 0.5}}}, (
        400, "ValidationException", "1 validation error detected: Value '{$LATEST=0.5}' at "
        "'routingConfig.additionalVersionWeights' failed to satisfy constraint: Map keys must satisfy constraint: [Member "
        "must have length less than or equal to 1024, Member must have length greater than or equal to 1, Member must "
        "satisfy regular expression pattern: [0-9]+]")),
    ({"FunctionName": "none"}, (404, "ResourceNotFoundException", f"Function not found: {ARN}none")),
])
def test_mistakes_of_create(aws, orders, alias, members, expected):
    status, code, message = expected
    request = {"FunctionName": orders, "Name": "other", "FunctionVersion": "1"} | members
    message = message.replace("ALIAS", f"{ARN}{orders}:{alias}").replace("FUNCTION", ARN + orders)
    assert functions.refusal(aws.create_alias, **request) == (status, code, message)
    assert [item["Name"] for item in aws.list_aliases(FunctionName=orders)["Aliases"]] == [alias]


def test_which_errors_tell_a_type(bare, orders, alias):
    def body(version, weights):
        answer = bare.manage("POST", f"/2015-03-31/functions/{orders}/aliases", {}, json.dumps({
            "Name": "other", "FunctionVersion": version, "RoutingConfig": {"AdditionalVersionWeights": weights}}))
        assert answer.status == 400
        return answer.json()
    assert body("$LATEST", {"1": 0.5}) == {
        "message": "$LATEST is not supported for an alias pointing to more than 1 version"}
    assert body("1", {"1": 0.5})["Type"] == "User"
    answer = bare.manage("POST", f"/2015-03-31/functions/{orders}/aliases", {},
                         json.dumps({"Name": alias, "FunctionVersion": "1"}))
    assert answer.json() == {"Type": "User", "message": f"Alias already exists: {ARN}{orders}:{alias}"}


def test_update(aws, orders, alias):
    first = aws.get_alias(FunctionName=orders, Name=alias)
    answer = aws.update_alias(FunctionName=orders, Name=alias, Description="new")
    assert (answer["FunctionVersion"], answer["Description"]) == ("1", "new")
    assert answer["RevisionId"] != first["RevisionId"]
    answer = aws.update_alias(FunctionName=orders, Name=alias, FunctionVersion="2",
                              RoutingConfig={"AdditionalVersionWeights": {"1": 0.1}})
    assert (answer["FunctionVersion"], answer["Description"]) == ("2", "new")
    assert answer["RoutingConfig"] == {"AdditionalVersionWeights": {"1": 0.1}}
    assert without_metadata(aws.get_alias(FunctionName=orders, Name=alias)) == without_metadata(answer)
    answer = aws.update_alias(FunctionName=orders, Name=alias, Description="")
    assert answer["RoutingConfig"] == {"AdditionalVersionWeights": {"1": 0.1}} and answer["Description"] == ""
    answer = aws.update_alias(FunctionName=orders, Name=alias, RoutingConfig={"AdditionalVersionWeights": {}})
    assert "RoutingConfig" not in answer


def test_update_with_the_revision_that_was_read(aws, orders, alias):
    first = aws.get_alias(FunctionName=orders, Name=alias)["RevisionId"]
    answer = aws.update_alias(FunctionName=orders, Name=alias, RevisionId=first, Description="a")
    assert functions.refusal(aws.update_alias, FunctionName=orders, Name=alias, RevisionId=first, Description="b") == (
        412, "PreconditionFailedException", REVISION_TEXT)
    assert aws.get_alias(FunctionName=orders, Name=alias)["RevisionId"] == answer["RevisionId"]


def test_mistakes_of_update(aws, orders, alias):
    assert functions.refusal(aws.update_alias, FunctionName=orders, Name="none", Description="x") == (
        404, "ResourceNotFoundException", f"Alias not found: {ARN}{orders}:none")
    assert functions.refusal(aws.update_alias, FunctionName=orders, Name=alias, FunctionVersion="9") == (
        404, "ResourceNotFoundException", f"Function not found: {ARN}{orders}:9")
    assert functions.refusal(aws.update_alias, FunctionName=orders, Name=alias,
                             RoutingConfig={"AdditionalVersionWeights": {"1": 0.5}})[1] == "InvalidParameterValueException"


def test_alias_operations_leave_the_function_as_it_is(aws, orders):
    before = aws.get_function_configuration(FunctionName=orders)["RevisionId"]
    aws.create_alias(FunctionName=orders, Name="passing", FunctionVersion="1")
    aws.update_alias(FunctionName=orders, Name="passing", FunctionVersion="2")
    aws.delete_alias(FunctionName=orders, Name="passing")
    assert aws.get_function_configuration(FunctionName=orders)["RevisionId"] == before


def test_delete_is_fine_when_there_is_none(aws, orders):
    assert aws.delete_alias(FunctionName=orders, Name="none")["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert functions.refusal(aws.delete_alias, FunctionName="none", Name="live") == (
        404, "ResourceNotFoundException", f"Function not found: {ARN}none")


def test_list_pages_and_filter(aws):
    name = functions.create(aws, code=VERSION_CODE % 0)["FunctionName"]
    publish(aws, name, 1)
    publish(aws, name, 2)
    assert without_metadata(aws.list_aliases(FunctionName=name)) == {"Aliases": []}
    for letter in "dbaec":
        aws.create_alias(FunctionName=name, Name=letter, FunctionVersion="2" if letter in "ac" else "1")
    aws.update_alias(FunctionName=name, Name="e", RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}})

    def names(**query):
        return [item["Name"] for item in aws.list_aliases(FunctionName=name, **query)["Aliases"]]
    assert names() == list("abcde")
    assert names(FunctionVersion="2") == list("ace")
    assert names(FunctionVersion="1") == list("bde")
    assert names(FunctionVersion="7") == []
    seen, marker = [], {}
    while True:
        page = aws.list_aliases(FunctionName=name, MaxItems=2, **marker)
        seen.append([item["Name"] for item in page["Aliases"]])
        if "NextMarker" not in page:
            break
        marker = {"Marker": page["NextMarker"]}
    assert seen == [["a", "b"], ["c", "d"], ["e"]]
    assert names(MaxItems=5, FunctionVersion="2") == list("ace")
    assert functions.refusal(aws.list_aliases, FunctionName="none") == (
        404, "ResourceNotFoundException", f"Function not found: {ARN}none")


def test_a_version_that_an_alias_has_stays(aws, orders, alias):
    status, code, message = functions.refusal(aws.delete_function, FunctionName=orders, Qualifier="1")
    assert (status, code) == (409, "ResourceConflictException")
    assert message == f"Unable to delete version because the following aliases reference it: [{alias}]"
    assert aws.get_function(FunctionName=orders, Qualifier="1")["Configuration"]["Version"] == "1"


def test_an_alias_is_invoked(aws, orders, alias):
    answer = aws.invoke(FunctionName=orders, Qualifier=alias)
    assert answer["ExecutedVersion"] == "1"
    assert json.load(answer["Payload"]) == {"says": 1, "arn": f"{ARN}{orders}:{alias}"}
    aws.update_alias(FunctionName=orders, Name=alias, FunctionVersion="2")
    answer = aws.invoke(FunctionName=f"{orders}:{alias}")
    assert answer["ExecutedVersion"] == "2" and json.load(answer["Payload"])["says"] == 2


def test_get_function_through_an_alias(aws, orders, alias):
    configuration = aws.get_function_configuration(FunctionName=orders, Qualifier=alias)
    assert (configuration["FunctionArn"], configuration["Version"]) == (f"{ARN}{orders}:{alias}", "1")


def test_weights_draw_each_time(aws, orders, alias):
    """With 400 draws at 10 %, less than 14 or more than 72 happens once in a million runs."""
    aws.update_alias(FunctionName=orders, Name=alias, RoutingConfig={"AdditionalVersionWeights": {"2": 0.1}})
    count = {"1": 0, "2": 0}
    for _ in range(400):
        answer = aws.invoke(FunctionName=orders, Qualifier=alias)
        assert json.load(answer["Payload"])["says"] == int(answer["ExecutedVersion"])
        count[answer["ExecutedVersion"]] += 1
    assert 14 <= count["2"] <= 72, count


@pytest.mark.parametrize("weight, executed", [(0.0, "1"), (1.0, "2")])
def test_weights_at_the_ends(aws, orders, alias, weight, executed):
    answer = aws.update_alias(FunctionName=orders, Name=alias,
                              RoutingConfig={"AdditionalVersionWeights": {"2": weight}})
    assert answer["RoutingConfig"] == {"AdditionalVersionWeights": {"2": weight}}
    assert {aws.invoke(FunctionName=orders, Qualifier=alias)["ExecutedVersion"] for _ in range(10)} == {executed}


def test_both_versions_have_one_role(aws):
    name = functions.create(aws)["FunctionName"]
    aws.publish_version(FunctionName=name)
    aws.update_function_configuration(FunctionName=name, Role="arn:aws:iam::000000000000:role/another")
    aws.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.1})
    aws.publish_version(FunctionName=name)
    assert functions.refusal(aws.create_alias, FunctionName=name, Name="live", FunctionVersion="1",
                             RoutingConfig={"AdditionalVersionWeights": {"2": 0.1}}) == (
        400, "InvalidParameterValueException", "Function versions 1 and 2 must have the same execution role.")


def test_what_belongs_to_an_alias_goes_with_it(aws, orders):
    aws.create_alias(FunctionName=orders, Name="rich", FunctionVersion="1")
    aws.add_permission(FunctionName=orders, Qualifier="rich", StatementId="s", Action="lambda:InvokeFunction",
                       Principal="s3.amazonaws.com")
    aws.create_function_url_config(FunctionName=orders, Qualifier="rich", AuthType="NONE")
    aws.put_function_event_invoke_config(FunctionName=orders, Qualifier="rich", MaximumRetryAttempts=1)
    aws.delete_alias(FunctionName=orders, Name="rich")
    aws.create_alias(FunctionName=orders, Name="rich", FunctionVersion="1")
    for operation in (aws.get_policy, aws.get_function_url_config, aws.get_function_event_invoke_config):
        assert functions.refusal(operation, FunctionName=orders, Qualifier="rich")[:2] == (
            404, "ResourceNotFoundException")
    aws.delete_alias(FunctionName=orders, Name="rich")


def test_aliases_outlive_a_restart(serve):
    server = serve.bare()
    aws = server.boto("lambda")
    name = functions.create(aws)["FunctionName"]
    aws.publish_version(FunctionName=name)
    made = aws.create_alias(FunctionName=name, Name="live", FunctionVersion="1", Description="d")
    server.kill9()
    server.start()
    aws = server.boto("lambda")
    assert without_metadata(aws.get_alias(FunctionName=name, Name="live")) == without_metadata(made)
    assert aws.invoke(FunctionName=name, Qualifier="live")["ExecutedVersion"] == "1"
