#!/usr/bin/env bash
# Writes docs/config.md from the program's own help.   tools/gen-docs.sh PROGRAM [OUT]
set -euo pipefail
program=$1
out=${2:-$(dirname "$0")/../docs/config.md}
{
    printf '# Options of `headgate serve`\n\n'
    printf 'Made by `tools/gen-docs.sh` from `headgate help serve`. Each option is also a key of the file given by `--config`\n'
    printf '(without the dashes) and an environment variable (`HEADGATE_LISTEN`, …).\n\n```\n'
    "$program" help serve
    printf '```\n'
} >"$out"
