using System.Collections.Immutable;
using Crust.Content;
using Crust.Spec;

namespace Crust.Media;

/// <summary>The content on a medium: what is told of it there, and its files.</summary>
/// <param name="Files">Parts, and what says which they are.</param>
internal sealed record MediumContent(MediumManifest Manifest, ImmutableArray<MediumFile> Files)
{
    public static MediumContent None { get; } = new(new MediumManifest(1, []), []);
}

/// <summary>What lies beside the parts on a medium, `content.json`.</summary>
internal sealed record MediumManifest(int Version, ImmutableArray<SplitBundle> Bundles)
{
    /// <summary>The same for `sha256sum -c`, relative to the folder above the parts'.</summary>
    public string ToSums(string folder) => string.Concat(Bundles.SelectMany(bundle => bundle.Parts).Select(part => $"{part.Sha256}  {folder}/{part.Name}\n"));
}

/// <summary>Gets the content that a spec names: bundles as they are, and those that a content spec says how to pack.</summary>
/// <param name="bundles">Reads bundles.</param>
/// <param name="builder">Packs those of content specs; they are kept in the cache.</param>
internal sealed class MediumContents(BundleReader bundles, ContentBuilder builder, string cacheFolder)
{
    private const string Kind = "content-bundles";

    private static readonly ImmutableArray<string> Specs = [".yaml", ".yml"];

    /// <exception cref="CrustException">A bundle isn't there or can't be read or packed, or two have the same name.</exception>
    public async Task<MediumContent> GetAsync(BuildSpec spec, CancellationToken cancellation)
    {
        var (where, named, files) = (spec.WhereIs("medium.content"), new List<SplitBundle>(), new List<MediumFile>());
        foreach (var path in spec.Medium.Content)
        {
            if (IsSpec(path))
            {
                var (manifest, folder) = await PackAsync(path, cancellation);
                Add(SplitBundle.Of(manifest), part => new MediumFile($"{MediumPlan.ContentFolder}/{part.Name}", Path.Combine(folder, part.Name)) { Offset = 0, Length = part.Size });
                // As crust content --iso puts them there: what says whether a target has room reads them.
                files.AddRange(new[] { ContentManifest.Extension, ContentFolder.SumsExtension }.Select(extension => manifest.Name + extension)
                    .Select(name => new MediumFile($"{MediumPlan.ContentFolder}/{name}", Path.Combine(folder, name))));
            }
            else
            {
                BundleReader.CheckName(path, where);
                Add(await bundles.ReadAsync(path, cancellation), part => new MediumFile($"{MediumPlan.ContentFolder}/{part.Name}", path) { Offset = part.Offset, Length = part.Size });
            }
        }

        if (files.Any(file => file.InIso.EndsWith(ContentManifest.Extension, StringComparison.Ordinal)))
        {
            files.Add(new MediumFile("opt/spectrocloud/fits", Path.Combine(Storage.Folders.BuilderBesideProgram, "content", "fits")));
        }

        return new MediumContent(new MediumManifest(1, [.. named]), [.. files]);

        void Add(SplitBundle bundle, Func<BundlePart, MediumFile> file)
        {
            if (named.Any(other => other.Name.Equals(bundle.Name, StringComparison.OrdinalIgnoreCase)))
            {
                throw new CrustException(FailureKind.BadInput, $"Two content bundles have the name '{bundle.Name}'", where, "rename one of them");
            }

            named.Add(bundle);
            files.AddRange(bundle.Parts.Select(file));
        }
    }

    /// <summary>The same of what was read before; null where something has to be read, or a registry to be asked.</summary>
    public MediumContent? Recall(BuildSpec spec)
    {
        var known = spec.Medium.Content.Select(path => (path, Bundle: IsSpec(path) ? null : bundles.Recall(path))).ToList();
        return known.Any(one => one.Bundle is null) ? null : new MediumContent(new MediumManifest(1, [.. known.Select(one => one.Bundle!)]),
            [.. known.SelectMany(one => one.Bundle!.Parts.Select(part => new MediumFile($"{MediumPlan.ContentFolder}/{part.Name}", one.path) { Offset = part.Offset, Length = part.Size }))]);
    }

    private static bool IsSpec(string path) => Specs.Contains(Path.GetExtension(path));

    private async Task<(ContentManifest Manifest, string Folder)> PackAsync(string path, CancellationToken cancellation)
    {
        var plan = ContentPlanReader.Read(path);
        // Found again by its spec's place; whether it is of the same is for the builder to see.
        var folder = Path.Combine(cacheFolder, Kind, Storage.Checksum.OfText(path)[..16]);
        Directory.CreateDirectory(folder);
        var result = await builder.BuildAsync(new ContentRequest(plan, folder, new SignSpec()), cancellation);
        return (result.Manifest, folder);
    }
}
