using System.Buffers.Binary;

namespace Crust.Machines;

/// <summary>
/// What a router says of a packet that it isn't to let through: ICMP's destination unreachable, communication administratively prohibited (RFC 1812,
/// section 5.2.7.1). A guest that is told so gives up at once, where it would wait for minutes.
/// </summary>
internal static class ProhibitedAnswer
{
    private const int Ethernet = 14;
    private const int IPv4 = 20;
    private const int Icmp = 8;

    // The packet's first 8 bytes behind its header: ports, and TCP's sequence number.
    private const int Quoted = 8;

    /// <summary>The answer to an Ethernet frame, with its length of 4 bytes before it; null where there is none to give.</summary>
    public static byte[]? To(ReadOnlySpan<byte> frame)
    {
        if (frame.Length < Ethernet + IPv4 + Quoted || BinaryPrimitives.ReadUInt16BigEndian(frame[12..]) != 0x0800)
        {
            return null;
        }

        var packet = frame[Ethernet..];
        var header = (packet[0] & 0x0f) * 4;
        // Only TCP and UDP, so that no answer is answered; a fragment behind the first has no ports.
        if (packet[9] is not (6 or 17) || (BinaryPrimitives.ReadUInt16BigEndian(packet[6..]) & 0x1fff) != 0 || packet.Length < header + Quoted)
        {
            return null;
        }

        var length = IPv4 + Icmp + header + Quoted;
        var answer = new byte[4 + Ethernet + length];
        BinaryPrimitives.WriteInt32BigEndian(answer, Ethernet + length);
        var ethernet = answer.AsSpan(4);
        frame[6..12].CopyTo(ethernet);
        // The source, which libslirp would use: 52:55 and its own address, 10.0.2.2.
        ReadOnlySpan<byte> from = [0x52, 0x55, 10, 0, 2, 2];
        from.CopyTo(ethernet[6..]);
        frame[12..14].CopyTo(ethernet[12..]);

        var ip = ethernet[Ethernet..];
        ip[0] = 0x45;
        BinaryPrimitives.WriteUInt16BigEndian(ip[2..], (ushort)length);
        ip[8] = 64;
        ip[9] = 1;
        from[2..].CopyTo(ip[12..]);
        packet.Slice(12, 4).CopyTo(ip[16..]);
        BinaryPrimitives.WriteUInt16BigEndian(ip[10..], Checksum(ip[..IPv4]));

        var icmp = ip[IPv4..];
        icmp[0] = 3;
        icmp[1] = 13;
        packet[..(header + Quoted)].CopyTo(icmp[Icmp..]);
        BinaryPrimitives.WriteUInt16BigEndian(icmp[2..], Checksum(icmp));
        return answer;
    }

    // RFC 1071. All that is summed here has an even length.
    private static ushort Checksum(ReadOnlySpan<byte> bytes)
    {
        var sum = 0;
        for (var i = 0; i < bytes.Length; i += 2)
        {
            sum += BinaryPrimitives.ReadUInt16BigEndian(bytes[i..]);
        }

        sum = (sum & 0xffff) + (sum >> 16);
        return (ushort)~((sum & 0xffff) + (sum >> 16));
    }
}
