using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Crust.Machines.Watching;

/// <summary>A machine's screen at one moment: pixels of three bytes (red, green, blue), line by line from the top.</summary>
internal sealed class ScreenPicture
{
    // A blinking cursor is 2 of 10,000 pixels in text mode; a new line of text is some hundred.
    private const double Noticeable = 0.0005;

    private readonly byte[] _ppm;
    private readonly int _start;

    private ScreenPicture(int width, int height, byte[] ppm, int start)
    {
        (Width, Height) = (width, height);
        (_ppm, _start) = (ppm, start);
        Hash = Convert.ToHexStringLower(SHA256.HashData(ppm));
    }

    public int Width { get; }

    public int Height { get; }

    /// <summary>A SHA-256 over size and pixels.</summary>
    public string Hash { get; }

    /// <summary>Whether it has the size of VGA's text mode, 80 by 25 characters of 9 (or 8) by 16 pixels.</summary>
    public bool IsText => (Width, Height) is (720, 400) or (640, 400);

    private ReadOnlySpan<byte> Pixels => _ppm.AsSpan(_start);

    /// <summary>Reads a binary PPM (netpbm's format "P6" with 255 as its maximum), as QEMU's `screendump` writes it.</summary>
    /// <exception cref="InvalidDataException">It is something else, or cut short.</exception>
    public static ScreenPicture Parse(byte[] ppm)
    {
        var at = 0;
        if (NextWord() != "P6" || !Number(out var width) || !Number(out var height) || !Number(out var maximum) || maximum != 255
            || ppm.Length - at != (long)width * height * 3)
        {
            throw new InvalidDataException("it isn't a whole PPM picture");
        }

        return new ScreenPicture(width, height, ppm, at);

        bool Number(out int value) => int.TryParse(NextWord(), NumberStyles.None, CultureInfo.InvariantCulture, out value);

        // Words are followed by one blank each; the pixels begin behind the last one's.
        string NextWord()
        {
            var start = at;
            while (at < ppm.Length && at - start < 10 && ppm[at] > ' ')
            {
                at++;
            }

            return Encoding.ASCII.GetString(ppm, start, at++ - start);
        }
    }

    /// <summary>Whether a person would see more of a difference than a blinking cursor.</summary>
    public bool DiffersFrom(ScreenPicture? other)
    {
        if (other is null || (Width, Height) != (other.Width, other.Height))
        {
            return true;
        }

        if (Hash == other.Hash)
        {
            return false;
        }

        var limit = (int)(Width * Height * Noticeable);
        var mine = Pixels;
        var theirs = other.Pixels;
        for (var (i, different) = (0, 0); i < mine.Length; i += 3)
        {
            if (!mine.Slice(i, 3).SequenceEqual(theirs.Slice(i, 3)) && ++different > limit)
            {
                return true;
            }
        }

        return false;
    }
}
