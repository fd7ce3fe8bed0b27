using System.Globalization;
using System.Text;
using Crust.Sanitizing;
using Crust.Tools;
using Crust.Trees;

namespace Crust.Sysexts.Images;

/// <summary>EROFS, with small files packed together (Linux 6.1 and later).</summary>
internal sealed class ErofsImage(ToolBox tools) : ISysextImage
{
    // EROFS takes 255 bytes, and mkfs.erofs of erofs-utils 1.5 (Debian 12) one less: it ends with "No such file or directory".
    private const int LongestName = 254;

    public SysextFormat Format => SysextFormat.Erofs;

    public async Task WriteAsync(SysextPlan plan, FileTree tree, string path, string scratch, CancellationToken cancellation)
    {
        if (tree.Entries.FirstOrDefault(entry => Encoding.UTF8.GetByteCount(entry.Name) > LongestName) is { } entry)
        {
            throw new CrustException(FailureKind.BadInput, $"{CleanText.Line(entry.Path)} has a name of more than {LongestName} bytes, which mkfs.erofs doesn't take", "--format erofs", "use --format squashfs, or give it a shorter name");
        }

        var folder = await TreeFolder.WriteAsync(plan, tree, scratch, cancellation);
        await tools.RunAsync(ToolCommand.Of("mkfs.erofs", "-zlz4hc,12", "-C65536", "-Efragments,ztailpacking", $"-U{Guid.Empty}",
            string.Create(CultureInfo.InvariantCulture, $"-T{plan.Epoch}"), "--all-root", "--quiet", path, folder), cancellation);
    }
}
