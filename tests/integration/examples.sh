#!/usr/bin/env bash
# Each file of conf/ really started: only hosts, ports and folders are put in place of the example's.
#
#   examples.sh [PRESET] [--workers N] [--proxy-binary PATH] [--keep]
set -euo pipefail
# shellcheck source=tests/integration/lib.sh
source "$(dirname "$0")/lib.sh"

make_certificates() {
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=ca -keyout "$folder/ca.key" -out "$folder/ca.crt"
    openssl req -newkey rsa:2048 -nodes -subj /CN=here -keyout "$folder/server.key" -out "$folder/server.csr"
    openssl x509 -req -in "$folder/server.csr" -CA "$folder/ca.crt" -CAkey "$folder/ca.key" -CAcreateserial -days 2 \
        -extfile <(echo 'subjectAltName = IP:127.0.0.1') -out "$folder/server.crt"
    chmod 600 "$folder/server.key"
    own_by_unprivileged "$folder/server.key"
} >"$folder/openssl.log" 2>&1

start_example() { # NAME
    stop_proxy
    proxy_name=example_$1 proxy_port=$(free_port)
    sed -e "s|host=[0-9.]* port=5432|host=127.0.0.1 port=$pg_port|" -e "s|^;\?listen_port = .*|listen_port = $proxy_port|" \
        -e "s|^;\?unix_socket_dir = .*|unix_socket_dir = $folder|" -e "s|^auth_file = .*|auth_file = $folder/userlist.txt|" \
        -e "s#/etc/pgweir\|/run/pgweir\|/var/log/pgweir#$folder#" "$project_root/conf/$1.ini" >"$folder/$1.ini"
    grep -q "^listen_port = $proxy_port" "$folder/$1.ini" || printf '%s\n' "listen_port = $proxy_port" "unix_socket_dir = $folder" >>"$folder/$1.ini"
    check "$1: --check finds nothing" "$proxy_binary" --check "$folder/$1.ini"
    "$project_root/scripts/as_user.sh" "$proxy_binary" "$folder/$1.ini" >"$folder/$proxy_name.log" 2>&1 &
    proxy_pid=$!
    wait_until 15 proxy_answers_or_ended || true
}

one_is_one() { [[ $(PGPASSWORD=change-me psql -XqAt "host=127.0.0.1 port=$proxy_port user=app dbname=$1" -c 'select 1') == 1 ]]; }
version_is_shown() {
    local shown
    shown=$("$project_root/scripts/as_user.sh" /usr/bin/psql -XqAt "host=$folder port=$proxy_port user=pgbouncer dbname=pgbouncer" -c 'SHOW VERSION')
    [[ $shown == "$("$proxy_binary" --version | head -n 1)" ]]
}
server_is_tls() {
    local sql='select ssl from pg_stat_ssl where pid = pg_backend_pid()'
    [[ $(PGPASSWORD=change-me psql -XqAt "host=127.0.0.1 port=$proxy_port user=app dbname=app" -c "$sql") == t ]]
}
plain_is_refused() { ! PGPASSWORD=change-me psql "host=127.0.0.1 port=$proxy_port user=app dbname=app sslmode=disable" -c 'select 1'; }
pid_file_names_it() { [[ $(readlink "/proc/$(cat "$folder/pgweir.pid")/exe") == "$proxy_binary" ]]; }

parse_options "$@"
make_certificates
start_postgres --scram-user app:change-me --conf 'ssl = on' --conf "ssl_cert_file = '$folder/server.crt'" --conf "ssl_key_file = '$folder/server.key'"
direct_sql 'create database app'
install -m 644 "$project_root/conf/userlist.example.txt" "$folder/userlist.txt"
for file in "$project_root"/conf/*.ini; do
    name=$(basename "$file" .ini)
    start_example "$name"
    check "$name: select 1" one_is_one app
    check "$name: SHOW VERSION" version_is_shown
    check "$name: the proxy is well" proxy_is_well
    if [[ $name == *production* ]]; then
        check "$name: another entry" one_is_one reports
        check "$name: TLS to the server" server_is_tls
        check "$name: no client without TLS" plain_is_refused
        check "$name: pid file" pid_file_names_it
        check "$name: log file" grep -q 'process up' "$folder/pgweir.log"
    fi
done
check "every example was tried" test "$checks_passed" -ge 16
finish
