using Crust.Disks;
using Crust.Fleet;

namespace Crust.Tests.Fleet;

public sealed class FleetIdentityTests
{
    [Test]
    public void A_base_with_a_machine_id_is_refused()
    {
        var error = Assert.Throws<CrustException>(() => FleetIdentity.Check(With(Finding("machine-id")), "edge.img"))!;

        Assert.That((error.Kind, error.Where), Is.EqualTo((FailureKind.BadInput, "edge.img, partition 1, /etc/x")));
        Assert.That(error.Remedy, Does.Contain("tidy: all"));
    }

    [Test]
    public void What_else_nodes_would_share_is_a_warning_and_what_the_seed_gives_is_none() =>
        Assert.That(FleetIdentity.Check(With(Finding("ssh-host-keys"), Finding("hostname"), Finding("node-identity")), "edge.img").Select(finding => finding.Rule),
            Is.EqualTo(new[] { "ssh-host-keys", "node-identity" }));

    [Test]
    public void A_base_on_which_no_system_is_found_is_a_warning() =>
        Assert.That(FleetIdentity.Check(With() with { Systems = [] }, "edge.img").Single().What, Does.StartWith("No operating system was found"));

    private static DiskFinding Finding(string rule) => new(rule, DiskFinding.Warning, "Shared", "partition 1, /etc/x", null);

    private static DiskInspection With(params DiskFinding[] findings) => new()
    {
        Size = 1 << 30,
        Table = "gpt",
        Boot = new BootFacts { Bios = "GRUB", BiosPartition = true, Uefi = [], Kernels = [], UefiFallback = false },
        Volumes = [],
        Systems =
        [
            new SystemFacts
            {
                Volume = "partition 1", Folder = "/", Name = "Debian", Id = "debian", Version = "12", HostName = "", MachineId = "empty",
                Kernels = [], Accounts = [], FirstBootAccounts = [], SshHostKeys = [], Seed = [], RandomSeed = [], Swap = [],
            },
        ],
        Findings = [.. findings],
    };
}
