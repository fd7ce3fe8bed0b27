using Crust.Formats.Headers;
using Crust.Trees;
using Microsoft.Win32.SafeHandles;

namespace Crust.Formats.Archives;

/// <summary>Finds where files lie in a tar archive, to read them where they are.</summary>
internal sealed class TarIndex
{
    private readonly Dictionary<string, ArchiveEntry> _members = [];
    private readonly string _what;

    private TarIndex(string what) => _what = what;

    public IEnumerable<ArchiveEntry> Members => _members.Values;

    /// <summary>The members of an archive that is a part of a file.</summary>
    /// <param name="file">The file, open for reading; its position is moved.</param>
    /// <param name="archive">Where the archive is.</param>
    /// <param name="what">What it is called in errors.</param>
    /// <exception cref="InvalidDataException">It is no archive, or one that is made to do harm.</exception>
    /// <exception cref="IOException">It can't be read.</exception>
    public static TarIndex Read(FileStream file, FilePart archive, string what)
    {
        var index = new TarIndex(what);
        file.Position = archive.Offset;
        var reader = new TarArchive(file, archive.Length);
        try
        {
            while (reader.Next() is { } entry)
            {
                // Readers disagree on which of two they take.
                if (!index._members.TryAdd(entry.Name, entry with { Offset = archive.Offset + entry.Offset }) && entry.Kind != TarKind.Folder)
                {
                    throw new InvalidDataException($"it has two members that are called {Shown(entry.Name)}");
                }
            }
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"{what} isn't a tar archive that can be read: {e.Message}", e);
        }

        return index._members.Count > 0 ? index : throw new InvalidDataException($"{what} has nothing in it");
    }

    /// <exception cref="InvalidDataException">There is none.</exception>
    public FilePart File(string name) => FileOf(_members.GetValueOrDefault(name) ?? throw new InvalidDataException($"{_what} has no {Shown(name)}"));

    /// <summary>Where the content of a member is that has to be a file.</summary>
    /// <exception cref="InvalidDataException">It is a link or a device.</exception>
    public FilePart FileOf(ArchiveEntry member) => member.Kind is TarKind.File ? new FilePart(member.Offset, member.Length)
        : throw new InvalidDataException($"{Shown(member.Name)} in {_what} is {(member.Kind is TarKind.Symlink or TarKind.HardLink ? "a link" : "no regular file")}");

    /// <summary>Refuses links and devices among all members.</summary>
    /// <exception cref="InvalidDataException">There is one.</exception>
    public void RequireFilesOnly()
    {
        foreach (var member in Members.Where(member => member.Kind is not (TarKind.File or TarKind.Folder)))
        {
            FileOf(member);
        }
    }

    /// <summary>Reads a small file.</summary>
    /// <exception cref="InvalidDataException">It is longer than that.</exception>
    public static byte[] ReadBytes(SafeFileHandle file, FilePart part, int most, string name)
    {
        if (part.Length > most)
        {
            throw new InvalidDataException($"{Shown(name)} is longer than {most >> 20} MiB");
        }

        return new ImageBytes(file, part.Offset, part.Length).ReadAll(name);
    }

    private static string Shown(string name) => ImageBytes.Printable(System.Text.Encoding.UTF8.GetBytes(name));
}
