using Crust.Storage;
using Serilog;

namespace Crust.Machines;

/// <summary>
/// The accelerator probe's result from an earlier build, so that a host on which KVM hangs waits for it only once. It holds
/// for one boot of the host and one QEMU. A file that can't be read or written costs a probe, nothing else.
/// </summary>
internal sealed class ProbeMemory(string cacheFolder, string qemu, ILogger log)
{
    private const string BootId = "/proc/sys/kernel/random/boot_id";

    // First line: what the result holds for. Second line: what is wrong, or nothing.
    public string File { get; } = Path.Combine(cacheFolder, "accelerator-probe");

    private string Key => $"{System.IO.File.ReadAllText(BootId).Trim()} {qemu} {System.IO.File.GetLastWriteTimeUtc(qemu):O}";

    /// <summary>What was wrong, an empty text if nothing was, or null if it isn't known.</summary>
    public string? Recall()
    {
        try
        {
            return System.IO.File.Exists(File) && System.IO.File.ReadAllText(File).Split('\n') is [var key, var what, ""] && key == Key ? what : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            log.Warning("{File} can't be read: {Error}", File, e.Message);
            return null;
        }
    }

    /// <summary>Remembers what was wrong, or an empty text.</summary>
    public void Keep(string what)
    {
        try
        {
            PrivateFolder.Create(cacheFolder);
            WholeFile.Replace(File, $"{Key}\n{what.ReplaceLineEndings(" ")}\n");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            log.Warning("{File} can't be written: {Error}", File, e.Message);
        }
    }
}
