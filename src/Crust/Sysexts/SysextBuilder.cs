using System.Collections.Immutable;
using Crust.Spec;
using Crust.Storage;
using Crust.Sysexts.Checks;
using Crust.Sysexts.Images;
using Crust.Tools;
using Crust.Trees;

namespace Crust.Sysexts;

/// <summary>An extension that was built.</summary>
/// <param name="Path">The file.</param>
/// <param name="Length">Its length in bytes.</param>
/// <param name="Sha256">Its SHA-256 in lower-case hex.</param>
/// <param name="Warnings">What the checks object to, and no error.</param>
/// <param name="Documents">What says where it comes from: SBOM, provenance, signature.</param>
internal sealed record BuiltSysext(string Path, long Length, string Sha256, ImmutableArray<SysextFinding> Warnings, ImmutableArray<string> Documents);

/// <summary>Builds system extensions, without root: files, what the release file says, one file system image.</summary>
/// <param name="tools">Needs mksquashfs; for the other formats mkfs.erofs, mke2fs and debugfs, veritysetup and openssl.</param>
/// <param name="attestor">Writes what goes beside them.</param>
internal sealed class SysextBuilder(ToolBox tools, SysextAttestor attestor, TimeProvider time)
{
    private readonly ImmutableDictionary<SysextFormat, ISysextImage> _images = new ISysextImage[]
    {
        new SquashfsImage(tools), new ErofsImage(tools), new Ext4Image(tools), new VerityImage(tools, new SquashfsImage(tools)),
    }.ToImmutableDictionary(image => image.Format);

    /// <summary>Builds one. The same plan and tree make the same bytes.</summary>
    /// <param name="sign">The key that signs the provenance, if there is one.</param>
    /// <param name="folder">Where it goes, with its SBOM and provenance; files of the same names are replaced.</param>
    /// <exception cref="CrustException">The tree makes no extension that would work, a tool is missing or failed, or there is no space.</exception>
    public async Task<BuiltSysext> BuildAsync(SysextPlan plan, SysextContent content, SignSpec sign, string folder, CancellationToken cancellation)
    {
        var started = time.GetUtcNow();
        var tree = Compose(plan, content.Tree);
        var findings = SysextCheck.Check(new Extension(plan.FileName, tree), plan.Profile);
        if (findings.FirstOrDefault(finding => finding.Severity is SysextSeverity.Error) is { } error)
        {
            throw new CrustException(FailureKind.BadInput, error.What, $"{plan.Name}: {error.Path} ({error.Rule})", error.Remedy)
            {
                Detail = string.Join('\n', findings.Except([error]).Select(finding => finding.ToLine())),
            };
        }

        using var drafts = DraftFolder.Create(folder);
        var draft = Path.Combine(drafts.Path, plan.FileName);
        try
        {
            await _images[plan.Format].WriteAsync(plan, tree, draft, drafts.Path, cancellation);
            var (length, sum) = (new FileInfo(draft).Length, await Checksum.OfFileAsync(draft, cancellation));
            var documents = await attestor.WriteAsync(plan, content, sum, sign, started, drafts.Path, cancellation);
            // A signature of the one before would be of another.
            foreach (var stale in SysextAttestor.NamesFor(plan).Except(documents.Select(document => Path.GetFileName(document))))
            {
                File.Delete(Path.Combine(folder, stale));
            }

            var placed = documents.Prepend(draft).Select(from => Placed(from, folder)).ToList();
            return new BuiltSysext(placed[0], length, sum, findings, [.. placed.Skip(1)]);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CrustException(FailureKind.InputOutput, $"The extension can't be written: {e.Message}", folder, "make room there, or choose another folder with --output", e);
        }
    }

    private static string Placed(string draft, string folder)
    {
        var path = Path.Combine(folder, Path.GetFileName(draft));
        OutputFile.Place(draft, path);
        return path;
    }

    private static FileTree Compose(SysextPlan plan, FileTree content)
    {
        try
        {
            var release = TreeContent.Of(ReleaseFile.Compose(plan));
            return content.Without(ReleaseFile.Folder).With(plan.ReleaseNames.Select(name => TreeEntry.File(ReleaseFile.Prefix + name, release)));
        }
        catch (InvalidDataException e)
        {
            throw new CrustException(FailureKind.BadInput, $"The release file has no place: {e.Message}", plan.Name, "give a tree whose usr/lib is a folder", e);
        }
    }
}
