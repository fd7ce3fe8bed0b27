# Run by mmdebstrap on the host once packages are unpacked, with the root's path: keeps each package's files as a tar archive of their own, and the package's checksum. Nothing of a
# package runs.
set -eu
mkdir "$1/crust-packages"
for deb in "$1"/var/cache/apt/archives/*.deb; do
    name=$1/crust-packages/$(basename "$deb" .deb)
    dpkg-deb --fsys-tarfile "$deb" >"$name.tar"
    sha256sum <"$deb" | cut -c -64 >"$name.sha256"
done
