#!/usr/bin/env bash
# Slow readers of large results: the proxy's memory stays bounded and others are served meanwhile. About half a minute.
#
#   back_pressure.sh [PRESET] [--workers N] [--proxy-binary PATH] [--keep]
set -euo pipefail
# shellcheck source=tests/integration/lib.sh
source "$(dirname "$0")/lib.sh"

parse_options "$@"
start_postgres
start_proxy slow 'pool_mode = transaction' 'default_pool_size = 80' 'max_client_conn = 200'
count_checks_of timeout 60 /usr/bin/python3 "$(dirname "$0")/back_pressure.py" "$proxy_port" postgres "$proxy_pid"
check "the proxy is well" proxy_is_well
stop_proxy
finish
