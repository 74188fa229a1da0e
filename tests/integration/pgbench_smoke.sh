#!/usr/bin/env bash
# pgbench through the proxy: no transaction may fail, and afterwards the books must balance.
#
#   pgbench_smoke.sh [PRESET] [--workers N] [--proxy-binary PATH] [--long | --long-only] [--keep]
#
# --long adds 1,000 clients at once; --long-only runs nothing but them.
set -euo pipefail
# shellcheck source=tests/integration/lib.sh
source "$(dirname "$0")/lib.sh"

# All transactions of the run went through, told by pgbench's own count.
pgbench_all() { # OPTIONS...
    local out
    out=$(timeout 240 pgbench -n -p "$proxy_port" "$@" bench 2>&1) || { echo "$out"; return 1; }
    grep -q '^number of failed transactions: 0 ' <<<"$out" || { echo "$out"; return 1; }
    grep -qE '^number of transactions actually processed: ([0-9]+)/\1$' <<<"$out" || { echo "$out"; return 1; }
}

# Each transaction adds the same number to an account, a teller and a branch and writes it down: lost, doubled or crossed
# messages would leave the four sums apart. Asked of the server directly.
books_balance() {
    local sums
    sums=$(direct_sql "select (select sum(abalance) from pgbench_accounts), (select sum(tbalance) from pgbench_tellers),
        (select sum(bbalance) from pgbench_branches), (select coalesce(sum(delta), 0) from pgbench_history)" bench)
    [[ $sums =~ ^(-?[0-9]+)\|(-?[0-9]+)\|(-?[0-9]+)\|(-?[0-9]+)$ ]] || { echo "sums: $sums"; return 1; }
    [[ ${BASH_REMATCH[1]} == "${BASH_REMATCH[2]}" && ${BASH_REMATCH[1]} == "${BASH_REMATCH[3]}" &&
       ${BASH_REMATCH[1]} == "${BASH_REMATCH[4]}" ]] || { echo "sums differ: $sums"; return 1; }
}

history_rows() { # WANTED: every transaction is there once
    local rows; rows=$(direct_sql "select count(*) from pgbench_history" bench)
    [[ $rows == "$1" ]] || { echo "pgbench_history has $rows rows, $1 wanted"; return 1; }
}

# The same work as pgbench's own script, in one pipeline, so that the balance check covers it too.
write_pipeline_script() {
    cat >"$folder/pipeline.sql" <<'SQL'
\set aid random(1, 100000 * :scale)
\set bid random(1, 1 * :scale)
\set tid random(1, 10 * :scale)
\set delta random(-5000, 5000)
\startpipeline
BEGIN;
UPDATE pgbench_accounts SET abalance = abalance + :delta WHERE aid = :aid;
SELECT abalance FROM pgbench_accounts WHERE aid = :aid;
UPDATE pgbench_tellers SET tbalance = tbalance + :delta WHERE tid = :tid;
UPDATE pgbench_branches SET bbalance = bbalance + :delta WHERE bid = :bid;
INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) VALUES (:tid, :bid, :aid, :delta, CURRENT_TIMESTAMP);
END;
\endpipeline
SQL
}

initialise() { pgbench -i -q -s 4 -p "$proxy_port" bench; }

transaction_pooling() {
    start_proxy transaction 'pool_mode = transaction' 'default_pool_size = 10' 'max_client_conn = 200'
    check "pgbench -i through the proxy" initialise
    local protocol wanted=0
    for protocol in simple extended prepared; do
        check "$protocol, 1 client" pgbench_all -M "$protocol" -c 1 -t 200
        # pgbench prepares while its other clients wait, those in a transaction too: more clients than servers lock it up.
        clients=32
        [[ $protocol == prepared ]] && clients=10
        check "$protocol, $clients clients on 10 servers" pgbench_all -M "$protocol" -c "$clients" -j 2 -t 100
        check "$protocol, select-only" pgbench_all -M "$protocol" -S -c 32 -j 2 -t 500
        wanted=$((wanted + 200 + clients * 100))
    done
    check "pipelines, extended" pgbench_all -M extended -f "$folder/pipeline.sql" -c 16 -j 2 -t 100
    check "pipelines, prepared" pgbench_all -M prepared -f "$folder/pipeline.sql" -c 16 -j 2 -t 100
    check "a new connection for each transaction" pgbench_all -C -S -c 8 -j 2 -t 100
    check "2,000 broken openings disturb nobody" timeout 120 /usr/bin/python3 "$(dirname "$0")/bad_input.py" "$proxy_port" bench 2000 "$proxy_pid"
    check "books balance" books_balance
    check "each transaction happened once" history_rows $((wanted + 3200))
    check "the proxy is well" proxy_is_well
    stop_proxy
}

session_pooling() {
    start_proxy session 'pool_mode = session' 'default_pool_size = 32' 'max_client_conn = 200'
    check "session pooling, prepared, select-only" pgbench_all -M prepared -S -c 16 -j 2 -t 500
    check "session pooling, prepared, pipelines" pgbench_all -M prepared -f "$folder/pipeline.sql" -c 16 -j 2 -t 100
    check "session pooling, prepared, 16 clients" pgbench_all -M prepared -c 16 -j 2 -t 100
    check "session pooling, a new connection for each transaction" pgbench_all -C -c 8 -j 2 -t 50
    check "session pooling, books balance" books_balance
    check "session pooling, the proxy is well" proxy_is_well
    stop_proxy
}

a_thousand_clients() {
    local clients=1000
    (( $(ulimit -n) > 1200 )) || { clients=$(( $(ulimit -n) / 2 )); echo "only $clients clients: ulimit -n is $(ulimit -n)"; }
    start_proxy thousand 'pool_mode = transaction' 'default_pool_size = 20' 'max_client_conn = 2000'
    direct_sql "select 1 from pgbench_branches limit 1" bench >/dev/null 2>&1 || initialise >/dev/null 2>&1
    check "$clients clients on 20 servers, simple" pgbench_all -c "$clients" -j 2 -t 10
    check "$clients clients on 20 servers, extended" pgbench_all -M extended -S -c "$clients" -j 2 -t 50
    check "$clients clients, books balance" books_balance
    check "$clients clients, the proxy is well" proxy_is_well
    stop_proxy
}

parse_options "$@"
start_postgres
direct_sql 'create database bench'
write_pipeline_script
if ! has_option --long-only; then
    transaction_pooling
    session_pooling
fi
if has_option --long || has_option --long-only; then a_thousand_clients; fi
finish
