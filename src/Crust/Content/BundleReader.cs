using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json;
using Crust.Spec;
using Crust.Storage;

namespace Crust.Content;

/// <summary>Reads bundles that others have packed, in parts. What was read is remembered by the file's identity: one that hasn't changed isn't read again.</summary>
/// <param name="observer">Hears how far it is.</param>
internal sealed class BundleReader(string cacheFolder, IBuildObserver observer)
{
    private const int Buffer = 1 << 20;
    private const int MostParts = 100;
    private const long ReportEvery = 256 << 20;

    private static readonly string[] Extensions = [".zst", ".tar"];

    /// <summary>A part's bytes, as CanvOS splits (`split -b 3000000000`).</summary>
    internal long PartSize { get; init; } = 3_000_000_000;

    /// <summary>A bundle in parts of at most <see cref="PartSize"/>; nothing of it is written.</summary>
    /// <exception cref="CrustException">It isn't there or can't be read.</exception>
    public async Task<SplitBundle> ReadAsync(string path, CancellationToken cancellation)
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
            if (RecallFrom(memory) is { } known)
            {
                return known;
            }

            var bundle = await SplitAsync(path, file, cancellation);
            if (FileIdentity.Of(path) != before)
            {
                throw new CrustException(FailureKind.InputOutput, "The content bundle changed while it was read", path, "wait until it is complete, and start again");
            }

            PrivateFolder.Create(Path.GetDirectoryName(memory)!);
            WholeFile.Replace(memory, JsonSerializer.Serialize(bundle, SplitBundleJson.Default.SplitBundle));
            return bundle;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CrustException(FailureKind.InputOutput, $"The content bundle can't be read: {e.Message}", path,
                "check the drive that it is on, and that this user may read it", e);
        }
    }

    /// <summary>The same of one that was read before; null where it has to be read.</summary>
    public SplitBundle? Recall(string path) => File.Exists(path) ? RecallFrom(MemoryOf(path, FileIdentity.Of(path))) : null;

    /// <exception cref="CrustException">A file's name can't be a bundle's on a medium.</exception>
    public static void CheckName(string path, string where)
    {
        var name = Path.GetFileName(path);
        if (!Extensions.Any(extension => name.EndsWith(extension, StringComparison.Ordinal)))
        {
            throw new CrustException(FailureKind.BadInput, $"'{name}' is no content bundle by its name, which ends with {Nearest.Or(Extensions)}; a content spec ends with .yaml", where,
                "pack it: tar -c FOLDER | zstd -o NAME.tar.zst; or list what is to be packed in a content spec");
        }

        if (name.Length > 90 || name.Any(c => !char.IsAsciiLetterOrDigit(c) && !"._+-".Contains(c)))
        {
            throw new CrustException(FailureKind.BadInput, $"'{name}' can't be a bundle's name on a medium", where,
                "use letters, digits, '.', '_', '+' and '-', at most 90 of them");
        }
    }

    private async Task<SplitBundle> SplitAsync(string path, FileStream file, CancellationToken cancellation)
    {
        var name = Path.GetFileName(path);
        using var whole = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var part = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var parts = ImmutableArray.CreateBuilder<BundlePart>();
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
                parts.Add(new BundlePart(PartNames.Part(name, parts.Count), start, done - start, Convert.ToHexStringLower(part.GetHashAndReset())));
                start = done;
            }

            if (read == 0)
            {
                return new SplitBundle(name, done, Convert.ToHexStringLower(whole.GetHashAndReset()), parts.ToImmutable());
            }

            if (done - reported >= ReportEvery)
            {
                reported = done;
                observer.Observe(new BuildEvent.Progressed(Stage.Content, null, null,
                    $"computing the checksums of {name}: {Size.Format(done)} of {Size.Format(file.Length)}"));
            }
        }
    }

    private string MemoryOf(string path, FileIdentity identity) =>
        Path.Combine(cacheFolder, "checksums", Checksum.OfText($"content parts of {PartSize}\n{Path.GetFullPath(path)}\n{identity}"));

    private static SplitBundle? RecallFrom(string memory)
    {
        try
        {
            return File.Exists(memory) ? JsonSerializer.Deserialize(File.ReadAllText(memory), SplitBundleJson.Default.SplitBundle) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
