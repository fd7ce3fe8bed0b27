using System.Collections.Immutable;
using System.Security.Cryptography;
using Crust.Cache;
using Crust.Disks;
using Crust.Formats;
using Crust.Reports;
using Crust.Verification;

namespace Crust;

/// <summary>The folder of finished images: which of them are current, and how new ones get their final names.</summary>
public sealed class ImagesFolder(string folder)
{
    /// <summary>The folder.</summary>
    public string Path => folder;

    /// <summary>The path of a name's manifest.</summary>
    public string ManifestPath(string name) => System.IO.Path.Combine(folder, $"{name}.manifest.json");

    /// <summary>The path of a name's log.</summary>
    public string LogPath(string name) => System.IO.Path.Combine(folder, $"{name}.log");

    /// <summary>What the paths of all of a name's files begin with.</summary>
    public string PrefixOf(string name) => System.IO.Path.Combine(folder, name);

    /// <summary>The path of a name's report.</summary>
    public string ReportPath(string name) => PrefixOf(name) + ".report.html";

    /// <summary>The path of an image.</summary>
    public string ImagePath(ManifestImage image) => ImagePath(image.File);

    /// <summary>The path of the image with that file name.</summary>
    public string ImagePath(string file) => System.IO.Path.Combine(folder, file);

    /// <summary>The paths of a manifest's images in the given formats.</summary>
    public ImmutableArray<string> PathsOf(Manifest manifest, IEnumerable<string> formats) =>
        [.. formats.SelectMany(format => manifest.Images.Where(image => image.Format == format)).Select(ImagePath)];

    /// <summary>A fresh folder for images that aren't finished.</summary>
    /// <exception cref="CrustException">The images folder can't be written.</exception>
    public DraftFolder CreateDrafts() => DraftFolder.Create(folder);

    /// <summary>A name's manifest, or null if there is none that can be read.</summary>
    public Manifest? LoadManifest(string name) => Manifest.TryLoad(ManifestPath(name));

    /// <summary>The images of that name that are as their manifest says: untouched since.</summary>
    public ImmutableArray<ManifestImage> FindIntact(string name) =>
        LoadManifest(name) is { } manifest ? [.. manifest.Images.Where(IsIntact)] : [];

    /// <summary>
    /// Gives images their final names and writes manifest, checksums and logs. Each file appears whole; those of other
    /// formats and names stay as they are.
    /// </summary>
    /// <returns>The manifest as it was written.</returns>
    /// <exception cref="CrustException">The folder can't be written.</exception>
    public async Task<Manifest> PublishAsync(Manifest manifest, IReadOnlyCollection<ProvenImage> images, CancellationToken cancellation)
    {
        try
        {
            using var held = await FileLock.AcquireAsync(System.IO.Path.Combine(folder, ".lock"), null, cancellation);
            var fresh = images.Select(image => Move(manifest.Name, manifest.BuildKey, image)).ToList();
            var kept = FindIntact(manifest.Name).Where(old => fresh.All(image => image.File != old.File));
            // An image proven again, without being written again, comes with the manifest.
            var proven = manifest.Images.Where(image => fresh.All(other => other.File != image.File)).ToList();
            manifest = manifest with
            {
                Images = [.. fresh.Concat(proven).Concat(kept.Where(old => proven.All(image => image.File != old.File))).OrderBy(image => image.File, StringComparer.Ordinal)],
            };
            WriteWhole(ManifestPath(manifest.Name), manifest.ToJson());
            // Also of those that stay: somebody may have removed the checksums.
            UpdateChecksums(manifest.Images);
            return manifest;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CrustException(FailureKind.InputOutput, $"The images couldn't get their final names: {e.Message}", folder,
                "free space in the images folder and make it writable; the installed disk is cached, so nothing is installed again", e);
        }
    }

    private ManifestImage Move(string name, string buildKey, ProvenImage image)
    {
        var file = name + image.Draft.Format.Extension;
        var path = System.IO.Path.Combine(folder, file);
        // rename(2) does nothing where both names are links to one file, as an img and its cached disk may be.
        File.Move(image.Draft.Path, path, overwrite: true);
        var blockMap = image.Draft.BlockMap is { } map ? MoveBlockMap(map, path) : null;
        return new ManifestImage
        {
            Format = image.Draft.Format.Name,
            File = file,
            Size = image.Draft.Size,
            Sha256 = image.Draft.Sha256,
            BlockMap = blockMap,
            BuildKey = buildKey,
            Recipe = image.Draft.Recipe,
            Modified = File.GetLastWriteTimeUtc(path),
            Verified = image.Proof is { } proof ? ManifestProof.Of(proof) : null,
        };
    }

    private static ManifestFile MoveBlockMap(string draft, string image)
    {
        var path = image + BmapFile.Extension;
        File.Move(draft, path, overwrite: true);
        var bytes = File.ReadAllBytes(path);
        return new ManifestFile(System.IO.Path.GetFileName(path), bytes.Length, Convert.ToHexStringLower(SHA256.HashData(bytes)));
    }

    private bool IsIntact(ManifestImage image)
    {
        var file = new FileInfo(ImagePath(image));
        return file.Exists && file.Length == image.Size && file.LastWriteTimeUtc == image.Modified.UtcDateTime
            && (image.BlockMap is null || File.Exists(System.IO.Path.Combine(folder, image.BlockMap.File)));
    }

    private void UpdateChecksums(IReadOnlyCollection<ManifestImage> images)
    {
        var path = System.IO.Path.Combine(folder, ChecksumFile.Name);
        var existing = File.Exists(path) ? File.ReadAllText(path) : "";
        var sums = images.ToDictionary(image => image.File, image => image.Sha256);
        foreach (var map in images.Select(image => image.BlockMap).OfType<ManifestFile>())
        {
            sums.Add(map.File, map.Sha256);
        }

        WriteWhole(path, ChecksumFile.Update(existing, sums, file => File.Exists(System.IO.Path.Combine(folder, file))));
    }

    private static void WriteWhole(string path, string text)
    {
        var temporary = $"{path}.{Environment.ProcessId}.partial";
        File.WriteAllText(temporary, text);
        File.Move(temporary, path, overwrite: true);
    }
}
