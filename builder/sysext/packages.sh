# Run by mmdebstrap on the host once packages are unpacked, with the root's path: keeps each package's files as a tar archive of their own. Nothing of a package runs.
set -eu
mkdir "$1/crust-packages"
for deb in "$1"/var/cache/apt/archives/*.deb; do
    dpkg-deb --fsys-tarfile "$deb" >"$1/crust-packages/$(basename "$deb" .deb).tar"
done
