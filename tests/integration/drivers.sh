#!/usr/bin/env bash
# Real drivers through the proxy (tests/drivers): psycopg 3, psycopg2 and node-postgres, in transaction and in session
# pooling, with more clients than servers.
#
#   drivers.sh [PRESET] [--workers N] [--proxy-binary PATH] [--keep]
set -euo pipefail
# shellcheck source=tests/integration/lib.sh
source "$(dirname "$0")/lib.sh"

drivers=$project_root/tests/drivers
node_folder=$project_root/build/driver-tests     # node looks for packages beside the script

place_node_drivers() {
    mkdir -p "$node_folder"
    cp "$drivers"/drivers_node.mjs "$node_folder"
    cmp -s "$drivers/package.json" "$node_folder/package.json" && [[ -d $node_folder/node_modules/pg ]] && return
    cp "$drivers/package.json" "$node_folder"
    (cd "$node_folder" && npm install --ignore-scripts --no-audit --no-fund --no-package-lock --loglevel=error)
}

parse_options "$@"
start_postgres
direct_sql 'create database drivers'
check "npm brings node-postgres" place_node_drivers
for mode in transaction session; do
    start_proxy "$mode" "pool_mode = $mode" 'default_pool_size = 4' 'max_client_conn = 100'
    count_checks_of timeout 300 /usr/bin/python3 "$drivers/drivers_psycopg.py" "$proxy_port" "$pg_port" "$mode"
    count_checks_of timeout 300 node --no-deprecation "$node_folder/drivers_node.mjs" "$proxy_port" "$pg_port" "$mode"
    check "$mode: the proxy is well" proxy_is_well
    stop_proxy
done
finish
