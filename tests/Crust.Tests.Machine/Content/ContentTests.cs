using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Crust.Spec;
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
        await KillAsync(() => Directory.Exists(Path.Combine(_crust.Folder, "content")) && Directory.EnumerateFiles(Path.Combine(_crust.Folder, "content"), "*_part00", SearchOption.AllDirectories).Any());
        Assert.That(Directory.EnumerateFiles(Path.Combine(_crust.Folder, "content")).Select(Path.GetFileName), Is.Empty, "nothing has its final name");

        var (result, peak) = await RunAsync("--json");
        Directory.Delete(_crust.Cache, recursive: true);
        var (whole, _) = await RunAsync("--json", "--output", "whole");
        var check = await _crust.RunAsync(Cancellation, "content", "check", "content", "whole");

        Assert.That((result.ExitCode, whole.ExitCode, check.ExitCode), Is.EqualTo((0, 0, 0)), result.Error + whole.Error + check.Error);
        Assert.That(JsonNode.Parse(result.Output)!["sha256"]!.GetValue<string>(), Is.EqualTo(JsonNode.Parse(whole.Output)!["sha256"]!.GetValue<string>()));
        Assert.That(Directory.EnumerateDirectories(Path.Combine(_crust.Folder, "content")), Is.Empty, "what the killed ones left is gone");
        Assert.That(peak, Is.LessThanOrEqualTo(MostMemory), "KiB of memory");
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
            return File.ReadLines($"/proc/{process}/status").Where(line => line.StartsWith("VmHWM:", StringComparison.Ordinal)).Select(line => int.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1])).FirstOrDefault();
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
