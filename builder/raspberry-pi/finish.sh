
# From here on for a Raspberry Pi (builder/raspberry-pi/finish.sh).

chmod 755 /usr/lib/crust/grow-root /usr/lib/crust/pi-kernel /etc/kernel/postinst.d/zz-crust-pi-kernel /etc/initramfs/post-update.d/zz-crust-pi-kernel
systemctl enable crust-grow-root.service crust-pi-kernel.service systemd-timesyncd.service systemd-networkd.service

# What the hook has put here is put onto the boot partition by the layout.
rm -rf /boot/firmware
mkdir /boot/firmware
