"""The program under test as an object: start it, talk to it, stop it, and hold it to its word."""

import os
import pathlib
import re
import signal
import subprocess
import time

import client

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("HEADGATE_BIN", ROOT / "build/dev/headgate")).absolute()
START_TIMEOUT_S = 30
STOP_TIMEOUT_S = 30
REPORTS = re.compile(r"ERROR: (Address|Leak|Thread|Memory)Sanitizer|WARNING: ThreadSanitizer|runtime error:|"
                     r"UndefinedBehaviorSanitizer|assertion .* failed", re.I)
SANITIZER_ENV = {
    "ASAN_OPTIONS": "detect_leaks=1:detect_stack_use_after_return=1:exitcode=99",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    "TSAN_OPTIONS": "exitcode=66:second_deadlock_stack=1",
}


def wait_for(condition, what, timeout=10.0):
    """Polls until the condition holds, and returns what it returned."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout} s in vain for {what}")
        time.sleep(0.01)


def run(*arguments, cwd=None, env=None, timeout=60, input=None):
    """Runs a headgate command that ends by itself."""
    result = subprocess.run(
        [str(BINARY), *map(str, arguments)], cwd=cwd, env=clean_env(env), timeout=timeout, input=input,
        capture_output=True, text=True, stdin=subprocess.DEVNULL if input is None else None, check=False)
    assert not REPORTS.search(result.stderr), result.stderr
    return result


def clean_env(extra=None):
    env = {name: value for name, value in os.environ.items()
           if not name.startswith(("HEADGATE_", "AWS_"))}
    env.update(SANITIZER_ENV)
    env.update(extra or {})
    return env


class Headgate:
    """A running `headgate serve`. Ports are free ones; all state is below `folder`."""

    def __init__(self, template, folder, *options, env=None, tls=None, listen=True, cwd=None, api_port=0):
        self.folder = pathlib.Path(folder)
        self.data_dir = self.folder / "data"
        self.stdout_path = self.folder / "stdout"
        self.stderr_path = self.folder / "stderr"
        self.command = [str(BINARY), "serve"]
        if template is not None:
            self.command.append(str(template))
        if listen:
            self.command += ["--listen", "127.0.0.1:0"]
        self.command += ["--api", f"127.0.0.1:{api_port}", "--data-dir", str(self.data_dir)]
        if tls:
            self.command += ["--tls-listen", "127.0.0.1:0", "--tls-cert", str(tls.cert), "--tls-key", str(tls.key)]
        self.command += [str(option) for option in options]
        self.env = clean_env(env)
        self.cwd = cwd
        self.process = None
        self.bound = {}
        self.said_before = 0  # bytes of earlier starts on standard output

    # Life

    def start(self):
        self.start_process()
        wait_for(self.is_ready, "headgate to be ready", START_TIMEOUT_S)
        # Kept: the log that they stand in may grow large.
        self.bound = {kind: self.ports(kind) for kind in ("http", "https", "management")}
        return self

    def start_process(self):
        """Without waiting: it may well be meant to fail."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.said_before = self.stdout_path.stat().st_size if self.stdout_path.exists() else 0
        with self.stdout_path.open("ab") as out, self.stderr_path.open("ab") as err:
            self.process = subprocess.Popen(self.command, stdout=out, stderr=err, stdin=subprocess.DEVNULL,
                                            env=self.env, cwd=self.cwd, start_new_session=True)
        self.bound = {}

    def is_ready(self):
        if self.process.poll() is not None:
            raise AssertionError(f"headgate exited with {self.process.returncode}:\n{self.output()}")
        if self.port("management") is None:
            return False
        try:
            return self.manage("GET", "/_headgate/health").status == 200
        except OSError:
            return False

    def stop(self, timeout=STOP_TIMEOUT_S):
        """SIGTERM; the program must end by itself, with exit code 0 and nothing for a sanitizer to say."""
        if self.process is None:
            return
        process, self.process = self.process, None
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise AssertionError(f"headgate did not end within {timeout} s after SIGTERM:\n{self.output()}") from None
        found = REPORTS.search(self.stderr())
        assert not found, self.stderr()[max(0, found.start() - 200):]
        assert code == 0, f"exit code {code}:\n{self.output()}"

    def kill9(self):
        self.process.kill()
        self.process.wait()
        self.process = None

    def restart(self):
        self.stop()
        return self.start()

    def signal(self, number):
        self.process.send_signal(number)

    @property
    def pid(self):
        return self.process.pid

    # What it said

    def stdout(self):
        return self.stdout_path.read_text(errors="replace") if self.stdout_path.exists() else ""

    def stderr(self):
        return self.stderr_path.read_text(errors="replace") if self.stderr_path.exists() else ""

    def output(self):
        return self.stdout() + self.stderr()

    def log_lines(self, containing=""):
        return [line for line in self.output().splitlines() if containing in line]

    def wait_for_log(self, pattern, timeout=10.0):
        return wait_for(lambda: re.search(pattern, self.output()), f"{pattern!r} in the log", timeout)

    # Where it listens, from the ready lines

    def ports(self, kind):
        if kind in self.bound:
            return self.bound[kind]
        word, scheme = {"http": ("listening", "http"), "https": ("listening", "https"),
                        "management": ("management", "http")}[kind]
        text = self.stdout_path.read_bytes()[self.said_before:].decode(errors="replace")
        return [int(port) for port in re.findall(rf"^{word} {scheme}://127\.0\.0\.1:(\d+)$", text, re.M)]

    def port(self, kind="http"):
        found = self.ports(kind)
        return found[0] if found else None

    @property
    def address(self):
        return ("127.0.0.1", self.port("http"))

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port('http')}"

    @property
    def tls_address(self):
        return ("127.0.0.1", self.port("https"))

    @property
    def tls_url(self):
        return f"https://127.0.0.1:{self.port('https')}"

    @property
    def management_address(self):
        return ("127.0.0.1", self.port("management"))

    def boto(self, service="lambda", region="us-east-1", **settings):
        """A boto3 client of the management port; one attempt a call, unless settings say otherwise."""
        import boto3
        import botocore.config
        config = botocore.config.Config(retries={"max_attempts": 0}, **settings.pop("config", {}))
        keys = {"aws_access_key_id": "any", "aws_secret_access_key": "any"} | settings
        return boto3.client(service, endpoint_url=self.management_url, region_name=region, config=config, **keys)

    @property
    def management_url(self):
        return f"http://127.0.0.1:{self.port('management')}"

    # Talking to it

    def request(self, method, target, headers=(), body=None, **options):
        return client.send(self.address, method, target, headers, body, **options)

    def get(self, target, headers=(), **options):
        return self.request("GET", target, headers, **options)

    def post(self, target, body, headers=(), **options):
        return self.request("POST", target, headers, body, **options)

    def manage(self, method, target, headers=(), body=None, **options):
        return client.send(self.management_address, method, target, headers, body, **options)

    def invoke(self, function, payload=b"{}", headers=(), qualifier=None, **options):
        """The Invoke operation of the management port."""
        target = f"/2015-03-31/functions/{function}/invocations"
        if qualifier is not None:
            target += f"?Qualifier={qualifier}"
        return self.manage("POST", target, headers, payload, **options)

    def metrics(self):
        """The metrics as {'name{labels}': value}."""
        values = {}
        for line in self.manage("GET", "/metrics").text.splitlines():
            if line and not line.startswith("#"):
                name, value = line.rsplit(" ", 1)
                values[name] = float(value)
        return values
