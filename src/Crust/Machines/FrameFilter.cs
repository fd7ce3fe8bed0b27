using System.Buffers.Binary;
using System.Net;

namespace Crust.Machines;

/// <summary>What becomes of a frame that a guest sends.</summary>
internal abstract record FrameVerdict
{
    private FrameVerdict()
    {
    }

    /// <summary>It goes on to QEMU's user network.</summary>
    public sealed record Pass : FrameVerdict;

    /// <summary>It goes nowhere, and nobody need know.</summary>
    public sealed record Drop : FrameVerdict;

    /// <summary>It goes nowhere: the guest isn't to reach <paramref name="Address"/>.</summary>
    public sealed record Refuse(IPAddress Address, Refusal Why) : FrameVerdict;
}

/// <summary>
/// Decides over each Ethernet frame of a guest before QEMU's user network (libslirp) sees it. It has no state: who opens a connection, or sends a datagram,
/// does so by a frame that names its destination. Only what libslirp reads is let through: ARP, IPv4 and IPv6 without tags before them.
/// </summary>
/// <param name="answersSsh">Whether the guest may answer on port 22 to what QEMU forwards from this host.</param>
internal sealed class FrameFilter(AddressRules rules, bool answersSsh)
{
    private const int Ethernet = 14;
    private const int Icmp = 1;
    private const int Tcp = 6;
    private const int Udp = 17;
    private const int Icmp6 = 58;
    private const byte Ack = 0x10;
    private const ushort DnsPort = 53;
    private const ushort DhcpServer = 67;
    private const ushort Dhcp6Server = 547;

    private static readonly FrameVerdict Pass = new FrameVerdict.Pass();
    private static readonly FrameVerdict Drop = new FrameVerdict.Drop();

    // libslirp's defaults: its network, the host in it (whose ports are those of this host's loopback), and its name server.
    private static readonly IPNetwork Virtual = IPNetwork.Parse("10.0.2.0/24");
    private static readonly IPAddress Gateway = IPAddress.Parse("10.0.2.2");
    private static readonly IPAddress NameServer = IPAddress.Parse("10.0.2.3");
    private static readonly IPNetwork Virtual6 = IPNetwork.Parse("fec0::/64");
    private static readonly IPAddress NameServer6 = IPAddress.Parse("fec0::3");
    private static readonly IPNetwork LinkLocal6 = IPNetwork.Parse("fe80::/10");
    private static readonly IPNetwork LinkMulticast6 = IPNetwork.Parse("ff02::/16");

    public FrameVerdict Judge(ReadOnlySpan<byte> frame) => frame.Length < Ethernet ? Drop : BinaryPrimitives.ReadUInt16BigEndian(frame[12..]) switch
    {
        0x0806 => Pass,
        0x0800 => JudgeIPv4(frame[Ethernet..]),
        0x86dd => JudgeIPv6(frame[Ethernet..]),
        _ => Drop,
    };

    private FrameVerdict JudgeIPv4(ReadOnlySpan<byte> packet)
    {
        var header = packet.Length < 20 ? 0 : (packet[0] & 0x0f) * 4;
        if (header < 20 || packet[0] >> 4 != 4 || packet.Length < header)
        {
            return Drop;
        }

        var to = new IPAddress(packet.Slice(16, 4));
        if (!Virtual.Contains(to) && !to.Equals(IPAddress.Broadcast))
        {
            return JudgeAddress(to);
        }

        // A fragment behind the first has no ports, and none of libslirp's own services needs one.
        var isFragment = (BinaryPrimitives.ReadUInt16BigEndian(packet[6..]) & 0x3fff) != 0;
        var payload = packet[header..];
        var passes = !isFragment && packet[9] switch
        {
            Udp => (PortOf(payload) is DnsPort && to.Equals(NameServer)) || (PortOf(payload) is DhcpServer && !to.Equals(NameServer) && (to.Equals(Gateway) || to.Equals(IPAddress.Broadcast))),
            Tcp => (PortOf(payload) is DnsPort && to.Equals(NameServer)) || (to.Equals(Gateway) && IsSshAnswer(payload)),
            // libslirp answers these itself.
            Icmp => to.Equals(Gateway) || to.Equals(NameServer),
            _ => false,
        };
        return passes ? Pass : to.Equals(Gateway) ? new FrameVerdict.Refuse(to, new Refusal("this host's loopback", CanBeAllowed: false)) : Drop;
    }

    private FrameVerdict JudgeIPv6(ReadOnlySpan<byte> packet)
    {
        if (packet.Length < 40 || packet[0] >> 4 != 6)
        {
            return Drop;
        }

        var to = new IPAddress(packet.Slice(24, 16));
        if (!Virtual6.Contains(to) && !LinkLocal6.Contains(to) && !LinkMulticast6.Contains(to))
        {
            return JudgeAddress(to);
        }

        var payload = packet[40..];
        var passes = packet[6] switch
        {
            // Neighbour and router discovery; libslirp passes none of it on.
            Icmp6 => true,
            Udp => (PortOf(payload) is DnsPort && to.Equals(NameServer6)) || (PortOf(payload) is Dhcp6Server && LinkMulticast6.Contains(to)),
            Tcp => PortOf(payload) is DnsPort && to.Equals(NameServer6),
            _ => false,
        };
        return passes ? Pass : Drop;
    }

    private FrameVerdict JudgeAddress(IPAddress to) => rules.Judge(to) is { } why ? new FrameVerdict.Refuse(to, why) : Pass;

    private static ushort PortOf(ReadOnlySpan<byte> payload) => payload.Length < 8 ? (ushort)0 : BinaryPrimitives.ReadUInt16BigEndian(payload[2..]);

    // libslirp opens a connection for a segment with SYN alone; what has ACK belongs to one that is open, or is answered with a reset.
    private bool IsSshAnswer(ReadOnlySpan<byte> payload) =>
        answersSsh && payload.Length >= 20 && BinaryPrimitives.ReadUInt16BigEndian(payload) == 22 && (payload[13] & Ack) != 0;
}
