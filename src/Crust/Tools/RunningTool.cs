using System.Collections.Immutable;
using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using System.Text;
using CliWrap;

namespace Crust.Tools;

/// <summary>A program that runs beside Crust and doesn't outlive it.</summary>
internal sealed partial class RunningTool : IAsyncDisposable
{
    private const int SigTerm = 15;

    private static readonly TimeSpan GracePeriod = TimeSpan.FromSeconds(20);

    // For what the program has started: a daemon may hold the program's output for as long as it lives.
    private static readonly TimeSpan PipeGracePeriod = TimeSpan.FromSeconds(2);

    private readonly ToolCommand _command;
    private readonly Process _process;
    private readonly Task<ToolResult> _ended;

    private RunningTool(ToolCommand command, Process process, int id, Task<ToolResult> ended)
    {
        _command = command;
        _process = process;
        _ended = ended;
        Id = id;
    }

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

    /// <summary>
    /// Time for which its threads wanted a processor so far: the CPU time that they got, and the time for which they waited for other programs (proc(5), schedstat). On a host
    /// with nothing else to do, it is the CPU time; on one that is busy, a program that computes gets a tenth of a core and wants a whole one.
    /// </summary>
    public TimeSpan WantedTime
    {
        get
        {
            try
            {
                // Of a kernel without CONFIG_SCHEDSTATS, only the CPU time is known.
                var wanted = Directory.EnumerateDirectories($"/proc/{Id}/task").Select(WantedBy).Aggregate(TimeSpan.Zero, (sum, time) => sum + time);
                return wanted > CpuTime ? wanted : CpuTime;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return CpuTime;
            }
        }
    }

    // Nanoseconds on a processor, nanoseconds waiting for one, and how often it got one. A thread may end meanwhile.
    private static TimeSpan WantedBy(string thread)
    {
        try
        {
            var numbers = File.ReadAllText(Path.Combine(thread, "schedstat")).Split(' ');
            return numbers.Length < 2 ? TimeSpan.Zero : TimeSpan.FromMicroseconds((ulong.Parse(numbers[0]) + ulong.Parse(numbers[1])) / 1000.0);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            return TimeSpan.Zero;
        }
    }

    /// <exception cref="OperationCanceledException">Cancelled; the program and all it started were ended first.</exception>
    /// <exception cref="Exception">What <see cref="ToolCommand.OnOutput"/> or <see cref="ToolCommand.OnLine"/> has thrown; the program was killed for it.</exception>
    public async Task<ToolResult> WaitAsync(CancellationToken cancellation)
    {
        try
        {
            var result = await _ended.WaitAsync(cancellation);
            // Ctrl-C reaches the whole process group: a tool may have ended by it before the token was seen.
            cancellation.ThrowIfCancellationRequested();
            if (result.CallbackProblem is { } problem)
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
    }

    internal static RunningTool Start(ToolCommand command, string program, string setpriv, string? prlimit, ImmutableDictionary<string, string> environment)
    {
        // Opened before the program starts: without its input it must not run.
        var input = command.InputFile is { } path ? File.OpenRead(path) : null;
        try
        {
            return StartingThread.Run(() => Start(command, Arguments(command, program, prlimit), setpriv, environment, input));
        }
        catch
        {
            input?.Dispose();
            throw;
        }
    }

    private static RunningTool Start(ToolCommand command, IEnumerable<string> arguments, string setpriv, ImmutableDictionary<string, string> environment, FileStream? input)
    {
        var output = new OutputTail(command.WatchOutput ? command.OnLine : null);
        var error = new OutputTail(command.OnLine);
        Process? process = null;
        Task overdue = Task.CompletedTask;
        var clock = Stopwatch.StartNew();
        // Its cancellation isn't used: it sends SIGINT where mmdebstrap is to be sent SIGTERM, and a program that it has killed has no exit code.
        var run = CliWrap.Cli.Wrap(setpriv)
            .WithArguments(arguments)
            .WithWorkingDirectory(command.WorkingDirectory ?? "")
            .WithValidation(CommandResultValidation.None)
            .WithStandardInputPipe(input is not null ? PipeSource.FromStream(input) : PipeSource.FromString(command.Input, Encoding.UTF8))
            .WithStandardOutputPipe(PipeTarget.Create((pipe, _) => command.OnOutput is { } take ? OutputPipe.ReadMuchAsync(pipe, overdue, take) : output.ReadAsync(pipe, overdue)))
            .WithStandardErrorPipe(PipeTarget.Create((pipe, _) => error.ReadAsync(pipe, overdue)))
            .ExecuteAsync(
                info => SetEnvironment(info, environment),
                started =>
                {
                    process = started;
                    overdue = OverdueAsync(started);
                },
                CancellationToken.None);
        return new RunningTool(command, process!, run.ProcessId, EndedAsync());

        async Task<ToolResult> EndedAsync()
        {
            try
            {
                var result = await run;
                return new ToolResult(result.ExitCode, output.ToString(), error.ToString(), clock.Elapsed);
            }
            catch (Exception e)
            {
                // CliWrap has killed it.
                return new ToolResult(-1, output.ToString(), error.ToString(), clock.Elapsed) { CallbackProblem = e };
            }
            finally
            {
                input?.Dispose();
            }
        }
    }

    // setpriv and prlimit each become the next program: it stays one process.
    private static IEnumerable<string> Arguments(ToolCommand command, string program, string? prlimit) =>
    [
        "--pdeathsig", command.Ending is Ending.Kill ? "KILL" : "TERM", "--",
        .. prlimit is null ? [] : command.Limits!.Arguments.Prepend(prlimit).Append("--"),
        program,
        .. command.Arguments,
    ];

    // CliWrap itself only adds to Crust's own environment, and takes from it.
    private static void SetEnvironment(ProcessStartInfo info, ImmutableDictionary<string, string> environment)
    {
        info.Environment.Clear();
        foreach (var (name, value) in environment)
        {
            info.Environment[name] = value;
        }
    }

    private static async Task OverdueAsync(Process process)
    {
        await process.WaitForExitAsync();
        await Task.Delay(PipeGracePeriod);
    }

    /// <inheritdoc/>
    public override string ToString() => $"{_command} (process {Id})";

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int SendSignal(int process, int signal);
}
