using System.Collections.Immutable;
using Crust.Oci;
using Crust.Spec;
using Crust.Storage;
using Crust.Sysexts;
using Crust.Tools;

namespace Crust.Registries;

/// <param name="Image">The version's own reference, an index over the architectures that are there.</param>
/// <param name="Digest">The index's.</param>
/// <param name="Pushed">Whether anything was pushed; else all of it was there.</param>
internal sealed record PublishedSysext(string Name, string Version, RegistryReference Image, string Digest, bool Pushed);

/// <summary>
/// Pushes system extensions as OCI artifacts: `REPOSITORY/NAME:VERSION` is an index over architectures, and each of its manifests has one layer, the extension's file under its own
/// name, as oras pulls it. What is there already isn't pushed again.
/// </summary>
/// <param name="cache">A folder for what is there for a while.</param>
internal sealed class SysextPublisher(ToolBox tools, string cache, IBuildObserver observer, TimeProvider time)
{
    /// <summary>What an extension is called that is an OCI artifact.</summary>
    public const string ArtifactType = "application/vnd.crust.sysext.v1";

    private const string LayerType = "application/vnd.crust.sysext.v1+raw";

    private static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(2);

    /// <param name="files">The extensions with their checksums, in a folder.</param>
    /// <param name="publish">The repository above theirs, and how to log in.</param>
    /// <exception cref="CrustException">Nothing says where to, a tag is taken by something else, or the registry refuses it.</exception>
    public async Task<ImmutableArray<PublishedSysext>> PublishAsync(string folder, ImmutableArray<(SysextFile File, string Sha256)> files, PublishSpec publish, CancellationToken cancellation)
    {
        var given = publish.Repository ?? throw new CrustException(FailureKind.BadInput, "Nothing says in which registry the extensions are to be published", "--repo",
            "set --repo or REPO to registry/path; each extension gets a repository of its own below it");
        var (repository, _) = RegistryReference.Parse(given, "--repo", mayHaveTag: false);
        tools.Require(Skopeo.Program);
        using var scratch = new ScratchFolder(cache);
        var registry = new Registry(new Skopeo(tools, publish, scratch.Path, time), publish, FirstWait, observer, time);
        var published = ImmutableArray.CreateBuilder<PublishedSysext>();
        foreach (var version in files.GroupBy(entry => (entry.File.Name, entry.File.Version)))
        {
            published.Add(await PublishAsync(registry, scratch.Path, folder, repository, [.. version], publish.Overwrite, cancellation));
        }

        return published.ToImmutable();
    }

    private static async Task<PublishedSysext> PublishAsync(
        Registry registry, string scratch, string folder, string repository, ImmutableArray<(SysextFile File, string Sha256)> files, bool overwrite, CancellationToken cancellation)
    {
        var (name, version) = (files[0].File.Name, files[0].File.Version);
        var index = new RegistryReference($"{repository}/{name}", PublishTarget.AsTag(version));
        RegistryReference.CheckTag(index.Tag, name);
        TagOwner.Check(index, await registry.ReadAsync(index, cancellation), name, overwrite);
        var pushed = false;
        foreach (var (file, sha256) in files)
        {
            var own = index.With(PublishTarget.TagOf(index.Tag, file.Arch));
            var artifact = ArtifactOf(scratch, Path.Combine(folder, file.FileName), file, sha256);
            var there = await registry.ReadAsync(own, cancellation);
            TagOwner.Check(own, there, name, overwrite);
            if (there?.Sha256 != artifact.Manifest.Sha256)
            {
                await registry.PushAsync(artifact.Source, own, artifact.Manifest, null, cancellation);
                pushed = true;
            }
        }

        var document = await new SharedIndex(registry).KeepArchitecturesAsync(index, name, cancellation);
        return new PublishedSysext(name, version, index, document.Digest, pushed);
    }

    private static Artifact ArtifactOf(string scratch, string path, SysextFile file, string sha256)
    {
        var layout = OciLayout.Create(scratch);
        var layer = Artifact.FileLayer(LayerType, file.FileName, sha256, new FileInfo(path).Length);
        layout.Add(layer, path);
        return Artifact.Of(layout, ArtifactType, [layer], Titled(file.Name).Add("org.opencontainers.image.version", file.Version), null);
    }

    private static ImmutableSortedDictionary<string, string> Titled(string name) => ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal).Add(OciManifest.Title, name);
}
