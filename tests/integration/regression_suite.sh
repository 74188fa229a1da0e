#!/usr/bin/env bash
# PostgreSQL's own regression suite, first on the server itself, then through the proxy in session pooling: psql must print
# the same in both.
#
#   regression_suite.sh [PRESET] [--workers N] [--proxy-binary PATH] [--keep]
#
# The direct run's output is what is expected of the second, so what the server alone gets wrong here does not count. A
# test that differs is run again on the server: if that differs from itself too, it is named as unsteady, not as failed.
set -euo pipefail
# shellcheck source=tests/integration/lib.sh
source "$(dirname "$0")/lib.sh"

suite=$project_root/build/regression-suite
# Differences that lie in pooling itself, and how many lines of output they may change.
declare -A known_differences=(
    [temp]=3     # a server connection that is used again has its temporary schema already
    [stats]=2    # a client's leaving is no session's end for the server
    [guc]=4      # a server connection that is used again has plpgsql loaded already
)

run_suite() { # NAME PORT: in a folder of its own, which the server may write to
    local at=$folder/$1 programs; programs=$(postgres_programs)
    as_unprivileged mkdir -p "$at"
    # Root's umask or a closed checkout must not matter to the server, which reads and writes here too.
    cp -r "$suite/." "$at"
    [[ ! -d $folder/direct/results || $1 == direct ]] || expect_results_of direct "$at"
    own_by_unprivileged -R "$at"
    # shellcheck disable=SC2016
    as_unprivileged env -u PGUSER -u PGHOST bash -c 'cd "$1" && shift && exec "$@"' _ "$at" \
        "$pg_regress" --inputdir=. --outputdir=. --bindir="$programs" --dlpath="$at" \
        --host=127.0.0.1 --port="$2" --user=postgres --max-connections=20 --schedule=parallel_schedule >"$folder/$1.out" 2>&1 || true
    # What it ran is the measure: it ends with an error already when one test of the server itself differs.
    (( $(tests_run_by "$1") > 150 )) || { tail -n 20 "$folder/$1.out"; die "the suite did not run ($1)"; }
}

tests_run_by() { find "$folder/$1/results" -name '*.out' | wc -l; }

expect_results_of() { # NAME FOLDER
    rm -f "$2"/expected/*.out
    cp "$folder/$1"/results/*.out "$2/expected"
}

differing_tests() { # A B: names of tests whose outputs differ or are there in one only
    diff -rq "$folder/$1/results" "$folder/$2/results" | grep -oE '[a-z0-9_]+\.out' | sort -u | sed 's/\.out$//' || true
}

pg_regress=$(realpath "$(postgres_programs)/../lib/pgxs/src/test/regress/pg_regress")
time_zone_of_suite() { if grep -qa 'America/Los_Angeles' "$pg_regress"; then echo America/Los_Angeles; else echo PST8PDT; fi; }

fresh_postgres() {
    [[ -z $pg_port ]] || "$project_root/scripts/throwaway_pg.sh" stop "$folder/postgres"
    rm -rf "$folder/postgres"
    # What psql asks for at start-up is made the server's default as well: where the tests RESET such a setting they get
    # the server's own value back, and a server connection that was there before the client has no other.
    start_postgres --max-connections 60 --conf "datestyle = 'Postgres, MDY'" --conf "timezone = '$(time_zone_of_suite)'" \
        --conf "intervalstyle = 'postgres_verbose'"
}

changed_lines() { diff "$folder/direct/results/$1.out" "$folder/proxied/results/$1.out" | grep -c '^[<>]' || true; }
is_known() { (( $(changed_lines "$1") <= ${known_differences[$1]:-0} )); }
is_steady() { cmp -s "$folder/direct/results/$1.out" "$folder/again/results/$1.out"; }

compare_runs() {
    local test run=0 same=0 differing; differing=$(differing_tests direct proxied)
    run=$(tests_run_by proxied)
    check "the whole suite ran through the proxy" test "$run" -eq "$(tests_run_by direct)"
    [[ -z $differing ]] || { fresh_postgres; run_suite again "$pg_port"; }
    for test in $differing; do
        if is_known "$test"; then echo "differs as known: $test"
        elif ! is_steady "$test"; then echo "unsteady without a proxy too: $test"
        else check "$test prints the same" diff -U2 "$folder/direct/results/$test.out" "$folder/proxied/results/$test.out"; fi
    done
    same=$((run - $(wc -w <<<"$differing")))
    check "$same of $run tests print the same" test "$same" -ge 200
}

parse_options "$@"
"$project_root/tests/integration/get_regression_suite.sh" "$suite"
fresh_postgres
run_suite direct "$pg_port"
fresh_postgres
start_proxy session 'pool_mode = session' 'default_pool_size = 40' 'server_round_robin = 0'
run_suite proxied "$proxy_port"
compare_runs
check "the proxy is well" proxy_is_well
finish
