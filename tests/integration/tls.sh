#!/usr/bin/env bash
# TLS on both legs against a PostgreSQL with ssl = on: modes, certificates good and bad, reload, channel binding, and what
# only bytes can try (tls_wire.py). Certificates are made here, by openssl.
#
#   tls.sh [PRESET] [--workers N] [--proxy-binary PATH] [--keep]
set -euo pipefail
# shellcheck source=tests/integration/lib.sh
source "$(dirname "$0")/lib.sh"
# shellcheck source=tests/integration/certificates.sh
source "$(dirname "$0")/certificates.sh"

here=$(cd "$(dirname "$0")" && pwd)

# shellcheck source=tests/integration/tls_questions.sh
source "$here/tls_questions.sh"

# --- the client leg ---

mode_is() { # MODE PLAIN TLS CERTIFICATE: what each of these comes to, ok or refused
    local mode=$1
    local -A outcome=([plain]=$2 [tls]=$3 [certificate]=$4)
    stop_proxy
    start_tls_proxy "client_$mode" "$mode" "client_tls_ca_file = $certs/ca.crt"
    local what; for what in plain tls certificate; do
        local parameters; case $what in
            plain) parameters='sslmode=disable' ;;
            tls) parameters="sslmode=verify-full sslrootcert=$certs/ca.crt" ;;
            certificate) parameters="sslmode=require $(with alice)" ;;
        esac
        if [[ ${outcome[$what]} == ok ]]; then check "client_tls_sslmode=$mode takes $what" succeeds "$parameters"
        else check "client_tls_sslmode=$mode refuses $what" says "${outcome[$what]}" connect "$parameters"; fi
    done
}

client_modes() {
    mode_is disable ok 'does not support SSL' 'does not support SSL'
    mode_is allow ok ok ok
    mode_is prefer ok ok ok
    mode_is require 'SSL required' ok ok
    mode_is verify-ca 'SSL required' 'certificate required' ok
    mode_is verify-full 'SSL required' 'certificate required' ok
    check "a client certificate of another CA is refused" says 'unknown ca' connect "sslmode=require $(with foreign_alice)"
    check "an expired client certificate is refused" says 'certificate expired' connect "sslmode=require $(with old_alice)"
    check "the log says why" log_says 'WARNING .*TLS handshake error: certificate verify failed \(certificate has expired\)'
    stop_proxy
    start_tls_proxy below_verify require "client_tls_ca_file = $certs/ca.crt"
    check "a certificate that is shown must be valid in every mode" says 'unknown ca' connect "sslmode=require $(with foreign_alice)"
    stop_proxy
    start_tls_proxy cert verify-full "client_tls_ca_file = $certs/ca.crt" 'auth_type = cert'
    check "auth_type=cert takes the user of the certificate" succeeds "sslmode=require user=alice $(with alice)"
    check "auth_type=cert takes nobody else" says 'certificate authentication failed' connect "sslmode=require $(with alice)"
    check "the log says that the name is wrong" log_says 'ERROR .*TLS certificate name mismatch'
    stop_proxy
}

client_rules() {
    start_tls_proxy rules require 'client_tls_protocols = tlsv1.2' 'client_tls_ciphers = ECDHE-ECDSA-AES256-GCM-SHA384' \
        'client_tls_ecdhcurve = secp384r1'
    check "only the TLS version that is allowed comes through" wire only_the_versions_allowed TLSv1_2
    check "SHOW has version, cipher and curve" is 'TLSv1.2/ECDHE-ECDSA-AES256-GCM-SHA384/ECDH=secp384r1' shown_tls
    check "a client cannot renegotiate" wire renegotiation_is_refused "$(command -v openssl)"
    stop_proxy
    start_tls_proxy suites require 'client_tls_protocols = tlsv1.3' 'client_tls13_ciphers = TLS_CHACHA20_POLY1305_SHA256'
    check "the suite of TLS 1.3 is the one set" is 'TLSv1.3/TLS_CHACHA20_POLY1305_SHA256/ECDH=X25519' shown_tls
    stop_proxy
}
shown_tls() { console 'show clients' | cut -d'|' -f18 | tail -n 1; }

client_wire() {
    start_tls_proxy wire prefer 'max_client_conn = 1000'
    local name; for name in direct_tls_with_alpn direct_tls_without_alpn foreign_alpn_is_refused \
        plain_bytes_behind_the_request_are_refused plain_start_up_after_the_answer_is_refused handshakes_cut_at_every_byte \
        a_handshake_byte_by_byte stopped_handshakes_end_at_the_login_timeout sessions_are_resumed large_messages_both_ways \
        a_result_nobody_reads_holds_up_nobody; do
        check "${name//_/ }" wire "$name"
    done
    check "no client is left behind" is 1 left_clients
    check "pgbench over TLS loses nothing" pgbench_runs
    check "a cancel request is taken" cancel_works
    stop_proxy
    start_tls_proxy long require "client_tls_cert_file = $certs/long.crt" "client_tls_key_file = $certs/long.key" 'tcp_socket_buffer = 4096'
    check "an answer that the socket does not take at once" wire an_answer_that_the_socket_does_not_take_at_once
    stop_proxy
    start_tls_proxy slow require "client_tls_cert_file = $certs/slow.crt" "client_tls_key_file = $certs/slow.key"
    check "a slow key works, from the helper thread" wire direct_tls_with_alpn
    check "the log warns of a slow key" log_says 'WARNING .*RSA key of 4096 bits'
    stop_proxy
}
left_clients() { sleep 0.5; console 'show clients' | wc -l; }
pgbench_runs() {
    pgbench -q -i -p "$pg_port" postgres
    PGSSLMODE=require pgbench -n -S -c 16 -j 2 -t 300 -p "$proxy_port" postgres | grep -q '^number of transactions actually processed: 4800/4800$'
    PGSSLMODE=require pgbench -n -S -C -c 4 -t 10 -p "$proxy_port" postgres | grep -q '^number of transactions actually processed: 40/40$'
}
cancel_works() {
    local out
    out=$( (PGSSLMODE=require timeout -s INT 2 psql -X -p "$proxy_port" -c 'select pg_sleep(20)' postgres) 2>&1) || true
    grep -q 'canceling statement due to user request' <<<"$out" || { echo "$out"; return 1; }
}

# --- reload ---

client_reload() {
    install -m 644 "$certs/here.crt" "$folder/live.crt"
    install -m 600 "$certs/here.key" "$folder/live.key"
    own_by_unprivileged "$folder/live.crt" "$folder/live.key"
    start_tls_proxy reload require "client_tls_cert_file = $folder/live.crt" "client_tls_key_file = $folder/live.key"
    check "an old connection lives while certificates change" wire an_old_connection_lives_while \
        "cp $certs/here_again.crt $folder/live.crt && cp $certs/here_again.key $folder/live.key && kill -HUP $proxy_pid && sleep 1"
    cp "$certs/broken.crt" "$folder/live.crt"
    check "a reload with a broken certificate fails" says 'RELOAD failed' console reload
    check "its reason is in the log" log_says 'ERROR TLS setup failed: cannot use client_tls_cert_file .*: no start line'
    check "what was there goes on" succeeds "sslmode=verify-full sslrootcert=$certs/ca.crt"
    cp "$certs/here.crt" "$folder/live.crt"
    check "a reload with a key of another certificate fails" says 'RELOAD failed' console reload
    check "the old pair goes on" succeeds "sslmode=verify-full sslrootcert=$certs/ca.crt"
    check "SET of a file that is not there gives a notice" set_gives_notice
    check "the system's reason is in the log" log_says 'TLS setup failed: cannot read client_tls_cert_file .*: No such file or directory'
    check "SET of another mode counts for the next client" set_mode_counts
    check "an unknown curve is told" is 'invalid client_tls_ecdhcurve: nonsense' setup_reason client_tls_ecdhcurve nonsense
    check "unknown suites are told" is 'failed to set the TLSv1.3 cipher suites' setup_reason client_tls13_ciphers nonsense
    stop_proxy
}
set_gives_notice() {
    connect 'dbname=pgbouncer sslmode=require' "set client_tls_cert_file = '/nowhere'" 2>&1 | grep 'TLS settings could not be applied, still using old configuration'
    succeeds 'sslmode=require'
}
set_mode_counts() {
    console "set client_tls_cert_file = '$certs/here.crt'"
    console "set client_tls_key_file = '$certs/here.key'"
    console 'set client_tls_sslmode = disable'
    says 'does not support SSL' connect 'sslmode=require'
    succeeds 'sslmode=disable'
    console 'set client_tls_sslmode = require'
    says 'SSL required' connect 'sslmode=disable'
}
setup_reason() { # SETTING VALUE
    console "set $1 = '$2'" 2>/dev/null
    sed -n 's/.*TLS setup failed: //p' "$folder/$proxy_name.log" | tail -n 1
}

# shellcheck source=tests/integration/tls_servers.sh
source "$here/tls_servers.sh"

parse_options "$@"
make_certificates
start_postgres --scram-user alice:secret --conf 'ssl = on' --conf "ssl_cert_file = '$certs/here.crt'" \
    --conf "ssl_key_file = '$certs/here.key'" --conf "ssl_ca_file = '$certs/ca.crt'"
client_modes
client_rules
client_wire
client_reload
server_modes
server_certificates
server_reload
channel_binding
finish
