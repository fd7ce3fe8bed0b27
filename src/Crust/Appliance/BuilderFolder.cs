using System.Formats.Tar;
using System.Security.Cryptography;
using System.Text;
using Crust.Spec;

namespace Crust.Appliance;

/// <summary>
/// A folder of `builder/` that says what something is made from, for one architecture. What belongs to one alone says so in its name:
/// `packages.arm64.list` continues `packages.list`, the files in `root.arm64/` join those in `root/`.
/// </summary>
internal sealed class BuilderFolder(string folder, Arch arch)
{
    private readonly string _name = arch.LowerName();

    public Arch Arch => arch;

    public string Folder { get; } = folder;

    public string PathOf(string name) => Path.Combine(Folder, name);

    /// <summary>The lines of one of its lists, then those of the list for the architecture, without comments and empty lines.</summary>
    public IReadOnlyList<string> List(string name)
    {
        var own = Path.ChangeExtension(name, _name + Path.GetExtension(name));
        var parts = new[] { name, own }.Where(part => File.Exists(PathOf(part))).DefaultIfEmpty(name);
        return [.. parts.SelectMany(part => Read(part).Split('\n')).Select(line => line.Trim()).Where(line => line.Length > 0 && !line.StartsWith('#'))];
    }

    public string Read(string name)
    {
        try
        {
            return File.ReadAllText(PathOf(name));
        }
        catch (IOException e)
        {
            throw Missing(PathOf(name), e);
        }
    }

    /// <summary>The files in one of its folders and in the folder for the architecture, with their paths below it (`/` between folders), in ordinal order.</summary>
    public IReadOnlyList<(string Name, string Path)> Files(string below)
    {
        var roots = new[] { below, $"{below}.{_name}" }.Select(PathOf).Where(Directory.Exists).DefaultIfEmpty(PathOf(below));
        return [.. roots.SelectMany(Enumerate).OrderBy(file => file.Name, StringComparer.Ordinal)];
    }

    /// <summary>Writes a tar archive of the files in one of its folders, which belong to root there: mmdebstrap's other ways of taking files in keep the owner and the mode that they have here.</summary>
    /// <param name="time">The time of all of them, in seconds since 1970.</param>
    public async Task WriteOverlayAsync(string below, Stream archive, long time, CancellationToken cancellation)
    {
        await using var writer = new TarWriter(archive, TarEntryFormat.Ustar, leaveOpen: true);
        foreach (var (name, file) in Files(below))
        {
            await using var content = File.OpenRead(file);
            await writer.WriteEntryAsync(new UstarTarEntry(TarEntryType.RegularFile, name)
            {
                Mode = (UnixFileMode)0x1A4,
                ModificationTime = DateTimeOffset.FromUnixTimeSeconds(time),
                DataStream = content,
            }, cancellation);
        }
    }

    /// <summary>
    /// A SHA-256 over the names and contents of all files of some folders, save those of other architectures, and over
    /// <paramref name="facts"/>: whatever else decides what is made. File times and modes play no part.
    /// </summary>
    public static string Key(IEnumerable<BuilderFolder> folders, params IEnumerable<string> facts)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        void Add(ReadOnlySpan<byte> data)
        {
            // With the length in front, no two lists of values give the same bytes.
            hash.AppendData(BitConverter.GetBytes((long)data.Length));
            hash.AppendData(data);
        }

        foreach (var fact in facts)
        {
            Add(Encoding.UTF8.GetBytes(fact));
        }

        foreach (var (name, path) in folders.SelectMany(folder => folder.OwnFiles()))
        {
            Add(Encoding.UTF8.GetBytes(name));
            Add(File.ReadAllBytes(path));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private IEnumerable<(string Name, string Path)> OwnFiles()
    {
        var others = Enum.GetValues<Arch>().Where(other => other != arch).Select(other => other.LowerName()).ToList();
        return Enumerate(Folder)
            .Where(file => !file.Name.Split('/').Any(part => part.Split('.').Skip(1).Any(others.Contains)))
            .OrderBy(file => file.Name, StringComparer.Ordinal);
    }

    private static IEnumerable<(string Name, string Path)> Enumerate(string root)
    {
        try
        {
            return [.. Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories).Select(path => (Path.GetRelativePath(root, path), path))];
        }
        catch (IOException e)
        {
            throw Missing(root, e);
        }
    }

    private static CrustException Missing(string path, Exception e) =>
        new(FailureKind.HostLacks, "A part of Crust is missing", path, "install Crust anew: its folder builder/ belongs beside the program", e);
}
