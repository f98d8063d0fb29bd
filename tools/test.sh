#!/usr/bin/env bash
# Runs the test stages in turn, all of them even if one fails, and prints one table at the end.
#   tools/test.sh [static] [unit] [contract] [runtimes] [e2e] [async] [fault] [malformed] [h2spec] [tsan]
# All of them when none is named. HEADGATE_TEST_ENGINES=embedded,redis,kafka chooses the queue engines of async and fault.
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

# The queue's contract suite on real servers; on the embedded engine it is one of the unit stage's.
contract_on_redis() {
    local suite=build/$1/tests/contract/queue/queue_contract
    tests/contract/queue/run_redis.sh "$suite" && tests/contract/queue/run_redis.sh --cluster "$suite"
}

stage_contract() {
    build dev && contract_on_redis dev &&
        tests/contract/queue/run_kafka.sh build/dev/tests/contract/queue/queue_contract
}

stage_e2e() {
    HEADGATE_BIN=$PWD/build/dev/headgate run_pytest -n "$jobs" --dist loadfile --ignore-glob='*/test_async_*' tests/e2e
}

# One list of scenarios, unchanged on each engine.
stage_async() {
    HEADGATE_BIN=$PWD/build/dev/headgate run_pytest -n "$jobs" --dist loadfile tests/e2e/test_async_*.py
}

stage_fault() {
    HEADGATE_BIN=$PWD/build/dev/headgate run_pytest -n "$jobs" --dist loadfile tests/fault
}

stage_malformed() {
    HEADGATE_BIN=$PWD/build/dev/headgate run_pytest -n "$jobs" tests/malformed
}

stage_h2spec() {
    HEADGATE_BIN=$PWD/build/dev/headgate run_pytest -s tests/h2spec
}

# Everything again under ThreadSanitizer, but for what starts Kafka's client: it dies on threads made by thrd_create.
stage_tsan() {
    build tsan && ctest --test-dir build/tsan -j "$jobs" --output-on-failure --no-tests=error -E '^test_dest_contract$' &&
        contract_on_redis tsan &&
        HEADGATE_BIN=$PWD/build/tsan/headgate HEADGATE_TEST_ENGINES=embedded,redis HEADGATE_TEST_BACKLOG=10000 \
            run_pytest -n "$jobs" --dist loadfile tests/e2e tests/malformed tests/h2spec tests/fault/test_kill9.py
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
[ $# -gt 0 ] || set -- static unit contract runtimes e2e async fault malformed h2spec tsan
for name in "$@"; do
    declare -F "stage_$name" >/dev/null || { echo "test.sh: unknown stage '$name'" >&2; exit 2; }
    run_stage "$name"
done

printf '\n== summary (%d s)\n' "$SECONDS"
printf '%s\n' "${results[@]}"
exit "$failed"
