"""IAM and STS as Terraform and scripts around Lambda call them."""

import datetime
import json

import pytest

from functions import create, fresh_name, refusal

TRUST = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
ALLOW = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["logs:*"], "Resource": "*"}]}
BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"


@pytest.fixture(scope="module")
def iam(bare):
    return bare.boto("iam", config={"parameter_validation": False})


@pytest.fixture(scope="module")
def sts(bare):
    return bare.boto("sts", config={"parameter_validation": False})


def make_role(iam, **members):
    name = fresh_name("role")
    return iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST), **members)["Role"]


def test_role_life(iam):
    role = make_role(iam, Path="/team/", Description="says <what> & \"why\"", MaxSessionDuration=7200,
                     Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": ""}])
    name = role["RoleName"]
    assert role["Arn"] == f"arn:aws:iam::000000000000:role/team/{name}"
    assert role["RoleId"].startswith("AROA") and len(role["RoleId"]) == 21
    assert role["AssumeRolePolicyDocument"] == TRUST
    read = iam.get_role(RoleName=name)["Role"]
    assert read["Description"] == "says <what> & \"why\""
    assert read["MaxSessionDuration"] == 7200
    assert read["Path"] == "/team/"
    assert read["Tags"] == [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": ""}]
    assert read["CreateDate"] == role["CreateDate"]
    assert abs(read["CreateDate"] - datetime.datetime.now(datetime.timezone.utc)) < datetime.timedelta(minutes=1)

    iam.update_role(RoleName=name, Description="new", MaxSessionDuration=3600)
    trust = dict(TRUST, Statement=[dict(TRUST["Statement"][0], Principal={"Service": "edgelambda.amazonaws.com"})])
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(trust))
    iam.tag_role(RoleName=name, Tags=[{"Key": "b", "Value": "2"}, {"Key": "c", "Value": "3"}])
    iam.untag_role(RoleName=name, TagKeys=["a", "none"])
    read = iam.get_role(RoleName=name)["Role"]
    assert read["Description"] == "new" and read["MaxSessionDuration"] == 3600
    assert read["AssumeRolePolicyDocument"] == trust
    assert read["Tags"] == [{"Key": "b", "Value": "2"}, {"Key": "c", "Value": "3"}]
    assert iam.list_role_tags(RoleName=name)["Tags"] == read["Tags"]
    assert iam.list_instance_profiles_for_role(RoleName=name)["InstanceProfiles"] == []

    iam.delete_role(RoleName=name)
    assert refusal(iam.get_role, RoleName=name) == (
        404, "NoSuchEntity", f"The role with name {name} cannot be found.")
    assert refusal(iam.delete_role, RoleName=name)[1] == "NoSuchEntity"


def test_policies_of_a_role(iam):
    name = make_role(iam)["RoleName"]
    iam.put_role_policy(RoleName=name, PolicyName="logs", PolicyDocument=json.dumps(ALLOW))
    iam.attach_role_policy(RoleName=name, PolicyArn=BASIC)
    iam.attach_role_policy(RoleName=name, PolicyArn=BASIC)
    assert iam.list_role_policies(RoleName=name)["PolicyNames"] == ["logs"]
    read = iam.get_role_policy(RoleName=name, PolicyName="logs")
    assert (read["RoleName"], read["PolicyName"], read["PolicyDocument"]) == (name, "logs", ALLOW)
    assert iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"] == [
        {"PolicyName": "AWSLambdaBasicExecutionRole", "PolicyArn": BASIC}]
    assert refusal(iam.delete_role, RoleName=name) == (
        409, "DeleteConflict", "Cannot delete entity, must detach all policies first.")
    iam.detach_role_policy(RoleName=name, PolicyArn=BASIC)
    assert refusal(iam.detach_role_policy, RoleName=name, PolicyArn=BASIC) == (
        404, "NoSuchEntity", f"Policy {BASIC} was not found.")
    assert refusal(iam.delete_role, RoleName=name) == (
        409, "DeleteConflict", "Cannot delete entity, must delete policies first.")
    iam.delete_role_policy(RoleName=name, PolicyName="logs")
    assert refusal(iam.get_role_policy, RoleName=name, PolicyName="logs") == (
        404, "NoSuchEntity", "The role policy with name logs cannot be found.")
    assert refusal(iam.delete_role_policy, RoleName=name, PolicyName="logs")[1] == "NoSuchEntity"
    iam.delete_role(RoleName=name)


def test_managed_policy_life(iam):
    name = fresh_name("policy")
    policy = iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(ALLOW), Description="d",
                               Tags=[{"Key": "k", "Value": "v"}])["Policy"]
    arn = policy["Arn"]
    assert arn == f"arn:aws:iam::000000000000:policy/{name}"
    assert policy["DefaultVersionId"] == "v1" and policy["AttachmentCount"] == 0
    assert refusal(iam.create_policy, PolicyName=name, PolicyDocument=json.dumps(ALLOW)) == (
        409, "EntityAlreadyExists", f"A policy called {name} already exists. Duplicate names are not allowed.")
    version = iam.get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"]
    assert version["Document"] == ALLOW and version["IsDefaultVersion"] is True

    other = dict(ALLOW, Statement=[dict(ALLOW["Statement"][0], Action="s3:*")])
    made = iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(other), SetAsDefault=True)
    assert made["PolicyVersion"]["VersionId"] == "v2" and made["PolicyVersion"]["IsDefaultVersion"]
    assert [(v["VersionId"], v["IsDefaultVersion"]) for v in iam.list_policy_versions(PolicyArn=arn)["Versions"]] == [
        ("v2", True), ("v1", False)]
    assert refusal(iam.delete_policy, PolicyArn=arn)[1] == "DeleteConflict"
    assert refusal(iam.delete_policy_version, PolicyArn=arn, VersionId="v2")[1] == "DeleteConflict"
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v1")
    iam.delete_policy_version(PolicyArn=arn, VersionId="v2")

    role = make_role(iam)["RoleName"]
    iam.attach_role_policy(RoleName=role, PolicyArn=arn)
    assert iam.get_policy(PolicyArn=arn)["Policy"]["AttachmentCount"] == 1
    entities = iam.list_entities_for_policy(PolicyArn=arn)
    assert [found["RoleName"] for found in entities["PolicyRoles"]] == [role]
    assert refusal(iam.delete_policy, PolicyArn=arn) == (
        409, "DeleteConflict", "Cannot delete a policy attached to entities.")
    iam.detach_role_policy(RoleName=role, PolicyArn=arn)
    iam.delete_policy(PolicyArn=arn)
    iam.delete_role(RoleName=role)
    assert refusal(iam.get_policy, PolicyArn=arn) == (404, "NoSuchEntity", f"Policy {arn} was not found.")
    assert refusal(iam.attach_role_policy, RoleName=make_role(iam)["RoleName"], PolicyArn=arn) == (
        404, "NoSuchEntity", f"Policy {arn} does not exist or is not attachable.")


def test_policies_of_amazon_exist(iam):
    policy = iam.get_policy(PolicyArn=BASIC)["Policy"]
    assert policy["PolicyName"] == "AWSLambdaBasicExecutionRole" and policy["Path"] == "/service-role/"
    assert iam.get_policy_version(PolicyArn=BASIC, VersionId=policy["DefaultVersionId"])["PolicyVersion"]


def test_boundary(iam):
    name = make_role(iam, PermissionsBoundary=BASIC)["RoleName"]
    assert iam.get_role(RoleName=name)["Role"]["PermissionsBoundary"] == {
        "PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": BASIC}
    iam.delete_role_permissions_boundary(RoleName=name)
    assert "PermissionsBoundary" not in iam.get_role(RoleName=name)["Role"]


def test_lists_come_in_pages(iam):
    path = f"/{fresh_name('path')}/"
    names = sorted(make_role(iam, Path=path)["RoleName"] for _ in range(5))
    pages = list(iam.get_paginator("list_roles").paginate(PathPrefix=path, PaginationConfig={"PageSize": 2}))
    assert [len(page["Roles"]) for page in pages] == [2, 2, 1]
    assert [role["RoleName"] for page in pages for role in page["Roles"]] == names


@pytest.mark.parametrize("members, code, message", [
    ({"RoleName": "a b"}, "ValidationError",
     "1 validation error detected: Value 'a b' at 'roleName' failed to satisfy constraint: Member must satisfy "
     "regular expression pattern: [\\w+=,.@-]+"),
    ({"RoleName": "a" * 65}, "ValidationError",
     f"1 validation error detected: Value '{'a' * 65}' at 'roleName' failed to satisfy constraint: Member must have "
     "length less than or equal to 64"),
    ({"MaxSessionDuration": 60}, "ValidationError",
     "1 validation error detected: Value '60' at 'maxSessionDuration' failed to satisfy constraint: Member must have "
     "value greater than or equal to 3600"),
    ({"AssumeRolePolicyDocument": "{"}, "MalformedPolicyDocument", "This policy contains invalid Json"),
    ({"AssumeRolePolicyDocument": json.dumps(ALLOW)}, "MalformedPolicyDocument", "Has prohibited field Resource"),
    ({"Path": "team"}, "ValidationError",
     "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters "
     "and/or / characters."),
])
def test_roles_that_cannot_be(iam, members, code, message):
    request = {"RoleName": fresh_name(), "AssumeRolePolicyDocument": json.dumps(TRUST)} | members
    assert refusal(iam.create_role, **request) == (400, code, message)


@pytest.mark.parametrize("text", ["to be written", "{}"])
def test_placeholder_of_a_trust_policy(iam, text):
    name = fresh_name("role")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=text)
    assert iam.get_role(RoleName=name)["Role"]["Arn"].endswith(f":role/{name}")


def test_role_twice(iam):
    name = make_role(iam)["RoleName"]
    assert refusal(iam.create_role, RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST)) == (
        409, "EntityAlreadyExists", f"Role with name {name} already exists.")


def test_unknown_operation(bare):
    answer = bare.manage("POST", "/", [("Content-Type", "application/x-www-form-urlencoded")],
                         b"Action=Fly&Version=2010-05-08")
    assert answer.status == 400
    assert b"<Code>InvalidAction</Code><Message>Could not find operation Fly for version 2010-05-08</Message>" in answer.body


def test_roles_survive_a_restart(serve):
    server = serve.bare()
    iam = server.boto("iam")
    name = make_role(iam, Tags=[{"Key": "k", "Value": "v"}])["RoleName"]
    before = iam.get_role(RoleName=name)["Role"]
    server.kill9()
    server.start()
    assert server.boto("iam").get_role(RoleName=name)["Role"] == before


def test_role_and_function(bare, iam):
    role = make_role(iam)
    function = create(bare.boto(), Role=role["Arn"])
    assert function["Role"] == role["Arn"]


def test_caller_identity(sts):
    found = sts.get_caller_identity()
    assert (found["Account"], found["Arn"], found["UserId"]) == (
        "000000000000", "arn:aws:iam::000000000000:root", "000000000000")


def test_user(iam):
    assert iam.get_user()["User"]["Arn"] == "arn:aws:iam::000000000000:root"
    assert refusal(iam.get_user, UserName="jo") == (404, "NoSuchEntity", "The user with name jo cannot be found.")


def test_assumed_role(bare, sts):
    got = sts.assume_role(RoleArn="arn:aws:iam::123456789012:role/path/deployer", RoleSessionName="ci@build",
                          DurationSeconds=900)
    keys = got["Credentials"]
    assert keys["AccessKeyId"].startswith("ASIA") and len(keys["AccessKeyId"]) == 20
    assert len(keys["SecretAccessKey"]) == 40
    left = keys["Expiration"] - datetime.datetime.now(datetime.timezone.utc)
    assert datetime.timedelta(minutes=14) < left <= datetime.timedelta(minutes=15)
    assert got["AssumedRoleUser"]["Arn"] == "arn:aws:sts::123456789012:assumed-role/deployer/ci@build"
    session = bare.boto("sts", aws_access_key_id=keys["AccessKeyId"], aws_secret_access_key=keys["SecretAccessKey"],
                        aws_session_token=keys["SessionToken"])
    found = session.get_caller_identity()
    assert found["Arn"] == got["AssumedRoleUser"]["Arn"]
    assert found["UserId"] == got["AssumedRoleUser"]["AssumedRoleId"]
    assert found["Account"] == "123456789012"


@pytest.mark.parametrize("members, message", [
    ({"DurationSeconds": 899}, "1 validation error detected: Value '899' at 'durationSeconds' failed to satisfy "
     "constraint: Member must have value greater than or equal to 900"),
    ({"RoleSessionName": "a b"}, "1 validation error detected: Value 'a b' at 'roleSessionName' failed to satisfy "
     "constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*"),
    ({"RoleArn": "arn:aws:iam::123456789012:user/x"}, "arn:aws:iam::123456789012:user/x is invalid"),
])
def test_sessions_that_cannot_be(sts, members, message):
    request = {"RoleArn": "arn:aws:iam::123456789012:role/r", "RoleSessionName": "s1"} | members
    assert refusal(sts.assume_role, **request) == (400, "ValidationError", message)


def test_session_token(sts):
    assert sts.get_session_token()["Credentials"]["AccessKeyId"].startswith("ASIA")
