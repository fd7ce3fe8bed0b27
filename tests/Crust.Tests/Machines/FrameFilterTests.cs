using System.Net;
using Crust.Machines;
using static Crust.Tests.Machines.GuestFrame;

namespace Crust.Tests.Machines;

/// <summary>What a guest of `machine.network: internet` reaches.</summary>
public sealed class FrameFilterTests
{
    private static readonly HashSet<IPAddress> Own = [IPAddress.Parse("203.0.113.1"), IPAddress.Parse("192.168.7.1"), IPAddress.Parse("2001:db8::1")];

    [TestCase("203.0.113.2")]
    [TestCase("8.8.8.8")]
    [TestCase("172.32.0.1")]
    [TestCase("2001:db8::2")]
    [TestCase("2606:4700::1111")]
    public void The_internet_is_reached(string address)
    {
        foreach (var protocol in new[] { Tcp, Udp, Icmp })
            Assert.That(Judge(To(address, protocol)), Is.InstanceOf<FrameVerdict.Pass>(), $"{protocol}");
    }

    [TestCase("127.0.0.1", "this host's loopback")]
    [TestCase("127.8.9.1", "this host's loopback")]
    [TestCase("0.0.0.0", "an address of this host")]
    [TestCase("10.0.2.2", "this host's loopback")]
    [TestCase("203.0.113.1", "an address of this host")]
    [TestCase("192.168.7.1", "an address of this host")]
    [TestCase("2001:db8::1", "an address of this host")]
    [TestCase("169.254.169.254", "a link-local address")]
    [TestCase("168.63.129.16", "Azure's metadata service")]
    [TestCase("100.100.100.200", "a cloud's metadata service")]
    [TestCase("fd00:ec2::254", "a cloud's metadata service")]
    [TestCase("10.1.2.3", "a private address")]
    [TestCase("172.16.0.1", "a private address")]
    [TestCase("172.31.255.255", "a private address")]
    [TestCase("192.168.0.1", "a private address")]
    [TestCase("100.64.0.1", "a private address")]
    [TestCase("fd12::1", "a private address")]
    [TestCase("224.0.0.251", "a multicast address")]
    [TestCase("255.255.255.254", "a reserved address")]
    [TestCase("::1", "a special-purpose address")]
    [TestCase("::ffff:127.0.0.1", "a special-purpose address")]
    [TestCase("::ffff:203.0.113.1", "a special-purpose address")]
    [TestCase("::ffff:8.8.8.8", "a special-purpose address")]
    [TestCase("64:ff9b::a00:1", "a special-purpose address")]
    [TestCase("2002:7f00:1::", "a special-purpose address")]
    public void What_is_not_of_the_internet_is_refused_for_each_protocol_and_fragment(string address, string what)
    {
        foreach (var frame in new[] { To(address, Tcp), To(address, Udp), To(address, Tcp, port: 22, from: 22), To(address, Udp, fragment: 0x2000), To(address, Udp, fragment: 0x0010), To(address, Tcp, port: 53) })
            Assert.That((Judge(frame) as FrameVerdict.Refuse)?.Why.What, Is.EqualTo(what));
    }

    [TestCase("10.0.2.1")]
    [TestCase("10.0.2.77")]
    [TestCase("10.0.2.255")]
    [TestCase("255.255.255.255")]
    [TestCase("fec0::1")]
    [TestCase("fec0::2")]
    [TestCase("fec0::77")]
    [TestCase("fe80::2")]
    [TestCase("fe80::3")]
    [TestCase("ff02::1")]
    public void QEMUs_own_network_has_no_other_way_to_this_hosts_loopback(string address)
    {
        foreach (var frame in new[] { To(address, Tcp), To(address, Udp), To(address, Tcp, port: 53), To(address, Udp, port: 53), To(address, Udp, port: 69), To(address, 47) })
            Assert.That(Judge(frame), Is.InstanceOf<FrameVerdict.Drop>());
    }

    [Test]
    public void Names_and_an_address_of_its_own_are_to_be_had()
    {
        byte[][] frames =
        [
            To("255.255.255.255", Udp, port: 67), To("10.0.2.2", Udp, port: 67), To("10.0.2.3", Udp, port: 53), To("10.0.2.3", Tcp, port: 53), To("10.0.2.2", Icmp), To("10.0.2.3", Icmp),
            To("fec0::3", Udp, port: 53), To("fec0::3", Tcp, port: 53), To("ff02::1:2", Udp, port: 547), To("ff02::2", Icmp6), To("fe80::2", Icmp6), Ethernet(0x0806, new byte[28]),
        ];
        Assert.That(frames.Select(Judge), Is.All.InstanceOf<FrameVerdict.Pass>());
    }

    [Test]
    public void Of_the_name_server_nothing_but_names_is_reached() => Assert.That(
        new[] { To("10.0.2.3", Tcp, port: 22), To("10.0.2.3", Udp, port: 67), To("10.0.2.3", Udp, port: 53, fragment: 0x2000), To("10.0.2.3", Udp, port: 53, fragment: 3), To("fec0::3", Tcp, port: 80) }.Select(Judge),
        Is.All.InstanceOf<FrameVerdict.Drop>());

    [Test]
    public void What_is_no_plain_packet_is_dropped()
    {
        var tagged = Ethernet(0x8100, [0, 1, 8, 0, .. To("8.8.8.8", Tcp)[14..]]);
        var short4 = To("8.8.8.8", Tcp)[..30];
        var short6 = To("2606:4700::1111", Tcp)[..50];
        var noVersion = To("8.8.8.8", Tcp);
        noVersion[14] = 0x65;
        var noHeader = To("8.8.8.8", Tcp);
        noHeader[14] = 0x44;
        var longHeader = To("10.0.2.3", Udp, port: 53);
        longHeader[14] = 0x4f;

        Assert.That(new[] { tagged, short4, short6, noVersion, noHeader, longHeader, new byte[13], [] }.Select(Judge), Is.All.InstanceOf<FrameVerdict.Drop>());
    }

    [Test]
    public void The_answers_of_its_SSH_server_pass_and_a_connection_from_its_port_does_not()
    {
        var filter = Filter(ssh: true);

        Assert.That(filter.Judge(To("10.0.2.2", Tcp, port: 40000, from: 22, flags: SynAck)), Is.InstanceOf<FrameVerdict.Pass>());
        Assert.That(filter.Judge(To("10.0.2.2", Tcp, port: 40000, from: 22, flags: Syn)), Is.InstanceOf<FrameVerdict.Refuse>());
        Assert.That(filter.Judge(To("10.0.2.2", Tcp, port: 40000, from: 22, flags: SynAck, fragment: 0x2000)), Is.InstanceOf<FrameVerdict.Refuse>());
        Assert.That(Judge(To("10.0.2.2", Tcp, port: 40000, from: 22, flags: SynAck)), Is.InstanceOf<FrameVerdict.Refuse>(), "nothing is forwarded to it");
    }

    [Test]
    public void Private_networks_that_the_spec_allows_are_reached_and_this_host_in_them_is_not()
    {
        var filter = Filter(false, "192.168.0.0/16", "10.9.9.9/32", "fd12::/64", "0.0.0.0/0");

        Assert.That(new[] { "192.168.7.2", "10.9.9.9", "10.1.1.1", "fd12::5", "8.8.8.8" }.Select(address => filter.Judge(To(address, Tcp))), Is.All.InstanceOf<FrameVerdict.Pass>());
        Assert.That(new[] { "192.168.7.1", "127.0.0.1", "169.254.169.254", "fd12:1::1", "10.0.2.2", "100.100.100.200" }.Select(address => filter.Judge(To(address, Tcp))), Is.All.InstanceOf<FrameVerdict.Refuse>());
    }

    [Test]
    public void A_refused_connection_is_answered_as_a_router_would()
    {
        var answer = ProhibitedAnswer.To(To("10.1.2.3", Tcp, port: 443))!;

        Assert.That(answer, Has.Length.EqualTo(4 + 14 + 20 + 8 + 28));
        Assert.That((answer[3], string.Join(' ', answer[4..16]), answer[4 + 14 + 9], answer[4 + 34], answer[4 + 35]), Is.EqualTo(((byte)70, "82 84 0 18 52 86 82 85 10 0 2 2", Icmp, (byte)3, (byte)13)));
        Assert.That((Checksum(answer.AsSpan(4 + 14, 20)), Checksum(answer.AsSpan(4 + 34))), Is.EqualTo(((ushort)0, (ushort)0)), "a checksum over itself is zero");
        Assert.That(new[] { To("10.1.2.3", Icmp), To("fd12::1", Tcp), To("10.1.2.3", Udp, fragment: 3), To("10.1.2.3", Tcp)[..40] }.Select(frame => ProhibitedAnswer.To(frame)), Is.All.Null);
    }

    [Test]
    public void This_hosts_addresses_are_read_again()
    {
        var time = new ManualTime();
        IPAddress[] now = [IPAddress.Parse("198.51.100.1")];
        var addresses = new HostAddresses(time, () => now);

        now = [IPAddress.Parse("198.51.100.2")];
        Assert.That((addresses.Contains(IPAddress.Parse("198.51.100.1")), addresses.Contains(IPAddress.Parse("198.51.100.2"))), Is.EqualTo((true, false)));
        time.Advance(TimeSpan.FromSeconds(3));
        Assert.That((addresses.Contains(IPAddress.Parse("198.51.100.1")), addresses.Contains(IPAddress.Parse("198.51.100.2"))), Is.EqualTo((false, true)));
        Assert.That(HostAddresses.Of(time).Contains(IPAddress.Loopback), Is.True);
    }

    private static FrameVerdict Judge(byte[] frame) => Filter(ssh: false).Judge(frame);

    private static FrameFilter Filter(bool ssh, params string[] allowed) => new(new AddressRules([.. allowed.Select(IPNetwork.Parse)], Own.Contains), ssh);
}
