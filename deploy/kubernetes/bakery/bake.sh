#!/bin/sh
# One step of a pod: `fetch` brings what would be built into the cache, `build` builds it without a login or a key, `publish` signs the folder's index and pushes what is new into a registry, if
# REPO names one. An extension that fails keeps no other from being published: its code is that of the last step.
# What can't be fetched fails when it is built. A pod that is stopped may be killed at any time: each file and each list gets its name when it is whole.
set -eu
config=${CONFIG:-/gitops}
folder=${EXTENSIONS:-/extensions}
state=${STATE:-/work}

bake() { crust sysext bake "$config/versions.yaml" --lock "$config/crust.lock" --recipes "${RECIPES:-/recipes}" --output "$folder" "$@"; }

case ${1:-} in
    fetch) bake --keyring "$config/extensions.asc" --fetch-only ;;
    build)
        code=0
        bake --keyring "$config/extensions.asc" --no-index || code=$?
        echo "$code" >"$state/code"
        ;;
    publish)
        export GNUPGHOME="$state/gpg"
        install -d -m 700 "$GNUPGHOME"
        gpg --batch --quiet --import "${KEY:-/key/extensions.gpg}"
        key=$(gpg --batch --with-colons --list-secret-keys | sed -n 's/^fpr:*\([0-9A-F]*\):*$/\1/p' | head -n 1)
        bake --index-only --sign-gpg-key "$key"
        gpgconf --kill all
        rm -rf "$GNUPGHOME"
        [ -z "${REPO:-}" ] || crust sysext publish "$folder"
        exit "$(cat "$state/code")"
        ;;
    *)
        echo "bake.sh: '${1:-}' is no step; give fetch, build or publish" >&2
        exit 2
        ;;
esac
