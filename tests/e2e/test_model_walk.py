"""Every operation, input member, enum value and bound of the Lambda API's own model.

A member that is accepted takes effect or is refused by a named error: each one is in SHOWN (it is read back), in REFUSED, or in the
@effect of a test here. A member that a newer model brings fails test_every_member_is_decided until somebody decides.
"""

import base64
import json
import re
import subprocess
import sys

import botocore.exceptions
import pytest

import model
from functions import ROLE, create, fresh_name, refusal, zip_of
from headgate import ROOT

ACCOUNT = "000000000000"
ARN = f"arn:aws:lambda:us-east-1:{ACCOUNT}"
NAMED = re.compile(r"[A-Z][A-Za-z]+Exception")


class World:
    def __init__(self, server, moto):
        self.server = server
        self.aws = server.boto("lambda")
        self.raw = server.boto("lambda", config={"parameter_validation": False})
        self.s3 = moto.client("s3")
        self.zip = zip_of({"index.py": "def handler(event, context):\n    return event\n"})
        self.s3.create_bucket(Bucket="walk")
        versioning = {"Status": "Enabled"}
        self.s3.put_bucket_versioning(Bucket="walk", VersioningConfiguration=versioning)
        self.old = self.s3.put_object(Bucket="walk", Key="code.zip", Body=zip_of({"index.py": "old = 1\n"}))["VersionId"]
        self.s3.put_object(Bucket="walk", Key="code.zip", Body=self.zip)
        self.layer = self.aws.publish_layer_version(
            LayerName=fresh_name("layer"), Content={"ZipFile": zip_of({"python/a.py": ""})})["LayerVersionArn"]
        self.name = self.function()
        self.runtime = self.aws.get_function_configuration(FunctionName=self.name)["RuntimeVersionConfig"]["RuntimeVersionArn"]
        self.aws.publish_version(FunctionName=self.name)
        self.aws.create_alias(FunctionName=self.name, Name="live", FunctionVersion="1")

    def function(self, **members):
        name = fresh_name()
        create(self.aws, name, **members)
        return name


@pytest.fixture(scope="module")
def world(serve_module, moto):
    return World(serve_module.bare(env={"AWS_ENDPOINT_URL_S3": moto.url, "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s"}), moto)


# Members whose value is read back, by operation: {member: value}, or (value, what else the call needs).

JSON_LOGS = {"LoggingConfig": {"LogFormat": "JSON"}}
SETTINGS = {
    "Runtime": "python3.13", "Role": f"arn:aws:iam::{ACCOUNT}:role/another", "Handler": "other.main", "Description": "words",
    "Timeout": 900, "MemorySize": 10240, "DeadLetterConfig.TargetArn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:dead",
    "VpcConfig.SubnetIds": ["subnet-1a"], "VpcConfig.SecurityGroupIds": (["sg-1a"], {"VpcConfig": {"SubnetIds": ["subnet-1a"]}}),
    "VpcConfig.Ipv6AllowedForDualStack": (True, {"VpcConfig": {"SubnetIds": ["subnet-1a"], "SecurityGroupIds": ["sg-1a"]}}),
    "Environment.Variables": {"AB": "c"}, "KMSKeyArn": f"arn:aws:kms:us-east-1:{ACCOUNT}:key/k", "TracingConfig.Mode": "Active",
    "EphemeralStorage.Size": 10240, "SnapStart.ApplyOn": "PublishedVersions", "LoggingConfig.LogFormat": "JSON",
    "LoggingConfig.ApplicationLogLevel": ("DEBUG", JSON_LOGS), "LoggingConfig.SystemLogLevel": ("WARN", JSON_LOGS),
    "LoggingConfig.LogGroup": "/my/group",
}
CORS = {"Cors.AllowCredentials": True, "Cors.AllowHeaders": ["x-a"], "Cors.AllowMethods": ["GET"], "Cors.AllowOrigins": ["*"],
        "Cors.ExposeHeaders": ["x-b"], "Cors.MaxAge": 86400}
QUEUE = {"EventSourceArn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:q"}
STREAM = {"EventSourceArn": f"arn:aws:kinesis:us-east-1:{ACCOUNT}:stream/s", "StartingPosition": "LATEST"}
MSK = {"EventSourceArn": f"arn:aws:kafka:us-east-1:{ACCOUNT}:cluster/c/u", "StartingPosition": "LATEST", "Topics": ["topic"]}
KAFKA = {"SelfManagedEventSource": {"Endpoints": {"KAFKA_BOOTSTRAP_SERVERS": ["a:1"]}}, "Topics": ["topic"],
         "SourceAccessConfigurations": [{"Type": "BASIC_AUTH", "URI": "arn:x"}]}
MQ = {"EventSourceArn": f"arn:aws:mq:us-east-1:{ACCOUNT}:broker:b:b-1", "Queues": ["q"],
      "SourceAccessConfigurations": [{"Type": "BASIC_AUTH", "URI": "arn:x"}]}
DOCUMENTS = {"EventSourceArn": f"arn:aws:rds:us-east-1:{ACCOUNT}:cluster:c", "StartingPosition": "LATEST"}
REGISTRY = {"SchemaRegistryURI": "https://r", "EventRecordFormat": "JSON", "AccessConfigs[].Type": "BASIC_AUTH",
            "AccessConfigs[].URI": f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:s", "SchemaValidationConfigs[].Attribute": "KEY"}
# Member → (value, the kind of source that takes it).
MAPPING = {
    "BatchSize": (7, QUEUE), "FilterCriteria.Filters[].Pattern": ('{"a":[1]}', QUEUE),
    "KMSKeyArn": (f"arn:aws:kms:us-east-1:{ACCOUNT}:key/k", QUEUE), "MetricsConfig.Metrics": (["EventCount"], QUEUE),
    "LoggingConfig.SystemLogLevel": ("DEBUG", MSK), "ScalingConfig.MaximumConcurrency": (2, QUEUE),
    "MaximumBatchingWindowInSeconds": (300, QUEUE), "ParallelizationFactor": (10, STREAM),
    "DestinationConfig.OnFailure.Destination": (f"arn:aws:sqs:us-east-1:{ACCOUNT}:d", STREAM),
    "MaximumRecordAgeInSeconds": (604800, STREAM), "BisectBatchOnFunctionError": (True, STREAM),
    "MaximumRetryAttempts": (10000, STREAM), "TumblingWindowInSeconds": (900, STREAM),
    "SourceAccessConfigurations[].Type": ("VPC_SUBNET", KAFKA), "SourceAccessConfigurations[].URI": ("subnet:s", KAFKA),
    "FunctionResponseTypes": (["ReportBatchItemFailures"], QUEUE),
    "SelfManagedKafkaEventSourceConfig.ConsumptionMode": ("Queue", KAFKA),
    **{f"AmazonManagedKafkaEventSourceConfig.SchemaRegistryConfig.{key}": (value, MSK) for key, value in REGISTRY.items()},
    **{f"SelfManagedKafkaEventSourceConfig.SchemaRegistryConfig.{key}": (value, KAFKA) for key, value in REGISTRY.items()},
    "DocumentDBEventSourceConfig.DatabaseName": ("db", DOCUMENTS), "DocumentDBEventSourceConfig.CollectionName": ("c", DOCUMENTS),
    "DocumentDBEventSourceConfig.FullDocument": ("UpdateLookup", DOCUMENTS),
    "ProvisionedPollerConfig.MinimumPollers": (5, QUEUE), "ProvisionedPollerConfig.MaximumPollers": (9, QUEUE),
    "ProvisionedPollerConfig.PollerGroupName": ("group", MSK),
}
MAPPING_ONCE = {
    "EventSourceArn": (QUEUE["EventSourceArn"], {}), "StartingPosition": ("LATEST", STREAM),
    "StartingPositionTimestamp": (1767322800, STREAM | {"StartingPosition": "AT_TIMESTAMP"}),
    "Topics": (["topic"], KAFKA), "Queues": (["q"], MQ),
    "SelfManagedEventSource.Endpoints": ({"KAFKA_BOOTSTRAP_SERVERS": ["a:1"]}, KAFKA),
    "AmazonManagedKafkaEventSourceConfig.ConsumerGroupId": ("g", MSK),
    "SelfManagedKafkaEventSourceConfig.ConsumerGroupId": ("g", KAFKA),
}
EVENT_CONFIG = {
    "MaximumRetryAttempts": 1, "MaximumEventAgeInSeconds": 21600,
    "DestinationConfig.OnSuccess.Destination": f"{ARN}:function:{{name}}",
    "DestinationConfig.OnFailure.Destination": f"{ARN}:function:{{name}}",
}
SHOWN = {
    "CreateFunction": SETTINGS | {"PackageType": "Zip", "Architectures": ["x86_64"]},
    "UpdateFunctionConfiguration": SETTINGS,
    "CreateAlias": {"FunctionVersion": "1", "Description": "words"},
    "UpdateAlias": {"FunctionVersion": "1", "Description": "words"},
    "CreateFunctionUrlConfig": CORS | {"AuthType": "AWS_IAM", "InvokeMode": "RESPONSE_STREAM"},
    "UpdateFunctionUrlConfig": CORS | {"AuthType": "AWS_IAM", "InvokeMode": "RESPONSE_STREAM"},
    "CreateEventSourceMapping": MAPPING | MAPPING_ONCE,
    "UpdateEventSourceMapping": MAPPING,
    "PublishLayerVersion": {"Description": "words", "CompatibleArchitectures": ["arm64", "x86_64"],
                            "CompatibleRuntimes": ["python3.12", "nodejs22.x"], "LicenseInfo": "MIT"},
    "PublishVersion": {"Description": "words"},
    "PutFunctionConcurrency": {"ReservedConcurrentExecutions": 3},
    "PutFunctionEventInvokeConfig": EVENT_CONFIG,
    "UpdateFunctionEventInvokeConfig": EVENT_CONFIG,
    "PutFunctionRecursionConfig": {"RecursiveLoop": "Allow"},
    "PutRuntimeManagementConfig": {
        "UpdateRuntimeOn": "FunctionUpdate",
        "RuntimeVersionArn": ("{runtime}", {"UpdateRuntimeOn": "Manual"})},
}

# Members that are refused by name: {member: (value, what else the call needs)}.
ACCESS_POINT = f"arn:aws:elasticfilesystem:us-east-1:{ACCOUNT}:access-point/fsap-" + "a" * 17
FILES = {"FileSystemConfigs": [{"Arn": ACCESS_POINT, "LocalMountPath": "/mnt/a"}]}
PROVIDER = {"CapacityProviderConfig": {"LambdaManagedInstancesCapacityProviderConfig": {
    "CapacityProviderArn": f"{ARN}:capacity-provider:p"}}}
RUNTIME_CONFIG = {"RuntimeConfig": {"RuntimeArn": f"{ARN}:runtime/some-runtime", "RuntimeAlias": "a"}}
REFUSED_SETTINGS = {
    "FileSystemConfigs[].Arn": (ACCESS_POINT, FILES), "FileSystemConfigs[].LocalMountPath": ("/mnt/a", FILES),
    "FileSystemConfigs[].S3FilesConfig.DirectS3Read": ("ENABLED", FILES),
    **{f"CapacityProviderConfig.LambdaManagedInstancesCapacityProviderConfig.{key}": (value, PROVIDER) for key, value in (
        ("CapacityProviderArn", f"{ARN}:capacity-provider:p"), ("PerExecutionEnvironmentMaxConcurrency", 2),
        ("ExecutionEnvironmentMemoryGiBPerVCpu", 2.0))},
    "DurableConfig.KMSKeyArn": (f"arn:aws:kms:us-east-1:{ACCOUNT}:key/k", {}), "DurableConfig.RetentionPeriodInDays": (1, {}),
    "DurableConfig.ExecutionTimeout": (60, {}),
    "RuntimeConfig.RuntimeArn": (f"{ARN}:runtime/some-runtime", RUNTIME_CONFIG), "RuntimeConfig.RuntimeAlias": ("a", RUNTIME_CONFIG),
    "AcceleratorConfig.AcceleratorMemorySize": (1, {}),
    "ImageConfig.EntryPoint": (["/a"], {}), "ImageConfig.Command": (["a"], {}), "ImageConfig.WorkingDirectory": ("/a", {}),
}
IMAGE = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/a:b"
KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/k"
REFUSED = {
    "CreateFunction": REFUSED_SETTINGS | {
        "PublishTo": ("LATEST_PUBLISHED", {}), "TenancyConfig.TenantIsolationMode": ("PER_TENANT", {}),
        "Code.ImageUri": (IMAGE, {"PackageType": "Image"}), "Code.SourceKMSKeyArn": (KEY, {}),
        "Code.S3ObjectStorageMode": ("REFERENCE", {}),
        "CodeSigningConfigArn": (f"{ARN}:code-signing-config:csc-" + "a" * 17, {})},
    "UpdateFunctionConfiguration": REFUSED_SETTINGS,
    "UpdateFunctionCode": {"PublishTo": ("LATEST_PUBLISHED", {}), "ImageUri": (IMAGE, {}), "SourceKMSKeyArn": (KEY, {}),
                           "S3ObjectStorageMode": ("REFERENCE", {})},
    "PublishVersion": {"PublishTo": ("LATEST_PUBLISHED", {})},
    "PublishLayerVersion": {"Content.S3ObjectStorageMode": ("REFERENCE", {})},
    "CreateEventSourceMapping": {"DestinationConfig.OnSuccess.Destination": (f"arn:aws:sqs:us-east-1:{ACCOUNT}:d", STREAM)},
    "UpdateEventSourceMapping": {
        "DestinationConfig.OnSuccess.Destination": (f"arn:aws:sqs:us-east-1:{ACCOUNT}:d", STREAM),
        "AmazonManagedKafkaEventSourceConfig.ConsumerGroupId": ("g", MSK),
        "SelfManagedKafkaEventSourceConfig.ConsumerGroupId": ("g", KAFKA)},
    "Invoke": {"TenantId": ("t", {}), "DurableExecutionName": ("d", {})},
    "InvokeWithResponseStream": {"TenantId": ("t", {})},
}


def value_and_rest(entry):
    return entry if isinstance(entry, tuple) else (entry, {})


def cases(table):
    return [pytest.param(operation, member, *value_and_rest(entry), id=f"{operation}-{member}")
            for operation, entries in table.items() for member, entry in entries.items()]


def start(world, operation, rest):
    """What the operation needs besides the member in question: the call's other arguments."""
    if operation == "CreateFunction":
        return {"FunctionName": fresh_name(), "Role": ROLE, "Runtime": "python3.12", "Handler": "index.handler",
                "Code": {"ZipFile": world.zip}}
    if operation == "PublishLayerVersion":
        return {"LayerName": fresh_name("layer"), "Content": {"ZipFile": world.zip}}
    if operation == "UpdateEventSourceMapping":
        made = world.aws.create_event_source_mapping(FunctionName=world.function(), **rest)
        return {"UUID": made["UUID"]}
    if operation in ("Invoke", "InvokeWithResponseStream"):
        return {"FunctionName": world.name}
    name = world.function()
    if operation == "UpdateFunctionEventInvokeConfig":
        world.aws.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=2)
    if operation == "UpdateFunctionUrlConfig":
        world.aws.create_function_url_config(FunctionName=name, AuthType="NONE")
    if operation in ("CreateAlias", "UpdateAlias"):
        world.aws.publish_version(FunctionName=name)
        if operation == "UpdateAlias":
            world.aws.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
        return {"FunctionName": name, "Name": "live"} | ({"FunctionVersion": "1"} if operation == "CreateAlias" else {})
    needs = {"CreateFunctionUrlConfig": {"AuthType": "NONE"}, "UpdateFunctionCode": {"ZipFile": world.zip}}
    return {"FunctionName": name} | needs.get(operation, {})


def read_back(world, operation, request, answer):
    """The matching read."""
    aws, name = world.aws, request.get("FunctionName")
    if operation in ("CreateFunction", "UpdateFunctionConfiguration"):
        return aws.get_function_configuration(FunctionName=name)
    if operation == "PublishVersion":
        return aws.get_function_configuration(FunctionName=name, Qualifier=answer["Version"])
    if operation == "PublishLayerVersion":
        return aws.get_layer_version(LayerName=request["LayerName"], VersionNumber=answer["Version"])
    if operation in ("CreateAlias", "UpdateAlias"):
        return aws.get_alias(FunctionName=name, Name="live")
    if "EventSourceMapping" in operation:
        return aws.get_event_source_mapping(UUID=answer["UUID"])
    reads = {"UrlConfig": aws.get_function_url_config, "Concurrency": aws.get_function_concurrency,
             "EventInvokeConfig": aws.get_function_event_invoke_config, "Recursion": aws.get_function_recursion_config,
             "RuntimeManagement": aws.get_runtime_management_config}
    [read] = [call for part, call in reads.items() if part in operation]
    return read(FunctionName=name)


@pytest.mark.parametrize("operation, member, value, rest", cases(SHOWN))
def test_member_is_shown(world, operation, member, value, rest):
    request = start(world, operation, rest)
    if isinstance(value, str):
        value = value.replace("{name}", world.name).replace("{runtime}", world.runtime)
    if operation == "CreateEventSourceMapping":
        request = {"FunctionName": request["FunctionName"]}
    if operation != "UpdateEventSourceMapping":
        request = model.merged(request, rest)
    elif "." in member and member.endswith((".Type", ".URI")):
        request = model.merged(request, {key: rest[key] for key in rest if key == member.split("[]")[0]})
    request = model.merged(request, model.nested(member, value))
    answer = getattr(world.raw, model.method_of(operation))(**request)
    shown = model.dig(read_back(world, operation, request, answer), member)
    if hasattr(shown, "timestamp"):
        shown = shown.timestamp()
    assert (sorted(shown) if isinstance(shown, list) else shown) == (sorted(value) if isinstance(value, list) else value)


@pytest.mark.parametrize("operation, member, value, rest", cases(REFUSED))
def test_member_is_refused(world, operation, member, value, rest):
    request = start(world, operation, rest)
    if operation == "CreateEventSourceMapping":
        request = {"FunctionName": request["FunctionName"]}
    if operation != "UpdateEventSourceMapping":
        request = model.merged(request, rest)
    if member == "Code.ImageUri":
        request["Code"] = {}
    if member == "ImageUri":
        del request["ZipFile"]
    request = model.merged(request, model.nested(member, value))
    status, code, message = refusal(getattr(world.raw, model.method_of(operation)), **request)
    assert status in (400, 404), message
    assert NAMED.fullmatch(code) and code not in ("ValidationException", "SerializationException")
    assert message
    if operation == "CreateFunction":
        assert refusal(world.aws.get_function, FunctionName=request["FunctionName"])[0] == 404


# Members whose effect is something else than to be read back under their own name.

EFFECTS = {}


def effect(operation, *members):
    def note(test):
        EFFECTS.setdefault(operation, set()).update(members)
        return test
    return note


READS = {"GetFunction": {}, "GetFunctionConfiguration": {}, "GetFunctionConcurrency": {}, "GetFunctionRecursionConfig": {},
         "GetRuntimeManagementConfig": {}, "ListVersionsByFunction": {}, "ListAliases": {}, "ListFunctionUrlConfigs": {},
         "ListProvisionedConcurrencyConfigs": {}, "ListFunctionEventInvokeConfigs": {}, "GetPolicy": {},
         "DeleteFunctionConcurrency": {}, "DeleteFunctionUrlConfig": {}, "DeleteFunctionEventInvokeConfig": {},
         "DeleteFunction": {}, "GetFunctionUrlConfig": {}, "GetFunctionEventInvokeConfig": {}, "UpdateFunctionCode": {},
         "UpdateFunctionConfiguration": {}, "PublishVersion": {}, "CreateFunctionUrlConfig": {"AuthType": "NONE"},
         "UpdateFunctionUrlConfig": {}, "PutFunctionConcurrency": {"ReservedConcurrentExecutions": 1},
         "PutFunctionRecursionConfig": {"RecursiveLoop": "Allow"}, "PutRuntimeManagementConfig": {"UpdateRuntimeOn": "Auto"},
         "PutFunctionEventInvokeConfig": {"MaximumRetryAttempts": 1}, "UpdateFunctionEventInvokeConfig": {"MaximumRetryAttempts": 1},
         "CreateAlias": {"Name": "a", "FunctionVersion": "1"}, "UpdateAlias": {"Name": "a"}, "GetAlias": {"Name": "a"},
         "AddPermission": {"StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "*"},
         "RemovePermission": {"StatementId": "s"}, "Invoke": {}, "InvokeAsync": {"InvokeArgs": b"{}"}, "InvokeWithResponseStream": {},
         "CreateEventSourceMapping": QUEUE,
         "PutProvisionedConcurrencyConfig": {"Qualifier": "1", "ProvisionedConcurrentExecutions": 1},
         "GetProvisionedConcurrencyConfig": {"Qualifier": "1"}, "DeleteProvisionedConcurrencyConfig": {"Qualifier": "1"}}
for _operation in READS:
    effect(_operation, "FunctionName")(None)


@pytest.mark.parametrize("operation", READS)
def test_function_name(world, operation):
    """A name that nobody has, one of another region, and one that is none: each is told as such."""
    call = getattr(world.raw, model.method_of(operation))
    rest = READS[operation]
    missing = refusal(call, FunctionName="absent-function", **rest)
    assert missing[1] in ("ResourceNotFoundException", "ProvisionedConcurrencyConfigNotFoundException",
                          "InvalidParameterValueException")
    elsewhere = refusal(call, FunctionName="arn:aws:lambda:eu-west-1:000000000000:function:f", **rest)
    if operation != "UpdateFunctionCode":
        assert elsewhere[:2] == (404, "ResourceNotFoundException")
        assert "eu-west-1" in elsewhere[2]
    assert refusal(call, FunctionName="not a name", **rest)[:2] == (400, "ValidationException")


QUALIFIED = {"GetFunction": {}, "GetFunctionConfiguration": {}, "Invoke": {}, "InvokeWithResponseStream": {}, "DeleteFunction": {},
             "GetRuntimeManagementConfig": {}, "GetPolicy": {}, "GetFunctionUrlConfig": {}, "GetFunctionEventInvokeConfig": {},
             "DeleteFunctionUrlConfig": {}, "DeleteFunctionEventInvokeConfig": {}, "CreateFunctionUrlConfig": {"AuthType": "NONE"},
             "UpdateFunctionUrlConfig": {}, "PutRuntimeManagementConfig": {"UpdateRuntimeOn": "Auto"},
             "PutFunctionEventInvokeConfig": {"MaximumRetryAttempts": 1}, "UpdateFunctionEventInvokeConfig": {"MaximumRetryAttempts": 1},
             "AddPermission": {"StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "*"},
             "RemovePermission": {"StatementId": "s"}, "GetProvisionedConcurrencyConfig": {}, "DeleteProvisionedConcurrencyConfig": {},
             "PutProvisionedConcurrencyConfig": {"ProvisionedConcurrentExecutions": 1}}
for _operation in QUALIFIED:
    effect(_operation, "Qualifier")(None)


@pytest.mark.parametrize("operation", QUALIFIED)
def test_qualifier(world, operation):
    """An alias that is not there is missed, and two qualifiers that differ are refused."""
    call = getattr(world.raw, model.method_of(operation))
    status, code, message = refusal(call, FunctionName=world.name, Qualifier="nobody", **QUALIFIED[operation])
    assert status in (400, 404), message
    assert code in ("ResourceNotFoundException", "ProvisionedConcurrencyConfigNotFoundException", "InvalidParameterValueException")
    name = f"{world.name}:live"
    assert refusal(call, FunctionName=name, Qualifier="other", **QUALIFIED[operation]) == (
        400, "InvalidParameterValueException",
        "The derived qualifier from the function name does not match the specified qualifier.")


@effect("CreateFunction", "Code.ZipFile", "Code.S3Bucket", "Code.S3Key", "Code.S3ObjectVersion")
@effect("UpdateFunctionCode", "ZipFile", "S3Bucket", "S3Key", "S3ObjectVersion")
@effect("PublishLayerVersion", "Content.ZipFile", "Content.S3Bucket", "Content.S3Key", "Content.S3ObjectVersion")
def test_code(world):
    request = start(world, "CreateFunction", {})
    sent = world.aws.create_function(**request)["CodeSha256"]
    fetch = {"S3Bucket": "walk", "S3Key": "code.zip"}
    older = fetch | {"S3ObjectVersion": world.old}
    for code, is_same in ((fetch, True), (older, False)):
        made = world.aws.create_function(**request | {"FunctionName": fresh_name(), "Code": code})
        assert (made["CodeSha256"] == sent) == is_same
        updated = world.aws.update_function_code(FunctionName=request["FunctionName"], **code)
        assert (updated["CodeSha256"] == sent) == is_same
        layer = world.aws.publish_layer_version(LayerName=fresh_name("layer"), Content=code)
        assert (layer["Content"]["CodeSha256"] == sent) == is_same
    assert world.aws.update_function_code(FunctionName=request["FunctionName"], ZipFile=world.zip)["CodeSha256"] == sent
    nowhere = {"S3Bucket": "walk", "S3Key": "nothing.zip"}
    assert "NoSuchKey" in refusal(world.aws.update_function_code, FunctionName=request["FunctionName"], **nowhere)[2]


@effect("CreateFunction", "FunctionName", "Publish", "Tags", "Layers")
def test_create_function(world):
    request = start(world, "CreateFunction", {})
    made = world.aws.create_function(**request, Publish=True, Tags={"k": "v"}, Layers=[world.layer])
    assert (made["FunctionName"], made["Version"]) == (request["FunctionName"], "1")
    assert made["Layers"][0]["Arn"] == world.layer
    assert world.aws.get_function(FunctionName=request["FunctionName"])["Tags"] == {"k": "v"}


@effect("UpdateFunctionConfiguration", "Layers", "RevisionId")
@effect("UpdateFunctionCode", "Publish", "DryRun", "RevisionId", "Architectures")
@effect("PublishVersion", "CodeSha256", "RevisionId")
def test_updates(world):
    name = world.function()
    assert world.aws.update_function_configuration(FunctionName=name, Layers=[world.layer])["Layers"][0]["Arn"] == world.layer
    other = "00000000-0000-4000-8000-000000000000"
    for call, rest in ((world.aws.update_function_configuration, {}), (world.aws.update_function_code, {"ZipFile": world.zip}),
                       (world.aws.publish_version, {})):
        assert refusal(call, FunctionName=name, RevisionId=other, **rest)[:2] == (412, "PreconditionFailedException")
    fresh = zip_of({"index.py": "def handler(event, context):\n    return 7\n"})
    before = world.aws.get_function_configuration(FunctionName=name)["CodeSha256"]
    would_be = world.aws.update_function_code(FunctionName=name, ZipFile=fresh, DryRun=True)["CodeSha256"]
    assert world.aws.get_function_configuration(FunctionName=name)["CodeSha256"] == before != would_be
    updated = world.aws.update_function_code(FunctionName=name, ZipFile=fresh, Publish=True, Architectures=["x86_64"])
    assert (updated["Version"], updated["CodeSha256"], updated["Architectures"]) == ("1", would_be, ["x86_64"])
    assert refusal(world.aws.publish_version, FunctionName=name, CodeSha256=before)[:2] == (400, "InvalidParameterValueException")


@effect("CreateAlias", "Name", "RoutingConfig.AdditionalVersionWeights")
@effect("UpdateAlias", "Name", "RoutingConfig.AdditionalVersionWeights", "RevisionId")
@effect("GetAlias", "Name")
@effect("DeleteAlias", "FunctionName", "Name")
def test_aliases(world):
    name = world.function()
    world.aws.publish_version(FunctionName=name)
    world.aws.update_function_configuration(FunctionName=name, Timeout=9)
    world.aws.publish_version(FunctionName=name)
    routing = {"AdditionalVersionWeights": {"2": 0.25}}
    assert world.aws.create_alias(FunctionName=name, Name="a", FunctionVersion="1", RoutingConfig=routing)["RoutingConfig"] == routing
    routing = {"AdditionalVersionWeights": {"2": 0.5}}
    assert world.aws.update_alias(FunctionName=name, Name="a", RoutingConfig=routing)["RoutingConfig"] == routing
    assert refusal(world.aws.update_alias, FunctionName=name, Name="a", RevisionId="00000000-0000-4000-8000-000000000000")[0] == 412
    assert world.aws.get_alias(FunctionName=name, Name="a")["RoutingConfig"] == routing
    world.aws.delete_alias(FunctionName=name, Name="a")
    assert refusal(world.aws.get_alias, FunctionName=name, Name="a")[0] == 404


@effect("AddPermission", "StatementId", "Action", "Principal", "SourceArn", "FunctionUrlAuthType", "InvokedViaFunctionUrl",
        "SourceAccount", "EventSourceToken", "RevisionId", "PrincipalOrgID")
@effect("RemovePermission", "StatementId", "RevisionId")
def test_permissions(world):
    name = world.function()
    other = "00000000-0000-4000-8000-000000000000"
    plain = {"FunctionName": name, "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com"}

    def statement(**members):
        sid = fresh_name("s")
        return json.loads(world.aws.add_permission(**plain | members, StatementId=sid)["Statement"]) | {"Sid": sid}
    conditions = {"SourceArn": "arn:aws:s3:::bucket", "SourceAccount": "111122223333", "EventSourceToken": "token",
                  "PrincipalOrgID": "o-aaaaaaaaaa"}
    for member, value in conditions.items():
        assert value in json.dumps(statement(**{member: value}).get("Condition"))
    url = {"Action": "lambda:InvokeFunctionUrl", "Principal": "*"}
    assert "NONE" in json.dumps(statement(**url, FunctionUrlAuthType="NONE")["Condition"])
    assert "true" in json.dumps(statement(Principal="*", InvokedViaFunctionUrl=True)["Condition"])
    last = statement(Action="lambda:*")
    assert last["Action"] == "lambda:*"
    assert refusal(world.aws.add_permission, **plain, StatementId="x", RevisionId=other)[0] == 412
    assert refusal(world.aws.remove_permission, FunctionName=name, StatementId=last["Sid"], RevisionId=other)[0] == 412
    world.aws.remove_permission(FunctionName=name, StatementId=last["Sid"])
    assert last["Sid"] not in world.aws.get_policy(FunctionName=name)["Policy"]


@effect("AddLayerVersionPermission", "LayerName", "VersionNumber", "StatementId", "Action", "Principal", "OrganizationId", "RevisionId")
@effect("GetLayerVersionPolicy", "LayerName", "VersionNumber")
@effect("RemoveLayerVersionPermission", "LayerName", "VersionNumber", "StatementId", "RevisionId")
@effect("PublishLayerVersion", "LayerName")
@effect("GetLayerVersion", "LayerName", "VersionNumber")
@effect("GetLayerVersionByArn", "Arn")
@effect("DeleteLayerVersion", "LayerName", "VersionNumber")
def test_layers(world):
    name = fresh_name("layer")
    made = world.aws.publish_layer_version(LayerName=name, Content={"ZipFile": world.zip})
    here = {"LayerName": name, "VersionNumber": 1}
    other = "00000000-0000-4000-8000-000000000000"
    assert world.aws.get_layer_version(**here)["LayerVersionArn"] == made["LayerVersionArn"]
    assert world.aws.get_layer_version_by_arn(Arn=made["LayerVersionArn"])["Version"] == 1
    grant = here | {"Action": "lambda:GetLayerVersion"}
    world.aws.add_layer_version_permission(**grant, StatementId="all", Principal="*", OrganizationId="o-aaaaaaaaaa")
    policy = world.aws.get_layer_version_policy(**here)
    assert "o-aaaaaaaaaa" in policy["Policy"] and '"all"' in policy["Policy"]
    assert refusal(world.aws.add_layer_version_permission, **grant, StatementId="b", Principal="*", RevisionId=other)[0] == 412
    assert refusal(world.aws.remove_layer_version_permission, **here, StatementId="all", RevisionId=other)[0] == 412
    world.aws.remove_layer_version_permission(**here, StatementId="all")
    assert refusal(world.aws.get_layer_version_policy, **here)[0] == 404
    world.aws.delete_layer_version(**here)
    assert refusal(world.aws.get_layer_version, **here)[0] == 404
    assert refusal(world.aws.add_layer_version_permission, **grant, StatementId="a", Principal="*")[0] == 404


@effect("ListLayers", "CompatibleArchitecture", "CompatibleRuntime", "Marker", "MaxItems")
@effect("ListLayerVersions", "CompatibleArchitecture", "CompatibleRuntime", "LayerName", "Marker", "MaxItems")
def test_layer_lists(world):
    name = fresh_name("layer")
    for runtime in ("python3.12", "nodejs22.x"):
        world.aws.publish_layer_version(LayerName=name, Content={"ZipFile": world.zip}, CompatibleRuntimes=[runtime],
                                        CompatibleArchitectures=["x86_64"])

    def versions(**members):
        return [item["Version"] for page in world.aws.get_paginator("list_layer_versions").paginate(
            LayerName=name, **members) for item in page["LayerVersions"]]

    def layers(**members):
        return [item["LayerName"] for page in world.aws.get_paginator("list_layers").paginate(**members) for item in page["Layers"]]
    one = {"PaginationConfig": {"PageSize": 1}}
    assert versions() == versions(**one) == [2, 1]
    assert len(world.aws.list_layer_versions(LayerName=name, MaxItems=1)["LayerVersions"]) == 1
    assert versions(CompatibleRuntime="python3.12") == [1]
    assert versions(CompatibleArchitecture="arm64") == []
    assert layers() == layers(**one)
    assert name in layers(CompatibleRuntime="python3.12") and name in layers(CompatibleArchitecture="x86_64")
    assert name not in layers(CompatibleRuntime="ruby3.4") and name not in layers(CompatibleArchitecture="arm64")


@effect("ListFunctions", "MasterRegion", "FunctionVersion", "Marker", "MaxItems")
@effect("ListVersionsByFunction", "Marker", "MaxItems")
@effect("ListAliases", "FunctionVersion", "Marker", "MaxItems")
@effect("ListFunctionUrlConfigs", "Marker", "MaxItems")
@effect("ListFunctionEventInvokeConfigs", "Marker", "MaxItems")
@effect("ListProvisionedConcurrencyConfigs", "Marker", "MaxItems")
@effect("ListEventSourceMappings", "EventSourceArn", "FunctionName", "Marker", "MaxItems")
def test_lists(world):
    name = world.function()
    for timeout in (5, 6):
        world.aws.update_function_configuration(FunctionName=name, Timeout=timeout)
        version = world.aws.publish_version(FunctionName=name)["Version"]
        world.aws.create_alias(FunctionName=name, Name=f"v{version}", FunctionVersion=version)
        world.aws.create_function_url_config(FunctionName=name, Qualifier=f"v{version}", AuthType="NONE")
        world.aws.put_function_event_invoke_config(FunctionName=name, Qualifier=version, MaximumRetryAttempts=1)
        world.aws.put_provisioned_concurrency_config(FunctionName=name, Qualifier=version, ProvisionedConcurrentExecutions=1)
        world.aws.create_event_source_mapping(FunctionName=name, EventSourceArn=QUEUE["EventSourceArn"] + version)
    lists = {"list_versions_by_function": "Versions", "list_aliases": "Aliases", "list_function_url_configs": "FunctionUrlConfigs",
             "list_function_event_invoke_configs": "FunctionEventInvokeConfigs",
             "list_provisioned_concurrency_configs": "ProvisionedConcurrencyConfigs", "list_event_source_mappings": "EventSourceMappings"}
    moving = ("Status", "AvailableProvisionedConcurrentExecutions", "AllocatedProvisionedConcurrentExecutions")

    def steady(items):
        return [{key: value for key, value in item.items() if key not in moving} for item in items]
    for operation, key in lists.items():
        whole = getattr(world.aws, operation)(FunctionName=name)[key]
        assert len(whole) >= 2, operation
        pages = list(world.aws.get_paginator(operation).paginate(FunctionName=name, PaginationConfig={"PageSize": 1}))
        assert [len(page[key]) for page in pages if page[key]] == [1] * len(whole), operation
        assert steady(item for page in pages for item in page[key]) == steady(whole), operation
    assert [item["Name"] for item in world.aws.list_aliases(FunctionName=name, FunctionVersion="2")["Aliases"]] == ["v2"]
    found = world.aws.list_event_source_mappings(EventSourceArn=QUEUE["EventSourceArn"] + "2")["EventSourceMappings"]
    assert len(found) == 1

    def functions(**members):
        return [item["FunctionArn"] for page in world.aws.get_paginator("list_functions").paginate(**members)
                for item in page["Functions"]]
    assert functions() == functions(PaginationConfig={"PageSize": 2})
    assert len(world.aws.list_functions(MaxItems=1)["Functions"]) == 1
    every = functions(FunctionVersion="ALL")
    assert f"{ARN}:function:{name}:$LATEST" in every and f"{ARN}:function:{name}:2" in every
    assert f"{ARN}:function:{name}" in functions(MasterRegion="ALL", FunctionVersion="ALL") + functions(MasterRegion="us-east-1") \
        or f"{ARN}:function:{name}:$LATEST" in functions(MasterRegion="ALL", FunctionVersion="ALL")
    assert functions(MasterRegion="eu-west-1") == []


@effect("CreateEventSourceMapping", "FunctionName", "Enabled", "Tags")
@effect("UpdateEventSourceMapping", "UUID", "FunctionName", "Enabled")
@effect("GetEventSourceMapping", "UUID")
@effect("DeleteEventSourceMapping", "UUID")
def test_mappings(world):
    source = {"EventSourceArn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:" + fresh_name("q")}
    made = world.aws.create_event_source_mapping(FunctionName=world.name, Enabled=False, Tags={"k": "v"}, **source)
    uuid = made["UUID"]
    assert made["State"] == "Disabled"
    assert world.aws.list_tags(Resource=made["EventSourceMappingArn"])["Tags"] == {"k": "v"}
    assert world.aws.update_event_source_mapping(UUID=uuid, Enabled=True)["State"] == "Enabling"
    assert world.aws.update_event_source_mapping(UUID=uuid, FunctionName=f"{world.name}:live")["FunctionArn"].endswith(":live")
    assert world.aws.get_event_source_mapping(UUID=uuid)["UUID"] == uuid
    world.aws.delete_event_source_mapping(UUID=uuid)
    assert refusal(world.aws.get_event_source_mapping, UUID=uuid)[0] == 404


@effect("PutProvisionedConcurrencyConfig", "ProvisionedConcurrentExecutions")
def test_provisioned(world):
    name = world.function()
    world.aws.publish_version(FunctionName=name)
    world.aws.put_provisioned_concurrency_config(FunctionName=name, Qualifier="1", ProvisionedConcurrentExecutions=1)
    got = world.aws.get_provisioned_concurrency_config(FunctionName=name, Qualifier="1")
    assert got["RequestedProvisionedConcurrentExecutions"] == 1
    world.aws.delete_provisioned_concurrency_config(FunctionName=name, Qualifier="1")
    assert refusal(world.aws.get_provisioned_concurrency_config, FunctionName=name, Qualifier="1")[0] == 404


@effect("TagResource", "Resource", "Tags")
@effect("UntagResource", "Resource", "TagKeys")
@effect("ListTags", "Resource")
def test_tags(world):
    arn = f"{ARN}:function:{world.function()}"
    world.aws.tag_resource(Resource=arn, Tags={"a": "1", "b": "2", "c": "3"})
    world.aws.untag_resource(Resource=arn, TagKeys=["a", "c"])
    assert world.aws.list_tags(Resource=arn)["Tags"] == {"b": "2"}
    assert refusal(world.aws.list_tags, Resource=f"{ARN}:function:absent")[0] == 404


def events_of(answer):
    return list(answer["EventStream"])


@effect("Invoke", "InvocationType", "LogType", "ClientContext", "Payload")
@effect("InvokeWithResponseStream", "InvocationType", "LogType", "ClientContext", "Payload")
@effect("InvokeAsync", "InvokeArgs")
def test_invocations(world):
    name = fresh_name()
    create(world.aws, name, "def handler(event, context):\n    print('seen')\n"
                            "    return [event, (context.client_context or {'custom': {}}) and context.client_context.custom"
                            " if context.client_context else None]\n")
    context = base64.b64encode(b'{"custom":{"k":"v"}}').decode()
    asked = {"FunctionName": name, "Payload": b'{"a":1}', "LogType": "Tail", "ClientContext": context}
    answer = world.aws.invoke(**asked)
    assert json.loads(answer["Payload"].read()) == [{"a": 1}, {"k": "v"}]
    assert b"seen" in base64.b64decode(answer["LogResult"])
    events = events_of(world.aws.invoke_with_response_stream(**asked))
    assert json.loads(b"".join(event["PayloadChunk"]["Payload"] for event in events[:-1])) == [{"a": 1}, {"k": "v"}]
    assert b"seen" in base64.b64decode(events[-1]["InvokeComplete"]["LogResult"])
    for kind, status in (("DryRun", 204), ("Event", 202), ("RequestResponse", 200)):
        assert world.aws.invoke(FunctionName=name, InvocationType=kind)["StatusCode"] == status
    assert world.aws.invoke_with_response_stream(FunctionName=name, InvocationType="DryRun")["StatusCode"] == 204
    assert world.aws.invoke_async(FunctionName=name, InvokeArgs=b"{}")["Status"] == 202
    assert refusal(world.aws.invoke_async, FunctionName=name, InvokeArgs=b"{")[1] == "InvalidRequestContentException"


def test_the_table_is_the_models():
    made = subprocess.run([sys.executable, ROOT / "tools/gen-shapes.py", "--check"], capture_output=True, text=True, timeout=60, check=False)
    assert made.returncode == 0, made.stdout + made.stderr


def test_every_member_is_decided():
    undecided = {}
    for operation in model.operations():
        decided = {*SHOWN.get(operation, ()), *REFUSED.get(operation, ()), *EFFECTS.get(operation, ())}
        missing = [member for member in model.members(operation) if member not in decided]
        if missing:
            undecided[operation] = missing
    assert undecided == {}


# Every operation exists or says that it does not.

def send(world, operation, **members):
    try:
        return 200, None, getattr(world.raw, model.method_of(operation))(**members)
    except botocore.exceptions.ClientError as error:
        response = error.response
        return (response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"],
                response["Error"].get("Message") or response.get("message") or "")


PATHS = {"DurableExecutionArn": f"{ARN}:function:f:1/durable-execution/a/b", "CapacityProviderName": "p", "CallbackId": "YQ==",
         "ResourceArn": f"{ARN}:function:f", "FunctionName": "f", "Qualifier": "1",
         "CodeSigningConfigArn": f"{ARN}:code-signing-config:csc-" + "a" * 17}


@pytest.mark.parametrize("operation", model.operations(served=False))
def test_what_is_not_served_says_so(world, operation):
    wanted = model.shape(model.model()["operations"][operation]["input"]["shape"])
    members = {key: PATHS[key] for key in wanted["members"] if key in PATHS}
    status, code, message = send(world, operation, **members)
    assert (status >= 400 and NAMED.fullmatch(code or "") and message) or "CodeSigning" in operation, (status, code, message)


# Enums and bounds. Requests name what is not there, so that what passes the model's checks changes nothing.

NOWHERE = {"FunctionName": "absent", "LayerName": "absent", "VersionNumber": 1, "Role": ROLE, "Code": {"ZipFile": b"no zip"},
           "Content": {"ZipFile": b"no zip"}, "Name": "a", "FunctionVersion": "1", "StatementId": "s", "Action": "lambda:InvokeFunction",
           "Principal": "*", "AuthType": "NONE", "UUID": "00000000-0000-4000-8000-000000000000", "Qualifier": "a",
           "ProvisionedConcurrentExecutions": 1, "ReservedConcurrentExecutions": 1, "RecursiveLoop": "Allow", "UpdateRuntimeOn": "Auto",
           "Resource": f"{ARN}:function:absent", "Tags": {"a": "b"}, "TagKeys": ["a"], "Arn": f"{ARN}:layer:absent:1",
           "InvokeArgs": b"{}"}


def nowhere(operation):
    wanted = model.model()["operations"][operation].get("input")
    required = model.shape(wanted["shape"]).get("required", []) if wanted else []
    request = {key: NOWHERE[key] for key in required}
    if "LayerVersionPermission" in operation and "Action" in request:
        request["Action"] = "lambda:GetLayerVersion"
    if operation == "PutProvisionedConcurrencyConfig":
        request["Qualifier"] = "1"
    return request


def served_members():
    for operation in model.operations():
        for path, its in model.members(operation, with_lists=True).items():
            if path not in ("Payload", "InvokeArgs"):
                yield operation, path, its


ENUMS = [(operation, path, its["enum"]) for operation, path, its in served_members() if its.get("enum")]
ENUM_LISTS = [(operation, path, model.shape(its["member"]["shape"])["enum"]) for operation, path, its in served_members()
              if its["type"] == "list" and model.shape(its["member"]["shape"]).get("enum")]


def surroundings(path):
    """What a structure requires besides the member."""
    if path.startswith("FileSystemConfigs"):
        return FILES
    if path.startswith("CapacityProviderConfig"):
        return PROVIDER
    return RUNTIME_CONFIG if path.startswith("RuntimeConfig") else {}


def complaint(path):
    return f"at '{model.wire_path(path)}' failed to satisfy constraint: "


@pytest.mark.parametrize("operation, path, values", ENUMS, ids=lambda value: value if isinstance(value, str) else "")
def test_enum(world, operation, path, values):
    base = model.merged(nowhere(operation), surroundings(path))
    for value in values:
        status, code, message = send(world, operation, **model.merged(base, model.nested(path, value)))
        assert code is None or (NAMED.fullmatch(code) and "enum value set" not in message), (value, code, message)
    status, code, message = send(world, operation, **model.merged(base, model.nested(path, "nonsense")))
    if path == "Runtime":
        assert (status, code) == {"CreateFunction": (400, "InvalidParameterValueException"),
                                  "UpdateFunctionConfiguration": (404, "ResourceNotFoundException")}[operation]
        return
    assert status == 400, message
    assert code == "ValidationException"
    listed = re.search(r"enum value set: \[(.*?)\]", message).group(1).split(", ")
    assert complaint(path) in message and sorted(listed) == sorted(values)


@pytest.mark.parametrize("operation, path, values", ENUM_LISTS, ids=lambda value: value if isinstance(value, str) else "")
def test_enum_of_a_list(world, operation, path, values):
    base = nowhere(operation)
    for value in values:
        status, code, message = send(world, operation, **model.merged(base, model.nested(path, [value])))
        assert code is None or (NAMED.fullmatch(code) and "enum value set" not in message), (value, code, message)
    status, code, message = send(world, operation, **model.merged(base, model.nested(path, ["nonsense"])))
    assert (status, code) == (400, "ValidationException")
    assert f"Value '[nonsense]' {complaint(path)}Member must satisfy constraint: [Member must satisfy enum value set: [" in message


def bounded(kinds):
    return [pytest.param(operation, path, its, id=f"{operation}-{path}") for operation, path, its in served_members()
            if its["type"] in kinds and ("min" in its or "max" in its)]


# What the service holds to although its model says more, and the other way round.
NARROWER = {"Timeout": 900, "EphemeralStorage.Size": 10240, "FunctionName": 140}
# The upper bound is the handler's to tell, in other words and only of a function that could be made.
HANDLER_SAYS = {"MemorySize"}


@pytest.mark.parametrize("operation, path, its", bounded({"integer", "long", "double"}))
def test_number_bounds(world, operation, path, its):
    base = model.merged(nowhere(operation), surroundings(path))

    def said(value):
        status, code, message = send(world, operation, **model.merged(base, model.nested(path, value)))
        assert code is None or NAMED.fullmatch(code)
        return status, code, str(message)
    most = NARROWER.get(path, its.get("max"))
    for inside in (its.get("min"), most):
        if inside is not None and not (path in HANDLER_SAYS and inside == most):
            assert "failed to satisfy constraint" not in said(inside)[2], inside
    if "min" in its:
        status, code, message = said(its["min"] - 1)
        assert (status, code) == (400, "ValidationException")
        assert f"{complaint(path)}Member must have value greater than or equal to" in message
    if most is not None and path not in HANDLER_SAYS:
        status, code, message = said(most + 1)
        assert (status, code) == (400, "ValidationException")
        assert f"{complaint(path)}Member must have value less than or equal to" in message


@pytest.mark.parametrize("operation, path, its", bounded({"string"}))
def test_text_bounds(world, operation, path, its):
    """A text beyond its length is complained of; one within may have another fault, but not that."""
    base = model.merged(nowhere(operation), surroundings(path))
    most = NARROWER.get(path, its.get("max"))
    place = model.model()["operations"][operation]["input"]["shape"]
    location = model.shape(place)["members"].get(path.split(".")[0].removesuffix("[]"), {}).get("location")

    def said(length):
        status, code, message = send(world, operation, **model.merged(base, model.nested(path, "a" * length)))
        assert code is None or NAMED.fullmatch(code), (status, code, message)
        return status, code, str(message)
    if (operation, path) == ("CreateFunction", "FunctionName"):
        assert said(65)[1:] == ("InvalidParameterValueException", f"1 validation error detected: Value '{'a' * 65}' "
                                f"{complaint(path)}Member must have length less than or equal to 64")
        assert said(141)[1] == "ValidationException"
    elif most and most <= 4096:
        assert f"{complaint(path)}Member must have length" not in said(most)[2]
        status, code, message = said(most + 1)
        assert (status, code) == (400, "ValidationException"), message
        assert f"{complaint(path)}Member must have length less than or equal to {most}" in message
    if its.get("min") and location != "uri":
        assert f"{complaint(path)}Member must have length" not in said(its["min"])[2]
        status, code, message = said(its["min"] - 1)
        assert (status, code) == (400, "ValidationException"), message
        assert f"{complaint(path)}Member must have length greater than or equal to {its['min']}" in message


@pytest.mark.parametrize("operation, path, its", bounded({"list", "map"}))
def test_list_bounds(world, operation, path, its):
    base = nowhere(operation)
    element = model.shape(its["member"]["shape"]) if its["type"] == "list" else None

    def said(count):
        if element is None:
            value = {f"key{i}": ["a:1"] for i in range(count)}
        else:
            value = [{} if element["type"] == "structure" else (element.get("enum") or ["a"])[0]] * count
        return send(world, operation, **model.merged(base, model.nested(path, value)))
    if "max" in its:
        status, code, message = said(its["max"] + 1)
        assert (status, code) == (400, "ValidationException")
        assert f"{complaint(path)}Member must have length less than or equal to {its['max']}" in message
        assert f"{complaint(path)}Member must have length" not in str(said(its["max"])[2])
    if its.get("min"):
        status, code, message = said(its["min"] - 1)
        assert (status, code) == (400, "ValidationException")
        assert f"{complaint(path)}Member must have length greater than or equal to {its['min']}" in message


REQUIRED = [(operation, member) for operation in model.operations() if model.model()["operations"][operation].get("input")
            for member in model.shape(model.model()["operations"][operation]["input"]["shape"]).get("required", [])
            if model.shape(model.model()["operations"][operation]["input"]["shape"])["members"][member].get("location") != "uri"
            and member != "InvokeArgs"]


@pytest.mark.parametrize("operation, member", REQUIRED)
def test_required(world, operation, member):
    request = nowhere(operation)
    del request[member]
    if (operation, member) == ("GetLayerVersionByArn", "Arn"):
        return
    status, code, message = send(world, operation, **request)
    assert (status, code) == (400, "ValidationException")
    assert f"Value null {complaint(member)}Member must not be null" in message
