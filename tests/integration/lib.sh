# The frame of every run against a real PostgreSQL: a throw-away server, a proxy in front of it with a config of its own,
# counted checks, and a clean end whatever happens. Read with `source`.
#
#   source lib.sh; parse_options "$@"     PRESET, then --workers N, --proxy-binary PATH (or $PROXY_BINARY), --keep
#   start_postgres [options of scripts/throwaway_pg.sh]      sets pg_port
#   start_proxy NAME 'line of [pgbouncer]'...                sets proxy_port; databases go to that PostgreSQL by name,
#                                                            unless database_lines has other lines of [databases];
#                                                            more_users has further lines of the auth_file
#   check NAME COMMAND...                 prints `ok NAME`, or `FAILED NAME: why` with the end of what COMMAND said
#   finish                                prints `N passed, N failed` and exits
#
# The proxy is build/PRESET/pgweir; any program that reads pgbouncer.ini can take its place.
# shellcheck shell=bash
# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/common.sh"

checks_passed=0 checks_failed=0
folder='' proxy_pid='' proxy_port='' pg_port='' keep=''
preset=release workers=1 rest=() database_lines=() more_users=()

parse_options() {
    while (( $# )); do
        case $1 in
            --workers) workers=$2; shift ;;
            --proxy-binary) PROXY_BINARY=$2; shift ;;
            --keep) keep=yes ;;
            -h|--help) usage 0 ;;
            -*) rest+=("$1") ;;
            *) preset=$1 ;;
        esac
        shift
    done
    given_binary=${PROXY_BINARY:-$project_root/build/$preset/pgweir}
    [[ -x $given_binary ]] || die "no program $given_binary: build it (cmake --workflow --preset $preset), or set PROXY_BINARY"
    if (( EUID != 0 )) && [[ $(id -un) == nobody ]]; then export HOME=/tmp; fi
    raise_open_files
    trap clean_up EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    folder=$(make_temp_folder test)
    place_proxy
}

# Options that only one script knows.
has_option() { [[ " ${rest[*]} " == *" $1 "* ]]; }

# The unprivileged user may not see the checkout, so our own program is copied. Another one stays where its libraries are.
place_proxy() {
    proxy_binary=$given_binary
    proxy_is_pgweir=no
    if "$given_binary" --version 2>&1 | grep -qi pgweir || [[ ${given_binary##*/} == pgweir* ]]; then
        proxy_is_pgweir=yes
        proxy_binary=$folder/pgweir
        install -m 755 "$given_binary" "$proxy_binary"
    fi
}

clean_up() {
    local status=$?
    trap - EXIT
    trap '' INT TERM HUP                           # a second Ctrl-C must not leave half of it behind
    stop_proxy
    local server
    for server in ${folder:+"$folder"/postgres*/}; do "$project_root/scripts/throwaway_pg.sh" stop "$server" || true; done
    if [[ -n $keep ]]; then echo "kept: $folder"
    elif [[ -n $folder ]]; then rm -rf "$folder"; fi
    exit "$status"
}

start_postgres() {
    pg_port=$("$project_root/scripts/throwaway_pg.sh" start "$folder/postgres" "$@")
    export PGUSER=postgres PGHOST=127.0.0.1 PGCONNECT_TIMEOUT=20
}

proxy_config() { # LINES...
    local databases=("${database_lines[@]}")
    (( ${#databases[@]} )) || databases=("* = host=127.0.0.1 port=$pg_port")
    printf '%s\n' '[databases]' "${databases[@]}" '[pgbouncer]' \
        'listen_addr = 127.0.0.1' "listen_port = $proxy_port" 'unix_socket_dir =' \
        'auth_type = trust' "auth_file = $folder/users.txt" 'admin_users = postgres' \
        'ignore_startup_parameters = extra_float_digits' 'max_prepared_statements = 200' 'query_wait_timeout = 20'
    if [[ $proxy_is_pgweir == yes ]]; then
        printf '%s\n' "worker_threads = $workers" "admin_http_addr = 127.0.0.1:$(free_port)"
    elif (( workers > 1 )); then
        die "--workers is for pgweir only"
    fi
    printf '%s\n' "$@"
}

proxy_answers_or_ended() { port_answers "$proxy_port" || process_ended "$proxy_pid"; }

start_proxy() { # NAME LINES...
    local name=$1; shift
    proxy_name=$name proxy_port=$(free_port)
    printf '%s\n' '"postgres" ""' "${more_users[@]}" >"$folder/users.txt"
    proxy_config "$@" >"$folder/$name.ini"
    "$project_root/scripts/as_user.sh" "$proxy_binary" "$folder/$name.ini" >"$folder/$name.log" 2>&1 &
    proxy_pid=$!
    wait_until 15 proxy_answers_or_ended || true
    if process_ended "$proxy_pid" || ! port_answers "$proxy_port"; then
        tail -n 20 "$folder/$name.log"
        die "the proxy did not start ($name)"
    fi
}

stop_proxy() {
    [[ -n $proxy_pid ]] || return 0
    end_process "$proxy_pid" QUIT 10
    wait "$proxy_pid" 2>/dev/null || true
    proxy_pid=''
}

check() { # NAME COMMAND...
    local name=$1 output=$folder/output status=0; shift
    if [[ -n $proxy_pid && $1 != proxy_is_well ]] && process_ended "$proxy_pid"; then
        checks_failed=$((checks_failed + 1))
        echo "FAILED $name: the proxy has ended before it"
        return
    fi
    ( "$@" ) >"$output" 2>&1 || status=$?
    if (( status == 0 )); then
        checks_passed=$((checks_passed + 1))
        echo "ok $name"
    else
        checks_failed=$((checks_failed + 1))
        echo "FAILED $name: status $status: $(tail -n 3 "$output" | tr '\n' ' ')"
        tail -n 15 "$output" | sed 's/^/    | /'
    fi
}

# What a proxy must never leave behind: it died, or it logged that an invariant of its own failed.
proxy_is_well() {
    process_ended "$proxy_pid" && { echo "the proxy ended by itself"; tail -n 20 "$folder/$proxy_name.log"; return 1; }
    ! grep -E '^[0-9][^]]*[]] FATAL |^[{]"time":"[^"]*","pid":[0-9]*,"level":"FATAL|ERROR: (Address|Leak|Undefined)Sanitizer|WARNING: ThreadSanitizer|runtime error:' "$folder/$proxy_name.log"
}

# Output lines of another program in the same form (`ok NAME`, `FAILED NAME: why`) are shown and counted.
count_checks_of() { # COMMAND...
    local output=$folder/counted status=0
    "$@" 2>&1 | tee "$output" || status=${PIPESTATUS[0]}
    local passed failed
    passed=$(grep -c '^ok ' "$output" || true)
    failed=$(grep -c '^FAILED ' "$output" || true)
    if (( status != 0 && failed == 0 )); then
        echo "FAILED ${*: -1}: it ended with status $status"
        failed=1
    elif (( passed + failed == 0 )); then
        echo "FAILED $*: it checked nothing"
        failed=1
    fi
    checks_passed=$((checks_passed + passed)) checks_failed=$((checks_failed + failed))
}

# Run as the proxy's own OS user, who may not see the checkout.
as_owner() { # SCRIPT ARGUMENTS...
    install -m 644 "$project_root"/tests/integration/*.py "$folder"
    timeout 120 "$project_root/scripts/as_user.sh" /usr/bin/python3 -B "$folder/$1" "${@:2}"
}

direct_sql() { psql -XqAt -v ON_ERROR_STOP=1 -p "$pg_port" -d "${2:-postgres}" -c "$1"; }
proxied_sql() { psql -XqAt -v ON_ERROR_STOP=1 -p "$proxy_port" -d "${2:-postgres}" -c "$1"; }

finish() {
    echo "$checks_passed passed, $checks_failed failed"
    exit $(( checks_failed > 0 ))
}
