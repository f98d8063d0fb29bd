"""Greets over an HTTP API (payload format 2.0): GET /hello and GET /hello/{name}."""

import json
import logging
import os

logging.getLogger().setLevel(logging.INFO)


def handler(event, context):
    name = (event.get("pathParameters") or {}).get("name", "world")
    logging.info("greeting %s", name)
    return {
        "statusCode": 200,
        "headers": {"Content-Type": "application/json"},
        "body": json.dumps({"message": "%s, %s!" % (os.environ["GREETING"], name)}),
    }
