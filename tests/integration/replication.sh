#!/usr/bin/env bash
# Replication through the proxy, physical and logical: PostgreSQL's own tools, a standby and a subscription, beside pgbench in
# transaction pooling. About half a minute. With --tls both legs of the tools' connections are encrypted.
#
#   replication.sh [PRESET] [--tls] [--workers N] [--proxy-binary PATH] [--keep]
set -euo pipefail
# shellcheck source=tests/integration/lib.sh
source "$(dirname "$0")/lib.sh"
# shellcheck source=tests/integration/certificates.sh
source "$(dirname "$0")/certificates.sh"

through() { echo "host=127.0.0.1 port=$proxy_port user=postgres ${tls_parameters:-}"; }
tool() { "$project_root/scripts/as_user.sh" "$programs/$1" "${@:2}"; }
console() { psql -XqAt -p "$proxy_port" -d pgbouncer -c "$1"; }

# Tools that go on from one check to the next: NAME.out is what they say, NAME.pid which process they are.
in_background() { # NAME TOOL ARGUMENTS...
    "$project_root/scripts/as_user.sh" "$programs/$2" "${@:3}" >"$folder/$1.out" 2>&1 &
    echo $! >"$folder/$1.pid"
    disown $!
}
end_background() { end_process "$(<"$folder/$1.pid")" "$2" 10; } # NAME SIGNAL
has_ended() { process_ended "$(<"$folder/$1.pid")"; }

eventually() { wait_until 15 "$@"; }
direct_is() { [[ $(direct_sql "$1" 2>/dev/null) == "$2" ]]; }
shows() { console "$1" | cut -d'|' -f4 | grep -qx "$2"; }
no_replication_shown() { ! console 'show clients' | cut -d'|' -f4 | grep -qE 'physical|logical' && direct_is 'select count(*) from pg_stat_replication' 0; }

# What by hand is spoken in plain text stays so on the client leg; servers are asked for TLS always.
begin_tls() {
    make_one_certificate
    tls_parameters="sslmode=verify-full sslrootcert=$certs/ca.crt"
    postgres_lines+=(--conf 'ssl = on' --conf "ssl_cert_file = '$certs/here.crt'" --conf "ssl_key_file = '$certs/here.key'")
    proxy_lines+=('client_tls_sslmode = prefer' "client_tls_cert_file = $certs/here.crt" "client_tls_key_file = $certs/here.key"
        'server_tls_sslmode = verify-full' "server_tls_ca_file = $certs/ca.crt")
}

# Every stream there is: PostgreSQL's view of the server leg, the console's of the client leg.
streams_are_tls() { # KIND
    [[ -n ${tls_parameters:-} ]] || return 0
    direct_is 'select count(*) > 0 and bool_and(ssl) from pg_stat_replication join pg_stat_ssl using (pid)' t || return 1
    console 'show clients' | awk -F'|' -v kind="$1" '$4 == kind { seen = 1; if ($0 !~ /TLSv1/) plain = 1 } END { exit !seen || plain }'
}

base_backup() {
    tool pg_basebackup -d "$(through)" -D "$folder/postgres_standby/data" -X stream -c fast -R -C -S standby
    tool pg_verifybackup "$folder/postgres_standby/data"
}

# From the backup, and fed through the proxy: pg_basebackup -R has written where from.
standby_follows() {
    standby_port=$("$project_root/scripts/throwaway_pg.sh" start "$folder/postgres_standby")
    direct_sql "create table if not exists followed (n int); insert into followed values (4711)"
    echo "$standby_port" >"$folder/standby_port"
    standby_has() { [[ $(psql -XqAt -p "$standby_port" -d postgres -c 'select pg_is_in_recovery(), count(*) from followed' 2>/dev/null) == 't|1' ]]; }
    eventually standby_has
    eventually shows 'show servers' physical
    eventually streams_are_tls physical
}

receive_wal() {
    mkdir -p "$folder/wal" && own_by_unprivileged "$folder/wal"
    in_background receivewal pg_receivewal -d "$(through)" -D "$folder/wal" --no-loop
    eventually direct_is "select count(*) > 0 from pg_stat_replication where application_name = 'pg_receivewal'" t
    streams_are_tls physical || return 1
    local segment
    segment=$(direct_sql "select pg_walfile_name(pg_current_wal_lsn())")
    direct_sql "insert into followed values (1); select pg_switch_wal()" >/dev/null
    eventually test -e "$folder/wal/$segment"
    tool pg_waldump -q "$folder/wal/$segment"
}

killed_client_ends_its_server() {
    end_background receivewal KILL
    eventually direct_is "select count(*) from pg_stat_replication where application_name = 'pg_receivewal'" 0
}

reconnect_ends_streams() {
    in_background reconnected pg_receivewal -d "$(through)" -D "$folder/wal" --no-loop
    eventually direct_is "select count(*) from pg_stat_replication where application_name = 'pg_receivewal'" 1
    console RECONNECT
    eventually has_ended reconnected
    grep 'FATAL:  admin forced disconnect' "$folder/reconnected.out"
}

receive_logical() {
    tool pg_recvlogical -d "$(through) dbname=postgres" -S decoded --create-slot -P test_decoding
    in_background decoded pg_recvlogical -d "$(through) dbname=postgres" -S decoded --start -f - -s 1 --no-loop
    eventually shows 'show clients' logical
    streams_are_tls logical || return 1
    proxied_sql "insert into followed select n from generate_series(5001, 5100) n" >/dev/null
    eventually grep -q 'followed: INSERT: n\[integer\]:5100' "$folder/decoded.out"
    [[ $(grep -c 'INSERT: n.integer.:5[01]' "$folder/decoded.out") == 100 ]]
    end_background decoded INT
    tool pg_recvlogical -d "$(through) dbname=postgres" -S decoded --drop-slot
}

# Streams, then copies a table in a transaction of its own, then streams again: commands of all kinds on such connections.
subscription_follows() {
    local port; port=$("$project_root/scripts/throwaway_pg.sh" start "$folder/postgres_subscriber" --conf 'max_logical_replication_workers = 4')
    direct_sql "create table published (n int primary key, t text); insert into published select n, repeat('x', n) from generate_series(1, 1000) n; create publication everything for table published"
    there() { psql -XqAt -p "$port" -d postgres -c "$1"; }
    there 'create table published (n int primary key, t text)'
    there "create subscription everything connection '$(through) dbname=postgres' publication everything"
    subscriber_has() { [[ $(there 'select count(*), sum(length(t)) from published') == "$1" ]]; }
    eventually subscriber_has '1000|500500'
    direct_sql "update published set t = 'short' where n > 900; insert into published values (2000, 'new')"
    eventually subscriber_has '1001|405953'
    there 'drop subscription everything'
    "$project_root/scripts/throwaway_pg.sh" stop "$folder/postgres_subscriber"
}

# Any option passes, since the server is nobody else's; a value of the client's is the server's from its start.
options_pass() {
    [[ $(psql -XqAt "$(through) dbname=postgres replication=database options='-c work_mem=77kB -c geqo=off'" -c 'show work_mem' -c 'show geqo') == $'77kB\noff' ]]
    [[ $(PGAPPNAME=named psql -XqAt "$(through) dbname=postgres replication=database" -c "select application_name from pg_stat_activity where pid = pg_backend_pid()") == named ]]
    psql -XqAt "$(through) dbname=postgres replication=true" -c IDENTIFY_SYSTEM | grep -E '^[0-9]+\|1\|'
}

refused_login() {
    direct_sql "create role powerless login"
    echo '"powerless" ""' >>"$folder/users.txt"
    console RELOAD
    psql -X "$(through) dbname=postgres user=powerless replication=true" -c IDENTIFY_SYSTEM >"$folder/refused.out" 2>&1 && return 1
    grep -q 'FATAL:  login failed' "$folder/refused.out"
    grep -qE 'ERROR S-.*login failed: FATAL: .*(walsender|WAL sender)' "$folder/$proxy_name.log"
    [[ $(psql -XqAt "$(through) dbname=postgres user=powerless" -c 'select 1') == 1 ]]
}

unknown_word() {
    { psql -X "$(through) dbname=postgres replication=perhaps" -c IDENTIFY_SYSTEM 2>&1 || true; } | grep 'unsupported startup parameter: replication'
}

# A pool of one: its idle server gives way; while the replication client is there nobody else is served.
counts_in_its_pool() {
    [[ $(proxied_sql 'select 1' small) == 1 ]]
    tool pg_recvlogical -d "$(through) dbname=small" -S small --create-slot -P test_decoding
    grep -qE 'S-[^ ]* small/postgres.*closing because: evicted' "$folder/$proxy_name.log"
    in_background small pg_recvlogical -d "$(through) dbname=small" -S small --start -f - --no-loop
    eventually direct_is "select count(*) from pg_stat_replication where application_name = 'pg_recvlogical'" 1
    { proxied_sql 'select 1' small 2>&1 || true; } | grep query_wait_timeout
    end_background small INT
    [[ $(proxied_sql 'select 2' small) == 2 ]]
    tool pg_recvlogical -d "$(through) dbname=small" -S small --drop-slot
}

load_undisturbed() {
    end_background load INT
    grep -E 'number of failed transactions: 0|tps = ' "$folder/load.out"
    ! grep -iE 'error|aborted' "$folder/load.out"
}

parse_options "$@"
programs=$(postgres_programs)
postgres_lines=() proxy_lines=()
if has_option --tls; then begin_tls; fi
start_postgres "${postgres_lines[@]}" --conf 'wal_level = logical' --conf 'max_wal_senders = 20' --conf 'max_replication_slots = 20'
mkdir -p "$folder/postgres_standby"
own_by_unprivileged "$folder/postgres_standby"
database_lines=("small = host=127.0.0.1 port=$pg_port dbname=postgres pool_size=1 query_wait_timeout=2" "* = host=127.0.0.1 port=$pg_port")
start_proxy replication 'pool_mode = transaction' 'default_pool_size = 8' 'query_timeout = 8' 'log_connections = 1' 'log_disconnections = 1' "${proxy_lines[@]}"
tool pgbench -i -q -h 127.0.0.1 -p "$pg_port" -U postgres postgres >/dev/null 2>&1
in_background load pgbench -n -M prepared -c 8 -j 1 -R 300 -T 120 -h 127.0.0.1 -p "$proxy_port" -U postgres postgres

check "options and names pass, commands are answered" options_pass
check "a base backup is whole" base_backup
check "a standby follows" standby_follows
check "pg_receivewal receives whole segments" receive_wal
check "a client that is killed ends its server" killed_client_ends_its_server
check "pg_recvlogical receives each row" receive_logical
check "a subscription copies and follows" subscription_follows
check "a login that the server refuses" refused_login
check "replication wants a word that it knows" unknown_word
check "RECONNECT ends streams at once" reconnect_ends_streams
check "a replication client counts in its pool" counts_in_its_pool
count_checks_of timeout 60 /usr/bin/python3 -B "$(dirname "$0")/replication.py" "$proxy_port" "$pg_port" "$proxy_pid"
"$project_root/scripts/throwaway_pg.sh" stop "$folder/postgres_standby"
check "nothing of it is left" eventually no_replication_shown
check "pgbench beside it met no error" load_undisturbed
check "the proxy is well" proxy_is_well
finish
