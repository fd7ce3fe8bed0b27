using System.Collections.Immutable;
using Serilog;

namespace Crust.Tools;

/// <summary>The one place that starts a process.</summary>
/// <param name="searchPath">Folders in which programs are looked for, first match wins.</param>
/// <param name="log">Gets each call and how it ended.</param>
internal sealed class ToolBox(ImmutableArray<string> searchPath, ILogger log)
{
    // 128 + SIGXCPU.
    private const int EndedForCpuTime = 152;

    /// <summary>The environment of which programs get what they need, by name; empty where nobody has said.</summary>
    public ImmutableDictionary<string, string> Environment { get; init; } = ImmutableDictionary<string, string>.Empty;

    // Program → the Debian package that brings it, for the message when it is missing.
    private static readonly ImmutableDictionary<string, string> Packages = new Dictionary<string, string>
    {
        ["qemu-system-x86_64"] = "qemu-system-x86",
        ["qemu-system-aarch64"] = "qemu-system-arm",
        ["qemu-img"] = "qemu-utils",
        ["swtpm"] = "swtpm",
        ["xorriso"] = "xorriso",
        ["mmdebstrap"] = "mmdebstrap",
        ["mksquashfs"] = "squashfs-tools",
        ["unsquashfs"] = "squashfs-tools",
        ["mkfs.erofs"] = "erofs-utils",
        ["fsck.erofs"] = "erofs-utils",
        ["mke2fs"] = "e2fsprogs",
        ["debugfs"] = "e2fsprogs",
        ["e2fsck"] = "e2fsprogs",
        ["veritysetup"] = "cryptsetup-bin",
        ["patchelf"] = "patchelf",
        ["mformat"] = "mtools",
        ["mcopy"] = "mtools",
        ["mmd"] = "mtools",
        ["depmod"] = "kmod",
        ["cpio"] = "cpio",
        ["zstd"] = "zstd",
        ["xz"] = "xz-utils",
        ["apt-get"] = "apt",
        ["bzip2"] = "bzip2",
        ["setpriv"] = "util-linux",
        ["prlimit"] = "util-linux",
        ["ssh"] = "openssh-client",
        ["ssh-keygen"] = "openssh-client",
        ["gpg"] = "gnupg",
        ["gpgv"] = "gpgv",
        ["newuidmap"] = "uidmap",
        ["newgidmap"] = "uidmap",
    }.ToImmutableDictionary();

    /// <summary>The Debian package that brings a program.</summary>
    public static string PackageOf(string program) => Packages.GetValueOrDefault(program, program);

    /// <summary>Where a program is, or null if it isn't installed.</summary>
    public string? Find(string program) => Path.IsPathRooted(program)
        ? (File.Exists(program) ? program : null)
        : searchPath.Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);

    /// <exception cref="ToolMissingException">The program isn't installed.</exception>
    public string Require(string program) =>
        Find(program) ?? throw new ToolMissingException(program, PackageOf(program));

    /// <exception cref="ToolMissingException">It isn't installed.</exception>
    /// <exception cref="ToolLimitException">It took more time than <see cref="ToolCommand.Limits"/> allow.</exception>
    /// <exception cref="ToolFailedException">It ended with a code that isn't among <see cref="ToolCommand.SuccessCodes"/>.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; the program and all it started were ended first.</exception>
    public async Task<ToolResult> RunAsync(ToolCommand command, CancellationToken cancellation)
    {
        await using var tool = Start(command);
        var result = await WaitAsync(tool, command, cancellation);
        if (!command.SuccessCodes.Contains(result.ExitCode))
        {
            log.Error("{Command} failed with {ExitCode}:\n{Error}", command.ToString(), result.ExitCode, result.Error + result.Output);
            throw new ToolFailedException(command, result);
        }

        log.Debug("{Command} took {Seconds:0.00} s", command.ToString(), result.Elapsed.TotalSeconds);
        return result;
    }

    /// <summary>Starts a program that goes on beside Crust. Disposing it ends it.</summary>
    /// <exception cref="ToolMissingException">It isn't installed.</exception>
    public RunningTool Start(ToolCommand command)
    {
        var program = Require(command.Program);
        log.Debug("Starting {Command}", command.ToString());
        var prlimit = command.Limits is null ? null : Require(ToolLimits.Program);
        return RunningTool.Start(command, program, Require("setpriv"), prlimit, ToolEnvironment.Of(command, Environment, searchPath));
    }

    private static async Task<ToolResult> WaitAsync(RunningTool tool, ToolCommand command, CancellationToken cancellation)
    {
        using var timer = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        if (command.Limits?.Time is { } time)
        {
            timer.CancelAfter(time);
        }

        try
        {
            var result = await tool.WaitAsync(timer.Token);
            return command.Limits?.Cpu is { } cpu && result.ExitCode == EndedForCpuTime ? throw new ToolLimitException(command, $"{cpu.TotalSeconds:0} s of CPU time") : result;
        }
        catch (OperationCanceledException) when (timer.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            throw new ToolLimitException(command, $"{command.Limits!.Time!.Value.TotalSeconds:0} s");
        }
    }
}
