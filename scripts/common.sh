# Shared by all scripts of the project; read with `source`, never run.
#
# What it gives: short messages, the unprivileged user that servers run as when root calls, free ports, waiting with a
# deadline, PostgreSQL's programs. It changes nothing by being read.
# shellcheck shell=bash

project_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '== %s\n' "$*"; }
die() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; exit 1; }

# Commands of one's own are told with their usage: the comment block at the head of the script that was called.
usage() { sed -n '2,/^[^#]/{/^#/!d;s/^# \{0,1\}//;p}' "$0"; exit "${1:-0}"; }

# PostgreSQL and pgweir refuse to run as root; called by root they run as this user.
unprivileged_user() {
    if (( EUID != 0 )); then id -un
    elif id postgres >/dev/null 2>&1; then echo postgres
    else echo nobody; fi
}

# Runs a command as that user. To have the command's own process id in $!, call `as_user.sh COMMAND &` itself.
as_unprivileged() { "$project_root/scripts/as_user.sh" "$@"; }
own_by_unprivileged() { if (( EUID == 0 )); then chown "$(unprivileged_user):" "$@"; fi; }

# A folder that the unprivileged user can read and write, whoever calls. PostgreSQL's socket paths must stay short, so it
# lies in /tmp (or $TMPDIR, when that is short enough).
make_temp_folder() {
    local parent=${TMPDIR:-/tmp} folder
    (( ${#parent} < 60 )) && as_unprivileged test -w "$parent" -a -x "$parent" || parent=/tmp
    folder=$(mktemp -d "$parent/pgweir-${1:-run}.XXXXXX")
    chmod 755 "$folder"
    own_by_unprivileged "$folder"
    echo "$folder"
}

port_answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# A loopback port nobody listens on, below the range the kernel takes for outgoing connections. Between the answer and
# its use somebody may take it: callers that can try again do.
free_port() {
    local port
    for _ in {1..200}; do
        port=$((10000 + RANDOM % 20000))
        port_answers "$port" || { echo "$port"; return; }
    done
    die "no free port found"
}

# wait_until SECONDS COMMAND...: true as soon as the command is, false after the deadline.
wait_until() {
    local deadline=$((SECONDS + $1)); shift
    until "$@"; do
        (( SECONDS < deadline )) || return 1
        sleep 0.05
    done
}

process_ended() { [[ ! -e /proc/$1 ]] || grep -q '^State:[[:space:]]*[ZX]' "/proc/$1/status" 2>/dev/null; }

# end_process PID SIGNAL SECONDS: asks, waits, then insists.
end_process() {
    [[ -n $1 ]] || return 0
    kill "-$2" "$1" 2>/dev/null || return 0
    wait_until "$3" process_ended "$1" || kill -KILL "$1" 2>/dev/null || true
}

# The folder of PostgreSQL's programs: $PGBIN, else the newest installed.
postgres_programs() {
    local folder
    for folder in "${PGBIN:-}" $(printf '%s\n' /usr/lib/postgresql/*/bin | sort -Vr) "$(dirname "$(command -v postgres || echo /)")"; do
        [[ -n $folder && -x $folder/initdb && -x $folder/postgres ]] && { echo "$folder"; return; }
    done
    die "no PostgreSQL server programs found: install them (scripts/setup.sh) or set PGBIN"
}

raise_open_files() { ulimit -n "$(ulimit -Hn)" 2>/dev/null || true; }
