#!/usr/bin/env bash
# Formats the C files of the project with the pinned clang-format.
#   tools/format.sh [--check]      --check changes nothing and fails when a file is not as it should be
set -euo pipefail
cd "$(dirname "$0")/.."

mode=(-i)
[ "${1:-}" = --check ] && mode=(--dry-run -Werror)
git ls-files -co --exclude-standard '*.c' '*.h' | while IFS= read -r file; do
    [ -e "$file" ] && printf '%s\0' "$file"
done | xargs -0 -r clang-format-14 "${mode[@]}"
