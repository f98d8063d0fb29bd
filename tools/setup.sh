#!/usr/bin/env bash
# Installs what is missing on Debian 12 or Ubuntu 24.04, and nothing else.
#   tools/setup.sh [run|test|bench|lint|fuzz] ...
# System packages come by apt-get and are named before they are installed; everything else goes into .tools/.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'setup: %s\n' "$*"; }
die() { printf 'setup: %s\n' "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }
installed() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

packages=()
want() {
    local name
    for name in "$@"; do
        installed "$name" || packages+=("$name")
    done
}

# want_tool COMMAND PACKAGE: the package only where the command comes from nowhere else.
want_tool() { have "$1" || packages+=("$2"); }

# Servers lie where the search path of an ordinary user may not reach.
have_server() { have "$1" || [ -x "/usr/sbin/$1" ]; }

want_run() {
    want_tool gcc gcc
    want_tool cmake cmake
    want_tool ninja ninja-build
    want_tool pkg-config pkg-config
    want_tool ccache ccache
    want_tool python3 python3
    want_tool node nodejs
    want libc6-dev libevent-dev libnghttp2-dev libssl-dev libyaml-dev libcjson-dev libzip-dev zlib1g-dev libpcre2-dev \
        liblmdb-dev libhiredis-dev librdkafka-dev libcurl4-openssl-dev libsqlite3-dev
}

want_test() {
    want_run
    want_tool curl curl
    want_tool openssl openssl
    want_tool h2load nghttp2-client
    want_tool go golang-go
    want_tool npm npm
    have_server redis-server || packages+=(redis-server)
    want_tool redis-cli redis-tools
    want_tool java default-jre-headless
    want_tool mvn maven
    # Version 2 of the AWS command line; Ubuntu 24.04 has no package of it, and the tests that need it are skipped there.
    [ -x /usr/bin/aws ] || ! grep -qs '^ID=debian' /etc/os-release || packages+=(awscli)
    want libcmocka-dev faketime
    find_python >/dev/null || want python3-venv python3-pip
}

want_lint() {
    want_run
    want_tool clang-format-14 clang-format-14
    want_tool clang-tidy-14 clang-tidy-14
    want_tool cppcheck cppcheck
    want libcmocka-dev
}

want_fuzz() {
    want_run
    want_tool clang-14 clang-14
    want libclang-rt-14-dev libcmocka-dev
}

want_bench() {
    want_test
    want_tool nginx nginx-light
    want_tool haproxy haproxy
    have_server rabbitmq-server || packages+=(rabbitmq-server)
    want librabbitmq-dev libnats-dev
}

# Servers that packages bring are only wanted as commands: they are kept from starting as services.
without_services() {
    local policy=/usr/sbin/policy-rc.d
    if [ -e "$policy" ]; then
        "$@"
        return
    fi
    printf '#!/bin/sh\nexit 101\n' | $sudo tee "$policy" >/dev/null
    $sudo chmod +x "$policy"
    local rc=0
    "$@" || rc=$?
    $sudo rm -f "$policy"
    return "$rc"
}

install_packages() {
    [ "${#packages[@]}" -gt 0 ] || return 0
    local list
    list=$(printf '%s\n' "${packages[@]}" | sort -u | tr '\n' ' ')
    have apt-get || die "these packages are missing and there is no apt-get here: $list"
    sudo=
    if [ "$(id -u)" -ne 0 ]; then
        have sudo || die "run this as root, or install sudo: apt-get install $list"
        sudo=sudo
    fi
    say "apt-get install $list"
    $sudo apt-get update -qq
    # shellcheck disable=SC2086
    without_services $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $list \
        >.tools/apt.log 2>&1 || { tail -n 30 .tools/apt.log >&2; die "apt-get install failed (whole log: .tools/apt.log)"; }
}

# A python3 that can make virtual environments; the system's own one first.
find_python() {
    local python
    for python in /usr/bin/python3 python3 python3.13 python3.12 python3.11 python3.10; do
        if "$python" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
            echo "$python"
            return 0
        fi
    done
    return 1
}

# once NAME INPUT COMMAND…: runs the command unless it ran before with the same bytes in INPUT.
once() {
    local stamp=.tools/$1.stamp input=$2
    shift 2
    if [ -e "$stamp" ] && cmp -s "$input" "$stamp"; then
        return 0
    fi
    "$@"
    cp "$input" "$stamp"
}

install_python_packages() {
    local python
    python=$(find_python) || die "no python3 (3.10 or later) with venv was found"
    say "python packages of tests/requirements.txt into .tools/venv"
    rm -rf .tools/venv
    "$python" -m venv .tools/venv
    .tools/venv/bin/python -m pip install -q --disable-pip-version-check -r tests/requirements.txt
}

install_node_packages() {
    say "node packages of tests/e2e/node/package.json into .tools/node"
    rm -rf .tools/node
    mkdir -p .tools/node
    cp tests/e2e/node/package.json tests/e2e/node/package-lock.json .tools/node/
    (cd .tools/node && npm ci --silent --no-audit --no-fund)
}

install_h2spec() {
    say "h2spec of tests/h2spec/go.mod into .tools/bin"
    mkdir -p .tools/bin
    (cd tests/h2spec && GOBIN="$PWD/../../.tools/bin" go install github.com/summerwind/h2spec/cmd/h2spec)
}

install_nats() {
    say "nats-server of tools/nats/go.mod into .tools/bin"
    mkdir -p .tools/bin
    (cd tools/nats && GOBIN="$PWD/../../.tools/bin" go install github.com/nats-io/nats-server/v2)
}

# Only compared with; without it the benchmark leaves its rows out and says so.
install_serverless() {
    say "serverless-offline of tools/serverless/package.json into .tools/serverless"
    rm -rf .tools/serverless
    mkdir -p .tools/serverless
    cp tools/serverless/package.json tools/serverless/package-lock.json .tools/serverless/
    (cd .tools/serverless && npm ci --silent --no-audit --no-fund --ignore-scripts)
}

setup_bench() {
    [ -x .tools/bin/nats-server ] || rm -f .tools/nats.stamp
    once nats tools/nats/go.mod install_nats
    [ -d .tools/serverless/node_modules ] || rm -f .tools/serverless.stamp
    once serverless tools/serverless/package-lock.json install_serverless
}

setup_test() {
    [ -x .tools/venv/bin/pytest ] || rm -f .tools/venv.stamp
    [ -d .tools/node/node_modules ] || rm -f .tools/node.stamp
    [ -x .tools/bin/h2spec ] || rm -f .tools/h2spec.stamp
    once venv tests/requirements.txt install_python_packages
    once node tests/e2e/node/package-lock.json install_node_packages
    once h2spec tests/h2spec/go.mod install_h2spec
    [ -e .tools/kafka/stamp ] || say "Kafka broker of tools/kafka/pom.xml into .tools/kafka"
    tools/kafka.sh install
}

mkdir -p .tools
exec 9>.tools/lock
flock 9

[ $# -gt 0 ] || set -- run
for part in "$@"; do
    case $part in
    run | test | bench | lint | fuzz) "want_$part" ;;
    *) die "unknown part '$part'; parts are run, test, bench, lint and fuzz" ;;
    esac
done
install_packages
for part in "$@"; do
    case $part in
    test) setup_test ;;
    bench)
        setup_test
        setup_bench
        ;;
    esac
done
