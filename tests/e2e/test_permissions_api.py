"""Resource policies of functions, versions and aliases."""

import json

import pytest

import functions

ARN = "arn:aws:lambda:us-east-1:000000000000:function:"
REVISION_TEXT = ("The Revision Id provided does not match the latest Revision Id. Call the GetPolicy API to retrieve the "
                 "latest Revision Id")
NONE_THERE = (404, "ResourceNotFoundException", "The resource you requested does not exist.")


@pytest.fixture(scope="module")
def aws(bare):
    return bare.boto("lambda")


@pytest.fixture(scope="module")
def orders(aws):
    """A function with version 1 and alias live."""
    name = functions.create(aws)["FunctionName"]
    aws.publish_version(FunctionName=name)
    aws.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    return name


@pytest.fixture(autouse=True)
def clean(aws, orders):
    yield
    for qualifier in ({}, {"Qualifier": "1"}, {"Qualifier": "live"}):
        for statement in statements(aws, orders, **qualifier):
            aws.remove_permission(FunctionName=orders, StatementId=statement["Sid"], **qualifier)


def statements(aws, name, **qualifier):
    try:
        return json.loads(aws.get_policy(FunctionName=name, **qualifier)["Policy"])["Statement"]
    except aws.exceptions.ResourceNotFoundException:
        return []


def add(aws, name, **members):
    request = {"FunctionName": name, "StatementId": "s3", "Action": "lambda:InvokeFunction",
               "Principal": "s3.amazonaws.com"} | members
    return aws.add_permission(**request)


def refused(aws, name, **members):
    return functions.refusal(lambda **given: add(aws, name, **given), **members)


def test_a_statement(aws, orders):
    answer = add(aws, orders, SourceArn="arn:aws:s3:::bucket", SourceAccount="111122223333")
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 201
    expected = {"Sid": "s3", "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"},
                "Action": "lambda:InvokeFunction", "Resource": ARN + orders,
                "Condition": {"StringEquals": {"AWS:SourceAccount": "111122223333"},
                              "ArnLike": {"AWS:SourceArn": "arn:aws:s3:::bucket"}}}
    assert json.loads(answer["Statement"]) == expected
    assert list(json.loads(answer["Statement"])) == list(expected)
    policy = aws.get_policy(FunctionName=orders)
    assert json.loads(policy["Policy"]) == {"Version": "2012-10-17", "Id": "default", "Statement": [expected]}
    assert policy["RevisionId"]
    assert json.loads(aws.get_policy(FunctionName=ARN + orders)["Policy"]) == json.loads(policy["Policy"])


@pytest.mark.parametrize("given, principal", [
    ("*", "*"),
    ("111122223333", {"AWS": "arn:aws:iam::111122223333:root"}),
    ("arn:aws:iam::111122223333:role/r", {"AWS": "arn:aws:iam::111122223333:role/r"}),
    ("events.amazonaws.com", {"Service": "events.amazonaws.com"}),
])
def test_principals(aws, orders, given, principal):
    statement = json.loads(add(aws, orders, Principal=given)["Statement"])
    assert statement == {"Sid": "s3", "Effect": "Allow", "Principal": principal, "Action": "lambda:InvokeFunction",
                         "Resource": ARN + orders}


@pytest.mark.parametrize("members, condition", [
    ({"PrincipalOrgID": "o-1234567890", "Principal": "*"}, {"StringEquals": {"aws:PrincipalOrgID": "o-1234567890"}}),
    ({"EventSourceToken": "token.1", "Principal": "alexa-appkit.amazon.com"},
     {"StringEquals": {"lambda:EventSourceToken": "token.1"}}),
    ({"Action": "lambda:InvokeFunctionUrl", "Principal": "*", "FunctionUrlAuthType": "NONE"},
     {"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}}),
    ({"Principal": "*", "InvokedViaFunctionUrl": True}, {"Bool": {"lambda:InvokedViaFunctionUrl": "true"}}),
])
def test_conditions(aws, orders, members, condition):
    assert json.loads(add(aws, orders, **members)["Statement"])["Condition"] == condition


def test_each_qualifier_has_a_policy_of_its_own(aws, orders):
    for qualifier in ("1", "live"):
        statement = json.loads(add(aws, orders, Qualifier=qualifier)["Statement"])
        assert statement["Resource"] == f"{ARN}{orders}:{qualifier}"
    assert functions.refusal(aws.get_policy, FunctionName=orders) == NONE_THERE
    assert [item["Resource"] for item in statements(aws, f"{orders}:live")] == [f"{ARN}{orders}:live"]
    add(aws, orders)
    assert [item["Resource"] for item in statements(aws, orders)] == [ARN + orders]
    aws.remove_permission(FunctionName=orders, StatementId="s3", Qualifier="live")
    assert functions.refusal(aws.get_policy, FunctionName=orders, Qualifier="live") == NONE_THERE
    assert len(statements(aws, orders, Qualifier="1")) == 1


def test_several_statements_keep_their_order(aws, orders):
    for sid in ("c", "a", "b"):
        add(aws, orders, StatementId=sid)
    assert [item["Sid"] for item in statements(aws, orders)] == ["c", "a", "b"]
    answer = aws.remove_permission(FunctionName=orders, StatementId="a")
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert [item["Sid"] for item in statements(aws, orders)] == ["c", "b"]


def test_mistakes_of_add(aws, orders):
    add(aws, orders)
    assert refused(aws, orders) == (
        409, "ResourceConflictException",
        "The statement id (s3) provided already exists. Please provide a new statement id, or remove the existing statement.")
    assert refused(aws, orders, Qualifier="$LATEST") == (
        400, "InvalidParameterValueException", "We currently do not support adding policies for $LATEST.")
    assert refused(aws, orders, StatementId="x", Principal="invalid.nonaws.com") == (
        400, "InvalidParameterValueException",
        "The provided principal was invalid. Please check the principal and try again.")
    assert refused(aws, orders, StatementId="x", FunctionUrlAuthType="NONE")[:2] == (
        400, "InvalidParameterValueException")
    assert refused(aws, "none") == (404, "ResourceNotFoundException", f"Function not found: {ARN}none")
    assert refused(aws, orders, Qualifier="7") == (404, "ResourceNotFoundException", f"Function not found: {ARN}{orders}:7")
    assert refused(aws, orders, Qualifier="none") == (
        404, "ResourceNotFoundException", f"Cannot find alias arn: {ARN}{orders}:none")
    assert refused(aws, orders, StatementId="a b")[1] == "ValidationException"
    assert refused(aws, orders, StatementId="x", Action="s3:GetObject")[1] == "ValidationException"
    assert refused(aws, orders, StatementId="x", SourceAccount="12")[1] == "ValidationException"
    assert [item["Sid"] for item in statements(aws, orders)] == ["s3"]


def test_mistakes_of_get_and_remove(aws, orders):
    assert functions.refusal(aws.get_policy, FunctionName=orders) == NONE_THERE
    assert functions.refusal(aws.get_policy, FunctionName="none") == NONE_THERE

    def remove(name, **members):
        return functions.refusal(aws.remove_permission, FunctionName=name, **({"StatementId": "s"} | members))
    assert remove(orders) == (404, "ResourceNotFoundException", "No policy is associated with the given resource.")
    assert remove("none") == (404, "ResourceNotFoundException", f"No policy found for: {ARN}none")
    add(aws, orders)
    assert remove(orders, StatementId="X") == (
        404, "ResourceNotFoundException", "Statement X is not found in resource policy.")
    assert remove(orders, Qualifier="none") == (
        404, "ResourceNotFoundException", f"Cannot find alias arn: {ARN}{orders}:none")


def test_revisions(aws, orders):
    first = aws.get_function_configuration(FunctionName=orders)["RevisionId"]
    add(aws, orders, RevisionId=first)
    assert aws.get_function_configuration(FunctionName=orders)["RevisionId"] != first
    policy = aws.get_policy(FunctionName=orders)["RevisionId"]
    assert refused(aws, orders, StatementId="b", RevisionId=first) == (412, "PreconditionFailedException", REVISION_TEXT)
    add(aws, orders, StatementId="b", RevisionId=policy)
    assert functions.refusal(aws.remove_permission, FunctionName=orders, StatementId="b", RevisionId=policy) == (
        412, "PreconditionFailedException", REVISION_TEXT)
    aws.remove_permission(FunctionName=orders, StatementId="b",
                          RevisionId=aws.get_policy(FunctionName=orders)["RevisionId"])


def test_revisions_of_versions_and_aliases(aws, orders):
    version = aws.get_function_configuration(FunctionName=orders, Qualifier="1")["RevisionId"]
    alias = aws.get_alias(FunctionName=orders, Name="live")["RevisionId"]
    latest = aws.get_function_configuration(FunctionName=orders)["RevisionId"]
    add(aws, orders, Qualifier="1", RevisionId=version)
    add(aws, orders, Qualifier="live", RevisionId=alias)
    assert aws.get_function_configuration(FunctionName=orders, Qualifier="1")["RevisionId"] != version
    assert aws.get_alias(FunctionName=orders, Name="live")["RevisionId"] != alias
    assert aws.get_function_configuration(FunctionName=orders)["RevisionId"] == latest
    assert aws.invoke(FunctionName=orders, Qualifier="live")["ExecutedVersion"] == "1"


def test_a_policy_that_grows_too_large(aws, orders):
    arn = "arn:aws:s3:::" + "b" * 4000
    for number in range(4):
        add(aws, orders, StatementId=f"n{number}", SourceArn=arn)
    status, code, message = refused(aws, orders, StatementId="n4", SourceArn=arn)
    assert (status, code) == (400, "PolicyLengthExceededException")
    assert message.startswith("The final policy size (2") and message.endswith(") is bigger than the limit (20480).")
    assert len(statements(aws, orders)) == 4


def test_a_policy_is_not_published_with_a_version(aws, orders):
    name = functions.create(aws)["FunctionName"]
    add(aws, name)
    aws.publish_version(FunctionName=name)
    assert functions.refusal(aws.get_policy, FunctionName=name, Qualifier="1") == NONE_THERE


def test_policies_outlive_a_restart(serve):
    server = serve.bare()
    aws = server.boto("lambda")
    name = functions.create(aws)["FunctionName"]
    add(aws, name, SourceArn="arn:aws:s3:::bucket")
    policy = aws.get_policy(FunctionName=name)
    server.kill9()
    server.start()
    again = server.boto("lambda").get_policy(FunctionName=name)
    assert (again["Policy"], again["RevisionId"]) == (policy["Policy"], policy["RevisionId"])


TEMPLATE = """
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: declared
      Handler: index.handler
      Runtime: python3.12
      AutoPublishAlias: live
      InlineCode: "def handler(e, c): return 1"
"""
PERMISSIONS = """
  Plain:
    Type: AWS::Lambda::Permission
    Properties: {FunctionName: !GetAtt F.Arn, Action: lambda:InvokeFunction, Principal: s3.amazonaws.com,
                 SourceArn: "arn:aws:s3:::bucket", SourceAccount: !Ref AWS::AccountId}
  OfAlias:
    Type: AWS::Lambda::Permission
    Properties: {FunctionName: !Ref FAliaslive, Action: lambda:InvokeFunction, Principal: events.amazonaws.com}
"""


def test_permissions_of_the_template(serve, project):
    server = serve(project.template(TEMPLATE + PERMISSIONS))
    aws = server.boto("lambda")
    (statement,) = statements(aws, "declared")
    assert statement == {
        "Sid": statement["Sid"], "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "lambda:InvokeFunction", "Resource": f"{ARN}declared",
        "Condition": {"StringEquals": {"AWS:SourceAccount": "000000000000"},
                      "ArnLike": {"AWS:SourceArn": "arn:aws:s3:::bucket"}}}
    (of_alias,) = statements(aws, "declared", Qualifier="live")
    assert of_alias["Resource"] == f"{ARN}declared:live"
    add(aws, "declared")
    aws.remove_permission(FunctionName="declared", Qualifier="live", StatementId=of_alias["Sid"])
    server.restart()
    aws = server.boto("lambda")
    assert [item["Sid"] for item in statements(aws, "declared")] == [statement["Sid"], "s3"]
    assert statements(aws, "declared", Qualifier="live") == []
    project.template(TEMPLATE)
    server.restart()
    assert [item["Sid"] for item in statements(server.boto("lambda"), "declared")] == ["s3"]
