#!/usr/bin/env bash
# Runs a program on a private Kafka broker, which it starts and ends; the program gets "kafka://127.0.0.1:PORT DATA_DIR" in
# front of the other arguments:
#   run_kafka.sh QUEUE_CONTRACT [KEY=VALUE]...
# Exit code 77: the broker cannot be fetched here (no java, no mvn).
set -eu

kafka=$(cd "$(dirname "$0")/../../.." && pwd)/tools/kafka.sh
program=$1
shift
if ! command -v java >/dev/null; then
    echo "run_kafka.sh: no java is installed" >&2
    exit 77
fi
if ! "$kafka" install; then
    exit 77
fi

folder=$(mktemp -d)
finish() {
    "$kafka" stop "$folder/broker" || true
    rm -rf "$folder"
}
trap finish EXIT
trap 'exit 130' INT TERM

# Two ports that are free now: the broker's and its controller's.
port=$(python3 - <<'PORT'
import random
import socket

while True:
    port = random.randint(10000, 30000)
    try:
        with socket.socket() as one, socket.socket() as two:
            one.bind(("127.0.0.1", port))
            two.bind(("127.0.0.1", port + 1))
    except OSError:
        continue
    print(port)
    break
PORT
)

mkdir "$folder/data"
"$kafka" start "$folder/broker" "$port"
HG_KAFKA_SH=$kafka HG_KAFKA_DIR=$folder/broker HG_KAFKA_PORT=$port "$program" "kafka://127.0.0.1:$port" "$folder/data" "$@"
