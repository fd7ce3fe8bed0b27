namespace Crust.Fleet;

/// <summary>The codewords of a QR code (ISO/IEC 18004) of level M: a text's bytes, and the Reed-Solomon codes by which a reader corrects errors.</summary>
internal static class QrWords
{
    private const int ByteMode = 0b0100;

    // Table 9, level M: error correction codewords of a block, and blocks, for versions 1 to 10.
    private static readonly int[] CorrectionLength = [10, 16, 26, 18, 24, 16, 18, 22, 22, 26];
    private static readonly int[] BlockCount = [1, 1, 1, 2, 2, 4, 4, 4, 5, 5];

    /// <summary>The codewords in the order in which they are drawn; null if the bytes don't fit.</summary>
    /// <param name="version">The code's size, 1 to 10.</param>
    public static byte[]? Of(byte[] bytes, int version)
    {
        var capacity = RawBits(version) / 8 - CorrectionLength[version - 1] * BlockCount[version - 1];
        return bytes.Length <= capacity - (version < 10 ? 2 : 3) ? WithCorrection(Data(bytes, version, capacity), version) : null;
    }

    // What function patterns leave (section 7.1): modules of data, in bits.
    private static int RawBits(int version)
    {
        var alignments = version / 7 + 2;
        return (16 * version + 128) * version + 64 - (version < 2 ? 0 : (25 * alignments - 10) * alignments - 55) - (version < 7 ? 0 : 36);
    }

    // Section 7.4: mode, length, bytes, terminator, padding.
    private static byte[] Data(byte[] bytes, int version, int capacity)
    {
        var words = new byte[capacity];
        var bit = 0;
        Append(ByteMode, 4);
        Append(bytes.Length, version < 10 ? 8 : 16);
        foreach (var value in bytes)
        {
            Append(value, 8);
        }

        var used = (Math.Min(bit + 4, capacity * 8) + 7) / 8;
        for (var i = used; i < capacity; i++)
        {
            words[i] = (i - used) % 2 == 0 ? (byte)0xec : (byte)0x11;
        }

        return words;

        void Append(int value, int length)
        {
            for (var i = length - 1; i >= 0; i--, bit++)
            {
                words[bit / 8] |= (byte)(((value >> i) & 1) << (7 - bit % 8));
            }
        }
    }

    // Sections 7.5 and 7.6: blocks with their Reed-Solomon codes, interleaved. The last blocks may have one codeword more.
    private static byte[] WithCorrection(byte[] words, int version)
    {
        var (blocks, length) = (BlockCount[version - 1], CorrectionLength[version - 1]);
        var raw = RawBits(version) / 8;
        var shortBlocks = blocks - raw % blocks;
        var shortData = raw / blocks - length;
        var divisor = Divisor(length);
        var data = new List<byte[]>();
        for (int i = 0, at = 0; i < blocks; at += data[i].Length, i++)
        {
            data.Add(words[at..(at + shortData + (i < shortBlocks ? 0 : 1))]);
        }

        var corrections = data.Select(block => Remainder(block, divisor)).ToList();
        return
        [
            .. Enumerable.Range(0, shortData + 1).SelectMany(i => data.Where(block => i < block.Length).Select(block => block[i])),
            .. Enumerable.Range(0, length).SelectMany(i => corrections.Select(block => block[i])),
        ];
    }

    private static byte[] Divisor(int degree)
    {
        var result = new byte[degree];
        result[^1] = 1;
        byte root = 1;
        for (var i = 0; i < degree; i++)
        {
            for (var j = 0; j < degree; j++)
            {
                result[j] = (byte)(Multiply(result[j], root) ^ (j + 1 < degree ? result[j + 1] : 0));
            }

            root = Multiply(root, 2);
        }

        return result;
    }

    private static byte[] Remainder(byte[] data, byte[] divisor)
    {
        var result = new byte[divisor.Length];
        foreach (var value in data)
        {
            var factor = (byte)(value ^ result[0]);
            result.AsSpan(1).CopyTo(result);
            result[^1] = 0;
            for (var i = 0; i < result.Length; i++)
            {
                result[i] ^= Multiply(divisor[i], factor);
            }
        }

        return result;
    }

    // In GF(2^8) modulo x^8 + x^4 + x^3 + x^2 + 1.
    private static byte Multiply(byte x, byte y)
    {
        var product = 0;
        for (var i = 7; i >= 0; i--)
        {
            product = (product << 1) ^ ((product >> 7) * 0x11d);
            product ^= ((y >> i) & 1) * x;
        }

        return (byte)product;
    }
}
