#!/usr/bin/env bash
# More clients than the process has descriptors for: accepting pauses, who is served goes on, and it resumes by itself.
#
#   descriptors.sh [PRESET] [--workers N] [--proxy-binary PATH] [--keep]
set -euo pipefail
# shellcheck source=tests/integration/lib.sh
source "$(dirname "$0")/lib.sh"

parse_options "$@"
start_postgres
most=$(ulimit -Hn)
ulimit -Sn 120
start_proxy few 'pool_mode = transaction' 'default_pool_size = 10' 'max_client_conn = 1000' 'listen_backlog = 500'
ulimit -Sn "$most"
count_checks_of timeout 120 /usr/bin/python3 -B "$(dirname "$0")/descriptors.py" "$proxy_port" "$folder/few.log"
check "the proxy is well" proxy_is_well
finish
