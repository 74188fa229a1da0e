#!/usr/bin/env bash
# Real drivers and object mappers through the proxy (tests/drivers): in transaction and in session pooling, plain and
# over TLS on both legs, with more clients than servers, and as the drivers are set by themselves.
#
#   drivers.sh [PRESET] [--all | --only=NAME,NAME...] [--workers N] [--proxy-binary PATH] [--keep]
#
# Without --all: psycopg 3, psycopg2 and node-postgres. --all: each folder of tests/drivers, whose packages are installed
# first (minutes). Without --workers: with 1 and then with 2.
set -euo pipefail
# shellcheck source=tests/integration/lib.sh
source "$(dirname "$0")/lib.sh"
# shellcheck source=tests/integration/certificates.sh
source "$(dirname "$0")/certificates.sh"

sources=$project_root/tests/drivers
builds=$project_root/build/driver-tests          # what is compiled or fetched by npm lies beside its script
pool_size=4
ready=()

choose_drivers() {
    local option drivers=(psycopg3 psycopg2 node_pg)
    for option in "${rest[@]}"; do
        case $option in
            --all) mapfile -t drivers < <(cd "$sources" && printf '%s\n' */packages | xargs -n 1 dirname) ;;
            --only=*) IFS=, read -ra drivers <<<"${option#*=}" ;;
            *) die "unknown option $option" ;;
        esac
    done
    [[ " ${rest[*]} " != *' --all '* ]] || "$project_root/scripts/setup.sh" --drivers || true   # who fails, fails below
    local driver
    for driver in "${drivers[@]}"; do
        [[ -e $sources/$driver/packages ]] || die "no driver $driver in tests/drivers"
        if make_ready_checked "$driver"; then ready+=("$driver"); fi
    done
}

make_ready_checked() { # NAME
    local failed_before=$checks_failed
    check "$1: its packages are there, and it builds" make_ready "$1"
    (( checks_failed == failed_before ))
}

make_ready() { # NAME
    "$project_root/scripts/setup.sh" "--driver=$1"
    mkdir -p "$builds/$1"
    cp "$sources"/checks.* "$builds"
    cp -r "$sources/$1/." "$builds/$1"
    cd "$builds/$1"
    if [[ -e package-lock.json ]] && ! cmp -s package-lock.json node_modules/.installed; then
        nice npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
        cp package-lock.json node_modules/.installed
    fi
    [[ ! -x ./build.sh ]] || nice ./build.sh
}

make_certificates() {
    make_one_certificate
    echo '"app" "secret"' >"$folder/app.txt"
}

start_mode() { # MODE plain|tls
    local lines=("pool_mode = $1" "default_pool_size = $pool_size" 'max_client_conn = 200' 'query_wait_timeout = 60'
        'auth_type = scram-sha-256' "auth_file = $folder/app.txt" 'admin_users = app' 'server_idle_timeout = 5')
    [[ $2 == plain ]] && lines+=('server_tls_sslmode = disable')
    [[ $2 == tls ]] && lines+=('client_tls_sslmode = require' "client_tls_cert_file = $certs/here.crt"
        "client_tls_key_file = $certs/here.key" 'server_tls_sslmode = verify-full' "server_tls_ca_file = $certs/ca.crt")
    start_proxy "$1_$2_$workers" "${lines[@]}"
}

# The names that libpq reads, and most drivers after it, and a few more. No TLS is asked for by name where there is none:
# so each driver does what it does by itself.
driver_environment() { # DRIVER MODE plain|tls
    local clients=24 tls=()
    [[ $2 == transaction ]] || clients=$pool_size
    [[ $3 == plain ]] || tls=("PGSSLMODE=verify-full" "PGSSLROOTCERT=$certs/ca.crt")
    printf '%s\n' PGHOST=127.0.0.1 "PGPORT=$proxy_port" PGUSER=app PGPASSWORD=secret "PGDATABASE=$1" "${tls[@]}" \
        "SERVER_PORT=$pg_port" "POOL_MODE=$2" "CLIENTS=$clients" "SERVERS=$pool_size"
}

# Names get the run's label; what tests/drivers/known_failures lists is not counted.
judge() { # LABEL DRIVER MODE
    awk -v label="$1" -v driver="$2" -v mode="$3" '
        FNR == NR { if (/^[^#]/) { split($0, part, / [|] /); if (part[1] == driver && part[2] == mode) why[part[3]] = part[4] } next }
        !/^(ok|FAILED) / { print; next }
        { verdict = $1; rest = substr($0, length($1) + 2); name = rest; sub(/: .*/, "", name) }
        !(name in why) { print verdict " " label ": " rest; fflush(); next }
        verdict == "ok" { print "FAILED " label ": " name ": it passes: take it off tests/drivers/known_failures"; next }
        { print "known " label ": " name ": " why[name] }' "$sources/known_failures" -
}

run_labelled() { # LABEL DRIVER MODE plain|tls
    local environment program status=0
    mapfile -t environment < <(driver_environment "$2" "$3" "$4")
    program=$(find "$builds/$2" -maxdepth 1 -name 'run.*' -executable)
    (cd "$builds/$2" && env "${environment[@]}" timeout 400 "$program") 2>&1 | tee "$folder/said" | judge "$1" "$2" "$3" || status=$?
    (( status == 0 )) || grep -q '^FAILED ' "$folder/said" || echo "FAILED $1: it ended with status $status"
}

console() { # MODE plain|tls SQL
    local environment
    mapfile -t environment < <(driver_environment pgbouncer "$1" "$2")
    env "${environment[@]}" psql -XqAt -c "$3"
}
servers_within_the_bound() { # DRIVER MODE plain|tls
    local opened
    opened=$(console "$2" "$3" 'show servers' | cut -d'|' -f3 | grep -cx "$1") || true
    echo "$opened servers"
    (( opened >= 1 && opened <= pool_size ))
}

try_driver() { # DRIVER MODE plain|tls
    local label="$1, $2 pooling, $3, $workers worker(s)"
    direct_sql "drop database if exists $1 with (force)" 2>/dev/null
    direct_sql "create database $1 owner app"
    count_checks_of run_labelled "$label" "$@"
    check "$label: the pool has no more servers than it may" servers_within_the_bound "$@"
}

try_all() {
    local mode security driver
    for security in plain tls; do
        for mode in transaction session; do
            start_mode "$mode" "$security"
            for driver in "${ready[@]}"; do try_driver "$driver" "$mode" "$security"; done
            check "$mode pooling, $security, $workers worker(s): the proxy is well" proxy_is_well
            stop_proxy
        done
    done
}

workers=''
parse_options "$@"
choose_drivers
make_certificates
# Without jit: asyncpg's look at the types takes a second of it each time, and a busy machine has no 24 to spare.
start_postgres --max-connections 200 --scram-user app:secret --conf 'jit = off' --conf 'ssl = on' \
    --conf "ssl_cert_file = '$certs/here.crt'" --conf "ssl_key_file = '$certs/here.key'"
for workers in ${workers:-1 2}; do try_all; done
finish
