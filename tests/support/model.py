"""The Lambda API's own model, as the SDK has it: what tests walk through."""

import functools
import re

import botocore.loaders

# Families of operations that Headgate does not serve at all: they are refused by name.
UNSERVED = re.compile(r"Durable|CapacityProvider|ScalingConfig|ResourcePolicy|CodeSigning")


@functools.cache
def model():
    return botocore.loaders.Loader().load_service_model("lambda", "service-2")


def shape(name):
    return model()["shapes"][name]


def operations(served=True):
    return sorted(name for name in model()["operations"] if bool(UNSERVED.search(name)) != served)


def method_of(operation):
    """CreateFunctionUrlConfig → create_function_url_config."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", operation).lower()


def walk(name, path=()):
    """Every member below a shape: (path, shape). A list of structures has "[]" in its path."""
    its = shape(name)
    if its["type"] == "structure":
        for key, member in its["members"].items():
            yield from walk(member["shape"], (*path, key))
        return
    yield path, its
    if its["type"] == "list" and shape(its["member"]["shape"])["type"] == "structure":
        yield from walk(its["member"]["shape"], (*path[:-1], path[-1] + "[]"))


def members(operation, with_lists=False):
    """Every member of an operation's input that is a value: {"VpcConfig.SubnetIds": shape}; on request lists of structures too."""
    wanted = model()["operations"][operation].get("input")
    if not wanted:
        return {}
    found = {".".join(path): its for path, its in walk(wanted["shape"])}
    return {path: its for path, its in found.items()
            if with_lists or not any(other.startswith(path + "[]") for other in found)}


def nested(path, value):
    """{"A": {"B": [{"C": value}]}} of "A.B[].C"."""
    for part in reversed(path.split(".")):
        value = {part[:-2]: [value]} if part.endswith("[]") else {part: value}
    return value


def merged(base, more):
    """The two as one; objects, and the first elements of lists of objects, grow together."""
    out = dict(base)
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(out.get(key), dict):
            out[key] = merged(out[key], value)
        elif isinstance(value, list) and value and isinstance(value[0], dict) and isinstance(out.get(key), list):
            out[key] = [merged(out[key][0], value[0])]
        else:
            out[key] = value
    return out


def dig(document, path):
    """What is at "A.B[].C"; None where there is nothing."""
    for part in path.split("."):
        document = (document or {}).get(part.removesuffix("[]"))
        if part.endswith("[]"):
            document = document[0] if document else None
    return document


def wire_path(path):
    """How errors name it: "vpcConfig.subnetIds", "sourceAccessConfigurations.1.member.uRI"."""
    parts = []
    for part in path.split("."):
        name = part.removesuffix("[]")
        parts.append(name[0].lower() + name[1:])
        if part.endswith("[]"):
            parts.append("1.member")
    return ".".join(parts)
