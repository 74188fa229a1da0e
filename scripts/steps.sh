# Steps of ./check and .ci/run: each is named, timed, run without stdin, and counted; a failed one shows its output and
# the others still run. Read with `source`, after common.sh.
# shellcheck shell=bash

steps_passed=0 steps_failed=() steps_log=$(mktemp)
trap 'rm -f "$steps_log"' EXIT

# step NAME COMMAND...: silent unless it fails.
step() {
    local name=$1 began=$SECONDS status=0; shift
    say "$name"
    "$@" >"$steps_log" 2>&1 </dev/null || status=$?
    (( status == 0 )) || tail -n 60 "$steps_log"
    count_step "$name" "$status" "$began"
}

# step_shown NAME COMMAND...: its output is worth reading, so it is shown as it comes.
step_shown() {
    local name=$1 began=$SECONDS status=0; shift
    say "$name"
    "$@" </dev/null 2>&1 || status=$?
    count_step "$name" "$status" "$began"
}

count_step() { # NAME STATUS BEGAN
    if (( $2 == 0 )); then
        steps_passed=$((steps_passed + 1))
        printf '   ok (%s s)\n' $((SECONDS - $3))
    else
        steps_failed+=("$1")
        printf '   FAILED %s (status %s, %s s)\n' "$1" "$2" $((SECONDS - $3))
    fi
}

# After a step without which the rest means nothing.
stop_if_failed() { (( ${#steps_failed[@]} == 0 )) || finish_steps; }

finish_steps() {
    local name
    for name in "${steps_failed[@]}"; do echo "FAILED $name"; done
    echo "$steps_passed passed, ${#steps_failed[@]} failed"
    exit $(( ${#steps_failed[@]} > 0 ))
}
