#!/usr/bin/env bash
# A throw-away PostgreSQL on loopback, for tests, benches and ./run.
#
#   throwaway_pg.sh start DIR [options]   makes DIR/data and starts it; prints its port
#   throwaway_pg.sh stop DIR              stops it, at once; DIR is left to its owner
#
#   --port N               instead of a free one
#   --max-connections N    default 100
#   --conf 'NAME = VALUE'  a further line of postgresql.conf; may repeat
#   --scram-user NAME:PW   a superuser who must log in by SCRAM-SHA-256; may repeat
#   --md5-user NAME:PW     the same by md5; may repeat
#   --password-user NAME:PW  the same by a clear-text password; may repeat
#
# Everybody else is trusted, from 127.0.0.1 only; the superuser is `postgres`. Called by root the server runs as user
# postgres, else nobody, and DIR must be open to that user. It does not wait for the disk (fsync is off): a killed
# server recovers, a crashed machine's does not.
set -euo pipefail
source "$(dirname "$0")/common.sh"

# Stopped by the process id the server itself wrote into its own folder, so nobody else's is ever meant.
stop() {
    [[ -e $data/postmaster.pid ]] || return 0
    as_unprivileged "$programs/pg_ctl" -D "$data" -m immediate -w -t 30 -s stop
}

settings() {
    printf '%s\n' "listen_addresses = '127.0.0.1'" "unix_socket_directories = '$folder'" \
        "max_connections = $max_connections" "fsync = off" "synchronous_commit = off" "full_page_writes = off" \
        "log_line_prefix = '%m [%p] %q%u@%d %a '" "${conf_lines[@]}"
}

# Users with a password are named before the line that trusts everybody else: the first that fits counts.
access_rules() {
    local user
    for user in "${scram_users[@]}"; do echo "host all ${user%%:*} 127.0.0.1/32 scram-sha-256"; done
    for user in "${md5_users[@]}"; do echo "host all ${user%%:*} 127.0.0.1/32 md5"; done
    for user in "${password_users[@]}"; do echo "host all ${user%%:*} 127.0.0.1/32 password"; done
    printf '%s\n' "local all all trust" "host all all 127.0.0.1/32 trust" "host replication all 127.0.0.1/32 trust"
}

create() {
    mkdir -p "$folder"
    own_by_unprivileged "$folder"
    as_unprivileged test -w "$folder" || die "$folder is closed to user $(unprivileged_user) (a parent folder?)"
    as_unprivileged "$programs/initdb" -D "$data" -U postgres -A trust -E UTF8 --locale=C --no-sync >"$folder/initdb.log" 2>&1 ||
        { cat "$folder/initdb.log" >&2; die "initdb failed"; }
    settings | as_unprivileged tee -a "$data/postgresql.conf" >/dev/null
    access_rules | as_unprivileged tee "$data/pg_hba.conf" >/dev/null
}

start_on() { as_unprivileged "$programs/pg_ctl" -D "$data" -l "$folder/postgresql.log" -w -t 60 -s -o "-p $1" start >/dev/null 2>&1; }

create_users() { # METHOD NAME:PASSWORD...
    local method=$1 user; shift
    for user in "$@"; do
        printf "set password_encryption = '%s'; create role %s superuser login password '%s';\n" "$method" "${user%%:*}" "${user#*:}"
    done | as_unprivileged "$programs/psql" -Xq -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "$port" -U postgres postgres
}

start() {
    [[ -e $data/PG_VERSION ]] || create
    local attempt
    for attempt in 1 2 3; do                       # somebody may take the free port before the server does
        port=${fixed_port:-$(free_port)}
        start_on "$port" && break
        if (( attempt == 3 )) || [[ -n $fixed_port ]]; then
            tail -n 20 "$folder/postgresql.log" >&2
            die "PostgreSQL did not start"
        fi
    done
    create_users scram-sha-256 "${scram_users[@]}"
    create_users md5 "${md5_users[@]}"
    create_users scram-sha-256 "${password_users[@]}"
    echo "$port"
}

verb=${1:-} folder=${2:-}
[[ $verb =~ ^(start|stop)$ && -n $folder ]] || usage 1
shift 2
folder=$(realpath -m "$folder") data=$folder/data programs=$(postgres_programs)
fixed_port='' max_connections=100 conf_lines=() scram_users=() md5_users=() password_users=()
while (( $# )); do
    (( $# > 1 )) || die "$1 wants a value"
    case $1 in
        --port) fixed_port=$2 ;;
        --max-connections) max_connections=$2 ;;
        --conf) conf_lines+=("$2") ;;
        --scram-user) scram_users+=("$2") ;;
        --md5-user) md5_users+=("$2") ;;
        --password-user) password_users+=("$2") ;;
        *) die "unknown option $1" ;;
    esac
    shift 2
done
"$verb"
