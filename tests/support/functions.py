"""Deployment packages and functions for tests of the management API."""

import io
import uuid
import zipfile

import botocore.exceptions

ROLE = "arn:aws:iam::000000000000:role/test"
ECHO = "def handler(event, context):\n    return event\n"


def zip_of(files):
    """{"index.py": text or bytes} as the bytes of an archive; the same files give the same bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name, (2026, 1, 2, 3, 4, 6))
            info.external_attr = 0o100755 << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    return out.getvalue()


def fresh_name(prefix="fn"):
    return f"{prefix}-{uuid.uuid4().hex[:10]}"


def create(client, name=None, code=ECHO, **members):
    """Creates a Python function from the text of its index.py; the answer of CreateFunction."""
    request = {"FunctionName": name or fresh_name(), "Runtime": "python3.12", "Handler": "index.handler", "Role": ROLE,
               "Code": {"ZipFile": zip_of({"index.py": code})}} | members
    return client.create_function(**request)


def refusal(operation, **members):
    """What a call that must fail is answered: (status, the exception's name, message)."""
    try:
        answer = operation(**members)
    except botocore.exceptions.ClientError as error:
        response = error.response
        return (response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"],
                response["Error"].get("Message") or response.get("message"))
    raise AssertionError(f"it was not refused: {answer}")
