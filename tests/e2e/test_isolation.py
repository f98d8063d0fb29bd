"""The isolation modes, and what functions leave behind."""

import json

import pytest

TEMPLATE = """
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Handler: app.handler
      Runtime: python3.11
      CodeUri: src/
"""
HANDLER = """
import resource
import helper

def handler(event, context):
    status = dict(line.split(":\\t", 1) for line in open("/proc/self/status").read().splitlines() if ":\\t" in line)
    return {
        "no_new_privs": status["NoNewPrivs"],
        "files": resource.getrlimit(resource.RLIMIT_NOFILE)[0],
    }
"""


@pytest.fixture
def project(project):
    project.template(TEMPLATE)
    project.file("src/app.py", HANDLER)
    project.file("src/helper.py", "VALUE = 1\n")
    return project


def health(server):
    return server.manage("GET", "/_headgate/health").json()["workers"]["isolation"]


def test_process_isolation_is_the_default(serve, project):
    server = serve(project.template_path)
    seen = json.loads(server.invoke("F").body)
    assert seen["no_new_privs"] == "1"
    assert seen["files"] == 1024
    assert health(server) == "process"


def test_no_isolation_on_demand(serve, project):
    server = serve(project.template_path, "--isolation", "none")
    seen = json.loads(server.invoke("F").body)
    assert seen["no_new_privs"] == "0"
    assert health(server) == "none"


def test_nothing_is_left_among_the_users_files(serve, project):
    server = serve(project.template_path)
    assert server.invoke("F").status == 200
    assert server.invoke("F").status == 200
    names = sorted(path.name for path in (project.folder / "src").iterdir())
    assert names == ["app.py", "helper.py"]
