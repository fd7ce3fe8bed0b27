using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Crust.Spec;

namespace Crust.Machines;

/// <summary>
/// Which addresses a guest of `machine.network: internet` reaches: those of the internet, and those that its spec allows. Never this host, what is linked
/// to it alone, and the metadata services of clouds, which give a host's own credentials to whoever asks from it.
/// </summary>
/// <param name="allowed">Private networks that the spec allows (`machine.networkAllow`).</param>
/// <param name="isOwn">Whether an address is one of this host's own.</param>
internal sealed class AddressRules(ImmutableArray<IPNetwork> allowed, Func<IPAddress, bool> isOwn)
{
    // IPv6 has one block of addresses of the internet (RFC 4291, section 2.4).
    private static readonly IPNetwork GlobalUnicast = IPNetwork.Parse("2000::/3");

    /// <summary>Why an address isn't reached; null if it is.</summary>
    public Refusal? Judge(IPAddress address)
    {
        // IPNetwork takes it for the address of IPv4 that it carries.
        if (address.IsIPv4MappedToIPv6)
        {
            return new Refusal("a special-purpose address", CanBeAllowed: false);
        }

        if (SpecialNetworks.Never.FirstOrDefault(row => row.Network.Contains(address)) is { What: { } what })
        {
            return new Refusal(what, CanBeAllowed: false);
        }

        if (isOwn(address))
        {
            return new Refusal("an address of this host", CanBeAllowed: false);
        }

        return allowed.Any(network => network.Contains(address)) ? null
            : SpecialNetworks.Private.Any(network => network.Contains(address)) ? new Refusal("a private address", CanBeAllowed: true)
            : address.AddressFamily is AddressFamily.InterNetworkV6 && !GlobalUnicast.Contains(address) ? new Refusal("a special-purpose address", CanBeAllowed: true)
            : null;
    }
}

/// <param name="What">What kind of address it is.</param>
/// <param name="CanBeAllowed">Whether a spec can allow it.</param>
internal sealed record Refusal(string What, bool CanBeAllowed);
