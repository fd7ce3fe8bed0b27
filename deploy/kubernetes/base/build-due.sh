#!/bin/sh
# One step of a pod: `fetch` plans the pod's share of the specs (pod I of an Indexed Job takes the shard I of SHARDS) and fetches what the due ones need,
# `build` builds them without a login or a way to get one, `publish` pushes what was built.
# A spec that fails keeps no other from being built: the exit code of what failed is that of the last step, or of a plan. 2, bad input, counts only where
# nothing else failed: another try mends no input.
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
# Lines of what goes on to the next step, and the code of what failed so far.
state=${STATE:-/work/due}
worst=0
[ ! -f "$state/code" ] || worst=$(cat "$state/code")

# Does a step for each line that the step before has left, and leaves those for which it was done.
each() {
    : >"$state/$2"
    while IFS="$(printf '\t')" read -r formats arch name spec; do
        code=0
        "$3" || code=$?
        if [ "$code" -eq 0 ]; then
            printf '%s\t%s\t%s\t%s\n' "$formats" "$arch" "$name" "$spec" >>"$state/$2"
        elif [ "$code" -ne 2 ] || [ "$worst" -eq 0 ]; then
            worst=$code
        fi
    done <"$state/$1"
    echo "$worst" >"$state/code"
}

fetch() { run crust fetch "$spec"; }

# BUILD_OPTIONS are several words.
# shellcheck disable=SC2086
build() { run crust build "$spec" --format "$formats" --output "$images/$name" --cache none ${BUILD_OPTIONS:-}; }

publish() { run crust publish "$spec" --format "$formats" --output "$images/$name"; }

case ${1:-} in
    fetch)
        mkdir -p "$state" || exit 3
        run crust plan --lines --shard "$((JOB_COMPLETION_INDEX + 1))/$SHARDS" "${SPECS:-/gitops/specs}"/*.yaml >"$state/due" || exit "$?"
        each due fetched fetch
        ;;
    build) each fetched built build ;;
    publish)
        each built published publish
        exit "$worst"
        ;;
    *)
        echo "build-due.sh: '${1:-}' is no step; give fetch, build or publish" >&2
        exit 2
        ;;
esac
