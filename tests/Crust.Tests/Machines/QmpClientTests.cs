using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using Crust.Machines.Qmp;

namespace Crust.Tests.Machines;

[CancelAfter(60_000)]
public sealed class QmpClientTests
{
    private const string Greeting = """{"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}, "package": ""}, "capabilities": []}}""" + "\r\n";

    private Pipe _toClient = null!;
    private Pipe _toQemu = null!;
    private StreamReader _commands = null!;

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [SetUp]
    public void SetUp()
    {
        _toClient = new Pipe();
        _toQemu = new Pipe();
        _commands = new StreamReader(_toQemu.Reader.AsStream());
    }

    [TearDown]
    public void TearDown()
    {
        _toClient.Writer.Complete();
        _toQemu.Writer.Complete();
        _toClient.Reader.Complete();
        _commands.Dispose();
    }

    [Test]
    public async Task A_reply_is_matched_by_its_id_even_if_events_and_other_replies_come_first()
    {
        await using var client = await ConnectAsync();
        var first = client.ExecuteAsync("query-status", null, Cancellation);
        var firstId = await ReadIdAsync("query-status");
        var second = client.ExecuteAsync("query-name", null, Cancellation);
        var secondId = await ReadIdAsync("query-name");

        await SendAsync("""{"event": "RESUME", "timestamp": {"seconds": 1, "microseconds": 2}}""" + "\r\n");
        await SendAsync($$"""{"return": {"name": "two"}, "id": {{secondId}}}""" + "\r\n");
        await SendAsync($$"""{"return": {"running": true}, "id": {{firstId}}}""" + "\r\n");

        Assert.That((await first).GetProperty("running").GetBoolean(), Is.True);
        Assert.That((await second).GetProperty("name").GetString(), Is.EqualTo("two"));
        Assert.That((await NextEventAsync(client)).Name, Is.EqualTo("RESUME"));
    }

    [Test]
    public async Task A_reply_split_across_reads_is_put_together()
    {
        await using var client = await ConnectAsync();
        var reply = client.ExecuteAsync("query-status", null, Cancellation);
        var id = await ReadIdAsync("query-status");

        foreach (var character in $$"""{"return": {"status": "grün"}, "id": {{id}}}""" + "\r\n")
        {
            await SendAsync(character.ToString());
        }

        Assert.That((await reply).GetProperty("status").GetString(), Is.EqualTo("grün"));
    }

    [Test]
    public async Task An_error_becomes_an_exception_with_QEMUs_words()
    {
        await using var client = await ConnectAsync();
        var reply = client.ExecuteAsync("eject", null, Cancellation);
        var id = await ReadIdAsync("eject");

        await SendAsync($$"""{"error": {"class": "GenericError", "desc": "Device 'x' not found"}, "id": {{id}}}""" + "\r\n");

        Assert.That(async () => await reply, Throws.TypeOf<QmpException>().With.Message.Contains("Device 'x' not found"));
    }

    [Test]
    public async Task An_error_that_comes_after_its_command_was_cancelled_ends_nothing()
    {
        await using var client = await ConnectAsync();
        using var givingUp = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var late = client.ExecuteAsync("screendump", null, givingUp.Token);
        var id = await ReadIdAsync("screendump");
        await givingUp.CancelAsync();
        Assert.That(async () => await late, Throws.InstanceOf<OperationCanceledException>());

        await SendAsync($$"""{"error": {"class": "GenericError", "desc": "no screen"}, "id": {{id}}}""" + "\r\n");
        var next = client.ExecuteAsync("query-name", null, Cancellation);
        await SendAsync($$"""{"return": {"name": "two"}, "id": {{await ReadIdAsync("query-name")}}}""" + "\r\n");

        Assert.That((await next).GetProperty("name").GetString(), Is.EqualTo("two"));
    }

    [Test]
    public async Task The_end_of_the_stream_in_the_middle_of_a_reply_fails_the_command_and_ends_the_events()
    {
        await using var client = await ConnectAsync();
        var reply = client.ExecuteAsync("query-status", null, Cancellation);
        await ReadIdAsync("query-status");

        await SendAsync("""{"return": {"runn""");
        await _toClient.Writer.CompleteAsync();

        Assert.That(async () => await reply, Throws.TypeOf<QmpException>().With.Message.Contains("closed the connection"));
        Assert.That(await client.ReadEventsAsync(Cancellation).ToListAsync(Cancellation), Is.Empty);
        Assert.That(async () => await client.Closed, Throws.Nothing, "a QEMU that ends is no fault of the protocol");
    }

    [TestCase("garbage\r\n")]
    [TestCase("{\"return\": {}, \"id\": \r\n")]
    [TestCase("\0\u0001\u0002\n")]
    [TestCase("null\n")]
    public async Task Garbage_ends_the_connection_and_says_so(string garbage)
    {
        await using var client = await ConnectAsync();
        var reply = client.ExecuteAsync("query-status", null, Cancellation);
        await ReadIdAsync("query-status");

        await SendAsync(garbage);

        Assert.That(async () => await reply, Throws.TypeOf<QmpException>());
        Assert.That(async () => await client.Closed, Throws.TypeOf<QmpException>());
    }

    [Test]
    public async Task A_line_without_an_end_is_not_read_for_ever()
    {
        await using var client = await ConnectAsync();
        var sending = SendAsync(new string('x', 8 << 20));

        Assert.That(async () => await client.Closed, Throws.TypeOf<QmpException>().With.Message.Contains("without a line's end"));
        await _toClient.Reader.CompleteAsync();
        await sending;
    }

    [Test]
    public void A_peer_that_closes_before_its_greeting_is_told_apart()
    {
        _toClient.Writer.Complete();
        Assert.That(async () => await QmpClient.ConnectAsync(Duplex(), Cancellation), Throws.TypeOf<QmpException>());
    }

    [Test]
    public async Task A_command_after_the_end_fails_at_once()
    {
        await using var client = await ConnectAsync();
        await _toClient.Writer.CompleteAsync();
        await client.Closed;

        Assert.That(async () => await client.ExecuteAsync("quit", null, Cancellation), Throws.TypeOf<QmpException>());
    }

    private async Task<QmpClient> ConnectAsync()
    {
        var connecting = QmpClient.ConnectAsync(Duplex(), Cancellation);
        await SendAsync(Greeting);
        var id = await ReadIdAsync("qmp_capabilities");
        await SendAsync($$"""{"return": {}, "id": {{id}}}""" + "\r\n");
        return await connecting;
    }

    private DuplexStream Duplex() => new(_toClient.Reader.AsStream(), _toQemu.Writer.AsStream());

    private async Task SendAsync(string text) => await _toClient.Writer.WriteAsync(Encoding.UTF8.GetBytes(text), Cancellation);

    private async Task<long> ReadIdAsync(string command)
    {
        using var json = JsonDocument.Parse(await _commands.ReadLineAsync(Cancellation) ?? "");
        Assert.That(json.RootElement.GetProperty("execute").GetString(), Is.EqualTo(command));
        return json.RootElement.GetProperty("id").GetInt64();
    }

    private static async Task<QmpEvent> NextEventAsync(QmpClient client) => await client.ReadEventsAsync(Cancellation).FirstAsync(Cancellation);

    /// <summary>Reads from one stream and writes to another, as a socket does.</summary>
    private sealed class DuplexStream(Stream read, Stream write) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override void Flush() => write.Flush();

        public override int Read(byte[] buffer, int offset, int count) => read.Read(buffer, offset, count);

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => read.ReadAsync(buffer, cancellationToken);

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => write.Write(buffer, offset, count);

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => write.WriteAsync(buffer, cancellationToken);

        public override async ValueTask DisposeAsync()
        {
            // As a socket would: what reads from it ends.
            await read.DisposeAsync();
            await write.DisposeAsync();
            await base.DisposeAsync();
        }
    }
}
