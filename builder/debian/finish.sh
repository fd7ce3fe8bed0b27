# Runs in the root file system (chroot) after its packages were configured: what is left to do, and to take away.
set -eu

# mmdebstrap leaves there what the host that builds has.
echo debian >/etc/hostname
[ -L /etc/resolv.conf ] || rm -f /etc/resolv.conf
[ ! -x /usr/lib/systemd/systemd-resolved ] || ln -sf ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf
passwd --lock root >/dev/null

# Where that wasn't left to the kernel's package.
for kernel in /boot/vmlinuz-*; do
    release=${kernel#/boot/vmlinuz-}
    [ -e "/boot/initrd.img-$release" ] || update-initramfs -c -k "$release"
done

# Each system makes its own.
rm -f /etc/ssh/ssh_host_*_key /etc/ssh/ssh_host_*_key.pub
: >/etc/machine-id
rm -f /var/lib/dbus/machine-id /var/lib/systemd/random-seed /var/lib/systemd/credential.secret

# Notes of the build, with its times in them.
rm -rf /var/cache/apt/*.bin /var/cache/ldconfig/aux-cache /var/cache/debconf/*-old /var/lib/dpkg/*-old
find /var/log -type f -delete
