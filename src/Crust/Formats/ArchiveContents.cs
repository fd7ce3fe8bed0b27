using System.Collections.Immutable;
using System.Text;
using System.Text.RegularExpressions;
using Crust.Trees;

namespace Crust.Formats;

/// <summary>What is in an archive with a root file system.</summary>
/// <param name="What">What it is, such as `a root file system`.</param>
internal sealed partial record ArchiveContents(string What)
{
    private const int MostMembers = 10_000_000;
    private const int MostOfRelease = 16 << 10;

    /// <summary>The system's name and version, from its os-release; null if it has none.</summary>
    public string? System { get; init; }

    /// <summary>The paths of its kernels.</summary>
    public ImmutableArray<string> Kernels { get; init; } = [];

    /// <summary>How many files, folders, links and devices there are.</summary>
    public required int Members { get; init; }

    /// <summary>Length of all files, in bytes.</summary>
    public required long Bytes { get; init; }

    /// <summary>Reads a tar archive to its end.</summary>
    /// <exception cref="InvalidDataException">It is damaged, or is cut off.</exception>
    /// <exception cref="IOException">It can't be read.</exception>
    public static ArchiveContents Read(string what, Stream tar, CancellationToken cancellation)
    {
        var archive = new TarArchive(tar, TarArchive.UnknownLength) { MostMembers = MostMembers };
        var (members, bytes) = (0, 0L);
        var kernels = ImmutableArray.CreateBuilder<string>();
        string? system = null;
        while (archive.Next() is { } entry)
        {
            cancellation.ThrowIfCancellationRequested();
            members++;
            bytes += entry.Length;
            if (entry.Kind is TarKind.File && entry.Name is "etc/os-release" or "usr/lib/os-release" && entry.Length <= MostOfRelease)
            {
                var text = new byte[entry.Length];
                archive.Read(text);
                system = PrettyName().Match(Encoding.UTF8.GetString(text)) is { Success: true } match ? match.Groups[1].Value : system;
            }
            else if (entry.Kind is TarKind.File && Kernel().IsMatch(entry.Name))
            {
                kernels.Add("/" + entry.Name);
            }
        }

        // Whatever is behind the archive's end belongs to the file: it may be damaged, or cut off.
        tar.CopyTo(Stream.Null);
        return new ArchiveContents(what) { System = system, Kernels = kernels.ToImmutable(), Members = members, Bytes = bytes };
    }

    // os-release(5).
    [GeneratedRegex("^PRETTY_NAME=[\"']?([^\"'\n]*)", RegexOptions.Multiline)]
    private static partial Regex PrettyName();

    [GeneratedRegex(@"\Aboot/(vmlinu[xz]|Image|kernel)[^/]*\z")]
    private static partial Regex Kernel();
}
