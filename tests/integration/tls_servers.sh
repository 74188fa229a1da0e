# The server leg's part of tls.sh: modes, certificates of PostgreSQL's and of our own, reload, channel binding.
# shellcheck shell=bash

# A failing server keeps its clients waiting, so that they say so soon.
start_server_leg() { # NAME MODE LINES...
    local name=$1 mode=$2; shift 2
    stop_proxy
    start_tls_proxy "$name" prefer "server_tls_sslmode = $mode" 'query_wait_timeout = 2' 'server_login_retry = 1' "$@"
}

server_mode_is() { # MODE WANTED: whether the connection is TLS (t, f), or what the log says of it
    local case="$1 towards a server with ssl=$server_ssl"
    start_server_leg "server_$1_$server_ssl" "$1" "server_tls_ca_file = $certs/ca.crt"
    if [[ $2 == [tf] ]]; then check "$case" is "$2" server_is_tls
    else
        check "$case: nobody is served" says 'query_wait_timeout\|server login has been failing' connect 'sslmode=prefer'
        check "$case: the log says why" log_says "$2"
    fi
}

server_modes() {
    local mode server_ssl=on
    server_mode_is disable f
    for mode in allow prefer require verify-ca verify-full; do server_mode_is "$mode" t; done
    postgres_shows off
    server_ssl=off
    for mode in disable allow prefer; do server_mode_is "$mode" f; done
    for mode in require verify-ca verify-full; do server_mode_is "$mode" 'WARNING .*server refused SSL'; done
    postgres_shows here
}

refused_certificate() { # CASE REASON
    check "$1 is refused" says 'query_wait_timeout\|server login has been failing' connect 'sslmode=prefer'
    check "$1 is refused by name in the log" log_says "WARNING .*TLS handshake error: certificate verify failed \($2"
}

server_certificates() {
    local full=("server_tls_ca_file = $certs/ca.crt")
    postgres_shows elsewhere
    start_server_leg elsewhere verify-full "${full[@]}"
    refused_certificate "a certificate for another host" 'it is not for host "127.0.0.1"'
    start_server_leg elsewhere_ca verify-ca "${full[@]}"
    check "verify-ca does not look at the host" is t server_is_tls
    postgres_shows old
    start_server_leg old verify-ca "${full[@]}"
    refused_certificate "an expired certificate" 'certificate has expired'
    start_server_leg old_require require
    check "require does not look at the certificate" is t server_is_tls
    postgres_shows here
    start_server_leg foreign verify-ca "server_tls_ca_file = $certs/foreign.crt"
    refused_certificate "a certificate of another CA" '.*certificate'
    start_server_leg system verify-full
    refused_certificate "a certificate of no CA of the system's" '.*certificate'
    start_server_leg named verify-full "${full[@]}" '[databases]' "named = host=localhost port=$pg_port dbname=postgres"
    check "a host may be named" is t server_is_tls dbname=named
    own_certificate
    stop_proxy
}

# PostgreSQL asks for our certificate where pg_hba says so.
own_certificate() {
    local rules=$folder/postgres/data/pg_hba.conf
    sed -i '1i hostssl all alice 127.0.0.1/32 cert' "$rules"
    direct_sql 'select pg_reload_conf()' >/dev/null
    start_server_leg own_none verify-ca "${full[@]}"
    check "a server that asks for a certificate refuses us without" says 'certificate' connect 'user=alice sslmode=prefer'
    start_server_leg own verify-ca "${full[@]}" "server_tls_cert_file = $certs/alice.crt" "server_tls_key_file = $certs/alice.key"
    check "our certificate is shown to servers" is t server_is_tls user=alice
    sed -i 1d "$rules"
    direct_sql 'select pg_reload_conf()' >/dev/null
}

server_reload() {
    start_server_leg server_reload require
    check "a reload without changes closes no server" same_server_after reload
    check "a change of the mode replaces the servers" other_server_after 'set server_tls_sslmode = prefer'
    check "the log says why they were closed" log_says 'closing because: database configuration changed'
    stop_proxy
}
server_pid() { connect 'sslmode=prefer' 'select pg_backend_pid()'; }
same_server_after() { local before; before=$(server_pid); console "$1"; [[ $before == "$(server_pid)" ]]; }
other_server_after() { local before; before=$(server_pid); console "$1"; sleep 0.5; [[ $before != "$(server_pid)" ]]; }

# Both legs at once: the clients' exchange with us, ours with PostgreSQL.
channel_binding() {
    local bound=('[databases]' "bound = host=127.0.0.1 port=$pg_port dbname=postgres channel_binding=require")
    local secret both='user=alice dbname=bound sslmode=require channel_binding=require'
    start_server_leg binding require 'auth_type = scram-sha-256' "${bound[@]}"
    check "channel binding on both legs" is 1 connect "$both"
    check "a wrong password fails on a bound channel too" says 'SASL authentication failed' connect "$both password=wrong"
    check "clients need not bind" is 1 connect 'user=alice sslmode=require channel_binding=disable'
    secret=$(direct_sql "select rolpassword from pg_authid where rolname = 'alice'")
    echo "\"alice\" \"$secret\"" >"$folder/scram_users.txt"
    start_server_leg pass_through require 'auth_type = scram-sha-256' "auth_file = $folder/scram_users.txt" "${bound[@]}"
    check "SCRAM secrets are passed through bound channels" is 1 connect "$both"
    postgres_shows off
    start_server_leg unbound prefer 'auth_type = scram-sha-256' "${bound[@]}"
    check "a server without TLS is refused where binding is required" says 'query_wait_timeout\|failing' connect "$both"
    check "the log says that it is not bound" log_says 'channel binding required, but the server did not offer it'
    postgres_shows here
    url_settings
}

url_settings() {
    stop_proxy
    local url="postgresql://alice:secret@localhost:$pg_port/postgres?sslmode=verify-full&sslrootcert=$certs/ca.crt&channel_binding=require"
    proxy_name=url proxy_port=$(free_port)
    PGWEIR_LISTEN_PORT=$proxy_port PGWEIR_ADMIN_HTTP_ADDR='' "$project_root/scripts/as_user.sh" "$proxy_binary" --upstream "$url" >"$folder/url.log" 2>&1 &
    proxy_pid=$!
    wait_until 15 proxy_answers_or_ended
    check "the URL of --upstream asks for TLS" is t connect 'user=alice sslmode=prefer' 'select ssl from pg_stat_ssl where pid = pg_backend_pid()'
    stop_proxy
}
