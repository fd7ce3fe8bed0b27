using System.Collections.Immutable;
using Crust.Attestation;
using Crust.Disks;
using Crust.Formats;
using Crust.Machines;
using Crust.Reports;
using Crust.Storage;
using Crust.Verification;

namespace Crust.Images;

/// <summary>The folder of finished images: which of them are current, and how new ones get their final names.</summary>
internal sealed class ImagesFolder(string folder)
{
    public string Path => folder;

    public string ManifestPath(string name) => System.IO.Path.Combine(folder, $"{name}.manifest.json");

    public string LogPath(string name) => System.IO.Path.Combine(folder, $"{name}.log");

    /// <summary>What the paths of all of a name's files begin with.</summary>
    public string PrefixOf(string name) => System.IO.Path.Combine(folder, name);

    public string ReportPath(string name) => PrefixOf(name) + ".report.html";

    public string ImagePath(ManifestImage image) => ImagePath(image.File);

    /// <summary>The path of the image with that file name.</summary>
    public string ImagePath(string file) => System.IO.Path.Combine(folder, file);

    /// <summary>The paths of a manifest's images in the given formats.</summary>
    public ImmutableArray<string> PathsOf(Manifest manifest, IEnumerable<string> formats) =>
        [.. formats.SelectMany(format => manifest.Images.Where(image => image.Format == format)).Select(ImagePath)];

    /// <summary>All paths under which a build may write files of that name.</summary>
    internal IEnumerable<string> PlacesOf(string name, IEnumerable<IImageFormat> formats)
    {
        var provenance = ImagePath(name + ImageCheck.Extension);
        string[] common = [ManifestPath(name), ReportPath(name), LogPath(name), PrefixOf(name) + LogFile.SerialLogExtension, PrefixOf(name) + LogFile.ScreenExtension,
            ImagePath(name + Attestor.SbomExtension), provenance, ImagePath(ChecksumFile.Name)];
        return common.Concat(Signer.PlacesFor(provenance)).Concat(formats.Select(format => PrefixOf(name) + format.Extension)
            .SelectMany(image => new[] { image, image + BmapFile.Extension, image + LogFile.SerialLogExtension, image + LogFile.ScreenExtension }));
    }

    /// <summary>Whether a file under one of these paths was made by Crust, perhaps written to since.</summary>
    /// <param name="path">The path of a file that is there.</param>
    /// <param name="name">The images' base name.</param>
    /// <param name="manifest">The name's manifest, if there is one that can be read.</param>
    internal bool IsOwn(string path, string name, Manifest? manifest)
    {
        var signed = OutputFile.IsSigned(path);
        if (signed is true)
        {
            return true;
        }

        var file = System.IO.Path.GetFileName(path);
        if (file == ChecksumFile.Name)
        {
            return ChecksumFile.FilesOf(File.ReadAllText(path)) is { } listed && listed.All(Manifests().SelectMany(other => ChecksumFile.SumsOf(other).Keys).ToHashSet().Contains);
        }

        // Its folder may have been copied, or be on a file system without extended attributes. Then the manifest has to know it: all that isn't an image comes with one.
        if (manifest is null || manifest.Name != name)
        {
            return signed is null && !IsImage(file);
        }

        return manifest.Images.FirstOrDefault(image => image.File == file) is { } image ? signed is null || new FileInfo(path).Length == image.Size : !IsImage(file);

        bool IsImage(string file) => ImageFormats.All.Any(format => file == name + format.Extension);
    }

    private IEnumerable<Manifest> Manifests() => Directory.EnumerateFiles(folder, "*.manifest.json").Select(Manifest.TryLoad).OfType<Manifest>();

    /// <summary>A fresh folder for images that aren't finished.</summary>
    /// <exception cref="CrustException">The images folder can't be written.</exception>
    public DraftFolder CreateDrafts() => DraftFolder.Create(folder);

    /// <summary>A name's manifest, or null if there is none that can be read.</summary>
    public Manifest? LoadManifest(string name) => Manifest.TryLoad(ManifestPath(name));

    /// <summary>The images of that name that are as their manifest says: untouched since.</summary>
    public ImmutableArray<ManifestImage> FindIntact(string name) =>
        LoadManifest(name) is { } manifest ? [.. manifest.Images.Where(IsIntact)] : [];

    /// <summary>Whether the list of packages that a name's manifest tells of is there and unchanged; also if it tells of none.</summary>
    public bool HasSbom(string name) => LoadManifest(name)?.Sbom is not { } sbom || IsIntact(sbom);

    /// <summary>Whether a file beside the images is as its manifest says.</summary>
    public bool IsIntact(ManifestFile file)
    {
        var path = ImagePath(file.File);
        return File.Exists(path) && new FileInfo(path).Length == file.Size && Attestor.FileOf(path).Sha256 == file.Sha256;
    }

    /// <summary>
    /// Prepares the move of images to their final names. Until it is finished nothing in the folder has changed, and no other build moves anything in it.
    /// </summary>
    /// <param name="manifest">All facts but those of the images, and what is written beside them.</param>
    /// <exception cref="CrustException">The folder can't be written.</exception>
    internal async Task<ImagePlacement> PrepareAsync(Manifest manifest, IReadOnlyCollection<ProvenImage> images, CancellationToken cancellation)
    {
        try
        {
            var drafts = CreateDrafts();
            FileLock? held = null;
            try
            {
                held = await FileLock.AcquireAsync(System.IO.Path.Combine(folder, ".lock"), null, cancellation);
                var fresh = images.Select(image => Describe(manifest, image)).ToList();
                var kept = FindIntact(manifest.Name).Where(old => fresh.All(image => image.File != old.File));
                // An image proven again, without being written again, comes with the manifest.
                var proven = manifest.Images.Where(image => fresh.All(other => other.File != image.File)).ToList();
                return new ImagePlacement(this, images, drafts, held)
                {
                    Manifest = manifest with
                    {
                        Images = [.. fresh.Concat(proven).Concat(kept.Where(old => proven.All(image => image.File != old.File))).OrderBy(image => image.File, StringComparer.Ordinal)],
                    },
                };
            }
            catch
            {
                held?.Dispose();
                drafts.Dispose();
                throw;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unplaced(e);
        }
    }

    /// <summary>
    /// Gives images, and what says where they come from, their final names and writes manifest and checksums. Each file appears whole; those of other formats and
    /// names stay as they are.
    /// </summary>
    /// <returns>The manifest as it was written.</returns>
    /// <exception cref="CrustException">The folder can't be written.</exception>
    internal Manifest Place(Manifest manifest, IReadOnlyCollection<ProvenImage> images, Attestations attestations, DraftFolder drafts)
    {
        try
        {
            foreach (var image in images)
            {
                Move(manifest.Name, image);
            }

            manifest = Place(manifest, attestations);
            OutputFile.Write(drafts.Path, ManifestPath(manifest.Name), manifest.ToJson());
            // Also of those that stay: somebody may have removed the checksums.
            UpdateChecksums(manifest, drafts.Path);
            return manifest;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unplaced(e);
        }
    }

    private CrustException Unplaced(Exception e) => new(FailureKind.InputOutput, $"The images couldn't get their final names: {e.Message}", folder,
        "free space in the images folder and make it writable; the installed disk is cached, so nothing is installed again", e);

    private static ManifestImage Describe(Manifest manifest, ProvenImage image) => new()
    {
        Format = image.Draft.Format.Name,
        File = manifest.Name + image.Draft.Format.Extension,
        Size = image.Draft.Size,
        Sha256 = image.Draft.Sha256,
        BlockMap = image.Draft.BlockMap is { } map ? Attestor.FileOf(map) with { File = manifest.Name + image.Draft.Format.Extension + BmapFile.Extension } : null,
        BuildKey = manifest.BuildKey,
        SecretsMark = manifest.SecretsMark,
        DiskContent = manifest.DiskContent,
        Recipe = image.Draft.Recipe,
        Library = image.Draft.Library,
        // Stays what it is when the file is renamed.
        Modified = File.GetLastWriteTimeUtc(image.Draft.Path),
        Verified = image.Proof ?? image.Draft.Reused?.Verified,
        Unproven = image.Unproven,
        ReusedFrom = image.Draft.Reused?.From,
    };

    private void Move(string name, ProvenImage image)
    {
        var path = ImagePath(name + image.Draft.Format.Extension);
        OutputFile.Place(image.Draft.Path, path);
        if (image.Draft.BlockMap is { } map)
        {
            OutputFile.Place(map, path + BmapFile.Extension);
        }
    }

    // What an earlier build has left, and this one hasn't made again, would be about other images.
    private Manifest Place(Manifest manifest, Attestations attestations)
    {
        foreach (var stale in Signer.PlacesFor(ImagePath(manifest.Name + ImageCheck.Extension))
            .Concat(manifest.Sbom is null && attestations.Sbom is null ? [ImagePath(manifest.Name + Attestor.SbomExtension)] : []))
        {
            File.Delete(stale);
        }

        var signature = attestations.Signature is { } made ? Move(made.Path) : null;
        return manifest with
        {
            Sbom = attestations.Sbom is { } sbom ? Move(sbom) : manifest.Sbom,
            Provenance = attestations.Provenance is { } provenance ? Move(provenance) : null,
            Signature = signature is null ? null : new(signature.File, signature.Size, signature.Sha256, attestations.Signature!.Key),
        };

        ManifestFile Move(string draft)
        {
            var path = ImagePath(System.IO.Path.GetFileName(draft));
            OutputFile.Place(draft, path);
            return Attestor.FileOf(path);
        }
    }

    private bool IsIntact(ManifestImage image)
    {
        var file = new FileInfo(ImagePath(image));
        return file.Exists && file.Length == image.Size && file.LastWriteTimeUtc == image.Modified.UtcDateTime
            && (image.BlockMap is null || File.Exists(System.IO.Path.Combine(folder, image.BlockMap.File)));
    }

    private void UpdateChecksums(Manifest manifest, string drafts)
    {
        var path = System.IO.Path.Combine(folder, ChecksumFile.Name);
        var existing = File.Exists(path) ? File.ReadAllText(path) : "";
        if (existing.Length > 0 && !IsOwn(path, manifest.Name, manifest))
        {
            // It was put there while this build ran.
            throw new IOException($"{path} isn't Crust's own");
        }

        OutputFile.Write(drafts, path, ChecksumFile.Update(existing, ChecksumFile.SumsOf(manifest), file => File.Exists(System.IO.Path.Combine(folder, file))));
    }
}
