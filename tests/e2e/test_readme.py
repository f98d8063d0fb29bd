"""The README's commands answer as they are printed there."""

import pathlib
import re
import subprocess
import sys

import pytest

from headgate import BINARY, ROOT, clean_env

BLOCKS = re.findall(r"^```\n(.*?)^```$", (ROOT / "README.md").read_text(), re.M | re.S)
MARK = "=== next command ==="


def sessions():
    """Blocks that show commands: lists of (command, expected output)."""
    for block in BLOCKS:
        parts = re.split(r"^\$ ", block, flags=re.M)
        if len(parts) > 1 and not parts[0].strip():
            yield [re.fullmatch(r"((?:.*\\\n)*.*)\n?((?:.*\n?)*)", part).groups() for part in parts[1:]]


def without_what_changes(text):
    """Ids, times and figures differ from run to run."""
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID", text)
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME", text)
    return re.sub(r"(Duration: |Used: )[\d.]+", r"\1N", text).strip()


@pytest.fixture(scope="module")
def server(serve_module):
    return serve_module(ROOT / "examples/template.yaml")


@pytest.fixture
def env(server, tmp_path):
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "headgate").symlink_to(BINARY)
    (tools / "aws").symlink_to(pathlib.Path(sys.executable).parent / "aws")
    # The variables are exported in the first session; the others go on in the same terminal.
    env = clean_env({"HEADGATE_API": f"127.0.0.1:{server.port('management')}", "AWS_CONFIG_FILE": str(tmp_path / "none"),
                     "AWS_ENDPOINT_URL": server.management_url, "AWS_DEFAULT_REGION": "us-east-1",
                     "AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any"})
    (tmp_path / "app.py").write_text(next(block for block in BLOCKS if "def handler(" in block))
    env["PATH"] = f"{tools}:{env['PATH']}"
    return env


def with_ports(server, text):
    return (text.replace("http://127.0.0.1:8080", server.url).replace("http://127.0.0.1:4566", server.management_url))


@pytest.mark.parametrize("session", list(sessions()), ids=lambda session: session[0][0][:40])
def test_session(server, env, tmp_path, session):
    # On a terminal curl shows no progress with such short answers.
    script = 'curl() { command curl -sS "$@"; }\n' + f"echo '{MARK}'\n".join(with_ports(server, command) + "\n" for command, _ in session)
    # As on a terminal, both streams are seen.
    result = subprocess.run(["bash", "-c", script], env=env, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            text=True, timeout=60, check=False)
    outputs = result.stdout.split(MARK)
    for (command, expected), output in zip(session, outputs, strict=True):
        assert without_what_changes(output) == without_what_changes(expected), command


def test_there_are_sessions():
    assert sum("curl" in command for session in sessions() for command, _ in session) >= 3


def test_start_up_output(server):
    block = next(block for block in BLOCKS if "\nlistening http://127.0.0.1:8080\n" in block)
    for line in with_ports(server, block).strip().splitlines():
        # Which Python stands in for the runtime's depends on the machine; the rest does not.
        assert line in server.stdout(), line
