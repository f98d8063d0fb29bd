"""A user's session with the management API, by boto3 and by the AWS command line, from creating a function to deleting it."""

import datetime
import json
import os
import pathlib
import subprocess
import urllib.request

import pytest

import functions
import headgate as program

CODE = ("import os\n"
        "def handler(event, context):\n"
        "    print('hello from %s')\n"
        "    return {'says': '%s', 'event': event, 'extra': os.environ.get('EXTRA')}\n")
WITH_LAYER = "import shared\n\ndef handler(event, context):\n    return shared.NAME\n"
QUICK = {"Delay": 0.1, "MaxAttempts": 100}


def package(word):
    return functions.zip_of({"index.py": CODE % (word, word)})


# boto3

class Session:
    def __init__(self, server):
        self.server = server
        self.aws = server.boto("lambda")
        self.name = functions.fresh_name("session")

    def invoke(self, **members):
        answer = self.aws.invoke(FunctionName=self.name, Payload=b'{"n": 1}', **members)
        assert "FunctionError" not in answer, answer["Payload"].read()
        return answer["ExecutedVersion"], json.load(answer["Payload"])

    def create(self):
        made = functions.create(self.aws, self.name, CODE % ("one", "one"), Environment={"Variables": {"EXTRA": "e"}},
                                Tags={"team": "a"})
        assert made["State"] == "Pending"
        self.aws.get_waiter("function_active_v2").wait(FunctionName=self.name, WaiterConfig=QUICK)
        assert self.invoke() == ("$LATEST", {"says": "one", "event": {"n": 1}, "extra": "e"})
        assert self.invoke(LogType="Tail")[1]["says"] == "one"

    def update(self):
        self.aws.publish_version(FunctionName=self.name)
        answer = self.aws.update_function_code(FunctionName=self.name, ZipFile=package("two"))
        assert answer["LastUpdateStatus"] == "InProgress"
        self.aws.get_waiter("function_updated_v2").wait(FunctionName=self.name, WaiterConfig=QUICK)
        self.aws.update_function_configuration(FunctionName=self.name, Timeout=30, MemorySize=256)
        self.aws.get_waiter("function_updated_v2").wait(FunctionName=self.name, WaiterConfig=QUICK)
        assert self.invoke()[1]["says"] == "two"
        assert self.aws.publish_version(FunctionName=self.name)["Version"] == "2"
        self.aws.get_waiter("published_version_active").wait(FunctionName=self.name, Qualifier="2", WaiterConfig=QUICK)

    def shift(self):
        self.aws.create_alias(FunctionName=self.name, Name="live", FunctionVersion="1")
        assert self.invoke(Qualifier="live")[0] == "1"
        self.aws.update_alias(FunctionName=self.name, Name="live",
                              RoutingConfig={"AdditionalVersionWeights": {"2": 0.1}})
        executed = [self.invoke(Qualifier="live")[0] for _ in range(200)]
        assert 2 <= executed.count("2") <= 55  # 20 are expected; once in a million runs it is not in between
        self.aws.update_alias(FunctionName=self.name, Name="live", FunctionVersion="2",
                              RoutingConfig={"AdditionalVersionWeights": {}})
        assert {self.invoke(Qualifier="live")[0] for _ in range(20)} == {"2"}

    def layer(self):
        layer = self.aws.publish_layer_version(
            LayerName=self.name, Content={"ZipFile": functions.zip_of({"python/shared.py": "NAME = 'layer'\n"})},
            CompatibleRuntimes=["python3.12"])
        self.aws.update_function_code(FunctionName=self.name, ZipFile=functions.zip_of({"index.py": WITH_LAYER}))
        self.aws.get_waiter("function_updated_v2").wait(FunctionName=self.name, WaiterConfig=QUICK)
        self.aws.update_function_configuration(FunctionName=self.name, Layers=[layer["LayerVersionArn"]])
        self.aws.get_waiter("function_updated_v2").wait(FunctionName=self.name, WaiterConfig=QUICK)
        assert self.invoke()[1] == "layer"

    def concurrency(self):
        self.aws.put_function_concurrency(FunctionName=self.name, ReservedConcurrentExecutions=5)
        assert self.aws.get_function(FunctionName=self.name)["Concurrency"] == {"ReservedConcurrentExecutions": 5}
        self.aws.put_provisioned_concurrency_config(FunctionName=self.name, Qualifier="live",
                                                    ProvisionedConcurrentExecutions=1)
        program.wait_for(lambda: self.aws.get_provisioned_concurrency_config(
            FunctionName=self.name, Qualifier="live")["Status"] == "READY", "provisioned concurrency")
        assert self.invoke(Qualifier="live")[0] == "2"
        self.aws.delete_provisioned_concurrency_config(FunctionName=self.name, Qualifier="live")
        self.aws.delete_function_concurrency(FunctionName=self.name)

    def url(self):
        made = self.aws.create_function_url_config(FunctionName=self.name, Qualifier="live", AuthType="NONE")
        self.aws.add_permission(FunctionName=self.name, Qualifier="live", StatementId="public", Principal="*",
                                Action="lambda:InvokeFunctionUrl", FunctionUrlAuthType="NONE")
        assert made["FunctionUrl"].startswith("http")
        with urllib.request.urlopen(made["FunctionUrl"] + "a/b?q=1", timeout=10) as answer:
            assert json.load(answer)["event"]["rawPath"] == "/a/b"

    def logs(self):
        logs = self.server.boto("logs")
        group = f"/aws/lambda/{self.name}"
        assert [item["logGroupName"] for item in logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]] == [group]

        def messages():
            return [event["message"].strip() for event in
                    logs.filter_log_events(logGroupName=group, filterPattern='"hello from two"')["events"]]
        assert "hello from two" in program.wait_for(messages, "the function's lines")

    def metrics(self):
        metrics = self.server.boto("cloudwatch")
        now = datetime.datetime.now(datetime.timezone.utc)

        def total():
            points = metrics.get_metric_statistics(
                Namespace="AWS/Lambda", MetricName="Invocations", Dimensions=[{"Name": "FunctionName", "Value": self.name}],
                StartTime=now - datetime.timedelta(hours=1), EndTime=now + datetime.timedelta(minutes=5), Period=60,
                Statistics=["Sum"])["Datapoints"]
            return sum(point["Sum"] for point in points)
        program.wait_for(lambda: total() >= 220, "the count of invocations", 30)

    def delete(self):
        self.aws.delete_function(FunctionName=self.name)
        for operation in (self.aws.get_function, self.aws.invoke):
            assert functions.refusal(operation, FunctionName=self.name)[:2] == (404, "ResourceNotFoundException")
        assert self.name not in [item["FunctionName"] for item in self.aws.list_functions()["Functions"]]


def test_boto3(bare):
    session = Session(bare)
    session.create()
    session.update()
    session.shift()
    session.url()
    session.layer()
    session.concurrency()
    session.logs()
    session.metrics()
    session.delete()


# The command line

VERSION_1 = pathlib.Path(program.ROOT / ".tools/venv/bin/aws")
VERSION_2 = pathlib.Path(os.environ.get("HEADGATE_TEST_AWS_CLI", "/usr/bin/aws"))


class Cli:
    def __init__(self, binary, server, folder):
        self.binary = binary
        self.folder = folder
        self.env = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "AWS_ACCESS_KEY_ID": "any",
                    "AWS_SECRET_ACCESS_KEY": "any", "AWS_DEFAULT_REGION": "us-east-1", "AWS_PAGER": "",
                    "AWS_ENDPOINT_URL": server.management_url, "AWS_EC2_METADATA_DISABLED": "true"}
        self.endpoint = ["--endpoint-url", server.management_url]

    def command(self, *arguments):
        return [str(self.binary), *self.endpoint, *arguments]

    def run(self, *arguments):
        done = subprocess.run(self.command(*arguments), env=self.env, cwd=self.folder, capture_output=True, text=True,
                              timeout=120, check=False)
        assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
        return json.loads(done.stdout) if done.stdout.strip().startswith(("{", "[")) else done.stdout

    def lambda_(self, *arguments):
        return self.run("lambda", *arguments)

    def file(self, name, content):
        (self.folder / name).write_bytes(content)
        return f"fileb://{name}"


def start_cli(binary, server, folder):
    if not binary.exists():
        pytest.skip(f"{binary} is not there")
    return Cli(binary, server, folder)


def payload_of(cli, name, *options):
    """Invokes; what the command said and what the function answered."""
    raw = [] if cli.binary == VERSION_1 else ["--cli-binary-format", "raw-in-base64-out"]
    said = cli.lambda_("invoke", "--function-name", name, "--payload", '{"n": 1}', *raw, *options, "out.json")
    return said, json.loads((cli.folder / "out.json").read_text())


def create(cli, name):
    made = cli.lambda_("create-function", "--function-name", name, "--runtime", "python3.12", "--handler", "index.handler",
                       "--role", functions.ROLE, "--zip-file", cli.file("one.zip", package("one")),
                       "--environment", "Variables={EXTRA=e}", "--tags", "team=a")
    assert made["FunctionName"] == name
    cli.lambda_("wait", "function-active-v2", "--function-name", name)
    said, answer = payload_of(cli, name, "--log-type", "Tail")
    assert (said["StatusCode"], said["ExecutedVersion"], answer["says"], answer["extra"]) == (200, "$LATEST", "one", "e")
    assert said["LogResult"]


@pytest.mark.timeout(600)  # each command is a Python program that takes a second or more to start
def test_command_line_version_1(bare, tmp_path):
    cli = start_cli(VERSION_1, bare, tmp_path)
    name = functions.fresh_name("cli")
    create(cli, name)
    assert cli.lambda_("publish-version", "--function-name", name)["Version"] == "1"
    cli.lambda_("update-function-code", "--function-name", name, "--zip-file", cli.file("two.zip", package("two")),
                "--publish")
    cli.lambda_("wait", "function-updated", "--function-name", name)
    cli.lambda_("create-alias", "--function-name", name, "--name", "live", "--function-version", "1")
    shifted = cli.lambda_("update-alias", "--function-name", name, "--name", "live",
                          "--routing-config", "AdditionalVersionWeights={2=0.1}")
    assert shifted["RoutingConfig"] == {"AdditionalVersionWeights": {"2": 0.1}}
    assert payload_of(cli, name, "--qualifier", "live")[0]["ExecutedVersion"] in ("1", "2")
    layer = cli.lambda_("publish-layer-version", "--layer-name", name, "--zip-file",
                        cli.file("layer.zip", functions.zip_of({"python/shared.py": "NAME = 'layer'\n"})))
    cli.lambda_("update-function-configuration", "--function-name", name, "--layers", layer["LayerVersionArn"])
    cli.lambda_("put-function-concurrency", "--function-name", name, "--reserved-concurrent-executions", "2")
    url = cli.lambda_("create-function-url-config", "--function-name", name, "--auth-type", "NONE")["FunctionUrl"]
    cli.lambda_("add-permission", "--function-name", name, "--statement-id", "public", "--principal", "*",
                "--action", "lambda:InvokeFunctionUrl", "--function-url-auth-type", "NONE")
    with urllib.request.urlopen(url, timeout=10) as response:
        assert json.load(response)["says"] == "two"
    check_metrics(cli, name)
    cli.lambda_("delete-function", "--function-name", name)
    assert name not in [item["FunctionName"] for item in cli.lambda_("list-functions")["Functions"]]


@pytest.mark.timeout(600)
def test_command_line_version_2(bare, tmp_path):
    cli = start_cli(VERSION_2, bare, tmp_path)
    name = functions.fresh_name("cli")
    create(cli, name)
    check_tail(cli, name)
    cli.lambda_("delete-function", "--function-name", name)


def check_metrics(cli, name):
    now = datetime.datetime.now(datetime.timezone.utc)

    def total():
        said = cli.run("cloudwatch", "get-metric-statistics", "--namespace", "AWS/Lambda", "--metric-name", "Invocations",
                       "--dimensions", f"Name=FunctionName,Value={name}", "--statistics", "Sum", "--period", "60",
                       "--start-time", (now - datetime.timedelta(hours=1)).isoformat(),
                       "--end-time", (now + datetime.timedelta(minutes=5)).isoformat())
        return sum(point["Sum"] for point in said["Datapoints"])
    program.wait_for(lambda: total() >= 3, "the count of invocations", 120)


def check_tail(cli, name):
    """`aws logs tail --follow` shows what is logged already and what comes."""
    command = cli.command("logs", "tail", f"/aws/lambda/{name}", "--follow", "--format", "short")
    shown_path = cli.folder / "tail.out"
    with shown_path.open("wb") as out, subprocess.Popen(command, env=cli.env | {"PYTHONUNBUFFERED": "1"}, cwd=cli.folder,
                                                        stdout=out, stderr=subprocess.STDOUT) as tail:
        try:
            def shown():
                assert tail.poll() is None, shown_path.read_text()
                return shown_path.read_text().count("hello from one")
            before = program.wait_for(shown, "the lines that were there", 120)
            payload_of(cli, name)
            program.wait_for(lambda: shown() > before, "a line that came later", 120)
        finally:
            tail.kill()
