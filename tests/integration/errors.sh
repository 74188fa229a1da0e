#!/usr/bin/env bash
# The errors that clients hear, each provoked, and the log lines that go with them.
#
#   errors.sh [PRESET] [--workers N] [--proxy-binary PATH] [--keep]
set -euo pipefail
# shellcheck source=tests/integration/lib.sh
source "$(dirname "$0")/lib.sh"

parse_options "$@"
start_postgres --scram-user wrong_kind:secret
direct_sql 'create role app login superuser'
at="host=127.0.0.1 port=$pg_port dbname=postgres"
database_lines=(
    "postgres = $at"
    "other = $at"
    "one = $at pool_size=1"
    "single_statements = $at pool_mode=statement"
    "scram_server = $at"
    "refused = host=127.0.0.1 port=$pg_port dbname=no_such_database"
    "unreachable = host=127.0.0.1 port=$(free_port) query_wait_timeout=1"
)
more_users=('"app" "secret"' '"no_role" ""' '"wrong_kind" "md50123456789abcdef0123456789abcdef"')
start_proxy errors 'pool_mode = transaction'
count_checks_of timeout 100 /usr/bin/python3 -B "$(dirname "$0")/errors.py" "$proxy_port" "$folder/errors.log" "$proxy_pid"
has_ended() { wait_until 5 process_ended "$proxy_pid"; }
if has_ended; then proxy_pid=''; fi
check "SHUTDOWN WAIT_FOR_SERVERS ends the process" test -z "$proxy_pid"
finish
