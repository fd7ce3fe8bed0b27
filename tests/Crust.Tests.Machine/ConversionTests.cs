using System.Diagnostics;
using Crust.Formats;
using Crust.Tests.Machine.Guests;

namespace Crust.Tests.Machine;

/// <summary>What happens to images when their making ends in the middle.</summary>
[CancelAfter(900_000)]
[Parallelizable(ParallelScope.Self)]
public sealed class ConversionTests
{
    private const int MiB = 1 << 20;

    private CrustProcess _crust = null!;
    private string _iso = null!;

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    // The guest is no system, so that it has no root file system to be packed.
    private static IEnumerable<string> Formats => ImageFormats.All.Where(format => format.HoldsDisk).Select(format => format.Name);

    [OneTimeSetUp]
    public async Task Install()
    {
        _crust = new CrustProcess();
        _crust.ShareDearThings();
        _iso = await StubGuests.IsoAsync(StubGuest.Installs, _crust.Folder, CancellationToken.None);
        var build = await BuildAsync(["img"], CancellationToken.None);
        Assert.That(build.ExitCode, Is.Zero, build.Error);
        Clear(_crust.Images);
        await LargeDisk.FillAsync(_crust, 100 * MiB, CancellationToken.None);
    }

    [OneTimeTearDown]
    public void TearDown() => _crust.Dispose();

    [TestCase(3)]
    [TestCase(24, Category = "Long")]
    public async Task However_often_Crust_is_killed_no_image_is_ever_half_under_its_final_name_and_the_next_build_finishes(int kills)
    {
        // The iso takes the longest by far, and xorriso at its end would be all that is ever killed.
        string[] formats = [.. Formats.Except(["iso"])];
        Clear(_crust.Images);
        var clock = Stopwatch.StartNew();
        Assert.That((await BuildAsync(formats, Cancellation)).ExitCode, Is.Zero);
        var whole = clock.Elapsed;
        var images = _crust.Products.Where(file => file.StartsWith("installs.", StringComparison.Ordinal) && !file.EndsWith(".json", StringComparison.Ordinal)).ToList();
        Assert.That(images, Has.Count.EqualTo(formats.Length + 3), "each image, and the maps of three");
        var expected = await HashesAsync(images);

        var seed = Random.Shared.Next();
        TestContext.Out.WriteLine($"seed {seed}");
        var random = new Random(seed);
        for (var killed = 0; killed < kills;)
        {
            Clear(_crust.Images);
            clock.Restart();
            await using var running = Start(formats);
            await Task.Delay(random.NextDouble() * whole, Cancellation);
            running.Signal("KILL");
            var isKilled = (await running.WaitAsync(Cancellation)).ExitCode == 137;
            // One that was done before took less time than was thought: what else this host does decides that.
            (killed, whole) = isKilled ? (killed + 1, whole) : (killed, clock.Elapsed < whole ? clock.Elapsed : whole);

            Assert.That(await HashesAsync([.. _crust.ImageFiles.Intersect(images)]), Is.SubsetOf(expected), $"after kill {killed} of seed {seed}");
        }

        var last = await BuildAsync(formats, Cancellation);
        Assert.That(last.ExitCode, Is.Zero, last.Error);
        Assert.That(await HashesAsync(images), Is.EquivalentTo(expected));
        Assert.That(_crust.ImageFiles, Has.None.StartsWith("."), "what the killed ones left is gone");
    }

    [TestCaseSource(nameof(Formats))]
    public async Task A_file_system_that_becomes_full_under_an_image_is_told_with_what_is_missing_and_nothing_is_lost(string format)
    {
        var images = Path.Combine(_crust.Folder, "small");
        using var small = await SmallFileSystem.MountAsync(images, "30M", Cancellation);

        var result = await BuildAsync([format], Cancellation, "--output", images);

        Assert.That(result.ExitCode, Is.EqualTo(5), result.Error);
        Assert.That(result.Error, Does.Match($@"crust: The .* image couldn't be written: no space is left, and about \d+\.\d MiB more are needed"));
        Assert.That(result.Error, Does.Contain("the installed disk is cached, so nothing is installed again").And.Not.Contain("   at Crust."));
        Assert.That(Directory.EnumerateFileSystemEntries(images).Select(Path.GetFileName).Where(file => file != ".lock"), Is.SubsetOf(new[] { "installs.log", "installs.serial.log", "installs.report.html" }));
        Assert.That(result.Error, Does.Contain("from the cache; the installer wasn't booted"), "the disk was kept by the test before, and is still");
    }

    private async Task<Dictionary<string, string>> HashesAsync(List<string> files) => files.Count == 0 ? [] :
        (await Host.RunAsync("sha256sum", files.Select(_crust.Image), Cancellation))
        .Split('\n', StringSplitOptions.RemoveEmptyEntries).ToDictionary(line => Path.GetFileName(line[66..]), line => line[..64]);

    // Killed early, a build hasn't made it.
    private static void Clear(string folder)
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private RunningCrust Start(params string[] formats) => _crust.Start(Arguments(formats));

    private Task<CrustResult> BuildAsync(string[] formats, CancellationToken cancellation, params string[] more) =>
        _crust.RunAsync(cancellation, [.. Arguments(formats), .. more]);

    private string[] Arguments(string[] formats) => ["build", "--iso", _iso, "--disk-size", "256M", "--memory", "256M", "--format", string.Join(',', formats)];
}
