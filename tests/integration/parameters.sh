#!/usr/bin/env bash
# Parameters that clients set, in transaction pooling over fewer servers than clients.
#
#   parameters.sh [PRESET] [--workers N] [--proxy-binary PATH] [--keep]
#
# PGBIN=DIR: another PostgreSQL's programs; from 18 on it reports search_path, which is then tried too.
set -euo pipefail
# shellcheck source=tests/integration/lib.sh
source "$(dirname "$0")/lib.sh"

parse_options "$@"
start_postgres
tracked=TimeZone,DateStyle,client_encoding,application_name,IntervalStyle,standard_conforming_strings
(( $(direct_sql 'show server_version_num') < 180000 )) || tracked+=,search_path
start_proxy parameters 'pool_mode = transaction' 'default_pool_size = 3' 'track_extra_parameters = IntervalStyle, search_path'
count_checks_of timeout 120 /usr/bin/python3 -B "$(dirname "$0")/parameters.py" "$proxy_port" "$pg_port" "$tracked"
check "the proxy is well" proxy_is_well
finish
