using System.Text;
using Crust.Storage;
using Microsoft.Win32.SafeHandles;

namespace Crust.Formats.Headers;

/// <summary>The bytes of an image, a whole file or a part of one, as its header's reader sees them. Nothing outside of them is ever read.</summary>
/// <param name="offset">Where the image starts in it.</param>
/// <param name="length">Its length in bytes.</param>
internal sealed class ImageBytes(SafeFileHandle file, long offset, long length)
{
    /// <summary>The most that is read at a time: a qcow2's first cluster.</summary>
    public const int Most = 2 << 20;

    private const int LongestText = 200;

    /// <summary>Length in bytes.</summary>
    public long Length => length;

    /// <summary>Reads bytes, all of which have to be there.</summary>
    /// <exception cref="InvalidDataException">They aren't.</exception>
    /// <exception cref="IOException">They can't be read.</exception>
    public byte[] Read(long at, int count, string what)
    {
        Require(at, count, what);
        if (count > Most)
        {
            throw new InvalidDataException($"{what} is longer than any program writes it");
        }

        var bytes = new byte[count];
        return file.ReadUpTo(bytes, offset + at) == count ? bytes : throw new InvalidDataException($"the file ends within {what}");
    }

    /// <summary>Reads bytes of which some may be missing.</summary>
    /// <exception cref="IOException">They can't be read.</exception>
    public byte[] ReadUpTo(long at, int count) => at >= 0 && at < length ? Read(at, (int)Math.Min(Math.Min(count, Most), length - at), "the header") : [];

    /// <summary>Reads all of it, which somebody has found short enough.</summary>
    /// <exception cref="InvalidDataException">The file has become shorter.</exception>
    /// <exception cref="IOException">It can't be read.</exception>
    public byte[] ReadAll(string what)
    {
        var bytes = new byte[length];
        return file.ReadUpTo(bytes, offset) == length ? bytes : throw new InvalidDataException($"the file ends within {what}");
    }

    /// <summary>Checks that something lies within the image.</summary>
    /// <exception cref="InvalidDataException">It doesn't.</exception>
    public void Require(long at, long count, string what)
    {
        if (at < 0 || count < 0 || at > length || count > length - at)
        {
            throw new InvalidDataException($"{what} lies outside of the file");
        }
    }

    /// <summary>Checks that something lies within the image. Numbers too large for any file are outside as well.</summary>
    /// <exception cref="InvalidDataException">It doesn't.</exception>
    public void Require(ulong at, ulong count, string what) => Require((long)Math.Min(at, long.MaxValue), (long)Math.Min(count, long.MaxValue), what);

    /// <summary>A name that stands in an image, for a message: bounded, and without anything that a terminal acts on.</summary>
    public static string Printable(ReadOnlySpan<byte> name, Encoding? encoding = null)
    {
        var text = (encoding ?? Encoding.UTF8).GetString(name[..Math.Min(name.Length, 4 * LongestText)]).TrimEnd('\0');
        var clean = string.Concat(text.EnumerateRunes().Take(LongestText)
            .Select(rune => Rune.IsControl(rune) || Rune.GetUnicodeCategory(rune) is System.Globalization.UnicodeCategory.Format ? "?" : rune.ToString()));
        return clean.Length < text.Length ? clean + "…" : clean;
    }
}

/// <summary>An image isn't complete in itself.</summary>
/// <param name="needs">What it needs beside itself.</param>
internal sealed class NeedsOtherFilesException(string needs) : Exception(needs);
