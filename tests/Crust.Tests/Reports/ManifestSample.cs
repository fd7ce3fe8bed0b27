using System.Collections.Immutable;
using Crust.Disks;
using Crust.Formats;
using Crust.Machines;
using Crust.Reports;
using Crust.Tests.Inspection;

namespace Crust.Tests.Reports;

/// <summary>A manifest in which each value is another.</summary>
internal static class ManifestSample
{
    public static readonly string Key = new('a', 64);

    public static readonly ManifestImage Img = new()
    {
        Format = "img",
        File = "edge.img",
        Size = 107374182400,
        Sha256 = new('b', 64),
        BuildKey = Key,
        Modified = new DateTimeOffset(2025, 3, 4, 5, 6, 7, TimeSpan.Zero).AddTicks(1234567),
        Verified = new ManifestProof("bios", "login:", 12.3),
    };

    public static readonly ManifestImage Vmdk = Img with { Format = "vmdk", File = "edge.vmdk", Size = 702545920, Sha256 = new('c', 64), Verified = null };

    public static readonly ManifestProof LoggedIn = new("bios", "SSH-2.0-OpenSSH_9.2p1 Debian-2", 42.5)
    {
        DiskBus = "virtio",
        Ssh = new ManifestLogin("SSH-2.0-OpenSSH_9.2p1 Debian-2", "edge", null, new ManifestHostKey("ssh-ed25519", "SHA256:ohD8VZEXGWo6Ez8GSEJQ9WpafgLFsOfLOtGGQCQo6Og"),
        [
            new ManifestCheck("systemctl is-active k3s", 1.5, "active") { Lines = ["one before", "active"] },
            new ManifestCheck("test -d /etc/cloud", 0.1, ""),
        ]),
    };

    public static readonly Manifest Full = new()
    {
        Name = "edge",
        Crust = "0.1.0+commit",
        BuildKey = Key,
        DiskContent = new('e', 64),
        Installer = new() { Source = "https://example.org/edge.iso", Sha256 = new('d', 64), Size = 734003200, VolumeId = "EDGE" },
        Machine = new() { Arch = "amd64", Firmware = "bios", Cpus = 2, Memory = 4294967296, Disk = 107374182400 },
        Install = new InstallFacts
        {
            Accelerator = "tcg",
            Seconds = 61.5,
            QemuCpuSeconds = 60.25,
            CrustCpuSeconds = 0.5,
            BytesWritten = 1048576,
            Resets = 1,
            Finished = new DateTimeOffset(2025, 3, 4, 5, 6, 0, TimeSpan.Zero),
            CommandLine = "qemu-system-x86_64 -name crust-install",
            QemuVersion = "7.2.22 (Debian 1:7.2)",
            Inspection = EvidenceSample.Reference.With("machine-id", EvidenceSample.System, "0123456789abcdef0123456789abcdef").Read(),
            Tidied = [new("logs", "/var/log", 3, 2048)],
            TrimmedBytes = 98304,
            Warnings = ["the installer says: late"],
            Trace = new InstallTrace { Samples = [new(1.5, 4096, 1.25)], Boots = [0, 30.5], Screens = [new(0.5, "0000.png")] },
        },
        SecretsCarried = ["stylus.site.edgeHostToken", "users[0].passwd"],
        SeedFiles = [new("user-data", "user-data.yaml", 412, new('9', 64))],
        Host = new HostFacts { System = "Debian GNU/Linux 12 (bookworm)", Kernel = "6.1.0-31-amd64", Cpus = 4, Memory = 8L << 30 },
        FromCache = true,
        Started = new DateTimeOffset(2025, 3, 4, 5, 4, 0, TimeSpan.Zero),
        Seconds = ImmutableSortedDictionary<string, double>.Empty.Add("install", 61.5).Add("formats", 20.1),
        Images = [Img with { Recipe = "compression=zstd" }, Vmdk with { Library = "libdeflate 0123456789ab" }],
        Sbom = new("edge.sbom.spdx.json", 123456, new('1', 64)),
        Provenance = new("edge.provenance.json", 2345, new('2', 64)),
        Signature = new("edge.provenance.json.sig", 294, new('3', 64), "SHA256:key"),
        Warnings = ["KVM can't be used: \"it\" hangs"],
        Finished = new DateTimeOffset(2025, 3, 4, 5, 6, 0, TimeSpan.Zero),
    };
}
