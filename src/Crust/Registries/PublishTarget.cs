using Crust.Formats;
using Crust.Spec;

namespace Crust.Registries;

/// <summary>Where an image of one format and one architecture goes.</summary>
/// <param name="Index">The reference that the user gives on: an index over the architectures that are there.</param>
/// <param name="Image">The image's own: the same with `-amd64` or `-arm64` behind it.</param>
internal sealed record PublishTarget(IImageFormat Format, RegistryReference Index, RegistryReference Image)
{
    private const int KeyDigits = 12;

    /// <summary>Where an image goes as its spec says.</summary>
    /// <param name="name">The images' base name.</param>
    /// <param name="buildKey">The build key; null if it isn't known yet.</param>
    /// <exception cref="CrustException">The spec doesn't say where, or says it wrongly.</exception>
    public static PublishTarget Of(BuildSpec spec, IImageFormat format, string name, string? buildKey)
    {
        var (index, where) = IndexOf(spec, format, name, buildKey);
        RegistryReference.CheckTag(index.Tag, where);
        var own = TagOf(index.Tag, spec.Machine.Arch);
        RegistryReference.CheckTag(own, where);
        return new PublishTarget(format, index, index.With(own));
    }

    /// <summary>The repository of a format's images; null where the spec doesn't say it.</summary>
    /// <exception cref="CrustException">The spec says it wrongly.</exception>
    internal static string? RepositoryOf(BuildSpec spec, IImageFormat format) =>
        spec.Publish.Images.ContainsKey(format.Name) || spec.Publish.Repository is not null ? IndexOf(spec, format, "", null).Reference.Repository : null;

    /// <summary>The tag of an architecture's image beside the tag of the index.</summary>
    public static string TagOf(string tag, Arch arch) => $"{tag}-{arch.LowerName()}";

    private static (RegistryReference Reference, string Where) IndexOf(BuildSpec spec, IImageFormat format, string name, string? buildKey)
    {
        var tag = spec.Publish.Tag ?? DefaultTag(name, buildKey);
        var suffixed = format.Registry.HasTagAsGiven ? tag : $"{tag}-{format.Name}";
        if (spec.Publish.Images.GetValueOrDefault(format.Name) is { } reference)
        {
            var place = spec.WhereIs($"publish.images.{format.Name.Replace('.', '-')}");
            var (own, ownTag) = RegistryReference.Parse(reference, place, mayHaveTag: true);
            return (new RegistryReference(own, ownTag ?? suffixed), place);
        }

        if (spec.Publish.Repository is not { } given)
        {
            throw new CrustException(FailureKind.BadInput, $"Nothing says in which registry the {format.Name} image is to be published", "publish.repository",
                $"set publish.repository or REPO to registry/path{(format.Registry.ReferenceVariable is { } variable ? $", or {variable} to registry/path:tag" : "")}");
        }

        var (repository, _) = RegistryReference.Parse(given, spec.WhereIs("publish.repository"), mayHaveTag: false);
        return (new RegistryReference(repository, suffixed), spec.Publish.Tag is null ? "the default tag" : spec.WhereIs("publish.tag"));
    }

    /// <summary>A name or a version as a part of a tag: it may hold '+', a tag may not. Helm writes '_' in its place, too.</summary>
    public static string AsTag(string text) => text.Replace('+', '_');

    private static string DefaultTag(string name, string? buildKey) => $"{AsTag(name)}-{(buildKey is null ? "KEY" : buildKey[..KeyDigits])}";
}
