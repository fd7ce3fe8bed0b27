using System.Collections.Immutable;

namespace Crust.Inspection.Evidence;

/// <summary>Files of an operating system that tell something by being there.</summary>
internal static class SystemFiles
{
    private static readonly ImmutableArray<string> RandomSeeds = ["/var/lib/systemd/random-seed", "/var/lib/urandom/random-seed", "/var/lib/misc/random-seed", "/var/lib/random-seed"];

    private static readonly ImmutableArray<string> Seeds =
    [
        "/etc/cloud/cloud.cfg.d/99-installer.cfg", "/root/anaconda-ks.cfg", "/root/original-ks.cfg", "/autoinstall.yaml", "/var/log/installer/autoinstall-user-data",
        "/boot/ignition/config.ign",
    ];

    // What a DHCP server, or another on the network, knows a machine by.
    private static readonly ImmutableArray<string> NetworkIdentities =
    [
        "/var/lib/dhcp/", "/var/lib/dhclient/", "/var/lib/dhcpcd/", "/etc/dhcpcd.duid", "/var/lib/NetworkManager/secret_key", "/var/lib/wicked/",
    ];

    /// <summary>What a seed or an installer's configuration has left.</summary>
    public static bool IsSeed(string path) => Seeds.Contains(path) || path.StartsWith("/var/lib/cloud/seed/", StringComparison.Ordinal)
        || (path.StartsWith("/oem/", StringComparison.Ordinal) && path.EndsWith(".yaml", StringComparison.Ordinal));

    /// <summary>The random generator's saved state.</summary>
    public static bool IsRandomSeed(string path) => RandomSeeds.Contains(path);

    /// <summary>The secret half of an SSH server's host key.</summary>
    public static bool IsHostKey(string path) =>
        (path.StartsWith("/etc/ssh/ssh_host_", StringComparison.Ordinal) && path.EndsWith("_key", StringComparison.Ordinal))
        || path.StartsWith("/etc/dropbear/dropbear_", StringComparison.Ordinal);

    /// <summary>What a machine is known by on its network.</summary>
    public static bool IsNetworkIdentity(string path) => NetworkIdentities.Any(known => known.EndsWith('/') ? path.StartsWith(known, StringComparison.Ordinal) : path == known)
        || (path.StartsWith("/var/lib/NetworkManager/", StringComparison.Ordinal) && path.EndsWith(".lease", StringComparison.Ordinal));

    /// <summary>What a machine is known by to an NVMe over Fabrics target.</summary>
    public static bool IsNvmeIdentity(string path) => path is "/etc/nvme/hostnqn" or "/etc/nvme/hostid";

    /// <summary>What a node is known by in its cluster.</summary>
    public static bool IsNodeIdentity(string path) => path == "/etc/rancher/node/password" || path.StartsWith("/var/lib/kubelet/pki/", StringComparison.Ordinal);
}
