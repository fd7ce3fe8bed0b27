using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Crust.Trees;

namespace Crust.Sysexts.Images;

/// <summary>
/// Reads what `unsquashfs -pf` writes: a line for each file, such as `usr/bin/a R 0 755 0 0 3 0` (time, mode, owner, group, length, offset), and behind them the files' bytes
/// (squashfs-tools' README, "Pseudo file support").
/// </summary>
internal static class PseudoFile
{
    private const string Marker = "# START OF DATA - DO NOT MODIFY";
    private const int LongestLine = 64 << 10;
    private const int MostLines = 1_000_000;

    /// <exception cref="InvalidDataException">It isn't such a file, or something in it leaves the tree.</exception>
    public static FileTree Read(string path)
    {
        using var file = new BufferedStream(File.OpenRead(path), 1 << 16);
        var lines = new List<string>();
        while (Line(file) is var line && line != Marker)
        {
            lines.Add(lines.Count < MostLines ? line : throw new InvalidDataException($"it has more than {MostLines} files"));
        }

        _ = Line(file);
        var data = file.Position;
        var entries = new Dictionary<string, TreeEntry>(StringComparer.Ordinal);
        foreach (var line in lines.Where(line => line.Length > 0 && line[0] != '#'))
        {
            var (name, words) = Words(line);
            if (name == "/")
            {
                continue;
            }

            entries[name] = EntryOf(name, words, entries, path, data);
        }

        return FileTree.Empty.With(entries.Values);
    }

    private static TreeEntry EntryOf(string name, string[] words, Dictionary<string, TreeEntry> entries, string path, long data)
    {
        if (words is ["L", var first])
        {
            return (entries.GetValueOrDefault(Unescaped(first)) ?? throw new InvalidDataException($"{name} is a hard link to nothing")) with { Path = name };
        }

        // squashfs-tools 4.6 and later: `NAME x ATTRIBUTE=VALUE`.
        if (words is ["x", ..] && words.Length > 1 && entries.TryGetValue(name, out var there))
        {
            var attribute = string.Join(' ', words[1..]).Split('=', 2);
            return there with { Xattrs = there.Xattrs.SetItem(attribute[0], [.. Encoding.UTF8.GetBytes(attribute.ElementAtOrDefault(1) ?? "")]) };
        }

        if (words.Length < 5 || words[0].Length != 1)
        {
            throw new InvalidDataException($"{name} is of a kind that isn't known");
        }

        var entry = new TreeEntry(name, EntryKind.File, (UnixFileMode)Convert.ToInt32(words[2], 8)) { Uid = Number(words[3]), Gid = Number(words[4]) };
        return (words[0], words[5..]) switch
        {
            ("D", _) => entry with { Kind = EntryKind.Folder },
            ("R", [var length, var offset, ..]) => entry with { Content = TreeContent.OfFile(path, data + Long(offset), Long(length)) },
            ("S", { Length: > 0 } target) => entry with { Kind = EntryKind.Symlink, LinkTarget = string.Join(' ', target) },
            ("C", [var major, var minor]) => entry with { Kind = EntryKind.CharacterDevice, Device = (Number(major), Number(minor)) },
            ("B", [var major, var minor]) => entry with { Kind = EntryKind.BlockDevice, Device = (Number(major), Number(minor)) },
            ("I", _) => entry with { Kind = EntryKind.Fifo },
            _ => throw new InvalidDataException($"{name} is of a kind that isn't known"),
        };
    }

    private static int Number(string text) => (int)Math.Min(Long(text), int.MaxValue);

    private static long Long(string text) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : throw new InvalidDataException($"{text} is no number");

    // The name ends at the first blank that has no backslash before it.
    private static (string Name, string[] Words) Words(string line)
    {
        var end = 0;
        for (; end < line.Length && line[end] != ' '; end++)
        {
            end += line[end] == '\\' ? 1 : 0;
        }

        return end >= line.Length ? throw new InvalidDataException("a line of it describes nothing") : (Unescaped(line[..end]), line[(end + 1)..].Split(' '));
    }

    private static string Unescaped(string name)
    {
        var plain = new StringBuilder();
        for (var at = 0; at < name.Length; at++)
        {
            at += name[at] == '\\' && at + 1 < name.Length ? 1 : 0;
            plain.Append(name[at]);
        }

        return plain.ToString();
    }

    private static string Line(Stream file)
    {
        var bytes = new List<byte>();
        for (int next; (next = file.ReadByte()) != '\n';)
        {
            bytes.Add(next >= 0 && bytes.Count < LongestLine ? (byte)next : throw new InvalidDataException("it ends before its data, or has a line that is too long"));
        }

        return Encoding.UTF8.GetString([.. bytes]);
    }
}
