#!/usr/bin/env bash
# Settings on a running program: each one in the file, by RELOAD and by SET; and what those of entries do.
#
#   settings.sh [PRESET] [--workers N] [--proxy-binary PATH] [--keep]
set -euo pipefail
# shellcheck source=tests/integration/lib.sh
source "$(dirname "$0")/lib.sh"

parse_options "$@"
start_postgres
kind=other
[[ $proxy_is_pgweir == no ]] || kind=pgweir
run() { count_checks_of timeout 120 /usr/bin/python3 -B "$(dirname "$0")/$1" "${@:2}"; }

start_proxy walk
run settings.py "$folder/walk.ini" "$proxy_port" "$folder/walk.log" "$kind"
check "the proxy is well" proxy_is_well
stop_proxy
finish
