#!/usr/bin/env bash
# Protocol 3.0 and 3.2 on both legs, in front of the installed PostgreSQL and of PostgreSQL 18: what is negotiated, and
# that cancels arrive in every pairing. Skipped where PostgreSQL 18 can neither be found nor fetched.
#
#   protocol_3_2.sh [PRESET] [--workers N] [--proxy-binary PATH] [--keep]
set -euo pipefail
# shellcheck source=tests/integration/lib.sh
source "$(dirname "$0")/lib.sh"

find_postgres_18() {
    programs_18=$("$project_root/scripts/get_postgres.sh" 18) && return
    echo "skipped: PostgreSQL 18 could not be unpacked (are the packages of Debian forky within reach?)"
    exit 0
}

# Must be 3.2, as psql 18 says itself.
psql_speaks_3_2() { # DATABASE
    "$programs_18/psql" -Xq "host=127.0.0.1 port=$proxy_port user=postgres dbname=$1 min_protocol_version=3.2 max_protocol_version=3.2" \
        -c '\conninfo' | grep -E 'Protocol Version *\| *3\.2'
}

psql_cancels() { # DATABASE VERSION: an interrupt ends the statement, and psql goes on
    local output=$folder/interrupted status=0
    "$programs_18/psql" -X "host=127.0.0.1 port=$proxy_port user=postgres dbname=$1 min_protocol_version=$2 max_protocol_version=$2" \
        -c "select 'marked', pg_sleep(30)" >"$output" 2>&1 &
    local psql_pid=$!
    wait_until 10 runs_marked
    kill -INT "$psql_pid"
    wait "$psql_pid" || status=$?
    cat "$output"
    (( status != 0 )) && grep -q 'canceling statement due to user request' "$output"
}

runs_marked() {
    local port
    for port in "$pg_port" "$port_18"; do
        [[ $(psql -XqAt -p "$port" -d postgres -c "select count(*) from pg_stat_activity
            where query like 'select ''marked''%' and state = 'active' and wait_event = 'PgSleep'") == 0 ]] || return 0
    done
    return 1
}

parse_options "$@"
find_postgres_18
start_postgres
port_18=$(PGBIN=$programs_18 "$project_root/scripts/throwaway_pg.sh" start "$folder/postgres18")
old_port=$(free_port) mute_port=$(free_port)
database_lines=("installed = host=127.0.0.1 port=$pg_port dbname=postgres" "pg18 = host=127.0.0.1 port=$port_18 dbname=postgres"
    "old = host=127.0.0.1 port=$old_port" "mute = host=127.0.0.1 port=$mute_port")
start_proxy protocol 'pool_mode = transaction' 'default_pool_size = 2'
for database in installed pg18; do
    check "psql speaks 3.2 and nothing less ($database)" psql_speaks_3_2 "$database"
    for version in 3.0 3.2; do
        check "Ctrl-C in psql, protocol $version ($database)" psql_cancels "$database" "$version"
    done
done
count_checks_of timeout 120 /usr/bin/python3 -B "$(dirname "$0")/protocol_3_2.py" "$proxy_port" "$port_18" "$old_port" "$mute_port"
check "the proxy is well" proxy_is_well
finish
