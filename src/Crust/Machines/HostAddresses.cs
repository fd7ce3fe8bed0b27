using System.Collections.Frozen;
using System.Net;
using System.Net.NetworkInformation;

namespace Crust.Machines;

/// <summary>This host's own addresses, read anew now and then: an interface may come up while a machine runs.</summary>
internal sealed class HostAddresses(TimeProvider time, Func<IEnumerable<IPAddress>> read)
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(2);

    private readonly Lock _lock = new();
    private FrozenSet<IPAddress> _addresses = read().ToFrozenSet();
    private long _read = time.GetTimestamp();

    public static HostAddresses Of(TimeProvider time) => new(time, () => NetworkInterface.GetAllNetworkInterfaces()
        .SelectMany(card => card.GetIPProperties().UnicastAddresses)
        // Linux' scope of a link-local address isn't part of what a guest sends.
        .Select(entry => new IPAddress(entry.Address.GetAddressBytes())));

    public bool Contains(IPAddress address)
    {
        lock (_lock)
        {
            if (time.GetElapsedTime(_read) > Lifetime)
            {
                TryRead();
            }

            return _addresses.Contains(address);
        }
    }

    private void TryRead()
    {
        try
        {
            _addresses = read().ToFrozenSet();
        }
        catch (NetworkInformationException)
        {
            // An interface went away while it was read. What was known holds until the next look.
        }

        _read = time.GetTimestamp();
    }
}
