#!/usr/bin/env bash
# Runs every libFuzzer target for a while each, starting from the corpora in the tree.
#   tools/fuzz.sh [SECONDS]        default 60
# What a target finds is kept in build/fuzz/findings/<target>/; a crash file is then copied into the corpus by hand.
set -uo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-60}
failed=0
targets=0

mkdir -p build
cmake --preset fuzz >build/fuzz.configure.log 2>&1 || { cat build/fuzz.configure.log; exit 1; }
cmake --build --preset fuzz || exit 1

while IFS= read -r target; do
    name=$(basename "$target")
    found=build/fuzz/findings/$name
    corpus=$(find tests/fuzz -type d -path "*corpus/${name#fuzz_}" | head -n 1)
    mkdir -p "$found/corpus"
    printf '\n== %s, %s s\n' "$name" "$seconds"
    # The first folder takes new inputs; the tree's own corpus is only read.
    "$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="$found/" "$found/corpus" ${corpus:+"$corpus"} 2>&1 | tail -n 12
    [ "${PIPESTATUS[0]}" -eq 0 ] || { echo "FAILED $name: see $found"; failed=1; }
    targets=$((targets + 1))
done < <(find build/fuzz -type f -perm -u+x -name 'fuzz_*' | sort)

printf '\n== %d targets, %s\n' "$targets" "$([ "$failed" -eq 0 ] && echo ok || echo FAILED)"
[ "$targets" -gt 0 ] || { echo "no fuzz target was built" >&2; exit 1; }
exit "$failed"
