#!/usr/bin/env python3
"""Checks who includes whom: the layers of docs/ARCHITECTURE.md and the fences round third-party headers.

Prints every include that crosses a line and exits 1 if there is one.
"""

import fnmatch
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# Folder -> folders whose headers it may include, besides its own.
MAY_INCLUDE = {
    "core": set(),
    "http": {"core"},
    "config": {"core"},
    "queue": {"config", "core"},
    "workers": {"config", "http", "core"},
    "router": {"queue", "workers", "config", "http", "core"},
    "gateway": {"router", "workers", "config", "http", "core"},
    "api": {"gateway", "router", "workers", "queue", "config", "http", "core"},
    "cli": {"api", "gateway", "router", "workers", "queue", "config", "http", "core"},
}

# Third-party header -> the only files that may include it.
FENCES = {
    "event2/*": ["core/*", "cli/local_client.c"],
    "event.h": [],
    "nghttp2/*": ["http/http2*"],
    "openssl/*": ["http/tls*", "core/crypto.c", "core/redis*", "http/client*.c"],
    "yaml.h": ["config/template/yaml*.c"],
    "cjson/*": ["config/*", "api/*", "cli/*"],
    "cJSON.h": ["config/*", "api/*", "cli/*"],
    "pcre2.h": ["api/shapes.c", "config/template/pattern.c", "workers/log_regex.c"],
    "zlib.h": ["core/gzip.c"],
    "zip.h": ["config/package*.c"],
    "sqlite3.h": ["config/store*.c"],
    "lmdb.h": ["queue/embedded*.c", "queue/kafka_index*"],
    "curl/*": ["http/client*.c"],
    "hiredis/*": ["core/redis*.c"],
    "librdkafka/*": ["core/kafka*.c", "queue/kafka*.c", "router/source_kafka*.c"],
}

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(["<])([^">]+)[">]', re.M)


def layer_fault(file, header):
    folder = file.split("/")[0]
    target = header.split("/")[0]
    if "/" not in header or target not in MAY_INCLUDE or target == folder:
        return None
    if target not in MAY_INCLUDE[folder]:
        return f"{folder}/ may not include {target}/"
    return None


def fence_fault(file, header):
    for pattern, allowed in FENCES.items():
        if fnmatch.fnmatch(header, pattern):
            if any(fnmatch.fnmatch(file, glob) for glob in allowed):
                return None
            return f"only {' and '.join(allowed) or 'nobody'} may include <{header}>"
    return None


def faults_of(path):
    file = path.relative_to(ROOT).as_posix()
    text = path.read_text(encoding="utf-8", errors="replace")
    for match in INCLUDE.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        header = match.group(2)
        fault = layer_fault(file, header) or fence_fault(file, header)
        if fault:
            yield f"{file}:{line}: {fault}"


def main():
    faults = []
    count = 0
    for folder in MAY_INCLUDE:
        for path in sorted((ROOT / folder).rglob("*.[ch]")):
            count += 1
            faults.extend(faults_of(path))
    for fault in faults:
        print(fault)
    print(f"check-layers: {count} files, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
