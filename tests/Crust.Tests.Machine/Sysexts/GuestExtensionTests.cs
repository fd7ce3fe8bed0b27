using Crust.Sysexts;
using Crust.Sysexts.Checks;
using Crust.Tests.Machine.Guests;

namespace Crust.Tests.Machine.Sysexts;

/// <summary>
/// Extensions in real systems: Debian 12's systemd (252) and Debian 13's (257) look at what Crust builds, merge it or refuse it, and run what is in it. Each guest boots once; the
/// tests read what it said.
/// </summary>
[CancelAfter(900_000)]
[Parallelizable(ParallelScope.Self)]
[StartsEarly(6)]
public sealed partial class GuestExtensionTests
{
    private const string Bookworm = "bookworm";
    private const string Trixie = "trixie";

    private static readonly Dictionary<string, int> Systemds = new() { [Bookworm] = 252, [Trixie] = 257 };

    private readonly CrustProcess _crust = new();
    private readonly Dictionary<string, string> _said = [];

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    /// <summary>What the guests have on their second disk.</summary>
    private string Disk => Path.Combine(_crust.Folder, "disk");

    [OneTimeSetUp]
    public async Task Boot()
    {
        _crust.ShareDearThings();
        await BuildStandInsAsync();
        await BuildCandidatesAsync();
        await BuildPackagesAsync();
        await Task.WhenAll(Systemds.Keys.Select(BootAsync));
    }

    [OneTimeTearDown]
    public void RemoveFiles() => _crust.Dispose();

    private async Task BootAsync(string suite)
    {
        var image = Path.Combine(_crust.Folder, suite + ".ext4");
        var folder = Directory.CreateDirectory(Path.Combine(_crust.Folder, suite)).FullName;
        foreach (var shared in Directory.EnumerateDirectories(Disk))
        {
            await Host.RunAsync("cp", ["-rl", shared, folder], Cancellation);
        }

        File.CreateSymbolicLink(Path.Combine(folder, "tools.raw"), $"packages/{(suite == Trixie ? Bookworm : Trixie)}/tools.raw");
        await Host.RunAsync("mke2fs", ["-q", "-F", "-t", "ext4", "-O", "^has_journal", "-d", folder, image, "400M"], Cancellation);
        var guest = await SystemdGuest.OfAsync(suite, Cancellation);
        var said = await guest.RunAsync([("/etc/verity.d/extensions.crt", await File.ReadAllBytesAsync(Certificate, Cancellation))], $"""
            systemd={Systemds[suite]}
            until [ -b /dev/vda ]; do sleep 0.2; done
            mkdir -p /ext /run/extensions
            mount -o ro /dev/vda /ext
            systemctl --version | head -n 1
            systemctl --no-pager --version | grep -q "^systemd $systemd "
            sed 's/^/os-release: /' /etc/os-release
            {StandInScript}
            {CandidateScript}
            {PackageScript}
            """, Cancellation, image);
        lock (_said)
        {
            _said[suite] = said;
        }

        await TestContext.Out.WriteLineAsync(said);
    }

    // The lines that begin with a word, without it.
    private IEnumerable<string> Said(string suite, string about) =>
        _said[suite].Split('\n').Where(line => line.StartsWith(about + ": ", StringComparison.Ordinal)).Select(line => line[(about.Length + 2)..]);

    private ReleaseFile HostOf(string suite) => ReleaseFile.Parse(string.Join('\n', Said(suite, "os-release")));

    private Task<Extension> ReadAsync(string path) => new SysextReader(Host.Tools).ReadAsync(path, Directory.CreateDirectory(Path.Combine(_crust.Folder, "scratch")).FullName, Cancellation);

    private async Task<string> CrustAsync(params string[] arguments)
    {
        var run = await _crust.RunAsync(Cancellation, arguments);
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        return run.Output;
    }
}
