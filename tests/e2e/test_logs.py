"""Logs of functions: on the terminal, in files, by `headgate logs`."""

import re
import subprocess

from headgate import BINARY, clean_env, run, wait_for

TEMPLATE = """
Resources:
  Talker:
    Type: AWS::Serverless::Function
    Properties:
      Handler: index.handler
      Runtime: python3.12
      InlineCode: |
        import sys
        def handler(event, context):
            print("said", event["n"])
            print("two\\rin one")
            sys.stdout.write("no line end")
            sys.stdout.flush()
            return 1
  Silent:
    Type: AWS::Serverless::Function
    Properties:
      Handler: index.handler
      Runtime: python3.12
      InlineCode: |
        def handler(event, context): return 1
"""


def test_lines_on_the_terminal_name_their_function(serve, project):
    server = serve(project.template(TEMPLATE))
    server.invoke("Talker", b'{"n": 1}')
    server.invoke("Silent")
    server.wait_for_log(r"\[Talker\] said 1")
    server.wait_for_log(r"\[Silent\] END RequestId")
    assert not re.search(r"\[Silent\] said", server.output())
    # Control bytes of a function do not reach the terminal as they are.
    assert "two\rin one" not in server.output()


def test_headgate_logs(serve, project):
    server = serve(project.template(TEMPLATE))
    server.invoke("Talker", b'{"n": 41}')
    server.invoke("Talker", b'{"n": 42}')
    wait_for(lambda: "said 42" in run("logs", "Talker", "--data-dir", server.data_dir).stdout, "the log in its file")
    said = run("logs", "Talker", "--data-dir", server.data_dir)
    assert said.returncode == 0
    assert said.stdout.index("said 41") < said.stdout.index("said 42")
    assert "said" in run("logs", "Talker", "--since", "10m", "--data-dir", server.data_dir).stdout
    unknown = run("logs", "Nobody", "--data-dir", server.data_dir)
    assert unknown.returncode == 1
    assert "Nobody" in unknown.stderr


def test_headgate_logs_follow(serve, project, tmp_path):
    server = serve(project.template(TEMPLATE))
    server.invoke("Talker", b'{"n": 1}')
    out = tmp_path / "followed"
    with out.open("w") as file:
        follower = subprocess.Popen([str(BINARY), "logs", "Talker", "--follow", "--data-dir", str(server.data_dir)],
                                    stdout=file, stderr=subprocess.DEVNULL, env=clean_env())
    try:
        wait_for(lambda: "said 1" in out.read_text(), "the first line")
        server.invoke("Talker", b'{"n": 2}')
        wait_for(lambda: "said 2" in out.read_text(), "the line that came later")
    finally:
        follower.terminate()
        follower.wait(10)
