using System.Collections.Immutable;
using Crust.Appliance;
using Crust.Bases;
using Crust.Disks;
using Crust.Planning;
using Crust.Seeds;
using Crust.Seeds.Secrets;
using Crust.Spec;
using Crust.Storage;
using Crust.Trees;

namespace Crust.Embedding;

/// <summary>Collects a spec and all that it names in a folder, to be built into a container: `work/crust.yaml`, `work/files/…`, and the ISO or the base image in `iso/`.</summary>
internal sealed class Embedder(IReadOnlyCollection<SpecFormat> formats, SourceLibrary library)
{
    // What the file in the folder makes needless: its checksum is known then.
    private static readonly ImmutableHashSet<string> AboutSource = [.. new[] { "installer", "base" }
        .SelectMany(section => new[] { "iso", "build", "image", "rootfs", "oci", "debian.suite", "debian.packages", "debian.mirror", "sha256", "sha256Signature", "signature", "key", "allowUnverified" }.Select(name => $"{section}.{name}"))];

    /// <param name="folder">A folder that isn't there yet, or is empty; it is whole, or isn't there.</param>
    /// <param name="isoFolder">Where the ISO or the base image will lie when the spec is read, absolute.</param>
    /// <exception cref="CrustException">The spec is wrong, its installer can't be had, a file of its seed holds a secret and secrets aren't wanted, or the folder can't be written.</exception>
    public async Task<EmbeddedSpec> WriteAsync(SpecSources sources, string folder, string isoFolder, bool withSecrets, CancellationToken cancellation)
    {
        var reader = new SpecReader(formats);
        var spec = reader.Read(sources);
        var given = reader.Gather(sources);
        ImmutableArray<string> inFiles =
        [
            .. SeedFiles.ReadAsWritten(spec.Seed).Files.SelectMany(file => file.SecretNames.Select(name => $"{file.Path}: {name}")),
            .. SpecKeys.For(formats).Where(key => !key.IsSecret && key.SecretOf(spec) is null && !AboutSource.Contains(key.Path) && given.ContainsKey(key.Path))
                .SelectMany(key => SecretsIn(key.Path, given[key.Path])),
            .. spec.Layers.SelectMany(layer => layer.Paths).SelectMany(FilesIn).Where(RideAlong.HasSecrets).Select(file => $"{file}: a layer's file"),
        ];
        if (!withSecrets && !inFiles.IsEmpty)
        {
            throw new CrustException(FailureKind.BadInput, inFiles.Length == 1 ? "A file that would be embedded holds a secret" : $"Files that would be embedded hold {inFiles.Length} secrets",
                string.Join("; ", inFiles), "give what stands in a seed's file by a variable (seed.substitute: true and ${NAME}), and the rest when the container runs; or embed "
                    + "secrets, too (--secrets, EMBED_SECRETS=true), and guard the container as you guard them");
        }

        if (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any())
            throw new CrustException(FailureKind.BadInput, "The folder holds something already", folder, "empty it, or name another");

        var source = spec.IsReference ? null : await library.GetAsync(spec, cancellation);
        var draft = new EmbeddedDraft(spec, given, withSecrets, inFiles);
        foreach (var key in SpecKeys.For(formats).Where(key => draft.Given.ContainsKey(key.Path) && !AboutSource.Contains(key.Path)))
        {
            if (key.TakesMappings)
                draft.AddLayers();
            else
                draft.Add(key, IsPrivate(key, given[key.Path]));
        }

        if (source is not null)
        {
            draft.Say(KeyOf(source), Path.Combine(isoFolder, NameOf(source)));
        }

        HeldFolder? held = null;
        try
        {
            var parent = Path.GetDirectoryName(folder)!;
            Directory.CreateDirectory(parent);
            held = HeldFolder.Create(parent, ".crust-embed-");
            var partial = Path.Combine(held.Path, Path.GetFileName(folder));
            Directory.CreateDirectory(Path.Combine(partial, "iso"));
            if (source is not null)
                draft.Say($"{source.Kind}.sha256", await CopyAsync(source, Path.Combine(partial, "iso", NameOf(source)), cancellation));
            await draft.WriteToAsync(Path.Combine(partial, "work"), cancellation);
            if (Directory.Exists(folder))
                Directory.Delete(folder);
            WholeFile.PlaceFolder(partial, folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CrustException(FailureKind.HostLacks, $"The folder can't be written: {e.Message}", folder, "make it writable, or name another", e);
        }
        finally
        {
            held?.Dispose();
        }

        return new EmbeddedSpec(draft.Secrets, source?.Path);
    }

    private static string KeyOf(DiskOrigin source) => source switch
    {
        BaseImage { IsOci: true } => "base.oci",
        BaseImage { IsRoot: true } => "base.rootfs",
        BaseImage => "base.image",
        _ => "installer.iso",
    };

    // What was pulled, made of packages or is a folder has no file of the user's own.
    private static string NameOf(DiskOrigin source) => Directory.Exists(source.Path) || source is BaseImage { IsRoot: true } && !Path.GetFileName(source.Path).StartsWith(source.BaseName, StringComparison.Ordinal)
        ? $"{source.BaseName}.tar" : Path.GetFileName(source.Path);

    // Gives the SHA-256 of what was copied: what an OCI image is known by is its digest, and not that of an archive with it.
    private static async Task<string> CopyAsync(DiskOrigin source, string target, CancellationToken cancellation)
    {
        if (Directory.Exists(source.Path))
        {
            await using var archive = File.Create(target);
            await FileTree.FromFolder(source.Path).WriteTarAsync(archive, Mmdebstrap.Epoch, cancellation);
        }
        else
        {
            SparseFile.Duplicate(source.Path, target, _ => { }, cancellation);
        }

        return source is BaseImage { IsOci: true } ? await Checksum.OfFileAsync(target, cancellation) : source.Sha256;
    }

    private static IEnumerable<string> FilesIn(string path) => Directory.Exists(path)
        ? Directory.EnumerateFiles(path, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint }) : [path];

    private static IEnumerable<string> SecretsIn(string key, GivenValue value) => SpecSecrets.In(key, [.. value.Items.Select(item => item.Text)])
        .Zip(value.Items, (found, item) => found.Select(one => $"{item.Where}: {one.Name}")).SelectMany(places => places).Distinct();

    // Files and folders that let somebody in somewhere: a key that signs, registries' logins, a client's certificate with its key. Those of the seed are refused before.
    private static bool IsPrivate(SpecKey key, GivenValue value) => !key.Path.StartsWith("seed.", StringComparison.Ordinal) && value.Items.Any(item => key.PathAt(item.Text) is >= 0 and var at
        && RideAlong.HasSecrets(Path.GetFullPath(item.Text[at..], value.BaseFolder)));
}
