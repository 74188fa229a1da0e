#!/usr/bin/env bash
# Installs what pgweir needs and this Debian does not have yet.
#
#   setup.sh [--postgres] [--tests] [--bench] [--drivers | --driver=NAME...]
#
# Without options: what the build needs. --postgres: a server to try it on; --tests: that, and what ./check and
# .ci/run call besides; --bench: that, and what bench/compare measures with. --drivers: what every folder of
# tests/drivers names in its file `packages`; --driver=NAME: what that one does.
#
# Uses apt as the machine has it (its sources are not touched), as root or through sudo. Says what it does; says and does
# nothing when nothing is missing. No PostgreSQL cluster of the system's is made or started by it.
set -euo pipefail
source "$(dirname "$0")/common.sh"

build_packages=(g++ cmake ninja-build ccache mold pkg-config libboost1.81-dev libssl-dev libpq-dev prometheus-cpp-dev
    libfmt-dev libcli11-dev libspdlog-dev catch2 libpg-query-dev)
postgres_packages=(postgresql postgresql-client)
test_packages=(postgresql-contrib clang-19 lld-19 libclang-rt-19-dev python3 python3-psycopg python3-psycopg2 openssl procps iproute2)
bench_packages=(python3 strace valgrind patchelf util-linux)

# A line of tests/drivers/NAME/packages is a package, or COMMAND:PACKAGE for what may come from elsewhere than Debian.
driver_packages() { # NAME
    local line
    for line in $(<"$project_root/tests/drivers/$1/packages"); do
        if [[ $line != *:* ]]; then echo "$line"
        elif ! command -v "${line%%:*}" >/dev/null; then echo "${line#*:}"; fi
    done
}
all_drivers() { (cd "$project_root/tests/drivers" && printf '%s\n' */packages | xargs -n 1 dirname); }

missing_packages() {
    local package
    for package in "$@"; do
        dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || echo "$package"
    done
}

as_root() {
    if (( EUID == 0 )); then "$@"
    elif command -v sudo >/dev/null; then sudo "$@"
    else die "must be root, or have sudo, to install: $*"; fi
}

apt() { as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 "$@" </dev/null; }

# Debian's PostgreSQL package makes and starts a cluster when it is first installed. This line tells it not to; it is
# taken away again, so that what the machine's owner installs later behaves as ever.
no_system_cluster=/etc/postgresql-common/createcluster.d/pgweir-setup.conf
forbid_system_cluster() {
    as_root mkdir -p "${no_system_cluster%/*}"
    echo 'create_main_cluster = false' | as_root tee "$no_system_cluster" >/dev/null
    trap 'as_root rm -f "$no_system_cluster"; as_root rmdir "${no_system_cluster%/*}" 2>/dev/null || true' EXIT
}

install() {
    say "installing: $*"
    printf '%s\n' "$@" | grep -q '^postgresql' && forbid_system_cluster
    local log; log=$(mktemp)
    # A source that does not answer fails the update only; whether it matters shows when the packages are fetched.
    if ! { apt update || true; apt install -y --no-install-recommends "$@"; } >"$log" 2>&1; then
        tail -n 30 "$log" >&2
        die "apt-get failed (its whole output: $log)"
    fi
    rm -f "$log"
}

wanted=("${build_packages[@]}")
for option in "$@"; do
    case $option in
        --postgres) wanted+=("${postgres_packages[@]}") ;;
        --tests) wanted+=("${postgres_packages[@]}" "${test_packages[@]}") ;;
        --bench) wanted+=("${postgres_packages[@]}" "${bench_packages[@]}") ;;
        --drivers) for driver in $(all_drivers); do mapfile -t -O "${#wanted[@]}" wanted < <(driver_packages "$driver"); done ;;
        --driver=*) mapfile -t -O "${#wanted[@]}" wanted < <(driver_packages "${option#*=}") ;;
        -h|--help) usage 0 ;;
        *) die "unknown option $option" ;;
    esac
done
# node may come from elsewhere than Debian; only a machine without any gets Debian's.
if [[ " $* " == *" --tests "* ]]; then
    command -v node >/dev/null || wanted+=(nodejs)
    command -v npm >/dev/null || wanted+=(npm)
fi

command -v apt-get >/dev/null || die "only Debian and its relatives are known here; needed: ${wanted[*]}"
mapfile -t missing < <(missing_packages "${wanted[@]}" | sort -u)
(( ${#missing[@]} == 0 )) || install "${missing[@]}"
