#!/bin/sh
# Builds and publishes what is due of this pod's share of the specs: pod I of an Indexed Job takes the shard I of SHARDS.
# The exit code is that of what failed. 2, bad input, is only told where nothing else failed: another try mends no input.
set -u
child='' stopped=''

# As process 1 a shell gets the pod's SIGTERM and has to hand it on, or QEMU would be killed when the grace period is over.
trap 'stopped=1; [ -z "$child" ] || kill -TERM "$child"' TERM

run() {
    "$@" &
    child=$!
    code=0
    wait "$child" || code=$?
    # A signal ends the wait, but the program tidies up first.
    while kill -0 "$child" 2>/dev/null; do
        code=0
        wait "$child" || code=$?
    done
    child=''
    [ -z "$stopped" ] || exit 130
    return "$code"
}

images=${IMAGES:-/images}
plan=$(mktemp) || exit 3
run crust plan --lines --shard "$((JOB_COMPLETION_INDEX + 1))/$SHARDS" "${SPECS:-/gitops/specs}"/*.yaml >"$plan" || exit "$?"

worst=0
while IFS="$(printf '\t')" read -r formats _ name spec; do
    # BUILD_OPTIONS are several words.
    # shellcheck disable=SC2086
    run crust build "$spec" --format "$formats" --output "$images/$name" ${BUILD_OPTIONS:-} &&
        run crust publish "$spec" --format "$formats" --output "$images/$name"
    code=$?
    [ "$code" -eq 0 ] || { [ "$code" -eq 2 ] && [ "$worst" -ne 0 ]; } || worst=$code
    rm -rf "${images:?}/$name"
done <"$plan"
rm -f "$plan"
exit "$worst"
