using System.Globalization;
using System.Runtime.InteropServices;

namespace Crust.Tests.FakeTool;

/// <summary>The script can't go on.</summary>
internal sealed class ScriptException(string message) : Exception(message);

/// <summary>Plays a script's commands, one after the other, in one thread.</summary>
internal sealed partial class Player(string[] arguments) : IDisposable
{
    private QmpServer? _qmp;

    private QmpServer Qmp => _qmp ?? throw new ScriptException("'connect' comes first");

    public void Play(string line)
    {
        var (command, rest) = Split(line);
        var (first, second) = Split(rest);
        switch (command)
        {
            // print TEXT, error TEXT: a line on standard output, on standard error.
            case "print":
                Console.Out.WriteLine(rest);
                break;
            case "error":
                Console.Error.WriteLine(rest);
                break;

            // flood N: N bytes on standard error. flood serial N: on the serial port. flood N NAME [JSON]: N events.
            case "flood" when first == "serial":
                Qmp.FloodSerial(Number(second));
                break;
            case "flood" when second.Length > 0:
                var (name, data) = Split(second);
                Qmp.FloodEvents(Number(first), name, data);
                break;
            case "flood":
                Flood(Number(rest));
                break;

            // arguments FILE: writes the program's arguments to a file, one a line.
            case "arguments":
                File.WriteAllLines(rest, arguments);
                break;

            // write FILE TEXT: writes a file. await FILE: waits until it exists. So a test and a script keep in step.
            case "write":
                File.WriteAllText(first, second);
                break;
            case "await":
                while (!File.Exists(rest))
                {
                    Thread.Sleep(5);
                }

                break;

            // sleep: for ever. exit CODE. signal NUMBER: dies by it.
            case "sleep":
                Thread.Sleep(Timeout.Infinite);
                break;
            case "exit":
                Environment.Exit(Number(rest));
                break;
            case "signal":
                // .NET's own handler would take some of them for its business.
                _ = SetSignalHandler(Number(rest), 0);
                if (Kill(Environment.ProcessId, Number(rest)) == 0)
                {
                    Thread.Sleep(Timeout.Infinite);
                }

                throw new ScriptException($"no such signal: {rest}");

            // connect: to the QMP socket that the arguments name. greet: says what QEMU says first. close: hangs up.
            case "connect":
                _qmp = QmpServer.Connect(arguments);
                break;
            case "greet":
                Qmp.Send("""{"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}, "package": ""}, "capabilities": ["oob"]}}""" + "\r\n");
                break;
            case "close":
                Qmp.Dispose();
                break;

            // expect COMMAND: reads the next command, which must be this one.
            // reply COMMAND JSON, refuse COMMAND TEXT: answers it; other commands may have come in between.
            case "expect":
                Qmp.Expect(rest);
                break;
            case "reply":
                Qmp.Reply(first, second);
                break;
            case "refuse":
                Qmp.Refuse(first, second);
                break;

            // serial TEXT, word TEXT: a line on the machine's serial port, on the port by which Crust's own guests speak.
            case "serial" or "word":
                Qmp.Say(command, rest + "\n");
                break;

            // event NAME [JSON]: sends an event with its data.
            case "event":
                Qmp.Event(first, second);
                break;

            // send TEXT: as it is, with a line's end. raw TEXT: as it is, without. pieces N TEXT: with a line's end, N bytes at a time.
            case "send":
                Qmp.Send(rest + "\r\n");
                break;
            case "raw":
                Qmp.Send(rest);
                break;
            case "pieces":
                Qmp.SendInPieces(second + "\r\n", Number(first));
                break;

            default:
                throw new ScriptException($"no such command: {line}");
        }
    }

    public void Dispose() => _qmp?.Dispose();

    private static (string First, string Remainder) Split(string text) =>
        text.IndexOf(' ') is var space and >= 0 ? (text[..space], text[(space + 1)..]) : (text, "");

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    private static void Flood(int count)
    {
        const int LineLength = 80;
        var line = new string('x', LineLength - 1) + "\n";
        for (; count > 0; count -= LineLength)
        {
            Console.Error.Write(line[..Math.Min(count, LineLength)]);
        }
    }

    [LibraryImport("libc", EntryPoint = "signal")]
    private static partial nint SetSignalHandler(int signal, nint handler);

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
