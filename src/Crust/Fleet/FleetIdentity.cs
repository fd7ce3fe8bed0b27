using Crust.Disks;

namespace Crust.Fleet;

/// <summary>
/// Whether the images of nodes would share what each must have for itself. A seed gives a name and addresses; the machine-id has to be missing in the base, so that systemd
/// makes one on each node's first boot (machine-id(5), "First Boot Semantics").
/// </summary>
internal static class FleetIdentity
{
    private const string MachineId = "machine-id";

    // What two nodes can't both have; findings of other rules are of use to whoever makes the base, and `crust inspect` lists them.
    private static readonly string[] Shared = ["ssh-host-keys", "random-seed", "dhcp-identity", "iscsi-initiator", "nvme-host", "credential-secret", "node-identity", "mac-address"];

    /// <param name="disk">What is on the base's disk.</param>
    /// <param name="image">Its path, for the error.</param>
    /// <returns>What nodes would share beside it.</returns>
    /// <exception cref="CrustException">All nodes would have the same machine-id.</exception>
    public static IReadOnlyList<DiskFinding> Check(DiskInspection disk, string image) =>
        disk.Findings.FirstOrDefault(finding => finding.Rule == MachineId) is { } found
            ? throw new CrustException(FailureKind.BadInput, "All nodes would have the same machine-id, by which DHCP servers and logs know a machine", $"{image}, {found.Where}",
                "build the base with tidy: all, which empties /etc/machine-id, so that each node makes its own on its first boot")
            : [.. disk.Findings.Where(finding => Shared.Contains(finding.Rule)), .. Unknown(disk, image)];

    private static IEnumerable<DiskFinding> Unknown(DiskInspection disk, string image) => disk.Systems.IsEmpty
        ? [new DiskFinding(MachineId, DiskFinding.Warning, "No operating system was found on the base: whether nodes would share a machine-id isn't known", image,
            "make sure that /etc/machine-id is empty in it")]
        : [];
}
