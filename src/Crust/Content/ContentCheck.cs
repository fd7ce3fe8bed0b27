using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using Crust.Sanitizing;
using Crust.Spec;
using Crust.Storage;

namespace Crust.Content;

/// <summary>Something that is wrong with a bundle.</summary>
/// <param name="File">The file's name in the folder.</param>
internal sealed record ContentFinding(string File, string What, string Remedy);

/// <summary>A bundle that was looked at.</summary>
internal sealed record CheckedBundle(ContentManifest Manifest, ImmutableArray<ContentFinding> Findings);

/// <summary>Checks folders of parts, as an installer has to before it writes any of them: all are there, and each byte is what the manifest says. Reads each part once, in pieces.</summary>
internal sealed class ContentCheck(IBuildObserver observer)
{
    private const int Piece = 1 << 20;
    private const int LongestManifest = 64 << 20;
    private const string CopyAgain = "copy the file again from where the bundle was made";

    /// <exception cref="CrustException">The folder has no bundle, or can't be read.</exception>
    public ImmutableArray<CheckedBundle> Check(string folder, CancellationToken cancellation)
    {
        if (!Directory.Exists(folder))
        {
            throw new CrustException(FailureKind.BadInput, "There is no such folder", folder, "name the folder with the parts of a bundle");
        }

        try
        {
            ImmutableArray<string> names = [.. Directory.EnumerateFiles(folder).Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal)];
            var manifests = names.Where(name => name.EndsWith(ContentManifest.Extension, StringComparison.Ordinal)).ToList();
            return manifests.Count > 0 ? [.. manifests.Select(name => CheckOne(folder, name, names, cancellation))]
                : throw new CrustException(FailureKind.BadInput, names.Any(name => name.Contains(PartNames.BundleExtension, StringComparison.Ordinal))
                    ? "There are parts and no manifest, so that nobody can say whether they are whole" : "There is no bundle in the folder", folder,
                    $"put the file that ends in {ContentManifest.Extension} beside the parts, as crust content has written it");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CrustException(FailureKind.InputOutput, $"The bundle can't be read: {e.Message}", folder,
                "give this user the right to read it, and check the drive that it is on", e);
        }
    }

    private CheckedBundle CheckOne(string folder, string name, ImmutableArray<string> names, CancellationToken cancellation)
    {
        var manifest = Read(Path.Combine(folder, name));
        var findings = ImmutableArray.CreateBuilder<ContentFinding>();
        using var whole = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long done = 0;
        foreach (var part in manifest.Parts)
        {
            if (!names.Contains(part.File))
            {
                findings.Add(new ContentFinding(part.File, "The part isn't there", CopyAgain));
                continue;
            }

            var path = Path.Combine(folder, part.File);
            using var file = RegularFile.Open(path, "part", CopyAgain);
            if (RandomAccess.GetLength(file) is var length && length != part.Size)
            {
                findings.Add(new ContentFinding(part.File, string.Create(CultureInfo.InvariantCulture, $"The part has {length} bytes, and {part.Size} are expected"), CopyAgain));
                continue;
            }

            using var own = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            var buffer = new byte[Piece];
            for (long at = 0; at < part.Size;)
            {
                cancellation.ThrowIfCancellationRequested();
                var read = file.ReadUpTo(buffer, at);
                if (read == 0)
                {
                    break;
                }

                own.AppendData(buffer, 0, read);
                whole.AppendData(buffer, 0, read);
                (at, done) = (at + read, done + read);
                observer.Observe(new BuildEvent.Progressed(Stage.Content, null, (double)done / manifest.Size, $"checking {CleanText.Line(part.File, 80)}"));
            }

            if (Convert.ToHexStringLower(own.GetCurrentHash()) is var actual && actual != part.Sha256)
            {
                findings.Add(new ContentFinding(part.File, $"The part is damaged: it has the SHA-256 {actual}, and {part.Sha256} is expected", CopyAgain));
            }
        }

        if (findings.Count == 0 && Convert.ToHexStringLower(whole.GetCurrentHash()) != manifest.Sha256)
        {
            findings.Add(new ContentFinding(name, "The parts are in another order than they were written in", "get the manifest again from where the bundle was made"));
        }

        foreach (var stray in names.Where(file => PartNames.IsOf(manifest.Name, file) && !manifest.Parts.Any(part => part.File == file)))
        {
            findings.Add(new ContentFinding(stray, "The part belongs to another bundle of this name, and would be joined with the others", "remove it"));
        }

        return new CheckedBundle(manifest, findings.ToImmutable());
    }

    private static ContentManifest Read(string path)
    {
        try
        {
            return ContentManifest.Parse(UserFile.ReadSmall(path, path, "manifest", LongestManifest, "get it again from where the bundle was made"));
        }
        catch (InvalidDataException e)
        {
            throw new CrustException(FailureKind.BadInput, $"The manifest can't be used: {e.Message}", path, "get it again from where the bundle was made", e);
        }
    }
}
