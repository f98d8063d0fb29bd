"""The managed Python runtime: finds the handler, then serves events until the platform is done.

Everything that only some functions need (logging, tracebacks, the json package) is
loaded when they first need it; a cold start pays for what is at the top of this file.
"""

import os
import sys
from time import time

import headgate_json
import headgate_wire

LOG_FORMAT = "JSON" if os.environ.get("AWS_LAMBDA_LOG_FORMAT", "").upper() == "JSON" else "Text"

encoder = headgate_json.Encoder()
current_request_id = None
current_tenant_id = None


class _Record:
    """Attributes from a dict, all of them present."""

    __slots__ = ()

    def __init__(self, values):
        for name in self.__slots__:
            setattr(self, name, values.get(name))

    def __repr__(self):
        shown = ",".join("%s=%s" % (name, getattr(self, name)) for name in self.__slots__)
        return "%s([%s])" % (type(self).__name__, shown)


class CognitoIdentity(_Record):
    __slots__ = ("cognito_identity_id", "cognito_identity_pool_id")


class Client(_Record):
    __slots__ = (
        "installation_id",
        "app_title",
        "app_version_name",
        "app_version_code",
        "app_package_name",
    )


class ClientContext(_Record):
    __slots__ = ("custom", "env", "client")

    def __init__(self, values):
        super().__init__(values)
        if self.client is not None:
            self.client = Client(self.client)


class LambdaContext:
    def __init__(self, headers, function):
        self.aws_request_id = headers.get("lambda-runtime-aws-request-id")
        self.log_group_name = function.log_group_name
        self.log_stream_name = function.log_stream_name
        self.function_name = function.function_name
        self.memory_limit_in_mb = function.memory_limit_in_mb
        self.function_version = function.function_version
        self.invoked_function_arn = headers.get("lambda-runtime-invoked-function-arn")
        self.tenant_id = headers.get("lambda-runtime-aws-tenant-id")
        self._w3c_fields = {}
        self.client_context = None
        self.identity = CognitoIdentity({})
        self._epoch_deadline_time_in_ms = int(headers.get("lambda-runtime-deadline-ms", 0))
        if "lambda-runtime-client-context" in headers:
            self._set_client_context(_parse_header(headers, "lambda-runtime-client-context", "Client Context"))
        if "lambda-runtime-cognito-identity" in headers:
            values = _parse_header(headers, "lambda-runtime-cognito-identity", "Cognito Identity")
            self.identity.cognito_identity_id = values.get("cognitoIdentityId")
            self.identity.cognito_identity_pool_id = values.get("cognitoIdentityPoolId")

    def _set_client_context(self, values):
        if isinstance(values, dict):
            w3c = values.pop("w3c", None)
            if isinstance(w3c, dict):
                for name in ("traceparent", "tracestate", "baggage"):
                    if isinstance(w3c.get(name), str):
                        self._w3c_fields[name] = w3c[name]
        if values is not None:
            self.client_context = ClientContext(values)

    def get_remaining_time_in_millis(self):
        left = self._epoch_deadline_time_in_ms - int(time() * 1000)
        return left if left > 0 else 0

    def w3c(self):
        return dict(self._w3c_fields)

    def log(self, msg):
        sys.stdout.write(str(msg))

    def __repr__(self):
        names = (
            "aws_request_id",
            "log_group_name",
            "log_stream_name",
            "function_name",
            "memory_limit_in_mb",
            "function_version",
            "invoked_function_arn",
            "client_context",
            "identity",
            "tenant_id",
        )
        return "LambdaContext([%s])" % ",".join("%s=%s" % (name, getattr(self, name)) for name in names)


class Function:
    """What every context says about the function; read before the user's code can change the environment."""

    def __init__(self, environ):
        self.log_group_name = environ.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = environ.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.function_name = environ.get("AWS_LAMBDA_FUNCTION_NAME")
        self.memory_limit_in_mb = environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.function_version = environ.get("AWS_LAMBDA_FUNCTION_VERSION")


def _fault(error_type, message, stack_trace=()):
    from headgate_errors import Fault

    return Fault(error_type, message, stack_trace)


def _parse_header(headers, name, title):
    try:
        return headgate_json.loads(headers[name].encode("utf-8"))
    except Exception as e:
        raise _fault("Runtime.LambdaContextUnmarshalError", "Unable to parse %s JSON: %s" % (title, e)) from None


class _LoggingHook:
    """Finder that lets the first import of logging go by, then sets up the root logger."""

    def find_spec(self, name, path=None, target=None):
        if name != "logging":
            return None
        sys.meta_path.remove(self)
        for finder in sys.meta_path:
            spec = finder.find_spec(name, path, target)
            if spec is not None:
                spec.loader = _LoggingLoader(spec.loader)
                return spec
        return None


class _LoggingLoader:
    def __init__(self, loader):
        self._loader = loader

    def create_module(self, spec):
        return self._loader.create_module(spec)

    def exec_module(self, module):
        module.__spec__.loader = module.__loader__ = self._loader
        self._loader.exec_module(module)
        import headgate_logging

        headgate_logging.set_up()


def _prepare_logging():
    if "logging" in sys.modules:  # a site customisation was quicker
        import headgate_logging

        headgate_logging.set_up()
    else:
        sys.meta_path.insert(0, _LoggingHook())


def _prepare_streams():
    # A line reaches the log when it ends, even if the process is killed right after it.
    for stream in (sys.stdout, sys.stderr):
        if stream.encoding.lower() == "utf-8":
            stream.reconfigure(line_buffering=True)
        else:
            stream.reconfigure(encoding="utf-8", line_buffering=True)


def _prepare_path():
    opt = os.environ.pop("HEADGATE_OPT_DIR", "/opt")
    version = "python%d.%d" % sys.version_info[:2]
    ours = sys.path[0]
    sys.path[0:1] = [
        os.environ.get("LAMBDA_TASK_ROOT", os.getcwd()),
        opt + "/python/lib/" + version + "/site-packages",
        opt + "/python",
    ]
    # The modules that are loaded later are found by this finder: their folder is not on sys.path.
    sys.meta_path.append(_OwnModules(ours))


class _OwnModules:
    def __init__(self, folder):
        self._folder = folder

    def find_spec(self, name, path=None, target=None):
        if name not in ("headgate_errors", "headgate_logging"):
            return None
        path_finder = sys.modules["_frozen_importlib_external"].PathFinder
        return path_finder.find_spec(name, [self._folder])


def _find_handler(name):
    from importlib import import_module

    try:
        module_name, function_name = name.rsplit(".", 1)
    except ValueError as e:
        raise _fault("Runtime.MalformedHandlerName", "Bad handler '%s': %s" % (name, e)) from None
    if module_name.split(".")[0] in sys.builtin_module_names:
        raise _fault(
            "Runtime.BuiltInModuleConflict",
            "Cannot use built-in module %s as a handler module" % module_name,
        )
    try:
        module = import_module(module_name.replace("/", "."))
    except ImportError as e:
        raise _fault(
            "Runtime.ImportModuleError", "Unable to import module '%s': %s" % (module_name, e)
        ) from None
    except SyntaxError as e:
        raise _fault(
            "Runtime.UserCodeSyntaxError",
            "Syntax error in module '%s': %s" % (module_name, e),
            ['  File "%s" Line %s\n    %s' % (e.filename, e.lineno, e.text)],
        ) from None
    try:
        return getattr(module, function_name)
    except AttributeError:
        raise _fault(
            "Runtime.HandlerNotFound",
            "Handler '%s' missing on module '%s'" % (function_name, module_name),
        ) from None


def _flush_streams():
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:
            pass  # the function replaced or closed it; its lines are its own affair


def _exit(status, message=None):
    """Leaves at once: what the function left running has no one to answer to."""
    if message is not None:
        sys.stderr.write("headgate: python runtime: %s\n" % message)
    _flush_streams()
    os._exit(status)


def _report_init_error(connection, error):
    import headgate_errors

    body = headgate_errors.describe(error)
    headgate_errors.log(body)
    _flush_streams()
    encoded = encoder.encode(body).encode("utf-8", "surrogatepass")
    connection.send(*headgate_wire.post(b"init/error", encoded, b"application/json", body["errorType"]))
    connection.receive_ack()
    sys.exit(1)


def _unmarshal(headers, body):
    if headers.get("content-type", "application/json") != "application/json":
        return body
    try:
        return headgate_json.loads(body)
    except Exception as e:
        raise _fault("Runtime.UnmarshalError", "Unable to unmarshal input: %s" % e) from None


def _marshal(result):
    if isinstance(result, bytes):
        return result, b"application/unknown"
    try:
        return encoder.encode(result).encode("utf-8"), b"application/json"
    except Exception as e:
        raise _fault("Runtime.MarshalError", "Unable to marshal response: %s" % e) from None


def _handle(handler, function, headers, body):
    """Runs one invocation and returns the parts of the POST that ends it."""
    request_id = headers["lambda-runtime-aws-request-id"]
    try:
        context = LambdaContext(headers, function)
        result, content_type = _marshal(handler(_unmarshal(headers, body), context))
        return headgate_wire.post(b"invocation/%b/response" % request_id.encode(), result, content_type)
    except Exception as e:
        import headgate_errors

        error = headgate_errors.describe(e, request_id)
        headgate_errors.log(error)
        encoded = encoder.encode(error).encode("utf-8", "surrogatepass")
        return headgate_wire.post(
            b"invocation/%b/error" % request_id.encode(), encoded, b"application/json", error["errorType"]
        )


def _serve(connection, handler, function):
    global current_request_id, current_tenant_id
    environ = os.environ
    stdout, stderr = sys.stdout, sys.stderr
    connection.send(headgate_wire.NEXT)
    while True:
        headers, body = connection.receive_event()
        current_request_id = headers.get("lambda-runtime-aws-request-id")
        current_tenant_id = headers.get("lambda-runtime-aws-tenant-id")
        trace_id = headers.get("lambda-runtime-trace-id")
        if trace_id is not None:
            environ["_X_AMZN_TRACE_ID"] = trace_id
        elif "_X_AMZN_TRACE_ID" in environ:
            del environ["_X_AMZN_TRACE_ID"]

        head, answer = _handle(handler, function, headers, body)
        _flush_streams()
        if sys.stdout is not stdout or sys.stderr is not stderr:
            _flush_originals(stdout, stderr)
        connection.send(head, answer, headgate_wire.NEXT)
        status = connection.receive_ack()
        # 413: the caller has been told that the result is too large, and this environment lives on.
        if status != 202 and status != 413:
            raise headgate_wire.ProtocolError("the platform refused a result with status %d" % status)


def _flush_originals(*streams):
    for stream in streams:
        try:
            stream.flush()
        except (ValueError, OSError):
            pass  # closed by the function


def main():
    try:
        connection = headgate_wire.connect()
    except (KeyError, ValueError, OSError) as e:
        _exit(1, "cannot reach the Runtime API: %s" % e)
    _prepare_streams()
    _prepare_path()
    _prepare_logging()
    function = Function(os.environ)
    try:
        try:
            handler = _find_handler(os.environ.get("_HANDLER", ""))
        except Exception as e:
            _report_init_error(connection, e)
        _serve(connection, handler, function)
    except headgate_wire.PlatformGone:
        _exit(0)
    except (headgate_wire.ConnectionTaken, headgate_wire.ProtocolError) as e:
        _exit(1, str(e))
