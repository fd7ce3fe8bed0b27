using Crust.Storage;
using Crust.Tools;

namespace Crust.Reports;

/// <summary>The build's own log: written in a folder of its own until the images' name is known and the build has ended.</summary>
/// <param name="Path">Where it is written.</param>
internal sealed record BuildLog(string Path)
{
    private HeldFolder? _held;

    /// <summary>This process's log below a folder of such, where those of processes that were killed are removed.</summary>
    public static BuildLog In(string folder)
    {
        try
        {
            PrivateFolder.Create(folder);
            var held = HeldFolder.Create(folder, "");
            var path = System.IO.Path.Combine(held.Path, "crust.log");
            WholeFile.CreatePrivate(path).Dispose();
            return new BuildLog(path) { _held = held };
        }
        catch (Exception e) when (HostFault.IsOfOutput(e))
        {
            // On a file system that can't be written there is no log; the host's checks tell of it.
            return new BuildLog(System.IO.Path.Combine(folder, "none", "crust.log"));
        }
    }

    /// <summary>Removes it, if that can be: on a file system that can't be written it never was there.</summary>
    public void Remove()
    {
        try
        {
            _held?.Dispose();
        }
        catch (Exception e) when (HostFault.IsOfOutput(e))
        {
            // A log must not hide how its build ended.
        }
    }

    /// <summary>Leaves a copy of what was logged so far beside the images, if these can be written: a log must not hide how its build ended.</summary>
    /// <param name="finalPath">Where it is to stand; a link there is replaced, not followed.</param>
    /// <param name="drafts">A private folder on the same file system.</param>
    public void KeepAs(string finalPath, string drafts)
    {
        try
        {
            if (File.Exists(Path))
            {
                var draft = System.IO.Path.Combine(drafts, System.IO.Path.GetFileName(finalPath));
                File.Copy(Path, draft, overwrite: true);
                OutputFile.Place(draft, finalPath);
            }
        }
        catch (Exception e) when (HostFault.IsOfOutput(e))
        {
            // Whatever made it impossible is what the build's own error is about.
        }
    }
}
