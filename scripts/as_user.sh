#!/usr/bin/env bash
# as_user.sh COMMAND [ARGUMENTS]: runs a command as the unprivileged user that servers run as when root calls (postgres,
# else nobody), under the same process id. Called by anybody else it just runs it.
set -euo pipefail
source "$(dirname "$0")/common.sh"

(( $# )) || usage 1
(( EUID == 0 )) || exec "$@"
user=$(unprivileged_user)
cd /
PATH=/usr/local/bin:/usr/bin:/bin HOME=/ exec setpriv --reuid="$user" --regid="$(id -g "$user")" --init-groups -- "$@"
