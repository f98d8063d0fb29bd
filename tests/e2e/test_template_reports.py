"""What start-up and validate say about a template: nothing in it is ignored in silence."""

import re

import pytest

from headgate import run

PARTS = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Handler: index.handler
      Runtime: python3.12
      InlineCode: "def handler(event, context): return 1"
      Events:
        Jobs:
          Type: SQS
          Properties: {Queue: !GetAtt Queue.Arn}
        Nightly:
          Type: Schedule
          Properties: {Schedule: rate(1 day)}
        Web:
          Type: Api
          Properties: {Path: /x, Method: get}
  Queue:
    Type: AWS::SQS::Queue
  Strange:
    Type: AWS::Quantum::Computer
    Properties: {Qubits: 3}
"""


def line_of(text, part):
    return text[:text.index(part)].count("\n") + 1


def serve_and_end(template, folder, *options):
    return run("serve", template, "--listen", "127.0.0.1:0", "--api", "127.0.0.1:0", "--data-dir", folder / "data",
               *options)


def test_not_served_yet(serve, project):
    server = serve(project.template(PARTS))
    for part in ("Jobs:", "Nightly:", "Queue:\n    Type"):
        # The line of the name or of the type below it.
        first = line_of(PARTS, part)
        server.wait_for_log(rf"(?i)template\.yaml:({first}|{first + 1})(:\d+)?: .*not served yet")
    assert server.invoke("F").json() == 1


def test_unknown_type_is_named_and_does_not_stop_the_rest(serve, project):
    server = serve(project.template(PARTS))
    first = line_of(PARTS, "Strange:")
    server.wait_for_log(rf"template\.yaml:({first}|{first + 1})(:\d+)?: .*AWS::Quantum::Computer")
    assert server.invoke("F").json() == 1


def test_strict_stops_at_what_is_unknown(project):
    result = serve_and_end(project.template(PARTS), project.folder, "--strict")
    assert result.returncode == 1
    first = line_of(PARTS, "Strange:")
    assert re.search(rf"template\.yaml:({first}|{first + 1})", result.stderr)
    assert "AWS::Quantum::Computer" in result.stderr


def test_unknown_property_is_named(serve, project):
    text = PARTS.replace("      Handler: index.handler\n", "      Handler: index.handler\n      Colour: blue\n")
    server = serve(project.template(text))
    server.wait_for_log(rf"template\.yaml:{line_of(text, 'Colour:')}(:\d+)?: .*Colour")


BROKEN = {
    "no resources": ("Transform: AWS::Serverless-2016-10-31\n", None, "Resources"),
    "not yaml": ("Resources:\n  F: [1, 2\n  G: }\n", None, None),
    "empty": ("", None, None),
    "a list": ("- a\n- b\n", None, None),
    "unknown reference": (
        PARTS.replace("!GetAtt Queue.Arn", "!GetAtt Qeue.Arn"), "!GetAtt Qeue.Arn", "Qeue"),
    "unknown reference in Sub": (
        PARTS.replace("Qubits: 3", "Qubits: 3").replace("Path: /x", "Path: !Sub '/${Nope}'"), "!Sub", "Nope"),
    "missing handler": (PARTS.replace("      Handler: index.handler\n", ""), None, "Handler"),
    "missing runtime": (PARTS.replace("      Runtime: python3.12\n", ""), None, "Runtime"),
    "unknown runtime": (PARTS.replace("python3.12", "cobol85"), "cobol85", "cobol85"),
    "bad timeout": (PARTS.replace("      Runtime:", "      Timeout: 901\n      Runtime:"), "Timeout: 901", "Timeout"),
    "bad memory": (PARTS.replace("      Runtime:", "      MemorySize: 12\n      Runtime:"), "MemorySize: 12", "MemorySize"),
    "missing code": (
        PARTS.replace('      InlineCode: "def handler(event, context): return 1"\n', "      CodeUri: no/such/folder\n"),
        "CodeUri", "no/such/folder"),
    "same route twice": (
        PARTS.replace("        Web:", "        Web2:\n          Type: Api\n"
                      "          Properties: {Path: /x, Method: GET}\n        Web:"), None, "/x"),
    "wrong global": (
        PARTS.replace("Resources:", "Globals: {Function: {Colour: blue}}\nResources:", 1), "Globals", "Colour"),
    "wrong method": (PARTS.replace("Method: get", "Method: fetch"), "Method: fetch", "fetch"),
    "circular": (
        PARTS.replace("Properties: {Qubits: 3}", "Properties: {A: !Ref Cycle}") + "Conditions:\n  A: !Condition B\n"
        "  B: !Condition A\n", None, None),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_template(project, case):
    text, part, word = BROKEN[case]
    template = project.folder / "template.yaml"
    template.write_text(text)
    result = serve_and_end(template, project.folder)
    assert result.returncode == 1, result.stdout + result.stderr
    assert "template.yaml" in result.stderr
    if part:
        assert re.search(rf"template\.yaml:{line_of(text, part)}\b", result.stderr), result.stderr
    if word:
        assert word in result.stderr
    assert run("validate", template).returncode == 1


def test_all_mistakes_are_told_at_once(project):
    text = PARTS.replace("python3.12", "cobol85").replace("      Handler", "      Timeout: 9999\n      Handler")
    template = project.folder / "template.yaml"
    template.write_text(text)
    result = serve_and_end(template, project.folder)
    assert result.returncode == 1
    assert "cobol85" in result.stderr and "Timeout" in result.stderr


def test_validate(project):
    result = run("validate", project.template(PARTS))
    assert result.returncode == 1
    said = result.stdout + result.stderr
    assert "AWS::Quantum::Computer" in said
    assert "not served yet" in said
    good = project.template("""
        Resources:
          F:
            Type: AWS::Serverless::Function
            Properties:
              Handler: index.handler
              Runtime: python3.12
              InlineCode: "def handler(event, context): return 1"
              Events: {Web: {Type: Api, Properties: {Path: /x, Method: get}}}
        """, "good.yaml")
    result = run("validate", good)
    assert result.returncode == 0, result.stdout + result.stderr


HANDLERS = """
Resources:
  Typo:
    Type: AWS::Serverless::Function
    Properties: {Handler: mian.handler, Runtime: python3.12, CodeUri: src}
  Flat:
    Type: AWS::Serverless::Function
    Properties: {Handler: handler, Runtime: nodejs20.x, CodeUri: src}
  Bare:
    Type: AWS::Serverless::Function
    Properties: {Handler: bootstrap, Runtime: provided.al2023, CodeUri: src}
"""


def test_validate_looks_for_the_handlers(project):
    (project.folder / "src").mkdir()
    (project.folder / "src/main.py").write_text("def handler(event, context): return 1\n")
    template = project.template(HANDLERS)
    result = run("validate", template)
    assert result.returncode == 0, result.stdout + result.stderr
    for part, words in (("Typo:", "no file `mian`"), ("Flat:", "should be written file.function"), ("Bare:", "no executable")):
        assert re.search(rf"template\.yaml:{line_of(template.read_text(), part)}: warning: .*{words}", result.stdout), words
    future = project.template(HANDLERS.replace("python3.12", "python3.99999"), "future.yaml")
    result = run("validate", future)
    assert result.returncode == 1
    assert "unknown runtime python3.99999" in result.stderr


def test_routes_command(project):
    template = project.template(PARTS)
    result = run("routes", template)
    assert result.returncode == 0, result.stderr
    assert re.search(r"GET\s.*/x.*F", result.stdout)


def test_start_up_prints_a_line_per_route(serve, project):
    server = serve(project.template(PARTS))
    server.wait_for_log(r"GET\s.*/x.*F")


def test_template_that_does_not_exist(project):
    result = serve_and_end(project.folder / "nope.yaml", project.folder)
    assert result.returncode == 1
    assert "nope.yaml" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
