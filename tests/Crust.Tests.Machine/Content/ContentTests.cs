using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Crust.Attestation;
using Crust.Content;
using Crust.Spec;
using Crust.Storage;
using Crust.Tests.Registries;

namespace Crust.Tests.Machine.Content;

/// <summary>The whole program packs images of a real registry, killed and not, within bounds.</summary>
[Parallelizable(ParallelScope.Self)]
[CancelAfter(600_000)]
public sealed class ContentTests
{
    private const int LayerLength = 200 << 20;

    // In KiB.
    private const int MostMemory = 300 << 10;

    private readonly CrustProcess _crust = new();

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [OneTimeTearDown]
    public void TearDown() => _crust.Dispose();

    [Test]
    public async Task A_bundle_that_was_killed_while_it_was_pulled_and_packed_becomes_the_same_as_one_that_was_not()
    {
        await using var registry = await LocalRegistry.StartAsync(Cancellation);
        var layers = Enumerable.Range(0, 2).Select(Layer).ToArray();
        var layout = OciSample.Write(Path.Combine(_crust.Folder, "layout"), (Arch.Amd64, layers));
        await Host.RunAsync("skopeo", ["--insecure-policy", "copy", "--all", "--preserve-digests", "--dest-tls-verify=false", $"oci:{layout}", $"docker://{registry.Host}/edge/app:1"], Cancellation);
        await File.WriteAllTextAsync(Path.Combine(_crust.Folder, "content.yaml"), $$"""
            version: 1
            images: ['{{registry.Host}}/edge/app:1']
            registries: [{ registry: '{{registry.Host}}', tls: false }]
            split: 100M

            """, Cancellation);

        await KillAsync(() => Directory.Exists(Path.Combine(_crust.Cache, "blobs", "sha256")));
        var content = Path.Combine(_crust.Folder, "content");
        await KillAsync(() => Directory.Exists(content) && Directory.EnumerateFiles(content, "*_part00", SearchOption.AllDirectories).Any());
        Assert.That(Directory.EnumerateFiles(content).Select(Path.GetFileName), Is.Empty, "nothing has its final name");

        var (result, peak) = await RunAsync("--json");
        Directory.Delete(_crust.Cache, recursive: true);
        var (whole, _) = await RunAsync("--json", "--output", "whole");
        var check = await _crust.RunAsync(Cancellation, "content", "check", "content", "whole");

        Assert.That((result.ExitCode, whole.ExitCode, check.ExitCode), Is.EqualTo((0, 0, 0)), result.Error + whole.Error + check.Error);
        Assert.That(JsonNode.Parse(result.Output)!["sha256"]!.GetValue<string>(), Is.EqualTo(JsonNode.Parse(whole.Output)!["sha256"]!.GetValue<string>()));
        Assert.That(Directory.EnumerateDirectories(content), Is.Empty, "what the killed ones left is gone");
        Assert.That(peak, Is.LessThanOrEqualTo(MostMemory), "KiB of memory");
    }

    [Test]
    public async Task A_bundle_that_does_not_fit_where_it_goes_is_refused_and_one_that_runs_out_of_space_leaves_nothing()
    {
        var (file, noise) = (Path.Combine(_crust.Folder, "full.yaml"), Path.Combine(_crust.Folder, "noise"));
        await File.WriteAllTextAsync(file, "version: 1\nfiles: [noise]\n", Cancellation);
        await File.WriteAllBytesAsync(noise, RandomNumberGenerator.GetBytes(20 << 20), Cancellation);
        using var small = await SmallFileSystem.MountAsync(Path.Combine(_crust.Folder, "small"), "8M", Cancellation);

        var refused = await _crust.RunAsync(Cancellation, "content", file, "--output", small.Path);
        // Another program may fill the file system meanwhile: as if it was empty when it was looked at.
        var folders = new Folders { Images = _crust.Folder, Cache = _crust.Cache, Runtime = _crust.Folder, Builder = Folders.BuilderBesideProgram };
        var builder = new ContentBuilder(
            new ImagePuller(Host.Tools, _crust.Cache, new NoObserver(), TimeProvider.System), new ContentAttestor(new Signer(Host.Tools, folders), TimeProvider.System),
            new ContentExtras(Host.Tools, new NoObserver()), _crust.Cache, new NoObserver(), TimeProvider.System)
        {
            Look = folder => FolderSpace.Of(folder) with { Free = 1L << 40 },
        };
        var broken = (await Assert.CatchAsync<CrustException>(() => builder.BuildAsync(new ContentRequest(ContentPlanReader.Read(file), small.Path, new SignSpec()), Cancellation)))!;

        Assert.That((refused.ExitCode, refused.Error.Contains("There is too little space for the bundle", StringComparison.Ordinal)), Is.EqualTo((3, true)), refused.Error);
        Assert.That((broken.Kind, broken.Where), Is.EqualTo((FailureKind.InputOutput, small.Path)), broken.Message);
        Assert.That(broken.What, Does.StartWith("The bundle can't be written: "));
        Assert.That(Directory.EnumerateFileSystemEntries(small.Path), Is.Empty);
    }

    [Test]
    [Category("Long")]
    public async Task Parts_of_the_usual_size_are_those_that_split_would_cut()
    {
        const long length = 3_100_000_000;
        await File.WriteAllTextAsync(Path.Combine(_crust.Folder, "large.yaml"), "version: 1\nfiles: [large]\n", Cancellation);
        await WriteNoiseAsync(Path.Combine(_crust.Folder, "large"), length);

        var (result, peak) = await RunAsync("large.yaml", "--json", "--output", "large-content");

        var folder = Path.Combine(_crust.Folder, "large-content");
        Assert.That(result.ExitCode, Is.Zero, result.Error);
        await TestContext.Out.WriteLineAsync($"peak: {peak} KiB");
        Assert.That(peak, Is.LessThanOrEqualTo(MostMemory), "KiB of memory");
        var sum = JsonNode.Parse(result.Output)!["sha256"]!.GetValue<string>();
        var joined = await Host.RunAsync("sh", ["-euc", $"""
            cd '{folder}'
            sha256sum -c --quiet large.sha256
            stat -c '%n %s' large.tar.zst_part*
            cat large.tar.zst_part* | sha256sum
            cat large.tar.zst_part* | split -b 3000000000 -d --filter='cmp - "$FILE" && echo "same $FILE"' - large.tar.zst_part
            cat large.tar.zst_part* | zstd -dcq | tar -xOf - files/large | cmp - ../large && echo whole
            """], Cancellation);
        Assert.That(joined, Does.StartWith("large.tar.zst_part00 3000000000\nlarge.tar.zst_part01 "));
        Assert.That(joined, Does.Contain($"{sum}  -\nsame large.tar.zst_part00\nsame large.tar.zst_part01\nwhole\n"));
    }

    // Frames know nothing of each other, so that what repeats only after a while doesn't become smaller.
    private static async Task WriteNoiseAsync(string path, long length)
    {
        var noise = RandomNumberGenerator.GetBytes(64 << 20);
        await using var file = File.Create(path);
        for (long left = length; left > 0; left -= noise.Length)
        {
            await file.WriteAsync(noise.AsMemory(0, (int)Math.Min(left, noise.Length)), Cancellation);
        }
    }

    private async Task KillAsync(Func<bool> isThere)
    {
        await using var run = _crust.Start("content", "--quiet");
        while (!isThere() && Directory.Exists($"/proc/{run.Id}"))
        {
            await Task.Delay(5, Cancellation);
        }

        run.Signal("KILL");
        await run.WaitAsync(Cancellation);
    }

    private async Task<(CrustResult Result, int Peak)> RunAsync(params string[] options)
    {
        await using var run = _crust.Start(["content", .. options]);
        var (ended, peak) = (run.WaitAsync(Cancellation), 0);
        while (!ended.IsCompleted)
        {
            peak = Math.Max(peak, PeakOf(run.Id));
            await Task.WhenAny(ended, Task.Delay(50, Cancellation));
        }

        return (await ended, peak);
    }

    // proc(5), VmHWM: the most that was resident, in KiB.
    private static int PeakOf(int process)
    {
        try
        {
            return File.ReadLines($"/proc/{process}/status").Where(line => line.StartsWith("VmHWM:", StringComparison.Ordinal))
                .Select(line => int.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1])).FirstOrDefault();
        }
        catch (IOException)
        {
            return 0;
        }
    }

    private string Layer(int number)
    {
        var path = Path.Combine(_crust.Folder, $"layer-{number}.tar");
        using var file = File.Create(path);
        for (var length = 0; length < LayerLength; length += 1 << 20)
        {
            file.Write(RandomNumberGenerator.GetBytes(1 << 20));
        }

        return path;
    }
}
