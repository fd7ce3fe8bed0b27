# Runs on the host, with the folder of the unpacked packages as its argument, while they are packed: what has to be made of them.
# None of them is configured, so nothing of it may count on a maintainer script; and where they are for another architecture
# than the host's, none of their programs runs.
set -eu
root=$1
PATH=$PATH:/usr/sbin:/sbin

for release in "$root"/lib/modules/*; do
    depmod -b "$root" "${release##*/}"
done

# GRUB's image for CDs under BIOS: Debian has it for UEFI only. From a USB stick, boot_hybrid.img loads the same one.
mkdir -p "$root/crust"
if [ -d "$root/usr/lib/grub/i386-pc" ]; then
    chroot "$root" grub-mkimage -O i386-pc-eltorito -p /boot/grub -o /crust/eltorito.img \
        biosdisk iso9660 part_gpt part_msdos normal configfile linux search search_fs_file search_label \
        serial terminal echo test minicmd ls cat reboot halt
fi
