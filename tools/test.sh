#!/usr/bin/env bash
# Runs the test stages in turn, all of them even if one fails, and prints one table at the end.
#   tools/test.sh [unit] [runtimes] [e2e] [malformed] [h2spec] [tsan] [static]       (all of them when none is named)
set -uo pipefail
cd "$(dirname "$0")/.."

python=$PWD/.tools/venv/bin/python
jobs=$(nproc)
results=()
failed=0

build() {
    cmake --preset "$1" >"build/$1.configure.log" 2>&1 || { cat "build/$1.configure.log"; return 1; }
    cmake --build --preset "$1"
}

run_pytest() {
    "$python" -m pytest -q -p no:cacheprovider --durations=5 "$@"
}

stage_static() {
    python3 tools/check-layers.py && python3 tools/check-banned.py
}

stage_unit() {
    build dev && ctest --test-dir build/dev -j "$jobs" --output-on-failure --no-tests=error
}

# The bootstraps of the managed runtimes, against a Runtime API that the tests play.
stage_runtimes() {
    run_pytest -n "$jobs" tests/runtimes
}

stage_e2e() {
    HEADGATE_BIN=$PWD/build/dev/headgate run_pytest -n "$jobs" --dist loadfile tests/e2e
}

stage_malformed() {
    HEADGATE_BIN=$PWD/build/dev/headgate run_pytest -n "$jobs" tests/malformed
}

stage_h2spec() {
    HEADGATE_BIN=$PWD/build/dev/headgate run_pytest -s tests/h2spec
}

# Everything again under ThreadSanitizer.
stage_tsan() {
    build tsan && ctest --test-dir build/tsan -j "$jobs" --output-on-failure --no-tests=error &&
        HEADGATE_BIN=$PWD/build/tsan/headgate run_pytest -n "$jobs" --dist loadfile tests/e2e tests/malformed tests/h2spec
}

run_stage() {
    local name=$1 start=$SECONDS rc=0
    printf '\n== %s\n' "$name"
    "stage_$name" || rc=$?
    if [ "$rc" -eq 0 ]; then
        results+=("$(printf 'ok      %-10s %4d s' "$name" $((SECONDS - start)))")
    else
        results+=("$(printf 'FAILED  %-10s %4d s' "$name" $((SECONDS - start)))")
        failed=1
    fi
}

mkdir -p build
[ $# -gt 0 ] || set -- static unit runtimes e2e malformed h2spec tsan
for name in "$@"; do
    declare -F "stage_$name" >/dev/null || { echo "test.sh: unknown stage '$name'" >&2; exit 2; }
    run_stage "$name"
done

printf '\n== summary (%d s)\n' "$SECONDS"
printf '%s\n' "${results[@]}"
exit "$failed"
