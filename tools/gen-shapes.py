#!/usr/bin/env python3
"""Writes api/shapes.def: what the Lambda API's own model says about each operation and its input.

The model is botocore's (lambda/2015-03-31/service-2.json of the test environment). Where the service is known to behave
otherwise than its model says, OVERRIDES has the difference and why.

    .tools/venv/bin/python tools/gen-shapes.py          writes the file
    .tools/venv/bin/python tools/gen-shapes.py --check  exits 1 when the file differs
"""

import pathlib
import re
import sys

import botocore.loaders

OUT = pathlib.Path(__file__).resolve().parent.parent / "api" / "shapes.def"

# Shape -> what differs from the model. None takes a constraint away.
OVERRIDES = {
    # The handler's own sentence names the runtimes and allows ARNs.
    "Runtime@CreateFunctionRequest": {"enum": None},
    "Runtime@UpdateFunctionConfigurationRequest": {"enum": None},
    # Two limits with two sentences; the handler has both.
    "MemorySize": {"max": None},
    # The model's larger bounds are those of managed instances.
    "Timeout": {"max": 900},
    "EphemeralStorageSize": {"max": 10240},
    "NamespacedFunctionName": {"max": 140},
    # The order in which the service lists the values.
    "RecursiveLoop": {"enum": ["Terminate", "Allow"]},
    "InvokeMode": {"enum": ["RESPONSE_STREAM", "BUFFERED"]},
    "EventSourcePosition": {"enum": ["LATEST", "AT_TIMESTAMP", "TRIM_HORIZON"]},
}

# Families of operations that Headgate does not serve: their input is not read, so its shapes are not needed.
UNSERVED = re.compile(r"Durable|CapacityProvider|ScalingConfig|ResourcePolicy")

KINDS = {
    "structure": "STRUCTURE", "list": "LIST", "map": "MAP", "string": "STRING", "integer": "INTEGER",
    "long": "LONG", "double": "DOUBLE", "float": "DOUBLE", "boolean": "BOOLEAN", "timestamp": "TIMESTAMP", "blob": "BLOB",
}
PLACES = {None: "BODY", "uri": "PATH", "querystring": "QUERY", "header": "HEADER"}


def quoted(text):
    if text is None:
        return "NULL"
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("?", "\\?") + '"'


def bound(value):
    return "HG_UNBOUND" if value is None else repr(value)


class Model:
    def __init__(self):
        self.data = botocore.loaders.Loader().load_service_model("lambda", "service-2")
        self.shapes = {}  # name -> row, in the order of first use
        self.members = []

    def shape_name(self, member_shape, owner):
        special = f"{member_shape}@{owner}"
        return special if special in OVERRIDES else member_shape

    def add(self, name):
        if name in self.shapes:
            return
        raw = self.data["shapes"][name.split("@")[0]]
        shape = {**raw, **OVERRIDES.get(name, {})}
        row = self.shapes[name] = {"shape": shape, "first": "0", "second": "0"}
        if shape["type"] == "structure":
            inner = [(key, value, self.shape_name(value["shape"], name)) for key, value in shape["members"].items()]
            for _, _, target in inner:
                self.add(target)
            row["first"], row["second"] = str(len(self.members)), str(len(inner))
            for key, value, target in inner:
                place = "PAYLOAD" if shape.get("payload") == key else PLACES[value.get("location")]
                self.members.append(
                    (key, value.get("locationName", key), place, target, key in shape.get("required", [])))
        elif shape["type"] == "list":
            self.add(shape["member"]["shape"])
            row["first"] = "SHAPE_" + shape["member"]["shape"]
        elif shape["type"] == "map":
            self.add(shape["key"]["shape"])
            self.add(shape["value"]["shape"])
            row["first"], row["second"] = "SHAPE_" + shape["key"]["shape"], "SHAPE_" + shape["value"]["shape"]

    def text(self):
        operations = []
        for name, operation in sorted(self.data["operations"].items()):
            path, _, query = operation["http"]["requestUri"].partition("?")
            wanted = operation.get("input", {}).get("shape")
            if wanted and not UNSERVED.search(name):
                self.add(wanted)
                wanted = f"SHAPE_{wanted}"
            else:
                wanted = "SHAPE_NONE"
            operations.append(f'HG_MODEL_OP({name}, "{operation["http"]["method"]}", "{path}", '
                              f'{quoted(query or None)}, {wanted})')
        lines = [
            "/*",
            " * What the Lambda API's model says of its operations and their input: made by tools/gen-shapes.py, not by hand.",
            " *",
            " * HG_SHAPE(name, kind, min, max, pattern, values, first, second, is_sensitive)",
            " *   structure: first is the index of its first member, second their count; list: first is the shape of its elements;",
            " *   map: first is the shape of its keys, second of its values.",
            " * HG_MEMBER(name, name on the wire, place, shape, is_required)",
            " * HG_MODEL_OP(name, method, path, query that tells it apart, input shape)",
            " */",
            "/* clang-format off */",
            "#ifdef HG_SHAPE",
        ]
        for name, row in self.shapes.items():
            shape = row["shape"]
            values = ", ".join(shape["enum"]) if shape.get("enum") else None
            lines.append(
                f'HG_SHAPE({name.replace("@", "_of_")}, {KINDS[shape["type"]]}, {bound(shape.get("min"))}, '
                f'{bound(shape.get("max"))}, {quoted(shape.get("pattern"))}, {quoted(values)}, {row["first"]}, '
                f'{row["second"]}, {int(bool(shape.get("sensitive")))})')
        lines += ["#endif", "#ifdef HG_MEMBER"]
        for key, wire, place, target, is_required in self.members:
            lines.append(f'HG_MEMBER("{key}", "{wire}", {place}, SHAPE_{target.replace("@", "_of_")}, {int(is_required)})')
        lines += ["#endif", "#ifdef HG_MODEL_OP", *operations, "#endif", ""]
        return "\n".join(lines)


def main():
    text = Model().text()
    if "--check" in sys.argv[1:]:
        if OUT.read_text() != text:
            print(f"{OUT.name} is not what the model says: run tools/gen-shapes.py")
            return 1
        return 0
    OUT.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
