using System.Collections.Immutable;
using Crust.Attestation;
using Crust.Downloads;
using Crust.Recipes;
using Crust.Spec;
using Crust.Storage;

namespace Crust.Sysexts;

/// <param name="Url">Where the folder will be served.</param>
/// <param name="Sign">The GPG key that signs the list of checksums; one that is empty signs nothing.</param>
/// <param name="Pinned">The extensions that also get definitions for each minor version.</param>
/// <param name="Previous">A list of checksums that was published before, of whose files those that aren't in the folder stay listed; null for none.</param>
internal sealed record IndexRequest(string Folder, Uri Url, SignSpec Sign, ImmutableArray<string> Pinned, string? Previous)
{
    /// <summary>Whether an index that says all this already is left as it is, with its signature.</summary>
    public bool OnlyIfChanged { get; init; }
}

/// <param name="Files">The extensions that the list has and that are in the folder, in ordinal order.</param>
/// <param name="Written">The names of the files that were written.</param>
/// <param name="Key">The fingerprint of the key that signed the list; null if it isn't signed.</param>
internal sealed record IndexResult(ImmutableArray<(SysextFile File, string Sha256)> Files, ImmutableArray<string> Written, string? Key);

/// <summary>
/// Makes a folder of system extensions one from which systemd-sysupdate can take them: a list of checksums, its signature, and the transfer definitions that a machine needs. Any
/// server for static files can serve it.
/// </summary>
/// <param name="signer">Signs the list.</param>
internal sealed class SysextIndex(Signer signer)
{
    /// <summary>The name that systemd-sysupdate asks for, beside the files (sysupdate.d(5), "url-file").</summary>
    public const string ListName = "SHA256SUMS";

    /// <summary>The signature's name, which is systemd-sysupdate's, too.</summary>
    public const string SignatureName = ListName + ".gpg";

    private const string DraftsPrefix = ".index-";

    /// <summary>Kubernetes and its distributions support only an update to the next minor version, so a machine stays on its own until somebody decides otherwise.</summary>
    public static readonly ImmutableArray<string> UsuallyPinned = ["k3s", "kubernetes", "rke2"];

    /// <exception cref="CrustException">There is no extension in the folder, or a file that can't be one, or the key can't sign. Nothing has changed then.</exception>
    public async Task<IndexResult> WriteAsync(IndexRequest request, CancellationToken cancellation)
    {
        if (request.Sign.Key is { } ssh)
        {
            throw new CrustException(FailureKind.BadInput, "systemd-sysupdate checks GPG's signatures only, and this is an OpenSSH key", ssh, "name a GPG key: --sign-gpg-key, sign.gpgKey");
        }

        var listed = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, sum) in Previous(request.Previous))
        {
            listed[name] = sum;
        }

        var files = listed.Count > 0 && Find(request.Folder, mayBeEmpty: true).IsEmpty ? [] : await HashAsync(request.Folder, cancellation);

        foreach (var (file, sha256) in files)
        {
            listed[file.FileName] = sha256;
        }

        // What is published needs its definitions, too, also where it isn't in the folder any more.
        List<(string Name, string Text)> texts =
        [
            .. Definitions(request, [.. listed.Keys.Select(SysextFile.Of).OfType<SysextFile>()]), (ListName, string.Concat(listed.Select(entry => $"{entry.Value}  {entry.Key}\n"))),
        ];
        if (request.OnlyIfChanged && IsThere(request, texts))
        {
            return new IndexResult(files, [], null);
        }

        // All of it is made aside, so that a key that can't sign leaves an index as it was.
        using var scratch = HeldFolder.Create(request.Folder, DraftsPrefix);
        foreach (var (name, text) in texts)
        {
            await File.WriteAllTextAsync(Path.Combine(scratch.Path, name), text, cancellation);
        }

        List<string> drafts = [.. texts.Select(one => one.Name)];
        DetachedSignature? signature = null;
        if (request.Sign.IsWanted)
        {
            signature = await signer.SignAsync(request.Sign, Path.Combine(scratch.Path, ListName), cancellation);
            File.Move(signature.Path, Path.Combine(scratch.Path, SignatureName));
            // The signature comes before the list that it is of: a reader in between sees the old list refused, never a new one unchecked.
            drafts.Insert(drafts.Count - 1, SignatureName);
        }
        else
        {
            // One that is of an older list would have every machine refuse this one.
            File.Delete(Path.Combine(request.Folder, SignatureName));
        }

        foreach (var name in drafts)
        {
            WholeFile.Place(Path.Combine(scratch.Path, name), Path.Combine(request.Folder, name));
        }

        return new IndexResult(files, [.. drafts], signature?.Key);
    }

    /// <summary>The extensions in a folder, in ordinal order, with their checksums.</summary>
    /// <exception cref="CrustException">There is none, or a file that can't be one.</exception>
    public static async Task<ImmutableArray<(SysextFile File, string Sha256)>> HashAsync(string folder, CancellationToken cancellation)
    {
        var files = ImmutableArray.CreateBuilder<(SysextFile, string)>();
        foreach (var file in Find(folder))
        {
            files.Add((file, await Checksum.OfFileAsync(Path.Combine(folder, file.FileName), cancellation)));
        }

        return files.ToImmutable();
    }

    /// <summary>The newest version of each extension in a folder, with its checksum as the folder's list has it.</summary>
    /// <param name="names">The extensions; empty for all.</param>
    /// <exception cref="CrustException">There is none of a name, or the folder has no list, or the list lacks one.</exception>
    public static ImmutableArray<(SysextFile File, string Sha256)> NewestIn(string folder, IReadOnlyCollection<string> names, Arch arch)
    {
        var found = Find(folder).Where(file => file.Arch == arch).ToLookup(file => file.Name);
        var list = Path.Combine(folder, ListName);
        var sums = ChecksumList.Parse(UserFile.Read(list, list, "list of checksums")).Sha256Sums.ToDictionary(entry => entry.Name, entry => entry.Sum);
        return
        [
            .. (names.Count > 0 ? names.Distinct() : found.Select(versions => versions.Key)).Select(name => found[name].MaxBy(file => file.Version, VersionOrder.Instance)
                ?? throw new CrustException(FailureKind.BadInput, $"There is no extension '{name}' for {arch.LowerName()}", folder, Nearest.Suggest(name, [.. found.Select(versions => versions.Key)])))
                .Select(file => (file, sums.GetValueOrDefault(file.FileName)
                    ?? throw new CrustException(FailureKind.BadInput, $"The list of checksums has no line for {file.FileName}", list, "write it anew: crust sysext index " + folder))),
        ];
    }

    private static bool IsThere(IndexRequest request, IEnumerable<(string Name, string Text)> texts) =>
        texts.All(one => Path.Combine(request.Folder, one.Name) is var path && File.Exists(path) && File.ReadAllText(path) == one.Text)
        && request.Sign.IsWanted == File.Exists(Path.Combine(request.Folder, SignatureName));

    private static IEnumerable<(string Name, string Text)> Definitions(IndexRequest request, ImmutableArray<SysextFile> found)
    {
        var isSigned = request.Sign.IsWanted;
        foreach (var versions in found.GroupBy(file => file.Name))
        {
            foreach (var extension in TransferFile.Extensions)
            {
                yield return (versions.Key + extension, TransferFile.Of(versions.First(), request.Url, isSigned));
                foreach (var minor in versions.Select(file => file.Minor).OfType<string>().Distinct().Where(_ => request.Pinned.Contains(versions.Key)))
                {
                    yield return ($"{versions.Key}-{minor}{extension}", TransferFile.Of(versions.First(), request.Url, isSigned, minor));
                }
            }
        }

        foreach (var extension in TransferFile.Extensions)
        {
            yield return ("noop" + extension, TransferFile.Noop);
        }
    }

    private static ImmutableArray<SysextFile> Find(string folder, bool mayBeEmpty = false)
    {
        IEnumerable<string> names;
        try
        {
            names = Directory.EnumerateFiles(folder, "*.raw").Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal).ToList();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CrustException(FailureKind.BadInput, $"The folder of system extensions can't be read: {e.Message}", folder, "name the folder into which crust sysext build wrote them", e);
        }

        var files = names.Select(name => SysextFile.Of(name) ?? throw new CrustException(FailureKind.BadInput, "The name of a system extension has no version, so nothing could be updated to it",
            Path.Combine(folder, name), "name it NAME-VERSION-x86-64.raw or NAME-VERSION-arm64.raw, as crust sysext build does")).ToImmutableArray();
        if (files.IsEmpty && !mayBeEmpty)
        {
            throw new CrustException(FailureKind.BadInput, "There is no system extension in the folder", folder, "build one into it: crust sysext build NAME --output " + folder);
        }

        return files.GroupBy(file => file.Name).FirstOrDefault(versions => versions.Select(file => file.Suffix).Distinct().Count() > 1) is { } mixed
            ? throw new CrustException(FailureKind.BadInput, $"The files of {mixed.Key} end in .raw and in .sysext.raw: no pattern fits both", folder, "keep extensions for Kairos in a folder of their own")
            : files;
    }

    private static IEnumerable<(string Name, string Sum)> Previous(string? path)
    {
        if (path is null)
        {
            return [];
        }

        return ChecksumList.Parse(UserFile.Read(path, path, "list of checksums")).Sha256Sums;
    }
}
