using System.Collections.Immutable;
using Crust.Disks;
using Crust.Machines;
using Crust.Reports;
using Crust.Reports.Page;
using Crust.Sanitizing;
using Crust.Seeds.Secrets;
using Crust.Spec;

namespace Crust.Tests.Reports;

/// <summary>Stories of builds, with all that a report can tell.</summary>
internal static class ReportSample
{
    public const string Password = "correct horse";

    private static readonly DateTimeOffset Started = new(2025, 3, 4, 5, 3, 0, TimeSpan.Zero);

    private static readonly BuildSpec Spec = new()
    {
        Formats = ["img", "vmdk"],
        Installer = new InstallerSpec { Iso = "https://example.org/edge.iso" },
        Seed = new SeedSpec
        {
            UserData = ["user-data.yaml"],
            Ssh = new SshSpec { User = "edge", Password = new Secret(Password) },
            Palette = new PaletteSpec { Endpoint = "palette.example.com", EdgeHostToken = new Secret("Z9-token-of-the-edge") },
        },
    };

    public static readonly BuildStory Built = new()
    {
        Name = "edge",
        Spec = Spec,
        Hidden = Hiding(Spec),
        SecretsCarried = ["stylus.site.edgeHostToken", "users[0].passwd"],
        Origin = InstallerSample.Iso,
        SeedFiles = [new("user-data", "user-data.yaml", 412, new('9', 64))],
        BuildKey = ManifestSample.Key,
        Started = Started,
        Seconds = 236.2,
        Stages =
        [
            new(Stage.Preflight, "this host", 0, 0.4, "tcg: KVM hangs"),
            new(Stage.Installer, "https://example.org/edge.iso", 0.4, 20.4, "edge.iso, 700.0 MiB"),
            new(Stage.Install, "edge.iso on a disk of 100.0 GiB", 20.8, 121.3, "860.1 MiB on the disk"),
            new(Stage.Disk, "discarding free space", 127.1, 15, "96.0 KiB less to ship"),
            new(Stage.Formats, "img, vmdk", 142.1, 20.1, "img 860.1 MiB, vmdk 269.8 MiB"),
            new(Stage.Verify, "'login:' on the serial port", 162.2, 74, "img is up after 72 s"),
        ],
        Warnings = [.. ManifestSample.Full.Warnings, "The installer says: the clock of this machine is in the past"],
        Install = Install(106.3, [0], "edge"),
        Manifest = ManifestSample.Full with { Install = Install(106.3, [0], "edge") },
        Host = new HostFacts { System = "Debian GNU/Linux 12 (bookworm)", Kernel = "6.1.0-31-amd64", Cpus = 2, Memory = 8L << 30 },
        SerialLogName = "edge.serial.log",
        ImagesFolder = "/home/edge/images",
    };

    /// <summary>Hides what a spec says and nobody should see.</summary>
    public static Redactor Hiding(BuildSpec spec)
    {
        var redactor = new Redactor();
        redactor.Hide(spec);
        return redactor;
    }

    public static readonly BuildStory Failed = Built with
    {
        Name = "vendor-8.4-with-a-rather-long-name",
        Manifest = null,
        Seconds = 158.4,
        Install = Install(137, [0, 41.5, 88.2], "vendor"),
        Stages = [.. Built.Stages.Take(2), new(Stage.Install, "edge.iso on a disk of 100.0 GiB", 20.8, 137.6, null)],
        Failure = new CrustException(FailureKind.GuestFailed, "the installer edge.iso ended in a kernel panic: Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)",
            "serial log: /home/edge/images/edge.serial.log; the failed disk is kept as /home/edge/.cache/crust/failed/aaaaaaaaaaaaaaaa.raw",
            "read the lines before the panic in the serial log; more machine.memory or another machine.firmware often helps")
        {
            Detail = string.Join('\n', Enumerable.Range(0, 12).Select(i => $"[    1.{i:00}4518] CPU: 0 PID: 1 Comm: swapper/0 Not tainted 6.1.0-31-amd64 #1  Debian 6.1.128-1"))
                + "\n[    1.134518] ---[ end Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0) ]---",
        },
    };

    public static SerialExcerpt Serial { get; } = new(
        string.Join('\n', Enumerable.Range(0, 400).Select(i => $"[{i * 0.31,12:0.000000}] systemd[1]: Started unit-{i}.service - The unit number {i} of this system.")) + "\nedge login: ", 0, "", 31_902);

    public static ImmutableArray<EmbeddedScreen> Screens { get; } =
    [
        .. Enumerable.Range(0, 14).Select(i => new EmbeddedScreen(i * 8.1, SamplePng.Of(4 + (i * 3 % 20), i < 4 ? 0x1f6f8b : 0x8b3a1f), 720, 400)),
    ];

    public static string Render(BuildStory story) => ReportPage.Render(story, Serial, Screens, story.Failure is null ? null : Screens[^1]);

    // Unpacking, a pause, the boot menu: what a real install's disk and processors look like.
    private static InstallFacts Install(double seconds, ImmutableArray<double> boots, string name)
    {
        var random = new Random(3);
        var (written, cpu) = (0.0, 0.0);
        var samples = new List<TraceSample> { new(0, 0, 0) };
        for (var at = 0.5; at < seconds; at += 0.5)
        {
            var busy = (at % 40) switch { < 8 => 0.02, < 29 => 1, < 31 => 0.1, _ => 0.45 };
            written += busy * random.Next(4 << 20, 22 << 20) / 2;
            cpu += (0.6 + (busy * random.NextDouble() * 1.3)) / 2;
            samples.Add(new(at, (long)written, cpu));
        }

        return ManifestSample.Full.Install with
        {
            Seconds = seconds,
            QemuCpuSeconds = cpu,
            BytesWritten = (long)written,
            Resets = boots.Length - 1,
            TrimmedBytes = 98304,
            QemuVersion = "7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)",
            CommandLine = $"qemu-system-x86_64 -name crust-install -no-user-config -nodefaults -sandbox 'on,obsolete=deny' -machine q35 -cpu max -smp 2 -m 4096M -drive 'file=/home/edge/a folder/{name}.raw,format=raw,if=none,id=disk0,cache=unsafe' -device virtio-blk-pci,drive=disk0,bootindex=0",
            Trace = new InstallTrace { Samples = [.. samples], Boots = boots, Screens = [] },
        };
    }
}
