#!/usr/bin/env bash
# get_pgbouncer.sh [DIR [SUITE]]: puts a PgBouncer to measure against into DIR (default build/pgbouncer, where
# bench/compare looks) and prints the path of its program. Nothing is installed on the system but patchelf, if missing.
#
# SUITE is the Debian suite it is taken from (default forky: 1.26). The folder must not be moved afterwards, and should
# be readable by the unprivileged user that servers run as, so DIR under a closed home does not do for root.
set -euo pipefail
source "$(dirname "$0")/common.sh"

[[ ${1:-} != -* ]] || usage 0
folder=$(realpath -m "${1:-$project_root/build/pgbouncer}") suite=${2:-forky}
program=$folder/usr/sbin/pgbouncer
if [[ ! -x $program ]]; then
    command -v patchelf >/dev/null || "$project_root/scripts/setup.sh" --bench
    say "unpacking PgBouncer of Debian $suite" >&2
    "$project_root/scripts/unpack_deb.sh" "$suite" "$folder" pgbouncer >&2
fi
"$program" --version | sed -n 1p >&2
echo "$program"
