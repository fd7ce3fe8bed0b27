using System.Buffers.Binary;
using System.Net;

namespace Crust.Tests.Machines;

/// <summary>Ethernet frames as a guest sends them.</summary>
internal static class GuestFrame
{
    public const byte Icmp = 1;
    public const byte Tcp = 6;
    public const byte Udp = 17;
    public const byte Icmp6 = 58;
    public const byte Syn = 0x02;
    public const byte SynAck = 0x12;

    /// <summary>A frame of another kind: VLAN's tag, for one.</summary>
    public static byte[] Ethernet(ushort type, params byte[] payload)
    {
        byte[] frame = [0x52, 0x55, 10, 0, 2, 2, 0x52, 0x54, 0, 0x12, 0x34, 0x56, (byte)(type >> 8), (byte)type, .. payload];
        return frame;
    }

    /// <summary>A packet of IPv4 or IPv6, as its address is.</summary>
    public static byte[] To(string address, byte protocol, ushort port = 7001, ushort from = 40000, byte flags = Syn, ushort fragment = 0)
    {
        var payload = protocol switch
        {
            Tcp => TcpSegment(from, port, flags),
            Udp => [(byte)(from >> 8), (byte)from, (byte)(port >> 8), (byte)port, 0, 9, 0, 0, (byte)'x'],
            _ => new byte[] { 8, 0, 0, 0, 0, 1, 0, 1 },
        };
        var to = IPAddress.Parse(address).GetAddressBytes();
        if (to.Length == 16)
        {
            return Ethernet(0x86dd, [0x60, 0, 0, 0, 0, (byte)payload.Length, protocol, 64, .. IPAddress.Parse("fec0::15").GetAddressBytes(), .. to, .. payload]);
        }

        byte[] header = [0x45, 0, 0, (byte)(20 + payload.Length), 0, 1, (byte)(fragment >> 8), (byte)fragment, 64, protocol, 0, 0, 10, 0, 2, 15, .. to];
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(10), Checksum(header));
        if (protocol is Tcp)
        {
            byte[] pseudo = [10, 0, 2, 15, .. to, 0, Tcp, 0, (byte)payload.Length, .. payload];
            BinaryPrimitives.WriteUInt16BigEndian(payload.AsSpan(16), Checksum(pseudo));
        }

        return Ethernet(0x0800, [.. header, .. payload]);
    }

    public static ushort Checksum(ReadOnlySpan<byte> bytes)
    {
        var sum = 0;
        for (var i = 0; i < bytes.Length; i += 2)
        {
            sum += (bytes[i] << 8) | (i + 1 < bytes.Length ? bytes[i + 1] : 0);
        }

        while (sum >> 16 != 0)
        {
            sum = (sum & 0xffff) + (sum >> 16);
        }

        return (ushort)~sum;
    }

    private static byte[] TcpSegment(ushort from, ushort to, byte flags) =>
        [(byte)(from >> 8), (byte)from, (byte)(to >> 8), (byte)to, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, flags, 0xff, 0xff, 0, 0, 0, 0];
}
