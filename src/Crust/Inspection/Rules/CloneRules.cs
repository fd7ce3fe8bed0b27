using Crust.Disks;
using Crust.Inspection.Evidence;
using static Crust.Inspection.Rules.DiskRules;

namespace Crust.Inspection.Rules;

/// <summary>What all clones of a disk would share, and must not.</summary>
internal static class CloneRules
{
    public static IEnumerable<DiskFinding> Check(JudgedDisk disk) => disk.All.SelectMany(one => Check(one.System, one.Facts));

    private static IEnumerable<DiskFinding> Check(SystemEvidence system, SystemFacts facts)
    {
        if (facts.MachineId == "set")
            yield return Warn("machine-id", "All clones would have the same machine-id, by which DHCP servers and logs know a machine", At(facts, "/etc/machine-id"), "tidy: [machine-id]");
        if (Files(SystemFiles.IsHostKey) is { Count: > 0 } keys)
            yield return Warn("ssh-host-keys", "All clones would have the same SSH host keys: each could pose as any other", At(facts, keys), "tidy: [ssh-host-keys]");
        if (facts.RandomSeed is { IsEmpty: false } seeds)
            yield return Warn("random-seed", "All clones would begin with the same state of the random generator", At(facts, seeds), "tidy: [random-seed]");
        if (Files(SystemFiles.IsNetworkIdentity) is { Count: > 0 } leases)
            yield return Warn("dhcp-identity", "All clones would ask for an address by the same identity", At(facts, leases), "tidy: [machine-id]");
        if (system.HasInitiatorName)
            yield return Warn("iscsi-initiator", "All clones would have the same iSCSI initiator name: two that use the same target destroy each other's data",
                At(facts, "/etc/iscsi/initiatorname.iscsi"), "tidy: [machine-id]");
        if (Files(SystemFiles.IsNvmeIdentity) is { Count: > 0 } nvme)
            yield return Warn("nvme-host", "All clones would have the same identity for NVMe over Fabrics", At(facts, nvme), "tidy: [machine-id]");
        if (Files(path => path == "/var/lib/systemd/credential.secret") is { Count: > 0 } secret)
            yield return Warn("credential-secret", "All clones would share the key that protects their systemd credentials", At(facts, secret), "tidy: [machine-id]");
        if (Files(SystemFiles.IsNodeIdentity) is { Count: > 0 } node)
            yield return Warn("node-identity", "The system has joined a cluster: all clones would be the same node", At(facts, node), "install without joining; join on each clone's first boot");
        if (system.MacFiles is { IsEmpty: false } macs)
            yield return Warn("mac-address", "The network's configuration names a MAC address, which clones don't have", At(facts, macs),
                "let the seed's network-config match by name or driver, or use DHCP on each card");
        if (facts.HostName.Length > 0 && facts.FirstBootAccounts.IsEmpty && facts.HostName is not ("localhost" or "localhost.localdomain" or "debian" or "ubuntu"))
            yield return Note("hostname", $"All clones would be called '{facts.HostName}'", At(facts, "/etc/hostname"), "name each on its first boot, or by DHCP");
        if (system.Files.Contains("/var/lib/cloud/data/instance-id"))
            yield return Note("cloud-init-instance", "cloud-init has run on this disk: with the same instance-id, clones take themselves for configured", At(facts, "/var/lib/cloud"),
                "give each clone a seed of its own, or tidy: [ssh-host-keys]");
        if (facts.Seed is { IsEmpty: false } left)
            yield return Note("seed", "What a seed said is left on the disk, perhaps with secrets", At(facts, left), "tidy: [seed], unless the first boot needs it");
        if (system.Histories is { IsEmpty: false } histories)
            yield return Note("history", "Somebody's shell history is on the disk", At(facts, histories), "tidy: [history]");

        IReadOnlyList<string> Files(Func<string, bool> which) => [.. system.Files.Where(which)];
    }
}
