#!/bin/sh
# The contract suite on a private redis-server, or on a cluster of three, which it starts and ends:
#   run_redis.sh [--cluster] QUEUE_CONTRACT [TEST_OPTION]...
# Exit code 77: there is no redis-server here.
set -eu

nodes=1
if [ "${1:-}" = "--cluster" ]; then
    nodes=3
    shift
fi
program=$1
shift
command -v redis-server >/dev/null && command -v redis-cli >/dev/null || {
    echo "run_redis.sh: no redis-server is installed" >&2
    exit 77
}

folder=$(mktemp -d)
pids=""

finish() {
    for pid in $pids; do
        kill "$pid" 2>/dev/null || true
    done
    for pid in $pids; do
        wait "$pid" 2>/dev/null || true
    done
    rm -rf "$folder"
}
trap finish EXIT
trap 'exit 130' INT TERM

fail() {
    echo "run_redis.sh: $1" >&2
    cat "$folder"/*/log >&2 2>/dev/null || true
    exit 1
}

# A port that is free now, and 10000 above it for a cluster's bus.
free_port() {
    python3 - <<'PORT'
import random
import socket

while True:
    port = random.randint(20000, 50000)
    try:
        with socket.socket() as one, socket.socket() as bus:
            one.bind(("127.0.0.1", port))
            bus.bind(("127.0.0.1", port + 10000))
    except OSError:
        continue
    print(port)
    break
PORT
}

await() {
    tries=0
    until [ "$(redis-cli -p "$1" "$2" ${3:+"$3"} 2>/dev/null | grep -c "$4")" -gt 0 ]; do
        tries=$((tries + 1))
        [ $tries -lt 150 ] || fail "the server on port $1 is not ready"
        sleep 0.1
    done
}

addresses=""
i=0
while [ $i -lt $nodes ]; do
    port=$(free_port)
    mkdir "$folder/$i"
    redis-server --port "$port" --bind 127.0.0.1 --dir "$folder/$i" --logfile "$folder/$i/log" \
        --appendonly yes --appendfsync always --save "" --maxmemory-policy noeviction \
        --cluster-enabled "$([ $nodes -gt 1 ] && echo yes || echo no)" &
    pids="$pids $!"
    await "$port" ping "" PONG
    addresses="$addresses 127.0.0.1:$port"
    i=$((i + 1))
done

if [ $nodes -gt 1 ]; then
    # shellcheck disable=SC2086
    redis-cli --cluster create $addresses --cluster-replicas 0 --cluster-yes >"$folder/create" 2>&1 ||
        fail "$(cat "$folder/create")"
    for address in $addresses; do
        await "${address##*:}" cluster info cluster_state:ok
    done
fi

mkdir "$folder/data"
first=${addresses# }
"$program" "redis://${first%% *}" "$folder/data" "$@"
