using System.Text.Json;
using Crust.Bases;
using Crust.Oci;
using Crust.Spec;
using Crust.Storage;
using Crust.Tools;

namespace Crust.Registries;

/// <summary>Pulls images that builds start from into this machine's cache, as OCI archives.</summary>
/// <param name="tools">Needs skopeo.</param>
/// <param name="stage">The stage that its progress belongs to.</param>
/// <param name="observer">Hears which digest a tag stands for.</param>
internal sealed class RegistryImages(ToolBox tools, BuildCache cache, Stage stage, IBuildObserver observer, TimeProvider time) : IRegistryImages
{
    private const string Kind = "oci";
    private const string ArchiveName = "image.tar";

    /// <summary>The wait before something that failed is tried again for the first time.</summary>
    internal TimeSpan FirstWait { get; init; } = TimeSpan.FromSeconds(2);

    public PulledImage? Find(RegistryReference image, Arch arch) =>
        image.Sha256 is { } digest && cache.Find(Kind, KeyOf(digest, arch)) is { } folder ? new PulledImage(Path.Combine(folder, ArchiveName), digest) : null;

    public async Task<PulledImage> PullAsync(RegistryReference image, Arch arch, PublishSpec how, CancellationToken cancellation)
    {
        if (Find(image, arch) is { } here)
        {
            return here;
        }

        tools.Require(Skopeo.Program);
        using var scratch = new ScratchFolder(cache.Root);
        var registry = new Registry(new Skopeo(tools, how, scratch.Path, time), how, FirstWait, observer, time);
        var document = await registry.ReadAsync(image, cancellation)
            ?? throw new RegistryException(RegistryFault.Missing, $"The registry {image.Registry} doesn't have {image}", image.ToString(), "check the name, and that the image was pushed");
        if (image.Sha256 is { } wanted && wanted != document.Sha256)
        {
            throw new RegistryException(RegistryFault.Altered, $"The registry {image.Registry} gives other bytes than their digest says", image.ToString(), "don't use what is there: delete it, and push it again");
        }

        if (image.Sha256 is null)
        {
            observer.Observe(new BuildEvent.Noted($"{image} is {image.With(document.Digest)} now; name it so to build from the same image each time"));
        }

        using var entry = await cache.OpenAsync(Kind, KeyOf(document.Sha256, arch), _ => Progress("waiting for another build that pulls the image"), cancellation);
        if (entry.Found is not { } folder)
        {
            var manifest = image.With(ManifestOf(document, image, arch));
            await registry.PullArchiveAsync(manifest, Path.Combine(entry.Draft, ArchiveName), moved => Progress($"pulling {manifest.Repository}: {Size.Format(moved)}"), cancellation);
            folder = entry.Keep();
        }

        return new PulledImage(Path.Combine(folder, ArchiveName), document.Sha256);
    }

    // The digest of the image itself: its own, or one that the index has for the architecture.
    private static string ManifestOf(OciDocument document, RegistryReference image, Arch arch)
    {
        try
        {
            using var json = JsonDocument.Parse(document.Json);
            return OciIndex.Is(json.RootElement) ? OciIndex.Choose(json.RootElement, arch).Digest : document.Digest;
        }
        catch (Exception e) when (e is JsonException or InvalidDataException or InvalidOperationException or KeyNotFoundException)
        {
            throw new CrustException(FailureKind.BadInput, $"The registry has no image there that can be used: {(e is InvalidDataException ? e.Message : "its documents aren't those of an OCI image")}", image.ToString(),
                "name an image that has one for machine.arch", e);
        }
    }

    private static string KeyOf(string digest, Arch arch) => Checksum.OfText($"{digest} {arch.LowerName()}");

    private void Progress(string detail) => observer.Observe(new BuildEvent.Progressed(stage, null, null, detail));
}
