using Crust.Tools;

namespace Crust.Seeds;

/// <summary>
/// Writes a seed as the volume that installers look for, by its label: ISO 9660 with Joliet and Rock Ridge.
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
    /// <returns>The volume's path. It has mode 0600, for it holds secrets.</returns>
    /// <exception cref="ToolMissingException">xorriso isn't installed.</exception>
    /// <exception cref="ToolFailedException">xorriso failed.</exception>
    /// <exception cref="CrustException">The folder can't be written.</exception>
    public async Task<string> CreateAsync(Seed seed, string folder, CancellationToken cancellation)
    {
        var volume = Path.Combine(folder, FileName);
        var content = Path.Combine(folder, "seed");
        try
        {
            Directory.CreateDirectory(content, Private | UnixFileMode.UserExecute);
            foreach (var document in seed.Documents)
                WritePrivate(Path.Combine(content, document.Name), document.Text);

            // xorriso keeps the mode of a file that is there, and takes an empty one for a blank medium.
            WritePrivate(volume, "");
            await tools.RunAsync(ToolCommand.Of("xorriso", Arguments(seed.Label!, content, volume)), cancellation);
            return volume;
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

    internal static string[] Arguments(string label, string content, string volume) =>
    [
        "-no_rc",
        "-as", "mkisofs",
        "-quiet",
        "-volid", label,
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
