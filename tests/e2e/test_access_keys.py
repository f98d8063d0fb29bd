"""Who may call the management port: signatures of botocore's own signer, and everything that is wrong with others."""

import base64
import datetime
import hashlib
import hmac
import json
import subprocess
import urllib.parse

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest

import headgate as program
from functions import ECHO, create, fresh_name, refusal, zip_of

KEY, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
OTHER, OTHER_SECRET = "test", "te:st"
MISMATCH = ("The request signature we calculated does not match the signature you provided. Check your AWS Secret "
            "Access Key and signing method. Consult the service documentation for details.")
BAD_TOKEN = "The security token included in the request is invalid."
FUNCTIONS = "/2015-03-31/functions"


@pytest.fixture(scope="module")
def guarded(serve_module, tmp_path_factory):
    file = tmp_path_factory.mktemp("keys") / "keys"
    file.write_text(f"# of the tests\n{OTHER}:{OTHER_SECRET}\n")
    return serve_module.bare("--access-key", f"{KEY}:{SECRET}", "--access-key-file", file)


def client_of(server, service="lambda", key=KEY, secret=SECRET, token=None):
    return server.boto(service, aws_access_key_id=key, aws_secret_access_key=secret, aws_session_token=token,
                       config={"parameter_validation": False})


def sign(server, method, target, body=b"", headers=(), service="lambda", key=KEY, secret=SECRET, token=None,
         signer=botocore.auth.SigV4Auth):
    """The headers (and the target, for presigned requests) that botocore makes."""
    request = botocore.awsrequest.AWSRequest(method=method, url=server.management_url + target, data=body,
                                             headers=dict(headers))
    credentials = botocore.credentials.Credentials(key, secret, token)
    signer(credentials, service, "eu-west-1").add_auth(request)
    made = request.prepare()
    return made.url.removeprefix(server.management_url), list(made.headers.items())


def send(server, method, target, headers=(), body=b""):
    return server.manage(method, target, [item for item in headers if item[0].lower() != "content-length"],
                         body or None)


# Who gets in


@pytest.mark.parametrize("key, secret", [(KEY, SECRET), (OTHER, OTHER_SECRET)])
def test_right_keys(guarded, key, secret):
    assert client_of(guarded, key=key, secret=secret).list_functions()["Functions"] is not None


def test_every_service(guarded):
    assert client_of(guarded, "iam").list_roles()["Roles"] == []
    assert client_of(guarded, "sts").get_caller_identity()["Account"] == "000000000000"


def test_function_life_is_signed(guarded):
    client = client_of(guarded)
    name = fresh_name()
    create(client, name)
    client.get_waiter("function_active_v2").wait(FunctionName=name)
    answer = client.invoke(FunctionName=f"arn:aws:lambda:us-east-1:000000000000:function:{name}", Payload=b'{"a":1}')
    assert json.load(answer["Payload"]) == {"a": 1}
    client.tag_resource(Resource=f"arn:aws:lambda:us-east-1:000000000000:function:{name}", Tags={"k k": "v/v+é", "a+b=c": ""})
    client.untag_resource(Resource=f"arn:aws:lambda:us-east-1:000000000000:function:{name}", TagKeys=["k k", "a+b=c"])
    client.delete_function(FunctionName=name)


@pytest.mark.parametrize("target", [
    f"{FUNCTIONS}?MaxItems=2&Marker=&FunctionVersion=ALL",
    f"{FUNCTIONS}?b=2&a=1&a=0&c&A=~%20%2B%C3%A9",
    f"{FUNCTIONS}//./x/../",
    "/2017-03-31/tags/arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Anone",
])
def test_targets_are_read_as_botocore_writes_them(guarded, target):
    _, headers = sign(guarded, "GET", target)
    assert send(guarded, "GET", target, headers).status in (200, 400, 404)


def test_headers_with_blanks_and_several_values(guarded):
    extra = [("X-Amz-Meta-Note", "  a   b  "), ("X-Other", "c")]
    _, headers = sign(guarded, "GET", FUNCTIONS, headers=extra)
    assert send(guarded, "GET", FUNCTIONS, headers).status == 200
    assert send(guarded, "GET", FUNCTIONS, [*headers, ("X-Amz-Meta-Note", "d")]).status == 403


def test_presigned(guarded):
    target, _ = sign(guarded, "GET", FUNCTIONS + "?MaxItems=1", signer=lambda *given:
                     botocore.auth.SigV4QueryAuth(*given, expires=60))
    assert "X-Amz-Signature=" in target
    assert send(guarded, "GET", target).status == 200
    assert send(guarded, "DELETE", target).status == 403
    assert send(guarded, "GET", target.replace("MaxItems=1", "MaxItems=2")).status == 403


class UnsignedPayload(botocore.auth.S3SigV4Auth):
    def payload(self, request):
        return "UNSIGNED-PAYLOAD"


def test_unsigned_payload(guarded):
    form = [("Content-Type", "application/x-www-form-urlencoded")]
    for service in ("s3", "sts"):
        _, headers = sign(guarded, "POST", "/", headers=form, service=service, signer=UnsignedPayload)
        answer = send(guarded, "POST", "/", headers, b"Action=GetCallerIdentity&Version=2011-06-15")
        assert answer.status == 200, answer.body


def test_hash_of_another_body(guarded):
    form = [("Content-Type", "application/x-www-form-urlencoded")]
    _, headers = sign(guarded, "POST", "/", headers=form, service="s3", signer=botocore.auth.S3SigV4Auth)
    answer = send(guarded, "POST", "/", headers, b"Action=GetCallerIdentity&Version=2011-06-15")
    assert answer.status == 400 and b"<Code>XAmzContentSHA256Mismatch</Code>" in answer.body


def chunked(server, target, pieces, spoil=None):
    """A request in signed chunks, made by hand (the algorithm of "Signature Calculations for the Authorization Header:
    Transferring Payload in Multiple Chunks")."""
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    host = server.management_url.removeprefix("http://")
    scope = f"{now[:8]}/us-east-1/sts/aws4_request"

    def digest(text):
        return hashlib.sha256(text).hexdigest()

    key = b"AWS4" + SECRET.encode()
    for part in (now[:8], "us-east-1", "sts", "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()

    def signature(text):
        return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()

    marker = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
    names = "content-encoding;content-type;host;x-amz-content-sha256;x-amz-date"
    form = "application/x-www-form-urlencoded"
    canonical = (f"POST\n{target}\n\ncontent-encoding:aws-chunked\ncontent-type:{form}\nhost:{host}\n"
                 f"x-amz-content-sha256:{marker}\nx-amz-date:{now}\n\n{names}\n{marker}")
    last = signature(f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{digest(canonical.encode())}")
    headers = [("Content-Encoding", "aws-chunked"), ("Content-Type", form), ("X-Amz-Content-Sha256", marker),
               ("X-Amz-Date", now), ("Authorization", f"AWS4-HMAC-SHA256 Credential={KEY}/{scope}, "
                                                      f"SignedHeaders={names}, Signature={last}")]
    body = b""
    for number, piece in enumerate([*pieces, b""]):
        last = signature(f"AWS4-HMAC-SHA256-PAYLOAD\n{now}\n{scope}\n{last}\n{digest(b'')}\n{digest(piece)}")
        sent = piece.upper() if number == spoil else piece
        body += f"{len(piece):x};chunk-signature={last}\r\n".encode() + sent + b"\r\n"
    return headers, body


def test_signed_chunks(guarded):
    headers, body = chunked(guarded, "/", [b"Action=GetCaller", b"Identity&Version=2011-06-15"])
    answer = send(guarded, "POST", "/", headers, body)
    assert answer.status == 200 and b"<Account>000000000000</Account>" in answer.body
    headers, body = chunked(guarded, "/", [b"Action=GetCaller", b"Identity&Version=2011-06-15"], spoil=1)
    answer = send(guarded, "POST", "/", headers, body)
    assert answer.status == 403
    answer = send(guarded, "POST", "/", headers, body[:-20])
    assert answer.status == 403


# Who does not


def test_wrong_secret(guarded):
    assert refusal(client_of(guarded, secret="wrong").list_functions) == (403, "InvalidSignatureException", MISMATCH)
    assert refusal(client_of(guarded, "iam", secret="wrong").list_roles) == (403, "SignatureDoesNotMatch", MISMATCH)
    assert refusal(client_of(guarded, "logs", secret="wrong").describe_log_groups) == (
        400, "InvalidSignatureException", MISMATCH)
    assert refusal(client_of(guarded, "cloudwatch", secret="wrong").list_metrics)[0] == 403


def test_unknown_key(guarded):
    assert refusal(client_of(guarded, key="AKIDOTHER").list_functions) == (
        403, "UnrecognizedClientException", BAD_TOKEN)
    assert refusal(client_of(guarded, "sts", key="AKIDOTHER").get_caller_identity) == (
        403, "InvalidClientTokenId", BAD_TOKEN)
    assert refusal(client_of(guarded, "cloudwatch", key="AKIDOTHER").list_metrics)[1] == "InvalidClientTokenId"


def test_long_term_key_with_a_session_token(guarded):
    assert refusal(client_of(guarded, token="any").list_functions) == (403, "UnrecognizedClientException", BAD_TOKEN)


def test_no_signature(guarded):
    answer = guarded.manage("GET", FUNCTIONS)
    assert answer.status == 403
    assert answer.header("x-amzn-ErrorType") == "MissingAuthenticationTokenException"
    assert json.loads(answer.body) == {"message": "Missing Authentication Token"}
    answer = guarded.manage("POST", "/", [("Content-Type", "application/x-www-form-urlencoded")],
                            b"Action=GetCallerIdentity&Version=2011-06-15")
    assert answer.status == 403
    assert b'xmlns="https://sts.amazonaws.com/doc/2011-06-15/"' in answer.body
    assert (b"<Code>MissingAuthenticationToken</Code><Message>Request is missing Authentication Token</Message>"
            in answer.body)
    answer = guarded.manage("POST", "/", [("X-Amz-Target", "Logs_20140328.DescribeLogGroups")], b"{}")
    assert answer.status == 400
    assert json.loads(answer.body) == {"__type": "MissingAuthenticationTokenException",
                                       "message": "Missing Authentication Token"}


@pytest.mark.parametrize("method, path", [
    ("GET", "/metrics"), ("GET", "/_headgate/routes"), ("GET", "/_headgate/events"), ("POST", "/_headgate/reset"),
    ("GET", "/nothing"), ("POST", "/_headgate/health"), ("POST", f"{FUNCTIONS}/none/invocations"),
])
def test_pages_are_closed_too(guarded, method, path):
    assert guarded.manage(method, path).status == 403


def test_health_is_open(guarded):
    assert guarded.manage("GET", "/_headgate/health").status == 200


API = """
Resources:
  Hello:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.12
      Handler: app.handler
      CodeUri: .
      Events:
        Any: {Type: HttpApi, Properties: {Path: /hello, Method: get}}
      FunctionUrlConfig: {AuthType: NONE}
"""


def test_addresses_of_apis_and_urls_stay_public(serve, project):
    project.file("app.py", "def handler(event, context):\n    return {'statusCode': 200, 'body': 'hello'}\n")
    server = serve(project.template(API), "--access-key", f"{KEY}:{SECRET}")
    client = client_of(server)
    url = client.list_function_url_configs(
        FunctionName=client.list_functions()["Functions"][0]["FunctionName"])["FunctionUrlConfigs"][0]["FunctionUrl"]
    _, headers = sign(server, "GET", "/_headgate/routes")
    api = json.loads(send(server, "GET", "/_headgate/routes", headers).body)["apis"][0]["id"]
    assert server.manage("GET", f"/_aws/execute-api/{api}/hello").text == "hello"
    assert server.manage("GET", "/hello", host=f"{api}.execute-api.us-east-1.amazonaws.com").text == "hello"
    assert server.manage("GET", urllib.parse.urlsplit(url).path).text == "hello"
    assert server.get("/hello").text == "hello"


def test_incomplete_header(guarded):
    answer = guarded.manage("GET", FUNCTIONS, [("Authorization", "AWS4-HMAC-SHA256 Credential=AKID")])
    assert answer.status == 403
    assert answer.header("x-amzn-ErrorType") == "IncompleteSignatureException"
    assert json.loads(answer.body)["message"].startswith(
        "Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' "
        "parameter. Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")


def at(monkeypatch, minutes):
    moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=minutes)
    naive = moment.replace(tzinfo=None)
    if hasattr(botocore.auth, "get_current_datetime"):
        monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda remove_tzinfo=True: naive)
    else:
        class Clock(datetime.datetime):
            @classmethod
            def utcnow(cls):
                return naive
        monkeypatch.setattr(botocore.auth.datetime, "datetime", Clock)


@pytest.mark.parametrize("minutes, message", [(-16, "Signature expired: "), (16, "Signature not yet current: ")])
def test_clock_skew(guarded, monkeypatch, minutes, message):
    at(monkeypatch, minutes)
    _, headers = sign(guarded, "GET", FUNCTIONS)
    answer = send(guarded, "GET", FUNCTIONS, headers)
    assert answer.status == 403
    assert answer.header("x-amzn-ErrorType") == "InvalidSignatureException"
    assert json.loads(answer.body)["message"].startswith(message)


def test_clock_within_a_quarter_of_an_hour(guarded, monkeypatch):
    at(monkeypatch, -14)
    _, headers = sign(guarded, "GET", FUNCTIONS)
    assert send(guarded, "GET", FUNCTIONS, headers).status == 200


def test_presigned_too_old(guarded, monkeypatch):
    at(monkeypatch, -2)
    target, _ = sign(guarded, "GET", FUNCTIONS, signer=lambda *given: botocore.auth.SigV4QueryAuth(*given, expires=60))
    answer = send(guarded, "GET", target)
    assert answer.status == 403 and "Signature expired: " in json.loads(answer.body)["message"]


def test_changed_on_the_way(guarded):
    body = json.dumps({"FunctionName": fresh_name()}).encode()
    _, headers = sign(guarded, "POST", FUNCTIONS, body)
    assert send(guarded, "POST", FUNCTIONS, headers, body).status == 400
    assert send(guarded, "POST", FUNCTIONS, headers, body.replace(b"fn", b"nf")).status == 403
    assert send(guarded, "PUT", FUNCTIONS, headers, body).status == 403


# Sessions, functions, the program's own commands


def test_session_credentials(guarded):
    keys = client_of(guarded, "sts").assume_role(RoleArn="arn:aws:iam::000000000000:role/ci", RoleSessionName="me",
                                                 DurationSeconds=900)["Credentials"]
    session = {"key": keys["AccessKeyId"], "secret": keys["SecretAccessKey"], "token": keys["SessionToken"]}
    assert client_of(guarded, **session).list_functions()["Functions"] is not None
    assert client_of(guarded, "sts", **session).get_caller_identity()["Arn"].endswith(":assumed-role/ci/me")
    assert refusal(client_of(guarded, **(session | {"token": None})).list_functions)[1] == "UnrecognizedClientException"
    token = bytearray(base64.b64decode(keys["SessionToken"]))
    token[25] ^= 1
    spoiled = base64.b64encode(bytes(token)).decode()
    assert refusal(client_of(guarded, **(session | {"token": spoiled})).list_functions)[1] == (
        "UnrecognizedClientException")
    assert refusal(client_of(guarded, **(session | {"secret": "x"})).list_functions)[1] == "InvalidSignatureException"


def test_functions_call_with_keys_of_their_own(guarded):
    client = client_of(guarded)
    name = fresh_name()
    code = ("import os, boto3\n"
            "def handler(event, context):\n"
            "    sts = boto3.client('sts', endpoint_url=os.environ['AWS_ENDPOINT_URL'])\n"
            "    return [sts.get_caller_identity()['Arn'], os.environ['AWS_ACCESS_KEY_ID']]\n")
    packages = subprocess.run([program.ROOT / ".tools/venv/bin/python", "-c", "import boto3; print(boto3.__path__[0])"],
                              capture_output=True, text=True, check=True).stdout.strip().rsplit("/", 1)[0]
    create(client, name, code, Timeout=30, Environment={"Variables": {"PYTHONPATH": packages}})
    client.get_waiter("function_active_v2").wait(FunctionName=name)
    answer = client.invoke(FunctionName=name)
    arn, key = json.load(answer["Payload"])
    assert arn == "arn:aws:sts::000000000000:assumed-role/headgate-function/function"
    assert key.startswith("ASIA")


def test_code_links_open_without_keys(guarded):
    client = client_of(guarded)
    name = fresh_name()
    create(client, name)
    location = client.get_function(FunctionName=name)["Code"]["Location"]
    target = location.removeprefix(guarded.management_url)
    answer = guarded.manage("GET", target)
    assert answer.status == 200 and answer.body == zip_of({"index.py": ECHO})
    assert guarded.manage("GET", urllib.parse.urlsplit(target).path).status == 403


@pytest.mark.parametrize("env", [
    {"HEADGATE_ACCESS_KEY": f"{KEY}:{SECRET},unused:x"},
    {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET},
])
def test_commands_sign(guarded, env):
    name = fresh_name()
    create(client_of(guarded), name)
    address = guarded.management_url.removeprefix("http://")
    result = program.run("invoke", name, "--api", address, env=env, input="")
    assert result.returncode == 0, result.stderr
    result = program.run("events", "list", "--api", address, env=env)
    assert result.returncode == 0, result.stderr
    assert program.run("events", "list", "--api", address, env={"HOME": "/nonexistent"}).returncode != 0


def test_secrets_are_not_told(guarded):
    assert SECRET not in guarded.output() and OTHER_SECRET not in guarded.output()


@pytest.mark.parametrize("address", ["0.0.0.0:0", "[::]:0"])
def test_open_addresses_need_keys(tmp_path, address):
    result = program.run("serve", "--api", address, "--listen", "127.0.0.1:0", "--data-dir", tmp_path / "data",
                         cwd=tmp_path)
    assert result.returncode in (1, 2)
    assert "can be reached from other machines: say who may with access-key or access-key-file" in result.stderr
