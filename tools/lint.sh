#!/usr/bin/env bash
# Every static check there is; runs them all and fails if one did.
#   tools/lint.sh [--all]       clang-tidy looks at the files that differ from the last commit, or at all of them
set -uo pipefail
cd "$(dirname "$0")/.."

failed=0
check() {
    local name=$1
    shift
    printf '== %s\n' "$name"
    "$@" || { echo "FAILED $name"; failed=1; }
}

sources() {
    git ls-files -co --exclude-standard '*.c' | grep -vE '^(tests|examples)/' || true
}

changed() {
    { git diff --name-only HEAD -- '*.c'; git ls-files -o --exclude-standard '*.c'; } | grep -vE '^(tests|examples)/' || true
}

tidy() {
    local files
    files=$([ "${1:-}" = --all ] && sources || changed)
    [ -n "$files" ] || { echo 'no changed C file; --all looks at every one'; return 0; }
    printf '%s\n' "$files" | while IFS= read -r file; do [ -e "$file" ] && echo "$file"; done |
        xargs -r -P "$(nproc)" -n 4 clang-tidy-14 --quiet -p build/dev
}

mkdir -p build
cmake --preset dev >build/dev.configure.log 2>&1 || { cat build/dev.configure.log; exit 1; }
# Generated sources must be there before a tool can read what includes them.
cmake --build --preset dev >build/dev.build.log 2>&1 || { tail -n 40 build/dev.build.log; exit 1; }

check layers python3 tools/check-layers.py
check banned python3 tools/check-banned.py
check format tools/format.sh --check
check clang-tidy tidy "${1:-}"
check cppcheck cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 --enable=warning,performance,portability \
    --suppress=missingIncludeSystem --suppress=unusedStructMember -I . -j "$(nproc)" \
    $(sources | cut -d/ -f1 | sort -u)
echo '== size (for reading; never fails)'
python3 tools/check-size.py
exit "$failed"
