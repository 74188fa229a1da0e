#!/usr/bin/env bash
# What the console shows: types and values under a load that is known, read by psql, psycopg, JDBC and as an exporter does.
#
#   console_show.sh [PRESET] [--workers N] [--proxy-binary PATH] [--keep]
set -euo pipefail
# shellcheck source=tests/integration/lib.sh
source "$(dirname "$0")/lib.sh"

run() { count_checks_of timeout 120 /usr/bin/python3 -B "$(dirname "$0")/$1" "${@:2}"; }

# 20 clients over 4 servers. A thread for each client: pgbench prepares in step, and would wait for a server it holds itself.
bench() { # PROTOCOL
    printf '%s\n' 'begin;' 'select 1;' 'select 2;' 'end;' >"$folder/script.sql"
    pgbench -n -M "$1" -c 20 -j 20 -t 100 -f "$folder/script.sql" -p "$proxy_port" bench >"$folder/bench.log" 2>&1
}

by_psql() { psql -XAt -p "$proxy_port" pgbouncer -c "$1"; }
psql_reads_all() {
    local what
    for what in STATS STATS_TOTALS STATS_AVERAGES TOTALS POOLS DATABASES CLIENTS SERVERS SOCKETS USERS LISTS CONFIG MEM VERSION STATE FDS; do
        [[ -n $(by_psql "SHOW $what;") ]] || { echo "SHOW $what is empty"; return 1; }
    done
    for what in ACTIVE_SOCKETS PEERS PEER_POOLS DNS_HOSTS DNS_ZONES HELP; do by_psql "SHOW $what;" || return; done
}
has_every_command() {
    local help
    help=$(by_psql 'SHOW HELP' 2>&1)
    [[ $help == *WAIT_CLOSE* && $help == *'SHUTDOWN [WAIT_FOR_SERVERS|WAIT_FOR_CLIENTS]'* ]]
}

parse_options "$@"
start_postgres
direct_sql 'create role watcher login'
at="host=127.0.0.1 port=$pg_port dbname=postgres"
database_lines=("bench = $at pool_size=4" "one = $at pool_size=1" "averaged = $at" "unpooled = $at" "postgres = $at")
more_users=('"watcher" ""')
for protocol in simple prepared; do
    start_proxy "$protocol" 'pool_mode = transaction' 'stats_users = watcher' 'server_check_delay = 600'
    check "$protocol: pgbench runs" bench "$protocol"
    if [[ $protocol == simple ]]; then check "psql reads every SHOW" psql_reads_all; check "SHOW HELP" has_every_command; fi
    run console_show.py "$proxy_port" "$protocol 20 2000 4"
    if [[ $protocol == prepared ]]; then
        run console_psycopg.py "$proxy_port"
        driver=/usr/share/java/postgresql.jar
        if [[ -e $driver ]] && command -v java >/dev/null; then
            count_checks_of timeout 60 java -Djava.util.logging.config.file=/dev/null -cp "$driver" "$(dirname "$0")/ConsoleReader.java" "$proxy_port"
        fi
    fi
    check "$protocol: the proxy is well" proxy_is_well
    stop_proxy
done
finish
