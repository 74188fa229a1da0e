# What the runs with TLS share: certificates good and bad, a proxy that has them, and what to ask of it. Read with `source`, after
# lib.sh and certificates.sh.
# shellcheck shell=bash

make_certificates() {
    certs=$folder/certs
    mkdir "$certs"
    authority ca
    authority foreign
    certificate here ca /CN=localhost DNS:localhost,IP:127.0.0.1
    certificate here_again ca /CN=localhost DNS:localhost,IP:127.0.0.1
    certificate slow ca /CN=localhost DNS:localhost,IP:127.0.0.1 30 rsa:4096
    certificate long ca /CN=localhost "DNS:localhost$(printf ',DNS:host-%s.with-a-rather-long-name.example' {1..700})"
    certificate elsewhere ca /CN=other.example DNS:other.example
    certificate old ca /CN=localhost DNS:localhost,IP:127.0.0.1 -1
    certificate alice ca /CN=alice DNS:alice.example
    certificate old_alice ca /CN=alice DNS:alice.example -1
    certificate foreign_alice foreign /CN=alice DNS:alice.example
    echo 'no certificate at all' >"$certs/broken.crt"
    chmod 600 "$certs"/*.key
    own_by_unprivileged "$certs" "$certs"/*
    # libpq wants keys that are its user's own.
    own_keys=$folder/own_keys
    mkdir "$own_keys"
    cp "$certs"/*alice.key "$own_keys"
    chmod 600 "$own_keys"/*
    printf '"%s" "%s"\n' postgres '' alice secret nobody_knows '' >"$folder/tls_users.txt"
}

# --- questions, by libpq ---

connect() { # "libpq parameters" [SQL]
    PGPASSWORD=secret psql -XqAt -v ON_ERROR_STOP=1 -c "${2:-select 1}" \
        "hostaddr=127.0.0.1 host=localhost port=$proxy_port dbname=postgres user=postgres sslcert=none $1"
}
with() { echo "sslcert=$certs/$1.crt sslkey=$own_keys/$1.key"; }
succeeds() { connect "$@" >/dev/null; }

says() { # TEXT COMMAND...: it fails, and says so
    local text=$1 output; shift
    if output=$("$@" 2>&1); then echo "it succeeded: $output"; return 1; fi
    grep -q -- "$text" <<<"$output" || { echo "$output"; return 1; }
}
is() { # WANTED COMMAND...
    local wanted=$1 output; shift
    output=$("$@" 2>&1) || { echo "$output"; return 1; }
    [[ $output == "$wanted" ]] || { echo "$output, not $wanted"; return 1; }
}
log_says() { grep -qE -- "$1" "$folder/$proxy_name.log" || { tail -n 5 "$folder/$proxy_name.log"; return 1; }; }
wire() { python3 "$here/tls_wire.py" "$proxy_port" "$certs/ca.crt" "$@"; }
console() { connect 'dbname=pgbouncer sslmode=prefer' "$1"; }
server_is_tls() { connect "sslmode=prefer ${1:-}" 'select ssl from pg_stat_ssl where pid = pg_backend_pid()'; }

start_tls_proxy() { # NAME MODE LINES...
    local name=$1 mode=$2; shift 2
    start_proxy "$name" "auth_file = $folder/tls_users.txt" "client_tls_sslmode = $mode" 'client_login_timeout = 3' \
        "client_tls_cert_file = $certs/here.crt" "client_tls_key_file = $certs/here.key" "$@"
}

# What PostgreSQL shows from now on; "off": no TLS.
postgres_shows() { # NAME
    local on=on
    if [[ $1 == off ]]; then on=off
    else
        direct_sql "alter system set ssl_cert_file = '$certs/$1.crt'"
        direct_sql "alter system set ssl_key_file = '$certs/$1.key'"
    fi
    direct_sql "alter system set ssl = $on"
    direct_sql 'select pg_reload_conf()' >/dev/null
    sleep 0.3
}
