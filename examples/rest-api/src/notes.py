"""Notes behind a REST API. They live in the function's own /tmp, as long as its environment does."""

import json
import os
import pathlib
import re

FOLDER = pathlib.Path("/tmp/notes")
NAME = re.compile(r"[a-z0-9-]{1,40}")


def answer(status, value):
    return {
        "statusCode": status,
        "headers": {"Content-Type": "application/json", "Access-Control-Allow-Origin": "*"},
        "body": json.dumps(value),
    }


def handler(event, context):
    FOLDER.mkdir(exist_ok=True)
    if event["resource"] == "/notes":
        return answer(200, sorted(path.name for path in FOLDER.iterdir()))

    name = event["pathParameters"]["name"]
    if not NAME.fullmatch(name):
        return answer(400, {"message": "a name is 1 to 40 small letters, digits and hyphens"})
    note = FOLDER / name
    if event["httpMethod"] == "PUT":
        text = event["body"] or ""
        if len(text) > int(os.environ["NOTE_MAX"]):
            return answer(413, {"message": "the note is too long"})
        note.write_text(text)
        return answer(200, {"name": name, "text": text})
    if not note.exists():
        return answer(404, {"message": "no such note"})
    if event["httpMethod"] == "DELETE":
        note.unlink()
        return answer(200, {"name": name})
    return answer(200, {"name": name, "text": note.read_text()})
