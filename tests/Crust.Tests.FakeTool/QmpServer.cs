using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Crust.Tests.FakeTool;

/// <summary>QEMU's side of a QMP conversation. It connects, as QEMU does for a chardev with `server=off`.</summary>
internal sealed class QmpServer : IDisposable
{
    private readonly Socket _socket;
    private readonly StreamReader _reader;
    private readonly Dictionary<string, Stream> _ports;
    private readonly Dictionary<string, string> _ids = [];

    private QmpServer(Socket socket, Dictionary<string, Stream> ports)
    {
        _socket = socket;
        _reader = new StreamReader(new NetworkStream(socket));
        _ports = ports;
    }

    /// <summary>Connects to the socket of the argument `socket,id=qmp,path=…`, and to the other ports that are named so; in QEMU's order.</summary>
    public static QmpServer Connect(string[] arguments)
    {
        var qmp = Connect(arguments, "qmp") ?? throw new ScriptException($"no chardev with id=qmp in: {string.Join(' ', arguments)}");
        var ports = new Dictionary<string, Stream>();
        if (PathOf(arguments, "pipe", "serial") is { } pipe)
        {
            ports["serial"] = new FileStream($"{pipe}.out", FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        }

        if (Connect(arguments, "word") is { } word)
        {
            ports["word"] = new NetworkStream(word, ownsSocket: true);
        }

        return new QmpServer(qmp, ports);
    }

    public void Expect(string command)
    {
        var expected = $"the command '{command}'";
        while (Read(expected) is var (got, line) && got != command)
        {
            AnswerWatcher(got, line, expected);
        }
    }

    public void Say(string port, string text) => _ports[port].Write(Encoding.UTF8.GetBytes(text));

    public void Reply(string command, string json) =>
        Send($$"""{"return": {{(json.Length > 0 ? json : "{}")}}{{Id(command)}}}""" + "\r\n");

    public void Refuse(string command, string text) =>
        Send($$"""{"error": {"class": "GenericError", "desc": {{JsonSerializer.Serialize(text)}}}{{Id(command)}}}""" + "\r\n");

    public void Event(string name, string json) => Send(EventText(name, json));

    public void FloodEvents(int count, string name, string json)
    {
        const int AtOnce = 500;
        var bytes = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(EventText(name, json), AtOnce)));
        for (var sent = 0; sent < count; sent += AtOnce)
        {
            _socket.Send(bytes);
            AnswerWatchers();
        }
    }

    public void FloodSerial(int count)
    {
        var bytes = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("the same line again and again, with \e[1mbold\e[0m words\r\n", 1000)));
        for (var sent = 0; sent < count; sent += bytes.Length)
        {
            _ports["serial"].Write(bytes);
            AnswerWatchers();
        }
    }

    public void Send(string text) => _socket.Send(Encoding.UTF8.GetBytes(text));

    public void SendInPieces(string text, int size)
    {
        foreach (var piece in Encoding.UTF8.GetBytes(text).Chunk(size))
        {
            _socket.Send(piece);

            // Gives the reader a chance to see each piece by itself.
            Thread.Sleep(1);
        }
    }

    public void Dispose()
    {
        _socket.Dispose();
        foreach (var port in _ports.Values)
        {
            port.Dispose();
        }
    }

    private (string Command, string Line) Read(string expected)
    {
        var line = _reader.ReadLine() ?? throw new ScriptException($"expected {expected}, got the stream's end");
        using var document = JsonDocument.Parse(line);
        var command = document.RootElement.GetProperty("execute").GetString()!;
        if (document.RootElement.TryGetProperty("id", out var id))
        {
            _ids[command] = id.GetRawText();
        }

        return (command, line);
    }

    private void AnswerWatchers()
    {
        const string Expected = "a watcher's command";
        while (_socket.Available > 0)
        {
            var (command, line) = Read(Expected);
            AnswerWatcher(command, line, Expected);
        }
    }

    // Whoever watches a machine asks it now and then; a script needn't know when.
    private void AnswerWatcher(string command, string line, string expected)
    {
        switch (command)
        {
            case "query-blockstats":
                Reply(command, "[]");
                break;
            case "screendump":
                Refuse(command, "a script has no screen");
                break;
            default:
                throw new ScriptException($"expected {expected}, got {line}");
        }
    }

    private static string EventText(string name, string json) =>
        $$"""{"timestamp": {"seconds": 1700000000, "microseconds": 123456}, "event": "{{name}}"{{(json.Length > 0 ? $", \"data\": {json}" : "")}}}""" + "\r\n";

    private static Socket? Connect(string[] arguments, string id)
    {
        if (PathOf(arguments, "socket", id) is not { } path)
        {
            return null;
        }

        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Connect(new UnixDomainSocketEndPoint(path));
        return socket;
    }

    private static string? PathOf(string[] arguments, string kind, string id) => arguments
        .FirstOrDefault(argument => argument.StartsWith($"{kind},") && argument.Split(',').Contains($"id={id}"))?
        .Split(',').First(part => part.StartsWith("path="))["path=".Length..];

    private string Id(string command) => _ids.TryGetValue(command, out var id) ? $", \"id\": {id}" : "";
}
