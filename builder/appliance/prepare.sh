# Runs in the unpacked packages (chroot), while they are packed: what only their own programs can make.
# None of them is configured, so nothing of it may count on a maintainer script.
set -eu

for release in /lib/modules/*; do
    depmod "${release##*/}"
done

# GRUB's image for CDs under BIOS: Debian has it for UEFI only. From a USB stick, boot_hybrid.img loads the same one.
mkdir -p /crust
grub-mkimage -O i386-pc-eltorito -p /boot/grub -o /crust/eltorito.img \
    biosdisk iso9660 part_gpt part_msdos normal configfile linux search search_fs_file search_label \
    serial terminal echo test minicmd ls cat reboot halt
