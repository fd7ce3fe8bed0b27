namespace Crust.Disks;

/// <summary>The checksum of GPT (UEFI specification, section 5.3.1): CRC-32 with the reflected polynomial 0x04C11DB7, as in Ethernet and gzip.</summary>
internal static class Crc32
{
    private static readonly uint[] Table = [.. Enumerable.Range(0, 256).Select(i => Enumerable.Range(0, 8).Aggregate((uint)i, (crc, _) => (crc >> 1) ^ ((crc & 1) * 0xedb88320)))];

    public static uint Of(ReadOnlySpan<byte> data)
    {
        var crc = uint.MaxValue;
        foreach (var octet in data)
        {
            crc = (crc >> 8) ^ Table[(byte)(crc ^ octet)];
        }

        return ~crc;
    }
}
