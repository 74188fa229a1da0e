#!/usr/bin/env bash
# Logins on both sides: each way a client can prove who it is, with each kind of stored secret, in front of each way a
# server can ask; wrong passwords, unknown users and databases; SCRAM pass-through; and no secret in any log.
#
#   login_matrix.sh [PRESET] [--workers N] [--proxy-binary PATH] [--keep]
set -euo pipefail
# shellcheck source=tests/integration/lib.sh
source "$(dirname "$0")/lib.sh"

password=correct-horse-17
kinds=(plain md5 scram)                            # a user METHOD_KIND: the server asks by METHOD, auth_file stores KIND

user_options() {
    local kind
    for kind in "${kinds[@]}"; do
        printf '%s\n' --password-user "password_$kind:$password" --md5-user "md5_$kind:$password" --scram-user "scram_$kind:$password"
    done
}

secret_on_server() { direct_sql "select rolpassword from pg_authid where rolname = '$1'"; }

# A SCRAM secret is no user's in particular, so the one of `password_scram` serves wherever the server stores another kind.
write_auth_file() {
    local method
    echo "\"postgres\" \"$password\""
    for method in trust password md5 scram; do
        echo "\"${method}_plain\" \"$password\""
        echo "\"${method}_md5\" \"md5$(printf '%s' "$password${method}_md5" | md5sum | cut -d ' ' -f 1)\""
        case $method in
            scram) echo "\"scram_scram\" \"$(secret_on_server scram_scram)\"" ;;
            *) echo "\"${method}_scram\" \"$(secret_on_server password_scram)\"" ;;
        esac
    done
}

no_secret_in_logs() {
    local secrets; secrets=$(cut -d '"' -f 4 "$folder/logins.txt" | tr '$:' '\n' | awk 'length > 10' | sort -u)
    [[ $(wc -l <<<"$secrets") -gt 8 ]] || { echo "too few secrets to look for"; return 1; }
    ! grep -F -- "$secrets" "$folder"/*.log
}

parse_options "$@"
mapfile -t options < <(user_options)
start_postgres "${options[@]}"
for kind in "${kinds[@]}"; do direct_sql "create role trust_$kind superuser login"; done
write_auth_file >"$folder/logins.txt"
chmod 644 "$folder/logins.txt"
server="host=127.0.0.1 port=$pg_port dbname=postgres"
database_lines=("postgres = $server" "forced = $server user=scram_plain" "own_password = $server user=scram_md5 password=$password")

for auth_type in trust any plain md5 scram-sha-256; do
    start_proxy "$auth_type" "auth_type = $auth_type" "auth_file = $folder/logins.txt" 'pool_mode = transaction' 'verbose = 2'
    count_checks_of timeout 120 /usr/bin/python3 "$(dirname "$0")/login_matrix.py" "$proxy_port" "$auth_type" "$password" \
        "$folder/$auth_type.log"
    check "$auth_type: the proxy is well" proxy_is_well
    stop_proxy
done
check "no secret is in any log, at the highest verbosity" no_secret_in_logs
finish
