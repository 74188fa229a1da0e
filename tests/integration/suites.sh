# What the runs of PostgreSQL's own test suites share: a run on the server itself is what is expected of a run through the
# proxy, and differences that have a reason stand in known_differences.txt. Read with `source`, after lib.sh.
#
#   fresh_postgres [options]              another server, with nothing of an earlier run
#   run_suite NAME PORT PROGRAM OPTION... runs PROGRAM (a pg_regress) on a copy of $suite in $folder/NAME; where a run
#                                         `direct` is there, its results are expected
#   compare_runs KIND STATE LEAST         KIND names the lines of known_differences.txt; STATE the proxy's pooling
# shellcheck shell=bash

suite=$project_root/build/regression-suite known_differences=$project_root/tests/integration/known_differences.txt

fresh_postgres() {
    [[ -z $pg_port ]] || "$project_root/scripts/throwaway_pg.sh" stop "$folder/postgres"
    rm -rf "$folder/postgres"
    start_postgres "${server_options[@]}"
}

run_suite() { # NAME PORT PROGRAM OPTION...: in a folder of its own, which the server may write to
    local at=$folder/$1 programs; programs=$(postgres_programs)
    as_unprivileged mkdir -p "$at"
    # Root's umask or a closed checkout must not matter to the server, which reads and writes here too.
    cp -r "$suite/." "$at"
    [[ $1 == direct ]] || expect_results_of direct "$at"
    own_by_unprivileged -R "$at"
    # shellcheck disable=SC2016
    as_unprivileged env -u PGUSER -u PGHOST bash -c 'cd "$1" && shift && exec "$@"' _ "$at" \
        "$3" --inputdir=. --outputdir=. --bindir="$programs" --host=127.0.0.1 --port="$2" --user=postgres "${@:4}" \
        >"$folder/$1.out" 2>&1 || true
    # What it ran is the measure: it ends with an error already when one test of the server itself differs.
    (( $(tests_run_by "$1") > 100 )) || { tail -n 20 "$folder/$1.out"; die "the suite did not run ($1)"; }
}

tests_run_by() { find "$folder/$1/results" -name '*.out' | wc -l; }

expect_results_of() { # NAME FOLDER
    rm -f "$2"/expected/*.out
    cp "$folder/$1"/results/*.out "$2/expected"
}

differing_tests() { # A B: names of tests whose outputs differ or are there in one only
    diff -rq "$folder/$1/results" "$folder/$2/results" | grep -oE '[A-Za-z0-9_-]+\.out' | sort -u | sed 's/\.out$//' || true
}

# One server connection is kept from one test to the next in transaction pooling, with all that a session leaves behind;
# this has each test begin on one of its own.
write_fresh_server_launcher() { # LINE...: more for the shell to do before the test
    launcher=$folder/on_fresh_server
    printf '%s\n' '#!/bin/sh' \
        "env -u PGOPTIONS psql -Xq -h 127.0.0.1 -p $proxy_port -U postgres -d pgbouncer -c RECONNECT >/dev/null" "$@" \
        'exec "$@"' >"$launcher"
    chmod 755 "$launcher"
}

changed_lines() { diff "$folder/direct/results/$1.out" "$folder/proxied/results/$1.out" | grep -c '^[<>]' || true; }
known_line() { awk -v kind="$1" -v test="$2" '$1 == kind && $2 == test' "$known_differences"; }
is_steady() { cmp -s "$folder/direct/results/$1.out" "$folder/again/results/$1.out"; }

compare_test() { # KIND TEST
    local known changed allowed; known=$(known_line "$1" "$2") changed=$(changed_lines "$2")
    allowed=$(awk '{print $3}' <<<"$known")
    if [[ -n $known ]] && (( changed <= allowed )); then echo "differs as known: $2 ($changed lines)"
    elif ! is_steady "$2"; then echo "unsteady without a proxy too: $2"
    else check "$2 prints the same" diff -U2 "$folder/direct/results/$2.out" "$folder/proxied/results/$2.out"; fi
}

# Says so only: some of them come and go with the timing.
tell_vanished() { # KIND DIFFERING
    awk -v kind="$1" '$1 == kind && $3 != "left-out" {print $2}' "$known_differences" | grep -vxF "${2:-none}" | sed 's/^/no longer differs: /' || true
}

compare_runs() { # KIND LEAST RUN_AGAIN...
    local test run differing; differing=$(differing_tests direct proxied)
    run=$(tests_run_by proxied)
    check "the whole suite ran through the proxy" test "$run" -eq "$(tests_run_by direct)"
    [[ -z $differing ]] || "${@:3}"
    for test in $differing; do compare_test "$1" "$test"; done
    tell_vanished "$1" "$differing"
    local same=$((run - $(wc -w <<<"$differing")))
    check "$same of $run tests print the same" test "$same" -ge "$2"
}
