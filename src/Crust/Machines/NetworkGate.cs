using System.Buffers.Binary;
using System.Net;
using System.Threading.Channels;
using Serilog;

namespace Crust.Machines;

/// <summary>
/// Stands between a guest's network card and QEMU's user network. QEMU's filter-redirector hands over each frame that the guest sends (net/filter-mirror.c:
/// a length of 4 bytes, then the frame) and gives to the user network only what comes back. Where nobody reads, or Crust is gone, nothing goes out.
/// </summary>
/// <param name="ports">The sockets to which QEMU connects.</param>
/// <param name="onRefused">Called once for each address that the guest was kept from, from any thread.</param>
internal sealed class NetworkGate(NetworkPorts ports, FrameFilter filter, Action<IPAddress, Refusal> onRefused, ILogger log)
{
    // What QEMU itself takes at most (NET_BUFSIZE).
    private const int LargestFrame = 4096 + 65536;

    // Frames that wait for QEMU. As in any network, those that find no room are lost: if the gate waited for QEMU while QEMU waits for the gate, both would stand still.
    private const int WaitingFrames = 256;

    // A guest may try all addresses there are.
    private const int ToldAddresses = 50;

    private readonly HashSet<IPAddress> _told = [];

    /// <summary>Passes frames until QEMU is gone, or <paramref name="ending"/>.</summary>
    public async Task RunAsync(CancellationToken ending)
    {
        try
        {
            await using var sent = await ports.Sent.AcceptAsync(ending);
            await using var passed = await ports.Passed.AcceptAsync(ending);
            await using var answered = await ports.Answered.AcceptAsync(ending);
            var toNetwork = Channel.CreateBounded<byte[]>(new BoundedChannelOptions(WaitingFrames) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true, SingleWriter = true });
            var toGuest = Channel.CreateBounded<byte[]>(new BoundedChannelOptions(WaitingFrames) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true, SingleWriter = true });
            var writing = Task.WhenAll(WriteAsync(toNetwork.Reader, passed, ending), WriteAsync(toGuest.Reader, answered, ending));
            try
            {
                await ReadAsync(sent, toNetwork.Writer, toGuest.Writer, ending);
            }
            finally
            {
                toNetwork.Writer.Complete();
                toGuest.Writer.Complete();
                await writing;
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or System.Net.Sockets.SocketException or ObjectDisposedException)
        {
            // QEMU or the machine has ended, which others tell.
        }
    }

    private async Task ReadAsync(Stream sent, ChannelWriter<byte[]> toNetwork, ChannelWriter<byte[]> toGuest, CancellationToken ending)
    {
        using var buffered = new BufferedStream(sent, 1 << 16);
        var length = new byte[4];
        while (await buffered.ReadAtLeastAsync(length, length.Length, throwOnEndOfStream: false, ending) == length.Length)
        {
            var size = BinaryPrimitives.ReadInt32BigEndian(length);
            if (size is < 0 or > LargestFrame)
            {
                log.Error("QEMU hands over a frame of {Size} bytes; the machine's network is cut off", size);
                return;
            }

            // With its length before it, as QEMU takes it back.
            var message = new byte[length.Length + size];
            length.CopyTo(message, 0);
            await buffered.ReadExactlyAsync(message.AsMemory(length.Length), ending);
            switch (filter.Judge(message.AsSpan(length.Length)))
            {
                case FrameVerdict.Pass:
                    toNetwork.TryWrite(message);
                    break;
                case FrameVerdict.Refuse refuse:
                    Tell(refuse);
                    if (ProhibitedAnswer.To(message.AsSpan(length.Length)) is { } answer)
                    {
                        toGuest.TryWrite(answer);
                    }

                    break;
            }
        }
    }

    private void Tell(FrameVerdict.Refuse refuse)
    {
        if (_told.Count < ToldAddresses && _told.Add(refuse.Address))
        {
            log.Information("The guest is kept from {Address}: {What}", refuse.Address, refuse.Why.What);
            onRefused(refuse.Address, refuse.Why);
        }
    }

    private static async Task WriteAsync(ChannelReader<byte[]> frames, Stream stream, CancellationToken ending)
    {
        try
        {
            await foreach (var frame in frames.ReadAllAsync(ending))
            {
                await stream.WriteAsync(frame, ending);
            }
        }
        catch (IOException)
        {
            // QEMU is gone.
        }
    }
}

/// <summary>The sockets of a <see cref="NetworkGate"/>.</summary>
/// <param name="Sent">Frames that the guest sends.</param>
/// <param name="Passed">Those of them that may go on.</param>
/// <param name="Answered">Frames for the guest in their place.</param>
internal sealed record NetworkPorts(MachinePorts.Endpoint Sent, MachinePorts.Endpoint Passed, MachinePorts.Endpoint Answered) : IDisposable
{
    public static NetworkPorts Create(string folder) => new(
        new MachinePorts.Endpoint(Path.Combine(folder, "ntx")), new MachinePorts.Endpoint(Path.Combine(folder, "nfw")), new MachinePorts.Endpoint(Path.Combine(folder, "nrx")));

    public void Dispose()
    {
        Sent.Dispose();
        Passed.Dispose();
        Answered.Dispose();
    }
}
