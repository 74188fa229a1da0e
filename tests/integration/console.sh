#!/usr/bin/env bash
# The console's orders on a running program: SUSPEND, KILL_CLIENT, waits that end, SHOW FDS with its descriptors.
#
#   console.sh [PRESET] [--workers N] [--proxy-binary PATH] [--keep]
set -euo pipefail
# shellcheck source=tests/integration/lib.sh
source "$(dirname "$0")/lib.sh"

parse_options "$@"
start_postgres
start_proxy console 'pool_mode = transaction' 'default_pool_size = 3' 'suspend_timeout = 2' "unix_socket_dir = $folder"
count_checks_of as_owner console.py "$folder/.s.PGSQL.$proxy_port" "$proxy_port" "$proxy_pid" "$folder/console.log"
check "the proxy is well" proxy_is_well
finish
