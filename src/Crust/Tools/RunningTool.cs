using System.Collections.Immutable;
using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Crust.Tools;

/// <summary>A program that runs beside Crust and doesn't outlive it.</summary>
public sealed partial class RunningTool : IAsyncDisposable
{
    private const int SigTerm = 15;

    private static readonly TimeSpan GracePeriod = TimeSpan.FromSeconds(20);

    private readonly ToolCommand _command;
    private readonly Process _process;
    private readonly Task<ToolResult> _ended;

    private RunningTool(ToolCommand command, Process process, Task<ToolResult> ended)
    {
        _command = command;
        _process = process;
        _ended = ended;
        Id = process.Id;
    }

    /// <summary>The process's id.</summary>
    public int Id { get; }

    /// <summary>Completes when the program has ended and all it wrote was read; never faults.</summary>
    public Task<ToolResult> Ended => _ended;

    /// <summary>CPU time that the program has used so far; zero once it has ended and was reaped.</summary>
    public TimeSpan CpuTime
    {
        get
        {
            try
            {
                return _process.TotalProcessorTime;
            }
            catch (Exception e) when (e is InvalidOperationException or Win32Exception)
            {
                return TimeSpan.Zero;
            }
        }
    }

    /// <summary>Waits for the program's end.</summary>
    /// <exception cref="OperationCanceledException">Cancelled; the program and all it started were ended first.</exception>
    /// <exception cref="Exception">What <see cref="ToolCommand.OnOutput"/> has thrown; the program was killed for it.</exception>
    public async Task<ToolResult> WaitAsync(CancellationToken cancellation)
    {
        try
        {
            var result = await _ended.WaitAsync(cancellation);
            // Ctrl-C reaches the whole process group: a tool may have ended by it before the token was seen.
            cancellation.ThrowIfCancellationRequested();
            if (result.OutputProblem is { } problem)
            {
                ExceptionDispatchInfo.Throw(problem);
            }

            return result;
        }
        catch (OperationCanceledException)
        {
            await EndAsync();
            throw;
        }
    }

    /// <summary>Ends the program as its command says: with time to clean up, or at once.</summary>
    public async Task EndAsync()
    {
        if (_command.Ending is Ending.Terminate && !_ended.IsCompleted && SendSignal(Id, SigTerm) == 0)
        {
            // What it mounts, locks or writes elsewhere only the program itself can undo.
            await Task.WhenAny(_ended, Task.Delay(GracePeriod));
        }

        await KillAsync();
    }

    /// <summary>Ends the program and all it started with SIGKILL, and waits until it is gone.</summary>
    public async Task KillAsync()
    {
        try
        {
            _process.Kill(entireProcessTree: true);
        }
        catch (Exception e) when (e is InvalidOperationException or Win32Exception or AggregateException)
        {
            // It has ended by itself in the meantime.
        }

        await _ended;
    }

    /// <summary>Ends the program if it still runs.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_ended.IsCompleted)
        {
            await EndAsync();
        }

        _process.Dispose();
    }

    internal static RunningTool Start(ToolCommand command, string program, string setpriv, string? prlimit, ImmutableDictionary<string, string> environment)
    {
        // setpriv asks the kernel (PR_SET_PDEATHSIG) to signal the program when the thread that started it ends.
        // So each program gets a thread of its own that lives as long as the program: a pool thread might retire
        // early and take the program with it.
        var started = new TaskCompletionSource<RunningTool>();
        var ended = new TaskCompletionSource<ToolResult>(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(() =>
        {
            try
            {
                using var input = command.InputFile is { } path ? File.OpenRead(path) : null;
                var process = new Process { StartInfo = StartInfo(command, program, setpriv, prlimit, environment) };
                var clock = Stopwatch.StartNew();
                process.Start();
                var output = command.OnOutput is null ? new TailReader(process.StandardOutput, command.WatchOutput ? command.OnLine : null) : null;
                var error = new TailReader(process.StandardError, command.OnLine);
                _ = WriteInputAsync(process, input, command.Input);
                started.SetResult(new RunningTool(command, process, ended.Task));
                var problem = command.OnOutput is { } take ? HandOut(process, take) : null;
                process.WaitForExit();
                ended.SetResult(new ToolResult(process.ExitCode, output?.Finish() ?? "", error.Finish(), clock.Elapsed) { OutputProblem = problem });
            }
            catch (Exception e)
            {
                if (!started.TrySetException(e))
                {
                    ended.TrySetResult(new ToolResult(-1, "", e.Message, TimeSpan.Zero));
                }
            }
        })
        { IsBackground = true, Name = $"tool {Path.GetFileName(program)}" };
        thread.Start();
        return started.Task.GetAwaiter().GetResult();
    }

    private static Exception? HandOut(Process process, Action<ReadOnlyMemory<byte>> take)
    {
        using var output = process.StandardOutput;
        var buffer = new byte[1 << 17];
        try
        {
            for (int read; (read = output.BaseStream.Read(buffer)) > 0;)
            {
                take(buffer.AsMemory(0, read));
            }

            return null;
        }
        catch (Exception e)
        {
            process.Kill(entireProcessTree: true);
            return e;
        }
    }

    private static ProcessStartInfo StartInfo(ToolCommand command, string program, string setpriv, string? prlimit, ImmutableDictionary<string, string> environment)
    {
        var info = new ProcessStartInfo(setpriv)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardInputEncoding = new UTF8Encoding(false),
            StandardOutputEncoding = Encoding.UTF8,
            StandardErrorEncoding = Encoding.UTF8,
            WorkingDirectory = command.WorkingDirectory ?? "",
        };
        info.ArgumentList.Add("--pdeathsig");
        info.ArgumentList.Add(command.Ending is Ending.Kill ? "KILL" : "TERM");
        info.ArgumentList.Add("--");
        // Each becomes the next: it stays one process.
        foreach (var argument in prlimit is null ? [] : command.Limits!.Arguments.Prepend(prlimit).Append("--"))
        {
            info.ArgumentList.Add(argument);
        }

        info.ArgumentList.Add(program);
        foreach (var argument in command.Arguments)
        {
            info.ArgumentList.Add(argument);
        }

        info.Environment.Clear();
        foreach (var (name, value) in environment)
        {
            info.Environment[name] = value;
        }

        return info;
    }

    private static async Task WriteInputAsync(Process process, Stream? file, string text)
    {
        try
        {
            await using var input = process.StandardInput;
            if (file is not null)
            {
                await file.CopyToAsync(input.BaseStream, 1 << 20);
            }

            await input.WriteAsync(text);
        }
        catch (IOException)
        {
            // The program ended without reading all of its input; its exit code tells whether that matters.
        }
    }

    /// <inheritdoc/>
    public override string ToString() => $"{_command} (process {Id})";

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int SendSignal(int process, int signal);
}
