using System.Net.Sockets;
using Crust.Tools;

namespace Crust.Tests;

[CancelAfter(60_000)]
public sealed class FakeToolsTests
{
    private FakeTools _fakes = null!;

    [SetUp]
    public void SetUp() => _fakes = new FakeTools();

    [TearDown]
    public void TearDown() => _fakes.Dispose();

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [Test]
    public async Task A_fake_program_is_found_before_the_real_one_and_plays_its_script()
    {
        _fakes.Add("qemu-img", "print hello", "error oh dear", $"arguments {_fakes.FileFor("seen")}", "exit 3");

        var result = await _fakes.ToolBox.RunAsync(ToolCommand.Of("qemu-img", "info", "two words") with { SuccessCodes = [3] }, Cancellation);

        Assert.That(result.Output, Is.EqualTo("hello\n"));
        Assert.That(result.Error, Is.EqualTo("oh dear\n"));
        Assert.That(await File.ReadAllLinesAsync(_fakes.FileFor("seen"), Cancellation), Is.EqualTo(new[] { "info", "two words" }));
    }

    [Test]
    public async Task A_fake_program_dies_by_the_signal_that_its_script_names()
    {
        _fakes.Add("qemu-system-x86_64", "signal 11");

        var result = await _fakes.ToolBox.RunAsync(ToolCommand.Of("qemu-system-x86_64") with { SuccessCodes = [139] }, Cancellation);

        Assert.That(result.ExitCode, Is.EqualTo(139));
    }

    [Test]
    public async Task A_fake_program_writes_as_many_bytes_as_its_script_says()
    {
        _fakes.Add("qemu-system-x86_64", "flood 100001");

        var result = await _fakes.ToolBox.RunAsync(ToolCommand.Of("qemu-system-x86_64"), Cancellation);

        Assert.That(result.Error, Has.Length.EqualTo(100001));
    }

    [Test]
    public async Task A_fake_QEMU_speaks_QMP_over_the_socket_that_its_arguments_name()
    {
        _fakes.Add("qemu-system-x86_64", """
            connect
            greet
            expect qmp_capabilities
            expect query-status
            event STOP
            reply query-status {"running": false}
            refuse qmp_capabilities it's too late
            pieces 3 {"a": 1}
            raw {"half
            close
            exit 5
            """);
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        var path = _fakes.FileFor("qmp.sock");
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();
        await using var qemu = _fakes.ToolBox.Start(ToolCommand.Of("qemu-system-x86_64", "-chardev", $"socket,id=qmp,path={path},server=off"));
        using var connection = await listener.AcceptAsync(Cancellation);
        using var reader = new StreamReader(new NetworkStream(connection));

        Assert.That(await reader.ReadLineAsync(Cancellation), Does.StartWith("""{"QMP": """));
        await connection.SendAsync("""{"execute": "qmp_capabilities", "id": 1}"""u8.ToArray().Append((byte)'\n').ToArray(), Cancellation);
        await connection.SendAsync("""{"execute": "query-status", "id": "b"}"""u8.ToArray().Append((byte)'\n').ToArray(), Cancellation);
        var rest = await reader.ReadToEndAsync(Cancellation);

        Assert.That(rest.Split("\r\n"), Is.EqualTo(new[]
        {
            """{"timestamp": {"seconds": 1700000000, "microseconds": 123456}, "event": "STOP"}""",
            """{"return": {"running": false}, "id": "b"}""",
            """{"error": {"class": "GenericError", "desc": "it\u0027s too late"}, "id": 1}""",
            """{"a": 1}""",
            """{"half""",
        }));
        Assert.That((await qemu.WaitAsync(Cancellation)).ExitCode, Is.EqualTo(5));
    }

    [Test]
    public async Task A_fake_QEMU_says_so_when_it_is_sent_another_command_than_expected()
    {
        _fakes.Add("qemu-system-x86_64", "connect", "expect quit", "exit 0");
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        var path = _fakes.FileFor("qmp.sock");
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();
        await using var qemu = _fakes.ToolBox.Start(ToolCommand.Of("qemu-system-x86_64", "-chardev", $"socket,path={path},id=qmp"));
        using var connection = await listener.AcceptAsync(Cancellation);

        await connection.SendAsync("""{"execute": "cont"}"""u8.ToArray().Append((byte)'\n').ToArray(), Cancellation);
        var result = await qemu.WaitAsync(Cancellation);

        Assert.That(result.ExitCode, Is.EqualTo(70));
        Assert.That(result.Error, Does.Contain("expected the command 'quit', got {\"execute\": \"cont\"}"));
    }
}
