"""JSON for events and results, as the managed Python runtimes read and write it.

Uses the interpreter's C scanner and encoder without the json package, whose import
(it needs re) would double a cold start. Whatever the short path does not take goes
to the package, so that its results and its error texts are the usual ones.
"""

import os
import sys

WHITESPACE = " \t\n\r"
SCALARS = frozenset((str, int, float, bool, type(None)))


class _ScannerOptions:
    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = {"-Infinity": float("-inf"), "Infinity": float("inf"), "NaN": float("nan")}.__getitem__


try:
    import _json

    _scan = _json.make_scanner(_ScannerOptions)
except (ImportError, AttributeError, TypeError):
    _json = None


def _escapes_non_ascii():
    # python3.12 and later send UTF-8; earlier runtimes escape everything beyond ASCII.
    name = os.environ.get("AWS_EXECUTION_ENV", "")
    prefix = "AWS_Lambda_python3."
    return not (name.startswith(prefix) and name[len(prefix) :].isdigit() and int(name[len(prefix) :]) >= 12)


ESCAPES_NON_ASCII = _escapes_non_ascii()


def loads(body):
    """Parses bytes; raises what json.loads raises."""
    if _json is not None:
        try:
            text = body.decode("utf-8")
            value, end = _scan(text, 0)
            if end == len(text) or not text[end:].strip(WHITESPACE):
                return value
        except (ValueError, StopIteration, SystemError):
            pass  # SystemError: the scanner found a mistake, but not the package's exception class
    import json

    return json.loads(body)


def _holds_named_tuple(value):
    """True if something inside would be written as an object although it is a tuple."""
    kind = type(value)
    if kind in SCALARS:
        return False
    if isinstance(value, dict):
        for item in value.values():
            if type(item) not in SCALARS and _holds_named_tuple(item):
                return True
        return False
    if isinstance(value, (list, tuple)):
        if kind is not list and kind is not tuple and hasattr(value, "_asdict"):
            return True
        for item in value:
            if type(item) not in SCALARS and _holds_named_tuple(item):
                return True
    return False


def _unfold(value):
    """A copy in which named tuples are dicts."""
    if isinstance(value, dict):
        return {key: _unfold(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        if hasattr(value, "_asdict"):
            return _unfold(value._asdict())
        return [_unfold(item) for item in value]
    return value


class Encoder:
    """Writes results. One per process; not for use by two threads at once."""

    def __init__(self):
        self._markers = {}  # ids of the containers being written, kept by the C encoder
        self._literals = []  # texts of the Decimals met so far
        self._token = None  # stands for each of them until the text is complete
        if _json is not None:
            self._encode = _json.make_encoder(
                self._markers,
                self._default,
                _json.encode_basestring_ascii if ESCAPES_NON_ASCII else _json.encode_basestring,
                None,
                ": ",
                ", ",
                False,
                False,
                True,
            )
        else:
            import json

            encode = json.JSONEncoder(ensure_ascii=ESCAPES_NON_ASCII, default=self._default).encode
            self._encode = lambda value, level: (encode(value),)

    def _default(self, value):
        decimal = sys.modules.get("decimal")
        if decimal is not None and isinstance(value, decimal.Decimal):
            if value.is_nan():
                return float("nan")
            if self._token is None:
                self._token = os.urandom(12).hex()
            self._literals.append(str(value))
            return self._token
        if isinstance(value, bytes):
            return value.decode("utf-8")
        if hasattr(value, "_asdict") and not isinstance(value, type):
            return value._asdict()
        raise TypeError("Object of type %s is not JSON serializable" % type(value).__name__)

    def encode(self, value):
        """The JSON text of value; raises TypeError or ValueError as json.dumps does."""
        try:
            if type(value) not in SCALARS and _holds_named_tuple(value):
                value = _unfold(value)
        except RecursionError:
            pass  # a cycle: the encoder says so in the usual words
        try:
            pieces = self._encode(value, 0)
        except BaseException:
            self._markers.clear()
            self._literals.clear()
            raise
        text = pieces[0] if len(pieces) == 1 else "".join(pieces)
        if self._literals:
            text = self._put_literals_in(text)
        return text

    def _put_literals_in(self, text):
        between = text.split('"' + self._token + '"')
        joined = [between[0]]
        for literal, rest in zip(self._literals, between[1:]):
            joined.append(literal)
            joined.append(rest)
        self._literals.clear()
        return "".join(joined)
