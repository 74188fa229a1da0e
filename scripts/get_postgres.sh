#!/usr/bin/env bash
# get_postgres.sh [MAJOR [SUITE [DIR]]]: unpacks a PostgreSQL of another Debian suite (default: 18 of forky) and prints the
# folder of its programs. Once unpacked it is used again. Nothing is installed on the system but patchelf, if missing.
#
# DIR must be readable by the unprivileged user that servers run as, and cannot be moved afterwards; default
# $PGWEIR_POSTGRES_MAJOR (as PGWEIR_POSTGRES_18), else /var/tmp/pgweir-postgresql-MAJOR.
set -euo pipefail
source "$(dirname "$0")/common.sh"

[[ ${1:-} != -* ]] || usage 0
major=${1:-18} suite=${2:-forky} named=PGWEIR_POSTGRES_${1:-18}
folder=$(realpath -m "${3:-${!named:-/var/tmp/pgweir-postgresql-$major}}")
programs=$folder/usr/lib/postgresql/$major/bin
if [[ ! -e $folder/.complete ]]; then
    # Programs are run from there, so it must not be somebody else's.
    [[ ! -e $folder || -O $folder ]] || die "$folder belongs to somebody else"
    command -v patchelf >/dev/null || "$project_root/scripts/setup.sh" --bench >&2
    say "unpacking PostgreSQL $major of Debian $suite" >&2
    rm -rf "$folder"
    "$project_root/scripts/unpack_deb.sh" "$suite" "$folder" "postgresql-$major" "postgresql-client-$major" >&2
    "$programs/postgres" --version >&2
    touch "$folder/.complete"
fi
[[ -O $folder ]] || die "$folder belongs to somebody else"
echo "$programs"
