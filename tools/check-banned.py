#!/usr/bin/env python3
"""Fails when a C file calls a function that cannot be used safely."""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# Function -> what to use instead.
BANNED = {
    "strcpy": "memcpy with a known length, or core/buf.h",
    "strcat": "core/buf.h",
    "sprintf": "snprintf, or core/buf.h",
    "vsprintf": "vsnprintf",
    "strtok": "strchr, or core/str.h",
    "atoi": "a checked number parser of core/str.h",
    "atol": "a checked number parser of core/str.h",
    "gets": "getline",
    "rand": "the random bytes of core/crypto.h",
    "alloca": "the arena",
}
CALL = re.compile(r"(?<![\w.>])(" + "|".join(BANNED) + r")[ \t]*\(")
# Comments and literals, blanked with their line breaks kept.
NOT_CODE = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def main():
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "*.c", "*.h"],
        cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    faults = 0
    for name in sorted(set(listed)):
        path = ROOT / name
        if not path.exists():
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        code = NOT_CODE.sub(lambda m: "\n" * m.group(0).count("\n") or " ", text)
        for match in CALL.finditer(code):
            line = code.count("\n", 0, match.start()) + 1
            print(f"{name}:{line}: {match.group(1)} is banned; use {BANNED[match.group(1)]}")
            faults += 1
    print(f"check-banned: {len(set(listed))} files, {faults} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
