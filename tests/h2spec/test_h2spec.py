"""HTTP/2 conformance: all of h2spec, in clear text and over TLS, strict cases included."""

import re
import subprocess

import pytest

from headgate import ROOT

H2SPEC = ROOT / ".tools/bin/h2spec"
TEMPLATE = """
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Handler: index.handler
      Runtime: python3.12
      InlineCode: |
        def handler(event, context):
            return {"statusCode": 200, "headers": {"content-type": "text/plain"}, "body": "x" * 200}
      Events: {Rest: {Type: HttpApi}}
"""


@pytest.mark.timeout(400)
@pytest.mark.parametrize("kind", ["clear text", "TLS"])
def test_h2spec(serve, project, certificate, kind):
    assert H2SPEC.exists(), "run tools/setup.sh test"
    server = serve(project.template(TEMPLATE), tls=certificate)
    assert server.get("/").status == 200
    where = ["-p", str(server.port("http"))] if kind == "clear text" else ["-p", str(server.port("https")), "-t", "-k"]
    result = subprocess.run(
        [str(H2SPEC), "-h", "127.0.0.1", *where, "-S", "-o", "5"], capture_output=True, text=True, timeout=380, check=False)
    summary = re.search(r"(\d+) tests?, (\d+) passed, (\d+) skipped, (\d+) failed", result.stdout)
    assert summary, result.stdout[-2000:]
    print(f"\nh2spec over {kind}: {summary[0]}")
    failures = result.stdout[result.stdout.find("Failures:"):] if "Failures:" in result.stdout else ""
    assert summary[4] == "0", failures[:6000]
    assert int(summary[1]) > 100
    assert result.returncode == 0
