#!/usr/bin/env bash
# What breaks rules on purpose: certificates that are no good on either leg, handshakes that stop or turn into something else,
# counts that do not fit, endless names, statements without end. Each must come to a clear error or a defined end, memory
# must stay within a stated bound, and a pgbench through the same worker must notice nothing. Under a minute; with --long
# a million statements come instead of a hundred thousand.
#
#   hostile.sh [PRESET] [--long] [--proxy-binary PATH] [--keep]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/integration/lib.sh
source "$here/lib.sh"
# shellcheck source=tests/integration/certificates.sh
source "$here/certificates.sh"
# shellcheck source=tests/integration/tls_questions.sh
source "$here/tls_questions.sh"

more_certificates() {
    certificate foreign_here foreign /CN=localhost DNS:localhost,IP:127.0.0.1
    spoiled spoiled_here here
    spoiled spoiled_alice alice
    chmod 600 "$certs"/*.key
    own_by_unprivileged "$certs"/*
}

begin_load() {
    "$(postgres_programs)/pgbench" -q -i -p "$pg_port" postgres >/dev/null 2>&1
    "$project_root/scripts/as_user.sh" "$(postgres_programs)/pgbench" -n -M prepared -c 4 -R 200 -T 1000 -P 1 -h 127.0.0.1 -p "$proxy_port" -U postgres postgres >"$folder/load.out" 2>&1 &
    load_pid=$!
    disown "$load_pid"
    wait_until 15 grep -qs '^progress: ' "$folder/load.out" || die "pgbench does not run: $(tail -n 3 "$folder/load.out")"
}

# A line for each second, which counts what failed in it.
load_undisturbed() {
    process_ended "$load_pid" && { tail -n 5 "$folder/load.out"; return 1; }
    local seconds stalled
    seconds=$(grep -c '^progress: ' "$folder/load.out")
    stalled=$(grep '^progress: ' "$folder/load.out" | grep -vcE ' [1-9][0-9.]* tps, .* 0 failed(,|$)' || true)
    echo "$seconds seconds, $stalled with failures or nothing done"
    (( seconds > 5 && stalled == 0 )) && ! grep -iE 'error|aborted|fatal' "$folder/load.out"
}
check_python() { count_checks_of timeout 900 /usr/bin/python3 -B "$here/$1" "$proxy_port" "$pg_port" "$proxy_pid" "${@:2}"; }

parse_options "$@"
[[ $proxy_is_pgweir == yes ]] || die "its bounds are pgweir's own"
make_certificates
more_certificates
start_postgres --conf 'ssl = on' --conf "ssl_cert_file = '$certs/here.crt'" --conf "ssl_key_file = '$certs/here.key'"
fake_ports=() database_lines=("known = host=127.0.0.1 port=$pg_port dbname=postgres query_wait_timeout=1")
for number in 0 1 2 3 4; do
    fake_ports+=("$(free_port)")
    database_lines+=("fake$number = host=127.0.0.1 port=${fake_ports[number]}")
done
database_lines+=("* = host=127.0.0.1 port=$pg_port")
start_tls_proxy hostile prefer "client_tls_ca_file = $certs/ca.crt" 'client_login_timeout = 2' 'pool_mode = transaction' \
    'server_tls_sslmode = verify-full' "server_tls_ca_file = $certs/ca.crt" 'server_connect_timeout = 1' 'query_wait_timeout = 3' \
    'server_login_retry = 1' 'log_connections = 0'
begin_load
check_python hostile_certificates.py "$folder/hostile.log" "$certs" "${fake_ports[@]}"
check_python hostile_handshakes.py "$folder/hostile.log" "$certs"
check "a client that renegotiates ends itself alone" wire renegotiation_is_refused "$(command -v openssl)"
check_python hostile_messages.py
check_python hostile_statements.py "$(if has_option --long; then echo 1000000; else echo 100000; fi)"
check "pgbench beside it met no error, and no second without work" load_undisturbed
check "the proxy is well" proxy_is_well
end_process "$load_pid" INT 5
finish
