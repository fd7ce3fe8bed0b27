using System.Collections.Immutable;
using System.Globalization;
using Crust.Tools;
using Crust.Trees;

namespace Crust.Sysexts.Images;

/// <summary>squashfs from a tar archive, so that owners, devices and attributes are exact without root.</summary>
internal sealed class SquashfsImage(ToolBox tools) : ISysextImage
{
    public SysextFormat Format => SysextFormat.Squashfs;

    public async Task WriteAsync(SysextPlan plan, FileTree tree, string path, string scratch, CancellationToken cancellation)
    {
        var tar = Path.Combine(scratch, "tree.tar");
        await using (var file = File.Create(tar))
        {
            await tree.WriteTarAsync(file, plan.Epoch, cancellation);
        }

        await tools.RunAsync(ToolCommand.Of("mksquashfs", "-", path, "-tar", "-root-mode", "0755", "-comp", "zstd", "-noappend", "-quiet", "-no-progress") with
        {
            InputFile = tar,
            Environment = ImmutableDictionary<string, string>.Empty.Add("SOURCE_DATE_EPOCH", plan.Epoch.ToString(CultureInfo.InvariantCulture)),
        }, cancellation);
        File.Delete(tar);
    }
}
