using System.Text;

namespace Crust.Appliance;

/// <summary>
/// Collects files and writes them as a cpio archive in the `newc` format, which the kernel unpacks as its initramfs
/// (Documentation/driver-api/early-userspace/buffer-format.rst). Everything belongs to root and is dated 1970, and the order is by
/// name: the same files give the same bytes.
/// </summary>
internal sealed class CpioArchive
{
    private const int Folder = 0x4000;
    private const int Regular = 0x8000;
    private const int Link = 0xA000;
    private const int Character = 0x2000;

    private readonly SortedDictionary<string, (int Mode, byte[] Content, (int Major, int Minor) Device)> _entries = new(StringComparer.Ordinal);

    /// <summary>Adds a file. A path is absolute; its folders come along by themselves.</summary>
    public void AddFile(string path, byte[] content, bool executable) => Add(path, Regular | (executable ? 0x1ED : 0x1A4), content);

    public void AddLink(string path, string target) => Add(path, Link | 0x1FF, Encoding.UTF8.GetBytes(target));

    public void AddDevice(string path, int major, int minor) => Add(path, Character | 0x180, [], (major, minor));

    public void AddFolder(string path) => Add(path, Folder | 0x1ED, []);

    public bool Contains(string path) => _entries.ContainsKey(path[1..]);

    public void WriteTo(Stream stream)
    {
        var number = 1;
        foreach (var (name, (mode, content, device)) in _entries)
        {
            WriteEntry(stream, number++, name, mode, content, device);
        }

        WriteEntry(stream, 0, "TRAILER!!!", 0, [], default);
    }

    private void Add(string path, int mode, byte[] content, (int, int) device = default)
    {
        for (var slash = path.IndexOf('/', 1); slash > 0; slash = path.IndexOf('/', slash + 1))
        {
            _entries.TryAdd(path[1..slash], (Folder | 0x1ED, [], default));
        }

        _entries[path[1..]] = (mode, content, device);
    }

    private static void WriteEntry(Stream stream, int number, string name, int mode, byte[] content, (int Major, int Minor) device)
    {
        var bytes = Encoding.UTF8.GetBytes(name);
        Span<int> fields = [number, mode, 0, 0, 1, 0, content.Length, 0, 0, device.Major, device.Minor, bytes.Length + 1, 0];
        var header = new StringBuilder("070701", 110);
        foreach (var field in fields)
        {
            header.Append(field.ToString("X8"));
        }

        stream.Write(Encoding.ASCII.GetBytes(header.ToString()));
        stream.Write(bytes);
        stream.WriteByte(0);
        Pad(stream, header.Length + bytes.Length + 1);
        stream.Write(content);
        Pad(stream, content.Length);
    }

    private static void Pad(Stream stream, int length)
    {
        for (; length % 4 != 0; length++)
        {
            stream.WriteByte(0);
        }
    }
}
