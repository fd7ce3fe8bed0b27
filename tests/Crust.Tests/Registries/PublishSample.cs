using System.Text.Json;
using Crust.Attestation;
using Crust.Formats;
using Crust.Images;
using Crust.Registries;
using Crust.Spec;
using Crust.Tests.Disks;
using Crust.Tests.Formats;
using Crust.Tests.Images;
using Crust.Tests.Installers;
using Crust.Tests.Reports;
using Crust.Tools;
using Crust.Verification;

namespace Crust.Tests.Registries;

/// <summary>A folder with finished images of one small disk, as a build leaves them, and a publisher of them.</summary>
internal sealed class PublishSample : IDisposable
{
    private readonly SampleImages _images = new();

    private PublishSample()
    {
    }

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    public string Folder => _images.Disk.Folder;

    public ImagesFolder Shelf { get; private set; } = null!;

    public EventList Events { get; } = new();

    public ToolBox Tools { get; set; } = SampleDisk.Tools;

    /// <summary>What is published where; formats are those that were made.</summary>
    public BuildSpec Spec { get; set; } = new();

    public static Task<PublishSample> MakeAsync(string registry, Arch arch = Arch.Amd64, params string[] formats) => MakeAsync(registry, arch, image => image, formats);

    /// <summary>The same with images that are changed once they are written.</summary>
    public static async Task<PublishSample> MakeAsync(string registry, Arch arch, Func<DraftImage, DraftImage> change, string[] formats)
    {
        var sample = new PublishSample();
        sample._images.Spec = new BuildSpec { Machine = new() { Arch = arch } };
        sample._images.Roots = SampleRoot.ForNetboot(sample._images.Disk.FileFor("root"));
        var written = await sample._images.WriteAsync(formats, new EventList());
        sample.Shelf = new ImagesFolder(Path.GetDirectoryName(Path.GetDirectoryName(written[0].Path))!);
        var facts = ManifestSample.Full with { BuildKey = new string(arch is Arch.Amd64 ? 'a' : 'b', 64), Images = [], Sbom = null, Provenance = null, Signature = null };
        facts = facts with { Machine = facts.Machine with { Arch = arch.LowerName() } };
        await sample.Shelf.PlaceAsync(facts, [.. written.Select(change).Select(image => new ProvenImage(image, new ManifestProof("bios", "login:", 1)))], _ => Task.FromResult(Attestations.None), Cancellation);
        sample.Spec = new BuildSpec
        {
            Machine = new() { Arch = arch },
            Formats = [.. formats],
            Publish = new() { Repository = $"{registry}/edge/images", Tag = "1.0", Tls = false, Retries = 0 },
        };
        return sample;
    }

    public BuildSpec With(Func<PublishSpec, PublishSpec> change) => Spec with { Publish = change(Spec.Publish) };

    public Task<PublishedImages> PublishAsync() => PublishAsync(Spec);

    public Task<PublishedImages> PublishAsync(BuildSpec spec) =>
        new Publisher(Tools, Shelf, _images.Disk.FileFor("cache"), Events, TimeProvider.System) { FirstWait = TimeSpan.FromMilliseconds(1) }
            .PublishAsync(spec, "edge", [], Cancellation);

    public async Task<CrustException> FailAsync(BuildSpec? spec = null) => (await Assert.CatchAsync<CrustException>(() => PublishAsync(spec ?? Spec)))!;

    public string FileFor(string name) => _images.Disk.FileFor(name);

    /// <summary>A manifest or an index in a registry without TLS and login.</summary>
    public static async Task<JsonElement> ReadAsync(string reference) =>
        JsonDocument.Parse(await SampleImages.RunAsync("skopeo", "--insecure-policy", "inspect", "--raw", "--tls-verify=false", $"docker://{reference}")).RootElement;

    /// <summary>The files of an artifact in such a registry, by their titles.</summary>
    public async Task<IReadOnlyDictionary<string, string>> PullAsync(string reference)
    {
        var folder = FileFor($"pulled-{Guid.NewGuid():N}");
        await SampleImages.RunAsync("skopeo", "--insecure-policy", "copy", "--preserve-digests", "--src-tls-verify=false", $"docker://{reference}", $"dir:{folder}");
        using var manifest = JsonDocument.Parse(await File.ReadAllBytesAsync(Path.Combine(folder, "manifest.json"), Cancellation));
        return manifest.RootElement.GetProperty("layers").EnumerateArray().ToDictionary(
            layer => layer.GetProperty("annotations").GetProperty("org.opencontainers.image.title").GetString()!,
            layer => Path.Combine(folder, layer.GetProperty("digest").GetString()!["sha256:".Length..]));
    }

    public void Dispose() => _images.Dispose();
}
