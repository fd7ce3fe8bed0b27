# Runs in the root file system (chroot) after its packages were configured: what is left to do, and to take away.
set -eu

echo debian >/etc/hostname
passwd --lock root >/dev/null
systemctl enable systemd-networkd.service systemd-resolved.service systemd-timesyncd.service
# Looks after snapshots of LVM volumes, of which there are none.
systemctl disable e2scrub_reap.service e2scrub_all.timer
echo LANG=C.UTF-8 >/etc/default/locale
ln -sf ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf

# Where that wasn't left to the kernel's package.
for kernel in /boot/vmlinuz-*; do
    release=${kernel#/boot/vmlinuz-}
    [ -e "/boot/initrd.img-$release" ] || update-initramfs -c -k "$release"
done

# Each installed system makes its own.
rm -f /etc/ssh/ssh_host_*_key /etc/ssh/ssh_host_*_key.pub
: >/etc/machine-id
rm -f /var/lib/dbus/machine-id /var/lib/systemd/random-seed /var/lib/systemd/credential.secret

# Notes of the build, with its times in them.
rm -rf /var/cache/apt/*.bin /var/cache/ldconfig/aux-cache /var/cache/debconf/*-old /var/lib/dpkg/*-old
find /var/log -type f -delete
# /tmp is left to mmdebstrap: it keeps its own configuration there, and cleans up with it.
