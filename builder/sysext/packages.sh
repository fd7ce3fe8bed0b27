# Run by mmdebstrap on the host once packages are unpacked, with the root's path: keeps each package's files as a tar archive of their own, and the package's checksum. Nothing of a
# package runs. Before this stands names='…': packages that are still to be downloaded, which apt checks by its lists, and which aren't unpacked.
set -eu
mkdir "$1/crust-packages"
archives=$1/var/cache/apt/archives
if [ -n "$names" ]; then
    archives=$1/crust-archives
    mkdir "$archives"
    # shellcheck disable=SC2086
    (cd "$archives" && APT_CONFIG=$MMDEBSTRAP_APT_CONFIG apt-get -q download $names)
fi
for deb in "$archives"/*.deb; do
    name=$1/crust-packages/$(basename "$deb" .deb)
    dpkg-deb --fsys-tarfile "$deb" >"$name.tar"
    sha256sum <"$deb" | cut -c -64 >"$name.sha256"
done
rm -rf "$1/crust-archives"
