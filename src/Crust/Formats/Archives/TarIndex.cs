using System.Formats.Tar;

namespace Crust.Formats.Archives;

/// <summary>Finds where files lie in a tar archive, to read them where they are.</summary>
internal static class TarIndex
{
    /// <summary>The files of the archive that begins at an offset, by name. The stream's position is moved.</summary>
    /// <exception cref="InvalidDataException">There is no archive.</exception>
    /// <exception cref="EndOfStreamException">The archive is cut off.</exception>
    public static IReadOnlyDictionary<string, FilePart> Read(FileStream file, long offset)
    {
        file.Position = offset;
        using var reader = new TarReader(file, leaveOpen: true);
        var members = new Dictionary<string, FilePart>();
        while (reader.GetNextEntry() is { } entry)
        {
            if (entry.EntryType is TarEntryType.RegularFile or TarEntryType.V7RegularFile)
            {
                members[entry.Name] = new FilePart(entry.DataOffset, entry.Length);
            }
        }

        return members;
    }
}
