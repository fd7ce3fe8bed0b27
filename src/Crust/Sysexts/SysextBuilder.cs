using System.Collections.Immutable;
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
internal sealed record BuiltSysext(string Path, long Length, string Sha256, ImmutableArray<SysextFinding> Warnings);

/// <summary>Builds system extensions, without root: files, what the release file says, one file system image.</summary>
/// <param name="tools">Needs mksquashfs; for the other formats mkfs.erofs, mke2fs and debugfs, veritysetup and openssl.</param>
internal sealed class SysextBuilder(ToolBox tools)
{
    private readonly ImmutableDictionary<SysextFormat, ISysextImage> _images = new ISysextImage[]
    {
        new SquashfsImage(tools), new ErofsImage(tools), new Ext4Image(tools), new VerityImage(tools, new SquashfsImage(tools)),
    }.ToImmutableDictionary(image => image.Format);

    /// <summary>Builds one. The same plan and tree make the same bytes.</summary>
    /// <param name="folder">Where it goes; a file of the same name is replaced.</param>
    /// <exception cref="CrustException">The tree makes no extension that would work, a tool is missing or failed, or there is no space.</exception>
    public async Task<BuiltSysext> BuildAsync(SysextPlan plan, FileTree content, string folder, CancellationToken cancellation)
    {
        var tree = Compose(plan, content);
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
            var path = Path.Combine(folder, plan.FileName);
            OutputFile.Place(draft, path);
            return new BuiltSysext(path, length, sum, findings);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CrustException(FailureKind.InputOutput, $"The extension can't be written: {e.Message}", folder, "make room there, or choose another folder with --output", e);
        }
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
