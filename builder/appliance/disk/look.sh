# Tells what is in a system, from inside its own root (chroot): busybox' shell, whose programs are mounted over the root's /proc. So no
# link on the disk leads out of it, and none of its programs is run. What is read is bounded, and no secret is reported: of a password only its
# kind, of a seed only its keys. $1: the system's number.
export PATH=/proc
at=$1
most=40000

# KIND: tells the host what comes in.
found() {
    printf '{"found":"%s","at":"%s","data":"%s"}\n' "$1" "$at" "$(head -c $most | base64 -w 0)"
}

# KIND PATH…: tells the first of the paths that is a file. A pipe would never end.
file() {
    kind=$1
    shift
    for path in "$@"; do
        if [ -f "$path" ]; then
            found "$kind" <"$path"
            return
        fi
    done
}

# SHADOW: name, kind of password, uid, home, shell, day of the last change, longest age of the password, day of the account's end.
accounts() {
    awk -F: -v OFS=: '
        function kind(hash, parts) {
            if (hash == "") return "empty"
            if (hash ~ /^!+[^!*]/) return "locked"
            if (hash ~ /^\$/) { split(hash, parts, "$"); return "$" parts[2] }
            return length(hash) == 13 ? "des" : "none"
        }
        shadow { known[$1] = kind($2); changed[$1] = $3; longest[$1] = $5; end[$1] = $8; next }
        NF == 7 && /^[^+-]/ { print $1, $2 == "x" ? ($1 in known ? known[$1] : "none") : kind($2), $3, $6, $7, changed[$1], longest[$1], end[$1] }
    ' shadow=1 "$1" shadow=0 /etc/passwd | head -n 500
}

file os-release /etc/os-release /usr/lib/os-release
file machine-id /etc/machine-id
file hostname /etc/hostname
file fstab /etc/fstab
if [ -f /etc/passwd ]; then
    shadow=/etc/shadow
    [ -f $shadow ] || shadow=/proc/empty
    people=$(accounts $shadow)
    echo "$people" | found accounts
    echo "$people" | while IFS=: read -r name _ _ home _; do
        for keys in "$home/.ssh/authorized_keys" "$home/.ssh/authorized_keys2"; do
            [ ! -f "$keys" ] || echo "$name:$(head -c 100000 "$keys" | grep -cE '^[^#]*(ssh-|ecdsa-|sk-)')"
        done
    done | found keys
    # Many have / for their home.
    echo "$people" | cut -d: -f4 | sort -u | while IFS= read -r home; do
        for history in .bash_history .ash_history .zsh_history .sh_history .python_history; do
            [ ! -s "$home/$history" ] || echo "$home/$history"
        done
    done | found histories
fi

# Names alone.
find /etc/ssh /etc/dropbear /etc/cloud /etc/nvme /etc/rancher/node /var/lib/cloud/seed /var/lib/cloud/data /var/lib/dhcp /var/lib/dhclient \
    /var/lib/dhcpcd /var/lib/NetworkManager /var/lib/systemd /var/lib/urandom /var/lib/misc /var/lib/wicked /var/lib/kubelet/pki /system/oem /oem \
    /root /var/log/installer -maxdepth 3 -type f -print0 2>/proc/errors | found files
for path in /usr/bin/cloud-init /var/lib/cloud/instance /autoinstall.yaml /etc/.ignition-result.json /etc/dhcpcd.duid /etc/udev/rules.d/70-persistent-net.rules; do
    [ ! -e $path ] || printf '%s\0' $path
done | found files
find /boot -maxdepth 3 -type f ! -name '*.mod' ! -name '*.module' ! -name '*.lst' -print0 2>/proc/errors | found files
find /usr/lib/modules/ /lib/modules/ -maxdepth 1 -mindepth 1 -type d -print0 2>/proc/errors | found modules

for key in /etc/ssh/ssh_host_*_key.pub; do
    [ ! -f "$key" ] || { head -c 2000 "$key" && echo; }
done | found host-keys
grep -hs '^InitiatorName=' /etc/iscsi/initiatorname.iscsi | found initiator
grep -rls -m 1 ssh-keygen /etc/systemd/system /usr/lib/systemd/system /lib/systemd/system /etc/init.d /system/oem /etc/rc.local | found key-makers
grep -liEs '([0-9a-f]{2}:){5}[0-9a-f]{2}' /etc/netplan/*.yaml /etc/NetworkManager/system-connections/* /etc/sysconfig/network-scripts/ifcfg-* \
    /etc/systemd/network/* /etc/network/interfaces /etc/network/interfaces.d/* /etc/udev/rules.d/70-persistent-net.rules | found macs
for seed in /var/lib/cloud/seed/*/user-data /etc/cloud/cloud.cfg.d/99-installer.cfg /oem/*.yaml; do
    [ ! -f "$seed" ] || head -c 200000 "$seed" | sed -n -f /proc/keys.sed | found seed
done

# KIND: tells what comes in, compressed, in pieces; it may be long. Each line of base64 is a piece of its own.
found_all() {
    gzip | base64 -w 52000 | sed "s|.*|{\"found\":\"$1\",\"at\":\"$at\",\"data\":\"&\"}|"
    echo
}

# The packages: of each database the fields that are needed, and no more.
[ ! -f /var/lib/dpkg/status ] && [ ! -d /var/lib/dpkg/status.d ] || for path in /var/lib/dpkg/status /var/lib/dpkg/status.d/*; do
    case $path in
    *.md5sums) ;;
    *) [ ! -f "$path" ] || { head -c 40000000 "$path" && echo; } ;;
    esac
done | grep -aE '^(Package|Status|Version|Architecture|Source):|^$' | found_all dpkg
for path in /lib/apk/db/installed /usr/lib/apk/db/installed; do
    [ ! -f $path ] || { head -c 40000000 $path | grep -aE '^[PVAo]:|^$' | found_all apk && break; }
done
