"""Error bodies and error log lines. Loaded with the first error; traceback is too slow to load for less."""

import os
import sys
import time
import traceback

import headgate_runtime

LINE_END = "\r"  # keeps a traceback one log event
INDENT = "\u00a0"  # survives consoles that collapse spaces


class Fault(Exception):
    """An error of the runtime itself, with the error type its caller is shown."""

    def __init__(self, error_type, message, stack_trace=()):
        super().__init__(message)
        self.error_type = error_type
        self.message = message
        self.stack_trace = list(stack_trace)


def _body(error_type, message, stack_trace, request_id):
    return {
        "errorMessage": message,
        "errorType": error_type,
        "requestId": request_id,
        "stackTrace": stack_trace,
    }


def describe(error, request_id=""):
    """The error body of an exception, its trace beginning where the user's code does."""
    if isinstance(error, Fault):
        return _body(error.error_type, error.message, error.stack_trace, request_id)
    frames = [(f.filename, f.lineno, f.name, f.line) for f in traceback.extract_tb(error.__traceback__)]
    ours = os.path.dirname(headgate_runtime.__file__)
    first = 0
    while first < len(frames) and os.path.dirname(frames[first][0]) == ours:
        first += 1
    if first == len(frames):
        first = 0
    return _body(type(error).__name__, str(error), traceback.format_list(frames[first:]), request_id)


def log(body):
    """Writes the line that an uncaught error leaves in the log."""
    if headgate_runtime.LOG_FORMAT == "JSON":
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        line = headgate_runtime.encoder.encode({"timestamp": stamp, "level": "ERROR", **body})
    else:
        line = LINE_END.join(_text_lines(body))
    sys.stdout.write(line + "\n")


def _text_lines(body):
    summary = "[ERROR]"
    if body["errorType"]:
        summary += " " + body["errorType"]
    if body["errorMessage"]:
        summary += (": " if body["errorType"] else " ") + body["errorMessage"]
    lines = [summary, "Traceback (most recent call last):"]
    for entry in body["stackTrace"]:
        for line in entry.splitlines() or [""]:
            text = line.lstrip(" ")
            lines.append(INDENT * (len(line) - len(text)) + text)
    return lines
