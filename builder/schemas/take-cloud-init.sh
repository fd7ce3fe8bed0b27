#!/bin/sh
# Makes the schemas of cloud-init anew from Debian's package: cloud-config.json and network-config-v1.json; with a name behind it, NAME.json alone, as for the
# reference system's older version.
#
#   apt-get download cloud-init && builder/schemas/take-cloud-init.sh cloud-init_*.deb
#   builder/schemas/take-cloud-init.sh cloud-init_22.4.2-1+deb12u4_all.deb cloud-config-22.4
#
# What a check doesn't read (descriptions, defaults, spaces) is left out; nothing else is changed. NOTICE says where they come from.
set -eu
package=$(realpath "$1")
cd "$(dirname "$0")"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
dpkg -x "$package" "$scratch"
python3 - "$scratch/usr/lib/python3/dist-packages/cloudinit/config/schemas" "${2:-}" <<'EOF'
import json, sys

UNREAD = {"description", "default", "title", "label", "hidden", "changed", "changed_version", "changed_description", "deprecated_version"}
OF_NAMES = {"properties", "patternProperties", "$defs"}


def small(value, names=False):
    if isinstance(value, dict):
        return {key: small(part, not names and key in OF_NAMES) for key, part in value.items() if names or key not in UNREAD}
    return [small(part) for part in value] if isinstance(value, list) else value


for source, target in [("cloud-config-v1", sys.argv[2])] if sys.argv[2] else [("cloud-config-v1", "cloud-config"), ("network-config-v1", "network-config-v1")]:
    with open(f"{sys.argv[1]}/schema-{source}.json") as file:
        schema = small(json.load(file))
    with open(f"{target}.json", "w") as file:
        json.dump(schema, file, separators=(",", ":"))
        file.write("\n")
EOF
[ -z "${2:-}" ] || exit 0
version=$(dpkg-deb -f "$package" Version)
sed -i "s/^Package: .*/Package: cloud-init $version/" NOTICE
