using Crust.Tools;
using Serilog;

namespace Crust.Tests.Installers;

/// <summary>Small ISOs with files, written by xorriso as vendors write theirs; and a folder for them.</summary>
internal sealed class IsoSample : IDisposable
{
    public static ToolBox Tools => new(["/usr/bin", "/bin"], Log.Logger);

    public string Folder { get; } = Directory.CreateTempSubdirectory("crust-iso-").FullName;

    /// <summary>Writes an ISO with Rock Ridge.</summary>
    /// <param name="volumeId">Its volume id.</param>
    /// <param name="files">Its files: path and content.</param>
    public Task<string> WriteAsync(string volumeId, params IEnumerable<(string Path, string Content)> files) => WriteAsync(volumeId, ["-r"], files);

    /// <summary>Writes an ISO.</summary>
    /// <param name="volumeId">Its volume id.</param>
    /// <param name="options">mkisofs' options for the names, and others.</param>
    /// <param name="files">Its files: path and content.</param>
    public async Task<string> WriteAsync(string volumeId, string[] options, params IEnumerable<(string Path, string Content)> files)
    {
        var content = Directory.CreateDirectory(Path.Combine(Folder, $"{Guid.NewGuid():N}")).FullName;
        foreach (var (path, text) in files)
        {
            var file = Path.Combine(content, path);
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            await File.WriteAllTextAsync(file, text);
        }

        await Tools.RunAsync(ToolCommand.Of("xorriso", ["-no_rc", "-as", "mkisofs", "-quiet", "-V", volumeId, .. options, "-o", content + ".iso", content]), CancellationToken.None);
        return content + ".iso";
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
