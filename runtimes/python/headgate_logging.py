"""Sets up the root logger the way a function finds it. Loaded when the function first imports logging."""

import logging
import os
import sys
import time
import traceback

import headgate_runtime

ATTRIBUTES = frozenset(
    (
        "name msg args levelname levelno pathname filename module exc_info exc_text stack_info lineno funcName"
        " created msecs relativeCreated thread threadName processName process taskName aws_request_id tenant_id"
    ).split()
)


class _RequestFilter(logging.Filter):
    def filter(self, record):
        record.aws_request_id = headgate_runtime.current_request_id or ""
        record.tenant_id = headgate_runtime.current_tenant_id
        return True


class _Handler(logging.Handler):
    def emit(self, record):
        try:
            line = self.format(record)
            sys.stdout.write(line if line.endswith("\n") else line + "\n")
        except Exception:
            self.handleError(record)


class _JsonFormatter(logging.Formatter):
    def __init__(self):
        super().__init__(datefmt="%Y-%m-%dT%H:%M:%SZ")
        import json

        self._encode = json.JSONEncoder(ensure_ascii=False, default=str).encode

    def format(self, record):
        level = min(50, max(0, record.levelno)) // 10 * 10
        failed = record.exc_info
        is_structured = isinstance(record.msg, dict) and not record.args
        line = {
            "timestamp": self.formatTime(record, self.datefmt),
            "level": logging.getLevelName(level),
            "message": record.msg if is_structured else record.getMessage(),
            "logger": record.name,
            "stackTrace": traceback.format_tb(failed[2]) if failed else None,
            "errorType": failed[0].__name__ if failed and failed[0] else None,
            "errorMessage": str(failed[1]) if failed else None,
            "requestId": record.aws_request_id,
            "location": "%s:%s:%s" % (record.pathname, record.funcName, record.lineno) if failed else None,
            "tenantId": record.tenant_id,
        }
        for name, value in record.__dict__.items():
            if name not in ATTRIBUTES and name not in line:
                line[name] = value
        return self._encode({name: value for name, value in line.items() if value is not None}) + "\n"


def set_up():
    logging.Formatter.converter = time.gmtime
    handler = _Handler()
    if headgate_runtime.LOG_FORMAT == "JSON":
        handler.setFormatter(_JsonFormatter())
    else:
        handler.setFormatter(
            logging.Formatter(
                "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s\n",
                "%Y-%m-%dT%H:%M:%S",
            )
        )
    handler.addFilter(_RequestFilter())
    root = logging.getLogger()
    root.addHandler(handler)
    level = os.environ.get("AWS_LAMBDA_LOG_LEVEL", "").upper()
    level = "DEBUG" if level == "TRACE" else level
    if level in logging._nameToLevel:
        root.setLevel(level)
