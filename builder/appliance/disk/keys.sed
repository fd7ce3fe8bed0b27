# Leaves of YAML its keys, and the names of accounts: no other value.
/^[ -]*\(name\|lock_passwd\|lock-passwd\)[ ]*:/ {
    p
    d
}
s/^\([ -]*[A-Za-z0-9_."-]\{1,\}[ ]*:\).*$/\1/p
t
s/^\( *-\) .*$/\1 x/p
