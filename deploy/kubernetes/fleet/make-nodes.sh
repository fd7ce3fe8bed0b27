#!/bin/sh
# A pod's share of a fleet: pod I of an Indexed Job makes the nodes of shard I of SHARDS from the image BASE. What an earlier pod of the same share has finished stays.
# FLEET_OPTIONS are several words: --as, --secret and the like.
set -eu
set -f
config=${CONFIG:-/gitops}

set -- --from "$BASE" --shard "$((JOB_COMPLETION_INDEX + 1))/$SHARDS" --output "${FLEET:-/fleet/nodes}"
[ ! -f "$config/user-data.yaml" ] || set -- "$@" --user-data "$config/user-data.yaml"
[ ! -f "$config/network-config.yaml" ] || set -- "$@" --network-config "$config/network-config.yaml"
# One pod looks at the base for all: if that refuses it, its index fails, and so does the Job.
[ "$JOB_COMPLETION_INDEX" -eq 0 ] || set -- "$@" --inspect false
# shellcheck disable=SC2086
exec crust fleet "$config/nodes.yaml" "$@" ${FLEET_OPTIONS:-}
