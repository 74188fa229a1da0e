#!/usr/bin/env bash
# PostgreSQL's own isolation tests, first on the server itself, then through the proxy: several sessions that lock, wait,
# deadlock and commit in every order a test names must see the same.
#
#   isolation_suite.sh [PRESET] [--transaction] [--workers N] [--proxy-binary PATH] [--keep]
#
# The tester asks the server whether the session of a step waits for a lock, and knows sessions by process id, which a
# pooler hides. So PQbackendPID is replaced (backend_pid.c): in session pooling by the id of the session's own server;
# in transaction pooling, where each transaction may run on another, by a number made from the application_name, which
# the tester has different for each session and which follows a client to its servers. The function that tells who waits
# is replaced by one that finds the server by that number.
set -euo pipefail
# shellcheck source=tests/integration/lib.sh
source "$(dirname "$0")/lib.sh"
# shellcheck source=tests/integration/suites.sh
source "$(dirname "$0")/suites.sh"

pg_isolation_regress=$(realpath "$(postgres_programs)/../lib/pgxs/src/test/isolation/pg_isolation_regress")
server_options=(--max-connections 60 --conf 'max_prepared_transactions = 10')
database=isolation_regression

number_of() { echo "hashtext($1) & 2147483647"; }

# Idle servers keep the name of whom they served last, so they do not count.
# A function that is built in goes by its number whatever its row says, so the old one only gives its name away.
blocking_by_number() {
    cat <<SQL
alter function pg_catalog.pg_isolation_test_session_is_blocked(integer, integer[]) rename to session_is_blocked_by_process_id;
create function pg_catalog.pg_isolation_test_session_is_blocked(blocked integer, others integer[])
returns boolean language sql as \$\$
    with busy as (select pid, $(number_of application_name) as session from pg_stat_activity where state <> 'idle'),
        other as (select array_agg(pid) as pids from busy where session = any (others))
    select coalesce(bool_or(pg_blocking_pids(pid) && pids or pg_safe_snapshot_blocking_pids(pid) && pids), false)
    from busy, other where session = blocked
\$\$
SQL
}

# What known_differences.txt says cannot run is left out of both runs: it would wait for itself until the tester gives up.
write_schedule() {
    local test
    cp "$suite/isolation_schedule" "$folder/schedule"
    while read -r test; do
        sed -Ei "/^test:/s/ $test( |\$)/\1/" "$folder/schedule"
        echo "left out: $test"
    done < <(awk -v kind="isolation-$mode" '$1 == kind && $3 == "left-out" {print $2}' "$known_differences")
    sed -i '/^test: *$/d' "$folder/schedule"
    chmod 644 "$folder/schedule"
}

run_isolation() { # NAME PORT OPTION...
    direct_sql "create database $database"
    [[ $1 != proxied ]] || ! has_option --transaction || direct_sql "$(blocking_by_number)" "$database"
    run_suite "$1" "$2" "$pg_isolation_regress" --use-existing --dbname="$database" --schedule="$folder/schedule" "${@:3}"
}

run_again() { fresh_postgres; run_isolation again "$pg_port"; }

session_query() {
    if has_option --transaction; then echo "select $(number_of "current_setting('application_name')")"
    else echo 'select pg_backend_pid()'; fi
}

build_launcher() {
    gcc -shared -fPIC -O1 -Wall -I"$(pg_config --includedir)" -o "$folder/backend_pid.so" "$(dirname "$0")/backend_pid.c"
    chmod 755 "$folder/backend_pid.so"
    write_fresh_server_launcher "export BACKEND_PID_QUERY=\"$(session_query)\" LD_PRELOAD=$folder/backend_pid.so"
}

parse_options "$@"
mode=session
! has_option --transaction || mode=transaction
"$project_root/tests/integration/get_regression_suite.sh" "$suite"
suite=$suite/isolation
write_schedule
export PGISOLATIONTIMEOUT=60                       # seconds until a step that hangs is cancelled
fresh_postgres
run_isolation direct "$pg_port"
fresh_postgres
start_proxy "$mode" "pool_mode = $mode" 'default_pool_size = 20'
build_launcher
run_isolation proxied "$proxy_port" --launcher="$launcher"
compare_runs "isolation-$mode" 90 run_again
check "the proxy is well" proxy_is_well
finish
