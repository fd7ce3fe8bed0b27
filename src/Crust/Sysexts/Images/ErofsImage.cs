using System.Globalization;
using Crust.Tools;
using Crust.Trees;

namespace Crust.Sysexts.Images;

/// <summary>EROFS, with small files packed together (Linux 6.1 and later).</summary>
internal sealed class ErofsImage(ToolBox tools) : ISysextImage
{
    public SysextFormat Format => SysextFormat.Erofs;

    public async Task WriteAsync(SysextPlan plan, FileTree tree, string path, string scratch, CancellationToken cancellation)
    {
        var folder = await TreeFolder.WriteAsync(plan, tree, scratch, cancellation);
        await tools.RunAsync(ToolCommand.Of("mkfs.erofs", "-zlz4hc,12", "-C65536", "-Efragments,ztailpacking", $"-U{Guid.Empty}",
            string.Create(CultureInfo.InvariantCulture, $"-T{plan.Epoch}"), "--all-root", "--quiet", path, folder), cancellation);
    }
}
