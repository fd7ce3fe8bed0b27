using Crust.Sanitizing;
using Crust.Storage;
using Crust.Tools;
using Crust.Trees;

namespace Crust.Sysexts.Conversion;

/// <summary>Gives programs and libraries another loader and another place to look for libraries.</summary>
/// <param name="tools">Needs patchelf.</param>
/// <param name="scratch">The folder for the rewritten files, which trees read from.</param>
internal sealed class Patchelf(ToolBox tools, string scratch)
{
    private static readonly ToolLimits Limits = new(Time: TimeSpan.FromMinutes(5));

    // A program under several names is one file, before and after.
    private readonly Dictionary<TreeContent, TreeContent> _done = [];

    /// <param name="file">The program or library.</param>
    /// <param name="loader">Its new loader, an absolute path; null for a library.</param>
    /// <param name="libraries">The only folder in which its libraries are looked for.</param>
    /// <exception cref="CrustException">patchelf is missing, or can't rewrite it.</exception>
    public async Task<TreeContent> RewriteAsync(TreeEntry file, string? loader, string libraries, CancellationToken cancellation)
    {
        if (_done.TryGetValue(file.Content, out var done))
        {
            return done;
        }

        var path = Path.Combine(scratch, Guid.NewGuid().ToString("N"));
        await using (var copy = PrivateFile.Create(path))
        {
            foreach (var piece in file.Content.Pieces())
            {
                await copy.WriteAsync(piece, cancellation);
            }
        }

        try
        {
            // Two calls: in one, patchelf 0.14 forgets --no-default-lib, which keeps the loader out of the system's own folders and cache. RPATH, unlike RUNPATH,
            // also counts for what libraries open.
            await tools.RunAsync(ToolCommand.Of("patchelf", "--no-default-lib", path) with { Limits = Limits }, cancellation);
            string[] interpreter = loader is null ? [] : ["--set-interpreter", loader];
            await tools.RunAsync(ToolCommand.Of("patchelf", ["--force-rpath", "--set-rpath", libraries, .. interpreter, path]) with { Limits = Limits }, cancellation);
        }
        catch (ToolFailedException e)
        {
            throw new CrustException(FailureKind.BadInput, $"patchelf can't rewrite it: {CleanText.Line(e.What)}", $"/{file.Path}",
                "use crust sysext convert flatwrap, which changes no program", e);
        }

        return _done[file.Content] = TreeContent.OfFile(path, 0, new FileInfo(path).Length);
    }
}
