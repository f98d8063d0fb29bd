#!/usr/bin/env python3
"""Prints what has grown large: a signal to read before adding to it, not a law. Never fails."""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
MAX_FILE_LINES = 600
MAX_HEADER_LINES = 200
MAX_FUNCTION_LINES = 60
MAX_PARAMETERS = 5
MAX_MEMBERS = 30

# The project's brace style puts a function's opening and closing brace in column 0.
FUNCTION = re.compile(r"^([A-Za-z_][^\n;{}()=]*?\b(\w+)\(([^;{}]*?)\))[^;{}()]*\n\{\n(.*?)^\}", re.M | re.S)
STRUCT = re.compile(r"^struct\s+(\w+)\s*\{\n(.*?)^\}", re.M | re.S)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def count_parameters(text):
    return 0 if text.strip() in ("", "void") else text.count(",") + 1


def look_at(name, text):
    lines = text.count("\n")
    if name.endswith(".h") and lines > MAX_HEADER_LINES:
        yield f"{name}: header of {lines} lines"
    elif lines > MAX_FILE_LINES:
        yield f"{name}: file of {lines} lines"
    for match in FUNCTION.finditer(text):
        where = f"{name}:{line_of(text, match.start())}: {match.group(2)}"
        length = match.group(4).count("\n")
        if length > MAX_FUNCTION_LINES:
            yield f"{where}: function of {length} lines"
        parameters = count_parameters(match.group(3))
        if parameters > MAX_PARAMETERS:
            yield f"{where}: {parameters} parameters"
    for match in STRUCT.finditer(text):
        members = match.group(2).count(";")
        if members > MAX_MEMBERS:
            yield f"{name}:{line_of(text, match.start())}: struct {match.group(1)} of {members} members"


def main():
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "*.c", "*.h", "*.py", "*.mjs"],
        cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    for name in sorted(set(listed)):
        path = ROOT / name
        if path.exists() and not name.startswith("tests/"):
            for remark in look_at(name, path.read_text(encoding="utf-8", errors="replace")):
                print(remark)
    return 0


if __name__ == "__main__":
    sys.exit(main())
