#!/usr/bin/env bash
# A real Apache Kafka broker for tests and benchmarks: KRaft mode, one node, 127.0.0.1 only.
#   tools/kafka.sh install                        fetches it into .tools/kafka, once (needs mvn and java 17 or later)
#   tools/kafka.sh start DIR PORT [key=value…]    starts one that keeps all its state in DIR; returns when it answers
#   tools/kafka.sh stop DIR                       ends it in order; kill -9 $(cat DIR/pid) ends it otherwise
# A second start on the same DIR goes on with its data. PORT+1 is taken too, by the controller. key=value are settings of
# the broker (server.properties) and win over the ones below; KAFKA_HEAP (256m) and KAFKA_JVM are for the JVM.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
home=$root/.tools/kafka
pom=$root/tools/kafka/pom.xml
start_timeout_s=60
# shellcheck disable=SC2206
java=(java "-Xmx${KAFKA_HEAP:-256m}" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 ${KAFKA_JVM:-} -cp "$home/libs/*"
    "-Dlog4j.configuration=file:$root/tools/kafka/log4j.properties")

die() { printf 'kafka: %s\n' "$*" >&2; exit 1; }

install() {
    mkdir -p "$root/.tools"
    exec 8>"$root/.tools/kafka.lock"
    flock 8
    if [ -e "$home/stamp" ] && cmp -s "$pom" "$home/stamp"; then
        return 0
    fi
    command -v java >/dev/null || die "java is missing (Debian: default-jre-headless)"
    command -v mvn >/dev/null || die "mvn is missing (Debian: maven)"
    rm -rf "$home"
    mkdir -p "$home"
    mvn -q -B -f "$pom" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$home/libs" \
        >"$home/install.log" 2>&1 || { tail -n 20 "$home/install.log" >&2; die "mvn failed (whole log: $home/install.log)"; }
    cp "$pom" "$home/stamp"
}

# is_alive PID: a killed one that its parent has not yet reaped is not.
is_alive() { grep -q '^State:[[:space:]]*[^ZX]' "/proc/$1/status" 2>/dev/null; }
is_running() { [ -e "$1/pid" ] && is_alive "$(cat "$1/pid")"; }

# write_settings DIR PORT key=value…
write_settings() {
    local dir=$1 port=$2
    shift 2
    cat <<-END
		process.roles=broker,controller
		node.id=1
		controller.quorum.voters=1@127.0.0.1:$((port + 1))
		listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$((port + 1))
		advertised.listeners=PLAINTEXT://127.0.0.1:$port
		listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,SSL:SSL,SASL_SSL:SASL_SSL
		controller.listener.names=CONTROLLER
		inter.broker.listener.name=PLAINTEXT
		log.dirs=$dir/data
		num.partitions=4
		num.network.threads=2
		num.io.threads=2
		broker.heartbeat.interval.ms=500
		broker.session.timeout.ms=2500
		offsets.topic.num.partitions=1
		offsets.topic.replication.factor=1
		transaction.state.log.num.partitions=1
		transaction.state.log.replication.factor=1
		transaction.state.log.min.isr=1
		group.initial.rebalance.delay.ms=0
		log.cleaner.dedupe.buffer.size=16777216
		auto.create.topics.enable=false
	END
    printf '%s\n' "$@"
}

start() {
    local dir=$1 port=$2
    shift 2
    install
    mkdir -p "$dir"
    dir=$(cd "$dir" && pwd)
    local wait_until=$((SECONDS + 3)) # one that was just killed may still be dying
    while is_running "$dir" && [ $SECONDS -lt $wait_until ]; do sleep 0.1; done
    if is_running "$dir"; then
        die "$dir: a broker runs there already (pid $(cat "$dir/pid"))"
    fi
    write_settings "$dir" "$port" "$@" >"$dir/server.properties"
    if [ ! -e "$dir/data/meta.properties" ]; then
        "${java[@]}" kafka.tools.StorageTool format -t aGVhZGdhdGUtdGVzdHM -c "$dir/server.properties" >"$dir/format.log" 2>&1 ||
            { cat "$dir/format.log" >&2; die "$dir: format failed"; }
    fi
    : >"$dir/log"
    # setsid: a Ctrl-C for the test run does not reach it.
    setsid "${java[@]}" kafka.Kafka "$dir/server.properties" >>"$dir/log" 2>&1 </dev/null 8>&- &
    echo $! >"$dir/pid"
    local deadline=$((SECONDS + start_timeout_s))
    until grep -q 'Kafka Server started' "$dir/log"; do
        is_running "$dir" || { tail -n 20 "$dir/log" >&2; die "$dir: the broker ended while starting"; }
        [ $SECONDS -lt $deadline ] || { stop "$dir"; tail -n 20 "$dir/log" >&2; die "$dir: not ready after ${start_timeout_s} s"; }
        sleep 0.1
    done
}

stop() {
    local dir=$1 pid deadline
    is_running "$dir" || { rm -f "$dir/pid"; return 0; }
    pid=$(cat "$dir/pid")
    kill "$pid"
    deadline=$((SECONDS + 20))
    while is_alive "$pid"; do
        [ $SECONDS -lt $deadline ] || kill -9 "$pid" 2>/dev/null || true
        sleep 0.1
    done
    rm -f "$dir/pid"
}

case ${1:-} in
install) install ;;
start) [ $# -ge 3 ] || die "usage: start DIR PORT [key=value…]"; shift; start "$@" ;;
stop) [ $# -eq 2 ] || die "usage: stop DIR"; stop "$2" ;;
*) die "usage: install | start DIR PORT [key=value…] | stop DIR" ;;
esac
