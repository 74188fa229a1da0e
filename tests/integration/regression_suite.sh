#!/usr/bin/env bash
# PostgreSQL's own regression suite, first on the server itself, then through the proxy: psql must print the same in both.
#
#   regression_suite.sh [PRESET] [--transaction | --single-use] [--workers N] [--proxy-binary PATH] [--keep]
#
# The direct run's output is what is expected of the second, so what the server alone gets wrong here does not count. A
# test that differs is run again on the server: if that differs from itself too, it is named as unsteady, not as failed.
#
# In session mode a server connection serves one client after the other. With --single-use it serves one only, so that what
# an earlier session leaves behind (a loaded library, a temporary schema) makes no difference either: none is known.
#
# With --transaction the pool is in transaction mode and the tests run one after the other over one server connection, a
# new one for each test. So what a test sets for its session stays where it is, as a lone psql would see it, and every
# statement still goes through a check-out and a check-in. With more connections or clients the tests, which count on
# SET, temporary tables and cursors from one statement to the next, would differ by chance and prove nothing.
set -euo pipefail
# shellcheck source=tests/integration/lib.sh
source "$(dirname "$0")/lib.sh"
# shellcheck source=tests/integration/suites.sh
source "$(dirname "$0")/suites.sh"

pg_regress=$(realpath "$(postgres_programs)/../lib/pgxs/src/test/regress/pg_regress")
time_zone_of_suite() { if grep -qa 'America/Los_Angeles' "$pg_regress"; then echo America/Los_Angeles; else echo PST8PDT; fi; }

# What psql asks for at start-up is made the server's default as well: where the tests RESET such a setting they get the
# server's own value back, and a server connection that was there before the client has no other.
server_options=(--max-connections 60 --conf "datestyle = 'Postgres, MDY'" --conf "timezone = '$(time_zone_of_suite)'"
    --conf "intervalstyle = 'postgres_verbose'")

run_schedule() { # NAME PORT OPTION...
    run_suite "$1" "$2" "$pg_regress" --dlpath="$folder/$1" --schedule=parallel_schedule "${@:3}"
}

run_again() { fresh_postgres; run_schedule again "$pg_port" --max-connections=20; }

run_in_session_mode() { # NAME SETTING...
    start_proxy "$1" 'pool_mode = session' 'default_pool_size = 40' 'server_round_robin = 0' "${@:2}"
    run_schedule proxied "$proxy_port" --max-connections=20
}

run_in_transaction_mode() {
    start_proxy transaction 'pool_mode = transaction' 'default_pool_size = 1'
    write_fresh_server_launcher
    run_schedule proxied "$proxy_port" --max-connections=1 --launcher="$launcher"
}

parse_options "$@"
"$project_root/tests/integration/get_regression_suite.sh" "$suite"
fresh_postgres
run_schedule direct "$pg_port" --max-connections=20
fresh_postgres
if has_option --transaction; then run_in_transaction_mode
elif has_option --single-use; then run_in_session_mode single_use 'server_lifetime = 0'
else run_in_session_mode session; fi
compare_runs "regression-$proxy_name" 200 run_again
check "the proxy is well" proxy_is_well
finish
