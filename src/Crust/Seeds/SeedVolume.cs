using Crust.Tools;

namespace Crust.Seeds;

/// <summary>
/// Writes a seed as the volume that installers look for: ISO 9660 with Joliet and Rock Ridge, labelled `cidata`
/// (cloud-init, "NoCloud"; Kairos reads the same).
/// </summary>
/// <param name="tools">Runs xorriso.</param>
public sealed class SeedVolume(ToolBox tools)
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>The volume's file name.</summary>
    public const string FileName = "seed.iso";

    /// <summary>Writes the volume.</summary>
    /// <param name="seed">What it holds.</param>
    /// <param name="folder">An existing folder that only this user can enter; a volume of an earlier call is replaced.</param>
    /// <param name="cancellation">Ends xorriso.</param>
    /// <returns>The volume, with mode 0600, for it holds secrets; disposing it deletes it.</returns>
    /// <exception cref="ToolMissingException">xorriso isn't installed.</exception>
    /// <exception cref="ToolFailedException">xorriso failed.</exception>
    /// <exception cref="CrustException">The folder can't be written.</exception>
    public async Task<SeedVolumeFile> CreateAsync(Seed seed, string folder, CancellationToken cancellation)
    {
        var volume = Path.Combine(folder, FileName);
        var content = Path.Combine(folder, "seed");
        try
        {
            Directory.CreateDirectory(content, Private | UnixFileMode.UserExecute);
            WritePrivate(Path.Combine(content, "user-data"), seed.UserData);
            WritePrivate(Path.Combine(content, "meta-data"), seed.MetaData);
            if (seed.NetworkConfig is not null)
                WritePrivate(Path.Combine(content, "network-config"), seed.NetworkConfig);

            // xorriso keeps the mode of a file that is there, and takes an empty one for a blank medium.
            WritePrivate(volume, "");
            await tools.RunAsync(ToolCommand.Of("xorriso", Arguments(content, volume)), cancellation);
            return new SeedVolumeFile(volume);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CrustException(FailureKind.InputOutput, $"The seed volume can't be written: {e.Message}", folder, "make room there, and the folder writable", e);
        }
        finally
        {
            // The volume has it all; a second copy of the secrets has no use.
            if (Directory.Exists(content))
                Directory.Delete(content, recursive: true);
        }
    }

    internal static string[] Arguments(string content, string volume) =>
    [
        "-no_rc",
        "-as", "mkisofs",
        "-quiet",
        "-volid", "cidata",
        "-joliet", "-rock",
        "-uid", "0", "-gid", "0",
        "-o", volume,
        content,
    ];

    private static void WritePrivate(string path, string text)
    {
        File.Delete(path);
        using var file = new StreamWriter(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = Private });
        file.Write(text);
    }
}

/// <summary>A seed volume on disk.</summary>
/// <param name="path">Where it is.</param>
public sealed class SeedVolumeFile(string path) : IDisposable
{
    /// <summary>Where it is.</summary>
    public string Path { get; } = path;

    /// <summary>Deletes it.</summary>
    public void Dispose() => File.Delete(Path);
}
