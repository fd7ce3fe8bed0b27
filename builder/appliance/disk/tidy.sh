# Takes out of a system what its clones must not share or need not carry, from inside its root as look.sh is run. Each change is reported as
# four values: step, path, files, bytes; what had to be left, with the reason as a fifth. $1: the system's number; $2: the steps.
set -eu
export PATH=/proc
at=$1
steps=$2
changes=/proc/changes
: >$changes

wants() {
    case ,$steps, in
    *,"$1",*) return 0 ;;
    *) return 1 ;;
    esac
}

# STEP PATH FILES BYTES
tell() {
    printf '%s\0%s\0%s\0%s\0\0' "$1" "$2" "$3" "$4" >>$changes
}

# STEP PATH REASON
leave() {
    printf '%s\0%s\0000\0000\0%s\0' "$1" "$2" "$3" >>$changes
}

# STEP PATH…: removes files.
remove() {
    step=$1
    shift
    for path in "$@"; do
        if [ -f "$path" ] || [ -L "$path" ]; then
            size=$(stat -c %s "$path")
            rm -f "$path"
            tell "$step" "$path" 1 "$size"
        fi
    done
}

# STEP FOLDER…: removes all that is in folders. One that is a link, or leads to the tools, isn't touched.
empty() {
    step=$1
    shift
    for folder in "$@"; do
        [ -d "$folder" ] && [ ! -L "$folder" ] || continue
        case $(readlink -f "$folder") in
        /proc | /proc/*) continue ;;
        esac
        files=$(find "$folder" -mindepth 1 ! -type d -print0 | tr -dc '\0' | wc -c)
        folders=$(find "$folder" -mindepth 1 -type d -print0 | tr -dc '\0' | wc -c)
        [ $((files + folders)) -gt 0 ] || continue
        size=$(($(du -sk "$folder" | cut -f1) * 1024))
        find "$folder" -mindepth 1 -maxdepth 1 -exec rm -rf {} +
        tell "$step" "$folder" "$files" "$size"
    done
}

# STEP FOLDER…: removes the files in folders, and leaves the folders and locks that package managers look for.
clear() {
    step=$1
    shift
    for folder in "$@"; do
        [ -d "$folder" ] && [ ! -L "$folder" ] || continue
        find "$folder" -type f ! -name lock -print0 >/proc/list
        [ -s /proc/list ] || continue
        size=$(($(du -sk "$folder" | cut -f1) * 1024))
        xargs -0 rm -f </proc/list
        tell "$step" "$folder" "$(tr -dc '\0' </proc/list | wc -c)" "$size"
    done
}

# What cloud-init knows of the instance that this disk is: without it, the next boot is a new instance's first. Its seed stays.
forget_instance() {
    empty "$1" /var/lib/cloud/instances /var/lib/cloud/data /var/lib/cloud/sem
    remove "$1" /var/lib/cloud/instance
}

# Whether cloud-init will run without a seed from outside, and make host keys. It disables itself where it finds no source.
cloud_init_makes_keys() {
    [ -e /usr/bin/cloud-init ] && [ ! -e /etc/cloud/cloud-init.disabled ] && grep -qsE '^ *- *ssh *$' /etc/cloud/cloud.cfg || return 1
    ! wants seed && ls /var/lib/cloud/seed/*/user-data >/proc/errors 2>&1 && return 0
    grep -rqsE '^datasource_list:.*None' /etc/cloud
}

something_makes_keys() {
    grep -rqs ssh-keygen /etc/systemd/system /usr/lib/systemd/system /lib/systemd/system /etc/init.d /system/oem /etc/rc.local
}

if wants machine-id; then
    if [ -s /etc/machine-id ] && [ "$(head -c 32 /etc/machine-id)" != uninitialized ]; then
        : >/etc/machine-id
        tell machine-id /etc/machine-id 1 33
    fi
    # A link leads to the one above.
    [ -L /var/lib/dbus/machine-id ] || remove machine-id /var/lib/dbus/machine-id
    remove machine-id /var/lib/systemd/credential.secret /var/lib/NetworkManager/secret_key /var/lib/NetworkManager/*.lease \
        /var/lib/dhcp/*.lease* /var/lib/dhclient/*.lease* /var/lib/dhcpcd/* /etc/dhcpcd.duid /etc/nvme/hostnqn /etc/nvme/hostid
    name=/etc/iscsi/initiatorname.iscsi
    if grep -qs '^InitiatorName=' $name; then
        if [ -e /usr/lib/open-iscsi/startup-checks.sh ] || [ -e /lib/open-iscsi/startup-checks.sh ]; then
            echo GenerateName=yes >$name
            tell machine-id $name 1 0
        elif grep -rqs initiatorname.iscsi /usr/lib/systemd/system /lib/systemd/system /etc/systemd/system; then
            remove machine-id $name
        else
            leave machine-id $name "nothing in this system would make another name"
        fi
    fi
fi

if wants ssh-host-keys && ls /etc/ssh/ssh_host_*_key >/proc/errors 2>&1; then
    if cloud_init_makes_keys; then
        remove ssh-host-keys /etc/ssh/ssh_host_*_key /etc/ssh/ssh_host_*_key.pub
        # It makes them once for each instance.
        forget_instance ssh-host-keys
    elif something_makes_keys; then
        remove ssh-host-keys /etc/ssh/ssh_host_*_key /etc/ssh/ssh_host_*_key.pub
    else
        leave ssh-host-keys /etc/ssh "nothing in this system would make new ones, and its SSH server wouldn't start"
    fi
fi

if wants seed; then
    empty seed /var/lib/cloud/seed
    remove seed /etc/cloud/cloud.cfg.d/99-installer.cfg /root/anaconda-ks.cfg /root/original-ks.cfg /autoinstall.yaml /boot/ignition/config.ign \
        /var/log/installer/autoinstall-user-data
    forget_instance seed
fi

if wants random-seed; then
    remove random-seed /var/lib/systemd/random-seed /var/lib/urandom/random-seed /var/lib/misc/random-seed /var/lib/random-seed
fi

if wants logs && [ -d /var/log ] && [ ! -L /var/log ]; then
    empty logs /var/log/journal
    # A log that is there but empty has its owner and its mode; who writes to it may count on both.
    find /var/log -type f -size +0c -print0 >/proc/list
    if [ -s /proc/list ]; then
        size=$(($(du -sk /var/log | cut -f1) * 1024))
        find /var/log -type f \( -name '*.gz' -o -name '*.xz' -o -name '*.zst' -o -name '*.old' -o -name '*.[0-9]' \) -exec rm -f {} +
        find /var/log -type f -size +0c -exec sh -c 'for log; do : >"$log"; done' sh {} +
        tell logs /var/log "$(tr -dc '\0' </proc/list | wc -c)" "$size"
    fi
fi

if wants package-cache; then
    clear package-cache /var/cache/apt/archives /var/lib/apt/lists /var/cache/dnf /var/cache/libdnf5 /var/cache/yum /var/cache/zypp /var/cache/apk /var/cache/pacman/pkg
    remove package-cache /var/cache/apt/pkgcache.bin /var/cache/apt/srcpkgcache.bin
fi

if wants temporary; then
    empty temporary /tmp /var/tmp
fi

if wants history; then
    for home in /root /home/*; do
        [ ! -L "$home" ] || continue
        for file in .bash_history .ash_history .zsh_history .sh_history .python_history .lesshst .viminfo .wget-hsts; do
            remove history "$home/$file"
        done
    done
fi

printf '{"found":"tidied","at":"%s","data":"%s"}\n' "$at" "$(head -c 40000 $changes | base64 -w 0)"
