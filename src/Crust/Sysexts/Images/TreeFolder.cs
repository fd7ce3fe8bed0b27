using Crust.Spec;
using Crust.Trees;

namespace Crust.Sysexts.Images;

/// <summary>A tree as a folder on this host, for programs that take nothing else.</summary>
internal static class TreeFolder
{
    /// <summary>Writes it into the scratch folder.</summary>
    /// <exception cref="CrustException">It has something that a folder of this user can't hold.</exception>
    public static async Task<string> WriteAsync(SysextPlan plan, FileTree tree, string scratch, CancellationToken cancellation)
    {
        if (tree.Entries.FirstOrDefault(entry => entry.Uid != 0 || entry.Gid != 0 || entry.Xattrs.Count > 0) is { } special)
        {
            throw new CrustException(FailureKind.BadInput, $"{special.Path} {(special.Xattrs.Count > 0 ? "has extended attributes" : $"belongs to {special.Uid}:{special.Gid}")}, which {plan.Format.LowerName()} can't be given without root",
                $"--format {plan.Format.LowerName()}", "use --format squashfs or ddi, or let it belong to root and have none");
        }

        var folder = Path.Combine(scratch, "tree");
        Directory.CreateDirectory(folder, TreeEntry.Executable);
        await tree.WriteFolderAsync(folder, plan.Epoch, cancellation);
        return folder;
    }
}
