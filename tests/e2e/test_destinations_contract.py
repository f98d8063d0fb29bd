"""Destinations against real services: moto's server for SQS, SNS, EventBridge and S3, and a recorder for what goes over
the wire. Each record is sent by dest_probe, which puts nothing between the destination and the test.
"""

import datetime
import hashlib
import hmac
import http.server
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
import uuid

import boto3
import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest

from headgate import BINARY

PROBE = BINARY.parent / "tests" / "contract" / "dest" / "dest_probe"
REGION, ACCOUNT = "eu-west-1", "123456789012"
EVENT_ID = "7b1c2f6e-7e0e-4e0e-9d0e-0c9a8b7d6e5f"
TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=3995c3f42cd8ad8d;Sampled=0"
FUNCTION_ARN = "arn:aws:lambda:us-east-1:000000000000:function:orders:live"
RECORD = json.dumps(
    {
        "version": "1.0",
        "timestamp": "2026-01-02T03:04:05.678Z",
        "requestContext": {
            "requestId": EVENT_ID,
            "functionArn": FUNCTION_ARN,
            "condition": "RetriesExhausted",
            "approximateInvokeCount": 3,
        },
        "requestPayload": {"text": 'a "quoted" \\ line & <tag> + 100% \u00e4\u20ac\U0001f600', "n": 7},
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "responsePayload": {"errorMessage": "no stock", "errorType": "StockError"},
    },
    separators=(",", ":"),
    ensure_ascii=False,
)
EVENT = '{"orderId":7,"text":"\u00e4 & b=c+d"}'
DEAD_LETTER_ATTRIBUTES = {
    "ErrorCode": ("Number", "200"),
    "ErrorMessage": ("String", "no stock"),
    "RequestID": ("String", EVENT_ID),
}

pytestmark = pytest.mark.skipif(not PROBE.exists(), reason=f"{PROBE} is not built")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Probe:
    """Runs dest_probe with an environment of its own."""

    def __init__(self, **environment):
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "HEADGATE_"))}
        self.environment = {**kept, "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "wJalrSecretOfTheTest"}
        self.environment.update(environment)

    def run(self, target, role="failure", body=RECORD, count=1, extra=(), **environment):
        wanted = {**self.environment, **environment}
        return subprocess.run(
            [PROBE, target, role, str(count), *extra],
            input=body.encode(),
            env={k: v for k, v in wanted.items() if v is not None},
            capture_output=True,
            timeout=60,
        )

    def send(self, target, role="failure", body=RECORD, count=1, **environment):
        done = self.run(target, role, body, count, **environment)
        assert done.returncode == 0, done.stdout + done.stderr
        results = [json.loads(line) for line in done.stdout.splitlines()]
        assert len(results) == count
        for result in results:
            assert "wJalrSecretOfTheTest" not in result["why"]
        assert b"wJalrSecretOfTheTest" not in done.stderr
        return results[0] if count == 1 else results

    def deliver(self, *args, **kwargs):
        result = self.send(*args, **kwargs)
        assert result["ok"], result
        return result["receipt"]

    def fail(self, *args, **kwargs):
        result = self.send(*args, **kwargs)
        assert not result["ok"] and result["why"], result
        return result


# ---------------------------------------------------------------- moto


@pytest.fixture(scope="module")
def moto(tmp_path_factory):
    port = free_port()
    log = open(tmp_path_factory.mktemp("moto") / "log", "wb")
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], stdout=log, stderr=log
    )
    url = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(url + "/moto-api/", timeout=5).close()
            break
        except OSError:
            assert server.poll() is None and time.monotonic() < deadline, "moto does not answer"
            time.sleep(0.1)
    yield url
    server.kill()
    server.wait()


@pytest.fixture
def aws(moto):
    def client(service):
        return boto3.client(
            service,
            region_name=REGION,
            endpoint_url=moto,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    return client


@pytest.fixture
def probe(moto):
    return Probe(AWS_ENDPOINT_URL=moto)


def queue_arn(name):
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"


def receive(sqs, url, **options):
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        messages = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1, MaxNumberOfMessages=10, **options)
        if messages.get("Messages"):
            return messages["Messages"]
    raise AssertionError("no message came")


def test_sqs_record(aws, probe):
    sqs = aws("sqs")
    url = sqs.create_queue(QueueName="failed")["QueueUrl"]
    receipt = probe.deliver(queue_arn("failed"))
    (message,) = receive(sqs, url, AttributeNames=["All"], MessageAttributeNames=["All"])
    assert message["Body"] == RECORD
    assert message["MessageId"] == receipt
    assert "MessageAttributes" not in message
    assert message["Attributes"]["AWSTraceHeader"] == TRACE


def test_sqs_dead_letter(aws, probe):
    sqs = aws("sqs")
    url = sqs.create_queue(QueueName="dead")["QueueUrl"]
    probe.deliver(queue_arn("dead"), "dead-letter", EVENT)
    (message,) = receive(sqs, url, AttributeNames=["All"], MessageAttributeNames=["All"])
    assert message["Body"] == EVENT
    attributes = {k: (v["DataType"], v["StringValue"]) for k, v in message["MessageAttributes"].items()}
    assert attributes == DEAD_LETTER_ATTRIBUTES


def test_sqs_many_at_once(aws, probe):
    sqs = aws("sqs")
    url = sqs.create_queue(QueueName="many")["QueueUrl"]
    results = probe.send(queue_arn("many"), count=40)
    assert all(result["ok"] for result in results)
    assert len({result["receipt"] for result in results}) == 40
    count = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
    assert count["Attributes"]["ApproximateNumberOfMessages"] == "40"


def test_sqs_no_such_queue(probe):
    result = probe.fail(queue_arn("nowhere"))
    assert result["final"]
    assert "QueueDoesNotExist" in result["why"] or "NonExistentQueue" in result["why"], result


def test_sqs_cancelled_is_never_done(aws, probe):
    aws("sqs").create_queue(QueueName="cancelled")
    done = probe.run(queue_arn("cancelled"), count=8, extra=["cancel"])
    assert done.returncode == 0 and done.stdout == b""


def test_sqs_dies_before_the_answer_is_noted(aws, probe):
    sqs = aws("sqs")
    url = sqs.create_queue(QueueName="crash")["QueueUrl"]
    died = probe.run(queue_arn("crash"), HEADGATE_CRASH_AT="mid-destination")
    assert died.returncode == -signal.SIGKILL
    (message,) = receive(sqs, url)
    assert message["Body"] == RECORD


@pytest.fixture
def topic(aws):
    """A topic, and the queue that receives what is published there."""
    sqs, sns, name = aws("sqs"), aws("sns"), f"topic-{uuid.uuid4()}"
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sns.create_topic(Name=name)["TopicArn"]
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue_arn(name))
    return arn, url


def test_sns_record(aws, probe, topic):
    arn, url = topic
    receipt = probe.deliver(arn, "success")
    (message,) = receive(aws("sqs"), url)
    notification = json.loads(message["Body"])
    assert notification["Type"] == "Notification"
    assert notification["MessageId"] == receipt
    assert notification["Message"] == RECORD
    assert notification.get("MessageAttributes", {}) == {}


def test_sns_dead_letter(aws, probe, topic):
    arn, url = topic
    probe.deliver(arn, "dead-letter", EVENT)
    (message,) = receive(aws("sqs"), url)
    notification = json.loads(message["Body"])
    assert notification["Message"] == EVENT
    attributes = {k: (v["Type"], v["Value"]) for k, v in notification["MessageAttributes"].items()}
    assert attributes == DEAD_LETTER_ATTRIBUTES


def test_sns_no_such_topic(probe):
    result = probe.fail(f"arn:aws:sns:{REGION}:{ACCOUNT}:nowhere")
    assert result["final"] and "NotFound" in result["why"], result


@pytest.fixture
def bus(aws):
    """A bus, and the queue that receives every event put there."""
    sqs, events, name = aws("sqs"), aws("events"), f"bus-{uuid.uuid4()}"
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = events.create_event_bus(Name=name)["EventBusArn"]
    events.put_rule(Name="all", EventBusName=name, EventPattern='{"source":["lambda"]}')
    events.put_targets(Rule="all", EventBusName=name, Targets=[{"Id": "1", "Arn": queue_arn(name)}])
    return arn, url


@pytest.mark.parametrize("role, ending", [("success", "Success"), ("failure", "Failure")])
def test_eventbridge_record(aws, probe, bus, role, ending):
    arn, url = bus
    receipt = probe.deliver(arn, role)
    (message,) = receive(aws("sqs"), url)
    event = json.loads(message["Body"])
    assert event["id"] == receipt
    assert event["source"] == "lambda"
    assert event["detail-type"] == f"Lambda Function Invocation Result - {ending}"
    assert event["resources"] == [arn, FUNCTION_ARN]
    assert event["detail"] == json.loads(RECORD)


def test_eventbridge_takes_at_most_256_kb(probe, bus):
    large = json.loads(RECORD)
    large["requestPayload"] = "x" * (256 * 1024)
    result = probe.fail(bus[0], body=json.dumps(large))
    assert result["final"] and "256 KB" in result["why"]


S3_KEY = re.compile(
    r"aws/lambda/async/orders/2026/01/02/2026-01-02T03\.04\.05-"
    r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
)


@pytest.mark.parametrize("bucket", ["records", "records.with.dots"])
def test_s3_record(aws, probe, bucket):
    s3 = aws("s3")
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    large = RECORD[:-1] + ',"filler":"' + "x" * 3_000_000 + '"}'
    for body in RECORD, large:
        receipt = probe.deliver(f"arn:aws:s3:::{bucket}", body=body)
        (kept,) = s3.list_objects_v2(Bucket=bucket)["Contents"]
        assert S3_KEY.fullmatch(kept["Key"]), kept
        assert receipt == f"s3://{bucket}/{kept['Key']}"
        answer = s3.get_object(Bucket=bucket, Key=kept["Key"])
        assert answer["Body"].read().decode() == body
        assert answer["ContentType"] == "application/json"


def test_s3_no_such_bucket(probe):
    result = probe.fail("arn:aws:s3:::nowhere-to-be-found")
    assert result["final"] and "NoSuchBucket" in result["why"], result


# ---------------------------------------------------------------- what goes over the wire


class Recorder(http.server.ThreadingHTTPServer):
    """Keeps every request and answers with what the test wants: (status, headers, body), the last one again and again."""

    daemon_threads = True

    def __init__(self, *answers):
        super().__init__(("127.0.0.1", 0), RecorderHandler)
        self.answers = list(answers)
        self.requests = []
        self.lock = threading.Lock()
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.thread = threading.Thread(target=self.serve_forever, daemon=True)
        self.thread.start()

    def next_answer(self):
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


class RecorderHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with self.server.lock:
            self.server.requests.append((self.command, self.path, self.headers, body))
            status, headers, answer = self.server.next_answer()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST = do_PUT = do_any

    def log_message(self, *_):
        pass


def check_signature(request, base, service, region, token=None, s3=False):
    """The Authorization header is what botocore makes of the request as it came."""
    method, path, headers, body = request
    sent = headers["Authorization"]
    names = re.search(r"SignedHeaders=([^,]+)", sent).group(1).split(";")
    own = {n: headers[n] for n in names if n not in ("x-amz-date", "x-amz-security-token", "x-amz-content-sha256")}
    again = botocore.awsrequest.AWSRequest(method=method, url=base + path, data=body, headers=own)
    credentials = botocore.credentials.Credentials("AKIDEXAMPLE", "wJalrSecretOfTheTest", token)
    signer = (botocore.auth.S3SigV4Auth if s3 else botocore.auth.SigV4Auth)(credentials, service, region)
    when = datetime.datetime.strptime(headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ")
    assert abs((datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None) - when).total_seconds()) < 60
    original = botocore.auth.get_current_datetime
    botocore.auth.get_current_datetime = lambda *_, **__: when
    try:
        signer.add_auth(again)
    finally:
        botocore.auth.get_current_datetime = original
    assert again.headers["Authorization"] == sent
    if token:
        assert headers["X-Amz-Security-Token"] == token and "x-amz-security-token" in names
    if s3:
        assert headers["X-Amz-Content-SHA256"] == hashlib.sha256(body).hexdigest()


def json_answer(status, **members):
    return status, {"Content-Type": "application/x-amz-json-1.0"}, json.dumps(members).encode()


QUEUE_URL = json_answer(200, QueueUrl="https://sqs.eu-west-1.amazonaws.com/123456789012/q")
MESSAGE_ID = json_answer(200, MessageId="8c7f8a3e-0000-4000-8000-000000000001")
SNS_ANSWER = (
    200,
    {"Content-Type": "text/xml"},
    b"<PublishResponse><PublishResult><MessageId>m-1</MessageId></PublishResult></PublishResponse>",
)
EVENTS_ANSWER = json_answer(200, FailedEntryCount=0, Entries=[{"EventId": "e-1"}])
S3_ANSWER = (200, {"ETag": '"9b2cf535f27731c974343645a3985328"'}, b"")


@pytest.mark.parametrize("token", [None, "FwoGZXIvYXdzEXAMPLE/token+with=signs=="])
@pytest.mark.parametrize(
    "target, service, answers",
    [
        (queue_arn("q"), "sqs", [QUEUE_URL, MESSAGE_ID]),
        (f"arn:aws:sns:{REGION}:{ACCOUNT}:t", "sns", [SNS_ANSWER]),
        (f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/b", "events", [EVENTS_ANSWER]),
        ("arn:aws:s3:::bucket", "s3", [S3_ANSWER]),
    ],
)
def test_signatures_are_botocores(target, service, answers, token):
    with Recorder(*answers) as recorder:
        probe = Probe(AWS_ENDPOINT_URL=recorder.url, AWS_REGION=REGION)
        probe.deliver(target, AWS_SESSION_TOKEN=token)
        assert len(recorder.requests) == len(answers)
        for request in recorder.requests:
            assert request[2]["Host"] == recorder.url.removeprefix("http://")
            check_signature(request, recorder.url, service, REGION, token, s3=service == "s3")


def test_endpoint_of_the_service_comes_first():
    with Recorder(SNS_ANSWER) as own, Recorder(json_answer(500)) as common:
        probe = Probe(AWS_ENDPOINT_URL=common.url, AWS_ENDPOINT_URL_SNS=own.url + "/under/a path/".replace(" ", "%20"))
        probe.deliver(f"arn:aws:sns:{REGION}:{ACCOUNT}:t")
        assert not common.requests
        assert own.requests[0][1] == "/under/a%20path/"
        check_signature(own.requests[0], own.url, "sns", REGION)


def test_queue_url_is_asked_for_again_when_the_queue_is_gone():
    gone = json_answer(400, __type="com.amazonaws.sqs#QueueDoesNotExist", message="The specified queue does not exist.")
    with Recorder(QUEUE_URL, gone, QUEUE_URL, MESSAGE_ID) as recorder:
        Probe(AWS_ENDPOINT_URL=recorder.url).deliver(queue_arn("q"))
        targets = [request[2]["X-Amz-Target"] for request in recorder.requests]
        assert targets == ["AmazonSQS.GetQueueUrl", "AmazonSQS.SendMessage"] * 2


def test_bucket_of_another_region():
    moved = (301, {"x-amz-bucket-region": "ap-south-1"}, b"<Error><Code>PermanentRedirect</Code></Error>")
    with Recorder(moved, S3_ANSWER) as recorder:
        Probe(AWS_ENDPOINT_URL_S3=recorder.url).deliver("arn:aws:s3:::bucket")
        check_signature(recorder.requests[0], recorder.url, "s3", "us-east-1", s3=True)
        check_signature(recorder.requests[1], recorder.url, "s3", "ap-south-1", s3=True)


ERROR_XML = b"<?xml version='1.0'?><ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error></ErrorResponse>"


@pytest.mark.parametrize(
    "answer, final, text",
    [
        (json_answer(400, __type="com.amazonaws.sqs#RequestThrottled", message="slow down"), False, "slow down"),
        (json_answer(403, __type="AccessDeniedException", Message="not you"), True, "AccessDeniedException: not you"),
        (json_answer(403, __type="ExpiredToken", message="expired"), False, "expired"),
        (json_answer(403, __type="UnrecognizedClientException", message="who?"), True, "who?"),
        (json_answer(500, __type="InternalError", message="oops"), False, "oops"),
        ((503, {}, b"<html>busy</html>"), False, "SQS answered 503"),
        ((400, {}, ERROR_XML % (b"InvalidParameterValue", b"a &lt;b&gt; &amp; c")), True, "a <b> & c"),
        ((200, {}, b"<html>hello</html>"), False, "without a queue's URL"),
        ((302, {"Location": "http://127.0.0.1:1/"}, b""), True, "SQS answered 302"),
    ],
)
def test_refusals(answer, final, text):
    with Recorder(answer) as recorder:
        result = Probe(AWS_ENDPOINT_URL=recorder.url).fail(queue_arn("q"))
        assert (result["final"], text in result["why"]) == (final, True), result
        assert len(recorder.requests) == 1


def test_eventbridge_entry_that_failed():
    failed = [
        (json_answer(200, FailedEntryCount=1, Entries=[{"ErrorCode": "ThrottlingException", "ErrorMessage": "later"}]), False),
        (json_answer(200, FailedEntryCount=1, Entries=[{"ErrorCode": "NotAuthorizedForSource", "ErrorMessage": "no"}]), True),
    ]
    for answer, final in failed:
        with Recorder(answer) as recorder:
            result = Probe(AWS_ENDPOINT_URL=recorder.url).fail(f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/b")
            assert result["final"] is final, result


def test_endpoint_that_is_headgate_itself():
    ours = (501, {}, b'{"message":"AmazonSQS.GetQueueUrl is not available yet","__type":"NotImplementedException"}')
    with Recorder(ours) as recorder:
        result = Probe(AWS_ENDPOINT_URL=recorder.url).fail(queue_arn("q"))
        assert result["final"] and "AWS_ENDPOINT_URL names Headgate itself" in result["why"]
        assert "AWS_ENDPOINT_URL_SQS" in result["why"]


def test_keys_from_the_shared_file(tmp_path):
    file = tmp_path / "credentials"
    file.write_text(
        "[default]\naws_access_key_id = OTHER\naws_secret_access_key = other\n\n# mine\n[work]\n"
        "aws_access_key_id=AKIDEXAMPLE\r\naws_secret_access_key = wJalrSecretOfTheTest\naws_session_token = tok\n"
    )
    with Recorder(SNS_ANSWER) as recorder:
        Probe(AWS_ENDPOINT_URL=recorder.url).deliver(
            f"arn:aws:sns:{REGION}:{ACCOUNT}:t",
            AWS_ACCESS_KEY_ID=None,
            AWS_SECRET_ACCESS_KEY=None,
            AWS_SHARED_CREDENTIALS_FILE=str(file),
            AWS_PROFILE="work",
        )
        check_signature(recorder.requests[0], recorder.url, "sns", REGION, "tok")


def test_no_keys_is_not_the_end(tmp_path):
    result = Probe(AWS_ENDPOINT_URL="http://127.0.0.1:1").fail(
        queue_arn("q"),
        AWS_ACCESS_KEY_ID=None,
        AWS_SECRET_ACCESS_KEY=None,
        AWS_SHARED_CREDENTIALS_FILE=str(tmp_path / "none"),
    )
    assert not result["final"] and "AWS_ACCESS_KEY_ID" in result["why"]


# ---------------------------------------------------------------- webhook


def test_webhook_request():
    with Recorder((204, {}, b"")) as recorder:
        target = recorder.url.replace("http://", "http://user:pw@") + "/hook?tenant=7"
        assert Probe(HEADGATE_WEBHOOK_SECRET="s3cret").deliver(target) == "204"
        method, path, headers, body = recorder.requests[0]
        assert (method, path, body.decode()) == ("POST", "/hook?tenant=7", RECORD)
        assert headers["Content-Type"] == "application/json"
        assert headers["X-Headgate-Request-Id"] == EVENT_ID
        assert headers["X-Headgate-Condition"] == "RetriesExhausted"
        assert headers["Authorization"] == "Basic dXNlcjpwdw=="
        stamp = headers["X-Headgate-Timestamp"]
        assert abs(time.time() - int(stamp)) < 60
        mac = hmac.new(b"s3cret", stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        assert headers["X-Headgate-Signature"] == "sha256=" + mac


def test_webhook_without_secret_and_dead_letter():
    with Recorder((200, {}, b"x" * 200_000)) as recorder:
        Probe().deliver(recorder.url, "dead-letter", EVENT)
        _, path, headers, body = recorder.requests[0]
        assert (path, body.decode()) == ("/", EVENT)
        assert "X-Headgate-Signature" not in headers
        assert headers["X-Headgate-Condition"] == "DeadLetter"
        assert headers["X-Headgate-Error-Code"] == "200"
        assert headers["X-Headgate-Error-Message"] == "no stock"


@pytest.mark.parametrize(
    "answer, final, text",
    [
        ((400, {}, b""), True, "400"),
        ((404, {}, b""), True, "404"),
        ((403, {}, b""), True, "403"),
        ((408, {}, b""), False, "408"),
        ((429, {"Retry-After": "30"}, b""), False, "Retry-After: 30"),
        ((500, {}, b""), False, "500"),
        ((503, {"Retry-After": "Fri, 02 Jan 2026 03:04:05 GMT"}, b""), False, "Retry-After: Fri"),
        ((301, {"Location": "http://127.0.0.1:1/"}, b""), True, "redirects are not followed"),
    ],
)
def test_webhook_refusals(answer, final, text):
    with Recorder(answer) as recorder:
        result = Probe().fail(recorder.url)
        assert (result["final"], text in result["why"]) == (final, True), result
        assert len(recorder.requests) == 1


def test_webhook_that_is_gone_or_unknown():
    result = Probe().fail(f"http://user:pw-of-mine@127.0.0.1:{free_port()}/hook")
    assert not result["final"] and "pw-of-mine" not in result["why"]
    result = Probe().fail("http://no-such-host.invalid/hook")
    assert not result["final"] and "resolve" in result["why"]


def test_no_proxy_for_this_machine():
    with Recorder((200, {}, b"")) as recorder, Recorder((502, {}, b"")) as proxy:
        Probe(http_proxy=proxy.url, no_proxy="").deliver(recorder.url)
        assert len(recorder.requests) == 1 and not proxy.requests
        Probe(http_proxy=proxy.url, no_proxy="").fail("http://webhook.invalid/")
        assert len(proxy.requests) == 1


# ---------------------------------------------------------------- directory


def test_directory_record(tmp_path):
    target = f"file://{tmp_path}/with%20blank/"
    directory = tmp_path / "with blank"
    directory.mkdir()
    name = f"2026-01-02T03.04.05.678Z-{EVENT_ID}-RetriesExhausted.json"
    assert Probe().deliver(target) == name
    # Sent again (an answer was lost): the same file.
    assert Probe().deliver(target) == name
    assert [p.name for p in directory.iterdir()] == [name]
    assert (directory / name).read_text(encoding="utf-8") == RECORD + "\n"


def test_directory_dead_letter(tmp_path):
    name = Probe().deliver(f"file://{tmp_path}", "dead-letter", EVENT)
    assert name == f"2026-01-02T03.04.05.678Z-{EVENT_ID}-DeadLetter.json"
    assert json.loads((tmp_path / name).read_text(encoding="utf-8")) == {
        "RequestID": EVENT_ID,
        "ErrorCode": "200",
        "ErrorMessage": "no stock",
        "event": json.loads(EVENT),
    }


def test_directory_that_is_not_there(tmp_path):
    result = Probe().fail(f"file://{tmp_path}/gone/")
    assert result["final"] and "No such file" in result["why"]
    (tmp_path / "file").write_text("")
    result = Probe().fail(f"file://{tmp_path}/file/")
    assert result["final"] and "Not a directory" in result["why"]


def test_directory_cancelled_is_never_done(tmp_path):
    done = Probe().run(f"file://{tmp_path}", count=8, extra=["cancel"])
    assert done.returncode == 0 and done.stdout == b""
