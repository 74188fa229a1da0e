#!/usr/bin/env bash
# Settings on a running program: each one in the file, by RELOAD and by SET; and what those of entries do.
#
#   settings.sh [PRESET] [--workers N] [--proxy-binary PATH] [--keep]
set -euo pipefail
# shellcheck source=tests/integration/lib.sh
source "$(dirname "$0")/lib.sh"

parse_options "$@"
start_postgres --max-connections 200 --scram-user scram_user:secret --scram-user file_user:from_file
kind=other
[[ $proxy_is_pgweir == no ]] || kind=pgweir
run() { count_checks_of timeout 120 /usr/bin/python3 -B "$(dirname "$0")/$1" "${@:2}"; }

start_proxy walk
run settings.py "$folder/walk.ini" "$proxy_port" "$folder/walk.log" "$kind"
check "the proxy is well" proxy_is_well
stop_proxy

users=(forced_user one_server few_servers reserved whole_session few_clients waits_less query_timeout idle_transaction_timeout
    transaction_timeout client_idle_timeout)
direct_sql "$(printf 'create role %s login superuser;' "${users[@]}")"
mapfile -t more_users < <(printf '"%s" ""\n' "${users[@]}")
more_users+=('"file_user" "from_file"')
at="host=127.0.0.1 port=$pg_port dbname=postgres"
database_lines=(
    "small = $at pool_size=2"
    "one = $at pool_size=1 query_wait_timeout=1"
    "patient = $at pool_size=1 query_wait_timeout=60"
    "reserve = $at pool_size=1 reserve_pool_size=1"
    "minimum = $at user=postgres min_pool_size=2"
    "few_servers = $at max_db_connections=1"
    "few_clients = $at max_db_client_connections=1"
    "whole_session = $at pool_mode=session"
    "single_statements = $at pool_mode=statement"
    "with_parameters = $at client_encoding=LATIN1 datestyle='SQL, DMY' timezone=Asia/Tokyo application_name='by entry'"
    "with_query = $at connect_query='set statement_timeout = ''33s'''"
    "with_wrong_query = $at connect_query='select no_such_column'"
    "short_lived = $at server_lifetime=1"
    "forced = $at user=forced_user"
    "forced_with_password = $at user=scram_user password=secret"
    "forced_from_file = $at user=file_user"
    "* = host=127.0.0.1 port=$pg_port"
    "[users]"
    "one_server = pool_size=1"
    "few_servers = max_user_connections=1"
    "reserved = pool_size=1 reserve_pool_size=1"
    "whole_session = pool_mode=session"
    "few_clients = max_user_client_connections=1"
    "waits_less = query_wait_timeout=1"
    "query_timeout = query_timeout=1"
    "idle_transaction_timeout = idle_transaction_timeout=1"
    "transaction_timeout = transaction_timeout=1"
    "client_idle_timeout = client_idle_timeout=1"
)
start_proxy entries 'pool_mode = transaction' 'reserve_pool_timeout = 1' 'autodb_idle_timeout = 1' 'server_idle_timeout = 3' 'query_wait_notify = 0'
run entries.py "$proxy_port" "$folder/entries.log"
check "the proxy is well" proxy_is_well
stop_proxy

database_lines=() more_users=('"watcher" ""' '"other" ""')
start_proxy effects 'pool_mode = transaction' "unix_socket_dir = $folder" 'unix_socket_mode = 0750'
if [[ $kind == pgweir ]]; then
    chmod a+w "$folder/effects.ini"
    count_checks_of as_owner effects.py "$folder/.s.PGSQL.$proxy_port" "$proxy_port" "$folder/effects.log" "$folder"
    check "the proxy is well" proxy_is_well
fi
stop_proxy

start_proxy restart 'disable_pqexec = 1' 'listen_backlog = 33'
refuses_simple_queries() { ! proxied_sql "select 1" >"$folder/simple" 2>&1 && grep -q "PQexec disallowed" "$folder/simple"; }
check "disable_pqexec refuses simple queries" refuses_simple_queries
backlog() { ss -Hltn "sport = :$proxy_port" | awk '{print $3}'; }
check "listen_backlog is the listener's" test "$(backlog)" = 33
finish
