"""Cold starts: the first request of each of many identical functions, against the bare interpreter."""

import os
import shutil
import time
import urllib.request

import peers
from measure import median, real_python, table

COPIES = 15


def template_with_copies(folder):
    """The functions of load/app, each COPIES times, behind /KIND/N."""
    app = peers.HERE / "app"
    kinds = {"native": ("provided.al2023", "hello"), "python": ("python3.11", "app.handler"),
             "node": ("nodejs20.x", "app.handler")}
    lines = ["Transform: AWS::Serverless-2016-10-31", "Resources:"]
    for kind, (runtime, handler) in kinds.items():
        for copy in range(COPIES):
            lines += [f"  {kind}{copy}:", "    Type: AWS::Serverless::Function", "    Properties:",
                      f"      Runtime: {runtime}", f"      Handler: {handler}", f"      CodeUri: {app / kind}",
                      "      MemorySize: 512", "      Timeout: 30", "      Events:", "        Get:",
                      "          Type: HttpApi",
                      f"          Properties: {{Method: get, Path: /{kind}/{copy}}}"]
    file = folder / "cold.yaml"
    file.write_text("\n".join(lines) + "\n")
    return file


def bare(command, times=COPIES):
    """Wall-clock milliseconds from spawn to exit, without a shell and with an environment as clean as a function's."""
    clean = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "en_US.UTF-8"}
    found = []
    for _ in range(times):
        began = time.monotonic()
        pid = os.posix_spawn(command[0], command, clean)
        os.waitpid(pid, 0)
        found.append((time.monotonic() - began) * 1000)
    return median(found)


def first_requests(headgate, kind):
    found = []
    for copy in range(COPIES):
        began = time.monotonic()
        with urllib.request.urlopen(headgate.url(f"/{kind}/{copy}")) as answer:
            answer.read()
        found.append((time.monotonic() - began) * 1000)
    return median(found)


def run(options, folder):
    python, node = real_python("python3.11") or real_python(), shutil.which("node")
    app = str(template_with_copies(folder))
    headgate = peers.Headgate(options.program, folder, options.threads, template=app)
    try:
        rows = []
        for kind, command in (("native", None), ("python", [python, "-c", "pass"]), ("node", [node, "-e", "0"])):
            own = first_requests(headgate, kind)
            base = bare(command) if command else None
            rows.append([kind, f"{own:.1f}", " ".join([os.path.basename(command[0]), *command[1:]]) if command else "–",
                         f"{base:.1f}" if base else "–", f"{own / base:.2f}×" if base else "–"])
    finally:
        headgate.process.stop()
    return table(f"(c) cold start: first request to answer, {COPIES} new environments each",
                 ["runtime", "cold request ms", "bare interpreter", "ms", "ratio"], rows)
