"""The command line: help, wrong usage, and exit codes. 1: the input is wrong, 2: usage, 3: the machine refuses."""

import socket

import pytest

from headgate import BINARY, ROOT, run

TEMPLATE = """
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties: {Handler: index.handler, Runtime: python3.12, InlineCode: "def handler(event, context): return 1"}
"""


@pytest.fixture
def template(project):
    return project.template(TEMPLATE)


def ports(project):
    return ["--listen", "127.0.0.1:0", "--api", "127.0.0.1:0", "--data-dir", project.folder / "data"]


def one_sentence(result):
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, result.stderr
    return lines[0]


def test_version():
    result = run("version")
    assert result.returncode == 0
    assert "0.1.0" in result.stdout


@pytest.mark.parametrize("arguments", [["help"], ["--help"], ["help", "serve"], ["serve", "--help"]])
def test_help(arguments):
    result = run(*arguments)
    assert result.returncode == 0
    assert "serve" in result.stdout
    assert result.stderr == ""


def test_help_names_every_option_of_serve():
    said = run("help", "serve").stdout
    for option in ("--listen", "--tls-listen", "--tls-cert", "--tls-key", "--api", "--data-dir", "--threads",
                   "--isolation", "--region", "--account", "--log-level", "--log-format", "--parameter-overrides",
                   "--env-vars", "--strict", "--runtime", "--idle-timeout", "--max-concurrency", "--drain-timeout"):
        assert option in said, option


def test_no_command():
    result = run()
    assert result.returncode == 2
    assert "serve" in result.stdout + result.stderr


@pytest.mark.parametrize("arguments, word", [
    (["sevre"], "sevre"),
    (["serve", "--lisen", "127.0.0.1:0"], "--lisen"),
    (["serve", "--listen"], "--listen"),
    (["serve", "--listen", "127.0.0.1"], "127.0.0.1"),
    (["serve", "--listen", "127.0.0.1:99999"], "99999"),
    (["serve", "--listen", "127.0.0.1:http"], "http"),
    (["serve", "--listen", "nowhere:80:80"], "nowhere"),
    (["serve", "--threads", "257"], "--threads"),
    (["serve", "--threads", "many"], "many"),
    (["serve", "--idle-timeout", "-1"], "--idle-timeout"),
    (["serve", "--log-level", "loud"], "loud"),
    (["serve", "--log-format", "xml"], "xml"),
    (["serve", "--isolation", "perfect"], "perfect"),
    (["serve", "--account", "12"], "--account"),
    (["serve", "--runtime", "python3.12"], "--runtime"),
    (["serve", "--runtime", "python3.12=/no/such/python"], "/no/such/python"),
    (["serve", "one.yaml", "two.yaml"], "two.yaml"),
    (["help", "nonsense"], "nonsense"),
])
def test_wrong_usage(project, template, arguments, word):
    if arguments[0] == "serve" and "one.yaml" not in arguments:
        arguments = [*arguments[:1], template, *arguments[1:]]
    result = run(*arguments, cwd=project.folder)
    assert result.returncode in (1, 2)
    assert word in result.stderr
    assert result.stdout == ""


def test_what_is_not_built_yet_is_refused(project, template):
    for options in (["--watch"], ["--queue", "nats://127.0.0.1"]):
        result = run("serve", template, *ports(project), *options)
        assert result.returncode in (1, 2)
        assert options[0] in one_sentence(result)


def test_port_is_taken(project, template):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = run("serve", template, "--listen", f"127.0.0.1:{port}", "--api", "127.0.0.1:0",
                     "--data-dir", project.folder / "data")
        assert result.returncode == 3
        assert str(port) in one_sentence(result)
        result = run("serve", template, "--listen", "127.0.0.1:0", "--api", f"127.0.0.1:{port}",
                     "--data-dir", project.folder / "data")
        assert result.returncode == 3
        assert str(port) in one_sentence(result)


def test_address_that_is_not_ours(project, template):
    result = run("serve", template, "--listen", "192.0.2.1:8080", "--api", "127.0.0.1:0",
                 "--data-dir", project.folder / "data")
    assert result.returncode == 3
    assert "192.0.2.1" in one_sentence(result)


def test_data_dir_that_cannot_be_made(project, template):
    project.file("file", "x")
    result = run("serve", template, "--listen", "127.0.0.1:0", "--api", "127.0.0.1:0",
                 "--data-dir", project.folder / "file/below")
    assert result.returncode == 3
    assert "file/below" in one_sentence(result)


def test_data_dir_is_locked_and_private(serve, project, template):
    server = serve(template)
    assert server.data_dir.stat().st_mode & 0o777 == 0o700
    result = run("serve", template, "--listen", "127.0.0.1:0", "--api", "127.0.0.1:0", "--data-dir", server.data_dir)
    assert result.returncode == 3
    assert str(server.data_dir) in one_sentence(result)


def test_settings_from_the_environment_and_a_file(serve, project):
    template = project.template("""
        Resources:
          F:
            Type: AWS::Serverless::Function
            Properties:
              Handler: index.handler
              Runtime: python3.12
              InlineCode: |
                def handler(event, context): return context.invoked_function_arn
        """)
    config = project.file("headgate.yaml", 'region: eu-west-1\naccount: "111122223333"\n')
    server = serve(template, "--config", config, env={"HEADGATE_ACCOUNT": "444455556666"})
    assert server.invoke("F").json() == "arn:aws:lambda:eu-west-1:444455556666:function:F"
    server = serve(template, "--config", config, "--account", "777788889999", env={"HEADGATE_ACCOUNT": "444455556666"})
    assert server.invoke("F").json() == "arn:aws:lambda:eu-west-1:777788889999:function:F"


def test_settings_file_of_the_package(serve, project):
    server = serve(project.template(TEMPLATE), "--config", ROOT / "packaging/headgate.yaml")
    assert server.invoke("F").json() == 1


def test_wrong_settings_file(project, template):
    config = project.file("headgate.yaml", "region: eu-west-1\ncolour: blue\nthreads: many\n")
    result = run("serve", template, *ports(project), "--config", config)
    assert result.returncode in (1, 2)
    assert "headgate.yaml:2" in result.stderr and "colour" in result.stderr
    assert "headgate.yaml:3" in result.stderr and "threads" in result.stderr


def test_several_listeners(serve, project):
    server = serve(project.template(TEMPLATE), "--listen", "127.0.0.1:0")
    assert len(server.ports("http")) == 2


def test_binary_is_one_file():
    assert BINARY.is_file()
