#!/usr/bin/env bash
# The log's lines in both forms, with what strangers can put into them.
#
#   log_lines.sh [PRESET] [--workers N] [--proxy-binary PATH] [--keep]
set -euo pipefail
# shellcheck source=tests/integration/lib.sh
source "$(dirname "$0")/lib.sh"

parse_options "$@"
start_postgres
for format in text json; do
    start_proxy "$format" "log_format = $format" 'verbose = 2'
    count_checks_of timeout 60 /usr/bin/python3 -B "$(dirname "$0")/log_lines.py" "$proxy_port" "$format" "$folder/$format.log" "$proxy_pid"
    check "$format: the proxy is well" proxy_is_well
    stop_proxy
done
finish
