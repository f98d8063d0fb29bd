"""
The calls that Terraform's AWS provider makes for a small stack: role, function, versions, alias, permission, layer, URL, event invoke
config, provisioned concurrency, log group. Each resource below makes the provider's calls in its order and reads back what the provider
keeps in its state. Applied, a stack must read back as it was declared (no drift), also after an update and a restart; destroyed, nothing
of it is left.
"""

import json
import urllib.parse

import botocore.exceptions
import pytest

from functions import fresh_name, zip_of

ACCOUNT = "000000000000"
TRUST = {"Version": "2012-10-17", "Statement": [
    {"Action": "sts:AssumeRole", "Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}}]}


class NotFound(Exception):
    pass


def gone(*names):
    """A decorator for reads: these exceptions mean that the resource is not there."""
    def wrap(read):
        def inner(self):
            try:
                return read(self)
            except botocore.exceptions.ClientError as error:
                if error.response["Error"]["Code"] in names:
                    raise NotFound from None
                raise
        return inner
    return wrap


class Resource:
    """config: what the user declares. read() gives the same members as the provider flattens them, and what it computes."""

    def __init__(self, clients, **config):
        self.clients = clients
        self.config = config

    def __getattr__(self, name):
        if name in self.clients:
            return self.clients[name]
        raise AttributeError(name)

    def refresh(self):
        """The plan after a refresh: what differs from the declaration. Empty: no drift."""
        state = self.read()
        return {key: (value, state.get(key)) for key, value in self.config.items() if state.get(key) != value}

    def is_there(self):
        try:
            self.read()
            return True
        except NotFound:
            return False


class Role(Resource):
    def create(self):
        self.iam.create_role(
            RoleName=self.config["name"], AssumeRolePolicyDocument=json.dumps(self.config["assume_role_policy"]),
            Path=self.config["path"], Description=self.config["description"],
            MaxSessionDuration=self.config["max_session_duration"],
            Tags=[{"Key": key, "Value": value} for key, value in self.config["tags"].items()])
        for name, policy in self.config["inline_policy"].items():
            self.iam.put_role_policy(RoleName=self.config["name"], PolicyName=name, PolicyDocument=json.dumps(policy))
        for arn in self.config["managed_policy_arns"]:
            self.iam.attach_role_policy(RoleName=self.config["name"], PolicyArn=arn)

    @gone("NoSuchEntity")
    def read(self):
        name = self.config["name"]
        role = self.iam.get_role(RoleName=name)["Role"]
        document = role["AssumeRolePolicyDocument"]
        if isinstance(document, str):
            document = json.loads(urllib.parse.unquote(document))
        inline = {}
        for policy in self.iam.list_role_policies(RoleName=name)["PolicyNames"]:
            found = self.iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
            inline[policy] = found if isinstance(found, dict) else json.loads(urllib.parse.unquote(found))
        attached = self.iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
        return {"arn": role["Arn"], "unique_id": role["RoleId"], "create_date": role["CreateDate"], "name": role["RoleName"],
                "path": role["Path"], "description": role.get("Description", ""),
                "max_session_duration": role["MaxSessionDuration"], "assume_role_policy": document,
                "inline_policy": inline, "managed_policy_arns": [each["PolicyArn"] for each in attached],
                "tags": {tag["Key"]: tag["Value"] for tag in role.get("Tags", [])}}

    def update(self, **changes):
        self.config.update(changes)
        name = self.config["name"]
        if "description" in changes:
            self.iam.update_role_description(RoleName=name, Description=changes["description"])
        if "max_session_duration" in changes:
            self.iam.update_role(RoleName=name, MaxSessionDuration=changes["max_session_duration"])
        if "assume_role_policy" in changes:
            self.iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(changes["assume_role_policy"]))
        if "tags" in changes:
            old = self.read()["tags"]
            if set(old) - set(changes["tags"]):
                self.iam.untag_role(RoleName=name, TagKeys=sorted(set(old) - set(changes["tags"])))
            self.iam.tag_role(RoleName=name, Tags=[{"Key": k, "Value": v} for k, v in changes["tags"].items()])

    def destroy(self):
        name = self.config["name"]
        assert self.iam.list_instance_profiles_for_role(RoleName=name)["InstanceProfiles"] == []
        for policy in self.iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
            self.iam.detach_role_policy(RoleName=name, PolicyArn=policy["PolicyArn"])
        for policy in self.iam.list_role_policies(RoleName=name)["PolicyNames"]:
            self.iam.delete_role_policy(RoleName=name, PolicyName=policy)
        self.iam.delete_role(RoleName=name)


def flatten_vpc(vpc):
    if not vpc or not (vpc["SubnetIds"] or vpc["SecurityGroupIds"] or vpc.get("VpcId")):
        return None
    return {"subnet_ids": sorted(vpc["SubnetIds"]), "security_group_ids": sorted(vpc["SecurityGroupIds"]),
            "ipv6_allowed_for_dual_stack": vpc["Ipv6AllowedForDualStack"]}


class Function(Resource):
    """aws_lambda_function with filename; members that are None are not declared."""

    def request(self, config):
        request = {}
        if config.get("dead_letter_config"):
            request["DeadLetterConfig"] = {"TargetArn": config["dead_letter_config"]}
        if config.get("environment"):
            request["Environment"] = {"Variables": config["environment"]}
        if config.get("ephemeral_storage"):
            request["EphemeralStorage"] = {"Size": config["ephemeral_storage"]}
        if config.get("kms_key_arn"):
            request["KMSKeyArn"] = config["kms_key_arn"]
        if config.get("layers"):
            request["Layers"] = config["layers"]
        if config.get("logging_config"):
            words = {"log_format": "LogFormat", "log_group": "LogGroup", "application_log_level": "ApplicationLogLevel",
                     "system_log_level": "SystemLogLevel"}
            request["LoggingConfig"] = {words[k]: v for k, v in config["logging_config"].items() if v}
        if config.get("snap_start"):
            request["SnapStart"] = {"ApplyOn": config["snap_start"]}
        if config.get("tracing_config"):
            request["TracingConfig"] = {"Mode": config["tracing_config"]}
        if config.get("vpc_config"):
            request["VpcConfig"] = {"SubnetIds": config["vpc_config"]["subnet_ids"],
                                    "SecurityGroupIds": config["vpc_config"]["security_group_ids"],
                                    "Ipv6AllowedForDualStack": config["vpc_config"]["ipv6_allowed_for_dual_stack"]}
        return request

    def __init__(self, clients, filename, **config):
        super().__init__(clients, **config)
        self.filename = filename

    def create(self):
        config, name = self.config, self.config["function_name"]
        request = self.request(config)
        if config.get("architectures"):
            request["Architectures"] = config["architectures"]
        self.awslambda.create_function(
            FunctionName=name, Code={"ZipFile": self.filename}, Description=config["description"],
            MemorySize=config["memory_size"], PackageType="Zip", Publish=config["publish"], Role=config["role"],
            Tags=config["tags"], Timeout=config["timeout"], Handler=config["handler"], Runtime=config["runtime"], **request)
        assert self.awslambda.get_function(FunctionName=name)["Code"]
        self.wait("State", "Active", ("Pending",))
        if config["reserved_concurrent_executions"] >= 0:
            self.awslambda.put_function_concurrency(
                FunctionName=name, ReservedConcurrentExecutions=config["reserved_concurrent_executions"])

    def wait(self, member, wanted, pending, qualifier=None):
        """Once: the provider would ask again after seconds; here what it waits for is there at once."""
        if qualifier:
            found = self.awslambda.get_function_configuration(FunctionName=f"{self.read()['arn']}:{qualifier}",
                                                              Qualifier=qualifier)
        else:
            found = self.awslambda.get_function(FunctionName=self.config["function_name"])["Configuration"]
        assert found[member] == wanted

    @gone("ResourceNotFoundException")
    def read(self):
        name = self.config["function_name"]
        output = self.awslambda.get_function(FunctionName=name)
        function = output["Configuration"]
        pages, versions = self.awslambda.get_paginator("list_versions_by_function"), []
        for page in pages.paginate(FunctionName=name, MaxItems=10000):
            versions += page["Versions"]
        signing = self.awslambda.get_function_code_signing_config(FunctionName=name)
        logging = function["LoggingConfig"]
        wanted = self.config.get("logging_config") or {}
        return {
            "arn": function["FunctionArn"], "architectures": function["Architectures"],
            "code_sha256": function["CodeSha256"], "source_code_size": function["CodeSize"],
            "dead_letter_config": function.get("DeadLetterConfig", {}).get("TargetArn"),
            "description": function["Description"],
            "environment": function["Environment"]["Variables"] if "Environment" in function else None,
            "ephemeral_storage": function["EphemeralStorage"]["Size"], "handler": function["Handler"],
            "kms_key_arn": function.get("KMSKeyArn"), "last_modified": function["LastModified"],
            "layers": [layer["Arn"] for layer in function.get("Layers", [])] or None,
            # Levels that are not declared are not compared, as the provider suppresses them.
            "logging_config": {"log_format": logging["LogFormat"], "log_group": logging["LogGroup"],
                               "application_log_level": logging.get("ApplicationLogLevel", "")
                               if wanted.get("application_log_level") else "",
                               "system_log_level": logging.get("SystemLogLevel", "")
                               if wanted.get("system_log_level") else ""},
            "memory_size": function["MemorySize"], "package_type": function["PackageType"],
            "reserved_concurrent_executions": output.get("Concurrency", {}).get("ReservedConcurrentExecutions", -1),
            "role": function["Role"], "runtime": function["Runtime"],
            "snap_start": None if function["SnapStart"]["ApplyOn"] == "None" else function["SnapStart"]["ApplyOn"],
            "timeout": function["Timeout"], "tracing_config": function["TracingConfig"]["Mode"],
            "vpc_config": flatten_vpc(function.get("VpcConfig")), "function_name": function["FunctionName"],
            "qualified_arn": versions[-1]["FunctionArn"], "version": versions[-1]["Version"],
            "tags": output.get("Tags", {}), "publish": self.config["publish"],
            "code_signing_config_arn": signing.get("CodeSigningConfigArn", ""),
        }

    def update(self, filename=None, **changes):
        name, before = self.config["function_name"], dict(self.config)
        self.config.update(changes)
        configuration = {}
        words = {"description": "Description", "handler": "Handler", "memory_size": "MemorySize", "role": "Role",
                 "runtime": "Runtime", "timeout": "Timeout"}
        configuration.update({words[key]: value for key, value in changes.items() if key in words})
        configuration.update(self.request(changes))
        for key, empty in (("dead_letter_config", {"DeadLetterConfig": {"TargetArn": ""}}),
                           ("environment", {"Environment": {"Variables": {}}}), ("layers", {"Layers": []}),
                           ("kms_key_arn", {"KMSKeyArn": "", "Environment": {"Variables": {}}}),
                           ("snap_start", {"SnapStart": {"ApplyOn": "None"}}), ("logging_config", {"LoggingConfig": {}}),
                           ("vpc_config", {"VpcConfig": {"SubnetIds": [], "SecurityGroupIds": [],
                                                         "Ipv6AllowedForDualStack": False}})):
            if key in changes and not changes[key] and before.get(key):
                configuration.update(empty)
        if "kms_key_arn" in changes and self.config.get("environment"):
            configuration["Environment"] = {"Variables": self.config["environment"]}
        if configuration:
            self.awslambda.update_function_configuration(FunctionName=name, **configuration)
            self.wait("LastUpdateStatus", "Successful", ("InProgress",))
        if filename or "architectures" in changes:
            self.filename = filename or self.filename
            self.awslambda.update_function_code(
                FunctionName=name, ZipFile=self.filename,
                **({"Architectures": changes["architectures"]} if "architectures" in changes else {}))
            self.wait("LastUpdateStatus", "Successful", ("InProgress",))
        if "reserved_concurrent_executions" in changes:
            if changes["reserved_concurrent_executions"] >= 0:
                self.awslambda.put_function_concurrency(
                    FunctionName=name, ReservedConcurrentExecutions=changes["reserved_concurrent_executions"])
            else:
                self.awslambda.delete_function_concurrency(FunctionName=name)
        if "tags" in changes:
            arn, old = self.read()["arn"], before["tags"]
            removed = sorted(set(old) - set(changes["tags"]))
            if removed:
                self.awslambda.untag_resource(Resource=arn, TagKeys=removed)
            self.awslambda.tag_resource(Resource=arn, Tags=changes["tags"])
        if self.config["publish"] and (configuration or filename or "publish" in changes):
            output = self.awslambda.publish_version(FunctionName=name)
            found = self.awslambda.get_function_configuration(FunctionName=output["FunctionArn"],
                                                              Qualifier=output["Version"])
            assert found["LastUpdateStatus"] == "Successful"

    def destroy(self):
        self.awslambda.delete_function(FunctionName=self.config["function_name"])


class Layer(Resource):
    def __init__(self, clients, filename, **config):
        super().__init__(clients, **config)
        self.filename = filename

    def create(self):
        answer = self.awslambda.publish_layer_version(
            LayerName=self.config["layer_name"], Content={"ZipFile": self.filename},
            Description=self.config["description"], LicenseInfo=self.config["license_info"],
            CompatibleRuntimes=self.config["compatible_runtimes"],
            CompatibleArchitectures=self.config["compatible_architectures"])
        self.arn = answer["LayerVersionArn"]

    @gone("ResourceNotFoundException")
    def read(self):
        parts = self.arn.split(":")
        layer = self.awslambda.get_layer_version(LayerName=parts[6], VersionNumber=int(parts[7]))
        return {"layer_name": parts[6], "version": parts[7], "arn": layer["LayerVersionArn"],
                "layer_arn": layer["LayerArn"], "description": layer["Description"],
                "license_info": layer["LicenseInfo"], "created_date": layer["CreatedDate"],
                "source_code_hash": layer["Content"]["CodeSha256"], "source_code_size": layer["Content"]["CodeSize"],
                "compatible_runtimes": layer["CompatibleRuntimes"],
                "compatible_architectures": layer["CompatibleArchitectures"]}

    def destroy(self):
        parts = self.arn.split(":")
        self.awslambda.delete_layer_version(LayerName=parts[6], VersionNumber=int(parts[7]))


class Alias(Resource):
    def request(self):
        weights = self.config["routing_config"]
        return {"FunctionName": self.config["function_name"], "Name": self.config["name"],
                "Description": self.config["description"], "FunctionVersion": self.config["function_version"],
                "RoutingConfig": {"AdditionalVersionWeights": weights} if weights else {}}

    def create(self):
        self.awslambda.create_alias(**self.request())

    @gone("ResourceNotFoundException")
    def read(self):
        found = self.awslambda.get_alias(FunctionName=self.config["function_name"], Name=self.config["name"])
        return {"arn": found["AliasArn"], "name": found["Name"], "description": found["Description"],
                "function_name": self.config["function_name"], "function_version": found["FunctionVersion"],
                "routing_config": found.get("RoutingConfig", {}).get("AdditionalVersionWeights")}

    def update(self, **changes):
        self.config.update(changes)
        self.awslambda.update_alias(**self.request())

    def destroy(self):
        self.awslambda.delete_alias(FunctionName=self.config["function_name"], Name=self.config["name"])


class Permission(Resource):
    def create(self):
        config = self.config
        request = {"Action": config["action"], "FunctionName": config["function_name"],
                   "Principal": config["principal"], "StatementId": config["statement_id"]}
        for key, word in (("qualifier", "Qualifier"), ("source_arn", "SourceArn"), ("source_account", "SourceAccount"),
                          ("function_url_auth_type", "FunctionUrlAuthType"),
                          ("invoked_via_function_url", "InvokedViaFunctionUrl"),
                          ("event_source_token", "EventSourceToken"), ("principal_org_id", "PrincipalOrgID")):
            if config.get(key):
                request[word] = config[key]
        self.awslambda.add_permission(**request)

    @gone("ResourceNotFoundException")
    def read(self):
        request = {"FunctionName": self.config["function_name"]}
        if self.config.get("qualifier"):
            request["Qualifier"] = self.config["qualifier"]
        policy = json.loads(self.awslambda.get_policy(**request)["Policy"])
        for statement in policy["Statement"]:
            if statement["Sid"] == self.config["statement_id"]:
                break
        else:
            raise NotFound
        resource = statement["Resource"].split(":")
        principal = statement["Principal"]
        equals = statement.get("Condition", {}).get("StringEquals", {})
        return {"statement_id": statement["Sid"], "action": statement["Action"], "function_name": resource[6],
                "qualifier": resource[7] if len(resource) > 7 else None,
                "principal": principal if isinstance(principal, str) else principal.get("AWS", principal.get("Service")),
                "source_account": equals.get("AWS:SourceAccount"),
                "function_url_auth_type": equals.get("lambda:FunctionUrlAuthType"),
                "event_source_token": equals.get("lambda:EventSourceToken"),
                "principal_org_id": equals.get("aws:PrincipalOrgID"),
                "source_arn": statement.get("Condition", {}).get("ArnLike", {}).get("AWS:SourceArn"),
                "invoked_via_function_url": statement.get("Condition", {}).get("Bool", {}).get(
                    "lambda:InvokedViaFunctionUrl") == "true" or None}

    def destroy(self):
        request = {"FunctionName": self.config["function_name"], "StatementId": self.config["statement_id"]}
        if self.config.get("qualifier"):
            request["Qualifier"] = self.config["qualifier"]
        self.awslambda.remove_permission(**request)


CORS = {"allow_credentials": "AllowCredentials", "allow_headers": "AllowHeaders", "allow_methods": "AllowMethods",
        "allow_origins": "AllowOrigins", "expose_headers": "ExposeHeaders", "max_age": "MaxAge"}


class FunctionUrl(Resource):
    def request(self, config):
        request = {"FunctionName": config["function_name"]}
        if config.get("qualifier"):
            request["Qualifier"] = config["qualifier"]
        return request

    def values(self, config):
        values = {}
        if "authorization_type" in config:
            values["AuthType"] = config["authorization_type"]
        if "invoke_mode" in config:
            values["InvokeMode"] = config["invoke_mode"]
        if config.get("cors"):
            values["Cors"] = {CORS[key]: value for key, value in config["cors"].items()
                              if value or key == "allow_credentials"}
        return values

    def create(self):
        self.awslambda.create_function_url_config(**self.request(self.config), **self.values(self.config))

    @gone("ResourceNotFoundException")
    def read(self):
        found = self.awslambda.get_function_url_config(**self.request(self.config))
        cors = found.get("Cors")
        return {"function_name": self.config["function_name"], "qualifier": self.config.get("qualifier"),
                "function_url": found["FunctionUrl"], "function_arn": found["FunctionArn"],
                "authorization_type": found["AuthType"], "invoke_mode": found["InvokeMode"],
                "cors": cors and {"allow_credentials": cors.get("AllowCredentials", False),
                                  "max_age": cors.get("MaxAge", 0),
                                  **{key: cors.get(word, []) for key, word in CORS.items()
                                     if key not in ("allow_credentials", "max_age")}}}

    def update(self, **changes):
        self.config.update(changes)
        self.awslambda.update_function_url_config(**self.request(self.config), **self.values(changes))

    def destroy(self):
        self.awslambda.delete_function_url_config(**self.request(self.config))


class EventInvokeConfig(Resource):
    def create(self):
        config = self.config
        destinations = {word: {"Destination": config[key]} for key, word in
                        (("on_success", "OnSuccess"), ("on_failure", "OnFailure")) if config.get(key)}
        self.awslambda.put_function_event_invoke_config(
            FunctionName=config["function_name"], Qualifier=config["qualifier"],
            MaximumRetryAttempts=config["maximum_retry_attempts"],
            MaximumEventAgeInSeconds=config["maximum_event_age_in_seconds"],
            **({"DestinationConfig": destinations} if destinations else {}))

    @gone("ResourceNotFoundException")
    def read(self):
        found = self.awslambda.get_function_event_invoke_config(FunctionName=self.config["function_name"],
                                                                Qualifier=self.config["qualifier"])
        destinations = found.get("DestinationConfig", {})
        return {"function_name": self.config["function_name"], "qualifier": self.config["qualifier"],
                "maximum_retry_attempts": found["MaximumRetryAttempts"],
                "maximum_event_age_in_seconds": found["MaximumEventAgeInSeconds"],
                "on_success": destinations.get("OnSuccess", {}).get("Destination"),
                "on_failure": destinations.get("OnFailure", {}).get("Destination")}

    def update(self, **changes):
        self.config.update(changes)
        self.create()

    def destroy(self):
        self.awslambda.delete_function_event_invoke_config(FunctionName=self.config["function_name"],
                                                           Qualifier=self.config["qualifier"])


class Provisioned(Resource):
    def request(self):
        return {"FunctionName": self.config["function_name"], "Qualifier": self.config["qualifier"]}

    def create(self):
        self.awslambda.put_provisioned_concurrency_config(
            **self.request(), ProvisionedConcurrentExecutions=self.config["provisioned_concurrent_executions"])
        from headgate import wait_for
        wait_for(lambda: self.awslambda.get_provisioned_concurrency_config(**self.request())["Status"] == "READY",
                 "provisioned environments to be ready", 30)

    @gone("ResourceNotFoundException", "ProvisionedConcurrencyConfigNotFoundException")
    def read(self):
        found = self.awslambda.get_provisioned_concurrency_config(**self.request())
        return {**self.config, "provisioned_concurrent_executions": found["AllocatedProvisionedConcurrentExecutions"]}

    def destroy(self):
        self.awslambda.delete_provisioned_concurrency_config(**self.request())


class Stack:
    """Resources in the order of their dependencies."""

    def __init__(self):
        self.resources = []

    def add(self, resource):
        resource.create()
        self.resources.append(resource)
        return resource

    def drift(self):
        return {type(each).__name__ + " " + str(next(iter(each.config.values()))): each.refresh()
                for each in self.resources if each.refresh()}

    def destroy(self):
        for each in reversed(self.resources):
            each.destroy()
        assert not [type(each).__name__ for each in self.resources if each.is_there()]


def clients_of(server):
    return {"awslambda": server.boto("lambda"), "iam": server.boto("iam"), "sts": server.boto("sts")}


def code(word):
    return zip_of({"index.py": f"def handler(event, context):\n    return {word!r}\n"})


def function_config(name, role, **more):
    return {"function_name": name, "description": "", "memory_size": 128, "timeout": 3, "handler": "index.handler",
            "runtime": "python3.12", "role": role, "publish": False, "package_type": "Zip", "tags": {},
            "reserved_concurrent_executions": -1, "environment": None, "layers": None, "dead_letter_config": None,
            "vpc_config": None, "kms_key_arn": None, "snap_start": None, **more}


def role_of(clients, **more):
    return Role(clients, **{"name": fresh_name("role"), "path": "/", "description": "", "max_session_duration": 3600,
                            "assume_role_policy": TRUST, "inline_policy": {}, "managed_policy_arns": [], "tags": {}} | more)


@pytest.fixture
def clients(bare):
    clients = clients_of(bare)
    # The provider asks who it is before anything else.
    assert clients["sts"].get_caller_identity()["Account"] == ACCOUNT
    return clients


def test_the_smallest_function(clients):
    stack = Stack()
    role = stack.add(role_of(clients))
    function = stack.add(Function(clients, code("one"), **function_config(fresh_name(), role.read()["arn"])))
    assert stack.drift() == {}
    state = function.read()
    assert (state["version"], state["qualified_arn"]) == ("$LATEST", state["arn"] + ":$LATEST")
    assert state["code_signing_config_arn"] == ""
    assert json.loads(clients["awslambda"].invoke(FunctionName=state["function_name"])["Payload"].read()) == "one"
    stack.destroy()


def test_a_whole_stack(serve):
    server = serve.bare()
    clients = clients_of(server)
    stack, name = Stack(), fresh_name()
    role = stack.add(role_of(
        clients, path="/service/", description="of a test", max_session_duration=7200, tags={"team": "a"},
        inline_policy={"logs": {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": ["logs:*"], "Resource": "*"}]}},
        managed_policy_arns=["arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"]))
    layer = stack.add(Layer(clients, zip_of({"python/shared.py": "WORD = 'layer'\n"}), layer_name=name, description="d",
                            license_info="MIT", compatible_runtimes=["python3.12", "python3.13"],
                            compatible_architectures=["arm64", "x86_64"]))
    function = stack.add(Function(
        clients, zip_of({"index.py": "import os, shared\ndef handler(event, context):\n"
                                     "    return [os.environ.get('WORD'), shared.WORD, context.function_version]\n"}),
        **function_config(name, role.read()["arn"], description="first", memory_size=256, timeout=10, publish=True,
                          architectures=["x86_64"], environment={"WORD": "one", "EMPTY": ""}, ephemeral_storage=1024,
                          layers=[layer.arn], dead_letter_config=f"arn:aws:sqs:us-east-1:{ACCOUNT}:dead",
                          kms_key_arn=f"arn:aws:kms:us-east-1:{ACCOUNT}:key/k", tracing_config="Active",
                          logging_config={"log_format": "JSON", "log_group": f"/own/{name}",
                                          "application_log_level": "DEBUG", "system_log_level": ""},
                          vpc_config={"subnet_ids": ["subnet-1", "subnet-2"], "security_group_ids": ["sg-1"],
                                      "ipv6_allowed_for_dual_stack": False},
                          snap_start="PublishedVersions", reserved_concurrent_executions=5,
                          tags={"Name": name, "team": "a"})))
    alias = stack.add(Alias(clients, name="live", function_name=name, description="the one", function_version="1",
                            routing_config=None))
    stack.add(Permission(clients, statement_id="AllowFromBucket", action="lambda:InvokeFunction", function_name=name,
                         principal="s3.amazonaws.com", source_arn="arn:aws:s3:::bucket", source_account=ACCOUNT))
    stack.add(Permission(clients, statement_id="AllowApi", action="lambda:InvokeFunction", function_name=name,
                         qualifier="live", principal="apigateway.amazonaws.com",
                         source_arn=f"arn:aws:execute-api:us-east-1:{ACCOUNT}:abc/*/*"))
    stack.add(Permission(clients, statement_id="AllowAccount", action="lambda:InvokeFunction", function_name=name,
                         principal=f"arn:aws:iam::{ACCOUNT}:root"))
    url = stack.add(FunctionUrl(clients, function_name=name, qualifier="live", authorization_type="NONE",
                                invoke_mode="BUFFERED",
                                cors={"allow_credentials": True, "allow_origins": ["https://example.com"],
                                      "allow_methods": ["GET", "POST"], "allow_headers": ["date"],
                                      "expose_headers": ["keep-alive"], "max_age": 3600}))
    stack.add(Permission(clients, statement_id="FunctionURLAllowPublicAccess", action="lambda:InvokeFunctionUrl",
                         function_name=name, qualifier="live", principal="*", function_url_auth_type="NONE"))
    stack.add(Permission(clients, statement_id="FunctionURLInvoke", action="lambda:InvokeFunction", function_name=name,
                         qualifier="live", principal="*", invoked_via_function_url=True))
    invoke_config = stack.add(EventInvokeConfig(clients, function_name=name, qualifier="live", maximum_retry_attempts=1,
                                                maximum_event_age_in_seconds=600,
                                                on_failure=f"arn:aws:sqs:us-east-1:{ACCOUNT}:failed", on_success=None))
    assert stack.drift() == {}
    assert function.read()["version"] == "1"
    assert json.loads(clients["awslambda"].invoke(FunctionName=name, Qualifier="live")["Payload"].read()) == [
        "one", "layer", "1"]

    # A second plan right away, and one after a restart, finds nothing to do either.
    kept = [each.read() for each in stack.resources]
    server.restart()
    clients.update(clients_of(server))
    assert stack.drift() == {}
    again = [each.read() for each in stack.resources]
    for before, after in zip(kept, again):
        before.pop("function_url", None), after.pop("function_url", None)  # it has the port
        assert before == after

    # The next version of everything.
    function.update(filename=zip_of({"index.py": "def handler(event, context):\n    return 'new'\n"}), description="",
                    timeout=5, environment=None, layers=None, vpc_config=None, snap_start=None,
                    logging_config={"log_format": "Text", "log_group": f"/own/{name}", "application_log_level": "",
                                    "system_log_level": ""}, tags={"Name": name}, reserved_concurrent_executions=-1)
    assert function.read()["version"] == "2"
    alias.update(function_version="2", routing_config={"1": 0.25}, description="")
    url.update(authorization_type="AWS_IAM", cors={"allow_credentials": False, "allow_origins": ["*"],
                                                   "allow_methods": [], "allow_headers": [], "expose_headers": [],
                                                   "max_age": 0})
    invoke_config.update(maximum_retry_attempts=0, on_failure=None,
                         on_success=f"arn:aws:sqs:us-east-1:{ACCOUNT}:done")
    role.update(description="changed", tags={"team": "b"}, max_session_duration=3600)
    assert stack.drift() == {}
    alias.update(routing_config=None)
    function.update(kms_key_arn=None, dead_letter_config=None, environment={"KEY": "v"})
    assert stack.drift() == {}
    assert function.read()["version"] == "3"
    stack.destroy()
    assert clients["awslambda"].list_functions()["Functions"] == []
    assert clients["awslambda"].list_layers()["Layers"] == []


def test_provisioned_concurrency(clients):
    stack, name = Stack(), fresh_name()
    role = stack.add(role_of(clients))
    stack.add(Function(clients, code("one"), **function_config(name, role.read()["arn"], publish=True)))
    stack.add(Alias(clients, name="live", function_name=name, description="", function_version="1", routing_config=None))
    stack.add(Provisioned(clients, function_name=name, qualifier="live", provisioned_concurrent_executions=1))
    assert stack.drift() == {}
    stack.destroy()


def test_a_plan_sees_what_others_changed(clients):
    stack, name = Stack(), fresh_name()
    role = stack.add(role_of(clients))
    function = stack.add(Function(clients, code("one"), **function_config(name, role.read()["arn"])))
    clients["awslambda"].update_function_configuration(FunctionName=name, Timeout=9)
    assert function.refresh() == {"timeout": (3, 9)}
    function.update(timeout=3)
    assert stack.drift() == {}
    clients["awslambda"].delete_function(FunctionName=name)
    assert not function.is_there()
    function.create()
    assert stack.drift() == {}
    stack.destroy()
