#!/usr/bin/env bash
# While a server is not there yet: clients that hang up are noticed, and neither a slow name nor a server that falls silent
# outlasts the deadline.
#
#   connecting.sh [PRESET] [--workers N] [--proxy-binary PATH] [--keep]
set -euo pipefail
# shellcheck source=tests/integration/lib.sh
source "$(dirname "$0")/lib.sh"

# A resolver that takes five seconds for every name that ends in .test.
build_slow_resolver() {
    cat >"$folder/slow.cpp" <<'CPP'
#include <dlfcn.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>
extern "C" int getaddrinfo(const char* node, const char* service, const addrinfo* hints, addrinfo** found) {
    using Function = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
    static const auto real = reinterpret_cast<Function>(dlsym(RTLD_NEXT, "getaddrinfo"));
    if (node != nullptr && strlen(node) > 5 && strcmp(node + strlen(node) - 5, ".test") == 0) {
        sleep(5);
        node = "127.0.0.1";
    }
    return real(node, service, hints, found);
}
CPP
    g++ -shared -fPIC -o "$folder/slow.so" "$folder/slow.cpp" -ldl
    chmod 755 "$folder/slow.so"
}

closes_within_deadline() {
    wait_until 4 grep -qE 'S-.*closing because: connect failed \(age=[12]s\)' "$folder/slow_name.log"
}

stays_quiet_after() {    # the late answer opens no connection behind its deadline
    sleep 5
    ! grep -E 'S-.*new connection to server' "$folder/slow_name.log"
}

parse_options "$@"
start_postgres
database_lines=("silent = host=127.0.0.1 port=$(free_port)")
silent_port=${database_lines[0]##*=}
start_proxy waiting 'client_login_timeout = 30' 'server_connect_timeout = 20'
count_checks_of timeout 60 /usr/bin/python3 -B "$(dirname "$0")/connecting.py" "$proxy_port" "$silent_port" "$folder/waiting.log"
check "the proxy is well" proxy_is_well
stop_proxy

database_lines=("stage_3 = host=127.0.0.1 port=$pg_port dbname=postgres connect_query='select pg_sleep(30)'"
                "* = host=127.0.0.1 port=$silent_port")
start_proxy deadline 'server_connect_timeout = 1' 'server_login_retry = 60' 'cancel_wait_timeout = 1'
count_checks_of timeout 60 /usr/bin/python3 -B "$(dirname "$0")/connect_deadline.py" "$proxy_port" "$silent_port" "$pg_port" "$folder/deadline.log"
check "the proxy is well after servers that fell silent" proxy_is_well
stop_proxy

check "a slow resolver can be built" build_slow_resolver
database_lines=("slow = host=server.test port=$pg_port dbname=postgres")
export LD_PRELOAD=$folder/slow.so ASAN_OPTIONS=verify_asan_link_order=0    # AddressSanitizer would be first otherwise
start_proxy slow_name 'server_connect_timeout = 1' 'server_login_retry = 60' 'query_wait_timeout = 3'
unset LD_PRELOAD ASAN_OPTIONS
check "a client of a server that is not found gives up" bash -c "! psql -X -h 127.0.0.1 -p $proxy_port -U postgres -c 'select 1' slow" &
check_pid=$!
check "a slow name does not outlast server_connect_timeout" closes_within_deadline
check "and nothing is opened when the answer comes at last" stays_quiet_after
wait "$check_pid" || true
check "the proxy is well after a slow name" proxy_is_well
finish
