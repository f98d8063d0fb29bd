"""The programs that Headgate is measured against, each set up to do the same work."""

import json
import os
import subprocess
from pathlib import Path

from measure import Process, accepts, free_port, tool, wait_for

BODY = '{"message":"hello"}'
HERE = Path(__file__).parent
TOOLS = HERE.parent / ".tools"


def make_certificate(folder):
    key, cert = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
         key, "-out", cert, "-days", "30", "-subj", "/CN=localhost"],
        check=True, capture_output=True,
    )
    (folder / "both.pem").write_text(cert.read_text() + key.read_text())
    return cert, key


class StaticServer:
    """One server with a fixed 200 answer on three ports: HTTP/1.1, HTTP/2 cleartext, HTTP/2 over TLS."""

    def __init__(self, name, process, h1, h2c, tls, path="/"):
        self.name, self.process = name, process
        self.urls = {
            "HTTP/1.1": f"http://127.0.0.1:{h1}{path}",
            "h2c": f"http://127.0.0.1:{h2c}{path}",
            "h2+TLS": f"https://127.0.0.1:{tls}{path}",
        }
        for port in (h1, h2c, tls):
            wait_for(lambda: accepts(port), f"{name} on port {port}")


def nginx(folder, threads):
    program = tool("nginx", "/usr/sbin/nginx")
    if not program:
        return None
    h1, h2c, tls = free_port(), free_port(), free_port()
    config = folder / "nginx.conf"
    user = "user root;" if os.getuid() == 0 else ""
    config.write_text(f"""
{user} worker_processes {threads}; daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.err;
events {{ worker_connections 4096; }}
http {{
  access_log off; keepalive_requests 1000000000; http2_max_requests 1000000000;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem;
  server {{
    listen 127.0.0.1:{h1}; listen 127.0.0.1:{h2c} http2; listen 127.0.0.1:{tls} ssl http2;
    default_type application/json;
    location / {{ return 200 '{BODY}'; }}
  }}
}}
""".replace("http2_max_requests 1000000000;", ""))
    process = Process([program, "-c", config, "-p", folder], folder / "nginx.log")
    return StaticServer("nginx", process, h1, h2c, tls)


def haproxy(folder, threads):
    program = tool("haproxy", "/usr/sbin/haproxy")
    if not program:
        return None
    h1, h2c, tls = free_port(), free_port(), free_port()
    config = folder / "haproxy.cfg"
    config.write_text(f"""
global
  nbthread {threads}
  maxconn 8192
defaults
  mode http
  timeout client 60s
  timeout server 60s
  timeout connect 5s
frontend static
  bind 127.0.0.1:{h1}
  bind 127.0.0.1:{h2c} proto h2
  bind 127.0.0.1:{tls} ssl crt {folder}/both.pem alpn h2
  http-request return status 200 content-type application/json string '{BODY}'
""")
    process = Process([program, "-f", config, "-db"], folder / "haproxy.log")
    return StaticServer("HAProxy", process, h1, h2c, tls)


class Headgate:
    """The program under measurement with the template of load/app."""

    def __init__(self, program, folder, threads, template="template.yaml", options=(), data_dir=None):
        self.cert = folder / "cert.pem"
        self.ports = {name: free_port() for name in ("listen", "tls", "api")}
        command = [
            program, "serve", HERE / "app" / template, "--data-dir", data_dir or folder / f"data-{free_port()}",
            "--listen", f"127.0.0.1:{self.ports['listen']}", "--api", f"127.0.0.1:{self.ports['api']}",
            "--threads", threads, "--access-log", "off", *options,
        ]
        if self.cert.exists():
            command += ["--tls-listen", f"127.0.0.1:{self.ports['tls']}", "--tls-cert", self.cert, "--tls-key",
                        folder / "key.pem"]
        self.process = Process(command, folder / "headgate.log")
        wait_for(lambda: accepts(self.ports["api"]), "headgate's management port")

    def static(self, path):
        listen = self.ports["listen"]
        return StaticServer("Headgate", self.process, listen, listen, self.ports["tls"], path)

    def url(self, path):
        return f"http://127.0.0.1:{self.ports['listen']}{path}"


class ServerlessOffline:
    """serverless-offline with the same Node and Python handlers."""

    def __init__(self, folder):
        self.port = free_port()
        self.program = TOOLS / "serverless" / "node_modules" / ".bin" / "serverless"
        if not self.program.exists():
            raise FileNotFoundError("serverless-offline is not installed: run tools/setup.sh bench")
        environment = dict(os.environ, SLS_TELEMETRY_DISABLED="1", SLS_NOTIFICATIONS_MODE="off", CI="1")
        self.process = Process(
            [self.program, "offline", "start", "--config", "serverless.yml", "--httpPort", self.port, "--lambdaPort",
             free_port(), "--noPrependStageInUrl", "--host", "127.0.0.1"],
            folder / "serverless.log", cwd=HERE / "app", env=environment,
        )
        wait_for(lambda: accepts(self.port), "serverless-offline", 90)

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"


class RuntimeInterfaceEmulator:
    """Amazon's Runtime Interface Emulator in front of one bootstrap; its path comes in the variable RIE."""

    def __init__(self, folder, command):
        program = os.environ.get("RIE") or tool("aws-lambda-rie")
        if not program:
            raise FileNotFoundError("aws-lambda-rie was not found; name it in the variable RIE")
        self.port = free_port()
        self.process = Process(
            [program, "--runtime-interface-emulator-address", f"127.0.0.1:{self.port}", *command], folder / "rie.log"
        )
        wait_for(lambda: accepts(self.port), "the Runtime Interface Emulator")

    def url(self, _):
        return f"http://127.0.0.1:{self.port}/2015-03-31/functions/function/invocations"


def write_event(folder):
    event = folder / "event.json"
    event.write_text(json.dumps({"hello": "world"}))
    return event


def prepare_native():
    """Puts the C example where the template of load/app looks for it."""
    built = HERE.parent / "examples" / "native" / "build" / "bootstrap"
    target = HERE / "app" / "native" / "bootstrap"
    target.write_bytes(built.read_bytes())
    target.chmod(0o755)
