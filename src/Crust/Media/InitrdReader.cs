using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Crust.Bases;
using Crust.Spec;
using Crust.Storage;
using Crust.Tools;

namespace Crust.Media;

/// <summary>What is in an initramfs, as far as a live system needs it.</summary>
/// <param name="Dracut">The modules of dracut in it, by dracut's own list; empty for one that dracut didn't make.</param>
/// <param name="Drivers">The kernel's modules in it, without folder and extension: `squashfs`.</param>
/// <param name="Unreadable">What keeps it from being read; null for nothing.</param>
internal sealed record InitrdFacts(ImmutableArray<string> Dracut, ImmutableArray<string> Drivers, string? Unreadable);

/// <summary>
/// Reads the names in an initramfs: cpio archives in a row (Linux' Documentation/driver-api/early-userspace/buffer-format.rst), the first of which may be
/// microcode that isn't compressed.
/// </summary>
/// <param name="tools">Needs what unpacks it.</param>
internal sealed class InitrdReader(ToolBox tools)
{
    private const int HeaderLength = 110;
    private const int NameSizeAt = 94;
    private const int FileSizeAt = 54;
    private const int LongestName = 4096;
    private const int LongestList = 64 << 10;
    private const int MostMembers = 500_000;
    private const long Largest = 4L << 30;
    private const string LastMember = "TRAILER!!!";

    private static readonly string[] ListsOfDracut = ["usr/lib/dracut/modules.txt", "lib/dracut/modules.txt"];

    /// <param name="path">The initramfs.</param>
    /// <param name="scratch">A private folder.</param>
    /// <exception cref="CrustException">It is damaged, or a tool is missing.</exception>
    public async Task<InitrdFacts> ReadAsync(string path, string scratch, CancellationToken cancellation)
    {
        var found = new Found();
        var rest = Read(path, found);
        if (rest >= 0)
        {
            var packed = Path.Combine(scratch, "initrd.packed");
            await CopyFromAsync(path, rest, packed, cancellation);
            if (Compression.Of(packed) is not { } compression)
            {
                return found.ToFacts("it is compressed in a way that Crust doesn't unpack (lz4, lzo or lzma)");
            }

            var plain = Path.Combine(scratch, "initrd.cpio");
            await compression.UnpackAsync(packed, plain, Largest,
                () => new CrustException(FailureKind.BadInput, $"More than {Size.Format(Largest)} comes of the base's initramfs", path, "make a smaller one"), _ =>
                    { }, tools, cancellation);
            File.Delete(packed);
            Read(plain, found);
            File.Delete(plain);
        }

        return found.ToFacts(found.Members == 0 ? "it is no cpio archive" : null);
    }

    // Where the first archive that is compressed begins; -1 if there is none.
    private static long Read(string path, Found found)
    {
        using var file = new BufferedStream(File.OpenRead(path), 1 << 16);
        while (true)
        {
            var start = SkipZeros(file);
            if (start < 0)
            {
                return -1;
            }

            var header = new byte[HeaderLength];
            if (file.ReadAtLeast(header, HeaderLength, throwOnEndOfStream: false) < HeaderLength || !header.AsSpan().StartsWith("07070"u8))
            {
                return start;
            }

            if (!ReadMember(file, start, header, found))
            {
                return -1;
            }
        }
    }

    private static bool ReadMember(BufferedStream file, long start, byte[] header, Found found)
    {
        var (nameSize, fileSize) = (Number(header, NameSizeAt), Number(header, FileSizeAt));
        if (nameSize is < 1 or > LongestName || fileSize < 0 || ++found.Members > MostMembers)
        {
            return false;
        }

        var name = new byte[nameSize];
        if (file.ReadAtLeast(name, name.Length, throwOnEndOfStream: false) < name.Length)
        {
            return false;
        }

        var content = Aligned(start + HeaderLength + nameSize);
        file.Position = content;
        var text = Encoding.UTF8.GetString(name.AsSpan(0, name.Length - 1));
        if (text != LastMember)
        {
            found.Add(text.StartsWith("./", StringComparison.Ordinal) ? text[2..] : text.TrimStart('/'), file, (int)Math.Min(fileSize, LongestList));
        }

        file.Position = Aligned(content + fileSize);
        return true;
    }

    private static long SkipZeros(BufferedStream file)
    {
        int next;
        while ((next = file.ReadByte()) == 0)
        {
        }

        if (next < 0)
        {
            return -1;
        }

        file.Position--;
        return file.Position;
    }

    private static async Task CopyFromAsync(string path, long offset, string to, CancellationToken cancellation)
    {
        await using var source = File.OpenRead(path);
        source.Position = offset;
        await using var target = PrivateFile.Create(to);
        await source.CopyToAsync(target, cancellation);
    }

    private static long Aligned(long position) => (position + 3) & ~3L;

    private static long Number(byte[] header, int at) =>
        long.TryParse(Encoding.ASCII.GetString(header, at, 8), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var number) ? number : -1;

    private sealed class Found
    {
        private readonly HashSet<string> _dracut = new(StringComparer.Ordinal);
        private readonly HashSet<string> _drivers = new(StringComparer.Ordinal);

        public int Members { get; set; }

        public void Add(string name, BufferedStream content, int length)
        {
            if (ListsOfDracut.Contains(name))
            {
                var text = new byte[length];
                _dracut.UnionWith(Encoding.UTF8.GetString(text, 0, content.ReadAtLeast(text, length, throwOnEndOfStream: false)).Split((char[]?)null,
                    StringSplitOptions.RemoveEmptyEntries));
            }
            else if (DriverIn(name) is { } driver)
            {
                _drivers.Add(driver);
            }
        }

        public InitrdFacts ToFacts(string? unreadable) =>
            new([.. _dracut.Order(StringComparer.Ordinal)], [.. _drivers.Order(StringComparer.Ordinal)], unreadable);
    }

    /// <summary>The driver that a module's file is, with `_` for `-` as the kernel has it; null for another file.</summary>
    internal static string? DriverIn(string path)
    {
        var name = path[(path.LastIndexOf('/') + 1)..];
        return name.IndexOf(".ko", StringComparison.Ordinal) is > 0 and var end && name[end..] is ".ko" or ".ko.xz" or ".ko.zst" or ".ko.gz" ? name[..end].Replace('-',
            '_') : null;
    }
}
