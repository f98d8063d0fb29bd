"""Where code comes from: archives in calls and in buckets, what is refused of them, and the way back."""

import base64
import concurrent.futures
import hashlib
import http.client
import io
import json
import os
import socket
import stat
import struct
import urllib.parse
import urllib.request
import zipfile

import boto3
import botocore.exceptions
import pytest

from functions import ECHO, ROLE, create, fresh_name, refusal, zip_of
from headgate import wait_for
from servers import free_port

INVALID = "InvalidParameterValueException"
NO_ZIP = (400, INVALID, "Could not unzip uploaded file. Please check your file, then try to upload again.")
ZIP_MAX = 52428800


@pytest.fixture(scope="module")
def client(bare):
    return bare.boto("lambda")


def call(client, name, payload=b"{}"):
    return json.loads(client.invoke(FunctionName=name, Payload=payload)["Payload"].read())


def make(client, archive, name=None, **members):
    return client.create_function(**{"FunctionName": name or fresh_name(), "Runtime": "python3.12",
                                     "Handler": "index.handler", "Role": ROLE, "Code": {"ZipFile": archive}} | members)


def download(url):
    with urllib.request.urlopen(url, timeout=20) as answer:
        return answer.read()


def archive_of(*entries):
    """Entries as (name, content, mode); repeated and odd names are allowed."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content, mode in entries:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    return out.getvalue()


FILE, LINK = stat.S_IFREG | 0o644, stat.S_IFLNK | 0o777

BAD = {
    "text": b"this is no archive",
    "nothing": b"",
    "cut off": zip_of({"index.py": ECHO * 50})[:-30],
    "absolute": archive_of(("/etc/headgate-test", b"x", FILE)),
    "upwards": archive_of(("../../outside", b"x", FILE)),
    "upwards inside": archive_of(("a/../../outside", b"x", FILE)),
    "link out": archive_of(("l", b"../../../etc/passwd", LINK)),
    "absolute link": archive_of(("l", b"/etc/passwd", LINK)),
    "device": archive_of(("d", b"", stat.S_IFCHR | 0o644)),
    "damaged": bytes(b ^ 255 if 60 < i < 90 else b for i, b in enumerate(zip_of({"index.py": ECHO + "#x" * 500}))),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", list(BAD) + ["twice"])
def test_bad_archives(bare, client, case):
    archive = BAD.get(case) if case != "twice" else archive_of(("a", b"1", FILE), ("a", b"2", FILE))
    before = sorted(path.name for path in (bare.data_dir / "code").glob("*"))
    name = fresh_name()
    assert refusal(lambda: make(client, archive, name)) == NO_ZIP
    assert refusal(client.get_function, FunctionName=name)[0] == 404
    assert sorted(path.name for path in (bare.data_dir / "code").glob("*")) == before
    create(client, name, "def handler(e, c):\n    return 1\n")
    assert refusal(client.update_function_code, FunctionName=name, ZipFile=archive) == NO_ZIP
    assert call(client, name) == 1


def test_files_without_bytes_links_and_modes(client):
    archive = archive_of(
        ("index.py", b"import os\ndef handler(e, c):\n    root = os.environ['LAMBDA_TASK_ROOT']\n"
                     b"    return [os.path.getsize(root + '/empty'), open(root + '/link').read(),"
                     b" os.access(root + '/run', os.X_OK), sorted(os.listdir(root + '/deep'))]\n", FILE),
        ("empty", b"", FILE), ("target", b"text", FILE), ("link", b"target", LINK),
        ("run", b"#!/bin/sh\n", stat.S_IFREG | 0o755), ("deep/", b"", stat.S_IFDIR | 0o755), ("deep/a", b"a", FILE))
    name = fresh_name()
    make(client, archive, name)
    assert call(client, name) == [0, "text", True, ["a"]]


def test_wrong_base64(bare):
    body = json.dumps({"FunctionName": fresh_name(), "Runtime": "python3.12", "Handler": "a.b", "Role": ROLE,
                       "Code": {"ZipFile": "not base64 !"}})
    answer = bare.manage("POST", "/2015-03-31/functions", [("content-type", "application/json")], body.encode())
    assert answer.status == 400
    assert answer.header("x-amzn-errortype") == "SerializationException"
    body = body.replace('"not base64 !"', "17")
    answer = bare.manage("POST", "/2015-03-31/functions", [("content-type", "application/json")], body.encode())
    assert answer.status == 400


def test_an_archive_that_is_too_large(client):
    archive = bytes(ZIP_MAX + 1)
    assert refusal(lambda: make(client, archive)) == (
        413, "RequestEntityTooLargeException", f"Zipped size must be smaller than {ZIP_MAX} bytes")


def test_a_request_that_is_too_large(bare):
    for method, path, operation in (("POST", "/2015-03-31/functions", "CreateFunction"),
                                    ("PUT", "/2015-03-31/functions/f/code", "UpdateFunctionCode"),
                                    ("POST", "/2018-10-31/layers/l/versions", "PublishLayerVersion")):
        connection = http.client.HTTPConnection(*bare.management_address, timeout=20)
        connection.putrequest(method, path)
        connection.putheader("content-length", "70167212")
        connection.endheaders()
        answer = connection.getresponse()
        document = json.loads(answer.read())
        connection.close()
        assert answer.status == 413
        assert document == {"__type": "RequestEntityTooLargeException",
                            "Message": f"Request must be smaller than 70167211 bytes for the {operation} operation"}


def test_much_beside_the_archive(client):
    assert refusal(
        client.create_function, FunctionName=fresh_name(), Runtime="python3.13", Handler="m.h", Role=ROLE,
        Code={"ZipFile": b"x" * 100}, Environment={"Variables": {"LONG": "x" * 6291456}}) == (
            413, "RequestEntityTooLargeException", "Request without its archive must be smaller than 6291456 bytes")


def test_a_bomb(bare, client):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for i in range(27):
            archive.writestr(f"zeros{i}", bytes(10 << 20))
    assert refusal(lambda: make(client, out.getvalue())) == (
        400, INVALID, "Unzipped size must be smaller than 262144000 bytes")
    assert not list((bare.data_dir / "code").glob(".new-*"))


def test_an_archive_of_tens_of_megabytes(client):
    noise = os.urandom(30 << 20)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("index.py", "import os\ndef handler(e, c):\n"
                                     "    return os.path.getsize(os.environ['LAMBDA_TASK_ROOT'] + '/noise')\n")
        archive.writestr("noise", noise)
    name = fresh_name()
    made = make(client, out.getvalue(), name)
    assert made["CodeSize"] == len(out.getvalue())
    assert call(client, name) == len(noise)
    assert download(client.get_function(FunctionName=name)["Code"]["Location"]) == out.getvalue()


def test_other_calls_go_on_while_archives_are_unpacked(bare, client):
    create(client, name := fresh_name())
    noise = io.BytesIO()
    with zipfile.ZipFile(noise, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("noise", os.urandom(8 << 20))
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        running = [pool.submit(lambda: make(bare.boto("lambda"), noise.getvalue())) for _ in range(4)]
        while not all(each.done() for each in running):
            assert call(client, name) == {}
        assert all(each.result()["State"] == "Pending" for each in running)


def test_concurrent_code_updates_of_one_function(bare, client):
    """One wins; the others are told that an update is in progress, or come after it."""
    name = fresh_name()
    create(client, name)
    archives = []
    for i in range(6):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
            archive.writestr("index.py", f"def handler(e, c):\n    return {i}\n")
            archive.writestr("noise", os.urandom(4 << 20))
        archives.append(out.getvalue())

    def update(i):
        own = bare.boto("lambda")
        try:
            own.update_function_code(FunctionName=name, ZipFile=archives[i])
            return i
        except own.exceptions.ResourceConflictException as error:
            assert error.response["Error"]["Message"] == (
                "The operation cannot be performed at this time. An update is in progress for resource: "
                f"arn:aws:lambda:us-east-1:000000000000:function:{name}")
            return None
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        done = list(pool.map(update, range(6)))
    assert any(each is not None for each in done)
    assert call(client, name) in done


def test_location_gives_the_bytes_back(bare, client):
    name = fresh_name()
    archive = zip_of({"index.py": ECHO, "other": "x" * 1000})
    make(client, archive, name, Publish=True)
    client.update_function_code(FunctionName=name, ZipFile=zip_of({"index.py": "# new\n" + ECHO}))
    got = client.get_function(FunctionName=name, Qualifier="1")
    code, configuration = got["Code"], got["Configuration"]
    assert code["RepositoryType"] == "S3"
    assert code["Location"].startswith(bare.management_url + "/_headgate/code/")
    body = download(code["Location"])
    assert body == archive and len(body) == configuration["CodeSize"]
    assert base64.b64encode(hashlib.sha256(body).digest()).decode() == configuration["CodeSha256"]


def test_location_is_on_the_host_of_the_request(bare, client):
    create(client, name := fresh_name())
    answer = bare.manage("GET", f"/2015-03-31/functions/{name}", [("host", "lambda.test:1234")])
    assert answer.json()["Code"]["Location"].startswith("http://lambda.test:1234/_headgate/code/")


def test_location_needs_its_signature(bare, client):
    create(client, name := fresh_name())
    url = urllib.parse.urlsplit(client.get_function(FunctionName=name)["Code"]["Location"])
    query = dict(urllib.parse.parse_qsl(url.query))

    def status(path=url.path, **changes):
        return bare.manage("GET", path + "?" + urllib.parse.urlencode(query | changes)).status
    assert status() == 200
    assert status(signature="0" * 64) == 403
    assert status(signature="") == 403
    assert status(expires=str(int(query["expires"]) + 1)) == 403
    assert status(path="/_headgate/code/..%2f..%2fheadgate.db") == 403
    assert bare.manage("GET", url.path).status == 403


def test_location_of_a_folder(serve, project):
    project.file("src/index.py", "def handler(e, c):\n    return 1\n")
    project.file("src/bin/tool", "#!/bin/sh\n", 0o755)
    (project.folder / "src/link").symlink_to("index.py")
    template = project.template("""
        Resources:
          F:
            Type: AWS::Serverless::Function
            Properties: {FunctionName: mine, Handler: index.handler, Runtime: python3.12, CodeUri: src}
    """)
    server = serve(template)
    client = server.boto("lambda")
    with zipfile.ZipFile(io.BytesIO(download(client.get_function(FunctionName="mine")["Code"]["Location"]))) as got:
        assert sorted(got.namelist()) == ["bin/tool", "index.py", "link"]
        assert got.read("index.py") == (project.folder / "src/index.py").read_bytes()
        assert got.getinfo("bin/tool").external_attr >> 16 & 0o777 == 0o755
        assert stat.S_ISLNK(got.getinfo("link").external_attr >> 16) and got.read("link") == b"index.py"
    assert not list((server.data_dir / "code").glob(".new-*"))


# Buckets


@pytest.fixture(scope="module")
def s3(moto):
    s3 = boto3.client("s3", endpoint_url=moto.url, region_name="us-east-1", aws_access_key_id="k",
                      aws_secret_access_key="s")
    s3.create_bucket(Bucket="code-bucket")
    s3.put_bucket_versioning(Bucket="code-bucket", VersioningConfiguration={"Status": "Enabled"})
    return s3


@pytest.fixture(scope="module")
def with_s3(serve_module, moto):
    server = serve_module.bare(env={"AWS_ENDPOINT_URL_S3": moto.url, "AWS_ACCESS_KEY_ID": "k",
                                    "AWS_SECRET_ACCESS_KEY": "s"})
    return server.boto("lambda")


def constant(value):
    return zip_of({"index.py": f"def handler(e, c):\n    return {value!r}\n"})


@pytest.mark.parametrize("key", ["code.zip", "deep/er/code v1+2 \u00e9.zip", "/leading//double/", "a%20b?c#d"])
def test_code_in_a_bucket(with_s3, s3, key):
    archive = constant(key)
    s3.put_object(Bucket="code-bucket", Key=key, Body=archive)
    name = fresh_name()
    made = with_s3.create_function(FunctionName=name, Runtime="python3.12", Handler="index.handler", Role=ROLE,
                                   Code={"S3Bucket": "code-bucket", "S3Key": key})
    assert made["CodeSize"] == len(archive)
    assert call(with_s3, name) == key
    assert download(with_s3.get_function(FunctionName=name)["Code"]["Location"]) == archive


def test_versions_of_an_object(with_s3, s3):
    old = s3.put_object(Bucket="code-bucket", Key="versioned", Body=constant("old"))["VersionId"]
    s3.put_object(Bucket="code-bucket", Key="versioned", Body=constant("new"))
    name = fresh_name()
    create(with_s3, name)
    with_s3.update_function_code(FunctionName=name, S3Bucket="code-bucket", S3Key="versioned", S3ObjectVersion=old)
    assert call(with_s3, name) == "old"
    with_s3.update_function_code(FunctionName=name, S3Bucket="code-bucket", S3Key="versioned")
    assert call(with_s3, name) == "new"


def test_what_is_not_in_a_bucket(with_s3, s3):
    name = fresh_name()
    create(with_s3, name)
    s3.put_object(Bucket="code-bucket", Key="text", Body=b"no archive")
    no_bucket = (400, INVALID, "Error occurred while GetObject. S3 Error Code: NoSuchBucket. S3 Error Message: The "
                               "specified bucket does not exist")
    no_key = (400, INVALID, "Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified "
                            "key does not exist.")
    for bucket, key, expected in (("no-such-bucket", "k", no_bucket), ("code-bucket", "no-such-key", no_key),
                                  ("code-bucket", "text", NO_ZIP)):
        assert refusal(with_s3.update_function_code, FunctionName=name, S3Bucket=bucket, S3Key=key) == expected
        assert refusal(lambda: make(with_s3, None, Code={"S3Bucket": bucket, "S3Key": key})) == expected
    assert call(with_s3, name) == {}


def test_an_endpoint_that_is_not_there(serve):
    client = serve.bare(env={"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1"}).boto("lambda")
    status, error, text = refusal(lambda: make(client, None, Code={"S3Bucket": "bucket", "S3Key": "k"}))
    assert (status, error) == (400, INVALID) and "The S3 endpoint cannot be used" in text


@pytest.mark.parametrize("endpoint, sentence", [("nonsense", "AWS_ENDPOINT_URL_S3"),
                                               ("http://user:secret@127.0.0.1:1", "AWS_ENDPOINT_URL_S3")])
def test_an_endpoint_that_is_none(serve, endpoint, sentence):
    client = serve.bare(env={"AWS_ENDPOINT_URL_S3": endpoint}).boto("lambda")
    status, error, text = refusal(lambda: make(client, None, Code={"S3Bucket": "bucket", "S3Key": "k" * 1024}))
    assert (status, error) == (400, INVALID) and sentence in text and "secret" not in text


def test_headgate_itself_as_endpoint_of_buckets(serve):
    port = free_port()
    client = serve.bare(api_port=port, env={"AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"}).boto("lambda")
    status, error, text = refusal(lambda: make(client, None, Code={"S3Bucket": "bucket", "S3Key": "k"}))
    assert (status, error) == (400, INVALID) and "AWS_ENDPOINT_URL_S3" in text


def test_a_stop_while_a_bucket_does_not_answer(serve):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        server = serve.bare("--drain-timeout", "200ms",
                            env={"AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{silent.getsockname()[1]}"})
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            calling = pool.submit(lambda: make(server.boto("lambda"), None, Code={"S3Bucket": "bucket", "S3Key": "k"}))
            silent.settimeout(10)
            peer, _ = silent.accept()
            server.stop()
            peer.close()
            with pytest.raises((botocore.exceptions.HTTPClientError, botocore.exceptions.ClientError)):
                calling.result(20)


def test_images_are_refused_by_name(client):
    create(client, name := fresh_name())
    assert refusal(client.update_function_code, FunctionName=name, ImageUri="x") == (
        400, INVALID, "Please don't provide ImageUri when updating a function with packageType Zip.")


def test_function_and_layers_together(client):
    """Each alone is small enough; together they are not."""
    def zeros(count):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("index.py", ECHO)
            for i in range(count):
                archive.writestr(f"zeros{count}-{i}", bytes(10 << 20))
        return out.getvalue()
    name = fresh_name()
    layer = client.publish_layer_version(LayerName=name, Content={"ZipFile": zeros(24)})["LayerVersionArn"]
    status, error, text = refusal(lambda: make(client, zeros(2), name, Layers=[layer]))
    assert (status, error) == (400, INVALID)
    assert text.startswith("Function code combined with layers exceeds the maximum allowed size of 262144000 bytes.")
    make(client, zeros(0), name, Layers=[layer])
    assert refusal(client.update_function_code, FunctionName=name, ZipFile=zeros(2))[2].startswith(
        "Function code combined with layers")
    assert client.get_function_configuration(FunctionName=name)["Layers"][0]["Arn"] == layer


def test_a_client_that_leaves_in_the_middle(bare, client):
    """Its archive does not stay in memory, and the server goes on."""
    body = json.dumps({"FunctionName": fresh_name(), "Runtime": "python3.12", "Handler": "index.handler", "Role": ROLE,
                       "Code": {"ZipFile": base64.b64encode(zip_of({"index.py": ECHO})).decode()}}).encode()
    for _ in range(5):
        connection = http.client.HTTPConnection(*bare.management_address, timeout=20)
        connection.connect()
        connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.request("POST", "/2015-03-31/functions", body, {"content-type": "application/json"})
        connection.close()
    create(client, name := fresh_name())
    wait_for(lambda: call(client, name) == {}, "the server to go on")
