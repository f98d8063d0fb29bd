"""HTTPS: ALPN, protocol versions, and reloading of certificates."""

import json
import signal
import socket
import ssl
import subprocess

import httpx
import pytest

from conftest import make_certificate
from headgate import run, wait_for

TEMPLATE = """
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Handler: index.handler
      Runtime: python3.12
      InlineCode: |
        import json
        def handler(event, context):
            return {"statusCode": 200, "body": json.dumps(event["headers"])}
      Events: {E: {Type: Api, Properties: {Path: /x, Method: any}}}
"""


@pytest.fixture(scope="module")
def server(serve_module, certificate):
    return serve_module(serve_module.project().template(TEMPLATE), tls=certificate)


def context_for(certificate, alpn=None):
    context = ssl.create_default_context(cafile=str(certificate.cert))
    if alpn:
        context.set_alpn_protocols(alpn)
    return context


@pytest.mark.parametrize("option, version", [("--http1.1", "1.1"), ("--http2", "2"), ("--tlsv1.2", "2"), ("--tlsv1.3", "2")])
def test_curl(server, certificate, option, version):
    limit = ["--tls-max", option[-3:]] if "tls" in option else []
    said = subprocess.run(
        ["curl", "-sS", "--max-time", "20", "--cacert", str(certificate.cert), option, *limit, "-w",
         "\n%{http_version} %{http_code}", f"{server.tls_url}/Prod/x"], capture_output=True, text=True, check=True).stdout
    body, tail = said.rsplit("\n", 1)
    assert tail == f"{version} 200"
    assert json.loads(body)["X-Forwarded-Proto"] == "https"
    assert json.loads(body)["X-Forwarded-Port"] == str(server.port("https"))


@pytest.mark.parametrize("offered, chosen", [
    (["h2", "http/1.1"], "h2"), (["http/1.1", "h2"], "h2"), (["http/1.1"], "http/1.1"), (None, None)])
def test_alpn(server, certificate, offered, chosen):
    with socket.create_connection(server.tls_address, timeout=20) as plain:
        with context_for(certificate, offered).wrap_socket(plain, server_hostname="localhost") as connection:
            assert connection.selected_alpn_protocol() == chosen


def test_alpn_without_a_common_protocol(server, certificate):
    with socket.create_connection(server.tls_address, timeout=20) as plain:
        with pytest.raises(ssl.SSLError):
            with context_for(certificate, ["spdy/1"]).wrap_socket(plain, server_hostname="localhost") as connection:
                assert connection.selected_alpn_protocol() is None
                raise ssl.SSLError("no protocol was agreed on")


def test_old_versions_are_refused(server, certificate):
    context = context_for(certificate)
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    with socket.create_connection(server.tls_address, timeout=20) as plain:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            context.wrap_socket(plain, server_hostname="localhost")


def test_plain_http_on_the_tls_port(server, certificate):
    with socket.create_connection(server.tls_address, timeout=20) as connection:
        connection.sendall(b"GET /Prod/x HTTP/1.1\r\nHost: h\r\n\r\n")
        while connection.recv(65536):
            pass
    with httpx.Client(http2=True, verify=context_for(certificate)) as client:
        assert client.get(f"https://localhost:{server.port('https')}/Prod/x").http_version == "HTTP/2"


def test_client_that_only_connects_does_no_harm(server, certificate):
    idle = [socket.create_connection(server.tls_address, timeout=20) for _ in range(5)]
    with httpx.Client(http2=True, verify=context_for(certificate)) as client:
        assert client.get(f"https://localhost:{server.port('https')}/Prod/x").status_code == 200
    for connection in idle:
        connection.close()


def serial_seen(address):
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with socket.create_connection(address, timeout=20) as plain:
        with context.wrap_socket(plain) as connection:
            return connection.getpeercert(binary_form=True)


def test_sighup_reloads_the_certificate(serve, project, tmp_path):
    pair = make_certificate(tmp_path / "tls", "own")
    server = serve(project.template(TEMPLATE), tls=pair)
    before = serial_seen(server.tls_address)
    context = ssl.create_default_context(cafile=str(pair.cert))
    with httpx.Client(http2=True, verify=context) as client:
        assert client.get(f"https://localhost:{server.port('https')}/Prod/x").status_code == 200
        make_certificate(tmp_path / "tls", "own")
        server.signal(signal.SIGHUP)
        wait_for(lambda: serial_seen(server.tls_address) != before, "the new certificate")
        # The connection from before lives on.
        assert client.get(f"https://localhost:{server.port('https')}/Prod/x").status_code == 200
    new = serial_seen(server.tls_address)

    # A broken file changes nothing, is told, and does not end the server.
    pair.cert.write_text("no certificate")
    server.signal(signal.SIGHUP)
    server.wait_for_log(r"(?i)certificate|own\.crt")
    assert serial_seen(server.tls_address) == new


def test_sni_chooses_among_several_certificates(serve, project, tmp_path):
    one = make_certificate(tmp_path / "tls", "one", "one.example")
    two = make_certificate(tmp_path / "tls", "two", "two.example")
    server = serve(project.template(TEMPLATE), "--tls-cert", two.cert, "--tls-key", two.key, tls=one)
    for name, pair in (("one.example", one), ("two.example", two)):
        with socket.create_connection(server.tls_address, timeout=20) as plain:
            with context_for(pair).wrap_socket(plain, server_hostname=name) as connection:
                assert dict(item[0] for item in connection.getpeercert()["subject"])["commonName"] == name


@pytest.mark.parametrize("case", ["no file", "no certificate", "no key", "other key", "key missing"])
def test_wrong_certificate(project, tmp_path, case):
    one = make_certificate(tmp_path / "tls", "one")
    two = make_certificate(tmp_path / "tls", "two")
    garbage = project.file("garbage.pem", "garbage\n")
    cert, key = {
        "no file": (tmp_path / "absent.crt", one.key), "no certificate": (garbage, one.key),
        "no key": (one.cert, garbage), "other key": (one.cert, two.key), "key missing": (one.cert, None)}[case]
    options = ["--tls-listen", "127.0.0.1:0", "--tls-cert", cert] + (["--tls-key", key] if key else [])
    result = run("serve", project.template(TEMPLATE), "--listen", "127.0.0.1:0", "--api", "127.0.0.1:0",
                 "--data-dir", project.folder / "data", *options)
    assert result.returncode in (1, 2)
    assert len(result.stderr.strip().splitlines()) == 1, result.stderr
    assert re_names(case, result.stderr, cert, key)


def re_names(case, said, cert, key):
    return {"no file": cert.name, "no certificate": cert.name, "no key": key and key.name, "other key": "key",
            "key missing": "tls-key"}[case] in said
