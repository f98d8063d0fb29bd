"""Writes a SAM project into a folder, and small handlers that many tests share."""

import pathlib
import textwrap

# Answers with the event it was given.
ECHO_PY = """
import json


def handler(event, context):
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(event)}
"""

# Answers with whatever JSON the request body holds.
ANSWER_PY = """
import base64
import json


def handler(event, context):
    body = event["body"]
    if event.get("isBase64Encoded"):
        body = base64.b64decode(body)
    return json.loads(body)
"""

# A custom runtime that posts the request body as the invocation's response, byte for byte.
RAW_BOOTSTRAP = """
import base64
import http.client
import json
import os

host = os.environ["AWS_LAMBDA_RUNTIME_API"]
connection = http.client.HTTPConnection(host)
while True:
    connection.request("GET", "/2018-06-01/runtime/invocation/next")
    answer = connection.getresponse()
    event = json.loads(answer.read())
    body = event.get("body") or ""
    data = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()
    path = "/2018-06-01/runtime/invocation/" + answer.headers["Lambda-Runtime-Aws-Request-Id"] + "/response"
    connection.request("POST", path, data)
    connection.getresponse().read()
"""


class Project:
    """A folder with a template and what belongs to it."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)

    @property
    def template_path(self):
        return self.folder / "template.yaml"

    def file(self, name, content, mode=None):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(textwrap.dedent(content).lstrip("\n"))
        if mode:
            path.chmod(mode)
        return path

    def template(self, text, name="template.yaml"):
        """The text is dedented; the SAM transform line is added when it has none."""
        text = textwrap.dedent(text).lstrip("\n")
        if name.endswith(".yaml") and "Transform:" not in text:
            text = "Transform: AWS::Serverless-2016-10-31\n" + text
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def bootstrap(self, folder, source, interpreter=None):
        """A `provided` function in Python: an executable bootstrap."""
        python = interpreter or PYTHON
        return self.file(f"{folder}/bootstrap", f"#!{python}\n" + textwrap.dedent(source).lstrip("\n"), 0o755)


# The interpreter for custom runtimes: the system's own, not a wrapper script that needs its owner's environment.
PYTHON = next((path for path in ("/usr/bin/python3", "/usr/local/bin/python3") if pathlib.Path(path).exists()),
              "/usr/bin/env python3")
