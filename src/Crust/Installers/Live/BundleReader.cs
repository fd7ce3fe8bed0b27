using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json;
using Crust.Spec;
using Crust.Storage;

namespace Crust.Installers.Live;

/// <summary>A part of a content bundle on a medium.</summary>
/// <param name="Name">Its name there: `NAME_part00`.</param>
/// <param name="Offset">Where it begins in the bundle, in bytes.</param>
/// <param name="Sha256">Its SHA-256 in hex.</param>
internal sealed record MediumPart(string Name, long Offset, long Size, string Sha256);

/// <summary>A content bundle: one file with container images or other content, in parts.</summary>
/// <param name="Name">Its name once it is joined.</param>
/// <param name="Sha256">The SHA-256 of all of it in hex.</param>
internal sealed record MediumBundle(string Name, long Size, string Sha256, ImmutableArray<MediumPart> Parts);

/// <summary>What lies beside the parts on a medium, `content.json`.</summary>
internal sealed record MediumManifest(int Version, ImmutableArray<MediumBundle> Bundles)
{
    /// <summary>The same for `sha256sum -c`, relative to the folder above the parts'.</summary>
    public string ToSums(string folder) => string.Concat(Bundles.SelectMany(bundle => bundle.Parts).Select(part => $"{part.Sha256}  {folder}/{part.Name}\n"));
}

/// <summary>Reads content bundles for a medium. What was read is remembered by the file's identity: one that hasn't changed isn't read again.</summary>
/// <param name="observer">Hears how far it is.</param>
internal sealed class BundleReader(string cacheFolder, IBuildObserver observer)
{
    private const int Buffer = 1 << 20;
    private const int MostParts = 100;
    private const long ReportEvery = 256 << 20;

    private static readonly string[] Extensions = [".zst", ".tar"];

    /// <summary>A part's bytes, as CanvOS splits (`split -b 3000000000`).</summary>
    internal long PartSize { get; init; } = 3_000_000_000;

    /// <exception cref="CrustException">A bundle isn't there or can't be read, or its name can't be used.</exception>
    public async Task<MediumManifest> ReadAsync(MediumSpec medium, Func<string, string> whereIs, CancellationToken cancellation)
    {
        var bundles = ImmutableArray.CreateBuilder<MediumBundle>();
        foreach (var path in medium.Content)
        {
            CheckName(path, bundles, whereIs("medium.content"));
            bundles.Add(await ReadAsync(path, cancellation));
        }

        return new MediumManifest(1, bundles.ToImmutable());
    }

    /// <summary>The same of what was read before; null where something has to be read.</summary>
    public MediumManifest? Recall(MediumSpec medium)
    {
        var bundles = medium.Content.Select(path => File.Exists(path) ? Recall(MemoryOf(path, FileIdentity.Of(path))) : null).ToList();
        return bundles.Contains(null) ? null : new MediumManifest(1, [.. bundles.OfType<MediumBundle>()]);
    }

    private static void CheckName(string path, IEnumerable<MediumBundle> before, string where)
    {
        var name = Path.GetFileName(path);
        if (!Extensions.Any(extension => name.EndsWith(extension, StringComparison.Ordinal)))
        {
            throw new CrustException(FailureKind.BadInput, $"'{name}' is no content bundle by its name, which ends with {Nearest.Or(Extensions)}", where,
                "pack it: tar -c FOLDER | zstd -o NAME.tar.zst");
        }

        if (name.Length > 90 || name.Any(c => !char.IsAsciiLetterOrDigit(c) && !"._+-".Contains(c)))
        {
            throw new CrustException(FailureKind.BadInput, $"'{name}' can't be a bundle's name on a medium", where,
                "use letters, digits, '.', '_', '+' and '-', at most 90 of them");
        }

        if (before.Any(bundle => bundle.Name.Equals(name, StringComparison.OrdinalIgnoreCase)))
        {
            throw new CrustException(FailureKind.BadInput, $"Two content bundles have the name '{name}'", where, "rename one of them");
        }
    }

    private async Task<MediumBundle> ReadAsync(string path, CancellationToken cancellation)
    {
        await using var file = UserFile.Open(path, path, "content");
        if (file.Length > PartSize * MostParts)
        {
            throw new CrustException(FailureKind.BadInput, $"The content bundle is larger than {MostParts} parts of {Size.Format(PartSize)}", path,
                "split what is in it into several bundles");
        }

        try
        {
            var before = FileIdentity.Of(path);
            var memory = MemoryOf(path, before);
            if (Recall(memory) is { } known)
            {
                return known;
            }

            var bundle = await SplitAsync(path, file, cancellation);
            if (FileIdentity.Of(path) != before)
            {
                throw new CrustException(FailureKind.InputOutput, "The content bundle changed while it was read", path, "wait until it is complete, and start again");
            }

            PrivateFolder.Create(Path.GetDirectoryName(memory)!);
            WholeFile.Replace(memory, JsonSerializer.Serialize(new MediumManifest(1, [bundle]), LiveJson.Default.MediumManifest));
            return bundle;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CrustException(FailureKind.InputOutput, $"The content bundle can't be read: {e.Message}", path,
                "check the drive that it is on, and that this user may read it", e);
        }
    }

    private async Task<MediumBundle> SplitAsync(string path, FileStream file, CancellationToken cancellation)
    {
        var name = Path.GetFileName(path);
        using var whole = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var part = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var parts = ImmutableArray.CreateBuilder<MediumPart>();
        var buffer = new byte[Buffer];
        long done = 0, start = 0, reported = 0;
        while (true)
        {
            var read = await file.ReadAsync(buffer.AsMemory(0, (int)Math.Min(Buffer, start + PartSize - done)), cancellation);
            whole.AppendData(buffer, 0, read);
            part.AppendData(buffer, 0, read);
            done += read;
            // An empty bundle has a part, too.
            if (done == start + PartSize || (read == 0 && (done > start || parts.Count == 0)))
            {
                parts.Add(new MediumPart($"{name}_part{parts.Count:00}", start, done - start, Convert.ToHexStringLower(part.GetHashAndReset())));
                start = done;
            }

            if (read == 0)
            {
                return new MediumBundle(name, done, Convert.ToHexStringLower(whole.GetHashAndReset()), parts.ToImmutable());
            }

            if (done - reported >= ReportEvery)
            {
                reported = done;
                observer.Observe(new BuildEvent.Progressed(Stage.Installer, null, null,
                    $"computing the checksums of {name}: {Size.Format(done)} of {Size.Format(file.Length)}"));
            }
        }
    }

    private string MemoryOf(string path, FileIdentity identity) =>
        Path.Combine(cacheFolder, "checksums", Checksum.OfText($"content parts of {PartSize}\n{Path.GetFullPath(path)}\n{identity}"));

    private static MediumBundle? Recall(string memory)
    {
        try
        {
            return File.Exists(memory) && JsonSerializer.Deserialize(File.ReadAllText(memory), LiveJson.Default.MediumManifest) is { Bundles: [var bundle] }
                ? bundle : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
