using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;
using Crust.Machines;
using Crust.Spec;
using Crust.Storage;
using Serilog.Core;

namespace Crust.Tests.Machine;

/// <summary>How a run of the program ended.</summary>
public sealed record CrustResult(int ExitCode, string Output, string Error);

/// <summary>Runs the program as a user does, in a folder of its own with a cache of its own.</summary>
internal sealed class CrustProcess : IDisposable
{
    /// <summary>The program that is tested: as it is shipped where `make test` has built it, since that starts in half the processor time, and hundreds are started; else the one beside the tests.</summary>
    public static readonly string BuiltProgram =
        System.Environment.GetEnvironmentVariable("CRUST_TEST_PROGRAM") is { Length: > 0 } shipped ? shipped : Path.Combine(AppContext.BaseDirectory, "Crust.Cli");

    // Each program has a cache of its own, and would wait in each of them for a guest that KVM may never run.
    private static readonly Lazy<string?> ProbedAccelerator = new(ProbeAccelerator);

    private static readonly (string Name, string Value)[] WithoutCare = [("--trim", "false"), ("--inspect", "false"), ("--tidy", "none"), ("--verify", "false")];

    public CrustProcess()
    {
        Directory.CreateDirectory(Runtime);
        Directory.CreateDirectory(Temporary);
        Environment = new()
        {
            ["CRUST_CACHE"] = Cache,
            ["XDG_RUNTIME_DIR"] = Runtime,
            ["TMPDIR"] = Temporary,
            ["ISO_URL"] = "",
            ["NO_COLOR"] = "1",
        };
    }

    /// <summary>The folder in which the program runs; removed at the end.</summary>
    public string Folder { get; } = Directory.CreateTempSubdirectory("crust-").FullName;

    public string Images => Path.Combine(Folder, "images");

    public string Cache => Path.Combine(Folder, "cache");

    public string Runtime => Path.Combine(Folder, "run");

    public string Temporary => Path.Combine(Folder, "tmp");

    /// <summary>Variables of the program's environment, on top of the tests' own.</summary>
    public Dictionary<string, string> Environment { get; }

    /// <summary>
    /// Whether builds look at the installed disk, tidy it and discard free space, which takes a boot of the appliance, and boot its images; stub guests have no file systems, and
    /// a boot of theirs proves something where the test says so by an option.
    /// </summary>
    public bool CaresForDisks { get; init; }

    /// <summary>The program; <see cref="BuiltProgram"/>, if nothing else is said.</summary>
    public string Program { get; set; } = BuiltProgram;

    /// <summary>A command and its arguments that start the program in a world of its own.</summary>
    public string[] Before { get; init; } = [];

    /// <summary>The path of a file in the images folder.</summary>
    public string Image(string file) => Path.Combine(Images, file);

    /// <summary>The names of all files in the images folder but the lock.</summary>
    public IEnumerable<string> ImageFiles => Directory.Exists(Images)
        ? Directory.EnumerateFileSystemEntries(Images).Select(path => Path.GetFileName(path)).Where(name => name != ".lock").Order(StringComparer.Ordinal)
        : [];

    /// <summary>Whether a log below the images folder has a text. Files and folders come and go while a build runs: what is gone has none.</summary>
    public bool LogsHave(string text) => Below(Images).Where(file => file.EndsWith(".log", StringComparison.Ordinal)).Any(log => TextOf(log).Contains(text, StringComparison.Ordinal));

    /// <summary>The files in a folder and in the folders below it, also hidden ones, as far as they are there when they are looked for.</summary>
    public static IReadOnlyList<string> Below(string folder)
    {
        try
        {
            return [.. Directory.EnumerateFiles(folder, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0, IgnoreInaccessible = true })];
        }
        catch (DirectoryNotFoundException)
        {
            return [];
        }
    }

    /// <summary>The same without what is left for a diagnosis: logs, reports, the last screen.</summary>
    public IEnumerable<string> Products => ImageFiles.Where(file => !Leftovers.IsEvidence(file));

    /// <summary>Lets what takes minutes to make, and isn't what is tested, come from the user's own cache, or go there.</summary>
    public void ShareDearThings()
    {
        var shared = HostEnvironment.Read().CacheFolder;
        PrivateFolder.Create(Cache);
        if (ProbedAccelerator.Value is { } probed)
        {
            File.WriteAllText(ProbeFileIn(Cache), probed);
        }

        foreach (var kind in new[] { "appliance", "installers", "roots", "debian", "warm" })
        {
            Directory.CreateDirectory(Path.Combine(shared, kind));
            Directory.CreateSymbolicLink(Path.Combine(Cache, kind), Path.Combine(shared, kind));
        }
    }

    /// <summary>Runs the program to its end.</summary>
    public async Task<CrustResult> RunAsync(CancellationToken cancellation, params string[] arguments)
    {
        await using var running = Start(arguments);
        return await running.WaitAsync(cancellation);
    }

    /// <summary>Starts the program in a world that differs from test to test.</summary>
    /// <param name="before">A command and its arguments that start the program.</param>
    /// <param name="arguments">The program's own.</param>
    public RunningCrust StartIn(string[] before, string[] arguments) => Start(before, arguments);

    /// <summary>Starts the program.</summary>
    public RunningCrust Start(params string[] arguments) => Start(Before, arguments);

    private RunningCrust Start(string[] before, string[] arguments)
    {
        arguments = arguments is ["build", ..] && !CaresForDisks ? [.. arguments, .. WithoutCare.Where(option => !arguments.Contains(option.Name)).SelectMany(option => new[] { option.Name, option.Value })] : arguments;
        if (!Path.Exists(Cache) && ProbedAccelerator.Value is { } probed)
        {
            PrivateFolder.Create(Cache);
            File.WriteAllText(ProbeFileIn(Cache), probed);
        }

        // Whoever runs the tests may ignore signals (nohup does), and that is inherited.
        var info = new ProcessStartInfo("env", ["--default-signal", .. before, Program, .. arguments])
        {
            WorkingDirectory = Folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in Environment)
        {
            info.Environment[name] = value;
        }

        return new RunningCrust(Process.Start(info)!);
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    private static string TextOf(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (IOException)
        {
            return "";
        }
    }

    // What the probe of this host's KVM remembers; null where it needs no guest to tell.
    private static string? ProbeAccelerator()
    {
        var folder = Directory.CreateTempSubdirectory("crust-accelerator-").FullName;
        try
        {
            var probe = new AcceleratorProbe(Host.Tools, folder, Logger.None);
            Task.Run(() => probe.ChooseAsync(Accelerator.Auto, Arch.Amd64, CancellationToken.None)).GetAwaiter().GetResult();
            return File.Exists(ProbeFileIn(folder)) ? File.ReadAllText(ProbeFileIn(folder)) : null;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static string ProbeFileIn(string cache) => new ProbeMemory(cache, "", Logger.None).File;
}

/// <summary>The program while it runs.</summary>
internal sealed class RunningCrust : IAsyncDisposable
{
    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly StringBuilder _error = new();

    public RunningCrust(Process process)
    {
        _process = process;
        process.StandardInput.Close();
        process.OutputDataReceived += (_, line) => Keep(_output, line.Data);
        process.ErrorDataReceived += (_, line) => Keep(_error, line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public async Task<CrustResult> WaitAsync(CancellationToken cancellation)
    {
        await _process.WaitForExitAsync(cancellation);
        return new(_process.ExitCode, _output.ToString(), _error.ToString());
    }

    /// <summary>Waits until a QEMU that the program started runs its guest, and gives its process id.</summary>
    public async Task<int> FindQemuAsync(Func<bool> guestRuns, CancellationToken cancellation)
    {
        while (true)
        {
            if (FindChild("qemu-system") is { } qemu && guestRuns())
            {
                return qemu;
            }

            Assert.That(_process.HasExited, Is.False, $"it ended too early: {_error}");
            await Task.Delay(50, cancellation);
        }
    }

    /// <summary>The program's process id.</summary>
    public int Id => _process.Id;

    /// <summary>The process id of a program that it started, by the beginning of the program's name; null if none runs.</summary>
    public int? FindChild(string program) => Children(program).Cast<int?>().FirstOrDefault();

    /// <summary>Waits until its standard error has a text that a pattern matches, and gives the pattern's first group.</summary>
    public async Task<string> ExpectErrorAsync(string pattern, CancellationToken cancellation)
    {
        while (true)
        {
            lock (_error)
            {
                if (Regex.Match(_error.ToString(), pattern) is { Success: true } match)
                {
                    return match.Groups[1].Value;
                }
            }

            Assert.That(_process.HasExited, Is.False, $"it ended too early: {_error}");
            await Task.Delay(50, cancellation);
        }
    }

    /// <summary>Sends a signal to the program alone.</summary>
    public void Signal(string name) => Process.Start("kill", [$"-{name}", $"{_process.Id}"]).WaitForExit();

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
    }

    private IEnumerable<int> Children(string program) =>
        from folder in Directory.EnumerateDirectories("/proc")
        where int.TryParse(Path.GetFileName(folder), out _)
        let stat = TryRead(Path.Combine(folder, "stat"))
        // "pid (comm) state ppid …"; the command's name may hold anything but is behind the last parenthesis.
        where stat.Contains($"({program}", StringComparison.Ordinal) && stat[(stat.LastIndexOf(')') + 1)..].Split(' ')[2] == $"{_process.Id}"
        select int.Parse(Path.GetFileName(folder));

    private static string TryRead(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    private static void Keep(StringBuilder text, string? line)
    {
        if (line is not null)
        {
            lock (text)
            {
                text.Append(line).Append('\n');
            }
        }
    }
}
