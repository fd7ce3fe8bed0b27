using System.Collections.Immutable;
using Crust.Attestation;
using Crust.Storage;

namespace Crust.Content;

/// <summary>The folder that a bundle goes to, with all that may be beside its parts.</summary>
internal sealed class ContentFolder(string folder, string name)
{
    public const string IsoExtension = ".iso";

    public const string DiskExtension = ".img";

    /// <summary>The checksums of the parts, as `sha256sum -c` takes them.</summary>
    public const string SumsExtension = ".sha256";

    private const string OfTheUser = "move it away, write name: with another name into the file, or choose another folder with --output";

    private string Manifest => Path.Combine(folder, name + ContentManifest.Extension);

    /// <summary>Refuses to write over what Crust didn't make, and over what is to be packed.</summary>
    /// <exception cref="CrustException">Something is in the way.</exception>
    public void CheckPlaces(ContentPlan plan)
    {
        foreach (var file in plan.Files.Where(file => Directory.Exists(file.Path) && IsBelow(folder, file.Path)))
        {
            throw new CrustException(FailureKind.BadInput, "The bundle would be written into a folder that is packed into it", $"{file.Where}: {file.Path}",
                $"choose a folder outside of it with --output; it is {folder} now");
        }

        foreach (var path in Existing())
        {
            if (plan.Files.FirstOrDefault(file => file.Path == path) is { } packed)
            {
                throw new CrustException(FailureKind.BadInput, "The bundle would be written over a file that is packed into it", $"{packed.Where}: {path}", OfTheUser);
            }

            if (OutputFile.IsSigned(path) is false)
            {
                throw new CrustException(FailureKind.BadInput, "There is a file in the bundle's place that Crust didn't make", path, OfTheUser);
            }
        }
    }

    /// <summary>The manifest of the bundle that is there, if it was made of the same and all of its files are what it says; null otherwise.</summary>
    public async Task<ContentManifest?> FindAsync(string key, CancellationToken cancellation)
    {
        try
        {
            if (!File.Exists(Manifest) || ContentManifest.Parse(await File.ReadAllBytesAsync(Manifest, cancellation)) is not { } there || there.Key != key)
            {
                return null;
            }

            foreach (var part in there.Parts)
            {
                var path = Path.Combine(folder, part.File);
                if (new FileInfo(path) is not { Exists: true } file || file.Length != part.Size || await Checksum.OfFileAsync(path, cancellation) != part.Sha256)
                {
                    return null;
                }
            }

            return ListNames().All(list => File.Exists(Path.Combine(folder, list))) && File.ReadAllText(Path.Combine(folder, name + SumsExtension)) == Sums(there) ? there : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            // It is written anew.
            return null;
        }
    }

    /// <summary>Whether the SBOM and the provenance are there, and a signature where one is wanted.</summary>
    public bool IsAttested(bool isSigned)
    {
        var (documents, signatures) = BuiltAttestor.NamesFor(name);
        return documents.All(IsThere) && (!isSigned || signatures.Any(IsThere));

        bool IsThere(string file) => File.Exists(Path.Combine(folder, file));
    }

    /// <summary>Writes the manifest and the checksums.</summary>
    /// <exception cref="IOException">They can't be written.</exception>
    public void WriteLists(ContentManifest manifest, string drafts)
    {
        File.WriteAllText(Path.Combine(drafts, name + ContentManifest.Extension), manifest.ToJson());
        File.WriteAllText(Path.Combine(drafts, name + SumsExtension), Sums(manifest));
    }

    /// <summary>What travels together: the parts, their checksums and the manifest.</summary>
    public ImmutableArray<string> PartsIn(string place, ContentManifest manifest) => [.. manifest.Parts.Select(part => part.File).Concat(ListNames()).Select(file => Path.Combine(place, file))];

    /// <summary>Gives what is ready its names; the manifest's last, so that it never names what isn't there. Parts of an earlier bundle of this name go.</summary>
    /// <param name="isNew">Whether the parts are new; else only what was made of them.</param>
    /// <exception cref="IOException">It can't be done.</exception>
    public async Task<ImmutableArray<ContentPart>> PlaceAsync(ContentManifest manifest, string drafts, bool isNew, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        var ready = Directory.EnumerateFiles(drafts).Select(path => Path.GetFileName(path)!)
            .Where(file => file.StartsWith(name + ".", StringComparison.Ordinal)).Order(StringComparer.Ordinal).ToList();
        if (isNew)
        {
            File.Delete(Manifest);
        }

        foreach (var path in Existing().Where(path => !ready.Contains(Path.GetFileName(path)) && (isNew || IsSignatureOf(ready, path))))
        {
            File.Delete(path);
        }

        var known = manifest.Parts.ToDictionary(part => part.File);
        var placed = ImmutableArray.CreateBuilder<ContentPart>();
        foreach (var file in ready.OrderBy(file => file == Path.GetFileName(Manifest)))
        {
            var draft = Path.Combine(drafts, file);
            placed.Add(known.GetValueOrDefault(file) ?? new ContentPart(file, new FileInfo(draft).Length, await Checksum.OfFileAsync(draft, cancellation)));
            OutputFile.Place(draft, Path.Combine(folder, file));
        }

        return isNew ? placed.ToImmutable() : [.. manifest.Parts, .. placed];
    }

    // One of a provenance that is replaced.
    private bool IsSignatureOf(List<string> ready, string path) =>
        BuiltAttestor.NamesFor(name) is var (documents, signatures) && signatures.Contains(Path.GetFileName(path)) && documents.Any(ready.Contains);

    private string[] ListNames() => [name + ContentManifest.Extension, name + SumsExtension];

    private static string Sums(ContentManifest manifest) => string.Concat(manifest.Parts.Select(part => $"{part.Sha256}  {part.File}\n"));

    private List<string> Existing() => Directory.Exists(folder)
        ? [.. Directory.EnumerateFiles(folder, name + ".*").Where(path => PartNames.IsOf(name, Path.GetFileName(path)) || OtherNames().Contains(Path.GetFileName(path)))]
        : [];

    private string[] OtherNames()
    {
        var (documents, signatures) = BuiltAttestor.NamesFor(name);
        return [.. ListNames(), .. documents, .. signatures, name + IsoExtension, name + DiskExtension, name + ContentExtras.PartitionExtension];
    }

    private static bool IsBelow(string path, string above) => path == above || path.StartsWith(above.TrimEnd('/') + "/", StringComparison.Ordinal);
}
