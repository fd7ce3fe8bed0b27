using System.Buffers;
using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Channels;

namespace Crust.Machines.Qmp;

/// <summary>
/// A client of QEMU's machine protocol (docs/interop/qmp-spec in QEMU's sources). Events may come between a command
/// and its reply, so replies are matched by id. Commands may be sent from several threads at a time.
/// </summary>
internal sealed class QmpClient : IAsyncDisposable
{
    // QEMU's largest reply, to query-qmp-schema, has a quarter of a MiB. A peer that sends more without a line's end isn't QEMU.
    private const int LongestMessage = 4 << 20;

    // Events that wait for their reader. When there are more, QEMU waits: a flood of them must not fill the memory.
    private const int WaitingEvents = 1024;

    private readonly Stream _stream;
    private readonly PipeReader _reader;
    private readonly ConcurrentDictionary<long, TaskCompletionSource<JsonElement>> _pending = new();
    private readonly Channel<QmpEvent> _events = Channel.CreateBounded<QmpEvent>(new BoundedChannelOptions(WaitingEvents) { SingleReader = true, SingleWriter = true });
    private readonly CancellationTokenSource _disposing = new();
    private readonly SemaphoreSlim _writing = new(1, 1);
    private readonly TaskCompletionSource _greeted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _reading;
    private long _lastId;

    private QmpClient(Stream stream)
    {
        _stream = stream;
        _reader = PipeReader.Create(stream, new StreamPipeReaderOptions(leaveOpen: true));
        _reading = Task.Run(ReadAllAsync);
    }

    /// <summary>QEMU's version, with that of its package if there is one; empty if it didn't tell.</summary>
    public string Version { get; private set; } = "";

    /// <summary>Completes when the connection has ended: with QEMU's end well, with anything that isn't QMP with a <see cref="QmpException"/>.</summary>
    public Task Closed => _reading;

    /// <summary>Waits for the greeting and leaves capabilities negotiation, after which commands can be sent.</summary>
    /// <param name="stream">The connection; the client owns it from now on.</param>
    /// <exception cref="QmpException">The peer doesn't speak QMP, or closed the connection.</exception>
    public static async Task<QmpClient> ConnectAsync(Stream stream, CancellationToken cancellation)
    {
        var client = new QmpClient(stream);
        try
        {
            await client._greeted.Task.WaitAsync(cancellation);
            await client.ExecuteAsync("qmp_capabilities", null, cancellation);
            return client;
        }
        catch
        {
            await client.DisposeAsync();
            throw;
        }
    }

    /// <summary>Sends a command and waits for its reply.</summary>
    /// <returns>The reply's `return` value.</returns>
    /// <exception cref="QmpException">QEMU answered with an error, or the connection ended before the reply.</exception>
    public async Task<JsonElement> ExecuteAsync(string command, JsonObject? arguments, CancellationToken cancellation)
    {
        var id = Interlocked.Increment(ref _lastId);
        var reply = new TaskCompletionSource<JsonElement>(TaskCreationOptions.RunContinuationsAsynchronously);
        _pending[id] = reply;
        if (_reading.IsCompleted)
        {
            FailPending(new QmpException("the connection to QEMU has ended"));
        }

        try
        {
            var line = JsonSerializer.SerializeToUtf8Bytes(new QmpCommand(command, arguments, id), QmpJson.Default.QmpCommand);
            await _writing.WaitAsync(cancellation);
            try
            {
                await _stream.WriteAsync(line, cancellation);
                await _stream.WriteAsync("\n"u8.ToArray(), cancellation);
            }
            catch (Exception e) when (e is IOException or ObjectDisposedException)
            {
                throw new QmpException($"the connection to QEMU ended before '{command}' was sent", e);
            }
            finally
            {
                _writing.Release();
            }

            return await reply.Task.WaitAsync(cancellation);
        }
        finally
        {
            _pending.TryRemove(id, out _);
        }
    }

    /// <summary>QEMU's events in their order, until the connection ends. For one reader, who must keep reading: replies wait behind events.</summary>
    public IAsyncEnumerable<QmpEvent> ReadEventsAsync(CancellationToken cancellation) => _events.Reader.ReadAllAsync(cancellation);

    /// <summary>Closes the connection; commands under way fail.</summary>
    public async ValueTask DisposeAsync()
    {
        await _disposing.CancelAsync();
        _reader.CancelPendingRead();
        await _stream.DisposeAsync();
        await _reading.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        _writing.Dispose();
        _disposing.Dispose();
    }

    private async Task ReadAllAsync()
    {
        QmpException? failure = null;
        try
        {
            // What has been looked through for a line's end already: a long line comes in many pieces.
            long searched = 0;
            while (true)
            {
                var read = await _reader.ReadAsync();
                var buffer = read.Buffer;
                while (buffer.Slice(searched).PositionOf((byte)'\n') is { } end)
                {
                    await HandleAsync(buffer.Slice(0, end));
                    buffer = buffer.Slice(buffer.GetPosition(1, end));
                    searched = 0;
                }

                searched = buffer.Length;

                if (buffer.Length > LongestMessage)
                {
                    throw new QmpException($"QEMU sent {buffer.Length} bytes without a line's end");
                }

                if (read.IsCompleted || read.IsCanceled)
                {
                    // A message cut off by QEMU's end is no message; that QEMU ended is what counts.
                    return;
                }

                _reader.AdvanceTo(buffer.Start, buffer.End);
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // The socket of a process that died: the same as its end. Or the client is disposed, and nobody reads events any more.
        }
        catch (Exception e) when (e is JsonException or QmpException)
        {
            failure = e as QmpException ?? new QmpException($"what came over QMP isn't QMP: {e.Message}", e);
            throw failure;
        }
        finally
        {
            FailPending(failure ?? new QmpException("QEMU closed the connection"));
            _greeted.TrySetException(failure ?? new QmpException("QEMU closed the connection before it greeted"));
            // A greeting that nobody waits for any more must not surface as an unobserved exception.
            _ = _greeted.Task.Exception;
            _events.Writer.TryComplete();
        }
    }

    private ValueTask HandleAsync(ReadOnlySequence<byte> line)
    {
        if (line.Length <= 1 && (line.IsEmpty || line.FirstSpan[0] == '\r'))
        {
            return ValueTask.CompletedTask;
        }

        var reader = new Utf8JsonReader(line);
        var message = JsonSerializer.Deserialize(ref reader, QmpJson.Default.QmpMessage) ?? throw new QmpException("QEMU sent 'null'");
        if (message.Event is { } name)
        {
            return _events.Writer.WriteAsync(new QmpEvent(name, message.Data, message.Timestamp.Time), _disposing.Token);
        }

        HandleReply(message);
        return ValueTask.CompletedTask;
    }

    private void HandleReply(QmpMessage message)
    {
        if (message.Greeting is { } greeting)
        {
            Version = QmpGreeting.VersionIn(greeting);
            _greeted.TrySetResult();
        }
        else if (message.Id is { } id && _pending.TryRemove(id, out var reply))
        {
            if (message.Error is { } error)
            {
                reply.TrySetException(new QmpException($"QEMU refused: {error.Description} ({error.Class})"));
            }
            else
            {
                reply.TrySetResult(message.Return ?? default);
            }
        }
        else if (message is { Id: null, Error: { } stray })
        {
            // An error without an id answers something that QEMU couldn't even parse; nobody would ever get it otherwise.
            throw new QmpException($"QEMU says: {stray.Description} ({stray.Class})");
        }
    }

    private void FailPending(QmpException reason)
    {
        foreach (var id in _pending.Keys)
        {
            if (_pending.TryRemove(id, out var reply))
            {
                reply.TrySetException(reason);
            }
        }
    }
}
