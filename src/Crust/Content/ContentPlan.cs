using System.Collections.Immutable;
using Crust.Spec;

namespace Crust.Content;

/// <summary>What a bundle is made of, as its file says it.</summary>
internal sealed record ContentPlan
{
    /// <summary>Where CanvOS cuts (`split -b 3000000000`): below what FAT holds in a file.</summary>
    public const long UsualSplit = 3_000_000_000;

    public const int UsualLevel = 3;

    /// <summary>The file's path, as the user gave it.</summary>
    public required string Path { get; init; }

    /// <summary>What the bundle's files are called.</summary>
    public required string Name { get; init; }

    /// <summary>The images, in the file's order.</summary>
    public ImmutableArray<ContentImage> Images { get; init; } = [];

    /// <summary>The files and folders, in the file's order.</summary>
    public ImmutableArray<ContentFile> Files { get; init; } = [];

    /// <summary>How registries are talked to, by their hosts' names.</summary>
    public ImmutableSortedDictionary<string, ContentRegistry> Registries { get; init; } = ImmutableSortedDictionary.Create<string, ContentRegistry>(StringComparer.Ordinal);

    /// <summary>The patience with registries, which is the same for all.</summary>
    public PublishSpec Patience { get; init; } = new();

    /// <summary>The most bytes of a part; null for one file, however large.</summary>
    public long? Split { get; init; } = UsualSplit;

    /// <summary>How hard zstd tries.</summary>
    public int Level { get; init; } = UsualLevel;

    /// <summary>How a registry is talked to.</summary>
    public PublishSpec ConnectionTo(string registry) => Registries.GetValueOrDefault(registry) is { } own
        ? Patience with { AuthFile = own.AuthFile, CertDir = own.CertDir, Tls = own.Tls }
        : Patience;

    /// <summary>Where an image is pulled from: where its entry says, from its registry's mirror, or from where its name says.</summary>
    public RegistryReference SourceOf(ContentImage image) => image.From is { } from ? from
        : Registries.GetValueOrDefault(image.Name.Registry) is { Mirror: { } mirror } ? image.Name with { Repository = mirror + image.Name.Repository[image.Name.Registry.Length..] }
        : image.Name;
}

/// <summary>A container image.</summary>
/// <param name="Name">Its name, by its digest where one was given.</param>
/// <param name="Tag">Its tag; null where only a digest was given.</param>
/// <param name="Archs">The architectures that are taken of it.</param>
/// <param name="From">Where it is pulled from, if that isn't where its name says; null if it is.</param>
/// <param name="Where">Where it stands in the file.</param>
internal sealed record ContentImage(RegistryReference Name, string? Tag, ImmutableArray<Arch> Archs, RegistryReference? From, string Where)
{
    /// <summary>The names under which the bundle has it, once its digest is known: by its tag, and by its digest.</summary>
    public IEnumerable<string> NamesAs(string digest) => (Tag is null ? Enumerable.Empty<string>() : [$"{Name.Repository}:{Tag}"]).Append(Name.With(digest).ToString());
}

/// <summary>A file, or a folder with all that is in it.</summary>
/// <param name="Path">Its absolute path on this host.</param>
/// <param name="To">Its path below `files/` in the bundle.</param>
/// <param name="Sha256">The SHA-256 that it must have, in lower-case hex; null for any.</param>
/// <param name="Where">Where it stands in the file.</param>
internal sealed record ContentFile(string Path, string To, string? Sha256, string Where);

/// <summary>How a registry is talked to.</summary>
/// <param name="AuthFile">The file with its login, as `skopeo login` writes it; null for the usual ones.</param>
/// <param name="CertDir">A folder with the certificate of its authority (`*.crt`) and a client's own; null for the host's.</param>
/// <param name="Tls">Whether it has to speak TLS with a certificate that is trusted.</param>
/// <param name="Mirror">A registry, perhaps with a path, that has the same repositories below it; null for none. Images keep their names.</param>
internal sealed record ContentRegistry(string? AuthFile, string? CertDir, bool Tls, string? Mirror);
